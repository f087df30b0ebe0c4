"""营销2.0: work orders, reconnect commands, archive, text messages."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from simulators.faults import Faults
from simulators.population import LOOK_ALIKES, RECONNECT
from simulators.service import Call, Denied, Refused, Service
from simulators.store import Store, stamp

RESULT_SECONDS = (2.0, 6.0)
LATE_SECONDS = (10.0, 20.0)
REASONS = ("通信超时", "终端无应答", "电表返回异常", "密钥校验失败")
COMMAND_WORDS = {"reconnect": "复电", "disconnect": "停电"}


class Marketing(Service):
    name = "marketing"

    def __init__(self, store: Store, faults: Faults, factor: float) -> None:
        super().__init__(store, faults, factor)
        self.queries = {"todo": self.todo, "done": self.done, "order": self.order, "sms": self.sms, "preview": self.preview}
        self.acts = {
            "post": self.choose_post,
            "reconnect": lambda call: self.command(call, "reconnect"),
            "disconnect": lambda call: self.command(call, "disconnect"),
            "archive": self.archive,
            "transfer": self.transfer,
            "send": self.send,
        }
        # Putting the notice away is no business act; it must not meet 系统繁忙.
        self.always["noticed"] = self.noticed

    def choose_post(self, call: Call) -> dict[str, Any]:
        post = call.text("post")
        if post not in self.me(call)["posts"]:
            raise Refused("请选择岗位")
        with self.store.open() as db:
            db.execute("UPDATE sessions SET post = ?, noticed = 0 WHERE token = ?", (post, call.token))
            self._write(db, call.now, call.user, "post", None, None, {"post": post}, True)
        return {"post": post}

    def noticed(self, call: Call) -> dict[str, Any]:
        with self.store.open() as db:
            db.execute("UPDATE sessions SET noticed = 1 WHERE token = ?", (call.token,))
        return {}

    def todo(self, call: Call) -> dict[str, Any]:
        """One page of the to-do list of the present post; may say that its order will soon change."""
        if call.background and call.text("reorder"):
            self._reorder(call)
        page = self._list(call, "o.archived_at IS NULL AND o.post = ?", [call.session["post"]], "o.rank DESC")
        if not call.background and len(page["rows"]) > 1 and self.faults.strikes("reorder"):
            page["reorder_after"] = self.faults.uniform(1.0, 3.0)
        return page

    def done(self, call: Call) -> dict[str, Any]:
        return self._list(call, "o.archived_at IS NOT NULL", [], "o.archived_at DESC")

    def _filter(self, call: Call) -> tuple[str, list[Any]]:
        where, values = "", []
        if call.text("order"):
            where += " AND o.number LIKE ?"
            values.append(f"%{call.text('order')}%")
        if call.text("kind") not in ("", "全部"):
            where += " AND o.kind = ?"
            values.append(call.text("kind"))
        return where, values

    def _list(self, call: Call, where: str, values: list[Any], order_by: str) -> dict[str, Any]:
        more, extra = self._filter(call)
        where, values = where + more, [*values, *extra]
        size = min(max(call.number("size", 10), 1), 100)
        page = max(call.number("page", 1), 1)
        with self.store.open() as db:
            total = db.execute(f"SELECT count(*) FROM orders o WHERE {where}", values).fetchone()[0]
            page = min(page, max(1, -(-total // size)))
            rows = db.execute(
                "SELECT o.*, c.name, c.area FROM orders o JOIN customers c ON c.number = o.customer"
                f" WHERE {where} ORDER BY {order_by} LIMIT ? OFFSET ?",
                [*values, size, (page - 1) * size],
            ).fetchall()
            shown = [self._row(db, row, (page - 1) * size + i + 1, call.now) for i, row in enumerate(rows)]
        return {"total": total, "page": page, "size": size, "rows": shown}

    def _row(self, db: sqlite3.Connection, row: sqlite3.Row, index: int, now: float) -> dict[str, Any]:
        return {
            "index": index,
            "number": row["number"],
            "badge": row["badge"],
            "customer": row["customer"],
            "name": row["name"],
            "kind": row["kind"],
            "area": row["area"],
            "applied": stamp(row["applied_at"]),
            "remaining": row["remaining"],
            "status": "已归档" if row["archived_at"] else ("处理中" if _commands(db, row["number"]) else "待处理"),
            "archived": stamp(row["archived_at"]) if row["archived_at"] else "",
            "transfer": index % 3 == 0,
        }

    def _reorder(self, call: Call) -> None:
        """Another order moves to the top, as when somebody marks it urgent."""
        more, extra = self._filter(call)
        with self.store.open() as db:
            rows = db.execute(
                f"SELECT o.number FROM orders o WHERE o.archived_at IS NULL AND o.post = ?{more} ORDER BY o.rank DESC",
                [call.session["post"], *extra],
            ).fetchall()
            if len(rows) < 2:
                return
            chosen = rows[1 + int(self.faults.uniform(0, len(rows) - 1.001))]["number"]
            db.execute("UPDATE orders SET rank = (SELECT max(rank) + 1 FROM orders) WHERE number = ?", (chosen,))
            self._write(db, call.now, "", "reorder", chosen, None, {}, True)

    def order(self, call: Call) -> dict[str, Any]:
        """Everything the detail view shows."""
        number = call.text("order")
        with self.store.open() as db:
            row = self._get(db, number)
            commands = _commands(db, number)
            meter = db.execute("SELECT asset FROM meters WHERE customer = ?", (row["customer"],)).fetchone()
        log = [
            {
                "index": i + 1,
                "command": COMMAND_WORDS[c["kind"]],
                "issued": stamp(c["issued_at"]),
                "result": _result(c, call.now),
            }
            for i, c in enumerate(commands)
        ]
        status = _status(row, commands, call.now)
        return {
            "number": number,
            "customer": row["customer"],
            "name": row["name"],
            "kind": row["kind"],
            "address": row["address"],
            "phone": row["phone"],
            "area": row["area"],
            "manager": row["manager"],
            "manager_phone": row["manager_phone"],
            "crew_phone": row["crew_phone"],
            "asset": meter["asset"],
            "status": status,
            "may_archive": self._may_archive(row, status),
            "archived": bool(row["archived_at"]),
            "commands": log[::-1],
        }

    def preview(self, call: Call) -> dict[str, Any]:
        """送电预览: a harmless look-alike of 复电."""
        with self.store.open() as db:
            row = self._get(db, call.text("order"))
        return {"text": f"用户编号 {row['customer']} 当前不具备在线送电预览条件，仅供查看，未下发任何指令。"}

    def _get(self, db: sqlite3.Connection, number: str) -> sqlite3.Row:
        row = db.execute(
            "SELECT o.*, c.name, c.phone, c.address, c.area, a.manager, a.manager_phone, s.crew_phone FROM orders o"
            " JOIN customers c ON c.number = o.customer JOIN areas a ON a.name = c.area"
            " JOIN stations s ON s.name = a.station WHERE o.number = ?",
            (number,),
        ).fetchone()
        if not isinstance(row, sqlite3.Row):
            raise Refused("工单不存在")
        return row

    def _may_archive(self, row: sqlite3.Row, status: str) -> bool:
        if row["archived_at"]:
            return False
        # Orders of other business are ready to be archived: a robot that opens the wrong one can do harm.
        return status == "已复电" if row["kind"] == RECONNECT or row["kind"] in LOOK_ALIKES else True

    def command(self, call: Call, kind: str) -> dict[str, Any]:
        """Send 复电 or 停电. Sending it again sends it again."""
        number = call.text("order")
        with self.store.open() as db:
            row = self._get(db, number)
            if row["archived_at"]:
                raise Refused("工单已归档，不能下发指令")
            attempt = 1 + sum(1 for c in _commands(db, number) if c["kind"] == kind)
            succeeded = kind == "disconnect" or (row["succeeds_at"] is not None and attempt >= row["succeeds_at"])
            finished = call.now + self.seconds(*RESULT_SECONDS)
            visible = finished
            if self.faults.strikes("late"):
                visible = max(finished, call.now + self.seconds(*LATE_SECONDS))
            reason = "" if succeeded else self.faults.choice(REASONS)
            db.execute(
                "INSERT INTO commands (kind, order_number, customer, user, issued_at, finished_at, visible_at, succeeded, reason)"
                " VALUES (?,?,?,?,?,?,?,?,?)",
                (kind, number, row["customer"], call.user, call.now, finished, visible, int(succeeded), reason),
            )
            self._write(db, call.now, call.user, kind, number, row["customer"], {"attempt": attempt}, True)
        return {"message": "指令已下发"}

    def archive(self, call: Call) -> dict[str, Any]:
        number = call.text("order")
        with self.store.open() as db:
            row = self._get(db, number)
            if not self._may_archive(row, _status(row, _commands(db, number), call.now)):
                raise Refused("当前状态不允许归档")
            db.execute("UPDATE orders SET archived_at = ? WHERE number = ?", (call.now, number))
            db.execute(
                "INSERT INTO archives (order_number, customer, user, at) VALUES (?,?,?,?)",
                (number, row["customer"], call.user, call.now),
            )
            self._write(db, call.now, call.user, "archive", number, row["customer"], {}, True)
        return {"message": "归档成功"}

    def transfer(self, call: Call) -> dict[str, Any]:
        """转派 is only noted: nothing a robot here should ever do."""
        with self.store.open() as db:
            row = self._get(db, call.text("order"))
            self._write(db, call.now, call.user, "transfer", row["number"], row["customer"], {"to": call.text("to")}, True)
        return {"message": "转派成功"}

    def _may_text(self, call: Call) -> None:
        if not self.me(call)["may_text"]:
            raise Denied

    def sms(self, call: Call) -> dict[str, Any]:
        """What was sent, newest first."""
        self._may_text(call)
        size, page = 5, max(call.number("page", 1), 1)
        with self.store.open() as db:
            total = db.execute("SELECT count(*) FROM sms").fetchone()[0]
            rows = db.execute("SELECT * FROM sms ORDER BY id DESC LIMIT ? OFFSET ?", (size, (page - 1) * size)).fetchall()
        shown = [
            {
                "index": (page - 1) * size + i + 1,
                "number": row["number"],
                "text": row["text"],
                "sent": stamp(row["at"]),
                "status": "发送成功",
            }
            for i, row in enumerate(rows)
        ]
        return {"total": total, "page": page, "size": size, "rows": shown}

    def send(self, call: Call) -> dict[str, Any]:
        self._may_text(call)
        number, text = call.text("number"), call.text("text")
        if not re.fullmatch(r"1\d{10}", number):
            raise Refused("请输入正确的手机号码")
        if not 1 <= len(text) <= 70:
            raise Refused("短信内容应为 1 至 70 个字")
        order = re.search(r"(?<!\d)\d{16}(?!\d)", text)
        customer = re.search(r"(?<!\d)\d{10}(?!\d)", text)
        with self.store.open() as db:
            db.execute("INSERT INTO sms (number, text, user, at) VALUES (?,?,?,?)", (number, text, call.user, call.now))
            self._write(
                db,
                call.now,
                call.user,
                "sms",
                order.group() if order else None,
                customer.group() if customer else None,
                {"number": number, "text": text},
                True,
            )
        return {"message": "发送成功"}


def _commands(db: sqlite3.Connection, order: str) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM commands WHERE order_number = ? ORDER BY id", (order,)).fetchall()


def _result(command: sqlite3.Row, now: float) -> str:
    if now < command["visible_at"]:
        return "执行中"
    return "成功" if command["succeeded"] else f"失败：{command['reason']}"


def _status(row: sqlite3.Row, commands: list[sqlite3.Row], now: float) -> str:
    """系统状态: what the last command made of it, as far as the system has heard."""
    if not commands:
        return "停电" if row["kind"] == RECONNECT or row["kind"] in LOOK_ALIKES else "在用"
    last = commands[-1]
    if now < last["visible_at"]:
        return "复电中" if last["kind"] == "reconnect" else "停电中"
    if last["kind"] == "disconnect":
        return "停电"
    return "已复电" if last["succeeded"] else "复电失败"
