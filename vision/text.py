"""The doors of reading: crops in, readings out; frames in, lines of text out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from vision import ctc, recogniser
from vision.cache import CacheStatistics, ReadingCache
from vision.findings import Character, Line, Reading
from vision.frame import Box, Frame, Image
from vision.lines import find_lines
from vision.patterns import template
from vision.strips import Dashes, make_strip

__all__ = ["CacheStatistics", "cache", "find_lines", "read", "read_lines"]

Reader = Literal["ppocr", "tesseract"]

LARGEST_BATCH = 8
"""Crops of one width in one run: batching saves only the overhead of a run (FIELD.md §2) and costs memory."""

LEAST_EMPTY = 5
"""Pixels: a lower or narrower crop of one colour may lie within a stroke, so it is not certain that it is empty."""

cache = ReadingCache()
"""Shared by all readers of the process: ``cache.statistics``, ``cache.clear()``."""


def read(crops: Iterable[Image], *, pattern: str | None = None, reader: Reader = "ppocr") -> list[Reading]:
    """What each crop says, in the order given.

    A crop is ``uint8`` H×W×3 BGR around one line of text, with or without background and frame lines around it; crops
    of equal pixels are read once. An empty crop gives ``Reading("", 1.0)``. ``pattern`` is a template in the language
    of :mod:`vision.patterns`; the reading then fits it (``matches`` True), or is what stands there anyway (``matches``
    False). Raises :class:`vision.patterns.PatternError` and :class:`vision.recogniser.ReaderUnavailable`.
    """
    crops = list(crops)
    keys = [cache.key(crop, pattern, reader) for crop in crops]
    found: dict[bytes, Reading] = {}
    wanted: dict[bytes, Image] = {}
    for key, crop in zip(keys, crops, strict=True):
        if key in found or key in wanted:
            continue
        known = cache.get(key)
        if known is None:
            wanted[key] = crop
        else:
            found[key] = known
    if wanted:
        fresh = _tesseract(list(wanted.values()), pattern) if reader == "tesseract" else _ppocr(list(wanted.values()), pattern)
        for key, reading in zip(wanted, fresh, strict=True):
            found[key] = reading
            cache.put(key, reading)
    return [found[key] for key in keys]


def read_lines(
    frame: Frame | Image, region: Box | None = None, pattern: str | None = None, scale: float | None = None
) -> list[Line]:
    """Find the pieces of text in ``region`` and read them; characters' boxes are in pixels of the frame."""
    image = frame.image if isinstance(frame, Frame) else frame
    lines = find_lines(frame, region, scale)
    boxes = [line.box.grow(2).clip(image.shape[1], image.shape[0]) for line in lines]
    readings = read((image[b.y : b.bottom, b.x : b.right] for b in boxes), pattern=pattern)
    return [Line(line.box, shifted(reading, box.x, box.y)) for line, box, reading in zip(lines, boxes, readings, strict=True)]


def shifted(reading: Reading, dx: int, dy: int) -> Reading:
    """The reading with its characters' boxes moved, from pixels of a crop to pixels of its frame."""
    characters = tuple(Character(c.text, c.probability, c.box.shift(dx, dy)) for c in reading.characters)
    return replace(reading, characters=characters)


def _ppocr(crops: list[Image], pattern: str | None) -> list[Reading]:
    empty = Reading("", 1.0, matches=None if pattern is None else template(pattern).accepts(""))
    readings = [empty] * len(crops)
    strips: dict[int, recogniser.Strip] = {}
    widths: defaultdict[int, list[int]] = defaultdict(list)
    for number, crop in enumerate(crops):
        seen = make_strip(crop)
        if isinstance(seen, Dashes):
            readings[number] = _dashes(seen, pattern)
        elif seen is not None:
            strips[number] = seen
            widths[seen.image.shape[1]].append(number)
        elif 0 < min(crop.shape[:2]) < LEAST_EMPTY:
            readings[number] = replace(empty, lowest=0.0)
    for numbers in widths.values():
        for start in range(0, len(numbers), LARGEST_BATCH):
            batch = numbers[start : start + LARGEST_BATCH]
            network = recogniser.shared()
            results = network.probabilities([strips[n].image for n in batch])
            for number, probabilities in zip(batch, results, strict=True):
                readings[number] = ctc.decode(probabilities, strips[number], network, pattern)
    return readings


def _dashes(seen: Dashes, pattern: str | None) -> Reading:
    text = "-" * len(seen.boxes)
    characters = tuple(Character("-", Dashes.CERTAINTY, box) for box in seen.boxes)
    return Reading(text, Dashes.CERTAINTY, characters, matches=None if pattern is None else template(pattern).accepts(text))


def _tesseract(crops: list[Image], pattern: str | None) -> list[Reading]:
    from vision import tesseract

    return tesseract.read(crops, pattern)
