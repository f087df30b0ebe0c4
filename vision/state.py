"""The state of a control from its pixels: enabled or disabled, checked or not, focused or not.

With a reference (the control as it was captured) :func:`enabled_look` compares; without one :func:`contrast` and
:func:`is_checked` say what can be said. Levels were measured on 480 crops of Element Plus 2.14 and plain HTML controls
(buttons of five types, links, inputs, check boxes, radios, switches; enabled and disabled, set and not; light and dark;
100, 125 and 150 %; on whole and on fractional pixels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Image

RESIDUAL = 24.0
"""7×7 mean absolute difference: 0 of 131 states mistaken on real pages (FIELD.md §1 point 6)."""
CHROMA = 24.0
"""7×7 mean difference of colour without luma, same source."""
INK = 51.0
"""Largest channel difference of the ink. One state at any scale and place: up to 44; the other state of a control whose
background stays: from 59."""
BACKGROUND = 8.0
"""The same for the background. One state: 0; the other state of filled buttons from 74, of inputs and check boxes 10–19."""
MARK = 10
"""Spread of a channel in the middle of a check box or radio from which there is a mark: set 25–255, not set 0–5."""
DOT = 0.68
"""Share of a radio's size that its dot takes: 0.5–0.62; the inside of an empty one 0.74–0.85."""
HALF = 0.3
"""Share of the middle's rows that a mark covers: a tick or dot 0.36 and more, the bar of a half-set box up to 0.28."""
BORDER = 50.0
"""Channel difference of the border from which it is another one: focus 102–156; the same control, also moved, 0."""
SHIFTS = (-0.75, -0.375, 0.0, 0.375, 0.75)
"""Sub-pixel shifts tried, pixels: where a layout puts a control on fractions of a pixel."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """How a control compares with its reference. Differences in gray levels, 0…255."""

    residual: float
    chroma: float
    ink: float
    background: float
    border: float
    """The same for the lines along the sides: focus, an error."""
    resized: bool
    """The reference had another size: glyphs are drawn anew there, so only colours are compared."""

    @property
    def same(self) -> bool:
        """Whether a labelled control (button, link, input) is in the state of its reference: 0 of 1,104 pairs mistaken.

        Colours decide. The residual does not: on fractions of a pixel a browser draws the same label 40 gray levels apart.
        """
        return self.ink <= INK and self.background <= BACKGROUND and (self.resized or self.chroma <= CHROMA)

    @property
    def identical(self) -> bool:
        """The same state and, pixel by pixel, the same label: stricter, for a control that did not move since its capture."""
        return self.same and not self.resized and self.residual <= RESIDUAL

    @property
    def border_differs(self) -> bool:
        """Whether its border has another colour than in the reference: focused where that was not, or the reverse."""
        return not self.resized and self.border > BORDER


def ink_and_background(crop: Image) -> tuple[Colour, Colour]:
    """The colour (B, G, R) of the text or mark and the one it stands on, for a crop of one control without its surroundings.

    Background is the most frequent colour; ink the median of the pixels farthest from it, so not the blended edges of strokes.
    """
    inner = _inner(crop)
    pixels = inner.reshape(-1, 3)
    packed = pixels.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    values, counts = np.unique(packed, return_counts=True)
    common = int(values[int(np.argmax(counts))])
    back = np.array([common & 255, common >> 8 & 255, common >> 16 & 255], np.int16)
    away = np.abs(pixels.astype(np.int16) - back).max(axis=1)
    level = max(1.0, 0.85 * float(np.percentile(away, 99)))
    core = pixels[away >= level]
    ink = np.median(core, axis=0) if len(core) else back
    return _colour(ink), _colour(back)


def contrast(crop: Image) -> float:
    """Luma between ink and background of one control, 0…255."""
    ink, back = ink_and_background(crop)
    return abs(_luma(ink) - _luma(back))


def enabled_look(crop: Image, reference: Image) -> Look:
    """Compare a control's crop with the crop of its reference (enabled, unchecked … as it was captured).

    Crops of sizes that differ by at most 2 px are compared pixel by pixel after the best sub-pixel shift, not normalised:
    a normalised score cannot see a state (FIELD.md §1). Otherwise the colours decide alone. Raises ValueError for crops
    under 4×4 px.
    """
    if min(*crop.shape[:2], *reference.shape[:2]) < 4:
        raise ValueError(f"a control of {crop.shape[1]}×{crop.shape[0]} px is too small to compare; 4×4 px is the least")
    ink, back = ink_and_background(crop)
    ink_before, back_before = ink_and_background(reference)
    near = abs(crop.shape[0] - reference.shape[0]) <= 2 and abs(crop.shape[1] - reference.shape[1]) <= 2
    residual = chroma = border = 0.0
    if near:
        high, wide = min(crop.shape[0], reference.shape[0]), min(crop.shape[1], reference.shape[1])
        residual, chroma = _differences(_middle(crop, high, wide), _middle(reference, high, wide))
        border = _border(_middle(crop, high, wide), _middle(reference, high, wide))
    return Look(residual, chroma, _away(ink, ink_before), _away(back, back_before), border, not near)


def is_checked(crop: Image) -> bool:
    """Whether a check box or radio button is set; ``crop`` is its box. A half-set box (a bar in it) is not."""
    high, wide = crop.shape[:2]
    if min(high, wide) < 6:
        return False
    middle = crop[high // 4 : high - high // 4, wide // 4 : wide - wide // 4].astype(np.int16)
    # Without its corners: there a radio's outline comes in where the crop lies a pixel aside.
    ys, xs = np.ogrid[-1 : 1 : middle.shape[0] * 1j, -1 : 1 : middle.shape[1] * 1j]
    disk = middle[ys**2 + xs**2 <= 1.05]
    if int((disk.max(axis=0) - disk.min(axis=0)).max()) < MARK and not _dot(crop):
        return False
    usual = np.median(middle.reshape(-1, 3), axis=0)
    away = np.abs(middle - usual).max(axis=2)
    rows = (away > max(MARK, 0.5 * float(away.max()))).any(axis=1)
    bar = bool(rows.any()) and not rows[0] and not rows[-1] and float(rows.mean()) <= HALF
    return not bar


def _dot(crop: Image) -> bool:
    """Whether a radio's dot fills the middle: its width and height are then far below those of an empty radio's inside.

    Opposite ways from the centre are added up, so that a crop lying a pixel aside says the same.
    """
    high, wide = crop.shape[:2]
    y, x = high // 2, wide // 2
    centre = crop[y, x].astype(np.int16)

    def across(line: Image, middle: int) -> float:
        other = np.abs(line.astype(np.int16) - centre).max(axis=1) >= MARK
        before, after = np.flatnonzero(other[:middle]), np.flatnonzero(other[middle:])
        return float((after[0] + middle if len(after) else len(line)) - (before[-1] + 1 if len(before) else 0)) / len(line)

    return across(crop[y], x) <= DOT and across(crop[:, x], y) <= DOT


def _differences(crop: Image, reference: Image) -> tuple[float, float]:
    """Maximum over the control of the 7×7 mean difference and of its chroma, each place at its own best shift: glyphs are
    snapped to pixels independently of the box around them."""
    now, before = crop.astype(np.float32), reference.astype(np.float32)
    high, wide = crop.shape[:2]
    least = np.full((high, wide), np.inf, np.float32)
    tint = least.copy()
    for dy in SHIFTS:
        for dx in SHIFTS:
            matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
            moved: Any = cv2.warpAffine(before, matrix, (wide, high), borderMode=cv2.BORDER_REPLICATE)
            difference = now - moved
            least = np.minimum(least, cv2.blur(np.abs(difference).mean(axis=2), (7, 7)))
            colour = difference - difference.mean(axis=2, keepdims=True)
            tint = np.minimum(tint, np.abs(cv2.blur(colour, (7, 7))).max(axis=2))
    return float(least.max()), float(tint.max())


def _border(crop: Image, reference: Image) -> float:
    """Second largest difference of the four sides' border colours: one side may be cut or blended."""
    sides = [float(np.abs(a - b).max()) for a, b in zip(_sides(crop), _sides(reference), strict=True)]
    return sorted(sides)[-2]


def _sides(crop: Image) -> list[npt.NDArray[np.int16]]:
    """For each side the colour of its border: of the first five lines the one farthest from what lies behind them."""
    sides = []
    for turns in range(4):
        turned = np.rot90(crop, turns)
        edge = turned.shape[1] // 4
        lines = np.median(turned[:6, edge : turned.shape[1] - edge], axis=1).astype(np.int16)
        sides.append(lines[int(np.abs(lines[:5] - lines[-1]).max(axis=1).argmax())])
    return sides


def _inner(crop: Image) -> Image:
    """Without the outermost eighth (at most 4 px): border, round corners and what stands around."""
    edge = min(4, crop.shape[0] // 8, crop.shape[1] // 8)
    return crop[edge : crop.shape[0] - edge, edge : crop.shape[1] - edge] if edge else crop


def _middle(crop: Image, high: int, wide: int) -> Image:
    y, x = (crop.shape[0] - high) // 2, (crop.shape[1] - wide) // 2
    return crop[y : y + high, x : x + wide]


def _colour(value: npt.NDArray[Any]) -> Colour:
    b, g, r = (round(float(v)) for v in value)
    return b, g, r


def _luma(colour: Colour) -> float:
    return 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]


def _away(a: Colour, b: Colour) -> float:
    return float(max(abs(x - y) for x, y in zip(a, b, strict=True)))
