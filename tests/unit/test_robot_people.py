"""People, dialogs, stops and secrets: what happens around a robot at work. Truth: the order of events and what the client
says was hit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anchors.store import Library
from bots.errors import ClientBusyError, DoubtfulError, NotSeenError, SessionExpiredError, StepError
from bots.eyes import TOUCH_PAUSE
from desktop.base import Aborted, DesktopError
from tests.support.drawn_client import DIALOG, PLAIN, DrawnClient, Thing
from tests.support.fake_desktop import Done
from tests.support.robots import Rig
from tests.support.shelf import SYSTEM, write_version

RECONNECT = Thing("复电", 100, 100)
QUERY = Thing("查询", 100, 200, PLAIN)
USER = Thing("请输入用户名", 100, 280, PLAIN, width=300)
SECRET = "Grün-7531-秘"

NOTICE = Thing("系统公告", 90, 80, DIALOG, width=420, height=170, layer=1)
KNOWN = Thing("我已知晓", 380, 200, layer=2)
BUSY = Thing("系统繁忙", 90, 80, DIALOG, width=420, height=170, layer=1)
EXPIRED = Thing("登录已失效", 90, 80, DIALOG, width=420, height=170, layer=1)
FINE = Thing("确定", 420, 200, layer=2)
POPUPS = [
    {"seen": "notice", "dismiss": "known"},
    {"seen": "busy", "dismiss": "fine", "meaning": "busy"},
    {"seen": "expired", "dismiss": "fine", "meaning": "session"},
]


def rig(tmp_path: Path) -> Rig:
    """A client with two buttons and a field; its dialogs are known to the robot and not shown."""
    page = {"reconnect": RECONNECT, "query": QUERY, "user": USER}
    if not (tmp_path / SYSTEM).exists():
        calibrate(tmp_path, page)
    ready = Rig(DrawnClient(**page), Library.open(SYSTEM, "1.0", tmp_path), password=SECRET)
    ready.on_press = lambda name: ready.client.shown.update(toast=Thing("操作成功", 600, 20))
    return ready


def calibrate(root: Path, page: dict[str, Thing]) -> None:
    """Each dialog on its own screenshot, as a person captures them."""
    dialogs = [{"notice": NOTICE, "known": KNOWN}, {"busy": BUSY, "fine": FINE}, {"expired": EXPIRED}]
    screens, anchors = {}, {}
    for number, more in enumerate([page, *dialogs]):
        drawn = DrawnClient(**(page | more))
        screens[f"s{number}"] = (drawn.picture(), 1.0)
        for name, thing in more.items():
            anchors[name] = {"screen": f"s{number}", "box": list(thing.words.grow(5, 4)), "text": thing.text}
    anchors["reconnect"]["irreversible"] = True
    anchors["user"]["kind"] = "input"
    write_version(root, "1.0", anchors, screens, popups=POPUPS)


def shows(r: Rig, **things: Thing) -> None:
    """The client opens a dialog that is closed by its button."""
    r.client.shown |= things

    def close(name: str | None) -> None:
        if name in things:
            for thing in things:
                r.client.shown.pop(thing, None)
        elif name:
            r.client.shown["toast"] = Thing("操作成功", 600, 20)

    r.on_press = close


# A person's hand


@pytest.mark.parametrize("name", ["reconnect", "query"])
def test_a_touch_pauses_the_robot_which_then_looks_again_and_presses_where_the_target_is_now(tmp_path: Path, name: str) -> None:
    r = rig(tmp_path)
    r.desktop.touch()
    r.desktop.clock.at(1.0, lambda: r.client.shown.update({name: r.client.shown[name].at(500, 300)}))
    r.robot.click(name)
    assert r.pressed == [name] and r.robot.pauses == 1
    order = r.journal.order
    pause, resume, press = order.index("pause"), order.index("resume"), order.index("button_down")
    assert pause < resume < press and "grab" in order[resume:press] and "move" not in order[:resume]
    assert r.desktop.done[-1].time >= TOUCH_PAUSE


def test_the_robot_waits_as_long_as_the_person_works(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.desktop.touch()
    for second in (2.0, 4.5, 7.0):
        r.desktop.clock.at(second, r.desktop.touch)
    r.robot.click("query")
    down = next(done for done in r.desktop.done if done.kind == "button_down")
    assert down.time >= 7.0 + TOUCH_PAUSE - 0.01 and r.pressed == ["query"]
    assert r.robot.take_times()["own"] < 1.0


def test_a_touch_while_the_pointer_rests_on_an_irreversible_target_is_noticed(tmp_path: Path) -> None:
    r = rig(tmp_path)
    touched: list[Done] = []

    def hand(done: Done) -> None:
        if done.kind == "move" and not touched:
            touched.append(done)
            r.desktop.touch()

    r.on_input = hand
    r.robot.click("reconnect")
    order = r.journal.order
    assert r.pressed == ["reconnect"] and order.index("resume") < order.index("button_down")
    assert "grab" in order[order.index("resume") : order.index("button_down")]


def test_keys_are_not_pressed_while_a_person_works(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.desktop.touch()
    with pytest.raises(StepError, match="重新查看画面"):
        r.robot.press("ctrl", "tab")
    assert not any(done.kind.startswith("key") for done in r.desktop.done)
    r.robot.press("ctrl", "tab")
    assert [d.value for d in r.desktop.done if d.kind == "key_down"] == ["ctrl", "tab"] and r.desktop.down_keys == []


def test_a_dialog_is_not_pressed_away_while_a_person_works(tmp_path: Path) -> None:
    """The person may be about to answer it, or to drag the window away from under the pointer."""
    r = rig(tmp_path)
    shows(r, notice=NOTICE, known=KNOWN)
    r.desktop.touch()
    r.robot.wait_seen("reconnect", timeout=20.0)
    order = r.journal.order
    assert r.pressed == ["known"] and order.index("resume") < order.index("button_down")


def test_text_is_not_typed_into_whatever_a_person_clicked_meanwhile(tmp_path: Path) -> None:
    """A hand on the mouse between the click into the field and the keys: the field is clicked again before anything is typed."""
    r = rig(tmp_path)

    def hand(done: Done) -> None:
        if done.kind == "button_up" and r.pressed == ["user"]:
            r.desktop.touch()

    r.on_input = hand
    r.robot.type_into("user", "vault:password", secret=True)
    order = r.journal.order
    assert r.typed == [SECRET] and r.pressed == ["user", "user"]
    assert order.index("resume") < order.index("type_text") and "button_down" in order[order.index("resume") :]


# Stop


SCRIPTS: dict[str, Callable[[Rig], object]] = {
    "irreversible press": lambda r: r.robot.click("reconnect"),
    "press": lambda r: r.robot.click("query"),
    "double click": lambda r: r.robot.click("query", times=2),
    "typing": lambda r: r.robot.type_into("user", "vault:password", secret=True),
    "keys": lambda r: r.robot.press("ctrl", "shift", "tab"),
}


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_a_stop_before_any_input_leaves_nothing_down_and_sends_nothing_more(tmp_path: Path, name: str) -> None:
    complete = rig(tmp_path)
    SCRIPTS[name](complete)
    inputs = len(complete.desktop.done)
    assert inputs >= 4
    for number in range(inputs):
        r = rig(tmp_path)
        r.stop_before(number)
        with pytest.raises(Aborted):
            SCRIPTS[name](r)
        assert r.desktop.down_buttons == [] and r.desktop.down_keys == []
        assert len(r.desktop.done) == number, "an input was sent after the stop"
        assert r.journal.steps[-1].outcome == "aborted"


def test_a_stop_while_the_button_is_down_releases_it(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.on_press = lambda name: r.desktop.clock.at(r.desktop.clock.now() + 0.01, r.desktop.abort)
    with pytest.raises(Aborted):
        r.robot.click("query")
    assert r.pressed == ["query"] and r.desktop.down_buttons == [] and r.desktop.done[-1].kind == "button_down"


def test_a_stop_while_waiting_ends_the_wait_at_once(tmp_path: Path) -> None:
    r = rig(tmp_path)
    del r.client.shown["query"]
    r.desktop.clock.at(5.0, r.desktop.abort)
    with pytest.raises(Aborted):
        r.robot.click("query", timeout=600.0)
    assert r.desktop.clock.now() == pytest.approx(5.0, abs=0.06) and r.pressed == []


# Dialogs


def test_a_notice_over_the_target_is_dismissed_and_the_work_goes_on(tmp_path: Path) -> None:
    r = rig(tmp_path)
    shows(r, notice=NOTICE, known=KNOWN)
    r.robot.click("reconnect")
    assert r.pressed == ["known", "reconnect"] and r.robot.popups_dismissed == 1
    assert ("popup", "关闭了弹窗「系统公告」") in r.journal.notes


@pytest.mark.parametrize(
    ("dialog", "error"),
    [({"busy": BUSY}, ClientBusyError), ({"expired": EXPIRED}, SessionExpiredError)],
    ids=["busy", "session"],
)
def test_a_dialog_that_says_no_is_dismissed_and_reported(
    tmp_path: Path, dialog: dict[str, Thing], error: type[StepError]
) -> None:
    r = rig(tmp_path)
    shows(r, **dialog, fine=FINE)
    with pytest.raises(error, match=next(iter(dialog.values())).text):
        r.robot.click("reconnect")
    assert r.pressed == ["fine"] and r.journal.steps[-1].outcome == error.outcome


def test_a_dialog_without_its_button_is_left_alone(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.client.shown["notice"] = NOTICE
    with pytest.raises(NotSeenError):
        r.robot.click("reconnect", timeout=3.0)
    assert r.pressed == []


def test_a_dialog_that_has_just_closed_by_itself_is_not_pressed_where_it_stood(tmp_path: Path) -> None:
    """Under its button lies the page: a press there would hit whatever the page has at that place."""
    r = rig(tmp_path)
    r.client.shown |= {"notice": NOTICE, "known": KNOWN, "risky": Thing("停电", KNOWN.x, KNOWN.y)}
    frame = r.robot.look()

    def close() -> None:
        r.client.shown.pop("notice")
        r.client.shown.pop("known")

    r.on_grab[r.desktop.grabs + 1] = close
    assert r.robot.dismiss_popups(frame)
    assert r.pressed == []


def test_a_dialog_over_a_page_that_never_stands_still_is_dismissed(tmp_path: Path) -> None:
    """A spinner turns behind it: every look differs from the last one."""
    r = rig(tmp_path)
    shows(r, notice=NOTICE, known=KNOWN)
    draw = r.client.picture

    def turning() -> object:
        r.client.shown["spinner"] = Thing("加载" + "。" * (r.desktop.grabs % 7), 600, 400, PLAIN, width=160)
        return draw()

    r.client.picture = turning
    r.robot.wait_seen("reconnect", timeout=10.0)
    assert r.pressed == ["known"]


def test_a_press_that_only_met_a_dialog_in_front_is_made_once_more_when_the_dialog_is_gone(tmp_path: Path) -> None:
    """The notice opened over the page between look and press, beside the words: they were still seen."""
    r = rig(tmp_path)
    aside = {"notice": NOTICE.at(300, 60), "known": KNOWN.at(600, 180)}
    shows(r, **aside)
    works = r.on_press

    def modal(name: str | None) -> None:
        if name == "known" or "notice" not in r.client.shown:
            works(name)

    r.on_press = modal
    r.robot.click("query")
    assert r.pressed == ["query", "known", "query"] and r.robot.popups_dismissed == 1


def test_an_unknown_dialog_is_not_touched(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.client.shown |= {"odd": Thing("程序更新", 90, 80, DIALOG, width=420, height=170, layer=1), "fine": FINE}
    with pytest.raises(NotSeenError, match="没有看到「复电」"):
        r.robot.click("reconnect", timeout=3.0)
    assert r.pressed == []


def test_what_should_go_and_stays_is_said(tmp_path: Path) -> None:
    r = rig(tmp_path)
    with pytest.raises(NotSeenError, match="「查询」3 秒后仍在画面上"):
        r.robot.wait_gone("query", timeout=3.0)
    r.desktop.clock.at(r.desktop.clock.now() + 2.0, lambda: r.client.shown.pop("query") and None)
    r.robot.wait_gone("query", timeout=3.0)


# Secrets and text


def words(r: Rig) -> str:
    return r.journal.words() + "".join(r.sentences)


def test_a_secret_is_typed_and_stands_nowhere_else(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.robot.type_into("user", "vault:password", secret=True)
    assert r.typed == [SECRET]
    assert SECRET not in words(r) and "●●●●●●" in words(r)
    assert r.journal.steps[-1].action.model_dump()["text"] == "vault:password"


@pytest.mark.parametrize("error", [ValueError(f"cannot type {SECRET}"), NotSeenError(f"not taken: {SECRET}")])
def test_an_error_while_typing_a_secret_does_not_tell_it(tmp_path: Path, error: Exception) -> None:
    r = rig(tmp_path)

    def fail(text: str, *, secret: bool = False) -> None:
        raise error

    r.desktop.type_text = fail  # type: ignore[method-assign]
    with pytest.raises(DesktopError) as told:
        r.robot.type_into("user", "vault:password", secret=True)
    assert SECRET not in str(told.value) and told.value.__context__ is None
    assert SECRET not in words(r) and r.journal.steps[-1].outcome != "ok"


def test_what_was_typed_is_read_back(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.on_input = lambda done: (
        r.client.shown.update(user=Thing(done.value, USER.x, USER.y, PLAIN, width=300)) if done.kind == "type_text" else None
    )
    r.robot.type_into("user", "fkzb01")
    assert r.typed == ["fkzb01"] and [d.value for d in r.desktop.done if d.kind == "key_down"] == ["ctrl", "a"]
    assert r.sentences == ["在「请输入用户名」输入 fkzb01"]


def test_a_field_that_shows_something_else_is_typed_once_more_and_then_given_up(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.on_input = lambda done: (
        r.client.shown.update(other=Thing("fkzb0", USER.x + 160, USER.y + 60, PLAIN)) if done.kind == "type_text" else None
    )
    with pytest.raises(DoubtfulError, match="读回的内容不一致"):
        r.robot.type_into("user", "fkzb01")
    assert r.typed == ["fkzb01", "fkzb01"]


def test_personal_data_is_written_down_only_as_the_caller_shows_it(tmp_path: Path) -> None:
    r = rig(tmp_path)
    r.robot.type_into("user", "13812345678", shown="138****5678", verify=False)
    r.robot.type_into("user", "张建国", shown="", verify=False)
    assert r.typed == ["13812345678", "张建国"]
    assert "13812345678" not in words(r) and "张建国" not in words(r) and "138****5678" in words(r)
