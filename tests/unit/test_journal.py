"""The journal survives kills and full disks, never waits for pictures, and keeps no secret."""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from bots.ports import StepRecord
from control.journal import JsonlJournal, read_journal
from control.pictures import PictureWriter
from recordings.actions import Action, Click, Read, Type
from vision.frame import Box, Frame

ROOT = Path(__file__).parents[2]
TARGET = Box(200, 100, 80, 32)


def frame(width: int = 640, height: int = 400, seed: int = 1) -> Frame:
    """Noise everywhere: whatever is not covered can be told at once."""
    return Frame(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8), 1.0)


def record(action: Action | None = None, item: str | None = "order-1", **more: object) -> StepRecord:
    values: dict[str, object] = {"before": frame(), "after": frame(seed=2), "target_box": TARGET, "outcome": "ok"} | more
    return StepRecord(action or Click(target="复电"), "reconnect_button", item, 5.0, 0.5, 0.2, **values)  # type: ignore[arg-type]


def pixels(folder: Path, path: str) -> np.ndarray:
    return np.asarray(Pillow.open(folder / path).convert("RGB"))[:, :, ::-1]


def test_a_step_is_a_line_that_a_person_and_a_program_can_read(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1", now=lambda: datetime.fromisoformat("2026-11-23T09:00:10+08:00"))
    journal.step(
        record(evidence={"suspects": [{"witnesses": [{"name": "text", "ok": True, "score": 0.98}]}]}, shares={"find": 0.01})
    )
    raw = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    journal.close()
    line = json.loads(raw)
    assert raw.endswith("\n") and line["time"] == "2026-11-23T09:00:09.500+08:00"
    assert (line["step"], line["item"], line["zh"], line["en"]) == (1, "order-1", "点击「复电」", "Click “复电”")
    assert (line["seconds"], line["waited"], line["target_box"]) == (0.5, 0.2, [200, 100, 80, 32])
    assert line["evidence"]["suspects"][0]["witnesses"][0]["score"] == 0.98
    assert all((tmp_path / path).exists() for path in line["pictures"].values()) and set(line["pictures"]) == {
        "before",
        "act",
        "after",
    }


def test_the_target_is_kept_pixel_by_pixel_and_the_rest_of_the_picture_is_covered(tmp_path: Path) -> None:
    journal, shown = JsonlJournal(tmp_path, "run-1"), frame()
    journal.step(record(before=shown))
    journal.close()
    line = read_journal(tmp_path)[0]
    x, y, width, height = line["act_box"]
    crop = pixels(tmp_path, line["pictures"]["act"])
    assert crop.shape == (height, width, 3)
    inside = (slice(TARGET.y - y, TARGET.bottom - y), slice(TARGET.x - x, TARGET.right - x))
    assert np.array_equal(crop[inside], shown.crop(TARGET))
    crop = crop.copy()
    crop[inside] = crop[0, 0]
    assert (crop == crop[0, 0]).all()
    whole = pixels(tmp_path, line["pictures"]["before"])
    assert whole.shape == (150, 240, 3) and (whole == whole[0, 0]).all()


@pytest.mark.parametrize("action", [Type(target="手机号", text="138****1234"), Read(field="客户名称")])
def test_what_was_typed_or_read_is_covered_unless_named_as_clear(tmp_path: Path, action: Action) -> None:
    journal = JsonlJournal(tmp_path, "run-1")
    journal.step(record(action))
    journal.step(record(action, clear=[TARGET]))
    journal.close()
    hidden, clear = (pixels(tmp_path, line["pictures"]["act"]) for line in read_journal(tmp_path))
    x, y = 200 - read_journal(tmp_path)[0]["act_box"][0], 100 - read_journal(tmp_path)[0]["act_box"][1]
    field = (slice(y, y + 32), slice(x, x + 80))
    assert (hidden[field] == hidden[y, x]).all() and not (clear[field] == clear[y, x]).all()


def test_a_secret_and_personal_data_do_not_reach_the_file(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1")
    journal.step(record(Type(target="密码", text="Pa55-word!", secret=True), evidence={"password": "Pa55-word!"}))
    journal.step(record(Type(target="密码", text="vault:marketing-main", secret=True)))
    journal.step(record(message="客户名称：王小五 电话13812341234 没有找到", evidence={"客户名称": "王小五"}))
    journal.note("item", "联系人：王小五", data={"phone": "13812341234"})
    journal.close()
    kept = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    assert not any(secret in kept for secret in ("Pa55-word!", "王小五", "13812341234"))
    assert "vault:marketing-main" in kept and "138****1234" in kept


def test_the_robot_does_not_wait_for_pictures(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1")
    frames = [frame(1920, 1080, seed) for seed in range(3)]
    took = []
    for number in range(12):
        step = record(before=frames[number % 3], after=frames[(number + 1) % 3])
        started = time.perf_counter()
        journal.step(step)
        took.append(time.perf_counter() - started)
    journal.close()
    assert statistics.median(took) <= 0.005, f"{[round(1000 * t, 1) for t in took]} ms"


def test_the_same_frame_is_kept_once(tmp_path: Path) -> None:
    journal, shared = JsonlJournal(tmp_path, "run-1"), frame()
    journal.step(record(after=shared))
    journal.step(record(before=shared))
    journal.close()
    first, second = read_journal(tmp_path)
    assert second["pictures"]["before"] == first["pictures"]["after"]
    assert len(list((tmp_path / "pictures").iterdir())) == 5


def test_a_slow_disk_costs_pictures_but_not_those_of_a_failure(tmp_path: Path) -> None:
    gate = os.open(tmp_path / "gate", os.O_CREAT)
    writer = PictureWriter(tmp_path)
    import threading

    hold = threading.Event()
    writer.later(hold.wait)
    kept = [writer.keep(f"pictures/{n}.webp", frame(64, 64, n)) for n in range(30)]
    threading.Timer(0.05, hold.set).start()
    urgent = writer.keep("pictures/failure.webp", frame(64, 64, 99), urgent=True)
    assert writer.close(20) and urgent == "pictures/failure.webp" and (tmp_path / urgent).exists()
    assert 0 < writer.dropped == kept.count(None) and len(writer.troubles) == 1
    os.close(gate)


def test_killed_in_the_middle_every_line_but_a_torn_one_is_there_and_numbers_go_on(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from bots.ports import StepRecord
        from control.journal import JsonlJournal
        from recordings.actions import Click
        journal = JsonlJournal(Path(sys.argv[1]), "run-1")
        for number in range(5):
            journal.step(StepRecord(Click(target="复电"), "x", "order-1", 0.0, 0.1, 0.0, "ok"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], cwd=ROOT, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with (tmp_path / "journal.jsonl").open("ab") as torn:
        torn.write('{"type": "step", "step": 6, "zh": "点'.encode()[:-1])
    assert [line["step"] for line in read_journal(tmp_path)] == [1, 2, 3, 4, 5]
    journal = JsonlJournal(tmp_path, "run-1")
    journal.step(record())
    journal.close()
    assert [line["step"] for line in read_journal(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_on_a_full_disk_the_run_goes_on_and_every_line_arrives_when_there_is_space(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1")
    journal.step(record(before=None, after=None))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "journal.jsonl").stat().st_size + 900, hard))
    try:
        for _ in range(20):
            journal.step(record(before=None, after=None))
        assert len(read_journal(tmp_path)) < 21 and any("磁盘" in warning for warning in journal.warnings)
        assert not (tmp_path / "reserve").exists(), "the reserve was freed for the last lines"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.note("run", "结束")
    journal.close()
    lines = read_journal(tmp_path)
    assert [line["step"] for line in lines if line["type"] == "step"] == list(range(1, 22)) and lines[-1]["type"] == "note"


def test_without_free_space_pictures_stop_first_and_the_journal_says_so(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1", pictures=PictureWriter(tmp_path, free_bytes=1 << 60))
    journal.step(record())
    journal.drain()
    journal.step(record())
    journal.close()
    assert list((tmp_path / "pictures").iterdir()) == []
    warnings = [line["message"] for line in read_journal(tmp_path) if line.get("kind") == "warning"]
    assert len(warnings) == 1 and "磁盘" in warnings[0]


def test_a_picture_asked_for_is_there_masked_and_whole(tmp_path: Path) -> None:
    journal = JsonlJournal(tmp_path, "run-1")
    path = journal.picture("未知弹窗/../x", frame(), [TARGET])
    journal.close()
    kept = pixels(tmp_path, path)
    assert path.startswith("pictures/") and ".." not in path and kept.shape == (400, 640, 3)
    assert np.array_equal(kept[100:132, 200:280], frame().crop(TARGET)) and (kept[300:] == kept[-1, -1]).all()


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "nothing") == []
