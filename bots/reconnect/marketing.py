"""Motions in 营销2.0: log in, find an order, press 复电 and 归档, see what came of it, send messages.

Until scenarios are recorded these stand here as code; they know anchors and words, no pixels and no coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from anchors.locate import locate
from anchors.sighting import Found
from bots.errors import BusinessError, DoubtfulError, LostPressError, NotSeenError, StepError
from bots.navigation import bring, go
from bots.reconnect.settings import Account, ReconnectSettings
from bots.robot import READ_LEVEL, Robot
from bots.tables import Table, Tables
from recordings.masking import mask_text
from vision import text
from vision.findings import Reading
from vision.frame import Box
from vision.patterns import same_text

FIELDS = ("number", "customer", "name", "status", "address", "phone", "area", "manager_phone", "crew_phone")
"""Fields of an order's page, as anchors `field_…`."""

PATTERNS = {
    "field_number": r"\d{16}",
    "field_customer": r"\d{10}",
    "field_phone": r"\d{11}",
    "field_manager_phone": r"\d{11}",
    "field_crew_phone": r"\d{11}",
}

LOOKS_AGAIN = 8.0
"""Seconds in which an order's page is looked at again while a number or phone on it is not certain: a notice may have come in
front of it while it was read (seen: a phone read as «F»)."""

PENDING, SUCCEEDED = "执行中", "成功"

SIGNS = ("work_mark", "main_mark", "login_submit", "post_title", "notice_title")
"""What shows that a window is 营销2.0."""

DIALOG_CLOSES = 12.0
"""Seconds in which a confirm dialog closes after its button was pressed."""

Way = Callable[[], object] | None


@dataclass(frozen=True, slots=True)
class Command:
    """One line of an order's list of commands."""

    number: int
    word: str
    sent: str
    result: str

    @property
    def pending(self) -> bool:
        return same_text(self.result, PENDING)

    @property
    def succeeded(self) -> bool:
        return same_text(self.result, SUCCEEDED)


class Marketing:
    """The hands on 营销2.0."""

    def __init__(self, robot: Robot, settings: ReconnectSettings) -> None:
        self.robot, self.settings = robot, settings
        self.todo = Tables(robot, "todo")
        self.commands = Tables(robot, "commands")
        self.sms_log = Tables(robot, "sms_log")
        self._ready = False
        """Whether the operator's to-do list was reached since the last start or change of account."""

    # Log in and find the way

    def log_in(self, account: Account) -> None:
        """Fill the log-in page. Raises BusinessError when the client refuses: a wrong password is never tried again."""
        robot = self.robot
        robot.type_into("login_user", account.user)
        robot.type_into("login_password", account.password, secret=True)
        robot.click("login_submit")
        place, _ = robot.wait_seen("login_failed", "post_title", "notice_title", "main_mark", timeout=self.settings.page_timeout)
        if place == "login_failed":
            raise BusinessError(
                robot.say(
                    f"用户 {account.user} 登录被拒绝：用户名或密码错误。不再重试，以免锁定账号。"
                    f"请运行 run.py vault set {account.password.removeprefix('vault:')} 更新密码。",
                    f"The log-in of {account.user} was refused; not tried again so that the account is not locked. "
                    f"Run run.py vault set {account.password.removeprefix('vault:')}.",
                )
            )

    def _choose_post(self, account: Account) -> None:
        self.robot.click("post_texter" if account == self.settings.texter else "post_operator")
        self.robot.click("post_confirm")
        self._gone("post_title")

    def _acknowledge(self) -> None:
        self.robot.click("notice_known")
        self._gone("notice_title")

    def _gone(self, name: str) -> None:
        """A dialog that stays is met again by whoever looks for the way: its press may have been swallowed by a pop-up."""
        with suppress(NotSeenError):
            self.robot.wait_gone(name, timeout=DIALOG_CLOSES)

    def _open_work_window(self) -> None:
        robot = self.robot
        # A menu that opens by a click would be closed by a second one.
        if not robot.sees("menu_supply"):
            robot.click("menu_digital", park=False)
        robot.click("menu_supply", timeout=10)
        robot.wait_seen("work_mark", "login_submit", timeout=self.settings.page_timeout)

    def _log_out(self, user: str) -> None:
        """Leave the account whose name the anchor `user` shows."""
        robot = self.robot
        robot.click(user, park=False)
        robot.click("log_out", timeout=10)
        robot.wait_seen("login_submit", timeout=self.settings.page_timeout)

    def _ways_in(self, account: Account) -> dict[str, Way]:
        """What stands in the way of any page: dialogs first, they lie in front."""
        return {
            "post_title": lambda: self._choose_post(account),
            "notice_title": self._acknowledge,
            "login_submit": lambda: self.log_in(account),
        }

    def start(self) -> None:
        """From wherever the client stands to its to-do list, with what a page still shows of an earlier log-in reloaded."""
        self._ready = False
        bring(self.robot, "marketing", SIGNS)
        self.robot.press("f5")
        self.robot.wait_still(quiet=0.4)
        self.open_todo()

    def open_todo(self) -> None:
        """The to-do list, logged in as the operator. When it is in front already, undimmed, nothing else is looked for."""
        robot = self.robot
        robot.use("marketing")
        if self._ready and robot.sees("todo_search"):
            return
        bring(robot, "marketing", SIGNS)
        ways: dict[str, Way] = {
            **self._ways_in(self.settings.operator),
            "user_texter": lambda: self._log_out("user_texter"),
            "todo_search": None,
            "tree_todo": lambda: robot.click("tree_todo"),
            "tree_manage": lambda: robot.click("tree_manage"),
            "tree_business": lambda: robot.click("tree_business"),
            "menu_digital": self._open_work_window,
        }
        go(robot, ways, self.settings.page_timeout)
        self._ready = True

    # Orders

    def query(self, order: str | None = None) -> None:
        """Filter the to-do list by 复电复核 and, if given, by one order number."""
        robot = self.robot
        robot.click("todo_reset")
        robot.wait_still(timeout=self.settings.page_timeout)
        if order is None:
            robot.choose("filter_type", "option_review")
        else:
            robot.type_into("filter_order", order)
        robot.click("todo_search")
        robot.wait_still(timeout=self.settings.page_timeout)

    def list_orders(self) -> Table:
        """All orders of 复电复核: number, customer and type, with a count check."""
        self.query()
        table = self.todo.read_all("number", ("number", "customer", "type"), timeout=self.settings.page_timeout)
        wanted = self.robot.library.term("review")
        table.rows = [row for row in table.rows if same_text(row["type"], wanted)]
        return table

    def shown(self, order: str) -> bool:
        """Whether the to-do list as it is on the screen has the order, in a look that costs no query."""
        frame = self.robot.wait_still()
        try:
            self.todo.finder("number", order, "action", self.robot.library.term("handle"))(frame)
        except (NotSeenError, DoubtfulError):
            return False
        return True

    def is_listed(self, order: str) -> bool:
        """Query one order and see whether the to-do list has it. Raises NotSeenError when neither can be seen."""
        self.query(order)
        clock = self.robot.desktop.clock
        deadline = clock.now() + self.settings.page_timeout
        while True:
            table = self.todo.read(("number",), timeout=self.settings.page_timeout)
            numbers = [row["number"] for row in table.rows]
            if numbers == [order]:
                return True
            if table.total == 0 and not numbers:
                return False
            if clock.now() > deadline:
                raise NotSeenError(
                    self.robot.say(
                        f"查询工单 {order} 后列表显示 {len(numbers)} 行、共 {table.total} 条，无法判断它是否在待办中。",
                        f"After querying {order} the list shows {len(numbers)} rows of {table.total}; is it there?",
                    ),
                    frame=self.robot.frame,
                )

    def open_order(self, order: str) -> bool:
        """Open an order's page from the list. False when the to-do list no longer has it."""
        robot = self.robot
        if not self.shown(order) and not self.is_listed(order):
            return False
        handle = robot.library.term("handle")
        robot.click_where(
            robot.say(f"工单 {order} 的「{handle}」", f"“{handle}” of order {order}"),
            self.todo.finder("number", order, "action", handle),
            timeout=self.settings.page_timeout,
        )
        robot.wait_seen("detail_mark", timeout=self.settings.page_timeout)
        return True

    def read_details(self, order: str, customer: str) -> dict[str, str]:
        """Every field of the order's page. Number and customer are checked; phones must be certain, for messages go there.

        Raises DoubtfulError: then nothing is pressed.
        """
        readings = self._certain_fields()
        self.robot.check("field_number", readings["field_number"], order)
        self.robot.check("field_customer", readings["field_customer"], customer)
        return {name: _value(readings[f"field_{name}"]) for name in FIELDS}

    def _certain_fields(self) -> dict[str, Reading]:
        robot = self.robot
        names = tuple(f"field_{name}" for name in FIELDS)
        deadline = robot.desktop.clock.now() + LOOKS_AGAIN
        while True:
            readings = robot.read_fields(*names, patterns=PATTERNS, timeout=self.settings.page_timeout)
            doubtful = [name for name, pattern in PATTERNS.items() if not _certain(readings[name], pattern)]
            if not doubtful:
                return readings
            if robot.desktop.clock.now() > deadline:
                titles = "、".join(robot.anchor(name).title for name in doubtful)
                raise DoubtfulError(
                    robot.say(
                        f"「{titles}」没有读清，未继续。可能被弹窗遮挡或显示不全；请查看截图。",
                        f"“{titles}” could not be read for certain; stopped. Is something in front of it? See the picture.",
                    ),
                    frame=robot.frame,
                )
            robot.dismiss_popups(robot.look())

    def status(self) -> str:
        return _value(self.robot.read_fields("field_status")["field_status"])

    def command_list(self) -> list[Command]:
        """The commands that the client itself lists for the order in front, oldest first."""
        table = self.commands.read(timeout=self.settings.page_timeout)
        commands = [
            Command(int(row["number"]), row["command"], row["sent"], row["result"])
            for row in table.rows
            if row["number"].isdigit()
        ]
        return sorted(commands, key=lambda command: command.number)

    def refresh(self) -> None:
        self.robot.click("refresh_button")

    def press_reconnect(self, order: str, customer: str, commit: Callable[[], object]) -> None:
        """Press 复电 and 确定; `commit` is called once nothing but the last press is missing."""
        self._press_confirmed("reconnect", (order, customer), commit)

    def press_archive(self, order: str, customer: str, commit: Callable[[], object]) -> None:
        """Press 归档 and 确定; `commit` as above."""
        self._press_confirmed("archive", (order, customer), commit)

    def _press_confirmed(self, act: str, named: Sequence[str], commit: Callable[[], object]) -> None:
        """Press a button and the 确定 of the dialog it opens, once the dialog names what is meant.

        Whatever goes wrong before `commit` has done nothing: the dialog is cancelled.
        """
        robot = self.robot
        robot.click(f"{act}_button", timeout=self.settings.page_timeout)
        robot.wait_seen(f"{act}_confirm", timeout=self.settings.page_timeout)
        said = self._dialog_text(f"{act}_confirm")
        if any(name not in said for name in named):
            robot.click(f"{act}_cancel")
            raise DoubtfulError(
                robot.say(
                    f"确认框里没有 {'、'.join(named)}，已取消：{mask_text(said)}",
                    f"The dialog does not name {', '.join(named)}; cancelled: {mask_text(said)}",
                ),
                frame=robot.frame,
            )
        robot.wait_seen(f"{act}_ok", timeout=self.settings.page_timeout)
        before = robot.look()
        commit()
        try:
            pressed = robot.click(f"{act}_ok", timeout=self.settings.page_timeout)
        except StepError as error:
            # A click that raises has pressed nothing; the dialog must not stay open for somebody else.
            self._cancel(act)
            raise LostPressError(str(error), frame=error.frame, sighting=error.sighting) from error
        if not robot.wait_left(pressed, before, DIALOG_CLOSES):
            # Presses are handled in order: a client that hears «cancel» after this has not heard «confirm».
            self._cancel(act)
            raise LostPressError(
                robot.say("点击确认后对话框没有关闭，已点取消。", "The dialog stayed open after the press; cancelled."),
                frame=robot.frame,
            )

    def _cancel(self, act: str) -> None:
        if self.robot.sees(f"{act}_cancel"):
            self.robot.click(f"{act}_cancel")

    def _dialog_text(self, title: str) -> str:
        """All text of the dialog under its title, without spaces."""
        frame = self.robot.wait_still()
        sighting = locate(frame, self.robot.anchor(title))
        if not isinstance(sighting, Found):
            return ""
        scale = frame.scale
        box = sighting.box
        window = Box(box.x - round(20 * scale), box.bottom, round(440 * scale), round(170 * scale)).clip(
            frame.width, frame.height
        )
        lines = sorted(text.read_lines(frame, window), key=lambda line: (round(line.box.center.y / (12 * scale)), line.box.x))
        return "".join(line.text for line in lines).replace(" ", "")

    def leave_order(self) -> None:
        """The to-do list, whether or not the order's page has closed by itself."""
        robot = self.robot
        place, _ = robot.wait_seen("todo_search", "back_button", timeout=self.settings.page_timeout)
        if place == "back_button":
            self.close_order()

    def close_order(self) -> None:
        """Back to the to-do list, if the order's page is in front."""
        if self.robot.sees("back_button"):
            self.robot.click("back_button")
        self.robot.wait_seen("todo_search", timeout=self.settings.page_timeout)

    # Messages

    def open_sms(self) -> None:
        """自定义发送短信, logged in with the account that may."""
        robot = self.robot
        robot.use("marketing")
        if not self._ready and robot.sees("sms_button"):
            return
        self._ready = False
        bring(robot, "marketing", SIGNS)
        ways: dict[str, Way] = {
            **self._ways_in(self.settings.texter),
            "user_operator": lambda: self._log_out("user_operator"),
            "sms_button": None,
            "menu_service": self._open_sms_menu,
        }
        go(robot, ways, self.settings.page_timeout)

    def _open_sms_menu(self) -> None:
        robot = self.robot
        if not robot.sees("menu_custom_sms"):
            if not robot.sees("menu_sms"):
                robot.click("menu_service", park=False)
            robot.click("menu_sms", park=False, timeout=10)
        robot.click("menu_custom_sms", timeout=10)
        robot.wait_seen("sms_button", timeout=self.settings.page_timeout)

    def was_sent(self, phone: str, order: str) -> bool:
        """Whether the client's own list of sent messages has one to this number that names this order."""
        self.robot.click("sms_refresh")
        table = self.sms_log.read(("phone", "content"), timeout=self.settings.page_timeout)
        return any(row["phone"] == phone and order in row["content"].replace(" ", "") for row in table.rows)

    def fill_sms(self, phone: str, content: str, shown: Mapping[str, str]) -> None:
        """Fill number and text; the number is read back. `shown` is what the journal may say of them."""
        self.robot.type_into("sms_phone", phone, shown=shown["phone"])
        self.robot.type_into("sms_text", content, shown=shown["content"], verify=False)

    def press_send(self, phone: str, commit: Callable[[], object]) -> None:
        """Press 发送 and 确定, once the dialog names the number."""
        self._press_confirmed("sms", (phone,), commit)


def _certain(reading: Reading, pattern: str) -> bool:
    return reading.lowest >= READ_LEVEL and re.fullmatch(pattern, _value(reading)) is not None


def _value(reading: Reading) -> str:
    return reading.text.strip()
