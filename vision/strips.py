"""From a crop of the screen to what the recogniser sees: find the ink, drop frame lines, keep a margin of background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt

from vision.frame import Box, Image
from vision.recogniser import HEIGHT, Strip, bucket, resize

FAINTEST = 22
"""Difference in any channel that counts as ink: placeholders and disabled texts have 50 and more, zebra less than 16."""
SIDE_MARGIN = 3
"""Pixels of background left and right of the ink."""
LEAST_HEIGHT = 18
"""Pixels: shorter ink (``1.2``, ``一``) gets at least this much height, or it would be blown up to a whole line."""
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
    return cast("npt.NDArray[np.bool_]", difference >= FAINTEST)


def ink_box(crop: Image) -> Box | None:
    """Around everything drawn in the crop, without frame lines at its edges; None where nothing is drawn."""
    if crop.size == 0:
        return None
    return _ink(crop, background(crop))


def _ink(crop: Image, colour: npt.NDArray[np.uint8]) -> Box | None:
    mask = ink_mask(crop, colour)
    top, bottom, left, right = 0, mask.shape[0], 0, mask.shape[1]
    # Lines of a cell or a button that run along the whole edge are not text.
    while bottom - top > 2 and mask[top, left:right].mean() > 0.9:
        top += 1
    while bottom - top > 2 and mask[bottom - 1, left:right].mean() > 0.9:
        bottom -= 1
    while right - left > 2 and bottom - top >= 8 and mask[top:bottom, left].mean() > 0.9:
        left += 1
    while right - left > 2 and bottom - top >= 8 and mask[top:bottom, right - 1].mean() > 0.9:
        right -= 1
    part = mask[top:bottom, left:right]
    rows = np.flatnonzero(part.any(axis=1))
    columns = np.flatnonzero(part.any(axis=0))
    if rows.size == 0:
        return None
    return Box(left + int(columns[0]), top + int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


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
