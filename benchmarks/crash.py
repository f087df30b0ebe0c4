"""The robot killed at random moments and started again: `run.py bench crash [--short] [--kills N]`.

Display, browser and stand-ins outlive the robot, as a client on a PC does. Half of the kills fall anywhere in its life, start-up
included; the other half are aimed: the ledger is watched, and the robot dies shortly after it wrote down that it is about to act:
before, during or just after the press that cannot be undone. Judged by the stand-ins' database.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._judge import add, judge
from benchmarks._session import ROOT, Cell
from commands.standin import stand_in
from simulators.truth import Truth

KILLS, SHORT_KILLS = 100, 5
ORDERS, SHORT_ORDERS = 10, 3
KILLS_PER_SESSION = 20
"""Then the session is let run to its end, and the next begins with another seed, version, scale and faults."""
LIFE = 45.0
"""Seconds; a kill that may fall anywhere falls within the first so many of a life."""
AIMS: dict[str, tuple[float, float]] = {"before the press": (0.0, 0.3), "after the press": (0.3, 2.5)}
"""Seconds from «intended» being on disk to the kill: finding and pressing takes some 0.3 s, seeing the result longer."""
HANGS = 900.0
"""Seconds after which a life without an end counts as hung."""
RESTARTS = 3
"""How often a run that ended by itself without finishing is started again, as the schedule would."""


@dataclass(slots=True)
class Tally:
    """What was seen from outside the robot."""

    kills: Counter[str] = field(default_factory=Counter)
    recovery: list[float] = field(default_factory=list)
    """Seconds from the start of a process that follows a kill to its first press or key."""
    stopped_early: list[str] = field(default_factory=list)
    """Lives that ended by themselves without finishing, and why."""


class Life:
    """One process of the robot."""

    def __init__(self, cell: Cell, folder: Path, run: str, display: str) -> None:
        self.started = time.time()
        self.first_input: float | None = None
        self.end: dict[str, Any] | None = None
        self._log = (folder / "robot.log").open("ab")
        command = [sys.executable, "-m", "benchmarks._crash_robot", cell.dump(), str(folder), run, display]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue  # a library's word
            said = json.loads(line)
            if "first_input" in said:
                self.first_input = said["first_input"]
            elif "state" in said:
                self.end = said

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def bury(self) -> None:
        """Wait until it is gone and everything it said is heard."""
        self.process.wait()
        self._reader.join(5)
        self._log.close()


def open_intent(database: Path) -> tuple[int, str, str] | None:
    """(id, item, name) of the act that is intended and not observed; None where there is none or the file is not there yet."""
    if not database.exists():
        return None
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1.0)
    try:
        row = connection.execute("SELECT id, item, name FROM acts WHERE outcome IS NULL ORDER BY id DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1]), str(row[2])) if row else None
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def run(short: bool = False, kills: int | None = None, resume: Path | None = None) -> dict[str, Any]:
    """Sessions until so many kills were made; figures as `goals.toml` names them. `resume`: only where the files go."""
    wanted = kills or (SHORT_KILLS if short else KILLS)
    base = resume or Path(tempfile.mkdtemp(prefix="zhishou-crash-"))
    tally, results, number = Tally(), [], 0
    while sum(tally.kills.values()) < wanted:
        cell = session_cell(number, SHORT_ORDERS if short else ORDERS)
        left = wanted - sum(tally.kills.values())
        budget = left if short else min(left, KILLS_PER_SESSION)
        results.append(_session(cell, base / f"{number}-{time.time():.0f}", budget, tally, random.Random(f"kills-{number}")))
        number += 1
    return {**figures(tally, results), "folder": str(base)}


def session_cell(number: int, orders: int) -> Cell:
    """Crashes alone and crashes among all faults take turns."""
    return Cell(
        version=("2.3", "2.4")[number % 2],
        scale=(1.0, 1.25, 1.5)[number % 3],
        seed=500 + number,
        orders=orders,
        faults="all" if number % 4 == 3 else "fail_n,false,late",
    )


def _session(cell: Cell, folder: Path, budget: int, tally: Tally, dice: random.Random) -> dict[str, Any]:
    from desktop.virtual import VirtualDesktop

    folder.mkdir(parents=True)
    truth, database, run_name = folder / "truth.db", folder / "zhishou.db", f"crash_{cell.name}"
    with (
        stand_in(
            cell.version, seed=cell.seed, orders=cell.orders, faults=cell.faults, time_factor=cell.factor, database=truth
        ) as clients,
        VirtualDesktop(scale=cell.scale, urls=clients.urls, watch=False) as virtual,
    ):
        made, early, seen, after_kill = 0, 0, 0, False
        while True:
            life = Life(cell, folder, run_name, virtual.display)
            aim = _aim(dice, seen) if made < budget else None
            how, seen = _live(life, database, aim, seen, dice)
            life.bury()
            if after_kill and life.first_input is not None:
                tally.recovery.append(life.first_input - life.started)
            after_kill = how is not None
            if how is not None:
                made += 1
                tally.kills[_met(how, database, truth)] += 1
                _tell(f"{cell.name}: kill {made}/{budget} {how}, after {time.time() - life.started:.0f} s")
                continue
            if life.end is not None and not life.end["error"]:
                break
            early += 1
            tally.stopped_early.append(str(life.end["error"] if life.end else _tail(folder / "robot.log")))
            _tell(f"{cell.name}: ended by itself: {tally.stopped_early[-1][:300]}")
            if early > RESTARTS:
                break
    result = judge(database, truth, run_name)
    _tell(f"{cell.name}: {made} kills, wrong {result['wrong_acts']}, lost {result['unnamed']}, person {result['person']}")
    return {**result, "asked": cell.orders}


def _aim(dice: random.Random, seen: int) -> str:
    """Half of the kills anywhere, a quarter on either side of the press."""
    return dice.choice(["anywhere", "anywhere", *AIMS])


def _live(life: Life, database: Path, aim: str | None, seen: int, dice: random.Random) -> tuple[str | None, int]:
    """Watch a life to its end, and bring it about when it is time. Returns how it was killed (None: it was not) and the number
    of the last act that was aimed at."""
    deadline = time.time() + HANGS
    at = life.started + dice.uniform(0.3, LIFE) if aim == "anywhere" else None
    while life.alive():
        now = time.time()
        if now > deadline:
            life.kill()
            return None, seen
        if at is not None and now >= at:
            life.kill()
            return aim, seen
        if aim in AIMS and at is None:
            intent = open_intent(database)
            if intent is not None and intent[0] > seen:
                seen = intent[0]
                # Not every act: the first of an order would always be the one that is hit.
                if dice.random() < 0.6:
                    at = time.time() + dice.uniform(*AIMS[aim])
        time.sleep(0.005 if at is not None or aim in AIMS else 0.05)
    return None, seen


def _met(how: str, database: Path, truth: Path) -> str:
    """How the robot died, as seen afterwards: with nothing under way, or between intent and observation, the act done or not."""
    intent = open_intent(database)
    if intent is None:
        return "no act under way"
    return "act under way, client has it" if _carried_out(truth, database, intent) else "act under way, client has not"


def _carried_out(truth_path: Path, database: Path, intent: tuple[int, str, str]) -> bool:
    _, item, name = intent
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5.0)
    try:
        known = connection.execute(
            "SELECT count(*) FROM acts WHERE item = ? AND name = ? AND outcome IN ('done', 'failed')", (item, name)
        ).fetchone()[0]
    finally:
        connection.close()
    with Truth(truth_path) as truth:
        if name == "reconnect":
            return len(truth.reconnects(item)) > int(known)
        if name == "archive":
            return item in truth.archived()
        return any(sms.order == item and f"sms:{sms.role}" == name for sms in truth.sms())


def figures(tally: Tally, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All sessions together."""
    sums = add(results)
    asked = sum(result["asked"] for result in results)
    lines = [line for result in results for line in result["orders"]]
    return {
        "kills": sum(tally.kills.values()),
        "sessions": len(results),
        "orders": asked,
        "double_acts": sums.get("double", 0),
        "wrong_target_acts": sums.get("wrong_target", 0),
        "disconnects": sums.get("disconnects", 0),
        "lost_orders": sums.get("unnamed", 0) + asked - len(lines),
        "recovery_seconds_median": round(median(tally.recovery), 1) if tally.recovery else 0.0,
        "recovery_seconds_max": round(max(tally.recovery), 1) if tally.recovery else 0.0,
        "left_to_person": sums.get("person", 0),
        "sms_missing": sums.get("sms_missing", 0),
        "not_archived": sums.get("not_archived", 0),
        "ledger_disagrees": sums.get("disagree", 0),
        "ended_by_itself": len(tally.stopped_early),
        "kills_by_moment": dict(tally.kills),
        "person_why": [
            f"{line['order']} {line['expected']}: {line['state']} {line['reason']}" for line in lines if line["person"]
        ],
        "wrong_acts": [wrong for result in results for wrong in result["wrong_acts"]],
        "ended_why": [why[:300] for why in tally.stopped_early],
    }


def _tail(file: Path) -> str:
    return file.read_bytes()[-600:].decode("utf-8", "replace") if file.exists() else ""


def _tell(text: str) -> None:
    print(f"{text}", file=sys.stderr, flush=True)
