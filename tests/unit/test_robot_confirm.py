"""The last press before something that cannot be undone: only when the dialog names what is meant, written down before it, and
taken back when it evidently did not arrive. Truth: the order of presses and intents."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchors.store import Library, versions
from bots.errors import DoubtfulError, LostPressError, NotSeenError, StepError
from bots.reconnect.marketing import Marketing
from bots.reconnect.settings import ReconnectSettings
from tests.support.drawn_client import DIALOG, LABEL, PLAIN, DrawnClient, Thing
from tests.support.robots import Rig
from tests.support.shelf import SYSTEM, write_version

ORDER, CUSTOMER = "3201202611230001", "3301234567"
BUTTON = {"reconnect_button": Thing("复电", 600, 30)}
FRAME = Thing("", 150, 90, DIALOG, width=500, height=240, layer=1)
TITLE = {
    "reconnect_confirm": Thing("确认复电", 170, 96, LABEL, layer=2),
    "reconnect_cancel": Thing("取消", 400, 280, PLAIN, layer=2),
    "reconnect_ok": Thing("确定", 500, 280, layer=2),
}


def dialog(order: str = ORDER, customer: str = CUSTOMER) -> dict[str, Thing]:
    return {
        "frame": FRAME,
        **TITLE,
        "order": Thing(f"工单编号：{order}", 170, 150, LABEL, layer=2),
        "customer": Thing(f"户号：{customer}", 170, 190, LABEL, layer=2),
    }


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    anchors, screens = {}, {}
    for screen, shown, named in (("page", BUTTON, BUTTON), ("dialog", BUTTON | dialog(), TITLE)):
        screens[screen] = (DrawnClient(**shown).picture(), 1.0)
        for name, thing in named.items():
            anchors[name] = {"screen": screen, "box": list(thing.words.grow(5, 4)), "text": thing.text}
    anchors["reconnect_ok"]["irreversible"] = True
    write_version(tmp_path, "1.0", anchors, screens)
    return Rig(DrawnClient(**BUTTON), Library.open(SYSTEM, "1.0", tmp_path))


def opens(rig: Rig, things: dict[str, Thing], deaf: bool = False) -> None:
    """The button opens this dialog; 确定 and 取消 close it, a deaf one hears only 取消."""

    def press(name: str | None) -> None:
        if name == "reconnect_button":
            rig.client.shown = BUTTON | things
        elif name == "reconnect_cancel" or (name == "reconnect_ok" and not deaf):
            rig.client.shown = dict(BUTTON)

    rig.on_press = press


def press(rig: Rig) -> list[list[str | None]]:
    """Press 复电 with everything; returns what had been pressed whenever the intent was written down."""
    intents: list[list[str | None]] = []
    try:
        marketing = Marketing(rig.robot, ReconnectSettings(page_timeout=5.0))
        marketing.press_reconnect(ORDER, CUSTOMER, lambda: intents.append(list(rig.pressed)))
    except StepError as error:
        error.add_note(f"{len(intents)} intents")
        raise
    return intents


def test_the_intent_is_written_when_nothing_but_the_last_press_is_missing(rig: Rig) -> None:
    opens(rig, dialog())
    assert press(rig) == [["reconnect_button"]]
    assert rig.pressed == ["reconnect_button", "reconnect_ok"]


@pytest.mark.parametrize(
    "wrong",
    [dialog(order="3201202611230002"), dialog(customer="3301234568"), dialog(order=ORDER[:-1])],
    ids=["another order", "another customer", "cut off"],
)
def test_a_dialog_that_names_something_else_is_cancelled_and_nothing_intended(rig: Rig, wrong: dict[str, Thing]) -> None:
    opens(rig, wrong)
    with pytest.raises(DoubtfulError, match="已取消") as error:
        press(rig)
    assert rig.pressed == ["reconnect_button", "reconnect_cancel"] and error.value.__notes__ == ["0 intents"]


def test_a_dialog_that_never_opens_leaves_nothing_intended(rig: Rig) -> None:
    rig.on_press = lambda name: rig.client.shown.update(toast=Thing("加载中", 20, 380, LABEL))
    with pytest.raises(NotSeenError, match="确认复电") as error:
        press(rig)
    assert rig.pressed == ["reconnect_button"] and error.value.__notes__ == ["0 intents"]


def test_a_dialog_that_changes_before_the_last_press_is_not_confirmed(rig: Rig) -> None:
    """It moves away while the pointer is on its way: 确定 is looked for again, never pressed where it stood."""
    opens(rig, dialog())
    moved: list[bool] = []

    def slide(done: object) -> None:
        if getattr(done, "kind", "") == "move" and rig.client.under(rig.desktop.pointer()) == "reconnect_ok" and not moved:
            moved.append(True)
            for name in ("reconnect_ok", "reconnect_cancel"):
                rig.client.shown[name] = rig.client.shown[name].at(rig.client.shown[name].x - 110, 280)

    rig.on_input = slide  # type: ignore[assignment]
    press(rig)
    assert rig.pressed == ["reconnect_button", "reconnect_ok"] and moved


def test_a_last_press_that_did_not_arrive_is_taken_back_and_not_repeated(rig: Rig) -> None:
    opens(rig, dialog(), deaf=True)
    with pytest.raises(LostPressError, match="已点取消") as error:
        press(rig)
    assert rig.pressed == ["reconnect_button", "reconnect_ok", "reconnect_cancel"]
    assert error.value.__notes__ == ["1 intents"]


@pytest.mark.parametrize("version", versions("marketing"))
@pytest.mark.parametrize("act", ["reconnect", "archive", "sms"])
def test_in_every_version_the_last_press_is_known_to_be_irreversible(version: str, act: str) -> None:
    """Only then is it never repeated, looked at once more under the pointer, and refused when it has a twin."""
    library = Library.open("marketing", version)
    assert library[f"{act}_ok"].spec.irreversible and not library[f"{act}_cancel"].spec.irreversible
    assert library[f"{act}_confirm"].spec.text and not library[f"{act}_ok"].spec.any_state
