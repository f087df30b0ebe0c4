"""The report as an office worker sees it: opened from a file in a browser without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bots.ports import ItemState, StepRecord
from control.journal import JsonlJournal, read_journal
from control.ledger import SqlLedger
from control.report import write_report
from control.summary import summarise
from recordings.actions import Click, Wait
from vision.frame import Box, Frame

TARGET = Box(500, 120, 80, 32)
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def shown(seed: int) -> Frame:
    image = np.full((450, 800, 3), 250, np.uint8)
    image[::40] = 220
    image[120:152, 500:580] = (255, 158, 64)
    image[10 : 30 + seed % 7, 20:200] = np.random.default_rng(seed).integers(0, 255, (20 + seed % 7, 180, 3), np.uint8)
    return Frame(image, float(seed))


def evidence(right: bool) -> dict[str, object]:
    witnesses = [
        {"name": "picture", "ok": True, "score": 0.997, "level": 0.9, "detail": ""},
        {"name": "text", "ok": right, "score": 0.981, "level": 0.9, "detail": "复电" if right else "停电"},
    ]
    return {
        "anchor": "reconnect_button",
        "suspects": [{"box": list(TARGET), "accepted": right, "contradicted": not right, "witnesses": witnesses}],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four orders: two done, one false reconnect with a message, one whose result was not seen."""
    base = tmp_path_factory.mktemp("state")
    run = "2026-11-23_090000_reconnect"
    ledger, journal = SqlLedger(base / "z.db", run, "marketing", "robot-a"), JsonlJournal(base / run, run)
    before = shown(0)
    for number, (state, outcome, reason) in enumerate(
        [
            (ItemState.SUCCEEDED, "done", "复电成功，电流不为零"),
            (ItemState.BUSINESS_EXCEPTION, "done", "假复电，已短信通知客户和台区责任人"),
            (ItemState.SUCCEEDED, "done", HOSTILE),
            (ItemState.UNKNOWN, "unknown", "未看到结果，请人工核实"),
        ]
    ):
        key = f"320120261123000{number}"
        ledger.set_state(key, ItemState.RUNNING)
        for right in (True, state is not ItemState.UNKNOWN):
            after = shown(number * 10 + 1 + right)
            message = "" if right else "目标位置的文字是「停电」"
            action = Click(target="复电") if right else Wait(targets=("复电成功",))
            journal.step(
                StepRecord(action, "x", key, 0.0, 2.0, 1.5, "ok" if right else "contradicted", message, before, after, TARGET,
                           evidence(right), [], {"find": 0.1, "read": 0.3})
            )  # fmt: skip
            journal.drain()
            before = after
        ledger.observed(ledger.intend(key, "reconnect"), outcome)
        if outcome == "done":
            ledger.observed(ledger.intend(key, "archive"), "done")
        if state is ItemState.BUSINESS_EXCEPTION:
            ledger.observed(ledger.intend(key, "sms:customer"), "done")
        ledger.set_state(key, state, reason)
    journal.note("popup", HOSTILE)
    journal.close()
    write_report(base / run, summarise(ledger, read_journal(base / run)))
    return base / run


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((folder / "report.html").as_uri())
    yield page
    assert wrong == [] and all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


def test_the_figures_and_what_needs_somebody_stand_first(page: Page) -> None:
    tiles = {tile.get_attribute("data-figure"): tile.locator("strong").inner_text() for tile in page.locator(".tile").all()}
    assert tiles == {"orders": "4", "reconnected": "3", "archived": "3", "texted": "1", "unknown": "1", "needs a person": "1"}
    keys = page.locator("#items .key").all_inner_texts()
    assert keys[0] == "3201202611230003" and keys[1] == "3201202611230001"
    handling = page.locator("#handling").inner_text()
    assert "4.0 s" in handling and "1 h 30 min" in handling
    assert "等待系统" in page.locator("#shares").inner_text()


def test_the_failing_step_is_open_with_pictures_target_and_every_witness(page: Page) -> None:
    step = page.locator("#items > .item").first.locator(".step.bad")
    assert step.locator(".message").is_visible() and "停电" in step.locator(".message").inner_text()
    page.wait_for_function("() => [...document.querySelectorAll('.step.bad img')].every(i => i.naturalWidth > 0)")
    assert step.locator("img").count() == 3
    rows = step.locator(".witnesses tr").all_inner_texts()
    assert len(rows) == 2 and "图像" in rows[0] and "0.997" in rows[0] and "✗" in rows[1] and "停电" in rows[1]
    # the frame around the target lies where the target is: 500…580 of 800 pixels, 120…152 of 450
    picture, mark = step.locator(".whole .shot").first.bounding_box(), step.locator(".whole .shot i").first.bounding_box()
    assert picture is not None and mark is not None
    assert mark["x"] - picture["x"] == pytest.approx(picture["width"] * 500 / 800, abs=2)
    assert mark["y"] - picture["y"] == pytest.approx(picture["height"] * 120 / 450, abs=2)
    assert mark["width"] == pytest.approx(picture["width"] * 80 / 800, abs=2)


def test_search_filter_and_language(page: Page) -> None:
    visible = "#items > .item:not(.hidden)"
    page.fill("#search", "假复电")
    assert page.locator(visible).count() == 1 and page.locator(visible).first.locator(".key").inner_text() == "3201202611230001"
    page.fill("#search", "0002 成功")
    assert page.locator(visible).count() == 1
    page.fill("#search", "没有这个")
    assert page.locator(visible).count() == 0 and page.locator("#none").is_visible()
    page.fill("#search", "")
    page.click("button[data-state='succeeded']")
    assert page.locator(visible).count() == 2
    page.click("#switch")
    assert page.locator(".tile[data-figure=orders]").inner_text().split() == ["4", "orders"]
    assert "结果未知" not in page.locator(".tools").inner_text()


def test_what_a_client_shows_does_not_run_in_the_report(page: Page) -> None:
    page.click("#open")
    page.locator("#rest > summary").click()
    assert page.evaluate("window.hacked") is None
    assert "<script>" in page.locator("#rest").inner_text()


def test_a_report_that_would_be_too_large_shows_pictures_from_beside_it(browser: Browser, folder: Path) -> None:
    whole = folder / "report.html"
    full = whole.stat().st_size
    ledger = SqlLedger(folder.parent / "z.db", folder.name, "marketing", "robot-a")
    summary = summarise(ledger, read_journal(folder))
    write_report(folder, summary, "en", embed_bytes=0)
    page = browser.new_page()
    try:
        page.goto(whole.as_uri())
        page.wait_for_function("() => [...document.querySelectorAll('.step.bad img')].every(i => i.naturalWidth > 0)")
        assert whole.stat().st_size < full and page.locator("html").get_attribute("lang") == "en"
        assert "in the folder pictures" in page.locator(".warning").inner_text()
    finally:
        page.close()
        write_report(folder, summary)


def test_the_summary_for_programs_says_the_same(folder: Path) -> None:
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (said["orders"], said["reconnected"], said["unknown"], said["state"]) == (4, 3, 1, "needs a person")
    assert said["average_seconds"] == 4.0 and said["manual_minutes"] == 90
    assert said["items"][3]["acts"] == [{"name": "reconnect", "attempt": 1, "outcome": "unknown"}]
