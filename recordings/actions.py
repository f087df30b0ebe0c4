"""The closed union of what hands and eyes do on a client. Recorder, scenario, player, journal and report use this one.

Every action says itself in a sentence for people, so flow, journal, progress bar and report use the same words.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Click(_Action):
    kind: Literal["click"] = "click"
    target: str
    """Anchor name, or words for people where the target is a cell of a grid."""
    button: Literal["left", "right"] = "left"
    times: Literal[1, 2] = 1
    modifiers: tuple[str, ...] = ()

    def sentence(self, language: Language = "zh") -> str:
        if language == "zh":
            return f"{'双击' if self.times == 2 else '右键点击' if self.button == 'right' else '点击'}「{self.target}」"
        verb = "Double-click" if self.times == 2 else "Right-click" if self.button == "right" else "Click"
        return f"{verb} “{self.target}”"


class Drag(_Action):
    kind: Literal["drag"] = "drag"
    source: str
    target: str

    def sentence(self, language: Language = "zh") -> str:
        return f"把「{self.source}」拖到「{self.target}」" if language == "zh" else f"Drag “{self.source}” to “{self.target}”"


class Scroll(_Action):
    kind: Literal["scroll"] = "scroll"
    target: str
    notches: int
    horizontal: bool = False

    def sentence(self, language: Language = "zh") -> str:
        if language == "zh":
            way = ("向右" if self.notches > 0 else "向左") if self.horizontal else ("向下" if self.notches > 0 else "向上")
            return f"在「{self.target}」{way}滚动 {abs(self.notches)} 格"
        way = ("right" if self.notches > 0 else "left") if self.horizontal else ("down" if self.notches > 0 else "up")
        return f"Scroll “{self.target}” {way} by {abs(self.notches)}"


class Type(_Action):
    kind: Literal["type"] = "type"
    target: str
    text: str = ""
    """What is typed; for a secret only its ``vault:`` reference, for personal data its masked form."""
    secret: bool = False

    def sentence(self, language: Language = "zh") -> str:
        shown = "●●●●●●" if self.secret else self.text
        return f"在「{self.target}」输入 {shown}" if language == "zh" else f"Type {shown} into “{self.target}”"


class Press(_Action):
    kind: Literal["press"] = "press"
    keys: tuple[str, ...]

    def sentence(self, language: Language = "zh") -> str:
        return ("按 " if language == "zh" else "Press ") + "+".join(k.capitalize() for k in self.keys)


class Wait(_Action):
    kind: Literal["wait"] = "wait"
    until: Literal["seen", "gone", "still", "changed"] = "seen"
    targets: tuple[str, ...] = ()
    timeout: float = 30.0

    def sentence(self, language: Language = "zh") -> str:
        names = ("」或「" if language == "zh" else "” or “").join(self.targets)
        if language == "zh":
            return {
                "seen": f"等待出现「{names}」",
                "gone": f"等待「{names}」消失",
                "still": "等待画面静止",
                "changed": "等待画面变化",
            }[self.until]
        return {
            "seen": f"Wait until “{names}” is seen",
            "gone": f"Wait until “{names}” is gone",
            "still": "Wait until the screen is still",
            "changed": "Wait until the screen changes",
        }[self.until]


class Read(_Action):
    kind: Literal["read"] = "read"
    field: str

    def sentence(self, language: Language = "zh") -> str:
        return f"读取「{self.field}」" if language == "zh" else f"Read “{self.field}”"


class ReadGrid(_Action):
    kind: Literal["read_grid"] = "read_grid"
    grid: str
    columns: tuple[str, ...] = ()

    def sentence(self, language: Language = "zh") -> str:
        return f"读取表格「{self.grid}」" if language == "zh" else f"Read the grid “{self.grid}”"


class Choose(_Action):
    kind: Literal["choose"] = "choose"
    target: str
    option: str

    def sentence(self, language: Language = "zh") -> str:
        return f"在「{self.target}」选择「{self.option}」" if language == "zh" else f"Choose “{self.option}” in “{self.target}”"


class Check(_Action):
    kind: Literal["check"] = "check"
    field: str
    equals: str

    def sentence(self, language: Language = "zh") -> str:
        return (
            f"核对「{self.field}」等于 {self.equals}" if language == "zh" else f"Check that “{self.field}” equals {self.equals}"
        )


Action = Annotated[Click | Drag | Scroll | Type | Press | Wait | Read | ReadGrid | Choose | Check, Field(discriminator="kind")]
"""``for_each``, ``when`` and ``play`` join the union with the scenario format (they hold other actions)."""
