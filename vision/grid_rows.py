"""The rows of a table: between rules, by stripes, or by the rhythm of its text; none lost in silence."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import numpy as np

from vision.frame import Box
from vision.grid_lines import ALIGNED, HeaderRow, Side, Sketch, aligned_with, run_at, text_rows
from vision.grid_pixels import Rule, rules
from vision.lines import find_lines

ROW_LEAST, ROW_MOST = 15, 130
"""Heights of rows, pixels at 100 %: the densest ExtJS grid has 20."""
SHORT = 0.84
"""A first or last row lower than this part of an ordinary row is cut off by the scroll area."""
FEW = 0.4
"""A line of text with fewer pieces than this part of the headers is no row where no rule says that it is one."""


def rows_of(seen: Sketch, head: HeaderRow, box: Box, em: float) -> tuple[list[tuple[int, int]], set[Side]]:
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
        following = [row for m, row in middles if rule.end <= m < rule.end + 1.5 * height][:1]
        alike = _like(held, head, bands, seen, scale) or (not bands and _same(held, following, scale))
        if not held or not alike or (height > most and len(held) < 2):
            break
        if _wider(seen, rule, box) and len(held) < 2 and (not bands or height > 1.2 * (bands[-1][1] - bands[-1][0])):
            break
        bands.append((top, rule.start))
        top = rule.end
    pitch = _pitch(bands, [m for m, _ in middles], start, em, scale)
    rows: list[tuple[int, int]] = []
    for band in bands:
        inside_band = [(m, row) for m, row in middles if band[0] <= m < band[1]]
        count = len(inside_band)
        while len(inside_band) > 1:
            last = inside_band[-1][1]
            if _like([last], head, rows, seen, scale) and not _beside(seen, box, last):
                break
            inside_band.pop()
        if len(inside_band) < count and band[1] - band[0] > 1.4 * pitch:
            # What was taken off stood below the rows in the same band.
            band = (band[0], min(band[1], round(inside_band[-1][0] + pitch / 2)))
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
        if len(row) < FEW * len(head.texts) or _beside(seen, box, row):
            break
        high = max(b.height for b in row)
        usual = max((b.height for b in head.texts), default=high)
        end = round(middle + pitch / 2) if not bands else round(top + pitch)
        if high < 0.75 * usual or max(b.bottom for b in row) >= limit - 1:
            clipped.add("bottom")
            break
        rows.append((top, min(end, limit)))
        top = min(end, limit)
    if _goes_on(seen, box, head, rows, top, pitch) or _left_over(seen, box, head, rows, top, pitch, middles):
        clipped.add("bottom")
    return _cut(seen, box, rows, pitch, clipped)


def _wider(seen: Sketch, rule: Rule, box: Box) -> bool:
    """Whether a rule goes on beside the table: it belongs to the panel around it."""
    area = seen.area
    start, end = run_at(seen.across[rule.start - area.y], box.x + box.width // 2 - area.x)
    return start + area.x < box.x - 4 * seen.scale or end + area.x > box.right + 4 * seen.scale


def _goes_on(seen: Sketch, box: Box, head: HeaderRow, rows: list[tuple[int, int]], top: int, pitch: float) -> bool:
    """Whether the area (or the screen) ends before another row could show, or in the midst of it."""
    gap = seen.area.bottom - top
    if not rows or gap >= 1.1 * pitch:
        return False
    if seen.area.bottom >= seen.frame.height - 1:
        # Text without a rule under it, so near the end of the screen, is a row whose end is not shown.
        inside = any(b.x < box.right and b.right > box.x and b.y >= top for b in seen.texts)
        return inside if gap >= SHORT * pitch else gap > 3 * seen.scale
    # The area was given: look beyond its edge for a row that stands like these.
    beyond = Box(box.x, top, box.width, round(1.3 * pitch)).clip(*seen.frame.size)
    texts = [line.box for line in find_lines(seen.frame, beyond)]
    return bool(texts) and _like(text_rows(texts)[:1], head, rows, seen, seen.scale, 0.6)


def _beside(seen: Sketch, box: Box, row: list[Box]) -> bool:
    """Whether the same line of text goes on right of the table, close by: pages under a table do, its rows do not."""
    top, bottom = min(b.y for b in row), max(b.bottom for b in row)
    reach = box.right + 240 * seen.scale
    return any(box.right < b.x < reach and top <= b.y + b.height / 2 <= bottom for b in seen.texts)


def _left_over(
    seen: Sketch,
    box: Box,
    head: HeaderRow,
    rows: list[tuple[int, int]],
    top: int,
    pitch: float,
    middles: list[tuple[float, list[Box]]],
) -> bool:
    """Whether text that looks like a row of this table was not taken for one: rather «incomplete» than a row lost in silence."""
    after = [(m, row) for m, row in middles if m > top]
    if not after or after[0][0] - top > 2 * pitch:
        return False
    row = after[0][1]
    if seen.area.bottom - top < 2 * pitch:
        # A higher row that the end of the screen cuts: the lines of its wrapped cells stand apart from the others.
        row = [b for _, texts in after for b in texts]
    if len(row) < max(2, 0.5 * len(head.texts)) or _beside(seen, box, row):
        return False
    return not rows or _like([row], head, rows, seen, seen.scale, 0.6)


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


def _same(held: list[list[Box]], following: list[list[Box]], scale: float) -> bool:
    """Whether the next row of text stands like this one: rows of one table, even where the header stands otherwise."""
    texts, others = [b for row in held for b in row], [b for row in following for b in row]
    return len(texts) >= 3 and sum(aligned_with(b, others, ALIGNED * scale) for b in texts) >= 0.6 * len(texts)


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
    # As far as the rhythm goes; the pages under a table without lines break it.
    regular = next((n for n, (a, b) in enumerate(pairwise(middles), 1) if abs(b - a - pitch) > 0.2 * pitch), len(middles))
    middles = middles[:regular]
    if len(middles) < 2 or abs(middles[0] - top - pitch / 2) > 0.6 * pitch:
        return [band]
    # Without a rule under the header its padding is above the first row.
    top = max(top, round(middles[0] - pitch / 2))
    edges = [
        top,
        *(round((a + b) / 2) for a, b in pairwise(middles)),
        min(bottom, round(middles[-1] + pitch / 2)),
    ]
    return list(pairwise(edges))
