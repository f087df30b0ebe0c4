"""One robot per desktop and per ledger: a lock that the operating system lets go of when the process ends, however it ends."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from control.errors import Explanation, RobotBusyError


def desktop_lock_path(desktop: str) -> Path:
    """The lock file of a desktop (``:0``, a VNC address), the same for every program of this machine."""
    return Path(tempfile.gettempdir()) / f"zhishou-desktop-{re.sub(r'[^A-Za-z0-9]+', '_', desktop) or 'local'}.lock"


def ledger_lock_path(ledger: Path) -> Path:
    """The lock file beside a ledger."""
    return ledger.with_name(ledger.name + ".lock")


class RobotLock:
    """Holds all of ``paths`` from ``with`` to the end of it; :class:`RobotBusyError` names the process that has one of them.

    The files stay; only the lock on them counts, so nothing is left to clean up after a kill.
    """

    def __init__(self, paths: Iterable[Path], robot: str = "robot") -> None:
        self._paths, self._robot = list(paths), robot
        self._held: list[int] = []

    def __enter__(self) -> RobotLock:
        try:
            for path in self._paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._held.append(_acquire(path, self._robot))
        except BaseException:
            self.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Let go; may be called twice."""
        while self._held:
            os.close(self._held.pop())


def _acquire(path: Path, robot: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)
    except OSError:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise _busy(path, *holder) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {robot}\n".encode(), 0) if hasattr(os, "pwrite") else os.write(
        descriptor, f"{os.getpid()} {robot}\n".encode()
    )
    return descriptor


if sys.platform == "win32":  # pragma: no cover - the project's machines run Linux
    import msvcrt

    _FAR = 1 << 30
    """The locked byte lies far behind the text: on Windows a locked byte cannot be read by others."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(descriptor: int) -> tuple[int | None, str]:
    with suppress(OSError, ValueError, IndexError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        pid, _, robot = os.read(descriptor, 200).decode("utf-8", "replace").strip().partition(" ")
        return int(pid), robot
    return None, ""


def _busy(path: Path, pid: int | None, robot: str) -> RobotBusyError:
    who = f"{robot or '?'}, PID {pid or '?'}"
    return RobotBusyError(
        Explanation(
            f"另一个机器人正在使用该桌面或账本（{who}；锁 {path}）",
            "上一次运行还没有结束，或有人同时启动了两个机器人",
            f"等它结束，或按 Ctrl+Shift+Q 停止它；确认进程 {pid or '?'} 已不存在后再启动",
        ),
        Explanation(
            f"Another robot uses this desktop or ledger ({who}; lock {path})",
            "the last run has not ended, or two robots were started",
            f"wait for it, or stop it with Ctrl+Shift+Q; start again when process {pid or '?'} is gone",
        ),
        pid,
    )
