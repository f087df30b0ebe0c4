"""From wherever the client stands to where the flow wants to be: what is seen decides, nothing is assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchors.errors import UnknownAnchorError
from anchors.store import Library
from bots.errors import NotSeenError
from bots.navigation import MOTIONS, TABS, bring, go
from bots.robot import Robot
from tests.support.drawn_client import DIALOG, PLAIN, DrawnClient, Thing
from tests.support.fake_desktop import Done
from tests.support.robots import Rig
from tests.support.shelf import SYSTEM, write_version

LOGIN = {"login": Thing("登录系统", 300, 200)}
NOTICE = {
    "notice": Thing("系统公告", 90, 80, DIALOG, width=420, height=170, layer=1),
    "known": Thing("我已知晓", 380, 200, layer=2),
}
MENU = {"menu": Thing("工单管理", 60, 40, PLAIN)}
TODO = {"menu": MENU["menu"], "todo": Thing("待办工单", 60, 120, PLAIN), "search": Thing("查询", 500, 40)}
OTHER = {"mail": Thing("收件箱", 60, 60, PLAIN)}
DESKTOP = {"folder": Thing("文档", 200, 300, PLAIN)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    anchors, screens = {}, {}
    for name, things in {"login": LOGIN, "notice": NOTICE, "menu": MENU, "todo": TODO}.items():
        screens[name] = (DrawnClient(**things).picture(), 1.0)
        for key, thing in things.items():
            anchors.setdefault(key, {"screen": name, "box": list(thing.words.grow(5, 4)), "text": thing.text})
    write_version(tmp_path, "1.0", anchors, screens)
    return tmp_path


class Windows:
    """Windows of one desktop; Ctrl+Tab goes to the next one."""

    def __init__(self, root: Path, *pages: dict[str, Thing]) -> None:
        self.pages = [dict(page) for page in pages]
        self.front = 0
        self.rig = Rig(DrawnClient(), Library.open(SYSTEM, "1.0", root))
        self.rig.on_input = self.take
        self.show()

    @property
    def robot(self) -> Robot:
        return self.rig.robot

    def show(self) -> None:
        self.rig.client.shown = self.pages[self.front]

    def take(self, done: Done) -> None:
        if done.kind == "key_down" and done.value == "tab" and "ctrl" in self.rig.desktop.down_keys:
            self.front = (self.front + 1) % len(self.pages)
            self.show()


@pytest.mark.parametrize("place", [0, 1, 3])
def test_the_window_that_shows_the_client_is_brought_to_the_front(root: Path, place: int) -> None:
    pages = [OTHER, DESKTOP, OTHER, DESKTOP]
    pages[place] = TODO
    desk = Windows(root, *pages)
    assert bring(desk.robot, "client", ["login", "search"]) == "search"
    assert desk.front == place and desk.rig.desktop.down_keys == [] and desk.rig.pressed == []


def test_when_no_window_shows_the_client_that_is_said_after_each_was_looked_at_once(root: Path) -> None:
    desk = Windows(root, OTHER, DESKTOP)
    with pytest.raises(NotSeenError, match="等待「登录系统、查询」"):
        bring(desk.robot, "client", ["login", "search"])
    assert sum(d.kind == "key_down" and d.value == "tab" for d in desk.rig.desktop.done) == TABS - 1


def test_the_way_is_found_from_any_place_and_dialogs_come_first(root: Path) -> None:
    """Log-in → notice over the page → menu → list; and from the list itself nothing is pressed."""
    desk = Windows(root, LOGIN)
    rig = desk.rig
    following = {"login": MENU | NOTICE, "known": MENU, "menu": TODO}

    def press(name: str | None) -> None:
        if name in following:
            rig.client.shown = dict(following.pop(name))

    rig.on_press = press
    robot = desk.robot
    ways = {
        "notice": lambda: robot.click("known"),
        "login": lambda: robot.click("login"),
        "search": None,
        "menu": lambda: robot.click("menu"),
    }
    go(robot, ways, 20.0)
    assert rig.pressed == ["login", "known", "menu"]
    go(robot, ways, 20.0)
    assert rig.pressed == ["login", "known", "menu"]


def test_a_way_that_leads_nowhere_is_given_up_after_a_fixed_number_of_motions(root: Path) -> None:
    desk = Windows(root, MENU)
    walked: list[int] = []
    with pytest.raises(NotSeenError, match=f"走了 {MOTIONS} 步仍未到达「查询」"):
        go(desk.robot, {"search": None, "menu": lambda: walked.append(1)}, 20.0)
    assert len(walked) == MOTIONS


def test_a_place_that_is_none_of_the_known_is_said(root: Path) -> None:
    desk = Windows(root, OTHER)
    with pytest.raises(NotSeenError, match="没有看到"):
        go(desk.robot, {"search": None, "menu": lambda: None}, 3.0)


def test_a_sign_that_the_version_does_not_have_is_said_at_once(root: Path) -> None:
    desk = Windows(root, TODO)
    with pytest.raises(UnknownAnchorError, match="serch"):
        bring(desk.robot, "client", ["serch"])
