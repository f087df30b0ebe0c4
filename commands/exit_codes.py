"""How a command ends, the same for all of them (DESIGN.md, Running)."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    MISMATCH = 1
    """Business failures, failed tests, a figure that misses its goal."""
    USAGE = 2
    """Usage or configuration."""
    SYSTEM = 3
    """The client, the engine or the disk failed."""
    NOT_READY = 4
    """The environment: no display, a package is missing, the desktop is busy."""
    TIMED_OUT = 5
    UNKNOWN_OUTCOME = 6
    """An act was sent and its outcome not seen; a person must look."""
    ABORTED = 130
