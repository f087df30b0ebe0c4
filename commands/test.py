"""`run.py test`: style, types, layers, tests; the summary says what failed and how long each took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from commands.exit_codes import Exit
from commands.output import options, result, say, words

ROOT = Path(__file__).resolve().parent.parent
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}


@dataclass(frozen=True, slots=True)
class Check:
    """One tool's verdict."""

    name: str
    ok: bool
    seconds: float
    output: str


def _tool(name: str) -> str:
    """A program of the same environment."""
    return str(Path(sys.executable).with_name(name + (".exe" if os.name == "nt" else "")))


def _run(name: str, arguments: list[str], show: bool = False) -> Check:
    """Run a tool from the checkout; ``show`` lets its output through."""
    start = time.monotonic()
    # Tests bring their own display: a developer's screen must not be grabbed or clicked on.
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    visible = None if not options.json else sys.stderr
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=visible if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Check(name, done.returncode == 0, round(time.monotonic() - start, 1), done.stdout or "")


def command(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="只做快的检查和单元测试 / fast checks and unit tests only")] = False,
) -> Exit:
    """检查代码并运行测试；其余参数交给 pytest / Check the code and run the tests; further arguments go to pytest."""
    python = sys.executable
    plan = {
        "ruff check": [_tool("ruff"), "check", "."],
        "ruff format": [_tool("ruff"), "format", "--check", "."],
        "lint-imports": [_tool("lint-imports")],
    }
    if not quick:
        plan["mypy"] = [python, "-m", "mypy"]
    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        checks = list(pool.map(lambda entry: _run(*entry), plan.items()))
    for check in checks:
        if not check.ok:
            say(f"✗ {check.name}\n{check.output}", f"✗ {check.name}\n{check.output}")
    pytest = [python, "-m", "pytest", "-n", "2", "--dist", "loadfile", *(["tests/unit"] if quick else []), *context.args]
    checks.append(_run("pytest", pytest, show=True))
    _summary(checks, time.monotonic() - start)
    return Exit.OK if all(check.ok for check in checks) else Exit.MISMATCH


def _summary(checks: list[Check], seconds: float) -> None:
    say("", "")
    for check in checks:
        say(
            f"{'✓' if check.ok else '✗'} {check.name:<14}{check.seconds:7.1f} 秒",
            f"{'✓' if check.ok else '✗'} {check.name:<14}{check.seconds:7.1f} s",
        )
    failed = [check.name for check in checks if not check.ok]
    verdict = words("全部通过", "all passed") if not failed else words("未通过：", "failed: ") + ", ".join(failed)
    say(f"{verdict}，共 {seconds:.0f} 秒", f"{verdict}; {seconds:.0f} s")
    result({"ok": not failed, "seconds": round(seconds, 1), "checks": [asdict(check) for check in checks]})
