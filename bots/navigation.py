"""Finding the way in a client from wherever it stands: what is seen decides the next motion, until the goal is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bots.errors import NotSeenError
from bots.robot import Robot

MOTIONS = 16
"""Motions at most from any place to the goal; a log-in with dialogs and menus takes eight."""

TABS = 8
"""Windows that are looked through for a client."""

GLANCE = 1.2
"""Seconds that a window gets to paint after it came to the front."""


def bring(robot: Robot, system: str, signs: Sequence[str], keys: Sequence[str] = ("ctrl", "tab"), glance: float = GLANCE) -> str:
    """Bring the window that shows one of `signs` to the front; returns the sign seen. Raises NotSeenError.

    The window is switched as a person does it, and what came to the front is looked at, never assumed.
    """
    robot.use(system)
    for turn in range(TABS):
        try:
            return robot.wait_seen(*signs, timeout=glance if turn else glance / 2, popups=turn > 0)[0]
        except NotSeenError:
            if turn == TABS - 1:
                raise
        before = robot.look()
        robot.press(*keys)
        # What is still painted of the window that goes away must not be taken for the one that comes.
        robot.wait_changed(before, timeout=2.0)
        robot.wait_still(timeout=3.0)
    raise AssertionError("unreachable")


def go(robot: Robot, ways: Mapping[str, Callable[[], object] | None], timeout: float) -> None:
    """Do what belongs to the first place seen, until the goal, the place whose way is None, is seen.

    Places are tried in the order given: dialogs come before the pages behind them. Raises NotSeenError.
    """
    goal = next(name for name, way in ways.items() if way is None)
    for _ in range(MOTIONS):
        place, _ = robot.wait_seen(*ways, timeout=timeout)
        way = ways[place]
        if way is None:
            return
        way()
        robot.wait_still(timeout=3.0)
    raise NotSeenError(
        robot.say(
            f"走了 {MOTIONS} 步仍未到达「{robot.anchor(goal).title}」。客户端的页面可能与标定时不同；请查看截图。",
            f"“{robot.anchor(goal).title}” was not reached in {MOTIONS} motions. The client may have changed; see the picture.",
        ),
        frame=robot.frame,
    )
