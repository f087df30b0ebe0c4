"""Is the screen fit to be worked? A black frame or another size is said, not guessed at."""

from __future__ import annotations

import numpy as np

from desktop.base import BlackScreenError, ResolutionChangedError
from vision.frame import Frame

_BLACK = 8
"""Brightest value of a frame that counts as black. Locked Windows sessions and closed RDP windows give exactly 0; remote
displays add a little noise."""
_STEP = 4
"""Every 4th pixel of every 4th row: 0.3 ms at 1080p, and a line of text still shows."""


def is_black(frame: Frame) -> bool:
    """Whether the frame shows nothing at all."""
    return not frame.image.size or int(np.max(frame.image[::_STEP, ::_STEP])) < _BLACK


def check_size(seen: tuple[int, int], expected: tuple[int, int]) -> None:
    """Raises :class:`ResolutionChangedError` when the two (width, height) differ."""
    if seen != expected:
        raise ResolutionChangedError(
            f"屏幕分辨率变了：开始时 {expected[0]}×{expected[1]}，现在 {seen[0]}×{seen[1]}。可能有人改了显示设置，"
            "或远程桌面以另一窗口大小重新连接。"
            "请恢复原分辨率后重新运行。\n"
            f"The screen's size changed: {expected[0]}×{expected[1]} at the start, {seen[0]}×{seen[1]} now. Someone may "
            "have changed the "
            "display settings or reconnected the remote desktop in another size. Restore it and run again."
        )


def check_frame(frame: Frame, size: tuple[int, int] | None = None) -> None:
    """Raises :class:`BlackScreenError` or, where ``size`` (that of the start) is given, :class:`ResolutionChangedError`."""
    if size is not None:
        check_size(frame.size, size)
    if is_black(frame):
        raise BlackScreenError(
            f"画面全黑（{frame.width}×{frame.height}）。可能屏幕已锁定、远程桌面窗口已关闭或最小化、显示器休眠，或正显示 "
            "UAC 安全桌面。"
            "请解锁并保持会话打开；无人值守的电脑请关闭自动锁屏和休眠。\n"
            f"The frame is all black ({frame.width}×{frame.height}). The screen may be locked, the remote window closed "
            "or minimised, the "
            "display asleep, or the UAC desktop showing. Unlock it and keep the session open; switch automatic locking "
            "and sleep off."
        )
