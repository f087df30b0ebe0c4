"""What the stand-ins do and what their truth says of it; time is given, nobody waits."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from simulators.collection import Collection
from simulators.faults import Faults, parse
from simulators.marketing import Marketing
from simulators.population import ACCOUNTS, RECONNECT, classes, populate
from simulators.service import Busy, Call, Denied, Expired, Refused
from simulators.store import Store
from simulators.truth import Order, Truth

MIX = frozenset({"fail_n", "false"})


class World:
    """Both systems on one database; ``now`` is moved by hand."""

    def __init__(self, path: Path, faults: frozenset[str] = frozenset(), seed: int = 1, factor: float = 0.0) -> None:
        self.now = 1_800_000_000.0
        self.store = Store(path)
        with self.store.open() as db:
            populate(db, seed, 12, MIX, self.now)
        self.truth = Truth(path)
        self.systems = {
            "marketing": Marketing(self.store, Faults(faults, seed, "marketing"), factor),
            "collection": Collection(self.store, Faults(faults, seed, "collection"), factor),
        }
        self.tokens: dict[str, str | None] = {}

    def login(self, user: str) -> None:
        system, _, secret, _, posts, _ = next(account for account in ACCOUNTS if account[1] == user)
        call = Call({"user": user, "password": secret}, self.now)
        self.systems[system].answer("login", call)
        self.tokens[system] = call.cookie
        if system == "marketing":
            self.do("marketing", "post", post=posts[0])

    def do(self, system: str, name: str, **params: Any) -> Any:
        """One call, a second after the one before."""
        self.now += 1.0
        return self.systems[system].answer(name, Call(params, self.now, self.tokens.get(system)))

    def reconnect(self, order: Order) -> str:
        """Press 复电 once; returns the 系统状态 that is shown afterwards."""
        self.do("marketing", "reconnect", order=order.number)
        return str(self.do("marketing", "order", order=order.number)["status"])

    def current(self, customer: str) -> tuple[str, str]:
        """透抄 of the current: (status, phase A)."""
        self.do("collection", "read", customers=[customer], item="电流")
        row = self.do("collection", "readings")["rows"][0]
        return row["status"], row["a"]

    def one(self, expected: str) -> Order:
        return next(order for order in self.truth.orders(True) if order.expected == expected)

    def wrong(self) -> list[str]:
        return [act.kind for act in self.truth.wrong_acts()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "truth.sqlite")
    made.login("fkzb01")
    made.login("cjdc01")
    return made


def test_one_seed_gives_the_same_people_and_outcomes_another_seed_others(tmp_path: Path) -> None:
    def people(name: str, seed: int) -> list[tuple[Any, ...]]:
        return [
            (o.number, o.customer, o.name, o.kind, o.expected, o.phone) for o in World(tmp_path / name, seed=seed).truth.orders()
        ]

    assert people("a", 7) == people("b", 7)
    assert people("a2", 7) != people("c", 8)


def test_numbers_look_like_the_real_ones_and_have_near_twins(world: World) -> None:
    orders = world.truth.orders()
    assert all(len(o.number) == 16 and len(o.customer) == 10 and len(o.phone) == 11 for o in orders)
    mine, others = world.truth.orders(True), world.truth.orders(False)
    assert len(mine) == 12
    assert {o.kind for o in others} >= {"停电复核", "停复电", "换表"}

    def one_digit_apart(a: str, b: str) -> bool:
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1

    assert any(one_digit_apart(m.customer, o.customer) and one_digit_apart(m.number, o.number) for m in mine for o in others)


def test_the_mix_holds_every_kind_and_only_what_the_faults_allow() -> None:
    every = {"normal", "fails_n", "fails_always", "false_reconnect", "late_current", "no_answer"}
    assert set(classes(8, MIX, random.Random(1))) == every
    assert set(classes(40, frozenset(), random.Random(1))) == {"normal"}
    assert set(classes(40, frozenset({"false"}), random.Random(1))) == every - {"fails_n", "fails_always"}


def test_a_clean_order_leaves_nothing_wrong(world: World) -> None:
    order = world.one("normal")
    assert world.do("marketing", "order", order=order.number)["status"] == "停电"
    with pytest.raises(Refused):
        world.do("marketing", "archive", order=order.number)
    assert world.reconnect(order) == "已复电"
    world.do("marketing", "archive", order=order.number)
    status, amps = world.current(order.customer)
    assert status == "成功" and float(amps) > 0
    assert world.truth.archived() == {order.number}
    assert world.truth.readings(order.customer)[-1].current_flows
    assert world.wrong() == []
    rows = world.do("marketing", "done", order=order.number)["rows"]
    assert [row["number"] for row in rows] == [order.number]
    assert world.do("marketing", "todo", order=order.number)["total"] == 0


def test_second_reconnect_wrong_order_and_disconnect_are_counted(world: World) -> None:
    order, decoy = world.one("normal"), world.truth.orders(False)[0]
    world.reconnect(order)
    world.reconnect(order)
    world.reconnect(decoy)
    world.do("marketing", "disconnect", order=order.number)
    assert world.wrong() == ["second_reconnect", "wrong_order", "disconnect"]
    assert world.truth.reconnects_per_order() == {order.number: 2, decoy.number: 1}
    assert [c.order for c in world.truth.second_reconnects()] == [order.number]


def test_a_reconnect_while_the_first_one_runs_is_blind(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite")
    world.login("fkzb01")
    world.systems["marketing"].factor = 0.0
    order = world.one("fails_always")
    world.systems["marketing"].seconds = lambda low, high: 50.0 if low == 2.0 else 0.0  # type: ignore[method-assign]
    assert world.reconnect(order) == "复电中"
    world.reconnect(order)
    assert world.wrong() == ["blind_reconnect"]
    world.now += 60
    assert world.do("marketing", "order", order=order.number)["status"] == "复电失败"


def test_fails_n_succeeds_at_its_attempt_and_fails_always_never(world: World) -> None:
    order = world.one("fails_n")
    assert order.succeeds_at in (2, 3)
    seen = [world.reconnect(order) for _ in range(order.succeeds_at or 0)]
    assert seen == ["复电失败"] * ((order.succeeds_at or 0) - 1) + ["已复电"]
    assert [world.reconnect(world.one("fails_always")) for _ in range(4)] == ["复电失败"] * 4
    assert world.wrong() == []


def test_false_late_and_silent_meters(world: World) -> None:
    world.systems["collection"].factor = 1.0
    world.systems["collection"].seconds = lambda low, high: 0.0  # type: ignore[method-assign]
    false, late, silent = world.one("false_reconnect"), world.one("late_current"), world.one("no_answer")
    for order in (false, late, silent):
        assert world.reconnect(order) == "已复电"
    assert world.current(false.customer) == ("成功", "0.000")
    assert world.current(late.customer) in (("成功", "0.000"), ("无应答", "--"))
    assert world.current(silent.customer) == ("无应答", "--")
    world.now += 300
    assert world.current(false.customer) == ("成功", "0.000")
    assert float(world.current(late.customer)[1]) > 0
    assert world.current(silent.customer) == ("无应答", "--")
    assert [o.number for o in world.truth.false_reconnects()] == [false.number]


def test_texts_are_held_against_the_order_they_mention(world: World) -> None:
    always, normal = world.one("fails_always"), world.one("normal")
    with pytest.raises(Denied):
        world.do("marketing", "send", number=always.crew_phone, text=always.number)
    world.login("dxfs01")
    world.do("marketing", "send", number=always.crew_phone, text=f"工单{always.number}复电失败，请现场处理。")
    assert world.wrong() == []
    assert (always.number, "crew") in {(s.order, s.role) for s in world.truth.sms()}
    assert always.number not in {order.number for order, _ in world.truth.sms_missing()}
    world.do("marketing", "send", number=always.crew_phone, text=f"用户{always.customer}复电失败，请现场处理。")
    world.do("marketing", "send", number="13000000000", text=f"工单{always.number}复电失败。")
    world.do("marketing", "send", number=normal.phone, text=f"用户{normal.customer}已复电。")
    world.do("marketing", "send", number=normal.phone, text="您好。")
    assert world.wrong() == ["sms_twice", "sms_wrong_number", "sms_not_due", "sms_unknown_order"]
    with pytest.raises(Refused):
        world.do("marketing", "send", number=normal.phone, text="长" * 71)


def test_busy_carries_nothing_out_and_never_strikes_twice_in_a_row(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite", frozenset({"busy"}))
    world.login("fkzb01")
    order = world.one("fails_always")
    outcomes = []
    for _ in range(60):
        try:
            world.do("marketing", "reconnect", order=order.number)
            outcomes.append("done")
        except Busy:
            outcomes.append("busy")
    assert outcomes.count("busy") >= 1
    assert all(pair != ("busy", "busy") for pair in itertools.pairwise(outcomes))
    assert len(world.truth.reconnects()) == outcomes.count("done")
    assert sum(not e.carried_out for e in world.truth.events("reconnect")) == outcomes.count("busy")


def test_a_session_ends_on_time_and_a_new_one_helps(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite", frozenset({"session"}))
    world.login("fkzb01")
    world.now += 140
    assert world.do("marketing", "todo")["total"] > 12
    world.now += 200
    with pytest.raises(Expired):
        world.do("marketing", "reconnect", order=world.one("normal").number)
    assert world.truth.reconnects() == []
    world.login("fkzb01")
    assert world.do("marketing", "todo")["total"] > 12


def test_reorder_moves_another_order_to_the_top(world: World) -> None:
    world.systems["marketing"].faults.order("reorder")
    before = world.do("marketing", "todo", kind=RECONNECT, size=50)
    assert 1.0 <= before["reorder_after"] <= 3.0
    after = world.systems["marketing"].answer(
        "todo", Call({"kind": RECONNECT, "size": 50, "reorder": 1}, world.now, world.tokens["marketing"], background=True)
    )
    assert after["rows"][0]["number"] != before["rows"][0]["number"]
    assert sorted(r["number"] for r in after["rows"]) == sorted(r["number"] for r in before["rows"])


def test_late_shows_the_outcome_later_than_it_came_about(world: World) -> None:
    world.systems["marketing"].seconds = lambda low, high: high if low >= 2.0 else 0.0  # type: ignore[method-assign]
    world.systems["marketing"].faults.order("late")
    assert world.reconnect(world.one("normal")) == "复电中"
    command = world.truth.reconnects()[0]
    assert command.visible_at - command.finished_at == pytest.approx(14.0)


def test_wrong_password_opens_nothing(world: World) -> None:
    with pytest.raises(Refused, match="用户名或密码错误"):
        world.systems["marketing"].answer("login", Call({"user": "fkzb01", "password": "wrong"}, world.now))
    with pytest.raises(Expired):
        world.systems["marketing"].answer("todo", Call({}, world.now, "no such token"))


def test_fault_lists_are_checked() -> None:
    assert parse("none") == frozenset()
    assert "popup" in parse("all")
    with pytest.raises(ValueError, match="unknown faults typo"):
        parse("slow,typo")


def test_truth_says_where_it_looked_in_vain(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Truth(tmp_path / "nowhere.sqlite")
