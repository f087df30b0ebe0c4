"""The geometry of grids: candidate header rows, the table they head, its rows and columns. Nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Literal

import numpy as np

from vision.frame import Box, Frame
from vision.grid_pixels import Mask, Rule, around, edges_across, edges_down, rules, runs, step
from vision.lines import find_lines

# Lengths are pixels at 100 %; they grow with the scale of the frame.
LONG = 110
"""Shortest straight edge across that may belong to a table: two narrow columns."""
ALIGNED = 4
"""Left, middle or right edges within this are in one column."""
ROW_LEAST, ROW_MOST = 15, 130
CELL_PAD = 12
"""Padding of a cell where nothing tells it: Element 10–12, ExtJS 6–10."""
SHORT = 0.84
"""A first or last row lower than this part of an ordinary row is cut off by the scroll area."""

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
        start, end = _run_at(seen.across[y_under], middle_x)
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


def _run_at(line: Mask, x: int) -> tuple[int, int]:
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

    scale = seen.scale
    near = [b for b in seen.texts if b.x >= head.band.x and b.right <= head.band.right and b.y >= head.band.y][:80]
    em = min(font_size(head.texts, scale), 1.15 * font_size(near, scale))
    box = _extent(seen, head)
    rows, clipped = _rows(seen, head, box, em)
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
    x = max(seen.area.x, left - pad)
    return Box(x, head.band.y, min(seen.area.right, right + pad) - x, head.band.height)


def _rows(seen: Sketch, head: HeaderRow, box: Box, em: float) -> tuple[list[tuple[int, int]], set[Side]]:
    """Top and bottom of each whole row, and the sides where a row is cut off."""
    scale, area = seen.scale, seen.area
    part = seen.across[:, max(0, box.x - area.x) : box.right - area.x]
    share = part.mean(axis=1) if part.size else np.zeros(area.height)
    every = [Rule(r.start + area.y, r.end + area.y) for r in rules(share, 0.6, max(2, round(2.5 * scale)))]
    below = [r for r in every if r.start >= head.band.bottom - 1]
    inside = [b for b in seen.texts if b.x >= box.x - 2 and b.right <= box.right + 2 and b.y >= head.band.bottom - 2]
    lines = text_rows(inside)
    middles = [(median(b.y + b.height / 2 for b in row), row) for row in lines]
    start = below[0].end if below and below[0].start <= head.band.bottom + 2 else head.band.bottom
    bands: list[tuple[int, int]] = []
    top = start
    most = ROW_MOST * scale
    for rule in below:
        if rule.start <= top:
            top = max(top, rule.end)
            continue
        height = rule.start - top
        held = [row for middle, row in middles if top <= middle < rule.start]
        if height < 6 * scale and not held:
            top = rule.end
            continue
        if not held or not _like(held, head, bands, seen, scale) or (height > most and len(held) < 2):
            break
        if _wider(seen, rule, box) and len(held) < 2 and (not bands or height > 1.2 * (bands[-1][1] - bands[-1][0])):
            break
        bands.append((top, rule.start))
        top = rule.end
    pitch = _pitch(bands, [m for m, _ in middles], start, em, scale)
    rows: list[tuple[int, int]] = []
    for band in bands:
        inside_band = [(m, row) for m, row in middles if band[0] <= m < band[1]]
        while inside_band and not _like([inside_band[-1][1]], head, rows, seen, scale):
            inside_band.pop()
        rows += _split(band, pitch, [m for m, _ in inside_band])
    top = rows[-1][1] if rows and len(bands) and rows[-1][1] < bands[-1][1] - pitch else top
    clipped: set[Side] = set()
    # Rows without a rule under them: the last of a striped table, all of a bare one. Lines, unlike stripes, close each row.
    limit = area.bottom
    used = [r for r in below if r.start <= top]
    lined = len(used) > 1 and sum(r.end > r.start for r in used) > 0.5 * len(used)
    while not lined:
        after = [(m, row) for m, row in middles if m > top]
        if not after:
            break
        middle, row = after[0]
        expected = top + pitch / 2
        if abs(middle - expected) > 0.35 * pitch or not _like([row], head, rows, seen, scale, 0.6):
            break
        high = max(b.height for b in row)
        usual = max((b.height for b in head.texts), default=high)
        end = round(middle + pitch / 2) if not bands else round(top + pitch)
        if high < 0.75 * usual or max(b.bottom for b in row) >= limit - 1:
            clipped.add("bottom")
            break
        rows.append((top, min(end, limit)))
        top = min(end, limit)
    if _goes_on(seen, box, head, rows, top, pitch):
        clipped.add("bottom")
    return _cut(seen, box, rows, pitch, clipped)


def _wider(seen: Sketch, rule: Rule, box: Box) -> bool:
    """Whether a rule goes on beside the table: it belongs to the panel around it."""
    area = seen.area
    start, end = _run_at(seen.across[rule.start - area.y], box.x + box.width // 2 - area.x)
    return start + area.x < box.x - 4 * seen.scale or end + area.x > box.right + 4 * seen.scale


def _goes_on(seen: Sketch, box: Box, head: HeaderRow, rows: list[tuple[int, int]], top: int, pitch: float) -> bool:
    """Whether the area (or the screen) ends before another row could show, or in the midst of it."""
    gap = seen.area.bottom - top
    if not rows or gap >= SHORT * pitch:
        return False
    if seen.area.bottom >= seen.frame.height - 1:
        return gap > 3 * seen.scale
    # The area was given: look beyond its edge for a row that stands like these.
    beyond = Box(box.x, top, box.width, round(1.3 * pitch)).clip(*seen.frame.size)
    texts = [line.box for line in find_lines(seen.frame, beyond)]
    return bool(texts) and _like(text_rows(texts)[:1], head, rows, seen, seen.scale, 0.6)


def _cut(
    seen: Sketch, box: Box, rows: list[tuple[int, int]], pitch: float, clipped: set[Side]
) -> tuple[list[tuple[int, int]], set[Side]]:
    """Take off a first or last row that is not shown in full: what is read of it would not be certain.

    Such a row is lower than the others and its text does not stand where theirs stands between the row's edges.
    """

    def off(row: tuple[int, int]) -> float | None:
        texts = [b for b in seen.texts if box.x <= b.x < box.right and row[0] - 2 <= b.y + b.height / 2 < row[1] + 2]
        if not texts:
            return None
        # Tops and bottoms of the middle piece: marks and icons may stand higher.
        return median(b.y + b.height / 2 for b in texts) - (row[0] + row[1]) / 2

    if len(rows) < 2:
        return rows, clipped
    places = [off(row) for row in rows]
    usual = median([p for p in places[1:-1] or places if p is not None] or [0.0])

    def short(number: int) -> bool:
        place, height = places[number], rows[number][1] - rows[number][0]
        others = [b - a for i, (a, b) in enumerate(rows) if i != number]
        moved = place is None or abs(place - usual) >= 2.5 * seen.scale
        return height < SHORT * min(others) or (height < SHORT * pitch and moved)

    last, first = short(-1 % len(rows)), short(0)
    if last:
        rows, clipped = rows[:-1], clipped | {"bottom"}
    if first and len(rows) > 1:
        rows, clipped = rows[1:], clipped | {"top"}
    return rows, clipped


def _like(
    held: list[list[Box]], head: HeaderRow, rows: list[tuple[int, int]], seen: Sketch, scale: float, least: float = 0.4
) -> bool:
    """Whether text stands as in a row of this table: under its headers, not across the gaps between them."""
    texts = [b for row in held for b in row]
    good = sum(aligned_with(b, head.texts, ALIGNED * scale) for b in texts)
    if good >= max(1, least * len(texts)):
        return True
    if not rows:
        return False
    earlier = [b for b in seen.texts if rows[-1][0] <= b.y + b.height / 2 < rows[-1][1]]
    return sum(aligned_with(b, earlier, ALIGNED * scale) for b in texts) >= max(1, max(0.5, least) * len(texts))


def _pitch(bands: list[tuple[int, int]], middles: list[float], start: int, em: float, scale: float) -> float:
    """Height of an ordinary row: the most frequent between rules, else from the distance of text rows."""
    heights = [bottom - top for top, bottom in bands]
    gaps = [b - a for a, b in pairwise(middles)]
    near = [g for g in gaps[:12] if ROW_LEAST * scale <= g <= ROW_MOST * scale]
    if not heights:
        return float(median(near)) if near else 3.0 * em
    lowest = [h for h in heights if h >= ROW_LEAST * scale] or heights
    ordinary = [h for h in lowest if sum(abs(h - o) <= 2 for o in lowest) >= max(1, 0.3 * len(lowest))] or lowest
    smallest = float(min(ordinary))
    if len(heights) <= 2 and near:
        # One or two bands may hold many rows (a single coloured row in a table without rules).
        usual = float(median(near))
        inside = [sum(t <= m < b for m in middles) for t, b in bands]
        if max(inside) >= 2 and usual < 0.8 * smallest and usual > 1.45 * em:
            return usual
    return smallest


def _split(band: tuple[int, int], pitch: float, middles: list[float]) -> list[tuple[int, int]]:
    """A band that holds several rows of text at the ordinary distance becomes these rows."""
    top, bottom = band
    if len(middles) < 2 or bottom - top < 1.75 * pitch:
        return [band]
    gaps = [b - a for a, b in pairwise(middles)]
    if max(abs(g - pitch) for g in gaps) > 0.2 * pitch or abs(middles[0] - top - pitch / 2) > 0.35 * pitch:
        return [band]
    edges = [
        top,
        *(round((a + b) / 2) for a, b in pairwise(middles)),
        min(bottom, round(middles[-1] + pitch / 2)),
    ]
    return list(pairwise(edges))


def upright(frame: Frame, box: Box, length: int) -> Mask:
    """Straight edges down inside ``box``."""
    return edges_down(frame.crop(box), length)
