"""Where text stands on a frame: edges, straight lines taken out, what is left glued to pieces. No network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vision.findings import Line
from vision.frame import Box, Frame, Image

EDGE = 20
"""Gray step between neighbours that counts as an edge: disabled text has 35 and more, zebra and light borders less than 18."""
# Lengths are pixels at 100 %; they grow with the scale of the frame.
LONG_ACROSS = 44
"""Straight edges longer than this are borders: the longest stroke of a glyph is one em (24 px in big headings)."""
LONG_DOWN = 30
GLUE = 2
"""Half the gap that always belongs to one piece: letter spacing and the inside of characters."""
GAP = 0.8
"""Of the text's height: a wider gap separates. A full-width colon leaves 0.65, neighbouring links 0.95 and more."""
TALLEST = 48
"""Higher pieces are pictures."""
CORNER = 6
"""Thinner remains beside a border are its rounded corners and short sides."""
FRAME_SIDE = 0.6
"""Part of each side that must be drawn for a piece to be a small frame (a button too short for ``LONG_ACROSS``)."""


@dataclass(slots=True)
class _Piece:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def find_lines(frame: Frame | Image, region: Box | None = None, scale: float | None = None) -> list[Line]:
    """Pieces of text in ``region`` (default: all), in reading order, not read yet.

    ``frame`` is a :class:`Frame` or ``uint8`` H×W×3 BGR; boxes are in its pixels and lie close around the ink. Pieces
    with a wide gap between them are separate lines; icons may be among the lines. ``scale`` defaults to the frame's.
    """
    if isinstance(frame, Frame):
        image, scale = frame.image, scale or frame.scale
    else:
        image, scale = frame, scale or 1.0
    area = Box(0, 0, image.shape[1], image.shape[0])
    if region is not None:
        area = Box(*region).clip(area.width, area.height)
    if area.width < 3 or area.height < 3:
        return []
    pieces, borders = _pieces(image[area.y : area.bottom, area.x : area.right], scale)
    boxes = [Box(p.left + area.x, p.top + area.y, p.width, p.height) for p in _join(pieces, borders, scale)]
    return [Line(box) for box in in_reading_order(boxes)]


def in_reading_order(boxes: list[Box]) -> list[Box]:
    """Rows from top to bottom, each from left to right: boxes whose middles lie within half a height are one row."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda b: b.y + b.height / 2):
        middle = box.y + box.height / 2
        if rows:
            first = rows[-1][0]
            if abs(first.y + first.height / 2 - middle) <= max(first.height, box.height) / 2:
                rows[-1].append(box)
                continue
        rows.append([box])
    return [box for row in rows for box in sorted(row)]


def _pieces(image: Image, scale: float) -> tuple[list[_Piece], Any]:
    """The pieces and the mask of long vertical edges."""
    gray: Any = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = gray.shape
    # An edge is marked in the pixel after the step, so a stroke is marked where it starts and just behind its end.
    across: Any = np.zeros((height, width), np.uint8)
    down: Any = np.zeros((height, width), np.uint8)
    cv2.threshold(cv2.absdiff(gray[1:], gray[:-1]), EDGE - 1, 1, cv2.THRESH_BINARY, dst=across[1:])
    cv2.threshold(cv2.absdiff(gray[:, 1:], gray[:, :-1]), EDGE - 1, 1, cv2.THRESH_BINARY, dst=down[:, 1:])
    long: Any = cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((1, round(LONG_ACROSS * scale)), np.uint8))
    borders: Any = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((round(LONG_DOWN * scale), 1), np.uint8))
    long |= borders
    mask: Any = across | down
    mask &= 1 - long
    glue = round(GLUE * scale)
    thick: Any = cv2.dilate(mask, np.ones((3, 2 * glue + 1), np.uint8))
    # Characters must not be glued together across a border.
    thick &= 1 - long
    contours, hierarchy = cv2.findContours(thick, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    pieces: list[_Piece] = []
    for contour, links in zip(contours, hierarchy[0] if contours else (), strict=True):
        if links[3] >= 0:  # the inside of a hole
            continue
        x, y, w, h = cv2.boundingRect(contour)
        piece = _tight(mask, x, y, w, h)
        if piece is not None and piece.height <= TALLEST * scale and not _is_border(piece, mask, long, scale):
            pieces.append(piece)
    return pieces, borders


def _tight(mask: Any, x: int, y: int, w: int, h: int) -> _Piece | None:
    """The piece's ink within its glued box: marks stand from the ink's first pixel to one behind its last."""
    ink_x, ink_y, ink_w, ink_h = cv2.boundingRect(mask[y : y + h, x : x + w])
    if ink_w == 0:
        return None
    left, top = x + ink_x, y + ink_y
    return _Piece(left, top, left + max(1, ink_w - 1), top + max(1, ink_h - 1))


def _is_border(piece: _Piece, mask: Any, long: Any, scale: float) -> bool:
    """Whether a piece is what is left of a box's outline: a corner or side beside a straight line, or a small frame."""
    if min(piece.width, piece.height) <= CORNER * scale:
        beside = long[max(0, piece.top - 2) : piece.bottom + 3, max(0, piece.left - 2) : piece.right + 3]
        if beside.any():
            return True
    if piece.height < 16 * scale or piece.width < 1.4 * piece.height:
        return False
    part = mask[piece.top : piece.bottom + 1, piece.left : piece.right + 1]
    sides = (part[:2].any(axis=0), part[-2:].any(axis=0), part[:, :2].any(axis=1), part[:, -2:].any(axis=1))
    return all(side.mean() >= FRAME_SIDE for side in sides)


def _join(pieces: list[_Piece], borders: Any, scale: float) -> list[_Piece]:
    """Join neighbours of one line of text: on one height, with a small gap relative to it and no border in it.

    A dialog's edge is such a border: what it covers half must not run into its own words.
    """
    joined: list[_Piece] = []
    open_lines: list[_Piece] = []
    for piece in sorted(pieces, key=lambda p: p.left):
        # No gap is wider than that of the tallest text, so lines that ended further left are finished.
        open_lines = [line for line in open_lines if piece.left - line.right <= GAP * TALLEST * scale]
        beside = (line for line in reversed(open_lines) if line.top < piece.bottom and piece.top < line.bottom)
        line = next((line for line in beside if _one_line(line, piece) and not _border_between(line, piece, borders)), None)
        if line is None:
            line = _Piece(piece.left, piece.top, piece.right, piece.bottom)
            open_lines.append(line)
            joined.append(line)
        else:
            line.right = max(line.right, piece.right)
            line.top, line.bottom = min(line.top, piece.top), max(line.bottom, piece.bottom)
    return [p for p in joined if p.width >= 2 and (p.height >= 5 or p.width >= 5)]


def _one_line(line: _Piece, piece: _Piece) -> bool:
    tall = max(line.height, piece.height)
    if piece.left - line.right > GAP * tall:
        return False
    overlap = min(line.bottom, piece.bottom) - max(line.top, piece.top)
    together = max(line.bottom, piece.bottom) - min(line.top, piece.top)
    return overlap >= 0.5 * min(line.height, piece.height) and together <= 1.4 * tall


def _border_between(line: _Piece, piece: _Piece, borders: Any) -> bool:
    """Whether a long vertical edge runs through the gap from the line's top to its bottom."""
    gap = borders[min(line.top, piece.top) : max(line.bottom, piece.bottom), line.right : piece.left + 1]
    return gap.size > 0 and bool(gap.all(axis=0).any())
