"""The ledger keeps acts from being done twice. Truth is read from the file with plain sqlite3."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.ports import ActRefused, ItemState
from control import ledger_tables
from control.errors import LedgerError
from control.ledger import SqlLedger

ORDER = "3201202611230001"


def opened(file: Path, run: str = "run-1", system: str = "marketing") -> SqlLedger:
    return SqlLedger(file, run, system, "robot-a")


def truth(file: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def forked(work: Callable[[], int]) -> int:
    """Process id of ``work`` as a process of its own. Forked, because starting Python anew takes seconds."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work())
        finally:
            os._exit(99)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_an_order_is_reconnected_once_even_by_a_later_run(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    first = opened(file)
    first.observed(first.intend(ORDER, "reconnect"), "done")
    first.close()
    later = opened(file, "run-2")
    with pytest.raises(ActRefused, match=ORDER):
        later.intend(ORDER, "reconnect")
    later.intend(ORDER, "archive")
    assert truth(file, "SELECT name, outcome, run FROM acts ORDER BY id") == [
        ("reconnect", "done", "run-1"),
        ("archive", None, "run-2"),
    ]
    assert [act.name for act in later.run_acts()] == ["archive"]


def test_the_same_number_in_another_system_is_another_item(tmp_path: Path) -> None:
    opened(tmp_path / "z.db").intend(ORDER, "reconnect")
    other = opened(tmp_path / "z.db", system="collection")
    assert other.intend(ORDER, "reconnect").attempt == 1


def test_the_intention_is_on_disk_when_the_robot_is_killed_at_the_click(tmp_path: Path) -> None:
    file = tmp_path / "z.db"

    def robot() -> int:
        ledger = opened(file)
        ledger.set_state("a", ItemState.RUNNING)
        ledger.intend("a", "reconnect", {"customer": "0410000001"})
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert ended(forked(robot)) == -signal.SIGKILL
    again = opened(file)
    act = again.open_act("a", "reconnect")
    assert act is not None and act.detail == {"customer": "0410000001"} and act.outcome is None
    with pytest.raises(ActRefused, match="先查看结果"):
        again.intend("a", "reconnect")
    assert again.state("a") is ItemState.RUNNING and list(again.items()) == ["a"]


def test_two_processes_race_for_each_act_and_one_gets_it(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    opened(file).close()
    start = time.monotonic() + 0.3

    def racer(run: str) -> int:
        ledger, got = opened(file, run), 0
        while time.monotonic() < start:
            pass
        for number in range(15):
            try:
                ledger.intend(f"order-{number}", "reconnect")
                got += 1
            except ActRefused:
                continue
        return got

    racers = [forked(lambda run=f"run-{i}": racer(run)) for i in range(2)]  # type: ignore[misc]
    assert sum(ended(pid) for pid in racers) == 15
    assert truth(file, "SELECT count(*), count(DISTINCT item) FROM acts") == [(15, 15)]


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("intend"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("observe"), st.sampled_from(["done", "failed", "not sent", "unknown"])),
        st.tuples(st.just("crash"), st.just("")),
        st.tuples(st.just("next run"), st.just("")),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_whatever_happens_at_most_one_act_is_open_and_none_is_done_twice(
    tmp_path: Path, operations: list[tuple[str, str]]
) -> None:
    file = tmp_path / f"{uuid.uuid4().hex}.db"
    run, held, ledger = 1, [], opened(file)
    expected: dict[str, list[str | None]] = {"a": [], "b": []}
    for operation, value in operations:
        if operation == "intend":
            allowed = all(outcome in ("failed", "not sent") for outcome in expected[value])
            if allowed:
                held.append(ledger.intend(value, "reconnect"))
                expected[value].append(None)
            else:
                with pytest.raises(ActRefused):
                    ledger.intend(value, "reconnect")
        elif operation == "observe" and held:
            act = held.pop()
            ledger.observed(act, value)
            expected[act.item][act.attempt - 1] = value
        elif operation in ("crash", "next run"):
            # Nothing of this process's memory goes over; the old connections are left as a kill would leave them.
            run += operation == "next run"
            ledger = opened(file, f"run-{run}")
            held = [act for act in (ledger.open_act("a"), ledger.open_act("b")) if act is not None]
    for item, outcomes in expected.items():
        assert truth(file, f"SELECT outcome FROM acts WHERE item = '{item}' ORDER BY attempt") == [(o,) for o in outcomes]
        assert sum(o is None for o in outcomes) <= 1 and sum(o == "done" for o in outcomes) <= 1


def test_the_database_itself_forbids_a_second_done_act(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    ledger = opened(file)
    ledger.observed(ledger.intend("a", "reconnect"), "done")
    with sqlite3.connect(file) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(
            "INSERT INTO acts (system, item, name, attempt, intended_at, outcome, run, detail) "
            "VALUES ('marketing', 'a', 'reconnect', 2, '', 'done', 'x', '{}')"
        )


def test_unknown_is_final_for_the_robot_and_a_person_resolves_it(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "z.db")
    act = ledger.intend("a", "reconnect")
    ledger.observed(act, "unknown")
    with pytest.raises(ActRefused, match="人工"):
        ledger.observed(act, "done")
    with pytest.raises(ActRefused, match="人工"):
        ledger.intend("a", "reconnect")
    ledger.resolve("a", "reconnect", "not sent", person="班长", remark="现场核实")
    assert ledger.intend("a", "reconnect").attempt == 2
    kept = ledger.acts("a")[0]
    assert kept.outcome == "not sent" and kept.detail["resolved_by"] == "班长" and kept.detail["resolved_from"] == "unknown"


def test_what_is_known_of_an_item_is_merged_and_each_run_keeps_its_own_end(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    first = opened(file)
    first.set_state("b", ItemState.NEW, data={"area": "1号台区"})
    first.set_state("a", ItemState.NEW)
    first.set_state("b", ItemState.SYSTEM_EXCEPTION, "系统繁忙", {"tries": 2})
    second = opened(file, "run-2")
    second.set_state("b", ItemState.SUCCEEDED, "复电成功")
    assert list(first.items()) == ["b", "a"] and list(second.items()) == ["b"]
    assert second.data("b") == {"area": "1号台区", "tries": 2} and second.state("b") is ItemState.SUCCEEDED
    assert first.run_states()["b"] == (ItemState.SYSTEM_EXCEPTION, "系统繁忙")


def test_a_ledger_locked_by_another_program_says_so_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_tables, "BUSY_SECONDS", 0.2)
    file = tmp_path / "z.db"
    ledger = opened(file)
    ledger.intend("a", "reconnect")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError) as caught:
        ledger.intend("b", "reconnect")
    assert "占用" in caught.value.text("zh") and "locked" in caught.value.text("en")
    holder.execute("ROLLBACK")
    ledger.intend("b", "reconnect")
    assert truth(file, "SELECT item FROM acts ORDER BY id") == [("a",), ("b",)]


def test_a_damaged_ledger_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    file.write_bytes(b"this is not a ledger at all" * 100)
    with pytest.raises(LedgerError, match="不要删除"):
        opened(file)
    assert file.read_bytes() == b"this is not a ledger at all" * 100


def test_a_ledger_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    opened(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE ledger_schema SET version = 99")
    with pytest.raises(LedgerError, match="99"):
        opened(file)


def test_on_a_full_disk_the_act_is_refused_and_what_was_recorded_stays(tmp_path: Path) -> None:
    file = tmp_path / "z.db"
    ledger = opened(file)
    ledger.intend("a", "reconnect")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The operating system's own limit on a file stands in for the full disk: the write fails in the same place.
    limit = max(p.stat().st_size for p in tmp_path.iterdir()) + 100
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(LedgerError) as caught:
            for number in range(50):
                ledger.intend(f"order-{number}", "reconnect", {"padding": "x" * 4000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "磁盘" in caught.value.text("zh") and "disk" in caught.value.text("en")
    assert opened(file).open_act("a", "reconnect") is not None
    written = {row[0] for row in truth(file, "SELECT item FROM acts")}
    assert "a" in written and ledger.intend("after", "reconnect").attempt == 1
