"""A person's hand in a test: events on an X display that the robot did not announce."""

from __future__ import annotations

from typing import Any


class Hand:
    """Sends events over a connection of its own."""

    def __init__(self, display: str) -> None:
        from Xlib.display import Display

        self._x = Display(display)

    def _send(self, kind: int, detail: int = 0, **more: Any) -> None:
        from Xlib.ext.xtest import fake_input

        fake_input(self._x, kind, detail, **more)
        self._x.sync()

    def move(self, x: int, y: int) -> None:
        from Xlib import X

        self._send(X.MotionNotify, x=x, y=y)

    def key(self, *names: str) -> None:
        """Press the keys in this order and release them in reverse: ``key("Control_L", "Shift_L", "q")``."""
        self.down(*names)
        self.up(*names)

    def _code(self, name: str) -> int:
        from Xlib import XK

        return int(self._x.keysym_to_keycode(XK.string_to_keysym(name)))

    def down(self, *names: str) -> None:
        from Xlib import X

        for name in names:
            self._send(X.KeyPress, self._code(name))

    def up(self, *names: str) -> None:
        from Xlib import X

        for name in reversed(names):
            self._send(X.KeyRelease, self._code(name))

    def state(self) -> tuple[set[int], bool]:
        """(keycodes that are down, whether any button is down), as the X server sees it."""
        keymap = self._x.query_keymap()
        down = {8 * i + bit for i, byte in enumerate(keymap) for bit in range(8) if byte >> bit & 1}
        buttons = bool(self._x.screen().root.query_pointer().mask & 0x1F00)
        return down, buttons

    def resize(self, width: int, height: int) -> None:
        """Give the screen a smaller resolution, as a remote desktop that is reconnected in another window does."""
        from Xlib.ext import randr

        root = self._x.screen().root
        resources = randr.get_screen_resources(root)
        randr.set_crtc_config(self._x, resources.crtcs[0], resources.config_timestamp, 0, 0, 0, 1, [])
        root.xrandr_set_screen_size(width, height, 300, 200)
        self._x.sync()

    def close(self) -> None:
        self._x.close()
