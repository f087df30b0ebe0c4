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
"""Seconds without a further request before the call returns. Chromium asks 17 times for one paste, for the text twice."""
_KEEP = 1.0
"""Seconds after the last request until the old text comes back. With 0.03 one paste of 20 on a loaded PC came out empty:
chromium's second request for the text met the old clipboard."""
_KEEP_AT_MOST = 2.0
"""Seconds after the text was first taken: a clipboard manager that keeps asking must not put this off for ever."""
_BETWEEN = 0.3
"""Seconds after the last request until another text may be offered, for the same reason."""
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
    """Offers texts on the clipboard; the old text comes back a moment after the last one was picked up."""

    def __init__(self, display: str) -> None:
        import Xlib.threaded  # noqa: F401  # the answering thread and the caller share one connection
        from Xlib.display import Display

        self._display = display
        self._x = Display(display)
        self._window = self._x.screen().root.create_window(0, 0, 1, 1, 0, 0)
        self._atom = {
            name: self._x.intern_atom(name)
            for name in ("CLIPBOARD", "TARGETS", "UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT")
        }
        self._lock = threading.Lock()
        self._offer: _Offer | None = None
        self._old: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"clipboard {display}", daemon=True)
        self._thread.start()

    def paste(self, text: str, press: Callable[[], None]) -> None:
        """Offer ``text``, call ``press`` (Ctrl+V), return when it was picked up. Nothing is typed when it raises
        :class:`TextNotTakenError` because no program asked for the text."""
        for start in range(0, len(text), _LONGEST):
            self._paste_piece(text[start : start + _LONGEST], press)

    def _paste_piece(self, text: str, press: Callable[[], None]) -> None:
        from Xlib import X

        while (last := self._offer) is not None and time.monotonic() - last.last_request < _BETWEEN:
            time.sleep(0.01)
        with self._lock:
            if self._offer is None:
                self._old = current_text(self._display)
            offer = self._offer = _Offer(text.encode())
            self._window.set_selection_owner(self._atom["CLIPBOARD"], X.CurrentTime)
            self._x.sync()
        offer.pressed.set()  # before the keys: the answer may be asked for while they are still going down
        try:
            press()
        except BaseException:
            self._restore()
            raise
        if not offer.taken.wait(_PICKED_UP_WITHIN):
            self._restore()
            raise TextNotTakenError(
                f"粘贴后 {_PICKED_UP_WITHIN:g} 秒内没有程序取走文字，什么也没有输入。可能没有输入框获得焦点，"
                "或该处禁止粘贴。请先点击输入框，或改用直接输入。\n"
                f"Nothing picked the pasted text up within {_PICKED_UP_WITHIN:g} s; nothing was typed. Probably no field "
                "has the focus, "
                "or pasting is blocked there. Click the field first, or use native typing."
            )
        while time.monotonic() - offer.last_request < _QUIET:
            time.sleep(0.005)

    def _restore(self) -> None:
        """Bring the old text back; where there was none, leave the clipboard empty."""
        from Xlib import X
        from Xlib.protocol import request

        with self._lock:
            if self._offer is None:
                return
            self._offer = None
            if self._old is not None:
                put_text(self._display, self._old)
                return
            request.SetSelectionOwner(
                display=self._x.display, window=X.NONE, selection=self._atom["CLIPBOARD"], time=X.CurrentTime
            )
            self._x.sync()

    def _serve(self) -> None:
        try:
            while not self._closing.is_set():
                if self._x.pending_events():
                    self._handle(self._x.next_event())
                    continue
                offer = self._offer
                if offer and offer.is_over(time.monotonic()):
                    self._restore()
                select.select([self._x.fileno()], [], [], 0.02)
        except Exception:  # noqa: BLE001  # the display went away; grab() says so
            return

    def _handle(self, event: Any) -> None:
        from Xlib import X

        if event.type == X.SelectionRequest:
            self._answer(event, self._offer)
        elif event.type == X.SelectionClear:
            with self._lock:
                owner = self._x.get_selection_owner(self._atom["CLIPBOARD"])
                if getattr(owner, "id", owner) != self._window.id:
                    self._offer = None  # somebody copied something: that stays

    def _answer(self, event: Any, offer: _Offer | None) -> None:
        from Xlib import X, Xatom
        from Xlib.protocol import event as events

        texts = {self._atom[n] for n in self._atom if n not in ("CLIPBOARD", "TARGETS")} | {Xatom.STRING}
        place = event.property or event.target
        if offer is None:
            place = X.NONE
        elif event.target == self._atom["TARGETS"]:
            event.requestor.change_property(place, Xatom.ATOM, 32, [self._atom["TARGETS"], *sorted(texts)])
        elif event.target in texts:
            event.requestor.change_property(place, event.target, 8, offer.data)
        else:
            place = X.NONE
        event.requestor.send_event(
            events.SelectionNotify(
                time=event.time, requestor=event.requestor, selection=event.selection, target=event.target, property=place
            )
        )
        self._x.flush()
        if offer is not None:
            offer.last_request = time.monotonic()
            if event.target in texts and offer.pressed.is_set() and not offer.taken.is_set():
                offer.taken_at = offer.last_request
                offer.taken.set()

    def close(self) -> None:
        """Bring the old text back and disconnect."""
        try:
            while (last := self._offer) is not None and time.monotonic() - last.last_request < _BETWEEN:
                time.sleep(0.01)
            self._restore()
            self._closing.set()
            self._thread.join(2)
            self._x.close()
        except Exception:  # noqa: BLE001  # the display is gone
            return


class _Offer:
    """One text on offer and what is known of who took it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pressed = threading.Event()
        self.taken = threading.Event()
        self.last_request = 0.0
        self.taken_at = 0.0

    def is_over(self, now: float) -> bool:
        """Whether the old text may come back."""
        return self.taken.is_set() and (now - self.last_request > _KEEP or now - self.taken_at > _KEEP_AT_MOST)
