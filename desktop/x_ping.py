"""Has the focused program worked off its events? Asked by _NET_WM_PING, which a program answers in its turn.

Source: Extended Window Manager Hints, _NET_WM_PING. Window managers ask the same to tell a hung program.
"""

from __future__ import annotations

import time
from typing import Any


class XPing:
    """Asks over the connection of its user, so that the question queues behind that user's key events."""

    def __init__(self, x: Any) -> None:
        from Xlib import X

        self._x = x
        self._root = x.screen().root
        self._protocols = x.intern_atom("WM_PROTOCOLS")
        self._ping = x.intern_atom("_NET_WM_PING")
        self._serial = 0
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask)

    def _target(self) -> Any:
        """The focused window, or the nearest above it that answers pings; None where there is none."""
        from Xlib import Xatom

        window = self._x.get_input_focus().focus
        while hasattr(window, "query_tree"):
            listed = window.get_full_property(self._protocols, Xatom.ATOM)
            if listed is not None and self._ping in listed.value:
                return window
            window = window.query_tree().parent or None
        return None

    def wait(self, timeout: float) -> bool:
        """Returns True when the program answered; False when nothing there answers, or not within ``timeout`` seconds."""
        from Xlib import X
        from Xlib.protocol import event

        target = self._target()
        if target is None:
            return False
        self._serial += 1
        data = (32, [self._ping, self._serial, target.id, 0, 0])
        target.send_event(event.ClientMessage(window=target, client_type=self._protocols, data=data))
        self._x.flush()
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            while self._x.pending_events():
                got = self._x.next_event()
                if got.type == X.ClientMessage and got.client_type == self._protocols:
                    answer = list(got.data[1])
                    if answer[0] == self._ping and answer[1] == self._serial:
                        return True
            time.sleep(0.002)
        return False
