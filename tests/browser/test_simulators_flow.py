"""Robot 1's way through both stand-ins by hand of a browser, once per version; truth from their database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect, sync_playwright

from simulators.truth import Truth
from tests.support.clients import ROOT, Clients, clients

SIZE = {"2.3": (1280, 720), "2.4": (1536, 864)}
"""CSS pixels of a 1920×1080 screen at 150 % and at 125 %."""


def look_of(system: str, version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "simulators/static" / system / f"{version}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield opened
        opened.close()


class Person:
    """Somebody at the screen who knows one version's words."""

    def __init__(self, context: BrowserContext, version: str) -> None:
        self.context = context
        self.version = version
        self.words: dict[str, str] = look_of("marketing", version)["words"]
        self.errors: list[str] = []
        self.asked: list[str] = []
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self.asked.append(request.url))

    def login(self, page: Page, user: str, secret: str, word: str) -> None:
        page.get_by_placeholder("请输入用户名").fill(user)
        page.get_by_placeholder("请输入密码").fill(secret)
        page.get_by_role("button", name=word).click()

    def enter(self, page: Page, user: str, secret: str, post: str) -> None:
        """Log in to 营销2.0, choose the post, put the notice away."""
        self.login(page, user, secret, self.words["login"])
        page.get_by_text(post).click()
        page.get_by_role("button", name=self.words["confirm"]).click()
        page.get_by_role("button", name="我已知晓", exact=True).click()
        expect(page.get_by_text("各单位")).to_be_hidden()

    def menu(self, page: Page, *names: str) -> None:
        """Open menus by hovering (2.3) or clicking (2.4), click the last entry."""
        for name in names[:-1]:
            item = page.get_by_role("menuitem", name=name).first
            if self.version == "2.3":
                item.hover()
            else:
                item.click()
        page.get_by_text(names[-1], exact=True).click()


def reconnect(person: Person, work: Page, order: str, handle: str) -> FrameLocator:
    """Filter for an order, open it, press 复电 until it worked, at most three times."""
    words = person.words
    todo = work.frame_locator("iframe[name=todo]")
    todo.get_by_placeholder("请输入工单编号").fill(order)
    todo.get_by_role("button", name=words["query"]).click()
    expect(todo.locator(".el-table__row")).to_have_count(1)
    todo.get_by_role("button", name=handle).click()
    detail = work.frame_locator(f"iframe[name=detail-{order}]")
    expect(detail.get_by_role("button", name=words["archive"])).to_be_disabled()
    for attempt in range(1, 4):
        detail.get_by_role("button", name=words["reconnect"], exact=True).click()
        expect(detail.get_by_text("下发复电指令吗")).to_contain_text(order)
        detail.get_by_role("button", name=words["confirm"]).click()
        expect(detail.locator(".el-table__row")).to_have_count(attempt)
        expect(detail.locator(".el-table__row").first).to_contain_text(re.compile("成功|失败："))
        if "成功" in detail.locator(".el-table__row").first.inner_text():
            break
    return detail


def read_current(person: Person, page: Page, served: Clients, customer: str) -> str:
    """透抄 in 采集2.0; returns the text of the result row."""
    words: dict[str, str] = look_of("collection", person.version)["words"]
    page.goto(served.collection)
    person.login(page, "cjdc01", "Cj#2026dc", words["login"])
    entry = page.locator(".el-tree").get_by_text("透抄")
    page.get_by_text("采集监控").wait_for()
    if not entry.is_visible():
        page.get_by_text("数据召测").click()
    entry.click()
    page.get_by_placeholder("请输入用户编号").fill(customer)
    page.get_by_role("button", name=words["query"]).click()
    page.locator(".el-table__body .el-checkbox").click()
    page.locator(".el-select").click()
    page.get_by_role("option", name="电流").click()
    page.get_by_role("button", name=words["read"], exact=True).click()
    row = page.locator(".panel.lower .el-table__row").first
    expect(row).to_contain_text(re.compile("成功|无应答"))
    return row.inner_text()


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_an_order_from_login_to_reading_and_a_text_to_the_crew(version: str, browser: Browser, tmp_path: Path) -> None:
    options = ("--version", version, "--seed", "5", "--orders", "8", "--time-factor", "0.1", "--faults", "fail_n,false")
    with clients(tmp_path / "truth.sqlite", *options) as served, Truth(served.database) as truth:
        width, height = SIZE[version]
        person = Person(browser.new_context(viewport={"width": width, "height": height}), version)
        order, hopeless = truth.of_class("fails_n")[0], truth.of_class("fails_always")[0]
        page = person.context.new_page()
        page.goto(served.marketing)
        person.login(page, "fkzb01", "wrong", person.words["login"])
        expect(page.get_by_text("用户名或密码错误")).to_be_visible()
        person.enter(page, "fkzb01", "Fk#2026zb", "城区供电所-费控复电专责")
        with person.context.expect_page() as opened:
            person.menu(page, "数字化运营", "数字化供电所（全业务工单）")
        work = opened.value
        work.bring_to_front()  # pages behind are drawn once a second
        work.get_by_placeholder("请输入关键字过滤").fill("待办")
        work.get_by_text("待办工单").click()

        detail = reconnect(person, work, order.number, person.words["handle"])
        detail.get_by_role("button", name=person.words["archive"]).click()
        detail.get_by_role("button", name=person.words["confirm"]).click()
        expect(work.get_by_text("归档成功")).to_be_visible()
        expect(work.frame_locator("iframe[name=todo]").get_by_text("暂无数据")).to_be_visible()
        assert truth.archived() == {order.number}
        assert truth.reconnects_per_order()[order.number] == order.succeeds_at

        detail = reconnect(person, work, hopeless.number, person.words["handle"])
        expect(detail.get_by_text("复电失败")).to_be_visible()
        work.reload()
        expect(work.get_by_text("首页").first).to_be_visible()

        page.bring_to_front()
        user = page.locator(".user-name")
        if version == "2.3":
            user.hover()
        else:
            user.click()
        page.get_by_text("退出登录").click()
        person.enter(page, "dxfs01", "Dx#2026fs", "客户服务中心-短信服务专责")
        person.menu(page, "客户服务", "短信管理", "自定义发送短信")
        form = page.frame_locator("iframe")
        form.get_by_placeholder("请输入接收号码").fill(hopeless.crew_phone)
        form.get_by_placeholder("请输入短信内容").fill(f"用户{hopeless.customer}复电失败，工单{hopeless.number}，请到现场处理。")
        form.get_by_role("button", name=person.words["send"]).click()
        form.get_by_role("button", name=person.words["confirm"]).click()
        expect(form.locator(".el-table__row")).to_contain_text(hopeless.number)
        assert [(s.order, s.role) for s in truth.sms()] == [(hopeless.number, "crew")]

        assert "成功" in read_current(person, page, served, order.customer)
        assert truth.readings(order.customer)[-1].current_flows
        assert truth.wrong_acts() == []
        assert person.errors == []
        assert [url for url in person.asked if not url.startswith((served.marketing, served.collection, "data:", "blob:"))] == []


def test_faults_show_their_dialogs_and_nothing_is_carried_out(browser: Browser, tmp_path: Path) -> None:
    version = "2.4"  # dialogs and faults are the same code in both
    with clients(tmp_path / "truth.sqlite", "--version", version, "--orders", "4", "--time-factor", "0.1") as served:
        person = Person(browser.new_context(viewport={"width": 1920, "height": 1080}), version)
        page = person.context.new_page()
        page.goto(served.marketing)
        person.enter(page, "fkzb01", "Fk#2026zb", "城区供电所-费控复电专责")
        person.menu(page, "客户服务", "短信管理", "自定义发送短信")
        expect(page.frame_locator("iframe").get_by_text("无权限", exact=True)).to_be_visible()
        page.goto(served.marketing + "workbench")
        page.get_by_placeholder("请输入关键字过滤").fill("待办")
        page.get_by_text("待办工单").click()
        todo = page.frame_locator("iframe[name=todo]")
        expect(todo.locator(".el-table__row")).to_have_count(10)
        query = todo.get_by_role("button", name=person.words["query"])

        served.control("busy")
        query.click()
        expect(page.get_by_text("系统繁忙，请稍后重试")).to_be_visible()
        page.get_by_role("button", name=person.words["confirm"]).click()

        served.control("popup")
        notice = page.locator(".notice-box")
        notice.locator("button.el-button").click()
        expect(notice).to_be_hidden()

        number = re.search(r"\d{16}", todo.locator(".el-table__row").first.inner_text())
        assert number
        served.control("reorder")
        query.click()
        expect(todo.locator(".el-table__row").first).not_to_contain_text(number.group(), timeout=8000)

        served.control("session")
        query.click()
        expect(page.get_by_text("登录已失效，请重新登录")).to_be_visible()
        page.get_by_role("button", name=person.words["confirm"]).click()
        expect(page.get_by_placeholder("请输入用户名")).to_be_visible()
        with Truth(served.database) as truth:
            assert truth.wrong_acts() == [] and truth.commands() == []
            assert truth.summary()["busy"] == 0, "a query is no act"
        assert person.errors == []
