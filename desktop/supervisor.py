"""Keeps the processes of one virtual desktop, and takes them and their folders away when the one who asked is gone.

Runs as a process of its own (``python supervisor.py``; standard library only). It reads one JSON line with the plan from
stdin, writes a JSON line when the display stands, starts the programs at a second line and then waits: when stdin ends,
because the parent closed it or was killed in whatever way, everything below it is killed and the folder removed. The children
carry PR_SET_PDEATHSIG besides, in case the supervisor itself is killed.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_DISPLAY_TIMEOUT = 15.0
_PARENT_POLL = 0.25
"""Seconds. A fork of the parent may keep the pipe open, so its death is also noticed by a changed parent id."""

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _spawn(arguments: list[str], env: dict[str, str], log: Any, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent, **more
    )


def _start_display(plan: dict[str, Any], log: Any) -> tuple[subprocess.Popen[bytes], str]:
    """Xvfb on a free display number; returns it and ``:n``."""
    read_end, write_end = os.pipe()
    width, height = plan["size"]
    wanted = [plan["display"]] if plan.get("display") else ["-displayfd", str(write_end)]
    server = _spawn(
        ["Xvfb", *wanted, "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset", "-dpi", "96"],
        dict(os.environ),
        log,
        pass_fds=(write_end,),
    )
    os.close(write_end)
    if plan.get("display"):
        _wait_for_socket(plan["display"], server)
        return server, plan["display"]
    end = time.monotonic() + _DISPLAY_TIMEOUT
    digits = b""
    while not digits.endswith(b"\n"):
        ready, _, _ = select.select([read_end], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(read_end, 16) if ready else b""
        if not piece:
            raise RuntimeError(f"Xvfb gave no display number (exit code {server.poll()})")
        digits += piece
    os.close(read_end)
    return server, f":{int(digits)}"


def _wait_for_socket(display: str, server: subprocess.Popen[bytes]) -> None:
    path = Path(f"/tmp/.X11-unix/X{display.lstrip(':')}")
    end = time.monotonic() + _DISPLAY_TIMEOUT
    while not path.exists():
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Xvfb did not open display {display} (exit code {server.poll()}; is the number taken?)")
        time.sleep(0.02)


def _descendants() -> list[int]:
    """Process ids of everything below this process, from /proc; we are its subreaper, so orphans are below us too."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found = [os.getpid()]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found[1:]


def _kill_all() -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        below = _descendants()
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            if not below:
                return
        time.sleep(0.01)


def _remove_socket(number: str) -> None:
    """Remove what a killed Xvfb leaves in /tmp, unless another server took the number in the meantime."""
    path = Path(f"/tmp/.X11-unix/X{number}")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            Path(f"/tmp/.X{number}-lock").unlink(missing_ok=True)


def _wait_for_end(parent: int, server: subprocess.Popen[bytes]) -> None:
    """Returns when stdin ended, the parent is gone or the display died."""
    while os.getppid() == parent and server.poll() is None:
        ready, _, _ = select.select([sys.stdin.buffer], [], [], _PARENT_POLL)
        if ready and not os.read(sys.stdin.fileno(), 4096):
            return


def main() -> int:
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # Ctrl+C is the parent's business: it closes stdin
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    plan = json.loads(sys.stdin.buffer.readline())
    folder = Path(plan["folder"])
    display_lock: str | None = None
    try:
        with (folder / "log.txt").open("ab") as log:
            try:
                server, display = _start_display(plan, log)
                display_lock = display.lstrip(":")
                env = {**os.environ, **plan["env"], "DISPLAY": display}
                _spawn(plan["window_manager"], env, log)
            except (OSError, RuntimeError) as error:
                tail = (folder / "log.txt").read_text("utf-8", "replace")[-800:]
                print(json.dumps({"error": str(error), "log": tail}), flush=True)
                return 1
            print(json.dumps({"display": display, "server": server.pid}), flush=True)
            # The second line says that the window manager manages: a kiosk window that comes earlier stays too small.
            if sys.stdin.buffer.readline():
                for arguments in plan["programs"]:
                    _spawn(arguments, env, log)
                _wait_for_end(parent, server)
        return 0
    finally:
        _kill_all()
        shutil.rmtree(folder, ignore_errors=True)
        if display_lock:
            _remove_socket(display_lock)


if __name__ == "__main__":
    sys.exit(main())
