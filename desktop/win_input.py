"""Text input on Windows: Unicode key events through SendInput, and pasting.

Events with KEYEVENTF_UNICODE reach the focused window as characters: no keyboard layout and no Chinese input method stands
between. Source: Win32 documentation of SendInput and KEYBDINPUT.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from desktop.base import DesktopError

_INPUT_KEYBOARD = 1
_KEY_UP = 0x0002
_UNICODE = 0x0004
_NAMED = {"\n": 0x0D, "\r": 0x0D, "\t": 0x09, "\b": 0x08, "\x1b": 0x1B}
_PASTE_TIME = 0.4
"""Seconds until the old text comes back: Windows does not tell when a program has fetched a pasted text."""


class KeyEvent(NamedTuple):
    """One KEYBDINPUT: a virtual key, or a UTF-16 code unit in ``scan``."""

    virtual_key: int
    scan: int
    flags: int


def events_for(character: str) -> list[KeyEvent]:
    """Down and up for one character; a character beyond U+FFFF is two code units, both down before both up."""
    if character in _NAMED:
        key = _NAMED[character]
        return [KeyEvent(key, 0, 0), KeyEvent(key, 0, _KEY_UP)]
    data = character.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
    return [KeyEvent(0, u, _UNICODE) for u in units] + [KeyEvent(0, u, _UNICODE | _KEY_UP) for u in units]


class _KeyboardInput(ctypes.Structure):
    _fields_ = (
        ("wVk", ctypes.c_uint16),
        ("wScan", ctypes.c_uint16),
        ("dwFlags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("dwExtraInfo", ctypes.c_size_t),
    )


class _MouseInput(ctypes.Structure):
    """Not used, but the largest member: it gives the union its size."""

    _fields_ = (
        ("dx", ctypes.c_int32),
        ("dy", ctypes.c_int32),
        ("mouseData", ctypes.c_uint32),
        ("dwFlags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("dwExtraInfo", ctypes.c_size_t),
    )


class _Union(ctypes.Union):
    _fields_ = (("ki", _KeyboardInput), ("mi", _MouseInput))


class Input(ctypes.Structure):
    """The INPUT structure; 40 bytes on 64-bit Windows, or SendInput refuses it."""

    _fields_ = (("type", ctypes.c_uint32), ("union", _Union))


def _send(events: Sequence[KeyEvent]) -> int:
    """How many of the events Windows took."""
    array = (Input * len(events))()
    for place, event in zip(array, events, strict=True):
        place.type = _INPUT_KEYBOARD
        place.union.ki = _KeyboardInput(event.virtual_key, event.scan, event.flags, 0, 0)
    user32: Any = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
    return int(user32.SendInput(len(events), array, ctypes.sizeof(Input)))


class WindowsTyper:
    """Types text into the window that has the focus."""

    def __init__(self, send: Callable[[Sequence[KeyEvent]], int] = _send) -> None:
        self._send = send

    def type(self, text: str, before: Callable[[], None], expect: Callable[[int, bool], None]) -> None:
        """As :meth:`desktop.x_keys.XTyper.type`; ``expect`` is not needed, Windows marks injected events itself."""
        for character in text.replace("\r\n", "\n"):
            before()
            events = events_for(character)
            if self._send(events) != len(events):
                raise DesktopError(
                    "Windows 拒绝了键盘输入。前台窗口可能以管理员身份运行，或正显示锁屏/UAC。请以相同权限运行机器人，或解锁。\n"
                    "Windows refused keyboard input: the window in front may run as administrator, or the lock or UAC "
                    "screen shows. "
                    "Run the robot with the same rights, or unlock the PC."
                )

    def close(self) -> None:
        """Nothing is held."""


class WindowsClipboard:
    """Pastes a text and brings the old one back. Native typing is the better way on Windows; this is for windows that drop
    Unicode events."""

    def paste(self, text: str, press: Callable[[], None]) -> None:
        """Put ``text`` on the clipboard, call ``press`` (Ctrl+V), give the program time, restore."""
        import pyperclip  # type: ignore[import-untyped]

        old = pyperclip.paste()
        pyperclip.copy(text)
        try:
            press()
            time.sleep(_PASTE_TIME)
        finally:
            pyperclip.copy(old)

    def close(self) -> None:
        """Nothing is held."""
