"""What the readers return: readings, lines, grids. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vision.frame import Box


@dataclass(frozen=True, slots=True)
class Character:
    """One recognised character."""

    text: str
    probability: float
    """0…1, as the recogniser says."""
    box: Box
    """In pixels of the crop (or of the frame, where the reading says so); from CTC, within a few pixels."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader read from one crop."""

    text: str
    lowest: float
    """Probability of the least certain character; 1.0 for an empty reading of an empty crop. Reject on this, not on the mean."""
    characters: tuple[Character, ...] = ()
    reader: str = "ppocr"
    matches: bool | None = None
    """Whether the text fits the pattern asked for; None where none was asked for."""

    def certain(self, level: float) -> bool:
        """Whether every character reaches ``level`` and a pattern, if asked for, fits."""
        return self.lowest >= level and self.matches is not False


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of text on a frame: where it is and, once read, what it says."""

    box: Box
    reading: Reading | None = None

    @property
    def text(self) -> str:
        return self.reading.text if self.reading else ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A small coloured mark beside a value, like 超 or 延, that is not part of the value."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a grid on a frame."""

    row: int
    column: int
    box: Box
    """The whole cell in pixels of the frame."""
    ink: Box | None
    """Around what is drawn in it; None for an empty cell."""
    reading: Reading | None = None
    """None when the cell is empty or was not asked for."""
    badges: tuple[Badge, ...] = ()
    words: tuple[Line, ...] = ()
    """Separate pieces (buttons, links) when the cell holds more than one."""
    checked: bool | None = None
    """For a cell that holds a check box alone: whether it is set."""
    cut: bool = False
    """Its ink runs into an edge (a fixed column, the end of the scroll area): the reading may lack characters."""

    @property
    def text(self) -> str:
        return self.reading.text if self.reading else ""


@dataclass(frozen=True, slots=True)
class Pager:
    """What stands under a grid: 共N条, the page shown and where the arrows are."""

    total: int | None
    page: int | None
    page_size: int | None
    previous: Box | None = None
    next: Box | None = None
    next_enabled: bool | None = None
    size_box: Box | None = None
    """The «10条/页» drop-down."""


Completeness = Literal["complete", "incomplete", "unchecked"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid as one frame shows it."""

    box: Box
    headers: tuple[str, ...]
    header_boxes: tuple[Box, ...]
    rows: tuple[tuple[Cell, ...], ...]
    pager: Pager | None = None
    fixed_from: int | None = None
    """First column of the fixed right part, if one was seen."""
    clipped: frozenset[Literal["top", "bottom", "left", "right"]] = frozenset()
    """Sides where a row or column is cut off, so that scrolling would show more."""
    completeness: Completeness = "unchecked"
    reasons: tuple[str, ...] = field(default=())
    """Why it is incomplete, for people."""

    def column(self, name: str) -> int:
        """Index of the column headed ``name``. Raises KeyError naming the headers seen."""
        try:
            return self.headers.index(name)
        except ValueError:
            raise KeyError(f"no column {name!r}; headers seen: {', '.join(self.headers)}") from None

    def cell(self, row: int, name: str) -> Cell:
        """The cell of a row (0-based) under a header."""
        return self.rows[row][self.column(name)]

    def texts(self) -> list[dict[str, str]]:
        """One dict a row: header → text."""
        return [{h: c.text for h, c in zip(self.headers, row, strict=True)} for row in self.rows]
