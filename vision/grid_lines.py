"""The geometry of grids: candidate header rows, the table they head, its rows and columns. Nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Literal

import numpy as np

from vision.frame import Box, Frame
from vision.grid_pixels import Mask, around, edges_across, runs, step
from vision.lines import find_lines

# Lengths are pixels at 100 %; they grow with the scale of the frame.
LONG = 110
"""Shortest straight edge across that may belong to a table: two narrow columns."""
ALIGNED = 4
"""Left, middle or right edges within this are in one column."""
CELL_PAD = 12
"""Padding of a cell where nothing tells it: Element 10–12, ExtJS 6–10."""
Side = Literal["top", "bottom", "left", "right"]


@dataclass(slots=True)
class Sketch:
    """What a frame (or its region) shows of lines and text; made once for all candidates."""

    frame: Frame
    area: Box
    across: Mask
    """Straight edges across; pixels of ``area``."""
    texts: list[Box]
    """Pieces of text in pixels of the frame, in reading order."""

    @property
    def scale(self) -> float:
        return self.frame.scale


@dataclass(slots=True)
class HeaderRow:
    """A row of text that may head a table."""

    band: Box
    """Between the rules above and below it, as wide as the table; for a table without rules around the text."""
    texts: list[Box]
    ruled: bool
    aligned: float
    """0…1: share of its texts that have text aligned under them, mean of the next rows."""
    below: int
    """Aligned texts in all rows under it."""


@dataclass(slots=True)
class Geometry:
    """Where header, columns and rows of one table are; boxes in pixels of the frame."""

    box: Box
    em: float
    """Font size, pixels."""
    headers: list[list[Box]]
    """Texts of each header from top to bottom, left to right; empty for a column without a name."""
    header_boxes: list[Box]
    rows: list[tuple[int, int]]
    """Top and bottom of each row, without separators."""
    fixed_from: int | None = None
    clipped: set[Side] = field(default_factory=set)


def sketch(frame: Frame, region: Box | None = None) -> Sketch:
    """Text and rules of a frame. 20–40 ms for 1080p."""
    area = frame.box if region is None else Box(*region).clip(frame.width, frame.height)
    across = edges_across(frame.crop(area), round(LONG * frame.scale))
    # A short upright line between two headers is no text.
    thin, tall = 3 * frame.scale, 18 * frame.scale
    texts = [line.box for line in find_lines(frame, area) if line.box.width > thin or line.box.height < tall]
    return Sketch(frame, area, across, texts)


def text_rows(texts: list[Box]) -> list[list[Box]]:
    """Pieces of text by row: middles within half a height."""
    out: list[list[Box]] = []
    for box in sorted(texts, key=lambda b: b.y + b.height / 2):
        middle = box.y + box.height / 2
        if out and abs(median(b.y + b.height / 2 for b in out[-1]) - middle) <= 0.5 * max(
            box.height, min(b.height for b in out[-1])
        ):
            out[-1].append(box)
        else:
            out.append([box])
    return [sorted(row) for row in out]


def aligned_with(box: Box, others: list[Box], within: float) -> bool:
    """Whether ``box`` shares its left edge, middle or right edge with one of ``others``."""
    return any(
        abs(box.x - o.x) <= within or abs(box.right - o.right) <= within or abs(box.x + box.right - o.x - o.right) <= 2 * within
        for o in others
    )


def header_rows(seen: Sketch) -> list[HeaderRow]:
    """Rows that may head a table, the most likely first."""
    scale = seen.scale
    rows = text_rows(seen.texts)
    out: list[HeaderRow] = []
    for number, row in enumerate(rows):
        for group, band, ruled in _groups(seen, row):
            if len(group) < 2 or any(h.ruled and ruled and h.band == band for h in out):
                continue
            shares: list[float] = []
            below = 0
            for under in rows[number + 1 : number + 40]:
                inside = [b for b in under if b.x < band.right and b.right > band.x and b.y >= band.bottom - 2]
                if not inside:
                    continue
                hits = sum(aligned_with(g, inside, ALIGNED * scale) for g in group)
                if len(shares) >= 3 and hits == 0:
                    break
                shares.append(hits / len(group))
                below += hits
            share = sum(sorted(shares[:3], reverse=True)[:2]) / 2 if len(shares) > 1 else sum(shares[:1])
            out.append(HeaderRow(band, group, ruled, share, below))
    # From the top down among the plausible, then the rest: a header stands above the rows that align like it.
    good = [h for h in out if h.aligned >= 0.4]
    return good + sorted((h for h in out if h.aligned < 0.4), key=lambda h: -h.aligned)


def _groups(seen: Sketch, row: list[Box]) -> list[tuple[list[Box], Box, bool]]:
    """The parts of a row of text that lie in one band between rules, else the row as a whole."""
    scale, area = seen.scale, seen.area
    left_over = list(row)
    out: list[tuple[list[Box], Box, bool]] = []
    reach = round(48 * scale)
    while left_over:
        first = left_over[0]
        middle_x, top, bottom = first.x + first.width // 2 - area.x, first.y - area.y, first.bottom - area.y
        column = seen.across[:, middle_x]
        under = np.flatnonzero(column[bottom : bottom + reach])
        over = np.flatnonzero(column[max(0, top - reach) : top])
        if not len(under):
            left_over.pop(0)
            continue
        y_under = bottom + int(under[0])
        y_over = max(0, top - reach) + int(over[-1]) if len(over) else max(0, top - (y_under - bottom))
        start, end = run_at(seen.across[y_under], middle_x)
        band = Box(start + area.x, y_over + area.y, end - start, y_under - y_over)
        inside = [
            b
            for b in seen.texts
            if b.x >= band.x - 2 and b.right <= band.right + 2 and b.y >= band.y - 1 and b.bottom <= band.bottom + 1
        ]
        mine = [b for b in left_over if b in inside]
        if mine:
            inside, band = _one_row(mine, inside, band)
            out.append((inside, band, True))
        left_over = [b for b in left_over if b not in inside and b is not first]
    rest = [b for b in row if not any(b in group for group, _, _ in out)]
    return out + [(group, around(group), False) for group in _apart(seen, rest)]


def _one_row(mine: list[Box], inside: list[Box], band: Box) -> tuple[list[Box], Box]:
    """Where a band between rules holds several rows of text (a table without lines), the part around one of them."""
    high = max(b.height for b in mine)
    middle = median(b.y + b.height / 2 for b in mine)
    others = [b for b in inside if abs(b.y + b.height / 2 - middle) > 1.75 * high]
    if not others:
        return inside, band
    above = max((b.bottom for b in others if b.bottom <= min(m.y for m in mine)), default=band.y)
    under = min((b.y for b in others if b.y >= max(m.bottom for m in mine)), default=band.bottom)
    top = max(band.y, (above + min(b.y for b in mine)) // 2)
    bottom = min(band.bottom, (under + max(b.bottom for b in mine)) // 2)
    return [b for b in inside if b not in others], Box(band.x, top, band.width, bottom - top)


def _apart(seen: Sketch, row: list[Box]) -> list[list[Box]]:
    """A row of text without rules, parted where a tall edge (of a panel) stands between the pieces."""
    if not row:
        return []
    height = round(40 * seen.scale)
    y = min(b.y for b in row) - height
    strip = Box(seen.area.x, y, seen.area.width, max(b.bottom for b in row) + height - y).intersect(seen.area)
    walls = np.flatnonzero((step(seen.frame.crop(strip), 1) >= 3).mean(axis=0) > 0.95) + strip.x
    out: list[list[Box]] = [[]]
    for box in row:
        if out[-1] and ((walls > out[-1][-1].right) & (walls < box.x)).any():
            out.append([])
        out[-1].append(box)
    return out


def run_at(line: Mask, x: int) -> tuple[int, int]:
    """The stretch of an edge across that holds ``x``; short breaks (a shadow, an upright line) do not end it."""
    for start, end in runs(line, 6):
        if start <= x < end:
            return start, end
    return x, x + 1


def font_size(texts: list[Box], scale: float) -> float:
    """Font size in pixels from the heights of text: Chinese characters are 0.9–1.0 of it high, the upper heights are theirs.

    Boxes higher than any text of a table (icons, pieces joined with a border) do not count.
    """
    heights = sorted(b.height for b in texts if 8 * scale <= b.height <= 24 * scale)
    return max(9.0, heights[int(len(heights) * 0.7)] * 1.04) if heights else 14.0 * scale


def layout(seen: Sketch, head: HeaderRow) -> Geometry:
    """The table under a header row. Always returns; a table without rows has none."""
    from vision.grid_columns import columns
    from vision.grid_rows import rows_of

    scale = seen.scale
    near = [b for b in seen.texts if b.x >= head.band.x and b.right <= head.band.right and b.y >= head.band.y][:80]
    em = min(font_size(head.texts, scale), 1.15 * font_size(near, scale))
    box = _extent(seen, head)
    rows, clipped = rows_of(seen, head, box, em)
    bottom = rows[-1][1] if rows else head.band.bottom
    box = Box(box.x, head.band.y, box.width, bottom - head.band.y)
    body = [
        b
        for b in seen.texts
        if b.y >= head.band.bottom - 2 and b.bottom <= bottom + 2 and b.x >= box.x - 2 and b.right <= box.right + 2
    ]
    geometry = columns(seen, head, box, rows, body, em, scale)
    geometry.clipped |= clipped
    return geometry


def _extent(seen: Sketch, head: HeaderRow) -> Box:
    """As wide as the rule under the header; without rules as wide as aligned text."""
    if head.ruled:
        return head.band
    left, right = head.band.x, head.band.right
    pad = round(CELL_PAD * seen.scale)
    for row in text_rows([b for b in seen.texts if b.y > head.band.bottom])[:30]:
        for b in row:
            if aligned_with(b, head.texts, ALIGNED * seen.scale):
                left, right = min(left, b.x), max(right, b.right)
        # A second link stands under no header: what follows close behind in a row that is aligned belongs to its last cell.
        if sum(aligned_with(b, head.texts, ALIGNED * seen.scale) for b in row) >= 0.5 * len(head.texts):
            for b in row:
                if right - pad <= b.x + pad and b.x - right <= 2 * font_size(head.texts, seen.scale):
                    right = max(right, b.right)
    x = max(seen.area.x, left - pad)
    return Box(x, head.band.y, min(seen.area.right, right + pad) - x, head.band.height)
