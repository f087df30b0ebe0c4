"""Words within a line: pieces that a clear gap separates, for when a line holds a neighbour or a border beside the text."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from vision.findings import Character, Line, Reading
from vision.frame import Box

GAP = 0.35
"""Width of a gap between words in ems: 停复电 has none, a button's text and its outline have 0.4 and more."""

NARROW = 0.55
"""Width of a Latin letter or digit in ems."""


def words(line: Line) -> list[Line]:
    """The line's words, each with its own reading; `line.reading` has its characters in pixels of the frame.

    One word (the line itself) where no gap is wide enough. Spaces alone are not trusted: their width decides.
    """
    if line.reading is None:
        return []
    solid = [c for c in line.reading.characters if c.text.strip()]
    if len(solid) < 2:
        return [line]
    em = _em(solid)
    groups: list[list[Character]] = [[solid[0]]]
    for before, after in pairwise(solid):
        if _gap(before, after, em) >= GAP * em or _is_icon(before) != _is_icon(after):
            groups.append([])
        groups[-1].append(after)
    return [line] if len(groups) == 1 else [_word(group, line.reading) for group in groups]


def _is_icon(character: Character) -> bool:
    """Whether the recogniser took an icon beside the words (the arrow of a menu) for a symbol like ▼."""
    return unicodedata.category(character.text[0]) == "So"


def _em(solid: list[Character]) -> float:
    """Size of the font from the distances of neighbours: the boxes of characters reach into the gaps, their middles do not."""
    sizes = []
    for before, after in pairwise(solid):
        sizes.append((_middle(after) - _middle(before)) / ((_width(before) + _width(after)) / 2))
    # The lower quartile: a gap widens its two neighbours as well.
    return sorted(sizes)[len(sizes) // 4]


def _gap(before: Character, after: Character, em: float) -> float:
    return _middle(after) - _middle(before) - em * (_width(before) + _width(after)) / 2


def _middle(character: Character) -> float:
    return character.box.x + character.box.width / 2


def _width(character: Character) -> float:
    """In ems."""
    return NARROW if character.text.isascii() else 1.0


def _word(group: list[Character], whole: Reading) -> Line:
    x, y = min(c.box.x for c in group), min(c.box.y for c in group)
    box = Box(x, y, max(c.box.right for c in group) - x, max(c.box.bottom for c in group) - y)
    reading = Reading("".join(c.text for c in group), min(c.probability for c in group), tuple(group), whole.reader)
    return Line(box, reading)
