"""A session judged: what the stand-ins' database says happened, beside what the robot's ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bots.ports import ItemState
from control.ledger import SqlLedger
from simulators.truth import Order, Truth

WRONG_TARGET = frozenset(
    {
        "wrong_order",
        "archive_wrong_order",
        "archive_without_success",
        "transfer",
        "sms_unknown_order",
        "sms_wrong_number",
        "sms_not_due",
    }
)
"""Acts on an order, a customer or a person that they must not be done to."""

TWICE = frozenset({"second_reconnect", "blind_reconnect", "sms_twice"})
UNNAMED = frozenset({None, ItemState.NEW, ItemState.RUNNING})
PERSON = UNNAMED | {ItemState.UNKNOWN, ItemState.SYSTEM_EXCEPTION}
FALSE = frozenset({"false_reconnect", "no_answer"})
"""Orders that the robot may call 假复电: a meter that never answers is handled like one."""


def judge(database: Path, truth_path: Path, run: str) -> dict[str, Any]:
    """Figures of one session, JSON-ready. `orders` holds a line for each order with its times and what became of it."""
    ledger = SqlLedger(database, run, system="marketing", robot="judge")
    try:
        with Truth(truth_path) as truth:
            return _judge(ledger, truth)
    finally:
        ledger.close()


def _judge(ledger: SqlLedger, truth: Truth) -> dict[str, Any]:
    wrong = truth.wrong_acts()
    kinds = Counter(act.kind for act in wrong)
    archives = Counter(archive.order for archive in truth.archives())
    orders = truth.orders(True)
    lines = [_order(ledger, truth, order) for order in orders]
    false = {order.number for order in truth.false_reconnects()}
    told = {(sms.order, sms.role) for sms in truth.sms()}
    found = {line["order"] for line in lines if line["power"] == "off" and line["reading_2"]}
    return {
        "wrong_target": sum(count for kind, count in kinds.items() if kind in WRONG_TARGET),
        "double": sum(count for kind, count in kinds.items() if kind in TWICE) + sum(count - 1 for count in archives.values()),
        "second_reconnects": kinds["second_reconnect"] + kinds["blind_reconnect"],
        "disconnects": kinds["disconnect"],
        "wrong_acts": [f"{act.kind} {act.order} {act.detail}" for act in wrong],
        "false_reconnects": len(false),
        "false_reconnects_found": len(false & found),
        "false_reconnects_told": sum({(n, "customer"), (n, "manager")} <= told for n in false),
        "false_alarms": sum(line["order"] in found and line["expected"] not in FALSE for line in lines),
        "sms": len(truth.sms()),
        "sms_missing": len(truth.sms_missing()),
        "unnamed": sum(line["unnamed"] for line in lines),
        "person": sum(line["person"] for line in lines),
        "not_archived": sum(line["not_archived"] for line in lines),
        "disagree": sum(line["disagrees"] for line in lines),
        "faults_met": {key: truth.summary()[key] for key in ("busy", "sessions_expired", "popups", "reorders")},
        "orders": lines,
    }


def _order(ledger: SqlLedger, truth: Truth, order: Order) -> dict[str, Any]:
    number = order.number
    state, data = ledger.state(number), ledger.data(number)
    done = number in truth.reconnected()
    says = data.get("reconnect")
    return {
        "order": number,
        "expected": order.expected,
        "state": state.value if state else "",
        "reason": ledger.reason(number) or data.get("reason", ""),
        "unnamed": state in UNNAMED,
        "person": state in PERSON,
        "not_archived": done and number not in truth.archived(),
        "disagrees": (says == "done") != done and says in {"done", "failed"},
        "power": data.get("power", ""),
        "reading_2": data.get("reading_2", ""),
        "seconds": float(data.get("seconds", 0.0)),
        "shares": dict(data.get("shares", {})),
        "acts": [f"{act.name} {act.attempt} {act.outcome}" for act in ledger.acts(number)],
    }


def add(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of several sessions together."""
    keys = [key for key, value in results[0].items() if isinstance(value, int)] if results else []
    return {key: sum(int(result[key]) for result in results) for key in keys}


def mean_shares(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean seconds of an order by where they went, largest first; means add up, medians would not."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums.update({name: value for name, value in line["shares"].items() if name not in {"own", "waited"}})
    return {name: round(value / max(1, len(lines)), 2) for name, value in sums.most_common()}
