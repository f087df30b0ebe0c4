"""From a crop of the screen to what the recogniser sees: find the ink, drop frame lines, keep a margin of background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Box, Image
from vision.recogniser import HEIGHT, Strip, bucket, resize

FAINTEST = 22
"""Difference in any channel that counts as ink: placeholders and disabled texts have 50 and more, zebra less than 16."""
SHADING = 0.18
"""Of the strongest difference: what is weaker is not ink. Gray text beside black text has 0.3."""
SIDE_MARGIN = 3
"""Pixels of background left and right of the ink."""
LEAST_HEIGHT = 18
"""Pixels: shorter ink (``1.2``, ``一``) gets at least this much height, or it would be blown up to a whole line."""
LEAST_BUTTON = (36, 20)
"""Pixels, width and height: a smaller ring may be the 口 around 回 or 国."""
LEAST_CELL = (24, 16)
"""Pixels, width and height: in a smaller crop a straight line along an edge may be a stroke of its character."""
CORNER = 6
"""Pixels: what shows of the page at a button's round corner."""
LONGEST_DASH = 9
"""Pixels: a hyphen at 150 % has 8; ``一`` at 12 px has 11."""


@dataclass(frozen=True, slots=True)
class Dashes:
    """A crop that holds nothing but two or more hyphens, one box each: the network reads ``--`` as ``-`` or ``==``."""

    CERTAINTY: ClassVar[float] = 0.99
    boxes: tuple[Box, ...]


def background(crop: Image) -> npt.NDArray[np.uint8]:
    """The colour most pixels have, BGR. A crop of text is mostly background, also in white-on-blue buttons."""
    step = 2 if crop.shape[0] * crop.shape[1] > 2000 else 1
    flat = crop[::step, ::step].reshape(-1, 3).astype(np.uint32)
    keys = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    key = int(values[int(counts.argmax())])
    return np.array([key >> 16, key >> 8 & 255, key & 255], np.uint8)


def ink_mask(crop: Image, colour: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where the crop differs visibly from its background, H×W."""
    difference = np.abs(crop.astype(np.int16) - colour.astype(np.int16)).max(axis=2)
    # Beside strong ink a weak difference is the shading of a button, not text.
    level = max(FAINTEST, SHADING * float(difference.max(initial=0)))
    return cast("npt.NDArray[np.bool_]", difference >= level)


def ink_box(crop: Image) -> Box | None:
    """Around everything drawn in the crop, without frame lines at its edges; None where nothing is drawn."""
    if crop.size == 0:
        return None
    return _ink(crop, background(crop))


def _ink(crop: Image, colour: npt.NDArray[np.uint8]) -> Box | None:
    mask = _without_outline(ink_mask(crop, colour).astype(np.uint8))
    height, width = mask.shape
    top = bottom = left = right = 0
    if width >= LEAST_CELL[0]:
        top, bottom = _lines(mask), _lines(mask[::-1])
    if height >= LEAST_CELL[1]:
        left, right = _lines(mask.T), _lines(mask[:, ::-1].T)
    if top or bottom or left or right:
        inner = _bounds(mask, top, height - bottom, left, width - right)
        if inner is None:
            # Only lines on a background: an empty cell. A crop too low for a cell may hold a 一; a picture has no background.
            empty = height >= LEAST_BUTTON[1] and float(mask.mean()) < 0.5
            return None if empty else _bounds(mask, 0, height, 0, width)
        # A line goes on past the text on both sides; the last stroke of 11 ends with it.
        if inner.x < left + 2 or inner.right > width - right - 2:
            top = bottom = 0
        if inner.y < top + 2 or inner.bottom > height - bottom - 2:
            left = right = 0
    return _bounds(mask, top, height - bottom, left, width - right)


def _bounds(mask: npt.NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> Box | None:
    if bottom <= top or right <= left:
        return None
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask[top:bottom, left:right]))
    return Box(left + x, top + y, width, height) if width else None


def _lines(mask: npt.NDArray[np.uint8]) -> int:
    """How many rows at the top are a line of a cell or a neighbouring area: drawn all along, with nothing attached below.

    The top of 工 in a narrow crop is drawn all along too, but its stem hangs on it.
    """
    rows, width = mask.shape
    count = 0
    while count < rows and mask[count].mean() > 0.9:
        count += 1
    inset = min(6, width // 4)  # sides and round corners of the same box may go on
    if 0 < count < rows and mask[count, inset : width - inset].any():
        return 0
    return count


def _without_outline(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The mask without the outline or the round corners of a button that fills the crop."""
    height, width = mask.shape
    if width < LEAST_BUTTON[0] or height < LEAST_BUTTON[1]:
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    drop: list[int] = []
    corners: list[int] = []
    for number, (x, y, w, h, area) in enumerate(stats.tolist()):
        if number == 0:
            continue
        if w >= 0.8 * width and h >= 0.8 * height and area < 0.5 * w * h:
            drop.append(number)
        elif max(w, h) <= CORNER and (x == 0 or x + w == width) and (y == 0 or y + h == height):
            corners.append(number)
    if len(corners) >= 2:
        drop += corners
    # An outline alone is not text either, but a drawing: leave it to the network to be uncertain about.
    if not drop or len(drop) == count - 1:
        return mask
    kept = mask.copy()
    kept[np.isin(labels, drop)] = 0
    return kept


def make_strip(crop: Image) -> Strip | Dashes | None:
    """The crop as the network sees it, or dashes that need no network; None where nothing is drawn."""
    if crop.size == 0:
        return None
    colour = background(crop)
    ink = _ink(crop, colour)
    if ink is None:
        return None
    drawn = crop[ink.y : ink.bottom, ink.x : ink.right]
    dashes = _dashes(drawn, ink, colour)
    if dashes is not None:
        return dashes
    height = max(ink.height + 2 * max(1, round(ink.height * 0.2)), LEAST_HEIGHT)
    above = (height - ink.height) // 2
    width = ink.width + 2 * SIDE_MARGIN
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = colour
    canvas[above : above + ink.height, SIDE_MARGIN : SIDE_MARGIN + ink.width] = drawn
    wanted = round(width * HEIGHT / height)
    strip = np.empty((HEIGHT, bucket(wanted), 3), np.uint8)
    strip[:] = colour
    strip[:, :wanted] = resize(canvas, wanted)
    return Strip(strip, float(ink.x - SIDE_MARGIN), wanted / width, ink)


def _dashes(drawn: Image, ink: Box, colour: npt.NDArray[np.uint8]) -> Dashes | None:
    """Two or more equal low bars side by side, and nothing else."""
    if ink.height > LONGEST_DASH // 2 or ink.width < 5:
        return None
    strength = np.abs(drawn.astype(np.int16) - colour.astype(np.int16)).max(axis=2)
    # Hyphens of one word lie so close that the pixel between them is part gray: the dark runs count.
    dark = strength.max(axis=0) > 0.65 * strength.max()
    steps = np.flatnonzero(np.diff(np.concatenate(([False], dark, [False])).astype(np.int8)))
    starts, ends = steps[::2], steps[1::2]
    lengths = ends - starts
    even = lengths.size >= 2 and int(lengths.max()) - int(lengths.min()) <= 1
    if not even or int(lengths.max()) > LONGEST_DASH or int(lengths.min()) < max(2, ink.height):
        return None
    gaps = starts[1:] - ends[:-1]
    if int(gaps.max()) > int(lengths.max()) + 1:
        return None
    return Dashes(tuple(Box(ink.x + int(a), ink.y, int(b - a), ink.height) for a, b in zip(starts, ends, strict=True)))
