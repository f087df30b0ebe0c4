"""Words within a line: pieces that a clear gap separates, for when a line holds a neighbour or a border beside the text."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from vision.findings import Character, Line, Reading
from vision.frame import Box

GAP = 0.45
"""Width of a gap between words in characters: 停复电 has none, a button's text and its outline have 0.6 and more."""


def words(line: Line) -> list[Line]:
    """The line's words, each with its own reading; `line.reading` has its characters in pixels of the frame.

    One word (the line itself) where no gap is wide enough. Spaces alone are not trusted: their width decides.
    """
    if line.reading is None:
        return []
    characters = line.reading.characters
    solid = [c for c in characters if c.text.strip()]
    if len(solid) < 2:
        return [line]
    least = GAP * median(c.box.width for c in solid)
    groups: list[list[Character]] = [[solid[0]]]
    for before, after in pairwise(solid):
        if after.box.x - before.box.right >= least:
            groups.append([])
        groups[-1].append(after)
    return [line] if len(groups) == 1 else [_word(group, line.reading) for group in groups]


def _word(group: list[Character], whole: Reading) -> Line:
    x, y = min(c.box.x for c in group), min(c.box.y for c in group)
    box = Box(x, y, max(c.box.right for c in group) - x, max(c.box.bottom for c in group) - y)
    reading = Reading("".join(c.text for c in group), min(c.probability for c in group), tuple(group), whole.reader)
    return Line(box, reading)
