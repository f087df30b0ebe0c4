"""Memory of the robot process over 200 orders: `run.py bench memory [--short]`.

Ten runs of twenty orders one after the other in one process, as an agent lives. Growth is measured after the first run, when
models and pictures are loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import linear_regression
from typing import Any

from benchmarks._session import ROOT, Cell, Memory

RUNS, ORDERS = 10, 20
SHORT_RUNS, SHORT_ORDERS = 3, 3


def run(short: bool = False) -> dict[str, Any]:
    """Figures of a worker process: `resident_mb` after each run, `growth_mb` from the second run to the last, the slope."""
    runs, orders = (SHORT_RUNS, SHORT_ORDERS) if short else (RUNS, ORDERS)
    folder = Path(tempfile.mkdtemp(prefix="zhishou-memory-"))
    command = [sys.executable, "-m", "benchmarks.memory", str(runs), str(orders), str(folder)]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"测量进程退出码 {done.returncode} / the measured process ended with {done.returncode}")
    samples: list[dict[str, float]] = [json.loads(line) for line in done.stdout.splitlines()]
    after = [sample["after"] for sample in samples]
    slope = linear_regression([orders * i for i in range(1, len(after))], after[1:]).slope if len(after) > 2 else 0.0
    return {
        "orders": runs * orders,
        "peak_mb": max(sample["peak"] for sample in samples),
        "resident_mb": " ".join(f"{value:.0f}" for value in after),
        "growth_mb": round(after[-1] - after[1], 1),
        "slope_mb_per_100_orders": round(slope * 100, 2),
        "person": int(sum(sample["person"] for sample in samples)),
    }


def _live(runs: int, orders: int, folder: Path) -> None:
    """The measured process: a line of JSON after each run."""
    from benchmarks._cell import run_cell
    from benchmarks._session import resident_mb

    for number in range(runs):
        memory = Memory()
        cell = Cell("2.3", 1.0, 100 + number, orders)
        result = run_cell(cell, folder / str(number), memory)
        line = {"after": resident_mb(), "peak": memory.peak, "person": result["person"]}
        print(json.dumps(line), flush=True)
        print(f"[{number + 1}/{runs}] {line} {result['seconds']} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    from simulators.__main__ import die_with_parent

    die_with_parent()
    _live(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
