"""A desktop of our own: an X display without a screen, a window manager and a full-screen browser.

One display for each process is the usual way; several one after the other work too. Linux only.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop import browser
from desktop.base import DesktopError, NoDisplayError
from desktop.local import LocalDesktop, TextInput
from vision.frame import Image

_MARK = (255, 0, 254)
"""Colour (R, G, B) of the empty screen. No page has it, so a covered screen is told from an uncovered one by its pixels."""
_QUIET = 0.25
"""Seconds without a changed pixel that count as loaded."""
_LIVELY = 3.0
"""Seconds after which a covered screen that keeps changing (a clock, an animation) counts as loaded."""
_PREFIX = "zhishou-desk-"
_OPENBOX = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <desktops><number>1</number></desktops>
  <keyboard></keyboard>
  <mouse></mouse>
</openbox_config>
"""
"""No bindings: by default openbox grabs every click and freezes the pointer until it has looked at it, and takes Alt+Tab and
others away from the client. New windows get the focus without that."""


class VirtualDesktop:
    """Context manager: starts everything, waits until the page is painted, hands out :attr:`desktop`.

    ``size`` in physical pixels; ``scale`` the browser's device scale; ``urls`` become tabs of one kiosk browser (Ctrl+Tab
    switches; none: an empty screen); ``downloads`` where the browser saves files (default: a folder that goes away with the
    display); ``display`` a fixed X display such as ``:84`` (default: a free one). When this process ends in whatever way,
    killed too, the browser, the display and their folders go with it.
    Raises :class:`NoDisplayError` saying what is missing.
    """

    def __init__(
        self,
        size: tuple[int, int] = (1920, 1080),
        scale: float = 1.0,
        urls: Sequence[str] = (),
        *,
        downloads: Path | None = None,
        display: str | None = None,
        text_input: TextInput | None = None,
        watch: bool = True,
        timeout: float = 30.0,
    ) -> None:
        self._size = size
        self._scale = scale
        self._urls = list(urls)
        self._wanted_display = display
        self._text_input: TextInput | None = text_input
        self._watch = watch
        self._timeout = timeout
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._desktop: LocalDesktop | None = None
        self._downloads = downloads
        self.folder = Path()
        self.display = ""

    @property
    def desktop(self) -> LocalDesktop:
        """The eyes and hands on this display."""
        if self._desktop is None:
            raise DesktopError("虚拟屏尚未启动 / the virtual display is not started")
        return self._desktop

    @property
    def downloads(self) -> Path:
        """Where the browser saves files."""
        return self._downloads or self.folder / "downloads"

    def start(self) -> LocalDesktop:
        _check_programs(bool(self._urls))
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        try:
            self.display = self._start_supervisor()
            _prepare_screen(self.display, self._timeout)
            self._start_programs()
            self._desktop = LocalDesktop(self.display, scale=self._scale, text_input=self._text_input, watch=self._watch)
            if self._urls:
                self._wait_painted()
                _wait_focused(self.display, self._timeout)
            self._desktop.clear_touch()
        except BaseException:
            self.close()
            raise
        return self._desktop

    def _start_supervisor(self) -> str:
        self.downloads.mkdir(parents=True, exist_ok=True)
        profile = self.folder / "profile"
        browser.write_profile(profile, self.downloads)
        fonts = self.folder / "fonts.conf"
        browser.write_font_configuration(fonts)
        window_manager = self.folder / "openbox.xml"
        window_manager.write_text(_OPENBOX, "utf-8")
        programs: list[list[str]] = []
        if self._urls:
            programs.append(browser.chromium_arguments(self._urls, profile, self._size, self._scale))
        plan = {
            "folder": str(self.folder),
            "size": self._size,
            "display": self._wanted_display,
            "env": {
                "FONTCONFIG_FILE": str(fonts),
                # Every Debian has this one; with a locale that is not installed, downloads with Chinese names are lost.
                "LC_ALL": "C.UTF-8",
                "LANG": "C.UTF-8",
                "LANGUAGE": "zh_CN:zh",
                "XDG_CONFIG_HOME": str(self.folder / "config"),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "XDG_RUNTIME_DIR": str(self.folder),
                "DBUS_SESSION_BUS_ADDRESS": "disabled:",
                "NO_AT_BRIDGE": "1",
            },
            "window_manager": ["openbox", "--sm-disable", "--config-file", str(window_manager)],
            "programs": programs,
        }
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C in a terminal must not kill the browser under a run that is winding up
        )
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.write(json.dumps(plan).encode() + b"\n")
        self._supervisor.stdin.flush()
        answer = self._read_answer()
        if "display" not in answer:
            raise NoDisplayError(
                f"虚拟屏未能启动：{answer.get('error')}。{answer.get('log', '')}\n"
                f"The virtual display did not start: {answer.get('error')}. Run `python3 run.py doctor`."
            )
        return str(answer["display"])

    def _start_programs(self) -> None:
        assert self._supervisor is not None and self._supervisor.stdin is not None
        self._supervisor.stdin.write(b"start\n")
        self._supervisor.stdin.flush()

    def _read_answer(self) -> dict[str, Any]:
        assert self._supervisor is not None and self._supervisor.stdout is not None
        ready, _, _ = select.select([self._supervisor.stdout], [], [], self._timeout)
        line = self._supervisor.stdout.readline() if ready else b""
        if not line:
            return {"error": f"no answer within {self._timeout:g} s"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _wait_painted(self) -> None:
        """Until the page covers the whole screen and is still."""
        desktop = self.desktop
        end = time.monotonic() + self._timeout
        last: Image | None = None
        covered_since = still_since = time.monotonic()
        while time.monotonic() < end:
            image = desktop.grab().image
            now = time.monotonic()
            if not _covered(image):
                last, covered_since = None, now
            elif last is None or not np.array_equal(image, last):
                last, still_since = image, now
            if last is not None and not _blank(image) and (now - still_since >= _QUIET or now - covered_since >= _LIVELY):
                return
            desktop.clock.sleep(0.03)
        if last is not None:
            return  # covered by a page of a single colour
        raise NoDisplayError(
            f"浏览器在 {self._timeout:g} 秒内没有全屏显示页面。可能 chromium 未能启动。日志：{self._log_tail()}\n"
            f"The browser did not show a full-screen page within {self._timeout:g} s; chromium may not have started. See "
            "the log above."
        )

    def _log_tail(self) -> str:
        try:
            return (self.folder / "log.txt").read_text("utf-8", "replace")[-600:]
        except OSError:
            return ""

    def close(self) -> None:
        """End everything; returns when the processes and the folder are gone."""
        if self._desktop is not None:
            self._desktop.close()
            self._desktop = None
        if self._supervisor is not None:
            assert self._supervisor.stdin is not None and self._supervisor.stdout is not None
            self._supervisor.stdin.close()
            try:
                self._supervisor.wait(8)
            except subprocess.TimeoutExpired:
                self._supervisor.kill()
                self._supervisor.wait()
            self._supervisor.stdout.close()
            self._supervisor = None
        shutil.rmtree(self.folder, ignore_errors=True) if self.folder.name.startswith(_PREFIX) else None

    def __enter__(self) -> VirtualDesktop:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_virtual(
    size: tuple[int, int] = (1920, 1080), scale: float = 1.0, urls: Sequence[str] = (), **options: Any
) -> VirtualDesktop:
    """A started :class:`VirtualDesktop`; the caller closes it."""
    virtual = VirtualDesktop(size, scale, urls, **options)
    virtual.start()
    return virtual


def _prepare_screen(display: str, timeout: float) -> None:
    """Give the empty screen the mark's colour (the server keeps it: -noreset) and wait until the window manager manages."""
    import Xlib.display
    from Xlib import Xatom

    x = Xlib.display.Display(display)
    root = x.screen().root
    red, green, blue = _MARK
    root.change_attributes(background_pixel=red << 16 | green << 8 | blue)
    root.clear_area(0, 0, 0, 0)
    sign = x.intern_atom("_NET_SUPPORTING_WM_CHECK")
    end = time.monotonic() + timeout
    while root.get_full_property(sign, Xatom.WINDOW) is None:
        if time.monotonic() > end:
            raise NoDisplayError(
                f"窗口管理器 openbox 在 {timeout:g} 秒内未启动。请运行 python3 run.py doctor。\n"
                f"The window manager openbox did not start within {timeout:g} s. Run python3 run.py doctor."
            )
        time.sleep(0.01)
    x.close()


def _wait_focused(display: str, timeout: float) -> None:
    """Until a window has the keyboard; the window manager gives it a moment after the window is painted."""
    import Xlib.display

    x = Xlib.display.Display(display)
    root = x.screen().root
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        focus = x.get_input_focus().focus  # 0 none, 1 wherever the pointer is, else a window
        if not isinstance(focus, int) and focus.id != root.id and (focus.get_wm_class() or focus.query_tree().parent != root):
            x.close()
            return
        time.sleep(0.02)
    x.close()
    raise NoDisplayError(
        f"浏览器窗口在 {timeout:g} 秒内没有获得键盘焦点。可能窗口管理器未启动。请运行 python3 run.py doctor。\n"
        f"The browser's window did not get the keyboard within {timeout:g} s; the window manager may not have started. "
        "Run python3 run.py doctor."
    )


def _covered(image: Image) -> bool:
    """Whether no pixel on the four edges shows the empty screen's colour, or the black from before it was painted."""
    mark = np.array(_MARK[::-1], np.uint8)
    edges = (image[0], image[-1], image[:, 0], image[:, -1])
    return not any(bool((edge == mark).all(axis=1).any()) for edge in edges) and int(image[::8, ::8].max()) > 0


def _blank(image: Image) -> bool:
    """Whether the screen has one colour only, as before the first paint of a page."""
    return bool((image[::4, ::4] == image[0, 0]).all())


def _check_programs(with_browser: bool) -> None:
    needed = {"Xvfb": "xvfb", "openbox": "openbox", "xclip": "xclip"} | ({"chromium": "chromium"} if with_browser else {})
    missing = [package for program, package in needed.items() if not shutil.which(program)]
    if missing:
        names = " ".join(missing)
        raise NoDisplayError(
            f"缺少系统软件包：{names}。请以 root 运行：apt-get install -y --no-install-recommends {names}\n"
            f"System packages are missing: {names}. As root: apt-get install -y --no-install-recommends {names}"
        )


def _sweep() -> None:
    """Remove folders of displays whose process and supervisor were killed together."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)
