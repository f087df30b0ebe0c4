"""Errors of the anchor library. Messages say what was seen, the likely cause and what to do."""

from __future__ import annotations


class AnchorError(Exception):
    """Something about anchors cannot be used."""


class LibraryMissingError(AnchorError):
    """There is no folder for this system or version."""


class LibraryBrokenError(AnchorError):
    """A file of the library cannot be read or does not fit the model."""


class UnknownAnchorError(AnchorError, KeyError):
    """The library has no anchor of this name."""

    def __str__(self) -> str:
        return str(self.args[0])
