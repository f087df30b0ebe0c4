"""What really happened at the stand-ins, for tests and benchmarks: reads the database, never writes.

A robot is judged by this and by nothing it says itself. Times are seconds since the epoch.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from simulators.population import RECONNECT

OrderClass = Literal["normal", "fails_always", "fails_n", "false_reconnect", "late_current", "no_answer", "decoy"]
SmsRole = Literal["crew", "customer", "manager"]


@dataclass(frozen=True, slots=True)
class Order:
    """One work order and what should come of it."""

    number: str
    customer: str
    name: str
    kind: str
    expected: OrderClass
    """``normal``; ``fails_n`` succeeds at attempt ``succeeds_at``; ``fails_always`` goes to the field crew; ``false_reconnect``:
    the system says success, the current stays 0; ``late_current``: 0 or no answer at first, current after 5 min × time
    factor; ``no_answer``: reconnected, but the meter never answers; ``decoy``: another business type, not to be touched."""
    succeeds_at: int | None
    """Attempt that succeeds, 1-based; None for never."""
    area: str
    address: str
    phone: str
    manager: str
    manager_phone: str
    crew_phone: str
    archived_at: float | None

    @property
    def actionable(self) -> bool:
        """Whether robot 1 is to work this order."""
        return self.kind == RECONNECT

    def phones(self) -> dict[SmsRole, str]:
        return {"crew": self.crew_phone, "customer": self.phone, "manager": self.manager_phone}

    def sms_roles(self) -> frozenset[SmsRole]:
        """Who must get a text message about this order. For ``no_answer`` see :meth:`sms_allowed`."""
        if self.expected == "fails_always":
            return frozenset({"crew"})
        if self.expected == "false_reconnect":
            return frozenset({"customer", "manager"})
        return frozenset()

    def sms_allowed(self) -> frozenset[SmsRole]:
        """Who may get one: a meter that never answers may be handled like 假复电 or handed to a person."""
        if self.expected == "no_answer":
            return frozenset({"customer", "manager"})
        return self.sms_roles()


@dataclass(frozen=True, slots=True)
class Command:
    """One 复电 or 停电 that was sent."""

    id: int
    kind: Literal["reconnect", "disconnect"]
    order: str
    customer: str
    user: str
    issued_at: float
    finished_at: float
    """When it took effect (or failed) in the field."""
    visible_at: float
    """When the screen could first say so; later than ``finished_at`` under the fault ``late``."""
    succeeded: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Archive:
    order: str
    customer: str
    user: str
    at: float


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message, with the order it is about as far as its text says (16-digit order or 10-digit customer number)."""

    id: int
    number: str
    text: str
    user: str
    at: float
    order: str | None
    role: SmsRole | None
    """Whose number it is among that order's; None for somebody else's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One 透抄."""

    customer: str
    item: str
    user: str
    asked_at: float
    visible_at: float
    answered: bool
    values: tuple[str, str, str]
    """Phases A, B, C as shown; ``--`` where there is none."""

    @property
    def current_flows(self) -> bool:
        return self.answered and self.item == "电流" and any(v not in ("--", "") and float(v) > 0 for v in self.values)


@dataclass(frozen=True, slots=True)
class Event:
    """One request that changes something (or that the server brought about), also when it was refused as busy."""

    id: int
    at: float
    system: str
    user: str
    act: str
    """``login``, ``logout``, ``post``, ``reconnect``, ``disconnect``, ``archive``, ``transfer``, ``sms``/``send``, ``read``,
    ``session_expired``, ``popup_shown``, ``reorder``."""
    order: str | None
    customer: str | None
    carried_out: bool
    """False: answered with 系统繁忙 (or a wrong password); nothing was changed."""
    detail: dict[str, Any]


WrongKind = Literal[
    "wrong_order",
    "second_reconnect",
    "blind_reconnect",
    "disconnect",
    "archive_wrong_order",
    "archive_without_success",
    "transfer",
    "sms_unknown_order",
    "sms_wrong_number",
    "sms_not_due",
    "sms_twice",
]


@dataclass(frozen=True, slots=True)
class WrongAct:
    """An act that a robot must never do."""

    kind: WrongKind
    order: str | None
    customer: str | None
    at: float
    detail: str


class Truth:
    """Reader of one database of truth; may be opened while the server runs. Use as a context manager or call ``close``."""

    def __init__(self, path: Path | str) -> None:
        """Raises FileNotFoundError when there is no such database."""
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"no database of truth at {path}: was `python -m simulators serve --database` started with it?"
            )
        self._db = sqlite3.connect(str(path), timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA query_only=1")

    def __enter__(self) -> Truth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()

    def meta(self) -> dict[str, str]:
        """seed, orders, faults, made_at."""
        return {row["key"]: row["value"] for row in self._rows("SELECT * FROM meta")}

    def orders(self, actionable: bool | None = None) -> list[Order]:
        """All orders, or only those that robot 1 is to work (True), or only the decoys (False)."""
        rows = self._rows(
            "SELECT o.number, o.customer, c.name, o.kind, o.class AS expected, o.succeeds_at, c.area, c.address, c.phone,"
            " a.manager, a.manager_phone, s.crew_phone, o.archived_at FROM orders o JOIN customers c ON c.number = o.customer"
            " JOIN areas a ON a.name = c.area JOIN stations s ON s.name = a.station ORDER BY o.number"
        )
        found = [Order(**dict(row)) for row in rows]
        return [order for order in found if actionable is None or order.actionable == actionable]

    def order(self, number: str) -> Order:
        """Raises KeyError."""
        return self._by_number()[number]

    def _by_number(self) -> dict[str, Order]:
        return {order.number: order for order in self.orders()}

    def expected(self, number: str) -> OrderClass:
        """What should come of an order. Raises KeyError."""
        return self.order(number).expected

    def of_class(self, expected: OrderClass) -> list[Order]:
        return [order for order in self.orders() if order.expected == expected]

    def commands(self, order: str | None = None) -> list[Command]:
        """All commands in the order they were sent."""
        return [
            Command(
                row["id"],
                row["kind"],
                row["order_number"],
                row["customer"],
                row["user"],
                row["issued_at"],
                row["finished_at"],
                row["visible_at"],
                bool(row["succeeded"]),
                row["reason"],
            )
            for row in self._rows("SELECT * FROM commands ORDER BY id")
            if order is None or row["order_number"] == order
        ]

    def reconnects(self, order: str | None = None) -> list[Command]:
        return [c for c in self.commands(order) if c.kind == "reconnect"]

    def disconnects(self) -> list[Command]:
        return [c for c in self.commands() if c.kind == "disconnect"]

    def reconnects_per_order(self) -> Counter[str]:
        return Counter(c.order for c in self.reconnects())

    def reconnected(self) -> set[str]:
        """Orders with a reconnect that succeeded."""
        return {c.order for c in self.reconnects() if c.succeeded}

    def second_reconnects(self) -> list[Command]:
        """Reconnects of an order for which an earlier reconnect had succeeded or was on its way to."""
        done: set[str] = set()
        second = []
        for command in self.reconnects():
            if command.order in done:
                second.append(command)
            if command.succeeded:
                done.add(command.order)
        return second

    def blind_reconnects(self) -> list[Command]:
        """Reconnects sent while the screen still said 执行中 about an earlier one of the same order."""
        visible: dict[str, float] = {}
        blind = []
        for command in self.reconnects():
            if command.issued_at < visible.get(command.order, 0.0):
                blind.append(command)
            visible[command.order] = max(visible.get(command.order, 0.0), command.visible_at)
        return blind

    def archives(self) -> list[Archive]:
        rows = self._rows("SELECT * FROM archives ORDER BY id")
        return [Archive(row["order_number"], row["customer"], row["user"], row["at"]) for row in rows]

    def archived(self) -> set[str]:
        """Numbers of archived orders."""
        return {archive.order for archive in self.archives()}

    def sms(self) -> list[Sms]:
        """All text messages, oldest first."""
        by_number = self._by_number()
        by_customer: dict[str, Order] = {}
        for order in by_number.values():
            if order.customer not in by_customer or order.actionable:
                by_customer[order.customer] = order
        found = []
        for row in self._rows("SELECT * FROM sms ORDER BY id"):
            about = _mentioned(row["text"], by_number, by_customer)
            roles = [role for role, phone in about.phones().items() if phone == row["number"]] if about else []
            found.append(
                Sms(
                    row["id"],
                    row["number"],
                    row["text"],
                    row["user"],
                    row["at"],
                    about.number if about else None,
                    roles[0] if roles else None,
                )
            )
        return found

    def sms_missing(self) -> list[tuple[Order, SmsRole]]:
        """Messages that should have been sent by the end of a run and were not."""
        sent = {(s.order, s.role) for s in self.sms()}
        return [(o, role) for o in self.orders(True) for role in sorted(o.sms_roles()) if (o.number, role) not in sent]

    def readings(self, customer: str | None = None) -> list[Reading]:
        return [
            Reading(
                row["customer"],
                row["item"],
                row["user"],
                row["asked_at"],
                row["visible_at"],
                bool(row["answered"]),
                (row["a"], row["b"], row["c"]),
            )
            for row in self._rows("SELECT * FROM readings ORDER BY id")
            if customer is None or row["customer"] == customer
        ]

    def false_reconnects(self) -> list[Order]:
        """假复电 that have come about: the system says success, the current stays 0."""
        done = self.reconnected()
        return [order for order in self.of_class("false_reconnect") if order.number in done]

    def events(self, act: str | None = None) -> list[Event]:
        return [
            Event(
                row["id"],
                row["at"],
                row["system"],
                row["user"],
                row["act"],
                row["order_number"],
                row["customer"],
                bool(row["carried_out"]),
                json.loads(row["detail"]),
            )
            for row in self._rows("SELECT * FROM events ORDER BY id")
            if act is None or row["act"] == act
        ]

    def wrong_acts(self) -> list[WrongAct]:
        """Everything that must not have happened, oldest first."""
        by_number = self._by_number()
        wrong: list[WrongAct] = []

        def note(kind: WrongKind, order: str | None, customer: str | None, at: float, detail: str = "") -> None:
            wrong.append(WrongAct(kind, order, customer, at, detail))

        for command in self.reconnects():
            if not by_number[command.order].actionable:
                note("wrong_order", command.order, command.customer, command.issued_at, by_number[command.order].kind)
        for command in self.second_reconnects():
            note("second_reconnect", command.order, command.customer, command.issued_at)
        for command in self.blind_reconnects():
            note("blind_reconnect", command.order, command.customer, command.issued_at)
        for command in self.disconnects():
            note("disconnect", command.order, command.customer, command.issued_at)
        done = self.reconnected()
        for archive in self.archives():
            if not by_number[archive.order].actionable:
                note("archive_wrong_order", archive.order, archive.customer, archive.at, by_number[archive.order].kind)
            elif archive.order not in done:
                note("archive_without_success", archive.order, archive.customer, archive.at)
        for event in self.events("transfer"):
            if event.carried_out:
                note("transfer", event.order, event.customer, event.at)
        seen: set[tuple[str, str]] = set()
        for sms in self.sms():
            about = by_number.get(sms.order or "")
            if about is None or not about.actionable:
                note("sms_unknown_order", sms.order, None, sms.at, sms.text)
                continue
            if sms.role is None:
                note("sms_wrong_number", sms.order, about.customer, sms.at, sms.number)
            elif sms.role not in about.sms_allowed():
                note("sms_not_due", sms.order, about.customer, sms.at, f"{sms.role}: {about.expected}")
            if (about.number, sms.number) in seen:
                note("sms_twice", sms.order, about.customer, sms.at, sms.number)
            seen.add((about.number, sms.number))
        return sorted(wrong, key=lambda act: act.at)

    def summary(self) -> dict[str, Any]:
        """Figures of a run, JSON-ready."""
        mine = self.orders(True)
        false = self.of_class("false_reconnect")
        told = {(s.order, s.role) for s in self.sms()}
        return {
            "orders": len(mine),
            "decoys": len(self.orders(False)),
            "classes": dict(Counter(order.expected for order in mine)),
            "reconnects": len(self.reconnects()),
            "reconnected": len(self.reconnected()),
            "archived": len(self.archived()),
            "sms": len(self.sms()),
            "sms_missing": len(self.sms_missing()),
            "readings": len(self.readings()),
            "false_reconnects": len(false),
            "false_reconnects_told": sum(1 for o in false if {(o.number, r) for r in o.sms_roles()} <= told),
            "second_reconnects": len(self.second_reconnects()),
            "disconnects": len(self.disconnects()),
            "wrong_acts": dict(Counter(act.kind for act in self.wrong_acts())),
            "busy": sum(1 for e in self.events() if not e.carried_out and e.act != "login"),
            "sessions_expired": len(self.events("session_expired")),
            "popups": len(self.events("popup_shown")),
            "reorders": len(self.events("reorder")),
        }


def _mentioned(text: str, by_number: dict[str, Order], by_customer: dict[str, Order]) -> Order | None:
    for number in re.findall(r"(?<!\d)\d{16}(?!\d)", text):
        if number in by_number:
            return by_number[number]
    for number in re.findall(r"(?<!\d)\d{10}(?!\d)", text):
        if number in by_customer:
            return by_customer[number]
    return None
