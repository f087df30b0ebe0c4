"""What grids are made of: straight edges, backgrounds and ink. Pure functions on ``uint8`` arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Box, Image

EDGE = 3
"""Largest channel step between neighbours that is a straight edge: zebra of Element-UI (#fafafa on white) is 5, in the dark 9."""
INK = 28
"""Distance from the background that is ink: disabled text has 60 and more, the shadow of a fixed column up to 20."""
FILL = 5
"""Distance from the background that may be the fill of a mark: the palest Element tag (#f4f4f5) has 11."""

Mask = npt.NDArray[np.uint8]


class Rule(NamedTuple):
    """A straight edge or line across or down: what lies before ends at ``start``, what lies after begins at ``end``."""

    start: int
    end: int


def step(image: Image, axis: int) -> Mask:
    """H×W of the largest channel difference to the pixel above (axis 0) or left (axis 1); the first row or column is 0."""
    out = np.zeros(image.shape[:2], np.uint8)
    if axis == 0:
        out[1:] = _most(cv2.absdiff(image[1:], image[:-1]))
    else:
        out[:, 1:] = _most(cv2.absdiff(image[:, 1:], image[:, :-1]))
    return out


def _most(difference: Any) -> Any:
    b, g, r = cv2.split(difference)
    return cv2.max(cv2.max(b, g), r)


def edges_across(image: Image, length: int) -> Mask:
    """0/1 H×W: pixels of straight horizontal edges at least ``length`` long; gaps of vertical lines are closed."""
    _, mask = cv2.threshold(step(image, 0), EDGE - 1, 1, cv2.THRESH_BINARY)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    opened: Any = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    return opened  # type: ignore[no-any-return]


def rules(profile: npt.NDArray[Any], level: float, thick: int) -> list[Rule]:
    """Where ``profile`` (share of a line's length that is edge) reaches ``level``; neighbours within ``thick`` are one rule."""
    places = np.flatnonzero(profile >= level)
    out: list[Rule] = []
    for place in places.tolist():
        if out and place - out[-1].end <= thick:
            out[-1] = Rule(out[-1].start, place)
        else:
            out.append(Rule(place, place))
    return out


def runs(flags: Any, gap: int = 0) -> list[tuple[int, int]]:
    """Half-open stretches of true values in a one-dimensional array; stretches with at most ``gap`` between them are one."""
    padded = np.concatenate(([0], np.asarray(flags, np.int8), [0]))
    change = np.flatnonzero(np.diff(padded))
    out: list[tuple[int, int]] = []
    for start, end in zip(change[::2].tolist(), change[1::2].tolist(), strict=True):
        if out and start - out[-1][1] <= gap:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def background(crop: Image) -> npt.NDArray[np.int16]:
    """The colour (B, G, R) of the padding of a cell or control: the median along its inner border."""
    ring = np.concatenate(
        (crop[:2].reshape(-1, 3), crop[-2:].reshape(-1, 3), crop[:, :2].reshape(-1, 3), crop[:, -2:].reshape(-1, 3))
    )
    middle: npt.NDArray[np.int16] = np.median(ring, axis=0).astype(np.int16)
    return middle


def distance(crop: Image, colour: npt.NDArray[Any]) -> Mask:
    """H×W: largest channel difference to a colour."""
    flat = np.empty_like(crop)
    flat[:] = colour.astype(np.uint8)
    out: Any = _most(cv2.absdiff(crop, flat))
    return out  # type: ignore[no-any-return]


def bounds(mask: Mask) -> Box | None:
    """The box around what is not 0, in pixels of the mask; None where all is 0."""
    ys = np.flatnonzero(mask.any(axis=1))
    if not len(ys):
        return None
    xs = np.flatnonzero(mask.any(axis=0))
    return Box(int(xs[0]), int(ys[0]), int(xs[-1] - xs[0] + 1), int(ys[-1] - ys[0] + 1))


def around(boxes: list[Box]) -> Box:
    """The smallest box that holds all; ``boxes`` must not be empty."""
    x, y = min(b.x for b in boxes), min(b.y for b in boxes)
    return Box(x, y, max(b.right for b in boxes) - x, max(b.bottom for b in boxes) - y)
