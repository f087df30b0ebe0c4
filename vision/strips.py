"""From a crop of the screen to what the recogniser sees: find the ink, drop frame lines, keep a margin of background."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vision.frame import Box, Image
from vision.recogniser import HEIGHT, Strip, bucket, resize

FAINTEST = 22
"""Difference in any channel that counts as ink. Placeholder and disabled texts differ by 50 and more, zebra stripes by less than 16."""
SIDE_MARGIN = 4
"""Pixels of background left and right of the ink (2–6 are equally good, FIELD.md §2)."""
TALLEST_STRIP = 15
"""Pixels: shorter ink (``--``, ``1.2``, ``一``) gets at least this much height, or it would be blown up to a whole line."""


def background(crop: Image) -> npt.NDArray[np.uint8]:
    """The colour most pixels have, BGR. A crop of text is mostly background, also in white-on-blue buttons."""
    flat = crop.reshape(-1, 3).astype(np.uint32)
    keys = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
    values, counts = np.unique(keys, return_counts=True)
    key = int(values[int(counts.argmax())])
    return np.array([key >> 16, key >> 8 & 255, key & 255], np.uint8)


def ink_mask(crop: Image, colour: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where the crop differs visibly from its background, H×W."""
    difference = np.abs(crop.astype(np.int16) - colour.astype(np.int16)).max(axis=2)
    mask: Any = difference >= FAINTEST
    return mask


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


def make_strip(crop: Image) -> Strip | None:
    """The crop as the network sees it; None where nothing is drawn."""
    if crop.size == 0:
        return None
    colour = background(crop)
    ink = _ink(crop, colour)
    if ink is None:
        return None
    height = max(ink.height + max(4, ink.height // 4), TALLEST_STRIP)
    top = ink.y - (height - ink.height) // 2
    left = ink.x - SIDE_MARGIN
    width = ink.width + 2 * SIDE_MARGIN
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = colour
    canvas[ink.y - top : ink.y - top + ink.height, SIDE_MARGIN : SIDE_MARGIN + ink.width] = crop[
        ink.y : ink.bottom, ink.x : ink.right
    ]
    zoom = HEIGHT / height
    wanted = round(width * zoom)
    total = bucket(wanted)
    strip = np.empty((HEIGHT, total, 3), np.uint8)
    strip[:] = colour
    strip[:, :wanted] = resize(canvas, wanted)
    return Strip(strip, float(left), wanted / width, ink)
