"""`run.py bench NAME`: run one benchmark and print every figure beside its goal.

A benchmark is a module ``benchmarks/<name>.py`` with ``run(short: bool, ...) -> dict``: figure → number (or a word, which is only
printed). Its goals stand in ``goals.toml`` under ``[name]``.
"""

from __future__ import annotations

import importlib
import inspect
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.exit_codes import Exit
from commands.output import result, say, words

GOALS = Path(__file__).with_name("goals.toml")
_NOT_BENCHMARKS = {"__init__", "__main__", "command"}


def names() -> list[str]:
    """All benchmarks there are."""
    return sorted(p.stem for p in GOALS.parent.glob("*.py") if p.stem not in _NOT_BENCHMARKS and not p.stem.startswith("_"))


def verdict(figure: Any, goal: dict[str, Any]) -> bool:
    """Whether a figure reaches its goal: ``at_most``, ``at_least`` or ``is``."""
    if "at_most" in goal and not figure <= goal["at_most"]:
        return False
    if "at_least" in goal and not figure >= goal["at_least"]:
        return False
    return not ("is" in goal and figure != goal["is"])


def _goal_words(goal: dict[str, Any]) -> str:
    signs = {"at_most": "≤", "at_least": "≥", "is": "="}
    return " ".join(f"{sign} {goal[key]}" for key, sign in signs.items() if key in goal)


def command(
    name: Annotated[str, typer.Argument(help="名称 / its name")],
    short: Annotated[bool, typer.Option("--short", help="CI 用的短版 / what CI runs")] = False,
    line: Annotated[str | None, typer.Option("--command", help="bare: 要计时的命令 / the command to time")] = None,
    jobs: Annotated[int | None, typer.Option(help="reconnect: 同时运行的场次 / sessions side by side", min=1)] = None,
    resume: Annotated[Path | None, typer.Option(help="reconnect: 继续该文件夹中的测量 / go on with an earlier bench")] = None,
    kills: Annotated[int | None, typer.Option(help="crash: 杀死机器人的次数 / how often the robot is killed", min=1)] = None,
) -> Exit:
    """测量并与目标比较 / Measure and compare with the goals."""
    if name not in names():
        there = ", ".join(names())
        say(f"没有「{name}」。可用：{there}", f"There is no benchmark {name!r}. There are: {there}")
        return Exit.USAGE
    run = importlib.import_module(f"benchmarks.{name}").run
    chosen = {"command": line, "jobs": jobs, "resume": resume, "kills": kills}
    known = inspect.signature(run).parameters
    options = {key: value for key, value in chosen.items() if value is not None and key in known}
    try:
        figures: dict[str, Any] = run(short=short, **options)
    except RuntimeError as error:
        say(str(error), str(error))
        result({"ok": False, "benchmark": name, "error": str(error)})
        return Exit.NOT_READY
    goals = tomllib.loads(GOALS.read_text("utf-8")).get(name, {}) if GOALS.exists() else {}
    missed = [key for key, goal in goals.items() if key in figures and not verdict(figures[key], goal)]
    for key, figure in figures.items():
        goal = goals.get(key)
        mark = " " if goal is None else "✗" if key in missed else "✓"
        row = f"{mark} {key:<32} {figure}" + (f"   ({_goal_words(goal)})" if goal else "")
        say(row, row)
    outcome = words("达到目标", "reaches its goals") if not missed else words("未达到：", "misses: ") + ", ".join(missed)
    say(f"{name}: {outcome}", f"{name}: {outcome}")
    result({"ok": not missed, "benchmark": name, "figures": figures, "goals": goals, "missed": missed})
    return Exit.OK if not missed else Exit.MISMATCH
