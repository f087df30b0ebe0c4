"""One robot for each desktop: a lock file that the operating system lets go when its holder ends, however it ends."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

import platformdirs

from desktop.base import DesktopBusyError


def desktop_name(display: str | None = None) -> str:
    """What tells one desktop from another on this PC: the X display, or the Windows session."""
    if sys.platform == "win32":
        return f"session-{os.environ.get('SESSIONNAME', 'console')}-{os.environ.get('USERNAME', '')}"
    shown = display or os.environ.get("DISPLAY") or "none"
    return shown.split(".")[0] if ":" in shown else shown  # :1 and :1.0 are one


class DesktopLock:
    """Context manager around a run. Raises :class:`DesktopBusyError` naming the process that holds the desktop.

    ``folder``: where the lock files lie (default: the user's state folder).
    """

    def __init__(self, display: str | None = None, folder: Path | None = None) -> None:
        self.name = desktop_name(display)
        folder = folder or Path(platformdirs.user_state_dir("zhishou", appauthor=False)) / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", self.name)
        self._path = folder / f"desktop-{safe}.lock"
        self._owner_path = folder / f"desktop-{safe}.pid"
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        file = self._path.open("ab")
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise self._busy() from error
        self._file = file
        self._owner_path.write_text(str(os.getpid()), "ascii")

    def _busy(self) -> DesktopBusyError:
        try:
            owner = self._owner_path.read_text("ascii").strip()
        except OSError:
            owner = "?"
        return DesktopBusyError(
            f"桌面 {self.name} 正由另一个机器人使用（进程 {owner}）。一个桌面同时只能运行一个机器人。请等它结束，或按 "
            "Ctrl+Shift+Q 停止它。\n"
            f"Desktop {self.name} is worked by another robot (process {owner}). One desktop takes one robot at a time. "
            "Wait for it, or stop it "
            "with Ctrl+Shift+Q."
        )

    def release(self) -> None:
        """Let go; may be called twice."""
        if self._file is None:
            return
        self._owner_path.unlink(missing_ok=True)
        _unlock(self._file)
        self._file.close()
        self._file = None

    def __enter__(self) -> DesktopLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
