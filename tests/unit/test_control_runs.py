"""Folders and words of runs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from bots.ports import ItemState
from control.runs import RunState, judge, list_runs, new_run, open_run, state_folder

WHEN = datetime(2026, 11, 23, 9, 0, 5)


def test_a_run_has_its_folder_and_a_second_one_of_the_same_second_its_own(tmp_path: Path) -> None:
    first, second = new_run(tmp_path, "reconnect", WHEN), new_run(tmp_path, "reconnect", WHEN)
    assert first.path == tmp_path / "runs" / "2026-11-23_090005_reconnect" and second.id.endswith("_reconnect-2")
    assert [f.name for f in (first.journal, first.pictures, first.report, first.workbook, first.summary)] == [
        "journal.jsonl", "pictures", "report.html", "数据.xlsx", "run.json",
    ]  # fmt: skip
    assert [run.id for run in list_runs(tmp_path)] == [second.id, first.id]
    first.write_summary({"state_zh": "成功"})
    assert json.loads(first.summary.read_text(encoding="utf-8")) == {"state_zh": "成功"}


@pytest.mark.parametrize("bad", ["", "..", "../x", "a/b", "a\\b"])
def test_an_id_does_not_leave_the_folder_of_runs(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ValueError, match="run id"):
        open_run(tmp_path, bad)


def test_the_words_of_the_scenarios() -> None:
    assert [state.words("zh") for state in RunState] == [
        "排队中",
        "运行中",
        "成功",
        "部分成功",
        "失败",
        "已中止",
        "超时",
        "已跳过",
        "未就绪",
        "待人工",
    ]
    assert RunState.NEEDS_PERSON.words("en") == "needs a person"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], RunState.SUCCEEDED),
        ([ItemState.SUCCEEDED, ItemState.SUCCEEDED], RunState.SUCCEEDED),
        ([ItemState.SUCCEEDED, ItemState.BUSINESS_EXCEPTION], RunState.PARTLY),
        ([ItemState.SUCCEEDED, ItemState.UNKNOWN], RunState.NEEDS_PERSON),
        ([ItemState.SYSTEM_EXCEPTION], RunState.FAILED),
    ],
)
def test_a_run_is_judged_by_its_items(states: list[ItemState], expected: RunState) -> None:
    assert judge(states) is expected


def test_the_state_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISHOU_HOME", str(tmp_path))
    assert state_folder() == tmp_path
    monkeypatch.delenv("ZHISHOU_HOME")
    assert state_folder().name == "zhishou"
