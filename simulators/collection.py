"""采集2.0: success rates, failed meters with a real .xlsx export, pass-through readings."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from simulators.faults import Faults
from simulators.service import Call, Download, Refused, Service
from simulators.store import Store, stamp
from simulators.workbook import workbook

ANSWER_SECONDS = (1.0, 4.0)
LATE_SECONDS = (10.0, 20.0)
LATE_CURRENT_SECONDS = 300.0
"""A late_current meter shows its current five minutes (× time factor) after the reconnect was carried out."""

ITEMS = ("电流", "电压", "正向有功总电能")


class Collection(Service):
    name = "collection"

    def __init__(self, store: Store, faults: Faults, factor: float) -> None:
        super().__init__(store, faults, factor)
        self.queries = {
            "meters": self.meters,
            "readings": self.readings,
            "rates": self.rates,
            "failures": self.failures,
            "rates_export": self.rates_export,
            "failures_export": self.failures_export,
        }
        self.acts = {"read": self.read}

    def meters(self, call: Call) -> dict[str, Any]:
        """Meters whose customer number begins with what was typed."""
        number = call.text("customer")
        if not number:
            raise Refused("请输入用户编号")
        with self.store.open() as db:
            rows = db.execute(
                "SELECT c.number, c.name, c.area, m.asset, m.terminal, m.online FROM customers c"
                " JOIN meters m ON m.customer = c.number WHERE c.number LIKE ? ORDER BY c.number LIMIT 50",
                (number + "%",),
            ).fetchall()
        return {
            "rows": [
                {
                    "index": i + 1,
                    "customer": row["number"],
                    "name": row["name"],
                    "asset": row["asset"],
                    "area": row["area"],
                    "terminal": row["terminal"],
                    "online": "在线" if row["online"] else "离线",
                }
                for i, row in enumerate(rows)
            ]
        }

    def read(self, call: Call) -> dict[str, Any]:
        """透抄: ask each chosen meter; the values come later."""
        customers, item = call.params.get("customers") or [], call.text("item")
        if not isinstance(customers, list) or not customers:
            raise Refused("请先勾选需要透抄的用户")
        if item not in ITEMS:
            raise Refused("请选择数据项")
        with self.store.open() as db:
            for customer in map(str, customers):
                meter = db.execute("SELECT * FROM meters WHERE customer = ?", (customer,)).fetchone()
                if meter is None:
                    raise Refused("用户不存在")
                visible = call.now + self.seconds(*ANSWER_SECONDS)
                if self.faults.strikes("late", "late_reading"):
                    visible = call.now + self.seconds(*LATE_SECONDS)
                answered, values = self._measure(db, meter, item, call.now)
                db.execute(
                    "INSERT INTO readings (customer, item, user, asked_at, visible_at, answered, a, b, c)"
                    " VALUES (?,?,?,?,?,?,?,?,?)",
                    (customer, item, call.user, call.now, visible, int(answered), *values),
                )
                self._write(db, call.now, call.user, "read", None, customer, {"item": item}, True)
        return {"message": "透抄指令已下发"}

    def _measure(self, db: sqlite3.Connection, meter: sqlite3.Row, item: str, now: float) -> tuple[bool, tuple[str, str, str]]:
        """Whether the meter answers, and what phases A, B and C say."""
        customer = meter["customer"]
        order = db.execute("SELECT * FROM orders WHERE customer = ? AND kind = '复电复核'", (customer,)).fetchone()
        last = db.execute(
            "SELECT * FROM commands WHERE customer = ? AND finished_at <= ? AND succeeded = 1 ORDER BY finished_at DESC LIMIT 1",
            (customer, now),
        ).fetchone()
        outcome = order["class"] if order else "normal"
        live = bool(meter["on_at_start"]) if last is None else last["kind"] == "reconnect"
        if outcome == "no_answer":
            return False, ("--", "--", "--")
        if live and last is not None and outcome == "false_reconnect":
            live = False
        if live and last is not None and outcome == "late_current":
            since = db.execute(
                "SELECT min(finished_at) FROM commands WHERE customer = ? AND kind = 'reconnect' AND succeeded = 1", (customer,)
            ).fetchone()[0]
            if now < since + LATE_CURRENT_SECONDS * self.factor:
                if order["silent_first"]:
                    return False, ("--", "--", "--")
                live = False
        return True, _values(meter, item, live, now)

    def readings(self, call: Call) -> dict[str, Any]:
        """The last readings this user asked for, newest first."""
        with self.store.open() as db:
            rows = db.execute("SELECT * FROM readings WHERE user = ? ORDER BY id DESC LIMIT 12", (call.user,)).fetchall()
        shown = []
        for row in rows:
            waiting = call.now < row["visible_at"]
            status = "执行中" if waiting else ("成功" if row["answered"] else "无应答")
            a, b, c = ("", "", "") if waiting else (row["a"], row["b"], row["c"])
            shown.append(
                {
                    "time": stamp(row["asked_at"]),
                    "customer": row["customer"],
                    "item": row["item"],
                    "a": a,
                    "b": b,
                    "c": c,
                    "status": status,
                }
            )
        return {"rows": shown}

    def rates(self, call: Call) -> dict[str, Any]:
        """采集成功率 by supply station, with the sum as last row."""
        with self.store.open() as db:
            rows = db.execute(
                "SELECT a.station, count(*) AS due, sum(m.collected) AS good FROM meters m"
                " JOIN customers c ON c.number = m.customer JOIN areas a ON a.name = c.area GROUP BY a.station ORDER BY a.station"
            ).fetchall()
        shown = [(row["station"], row["due"], row["good"]) for row in rows]
        shown.append(("合计", sum(r[1] for r in shown), sum(r[2] for r in shown)))
        return {
            "rows": [
                {
                    "index": i + 1,
                    "station": station,
                    "due": due,
                    "good": good,
                    "failed": due - good,
                    "rate": f"{good / due:.2%}" if due else "--",
                }
                for i, (station, due, good) in enumerate(shown)
            ]
        }

    def _failed(self, call: Call) -> list[dict[str, Any]]:
        where, values = "", []
        if call.text("station") not in ("", "全部"):
            where, values = " AND a.station = ?", [call.text("station")]
        with self.store.open() as db:
            rows = db.execute(
                "SELECT c.number, c.name, a.station, c.area, m.asset, m.terminal, m.online FROM meters m"
                " JOIN customers c ON c.number = m.customer JOIN areas a ON a.name = c.area"
                f" WHERE m.collected = 0{where} ORDER BY a.station, c.area, c.number",
                values,
            ).fetchall()
        return [
            {
                "index": i + 1,
                "customer": row["number"],
                "name": row["name"],
                "station": row["station"],
                "area": row["area"],
                "asset": row["asset"],
                "terminal": row["terminal"],
                "reason": "数据异常" if row["online"] else "终端离线",
            }
            for i, row in enumerate(rows)
        ]

    def failures(self, call: Call) -> dict[str, Any]:
        rows = self._failed(call)
        size, page = min(max(call.number("size", 20), 1), 100), max(call.number("page", 1), 1)
        with self.store.open() as db:
            stations = [row["name"] for row in db.execute("SELECT name FROM stations ORDER BY name")]
        return {
            "total": len(rows),
            "page": page,
            "size": size,
            "rows": rows[(page - 1) * size : page * size],
            "stations": stations,
        }

    def rates_export(self, call: Call) -> Download:
        rows = self.rates(call)["rows"]
        body = [(r["station"], r["due"], r["good"], r["failed"], r["rate"]) for r in rows]
        return _download("采集成功率", ("供电所", "应采户数", "成功户数", "失败户数", "采集成功率"), body, call.now)

    def failures_export(self, call: Call) -> Download:
        keys = ("customer", "name", "station", "area", "asset", "terminal", "reason")
        headers = ("用户编号", "用户名称", "供电所", "台区名称", "电表资产号", "终端地址", "失败原因")
        return _download("采集失败明细", headers, [tuple(r[k] for k in keys) for r in self._failed(call)], call.now)


def _download(title: str, headers: tuple[str, ...], rows: Sequence[Sequence[object]], now: float) -> Download:
    name = f"{title}_{time.strftime('%Y%m%d%H%M%S', time.localtime(now))}.xlsx"
    return Download(name, workbook(title, headers, rows))


def _values(meter: sqlite3.Row, item: str, live: bool, now: float) -> tuple[str, str, str]:
    """Phases of one reading; a single-phase meter has ``--`` for B and C. Slightly different every time, as on a real line."""
    rng = random.Random(f"{meter['asset']} {item} {now}")
    if item == "正向有功总电能":
        return f"{meter['energy']:.2f}", "--", "--"
    if item == "电压":
        values = [rng.uniform(219.0, 236.0) if live or meter["phases"] == 1 else 0.0 for _ in range(3)]
        texts = [f"{v:.1f}" for v in values]
    else:
        texts = [f"{meter['load'] * rng.uniform(0.9, 1.1) if live else 0.0:.3f}" for _ in range(3)]
    a, b, c = texts if meter["phases"] == 3 else (texts[0], "--", "--")
    return a, b, c
