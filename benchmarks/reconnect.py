"""Robot 1 on 600 orders with every fault: `run.py bench reconnect [--short] [--jobs N] [--resume FOLDER]`.

2 versions × 3 scales × 5 seeds × 20 orders, each session in a process of its own. Judged by the stand-ins' database. Sessions
that run side by side slow each other down: times are honest with one job, outcomes with any number.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._cell import RESULT
from benchmarks._judge import add, mean_shares
from benchmarks._session import ROOT, Cell

VERSIONS = ("2.3", "2.4")
SCALES = (1.0, 1.25, 1.5)
SEEDS = (11, 12, 13, 14, 15)
ORDERS = 20
SECONDS_PER_ORDER = 120
"""A session that takes longer than this for each of its orders hangs and is ended; by hand an order takes 90 minutes."""


def plan(short: bool, factor: float = 0.1) -> list[Cell]:
    """The sessions; the short ones are those that differ most: both versions, the smallest and the largest scale."""
    if short:
        return [Cell("2.3", 1.0, 1, 4, factor=factor), Cell("2.4", 1.5, 1, 4, factor=factor)]
    return [Cell(v, scale, seed, ORDERS, factor=factor) for seed in SEEDS for v in VERSIONS for scale in SCALES]


def run(short: bool = False, jobs: int = 1, resume: Path | None = None) -> dict[str, Any]:
    """All sessions; figures as `goals.toml` names them. `resume`: an earlier bench's folder, whose sessions are not run again."""
    cells = plan(short)
    folder = resume or Path(tempfile.mkdtemp(prefix="zhishou-bench-"))
    _tell(f"{len(cells)} sessions, results in {folder}")
    started = time.monotonic()
    results: list[dict[str, Any]] = []
    for number, result in enumerate(_sessions(cells, folder, jobs), start=1):
        results.append(result)
        _tell(f"[{number}/{len(cells)}] {time.monotonic() - started:6.0f} s  {_line(result)}")
    return {**figures(results), "folder": str(folder)}


def _sessions(cells: Sequence[Cell], folder: Path, jobs: int) -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(session, cell, folder / cell.name) for cell in cells]):
            yield done.result()


def session(cell: Cell, folder: Path) -> dict[str, Any]:
    """One session in a process of its own, or its result when it was run before."""
    file = folder / RESULT
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.txt").open("ab") as log:
            command = [sys.executable, "-m", "benchmarks._cell", cell.dump(), str(folder)]
            try:
                subprocess.run(
                    command,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    check=False,
                    timeout=120 + SECONDS_PER_ORDER * cell.orders,
                )
            except subprocess.TimeoutExpired as hung:
                return {"cell": cell.name, "failed": str(hung), "asked": cell.orders}
    if not file.exists():
        return {"cell": cell.name, "failed": (folder / "log.txt").read_text("utf-8", "replace")[-800:], "asked": cell.orders}
    result: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if "failed" in result:
        # Not kept: a session that broke down is run again when the bench is resumed.
        file.replace(folder / f"failed-{time.time():.0f}.json")
    return {**result, "asked": cell.orders}


def figures(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All sessions together."""
    good = [result for result in results if "failed" not in result]
    lines = [line for result in good for line in result["orders"]]
    sums = add(good)
    asked = sum(result["asked"] for result in results)
    own = sorted(line["shares"].get("own", 0.0) for line in lines)
    return {
        "sessions": len(results),
        "sessions_broken": len(results) - len(good),
        "orders": asked,
        "wrong_target_acts": sums.get("wrong_target", 0),
        "second_reconnects": sums.get("second_reconnects", 0),
        "double_acts": sums.get("double", 0),
        "disconnects": sums.get("disconnects", 0),
        "false_reconnects": sums.get("false_reconnects", 0),
        "false_reconnects_missed": sums.get("false_reconnects", 0) - sums.get("false_reconnects_found", 0),
        "false_reconnects_untold": sums.get("false_reconnects", 0) - sums.get("false_reconnects_told", 0),
        "false_alarms": sums.get("false_alarms", 0),
        "sms_missing": sums.get("sms_missing", 0),
        "orders_unnamed": sums.get("unnamed", 0) + asked - len(lines),
        "not_archived": sums.get("not_archived", 0),
        "ledger_disagrees": sums.get("disagree", 0),
        "handled_without_person": round(1 - (sums.get("person", 0) + asked - len(lines)) / max(1, asked), 4),
        "robot_seconds_median": round(median(own), 2) if own else 0.0,
        "robot_seconds_p90": round(own[int(0.9 * (len(own) - 1))], 2) if own else 0.0,
        "where_it_goes": mean_shares(lines),
        "order_seconds_median": round(median(line["seconds"] for line in lines), 1) if lines else 0.0,
        "memory_peak_mb": max((result["memory_peak"] for result in good), default=0.0),
        "person_why": [
            f"{line['order']} {line['expected']}: {line['state']} {line['reason']}" for line in lines if line["person"]
        ],
        "wrong_acts": [wrong for result in good for wrong in result["wrong_acts"]],
        "broken_why": [result["failed"][-300:] for result in results if "failed" in result],
        "seconds": round(sum(result["seconds"] for result in good)),
    }


def _line(result: dict[str, Any]) -> str:
    if "failed" in result:
        return f"{result['cell']}: BROKEN {result['failed'][-200:]}"
    own = [line["shares"].get("own", 0.0) for line in result["orders"]]
    found = f"{result['false_reconnects_found']}/{result['false_reconnects']}"
    return (
        f"{result['cell']}: {result['run_state']} in {result['seconds']} s; wrong {result['wrong_acts'] or 0}, "
        f"person {result['person']}, unnamed {result['unnamed']}, false {found}, "
        f"own {median(own) if own else 0:.2f} s, {result['memory_peak']} MB"
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
