"""Ctrl+Shift+Q: which keys are down, whoever pressed them, and when that means «stop»."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.touch import InputEvent

STOP = frozenset({"ctrl", "shift", "q"})


class Hotkey:
    """Calls ``fire`` once each time the combination is completed by a person. Thread-safe.

    The robot's own keys and the person's are kept apart: when the robot lets go of its Ctrl, a person's Ctrl is still down.
    The robot's keys alone never fire.
    """

    def __init__(self, fire: Callable[[], None], keys: frozenset[str] = STOP) -> None:
        self._fire = fire
        self._keys = keys
        self._lock = threading.Lock()
        self._robot: set[str] = set()
        self._person: set[str] = set()
        self._armed = True

    def saw(self, event: InputEvent, person: bool) -> None:
        """One key event and who caused it."""
        if event.kind != "key" or event.name not in self._keys:
            return
        with self._lock:
            down = self._person if person else self._robot
            (down.add if event.down else down.discard)(event.name)
            complete = self._keys <= (self._robot | self._person)
            fire = complete and person and event.down and self._armed
            self._armed = not complete
        if fire:
            self._fire()
