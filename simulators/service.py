"""What both systems share: sessions, log-in, faults around each call, the event log."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.faults import Faults
from simulators.store import Store

PAGE_SECONDS = (0.2, 0.8)
SLOW_SECONDS = (3.0, 8.0)


class Refused(Exception):
    """The system says no; the message is what the person at the screen sees."""


class Denied(Exception):
    """The account may not see this page."""


class Busy(Exception):
    """系统繁忙: nothing was carried out."""


class Expired(Exception):
    """There is no valid session."""


@dataclass(slots=True)
class Call:
    """One request of a page to its server."""

    params: dict[str, Any]
    now: float
    token: str | None = None
    user: str = ""
    session: dict[str, Any] = field(default_factory=dict)
    background: bool = False
    """Polls of the page itself: no faults, no delay."""
    cookie: str | None = None
    """A cookie value to set with the answer."""

    def text(self, name: str) -> str:
        return str(self.params.get(name) or "").strip()

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.params.get(name, default))
        except (TypeError, ValueError):
            return default


@dataclass(frozen=True, slots=True)
class Download:
    """A file instead of an answer."""

    name: str
    content: bytes


class Service:
    """One stand-in system. Subclasses fill ``queries`` (look) and ``acts`` (change something)."""

    name = ""

    def __init__(self, store: Store, faults: Faults, factor: float) -> None:
        self.store = store
        self.faults = faults
        self.factor = factor
        self.queries: dict[str, Callable[[Call], Any]] = {}
        self.acts: dict[str, Callable[[Call], Any]] = {}
        self.open_door: dict[str, Callable[[Call], Any]] = {"login": self.login, "logout": self.logout}
        """Calls that need no session."""
        self.always: dict[str, Callable[[Call], Any]] = {"me": self.me, "notice": self.notice}
        """Calls that need a session and meet no fault."""

    def answer(self, name: str, call: Call) -> Any:
        """Carry out one call. Raises the exceptions above, KeyError for an unknown name."""
        if name in self.open_door:
            self._pause(PAGE_SECONDS)
            return self.open_door[name](call)
        self._enter(call)
        if name in self.always:
            return self.always[name](call)
        if name in self.queries:
            if not call.background:
                self._pause(SLOW_SECONDS if self.faults.strikes("slow") else PAGE_SECONDS)
                if self.faults.strikes("busy"):
                    raise Busy
            return self.queries[name](call)
        act = self.acts[name]
        if self.faults.strikes("busy", "busy_act"):
            self.log(call, name, call.text("order") or None, call.text("customer") or None, call.params, carried_out=False)
            self._pause(PAGE_SECONDS)
            raise Busy
        outcome = act(call)
        # The act is done and on disk; only its echo takes time.
        self._pause(SLOW_SECONDS if self.faults.strikes("slow") else PAGE_SECONDS)
        return outcome

    def seconds(self, low: float, high: float) -> float:
        """A duration of the client, drawn and scaled."""
        return self.faults.uniform(low, high) * self.factor

    def _pause(self, span: tuple[float, float]) -> None:
        time.sleep(self.seconds(*span))

    def _enter(self, call: Call) -> None:
        cut = not call.background and self.faults.session_cut()
        with self.store.open() as db:
            row = db.execute(
                "SELECT * FROM sessions WHERE token = ? AND system = ? AND ended = 0", (call.token, self.name)
            ).fetchone()
            if row is None or (row["expires_at"] is not None and call.now >= row["expires_at"]) or cut:
                if row is not None:
                    db.execute("UPDATE sessions SET ended = 1 WHERE token = ?", (call.token,))
                    self._write(db, call.now, row["user"], "session_expired", None, None, {}, True)
                expired = True
            else:
                expired = False
                call.session = dict(row)
                call.user = row["user"]
        if expired:
            raise Expired

    def log(
        self,
        call: Call,
        act: str,
        order: str | None = None,
        customer: str | None = None,
        detail: dict[str, Any] | None = None,
        carried_out: bool = True,
    ) -> None:
        """Write one event in its own transaction."""
        with self.store.open() as db:
            self._write(db, call.now, call.user, act, order, customer, detail or {}, carried_out)

    def _write(
        self,
        db: sqlite3.Connection,
        at: float,
        user: str,
        act: str,
        order: str | None,
        customer: str | None,
        detail: dict[str, Any],
        carried_out: bool,
    ) -> None:
        db.execute(
            "INSERT INTO events (at, system, user, act, order_number, customer, carried_out, detail) VALUES (?,?,?,?,?,?,?,?)",
            (at, self.name, user, act, order, customer, int(carried_out), json.dumps(detail, ensure_ascii=False)),
        )

    def login(self, call: Call) -> dict[str, Any]:
        user = call.text("user")
        call.user = user
        with self.store.open() as db:
            row = db.execute("SELECT * FROM accounts WHERE system = ? AND user = ?", (self.name, user)).fetchone()
            good = row is not None and secrets.compare_digest(row["password"], str(call.params.get("password") or ""))
            self._write(db, call.now, user, "login", None, None, {}, good)
            if good:
                token = secrets.token_hex(16)
                db.execute(
                    "INSERT INTO sessions (token, system, user, created_at, expires_at) VALUES (?,?,?,?,?)",
                    (token, self.name, user, call.now, self.faults.session_end(call.now)),
                )
        if not good:
            raise Refused("用户名或密码错误")
        call.cookie = token
        return {"user": user}

    def logout(self, call: Call) -> dict[str, Any]:
        with self.store.open() as db:
            row = db.execute("SELECT user FROM sessions WHERE token = ?", (call.token,)).fetchone()
            db.execute("UPDATE sessions SET ended = 1 WHERE token = ?", (call.token,))
            self._write(db, call.now, row["user"] if row else "", "logout", None, None, {}, row is not None)
        call.cookie = ""
        return {}

    def me(self, call: Call) -> dict[str, Any]:
        """Who is logged in, and what the main page must still ask (post, notice)."""
        with self.store.open() as db:
            row = db.execute("SELECT * FROM accounts WHERE system = ? AND user = ?", (self.name, call.user)).fetchone()
        return {
            "user": call.user,
            "name": row["name"],
            "posts": json.loads(row["posts"]),
            "post": call.session["post"],
            "noticed": bool(call.session["noticed"]),
            "may_text": bool(row["may_text"]),
        }

    def notice(self, call: Call) -> dict[str, str] | None:
        """Asked by visible pages about once a second."""
        popup = self.faults.popup(call.now)
        if popup is None:
            return None
        self.log(call, "popup_shown", detail={"title": popup[0]})
        return {"title": popup[0], "text": popup[1], "button": popup[2]}
