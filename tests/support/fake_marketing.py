"""A client of robot 1 without pixels: the client's own lists, a truth behind them, and things that go wrong on demand.

It has the verbs of `bots.reconnect.marketing.Marketing`. The truth checks itself when something arrives: :attr:`Truth.wrongs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from bots.errors import BusinessError, ClientBusyError, LostPressError, NotSeenError, SessionExpiredError
from bots.reconnect.collection import Current
from bots.reconnect.flow import ReconnectFlow
from bots.reconnect.marketing import Command
from bots.reconnect.settings import ReconnectSettings
from bots.tables import Table
from tests.support.fake_desktop import VirtualClock

PRESSES = (
    "arrives",
    "fails",
    "busy before",
    "busy",
    "busy, heard later",
    "busy, but arrives",
    "lost",
    "session",
    "vanishes",
    "crash before",
    "crash after",
)
"""What may become of a press of 确定. ``fails`` arrives and the client then reports 失败; ``busy before`` is said before the
confirm dialog's 确定; ``busy, heard later`` while the robot waits; ``vanishes`` without a word."""


class Crash(BaseException):
    """The process ends here, wherever it is."""


@dataclass
class Sent:
    """A command that reached the client's server."""

    at: float
    succeeds: bool
    shown_at: float
    known_at: float


@dataclass
class Truth:
    """What really happened."""

    clock: VirtualClock
    listed: list[str]
    commands: dict[str, list[Sent]] = field(default_factory=dict)
    archived: list[str] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    """(phone, text)"""
    wrongs: list[str] = field(default_factory=list)
    """What must never happen."""

    def on(self, order: str) -> bool:
        now = self.clock.now()
        return any(c.succeeds and c.known_at <= now for c in self.commands.get(order, []))

    def reconnect(self, order: str, succeeds: bool, shown_after: float = 0.5, known_after: float = 3.0) -> None:
        now = self.clock.now()
        earlier = self.commands.setdefault(order, [])
        if any(c.succeeds for c in earlier):
            self.wrongs.append(f"{order} reconnected again after it succeeded")
        if any(c.known_at > now for c in earlier):
            self.wrongs.append(f"{order} reconnected while another command was running")
        earlier.append(Sent(now, succeeds, now + shown_after, now + known_after))

    def archive(self, order: str) -> None:
        if order in self.archived:
            self.wrongs.append(f"{order} archived twice")
        if not self.on(order):
            self.wrongs.append(f"{order} archived while the power was off")
        self.archived.append(order)
        self.listed.remove(order)

    def message(self, phone: str, text: str) -> None:
        if any(p == phone and text[-16:] == t[-16:] for p, t in self.messages):
            self.wrongs.append(f"{phone} was told twice")
        self.messages.append((phone, text))


class FakeMarketing:
    """The hands on 营销2.0. ``fates`` are what becomes of the presses of 确定 one after the other; then ``usual``."""

    CALLS = 4000
    """More looks than any order needs: a robot that makes more goes round in circles."""

    def __init__(self, truth: Truth, robot: FakeRobot, fates: Sequence[str] = (), usual: str = "arrives") -> None:
        self.truth, self.robot, self.fates, self.usual = truth, robot, list(fates), usual
        self.shown_after, self.known_after = 0.5, 3.0
        self.crash_at: set[int] = set()
        self.calls = 0
        self.presses: list[str] = []
        self.opened: str | None = None
        self.draft = ("", "")
        self.password_refused = False
        self.status_word: str | None = None

    def _tick(self, seconds: float = 0.2) -> None:
        """Every motion takes time; here the process may end."""
        self.calls += 1
        if self.calls > self.CALLS:
            raise AssertionError("the robot goes round in circles")
        if self.calls in self.crash_at:
            raise Crash
        self.robot.desktop.clock.sleep(seconds)

    # Lists and pages

    def start(self) -> None:
        self._tick(1.0)
        self.opened = None

    def open_todo(self) -> None:
        self._tick()
        if self.password_refused:
            raise BusinessError("登录被拒绝")

    def list_orders(self) -> Table:
        self._tick(1.0)
        rows = [{"number": order, "customer": customer(order), "type": "复电复核"} for order in self.truth.listed]
        return Table(rows, len(rows))

    def open_order(self, order: str) -> bool:
        self._tick()
        self.opened = order if order in self.truth.listed else None
        return self.opened is not None

    def is_listed(self, order: str) -> bool:
        self._tick(1.0)
        return order in self.truth.listed

    def read_details(self, order: str, number: str) -> dict[str, str]:
        self._tick()
        assert (self.opened, number) == (order, customer(order))
        return {
            "name": "张建国",
            "address": "城东街道幸福路 18 号 3 幢 502 室",
            "phone": "13812345678",
            "area": "城东村1号公变",
            "manager_phone": "13987654321",
            "crew_phone": "13700001111",
        }

    def status(self) -> str:
        self._tick()
        assert self.opened is not None
        return self.status_word or ("已复电" if self.truth.on(self.opened) else "停电中")

    def command_list(self) -> list[Command]:
        self._tick()
        assert self.opened is not None
        now = self.truth.clock.now()
        shown = [c for c in self.truth.commands.get(self.opened, []) if c.shown_at <= now]
        words = ["执行中" if c.known_at > now else "成功" if c.succeeds else "失败" for c in shown]
        return [Command(n + 1, "复电", "", word) for n, word in enumerate(words)]

    def refresh(self) -> None:
        self._tick()

    def leave_order(self) -> None:
        self._tick()
        self.opened = None

    def close_order(self) -> None:
        self._tick()
        self.opened = None

    # What cannot be undone

    def press_reconnect(self, order: str, number: str, commit: Callable[[], object]) -> None:
        assert self.opened == order and number == customer(order)

        def arrive(succeeds: bool) -> None:
            self.truth.reconnect(order, succeeds, self.shown_after, self.known_after)

        self._press("reconnect", commit, arrive)

    def press_archive(self, order: str, number: str, commit: Callable[[], object]) -> None:
        assert self.opened == order and number == customer(order)
        self._press("archive", commit, lambda succeeds: self.truth.archive(order))

    def open_sms(self) -> None:
        self._tick(1.0)

    def fill_sms(self, phone: str, content: str, shown: Mapping[str, str]) -> None:
        self._tick()
        self.draft = (phone, content)

    def press_send(self, phone: str, commit: Callable[[], object]) -> None:
        assert self.draft[0] == phone
        self._press("sms", commit, lambda succeeds: self.truth.message(*self.draft))

    def was_sent(self, phone: str, order: str) -> bool:
        self._tick()
        return any(p == phone and order in text for p, text in self.truth.messages)

    def _press(self, what: str, commit: Callable[[], object], arrive: Callable[[bool], None]) -> None:
        self._tick()
        fate = self.fates.pop(0) if self.fates else self.usual
        if fate == "fails" and what != "reconnect":
            fate = "arrives"
        self.presses.append(f"{what}: {fate}")
        if fate == "busy before":
            raise ClientBusyError("客户端提示「系统繁忙」")
        commit()
        if fate in ("arrives", "fails", "crash after", "busy, but arrives"):
            arrive(fate != "fails")
        if fate in ("crash before", "crash after"):
            raise Crash
        if fate in ("busy", "busy, but arrives"):
            raise ClientBusyError("客户端提示「系统繁忙」")
        if fate == "busy, heard later":
            self.robot.dialogs.append(ClientBusyError("客户端提示「系统繁忙」"))
        if fate == "lost":
            raise LostPressError("点击确认后对话框没有关闭，已点取消。")
        if fate == "session":
            raise SessionExpiredError("客户端提示「登录已失效」")


class FakeRobot:
    """What the flow asks of a robot beside its clients."""

    TERMS: Mapping[str, str] = {"reconnect_command": "复电", "status_on": "已复电", "review": "复电复核"}

    def __init__(self, clock: VirtualClock, truth: Truth) -> None:
        self.desktop = SimpleNamespace(clock=clock, release_all=lambda: None)
        self.truth = truth
        self.library = SimpleNamespace(term=lambda name: self.TERMS[name])
        self.watch = SimpleNamespace(wait=lambda seconds: None)
        self.notes: list[str] = []
        self.journal = SimpleNamespace(note=lambda kind, message, item=None, data=None: self.notes.append(message))
        self.item: str | None = None
        self.frame = None
        self.dialogs: list[Exception] = []
        self.toasts = True

    def say(self, zh: str, en: str) -> str:
        return zh

    def take_times(self) -> dict[str, float]:
        return {"own": 0.1, "waited": 0.5}

    def look(self) -> None:
        self.desktop.clock.sleep(0.02)

    def dismiss_popups(self, frame: object) -> bool:
        if self.dialogs:
            raise self.dialogs.pop(0)
        return False

    def wait_seen(self, *names: str, timeout: float = 30.0) -> object:
        assert names == ("toast_archived",)
        if self.dialogs:
            raise self.dialogs.pop(0)
        if self.toasts and self.truth.archived and self.item == self.truth.archived[-1]:
            return names
        self.desktop.clock.sleep(timeout)
        raise NotSeenError("没有看到「归档成功」")


class Meters:
    """采集2.0: amperes by customer; 0.0 is 假复电, None is no answer."""

    def __init__(self, amperes: Mapping[str, float | None] | None = None) -> None:
        self.amperes = dict(amperes or {})
        self.reads: list[str] = []

    def read_current(self, number: str) -> Current:
        self.reads.append(number)
        value = self.amperes.get(number, 1.234)
        return Current(value is not None, (value,), "--" if value is None else f"{value:.3f}")


class Paper:
    """A sealer whose seal is only hexadecimal: nothing readable, enough for a test."""

    def seal(self, value: Mapping[str, str]) -> str:
        return json.dumps(dict(value)).encode().hex()

    def unseal(self, token: str) -> dict[str, str]:
        return dict(json.loads(bytes.fromhex(token)))


class Checkpoints:
    """Stages that are done stay done over a crash, as `control.engine` keeps them."""

    def __init__(self) -> None:
        self.done: dict[tuple[str, str], dict[str, Any]] = {}
        self.begun: set[tuple[str, str]] = set()

    def once(self, name: str, key: str, work: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
        place = (name, key)
        if place not in self.done:
            again = place in self.begun
            self.begun.add(place)
            self.done[place] = work(again)
        return self.done[place]


def customer(order: str) -> str:
    return f"33{order[-8:]}"


def order_number(n: int) -> str:
    return f"32010000{n:08d}"


class World:
    """The outside world of one story: it stays when the robot's process ends and starts anew."""

    def __init__(self, orders: int = 1, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.orders = [order_number(n + 1) for n in range(orders)]
        self.truth = Truth(self.clock, list(self.orders))
        self.robot = FakeRobot(self.clock, self.truth)
        self.client = FakeMarketing(self.truth, self.robot)
        self.meters = Meters()
        self.stages = Checkpoints()
        self.settings = ReconnectSettings(second_reading_after=0.0, **settings)

    def process(self, ledger: Any) -> ReconnectFlow:
        """A fresh process: it knows the ledger and what it sees, nothing else."""
        self.robot.item = None
        flow = ReconnectFlow(self.robot, ledger, self.settings, Paper())  # type: ignore[arg-type]
        flow.marketing = self.client  # type: ignore[assignment]
        flow.acts.marketing = self.client  # type: ignore[assignment]
        flow.collection = self.meters  # type: ignore[assignment]
        return flow

    def run(self, open_ledger: Callable[[], Any]) -> tuple[Any, int]:
        """Run to the end, starting again after every crash. Returns the last ledger and the number of crashes."""
        crashes = 0
        while True:
            ledger = open_ledger()
            try:
                self.process(ledger).run(self.stages)
                return ledger, crashes
            except Crash:
                crashes += 1
                ledger.close()
