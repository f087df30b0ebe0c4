"""Mouse and keyboard of one display through pyautogui, with a memory of what is held down."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from typing import Any

from desktop import dpi
from desktop.base import Aborted, Button, DesktopError, NoDisplayError
from vision.frame import Point

BUTTONS: dict[Button, int] = {"left": 1, "middle": 2, "right": 3}
"""Button numbers of X, also used for Windows events."""

_WINDOWS_NOTCH = 120
"""WHEEL_DELTA: pyautogui hands the number to Windows as it is."""

_ARRIVAL = 1.0
"""Seconds. Usually the pointer is there at the first look; on a loaded machine it was seen 10 ms late, and a window manager that
grabs clicks holds the pointer back until it has caught up."""

_WINDOWS_KEYS = {"ctrl": 0x11, "shift": 0x10, "alt": 0x12, "winleft": 0x5B, "winright": 0x5C}
_WINDOWS_BUTTONS: dict[Button, int] = {"left": 0x01, "right": 0x02, "middle": 0x04}
"""Virtual key codes, for what is looked for at the start."""

_binding = threading.RLock()
"""pyautogui keeps one X connection for the whole process."""


def _import_pyautogui(display: str | None) -> Any:
    """Import pyautogui for ``display``. Late, because it needs a display, and without `mouseinfo`, which ends the process
    where tkinter is missing."""
    dpi.enable_awareness()
    if sys.platform.startswith("linux"):
        if not display:
            raise NoDisplayError(
                "没有显示器：环境变量 DISPLAY 未设置。可能是在纯命令行或服务里运行。请在桌面会话中运行，"
                "或用虚拟屏（desktop.virtual）。\n"
                "No display: DISPLAY is not set, probably a plain terminal or a service. Run it in a desktop session or "
                "on a virtual display."
            )
        os.environ["DISPLAY"] = display
        import Xlib.threaded  # noqa: F401  # gives python-xlib real locks; abort() comes from another thread
    sys.modules.setdefault("mouseinfo", None)  # type: ignore[arg-type]
    try:
        with warnings.catch_warnings():  # its source has an escape that Python 3.12 warns of
            warnings.simplefilter("ignore")
            import pyautogui
    except Exception as error:
        raise NoDisplayError(
            f"无法连接显示器 {display}：{error}。可能显示服务未启动或无权访问。请检查 DISPLAY。\n"
            f"Cannot open display {display}: {error}. The display server may be gone or refuse us. Check DISPLAY."
        ) from error
    pyautogui.PAUSE = 0
    return pyautogui


class Hands:
    """Sends single events and remembers what is down. Thread-safe; does not know about aborting.

    pyautogui binds its X connection when imported; this class rebinds it, so one process may use several displays one
    after the other (or even in turns, at the cost of nothing but clarity).
    """

    def __init__(self, display: str | None = None) -> None:
        self.display = display or os.environ.get("DISPLAY")
        self._gui = _import_pyautogui(self.display)
        self._held_keys: list[str] = []
        self._held_buttons: list[Button] = []
        self._place: Point | None = None
        """Where we put the pointer last. Buttons are pressed there, not where pyautogui believes the pointer to be: right after
        a move the X server may still report the old place, and pyautogui would move back to it and click there."""
        self._x: Any = None
        if sys.platform.startswith("linux"):
            self._x = self._connect()

    def _connect(self) -> Any:
        import Xlib.display

        try:
            return Xlib.display.Display(self.display)
        except Exception as error:
            raise NoDisplayError(
                f"无法连接显示器 {self.display}：{error}。可能显示服务未启动。请检查 DISPLAY。\n"
                f"Cannot open display {self.display}: {error}. The display server may be gone. Check DISPLAY."
            ) from error

    def _bound(self) -> Any:
        """pyautogui, talking to this display. Call with ``_binding`` held."""
        if self._x is not None:
            self._gui._pyautogui_x11._display = self._x
        return self._gui

    @property
    def held(self) -> tuple[tuple[str, ...], tuple[Button, ...]]:
        """(keys, buttons) that are down because of us."""
        return tuple(self._held_keys), tuple(self._held_buttons)

    def key_codes(self, key: str) -> list[int]:
        """Codes of the events that pressing ``key`` makes on X, in order; [] on Windows.

        Raises ValueError for an unknown name.
        """
        name = self.key_name(key)
        if self._x is None:
            return []
        mapping = self._gui._pyautogui_x11.keyboardMapping
        codes = [int(mapping[name])]
        if self._gui.isShiftCharacter(name):
            codes.insert(0, int(mapping["shift"]))
        return codes

    def key_name(self, key: str) -> str:
        """The name as pyautogui knows it. Raises ValueError for a name that no key of this keyboard has; pyautogui would
        ignore it silently."""
        name = key if len(key) == 1 else key.lower()
        if name not in self._gui.platformModule.keyboardMapping or not self._gui.platformModule.keyboardMapping[name]:
            raise ValueError(f"键盘上没有「{key}」键 / no key named {key!r} on this keyboard")
        return name

    def pointer(self) -> Point:
        with _binding:
            x, y = self._bound().position()
        return Point(int(x), int(y))

    def in_fail_safe_corner(self) -> bool:
        """Whether the pointer lies where pyautogui's fail-safe stops: a person throws the mouse into the corner."""
        return tuple(self.pointer()) in [tuple(p) for p in self._gui.FAILSAFE_POINTS]

    def _call(self, name: str, *args: Any, **kwargs: Any) -> None:
        with _binding:
            gui = self._bound()
            try:
                getattr(gui, name)(*args, _pause=False, **kwargs)
            except gui.FailSafeException as error:
                raise Aborted("鼠标被移到屏幕左上角，已中止 / the mouse was thrown into the top left corner: stopped") from error
            except Exception as error:
                raise NoDisplayError(
                    f"输入未能发出（{name}）：{error}。可能显示器已断开。\nInput not sent ({name}): {error}. The display "
                    "may be gone."
                ) from error

    def move(self, x: int, y: int) -> None:
        """Returns when the system reports the pointer there, or after a moment when a person is moving it elsewhere."""
        self._call("moveTo", x, y)
        self._place = Point(x, y)
        end = time.monotonic() + _ARRIVAL
        while self.pointer() != self._place and time.monotonic() < end:
            time.sleep(0.0005)

    def accept_place(self) -> Point:
        """Take the place where a person left the pointer as ours; returns it."""
        self._place = self.pointer()
        return self._place

    def _at(self) -> dict[str, int]:
        """The place of a button event, for pyautogui."""
        place = self._place or self.pointer()
        return {"x": place.x, "y": place.y}

    def button_down(self, button: Button) -> None:
        self._call("mouseDown", button=button, **self._at())
        if button not in self._held_buttons:
            self._held_buttons.append(button)

    def button_up(self, button: Button) -> None:
        self._call("mouseUp", button=button, **self._at())
        if button in self._held_buttons:
            self._held_buttons.remove(button)

    def scroll(self, notches: int, horizontal: bool) -> None:
        """Positive is down or right."""
        if sys.platform == "win32":
            amount = notches * _WINDOWS_NOTCH
            if horizontal:  # pyautogui has no horizontal wheel there
                dpi._windll().user32.mouse_event(0x1000, 0, 0, amount, 0)
            else:
                self._call("scroll", -amount, **self._at())
        elif horizontal:
            self._call("hscroll", notches, **self._at())
        else:
            self._call("scroll", -notches, **self._at())

    def key_down(self, key: str) -> None:
        name = self.key_name(key)
        self._call("keyDown", name)
        if name not in self._held_keys:
            self._held_keys.append(name)

    def key_up(self, key: str) -> None:
        name = self.key_name(key)
        self._call("keyUp", name)
        if name in self._held_keys:
            self._held_keys.remove(name)

    def release_all(self) -> None:
        """Everything that is down because of us goes up, the last pressed first; errors do not keep the rest down."""
        failed: list[str] = []
        with _binding:
            saved = self._gui.FAILSAFE
            self._gui.FAILSAFE = False  # a release must reach the screen even when a person holds the mouse in the corner
            try:
                for button in reversed(list(self._held_buttons)):
                    try:
                        self.button_up(button)
                    except DesktopError as error:
                        failed.append(str(error))
                for key in reversed(list(self._held_keys)):
                    try:
                        self.key_up(key)
                    except DesktopError as error:
                        failed.append(str(error))
            finally:
                self._gui.FAILSAFE = saved
        if failed:
            raise NoDisplayError("\n".join(failed))

    def drop_leftovers(self) -> list[str]:
        """Let go of keys and buttons that are down although this object pressed none: a robot that was killed between down and
        up leaves them so (measured on X). A button is let go where nothing is, so that the press it began comes to nothing.
        Returns what was down."""
        with _binding:
            keys, buttons = self._down_now()
            for key in keys:
                self._lift(key)
            if buttons:
                width, height = self._gui.size()
                self.move(width - 2, height // 2)
            for button in buttons:
                self._call("mouseUp", button=button, **self._at())
        return [*map(str, keys), *buttons]

    def _down_now(self) -> tuple[list[int | str], list[Button]]:
        """X: key codes; Windows: names of the modifiers."""
        if self._x is None:
            state = dpi._windll().user32.GetAsyncKeyState
            return (
                [name for name, code in _WINDOWS_KEYS.items() if state(code) & 0x8000],
                [name for name, code in _WINDOWS_BUTTONS.items() if state(code) & 0x8000],
            )
        map_ = self._x.query_keymap()
        mask = self._x.screen().root.query_pointer().mask
        down: list[int | str] = [code for code in range(8, 256) if map_[code // 8] >> (code % 8) & 1]
        return down, [name for name, number in BUTTONS.items() if mask >> (7 + number) & 1]

    def _lift(self, key: int | str) -> None:
        if isinstance(key, str):
            self._call("keyUp", key)
            return
        from Xlib import X
        from Xlib.ext import xtest

        xtest.fake_input(self._x, X.KeyRelease, key)
        self._x.sync()

    def screen_size(self) -> tuple[int, int] | None:
        """(width, height) of the whole X screen now; None on Windows."""
        if self._x is None:
            return None
        with _binding:
            try:
                geometry = self._x.screen().root.get_geometry()
            except Exception as error:
                raise NoDisplayError(
                    f"显示器 {self.display} 已断开：{error}。请检查桌面会话是否还在。\n"
                    f"Display {self.display} went away: {error}. Check that the desktop session still exists."
                ) from error
        return int(geometry.width), int(geometry.height)

    def resources(self) -> str:
        """The X server's RESOURCE_MANAGER text ('' where there is none)."""
        if self._x is None:
            return ""
        from Xlib import Xatom

        with _binding:
            value = self._x.screen().root.get_full_property(Xatom.RESOURCE_MANAGER, Xatom.STRING)
        if value is None:
            return ""
        return value.value.decode("latin-1") if isinstance(value.value, bytes) else str(value.value)

    def close(self) -> None:
        if self._x is not None:
            with _binding:
                self._x.close()
                if self._gui._pyautogui_x11._display is self._x:
                    self._gui._pyautogui_x11._display = None
