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
from desktop.x_ping import XPing

_ANSWER = 5.0
"""Seconds that a busy program may take to work off what was typed before codes are given another meaning."""
_NO_ANSWER = 0.15
"""Seconds to wait instead where the focused window answers no pings. A fixed time is not enough on a loaded machine: of 120
random Chinese characters at a load of 10 on 2 cores some came out as what their code had meant before."""


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
        self._ping = XPing(self._x)
        if not self._spare:
            raise DesktopError("键盘布局没有空闲键码，无法直接输入汉字 / the keyboard map has no spare keycode for native typing")

    def _caps_lock(self) -> bool:
        from Xlib import X

        return bool(self._x.screen().root.query_pointer().mask & X.LockMask)

    def _borrow(self, symbols: list[int]) -> None:
        """Give every symbol a code; at most as many as there are spare codes."""
        for symbol in symbols:
            if symbol in self._borrowed:
                self._borrowed.move_to_end(symbol)
        given: dict[int, int] = {}
        anew = False
        for symbol in symbols:
            if symbol in self._borrowed:
                continue
            if len(self._borrowed) < len(self._spare):
                code = self._spare[len(self._borrowed)]
            else:
                _, code = self._borrowed.popitem(last=False)
                anew = True
            given[code] = symbol
            self._borrowed[symbol] = code
        if not given:
            return
        if anew:
            self._settle()
        self._change(given)
        self._settle()

    def _settle(self) -> None:
        """Until the program that gets the keys has worked off all events so far."""
        self._x.sync()
        if not self._ping.wait(_ANSWER):
            time.sleep(_NO_ANSWER)

    def _change(self, given: dict[int, int]) -> None:
        """Write the map with one request for each run of neighbouring codes: every request makes all programs read the map."""
        codes = sorted(given)
        start = 0
        for end in range(1, len(codes) + 1):
            if end == len(codes) or codes[end] != codes[end - 1] + 1:
                # The same on every level, so that a held Shift or Caps Lock changes nothing.
                rows = [[given[code]] * self._width for code in codes[start:end]]
                self._x.change_keyboard_mapping(codes[start], rows)
                start = end

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
            self._change(dict.fromkeys(self._borrowed.values(), 0))
            self._x.sync()
            self._x.close()
        except Exception:  # noqa: BLE001  # the display is gone, and the map with it
            return
