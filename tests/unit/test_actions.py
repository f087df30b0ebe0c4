"""The closed union of actions: each says itself to people in both languages and survives being written down."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from recordings.actions import Action, Check, Choose, Click, Drag, Press, Read, ReadGrid, Scroll, Type, Wait

ACTIONS: TypeAdapter[Action] = TypeAdapter(Action)

SAID: list[tuple[Action, str, str]] = [
    (Click(target="复电"), "点击「复电」", "Click “复电”"),
    (Click(target="复电", times=2), "双击「复电」", "Double-click “复电”"),
    (Click(target="复电", button="right"), "右键点击「复电」", "Right-click “复电”"),
    (Drag(source="甲", target="乙"), "把「甲」拖到「乙」", "Drag “甲” to “乙”"),
    (Scroll(target="待办", notches=3), "在「待办」向下滚动 3 格", "Scroll “待办” down by 3"),
    (Scroll(target="待办", notches=-2), "在「待办」向上滚动 2 格", "Scroll “待办” up by 2"),
    (Scroll(target="待办", notches=1, horizontal=True), "在「待办」向右滚动 1 格", "Scroll “待办” right by 1"),
    (Scroll(target="待办", notches=-1, horizontal=True), "在「待办」向左滚动 1 格", "Scroll “待办” left by 1"),
    (Type(target="用户名", text="fkzb01"), "在「用户名」输入 fkzb01", "Type fkzb01 into “用户名”"),
    (Press(keys=("ctrl", "tab")), "按 Ctrl+Tab", "Press Ctrl+Tab"),
    (Wait(targets=("成功", "失败")), "等待出现「成功」或「失败」", "Wait until “成功” or “失败” is seen"),
    (Wait(until="gone", targets=("加载中",)), "等待「加载中」消失", "Wait until “加载中” is gone"),
    (Wait(until="still"), "等待画面静止", "Wait until the screen is still"),
    (Wait(until="changed"), "等待画面变化", "Wait until the screen changes"),
    (Read(field="户号"), "读取「户号」", "Read “户号”"),
    (ReadGrid(grid="待办"), "读取表格「待办」", "Read the grid “待办”"),
    (Choose(target="类型", option="复核"), "在「类型」选择「复核」", "Choose “复核” in “类型”"),
    (Check(field="户号", equals="330"), "核对「户号」等于 330", "Check that “户号” equals 330"),
]


@pytest.mark.parametrize(("action", "zh", "en"), SAID)
def test_an_action_says_itself_and_comes_back_from_json(action: Action, zh: str, en: str) -> None:
    assert (action.sentence(), action.sentence("en")) == (zh, en)
    assert ACTIONS.validate_json(ACTIONS.dump_json(action)) == action


def test_the_sentence_of_a_secret_does_not_hold_even_its_reference() -> None:
    secret = Type(target="密码", text="vault:marketing-operator", secret=True)
    assert secret.sentence() == "在「密码」输入 ●●●●●●" and secret.sentence("en") == "Type ●●●●●● into “密码”"


def test_every_kind_of_the_union_is_told_here() -> None:
    kinds = ACTIONS.json_schema()["discriminator"]["mapping"]
    assert {action.kind for action, _, _ in SAID} == set(kinds)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "clik", "target": "复电"},
        {"kind": "click"},
        {"kind": "click", "target": "复电", "times": 3},
        {"kind": "click", "target": "复电", "x": 10},
        {"target": "复电"},
    ],
)
def test_what_is_no_action_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ACTIONS.validate_python(document)


def test_an_action_that_was_recorded_cannot_be_changed() -> None:
    action = Click(target="复电")
    with pytest.raises(ValidationError):
        action.target = "停电"  # type: ignore[misc]
