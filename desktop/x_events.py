"""Every mouse and keyboard event of an X display, in order, with raw codes (the RECORD extension)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from desktop.base import DesktopError
from desktop.touch import InputEvent

_MODIFIERS = {0xFFE3: "ctrl", 0xFFE4: "ctrl", 0xFFE1: "shift", 0xFFE2: "shift", 0xFFE9: "alt", 0xFFEA: "alt"}
_START_TIMEOUT = 5.0


class XEvents:
    """Listens in a thread of its own from construction until :meth:`stop`. ``saw`` is called in that thread.

    pynput reads the same extension but translates key codes to characters with a map of its own; comparing with what the
    robot announced needs the codes themselves, and mouse and keyboard in one order.
    """

    def __init__(self, display: str, saw: Callable[[InputEvent], None]) -> None:
        import Xlib.threaded  # noqa: F401
        from Xlib import X
        from Xlib.display import Display
        from Xlib.ext import record

        self._saw = saw
        self._control = Display(display)
        self._data = Display(display)
        if not self._control.has_extension("RECORD"):
            raise DesktopError(
                f"显示器 {display} 没有 RECORD 扩展，无法发现人手操作和 Ctrl+Shift+Q。请换用 Xvfb 或 Xorg。\n"
                f"Display {display} has no RECORD extension: a person's hand and Ctrl+Shift+Q cannot be seen. Use Xvfb or Xorg."
            )
        self._names = self._key_names()
        self._keep_stop_key_from_clients()
        device_events = (X.KeyPress, X.MotionNotify)
        self._context = self._control.record_create_context(
            0,
            [record.AllClients],
            [
                {
                    "core_requests": (0, 0),
                    "core_replies": (0, 0),
                    "ext_requests": (0, 0, 0, 0),
                    "ext_replies": (0, 0, 0, 0),
                    "delivered_events": (0, 0),
                    "device_events": device_events,
                    "errors": (0, 0),
                    "client_started": False,
                    "client_died": False,
                }
            ],
        )
        self._control.sync()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"x-events {display}", daemon=True)
        self._thread.start()
        if not self._started.wait(_START_TIMEOUT):
            raise DesktopError(
                f"显示器 {display} 的事件监听在 {_START_TIMEOUT:g} 秒内未能启动 / "
                f"listening to events of display {display} did not start within {_START_TIMEOUT:g} s"
            )

    def _key_names(self) -> dict[int, str]:
        """Keycode → the names that a hotkey may need: modifiers and letters."""
        info = self._control.display.info
        names: dict[int, str] = {}
        for offset, row in enumerate(
            self._control.get_keyboard_mapping(info.min_keycode, info.max_keycode - info.min_keycode + 1)
        ):
            symbol = row[0] if len(row) else 0
            if symbol in _MODIFIERS:
                names[info.min_keycode + offset] = _MODIFIERS[symbol]
            elif 0x61 <= symbol <= 0x7A:
                names[info.min_keycode + offset] = chr(symbol)
        return names

    def _keep_stop_key_from_clients(self) -> None:
        """Ctrl+Shift+Q quits Chromium with all its windows; it must stop the robot only. Ignored when another program has it."""
        from Xlib import X
        from Xlib.error import BadAccess, CatchError

        code = next((code for code, name in self._names.items() if name == "q"), None)
        for locks in (0, X.LockMask, X.Mod2Mask, X.LockMask | X.Mod2Mask) if code else ():
            wanted = X.ControlMask | X.ShiftMask | locks
            self._control.screen().root.grab_key(
                code, wanted, True, X.GrabModeAsync, X.GrabModeAsync, onerror=CatchError(BadAccess)
            )

    def _listen(self) -> None:
        try:
            self._data.record_enable_context(self._context, self._reply)
            self._data.record_free_context(self._context)
            self._data.close()
        except Exception:  # noqa: BLE001  # the display went away; grab() says so
            return

    def _reply(self, reply: Any) -> None:
        from Xlib import X
        from Xlib.ext import record
        from Xlib.protocol import rq

        if reply.category == record.StartOfData:
            self._started.set()
            return
        if reply.category != record.FromServer or reply.client_swapped:
            return
        data = reply.data
        while len(data):
            event, data = rq.EventField(None).parse_binary_value(data, self._data.display, None, None)
            if event.type == X.MotionNotify:
                self._saw(InputEvent("move", x=event.root_x, y=event.root_y))
            elif event.type in (X.ButtonPress, X.ButtonRelease):
                down = event.type == X.ButtonPress
                self._saw(InputEvent("button", event.detail, down, event.root_x, event.root_y))
            elif event.type in (X.KeyPress, X.KeyRelease):
                down = event.type == X.KeyPress
                self._saw(InputEvent("key", event.detail, down, name=self._names.get(event.detail, "")))

    def stop(self) -> None:
        """End the thread and both connections; returns when they are closed."""
        try:
            self._control.record_disable_context(self._context)
            self._control.sync()
            self._thread.join(2)
            self._control.close()
        except Exception:  # noqa: BLE001  # the display is gone, and the thread with it
            return
