"""Robot 1's acts, each at most once, whatever the client says and whenever the process ends. Truth: what reached the client's
server, which checks itself."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.errors import BusinessError
from bots.ports import ItemState
from control.ledger import SqlLedger
from tests.support.fake_marketing import PRESSES, Crash, World, customer, order_number

ORDER = order_number(1)
ENDS = {
    ItemState.SUCCEEDED,
    ItemState.BUSINESS_EXCEPTION,
    ItemState.SYSTEM_EXCEPTION,
    ItemState.UNKNOWN,
    ItemState.DEFERRED,
}


def ledgers(folder: Path) -> Callable[[], SqlLedger]:
    return lambda: SqlLedger(folder / "z.db", "run-1", "marketing", "robot-a")


def played(world: World, folder: Path) -> SqlLedger:
    ledger, _ = world.run(ledgers(folder))
    assert world.truth.wrongs == []
    return ledger


def outcomes(ledger: SqlLedger, name: str, order: str = ORDER) -> list[str | None]:
    return [act.outcome for act in ledger.acts(order, name)]


def arrived(world: World, order: str = ORDER) -> list[bool]:
    """The commands that reached the server: whether each succeeded."""
    return [sent.succeeds for sent in world.truth.commands.get(order, [])]


def test_an_order_is_reconnected_archived_and_its_current_read(tmp_path: Path) -> None:
    world = World()
    ledger = played(world, tmp_path)
    assert arrived(world) == [True] and world.truth.archived == [ORDER] and world.meters.reads == [customer(ORDER)]
    assert outcomes(ledger, "reconnect") == ["done"] and outcomes(ledger, "archive") == ["done"]
    assert ledger.state(ORDER) is ItemState.SUCCEEDED and world.truth.messages == []


def test_a_second_try_comes_only_after_the_first_was_seen_to_fail(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["fails"]
    world.client.known_after = 40.0
    ledger = played(world, tmp_path)
    first, second = world.truth.commands[ORDER]
    assert second.at >= first.known_at and outcomes(ledger, "reconnect") == ["failed", "done"]
    assert ledger.state(ORDER) is ItemState.SUCCEEDED


def test_after_the_last_try_the_field_crew_is_told_once_and_nothing_is_archived(tmp_path: Path) -> None:
    world = World(tries=3)
    world.client.usual = "fails"
    ledger = played(world, tmp_path)
    assert arrived(world) == [False] * 3 and world.truth.archived == []
    ((phone, text),) = world.truth.messages
    assert phone == "13700001111" and ORDER in text and "3次失败" in text and len(text) <= 70
    assert ledger.state(ORDER) is ItemState.BUSINESS_EXCEPTION and world.meters.reads == []


def test_a_command_that_never_shows_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["vanishes"]
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["unknown"] and len(world.client.presses) == 1
    assert ledger.state(ORDER) is ItemState.UNKNOWN and world.truth.archived == []
    assert "人工核实" in ledger.reason(ORDER)


def test_a_command_that_never_ends_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    world = World()
    world.client.known_after = 1e9
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["unknown"] and arrived(world) == [True]
    assert ledger.state(ORDER) is ItemState.UNKNOWN


@pytest.mark.parametrize("fate", ["busy", "busy, heard later", "lost", "session"])
def test_a_refused_press_that_is_not_in_the_clients_list_was_not_sent_and_is_tried_again(tmp_path: Path, fate: str) -> None:
    world = World()
    world.client.fates = [fate]
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["not sent", "done"] and arrived(world) == [True]
    assert ledger.state(ORDER) is ItemState.SUCCEEDED and ledger.data(ORDER)["tries"] == 1


def test_a_press_refused_in_words_that_arrived_all_the_same_is_not_made_again(tmp_path: Path) -> None:
    """系统繁忙, but the client's own list has the command: the list is believed."""
    world = World()
    world.client.fates = ["busy, but arrives"]
    world.client.shown_after = 5.0
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["done"] and arrived(world) == [True]
    assert ledger.state(ORDER) is ItemState.SUCCEEDED


@pytest.mark.parametrize("fate", ["busy", "busy, heard later", "busy before", "lost", "session"])
def test_a_client_that_always_refuses_is_given_up(tmp_path: Path, fate: str) -> None:
    """A few attempts, then the order goes to a person; not a night of presses."""
    world = World(item_retries=3)
    world.client.usual = fate
    ledger = played(world, tmp_path)
    assert 1 <= len(world.client.presses) <= 4 and arrived(world) == []
    assert ledger.state(ORDER) in {ItemState.SYSTEM_EXCEPTION, ItemState.UNKNOWN}


def test_a_crash_right_after_the_press_is_followed_by_a_look_not_by_a_press(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["crash after"]
    ledger, crashes = world.run(ledgers(tmp_path))
    assert crashes == 1 and world.truth.wrongs == []
    assert [p for p in world.client.presses if p.startswith("reconnect")] == ["reconnect: crash after"]
    assert outcomes(ledger, "reconnect") == ["done"] and ledger.state(ORDER) is ItemState.SUCCEEDED


def test_a_crash_right_before_the_press_leaves_the_order_to_a_person(tmp_path: Path) -> None:
    """From outside it cannot be told from a press that went nowhere; it is not made again."""
    world = World()
    world.client.fates = ["crash before"]
    ledger, crashes = world.run(ledgers(tmp_path))
    assert crashes == 1 and arrived(world) == [] and len(world.client.presses) == 1
    assert outcomes(ledger, "reconnect") == ["unknown"] and ledger.state(ORDER) is ItemState.UNKNOWN


def test_what_somebody_else_reconnected_is_not_reconnected_again(tmp_path: Path) -> None:
    world = World()
    world.truth.reconnect(ORDER, succeeds=True, known_after=0.1)
    world.clock.sleep(10.0)
    ledger = played(world, tmp_path)
    assert arrived(world) == [True] and outcomes(ledger, "reconnect") == []
    assert world.truth.archived == [ORDER] and ledger.state(ORDER) is ItemState.SUCCEEDED


def test_a_command_that_somebody_else_has_running_is_waited_for(tmp_path: Path) -> None:
    world = World()
    world.truth.reconnect(ORDER, succeeds=True, known_after=30.0)
    played(world, tmp_path)
    assert arrived(world) == [True] and world.truth.archived == [ORDER]


def test_two_new_commands_where_one_was_sent_are_left_to_a_person(tmp_path: Path) -> None:
    """Somebody pressed at the same moment: which result is ours cannot be seen."""
    world = World()
    world.client.fates = ["crash after"]
    with pytest.raises(Crash):
        world.process(ledgers(tmp_path)()).run(world.stages)
    world.truth.commands[ORDER].append(world.truth.commands[ORDER][0])
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["unknown"] and ledger.state(ORDER) is ItemState.UNKNOWN


def test_an_order_is_archived_only_when_its_status_says_so(tmp_path: Path) -> None:
    world = World()
    world.client.status_word = "停电中"
    ledger = played(world, tmp_path)
    assert world.truth.archived == [] and outcomes(ledger, "archive") == []
    assert ledger.state(ORDER) is ItemState.SYSTEM_EXCEPTION and "停电中" in ledger.reason(ORDER)
    assert arrived(world) == [True]


def test_a_later_run_archives_what_an_earlier_one_could_not_and_reconnects_nothing_again(tmp_path: Path) -> None:
    world = World()
    world.client.status_word = "停电中"
    played(world, tmp_path)
    world.client.status_word = None
    world.stages.done.clear()
    ledger, _ = world.run(lambda: SqlLedger(tmp_path / "z.db", "run-2", "marketing", "robot-a"))
    assert arrived(world) == [True] and world.truth.archived == [ORDER] and world.truth.wrongs == []
    assert ledger.state(ORDER) is ItemState.SUCCEEDED and "停电中" not in ledger.reason(ORDER)


@pytest.mark.parametrize("toasts", [True, False])
def test_a_crash_after_archiving_finds_the_order_gone_and_writes_it_down(tmp_path: Path, toasts: bool) -> None:
    world = World()
    world.robot.toasts = toasts
    world.client.fates = ["arrives", "crash after"]
    ledger, crashes = world.run(ledgers(tmp_path))
    assert crashes == 1 and world.truth.wrongs == [] and world.truth.archived == [ORDER]
    assert outcomes(ledger, "archive") == ["done"] and ledger.data(ORDER)["archived"] is True
    assert ledger.state(ORDER) is ItemState.SUCCEEDED


def test_a_crash_before_archiving_that_left_the_order_in_the_list_is_left_to_a_person(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["arrives", "crash before"]
    ledger, _ = world.run(ledgers(tmp_path))
    assert world.truth.archived == [] and outcomes(ledger, "archive") == ["unknown"]
    assert ledger.state(ORDER) is ItemState.UNKNOWN and "归档" in ledger.reason(ORDER)
    assert world.meters.reads == [customer(ORDER)], "the current is read all the same"


def test_a_refused_archiving_is_done_again_and_the_order_not_reconnected_again(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["arrives", "busy"]
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "archive") == ["not sent", "done"] and arrived(world) == [True]
    assert ledger.state(ORDER) is ItemState.SUCCEEDED


def test_an_order_that_somebody_else_worked_meanwhile_is_named_so(tmp_path: Path) -> None:
    world = World(orders=2)
    second = order_number(2)
    world.clock.at(2.5, lambda: world.truth.listed.remove(second))
    ledger = played(world, tmp_path)
    assert ledger.state(ORDER) is ItemState.SUCCEEDED and ledger.state(second) is ItemState.BUSINESS_EXCEPTION
    assert arrived(world, second) == [] and "他人" in ledger.reason(second)


def test_an_order_gone_while_its_result_was_unseen_is_left_to_a_person(tmp_path: Path) -> None:
    world = World()
    world.client.fates = ["crash after"]
    with pytest.raises(Crash):
        world.process(ledgers(tmp_path)()).run(world.stages)
    world.truth.listed.clear()
    ledger = played(world, tmp_path)
    assert outcomes(ledger, "reconnect") == ["unknown"] and ledger.state(ORDER) is ItemState.UNKNOWN


@pytest.mark.parametrize(("amperes", "said"), [(0.0, "0.000"), (None, "--")])
def test_a_false_reconnect_is_read_twice_and_customer_and_manager_are_told_once(
    tmp_path: Path, amperes: float | None, said: str
) -> None:
    world = World()
    world.meters.amperes = {customer(ORDER): amperes}
    ledger = played(world, tmp_path)
    assert world.meters.reads == [customer(ORDER)] * 2
    assert [phone for phone, _ in world.truth.messages] == ["13812345678", "13987654321"]
    assert all(ORDER in text and len(text) <= 70 for _, text in world.truth.messages)
    assert ledger.state(ORDER) is ItemState.BUSINESS_EXCEPTION and ledger.data(ORDER)["reading_2"] == said


@pytest.mark.parametrize("fate", ["crash after", "vanishes", "busy", "crash before"])
def test_a_message_is_sent_once_however_its_press_ends(tmp_path: Path, fate: str) -> None:
    world = World()
    world.meters.amperes = {customer(ORDER): 0.0}
    world.client.fates = ["arrives", "arrives", fate]
    ledger, _ = world.run(ledgers(tmp_path))
    assert world.truth.wrongs == []
    to_customer = [phone for phone, _ in world.truth.messages if phone == "13812345678"]
    assert len(to_customer) == (1 if fate in ("crash after", "busy") else 0)
    expected = ItemState.BUSINESS_EXCEPTION if to_customer else ItemState.UNKNOWN
    assert ledger.state(ORDER) is expected


def test_a_refused_log_in_ends_the_run_and_is_not_tried_again(tmp_path: Path) -> None:
    world = World(orders=3)
    world.client.password_refused = True
    ledger = ledgers(tmp_path)()
    with pytest.raises(BusinessError, match="登录被拒绝"):
        world.process(ledger).run(world.stages)
    assert world.client.presses == [] and ledger.state(ORDER) is ItemState.BUSINESS_EXCEPTION


def test_personal_data_is_in_the_ledger_only_under_seal(tmp_path: Path) -> None:
    world = World()
    world.client.usual = "fails"
    ledger = played(world, tmp_path)
    plain = {k: v for k, v in ledger.data(ORDER).items() if k != "sealed"}
    for private in ("张建国", "13812345678", "13700001111", "502"):
        assert private not in str(plain) and private not in str(ledger.acts(ORDER)) and private not in str(world.robot.notes)


# Anything, in any order

FAST = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""A ledger syncs every line to its disk; in memory forty stories take seconds."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    fates=st.lists(st.sampled_from(PRESSES), max_size=7),
    crash_at=st.sets(st.integers(1, 60), max_size=3),
    amperes=st.sampled_from([1.234, 0.0, None]),
    timing=st.sampled_from([(0.5, 3.0), (0.0, 0.1), (6.0, 20.0), (5.0, 85.0)]),
    toasts=st.booleans(),
)
def test_nothing_is_done_twice_and_every_order_ends_in_a_named_state(
    fates: list[str], crash_at: set[int], amperes: float | None, timing: tuple[float, float], toasts: bool
) -> None:
    world = World(orders=2)
    world.client.fates, world.client.crash_at = fates, crash_at
    world.client.shown_after, world.client.known_after = timing
    world.meters.amperes = {customer(ORDER): amperes}
    world.robot.toasts = toasts
    folder = Path(tempfile.mkdtemp(prefix="zhishou-test-", dir=FAST))
    try:
        ledger, _ = world.run(ledgers(folder))
        assert world.truth.wrongs == []
        for order in world.orders:
            assert ledger.state(order) in ENDS
            assert sum(arrived(world, order)) <= 1 and len(arrived(world, order)) <= world.settings.tries
            if ledger.state(order) is ItemState.SUCCEEDED:
                assert order in world.truth.archived and arrived(world, order)[-1]
        ledger.close()
    finally:
        shutil.rmtree(folder)
