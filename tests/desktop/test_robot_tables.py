"""Grids through a client's own words, on tables that Chromium drew: all pages, the right row whatever order the rows are in, or
nothing pressed. Truth: the page's own geometry and the rows written into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bots.errors import DoubtfulError, NotSeenError
from bots.tables import CHECK, Tables
from tests.support.rendered_client import Browser, Shot
from tests.support.robots import Rig
from tests.support.shelf import library
from vision.frame import Image

ORDERS = [f"32012026112300{n:02d}" for n in range(11, 19)]
GRID = {
    "title": "待办工单",
    "columns": {"number": "工单编号", "customer": "用户编号", "type": "业务类型", "action": "操作"},
    "patterns": {"number": r"\d{16}", "customer": r"\d{10}"},
}
STYLE = """<style>
table{border-collapse:separate;border-spacing:0;table-layout:fixed;position:absolute;left:20px;top:60px;width:860px}
th,td{padding:9px 10px;text-align:left;border-bottom:1px solid #ebeef5;height:40px} th{background:#f5f7fa;color:#909399}
a{color:#409eff;margin-right:12px} .cb{display:inline-block;width:14px;height:14px;border:1px solid #dcdfe6;border-radius:2px;
position:relative} .on{background:#409eff;border-color:#409eff}
.on::after{content:'';position:absolute;left:4px;top:1px;width:3px;height:7px;border:solid #fff;border-width:0 1px 1px 0;
transform:rotate(45deg)} .badge{background:#f56c6c;color:#fff;border-radius:4px;font-size:12px;padding:0 3px;margin-left:4px}
.pager{position:absolute;left:420px;top:470px;font-size:13px;line-height:28px;white-space:nowrap}
.pager>*{display:inline-block;min-width:28px;text-align:center;margin:0 4px}
.now{background:#409eff;color:#fff;border-radius:2px} .off{color:#c0c4cc}
.chev{width:7px;height:7px;border:solid currentColor;border-width:1.5px 1.5px 0 0;transform:rotate(45deg);display:inline-block}
.chev.l{transform:rotate(-135deg)}</style>"""


def customer(order: str) -> str:
    return "33" + order[-8:]


def page(
    orders: Sequence[str],
    *,
    pager: tuple[int, int, int] | None = None,
    ticked: str = "",
    badge: str = "",
    checks: bool = False,
    word: str = "处理",
) -> str:
    """A list; `pager` is (total, page, pages); three pages hold three rows each, one page ten.

    Links have the id of their order, check boxes `tick-` before it.
    """
    head = ("<th style='width:50px'></th>" if checks else "") + "<th>工单编号<th>用户编号<th>业务类型<th>操作"
    rows = ""
    for n, order in enumerate(orders):
        tick = f"<td><span class='cb {'on' if order == ticked else ''}' id='tick-{order}'></span>" if checks else ""
        mark = "<span class=badge>超</span>" if order == badge else ""
        name = order if orders.index(order) == n else f"{order}-again"
        rows += f"<tr>{tick}<td>{order}{mark}<td>{customer(order)}<td>复电复核<td><a id='{name}'>{word}</a><a>转派</a>"
    foot = ""
    if pager:
        total, number, pages = pager
        numbers = "".join(f"<span class='{'now' if p == number else ''}'>{p}</span>" for p in range(1, pages + 1))
        size, first = max(3, 10 // pages), "off" if number == 1 else ""
        foot = (
            f"<div class=pager><span>共 {total} 条</span><span>{size}条/页</span><span class='{first}'>"
            f"<i class='chev l'></i></span>{numbers}<span id=next class='{'off' if number == pages else ''}'><i class=chev></i>"
            "</span></div>"
        )
    return f"{STYLE}<header>营销业务应用</header><table><tr>{head}</tr>{rows}</table>{foot}"


class Rendered:
    """What the fake desktop shows: one page of a browser at a time."""

    def __init__(self, shot: Shot) -> None:
        self.shot = shot

    def picture(self) -> Image:
        return self.shot.image

    def under(self, place: tuple[int, int]) -> str | None:
        """The innermost element with an id at a place."""
        hits = [(box.area, name) for name, box in self.shot.boxes.items() if box.contains(place)]
        return min(hits)[1] if hits else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def rig(tmp_path: Path, shot: Shot) -> tuple[Rig, Tables]:
    shelf = library(tmp_path, {}, {"todo": (shot.image, 1.0)}, grids={"todo": GRID}, terms={"handle": "处理"})
    ready = Rig(Rendered(shot), shelf)
    return ready, Tables(ready.robot, "todo")


def test_all_pages_are_read_and_the_count_agrees(browser: Browser, tmp_path: Path) -> None:
    pages = [browser.shot(page(ORDERS[i : i + 3], pager=(8, i // 3 + 1, 3))) for i in (0, 3, 6)]
    r, table = rig(tmp_path, pages[0])
    coming = iter(pages[1:])

    def turn(name: str | None) -> None:
        if name == "next":
            r.client.shot = next(coming)

    r.on_press = turn
    read = table.read_all("number", ("number", "customer", "type"))
    assert [(row["number"], row["customer"], row["type"]) for row in read.rows] == [
        (order, customer(order), "复电复核") for order in ORDERS
    ]
    assert read.complete and read.total == 8 and r.pressed == ["next", "next"]


def test_fewer_rows_than_the_client_counts_are_not_called_complete(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3], pager=(4, 1, 1))))
    read = table.read_all("number", ("number",))
    assert (len(read.rows), read.total, read.complete) == (3, 4, False) and r.pressed == []


def test_a_page_that_does_not_turn_is_said(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3], pager=(8, 1, 3))))
    with pytest.raises(NotSeenError, match="翻页后内容没有变化"):
        table.read_all("number", ("number",), timeout=3.0)
    assert r.pressed == ["next"]


def test_a_badge_beside_a_number_is_no_part_of_it(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3], badge=ORDERS[1])))
    assert [row["number"] for row in table.read(("number",)).rows] == ORDERS[:3]
    r.robot.click_where("处理", table.finder("number", ORDERS[1], "action", "处理"))
    assert r.pressed == [ORDERS[1]]


@pytest.mark.parametrize("when", ["between look and act", "under the pointer"])
def test_rows_that_change_their_order_are_followed(browser: Browser, tmp_path: Path, when: str) -> None:
    first, turned = browser.shot(page(ORDERS[:4])), browser.shot(page(ORDERS[3::-1]))
    r, table = rig(tmp_path, first)

    def turn() -> None:
        r.client.shot = turned

    if when == "between look and act":
        r.on_grab[2] = turn
    else:
        r.on_input = lambda done: turn() if done.kind == "move" else None
    r.robot.click_where("处理", table.finder("number", ORDERS[0], "action", "处理"))
    assert r.pressed == [ORDERS[0]] and r.robot.moved == 1


def test_a_row_that_leaves_before_the_press_is_not_replaced_by_its_neighbour(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3])))
    gone = browser.shot(page(ORDERS[1:3]))

    def leave(done: object) -> None:
        r.client.shot = gone

    r.on_input = leave
    with pytest.raises(NotSeenError, match=f"没有 {ORDERS[0]}"):
        r.robot.click_where("处理", table.finder("number", ORDERS[0], "action", "处理"), timeout=2.0)
    assert r.pressed == []


def test_two_rows_of_one_number_are_not_guessed_between(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page([ORDERS[0], ORDERS[1], ORDERS[0]])))
    with pytest.raises(DoubtfulError):
        r.robot.click_where("处理", table.finder("number", ORDERS[0], "action", "处理"), timeout=2.0)
    assert r.pressed == [] and r.journal.steps[-1].outcome == "contradicted"


def test_a_row_without_the_word_is_not_pressed_elsewhere(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:2], word="查看")))
    with pytest.raises(DoubtfulError, match="「处理」应有一处，看到：查看"):
        r.robot.click_where("处理", table.finder("number", ORDERS[0], "action", "处理"), timeout=2.0)
    assert r.pressed == []


def test_a_number_that_differs_in_one_digit_is_another_row(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3])))
    with pytest.raises(NotSeenError):
        r.robot.click_where("处理", table.finder("number", ORDERS[0][:-1] + "8", "action", "处理"), timeout=1.0)
    assert r.pressed == []


def test_the_check_box_of_the_right_row_is_ticked_and_seen(browser: Browser, tmp_path: Path) -> None:
    r, table = rig(tmp_path, browser.shot(page(ORDERS[:3], checks=True)))
    ticked = browser.shot(page(ORDERS[:3], checks=True, ticked=ORDERS[2]))
    r.on_press = lambda name: setattr(r.client, "shot", ticked)
    assert not table.is_checked(r.robot.look(), "number", ORDERS[2])
    r.robot.click_where("勾选框", table.finder("number", ORDERS[2], CHECK))
    assert r.pressed == [f"tick-{ORDERS[2]}"]
    frame = r.robot.look()
    assert [table.is_checked(frame, "number", order) for order in ORDERS[:3]] == [False, False, True]


def test_a_screen_without_the_grid_is_said(browser: Browser, tmp_path: Path) -> None:
    _, table = rig(tmp_path, browser.shot("<header>营销业务应用</header>"))
    with pytest.raises(NotSeenError):
        table.read(("number",), timeout=1.0)
