"""Physical pixels on Windows, and the display scale that the system reports."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from typing import Any

_PER_MONITOR_AWARE_V2 = -4
"""DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2, Windows 10 1703 and later."""


def _windll() -> Any:
    return ctypes.windll  # type: ignore[attr-defined,unused-ignore]


def enable_awareness() -> str:
    """Make this process see physical pixels; returns what was reached, for `doctor`.

    Must run before anything touches the screen: `pyautogui` makes the process system-aware when imported, and the first
    call wins. Elsewhere than on Windows pixels are physical anyway.
    """
    if sys.platform != "win32":
        return "not needed"
    libraries = _windll()
    try:
        if libraries.user32.SetProcessDpiAwarenessContext(ctypes.c_void_p(_PER_MONITOR_AWARE_V2)):
            return "per-monitor v2"
    except AttributeError:
        pass  # before Windows 10 1703
    try:
        if libraries.shcore.SetProcessDpiAwareness(2) == 0:
            return "per-monitor"
    except (AttributeError, OSError):
        pass  # before Windows 8.1
    return awareness()


def awareness() -> str:
    """What this process has, whoever set it."""
    if sys.platform != "win32":
        return "not needed"
    libraries = _windll()
    try:
        value = ctypes.c_int()
        libraries.shcore.GetProcessDpiAwareness(0, ctypes.byref(value))
        return {0: "unaware", 1: "system", 2: "per-monitor"}.get(value.value, str(value.value))
    except (AttributeError, OSError):
        return "system" if libraries.user32.IsProcessDPIAware() else "unaware"


def scale_from_environment() -> float | None:
    """``ZHISHOU_SCALE`` (1.25, or 125 or 125%); None when it is not set. Raises ValueError naming the value."""
    text = os.environ.get("ZHISHOU_SCALE", "").strip()
    if not text:
        return None
    try:
        value = float(text.rstrip("%"))
    except ValueError:
        value = 0.0
    if value > 10:
        value /= 100
    if not 0.5 <= value <= 5:
        raise ValueError(
            f"ZHISHOU_SCALE={text!r}: 应为 1、1.25、1.5 或 125% 这样的数 / expected a number like 1, 1.25, 1.5 or 125%"
        )
    return value


def system_scale(x_resources: str = "") -> float:
    """Display scale of the primary monitor: ``ZHISHOU_SCALE``, else what Windows or ``Xft.dpi`` says, else 1.0.

    ``x_resources`` is the text of the X server's RESOURCE_MANAGER property.
    """
    given = scale_from_environment()
    if given is not None:
        return given
    if sys.platform == "win32":
        dpi = int(_windll().user32.GetDpiForSystem())
        return dpi / 96 if dpi else 1.0
    found = re.search(r"^\s*Xft\.dpi\s*:\s*([0-9.]+)", x_resources, re.MULTILINE)
    return float(found.group(1)) / 96 if found else 1.0
