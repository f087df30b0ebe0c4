"""`run.py demo`: the stand-in clients on a display, robot 1 at work on them, and what it leaves."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.exit_codes import Exit
from commands.output import options, result, say, words
from commands.standin import ACCOUNTS, StandIn, stand_in

FACTOR = 0.05
"""How fast time passes for the stand-ins: their commands take 0.1–0.3 s and the five minutes before the second reading 15 s."""


def command(
    version: Annotated[str, typer.Option(help="客户端版本 2.3 或 2.4 / version of the clients")] = "2.3",
    scale: Annotated[int, typer.Option(help="显示缩放 100、125、150 / display scale in %")] = 100,
    seed: Annotated[int, typer.Option(help="客户与工单的随机种子 / seed of customers and orders")] = 7,
    faults: Annotated[str, typer.Option(help="none、all 或逗号分隔 / none, all or a comma list")] = "fail_n,false",
    orders: Annotated[int, typer.Option(help="工单数 / number of orders", min=1, max=5000)] = 6,
    watch: Annotated[bool, typer.Option("--watch", help="在浏览器里看机器人工作 / a live view in the browser")] = False,
    own_screen: Annotated[
        bool | None, typer.Option("--own-screen/--virtual", help="用本机屏幕还是虚拟屏 / this PC's screen or a virtual one")
    ] = None,
) -> Exit:
    """值守演示：费控复电 / The demo: robot 1, reconnect."""
    own = bool(sys.platform == "win32" or os.environ.get("DISPLAY")) if own_screen is None else own_screen
    with ExitStack() as stack:
        clients = stack.enter_context(stand_in(version, seed=seed, orders=orders, faults=faults, time_factor=FACTOR))
        say(f"模拟客户端 营销2.0、采集2.0（{version} 版）已启动", f"Stand-in clients (version {version}) are running")
        desktop = stack.enter_context(desktop_for(clients, scale / 100, own))
        return _work(desktop, version, watch, stack)


@contextmanager
def desktop_for(clients: StandIn, scale: float, own: bool) -> Iterator[Any]:
    """The clients in a kiosk browser: on a virtual display, or on this PC's own screen."""
    if not own:
        from desktop.virtual import VirtualDesktop

        with VirtualDesktop(scale=scale, urls=clients.urls) as virtual:
            yield virtual.desktop
        return
    from desktop.browser import open_browser
    from desktop.local import LocalDesktop, wait_still

    with tempfile.TemporaryDirectory(prefix="zhishou-browser-", ignore_cleanup_errors=True) as profile, LocalDesktop() as desktop:
        browser = open_browser(clients.urls, profile=Path(profile) / "profile")
        try:
            wait_still(desktop, quiet=1.0, timeout=20.0)
            yield desktop
        finally:
            browser.close()


def _work(desktop: Any, version: str, watch: bool, stack: ExitStack) -> Exit:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from anchors.store import Library
    from bots.reconnect.settings import ReconnectSettings
    from control.runs import EXIT_CODES, new_run, state_folder
    from control.seal import VaultSealer
    from control.vault import open_vault
    from control.work import Watcher, run_reconnect

    libraries = {system: Library.open(system, version) for system in ("marketing", "collection")}
    # The stand-ins' numbers repeat with their seed, so the demo has a ledger of its own for each run.
    state = state_folder() / "demo" / f"{datetime.now():%Y-%m-%d_%H%M%S}"
    vault = open_vault(state, {**os.environ, **ACCOUNTS})
    settings = ReconnectSettings(second_reading_after=300 * FACTOR)
    folder = new_run(state, "reconnect", datetime.now())
    started = time.monotonic()
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), disable=options.json, transient=True
    )
    sentence = [""]
    with bar:
        task = bar.add_task(words("准备", "preparing"), total=None)

        def motion(text: str) -> None:
            sentence[0] = text
            bar.update(task, description=text[:60])

        def tell(text: str) -> None:
            if not options.json:
                bar.console.print(text, highlight=False, markup=False)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if watch:
            from commands.live import LiveView

            live = LiveView(desktop.grab, lambda: sentence[0])
            stack.callback(live.close)
            say(f"实时画面：{live.url}", f"Live view: {live.url}")
        done = run_reconnect(
            desktop,
            libraries,
            settings,
            vault,
            VaultSealer(vault),
            state / "zhishou.db",
            folder,
            language=options.language,
            desktop_name=getattr(desktop, "display", None) or ":own",
            watcher=Watcher(tell, motion, progress),
        )
    totals = dict(done.totals)
    totals["seconds"] = round(time.monotonic() - started, 1)
    if not options.json:
        _table(totals, settings.manual_hours, done)
    result({"ok": done.state.value, **totals, "report": str(done.report), "workbook": str(done.workbook), "error": done.error})
    return Exit.OK if _good(done) else Exit(EXIT_CODES[done.state])


def _good(done: Any) -> bool:
    """Every order is in a named state and none needs a person: what the business says no to is part of the demo."""
    return not done.error and done.totals["orders"] > 0 and done.totals["needs_person"] == 0


def _table(totals: dict[str, Any], manual_hours: float, done: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=words("费控复电", "Reconnect"), show_header=False)
    rows = [
        ("工单", "orders", totals["orders"]),
        ("复电成功", "reconnected", totals["reconnected"]),
        ("已归档", "archived", totals["archived"]),
        ("假复电", "false reconnects found", totals["false_reconnects"]),
        ("已发短信的工单", "orders texted about", totals["texted"]),
        ("结果未知", "unknown", totals["unknown"]),
        ("需人工", "need a person", totals["needs_person"]),
        ("平均处理时长", "handling time", words(f"{totals['handling_seconds']} 秒", f"{totals['handling_seconds']} s")),
        ("人工处理时长", "by hand", words(f"{manual_hours} 小时", f"{manual_hours} h")),
        (
            "机器人自身用时（中位数）",
            "robot's own share (median)",
            words(f"{totals['robot_seconds']} 秒", f"{totals['robot_seconds']} s"),
        ),
    ]
    for chinese, english, value in rows:
        table.add_row(words(chinese, english), str(value))
    console = Console()
    console.print(table)
    if done.error:
        say(f"未完成：{done.error}", f"Not finished: {done.error}")
    if done.workbook:
        console.print(words(f"Excel：{done.workbook}", f"Excel: {done.workbook}"), soft_wrap=True, highlight=False)
    if done.report:
        console.print(words(f"报告：{done.report}", f"Report: {done.report}"), soft_wrap=True, highlight=False)
