"""The virtual display: full-screen, at the right scale, and gone without a trace however its owner ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import Pages, wait_for

ROOT = Path(__file__).resolve().parents[2]


def processes_with(text: str) -> dict[int, str]:
    """Living processes whose command line holds ``text``."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if text in line:
                found[int(entry.name)] = line
    return found


def page(color: str, name: str) -> str:
    return f"""<body style="margin:0;background:{color}"><h1>{name}</h1><script>
    const say = () => report({{tab: '{name}', seen: document.visibilityState, width: innerWidth, ratio: devicePixelRatio,
                              language: navigator.language}});
    say(); setInterval(say, 100);</script>"""


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_the_page_covers_the_screen_at_the_scale(virtual: Callable[..., Any], pages: Pages, scale: float) -> None:
    pages.reports.clear()
    desk = virtual([pages.put("/cover", page("rgb(200,220,240)", "值守"))], size=(1200, 900), scale=scale)
    frame = desk.desktop.grab()
    assert frame.scale == desk.desktop.scale == scale
    assert frame.size == (1200, 900)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert frame.image[corner].tolist() == [240, 220, 200]
    assert wait_for(lambda: pages.last("width") == 1200 / scale)
    assert pages.last("ratio") == scale
    assert pages.last("language") == "zh-CN"


def test_several_pages_are_tabs_of_one_browser(virtual: Callable[..., Any], pages: Pages) -> None:
    pages.reports.clear()
    desk = virtual([pages.put("/a", page("#fdd", "甲")), pages.put("/b", page("#ddf", "乙"))])

    def visible() -> str | None:
        return next((r["tab"] for r in reversed(pages.reports) if r.get("seen") == "visible"), None)

    assert wait_for(lambda: visible() == "甲")
    for expected in ("乙", "甲"):
        pages.reports.clear()
        desk.desktop.key_down("ctrl")
        desk.desktop.key_down("tab")
        desk.desktop.key_up("tab")
        desk.desktop.key_up("ctrl")
        assert wait_for(lambda expected=expected: visible() == expected)


def test_downloads_land_in_the_folder_without_a_question(virtual: Callable[..., Any], pages: Pages, tmp_path: Path) -> None:
    body = """<body><a id="a" download="失败明细.csv" href="data:text/csv,1">导出</a><script>
    addEventListener('mousedown', () => document.getElementById('a').click());</script>"""
    desk = virtual([pages.put("/download", body)], downloads=tmp_path / "下载")
    desk.desktop.move(600, 400)
    desk.desktop.button_down()
    desk.desktop.button_up()
    assert wait_for(lambda: (tmp_path / "下载" / "失败明细.csv").exists())


def test_closing_leaves_nothing(virtual: Callable[..., Any], pages: Pages) -> None:
    desk = virtual([pages.put("/close", page("#fff", "x"))])
    folder = desk.folder
    assert len(processes_with(str(folder))) >= 3, "browser processes carry the folder in their command line"
    desk.close()
    assert not folder.exists()
    assert processes_with(str(folder)) == {}


def start_owner(url: str) -> tuple[subprocess.Popen[str], str, str, int]:
    """A process of its own with a virtual desktop; (process, folder, display, supervisor's pid)."""
    program = textwrap.dedent(
        f"""
        import sys, time
        from desktop.virtual import VirtualDesktop
        desk = VirtualDesktop((800, 600), urls=[{url!r}], watch=False)
        desk.start()
        print(desk.folder, desk.display, desk._supervisor.pid, flush=True)
        time.sleep(300)
        """
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder, display, supervisor = owner.stdout.readline().split()
    return owner, folder, display, int(supervisor)


def x_server(display: str) -> dict[int, str]:
    socket = Path(f"/tmp/.X11-unix/X{display.lstrip(':')}")
    return {0: str(socket)} if socket.exists() else {}


@pytest.mark.parametrize("victim", ["owner", "supervisor"])
def test_a_kill_leaves_nothing(pages: Pages, victim: str) -> None:
    owner, folder, display, supervisor = start_owner(pages.put("/kill", page("#fff", "x")))
    try:
        assert len(processes_with(folder)) >= 3
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        os.kill(owner.pid if victim == "owner" else supervisor, signal.SIGKILL)
        assert wait_for(lambda: not processes_with(folder), 5), processes_with(folder)
        assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 5), "Xvfb or openbox is left"
        if victim == "owner":
            assert wait_for(lambda: not Path(folder).exists(), 5)
            assert wait_for(lambda: not x_server(display), 5)
    finally:
        owner.kill()
        owner.wait()
        if owner.stdout:
            owner.stdout.close()


def test_folders_of_a_double_kill_are_swept_at_the_next_start(virtual: Callable[..., Any], tmp_path: Path) -> None:
    import tempfile

    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    left = Path(tempfile.gettempdir()) / f"zhishou-desk-{done.stdout.strip()}-left"
    left.mkdir()
    (left / "profile").mkdir()
    virtual()
    assert not left.exists()


def test_two_displays_in_one_process_do_not_mix(virtual: Callable[..., Any]) -> None:
    first, second = virtual(size=(640, 480)), virtual(size=(800, 600))
    assert first.display != second.display
    for step in range(5):
        first.desktop.move(100 + step, 50)
        second.desktop.move(700 + step, 500)
        assert first.desktop.pointer() == (100 + step, 50)
        assert second.desktop.pointer() == (700 + step, 500)
    second.close()
    first.desktop.move(30, 30)
    assert first.desktop.pointer() == (30, 30)
    assert not first.desktop.touched()
