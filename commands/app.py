"""The command line. A command is one function in one file; it is imported when it is called, so that the others stay fast.

To add one: write ``commands/<name>.py`` with a typed function ``command`` (or a ``typer.Typer`` named ``app`` for one with
sub-commands) that returns an :class:`Exit`, and add a line to :data:`TABLE`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import typer

from commands.exit_codes import Exit
from commands.output import result, take_options, words

TABLE: dict[str, tuple[str, str, str]] = {
    # name: (module, Chinese, English)
    "demo": ("commands.demo", "演示：机器人在模拟客户端上办理费控复电", "The demo: robot 1 on the stand-in clients"),
    "calibrate": ("commands.calibrate", "标定：截取和检查客户端的锚点", "Capture and check the anchors of a client"),
    "setup": ("commands.setup", "准备运行环境（.venv 和系统软件包）", "Make the environment (.venv and system packages)"),
    "test": ("commands.test", "检查代码并运行测试", "Check the code and run the tests"),
    "vault": ("commands.vault", "保存和查看登录密码的引用", "Store passwords, used by reference"),
    "doctor": ("commands.doctor", "检查这台电脑能否运行机器人", "Check whether this PC can run robots"),
    "pictures": ("commands.pictures", "重新生成文档中的图片", "Draw the pictures of the docs anew"),
    "bench": ("benchmarks.command", "测量并与目标比较", "Measure and compare with the goals"),
}


def usage() -> str:
    """The list of commands, without importing any of them."""
    lines = [words("用法：python3 run.py 命令 [选项]", "Usage: python3 run.py COMMAND [OPTIONS]"), ""]
    lines += [f"  {name:<10} {words(chinese, english)}" for name, (_, chinese, english) in TABLE.items()]
    lines += [
        "",
        words("  --lang zh|en  语言    --json  只输出 JSON 结果", "  --lang zh|en  language    --json  the result as JSON only"),
        words("每个命令的选项：python3 run.py 命令 --help", "Options of a command: python3 run.py COMMAND --help"),
    ]
    return "\n".join(lines)


def load(name: str) -> Any:
    """The command behind a name of :data:`TABLE`."""
    module_name, chinese, english = TABLE[name]
    module = importlib.import_module(module_name)
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name, help=words(chinese, english), context_settings=getattr(module, "CONTEXT", None))(module.command)
    command = typer.main.get_command(app)
    command.name = name
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Errors become a sentence and a code, never a traceback for a known cause."""
    try:
        rest = take_options(list(sys.argv[1:] if arguments is None else arguments))
    except ValueError as error:
        print(error, file=sys.stderr)
        return Exit.USAGE
    if not rest or rest[0] in ("--help", "-h", "help"):
        print(usage())
        return Exit.OK if rest else Exit.USAGE
    if rest[0] not in TABLE:
        print(words(f"没有「{rest[0]}」这个命令。", f"There is no command {rest[0]!r}."), file=sys.stderr)
        print(usage(), file=sys.stderr)
        return Exit.USAGE
    try:
        outcome = load(rest[0]).main(args=rest[1:], prog_name=f"run.py {rest[0]}", standalone_mode=False)
        return int(outcome) if isinstance(outcome, int) else int(Exit.OK)
    except BaseException as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # wrong options; typer keeps its own copy of click
            error.show()
            return Exit.USAGE
        code = _known(error)
        if code is None:
            raise
        print(str(error), file=sys.stderr)
        result({"ok": False, "error": str(error), "kind": type(error).__name__, "exit": int(code)})
        return code


def _known(error: BaseException) -> Exit | None:
    """The exit code of an error whose message is made for people; None for all others."""
    from desktop.base import Aborted, DesktopError  # here, because it brings numpy: a tenth of a second

    if isinstance(error, (Aborted, KeyboardInterrupt, typer.Abort)):
        return Exit.ABORTED
    if isinstance(error, DesktopError):
        return Exit.NOT_READY
    from anchors.errors import AnchorError
    from commands.standin import StandInError
    from control.errors import EngineError, LedgerError, RobotBusyError, SettingsError, VaultError

    for kinds, code in (
        ((RobotBusyError, StandInError), Exit.NOT_READY),
        ((SettingsError, VaultError, AnchorError), Exit.USAGE),
        ((LedgerError, EngineError), Exit.SYSTEM),
    ):
        if isinstance(error, kinds):
            return code
    return None
