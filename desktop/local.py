"""The desktop of this PC, or of one X display: mss for the eyes, pyautogui and native text input for the hands."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Any, Literal

import cv2
import numpy as np

from desktop import dpi
from desktop.base import Aborted, Button, Clock, DesktopError, NoDisplayError
from desktop.clock import RealClock
from desktop.hands import BUTTONS, Hands
from desktop.health import check_size
from desktop.hotkey import Hotkey
from desktop.touch import InputEvent, TouchJudge
from vision.frame import Frame, Point

TextInput = Literal["clipboard", "native"]


class LocalDesktop:
    """A :class:`desktop.base.Desktop` on the primary monitor, in physical pixels.

    ``display``: X display (default: DISPLAY); ignored on Windows. ``scale``: display scale, where the system does not say.
    ``text_input``: how text that is no secret is typed: by pasting (fast, the old clipboard text comes back) or key by key.
    ``watch``: listen for a person's hand and for Ctrl+Shift+Q.
    Raises :class:`NoDisplayError` when there is no screen to work.
    """

    clock: Clock

    def __init__(
        self,
        display: str | None = None,
        *,
        scale: float | None = None,
        text_input: TextInput | None = None,
        watch: bool = True,
    ) -> None:
        dpi.enable_awareness()
        self._windows = sys.platform == "win32"
        self._hands = Hands(display)
        self.display = self._hands.display
        self._stop = threading.Event()
        self._input = threading.RLock()
        """Held for each single event, so that nothing can go down after abort() released everything."""
        self.clock = RealClock(self._stop)
        self._hands.drop_leftovers()
        self._eyes = self._open_eyes()
        self._monitor = dict(self._eyes.primary_monitor)
        self._origin = Point(int(self._monitor["left"]), int(self._monitor["top"]))
        self._size = (int(self._monitor["width"]), int(self._monitor["height"]))
        self._x_screen = self._hands.screen_size()
        self._scale = scale or dpi.system_scale(self._hands.resources())
        self._text_input: TextInput = text_input or ("native" if self._windows else "clipboard")
        self._typer: Any = None
        self._clipboard: Any = None
        self._judge = TouchJudge()
        self._hotkey = Hotkey(self.abort)
        self._events: Any = self._listen() if watch else None
        self._closed = False

    # ------------------------------------------------------------------ eyes
    def _open_eyes(self) -> Any:
        import mss

        try:
            return mss.MSS() if self._windows else mss.MSS(display=self.display)
        except mss.ScreenShotError as error:
            raise NoDisplayError(
                f"无法截取屏幕 {self.display or ''}：{error}。可能没有桌面会话。请在登录后的桌面中运行。\n"
                f"Cannot grab the screen {self.display or ''}: {error}. There may be no desktop session. Run it in one."
            ) from error

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in physical pixels when the desktop was opened."""
        return self._size

    @property
    def scale(self) -> float:
        return self._scale

    def grab(self) -> Frame:
        """The primary monitor now, without the pointer; contiguous BGR.

        Raises :class:`NoDisplayError` when it is gone, :class:`ResolutionChangedError` when its size is not that of the start.
        """
        import mss

        now_size = self._screen_now()
        if now_size is not None and now_size != (self._x_screen or self._size):
            check_size(now_size, self._x_screen or self._size)
        try:
            shot = self._eyes.grab(self._monitor)
        except mss.ScreenShotError as error:
            raise NoDisplayError(
                f"截屏失败：{error}。可能屏幕已锁定、远程桌面已断开或显示器已关闭。请解锁或保持会话打开。\n"
                f"Grabbing failed: {error}. The screen may be locked, the remote session closed or the display off. "
                "Unlock it or keep it open."
            ) from error
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        check_size((shot.width, shot.height), self._size)
        return Frame(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), self.clock.now(), self._scale)  # type: ignore[arg-type,unused-ignore]

    def _screen_now(self) -> tuple[int, int] | None:
        if self._windows:
            metrics = dpi._windll().user32.GetSystemMetrics
            return int(metrics(0)), int(metrics(1))
        return self._hands.screen_size()

    # ----------------------------------------------------------------- mouse
    def pointer(self) -> Point:
        at = self._hands.pointer()
        return Point(at.x - self._origin.x, at.y - self._origin.y)

    def _before_input(self) -> None:
        """Call with ``_input`` held, right before an event leaves."""
        if self._stop.is_set():
            raise Aborted("已中止 / stopped")
        if self._closed:
            raise DesktopError("桌面已关闭 / this desktop is closed")

    def _guard(self) -> None:
        """As :meth:`_before_input`, and a person who throws the mouse into the corner stops the run."""
        self._before_input()
        if self._hands.in_fail_safe_corner():
            self.abort()
            raise Aborted("鼠标被移到屏幕左上角，已中止 / the mouse was thrown into the top left corner: stopped")

    def move(self, x: int, y: int) -> None:
        """Put the pointer there at once. (0, 0) itself means «stop» to a person, so the robot goes to the pixel beside it."""
        width, height = self._size
        x, y = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
        goal = Point(x + self._origin.x, y + self._origin.y)
        if goal == (0, 0):
            goal = Point(1, 1)
        with self._input:
            self._guard()
            self._judge.expect_move(*goal)
            self._hands.move(*goal)

    def button_down(self, button: Button = "left") -> None:
        with self._input:
            self._guard()
            self._expect_button(BUTTONS[button], True)
            self._hands.button_down(button)

    def button_up(self, button: Button = "left") -> None:
        with self._input:
            self._guard()
            self._expect_button(BUTTONS[button], False)
            self._hands.button_up(button)

    def _expect_button(self, number: int, down: bool) -> None:
        # Every button event comes with a move to where the pointer is meant to be.
        if self._judge.last_place is None:
            self._judge.expect_move(*self._hands.accept_place())
        self._judge.expect("button", number, down)

    def scroll(self, notches: int, horizontal: bool = False) -> None:
        """Turn the wheel; positive is down or right."""
        number = (7 if notches > 0 else 6) if horizontal else (5 if notches > 0 else 4)
        for _ in range(abs(notches)):
            with self._input:
                self._guard()
                self._expect_button(number, True)
                self._judge.expect("button", number, False)
                self._hands.scroll(1 if notches > 0 else -1, horizontal)

    # -------------------------------------------------------------- keyboard
    def key_down(self, key: str) -> None:
        """Raises ValueError for a key name that this keyboard does not have."""
        with self._input:
            self._guard()
            codes = self._hands.key_codes(key)
            for code in codes:
                self._judge.expect("key", code, True)
            if len(codes) == 2:  # pyautogui lets Shift go at once
                self._judge.expect("key", codes[0], False)
            self._hands.key_down(key)

    def key_up(self, key: str) -> None:
        with self._input:
            self._guard()
            codes = self._hands.key_codes(key)
            if codes:
                self._judge.expect("key", codes[-1], False)
            self._hands.key_up(key)

    def type_text(self, text: str, *, secret: bool = False) -> None:
        """Type ``text`` exactly, Chinese too. A secret goes key by key and never touches the clipboard.

        Raises :class:`TextNotTakenError` when pasting and nothing picked the text up.
        """
        if not text:
            return
        if secret or self._text_input == "native":
            self._type_native(text)
        else:
            self._paste(text)

    def _type_native(self, text: str) -> None:
        def before() -> None:
            with self._input:
                self._guard()

        if self._typer is None:
            if self._windows:
                from desktop.win_input import WindowsTyper

                self._typer = WindowsTyper()
            else:
                from desktop.x_keys import XTyper

                self._typer = XTyper(str(self.display))
        self._typer.type(text, before, lambda code, down: self._judge.expect("key", code, down))

    def _paste(self, text: str) -> None:
        def press() -> None:
            self.key_down("ctrl")
            try:
                self.key_down("v")
                self.key_up("v")
            finally:
                if not self._stop.is_set():
                    self.key_up("ctrl")

        if self._clipboard is None:
            if self._windows:
                from desktop.win_input import WindowsClipboard

                self._clipboard = WindowsClipboard()
            else:
                from desktop.x_clipboard import Clipboard

                self._clipboard = Clipboard(str(self.display))
        self._clipboard.paste(text, press)

    # ------------------------------------------------------- person and stop
    def _listen(self) -> Any:
        if self._windows:
            from desktop.pynput_events import PynputEvents

            return PynputEvents(self._saw)
        from desktop.x_events import XEvents

        return XEvents(str(self.display), self._saw)

    def _saw(self, event: InputEvent) -> None:
        person = self._judge.saw(event)
        self._hotkey.saw(event, person)

    def touched(self) -> bool:
        """Whether a person moved the mouse or pressed a key since :meth:`clear_touch`. Never raises."""
        if self._judge.touched:
            return True
        # Any place of the robot's own will do: while a window manager holds the pointer back, it still lies at an earlier one.
        if not self._judge.put(self._hands.pointer()):
            self._judge.mark()
        return self._judge.touched

    def clear_touch(self) -> None:
        """Forget what a person did; the pointer may stay where the person left it."""
        with self._input:
            at = self._hands.accept_place()
            self._judge.clear((at.x, at.y))

    def abort(self) -> None:
        """Stop from any thread: the next input or sleep raises :class:`Aborted`; keys and buttons go up now."""
        self._stop.set()
        self.release_all()

    @property
    def aborted(self) -> bool:
        return self._stop.is_set()

    def resume(self) -> None:
        """Take a stop back, for the next run on the same desktop."""
        self._stop.clear()

    def release_all(self) -> None:
        """Every key and button that this desktop pressed goes up."""
        with self._input:
            keys, buttons = self._hands.held
            for key in keys:
                codes = self._hands.key_codes(key)
                if codes:
                    self._judge.expect("key", codes[-1], False)
            for button in buttons:
                self._expect_button(BUTTONS[button], False)
            self._hands.release_all()

    def close(self) -> None:
        """Release everything and let go of the screen. May be called twice."""
        if self._closed:
            return
        with contextlib.suppress(NoDisplayError):  # the screen is gone, and nothing is held on it
            self.release_all()
        self._closed = True
        for part in (self._typer, self._clipboard):
            if part is not None:
                part.close()
        if self._events is not None:
            self._events.stop()
        self._eyes.close()
        self._hands.close()

    def __enter__(self) -> LocalDesktop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def wait_still(desktop: LocalDesktop, quiet: float = 0.3, timeout: float = 10.0) -> bool:
    """Poll until no pixel changed for ``quiet`` seconds; False when ``timeout`` passed first."""
    end = time.monotonic() + timeout
    last, since = desktop.grab().image, time.monotonic()
    while time.monotonic() < end:
        desktop.clock.sleep(0.05)
        image = desktop.grab().image
        if not np.array_equal(image, last):
            last, since = image, time.monotonic()
        elif time.monotonic() - since >= quiet:
            return True
    return False
