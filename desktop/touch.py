"""Tells a person's hand from the robot's: every event on the screen that the robot did not announce is a person's.

On X nothing marks injected events, so the robot writes down each event just before it sends it. Pure logic, no screen;
:mod:`desktop.x_events` and :mod:`desktop.pynput_events` bring the events.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["move", "button", "key"]

_REMEMBER = 512
"""Announced positions that are still recognised. Listener lag is a few ms, so this is some seconds of fastest moving."""


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One event as a listener saw it."""

    kind: Kind
    code: int | str = 0
    """Button number (4–7 are the wheel) or key code; on Windows the key's name."""
    down: bool = True
    x: int = 0
    y: int = 0
    injected: bool | None = None
    """Whether a program sent it; None where the system does not tell (X)."""
    name: str = ""
    """Key name in small letters (``q``, ``ctrl``, ``shift``), for the hotkey."""


class TouchJudge:
    """Decides for each event whether the robot announced it. Thread-safe."""

    def __init__(self, on_person: Callable[[InputEvent], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._expected: Counter[tuple[Kind, int | str, bool]] = Counter()
        self._own_down: set[tuple[Kind, int | str]] = set()
        self._places: deque[tuple[int, int]] = deque(maxlen=_REMEMBER)
        self._touched = False
        self._on_person = on_person

    def expect(self, kind: Kind, code: int | str, down: bool) -> None:
        """The robot is about to press or release this."""
        with self._lock:
            self._expected[(kind, code, down)] += 1
            if down:
                self._own_down.add((kind, code))

    def expect_move(self, x: int, y: int) -> None:
        """The robot is about to put the pointer there."""
        with self._lock:
            if not self._places or self._places[-1] != (x, y):
                self._places.append((x, y))

    def saw(self, event: InputEvent) -> bool:
        """Judge one event; returns whether it is a person's."""
        with self._lock:
            person = self._is_person(event)
            self._touched = self._touched or person
        if person and self._on_person:
            self._on_person(event)
        return person

    def _is_person(self, event: InputEvent) -> bool:
        if event.injected is not None:
            return not event.injected
        if event.kind == "move":
            return (event.x, event.y) not in self._places
        wanted = (event.kind, event.code, event.down)
        if self._expected[wanted] > 0:
            self._expected[wanted] -= 1
            if not event.down and not self._expected[(event.kind, event.code, True)]:
                self._own_down.discard((event.kind, event.code))
            return False
        # A key that the robot holds repeats by itself.
        return (event.kind, event.code) not in self._own_down

    @property
    def last_place(self) -> tuple[int, int] | None:
        """Where the robot put the pointer last; None while it has not."""
        with self._lock:
            return self._places[-1] if self._places else None

    def put(self, place: tuple[int, int]) -> bool:
        """Whether the robot put the pointer there lately, or never moved it at all."""
        with self._lock:
            return not self._places or place in self._places

    @property
    def touched(self) -> bool:
        with self._lock:
            return self._touched

    def mark(self) -> None:
        """A person was noticed by other means."""
        with self._lock:
            self._touched = True

    def clear(self, pointer: tuple[int, int]) -> None:
        """Forget what a person did; the pointer may stay where the person left it."""
        with self._lock:
            self._touched = False
            self._places.append(pointer)
