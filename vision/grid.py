"""Tables as closed clients draw them: header, rows, cells, marks beside a number, pages; with a count check.

    grid = read_grid(frame, columns=["工单编号", "操作"], patterns={"工单编号": r"\\d{16}"})
    grid.cell(0, "工单编号").text, grid.completeness

Nothing here knows one client's colours or measures: rows come from rules, stripes or the rhythm of text, columns from upright
lines, gutters and alignment, header names from reading.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from vision import text
from vision.findings import Badge, Cell, Completeness, Grid, Line, Pager, Reading
from vision.frame import Box, Frame
from vision.grid_cells import Content, look, whole
from vision.grid_lines import Geometry, HeaderRow, Sketch, header_rows, layout, sketch
from vision.grid_pages import read_pager, rows_due
from vision.state import is_checked

TRIES = 14
"""Header rows that are read at most before giving up: a full screen has seldom more than ten candidates."""

LINE = 1.25
"""Height of a crop in font sizes at least: cut close, ``--`` is read as =."""


class GridError(Exception):
    """The table asked for is not on the frame. Says which headers were seen."""

    def __init__(self, message: str, seen: tuple[tuple[str, ...], ...] = ()) -> None:
        super().__init__(message)
        self.seen = seen
        """Headers of each candidate, the best first."""


def normal(name: str) -> str:
    """A header name without what does not matter: spaces, width, case, punctuation and sort marks."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def read_grid(
    frame: Frame,
    region: Box | None = None,
    columns: Iterable[str] | None = None,
    *,
    patterns: Mapping[str, str] | None = None,
) -> Grid:
    """Read the table in ``region`` (default: anywhere on the frame).

    ``columns`` names the headers that must be there; only their cells are read (10–18 ms each), the others keep their
    geometry with ``reading`` None. Without it the table with the most aligned rows is taken and read in full. ``patterns``
    gives a template of :mod:`vision.patterns` for the cells under a header. Names are compared without spaces, width and
    punctuation; a header found by ``columns`` is returned as it is written there. ``completeness`` speaks of the page
    shown, by 共N条. Raises :class:`GridError` when no table with these columns is seen.
    """
    seen = sketch(frame, region)
    wanted = None if columns is None else list(columns)
    shape, names = _find(seen, wanted)
    asked = set(names) if wanted is None else set(wanted)
    given = {normal(k): v for k, v in (patterns or {}).items()}
    contents = _contents(frame, shape)
    jobs = [
        (row, column)
        for row in range(len(shape.rows))
        for column, name in enumerate(names)
        if name in asked and contents[row][column].check is None
    ]
    cells = _read_cells(frame, shape, names, contents, jobs, given)
    pager = read_pager(frame, shape.box, region)
    completeness, reasons = _completeness(shape, pager)
    return Grid(
        shape.box,
        names,
        tuple(shape.header_boxes),
        cells,
        pager,
        shape.fixed_from,
        frozenset(shape.clipped),
        completeness,
        reasons,
    )


@dataclass(frozen=True, slots=True)
class RowSighting:
    """A row found again by its key."""

    row: int
    """0-based, from the top as shown now."""
    cells: tuple[Cell, ...]
    """All cells of the row; only the key column is read."""


class RowAmbiguous(GridError):
    """More than one row has the key. ``rows`` has them all."""

    def __init__(self, message: str, rows: tuple[RowSighting, ...]) -> None:
        super().__init__(message)
        self.rows = rows


def find_row(
    frame: Frame, where: Grid | Box | None, column: str, value: str, *, pattern: str | None = None
) -> RowSighting | None:
    """Look again for the row whose cell under ``column`` reads exactly ``value``, wherever it has moved to.

    ``where`` is the grid of an earlier look or a region. Only the key column is read; readings of equal pixels come from
    the cache: 150 ms for an unchanged grid of 10×10 cells on a full screen, 0.7 s for a new one. None when no row has it;
    raises :class:`RowAmbiguous` when several have it and :class:`GridError` when the table is gone.
    """
    region = where if isinstance(where, Box) or where is None else _room(frame, where)
    grid = read_grid(frame, region, [column], patterns={column: pattern} if pattern else None)
    key = grid.column(column)
    found = tuple(RowSighting(i, row) for i, row in enumerate(grid.rows) if row[key].text == value)
    if len(found) > 1:
        numbers = "、".join(str(f.row + 1) for f in found)
        raise RowAmbiguous(
            f"表格中有 {len(found)} 行的「{column}」都是 {value}（第 {numbers} 行），无法确定是哪一行；请用更多的列区分。"
            f" | {len(found)} rows have {value} under {column} (rows {numbers}); tell them apart by another column.",
            found,
        )
    return found[0] if found else None


def _room(frame: Frame, grid: Grid) -> Box:
    """The place of a grid with room for more or higher rows than at the last look."""
    row = max((r[0].box.height for r in grid.rows if r), default=40)
    pad = round(8 * frame.scale)
    return Box(grid.box.x - pad, grid.box.y - pad, grid.box.width + 2 * pad, grid.box.height + 3 * row + 2 * pad).clip(
        *frame.size
    )


def _find(seen: Sketch, wanted: list[str] | None) -> tuple[Geometry, tuple[str, ...]]:
    """The table whose headers have all that is wanted."""
    candidates = header_rows(seen)
    if wanted is None:
        ranked = sorted(candidates, key=lambda h: -h.below)
        for head in ranked[:3]:
            shape = layout(seen, head)
            if shape.rows:
                return shape, _unique(_names(seen.frame, shape))
        raise GridError(
            "画面上没有看到表格；可能页面未加载完或区域不对。 | No table is seen; the page may still load or the region is wrong."
        )
    looked: list[tuple[int, tuple[str, ...]]] = []
    targets = {normal(w): w for w in wanted}
    for head in candidates[:TRIES]:
        if len(head.texts) < max(1, len(targets)):
            continue
        if not _promising(seen.frame, head, targets):
            continue
        shape = layout(seen, head)
        names = _names(seen.frame, shape)
        matched = _match(names, targets)
        looked.append((len(set(matched.values())), tuple(names)))
        if len(set(matched.values())) == len(targets):
            final = [matched.get(i, name) for i, name in enumerate(names)]
            return shape, _unique(final)
    looked.sort(key=lambda item: -item[0])
    shown = tuple(names for _, names in looked[:3])
    best = shown[0] if shown else ()
    missing = [w for n, w in targets.items() if n not in {normal(b) for b in best}]
    there = tuple(b for b in best if b)
    raise GridError(
        f"没有看到含有列「{'、'.join(missing)}」的表格；看到的表头：{'、'.join(there) or '无'}。"
        "可能页面未打开、列被横向滚动遮住，或新版改了列名。"
        f" | No table with the columns {', '.join(missing)} is seen; headers seen: {', '.join(there) or 'none'}."
        " The page may not be open, the column may be scrolled out of sight, or a new version renamed it.",
        shown,
    )


def _promising(frame: Frame, head: HeaderRow, targets: Mapping[str, str]) -> bool:
    """Read the texts of a candidate one by one until one of them is (part of) a header that is wanted, most others never are."""
    readings = text.read([frame.crop(b.grow(3, 2)) for b in head.texts])
    said = {normal(r.text) for r in readings} - {""}
    hits = sum(any(t == s or t in s or (len(s) >= 2 and s in t) for s in said) for t in targets)
    return hits >= max(1, round(0.6 * len(targets)))


def _names(frame: Frame, shape: Geometry) -> list[str]:
    boxes = [_header_lines(group, shape.em) for group in shape.headers]
    flat = [(i, b) for i, group in enumerate(boxes) for b in group]
    readings = text.read([frame.crop(b.grow(3, 2)) for _, b in flat])
    names = [""] * len(boxes)
    for (i, box), reading in zip(flat, readings, strict=True):
        # A check box in the header is no name.
        if box.width <= 1.6 * shape.em and 0.8 <= box.width / box.height <= 1.25 and len(boxes[i]) == 1 and not _is_word(reading):
            continue
        names[i] += reading.text.strip()
    return names


def _is_word(reading: Reading) -> bool:
    return (
        reading.lowest >= 0.9
        and any("\u4e00" <= c <= "\u9fff" for c in reading.text)
        and reading.text not in {"口", "日", "回", "一", "囗", "凸"}
    )


def _header_lines(group: list[Box], em: float) -> list[Box]:
    """Pieces of one line become one crop."""
    out: list[Box] = []
    for _, pieces in groupby(group, key=lambda b: round((b.y + b.height / 2) / (0.7 * em))):
        out.append(whole(list(pieces)))
    return out


def _match(names: list[str], targets: Mapping[str, str]) -> dict[int, str]:
    """Index of a header → the wanted name that it is. Exact first; then with one stray mark (a sort icon) at its end."""
    out: dict[int, str] = {}
    plain = [normal(n) for n in names]
    for i, name in enumerate(plain):
        if name in targets and targets[name] not in out.values():
            out[i] = targets[name]
    for target, wanted in targets.items():
        if wanted in out.values():
            continue
        near = [i for i, name in enumerate(plain) if i not in out and len(name) == len(target) + 1 and name.startswith(target)]
        if len(near) == 1:
            out[near[0]] = wanted
    return out


def _unique(names: list[str]) -> tuple[str, ...]:
    """Headers as keys: a second one of the same name gets its number."""
    out: list[str] = []
    for name in names:
        count = sum(o == name or o.startswith(f"{name}#") for o in out)
        out.append(f"{name}#{count + 1}" if count and name else name)
    return tuple(out)


def _contents(frame: Frame, shape: Geometry) -> list[list[Content]]:
    return [
        [look(frame, Box(h.x, top, h.width, bottom - top), shape.em) for h in shape.header_boxes] for top, bottom in shape.rows
    ]


def _read_cells(
    frame: Frame,
    shape: Geometry,
    names: tuple[str, ...],
    contents: list[list[Content]],
    jobs: list[tuple[int, int]],
    patterns: Mapping[str, str],
) -> tuple[tuple[Cell, ...], ...]:
    """Read all crops in as few calls as there are patterns, then put the cells together."""
    crops: list[tuple[int, int, str, Box]] = []
    for row, column in jobs:
        content = contents[row][column]
        for line in content.lines:
            crops += [(row, column, "word", box) for box in line]
        crops += [(row, column, "badge", box) for box in content.badges]
    said: dict[Box, Reading] = {}
    by_pattern: dict[str | None, list[Box]] = {}
    for row, column, kind, box in crops:
        lines = contents[row][column].lines
        single = kind == "word" and len(lines) == 1 and len(lines[0]) == 1
        pattern = patterns.get(normal(names[column])) if single else None
        by_pattern.setdefault(pattern, []).append(box)
    for pattern, boxes in by_pattern.items():
        readings = text.read([frame.crop(_margin(b, frame, shape)) for b in boxes], pattern=pattern)
        said.update(zip(boxes, readings, strict=True))
    wanted = set(jobs)
    out = []
    for row, (top, bottom) in enumerate(shape.rows):
        cells = []
        for column, head in enumerate(shape.header_boxes):
            box = Box(head.x, top, head.width, bottom - top)
            content = contents[row][column]
            cells.append(_cell(frame, row, column, box, content, said if (row, column) in wanted else None, shape.em))
        out.append(tuple(cells))
    return tuple(out)


def _margin(box: Box, frame: Frame, shape: Geometry) -> Box:
    """A crop around ink as the recogniser likes it: a margin, and for low ink (``--``) the height of a line."""
    high = max(1, round(2 * frame.scale), round((LINE * shape.em - box.height) / 2))
    grown = box.grow(max(2, round(3 * frame.scale)), high)
    top, bottom = next(((t, b) for t, b in shape.rows if t <= box.center.y < b), (grown.y, grown.bottom))
    return grown.intersect(Box(grown.x, top, grown.width, bottom - top))


def _cell(frame: Frame, row: int, column: int, box: Box, content: Content, said: Mapping[Box, Reading] | None, em: float) -> Cell:
    if content.check is not None:
        return Cell(row, column, box, content.ink, checked=is_checked(frame.crop(content.check)))
    words = [b for line in content.lines for b in line]
    pieces = tuple(Line(b, said.get(b) if said else None) for b in words) if len(words) > 1 else ()
    dots = tuple(Badge("", b) for b in content.dots)
    if said is None:
        badges = tuple(Badge("", b) for b in content.badges) + dots
        return Cell(row, column, box, content.ink, None, badges, pieces, cut=content.cut)
    badges = tuple(Badge(said[b].text.strip(), b) for b in content.badges) + dots
    reading = _joined([[said[b] for b in line] for line in content.lines], content, box, em)
    return Cell(row, column, box, content.ink, reading, badges, pieces, cut=content.cut)


def _joined(lines: list[list[Reading]], content: Content, box: Box, em: float) -> Reading | None:
    """One reading of a cell: words of a line with a space between, wrapped lines without where the text was broken by width."""
    if not lines:
        return None
    if len(lines) == 1 and len(lines[0]) == 1:
        return lines[0][0]
    said = ""
    for number, line in enumerate(lines):
        here = " ".join(r.text for r in line)
        if number and said and here:
            full = box.width - (content.lines[number - 1][-1].right - content.lines[number - 1][0].x) < 3.4 * em
            plain = said[-1].isascii() and here[0].isascii()
            said += "" if full or not plain else " "
        said += here
    every = [r for line in lines for r in line]
    return replace(
        every[0],
        text=said,
        lowest=min(r.lowest for r in every),
        characters=tuple(c for r in every for c in r.characters),
        matches=None,
    )


def _completeness(shape: Geometry, pager: Pager | None) -> tuple[Completeness, tuple[str, ...]]:
    """Rows seen against the count that the client shows for this page."""
    count = len(shape.rows)
    due = rows_due(pager)
    reasons = []
    if due is not None and count != due:
        reasons.append(f"本页应有 {due} 行，看到 {count} 行 | this page must have {due} rows, {count} are seen")
    if shape.clipped & {"top", "bottom"}:
        sides = "、".join({"top": "上", "bottom": "下"}[s] for s in sorted(shape.clipped) if s in {"top", "bottom"})
        reasons.append(f"表格{sides}边有行被截断，需滚动 | rows are cut off at the {'/'.join(sorted(shape.clipped))}: scroll")
    if reasons:
        return "incomplete", tuple(reasons)
    return ("complete", ()) if due is not None else ("unchecked", ())
