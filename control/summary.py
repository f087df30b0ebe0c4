"""What came of a run, from its ledger and its journal: the figures of ``run.json``, the report and the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bots.ports import Act, ItemState
from control.ledger import SqlLedger
from control.runs import RunState, judge

SCHEMA = 1
NEEDS_PERSON = frozenset({ItemState.UNKNOWN, ItemState.SYSTEM_EXCEPTION, ItemState.DEFERRED})


@dataclass(frozen=True, slots=True)
class ItemSummary:
    """One item as this run left it."""

    key: str
    state: ItemState
    reason: str = ""
    acts: tuple[Act, ...] = ()
    """Of this run."""
    seconds: float = 0.0
    """All its steps together."""
    waited: float = 0.0
    """Of which the client was waited for."""
    steps: int = 0

    def done(self, name: str) -> int:
        """How many acts of this name (or, with a colon at its end, of this family) were seen to be done."""
        return sum(a.outcome == "done" and (a.name == name or (name[-1] == ":" and a.name.startswith(name))) for a in self.acts)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run."""

    run: str
    robot: str
    system: str
    state: RunState
    items: tuple[ItemSummary, ...]
    started: str
    """ISO 8601 with offset; empty when the journal is empty."""
    ended: str
    manual_minutes: float = 90.0
    warnings: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    """Where the robot's own time went, seconds, over all steps; ``wait`` is the client's."""
    error: str = ""
    """Why the run did not come to its end, for people."""

    def count(self, name: str) -> int:
        """Items on which an act of this name was seen to be done."""
        return sum(item.done(name) > 0 for item in self.items)

    @property
    def unknown(self) -> int:
        return sum(item.state is ItemState.UNKNOWN for item in self.items)

    @property
    def needs_person(self) -> int:
        return sum(item.state in NEEDS_PERSON for item in self.items)

    @property
    def average_seconds(self) -> float:
        """Handling time per item on average, over items that had a step."""
        handled = [item.seconds for item in self.items if item.steps]
        return sum(handled) / len(handled) if handled else 0.0

    def to_json(self) -> dict[str, Any]:
        """For ``run.json``."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "robot": self.robot,
            "system": self.system,
            "state": self.state.value,
            "state_zh": self.state.words("zh"),
            "started": self.started,
            "ended": self.ended,
            "orders": len(self.items),
            "reconnected": self.count("reconnect"),
            "archived": self.count("archive"),
            "texted": self.count("sms:"),
            "messages": sum(item.done("sms:") for item in self.items),
            "unknown": self.unknown,
            "needs_person": self.needs_person,
            "average_seconds": round(self.average_seconds, 2),
            "manual_minutes": self.manual_minutes,
            "shares": {name: round(value, 3) for name, value in self.shares.items()},
            "warnings": list(self.warnings),
            "error": self.error,
            "items": [
                {
                    "item": item.key,
                    "state": item.state.value,
                    "state_zh": item.state.words("zh"),
                    "reason": item.reason,
                    "seconds": round(item.seconds, 2),
                    "waited": round(item.waited, 2),
                    "acts": [{"name": a.name, "attempt": a.attempt, "outcome": a.outcome} for a in item.acts],
                }
                for item in self.items
            ],
        }


def summarise(
    ledger: SqlLedger,
    lines: Sequence[Mapping[str, Any]],
    *,
    state: RunState | None = None,
    warnings: Sequence[str] = (),
    manual_minutes: float = 90.0,
    error: str = "",
) -> RunSummary:
    """The summary of the ledger's run; ``lines`` is what :func:`control.journal.read_journal` returned. ``state`` None: judged by
    the items. Warnings of the journal are added to ``warnings``."""
    steps = [line for line in lines if line.get("type") == "step"]
    seconds, waited, count, shares = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for step in steps:
        item = step.get("item") or ""
        seconds[item] += step["seconds"]
        waited[item] += step["waited"]
        count[item] += 1
        shares["wait"] += step["waited"]
        shares.update(step.get("shares", {}))
    acts: dict[str, list[Act]] = {}
    for act in ledger.run_acts():
        acts.setdefault(act.item, []).append(act)
    items = tuple(
        ItemSummary(key, found, reason, tuple(acts.get(key, ())), seconds[key], waited[key], count[key])
        for key, (found, reason) in ledger.run_states().items()
    )
    told = [line["message"] for line in lines if line.get("type") == "note" and line.get("kind") == "warning"]
    times = [line["time"] for line in lines if "time" in line]
    return RunSummary(
        ledger.run,
        ledger.robot,
        ledger.system,
        state or judge(item.state for item in items),
        items,
        min(times, key=datetime.fromisoformat) if times else "",
        max(times, key=datetime.fromisoformat) if times else "",
        manual_minutes,
        tuple(dict.fromkeys([*warnings, *told])),
        dict(shares),
        error,
    )
