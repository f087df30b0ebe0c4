"""run.py before there is an environment: what it hands to uv, what it says, when it does nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import run
from commands.app import TABLE, main
from commands.exit_codes import Exit
from commands.output import options, take_options

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without any pip or uv configuration; returns the file that PIP_CONFIG_FILE names."""
    import os

    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name in ("SSL_CERT_FILE", "HTTPS_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    return file


def test_uv_uses_the_indexes_that_pip_would(bare_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_settings.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://a.example/simple\n  https://b.example/simple\n"
        "cert = /etc/ca.pem\n[install]\nfind-links = /srv/wheels\ntrusted-host = mirror.example\n"
    )
    environment = run.uv_environment()
    assert environment["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert environment["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert environment["UV_FIND_LINKS"] == "/srv/wheels"
    assert environment["SSL_CERT_FILE"] == "/etc/ca.pem"
    assert environment["UV_INSECURE_HOST"] == "mirror.example"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert run.uv_environment()["UV_DEFAULT_INDEX"] == "https://other.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")
    assert run.uv_environment()["UV_DEFAULT_INDEX"] == "https://mine.example/simple", "what is set for uv itself wins"


def test_uv_is_installed_by_its_hashes_from_the_lock() -> None:
    entry = run.uv_from_lock()
    assert entry is not None
    assert entry.startswith("uv==")
    assert "--hash=sha256:" in entry
    assert "\n" in entry
    assert not [line for line in entry.splitlines()[1:] if line and not line.startswith("    ")]


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert not [line for line in lines if "://" in line]
    pinned = [line for line in lines if line[:1].isalnum()]
    assert len(pinned) > 50
    assert all("==" in line and line.rstrip().endswith("\\") for line in pinned)


def test_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr("run.shutil.which", tools.get)
    assert run.install_line(["xvfb", "chromium"]) == "sudo apt-get install -y --no-install-recommends xvfb chromium"
    tools = {"dnf": "/usr/bin/dnf"}
    monkeypatch.setattr("run.shutil.which", tools.get)
    assert run.install_line(["python3-venv", "xvfb"]) == "sudo dnf install -y xorg-x11-server-Xvfb"


def test_without_root_missing_packages_end_with_4_and_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "demo", "--lang", "en"])
    monkeypatch.setattr(run, "ready", lambda: True)
    monkeypatch.setattr(run, "missing_packages", lambda: ["xvfb"])
    monkeypatch.setattr(run, "can_install", lambda: False)
    monkeypatch.setattr(run, "hand_over", lambda: pytest.fail("must not start"))
    assert run.main() == Exit.NOT_READY
    shown = capsys.readouterr()
    assert "install -y" in shown.err
    assert shown.out == "", "stdout belongs to the command's result"


def test_a_stamp_of_another_lock_is_not_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(run, "STAMP", stamp)
    assert not run.ready()
    stamp.write_text(run.stamp())
    assert run.ready()
    lock = tmp_path / "requirements.lock"
    lock.write_text("changed==1")
    monkeypatch.setattr(run, "LOCK", lock)
    assert not run.ready()


def test_run_py_needs_nothing_but_the_standard_library() -> None:
    # -I -S: no site-packages, so an import of anything else would fail.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(ROOT / 'run.py')!r})"], check=False
    )
    assert done.returncode == 0


def test_options_stand_anywhere() -> None:
    try:
        assert take_options(["test", "--json", "-k", "x", "--lang", "en"]) == ["test", "-k", "x"]
        assert options.json
        assert options.language == "en"
        assert take_options(["test", "--lang=zh", "--", "--json"]) == ["test", "--", "--json"]
        with pytest.raises(ValueError, match="only zh and en"):
            take_options(["--lang", "fr"])
    finally:
        options.json, options.language = False, "zh"


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Exit.USAGE
    assert main(["nix"]) == Exit.USAGE
    assert main(["doctor", "--nix"]) == Exit.USAGE
    assert main(["--help"]) == Exit.OK
    out = capsys.readouterr().out
    assert all(name in out for name in TABLE)
