"""The stand-in clients as a process of their own, for the demo and the benchmarks. They are reached only through a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ACCOUNTS = {
    "ZHISHOU_SECRET_MARKETING_OPERATOR": "Fk#2026zb",
    "ZHISHOU_SECRET_MARKETING_TEXTER": "Dx#2026fs",
    "ZHISHOU_SECRET_COLLECTION_READER": "Cj#2026dc",
}
"""Log-ins of the stand-ins, made up; real ones are in the vault and nowhere else."""


class StandInError(RuntimeError):
    """The stand-in clients did not start."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Running stand-ins."""

    marketing: str
    """URL."""
    collection: str
    database: Path
    """Their own truth: nothing that decides may look into it."""

    @property
    def urls(self) -> list[str]:
        return [self.marketing, self.collection]


@contextmanager
def stand_in(
    version: str,
    *,
    seed: int = 1,
    orders: int = 20,
    faults: str = "none",
    time_factor: float = 1.0,
    database: Path | None = None,
    control: bool = False,
    ports: tuple[int, int] = (0, 0),
) -> Iterator[StandIn]:
    """Start both clients in one version; they end with the block, or with this process."""
    with tempfile.TemporaryDirectory(prefix="zhishou-standin-") as folder:
        path = database or Path(folder) / "truth.db"
        options = {
            "--version": version,
            "--seed": seed,
            "--orders": orders,
            "--faults": faults,
            "--time-factor": time_factor,
            "--database": path,
            "--marketing-port": ports[0],
            "--collection-port": ports[1],
        }
        arguments = [sys.executable, "-m", "simulators", "serve", *(str(w) for pair in options.items() for w in pair)]
        if control:
            arguments.append("--control")
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise StandInError(f"模拟客户端没有启动（退出码 {process.wait()}）/ the stand-in clients did not start")
            said = json.loads(line)
            yield StandIn(said["marketing"], said["collection"], path)
        finally:
            process.terminate()
            process.wait(timeout=10)
