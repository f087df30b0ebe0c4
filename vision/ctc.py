"""From the network's probabilities to text: free, or along the best path that fits a template.

CTC: every row of the matrix names a character or the blank; repeats fold into one, blanks vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.findings import Character, Reading
from vision.frame import Box
from vision.patterns import Template, look_alikes, template
from vision.recogniser import BLANK, STEP, Probabilities, Recogniser, Strip

FAINTEST_LETTER = 1e-5
"""Characters that reach this nowhere are left out of the search."""
LEAST_FOR_TEMPLATE = 0.05
"""A path along the template this much less probable than the free one, look-alikes taken together, is not believed."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Mark:
    """One character on a path: which, how probable, from its first to its last row."""

    text: str
    probability: float
    first: int
    last: int


def decode(probabilities: Probabilities, strip: Strip, network: Recogniser, pattern: str | None) -> Reading:
    """The reading of one strip from its T×C probabilities; characters' boxes in pixels of the crop."""
    free = _free(probabilities, network)
    if pattern is None:
        return _reading(free, strip, None)
    form = template(pattern)
    text = "".join(mark.text for mark in free)
    order = form.arrange(text)
    if order is not None:
        marks = [mark for mark in free if not mark.text.isspace()]
        return _reading(_spaced(marks, [space for _, space in order]), strip, True)
    forced = _along(probabilities, network, form)
    if forced is None:
        return _reading(free, strip, False)
    return _reading(forced, strip, True)


def _free(probabilities: Probabilities, network: Recogniser) -> list[_Mark]:
    best = probabilities.argmax(axis=1)
    peaks = probabilities[np.arange(best.size), best]
    marks: list[_Mark] = []
    start = 0
    for row in range(1, best.size + 1):
        if row < best.size and best[row] == best[start]:
            continue
        if best[start] != BLANK:
            marks.append(_Mark(network.characters[best[start]], float(peaks[start:row].max()), start, row - 1))
        start = row
    # Spaces at the ends are the margin.
    while marks and marks[0].text.isspace():
        marks.pop(0)
    while marks and marks[-1].text.isspace():
        marks.pop()
    return marks


def _spaced(marks: list[_Mark], spaces: list[bool]) -> list[_Mark]:
    out: list[_Mark] = []
    for mark, space in zip(marks, spaces, strict=True):
        if space and out:
            out.append(_Mark(" ", 1.0, out[-1].last, mark.first))
        out.append(mark)
    return out


def _reading(marks: list[_Mark], strip: Strip, matches: bool | None) -> Reading:
    if not marks:
        # Something is drawn but no character was recognised: an icon, a line. Not certain at all.
        return Reading("", 0.0, matches=False if matches is not None else None)
    centres = [((m.first + m.last + 1) * STEP / 2) / strip.zoom + strip.origin for m in marks]
    cuts = [(a + b) / 2 for a, b in pairwise(centres)]
    half = strip.ink.height * 0.55
    edges = [max(strip.ink.x, centres[0] - half), *cuts, min(strip.ink.right, centres[-1] + half)]
    characters = tuple(
        Character(mark.text, mark.probability, _between(left, right, strip.ink))
        for mark, (left, right) in zip(marks, pairwise(edges), strict=True)
    )
    return Reading("".join(m.text for m in marks), min(m.probability for m in marks), characters, matches=matches)


def _between(left: float, right: float, ink: Box) -> Box:
    x = round(left)
    return Box(x, ink.y, max(1, round(right) - x), ink.height)


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """A template as arrays for one network."""

    letters: tuple[str, ...]
    columns: npt.NDArray[np.int64]
    """Of each letter in the network's output."""
    folds: tuple[tuple[int, tuple[int, ...]], ...]
    """(letter, columns of its look-alikes that the template does not allow): their probability counts for the letter."""
    allowed: npt.NDArray[np.bool_]
    """Position × letter."""
    before: npt.NDArray[np.int64]
    """Position × slot: the position before; P is the start, P+1 does not exist (P positions)."""


@lru_cache(maxsize=128)
def _tables(form: Template, network: Recogniser) -> _Tables:
    index = network.index
    taken = set(form.alphabet)
    letters = tuple(c for c in form.alphabet if c in index)
    folds = []
    for number, letter in enumerate(letters):
        others = tuple(index[o] for o in sorted(look_alikes(letter) - taken) if o in index)
        if others:
            folds.append((number, others))
    size = len(form.sets)
    before = np.full((size, max(len(b) for b in form.before)), size + 1)
    for position, sources in enumerate(form.before):
        for slot, source in enumerate(sources):
            before[position, slot] = size if source == -1 else source
    columns = np.array([index[c] for c in letters], np.int64)
    allowed = np.array([[c in choices for c in letters] for choices in form.sets], np.bool_).reshape(size, len(letters))
    return _Tables(letters, columns, tuple(folds), allowed, before)


def _along(probabilities: Probabilities, network: Recogniser, form: Template) -> list[_Mark] | None:
    """The most probable path that fits the template, or None where it is not believable."""
    tables = _tables(form, network)
    emitted = probabilities[:, tables.columns].astype(np.float64)
    for number, others in tables.folds:
        emitted[:, number] += probabilities[:, others].sum(axis=1)
    # Of thousands of allowed characters only those that are seen at all can lie on a believable path.
    seen = np.flatnonzero(emitted.max(axis=0, initial=0.0) >= FAINTEST_LETTER)
    if seen.size == 0:
        return None
    emitted = emitted[:, seen]
    # A space read where the template has none is no character.
    blank = (probabilities[:, BLANK] + probabilities[:, network.index[" "]]).astype(np.float64)
    best = _best_path(_logarithm(emitted), _logarithm(blank), tables.allowed[:, seen], tables.before, form)
    if best is None:
        return None
    path, score = best
    ratio = float(np.exp(min(0.0, score - _logarithm(probabilities.max(axis=1)).sum())))
    if ratio < LEAST_FOR_TEMPLATE:
        return None
    # Where the template pushed something aside, no character is more certain than the whole path.
    marks = [
        _Mark(tables.letters[seen[letter]], min(1.0, ratio, float(emitted[first : last + 1, letter].max())), first, last)
        for _, letter, first, last in path
    ]
    return _spaced(marks, [form.spaced[position] for position, _, _, _ in path])


def _logarithm(values: npt.NDArray[Any]) -> Floats:
    result: Floats = np.log(np.clip(values.astype(np.float64), 1e-12, 1.0))
    return result


def _best_path(
    letters: Floats, blanks: Floats, allowed: npt.NDArray[np.bool_], before: npt.NDArray[np.int64], form: Template
) -> tuple[list[tuple[int, int, int, int]], float] | None:
    """Viterbi over (position, letter) and (position, blank). Returns (position, letter, first row, last row) of each
    character and the log probability."""
    size, width = allowed.shape
    steps = letters.shape[0]
    none = -1e30
    # Rows size and size+1: the start, and the predecessor that does not exist.
    on_letter = np.full((size + 2, width), none)
    on_blank = np.full(size + 2, none)
    on_blank[size] = 0.0
    letter_from = np.zeros((steps, size, width), np.int32)  # -1: stays; else slot·(width+1) + (letter+1, or 0 for blank)
    blank_from = np.zeros((steps, size + 1), np.int32)  # -1 stay on blank, else letter
    columns = np.arange(width)
    for step in range(steps):
        order1 = on_letter.argmax(axis=1)
        top1 = on_letter[np.arange(size + 2), order1]
        hidden = on_letter.copy()
        hidden[np.arange(size + 2), order1] = none
        order2 = hidden.argmax(axis=1)
        top2 = hidden[np.arange(size + 2), order2]
        # Entering a position by letter c from a predecessor: from its blank, or from its best other letter.
        same = order1[before][:, :, None] == columns
        from_letter = np.where(same, top2[before][:, :, None], top1[before][:, :, None])
        which = np.where(same, order2[before][:, :, None], order1[before][:, :, None])
        blank_before = on_blank[before][:, :, None]
        use_blank = blank_before >= from_letter
        enter = np.where(use_blank, blank_before, from_letter)
        slot = enter.argmax(axis=1)
        best = np.take_along_axis(enter, slot[:, None, :], 1)[:, 0]
        source = np.take_along_axis(np.where(use_blank, 0, which + 1), slot[:, None, :], 1)[:, 0]
        stay = on_letter[:size] >= best
        letter_from[step] = np.where(stay, -1, slot * (width + 1) + source)
        new_letter = np.where(allowed, np.maximum(on_letter[:size], best) + letters[step], none)
        keep = on_blank[: size + 1] >= top1[: size + 1]
        blank_from[step] = np.where(keep, -1, order1[: size + 1])
        on_blank[: size + 1] = np.maximum(on_blank[: size + 1], top1[: size + 1]) + blanks[step]
        on_letter[:size] = np.maximum(new_letter, none)
    ends = [p for p in form.last if p >= 0]
    finals = [(on_blank[p], p, -1) for p in ends]
    finals += [(on_letter[p].max(), p, int(on_letter[p].argmax())) for p in ends]
    if not finals:
        return None
    score, position, letter = max(finals)
    if score <= none / 2:
        return None
    found: list[tuple[int, int, int, int]] = []
    last = steps - 1
    step = steps - 1
    while step >= 0 and position < size:
        if letter < 0:
            came = int(blank_from[step, position])
            if came >= 0:
                letter, last = came, step - 1
        else:
            came = int(letter_from[step, position, letter])
            if came >= 0:
                found.append((position, letter, step, last))
                slot_number, source_letter = divmod(came, width + 1)
                position = int(before[position, slot_number])
                letter, last = source_letter - 1, step - 1
        step -= 1
    if position < size:
        return None
    found.reverse()
    return found, float(score)
