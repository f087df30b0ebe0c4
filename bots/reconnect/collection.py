"""Motions in 采集2.0: log in and read a meter's current by 透抄. Reading changes nothing, so it may be repeated."""

from __future__ import annotations

from dataclasses import dataclass

from bots.errors import BusinessError, DoubtfulError, NotSeenError
from bots.navigation import bring, go
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot
from bots.tables import CHECK, Tables
from vision.patterns import same_text

SIGNS = ("collection_mark", "login_submit")
PHASES = ("phase_a", "phase_b", "phase_c")


@dataclass(frozen=True, slots=True)
class Current:
    """What a meter answered."""

    answered: bool
    amperes: tuple[float | None, ...]
    """Phases A, B, C; None for a phase the meter does not have."""
    said: str
    """As the client showed it, for people."""

    def flows(self, zero_below: float) -> bool:
        """Whether current flows in any phase: the power is really on."""
        return self.answered and any(a is not None and abs(a) >= zero_below for a in self.amperes)


class Collection:
    """The hands on 采集2.0."""

    def __init__(self, robot: Robot, settings: ReconnectSettings) -> None:
        self.robot, self.settings = robot, settings
        self.meters = Tables(robot, "meters")
        self.readings = Tables(robot, "readings")

    def _log_in(self) -> None:
        robot, account = self.robot, self.settings.reader
        robot.type_into("login_user", account.user)
        robot.type_into("login_password", account.password, secret=True)
        robot.click("login_submit")
        place, _ = robot.wait_seen("login_failed", "collection_mark", timeout=self.settings.page_timeout)
        if place == "login_failed":
            name = account.password.removeprefix("vault:")
            raise BusinessError(
                robot.say(
                    f"用户 {account.user} 登录采集系统被拒绝，不再重试。请运行 run.py vault set {name} 更新密码。",
                    f"The log-in of {account.user} to the collection system was refused; run run.py vault set {name}.",
                )
            )

    def open_passthrough(self) -> None:
        """The 透抄 page, with 电流 chosen."""
        robot = self.robot
        robot.use("collection")
        if robot.sees("passthrough_query"):
            return
        bring(robot, "collection", SIGNS)
        ways = {
            "login_submit": self._log_in,
            "passthrough_query": None,
            "tree_passthrough": lambda: robot.click("tree_passthrough"),
            "tree_recall": lambda: robot.click("tree_recall"),
        }
        go(robot, ways, self.settings.page_timeout)

    def read_current(self, customer: str) -> Current:
        """Ask the meter of one customer for its current and wait for the answer. Raises StepError."""
        robot = self.robot
        self.open_passthrough()
        before = self._latest(customer)
        self._query(customer)
        robot.click_where(
            robot.say(f"户号 {customer} 前的勾选框", f"the check box of customer {customer}"),
            self.meters.finder("customer", customer, CHECK),
            timeout=self.settings.page_timeout,
        )
        self._check_ticked(customer)
        if not robot.sees("item_is_current"):
            robot.choose("item_field", "option_current")
            robot.wait_seen("item_is_current", timeout=10)
        robot.click("passthrough_read")
        return self._await(customer, before)

    def _check_ticked(self, customer: str) -> None:
        """The tick must be seen: an unticked row would read nothing."""
        robot = self.robot
        clock = robot.desktop.clock
        deadline = clock.now() + 3.0
        while not self.meters.is_checked(robot.look(), "customer", customer):
            if clock.now() > deadline:
                raise DoubtfulError(robot.say("勾选后没有看到勾。", "The tick is not seen after the click."), frame=robot.frame)
            clock.sleep(0.05)

    def _query(self, customer: str) -> None:
        robot = self.robot
        robot.type_into("passthrough_customer", customer)
        robot.click("passthrough_query")
        clock = robot.desktop.clock
        deadline = clock.now() + self.settings.page_timeout
        while True:
            table = self.meters.read(("customer",), timeout=self.settings.page_timeout)
            if [row["customer"] for row in table.rows] == [customer]:
                return
            if clock.now() > deadline:
                raise NotSeenError(
                    robot.say(
                        f"在采集系统查询户号 {customer} 后没有只看到这一户（看到 {len(table.rows)} 行）。",
                        f"After querying {customer} not just this customer is shown ({len(table.rows)} rows).",
                    ),
                    frame=robot.frame,
                )

    def _rows(self, customer: str) -> list[dict[str, str]]:
        wanted = self.robot.library.term("current")
        table = self.readings.read(timeout=self.settings.page_timeout)
        return [row for row in table.rows if row["customer"] == customer and same_text(row["item"], wanted)]

    def _latest(self, customer: str) -> tuple[int, str]:
        """How many readings of this customer are shown and when the last was asked for, to tell a new one from an old."""
        rows = self._rows(customer)
        return len(rows), max((row["time"] for row in rows), default="")

    def _await(self, customer: str, before: tuple[int, str]) -> Current:
        robot = self.robot
        clock = robot.desktop.clock
        started = clock.now()
        while True:
            rows = self._rows(customer)
            newest = max(rows, key=lambda row: row["time"], default=None)
            fresh = newest is not None and (newest["time"] > before[1] or len(rows) > before[0])
            if newest is not None and fresh and not same_text(newest["status"], "执行中"):
                robot.watch.wait(0.0)
                return _current(newest)
            if clock.now() - started > self.settings.reading_timeout:
                return Current(False, (None, None, None), robot.say("超时无结果", "no result in time"))
            pause = clock.now()
            robot.dismiss_popups(robot.look())
            clock.sleep(0.3)
            robot.watch.wait(clock.now() - pause)


def _current(row: dict[str, str]) -> Current:
    """Raises DoubtfulError when a value cannot be read as a number: then nothing is concluded from it."""
    if same_text(row["status"], "无应答"):
        return Current(False, (None, None, None), "无应答")
    values: list[float | None] = []
    for phase in PHASES:
        said = row[phase].replace(" ", "")
        if said.strip("-—–一") == "":
            values.append(None)
            continue
        try:
            values.append(float(said))
        except ValueError:
            raise DoubtfulError(
                f"电流读数「{said}」不是数字，未采用。 / The reading “{said}” is not a number; not used."
            ) from None
    return Current(True, tuple(values), " / ".join(row[phase] or "--" for phase in PHASES))
