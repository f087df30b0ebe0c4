"""The robot looks, decides, acts and looks again: it presses the right thing once, or nothing. Truth: what the drawn client says
was hit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bots.errors import DoubtfulError, NotSeenError, StepError
from tests.support.drawn_client import DISABLED, HOVERED, PLAIN, DrawnClient, Thing
from tests.support.robots import Rig

RECONNECT = Thing("复电", 100, 100)
QUERY = Thing("查询", 100, 200, PLAIN)
AWAY = (500, 320)


def rig(tmp_path: Path, irreversible: bool = True, language: str = "zh") -> Rig:
    client = DrawnClient(reconnect=RECONNECT, query=QUERY)
    shelf = client.library(tmp_path, {"reconnect": {"irreversible": irreversible}})
    ready = Rig(client, shelf, language)  # type: ignore[arg-type]
    ready.on_press = lambda name: client.shown.update(toast=Thing("操作成功", 300, 20)) if name else None
    return ready


def move(client: DrawnClient, name: str, place: tuple[int, int] = AWAY) -> None:
    client.shown[name] = client.shown[name].at(*place)


def test_a_press_hits_the_button_and_the_pointer_leaves_the_controls(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.robot.click("reconnect")
    assert r.pressed == ["reconnect"]
    assert r.client.under(r.desktop.pointer()) is None
    (step,) = r.journal.steps
    assert step.outcome == "ok" and step.target_box is not None and step.target_box.contains(RECONNECT.words.center)
    assert r.sentences == ["点击「复电」"] and step.evidence["suspects"][0]["accepted"]


@pytest.mark.parametrize("name", ["reconnect", "query"])
def test_a_target_that_moves_between_look_and_act_is_looked_for_again(tmp_path: Path, name: str) -> None:
    r = rig(tmp_path)
    r.on_grab[2] = lambda: move(r.client, name)
    r.robot.click(name)
    assert r.pressed == [name] and r.robot.moved == 1
    x, y = r.desktop.clicks()[0]
    assert r.client.shown[name].at(*AWAY).box.contains((x, y))


@pytest.mark.parametrize("name", ["reconnect", "query"])
def test_another_button_in_the_place_of_the_target_is_not_pressed(tmp_path: Path, name: str) -> None:
    """The list refreshed: where the target stood there is now its opposite, and the target went elsewhere."""
    r = rig(tmp_path)

    def refresh() -> None:
        r.client.shown["wrong"] = replace(r.client.shown[name], text="停电")
        move(r.client, name)

    r.on_grab[2] = refresh
    r.robot.click(name)
    assert r.pressed == [name]


def test_an_irreversible_target_that_moves_under_the_pointer_is_pressed_at_its_new_place_only(tmp_path: Path) -> None:
    r = rig(tmp_path)
    moves: list[object] = []

    def hover(done: object) -> None:
        if getattr(done, "kind", "") == "move" and not moves:
            moves.append(done)
            move(r.client, "reconnect")

    r.on_input = hover  # type: ignore[assignment]
    r.robot.click("reconnect")
    assert r.pressed == ["reconnect"] and r.robot.moved == 1


def test_a_hover_style_is_not_held_against_an_irreversible_target(tmp_path: Path) -> None:
    r = rig(tmp_path)

    def hover(done: object) -> None:
        over = r.client.under(r.desktop.pointer()) == "reconnect"
        r.client.shown["reconnect"] = replace(r.client.shown["reconnect"], style=HOVERED if over else RECONNECT.style)

    r.on_input = hover  # type: ignore[assignment]
    r.robot.click("reconnect")
    assert r.pressed == ["reconnect"] and r.robot.moved == 0


def test_a_button_that_changes_its_word_under_the_pointer_is_never_pressed(tmp_path: Path) -> None:
    r = rig(tmp_path)

    def hover(done: object) -> None:
        over = r.client.under(r.desktop.pointer()) == "reconnect"
        r.client.shown["reconnect"] = replace(RECONNECT, text="停电" if over else "复电")

    r.on_input = hover  # type: ignore[assignment]
    with pytest.raises(DoubtfulError, match="一直在变化"):
        r.robot.click("reconnect")
    assert r.pressed == [] and r.journal.steps[-1].outcome == "contradicted"


@pytest.mark.parametrize("name", ["reconnect", "query"])
def test_a_target_that_never_stands_still_is_given_up_unpressed(tmp_path: Path, name: str) -> None:
    r = rig(tmp_path)
    places = [(x, y) for y in (100, 260) for x in range(250, 600, 31)]

    def jump(number: int) -> None:
        move(r.client, name, places[number % len(places)])
        r.on_grab[number + 1] = lambda: jump(number + 1)

    jump(0)
    with pytest.raises(StepError):
        r.robot.click(name, timeout=5.0)
    assert r.pressed == []


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        (lambda c: c.shown.update(reconnect=replace(RECONNECT, style=DISABLED)), "timeout", "未启用或被遮罩"),
        (lambda c: c.shown.update(reconnect=replace(RECONNECT, text="停电")), "timeout", "停电"),
        (lambda c: c.shown.update(reconnect=replace(RECONNECT, text="停复电")), "timeout", "停复电"),
        (lambda c: c.shown.update(twin=RECONNECT.at(*AWAY)), "timeout", "有 2 处"),
        (lambda c: c.shown.pop("reconnect"), "timeout", "没有看到「复电」"),
    ],
    ids=["disabled", "停电", "停复电", "twins", "gone"],
)
def test_a_doubtful_target_is_never_pressed_and_the_journal_says_why(
    tmp_path: Path, change: object, outcome: str, said: str
) -> None:
    r = rig(tmp_path)
    change(r.client)  # type: ignore[operator]
    with pytest.raises(NotSeenError) as error:
        r.robot.click("reconnect", timeout=2.0)
    assert said in str(error.value) and "等待「复电」超过 2 秒" in str(error.value)
    assert r.pressed == [] and "button_down" not in r.journal.order
    (step,) = r.journal.steps
    assert step.outcome == outcome and said in step.message and step.after is not None


def test_the_reason_is_said_in_english_when_english_is_asked_for(tmp_path: Path) -> None:
    r = rig(tmp_path, language="en")
    r.client.shown["reconnect"] = replace(RECONNECT, text="停电")
    with pytest.raises(NotSeenError, match=r"Waited 2 s for “复电”.*the text there is") as error:
        r.robot.click("reconnect", timeout=2.0)
    assert "停电" in str(error.value) and r.sentences == ["Click “复电”"]


def test_of_several_awaited_things_the_contradicted_one_is_told_about(tmp_path: Path) -> None:
    r = rig(tmp_path)
    del r.client.shown["query"]
    r.client.shown["reconnect"] = replace(RECONNECT, text="停电")
    with pytest.raises(NotSeenError, match=r"等待「查询、复电」.*停电"):
        r.robot.wait_seen("query", "reconnect", timeout=1.0)


def test_what_comes_late_is_waited_for_and_the_waiting_is_not_the_robots_own_time(tmp_path: Path) -> None:
    r = rig(tmp_path)
    button = r.client.shown.pop("query")
    r.desktop.clock.at(7.0, lambda: r.client.shown.update(query=button))
    r.robot.click("query")
    assert r.pressed == ["query"]
    times = r.robot.take_times()
    assert times["waited"] == pytest.approx(7.0, abs=0.2) and times["own"] < 0.5


def test_an_irreversible_press_without_effect_is_never_repeated(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.on_press = lambda name: None
    r.robot.click("reconnect")
    assert r.pressed == ["reconnect"]


def test_a_reversible_press_without_effect_is_repeated_once(tmp_path: Path) -> None:
    """A browser dropped the first press while it committed a page; the second arrives."""
    r = rig(tmp_path)
    r.on_press = lambda name: r.client.shown.update(toast=Thing("操作成功", 300, 20)) if len(r.pressed) == 2 else None
    r.robot.click("query")
    assert r.pressed == ["query", "query"] and "再点一次" in r.journal.steps[-1].message


def test_a_reversible_press_that_changes_nothing_is_made_twice_at_most_and_left_to_the_flow(tmp_path: Path) -> None:
    """«Reset» on a form that is empty already changes nothing: not an error, and no reason to hammer on it."""
    r = rig(tmp_path)
    r.on_press = lambda name: None
    r.robot.click("query")
    assert r.pressed == ["query", "query"] and r.journal.steps[-1].outcome == "ok"


def test_a_double_click_is_two_presses_at_one_place(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.robot.click("query", times=2)
    assert r.pressed == ["query", "query"] and len(set(r.desktop.clicks())) == 1


def test_a_link_in_a_row_is_asked_for_again_with_the_pointer_on_it(tmp_path: Path) -> None:
    """Rows change their order while the pointer travels: the row that is meant is pressed, not the place."""
    r = rig(tmp_path)
    rows = {"3201000000000001": 120, "3201000000000002": 180}
    r.client.shown = {number: Thing("处理", 400, y, PLAIN) for number, y in rows.items()}
    swapped: list[bool] = []

    def swap(done: object) -> None:
        if getattr(done, "kind", "") == "move" and not swapped:
            swapped.append(True)
            first, second = r.client.shown.values()
            r.client.shown = dict(zip(rows, (second, first), strict=True))

    r.on_input = swap  # type: ignore[assignment]
    wanted = "3201000000000001"
    r.robot.click_where("处理", lambda frame: (r.client.shown[wanted].box, ()))
    assert r.pressed == [wanted] and r.robot.moved == 1


def test_a_row_that_is_not_there_is_waited_for_and_then_said_to_be_missing(tmp_path: Path) -> None:
    r = rig(tmp_path)

    def find(frame: object) -> object:
        raise NotSeenError("「待办」中没有 3201 这一行。")

    with pytest.raises(NotSeenError, match="没有 3201"):
        r.robot.click_where("处理", find, timeout=3.0)  # type: ignore[arg-type]
    assert r.pressed == [] and r.journal.steps[-1].outcome == "timeout"


def test_a_drop_down_is_opened_and_its_option_pressed(tmp_path: Path) -> None:
    client = DrawnClient(filter=Thing("业务类型", 100, 100, PLAIN), option=Thing("复电复核", 100, 160, PLAIN))
    shelf = client.library(tmp_path)
    r = Rig(client, shelf)
    option = client.shown.pop("option")

    def press(name: str | None) -> None:
        if name == "filter":
            client.shown["option"] = option
        elif name == "option":
            del client.shown["option"]

    r.on_press = press
    r.robot.choose("filter", "option")
    assert r.pressed == ["filter", "option"] and r.sentences == ["在「业务类型」选择「复电复核」"]


def test_a_button_that_goes_away_when_pressed_is_not_waited_for_again(tmp_path: Path) -> None:
    """The close mark of a hint: nothing else on the screen changes."""
    r = rig(tmp_path)
    r.on_press = lambda name: r.client.shown.pop("query") and None
    r.robot.click("query")
    assert r.pressed == ["query"] and r.journal.steps[-1].outcome == "ok"
