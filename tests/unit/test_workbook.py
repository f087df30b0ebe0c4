"""The Excel is opened again with openpyxl, as another program would."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import openpyxl
import pytest

from bots.workbook import Column, write_workbook

COLUMNS = [
    Column("工单编号"),
    Column("客户电话"),
    Column("状态", status=True),
    Column("电流", kind="number"),
    Column("成功率", kind="percent"),
    Column("处理时间", kind="datetime"),
    Column("备注"),
]
WHEN = datetime(2026, 11, 23, 9, 0, 5, tzinfo=timezone(timedelta(hours=8)))


def row(number: str = "0000123456789012", state: str = "成功", **more: object) -> dict[str, object]:
    return {
        "工单编号": number,
        "客户电话": "138****1234",
        "状态": state,
        "电流": 0.532,
        "成功率": 0.955,
        "处理时间": WHEN,
        "备注": "",
    } | more


def saved(folder: Path, rows: list[dict[str, object]], **more: object) -> openpyxl.Workbook:
    done = write_workbook(folder / "数据.xlsx", COLUMNS, rows, **more)  # type: ignore[arg-type]
    assert done.message == "" and [p.name for p in folder.iterdir()] == ["数据.xlsx"]
    return openpyxl.load_workbook(done.path)


def test_a_person_can_use_it_as_it_is(tmp_path: Path) -> None:
    book = saved(
        tmp_path,
        [row(), row("3201202611230002", "结果未知"), row("3201202611230003", "业务异常")],
        summary=[("工单总数", 3), ("复电成功率", 1 / 3), ("平均用时（秒）", 41.5)],
        notes=[("来源系统", "营销2.0"), ("筛选条件", "复电复核"), ("时间", WHEN)],
        expected_rows=3,
    )
    assert book.sheetnames == ["数据", "汇总", "说明"]
    data = book["数据"]
    assert [cell.value for cell in data[1]] == [column.name for column in COLUMNS]
    assert all(cell.font.bold for cell in data[1]) and data.freeze_panes == "A2" and data.auto_filter.ref == "A1:G4"
    number, _, state, current, share, when, note = data[2]
    assert (number.value, number.data_type, number.number_format) == ("0000123456789012", "s", "@")
    assert (current.value, share.value, share.number_format) == (0.532, 0.955, "0.00%")
    assert when.is_date and when.value == datetime(2026, 11, 23, 9, 0, 5) and when.number_format == "yyyy-mm-dd hh:mm:ss"
    assert note.value is None
    fills = [(data.cell(r, 3).value, data.cell(r, 3).fill.fgColor.rgb) for r in (2, 3, 4)]
    assert fills == [("成功", "FFC6EFCE"), ("结果未知", "FFFFC7CE"), ("业务异常", "FFFFEB9C")] and state.value == "成功"
    assert number.fill.fill_type is None
    totals = {r[0].value: r[1] for r in book["汇总"].iter_rows(min_row=2)}
    assert (
        totals["工单总数"].value == 3
        and totals["复电成功率"].number_format == "0.00%"
        and totals["平均用时（秒）"].number_format == "0.00"
    )
    notes = {r[0].value: r[1].value for r in book["说明"].iter_rows(min_row=2)}
    assert notes["来源系统"] == "营销2.0" and notes["行数"] == 3 and notes["行数核对"] == "一致"
    for sheet in book:
        assert sheet.freeze_panes == "A2" and all(cell.font.bold for cell in sheet[1])


def test_columns_are_wide_enough_to_read_and_not_endless(tmp_path: Path) -> None:
    data = saved(tmp_path, [row(备注="苏" * 200), row("3201202611230002")])["数据"]
    widths = {column.name: data.column_dimensions[chr(65 + at)].width for at, column in enumerate(COLUMNS)}
    assert widths["工单编号"] >= 18 and widths["处理时间"] >= 20 and 40 <= widths["备注"] <= 50


def test_a_list_that_is_not_complete_says_so(tmp_path: Path) -> None:
    book = saved(tmp_path, [row()], expected_rows=37)
    said = {r[0].value: r[1].value for r in book["说明"].iter_rows(min_row=2)}["行数核对"]
    assert "不一致" in said and "37" in said and "1 行" in said


def test_no_order_at_all_is_a_proper_workbook(tmp_path: Path) -> None:
    data = saved(tmp_path, [])["数据"]
    assert data.max_row == 1 and data.auto_filter.ref == "A1:G2"


def test_what_a_client_shows_is_text_and_never_a_formula(tmp_path: Path) -> None:
    data = saved(tmp_path, [row(备注="=1+1"), row(备注="http://x.example/"), row(备注="坏\x00\x1b字")])["数据"]
    assert [(data.cell(r, 7).value, data.cell(r, 7).data_type) for r in (2, 3, 4)] == [
        ("=1+1", "s"),
        ("http://x.example/", "s"),
        ("坏字", "s"),
    ]


def test_open_in_excel_it_is_saved_beside_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "数据.xlsx"
    target.write_bytes(b"open in Excel")
    rename = Path.replace

    def replace(self: Path, other: Path) -> Path:
        if Path(other) == target:
            raise PermissionError(13, "The process cannot access the file", str(target))
        return rename(self, other)

    monkeypatch.setattr(Path, "replace", replace)
    done = write_workbook(target, COLUMNS, [row()])
    again = write_workbook(target, COLUMNS, [row()])
    assert target.read_bytes() == b"open in Excel"
    assert (
        done.path.name == "数据_2.xlsx"
        and again.path.name == "数据_3.xlsx"
        and "Excel" in done.message
        and "数据_2.xlsx" in done.message
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["数据.xlsx", "数据_2.xlsx", "数据_3.xlsx"]
    assert openpyxl.load_workbook(done.path)["数据"]["A2"].value == "0000123456789012"


def test_a_row_without_a_column_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_workbook(tmp_path / "数据.xlsx", COLUMNS, [{"工单编号": "1"}])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_workbook(tmp_path / "gone" / "数据.xlsx", COLUMNS, [row()])
