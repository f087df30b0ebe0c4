"""The report of a run: one HTML file that opens anywhere, without a network.

    summary = summarise(ledger, read_journal(folder))
    write_report(folder, summary, language="zh")        # report.html and run.json

Items that need somebody come first. Pictures are inside the file up to :data:`LIMIT_BYTES`; what does not fit is shown from
the folder ``pictures/`` beside it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from bots.ports import ItemState
from control.journal import read_journal
from control.runs import RunFolder, RunState
from control.summary import ItemSummary, RunSummary

LIMIT_BYTES = 15_000_000
"""A report stays below this, so that it can be mailed. 20 orders of 30 steps hold some 12 MB of pictures."""

STEP_BYTES = 3_500
"""What a step with two candidates takes without its pictures."""

ORDER = (
    ItemState.UNKNOWN,
    ItemState.SYSTEM_EXCEPTION,
    ItemState.DEFERRED,
    ItemState.RUNNING,
    ItemState.NEW,
    ItemState.BUSINESS_EXCEPTION,
    ItemState.SUCCEEDED,
)
"""What a person should see first stands first."""

TONES = {
    ItemState.SUCCEEDED: "good",
    ItemState.BUSINESS_EXCEPTION: "mind",
    ItemState.DEFERRED: "mind",
    ItemState.NEW: "mind",
    ItemState.RUNNING: "mind",
    ItemState.SYSTEM_EXCEPTION: "bad",
    ItemState.UNKNOWN: "bad",
}
RUN_TONES = {RunState.SUCCEEDED: "good", RunState.PARTLY: "mind", RunState.SKIPPED: "mind", RunState.RUNNING: "mind"}

ACT_WORDS = {"reconnect": ("复电", "reconnect"), "archive": ("归档", "archive"), "sms": ("短信", "message")}
OUTCOME_WORDS = {
    "done": ("成功", "done"),
    "failed": ("失败", "failed"),
    "not sent": ("未发出", "not sent"),
    "unknown": ("结果未知", "unknown"),
    None: ("未看到结果", "not observed"),
}
STEP_WORDS = {
    "ok": ("正常", "ok"),
    "absent": ("未找到", "absent"),
    "ambiguous": ("有多个相似目标", "ambiguous"),
    "contradicted": ("证据矛盾", "contradicted"),
    "timeout": ("等待超时", "timed out"),
    "refused": ("拒绝执行", "refused"),
    "aborted": ("已中止", "aborted"),
    "error": ("出错", "error"),
}
WITNESS_WORDS = {
    "picture": ("图像", "picture"),
    "text": ("文字", "text"),
    "relation": ("相邻关系", "relation"),
    "state": ("状态", "state"),
    "unique": ("唯一性", "unique"),
}
SHARE_WORDS = {
    "wait": ("等待系统", "waiting for the client"),
    "grab": ("截屏", "grabbing"),
    "find": ("查找", "finding"),
    "read": ("识别文字", "reading"),
    "input": ("鼠标键盘", "input"),
    "grid": ("读表格", "reading grids"),
    "journal": ("留痕", "journal"),
}
RECIPIENTS = {"crew": ("抢修班组", "crew"), "customer": ("客户", "customer"), "manager": ("台区责任人", "manager")}


@dataclass(slots=True)
class _Pictures:
    """Pictures of the report by path, the most needed first, until the file is full."""

    folder: Path
    left: int
    inside: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    outside: int = 0

    def take(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path in self.inside or path in self.missing:
                continue
            file = self.folder / path
            try:
                size = file.stat().st_size
                if size > self.left:
                    self.outside += 1
                    self.inside[path] = path
                    continue
                self.inside[path] = "data:image/webp;base64," + base64.b64encode(file.read_bytes()).decode()
                self.left -= size
            except OSError:
                self.missing.add(path)


def write_report(
    folder: Path, summary: RunSummary, language: str = "zh", *, title: str = "", embed_bytes: int | None = None
) -> Path:
    """Write ``report.html`` and ``run.json`` into the run's folder; returns the report's path. The journal there is read;
    pictures that are not there (full disk, kill) are left out. Raises OSError when the files cannot be written."""
    files = RunFolder(Path(folder))
    lines = read_journal(files.path)
    html = render(files.path, lines, summary, language, title=title, embed_bytes=embed_bytes)
    files.write_summary(summary.to_json())
    new = files.report.with_suffix(".html.new")
    new.write_text(html, encoding="utf-8")
    new.replace(files.report)
    return files.report


def render(
    folder: Path,
    lines: Sequence[Mapping[str, Any]],
    summary: RunSummary,
    language: str = "zh",
    *,
    title: str = "",
    embed_bytes: int | None = None,
) -> str:
    """The report as HTML. See :func:`write_report`."""
    by_item: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        by_item.setdefault(line.get("item") or "", []).append(line)
    items = sorted(summary.items, key=lambda item: (ORDER.index(item.state), -_failures(by_item.get(item.key, []))))
    steps = [line for line in lines if line.get("type") == "step"]
    if embed_bytes is None:
        embed_bytes = max(0, (LIMIT_BYTES - len(lines) * STEP_BYTES) * 73 // 100)  # base64 makes 73 bytes 100
    pictures = _Pictures(folder, embed_bytes)
    failing = {item.key for item in items if item.state in ORDER[:3]}
    pictures.take(p for s in steps if s["outcome"] != "ok" for p in s["pictures"].values())
    pictures.take(p for s in steps if s.get("item") in failing for p in s["pictures"].values())
    pictures.take(s["pictures"]["act"] for s in steps if "act" in s["pictures"])
    pictures.take(p for s in steps for p in s["pictures"].values())
    known = {item.key for item in items}
    rest = [line for key, group in by_item.items() if key not in known for line in group]
    rest.sort(key=lambda line: datetime.fromisoformat(line["time"]))
    template = _environment().get_template("report.html.j2")
    return template.render(
        language="en" if language == "en" else "zh",
        title=title,
        run=summary,
        tiles=_tiles(summary),
        time_bars=_bars(summary),
        manual_seconds=summary.manual_minutes * 60,
        items=[_item(item, by_item.get(item.key, [])) for item in items],
        rest=[_line(line) for line in rest],
        run_tone=RUN_TONES.get(summary.state, "bad"),
        states=[
            (state, TONES[state], sum(i.state is state for i in items)) for state in ORDER if any(i.state is state for i in items)
        ],
        pictures=_script_json(pictures.inside),
        outside=pictures.outside,
        missing=len(pictures.missing),
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S"),
    )


def _tiles(run: RunSummary) -> list[tuple[str, str, Any, str]]:
    """(Chinese, English, value, tone) of the summary's figures."""
    return [
        ("工单", "orders", len(run.items), ""),
        ("复电成功", "reconnected", run.count("reconnect"), "good"),
        ("已归档", "archived", run.count("archive"), "good"),
        ("已发短信", "texted", run.count("sms:"), ""),
        ("结果未知", "unknown", run.unknown, "bad" if run.unknown else ""),
        ("待人工", "needs a person", run.needs_person, "bad" if run.needs_person else ""),
    ]


def _bars(run: RunSummary) -> list[tuple[str, str, float, float]]:
    """(Chinese, English, seconds, percent) of where the time went, the longest first."""
    shares = [(name, value) for name, value in run.shares.items() if value > 0]
    total = sum(value for _, value in shares) or 1.0
    named = [(*SHARE_WORDS.get(name, (name, name)), value, 100 * value / total) for name, value in shares]
    return sorted(named, key=lambda bar: -bar[2])


def _item(item: ItemSummary, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "item": item,
        "tone": TONES[item.state],
        "acts": [_act(act.name, act.attempt, act.outcome) for act in item.acts],
        "failures": _failures(lines),
        "lines": [_line(line) for line in lines],
        "words": " ".join([item.key, item.state.words("zh"), item.state.value, item.reason]).lower(),
    }


def _act(name: str, attempt: int, outcome: str | None) -> dict[str, Any]:
    family, _, to = name.partition(":")
    zh, en = ACT_WORDS.get(family, (family, family))
    done = OUTCOME_WORDS.get(outcome, (str(outcome), str(outcome)))
    again = f" #{attempt}" if attempt > 1 else ""
    tone = {"done": "good", "unknown": "bad", None: "bad"}.get(outcome, "mind")
    zh_to, en_to = RECIPIENTS.get(to, (to, to))
    return {
        "zh": " ".join(word for word in (zh, zh_to, again.strip(), done[0]) if word),
        "en": " ".join(word for word in (en, en_to, again.strip(), done[1]) if word),
        "tone": tone,
    }


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    """A journal line for the template."""
    if line.get("type") != "step":
        return {"note": True, "kind": line.get("kind", ""), "message": line.get("message", ""), "time": _clock(line)}
    size, box, part = line.get("size"), line.get("target_box"), line.get("act_box")
    outcome = line["outcome"]
    words = STEP_WORDS.get(outcome, (outcome, outcome))
    return {
        **line,
        "note": False,
        "pictures": {"before": None, "act": None, "after": None, **line.get("pictures", {})},
        "time": _clock(line),
        "bad": outcome != "ok",
        "outcome_zh": words[0],
        "outcome_en": words[1],
        "whole": _place(box, [0, 0, *size]) if box and size else None,
        "near": _place(box, part) if box and part else None,
        "suspects": list(_suspects(line.get("evidence"))),
        "other": _other(line.get("evidence")),
        "own": max(0.0, line["seconds"] - line["waited"]),
        "parts": [(*SHARE_WORDS.get(k, (k, k)), v) for k, v in sorted(line.get("shares", {}).items(), key=lambda s: -s[1]) if v],
    }


def _place(box: Sequence[float], part: Sequence[float]) -> str:
    """CSS of a box in per cent of the picture that shows ``part`` of the screen."""
    x, y, w, h = ((box[0] - part[0]) / part[2], (box[1] - part[1]) / part[3], box[2] / part[2], box[3] / part[3])
    return f"left:{100 * x:.3f}%;top:{100 * y:.3f}%;width:{100 * w:.3f}%;height:{100 * h:.3f}%"


def _suspects(evidence: Any) -> Iterable[dict[str, Any]]:
    """Every candidate with its witnesses, wherever in the evidence it stands."""
    if isinstance(evidence, Mapping):
        for suspect in evidence.get("suspects") or []:
            yield {**suspect, "witnesses": [_witness(w) for w in suspect.get("witnesses", [])]}
        if "witnesses" in evidence and "suspects" not in evidence:
            yield {**evidence, "witnesses": [_witness(w) for w in evidence["witnesses"]]}
        for key, value in evidence.items():
            if key not in ("suspects", "witnesses"):
                yield from _suspects(value)
    elif isinstance(evidence, list):
        for value in evidence:
            yield from _suspects(value)


def _witness(witness: Mapping[str, Any]) -> dict[str, Any]:
    name = str(witness.get("name", ""))
    zh, en = WITNESS_WORDS.get(name, (name, name))
    score, level = witness.get("score"), witness.get("level")
    return {
        "zh": zh,
        "en": en,
        "ok": bool(witness.get("ok")),
        "score": score,
        "level": level,
        "percent": None if score is None else max(0.0, min(100.0, 100 * float(score))),
        "mark": None if level is None else max(0.0, min(100.0, 100 * float(level))),
        "detail": witness.get("detail", ""),
    }


def _other(evidence: Any) -> list[tuple[str, str]]:
    """The plain values of the evidence."""
    if not isinstance(evidence, Mapping):
        return []
    plain = [(str(k), v) for k, v in evidence.items() if k not in ("suspects", "witnesses") and v not in (None, "", [], {})]
    return [(k, json.dumps(v, ensure_ascii=False) if isinstance(v, list | dict) else str(v)) for k, v in plain]


def _failures(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(line.get("type") == "step" and line["outcome"] != "ok" for line in lines)


def _clock(line: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(line["time"]).strftime("%H:%M:%S")


def _people_time(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S") if text else "—"


def _duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 30 min``: the same in both languages."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _script_json(data: Any) -> Markup:
    """JSON that cannot end the script element around it."""
    return Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(duration=_duration, people_time=_people_time)
    return environment
