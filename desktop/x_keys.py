"""Native typing on X: any Unicode text through XTest, also where pasting is blocked, and without the clipboard.

A character that no key carries borrows one of the keycodes that the keyboard does not use. A borrowed code keeps its
character until all others have been borrowed after it: a client reads the map when it gets round to it, so a code must
not change its meaning while events of the old one are still on their way.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from desktop.base import DesktopError

_SETTLE = 0.15
"""Seconds for clients to read the new keyboard map and to work off what was typed before codes are borrowed anew."""


def keysym(character: str) -> int:
    """The X keysym of one character (X protocol, appendix A; keysymdef.h for Unicode)."""
    code = ord(character)
    named = {"\n": 0xFF0D, "\r": 0xFF0D, "\t": 0xFF09, "\b": 0xFF08, "\x1b": 0xFF1B}
    if character in named:
        return named[character]
    if 0x20 <= code <= 0x7E or 0xA0 <= code <= 0xFF:
        return code
    return 0x01000000 | code


class XTyper:
    """Types text into whatever has the keyboard focus on one X display. One thread at a time."""

    def __init__(self, display: str) -> None:
        import Xlib.display

        self._x = Xlib.display.Display(display)
        first, last = self._x.display.info.min_keycode, self._x.display.info.max_keycode
        rows: list[Any] = list(self._x.get_keyboard_mapping(first, last - first + 1))
        self._width = max(len(row) for row in rows)
        self._keys: dict[int, tuple[int, bool]] = {}
        self._spare: list[int] = []
        for offset, row in enumerate(rows):
            if not any(row):
                self._spare.append(first + offset)
            # First group only: the levels with and without Shift.
            for level in (1, 0):
                if len(row) > level and row[level]:
                    self._keys[int(row[level])] = (first + offset, level == 1)
        self._shift = self._keys.get(0xFFE1, (50, False))[0]
        self._borrowed: OrderedDict[int, int] = OrderedDict()
        if not self._spare:
            raise DesktopError("键盘布局没有空闲键码，无法直接输入汉字 / the keyboard map has no spare keycode for native typing")

    def _caps_lock(self) -> bool:
        from Xlib import X

        return bool(self._x.screen().root.query_pointer().mask & X.LockMask)

    def _borrow(self, symbols: list[int]) -> None:
        """Give every symbol a code; at most as many as there are spare codes."""
        changed = False
        for symbol in symbols:
            if symbol in self._borrowed:
                self._borrowed.move_to_end(symbol)
                continue
            if len(self._borrowed) < len(self._spare):
                code = self._spare[len(self._borrowed)]
            else:
                _, code = self._borrowed.popitem(last=False)
            # The same on every level, so that a held Shift or Caps Lock changes nothing.
            self._x.change_keyboard_mapping(code, [[symbol] * self._width])
            self._borrowed[symbol] = code
            changed = True
        if changed:
            self._x.sync()

    def type(self, text: str, before: Callable[[], None], expect: Callable[[int, bool], None]) -> None:
        """Type ``text``. ``before`` is called before each character and may raise; ``expect(code, down)`` before each event."""
        text = text.replace("\r\n", "\n")
        batch: list[str] = []
        missing: dict[int, None] = {}
        for character in text:
            symbol = keysym(character)
            if symbol not in self._keys and symbol not in missing:
                if len(missing) == len(self._spare):
                    self._type_batch(batch, list(missing), before, expect)
                    batch, missing = [], {}
                    self._x.sync()
                    time.sleep(_SETTLE)
                missing[symbol] = None
            batch.append(character)
        self._type_batch(batch, list(missing), before, expect)
        self._x.sync()

    def _type_batch(
        self, batch: list[str], missing: list[int], before: Callable[[], None], expect: Callable[[int, bool], None]
    ) -> None:
        self._borrow(missing)
        caps = self._caps_lock()
        for character in batch:
            symbol = keysym(character)
            code, shift = self._keys.get(symbol) or (self._borrowed[symbol], False)
            if caps and symbol in self._keys and character.isalpha():
                shift = not shift
            before()
            self._tap(code, shift, expect)

    def _tap(self, code: int, shift: bool, expect: Callable[[int, bool], None]) -> None:
        from Xlib import X
        from Xlib.ext.xtest import fake_input

        events = [(code, True), (code, False)]
        if shift:
            events = [(self._shift, True), *events, (self._shift, False)]
        for detail, down in events:
            expect(detail, down)
            fake_input(self._x, X.KeyPress if down else X.KeyRelease, detail)
        self._x.flush()

    def close(self) -> None:
        """Give the borrowed codes back and disconnect."""
        try:
            for code in self._borrowed.values():
                self._x.change_keyboard_mapping(code, [[0] * self._width])
            self._x.sync()
            self._x.close()
        except Exception:  # noqa: BLE001  # the display is gone, and the map with it
            return
