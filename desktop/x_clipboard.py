"""The clipboard of an X display, owned by ourselves so that we see when a pasted text was picked up.

`xclip` cannot tell that: it must be guessed when the old content may come back, and a guess that is too short pastes the
wrong text.
"""

from __future__ import annotations

import select
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from desktop.base import TextNotTakenError

_PICKED_UP_WITHIN = 3.0
"""Seconds in which a program must ask for the pasted text. Chromium asks within some 5 ms; a loaded PC needs more."""
_QUIET = 0.03
"""Seconds without a further request before the paste counts as done: programs ask for several formats."""
_LONGEST = 60_000
"""Characters in one piece: beyond a quarter of a megabyte X wants an incremental transfer."""


def current_text(display: str) -> str | None:
    """The text on the clipboard; None when there is none (or no `xclip`). Pictures and files are not kept."""
    try:
        done = subprocess.run(
            ["xclip", "-display", display, "-selection", "clipboard", "-o", "-t", "UTF8_STRING"],
            capture_output=True,
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def put_text(display: str, text: str) -> None:
    """Leave ``text`` on the clipboard; a small `xclip` process serves it until something else is copied."""
    subprocess.run(
        ["xclip", "-display", display, "-selection", "clipboard", "-i"],
        input=text.encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=5,
        check=True,
    )


class Clipboard:
    """Owns the clipboard for the moment of one paste."""

    def __init__(self, display: str) -> None:
        import Xlib.display

        self._display = display
        self._x = Xlib.display.Display(display)
        self._window = self._x.screen().root.create_window(0, 0, 1, 1, 0, 0)
        self._atom = {
            name: self._x.intern_atom(name)
            for name in ("CLIPBOARD", "TARGETS", "UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT")
        }

    def paste(self, text: str, press: Callable[[], None]) -> None:
        """Offer ``text``, call ``press`` (Ctrl+V), wait until it was picked up, bring the old text back.

        Raises :class:`TextNotTakenError` when nothing asked for it; then nothing was typed.
        """
        for start in range(0, len(text), _LONGEST):
            self._paste_piece(text[start : start + _LONGEST], press)

    def _paste_piece(self, text: str, press: Callable[[], None]) -> None:
        from Xlib import X

        old = current_text(self._display)
        self._window.set_selection_owner(self._atom["CLIPBOARD"], X.CurrentTime)
        self._x.sync()
        state = _Offer(text.encode())
        server = threading.Thread(target=self._serve, args=(state,), daemon=True)
        server.start()
        try:
            state.pressed.set()  # before the keys: the answer may be asked for while they are still going down
            press()
            taken = state.taken.wait(_PICKED_UP_WITHIN)
            while taken and time.monotonic() - state.last_request < _QUIET:
                time.sleep(0.005)
        finally:
            state.done.set()
            server.join(2)
            if old is not None:
                put_text(self._display, old)
            else:
                self._window_release()
        if not taken:
            raise TextNotTakenError(
                f"粘贴后 {_PICKED_UP_WITHIN:g} 秒内没有程序取走文字，什么也没有输入。可能没有输入框获得焦点，或该处禁止粘贴。请先点击输入框，或改用直接输入。\n"
                f"Nothing picked the pasted text up within {_PICKED_UP_WITHIN:g} s; nothing was typed. Probably no field has the focus, "
                "or pasting is blocked there. Click the field first, or use native typing."
            )

    def _window_release(self) -> None:
        from Xlib import X
        from Xlib.protocol import request

        request.SetSelectionOwner(
            display=self._x.display, window=X.NONE, selection=self._atom["CLIPBOARD"], time=X.CurrentTime
        )
        self._x.sync()

    def _serve(self, state: _Offer) -> None:
        from Xlib import X

        while not state.done.is_set():
            if not self._x.pending_events():
                select.select([self._x.fileno()], [], [], 0.02)
                continue
            event = self._x.next_event()
            if event.type == X.SelectionRequest:
                self._answer(event, state)

    def _answer(self, event: Any, state: _Offer) -> None:
        from Xlib import X, Xatom
        from Xlib.protocol import event as events

        texts = {self._atom[n] for n in self._atom if n not in ("CLIPBOARD", "TARGETS")} | {Xatom.STRING}
        place = event.property or event.target
        if event.target == self._atom["TARGETS"]:
            offered = [self._atom["TARGETS"], *sorted(texts)]
            event.requestor.change_property(place, Xatom.ATOM, 32, offered)
        elif event.target in texts:
            event.requestor.change_property(place, event.target, 8, state.data)
        else:
            place = X.NONE
        event.requestor.send_event(
            events.SelectionNotify(
                time=event.time, requestor=event.requestor, selection=event.selection, target=event.target, property=place
            )
        )
        self._x.flush()
        state.last_request = time.monotonic()
        if event.target in texts and state.pressed.is_set():
            state.taken.set()

    def close(self) -> None:
        try:
            self._x.close()
        except Exception:  # noqa: BLE001  # the display is gone
            return


class _Offer:
    """One text on offer and what is known of who took it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pressed = threading.Event()
        self.taken = threading.Event()
        self.done = threading.Event()
        self.last_request = 0.0
