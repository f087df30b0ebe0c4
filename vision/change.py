"""Change and stillness: whether two frames are equal, where they differ, and since when a screen has been still."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Box, Frame, Image
from vision.grid_pixels import around

TILE = 64
"""Pixels: the tile of the recording format, so that a changed tile is a stored tile."""
RESTLESS_CHANGES = 3
"""A tile that changed this often, with nothing else changing around it, changes by itself: a caret blinks every 0.5 s, a clock
ticks every 1 s, a spinner turns all the time; a page that loads changes a tile two or three times within a second."""
RESTLESS_SPAN = 2.0
"""Seconds over which those changes are spread at least."""
RESTLESS_TILES = 6
"""A caret, clock or spinner touches at most 4 tiles, with its label 6; a mask over a table touches more."""
FORGET = 6.0
"""Seconds after its last change that a restless tile is an ordinary one again."""

Tiles = npt.NDArray[np.bool_]


def _libc_memcmp() -> Callable[[int, int, int], int] | None:
    """The C library's comparison: numpy writes six million booleans first and takes twice as long (1.1 against 0.55 ms)."""
    try:
        library = ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)
        function = library.memcmp
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    function.restype = ctypes.c_int
    return function


_memcmp = _libc_memcmp()


def same(a: Frame, b: Frame) -> bool:
    """Whether two frames show exactly the same pixels. Limited by memory: 0.13–0.6 ms for equal 1080p frames; different
    ones end at the first difference."""
    return _equal(a.image, b.image)


def _equal(first: Image, second: Image) -> bool:
    if first is second:
        return True
    if first.shape != second.shape:
        return False
    if _memcmp is None or not (first.flags.c_contiguous and second.flags.c_contiguous):
        return bool(np.array_equal(first, second))
    return _memcmp(first.ctypes.data, second.ctypes.data, first.nbytes) == 0


def changed_tiles(a: Frame, b: Frame) -> Tiles:
    """Rows×columns of 64-px tiles that differ in any pixel. Raises ValueError for frames of different sizes."""
    if a.image.shape != b.image.shape:
        raise ValueError(f"frames of different sizes: {a.size} and {b.size}; the resolution changed between the two grabs")
    high, wide = -(-a.height // TILE), -(-a.width // TILE)
    tiles = np.zeros((high, wide), np.bool_)
    for row in range(high):
        one, two = a.image[row * TILE : (row + 1) * TILE], b.image[row * TILE : (row + 1) * TILE]
        if _equal(one, two):
            continue
        difference = cv2.absdiff(one, two)
        columns = cv2.reduce(difference.reshape(difference.shape[0], -1), 0, cv2.REDUCE_MAX).reshape(-1, 3).max(axis=1)
        padded = np.zeros(wide * TILE, np.uint8)
        padded[: len(columns)] = columns
        tiles[row] = padded.reshape(wide, TILE).max(axis=1) > 0
    return tiles


def changed_boxes(a: Frame, b: Frame) -> list[Box]:
    """Where two frames differ: neighbouring tiles merged, each box drawn close around its changed pixels."""
    tiles = changed_tiles(a, b)
    count, labels = cv2.connectedComponents(tiles.astype(np.uint8), connectivity=8)
    out = []
    for label in range(1, count):
        places = np.argwhere(labels == label)
        pieces = []
        for row, column in places.tolist():
            tile = Box(column * TILE, row * TILE, TILE, TILE).clip(a.width, a.height)
            difference = (a.crop(tile) != b.crop(tile)).any(axis=2)
            ys, xs = np.flatnonzero(difference.any(axis=1)), np.flatnonzero(difference.any(axis=0))
            pieces.append(Box(tile.x + int(xs[0]), tile.y + int(ys[0]), int(xs[-1] - xs[0]) + 1, int(ys[-1] - ys[0]) + 1))
        out.append(around(pieces))
    return sorted(out, key=lambda box: (box.y, box.x))


def fraction_changed(a: Frame, b: Frame) -> float:
    """Share of pixels that differ, 0…1."""
    if a.image.shape != b.image.shape:
        return 1.0
    if same(a, b):
        return 0.0
    return float((a.image != b.image).any(axis=2).mean())


@dataclass(slots=True)
class Stillness:
    """Since when a screen has been still. Feed it frames: ``still.feed(frame)``, ask ``still.still_for(frame.time)``.

    ``ignore`` are parts that do not count. Small parts that keep changing by themselves (a caret, a clock) are learnt and
    do not count either, after :data:`RESTLESS_SPAN` seconds; :attr:`restless` says which. A spinner is such a part too: that
    a page loads is a question of what is seen (:func:`spinner_boxes`), not of stillness.
    """

    ignore: tuple[Box, ...] = ()
    learn: bool = True
    _last: Frame | None = field(default=None, repr=False)
    _since: float | None = None
    _changes: dict[tuple[int, int], list[float]] = field(default_factory=dict, repr=False)

    def feed(self, frame: Frame) -> bool:
        """Take the next frame; True when something that counts changed since the one before."""
        last, self._last = self._last, frame
        if last is None or last.image.shape != frame.image.shape:
            self._since = frame.time
            self._changes.clear()
            return last is not None
        tiles = changed_tiles(last, frame)
        if not tiles.any():
            return False
        places = [(int(r), int(c)) for r, c in np.argwhere(tiles) if not self._ignored(last, frame, int(r), int(c))]
        if not places:
            return False
        known = self._restless(frame.time)
        fresh = [p for p in places if p not in known]
        if self.learn and len(places) <= RESTLESS_TILES:
            for place in places:
                self._changes[place] = [*self._changes.get(place, [])[-63:], frame.time]
        elif len(places) > RESTLESS_TILES:
            self._changes.clear()
        if fresh:
            self._since = frame.time
        return bool(fresh)

    def still_for(self, now: float) -> float:
        """Seconds without a change that counts, up to ``now``; 0 before the first frame."""
        if self._since is None:
            return 0.0
        last = self._last.time if self._last is not None else now
        settled = self._settled(last)
        since = self._since if settled is None else min(self._since, settled)
        return max(0.0, now - since)

    @property
    def restless(self) -> list[Box]:
        """Tiles known to change by themselves."""
        now = self._last.time if self._last is not None else 0.0
        return [Box(c * TILE, r * TILE, TILE, TILE) for r, c in sorted(self._restless(now))]

    def _restless(self, now: float) -> set[tuple[int, int]]:
        out = set()
        for place, times in self._changes.items():
            if now - times[-1] <= FORGET and len(times) >= RESTLESS_CHANGES and times[-1] - times[0] >= RESTLESS_SPAN:
                out.add(place)
        return out

    def _settled(self, now: float) -> float | None:
        """When only tiles that are now known to be restless changed last: the time of the first of their changes."""
        known = self._restless(now)
        if not known:
            return None
        other = [t for place, times in self._changes.items() if place not in known for t in times]
        first = min(self._changes[place][0] for place in known)
        return max([first, *other]) if self._since is not None and self._since >= first else None

    def _ignored(self, a: Frame, b: Frame, row: int, column: int) -> bool:
        """Whether all that changed in a tile lies in parts that do not count."""
        if not self.ignore:
            return False
        tile = Box(column * TILE, row * TILE, TILE, TILE).clip(a.width, a.height)
        difference = (a.crop(tile) != b.crop(tile)).any(axis=2)
        for box in self.ignore:
            part = box.intersect(tile)
            if part.area:
                difference[part.y - tile.y : part.bottom - tile.y, part.x - tile.x : part.right - tile.x] = False
        return not bool(difference.any())


def _changed_pieces(a: Frame, b: Frame) -> list[Box]:
    """Changed pixels by nearness (6 px) instead of by tile: a spinner close to a new row stays one by itself."""
    scale = a.scale
    steps = cv2.absdiff(a.image, b.image).max(axis=2)
    near = cv2.dilate((steps > 0).astype(np.uint8), np.ones((round(12 * scale) | 1, round(12 * scale) | 1), np.uint8))
    pad = (round(12 * scale) | 1) // 2
    _, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    return [Box(x, y, w, h).grow(-pad) for x, y, w, h, _ in stats[1:].tolist() if w > 2 * pad and h > 2 * pad]


def spinner_boxes(frames: Iterable[Frame]) -> list[Box]:
    """Small, roughly square parts that changed between every two of at least three frames: something that turns.

    Grab the frames some 100 ms apart. A blinking caret is narrow and changes only every 500 ms; text that appears changes once.
    """
    shown = list(frames)
    if len(shown) < 3:
        raise ValueError("a turning thing is told from three frames or more")
    each = [_changed_pieces(a, b) for a, b in pairwise(shown)]
    out = []
    for box in each[0]:
        mates = [box]
        for others in each[1:]:
            mate = next((o for o in others if o.intersect(box.grow(8)).area), None)
            if mate is None:
                break
            mates.append(mate)
        if len(mates) != len(each):
            continue
        whole = around(mates)
        scale = shown[0].scale
        largest = 80 * scale
        if (
            6 * scale <= whole.width <= largest
            and 6 * scale <= whole.height <= largest
            and 0.5 <= whole.width / whole.height <= 2
        ):
            out.append(whole)
    return out
