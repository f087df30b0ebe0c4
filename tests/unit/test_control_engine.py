"""A run goes on after kill -9 where it stopped; its flow is played in real processes and truth lies in a plain text file."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from control.engine import DbosEngine, Stages
from control.errors import EngineError, RobotBusyError
from control.lock import RobotLock, ledger_lock_path
from desktop.base import Aborted

ROOT = Path(__file__).parents[2]

ROBOT = """
    import os, signal, sys
    from control.engine import DbosEngine
    from control.ledger import SqlLedger
    folder, kill_at = sys.argv[1], sys.argv[2]
    ledger = SqlLedger(folder + "/z.db", "run-1", "marketing", "robot-a")
    def click(text):
        with open(folder + "/clicks.txt", "a") as out:
            out.write(text + "\\n"); out.flush(); os.fsync(out.fileno())
    def handle(order, recovering):
        if recovering and ledger.open_act(order) is not None:
            ledger.observed(ledger.open_act(order), "done"); click("looked " + order)
        else:
            act = ledger.intend(order, "reconnect"); click("reconnect " + order)
            if order == kill_at: os.kill(os.getpid(), signal.SIGKILL)
            ledger.observed(act, "done")
        return {"order": order}
    def flow(stages):
        orders = stages.once("list", "", lambda again: {"orders": [f"o{n}" for n in range(6)]})["orders"]
        done = [stages.once("reconnect", o, lambda again, o=o: handle(o, again))["order"] for o in orders]
        return {"done": done}
    print(DbosEngine(folder + "/z.db", "robot-a").run("run-1", flow))
"""


def robot(folder: Path, kill_at: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ROBOT), str(folder), kill_at],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_killed_at_the_click_and_started_again_no_order_is_clicked_twice(tmp_path: Path) -> None:
    killed = robot(tmp_path, "o3")
    assert killed.returncode == -signal.SIGKILL
    again = robot(tmp_path)
    assert again.returncode == 0, again.stderr
    clicks = (tmp_path / "clicks.txt").read_text().split("\n")[:-1]
    assert clicks == ["reconnect o0", "reconnect o1", "reconnect o2", "reconnect o3", "looked o3", "reconnect o4", "reconnect o5"]
    assert "o5" in again.stdout and again.stderr == ""
    with sqlite3.connect(tmp_path / "z.db") as database:
        assert database.execute("SELECT count(*) FROM acts WHERE outcome = 'done'").fetchone() == (6,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        # JSON and nothing that runs code when it is read
        kept = [row[0] for row in database.execute("SELECT output FROM operation_outputs")]
    assert len(kept) == 14 and all(isinstance(json.loads(text), dict | str) for text in kept)


def simple(seen: list[tuple[str, bool]], stop: BaseException | None = None, at: str = "") -> object:
    def work(key: str, again: bool) -> dict[str, str]:
        seen.append((key, again))
        if key == at and stop is not None:
            raise stop
        return {"key": key}

    def flow(stages: Stages) -> dict[str, int]:
        return {"n": sum(bool(stages.once("item", key, lambda again, k=key: work(k, again))) for key in "abc")}

    return flow


@pytest.mark.parametrize("stop", [Aborted("Ctrl+Shift+Q"), KeyboardInterrupt(), RuntimeError("client gone")])
def test_a_run_that_was_stopped_can_be_resumed_by_its_id(tmp_path: Path, stop: BaseException) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    seen: list[tuple[str, bool]] = []
    with pytest.raises(type(stop)):
        engine.run("run-1", simple(seen, stop, "b"))  # type: ignore[arg-type]
    assert engine.unfinished() == [], "the next scheduled run comes as usual; this one waits for a person"
    assert engine.run("run-1", simple(seen)) == {"n": 3}  # type: ignore[arg-type]
    assert seen == [("a", False), ("b", False), ("b", True), ("c", False)]
    assert engine.run("run-1", simple(seen)) == {"n": 3} and len(seen) == 4  # type: ignore[arg-type]


def test_a_second_run_leaves_the_killed_one_alone(tmp_path: Path) -> None:
    assert robot(tmp_path, "o1").returncode == -signal.SIGKILL
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    assert engine.unfinished() == ["run-1"] and DbosEngine(tmp_path / "z.db", "robot-b").unfinished() == []
    seen: list[tuple[str, bool]] = []
    assert engine.run("run-2", simple(seen)) == {"n": 3}  # type: ignore[arg-type]
    assert seen == [("a", False), ("b", False), ("c", False)] and engine.unfinished() == ["run-1"]
    engine.give_up("run-1")
    assert engine.unfinished() == []


def test_a_flow_that_takes_another_way_is_stopped(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    with pytest.raises(Aborted):
        engine.run("run-1", simple([], Aborted(), "c"))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="流程"):
        engine.run("run-1", lambda stages: stages.once("other", "", lambda again: {}))


def test_what_cannot_be_kept_is_refused_with_the_name_of_the_stage(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    with pytest.raises(EngineError, match="list:today"):
        engine.run("run-1", lambda stages: stages.once("list", "today", lambda again: {"orders": {1, 2}}))


def test_a_second_robot_is_refused_and_told_who_works(tmp_path: Path) -> None:
    ledger = tmp_path / "z.db"
    code = """
        import sys
        from pathlib import Path
        from control.lock import RobotLock, ledger_lock_path
        with RobotLock([ledger_lock_path(Path(sys.argv[1]))], "robot-a"):
            print("held", flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(ledger)]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
        with pytest.raises(RobotBusyError, match=str(holder.pid)) as caught:
            DbosEngine(ledger, "robot-b").run("run-1", simple([]))  # type: ignore[arg-type]
        assert caught.value.pid == holder.pid and "robot-a" in str(caught.value)
        assert not ledger.exists(), "a refused robot touches nothing"
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
    with RobotLock([ledger_lock_path(ledger)]):
        assert ledger_lock_path(ledger).read_text().startswith(str(os.getpid()))


def test_the_engine_is_ready_in_time(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    engine.run("warm-up", simple([]))  # type: ignore[arg-type]
    started, ready = time.process_time(), [0.0]

    def flow(stages: Stages) -> dict[str, int]:
        ready[0] = time.process_time()
        return {}

    engine.run("run-1", flow)
    assert ready[0] - started <= 1.5
