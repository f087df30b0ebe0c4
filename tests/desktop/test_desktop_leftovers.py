"""A robot that is killed in the middle of a press leaves keys and buttons down; the next one starts with free hands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import Xlib.display

from desktop.local import LocalDesktop
from tests.support.pages import Pages, wait_for

ROOT = Path(__file__).resolve().parents[2]

PAGE = """<body style="margin:0"><button style="position:fixed;left:0;top:0;width:600px;height:600px">复电</button>
<script>let clicks = 0, downs = 0, ups = 0;
const say = () => report({clicks, downs, ups, ctrl: window.held});
addEventListener('mousedown', () => { downs++; say(); });
addEventListener('mouseup', () => { ups++; setTimeout(say, 50); });  // after the click that may belong to it
document.querySelector('button').onclick = event => { clicks++; window.held = event.ctrlKey; say(); }; say();</script>"""

ROBOT = """
import sys, time
from desktop.local import LocalDesktop
desktop = LocalDesktop(sys.argv[1])
desktop.key_down("ctrl"); desktop.move(300, 300); desktop.button_down()
print("down", flush=True)
time.sleep(60)
"""


def held(display: str) -> tuple[bool, int]:
    """(any key is down, state of modifiers and buttons), asked over a connection of its own."""
    x = Xlib.display.Display(display)
    try:
        return any(x.query_keymap()), int(x.screen().root.query_pointer().mask) & 0x1F04
    finally:
        x.close()


def test_the_next_robot_lets_go_and_the_half_made_press_comes_to_nothing(virtual: Callable[..., Any], pages: Pages) -> None:
    pages.reports.clear()
    desk = virtual([pages.put("/leftovers", PAGE)])
    robot = subprocess.Popen([sys.executable, "-c", ROBOT, desk.display], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert robot.stdout is not None
    assert robot.stdout.readline() == "down\n"
    assert wait_for(lambda: pages.last("downs") == 1)
    robot.kill()
    robot.communicate()
    assert held(desk.display) == (True, 0x104)

    with LocalDesktop(desk.display) as desktop:
        assert held(desk.display) == (False, 0)
        assert wait_for(lambda: pages.last("ups") == 1)
        assert pages.last("clicks") == 0
        assert not desktop.touched()
        desktop.move(200, 200)
        desktop.button_down()
        desktop.button_up()
        assert wait_for(lambda: pages.last("clicks") == 1)
        assert pages.last("ctrl") is False
