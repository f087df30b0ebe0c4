"""`run.py doctor`: can robots run on this PC? Each check says what it saw and what to do."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from commands.exit_codes import Exit
from commands.output import result, say, words

_ENOUGH_DISK = 2 * 1024**3
"""Bytes. A day's pictures of a busy robot are some 300 MB."""
_SAMPLE = "值守 Aa1，复电"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw. ``ok`` None: could not be checked here, which is no failure."""

    name: str
    ok: bool | None
    seen: str
    advice: str = ""


def check_python() -> Finding:
    good = sys.version_info >= (3, 11) and sys.maxsize > 2**32
    seen = f"{platform.python_version()} {platform.machine()} {platform.system()} {platform.release()}"
    return Finding(
        "Python", good, seen, "" if good else words("请安装 64 位 Python 3.11 或更新版本", "Install 64-bit Python 3.11+")
    )


def check_disk() -> Finding:
    import platformdirs

    folder = Path(platformdirs.user_state_dir("zhishou", appauthor=False))
    there = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(there).free
    seen = f"{folder}: {free / 1024**3:.1f} GB " + words("可用", "free")
    return Finding("disk", free > _ENOUGH_DISK, seen, "" if free > _ENOUGH_DISK else words("请清理磁盘", "Free some disk space"))


def check_dpi() -> Finding:
    from desktop import dpi

    reached = dpi.enable_awareness()
    good = reached in ("not needed", "per-monitor", "per-monitor v2")
    advice = words(
        "请在 python.exe 的兼容性设置中取消高 DPI 覆盖", "Remove the high-DPI override from python.exe's compatibility settings"
    )
    return Finding("DPI", good, reached, "" if good else advice)


def check_screen() -> Finding:
    """Grab works, is not black; size, scale and speed."""
    from desktop.health import check_frame
    from desktop.local import LocalDesktop

    with LocalDesktop(watch=False) as desktop:
        desktop.grab()
        start = time.perf_counter()
        frames = [desktop.grab() for _ in range(10)]
        milliseconds = (time.perf_counter() - start) * 100
        check_frame(frames[-1], desktop.size)
        size = f"{desktop.size[0]}×{desktop.size[1]}"
        return Finding("screen", True, f"{size}, {desktop.scale:.0%}, {milliseconds:.1f} ms " + words("每帧", "a frame"))


def check_clipboard() -> Finding:
    """A text put on the clipboard is read back; what was there returns."""
    if sys.platform == "win32":
        import pyperclip  # type: ignore[import-untyped]

        old = pyperclip.paste()
        pyperclip.copy(_SAMPLE)
        back = pyperclip.paste()
        pyperclip.copy(old)
    else:
        from desktop import x_clipboard

        display = os.environ["DISPLAY"]
        before = x_clipboard.current_text(display)
        x_clipboard.put_text(display, _SAMPLE)
        back = x_clipboard.current_text(display)
        x_clipboard.put_text(display, before or "")
    good = back == _SAMPLE
    advice = words("可能有剪贴板管理软件占用；可改用直接输入", "A clipboard manager may hold it; native typing works without")
    return Finding("clipboard", good, repr(back), "" if good else advice)


def check_typing() -> Finding:
    """Native typing into a small window of our own comes out exactly."""
    if importlib.util.find_spec("tkinter") is None:
        return Finding("typing", None, words("没有 tkinter，未检查", "no tkinter here; not checked"))
    import tkinter

    from desktop.local import LocalDesktop

    window = tkinter.Tk()
    window.title("Zhishou doctor")
    window.attributes("-topmost", True)
    entry = tkinter.Entry(window, width=40)
    entry.pack(padx=20, pady=20)

    def settle(seconds: float, done: Callable[[], bool]) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not done():
            window.update()
            time.sleep(0.01)

    try:
        window.update()
        entry.focus_force()
        settle(2, lambda: entry.focus_get() is entry)
        with LocalDesktop(watch=False, text_input="native") as desktop:
            settle(0.3, lambda: False)
            desktop.type_text(_SAMPLE)
            settle(2, lambda: entry.get() == _SAMPLE)
        got = entry.get()
    finally:
        window.destroy()
    advice = words(
        "请不要在检查时切换窗口；若仍不一致，请关闭输入法或安全软件的键盘保护后重试",
        "Do not switch windows during the check; if it still differs, close keyboard protection of security software",
    )
    return Finding("typing", got == _SAMPLE, repr(got), "" if got == _SAMPLE else advice)


def check_stop_key() -> Finding:
    """The listener for Ctrl+Shift+Q and for a person's hand starts and stops."""
    from desktop.local import LocalDesktop

    with LocalDesktop(watch=True) as desktop:
        desktop.clear_touch()
        return Finding("Ctrl+Shift+Q", True, words("监听正常", "listening works"))


def check_reading() -> Finding:
    """The recogniser's model is there and reads a number drawn here."""
    import cv2
    import numpy as np

    from vision import text

    picture = np.full((40, 240, 3), 255, np.uint8)
    cv2.putText(picture, "3301234567", (14, 29), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2, cv2.LINE_AA)
    start = time.perf_counter()
    reading = text.read([picture])[0]
    good = reading.text == "3301234567"
    advice = words("请重新安装：删除 .venv 后运行 run.py setup", "Install again: remove .venv and run run.py setup")
    return Finding("OCR", good, f"{reading.text!r}, {time.perf_counter() - start:.1f} s", "" if good else advice)


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": check_python,
    "disk": check_disk,
    "DPI": check_dpi,
    "screen": check_screen,
    "clipboard": check_clipboard,
    "typing": check_typing,
    "Ctrl+Shift+Q": check_stop_key,
    "OCR": check_reading,
}
_NEED_DISPLAY = {"screen", "clipboard", "typing", "Ctrl+Shift+Q"}


def run_check(name: str) -> Finding:
    """One check; whatever goes wrong in it is a finding."""
    if name in _NEED_DISPLAY and sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        missing = [p for p in ("Xvfb", "openbox", "chromium", "xclip") if not shutil.which(p)]
        if missing:
            return Finding(
                name, False, words("没有显示器，也没有虚拟屏：缺 ", "no display, nor a virtual one: missing ") + " ".join(missing)
            )
        return Finding(name, None, words("没有显示器；机器人将使用虚拟屏", "no display; robots will use a virtual one"))
    try:
        return CHECKS[name]()
    except Exception as error:  # noqa: BLE001  # a check that fails in whatever way is what doctor is for
        lines = str(error).splitlines() or [type(error).__name__]
        return Finding(name, False, f"{type(error).__name__}: {words(lines[0], lines[-1])}")


def command() -> Exit:
    """检查这台电脑能否运行机器人 / Check whether this PC can run robots."""
    findings = []
    for name in CHECKS:
        finding = run_check(name)
        findings.append(finding)
        mark = {True: "✓", False: "✗", None: "·"}[finding.ok]
        line = f"{mark} {finding.name:<14}{finding.seen}" + (f"\n  → {finding.advice}" if finding.advice else "")
        say(line, line)
    bad = [finding.name for finding in findings if finding.ok is False]
    say(
        "这台电脑可以运行机器人。" if not bad else f"需要处理：{', '.join(bad)}",
        "Robots can run on this PC." if not bad else f"To be mended: {', '.join(bad)}",
    )
    result({"ok": not bad, "checks": [asdict(finding) for finding in findings]})
    return Exit.OK if not bad else Exit.NOT_READY
