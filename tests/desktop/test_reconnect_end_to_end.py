"""A user's story: robot 1 works a short to-do list on clients that it can only see, and leaves an Excel and a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from benchmarks._session import Cell, work
from commands.standin import ACCOUNTS, stand_in
from control.work import Result
from desktop.virtual import VirtualDesktop
from simulators.truth import Order, Truth

CELL = Cell(version="2.3", scale=1.0, seed=4, orders=2, faults="fail_n,false", factor=0.05)


@dataclass(frozen=True, slots=True)
class Story:
    """One run and what it left."""

    folder: Path
    done: Result
    truth: Truth
    orders: list[Order]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    database = folder / "truth" / "truth.db"
    with (
        stand_in(
            CELL.version, seed=CELL.seed, orders=CELL.orders, faults=CELL.faults, time_factor=CELL.factor, database=database
        ) as clients,
        VirtualDesktop(scale=CELL.scale, urls=clients.urls) as virtual,
    ):
        done = work(CELL, virtual.desktop, folder / "state", "story", display=virtual.display)
    with Truth(database) as truth:
        yield Story(folder / "state", done, truth, truth.orders(actionable=True))


def test_every_order_is_reconnected_as_often_as_needed_and_archived(story: Story) -> None:
    assert not story.done.error
    assert {order.expected for order in story.orders} == {"normal", "fails_n"}
    sent = story.truth.reconnects_per_order()
    assert sent == {order.number: order.succeeds_at for order in story.orders}
    assert story.truth.archived() == {order.number for order in story.orders}


def test_nothing_is_done_to_anybody_else_and_nobody_is_texted(story: Story) -> None:
    assert story.truth.wrong_acts() == []
    assert story.truth.commands() == story.truth.reconnects()
    assert story.truth.sms() == []


def test_each_meter_is_asked_whether_current_flows(story: Story) -> None:
    asked = {reading.customer for reading in story.truth.readings() if reading.current_flows}
    assert asked == {order.customer for order in story.orders}


def test_the_excel_says_what_happened(story: Story) -> None:
    assert story.done.workbook is not None
    book = openpyxl.load_workbook(story.done.workbook)
    assert book.sheetnames == ["数据", "汇总", "说明"]
    heads, *lines = book["数据"].iter_rows(values_only=True)
    rows = {str(line[0]): dict(zip(heads, line, strict=True)) for line in lines}
    assert set(rows) == {order.number for order in story.orders}
    for order in story.orders:
        row = rows[order.number]
        assert row["用户编号"] == order.customer
        assert (row["处理状态"], row["复电结果"], row["是否归档"], row["现场是否有电"]) == ("成功", "成功", "是", "有电")
        assert row["复电次数"] == order.succeeds_at
        assert float(str(row["首次透抄电流(A)"]).split(" / ")[0]) > 0
    totals = dict(book["汇总"].iter_rows(min_row=2, max_col=2, values_only=True))
    assert (totals["工单数"], totals["已归档"], totals["需人工"]) == (2, 2, 0)


def test_the_report_stands_alone_and_tells_nobody_who_lives_there(story: Story) -> None:
    assert story.done.report is not None
    report = story.done.report.read_text("utf-8")
    assert all(order.number in report for order in story.orders)
    assert "http://" not in report and "https://" not in report
    for secret in _personal(story.orders):
        assert secret not in report


def test_no_file_of_the_run_holds_a_person_or_a_password_in_clear(story: Story) -> None:
    files = [path for path in story.folder.rglob("*") if path.is_file() and path.suffix not in {".png", ".webp"}]
    assert any(path.name == "zhishou.db" for path in files) and any(path.name == "journal.jsonl" for path in files)
    for path in files:
        held = path.read_bytes()
        for secret in (*_personal(story.orders), *ACCOUNTS.values()):
            assert secret.encode() not in held, f"{path.name} holds {secret}"


def _personal(orders: list[Order]) -> list[str]:
    """What must be masked: phones, addresses, and names of three characters or more (two may be part of a word)."""
    names = [name for order in orders for name in (order.name, order.manager) if len(name) > 2]
    phones = [phone for order in orders for phone in (order.phone, order.manager_phone, order.crew_phone)]
    return [*names, *phones, *(order.address for order in orders)]
