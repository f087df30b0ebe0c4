"""Worker of `bench reconnect` and `bench memory`: one session in a process of its own; its figures go to a JSON file.

python -m benchmarks._cell CELL_AS_JSON FOLDER
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from benchmarks._judge import judge
from benchmarks._session import Cell, Memory, work
from commands.standin import stand_in
from simulators.__main__ import die_with_parent

RESULT = "result.json"


def run_cell(cell: Cell, folder: Path, memory: Memory | None = None) -> dict[str, Any]:
    """Stand-ins, a display, the robot, and what came of it. `folder` keeps ledger, journal, report and truth."""
    from desktop.virtual import VirtualDesktop

    folder.mkdir(parents=True, exist_ok=True)
    truth, run = folder / "truth.db", f"bench_{cell.name}"
    memory = memory or Memory()
    with (
        stand_in(
            cell.version, seed=cell.seed, orders=cell.orders, faults=cell.faults, time_factor=cell.factor, database=truth
        ) as clients,
        VirtualDesktop(scale=cell.scale, urls=clients.urls) as virtual,
    ):
        started = time.monotonic()
        with memory.watching():
            done = work(cell, virtual.desktop, folder, run, display=virtual.display)
        seconds = time.monotonic() - started
    quarter = max(1, len(memory.samples) // 4)
    return {
        "cell": cell.name,
        "run_state": done.state.value,
        "error": done.error,
        "seconds": round(seconds, 1),
        "memory_peak": round(memory.peak, 1),
        "memory_growth": round(_mean(memory.samples[-quarter:]) - _mean(memory.samples[:quarter]), 1),
        "report": str(done.report),
        "totals": dict(done.totals),
        **judge(folder / "zhishou.db", truth, run),
    }


def _mean(samples: list[float]) -> float:
    return sum(samples) / max(1, len(samples))


def main() -> int:
    die_with_parent()
    cell, folder = Cell.load(sys.argv[1]), Path(sys.argv[2])
    try:
        figures = run_cell(cell, folder)
    except Exception:  # noqa: BLE001  # whatever it was, the figures of the other sessions must not be lost
        figures = {"cell": cell.name, "failed": traceback.format_exc()}
    new = folder / f"{RESULT}.new"
    folder.mkdir(parents=True, exist_ok=True)
    new.write_text(json.dumps(figures, ensure_ascii=False, indent=1), "utf-8")
    new.replace(folder / RESULT)
    return 1 if "failed" in figures else 0


if __name__ == "__main__":
    sys.exit(main())
