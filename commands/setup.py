"""`run.py setup`: the environment was made by run.py before this runs; say what stands."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from commands.exit_codes import Exit
from commands.output import result, say

_PROGRAMS = ("Xvfb", "openbox", "chromium", "xclip", "tesseract")


def command() -> Exit:
    """准备运行环境 / Make the environment."""
    packages = sum(1 for _ in metadata.distributions())
    programs = {name: shutil.which(name) for name in _PROGRAMS} if sys.platform.startswith("linux") else {}
    say(
        f"环境就绪：Python {platform.python_version()}，{packages} 个软件包，位于 {sys.prefix}。下一步：python3 run.py demo",
        f"Ready: Python {platform.python_version()}, {packages} packages in {sys.prefix}. Next: python3 run.py demo",
    )
    result(
        {
            "ok": True,
            "python": platform.python_version(),
            "packages": packages,
            "venv": str(Path(sys.prefix)),
            "programs": programs,
        }
    )
    return Exit.OK
