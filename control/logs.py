"""Quiet logs: warnings and worse, each at most once a minute, through structlog."""

from __future__ import annotations

import logging
import time
from typing import Any

import structlog

REPEAT_SECONDS = 60.0
"""DBOS repeats a warning with every poll: some 300 while a database is away for 30 s."""


class LimitRepeats(logging.Filter):
    """Lets a message through once in :data:`REPEAT_SECONDS`, whatever its arguments; counts what it kept back."""

    def __init__(self, seconds: float = REPEAT_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: dict[tuple[str, int], float] = {}
        self.kept_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
        place = (record.pathname, record.lineno)
        now = time.monotonic()
        if now - self._last.get(place, -self._seconds) < self._seconds:
            self.kept_back += 1
            return False
        self._last[place] = now
        return True


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log: Any = structlog.get_logger("zhishou.engine")
        log.log(record.levelno, record.getMessage(), source=record.name)


def quiet_dbos() -> None:
    """Send DBOS's warnings through structlog, limited; nothing else of it reaches the console. May be called again."""
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if not any(isinstance(handler, _ToStructlog) for handler in logger.handlers):
        handler = _ToStructlog()
        handler.addFilter(LimitRepeats())
        logger.handlers[:] = [handler]
