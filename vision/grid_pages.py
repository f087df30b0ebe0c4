"""What stands under a grid: the number of rows (共N条), the page shown, the arrows."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import NamedTuple

import numpy as np

from vision import text
from vision.findings import Pager
from vision.frame import Box, Frame
from vision.grid_cells import marks
from vision.grid_pixels import FILL, INK, around, background, bounds, distance, runs
from vision.lines import find_lines

REACH = 90
"""Pixels at 100 % under the last row within which more than one row of text is tried."""
DISABLED = 0.62
"""An arrow under this part of the page numbers' contrast is disabled: Element 2.x 0.44, Plus 0.50, dark 0.35; enabled 0.9–1.1."""

SURE = 0.7
"""Lowest character probability of a page number; an arrow that reads like a digit has 0.2–0.6, numbers 0.95 and more."""

JUMP = ("前往", "跳至", "到第", "跳转")
"""Words before the box for a page to go to."""

EMPTY = ("暂无", "无数据", "没有数据", "没有找到", "无记录", "nodata")
"""What tables say in place of rows, without spaces."""

_TOTAL = re.compile(r"共\D{0,3}(\d+)\D{0,2}(?:条|项|记录|行|$)|(?:总数|总计|合计|Total)\D{0,2}(\d+)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+)\s*(?:条|项|行)?\s*/\s*(?:页|page)|每页\D{0,3}(\d+)", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*(?:-|–|—|~|至|到)\s*(\d+)\s*(?:条|项|行|记录|，|,)")
_PAGE = re.compile(r"第\D{0,2}(\d+)\D{0,2}页|(\d+)\s*/\s*\d+\s*页")


def read_pager(frame: Frame, table: Box, region: Box | None = None) -> Pager | None:
    """The pages under ``table``; None where neither a total nor a page size nor page numbers stand there.

    They are in the first row of text below the rows, however much of the table is empty, or close below that.
    """
    scale = frame.scale
    area = frame.box if region is None else Box(*region).clip(frame.width, frame.height)
    # Pagers are often wider than a narrow table: all that is right of the table's left edge.
    left = max(area.x, table.x - round(40 * scale))
    below = Box(left, table.bottom + 1, area.right - left, area.bottom - table.bottom - 1).intersect(area)
    rows: list[Box] = []
    for line in find_lines(frame, below):
        box = line.box
        if box.height > 44 * scale:
            continue
        if rows and abs(rows[-1].center.y - box.center.y) <= 0.7 * max(box.height, rows[-1].height, 8 * scale):
            rows[-1] = around([rows[-1], box])
        else:
            rows.append(box)
    tried = 0
    for row in rows:
        if tried == 3 or (tried and row.y > table.bottom + REACH * scale):
            break
        pieces = _pieces(frame, row, table, area)
        pager = _pager(frame, pieces)
        if pager is not None:
            return pager
        # An empty table says so in its middle, far above its pages.
        tried += not any(word in piece.said.lower() for piece in pieces for word in EMPTY)
    return None


class _Piece(NamedTuple):
    """One thing in a row of pages: its ink, and the button or box around it (the ink's box where there is none)."""

    ink: Box
    outer: Box
    said: str = ""
    lowest: float = 0.0


def _pieces(frame: Frame, row: Box, table: Box, area: Box) -> list[_Piece]:
    """What stands in a row from left to right, read. Fills and frames of buttons are taken apart from what they hold."""
    scale = frame.scale
    middle, half = row.center.y, round(22 * scale)
    strip = Box(area.x, max(area.y, middle - half), area.width, 2 * half).intersect(area)
    image = frame.crop(strip)
    sample = frame.crop(Box(min(table.x, row.x), strip.y, max(table.right, row.right) - min(table.x, row.x), strip.height))
    packed = sample.reshape(-1, 3).astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    colours, counts = np.unique(packed, return_counts=True)
    common = int(colours[int(np.argmax(counts))])
    back = np.array([common & 255, common >> 8 & 255, common >> 16 & 255], np.int16)
    far = distance(image, back)
    # The row ends where the panel ends: a column of pixels that is another colour all the way.
    walls = np.flatnonzero((far > FILL).mean(axis=0) > 0.9) + strip.x
    left = int(max((w for w in walls if w < row.center.x), default=strip.x - 1)) + 1
    right = int(min((w for w in walls if w > row.center.x), default=strip.right))
    image, far = image[:, left - strip.x : right - strip.x], far[:, left - strip.x : right - strip.x]
    em = 14 * scale
    ink = (far >= INK).astype(np.uint8)
    ink[: max(0, row.y - strip.y - round(8 * scale))] = 0
    ink[row.bottom - strip.y + round(8 * scale) :] = 0
    found: list[tuple[Box, Box]] = []
    for mark in marks(image, far, em):
        outer = mark.box
        if not outer.y < middle - strip.y < outer.bottom:
            continue
        ink[outer.y : outer.bottom, outer.x : outer.right] = 0
        pad = max(2, round(3 * scale))
        inside = outer.grow(-pad)
        part = image[inside.y : inside.bottom, inside.x : inside.right]
        if not part.size:
            continue
        held = (distance(part, background(part)) >= INK).astype(np.uint8)
        for a, b in runs(held.any(axis=0), round(0.45 * em)):
            tight = bounds(held[:, a:b])
            if tight is not None:
                found.append((tight.shift(a + inside.x, inside.y), outer))
    for a, b in runs(ink.any(axis=0), round(0.45 * em)):
        tight = bounds(ink[:, a:b])
        if tight is not None and tight.height >= 4:
            box = tight.shift(a, 0)
            found.append((box, box))
    moved = sorted((i.shift(left, strip.y), o.shift(left, strip.y)) for i, o in found)
    readings = text.read([frame.crop(i.grow(max(3, round(3 * scale)), max(2, round(2 * scale)))) for i, _ in moved])
    return [
        _Piece(i, o, unicodedata.normalize("NFKC", r.text).replace(" ", ""), r.lowest)
        for (i, o), r in zip(moved, readings, strict=True)
    ]


def _pager(frame: Frame, row: list[_Piece]) -> Pager | None:
    joined = " ".join(p.said for p in row)
    tight = joined.replace(" ", "")
    total = _number(_TOTAL.search(tight))
    size_box, page_size = None, None
    for piece in row:
        match = _SIZE.search(piece.said)
        if match:
            size_box, page_size = piece.outer, _number(match)
    numbers = _page_numbers(row, size_box)
    if total is not None and page_size:
        # An arrow may read like a digit.
        numbers = [n for n in numbers if n[1] <= max(1, math.ceil(total / page_size))]
    page = _number(_PAGE.search(tight))
    if page is None and numbers:
        page = _chosen(frame, numbers)
    previous, following = _arrows(frame, row, numbers)
    if total is None and page_size is None and not (len(numbers) > 1 and page and previous and following):
        return None
    enabled = _enabled(frame, following, [p for p, _ in numbers])
    span = _RANGE.search(joined)
    if page_size is None and span and page == 1:
        page_size = int(span[2]) - int(span[1]) + 1
    return Pager(
        total, page, page_size, previous.outer if previous else None, following.outer if following else None, enabled, size_box
    )


def _number(match: re.Match[str] | None) -> int | None:
    return next((int(g) for g in match.groups() if g), None) if match else None


def _page_numbers(row: list[_Piece], size_box: Box | None) -> list[tuple[_Piece, int]]:
    """The page numbers: the longest sequence of whole numbers that grow from left to right, before or after the page size."""
    found: list[list[tuple[_Piece, int]]] = [[]]
    jump = False
    for piece in row:
        if piece.outer == size_box or any(w in piece.said for w in JUMP):
            found.append([])
            jump = piece.outer != size_box
        elif piece.said.isdigit() and len(piece.said) <= 5 and piece.lowest >= SURE:
            if found[-1] and int(piece.said) <= found[-1][-1][1]:
                found.append([])
            # What stands after 前往 is a box to type into.
            if not jump:
                found[-1].append((piece, int(piece.said)))
            jump = False
    return max(found, key=len)


def _chosen(frame: Frame, numbers: list[tuple[_Piece, int]]) -> int | None:
    """The page number that looks different from the others: on a fill, or in another colour."""
    if len(numbers) == 1:
        return numbers[0][1]
    looks = []
    for piece, _ in numbers:
        crop = frame.crop(piece.ink.grow(round(2 * frame.scale)))
        back = background(crop)
        far = distance(crop, back)
        strong = crop[far >= max(20, int(far.max() * 0.8))].astype(np.int16)
        ink = np.median(strong, axis=0) if len(strong) else back
        looks.append(np.concatenate((back, ink)))
    if len(looks) > 2:
        usual = np.median(np.array(looks), axis=0)
        away = [float(np.abs(look - usual).max()) for look in looks]
    else:
        # Of two numbers the chosen one is the more colourful.
        away = [float(max(np.ptp(look[:3]), np.ptp(look[3:]))) for look in looks]
    best = int(np.argmax(away))
    rest = sorted(away)[-2]
    return numbers[best][1] if away[best] >= 30 and away[best] >= 1.5 * rest else None


def _arrows(frame: Frame, row: list[_Piece], numbers: list[tuple[_Piece, int]]) -> tuple[_Piece | None, _Piece | None]:
    """Previous and next: by their words, else the small pieces beside the page numbers."""
    previous = next((p for p in row if "上一页" in p.said or "上页" in p.said), None)
    following = next((p for p in row if "下一页" in p.said or "下页" in p.said), None)
    if not numbers:
        return previous, following
    first, last = numbers[0][0], numbers[-1][0]
    reach = 60 * frame.scale
    small = [p for p in row if p.ink.width <= 16 * frame.scale and p.ink.height <= 20 * frame.scale]
    if previous is None:
        previous = next((p for p in reversed(small) if p.ink.right <= first.ink.x and first.ink.x - p.ink.right <= reach), None)
    if following is None:
        following = next((p for p in small if p.ink.x >= last.ink.right and p.ink.x - last.ink.right <= reach), None)
    return previous, following


def _enabled(frame: Frame, arrow: _Piece | None, numbers: list[_Piece]) -> bool | None:
    """From the arrow's contrast beside the page numbers'."""
    if arrow is None:
        return None
    own = _strongest(frame, arrow.ink)
    others = [_strongest(frame, p.ink) for p in numbers]
    reference = float(np.median(others)) if others else 160.0
    return own >= DISABLED * min(reference, 255.0)


def _strongest(frame: Frame, box: Box) -> float:
    """Strongest distance of ink from its background."""
    crop = frame.crop(box.grow(max(2, round(2 * frame.scale))))
    far = distance(crop, background(crop))
    return float(far.max()) if far.size else 0.0


def pages(pager: Pager) -> int | None:
    """How many pages there are, where total and page size are known."""
    if pager.total is None or not pager.page_size:
        return None
    return max(1, math.ceil(pager.total / pager.page_size))


def rows_due(pager: Pager | None) -> int | None:
    """How many rows the page shown must have; None where the count cannot tell."""
    if pager is None or pager.total is None:
        return None
    if not pager.page_size:
        # On the only page all rows must be; how many a page of several holds is not known.
        return pager.total if pager.page in (None, 1) and not pager.next_enabled else None
    if pager.page is None:
        return pager.total if pager.total <= pager.page_size else None
    return max(0, min(pager.page_size, pager.total - (pager.page - 1) * pager.page_size))
