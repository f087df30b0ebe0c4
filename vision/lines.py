"""Where text stands on a frame: gradients and connected components, no network (0.03 s a screen, FIELD.md §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vision.findings import Line
from vision.frame import Box, Frame, Image

EDGE = 20
"""Gray step between neighbours that counts as an edge: disabled text has 35 and more, zebra stripes and light borders under 18."""
# Lengths below are pixels at 100 %; they grow with the scale of the frame.
LONG_ACROSS = 44
"""Straight edges longer than this are borders: the longest stroke of a glyph is one em (24 px in big headings)."""
LONG_DOWN = 30
GLUE = 2.5
"""Half the gap that always belongs to one piece: letter spacing and the inside of characters."""
GAP = 0.8
"""Of the text's height: a wider gap separates. A full-width colon leaves 0.65, neighbouring buttons 0.9 and more."""
TALLEST = 52
"""Higher pieces are pictures."""


@dataclass(slots=True)
class _Piece:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top


def find_lines(frame: Frame | Image, region: Box | None = None, scale: float | None = None) -> list[Line]:
    """Pieces of text in ``region`` (default: all), top to bottom, then left to right, not read yet.

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
    pieces = _pieces(image[area.y : area.bottom, area.x : area.right], scale)
    boxes = [Box(p.left + area.x, p.top + area.y, p.right - p.left, p.height) for p in _join(pieces)]
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


def _pieces(image: Image, scale: float) -> list[_Piece]:
    gray: Any = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = gray.shape
    across = np.zeros((height, width), np.uint8)
    down = np.zeros((height, width), np.uint8)
    # An edge is marked on the side where the next pixel differs; both sides of a 1-px stroke are marked.
    cv2.threshold(cv2.absdiff(gray[1:], gray[:-1]), EDGE - 1, 1, cv2.THRESH_BINARY, dst=across[1:])
    cv2.threshold(cv2.absdiff(gray[:, 1:], gray[:, :-1]), EDGE - 1, 1, cv2.THRESH_BINARY, dst=down[:, 1:])
    long_across = cv2.morphologyEx(across, cv2.MORPH_OPEN, np.ones((1, round(LONG_ACROSS * scale)), np.uint8))
    long_down = cv2.morphologyEx(down, cv2.MORPH_OPEN, np.ones((round(LONG_DOWN * scale), 1), np.uint8))
    mask = (across ^ long_across) | (down ^ long_down)
    long = long_across | long_down
    mask = _without_corners(mask, long, scale)
    glue = round(GLUE * scale)
    thick = cv2.dilate(mask, np.ones((3, 2 * glue + 1), np.uint8))
    # Characters must not be glued together across a border.
    thick &= ~long & 1
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=4)
    pieces = []
    tallest = TALLEST * scale
    for left, top, w, h, _area in stats[1:count].tolist():
        right, bottom = min(width, left + w) - glue, top + h - 1
        left, top = left + glue, top + 1
        # Edges stand one pixel right of and below the ink's start; both ends are inside after this.
        piece = _Piece(max(0, left - 1), max(0, top - 1), max(left + 1, right), max(top + 1, bottom))
        if piece.height <= tallest and (piece.right - piece.left) >= 2:
            pieces.append(piece)
    return pieces


def _without_corners(mask: Any, long: Any, scale: float) -> Any:
    """Round corners of buttons and boxes are what is left of their outlines: small and touching a removed line."""
    near = cv2.dilate(long, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    touching = np.zeros(count, np.bool_)
    touching[labels[(near & mask).astype(np.bool_)]] = True
    touching[0] = False
    small = (stats[:, cv2.CC_STAT_WIDTH] <= 8 * scale) & (stats[:, cv2.CC_STAT_HEIGHT] <= 8 * scale)
    drop = touching & small
    if drop.any():
        mask = mask.copy()
        mask[drop[labels]] = 0
    return mask


def _join(pieces: list[_Piece]) -> list[_Piece]:
    """Join neighbours of one line of text: vertical overlap, small gap relative to their height."""
    pieces = sorted(pieces, key=lambda p: p.left)
    joined: list[_Piece] = []
    for piece in pieces:
        best: _Piece | None = None
        for line in reversed(joined):
            tall = max(line.height, piece.height)
            if piece.left - line.right > GAP * tall or line.height > 2.2 * max(piece.height, 6) and piece.height > 6:
                continue
            overlap = min(line.bottom, piece.bottom) - max(line.top, piece.top)
            together = max(line.bottom, piece.bottom) - min(line.top, piece.top)
            if overlap >= 0.5 * min(line.height, piece.height) and together <= 1.5 * tall:
                best = line
                break
        if best is None:
            joined.append(_Piece(piece.left, piece.top, piece.right, piece.bottom))
        else:
            best.left, best.right = min(best.left, piece.left), max(best.right, piece.right)
            best.top, best.bottom = min(best.top, piece.top), max(best.bottom, piece.bottom)
    return [p for p in joined if p.right - p.left >= 3 and (p.height >= 5 or p.right - p.left >= 5)]
