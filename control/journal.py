"""The journal of a run: one JSON line for every step and note, and masked pictures beside it.

    journal = JsonlJournal(folder, run="2026-11-23_090000_reconnect")
    journal.step(record)                      # a line on disk at once, pictures in the background
    journal.close()
    lines = read_journal(folder)

A line is written whole or not at all; one cut short by a power failure is left out by the reader. When the disk is full, the run
goes on: pictures are dropped first, then a reserve is freed, then lines wait in memory; ``journal.warnings`` says so.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bots.ports import StepRecord
from control.pictures import PictureWriter, around_box
from recordings.actions import Type
from recordings.masking import mask_data, mask_text
from vision.frame import Box, Frame

SCHEMA = 1
RESERVE_BYTES = 1 << 20
"""Kept aside for the last lines of a run on a full disk: some 1,000 steps."""

WAITING_LINES = 20_000
"""Lines kept in memory while nothing can be written; some 30 MB."""

DURABLE_NOTES = frozenset({"run", "item", "abort", "warning"})
"""After these notes the lines are brought to the disk itself (fsync), in the background."""

PRIVATE_TARGETS = frozenset({"type", "read"})
"""Actions whose target holds what a person typed or what is read: never shown unless named in ``clear``."""


def _now() -> datetime:
    return datetime.now().astimezone()


class JsonlJournal:
    """Implements :class:`bots.ports.Journal` in ``folder/journal.jsonl`` and ``folder/pictures/``.

    Opening the journal of a run that was killed goes on after its last whole line. ``masker`` is applied to everything that
    is not a picture. Calls come from one thread. Raises OSError only when the folder itself cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        run: str,
        masker: Callable[[Any], Any] = mask_data,
        *,
        now: Callable[[], datetime] = _now,
        pictures: PictureWriter | None = None,
    ) -> None:
        self.folder, self.run, self._mask, self._now = Path(folder), run, masker, now
        self.folder.mkdir(parents=True, exist_ok=True)
        self.warnings: list[str] = []
        self._waiting: deque[bytes] = deque(maxlen=WAITING_LINES)
        self._file = self.folder / "journal.jsonl"
        self._step, self._good = _mend(self._file)
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        self._reserve = self.folder / "reserve"
        self._keep_reserve()
        self._item: str | None = None
        self._pictures = pictures or PictureWriter(self.folder)
        self._told = 0

    # the protocol ---------------------------------------------------------------------------------------------------

    def step(self, record: StepRecord) -> None:
        """See :meth:`bots.ports.Journal.step`."""
        self._step += 1
        action = record.action
        shown = action.model_dump(mode="json", exclude_defaults=False)
        if isinstance(action, Type) and action.secret:
            action = action.model_copy(update={"text": action.text if action.text.startswith("vault:") else ""})
            shown = action.model_dump(mode="json")
        started = self._now() - timedelta(seconds=record.seconds)
        frame = record.before or record.after
        line = {
            "type": "step",
            "time": started.isoformat(timespec="milliseconds"),
            "step": self._step,
            "item": record.item,
            "action": self._mask(shown),
            "zh": mask_text(action.sentence("zh")),
            "en": mask_text(action.sentence("en")),
            "target": record.target,
            "outcome": record.outcome,
            "message": mask_text(record.message),
            "seconds": round(record.seconds, 4),
            "waited": round(record.waited, 4),
            "shares": {k: round(v, 4) for k, v in record.shares.items()},
            "evidence": self._mask(dict(record.evidence)),
            "target_box": list(record.target_box) if record.target_box else None,
            "size": list(frame.size) if frame else None,
            "act_box": list(around_box(Box(*record.target_box), frame)) if record.target_box and frame else None,
            "pictures": self._keep_pictures(record),
        }
        if record.item != self._item:
            self._sync()
            self._item = record.item
        self._write(line)

    def note(self, kind: str, message: str, item: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """See :meth:`bots.ports.Journal.note`. Kinds used by the report: ``run``, ``item``, ``pause``, ``popup``, ``warning``."""
        self._write(
            {
                "type": "note",
                "time": self._now().isoformat(timespec="milliseconds"),
                "kind": kind,
                "item": item,
                "message": mask_text(message),
                "data": self._mask(dict(data or {})),
            }
        )
        if kind in DURABLE_NOTES:
            self._sync()

    def picture(self, name: str, frame: Frame, clear: Sequence[Box] = ()) -> str:
        """See :meth:`bots.ports.Journal.picture`; full size, lossless. The path is there at once, the file a moment later."""
        safe = re.sub(r"[^\w\-]+", "_", name).strip("_") or "picture"
        path = f"pictures/{self._step:05d}-{safe}.webp"
        return self._pictures.keep(path, frame, clear, shrink=1.0, urgent=True) or path

    def close(self, timeout: float = 20.0) -> None:
        """Write what is waiting, pictures included, and let go of the files."""
        if not self._pictures.close(timeout):
            self._pictures.troubles.append(f"{timeout:.0f} 秒内图片没有写完 / pictures were not written within {timeout:.0f} s")
        self._tell_troubles()
        self._flush()
        with suppress(OSError):
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._reserve.unlink(missing_ok=True)

    def drain(self, timeout: float = 20.0) -> None:
        """Wait until the pictures kept so far are on disk (for a report in mid-run)."""
        self._pictures.drain(timeout)

    # pictures -------------------------------------------------------------------------------------------------------

    def _keep_pictures(self, record: StepRecord) -> dict[str, str]:
        number = f"pictures/{self._step:05d}"
        urgent = record.outcome != "ok"
        box = Box(*record.target_box) if record.target_box else None
        private = record.action.kind in PRIVATE_TARGETS
        covered = (box,) if box and private and not any(_inside(box, c) for c in record.clear) else ()
        kept: dict[str, str] = {}
        for name, frame in (("before", record.before), ("after", record.after)):
            if frame is None:
                continue
            path = self._pictures.keep(f"{number}-{name}.webp", frame, record.clear, covered=covered, urgent=urgent)
            if path:
                kept[name] = path
        if record.before is not None and box is not None:
            clear = record.clear if private else (*record.clear, box)
            path = self._pictures.keep(f"{number}-act.webp", record.before, clear, covered=covered, around=box, urgent=urgent)
            if path:
                kept["act"] = path
        return kept

    def _tell_troubles(self) -> None:
        for trouble in self._pictures.troubles[self._told :]:
            self._told += 1
            self.warnings.append(trouble)
            self._append(
                {
                    "type": "note",
                    "time": self._now().isoformat(timespec="milliseconds"),
                    "kind": "warning",
                    "item": None,
                    "message": trouble,
                    "data": {},
                }
            )

    # lines ----------------------------------------------------------------------------------------------------------

    def _write(self, line: dict[str, Any]) -> None:
        self._tell_troubles()
        self._append(line)

    def _append(self, line: dict[str, Any]) -> None:
        self._waiting.append(
            json.dumps({"schema": SCHEMA, "run": self.run, **line}, ensure_ascii=False, default=str).encode() + b"\n"
        )
        self._flush()

    def _flush(self) -> None:
        while self._waiting:
            data = self._waiting[0]
            try:
                written = os.write(self._descriptor, data)
                if written < len(data):
                    raise OSError(28, os.strerror(28))
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._good)
                if self._reserve.exists():
                    self._reserve.unlink(missing_ok=True)
                    self._pictures.stop(
                        f"磁盘写满，已停止保存图片（{error.strerror}），请腾出磁盘空间 / "
                        f"no more pictures: {error.strerror}; free some space"
                    )
                    continue
                self._warn_once(error)
                return
            self._good += len(data)
            self._waiting.popleft()

    def _warn_once(self, error: OSError) -> None:
        warning = (
            f"留痕写不进磁盘（{error.strerror}），暂存在内存中；请腾出磁盘空间 / "
            f"the journal cannot be written ({error.strerror}); its lines wait in memory, free some space"
        )
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _sync(self) -> None:
        self._pictures.later(lambda: os.fsync(self._descriptor))

    def _keep_reserve(self) -> None:
        try:
            self._reserve.write_bytes(b"\0" * RESERVE_BYTES)
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            self._warn_once(error)


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """All whole lines of a run's journal, oldest first; a line cut short by a kill is left out. No journal: an empty list."""
    file = Path(folder) / "journal.jsonl"
    lines: list[dict[str, Any]] = []
    if not file.exists():
        return lines
    for raw in file.read_bytes().split(b"\n"):
        with suppress(ValueError):
            line = json.loads(raw)
            if isinstance(line, dict):
                lines.append(line)
    return lines


def _mend(file: Path) -> tuple[int, int]:
    """(last step number, length) of an existing journal after its torn last line, if any, got an end of its own."""
    if not file.exists():
        return 0, 0
    data = file.read_bytes()
    if data and not data.endswith(b"\n"):
        with file.open("ab") as handle:
            handle.write(b"\n")
    steps = [line["step"] for line in read_journal(file.parent) if line.get("type") == "step"]
    return max(steps, default=0), file.stat().st_size


def _inside(box: Box, outer: tuple[int, int, int, int]) -> bool:
    return Box(*outer).intersect(box) == box
