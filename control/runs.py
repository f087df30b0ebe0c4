"""Where a run keeps its files, and what a run can be called.

<state>/zhishou.db                                     ledger and engine
<state>/runs/2026-11-23_090000_reconnect/journal.jsonl
                                         pictures/
                                         report.html
                                         数据.xlsx
                                         run.json
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs

from bots.ports import ItemState

HOME_VARIABLE = "ZHISHOU_HOME"


class RunState(StrEnum):
    """Where a run stands. Words of SCENARIOS.md."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTLY = "partly succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    TIMED_OUT = "timed out"
    SKIPPED = "skipped"
    NOT_READY = "not ready"
    NEEDS_PERSON = "needs a person"

    def words(self, language: str = "zh") -> str:
        """The state for people."""
        return _ZH[self] if language == "zh" else self.value


_ZH = {
    RunState.QUEUED: "排队中",
    RunState.RUNNING: "运行中",
    RunState.SUCCEEDED: "成功",
    RunState.PARTLY: "部分成功",
    RunState.FAILED: "失败",
    RunState.ABORTED: "已中止",
    RunState.TIMED_OUT: "超时",
    RunState.SKIPPED: "已跳过",
    RunState.NOT_READY: "未就绪",
    RunState.NEEDS_PERSON: "待人工",
}

EXIT_CODES = {
    RunState.SUCCEEDED: 0,
    RunState.SKIPPED: 0,
    RunState.PARTLY: 1,
    RunState.FAILED: 3,
    RunState.NOT_READY: 4,
    RunState.TIMED_OUT: 5,
    RunState.NEEDS_PERSON: 6,
    RunState.ABORTED: 130,
}
"""Exit code of the command that ran it, see DESIGN.md."""


def judge(states: Iterable[ItemState]) -> RunState:
    """The state of a run that came to its end, from its items: anything unknown needs a person; nothing to do is a success."""
    seen = list(states)
    if ItemState.UNKNOWN in seen:
        return RunState.NEEDS_PERSON
    good = sum(state is ItemState.SUCCEEDED for state in seen)
    if good == len(seen):
        return RunState.SUCCEEDED
    return RunState.PARTLY if good or ItemState.BUSINESS_EXCEPTION in seen or ItemState.DEFERRED in seen else RunState.FAILED


def state_folder() -> Path:
    """Folder of everything that must survive: ``ZHISHOU_HOME``, else the user's data folder. Not created here."""
    chosen = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("zhishou", appauthor=False))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Files of one run."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def pictures(self) -> Path:
        return self.path / "pictures"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def workbook(self) -> Path:
        return self.path / "数据.xlsx"

    @property
    def summary(self) -> Path:
        return self.path / "run.json"

    def write_summary(self, data: dict[str, Any]) -> None:
        """Replace ``run.json`` at once; a reader sees the old or the new one."""
        new = self.summary.with_suffix(".json.new")
        new.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        new.replace(self.summary)


def run_id(robot: str, when: datetime) -> str:
    """``2026-11-23_090000_reconnect``: sorts by time and can be a folder on any system."""
    name = re.sub(r"[^\w-]+", "-", robot).strip("-") or "robot"
    return f"{when:%Y-%m-%d_%H%M%S}_{name}"


def new_run(state: Path, robot: str, when: datetime) -> RunFolder:
    """Make the folder of a new run. A second run of the same second gets ``-2``."""
    base, number = run_id(robot, when), 1
    while True:
        folder = state / "runs" / (base if number == 1 else f"{base}-{number}")
        try:
            folder.mkdir(parents=True)
            return RunFolder(folder)
        except FileExistsError:
            number += 1


def open_run(state: Path, run: str) -> RunFolder:
    """The folder of a run, made when missing. Raises ValueError for an id that would leave the runs' folder."""
    if not run or run in (".", "..") or Path(run).name != run or "\\" in run:
        raise ValueError(f"{run!r} is not a run id")
    folder = state / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    return RunFolder(folder)


def list_runs(state: Path) -> list[RunFolder]:
    """All runs, the newest first."""
    base = state / "runs"
    return [RunFolder(p) for p in sorted(base.iterdir(), reverse=True) if p.is_dir()] if base.is_dir() else []
