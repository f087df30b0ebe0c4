"""What stands in one cell: lines of text, words apart from each other, marks beside a value, check boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np

from vision.frame import Box, Frame, Image
from vision.grid_pixels import FILL, INK, Mask, around, background, bounds, distance, runs

WORD_GAP = 0.6
"""Of the font size: Element puts 10 px between 14-px links (0.71), a space between digits is 0.25–0.4."""
FAR_GAP = 1.3
"""Of the font size: text further apart is never one piece; a full-width colon or space leaves up to 1.0."""
BADGE_WIDEST = 3.6
"""Of the font size: a mark beside a value holds one to three characters."""
BADGE_GAP = 1.6
"""Of the font size: a mark further from the value is something of its own."""


@dataclass(slots=True)
class Content:
    """Where the parts of a cell are, in pixels of the frame; nothing is read yet."""

    ink: Box | None = None
    lines: list[list[Box]] = field(default_factory=list)
    """Lines of text from top to bottom; each its words from left to right. One word where spaces are ordinary."""
    badges: list[Box] = field(default_factory=list)
    dots: list[Box] = field(default_factory=list)
    """Coloured dots before a state: not text."""
    check: Box | None = None
    cut: bool = False
    """Ink runs into the edge of the cell: the text may go on behind it."""


def look(frame: Frame, cell: Box, em: float) -> Content:
    """The parts of one cell. ``cell`` in pixels of the frame without its border lines; ``em`` is the font size in pixels."""
    crop = frame.crop(cell)
    if crop.shape[0] < 4 or crop.shape[1] < 4:
        return Content()
    back = background(crop)
    far = distance(crop, back)
    ink: Mask = (far >= INK).astype(np.uint8)
    _drop_lines(ink, cell, em)
    _drop_slivers(ink, em)
    around_ink = bounds(ink)
    marked = marks(crop, far, em)
    boxes = [m.box for m in marked]
    if around_ink is None:
        # The outline of an empty check box on a striped row is paler than any text.
        if len(boxes) == 1 and _square(boxes[0], em):
            place = boxes[0].shift(cell.x, cell.y)
            return Content(ink=place, check=place)
        return Content()
    found = Content(ink=around_ink.shift(cell.x, cell.y))
    text = ink.copy()
    # A check box is a square that stands alone.
    if len(boxes) == 1 and _square(boxes[0], em) and _alone(ink, boxes[0]):
        found.check = boxes[0].shift(cell.x, cell.y)
        return found
    free = text.copy()
    for box in boxes:
        free[box.y : box.bottom, box.x : box.right] = 0
    value = bounds(free)
    for mark in marked:
        box = mark.box
        grown = box.grow(1)
        beside = value is not None and value.x < box.x and box.width <= BADGE_WIDEST * em
        # 口 and 园 are frames too, but no higher than the text, and of its colour.
        beside = beside and (box.height >= 1.15 * em or (mark.solid and _other_colour(crop, free, box, back)))
        near = beside and _gap_left(free, box) <= BADGE_GAP * em
        if near:
            found.badges.append(box.shift(cell.x, cell.y))
            text[max(0, grown.y) : grown.bottom, max(0, grown.x) : grown.right] = 0
    dot = _dot(crop, text, back, em)
    if dot is not None:
        found.dots.append(dot.shift(cell.x, cell.y))
        text[:, : dot.right + 1] = 0
    rest = bounds(text)
    if rest is None:
        return found
    found.cut = bool(text[:, -1].any() or text[:, 0].any() or text[0].any() or text[-1].any())
    coloured = _coloured(crop, text, back)
    for top, bottom in text_lines(text, em):
        band = text[top:bottom]
        gap = round((WORD_GAP if coloured else FAR_GAP) * em)
        words = [Box(a, top, b - a, bottom - top) for a, b in runs(band.any(axis=0), gap - 1)]
        tight = []
        for word in words:
            inner = bounds(text[word.y : word.bottom, word.x : word.right])
            if inner is not None:
                tight.append(inner.shift(word.x + cell.x, word.y + cell.y))
        if tight:
            found.lines.append(tight)
    return found


def text_lines(text: Mask, em: float) -> list[tuple[int, int]]:
    """Top and bottom of each line of text in a mask; characters in two parts (二, --, ：) stay one line."""
    pieces = runs(text.any(axis=1), max(1, round(0.12 * em)))
    if not pieces or pieces[-1][1] - pieces[0][0] <= 1.45 * em:
        return [(pieces[0][0], pieces[-1][1])] if pieces else []
    lines: list[tuple[int, int]] = []
    for piece in pieces:
        if lines and piece[1] - lines[-1][0] <= 1.3 * em:
            lines[-1] = (lines[-1][0], piece[1])
        else:
            lines.append(piece)
    return lines


def _drop_lines(ink: Mask, cell: Box, em: float) -> None:
    """Straight lines along the border are the cell's frame; no text goes from top to bottom of its cell."""
    for rows in (slice(0, 2), slice(-2, None)):
        band = ink[rows]
        band[band.mean(axis=1) > 0.6] = 0
    if cell.height > 1.3 * em:
        ink[:, ink.mean(axis=0) > 0.9] = 0


def _drop_slivers(ink: Mask, em: float) -> None:
    """What is left of blended border lines: one or two columns of pixels near the right or left edge, apart from the text."""
    width = ink.shape[1]
    reach = 0.3 * em
    for start, end in runs(ink.any(axis=0)):
        if end - start <= 2 and (end <= reach or start >= width - reach):
            ink[:, start:end] = 0


class Mark(NamedTuple):
    """A filled or framed box."""

    box: Box
    solid: bool


def marks(crop: Image, far: Mask, em: float) -> list[Mark]:
    """Filled or framed boxes (badges, tags, buttons, check boxes) from left to right, in pixels of the crop.

    ``far`` is the distance of each pixel from the background.
    """
    _, low = cv2.threshold(far, FILL, 1, cv2.THRESH_BINARY)
    count, _, stats, _ = cv2.connectedComponentsWithStats(low, connectivity=4)
    out = []
    for x, y, w, h, area in stats[1:count].tolist():
        if w < 0.6 * em or h < 0.75 * em or area < min(0.2 * w * h, 1.6 * (w + h)) or w > 12 * em or h > 3 * em:
            continue
        part, away = crop[y : y + h, x : x + w], far[y : y + h, x : x + w]
        solid = [s for inset in (0, 1) if (s := _ringed(part, away, inset)) is not None]
        if solid:
            out.append(Mark(Box(x, y, w, h), any(solid)))
    # What lies inside another box says nothing new.
    return sorted(m for m in out if not any(o is not m and o.box.intersect(m.box).area >= 0.9 * m.box.area for o in out))


def _ringed(part: Image, far: Mask, inset: int) -> bool | None:
    """None where the outline ``inset`` pixels inside a box is not a frame; else whether the box is filled.

    The middle of each side must be even and not background; at fractional scales sides are blended differently.
    """
    h, w = part.shape[:2]
    cy, cx = max(2, round(h * 0.25)), max(2, round(w * 0.25))
    if h - 2 * cy < 3 or w - 2 * cx < 3:
        return None
    across, down = slice(cx, w - cx), slice(cy, h - cy)
    sides = ((inset, across), (h - 1 - inset, across), (down, inset), (down, w - 1 - inset))
    colours = []
    for side in sides:
        if np.count_nonzero(far[side] > FILL) < 0.95 * far[side].size:
            return None
        pixels = part[side].astype(np.int16)
        colour = np.sort(pixels, axis=0)[len(pixels) // 2]
        if np.count_nonzero(np.abs(pixels - colour).max(axis=1) <= 16) < 0.85 * len(pixels):
            return None
        colours.append(colour)
    inside = part[1 : h - 1, 1 : w - 1].astype(np.int16)
    usual = np.sort(np.array(colours), axis=0)[2]
    if np.count_nonzero(np.abs(inside - usual).max(axis=2) <= 20) >= 0.35 * inside[:, :, 0].size:
        return True
    centre = inside[h // 4 : h - h // 4, w // 4 : w - w // 4]
    plain = float(np.abs(centre - np.median(centre.reshape(-1, 3), axis=0)).max(axis=2).mean()) < 12
    return False if plain or w >= 1.6 * h else None


def _other_colour(crop: Image, text: Mask, box: Box, back: Any) -> bool:
    """Whether a filled box has a colour that is no blend of the background and the text's."""
    fill = np.median(crop[box.y + 1 : box.bottom - 1, box.x + 1 : box.right - 1].reshape(-1, 3).astype(np.int16), axis=0) - back
    core = _core(crop, text, back)
    if not len(core):
        return True
    way = np.median(core, axis=0) - back
    share = float(np.clip(fill @ way / max(1.0, float(way @ way)), 0, 1))
    return bool(np.abs(fill - share * way).max() >= 40)


def _core(crop: Image, text: Mask, back: Any) -> Any:
    """The pixels of the text that are farthest from the background, N×3: not the blended edges of its strokes."""
    pixels = crop[text.astype(bool)].astype(np.int16)
    if not len(pixels):
        return pixels
    away = np.abs(pixels - back).max(axis=1)
    return pixels[away >= np.percentile(away, 70)]


def _square(box: Box, em: float) -> bool:
    return 0.8 <= box.width / box.height <= 1.25 and box.width <= 1.7 * em


def _alone(ink: Mask, box: Box) -> bool:
    rest = ink.copy()
    grown = box.grow(1)
    rest[max(0, grown.y) : grown.bottom, max(0, grown.x) : grown.right] = 0
    return int(rest.sum()) <= 2


def _gap_left(free: Mask, box: Box) -> float:
    """Pixels between a box and the ink left of it at its height; infinite where there is none."""
    xs = np.flatnonzero(free[box.y : box.bottom, : box.x].any(axis=0))
    return float(box.x - xs[-1] - 1) if len(xs) else float("inf")


def _dot(crop: Image, text: Mask, back: Any, em: float) -> Box | None:
    """A small filled dot before the text."""
    columns = runs(text.any(axis=0), 1)
    if len(columns) < 2:
        return None
    a, b = columns[0]
    inner = bounds(text[:, a:b])
    if (
        inner is None
        or b - a > 0.8 * em
        or b - a < 0.25 * em
        or abs(inner.width - inner.height) > 2
        or columns[1][0] - b < 0.2 * em
    ):
        return None
    box = inner.shift(a, 0)
    part = text[box.y : box.bottom, box.x : box.right]
    pixels = crop[box.y : box.bottom, box.x : box.right][part.astype(bool)].astype(np.int16)
    chroma = float(np.median(pixels.max(axis=1) - pixels.min(axis=1)))
    return box if float(part.mean()) >= 0.7 and chroma >= 40 else None


def _coloured(crop: Image, text: Mask, back: Any) -> bool:
    """Whether the ink has a colour of its own (a link), compared with the background's."""
    core = _core(crop, text, back)
    if not len(core):
        return False
    chroma = float(np.median(core.max(axis=1) - core.min(axis=1)))
    return chroma >= 60


def whole(words: list[Box]) -> Box:
    """Around the words of a line."""
    return around(words)
