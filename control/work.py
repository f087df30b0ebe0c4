"""One run of robot 1 from the desktop it is given to the report it leaves; resumed where a crash stopped it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from anchors.errors import AnchorError
from anchors.store import Library
from bots.errors import BusinessError, StepError
from bots.ports import Vault
from bots.reconnect import outputs
from bots.reconnect.acts import Sealer
from bots.reconnect.flow import ReconnectFlow
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot
from control.engine import DbosEngine
from control.journal import JsonlJournal, read_journal
from control.ledger import SqlLedger
from control.report import write_report
from control.runs import RunFolder, RunState, judge
from control.summary import summarise
from desktop.base import Aborted, Desktop, DesktopError
from recordings.actions import Language

ROBOT = "reconnect"


@dataclass(slots=True)
class Watcher:
    """Whoever watches a run: a sentence for each thing worth telling, each motion, and how far it is."""

    tell: Callable[[str], None] = lambda sentence: None
    motion: Callable[[str], None] = lambda sentence: None
    progress: Callable[[int, int], None] = lambda done, total: None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    state: RunState
    totals: Mapping[str, Any]
    report: Path | None
    workbook: Path | None
    error: str = ""


def run_reconnect(
    desktop: Desktop,
    libraries: Mapping[str, Library],
    settings: ReconnectSettings,
    vault: Vault,
    sealer: Sealer,
    database: Path | str,
    folder: RunFolder,
    *,
    language: Language = "zh",
    limit: int | None = None,
    robot_name: str = "robot-1",
    desktop_name: str | None = None,
    watcher: Watcher | None = None,
    insist: bool = False,
) -> Result:
    """Run (or resume: same folder, same database) robot 1. A report and a workbook are left whatever happens. ``insist`` resumes
    a run that was killed too often.

    Raises RobotBusyError, LedgerError and EngineError before anything was done; Aborted after the report was written.
    """
    watcher = watcher or Watcher()
    ledger = SqlLedger(database, folder.id, system="marketing", robot=robot_name)
    journal = JsonlJournal(folder.path, folder.id)
    robot = Robot(desktop, libraries, journal, vault, language, watcher.motion)
    flow = ReconnectFlow(robot, ledger, settings, sealer, watcher.tell, watcher.progress, limit)
    engine = DbosEngine(database, robot_name, desktop_name)
    state, error = None, ""
    aborted: BaseException | None = None
    try:
        engine.run(folder.id, flow.run, insist=insist)
        state = judge(found for found, _ in ledger.run_states().values())
    except Aborted as stop:
        state, error, aborted = RunState.ABORTED, str(stop), stop
    except KeyboardInterrupt as stop:
        state, error, aborted = RunState.ABORTED, "Ctrl+C", stop
    except BusinessError as refusal:
        state, error = RunState.NEEDS_PERSON, str(refusal)
    except (DesktopError, AnchorError) as trouble:
        state, error = RunState.NOT_READY, str(trouble)
    except StepError as trouble:
        state, error = RunState.FAILED, str(trouble)
        if trouble.frame is not None:
            journal.picture("failure", trouble.frame)
    finally:
        desktop.release_all()
        if state is not None:
            result = _leave(folder, ledger, journal, settings, state, error, language)
        journal.close()
        ledger.close()
    if aborted is not None:
        raise aborted
    return result


def _leave(
    folder: RunFolder,
    ledger: SqlLedger,
    journal: JsonlJournal,
    settings: ReconnectSettings,
    state: RunState,
    error: str,
    language: Language,
) -> Result:
    """Workbook and report of what was done so far; a full disk costs them, not the ledger."""
    if error:
        journal.note("error", error)
    orders = list(ledger.items())
    ledger.set_run_state(str(state), ended=state is not RunState.ABORTED)
    journal.drain()
    totals = outputs.totals(ledger, orders)
    warnings = list(journal.warnings)
    report = workbook = None
    try:
        notes = {
            "来源系统": "营销2.0 待办工单（业务类型：复电复核）、采集2.0 透抄",
            "运行编号": folder.id,
            "生成时间": datetime.now().replace(microsecond=0),
            "运行状态": state.words("zh"),
        }
        if orders:
            saved = outputs.write(folder.workbook, ledger, orders, settings, notes)
            workbook = saved.path
            if saved.message:
                warnings.append(saved.message)
        lines = read_journal(folder.path)
        summary = summarise(ledger, lines, state=state, warnings=warnings, manual_minutes=settings.manual_hours * 60, error=error)
        report = write_report(folder.path, summary, language, title="费控复电" if language == "zh" else "Reconnect")
    except OSError as trouble:
        error = f"{error}\n报告未能写完：{trouble} / the report could not be written".strip()
    return Result(state, totals, report, workbook, error)
