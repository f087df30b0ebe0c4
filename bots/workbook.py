"""The Excel that a robot leaves: sheets 数据 / 汇总 / 说明, ready to use as it is.

write_workbook(folder / "数据.xlsx",
               columns=[Column("工单编号"), Column("执行结果", status=True), Column("处理时间", kind="datetime")],
               rows=[{"工单编号": "3201202611230001", "执行结果": "成功", "处理时间": datetime.now()}],
               summary=[("工单总数", 20), ("复电成功率", 0.95)],
               notes=[("来源系统", "营销2.0"), ("筛选条件", "工单类型=复电复核")])
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

Kind = Literal["text", "integer", "number", "percent", "date", "datetime"]
Colour = Literal["red", "yellow", "green"]

FILLS: Mapping[Colour, tuple[str, str]] = {
    "red": ("#FFC7CE", "#9C0006"),
    "yellow": ("#FFEB9C", "#9C5700"),
    "green": ("#C6EFCE", "#006100"),
}
"""Fill and font, Excel's own «bad», «neutral» and «good»."""

STATUS_COLOURS: Mapping[str, Colour] = {
    "成功": "green",
    "已归档": "green",
    "正常": "green",
    "有电流": "green",
    "业务异常": "yellow",
    "已延后": "yellow",
    "待处理": "yellow",
    "处理中": "yellow",
    "部分成功": "yellow",
    "待人工": "yellow",
    "系统异常": "red",
    "结果未知": "red",
    "失败": "red",
    "假复电": "red",
    "无电流": "red",
    "超时": "red",
    "已中止": "red",
}
"""Word → colour for status cells; the word itself always stands in the cell."""

FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "integer": "0",
    "number": "0.00",
    "percent": "0.00%",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
}
WIDEST = 48
"""Columns are not made wider than this many half-width characters; longer texts wrap."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sheet 数据."""

    name: str
    kind: Kind = "text"
    """Identifiers are ``text``, so that 16 digits stay 16 digits and leading zeros stay."""
    status: bool = False
    """Coloured by its word, see :data:`STATUS_COLOURS`."""
    width: float | None = None
    """In half-width characters; None: as wide as its contents, at most :data:`WIDEST`."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Where the workbook went."""

    path: Path
    message: str = ""
    """For people, when it could not be saved under its own name."""


def write_workbook(
    path: Path,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    summary: Sequence[tuple[str, Any]] = (),
    notes: Sequence[tuple[str, Any]] = (),
    *,
    expected_rows: int | None = None,
    colours: Mapping[str, Colour] = STATUS_COLOURS,
) -> Saved:
    """Write the workbook beside its name, then rename it, so that nobody opens half a file. A target that is open in Excel
    stays as it is: the new one gets a suffix and :class:`Saved` says so. A float in ``summary`` from 0 to 1 whose name has 率 or
    占比 is shown as a share. ``expected_rows`` is what the client said (共N条): the sheet 说明 states whether it agrees.
    Raises OSError when nothing can be written (full disk, no such folder); KeyError when a row has no such column."""
    new = path.with_name(f".{path.stem}.{os.getpid()}.new.xlsx")
    try:
        with xlsxwriter.Workbook(str(new), {"default_date_format": FORMATS["datetime"], "remove_timezone": True}) as book:
            _data(book, columns, rows, colours)
            _pairs(book, "汇总", ("项目", "数值"), summary)
            _pairs(book, "说明", ("项目", "内容"), [*notes, *_row_check(len(rows), expected_rows)])
        return _put(new, path)
    except xlsxwriter.exceptions.FileCreateError as error:
        cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error))
        raise cause from error
    finally:
        with suppress(OSError):
            new.unlink()


def _put(new: Path, path: Path) -> Saved:
    try:
        new.replace(path)
        return Saved(path)
    except PermissionError:
        beside = _beside(path)
        new.replace(beside)
        return Saved(
            beside,
            f"「{path.name}」正在 Excel 中打开，已另存为「{beside.name}」；关闭后可改回原名 / "
            f"{path.name} is open in Excel; saved as {beside.name}",
        )


def _beside(path: Path) -> Path:
    number = 2
    while (other := path.with_stem(f"{path.stem}_{number}")).exists():
        number += 1
    return other


def _data(book: Any, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], colours: Mapping[str, Colour]) -> None:
    sheet = book.add_worksheet("数据")
    head, formats = _header(book), _formats(book)
    widths = [float(_width(column.name)) + 4 for column in columns]  # 4: room for the filter's arrow
    for at, column in enumerate(columns):
        sheet.write_string(0, at, column.name, head)
    for line, row in enumerate(rows, start=1):
        for at, column in enumerate(columns):
            value = row[column.name]
            shown = formats[column.kind, colours.get(str(value)) if column.status else None]
            _cell(sheet, line, at, column.kind, value, shown)
            widths[at] = max(widths[at], _width(_shown(column.kind, value)) + 2)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width or min(widths[at], WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), max(len(columns) - 1, 0))
    _page(sheet)
    sheet.repeat_rows(0)


def _pairs(book: Any, name: str, heads: tuple[str, str], pairs: Sequence[tuple[str, Any]]) -> None:
    sheet = book.add_worksheet(name)
    head, formats = _header(book), _formats(book)
    for at, text in enumerate(heads):
        sheet.write_string(0, at, text, head)
    widest = [_width(heads[0]), _width(heads[1])]
    for line, (key, value) in enumerate(pairs, start=1):
        kind = _kind(key, value)
        sheet.write_string(line, 0, key, formats["text", None])
        _cell(sheet, line, 1, kind, value, formats[kind, STATUS_COLOURS.get(str(value))])
        widest = [max(widest[0], _width(key)), max(widest[1], _width(_shown(kind, value)))]
    for at, width in enumerate(widest):
        sheet.set_column(at, at, min(width + 3, 80 if at else WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(pairs), 1), 1)
    _page(sheet)


def _row_check(written: int, expected: int | None) -> list[tuple[str, Any]]:
    if expected is None:
        return [("行数", written)]
    agrees = "一致" if written == expected else f"不一致：系统显示 {expected} 条，本表 {written} 行，请核对"
    return [("行数", written), ("系统显示条数", expected), ("行数核对", agrees)]


def _cell(sheet: Any, line: int, at: int, kind: Kind, value: Any, shown: Any) -> None:
    if value is None or value == "":
        sheet.write_blank(line, at, None, shown)
    elif kind in ("date", "datetime") and isinstance(value, date | datetime):
        sheet.write_datetime(line, at, value, shown)
    elif kind in ("integer", "number", "percent") and isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(line, at, value, shown)
    else:
        # write_string, not write: a text that starts with = must not become a formula.
        sheet.write_string(line, at, clean(str(value)), shown)


def clean(text: str) -> str:
    """Without the control characters that make a workbook unreadable; at most the 32,767 characters of a cell."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)[:32_767]


def _kind(key: str, value: Any) -> Kind:
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "text"
    if isinstance(value, float):
        return "percent" if re.search(r"率|占比|比例", key) and 0 <= value <= 1 else "number"
    return "integer"


def _shown(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind == "datetime":
        return "yyyy-mm-dd hh:mm:ss"
    return "yyyy-mm-dd" if kind == "date" else f"{value:.2f}%" if kind == "percent" and isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Half-width characters of the longest line."""
    lines = text.splitlines() or [""]
    return max(sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line) for line in lines)


def _header(book: Any) -> Any:
    return book.add_format(
        {"bold": True, "bg_color": "#D9E1F2", "border": 1, "border_color": "#BFBFBF", "align": "center", "valign": "vcenter"}
    )


def _formats(book: Any) -> dict[tuple[Kind, Colour | None], Any]:
    made: dict[tuple[Kind, Colour | None], Any] = {}
    for kind, number in FORMATS.items():
        base: dict[str, Any] = {"num_format": number, "valign": "vcenter", "border": 1, "border_color": "#D9D9D9"}
        base |= {"text_wrap": True} if kind == "text" else {}
        made[kind, None] = book.add_format(base)
        for colour, (fill, font) in FILLS.items():
            made[kind, colour] = book.add_format({**base, "bg_color": fill, "font_color": font})
    return made


def _page(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
