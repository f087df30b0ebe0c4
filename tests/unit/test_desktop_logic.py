"""Who touched the mouse, when Ctrl+Shift+Q counts, which events make a text, when a screen is fit: without a screen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.base import Aborted, BlackScreenError, DesktopBusyError, DesktopError, ResolutionChangedError
from desktop.clock import RealClock
from desktop.dpi import scale_from_environment, system_scale
from desktop.health import check_frame
from desktop.hotkey import Hotkey
from desktop.lock import DesktopLock, desktop_name
from desktop.touch import InputEvent, TouchJudge
from desktop.win_input import Input, KeyEvent, WindowsTyper, events_for
from vision.frame import Frame

ROOT = Path(__file__).resolve().parents[2]
KEYS = st.lists(st.tuples(st.integers(8, 12), st.booleans()), max_size=60)


def key(code: int, down: bool, name: str = "") -> InputEvent:
    return InputEvent("key", code, down, name=name)


@given(KEYS, st.lists(st.tuples(st.integers(0, 1919), st.integers(0, 1079)), max_size=40), st.integers(0, 30))
def test_announced_events_are_never_a_person_however_late_they_come(
    keys: list[tuple[int, bool]], places: list[tuple[int, int]], lag: int
) -> None:
    judge = TouchJudge()
    waiting: list[InputEvent] = []
    for code, down in keys:
        judge.expect("key", code, down)
        waiting.append(key(code, down))
        if len(waiting) > lag:
            judge.saw(waiting.pop(0))
    for x, y in places:
        judge.expect_move(x, y)
        waiting.append(InputEvent("move", x=x, y=y))
    for event in waiting:
        judge.saw(event)
    assert not judge.touched


def test_one_event_more_than_announced_is_a_person() -> None:
    judge = TouchJudge()
    for down in (True, False):
        judge.expect("key", 38, down)
        assert judge.saw(key(38, down)) is False
    assert judge.saw(key(38, True)) is True
    judge.clear((5, 5))
    judge.expect_move(100, 100)
    assert judge.saw(InputEvent("move", x=100, y=100)) is False
    assert judge.saw(InputEvent("move", x=101, y=100)) is True
    assert judge.touched


def test_a_key_that_the_robot_holds_may_repeat() -> None:
    judge = TouchJudge()
    judge.expect("key", 50, True)
    for down in (True, False, True, False, True):
        judge.saw(key(50, down))
    judge.expect("key", 50, False)
    judge.saw(key(50, False))
    assert not judge.touched
    judge.saw(key(50, True))
    assert judge.touched


def test_on_windows_the_system_says_who_it_was() -> None:
    judge = TouchJudge()
    judge.saw(InputEvent("move", x=1, y=1, injected=True))
    assert not judge.touched
    judge.saw(InputEvent("move", x=1, y=1, injected=False))
    assert judge.touched


def press(hotkey: Hotkey, *events: tuple[str, bool, bool]) -> None:
    for name, down, person in events:
        hotkey.saw(key(0, down, name), person)


def test_stop_key_fires_once_for_each_completion() -> None:
    fired: list[int] = []
    hotkey = Hotkey(lambda: fired.append(1))
    chord = (("ctrl", True, True), ("shift", True, True), ("q", True, True), ("q", True, True))
    press(hotkey, *chord)
    assert len(fired) == 1, "the key's own repetition must not fire again"
    press(hotkey, ("q", False, True), ("q", True, True))
    assert len(fired) == 2


def test_the_robots_keys_do_not_hide_nor_make_the_stop_key() -> None:
    fired: list[int] = []
    hotkey = Hotkey(lambda: fired.append(1))
    press(hotkey, ("ctrl", True, False), ("shift", True, False), ("q", True, False), ("q", False, False))
    assert fired == []
    # A person presses Ctrl while the robot holds and then releases its own.
    press(hotkey, ("ctrl", True, True), ("ctrl", False, False), ("shift", False, False))
    press(hotkey, ("shift", True, True), ("q", True, True))
    assert fired == [1]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_unicode_events_spell_the_text(text: str) -> None:
    sent: list[KeyEvent] = []

    def send(events: list[KeyEvent]) -> int:
        sent.extend(events)
        return len(events)

    WindowsTyper(send).type(text, lambda: None, lambda code, down: None)  # type: ignore[arg-type]
    for up in (0, 2):
        units = [event.scan for event in sent if event.flags & 2 == up]
        assert b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le") == text
    assert all(event.flags & 4 and event.virtual_key == 0 for event in sent)


def test_line_ends_are_keys_and_refused_input_is_an_error() -> None:
    assert events_for("\n") == [KeyEvent(0x0D, 0, 0), KeyEvent(0x0D, 0, 2)]
    with pytest.raises(DesktopError, match="administrator"):
        WindowsTyper(lambda events: 0).type("a", lambda: None, lambda code, down: None)


def test_the_input_structure_has_the_size_that_windows_checks() -> None:
    import ctypes

    assert ctypes.sizeof(Input) == 40


def test_black_and_resized_screens_are_told() -> None:
    black = Frame(np.zeros((60, 80, 3), np.uint8), 0.0)
    with pytest.raises(BlackScreenError, match="all black"):
        check_frame(black)
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:28, 20:28] = 255
    check_frame(Frame(image, 0.0), (80, 60))
    with pytest.raises(ResolutionChangedError, match="100×60 at the start, 80×60 now"):
        check_frame(Frame(image, 0.0), (100, 60))


def test_sleep_ends_at_once_when_stopped() -> None:
    stop = threading.Event()
    clock = RealClock(stop)
    threading.Timer(0.05, stop.set).start()
    start = time.monotonic()
    with pytest.raises(Aborted):
        clock.sleep(30)
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(("text", "scale"), [("1.25", 1.25), ("150%", 1.5), ("125", 1.25), ("", None)])
def test_scale_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, scale: float | None) -> None:
    monkeypatch.setenv("ZHISHOU_SCALE", text)
    assert scale_from_environment() == scale
    monkeypatch.delenv("ZHISHOU_SCALE")
    assert system_scale("Xft.dpi:\t120\n") == 1.25


@pytest.mark.parametrize("text", ["big", "0", "-1", "99999"])
def test_a_wrong_scale_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ZHISHOU_SCALE", text)
    with pytest.raises(ValueError, match="ZHISHOU_SCALE"):
        scale_from_environment()


def test_a_second_robot_on_the_desktop_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from desktop.lock import DesktopLock\n"
            f"lock = DesktopLock(':7', Path({str(tmp_path)!r})); lock.acquire(); print('held', flush=True); sys.stdin.read()",
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DesktopBusyError, match=str(holder.pid)):
            DesktopLock(":7.0", tmp_path).acquire()
        with DesktopLock(":8", tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with DesktopLock(":7", tmp_path):
        assert (tmp_path / "desktop-_7.pid").read_text() == str(os.getpid())


def test_names_of_desktops() -> None:
    assert desktop_name(":1.0") == desktop_name(":1") != desktop_name(":2")
