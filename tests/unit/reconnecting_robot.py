"""A small robot for crash tests: six orders, every click a line in a file; started as a process it can kill itself at a click."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from control.engine import DbosEngine, Stages
from control.ledger import SqlLedger


def play(folder: Path, kill_at: str = "") -> dict[str, Any]:
    """Run or resume ``run-1`` in ``folder``."""
    ledger = SqlLedger(folder / "z.db", "run-1", "marketing", "robot-a")

    def click(text: str) -> None:
        with (folder / "clicks.txt").open("a") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())

    def handle(order: str, recovering: bool) -> dict[str, str]:
        act = ledger.open_act(order) if recovering else None
        if act is not None:
            click("looked " + order)
        else:
            act = ledger.intend(order, "reconnect")
            click("reconnect " + order)
            if order == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        ledger.observed(act, "done")
        return {"order": order}

    def flow(stages: Stages) -> dict[str, Any]:
        orders = stages.once("list", "", lambda again: {"orders": [f"o{n}" for n in range(6)]})["orders"]
        return {"done": [stages.once("reconnect", o, lambda again, o=o: handle(o, again))["order"] for o in orders]}

    return DbosEngine(folder / "z.db", "robot-a").run("run-1", flow)


if __name__ == "__main__":
    play(Path(sys.argv[1]), sys.argv[2])
