"""Worker of `bench crash`: the robot alone, on a display and with a client that outlive it.

    python -m benchmarks._crash_robot CELL_AS_JSON FOLDER RUN DISPLAY

Says one line of JSON at its first press or key and one at its end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._session import Cell, work
from desktop.base import Button
from desktop.local import LocalDesktop
from simulators.__main__ import die_with_parent


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class AnnouncingDesktop(LocalDesktop):
    """Tells when the robot first uses its hands."""

    _told = False

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            _say(first_input=time.time())

    def button_down(self, button: Button = "left") -> None:
        super().button_down(button)
        self._tell()

    def key_down(self, key: str) -> None:
        super().key_down(key)
        self._tell()


def main() -> int:
    die_with_parent()
    cell, folder, run, display = Cell.load(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    with AnnouncingDesktop(display, scale=cell.scale) as desktop:
        # A run that was killed more than twice is only resumed by a person who insists; here that person is the benchmark.
        done = work(cell, desktop, folder, run, display=display, insist=True)
    _say(state=done.state.value, error=done.error, totals=dict(done.totals))
    return 0


if __name__ == "__main__":
    sys.exit(main())
