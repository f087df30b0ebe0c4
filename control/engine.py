"""The engine port and its DBOS implementation: a run goes on after a crash where it stopped.

    def flow(stages: Stages) -> dict:
        orders = stages.once("list", "", lambda again: {"orders": robot.to_do_list()})["orders"]
        for order in orders:
            stages.once("reconnect", order, lambda again: handle(order, recovering=again))
        return {"orders": len(orders)}

    summary = DbosEngine(state / "zhishou.db", robot="robot-a").run("2026-11-23_090000_reconnect", flow)

What a flow must keep to: its way from stage to stage depends on nothing but what stages returned, so that it takes the same way
when it is replayed. Whatever looks at a screen or a clock happens inside a stage.
"""

from __future__ import annotations

import contextvars
import functools
import json
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from control.engine_errors import (
    changed_flow,
    engine_failed,
    not_json,
    too_often,
)
from control.ledger_errors import explain
from control.ledger_tables import open_engine, sqlite_url
from control.lock import RobotLock, desktop_lock_path, ledger_lock_path
from control.logs import quiet_dbos

FLOWS = 1
"""Version of the flows' order of stages. Raise it when a bot's stages change, so that no old run is resumed on another way."""

MAX_RECOVERIES = 2
"""A run that was interrupted more often is not resumed by itself: something kills it every time."""

POLL_SECONDS = 0.2


class Stages(Protocol):
    """Checkpoints of one run."""

    def once(self, name: str, key: str, work: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
        """Do ``work(recovering)`` and keep its result (JSON-ready) durably; a stage that has a result is not done again, but its
        result returned. ``recovering`` is True when the stage was begun before and interrupted: look before you act. A stage that
        raises keeps no result and ends the run, which can be resumed. Never retried automatically."""
        ...


class Engine(Protocol):
    """Runs flows durably."""

    def run(self, run_id: str, flow: Callable[[Stages], dict[str, Any]], *, insist: bool = False) -> dict[str, Any]:
        """Run ``flow`` in the calling thread, or go on with it where an earlier run of this id stopped; a finished run returns
        its result at once. Exceptions of the flow (``Aborted`` and KeyboardInterrupt too) come out as they are and leave the run
        resumable by its id. ``insist`` resumes a run that was killed too often."""
        ...

    def unfinished(self) -> list[str]:
        """Ids of this robot's runs that were killed, oldest first; one that ended by itself (aborted, failed) is not listed."""
        ...

    def give_up(self, run_id: str) -> None:
        """A killed run is no longer listed as unfinished."""
        ...


class _Unfinished(BaseException):
    """Ends the engine's part of a run without an outcome: DBOS records Exceptions as final, but not this."""


class DbosEngine:
    """:class:`Engine` on DBOS: SQLite in a file, Postgres by URL. No network, no telemetry, JSON instead of pickle.

    ``robot`` is the stable name under which runs are found again. While a run lasts, the ledger and ``desktop`` (for example
    ``:0``; None for none) are locked: a second robot gets :class:`control.errors.RobotBusyError`.
    """

    def __init__(self, database: Path | str, robot: str, desktop: str | None = None, flows: int = FLOWS) -> None:
        text = str(database)
        self.url = text if "://" in text else sqlite_url(text)
        self.robot, self._version = robot, f"{robot}@flows-{flows}"
        self._locks = [desktop_lock_path(desktop)] if desktop else []
        if "://" not in text:
            self._locks.append(ledger_lock_path(Path(text)))

    def run(self, run_id: str, flow: Callable[[Stages], dict[str, Any]], *, insist: bool = False) -> dict[str, Any]:
        """See :meth:`Engine.run`. Raises RobotBusyError, EngineError, LedgerError."""
        with RobotLock(self._locks, self.robot):
            visit = _Visit(run_id)
            with _launched(self, run_id, visit) as dbos:
                return self._run(dbos, visit, flow, insist)

    def unfinished(self) -> list[str]:
        """See :meth:`Engine.unfinished`."""
        with _client(self.url) as client:
            found = client.list_workflows(
                status=["PENDING", "ENQUEUED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], name=WORKFLOW, app_version=self._version
            )
            return [status.workflow_id for status in found]

    def give_up(self, run_id: str) -> None:
        """See :meth:`Engine.give_up`."""
        with _client(self.url) as client:
            client.cancel_workflow(run_id)

    def _run(self, dbos: Any, visit: _Visit, flow: Callable[[Stages], dict[str, Any]], insist: bool) -> dict[str, Any]:
        status = dbos.get_workflow_status(visit.run_id)
        word = status.status if status else None
        if word == "SUCCESS":
            return dict(dbos.retrieve_workflow(visit.run_id).get_result())
        if word == "ERROR":
            raise engine_failed(visit.run_id, status.error)
        if word == "MAX_RECOVERY_ATTEMPTS_EXCEEDED" and not insist:
            raise too_often(visit.run_id, MAX_RECOVERIES)
        if word is None:
            _start(dbos, visit.run_id)
        elif word in ("CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED") or status.executor_id != _executor(self.robot, visit.run_id):
            dbos.resume_workflow(visit.run_id)
        context = self._wait(dbos, visit, insist)
        stages = _DbosStages(dbos, visit)
        try:
            result = context.run(flow, stages)
            _jsonable("flow", "", result)
        except BaseException:
            visit.result.set_exception(_Unfinished())
            visit.left.wait(5.0)
            dbos.cancel_workflow(visit.run_id)
            raise
        visit.result.set_result(result)
        return dict(dbos.retrieve_workflow(visit.run_id).get_result(polling_interval_sec=POLL_SECONDS))

    def _wait(self, dbos: Any, visit: _Visit, insist: bool) -> contextvars.Context:
        """Until DBOS starts or resumes the run and hands over its context."""
        while True:
            try:
                return visit.context.get(timeout=POLL_SECONDS)
            except queue.Empty:
                status = dbos.get_workflow_status(visit.run_id)
                if status.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED" and insist:
                    # DBOS counts in the background while it launches, so this may come after the first look at the status.
                    dbos.resume_workflow(visit.run_id)
                    insist = False
                    continue
                if status.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
                    raise too_often(visit.run_id, MAX_RECOVERIES) from None
                if status.status not in ("PENDING", "ENQUEUED"):
                    raise engine_failed(visit.run_id, status.error) from None


WORKFLOW = "zhishou.run"


class _Visit:
    """Where the engine's thread and the caller's meet: DBOS starts the run in a thread of its own, but a flow belongs into the
    caller's, where Ctrl+C arrives and where the screen was opened. So DBOS hands over its context and waits for the result."""

    current: _Visit | None = None

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.launch = uuid.uuid4().hex
        self.context: queue.Queue[contextvars.Context] = queue.Queue()
        self.result: Future[dict[str, Any]] = Future()
        self.left = threading.Event()


def _body(run_id: str) -> dict[str, Any]:
    visit = _Visit.current
    if visit is None or visit.run_id != run_id:
        raise _Unfinished  # a run of another process that waited in a queue: not ours, and it stays resumable
    try:
        visit.context.put(contextvars.copy_context())
        return visit.result.result()
    finally:
        visit.left.set()


class _DbosStages:
    """:class:`Stages` of a run. Each stage is two steps: «begun», which keeps who began it, and the work itself."""

    def __init__(self, dbos: Any, visit: _Visit) -> None:
        self._dbos, self._visit = dbos, visit
        self._broken: BaseException | None = None

    def once(self, name: str, key: str, work: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
        """See :meth:`Stages.once`."""
        from dbos import error as dbos_error

        if self._broken is not None:
            raise RuntimeError(f"a stage failed before ({self._broken}); the flow must end there") from self._broken
        label = f"{name}:{key}"
        try:
            begun = self._dbos.run_step({"name": f"{label} begun"}, lambda: self._visit.launch)
            recovering = begun != self._visit.launch
            return dict(self._dbos.run_step({"name": label}, lambda: self._guarded(name, key, work, recovering)))
        except dbos_error.DBOSUnexpectedStepError as error:
            raise changed_flow(self._visit.run_id, label, error) from error
        except _StageFailed as failed:
            self._broken = failed.error
            raise failed.error from failed.error.__cause__
        except BaseException as error:
            self._broken = error
            raise

    @staticmethod
    def _guarded(name: str, key: str, work: Callable[[bool], dict[str, Any]], recovering: bool) -> dict[str, Any]:
        try:
            result = work(recovering)
            _jsonable(name, key, result)
        except Exception as error:
            raise _StageFailed(error) from error
        return result


class _StageFailed(BaseException):
    """Carries an Exception of a stage past DBOS, which would keep it as the stage's result for ever."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(str(error))


def _jsonable(name: str, key: str, result: Any) -> None:
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise not_json(name, key, error) from error
    if not isinstance(result, dict):
        raise not_json(name, key, TypeError(f"{type(result).__name__}, not dict"))


def _executor(robot: str, run_id: str) -> str:
    """Stable per robot and run, so that DBOS recovers at its launch this run and no other one."""
    return f"{robot}/{run_id}"


def _start(dbos: Any, run_id: str) -> None:
    from dbos import SetWorkflowID

    with SetWorkflowID(run_id):
        dbos.start_workflow(_registered(), run_id)


def preload() -> None:
    """Import DBOS in the background while the desktop starts: 0.7–3 s of processor time, most of it SQLAlchemy."""
    threading.Thread(target=_registered, name="preload-engine", daemon=True).start()


@functools.cache
def _registered() -> Callable[[str], dict[str, Any]]:
    """The one workflow that DBOS knows; registered once per process, before the first launch."""
    from dbos import DBOS

    return DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)(_body)


@functools.cache
def _serializer() -> Any:
    """JSON: whoever writes to the database must not be able to run code on a robot, which pickle would allow."""
    from dbos import Serializer

    class Json(Serializer):
        def serialize(self, data: Any) -> str:
            if isinstance(data, BaseException):
                data = {"error": type(data).__name__, "message": str(data)}
            return json.dumps(data, ensure_ascii=False)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "zhishou_json"

    return Json()


@contextmanager
def _launched(engine: DbosEngine, run_id: str, visit: _Visit) -> Iterator[Any]:
    from dbos import DBOS

    quiet_dbos()
    _use_wal(engine.url)
    _registered()
    _Visit.current = visit
    try:
        DBOS(
            config={
                "name": "zhishou",
                "system_database_url": engine.url,
                "executor_id": _executor(engine.robot, run_id),
                "application_version": engine._version,
                "serializer": _serializer(),
                "enable_otlp": False,
                "run_migrations": True,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": POLL_SECONDS,
            }
        )
        DBOS.listen_queues([])
        _poll_often(DBOS)
        DBOS.launch()
        yield DBOS
    except sa.exc.DBAPIError as error:
        raise explain(engine.url, error) from error
    finally:
        _Visit.current = None
        DBOS.destroy()


def _use_wal(url: str) -> None:
    """WAL stays with the file, so DBOS's own connections have it too."""
    database = open_engine(url)
    try:
        with database.connect():
            pass
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise explain(url, error) from error
    finally:
        database.dispose()


def _poll_often(dbos: Any) -> None:
    """The queue by which DBOS recovers looks once a second; a resumed run need not wait so long. There is no public setting for
    it in DBOS 3.4, so a DBOS without this attribute is left at its own pace."""
    from dbos._dbos import _get_or_create_dbos_registry

    queue_ = _get_or_create_dbos_registry().get_internal_queue()
    if hasattr(queue_, "_polling_interval_sec"):
        queue_._polling_interval_sec = POLL_SECONDS


@contextmanager
def _client(url: str) -> Iterator[Any]:
    from dbos import DBOSClient

    quiet_dbos()
    client = DBOSClient(system_database_url=url, serializer=_serializer())
    try:
        yield client
    finally:
        client.destroy()
