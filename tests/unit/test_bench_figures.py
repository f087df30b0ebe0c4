"""Figures of the benchmarks: what broke is counted against the robot, and every goal judges a figure that exists."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest

from benchmarks import crash, reconnect
from benchmarks.command import GOALS, verdict
from benchmarks.crash import Tally


def order(number: str, own: float, person: bool = False) -> dict[str, Any]:
    return {
        "order": number,
        "expected": "normal",
        "state": "unknown" if person else "succeeded",
        "reason": "",
        "person": person,
        "seconds": 12.0,
        "shares": {"own": own, "waited": 3.0, "find": own / 2, "grab": own / 4},
    }


def session(*orders: dict[str, Any], **more: int) -> dict[str, Any]:
    counts = {"wrong_target": 0, "double": 0, "second_reconnects": 0, "disconnects": 0, "false_reconnects": 0, "unnamed": 0}
    counts |= {"false_reconnects_found": 0, "false_reconnects_told": 0, "person": sum(line["person"] for line in orders)}
    counts |= more
    return {**counts, "asked": len(orders), "orders": list(orders), "wrong_acts": [], "memory_peak": 300.0, "seconds": 60.0}


def test_a_session_that_broke_down_counts_as_unfinished_orders_not_as_nothing() -> None:
    figures = reconnect.figures([session(order("1", 2.0), order("2", 2.0)), {"cell": "x", "failed": "boom", "asked": 2}])
    assert figures["sessions_broken"] == 1
    assert figures["orders"] == 4 and figures["orders_unnamed"] == 2
    assert figures["handled_without_person"] == 0.5


def test_a_false_reconnect_that_was_not_found_is_missed_even_when_others_are_found_twice() -> None:
    figures = reconnect.figures([session(order("1", 1.0), false_reconnects=3, false_reconnects_found=2, false_reconnects_told=2)])
    assert (figures["false_reconnects_missed"], figures["false_reconnects_untold"]) == (1, 1)


def test_the_robots_share_is_the_median_and_where_it_goes_adds_up() -> None:
    figures = reconnect.figures([session(order("1", 1.0), order("2", 2.0), order("3", 9.0))])
    assert figures["robot_seconds_median"] == 2.0
    assert figures["where_it_goes"] == {"find": 2.0, "grab": 1.0}


@pytest.mark.parametrize("name", ["reconnect", "crash"])
def test_every_goal_judges_a_figure_that_the_benchmark_returns(name: str) -> None:
    """A goal for a misspelt figure would be reached for ever."""
    sessions = [session(order("1", 1.0))]
    made = reconnect.figures(sessions) if name == "reconnect" else crash.figures(Tally(Counter(a=3), [2.0, 4.0]), sessions)
    goals = tomllib.loads(GOALS.read_text("utf-8"))[name]
    assert set(goals) <= set(made)
    assert all(verdict(made[key], goal) for key, goal in goals.items())


def test_orders_that_were_never_listed_are_lost() -> None:
    figures = crash.figures(Tally(), [{**session(order("1", 1.0)), "asked": 3}])
    assert figures["lost_orders"] == 2
