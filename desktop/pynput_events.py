"""Every mouse and keyboard event of a Windows PC, through pynput, which says what a program injected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desktop.touch import InputEvent

_BUTTONS = {"left": 1, "middle": 2, "right": 3}


class PynputEvents:
    """Listens in two threads from construction until :meth:`stop`. ``saw`` is called in those threads."""

    def __init__(self, saw: Callable[[InputEvent], None]) -> None:
        from pynput import keyboard, mouse

        self._saw = saw
        self._keyboard = keyboard.Listener(
            on_press=lambda key, injected: self._key(key, True, injected),
            on_release=lambda key, injected: self._key(key, False, injected),
        )
        self._mouse = mouse.Listener(
            on_move=lambda x, y, injected: saw(InputEvent("move", x=int(x), y=int(y), injected=injected)),
            on_click=self._click,
            on_scroll=lambda x, y, dx, dy, injected: saw(
                InputEvent("button", (7 if dx > 0 else 6) if dx else (4 if dy > 0 else 5), True, int(x), int(y), injected)
            ),
        )
        for listener in (self._keyboard, self._mouse):
            listener.start()
        for listener in (self._keyboard, self._mouse):
            listener.wait()

    def _click(self, x: int, y: int, button: Any, pressed: bool, injected: bool) -> None:
        self._saw(InputEvent("button", _BUTTONS.get(button.name, 0), pressed, int(x), int(y), injected))

    def _key(self, key: Any, down: bool, injected: bool) -> None:
        name = key_name(self._keyboard.canonical(key) if key is not None else key)
        self._saw(InputEvent("key", name, down, injected=injected, name=name))

    def stop(self) -> None:
        """End both threads. On Windows the listeners are woken by a posted message, so this does not wait for a next event;
        they are daemon threads and are not joined for longer than a moment."""
        for listener in (self._keyboard, self._mouse):
            listener.stop()
            listener.join(0.5)


def key_name(key: Any) -> str:
    """``q``, ``ctrl``, ``shift`` … of a pynput key, left and right alike.

    With Ctrl held Windows translates Q to a control character, so letters and digits go by their virtual key code.
    """
    code = getattr(key, "vk", None)
    if code is not None and (0x30 <= code <= 0x39 or 0x41 <= code <= 0x5A):
        return chr(code).lower()
    name = getattr(key, "name", None)
    if name:
        return str(name).removesuffix("_l").removesuffix("_r").removesuffix("_gr")
    return str(getattr(key, "char", None) or "").lower()
