"""The columns of a table: upright lines, a fixed part with its shadow, and the gutters between aligned text."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Box
from vision.grid_lines import ALIGNED, CELL_PAD, Geometry, HeaderRow, Sketch, aligned_with
from vision.grid_pixels import INK, Rule, background, distance, rules, runs, step
from vision.grid_pixels import bounds as bounds_of

SHADOW = 12
"""Pixels at 100 % over which the shadow of a fixed column falls; Element draws 10."""
SHADOW_STEP = 3
"""Luma that a shadow takes away at least."""
Luma = npt.NDArray[np.float32]

LEAST = 14
"""Narrowest column, pixels at 100 %."""


def columns(
    seen: Sketch, head: HeaderRow, box: Box, rows: list[tuple[int, int]], body: list[Box], em: float, scale: float
) -> Geometry:
    """Headers and bounds of the columns of the table in ``box``, whose rows are known."""
    uprights, fixed_x, shadow = _uprights(seen, head, box, rows, scale)
    edges = [Rule(box.x, box.x), *uprights, Rule(box.right, box.right)]
    body = _cut_texts(seen, body, uprights, fixed_x)
    heads = _cut_texts(seen, head.texts, uprights, fixed_x)
    bounds: list[tuple[int, int]] = []
    names: list[list[Box]] = []
    for before, after in pairwise(edges):
        left, right = before.end, after.start
        if right - left < LEAST * scale:
            continue
        inside = [t for t in heads if left - 2 <= t.x + t.width / 2 < right + 2]
        under = [t for t in body if left - 2 <= t.x + t.width / 2 < right + 2]
        groups = _header_groups(inside, under, em)
        parts = _part(left, right, groups, under, em, scale)
        bounds += [(a, b) for a, b, _ in parts]
        names += [g for _, _, g in parts]
    # The empty rest at the right of a table is no column.
    while names and not names[-1] and not any(bounds[-1][0] <= t.x < bounds[-1][1] for t in body):
        bounds.pop()
        names.pop()
    header_boxes = [Box(a, head.band.y, b - a, head.band.height) for a, b in bounds]
    geometry = Geometry(box, em, names, header_boxes, rows)
    if bounds:
        geometry.box = Box(bounds[0][0], box.y, bounds[-1][1] - bounds[0][0], box.height)
    if fixed_x is not None:
        geometry.fixed_from = next((i for i, (a, _) in enumerate(bounds) if abs(a - fixed_x) <= 3), None)
        if geometry.fixed_from and shadow:
            geometry.clipped.add("right")
    if names and bounds and any(t.x <= bounds[0][0] + 1 for t in body + heads):
        geometry.clipped.add("left")
    return geometry


def _uprights(
    seen: Sketch, head: HeaderRow, box: Box, rows: list[tuple[int, int]], scale: float
) -> tuple[list[Rule], int | None, bool]:
    """Upright lines through header or body, and the left edge of a fixed part with whether it throws a shadow."""
    image = seen.frame.crop(box)
    steps = step(image, 1) >= SHADOW_STEP
    if head.ruled:
        header = steps[1 : head.band.height - 1]
    else:
        # Without rules the band is the ink alone, and a stroke would be as high as it.
        room = Box(box.x, head.band.y - head.band.height // 2, box.width, 2 * head.band.height)
        header = step(seen.frame.crop(room), 1) >= SHADOW_STEP
    share = header.mean(axis=0) if header.size else np.zeros(box.width)
    found = [Rule(r.start + box.x, r.end + box.x) for r in rules(share, 0.9, max(2, round(2 * scale)))]
    if rows:
        body_steps = np.concatenate([steps[top - box.y + 2 : bottom - box.y - 2] for top, bottom in rows])
        body_share = body_steps.mean(axis=0) if body_steps.size else share
        for rule in rules(body_share, 0.85, max(2, round(2 * scale))):
            moved = Rule(rule.start + box.x, rule.end + box.x)
            if not any(moved.start <= f.end + 3 and moved.end >= f.start - 3 for f in found):
                found.append(moved)
    found = sorted(f for f in found if f.start > box.x + 4 * scale and f.end < box.right - 4 * scale)
    luma = _plain_luma(seen, box, rows)
    fixed_x: int | None = None
    out: list[Rule] = []
    for rule in found:
        if luma is not None and _shadowed(luma, rule, box.x, scale):
            fixed_x = rule.end
            out.append(Rule(rule.end, rule.end))
        else:
            out.append(rule)
    # A shadow's ramp leaves several edges close together: one boundary, the last.
    kept: list[Rule] = []
    for rule in out:
        if kept and rule.start - kept[-1].end < LEAST * scale:
            if fixed_x is not None and rule.end == fixed_x:
                kept[-1] = rule
            continue
        kept.append(rule)
    return kept, fixed_x, fixed_x is not None


def _cut_texts(seen: Sketch, texts: list[Box], uprights: list[Rule], fixed_x: int | None) -> list[Box]:
    """Text that the line finder joined across an upright line becomes a piece on each side."""
    out: list[Box] = []
    for box in texts:
        pieces = [box]
        for rule in uprights:
            if box.x < rule.start and box.right > rule.end:
                last = pieces.pop()
                pieces += [
                    Box(last.x, last.y, rule.start - last.x, last.height),
                    Box(rule.end, last.y, last.right - rule.end, last.height),
                ]
        if len(pieces) == 1:
            out.append(box)
            continue
        for piece in pieces:
            crop = seen.frame.crop(piece.grow(0, 2))
            if crop.shape[1] < 2:
                continue
            back = background(crop)
            far = distance(crop, back) >= INK
            far[:, [0, -1]] &= ~(far[:, [0, -1]].mean(axis=0) > 0.6)
            ink = bounds_of(far.astype(np.uint8))
            if ink is not None and ink.width >= 2:
                out.append(ink.shift(piece.x, max(0, piece.y - 2)))
    return out


def _plain_luma(seen: Sketch, box: Box, rows: list[tuple[int, int]]) -> Luma | None:
    """Median luma along the table between the lines of text, one value a pixel across."""
    bands = []
    for top, bottom in rows:
        height = bottom - top
        bands.append(seen.frame.crop(Box(box.x, top + 2, box.width, max(1, round(height * 0.16)))))
    if not bands:
        return None
    gray = cv2.cvtColor(np.concatenate(bands), cv2.COLOR_BGR2GRAY)
    luma: Luma = np.median(gray, axis=0).astype(np.float32)
    return luma


def _shadowed(luma: Luma, rule: Rule, x: int, scale: float) -> bool:
    """Whether it grows darker towards an edge, pixel by pixel, as beside a part that lies above."""
    end = rule.start - x
    width = round(SHADOW * scale)
    if end - width < 0:
        return False
    ramp = luma[end - width : end]
    falls = np.diff(ramp)
    return bool(ramp[0] - ramp[-1] >= SHADOW_STEP and (falls <= 0.5).mean() >= 0.9 and (falls < 0).sum() >= 3)


def _header_groups(texts: list[Box], under: list[Box], em: float) -> list[list[Box]]:
    """Texts of the header that belong to one column: above each other, or apart by no more than spaced letters are."""
    groups: list[list[Box]] = []
    for text in sorted(texts):
        if groups:
            right = max(t.right for t in groups[-1])
            left = min(t.x for t in groups[-1])
            stacked = text.x < right and text.right > left
            narrow = text.x - right < 1.1 * em and any(u.x < right and u.right > text.x for u in under)
            if stacked or narrow:
                groups[-1].append(text)
                continue
        groups.append([text])
    return [sorted(g, key=lambda b: (round((b.y + b.height / 2) / (0.7 * em)), b.x)) for g in groups]


def _part(
    left: int, right: int, groups: list[list[Box]], under: list[Box], em: float, scale: float
) -> list[tuple[int, int, list[Box]]]:
    """Part what lies between two upright lines into the columns of its headers (and of text without a header)."""
    if len(groups) <= 1 and not _unnamed(left, groups, under, em):
        return [(left, right, groups[0] if groups else [])]
    occupied = np.zeros(max(1, right - left), np.bool_)
    for t in under:
        occupied[max(0, t.x - left) : max(0, t.right - left)] = True
    spans: list[tuple[int, int, list[Box]]] = [(min(t.x for t in g), max(t.right for t in g), g) for g in groups]
    first = _unnamed(left, groups, under, em)
    if first:
        spans.insert(0, (first[0], first[1], []))
    out: list[tuple[int, int, list[Box]]] = []
    start = left
    for (_, end, group), (begin, begin_end, following) in pairwise(spans):
        free = [(a + end, b + end) for a, b in runs(~occupied[max(0, end - left) : max(0, begin - left)])]
        gutter = max(free, key=lambda g: (round((g[1] - g[0]) / (0.6 * em)), g[1])) if free else (begin - 1, begin)
        edge = _edge(gutter, begin, begin_end, under, following, scale, left, spans[0][0])
        out.append((start, edge, group))
        start = edge
    out.append((start, right, spans[-1][2]))
    return out


def _edge(
    gutter: tuple[int, int],
    begin: int,
    begin_end: int,
    under: list[Box],
    following: list[Box],
    scale: float,
    left: int,
    first: int,
) -> int:
    """The bound inside a gutter: one padding before text that begins at one place, else in its middle."""
    pad = min(max(first - left, 4 * scale), 24 * scale) if first > left else CELL_PAD * scale
    lefts = [t for t in under if abs(t.x - begin) <= ALIGNED * scale]
    centred = [
        t for t in under if abs(t.x + t.right - begin - begin_end) <= 2 * ALIGNED * scale and abs(t.x - begin) > ALIGNED * scale
    ]
    middle = (gutter[0] + gutter[1]) // 2
    if len(lefts) > len(centred):
        return round(
            max(
                min(gutter[1] - min(pad, CELL_PAD * scale), gutter[1] - 1),
                middle if gutter[1] - gutter[0] < 2 * pad else gutter[0],
            )
        )
    return middle


def _unnamed(left: int, groups: list[list[Box]], under: list[Box], em: float) -> tuple[int, int] | None:
    """Text that stands in a column of its own before the first header: check boxes or numbers without a heading."""
    first = min((t.x for g in groups for t in g), default=None)
    if first is None:
        return None
    before = [t for t in under if t.right < first - 0.4 * em]
    if len(before) < 2 or any(t.x < first - 2 and t.right >= first - 0.4 * em for t in under):
        return None
    if not aligned_with(before[0], before[1:], ALIGNED):
        return None
    return min(t.x for t in before), max(t.right for t in before)
