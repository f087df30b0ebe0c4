"""One session of robot 1 with the stand-ins: what the reconnect, crash and memory benchmarks have in common."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commands.standin import ACCOUNTS

ROOT = Path(__file__).resolve().parent.parent
FULL_WAIT = 300.0
"""Seconds between the two readings of a meter in the field; shortened by the same factor as the stand-ins' own times."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one session looks like."""

    version: str
    scale: float
    seed: int
    orders: int = 20
    faults: str = "all"
    factor: float = 0.1
    """How fast time passes for the stand-ins."""

    @property
    def name(self) -> str:
        return f"{self.version}-{round(self.scale * 100)}-{self.seed}-{self.orders}"

    def dump(self) -> str:
        """For a worker's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Cell:
        return cls(**json.loads(text))


def work(
    cell: Cell,
    desktop: Any,
    state: Path,
    run: str,
    *,
    display: str,
    insist: bool = False,
    watcher: Any = None,
) -> Any:
    """Run (or resume) robot 1 on a desktop; returns its :class:`control.work.Result`."""
    from anchors.store import Library
    from bots.reconnect.settings import ReconnectSettings
    from control.runs import open_run
    from control.seal import VaultSealer
    from control.vault import open_vault
    from control.work import run_reconnect

    libraries = {system: Library.open(system, cell.version) for system in ("marketing", "collection")}
    vault = open_vault(state, {**os.environ, **ACCOUNTS})
    return run_reconnect(
        desktop,
        libraries,
        ReconnectSettings(second_reading_after=FULL_WAIT * cell.factor),
        vault,
        VaultSealer(vault),
        state / "zhishou.db",
        open_run(state, run),
        desktop_name=display,
        watcher=watcher,
        insist=insist,
    )


def resident_mb() -> float:
    """Memory of this process that is in RAM, in MB (Linux)."""
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Memory:
    """Samples of this process's memory while a block runs."""

    def __init__(self, every: float = 0.5) -> None:
        self._every = every
        self._stop = threading.Event()
        self.samples: list[float] = []
        """MB, one each `every` seconds."""

    @property
    def peak(self) -> float:
        return max(self.samples, default=resident_mb())

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.samples.append(resident_mb())
            self._stop.wait(self._every)

    @contextmanager
    def watching(self) -> Iterator[Memory]:
        thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()
