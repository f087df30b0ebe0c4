#!/usr/bin/env python3
"""Zhishou's one command: `python3 run.py demo`, `python3 run.py test`, `python3 run.py doctor` …

Standard library only. Makes `.venv` from requirements.lock (every file checked against its hash), on Debian as root installs
the system packages that are missing and elsewhere prints the line to type, then hands over to `python -m commands`.
The second start costs a few milliseconds: a stamp says that everything stands.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "zhishou-stamp"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
NOT_READY = 4  # commands/exit_codes.py: environment not ready

# What Debian calls it, how to see that it is there (a program, or files).
PACKAGES = {
    "python3-venv": "",
    "xvfb": "Xvfb",
    "openbox": "openbox",
    "chromium": "chromium",
    "xclip": "xclip",
    "fonts-wqy-microhei": "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "tesseract-ocr": "tesseract",
    "tesseract-ocr-chi-sim": "/usr/share/tesseract-ocr/*/tessdata/chi_sim.traineddata",
}
OTHER_NAMES = {  # for `dnf`
    "xvfb": "xorg-x11-server-Xvfb",
    "fonts-wqy-microhei": "wqy-microhei-fonts",
    "tesseract-ocr": "tesseract",
    "tesseract-ocr-chi-sim": "tesseract-langpack-chi_sim",
}
WITHOUT_SYSTEM_PACKAGES = {"doctor", "--help", "-h", "--version"}
"""Commands that must run although something is missing."""


def say(chinese: str, english: str) -> None:
    """A line for people; on stderr, because stdout belongs to the command's result."""
    language = sys.argv[sys.argv.index("--lang") + 1 : sys.argv.index("--lang") + 2] if "--lang" in sys.argv else ["zh"]
    print(english if language == ["en"] else f"{chinese} / {english}", file=sys.stderr, flush=True)


class SetupError(Exception):
    """Set-up cannot go on; (Chinese, English)."""


def missing_packages() -> list[str]:
    """Debian names of the system packages that are not there; [] elsewhere than on Linux."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for package, sign in PACKAGES.items():
        if package == "python3-venv":
            there = PYTHON.exists() or has_venv()
        elif sign.startswith("/"):
            there = any(Path("/").glob(sign[1:]))
        else:
            there = shutil.which(sign) is not None
        if not there:
            missing.append(package)
    return missing


def has_venv() -> bool:
    """Whether this Python can make a virtual environment with pip in it; bare Debian's cannot."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def install_line(packages: list[str]) -> str:
    """What a person types to get the packages."""
    if shutil.which("apt-get"):
        return "sudo apt-get install -y --no-install-recommends " + " ".join(packages)
    if shutil.which("dnf"):
        return "sudo dnf install -y " + " ".join(OTHER_NAMES.get(p, p) for p in packages if p != "python3-venv")
    return "install with your package manager: " + " ".join(packages)


def can_install() -> bool:
    return (
        hasattr(os, "geteuid")
        and os.geteuid() == 0
        and shutil.which("apt-get") is not None
        and Path("/etc/debian_version").exists()
    )


def apt(*arguments: str) -> None:
    """Run apt-get quietly; its words are shown when it fails."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", *arguments]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = (done.stdout + done.stderr)[-1500:]
        raise SetupError(
            f"系统软件包安装失败：{' '.join(command)}\n{tail}\n可能没有网络或软件源不可用。请检查 /etc/apt 后重试。",
            f"Installing system packages failed: {' '.join(command)}\n{tail}\nNo network or no package source? Check "
            "/etc/apt and try again.",
        )


def install_packages(packages: list[str]) -> None:
    apt("install", "-y", "--no-install-recommends", *packages)


class Background(threading.Thread):
    """Runs a function; :meth:`result` waits and raises what it raised."""

    def __init__(self, do, *arguments) -> None:
        super().__init__(daemon=True)
        self._do, self._arguments, self._error = do, arguments, None
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        start = time.monotonic()
        try:
            self._do(*self._arguments)
        except BaseException as error:  # noqa: BLE001  # handed on by result()
            self._error = error
        self.seconds = time.monotonic() - start

    def result(self) -> None:
        self.join()
        if self._error:
            raise self._error


# ------------------------------------------------------------------ Python packages
def pip_settings() -> dict[str, list[str]]:
    """The user's pip configuration (files and PIP_* variables): option → values. pip itself may not be there yet."""
    home = Path.home()
    if WINDOWS:
        files = [Path(os.environ.get(v, "")) / "pip" / "pip.ini" for v in ("ProgramData", "APPDATA")]
    else:
        files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip/pip.conf"]
        files.append(Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf")
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    found: dict[str, list[str]] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update({key.replace("_", "-"): value.split() for key, value in parser.items(section)})
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            found[name[4:].lower().replace("_", "-")] = value.split()
    return found


def uv_environment() -> dict[str, str]:
    """The environment in which uv uses the same indexes, certificates and proxies as pip would."""
    pip = pip_settings()
    environment = dict(os.environ)
    for option, variable, separator in (
        ("index-url", "UV_DEFAULT_INDEX", " "),
        ("extra-index-url", "UV_INDEX", " "),
        ("find-links", "UV_FIND_LINKS", ","),
        ("trusted-host", "UV_INSECURE_HOST", " "),
        ("cert", "SSL_CERT_FILE", " "),
        ("timeout", "UV_HTTP_TIMEOUT", " "),
        ("default-timeout", "UV_HTTP_TIMEOUT", " "),
        ("proxy", "HTTPS_PROXY", " "),
    ):
        if pip.get(option):
            environment.setdefault(variable, separator.join(pip[option]))
    if pip.get("no-index"):
        environment.setdefault("UV_NO_INDEX", "1")
    # As pip does: all indexes count alike. What is taken is decided by the hashes in the lock.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    environment.setdefault("UV_LINK_MODE", "copy")
    environment.pop("VIRTUAL_ENV", None)
    return environment


def run_quietly(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run; returns '' or, when it failed, the end of what it printed."""
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-2500:] or f"exit code {done.returncode}"


def uv_from_lock() -> str | None:
    """uv's own entry in the lock, with its hashes."""
    entry = re.search(r"^uv==.*?(?=^\S|\Z)", LOCK.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return entry.group(0) if entry else None


def get_uv() -> str | None:
    """uv on the PATH, or the locked one put into `.venv` by pip; None where neither works (then pip does it all)."""
    found = shutil.which("uv")
    if found and not run_quietly([found, "--version"]):
        return found
    entry = uv_from_lock()
    if entry is None or WINDOWS:
        return None
    list_file = VENV / "uv.txt"
    list_file.write_text(entry, "utf-8")
    if run_quietly([str(PYTHON), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(list_file)]):
        return None
    return str(PYTHON.with_name("uv"))


def make_venv() -> None:
    """An empty `.venv` of this Python, with pip; one that stands and belongs to this Python is kept."""
    if PYTHON.exists():
        version = run_quietly([str(PYTHON), "-c", f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"])
        if not version:
            return
        shutil.rmtree(VENV, ignore_errors=True)
    failed = run_quietly([sys.executable, "-m", "venv", str(VENV)])
    if failed:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(
            f"无法建立 Python 虚拟环境：\n{failed}\n请安装 python3-venv 后重试：{install_line(['python3-venv'])}",
            f"Cannot make a virtual environment:\n{failed}\nInstall python3-venv and try again: {install_line(['python3-venv'])}",
        )


def install_python_packages() -> str:
    """Everything in the lock into `.venv`; returns which tool did it."""
    make_venv()
    uv = get_uv()
    problem = ""
    if uv:
        arguments = ["pip", "install", "--python", str(PYTHON), "--no-deps", "--require-hashes", "-r", str(LOCK)]
        problem = run_quietly([uv, *arguments], uv_environment())
        if not problem:
            return "uv"
        say("uv 未能安装，改用 pip", "uv could not install it; using pip")
    if run_quietly([str(PYTHON), "-m", "pip", "--version"]):
        run_quietly([str(PYTHON), "-m", "ensurepip"])
    problem = run_quietly([str(PYTHON), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(LOCK)]) or ""
    if problem:
        raise SetupError(
            f"Python 软件包安装失败：\n{problem}\n可能无法访问软件包源，或某个包没有适合本机的版本。请检查网络和 pip "
            "配置（pip config list）后重试。",
            f"Installing Python packages failed:\n{problem}\nThe index may be out of reach, or a package has no version "
            "for this machine. "
            "Check the network and pip's configuration (pip config list), then try again.",
        )
    return "pip"


# ---------------------------------------------------------------------------- set-up
def stamp() -> str:
    """What the environment must have been made from: the lock, this Python and this place."""
    text = LOCK.read_bytes() + repr((sys.version_info[:2], str(ROOT))).encode()
    return hashlib.sha256(text).hexdigest()


def ready() -> bool:
    try:
        return STAMP.read_text("ascii") == stamp()
    except OSError:
        return False


def set_up() -> None:
    """Whatever is missing. System and Python packages are fetched side by side."""
    start = time.monotonic()
    missing = missing_packages()
    environment_stands = ready()
    system: Background | None = None
    if missing and can_install():
        say(f"安装系统软件包：{' '.join(missing)}", f"Installing system packages: {' '.join(missing)}")
        apt("update")
        if "python3-venv" in missing:
            missing.remove("python3-venv")
            install_packages(["python3-venv"])
        system = Background(install_packages, missing) if missing else None
    elif "python3-venv" in missing and not shutil.which("uv"):
        line = install_line(missing)
        raise SetupError(f"缺少系统软件包。请运行：\n{line}", f"System packages are missing. Please type:\n{line}")
    if not environment_stands:
        say("安装 Python 软件包（.venv）……", "Installing Python packages (.venv) …")
        python_start = time.monotonic()
        tool = install_python_packages()
        STAMP.write_text(stamp(), "ascii")
        seconds = time.monotonic() - python_start
        say(f"Python 软件包就绪（{tool}，{seconds:.0f} 秒）", f"Python packages ready ({tool}, {seconds:.0f} s)")
    if system:
        system.result()
        say(f"系统软件包就绪（{system.seconds:.0f} 秒）", f"System packages ready ({system.seconds:.0f} s)")
    left = missing_packages()
    if left and not WITHOUT_SYSTEM_PACKAGES.intersection(sys.argv[1:]):
        line = install_line(left)
        raise SetupError(f"缺少系统软件包：{' '.join(left)}。请运行：\n{line}", f"Missing system packages. Please type:\n{line}")
    if not environment_stands or system:
        say(f"环境就绪，用时 {time.monotonic() - start:.0f} 秒", f"Environment ready after {time.monotonic() - start:.0f} s")


def hand_over() -> int:
    """Run the command in `.venv`, in the person's own working folder."""
    environment = dict(os.environ, PYTHONUTF8="1")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [str(PYTHON), "-m", "commands", *sys.argv[1:]]
    if WINDOWS:
        return subprocess.run(command, env=environment, check=False).returncode
    os.execve(str(PYTHON), command, environment)
    return NOT_READY  # not reached


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  # this one file is started by whatever Python there is
        say(
            f"需要 Python 3.11 或更新版本，现在是 {sys.version.split()[0]}",
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}",
        )
        return NOT_READY
    try:
        if not ready() or missing_packages():
            set_up()
    except SetupError as error:
        say(*error.args)
        return NOT_READY
    except KeyboardInterrupt:
        return 130
    return hand_over()


if __name__ == "__main__":
    sys.exit(main())
