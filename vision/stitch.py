"""One list of rows from several looks at a grid that scrolls: joined by the overlap of their keys, none lost in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision.findings import Cell, Completeness, Grid


@dataclass(frozen=True, slots=True)
class Stitched:
    """All rows of a scrolled grid from top to bottom."""

    rows: tuple[tuple[Cell, ...], ...]
    """Boxes are those of the look in which the row was seen first."""
    headers: tuple[str, ...]
    completeness: Completeness
    reasons: tuple[str, ...] = ()

    def texts(self) -> list[dict[str, str]]:
        """One dict a row: header → text."""
        return [{h: c.text for h, c in zip(self.headers, row, strict=True)} for row in self.rows]


def stitch(grids: Sequence[Grid], key: str, total: int | None = None) -> Stitched:
    """Join successive looks (scrolled downwards) by the texts under ``key``; a row seen again is taken once.

    Each look must overlap the one before by at least one row, else rows between them may be missing and the result is
    incomplete. ``total`` is how many rows there must be; by default what the client's 共N条 says. «complete» needs that
    count, or a first look that shows the top and a last look that shows the bottom with every seam overlapping
    (then «unchecked» without a count). A key that is empty, or was read twice in one look, is kept and named in the
    reasons: it cannot be told apart. Raises ValueError without looks, KeyError where a look lacks the key column.
    """
    if not grids:
        raise ValueError("stitch needs at least one grid")
    headers = grids[0].headers
    reasons: list[str] = []
    rows: list[tuple[Cell, ...]] = []
    seen: dict[str, int] = {}
    for number, grid in enumerate(grids):
        if grid.headers != headers:
            reasons.append(f"第 {number + 1} 屏的表头变了 | the headers changed in look {number + 1}")
            continue
        column = grid.column(key)
        keys = [row[column].text for row in grid.rows]
        reasons += [
            f"第 {number + 1} 屏有 {keys.count(k)} 行的「{key}」都是 {k} | look {number + 1} has {k} {keys.count(k)} times"
            for k in sorted({k for k in keys if k and keys.count(k) > 1})
        ]
        if not all(keys):
            reasons.append(f"第 {number + 1} 屏有「{key}」为空的行 | look {number + 1} has rows without {key}")
        if number and keys and not any(k in seen for k in keys if k):
            reasons.append(
                f"第 {number} 屏与第 {number + 1} 屏没有重叠的行，其间可能漏行 | looks {number} and {number + 1} share no row"
            )
        shown: dict[str, int] = {}
        for row, text in zip(grid.rows, keys, strict=True):
            shown[text] = shown.get(text, 0) + 1
            # A key twice in one look is two rows; the same key in a later look is the same row again.
            if text and shown[text] <= seen.get(text, 0):
                continue
            seen[text] = shown[text] if text else seen.get(text, 0) + 1
            rows.append(row)
    if "top" in grids[0].clipped:
        reasons.append("第一屏上边有行被截断 | rows are cut off above the first look")
    if "bottom" in grids[-1].clipped:
        reasons.append("最后一屏下边有行被截断 | rows are cut off below the last look")
    due = total if total is not None else _due(grids)
    if due is not None and len(rows) != due:
        reasons.append(f"应有 {due} 行，拼接得到 {len(rows)} 行 | {due} rows are due, {len(rows)} were joined")
    if reasons:
        return Stitched(tuple(rows), headers, "incomplete", tuple(dict.fromkeys(reasons)))
    return Stitched(tuple(rows), headers, "complete" if due is not None else "unchecked")


def _due(grids: Sequence[Grid]) -> int | None:
    """How many rows the page shown must have, by the pages under any of the looks."""
    from vision.grid_pages import rows_due

    return next((due for grid in reversed(grids) if (due := rows_due(grid.pager)) is not None), None)
