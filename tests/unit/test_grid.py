"""Grids rendered by a browser are read as they were written; truth is the page's own data and geometry."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.grids import VARIANTS, GridSpec, GridTruth, Renderer
from vision.findings import Grid
from vision.frame import Box, Frame
from vision.grid import GridError, RowAmbiguous, find_row, normal, read_grid
from vision.stitch import stitch


@pytest.fixture(scope="module")
def render() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def plain(text: str) -> str:
    """Spaces are not to be trusted (FIELD.md §2), nor is a variant form of one character."""
    return re.sub(r"\s", "", text).replace("黃", "黄")


def shown_columns(truth: GridTruth) -> list[str]:
    """Headers that are seen in full: inside the table and not under its fixed column."""
    out = []
    for header, box in zip(truth.headers, truth.header_boxes, strict=True):
        fixed = truth.spec.fixed and header == truth.headers[-1]
        limit = truth.table.right if fixed or truth.fixed_left is None else truth.fixed_left
        if header and box.x >= truth.table.x - 1 and box.right <= limit + 1:
            out.append(header)
    return out


def shown_rows(truth: GridTruth) -> list[int]:
    """Rows that are seen in full below the header."""
    top = max(b.bottom for b in truth.header_boxes) - 1
    return [i for i, row in enumerate(truth.rows) if row[0].box.y >= top and row[0].box.bottom <= truth.table.bottom + 2]


def asked(truth: GridTruth) -> list[str]:
    """The columns that a robot would read: two or three, so that the tests stay fast."""
    shown = shown_columns(truth)
    return [h for i, h in enumerate(shown) if i in {0, 1} or h in {"操作", "用电地址", "电流(A)"}][:3]


def check_cells(grid: Grid, truth: GridTruth, columns: list[str]) -> None:
    rows = shown_rows(truth)
    assert len(grid.rows) == len(rows)
    for seen, number in zip(grid.rows, rows, strict=True):
        for header in columns:
            cell, due = seen[grid.column(header)], truth.rows[number][truth.headers.index(header)]
            assert plain(cell.text) == plain(due.text), (number, header)
            assert tuple(b.text for b in cell.badges) == due.badges, (number, header)
            if len(due.words) > 1:
                assert [w.text for w in cell.words] == [w for w, _ in due.words]
                assert all(box.contains(w.box.center) for w, (_, box) in zip(cell.words, due.words, strict=True))
            if cell.ink is not None:
                assert due.box.grow(1).intersect(cell.ink) == cell.ink, "ink lies in the cell that the page drew"
        if truth.spec.checks:
            assert seen[0].checked == truth.rows[number][0].checked


@pytest.mark.parametrize("spec", VARIANTS, ids=lambda spec: spec.name)
def test_a_grid_is_read_as_it_was_written(render: Renderer, spec: GridSpec) -> None:
    truth = render(spec)
    columns = asked(truth)
    grid = read_grid(truth.frame, columns=columns)
    check_cells(grid, truth, columns)
    if spec.pager:
        total, page, size = spec.pager
        assert grid.pager is not None
        assert (grid.pager.total, grid.pager.page, grid.pager.page_size) == (total, page, size)
        assert grid.pager.next_enabled is (page < -(-total // size))
        assert grid.pager.next is not None and grid.pager.previous is not None
        assert truth.pager["next"].contains(grid.pager.next.center)
        assert truth.pager["previous"].contains(grid.pager.previous.center)
        due = min(size, total - (page - 1) * size)
        assert grid.completeness == (
            "complete" if len(grid.rows) == due and not grid.clipped & {"top", "bottom"} else "incomplete"
        )
    if truth.fixed_left is not None:
        assert grid.fixed_from == len(grid.headers) - 1
        assert abs(grid.header_boxes[-1].x - truth.fixed_left) <= 2
        assert "right" in grid.clipped
    if spec.scroll_top:
        assert {"top", "bottom"} <= grid.clipped


def test_what_is_not_asked_for_keeps_its_place_but_is_not_read(render: Renderer) -> None:
    truth = render(GridSpec(rows=3))
    grid = read_grid(truth.frame, columns=["业务 类型", "操作"])
    assert grid.rows[0][0].reading is None
    assert grid.rows[0][0].ink is not None
    assert grid.cell(0, "业务 类型").text == truth.rows[0][3].text


def test_a_pattern_goes_to_the_cells_of_its_column(render: Renderer) -> None:
    truth = render(GridSpec(rows=3))
    grid = read_grid(truth.frame, columns=["工单编号"], patterns={"工单编号": r"\d{16}"})
    assert [grid.cell(i, "工单编号").text for i in range(3)] == [row[0].text for row in truth.rows]
    assert all(grid.cell(i, "工单编号").reading.matches for i in range(3))  # type: ignore[union-attr]


def test_missing_columns_are_named_with_the_headers_that_were_seen(render: Renderer) -> None:
    truth = render(GridSpec(rows=3))
    with pytest.raises(GridError, match="抄表段") as error:
        read_grid(truth.frame, columns=["工单编号", "抄表段"])
    assert "用户名称" in str(error.value)


def test_an_empty_screen_has_no_grid() -> None:
    blank = Frame(np.full((400, 600, 3), 255, np.uint8), 0.0)
    with pytest.raises(GridError):
        read_grid(blank, columns=["工单编号"])
    with pytest.raises(GridError):
        read_grid(blank)


def test_a_region_that_cuts_the_last_row_says_so(render: Renderer) -> None:
    truth = render(GridSpec(rows=6, pager=(6, 1, 10)))
    cut = truth.rows[5][0].box
    region = Box(truth.table.x - 4, truth.table.y - 4, truth.table.width + 8, cut.y - truth.table.y + 4 + cut.height // 3)
    grid = read_grid(truth.frame, region, ["工单编号"])
    assert len(grid.rows) == 5
    assert "bottom" in grid.clipped
    assert grid.completeness == "incomplete"


def test_rows_missing_from_the_page_are_told_by_the_count(render: Renderer) -> None:
    truth = render(GridSpec(rows=4, pager=(9, 1, 10)))
    grid = read_grid(truth.frame, columns=["工单编号"])
    assert grid.completeness == "incomplete"
    assert "9" in grid.reasons[0]


def test_a_row_is_found_again_after_the_order_changed(render: Renderer) -> None:
    before = render(GridSpec(rows=6, seed=21))
    grid = read_grid(before.frame, columns=["工单编号", "操作"])
    after = render(GridSpec(rows=8, seed=22))
    wanted = after.rows[6][0].text
    assert find_row(before.frame, grid, "工单编号", wanted) is None
    found = find_row(after.frame, grid, "工单编号", wanted, pattern=r"\d{16}")
    assert found is not None
    assert found.row == 6
    assert after.rows[6][-1].box.contains(found.cells[-1].ink.center)  # type: ignore[union-attr]


def test_a_key_that_two_rows_have_is_not_decided(render: Renderer) -> None:
    truth = render(GridSpec(rows=8, seed=5, headers=("业务类型", "用户名称", "创建时间")))
    texts = [row[0].text for row in truth.rows]
    double = next(t for t in texts if texts.count(t) > 1)
    with pytest.raises(RowAmbiguous) as error:
        find_row(truth.frame, None, "业务类型", double)
    assert [f.row for f in error.value.rows] == [i for i, t in enumerate(texts) if t == double]


def test_looks_at_a_scrolled_grid_join_without_loss(render: Renderer) -> None:
    spec = GridSpec(rows=20, body_height=420, pager=(20, 1, 20), seed=13)
    looks = [render(dataclasses.replace(spec, scroll_top=top)) for top in (0, 230, 460, 2000)]
    grids = [read_grid(look.frame, columns=["工单编号"]) for look in looks]
    joined = stitch(grids, "工单编号")
    assert [row[0].text for row in joined.rows] == [row[0].text for row in looks[0].rows]
    assert joined.completeness == "complete"
    gap = stitch([grids[0], grids[3]], "工单编号")
    assert gap.completeness == "incomplete"
    assert any("没有重叠" in reason for reason in gap.reasons)


def test_header_names_are_compared_without_width_and_spaces() -> None:
    assert normal("电流（A） ↑") == normal("电流(A)")
    assert normal("停电") != normal("复电")


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_a_second_link_at_the_end_of_a_table_without_lines_is_not_lost(render: Renderer, scale: float) -> None:
    spec = GridSpec(rows=6, style="bare", scale=scale, headers=("工单编号", "业务类型", "操作"), pager=(6, 1, 10))
    truth = render(spec)
    assert any(len(row[-1].words) > 1 for row in truth.rows)
    check_cells(read_grid(truth.frame, columns=["工单编号", "操作"]), truth, ["操作"])


def test_a_wrapped_row_that_the_screen_ends_in_is_not_lost_in_silence(render: Renderer) -> None:
    headers = ("用户编号", "用户名称", "用电地址", "业务类型", "操作")
    truth = render(GridSpec(rows=14, seed=3, wrap=True, scale=1.5, headers=headers))
    shown = [row for row in truth.rows if row[0].box.bottom <= truth.frame.height]
    assert len(shown) < len(truth.rows)
    for end in range(shown[-1][0].box.bottom - 60, shown[-1][0].box.bottom - 4, 11):
        frame = Frame(np.ascontiguousarray(truth.frame.image[:end]), 0.0, 1.5)
        grid = read_grid(frame, columns=["用户编号"])
        assert "bottom" in grid.clipped, end
        assert grid.completeness == "incomplete"
        assert [row[0].text for row in grid.rows] == [row[0].text for row in truth.rows[: len(grid.rows)]]
