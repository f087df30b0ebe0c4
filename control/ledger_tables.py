"""Tables of the ledger and the opening of its database.

They stand in the file (or Postgres database) that the engine uses too. What must never happen is forbidden by the database
itself: two open acts, or two acts observed as done or unknown, of the same name on the same item.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

SCHEMA = 1
"""Version of these tables; a newer one needs a step in :func:`upgrade`."""

BUSY_SECONDS = 10.0
"""How long a writer waits for another one. A write takes some 5 ms; ten seconds mean that somebody holds the file open."""

metadata = sa.MetaData()

schema = sa.Table("ledger_schema", metadata, sa.Column("version", sa.Integer, primary_key=True))

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("robot", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
)

items = sa.Table(
    "items",
    metadata,
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
)
"""One row per work key across all runs."""

run_items = sa.Table(
    "run_items",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
)
"""Which items a run had, in which order, and how each ended in that run."""

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("intended_at", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("observed_at", sa.Text),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.UniqueConstraint("system", "item", "name", "attempt"),
)

_open = sa.text("outcome IS NULL")
_final = sa.text("outcome IN ('done', 'unknown')")
sa.Index("acts_one_open", acts.c.system, acts.c.item, acts.c.name, unique=True, sqlite_where=_open, postgresql_where=_open)
sa.Index("acts_one_final", acts.c.system, acts.c.item, acts.c.name, unique=True, sqlite_where=_final, postgresql_where=_final)


def open_engine(url: str) -> sa.Engine:
    """An engine for the ledger. SQLite: WAL, every commit on disk before it returns, writers queue from their first statement
    (BEGIN IMMEDIATE), so that what a transaction read cannot change before it writes."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, isolation_level="SERIALIZABLE")
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself; see _begin
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("ledger_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def sqlite_url(path: Path | str) -> str:
    """The URL of a database file."""
    return f"sqlite:///{Path(path)}"


def upgrade(connection: sa.Connection) -> int:
    """Make the tables that are missing; returns the version found (a number above :data:`SCHEMA` means a newer program)."""
    if sa.inspect(connection).has_table("ledger_schema"):
        found = connection.execute(sa.select(sa.func.max(schema.c.version))).scalar()
        if found is not None:
            return int(found)
    metadata.create_all(connection)
    connection.execute(sa.insert(schema).values(version=SCHEMA))
    return SCHEMA
