"""A robot on a fake desktop that shows a drawn client, with everything it writes kept in lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from anchors.store import Library
from bots.ports import StepRecord
from bots.robot import Robot
from desktop.base import Aborted
from recordings.actions import Language
from tests.support.fake_desktop import Done, FakeDesktop
from vision.frame import Box, Frame, Image


@dataclass
class Notebook:
    """A :class:`bots.ports.Journal` in memory; ``order`` mixes its entries with what hands did."""

    steps: list[StepRecord] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)

    def step(self, record: StepRecord) -> None:
        self.steps.append(record)
        self.order.append(f"step {record.outcome}")

    def note(self, kind: str, message: str, item: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        self.notes.append((kind, message))
        self.order.append(kind)

    def picture(self, name: str, frame: Frame, clear: Sequence[Box] = ()) -> str:
        return name

    def words(self) -> str:
        """Everything written down, pictures left out."""
        steps = [
            (s.action.model_dump(), s.action.sentence("zh"), s.action.sentence("en"), s.target, s.outcome, s.message, s.evidence)
            for s in self.steps
        ]
        return json.dumps([steps, self.notes], ensure_ascii=False, default=str)


class Safe:
    """A :class:`bots.ports.Vault` with fixed secrets."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets

    def secret(self, reference: str) -> str:
        return self.secrets[reference.removeprefix("vault:")]


class Client(Protocol):
    """What a robot works on: a picture, and what a press at a place hits."""

    def picture(self) -> Image: ...

    def under(self, place: tuple[int, int]) -> str | None: ...


class Rig:
    """Robot, desktop, client and notebook of one test.

    ``on_press(name)`` is told which thing of the client a press hit; ``on_grab[n]`` is done just before the n-th grab shows.
    """

    def __init__(self, client: Client, shelf: Library, language: Language = "zh", **secrets: str) -> None:
        self.client: Any = client
        self.journal = Notebook()
        self.pressed: list[str | None] = []
        self.on_press: Callable[[str | None], None] = lambda name: None
        self.on_input: Callable[[Done], None] = lambda done: None
        self.on_grab: dict[int, Callable[[], None]] = {}
        self.typed: list[str] = []
        self.sentences: list[str] = []
        self.desktop = _Desktop(self)
        self.robot = Robot(self.desktop, {"client": shelf}, self.journal, Safe(**secrets), language, self.sentences.append)

    def take(self, done: Done) -> None:
        self.journal.order.append(done.kind)
        if done.kind == "button_down":
            hit = self.client.under(self.desktop.pointer())
            self.pressed.append(hit)
            self.on_press(hit)
        self.on_input(done)

    def stop_before(self, number: int) -> None:
        """Ctrl+Shift+Q arrives just before the input of this number (0-based)."""
        self.desktop.stop_at = number


class _Desktop(FakeDesktop):
    def __init__(self, rig: Rig) -> None:
        height, width = rig.client.picture().shape[:2]
        super().__init__(self._picture, (width, height), 1.0, rig.take)
        self.rig = rig
        self.stop_at: int | None = None
        self.after_stop = 0

    def _picture(self, desktop: FakeDesktop) -> Any:
        self.rig.journal.order.append("grab")
        self.rig.on_grab.pop(self.grabs, lambda: None)()
        return self.rig.client.picture()

    def _do(self, kind: str, value: Any) -> None:
        if self.stop_at is not None and len(self.done) >= self.stop_at:
            self.after_stop += 1
            self.abort()
            raise Aborted("stopped")
        super()._do(kind, value)

    def type_text(self, text: str, *, secret: bool = False) -> None:
        super().type_text(text, secret=secret)
        self.rig.typed.append(text)
