"""A desktop without a screen: scripted frames, a clock that jumps, and a list of what hands did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from desktop.base import Aborted, Button
from vision.frame import Frame, Image, Point


class VirtualClock:
    """Time that passes only in :meth:`sleep`. ``at`` runs things when their time has come."""

    def __init__(self) -> None:
        self.time = 0.0
        self.stopped = False
        self._due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if self.stopped:
            raise Aborted("stopped")
        end = self.time + max(0.0, seconds)
        while self._due and min(self._due, key=lambda d: d[0])[0] <= end:
            entry = min(self._due, key=lambda d: d[0])
            self._due.remove(entry)
            self.time = max(self.time, entry[0])
            entry[1]()
            if self.stopped:
                raise Aborted("stopped")
        self.time = end

    def at(self, time: float, do: Callable[[], None]) -> None:
        """Call ``do`` when the clock reaches ``time`` during a sleep."""
        self._due.append((time, do))


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that hands did. ``kind`` is the method's name."""

    kind: str
    value: Any
    time: float


class FakeDesktop:
    """A :class:`desktop.base.Desktop`. ``frames`` is called with this desktop for every grab, or is a list of pictures of which
    the last stays. ``on_input`` is called after each :class:`Done`, so that a script can change what is shown."""

    def __init__(
        self,
        frames: Callable[[FakeDesktop], Image] | Iterable[Image] | None = None,
        size: tuple[int, int] = (1920, 1080),
        scale: float = 1.0,
        on_input: Callable[[Done], None] | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.done: list[Done] = []
        self.down_keys: list[str] = []
        self.down_buttons: list[Button] = []
        self.grabs = 0
        self.closed = False
        self.on_input = on_input
        self._size = size
        self._scale = scale
        self._pointer = Point(0, 0)
        self._touched = False
        if callable(frames):
            self._next = frames
        else:
            pictures = list(frames) if frames is not None else [np.full((size[1], size[0], 3), 255, np.uint8)]
            self._next = lambda d: pictures[min(d.grabs, len(pictures)) - 1]

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def scale(self) -> float:
        return self._scale

    def grab(self) -> Frame:
        self.grabs += 1
        return Frame(self._next(self), self.clock.now(), self._scale)

    def pointer(self) -> Point:
        return self._pointer

    def _do(self, kind: str, value: Any) -> None:
        if self.clock.stopped:
            raise Aborted("stopped")
        done = Done(kind, value, self.clock.now())
        self.done.append(done)
        if self.on_input:
            self.on_input(done)

    def move(self, x: int, y: int) -> None:
        if not self.clock.stopped:
            self._pointer = Point(x, y)
        self._do("move", (x, y))

    def button_down(self, button: Button = "left") -> None:
        self._do("button_down", button)
        self.down_buttons.append(button)

    def button_up(self, button: Button = "left") -> None:
        self._do("button_up", button)
        if button in self.down_buttons:
            self.down_buttons.remove(button)

    def scroll(self, notches: int, horizontal: bool = False) -> None:
        self._do("scroll", (notches, horizontal))

    def key_down(self, key: str) -> None:
        self._do("key_down", key)
        self.down_keys.append(key)

    def key_up(self, key: str) -> None:
        self._do("key_up", key)
        if key in self.down_keys:
            self.down_keys.remove(key)

    def type_text(self, text: str, *, secret: bool = False) -> None:
        self._do("type_text", "●" * len(text) if secret else text)

    def clicks(self) -> list[tuple[int, int]]:
        """Where the left button went down."""
        places: list[tuple[int, int]] = []
        at = (0, 0)
        for done in self.done:
            if done.kind == "move":
                at = done.value
            elif done.kind == "button_down" and done.value == "left":
                places.append(at)
        return places

    def typed(self) -> str:
        """All text typed so far."""
        return "".join(done.value for done in self.done if done.kind == "type_text")

    def touch(self) -> None:
        """A person touches mouse or keyboard."""
        self._touched = True

    def touched(self) -> bool:
        return self._touched

    def clear_touch(self) -> None:
        self._touched = False

    def abort(self) -> None:
        self.clock.stopped = True
        self.release_all()

    def release_all(self) -> None:
        self.down_keys.clear()
        self.down_buttons.clear()

    def close(self) -> None:
        self.release_all()
        self.closed = True
