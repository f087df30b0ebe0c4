"""From a bare Debian to a running command, with README's line alone: `run.py bench bare [--command "…"]`.

Makes a minimal Debian in a temporary folder (debootstrap), gives it the host's network settings (name resolution, package
sources, certificates, pip's configuration and the folders it names) and nothing else, clones this repository into it and times
the command from zero. Needs root and debootstrap.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from commands.output import say
from run import pip_settings

ROOT = Path(__file__).resolve().parent.parent
SUITE = "bookworm"
_KEPT_VARIABLES = re.compile(r"^(PIP_|SSL_CERT|REQUESTS_CA|CURL_CA|.*_proxy$|.*_PROXY$)")


def _network_files() -> list[Path]:
    """Files and folders of the host that say how the network is reached; the same path in the bare system."""
    wanted = [Path(p) for p in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/xdg/pip", "/etc/ssl/certs")]
    wanted += [Path(p) for p in ("/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/keyrings")]
    wanted += [Path(p) for p in ("/etc/apt/keyrings", "/etc/apt/trusted.gpg.d", "/etc/apt/auth.conf.d")]
    wanted += [Path.home() / ".config/pip", Path.home() / ".pip"]
    return [path for path in wanted if path.exists()]


def _package_sources() -> list[Path]:
    """apt source files that offer this suite of Debian; others' sources would need software that a bare system lacks."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return [f for f in files if f.is_file() and re.search(rf"(?<![\w-]){SUITE}(?![\w-])", f.read_text("utf-8", "replace"))]


def mirror() -> str:
    """The host's Debian mirror."""
    for file in _package_sources():
        found = re.search(r"https?://[^\s\]]+/debian/?(?=\s)", file.read_text("utf-8", "replace") + "\n")
        if found:
            return found.group(0)
    return "http://deb.debian.org/debian"


def _pip_folders() -> list[Path]:
    """Local folders that pip's configuration names (wheels, file:// indexes)."""
    settings = pip_settings()
    values = [value for option in ("find-links", "index-url", "extra-index-url") for value in settings.get(option, [])]
    local = [Path(value.removeprefix("file://")) for value in values if value.startswith(("/", "file://"))]
    # An index's pages point to files beside it.
    folders = {path.parent if path.name == "simple" else path for path in local}
    return [path for path in sorted(folders) if path.is_dir()]


def _run(command: list[str], **more: Any) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, **more)


def bare_system(folder: Path) -> Path:
    """A minimal Debian with Python in ``folder``, and the host's network settings; returns its root."""
    tree = folder / "root"
    _run(["debootstrap", "--variant=minbase", "--include=python3,ca-certificates", SUITE, str(tree), mirror()])
    for path in _network_files():
        target = tree / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Links are followed: a certificate folder full of links into another package would point nowhere.
        _run(["cp", "-rL", "--remove-destination", "-T", str(path), str(target)])
    sources = tree / "etc/apt/sources.list.d"
    sources.mkdir(exist_ok=True)
    (tree / "etc/apt/sources.list").write_text("", "utf-8")
    for file in _package_sources():
        shutil.copy(file, sources / ("host.list" if file.name == "sources.list" else file.name))
    return tree


def _enter(tree: Path, line: str) -> list[str]:
    """The command that runs a shell line inside. Mounts are made in a mount namespace of its own, read-only: they vanish with it,
    and what is thrown away afterwards holds nothing of the host's."""
    mounts = [f"mount -t proc proc {tree}/proc"]
    for path in _pip_folders():
        target = tree / path.relative_to("/")
        target.mkdir(parents=True, exist_ok=True)
        mounts += [f"mount --bind {shlex.quote(str(path))} {target}", f"mount -o remount,bind,ro {target}"]
    script = " && ".join([*mounts, f"exec chroot {tree} /bin/sh -c {shlex.quote(line)}"])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def _throw_away(folder: Path) -> None:
    """Remove the bare system, unless something is still mounted in it."""
    if any(line.split()[1].startswith(str(folder)) for line in Path("/proc/mounts").read_text().splitlines()):
        say(f"{folder} 中仍有挂载，未删除", f"Something is still mounted in {folder}; it was not removed")
        return
    shutil.rmtree(folder, ignore_errors=True)


def environment() -> dict[str, str]:
    """What the bare system's shell starts with."""
    kept = {name: value for name, value in os.environ.items() if _KEPT_VARIABLES.match(name)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": str(Path.home()), "LANG": "C.UTF-8", **kept}


def run(short: bool = False, command: str = "python3 run.py demo") -> dict[str, Any]:
    """Time ``command`` twice in a new bare system; returns seconds and exit codes. ``short`` leaves out the second time."""
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise RuntimeError("需要 root 和 debootstrap / needs root and debootstrap (apt-get install debootstrap)")
    folder = Path(tempfile.mkdtemp(prefix="zhishou-bare-"))
    measured: dict[str, Any] = {"command": command}
    try:
        tree = bare_system(folder)
        _run(["git", "clone", "-q", str(ROOT), str(tree / "zhishou")])
        for name in ("first", "again")[: 1 if short else 2]:
            say(f"裸机运行（{name}）：{command}", f"On the bare system ({name}): {command}")
            start = time.monotonic()
            inside = _enter(tree, f"cd /zhishou && {command}")
            done = subprocess.run(inside, env=environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
            measured[f"{name}_seconds"] = round(time.monotonic() - start, 1)
            measured[f"{name}_exit_code"] = done.returncode
    finally:
        _throw_away(folder)
    return measured
