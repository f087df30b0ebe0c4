"""Real time for a desktop that is really there."""

from __future__ import annotations

import threading
import time

from desktop.base import Aborted


class RealClock:
    """A :class:`desktop.base.Clock` on the monotonic clock; a sleep ends at once when the run is stopped."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def now(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; raises :class:`Aborted` at once when the stop event is set before or meanwhile."""
        if self._stop.wait(max(0.0, seconds)):
            raise Aborted("已中止 / stopped")
