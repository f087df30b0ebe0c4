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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reconnecting_robot import play

from control.engine import DbosEngine, Stages
from control.errors import EngineError, RobotBusyError
from control.lock import RobotLock, ledger_lock_path
from desktop.base import Aborted

ROOT = Path(__file__).parents[2]
Flow = Callable[[Stages], dict[str, Any]]


def killed_at(folder: Path, order: str) -> int:
    """Exit code of the robot that was started as a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("reconnecting_robot.py")), str(folder), order]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120).returncode


def test_killed_at_the_click_and_started_again_no_order_is_clicked_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert killed_at(tmp_path, "o3") == -signal.SIGKILL
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    assert engine.unfinished() == ["run-1"] and DbosEngine(tmp_path / "z.db", "robot-b").unfinished() == []
    seen: list[tuple[str, bool]] = []
    assert engine.run("run-2", simple(seen)) == {"n": 3}
    assert seen == [("a", False), ("b", False), ("c", False)], "a run between leaves the killed one alone"
    assert engine.unfinished() == ["run-1"]

    assert play(tmp_path) == {"done": ["o0", "o1", "o2", "o3", "o4", "o5"]}
    clicks = (tmp_path / "clicks.txt").read_text().splitlines()
    assert clicks == ["reconnect o0", "reconnect o1", "reconnect o2", "reconnect o3", "looked o3", "reconnect o4", "reconnect o5"]
    assert engine.unfinished() == [] and capfd.readouterr() == ("", ""), "and the console stays quiet"
    with sqlite3.connect(tmp_path / "z.db") as database:
        assert database.execute("SELECT count(*) FROM acts WHERE outcome = 'done'").fetchone() == (6,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        kept = [row[0] for row in database.execute("SELECT output FROM operation_outputs")]
    assert len(kept) == 14 + 6 and all(isinstance(json.loads(text), dict | str) for text in kept), "JSON, nothing that runs code"


def test_a_killed_run_can_be_given_up(tmp_path: Path) -> None:
    assert killed_at(tmp_path, "o1") == -signal.SIGKILL
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    engine.give_up("run-1")
    assert engine.unfinished() == []


def simple(seen: list[tuple[str, bool]], stop: BaseException | None = None, at: str = "") -> Flow:
    def work(key: str, again: bool) -> dict[str, str]:
        seen.append((key, again))
        if key == at and stop is not None:
            raise stop
        return {"key": key}

    def flow(stages: Stages) -> dict[str, Any]:
        return {"n": sum(bool(stages.once("item", key, lambda again, k=key: work(k, again))) for key in "abc")}

    return flow


@pytest.mark.parametrize("stop", [Aborted("Ctrl+Shift+Q"), KeyboardInterrupt(), RuntimeError("client gone")])
def test_a_run_that_was_stopped_can_be_resumed_by_its_id(tmp_path: Path, stop: BaseException) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    seen: list[tuple[str, bool]] = []
    with pytest.raises(type(stop)):
        engine.run("run-1", simple(seen, stop, "b"))
    assert engine.unfinished() == [], "the next scheduled run comes as usual; this one waits for a person"
    assert engine.run("run-1", simple(seen)) == {"n": 3}
    assert seen == [("a", False), ("b", False), ("b", True), ("c", False)]
    assert engine.run("run-1", simple(seen)) == {"n": 3} and len(seen) == 4


def test_a_flow_that_takes_another_way_is_stopped(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    with pytest.raises(Aborted):
        engine.run("run-1", simple([], Aborted(), "c"))
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
            DbosEngine(ledger, "robot-b").run("run-1", simple([]))
        assert caught.value.pid == holder.pid and "robot-a" in str(caught.value)
        assert not ledger.exists(), "a refused robot touches nothing"
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
    with RobotLock([ledger_lock_path(ledger)]):
        assert ledger_lock_path(ledger).read_text().startswith(str(os.getpid()))


def test_the_engine_is_ready_in_time(tmp_path: Path) -> None:
    engine = DbosEngine(tmp_path / "z.db", "robot-a")
    engine.run("warm-up", simple([]))
    started, ready = time.process_time(), [0.0]

    def flow(stages: Stages) -> dict[str, Any]:
        ready[0] = time.process_time()
        return {}

    engine.run("run-1", flow)
    assert ready[0] - started <= 1.5
