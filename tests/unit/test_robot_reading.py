"""Values beside labels are read from one look, and nothing goes on when a check fails. Truth: what was drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.errors import DoubtfulError, NotSeenError
from recordings.actions import Click
from tests.support.drawn_client import LABEL, DrawnClient, Thing
from tests.support.robots import Rig
from vision.findings import Reading

LABELS = {
    "number": Thing("工单编号：", 40, 60, LABEL),
    "customer": Thing("户号：", 420, 60, LABEL),
    "phone": Thing("联系电话：", 40, 120, LABEL),
    "status": Thing("系统状态：", 420, 120, LABEL),
    "area": Thing("台区：", 40, 180, LABEL),
}


def rig(tmp_path: Path, **values: str) -> Rig:
    """A form: each label with its value right of it, 8 px behind."""
    client = DrawnClient(**LABELS)
    shelf = client.library(tmp_path)
    for name, value in values.items():
        label = LABELS[name]
        client.shown[f"value-{name}"] = Thing(value, label.words.right - 8, label.y, LABEL)
    return Rig(client, shelf)


def test_values_stand_right_of_their_labels_and_an_empty_one_does_not_borrow_its_neighbours(tmp_path: Path) -> None:
    r = rig(tmp_path, number="3201202611230001", customer="3301234567", status="停电中", area="城东村1号公变")
    read = r.robot.read_fields(*LABELS, patterns={"number": r"\d{16}", "customer": r"\d{10}"})
    assert {name: reading.text for name, reading in read.items()} == {
        "number": "3201202611230001",
        "customer": "3301234567",
        "phone": "",
        "status": "停电中",
        "area": "城东村1号公变",
    }
    assert read["number"].matches and r.pressed == []
    (step,) = r.journal.steps
    assert step.outcome == "ok" and len(step.clear) == len(LABELS)
    assert not any(box.intersect(r.client.shown["value-number"].words).area for box in step.clear), "values stay masked"


def test_values_are_read_once_the_page_stands_still(tmp_path: Path) -> None:
    """A form fills in after it was opened: half-filled it is not read."""
    r = rig(tmp_path, number="3201202611230001")
    late = Thing("3301234567", LABELS["customer"].words.right - 8, 60, LABEL)
    r.desktop.clock.at(0.1, lambda: r.client.shown.update(late=late))
    assert r.robot.read_fields("number", "customer")["customer"].text == "3301234567"


def test_a_form_without_the_label_is_said(tmp_path: Path) -> None:
    r = rig(tmp_path, number="3201202611230001")
    del r.client.shown["status"]
    with pytest.raises(NotSeenError, match="系统状态"):
        r.robot.read_fields("number", "status")
    assert r.journal.steps[-1].outcome == "timeout"


@pytest.mark.parametrize("read", ["3301234568", "", "330123456", "33012345677"])
def test_a_check_that_fails_by_one_digit_stops(tmp_path: Path, read: str) -> None:
    r = rig(tmp_path)
    with pytest.raises(DoubtfulError, match="应为 3301234567，读到的是"):
        r.robot.check("customer", Reading(read, 0.99), "3301234567")
    assert r.journal.steps[-1].outcome == "contradicted"
    r.robot.check("customer", Reading("3301234567", 0.99), "3301234567")
    assert r.journal.steps[-1].outcome == "ok"


def test_a_mistake_in_a_flow_is_in_the_journal_with_its_kind(tmp_path: Path) -> None:
    r = rig(tmp_path)
    with pytest.raises(ZeroDivisionError), r.robot.step(Click(target="户号")):
        _ = 1 // 0
    assert (r.journal.steps[-1].outcome, "ZeroDivisionError" in r.journal.steps[-1].message) == ("error", True)


def test_time_is_kept_in_two_accounts_and_taken_once(tmp_path: Path) -> None:
    r = rig(tmp_path)
    with r.robot.step(Click(target="户号")):
        with r.robot.watch("find"):
            r.desktop.clock.sleep(0.5)
        r.desktop.clock.sleep(2.0)
        r.robot.watch.wait(2.0)
    times = r.robot.take_times()
    assert times["waited"] == pytest.approx(2.0) and times["find"] == pytest.approx(0.5)
    assert times["own"] == pytest.approx(0.5, abs=0.01) and r.journal.steps[-1].seconds == pytest.approx(2.5)
    assert r.robot.take_times()["waited"] == 0.0
