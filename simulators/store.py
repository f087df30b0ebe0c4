"""The stand-ins' memory: one SQLite file that holds both systems, written only by the server process.

Everything a screen shows is computed from rows and the time of day, so a restarted server goes on where it was.
Times are seconds since the epoch.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stations (name TEXT PRIMARY KEY, crew TEXT NOT NULL, crew_phone TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS areas (
    name TEXT PRIMARY KEY, station TEXT NOT NULL, manager TEXT NOT NULL, manager_phone TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (
    number TEXT PRIMARY KEY, name TEXT NOT NULL, phone TEXT NOT NULL, address TEXT NOT NULL, area TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meters (
    asset TEXT PRIMARY KEY, customer TEXT NOT NULL, terminal TEXT NOT NULL, phases INTEGER NOT NULL,
    load REAL NOT NULL, energy REAL NOT NULL, online INTEGER NOT NULL, collected INTEGER NOT NULL, on_at_start INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS meters_customer ON meters (customer);
CREATE TABLE IF NOT EXISTS orders (
    number TEXT PRIMARY KEY, customer TEXT NOT NULL, kind TEXT NOT NULL, class TEXT NOT NULL, succeeds_at INTEGER,
    silent_first INTEGER NOT NULL, post TEXT NOT NULL, applied_at REAL NOT NULL, remaining TEXT NOT NULL, badge TEXT NOT NULL,
    rank INTEGER NOT NULL, archived_at REAL);
CREATE INDEX IF NOT EXISTS orders_rank ON orders (rank);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer);
CREATE TABLE IF NOT EXISTS accounts (
    system TEXT NOT NULL, user TEXT NOT NULL, password TEXT NOT NULL, name TEXT NOT NULL, posts TEXT NOT NULL,
    may_text INTEGER NOT NULL, PRIMARY KEY (system, user));
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, system TEXT NOT NULL, user TEXT NOT NULL, post TEXT, noticed INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL, expires_at REAL, ended INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, order_number TEXT NOT NULL, customer TEXT NOT NULL, user TEXT NOT NULL,
    issued_at REAL NOT NULL, finished_at REAL NOT NULL, visible_at REAL NOT NULL, succeeded INTEGER NOT NULL,
    reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS commands_order ON commands (order_number);
CREATE INDEX IF NOT EXISTS commands_customer ON commands (customer);
CREATE TABLE IF NOT EXISTS archives (
    id INTEGER PRIMARY KEY, order_number TEXT NOT NULL, customer TEXT NOT NULL, user TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sms (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, text TEXT NOT NULL, user TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS readings (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, item TEXT NOT NULL, user TEXT NOT NULL, asked_at REAL NOT NULL,
    visible_at REAL NOT NULL, answered INTEGER NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, system TEXT NOT NULL, user TEXT NOT NULL, act TEXT NOT NULL, order_number TEXT,
    customer TEXT, carried_out INTEGER NOT NULL, detail TEXT NOT NULL);
"""


class Store:
    """One connection behind one lock: the request threads take turns."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing with NORMAL; only a power cut could, and the stand-ins need not survive that.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The connection for reading and writing; one transaction, rolled back when the block raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def meta(self) -> dict[str, str]:
        with self._lock:
            return {row["key"]: row["value"] for row in self._db.execute("SELECT key, value FROM meta")}

    def close(self) -> None:
        with self._lock:
            self._db.close()


def stamp(at: float) -> str:
    """A time as the screens show it: ``yyyy-MM-dd HH:mm:ss``, local."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
