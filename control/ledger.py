"""The item ledger: durable memory of items and of acts that cannot be undone.

``intended`` is on disk before the act, ``observed`` after it. Acts belong to a system and an item, not to a run: an order
reconnected in an earlier run is not reconnected again in a later one. Two processes cannot intend the same act: the check and
the write are one transaction that starts as a writer, and unique indexes forbid the rest.

    ledger = SqlLedger(state / "zhishou.db", run="2026-11-23_090000_reconnect", system="marketing", robot="robot-a")
    act = ledger.intend("3201000000000001", "reconnect", {"customer": "0410000001"})   # ActRefused: not again
    ...                                                                                   # the click
    ledger.observed(act, "done")
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bots.ports import Act, ActRefused, ItemState
from control import ledger_tables as tables
from control.ledger_errors import explain, make_folder, newer

OUTCOMES = ("done", "failed", "not sent", "unknown")
FINAL = ("done", "unknown")
"""After one of these the act is never intended again by a robot."""


def now_iso() -> str:
    """Wall clock, ISO 8601 with offset and milliseconds."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


class SqlLedger:
    """The ledger of one run on a database. Safe for several processes; every call is on disk when it returns.

    ``database`` is a file or an SQLAlchemy URL. Raises :class:`control.errors.LedgerError` when it cannot be read or written.
    """

    def __init__(
        self,
        database: Path | str,
        run: str,
        system: str,
        robot: str = "robot",
        now: Any = now_iso,
    ) -> None:
        text = str(database)
        self.url = text if "://" in text else tables.sqlite_url(text)
        self.run, self.system, self.robot = run, system, robot
        self._now = now
        if "://" not in text:
            make_folder(Path(text).parent)
        self._engine = tables.open_engine(self.url)
        with self._write() as connection:
            version = tables.upgrade(connection)
            if version > tables.SCHEMA:
                raise newer(self.url, version)
            connection.execute(
                _insert_ignore(connection, tables.runs),
                {
                    "run": run,
                    "system": system,
                    "robot": robot,
                    "state": "运行中",
                    "started_at": self._now(),
                    "ended_at": None,
                    "data": {},
                },
            )

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # acts -----------------------------------------------------------------------------------------------------------

    def intend(self, item: str, name: str, detail: Mapping[str, Any] | None = None) -> Act:
        """See :meth:`bots.ports.Ledger.intend`. On disk when it returns; :class:`ActRefused` says which attempt forbids it."""
        with self._write() as connection:
            earlier = [_act(row) for row in connection.execute(self._select(item, name))]
            for act in earlier:
                if act.outcome is None or act.outcome in FINAL:
                    raise _refusal(act)
            values = {
                "system": self.system,
                "item": item,
                "name": name,
                "attempt": len(earlier) + 1,
                "intended_at": self._now(),
                "run": self.run,
                "detail": dict(detail or {}),
            }
            try:
                connection.execute(sa.insert(tables.acts).values(**values))
            except sa.exc.IntegrityError:
                # Only reachable where the database lets two writers in at once; the index decides.
                raise ActRefused(f"「{name}」正由另一个进程执行 / act {name!r} of {item} is in another process's hands") from None
        return Act(item, name, values["attempt"], values["intended_at"], None, None, values["detail"])

    def observed(self, act: Act, outcome: str, detail: Mapping[str, Any] | None = None) -> Act:
        """See :meth:`bots.ports.Ledger.observed`; ``detail`` is merged into the act's. Saying the same again is allowed (a
        crash between write and answer), saying something else raises :class:`ActRefused`."""
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome {outcome!r} is none of {', '.join(OUTCOMES)}")
        with self._write() as connection:
            row = connection.execute(self._select(act.item, act.name, act.attempt)).one_or_none()
            if row is None:
                raise ActRefused(
                    f"账本中没有「{act.name}」第 {act.attempt} 次 / "
                    f"attempt {act.attempt} of {act.name!r} on {act.item} was never intended"
                )
            known = _act(row)
            if known.outcome == outcome:
                return known
            if known.outcome is not None:
                raise ActRefused(
                    f"「{act.name}」已记录为「{known.outcome}」，不能改为「{outcome}」，请人工处理 / "
                    f"act {act.name!r} of {act.item} was observed as {known.outcome!r}; only a person may change it"
                )
            return self._finish(connection, row, outcome, dict(detail or {}))

    def resolve(self, item: str, name: str, outcome: str, person: str, remark: str = "") -> Act:
        """A person says what became of an act that is open or ``unknown``. Kept with name, time and what stood before."""
        if outcome not in ("done", "failed", "not sent"):
            raise ValueError(f"a person resolves to done, failed or not sent, not {outcome!r}")
        with self._write() as connection:
            rows = [r for r in connection.execute(self._select(item, name)) if r.outcome in (None, "unknown")]
            if not rows:
                raise ActRefused(f"{item} 的「{name}」没有待人工确认的操作 / no act {name!r} of {item} waits for a person")
            note = {"resolved_by": person, "resolved_at": self._now(), "resolved_from": rows[-1].outcome, "remark": remark}
            return self._finish(connection, rows[-1], outcome, note)

    def acts(self, item: str, name: str | None = None) -> Sequence[Act]:
        """See :meth:`bots.ports.Ledger.acts`; from all runs."""
        with self._read() as connection:
            return [_act(row) for row in connection.execute(self._select(item, name))]

    def open_act(self, item: str, name: str | None = None) -> Act | None:
        """See :meth:`bots.ports.Ledger.open_act`."""
        return next((act for act in self.acts(item, name) if act.outcome is None), None)

    def _finish(self, connection: sa.Connection, row: Any, outcome: str, detail: dict[str, Any]) -> Act:
        values = {"outcome": outcome, "observed_at": self._now(), "detail": {**row.detail, **detail}}
        connection.execute(sa.update(tables.acts).where(tables.acts.c.id == row.id).values(**values))
        return Act(row.item, row.name, row.attempt, row.intended_at, outcome, values["observed_at"], values["detail"])

    def _select(self, item: str, name: str | None, attempt: int | None = None) -> sa.Select[Any]:
        acts = tables.acts
        query = sa.select(acts).where(acts.c.system == self.system, acts.c.item == item).order_by(acts.c.id)
        if name is not None:
            query = query.where(acts.c.name == name)
        return query if attempt is None else query.where(acts.c.attempt == attempt)

    # items ----------------------------------------------------------------------------------------------------------

    def set_state(self, item: str, state: ItemState, reason: str = "", data: Mapping[str, Any] | None = None) -> None:
        """See :meth:`bots.ports.Ledger.set_state`. An item that this run did not know joins it at the end."""
        items, run_items = tables.items, tables.run_items
        now = self._now()
        with self._write() as connection:
            this = (items.c.system == self.system) & (items.c.item == item)
            row = connection.execute(sa.select(items.c.data).where(this)).one_or_none()
            values = {
                "state": state.value,
                "reason": reason,
                "updated_at": now,
                "data": {**(row.data if row else {}), **(data or {})},
            }
            if row is None:
                connection.execute(sa.insert(items).values(system=self.system, item=item, **values))
            else:
                connection.execute(sa.update(items).where(this).values(**values))
            del values["data"]
            here = (run_items.c.run == self.run) & (run_items.c.item == item)
            if not connection.execute(sa.update(run_items).where(here).values(**values)).rowcount:
                position = connection.execute(
                    sa.select(sa.func.count()).select_from(run_items).where(run_items.c.run == self.run)
                ).scalar_one()
                connection.execute(sa.insert(run_items).values(run=self.run, item=item, position=position, **values))

    def state(self, item: str) -> ItemState | None:
        """See :meth:`bots.ports.Ledger.state`; the latest of all runs."""
        found = self._item(item)
        return ItemState(found.state) if found else None

    def reason(self, item: str) -> str:
        """Why the item is in its state, for people; empty where nothing is known."""
        found = self._item(item)
        return str(found.reason) if found else ""

    def data(self, item: str) -> dict[str, Any]:
        """See :meth:`bots.ports.Ledger.data`."""
        found = self._item(item)
        return dict(found.data) if found else {}

    def items(self) -> Sequence[str]:
        """See :meth:`bots.ports.Ledger.items`."""
        mine = sa.select(tables.run_items.c.item).where(tables.run_items.c.run == self.run)
        with self._read() as connection:
            return list(connection.execute(mine.order_by(tables.run_items.c.position)).scalars())

    def run_states(self) -> dict[str, tuple[ItemState, str]]:
        """Item → (state, reason) as this run left it, in the order the items were added."""
        table = tables.run_items
        query = sa.select(table.c.item, table.c.state, table.c.reason).where(table.c.run == self.run).order_by(table.c.position)
        with self._read() as connection:
            return {row.item: (ItemState(row.state), row.reason) for row in connection.execute(query)}

    def run_acts(self) -> list[Act]:
        """All acts that this run intended, in that order; an item's acts of earlier runs are not among them."""
        acts = tables.acts
        query = sa.select(acts).where(acts.c.system == self.system, acts.c.run == self.run).order_by(acts.c.id)
        with self._read() as connection:
            return [_act(row) for row in connection.execute(query)]

    def _item(self, item: str) -> Any:
        query = sa.select(tables.items).where(tables.items.c.system == self.system, tables.items.c.item == item)
        with self._read() as connection:
            return connection.execute(query).one_or_none()

    # runs -----------------------------------------------------------------------------------------------------------

    def set_run_state(self, state: str, ended: bool = False, data: Mapping[str, Any] | None = None) -> None:
        """State of this run in words of :class:`control.runs.RunState`; ``data`` is merged."""
        this = tables.runs.c.run == self.run
        with self._write() as connection:
            known = connection.execute(sa.select(tables.runs.c.data).where(this)).scalar_one()
            values: dict[str, Any] = {"state": state, "data": {**known, **(data or {})}}
            values["ended_at"] = self._now() if ended else None
            connection.execute(sa.update(tables.runs).where(this).values(**values))

    # database -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._guard(), self._engine.connect().execution_options(ledger_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._guard(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            raise explain(self.url, error) from error


def _act(row: Any) -> Act:
    return Act(row.item, row.name, row.attempt, row.intended_at, row.outcome, row.observed_at, dict(row.detail))


def _refusal(act: Act) -> ActRefused:
    if act.outcome is None:
        return ActRefused(
            f"工单 {act.item} 的「{act.name}」第 {act.attempt} 次于 {act.intended_at} 已发起、结果尚未看到，先查看结果 / "
            f"attempt {act.attempt} of {act.name!r} on {act.item} was intended at {act.intended_at} and not observed: look first"
        )
    words = {"done": ("已成功执行，不再重复", "was done: never again")}
    zh, en = words.get(act.outcome, ("结果未知，需人工确认后才能继续", "has an unknown result: a person must look first"))
    return ActRefused(f"工单 {act.item} 的「{act.name}」{zh} / {act.name!r} on {act.item} {en}")


def _insert_ignore(connection: sa.Connection, table: sa.Table) -> Any:
    """An insert that leaves a row alone which is already there (a run that is resumed)."""
    if connection.dialect.name == "sqlite":
        return sa.insert(table).prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert

    return insert(table).on_conflict_do_nothing()
