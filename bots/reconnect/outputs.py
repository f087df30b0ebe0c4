"""What robot 1 leaves: a row for each order, the totals, and the workbook made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bots.ports import Act, ItemState, Ledger
from bots.reconnect.settings import ReconnectSettings
from bots.workbook import Column, Saved, write_workbook

COLUMNS = (
    Column("工单编号"),
    Column("用户编号"),
    Column("台区名称"),
    Column("处理状态", status=True),
    Column("说明", width=34),
    Column("复电次数", "integer"),
    Column("复电结果"),
    Column("是否归档"),
    Column("首次透抄电流(A)"),
    Column("二次透抄电流(A)"),
    Column("现场是否有电"),
    Column("短信"),
    Column("处理时长(秒)", "number"),
    Column("其中机器人用时(秒)", "number"),
    Column("完成时间", "datetime"),
)

RESULTS = {"done": "成功", "failed": "失败", "unknown": "未知", "gone": "已不在待办"}
POWER = {"on": "有电", "off": "无电流"}
TEXTED = {"sms:crew": "抢修班组", "sms:customer": "客户", "sms:manager": "台区责任人"}


def row(ledger: Ledger, number: str) -> dict[str, Any]:
    """One order's row, column name → value."""
    data = ledger.data(number)
    acts = ledger.acts(number)
    state = ledger.state(number) or ItemState.NEW
    finished = data.get("finished_at")
    return {
        "工单编号": number,
        "用户编号": data.get("customer", ""),
        "台区名称": data.get("area", ""),
        "处理状态": state.words(),
        "说明": data.get("reason", ""),
        "复电次数": int(data.get("tries", 0)),
        "复电结果": RESULTS.get(data.get("reconnect", ""), ""),
        "是否归档": "是" if data.get("archived") else "否",
        "首次透抄电流(A)": data.get("reading_1", ""),
        "二次透抄电流(A)": data.get("reading_2", ""),
        "现场是否有电": POWER.get(data.get("power", ""), ""),
        "短信": "、".join(_texted(acts)),
        "处理时长(秒)": float(data.get("seconds", 0.0)),
        "其中机器人用时(秒)": float(data.get("shares", {}).get("own", 0.0)),
        "完成时间": datetime.fromisoformat(finished).replace(tzinfo=None) if finished else None,
    }


def _texted(acts: Sequence[Act]) -> list[str]:
    return [TEXTED.get(act.name, act.name) for act in acts if act.name in TEXTED and act.outcome == "done"]


def totals(ledger: Ledger, orders: Sequence[str]) -> dict[str, Any]:
    """What the run did, in numbers."""
    data = {number: ledger.data(number) for number in orders}
    states = [ledger.state(number) for number in orders]
    seconds = [float(d.get("seconds", 0.0)) for d in data.values()]
    own = [float(d.get("shares", {}).get("own", 0.0)) for d in data.values()]
    messages = sum(len(_texted(ledger.acts(number))) for number in orders)
    return {
        "orders": len(orders),
        "reconnected": sum(d.get("reconnect") == "done" for d in data.values()),
        "archived": sum(bool(d.get("archived")) for d in data.values()),
        "false_reconnects": sum(d.get("power") == "off" and "reading_2" in d for d in data.values()),
        "texted": sum(bool(_texted(ledger.acts(number))) for number in orders),
        "messages": messages,
        "unknown": sum(state is ItemState.UNKNOWN for state in states),
        "needs_person": sum(state in {ItemState.UNKNOWN, ItemState.SYSTEM_EXCEPTION} for state in states),
        "handling_seconds": round(sum(seconds) / len(seconds), 2) if seconds else 0.0,
        "robot_seconds": round(median(own), 2) if own else 0.0,
    }


def write(path: Path, ledger: Ledger, orders: Sequence[str], settings: ReconnectSettings, notes: Mapping[str, Any]) -> Saved:
    """The workbook of a run. Raises OSError when it cannot be written."""
    sums = totals(ledger, orders)
    count = max(1, sums["orders"])
    summary = [
        ("工单数", sums["orders"]),
        ("复电成功", sums["reconnected"]),
        ("复电成功率", sums["reconnected"] / count),
        ("已归档", sums["archived"]),
        ("假复电", sums["false_reconnects"]),
        ("已发短信的工单", sums["texted"]),
        ("短信条数", sums["messages"]),
        ("结果未知", sums["unknown"]),
        ("需人工", sums["needs_person"]),
        ("无需人工处理率", 1 - sums["needs_person"] / count),
        ("平均处理时长(秒)", sums["handling_seconds"]),
        ("人工平均处理时长(秒)", settings.manual_hours * 3600),
    ]
    rows = [row(ledger, number) for number in orders]
    return write_workbook(path, COLUMNS, rows, summary, list(notes.items()), expected_rows=len(orders))
