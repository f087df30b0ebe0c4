"""Robot 1 as a flow of durable stages: list → reconnect and archive each order → read currents → tell people.

What cannot be undone (复电, 归档, a message) goes through the item ledger: intended before the button goes down, observed
after. An intent without an observation is looked for in the client's own lists and never repeated blindly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from bots.errors import (
    BusinessError,
    ClientBusyError,
    DoubtfulError,
    LostPressError,
    NotSeenError,
    SessionExpiredError,
    StepError,
)
from bots.ports import Act, ItemState, Ledger
from bots.reconnect.collection import Collection, Current
from bots.reconnect.marketing import Command, Marketing
from bots.reconnect.messages import Message, compose, masked
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot
from vision.patterns import same_text

REFUSED_GRACE = 8.0
"""Seconds that the client's list must stay without a command that the client itself refused (系统繁忙, 登录已失效) before
the refusal is believed: two witnesses, its word and its list."""

LIST_TRIES = 3
"""How often the to-do list is read again when its rows and its count disagree: orders arrive and leave while it is read."""


class Stages(Protocol):
    """Checkpoints of a run, as `control.engine` gives them."""

    def once(self, name: str, key: str, work: Callable[[bool], dict[str, Any]]) -> dict[str, Any]: ...


class Sealer(Protocol):
    """Encrypts what must be kept but not be readable on a disk."""

    def seal(self, value: Mapping[str, str]) -> str: ...

    def unseal(self, token: str) -> dict[str, str]: ...


class ReconnectFlow:
    """One run of robot 1. `tell` gets a sentence for each thing worth telling a person who watches."""

    def __init__(
        self,
        robot: Robot,
        ledger: Ledger,
        settings: ReconnectSettings,
        sealer: Sealer,
        tell: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[int, int], None] = lambda done, total: None,
        limit: int | None = None,
    ) -> None:
        self.robot, self.ledger, self.settings, self.sealer = robot, ledger, settings, sealer
        self.marketing = Marketing(robot, settings)
        self.collection = Collection(robot, settings)
        self.tell, self.progress = tell, progress
        self.limit = min(limit or settings.orders_limit, settings.orders_limit)
        self._refused: set[tuple[str, str, int]] = set()
        self._details: dict[str, dict[str, str]] = {}
        self._said = ""

    # The flow

    def run(self, stages: Stages) -> dict[str, Any]:
        """Every order of the list to a named state; returns the summary."""
        listed = stages.once("list", "", lambda again: self.list_orders())
        orders: list[dict[str, str]] = listed["orders"]
        total = len(orders) * 2
        for number, order in enumerate(orders):
            self._say_order(number, len(orders), order)
            stages.once("reconnect", order["number"], lambda again, o=order: self._item("reconnect", o, self._reconnect))
            self.progress(number + 1, total)
        for number, order in enumerate(orders):
            stages.once("reading", order["number"], lambda again, o=order: self._item("reading", o, self._first_reading))
            self.progress(len(orders) + number + 1, total)
        for order in orders:
            stages.once("second", order["number"], lambda again, o=order: self._item("second", o, self._second_reading))
        for order in orders:
            stages.once("messages", order["number"], lambda again, o=order: self._item("messages", o, self._messages))
        for order in orders:
            stages.once("close", order["number"], lambda again, o=order: self._close(o))
        return {"complete_list": listed["complete"], "orders": len(orders)}

    def _say_order(self, number: int, count: int, order: Mapping[str, str]) -> None:
        self.tell(
            self.robot.say(f"工单 {number + 1}/{count}：{order['number']}", f"Order {number + 1}/{count}: {order['number']}")
        )

    def list_orders(self) -> dict[str, Any]:
        """The orders of 复电复核, with whether the count agreed. Raises StepError when the client cannot be worked at all."""
        self.robot.item = None
        table = self._try_again(self._read_list)
        orders = [{"number": row["number"], "customer": row["customer"]} for row in table.rows][: self.limit]
        complete = not table.doubtful
        for order in orders:
            if self.ledger.state(order["number"]) is None:
                self.ledger.set_state(order["number"], ItemState.NEW, data={"customer": order["customer"]})
        self.tell(
            self.robot.say(
                f"待办中有 {len(table.rows)} 个复电复核工单", f"{len(table.rows)} orders of 复电复核 in the to-do list"
            )
        )
        return {"orders": orders, "complete": complete}

    def _read_list(self) -> Any:
        self.marketing.start()
        for _ in range(LIST_TRIES):
            table = self.marketing.list_orders()
            if not table.doubtful:
                break
        for reason in table.doubtful:
            self.robot.journal.note("list", reason)
        # A number that was not read for certain is not an order that anything may be done to.
        table.rows = [row for row in table.rows if len(row["number"]) == 16 and len(row["customer"]) == 10]
        return table

    def _try_again(self, work: Callable[[], Any]) -> Any:
        for attempt in range(self.settings.item_retries):
            try:
                return work()
            except StepError as error:
                self.robot.journal.note("retry", str(error))
                if attempt == self.settings.item_retries - 1:
                    raise
        raise AssertionError("unreachable")

    # One stage of one order, whatever happens in it

    def _item(self, stage: str, order: Mapping[str, str], work: Callable[[str, str], None]) -> dict[str, Any]:
        number = order["number"]
        robot = self.robot
        robot.item = number
        robot.take_times()
        started = robot.desktop.clock.now()
        reason = ""
        for attempt in range(self.settings.item_retries):
            try:
                work(number, order["customer"])
                reason = ""
                break
            except BusinessError as error:
                self.ledger.set_state(number, ItemState.BUSINESS_EXCEPTION, str(error))
                raise
            except StepError as error:
                reason = str(error)
                self._note_refusal(number, error)
                robot.journal.note("retry", reason, number, {"stage": stage, "attempt": attempt + 1})
                self._recover()
        if reason:
            self.ledger.set_state(number, ItemState.SYSTEM_EXCEPTION, reason, {f"{stage}_failed": True})
        times = robot.take_times()
        seconds = robot.desktop.clock.now() - started
        self._add_times(number, stage, times, seconds)
        robot.item = None
        return {"seconds": round(seconds, 3), "state": str(self.ledger.state(number))}

    def _note_refusal(self, number: str, error: StepError) -> None:
        """Remember that the client itself said no while an act was unobserved."""
        if isinstance(error, ClientBusyError | SessionExpiredError | LostPressError):
            act = self.ledger.open_act(number)
            if act is not None:
                self._refused.add((number, act.name, act.attempt))

    def _recover(self) -> None:
        """Bring the client back to its start. What cannot be mended now is met again by the next attempt."""
        self.robot.desktop.release_all()
        try:
            self.marketing.start()
        except StepError as error:
            self.robot.journal.note("recover", str(error))

    def _add_times(self, number: str, stage: str, times: Mapping[str, float], seconds: float) -> None:
        data = self.ledger.data(number)
        shares = dict(data.get("shares", {}))
        for name, value in times.items():
            shares[name] = round(shares.get(name, 0.0) + value, 4)
        self.ledger.set_state(
            number,
            self.ledger.state(number) or ItemState.RUNNING,
            data.get("reason", ""),
            {"shares": shares, "seconds": round(data.get("seconds", 0.0) + seconds, 3)},
        )

    def _set(self, number: str, state: ItemState, reason: str = "", **data: Any) -> None:
        self.ledger.set_state(number, state, reason, {"reason": reason, **data})

    # Reconnect and archive

    def _reconnect(self, number: str, customer: str) -> None:
        if (
            self.ledger.data(number).get("reconnect") in {"done", "failed", "unknown", "gone"}
            and self._archived(number) is not False
        ):
            return
        self._set(number, ItemState.RUNNING)
        marketing = self.marketing
        marketing.open_todo()
        if not marketing.open_order(number):
            self._not_listed(number)
            return
        details = marketing.read_details(number, customer)
        self._details[number] = details
        self.ledger.set_state(number, ItemState.RUNNING, "", {"sealed": self.sealer.seal(details), "area": details["area"]})
        outcome, tries = self._until_known(number, customer)
        self._set(number, ItemState.RUNNING, reconnect=outcome, tries=tries)
        say = self.robot.say
        if outcome == "done":
            self.tell(say("  复电成功", "  reconnected"))
            self._archive(number, customer)
        elif outcome == "unknown":
            self._set(
                number,
                ItemState.UNKNOWN,
                say("复电指令已发出，未看到结果，请人工核实", "sent, its result was not seen; a person must look"),
            )
            marketing.close_order()
        else:
            self.tell(say(f"  复电 {tries} 次失败，将通知抢修班组", f"  failed {tries} times, the field crew will be told"))
            marketing.close_order()

    def _archived(self, number: str) -> bool | None:
        """True when archived, False when it is still to be done, None when there is nothing to archive."""
        if self.ledger.data(number).get("reconnect") != "done":
            return None
        return any(act.outcome in {"done", "unknown"} for act in self.ledger.acts(number, "archive"))

    def _not_listed(self, number: str) -> None:
        """The order has left the to-do list: by our own 归档 that was not observed, or by somebody else's hand."""
        say = self.robot.say
        act = self.ledger.open_act(number)
        if act is not None and act.name == "archive":
            self.ledger.observed(act, "done")
            self._set(number, ItemState.RUNNING, archived=True)
        elif act is not None:
            self.ledger.observed(act, "unknown")
            self._set(
                number,
                ItemState.UNKNOWN,
                say("复电指令结果未见，工单已不在待办", "result not seen, the order has left the list"),
                reconnect="unknown",
            )
        elif self._archived(number):
            self._set(number, ItemState.RUNNING, archived=True)
        else:
            self._set(
                number,
                ItemState.BUSINESS_EXCEPTION,
                say("工单已不在待办，可能已由他人处理", "no longer in the list; somebody else worked it"),
                reconnect="gone",
            )

    def _until_known(self, number: str, customer: str) -> tuple[str, int]:
        """Press 复电 as often as the rules allow until it is seen to succeed; at most one act is ever unobserved."""
        while True:
            act = self.ledger.open_act(number, "reconnect")
            if act is not None:
                self._observe_command(act)
                continue
            acts = self.ledger.acts(number, "reconnect")
            tries = sum(1 for a in acts if a.outcome in {"done", "failed", "unknown"})
            for word in ("done", "unknown"):
                if any(a.outcome == word for a in acts):
                    return word, tries
            if tries >= self.settings.tries:
                return "failed", tries
            commands = self._settled_commands()
            if commands and commands[-1].succeeded and self._is_reconnect(commands[-1]):
                # Somebody, or an earlier life of this robot, has done it: it is never done twice.
                return "done", tries
            self.tell(self.robot.say(f"  下发复电指令（第 {tries + 1} 次）", f"  sending the reconnect (try {tries + 1})"))
            self.marketing.press_reconnect(
                number, customer, lambda known=commands: self.ledger.intend(number, "reconnect", {"before": len(known)})
            )

    def _is_reconnect(self, command: Command) -> bool:
        return same_text(command.word, self.robot.library.term("reconnect_command"))

    def _settled_commands(self) -> list[Command]:
        """The client's list of commands once none of them is running."""
        clock = self.robot.desktop.clock
        started = clock.now()
        while True:
            commands = self.marketing.command_list()
            if not any(command.pending for command in commands):
                return commands
            if clock.now() - started > self.settings.result_timeout:
                raise NotSeenError(
                    self.robot.say(
                        "该工单有一条指令一直在执行中，未下发新指令。", "A command of this order is still running; none sent."
                    ),
                    frame=self.robot.frame,
                )
            self._pause()

    def _observe_command(self, act: Act) -> None:
        """Find the act in the client's own list and wait for its result; write down what was seen."""
        clock = self.robot.desktop.clock
        before = int(act.detail["before"])
        started = clock.now()
        refreshed = started
        while True:
            commands = self.marketing.command_list()
            since = clock.now() - started
            if len(commands) > before + 1:
                self.ledger.observed(act, "unknown")
                return
            if len(commands) == before + 1:
                command = commands[-1]
                if not command.pending:
                    self.ledger.observed(act, "done" if command.succeeded else "failed")
                    return
                if since > self.settings.result_timeout:
                    self.ledger.observed(act, "unknown")
                    return
            elif self._is_refused(act) and since > REFUSED_GRACE:
                self.ledger.observed(act, "not sent")
                return
            elif since > self.settings.trace_timeout:
                self.ledger.observed(act, "unknown")
                return
            if clock.now() - refreshed > 5.0:
                refreshed = clock.now()
                self.marketing.refresh()
            self._pause()

    def _is_refused(self, act: Act) -> bool:
        return (act.item, act.name, act.attempt) in self._refused

    def _pause(self) -> None:
        """Give the client time; a dialog that says no is heard here."""
        robot = self.robot
        started = robot.desktop.clock.now()
        try:
            robot.dismiss_popups(robot.look())
        except (ClientBusyError, SessionExpiredError) as error:
            if robot.item is not None:
                self._note_refusal(robot.item, error)
            if isinstance(error, SessionExpiredError):
                raise
        robot.desktop.clock.sleep(0.2)
        robot.watch.wait(robot.desktop.clock.now() - started)

    def _archive(self, number: str, customer: str) -> None:
        act = self.ledger.open_act(number, "archive")
        if act is None:
            status = self.marketing.status()
            if not same_text(status, self.robot.library.term("status_on")):
                raise DoubtfulError(
                    self.robot.say(
                        f"执行记录显示成功，但系统状态是「{status}」，未归档。",
                        f"The list says done but the status reads {status}.",
                    ),
                    frame=self.robot.frame,
                )
            self.marketing.press_archive(number, customer, lambda: self.ledger.intend(number, "archive"))
            act = self.ledger.open_act(number, "archive")
            assert act is not None
            try:
                self.robot.wait_seen("toast_archived", timeout=self.settings.page_timeout / 4)
                self.ledger.observed(act, "done")
            except ClientBusyError as error:
                self._note_refusal(number, error)
            except NotSeenError:
                pass  # the toast may have come and gone: the list decides
        if self.ledger.open_act(number, "archive") is not None:
            self._observe_archive(act)
        if any(a.outcome == "done" for a in self.ledger.acts(number, "archive")):
            self._set(number, ItemState.RUNNING, archived=True)
            self.tell(self.robot.say("  已归档", "  archived"))
        elif any(a.outcome == "unknown" for a in self.ledger.acts(number, "archive")):
            self._set(
                number,
                ItemState.UNKNOWN,
                self.robot.say("归档结果未见，请人工核实", "archiving was not seen to work; a person must look"),
            )
        else:
            raise ClientBusyError(self.robot.say("归档被客户端拒绝", "The client refused to archive"), frame=self.robot.frame)

    def _observe_archive(self, act: Act) -> None:
        """Whether the order has left the to-do list."""
        clock = self.robot.desktop.clock
        started = clock.now()
        self.marketing.leave_order()
        while True:
            if not self.marketing.is_listed(act.item):
                self.ledger.observed(act, "done")
                return
            since = clock.now() - started
            if self._is_refused(act) and since > REFUSED_GRACE:
                self.ledger.observed(act, "not sent")
                return
            if since > self.settings.trace_timeout:
                self.ledger.observed(act, "unknown")
                return

    # Is the power really on?

    def _first_reading(self, number: str, customer: str) -> None:
        data = self.ledger.data(number)
        if data.get("reconnect") != "done" or "reading_1" in data:
            return
        current = self.collection.read_current(customer)
        self._keep_reading(number, "reading_1", current)
        if not current.flows(self.settings.zero_below):
            self._set(number, ItemState.RUNNING, again_at=time.time() + self.settings.second_reading_after)

    def _second_reading(self, number: str, customer: str) -> None:
        data = self.ledger.data(number)
        if "again_at" not in data or "reading_2" in data:
            return
        self._wait_until(float(data["again_at"]))
        self._keep_reading(number, "reading_2", self.collection.read_current(customer))

    def _wait_until(self, moment: float) -> None:
        clock = self.robot.desktop.clock
        started = clock.now()
        told = False
        while time.time() < moment:
            if not told:
                left = moment - time.time()
                self.tell(self.robot.say(f"  等待 {left:.0f} 秒后再次透抄", f"  waiting {left:.0f} s before the second reading"))
                told = True
            clock.sleep(min(1.0, max(0.0, moment - time.time())))
        self.robot.watch.wait(clock.now() - started)

    def _keep_reading(self, number: str, name: str, current: Current) -> None:
        flows = current.flows(self.settings.zero_below)
        self._set(number, ItemState.RUNNING, **{name: current.said, "power": "on" if flows else "off"})
        self.tell(self.robot.say(f"  {number} 透抄电流：{current.said}", f"  {number} current: {current.said}"))

    # Telling people

    def _messages(self, number: str, customer: str) -> None:
        for message in self._due(number, customer):
            acts = self.ledger.acts(number, message.name)
            if any(act.outcome in {"done", "unknown"} for act in acts):
                continue
            self.marketing.open_sms()
            act = self.ledger.open_act(number, message.name)
            if act is None:
                self.marketing.fill_sms(message.phone, message.text, masked(message))
                self.marketing.press_send(message.phone, lambda m=message: self.ledger.intend(number, m.name))
                act = self.ledger.open_act(number, message.name)
                assert act is not None
            self._observe_message(act, message)
            self.tell(self.robot.say(f"  {number} 已发短信：{message.to_zh}", f"  {number} texted: {message.to_en}"))

    def _due(self, number: str, customer: str) -> list[Message]:
        data = self.ledger.data(number)
        failed = data.get("reconnect") == "failed"
        false = data.get("reconnect") == "done" and data.get("power") == "off" and "reading_2" in data
        if not failed and not false:
            return []
        details = self._details.get(number) or self.sealer.unseal(data["sealed"])
        return compose(self.settings, number, customer, int(data.get("tries", 0)), details, failed=failed)

    def _observe_message(self, act: Act, message: Message) -> None:
        clock = self.robot.desktop.clock
        started = clock.now()
        while True:
            if self.marketing.was_sent(message.phone, act.item):
                self.ledger.observed(act, "done")
                return
            since = clock.now() - started
            if self._is_refused(act) and since > REFUSED_GRACE:
                self.ledger.observed(act, "not sent")
                raise ClientBusyError(
                    self.robot.say("短信被客户端拒绝", "The client refused the message"), frame=self.robot.frame
                )
            if since > self.settings.trace_timeout:
                self.ledger.observed(act, "unknown")
                return
            self._pause()

    # The order's state in the end

    def _close(self, order: Mapping[str, str]) -> dict[str, Any]:
        number = order["number"]
        state, reason = self._verdict(number)
        self._set(number, state, reason, finished_at=datetime.now().astimezone().isoformat(timespec="seconds"))
        return {"state": str(state)}

    def _verdict(self, number: str) -> tuple[ItemState, str]:
        data, state = self.ledger.data(number), self.ledger.state(number)
        say = self.robot.say
        if state in {ItemState.UNKNOWN, ItemState.SYSTEM_EXCEPTION, ItemState.BUSINESS_EXCEPTION}:
            return state, data.get("reason", "")
        texts = [act for act in self.ledger.acts(number) if act.name.startswith("sms:")]
        if any(act.outcome != "done" for act in texts):
            return ItemState.UNKNOWN, say(
                "短信是否发出未看到，请人工核实", "a message was not seen to be sent; a person must look"
            )
        if data.get("reconnect") == "failed":
            return ItemState.BUSINESS_EXCEPTION, say("复电失败，已短信通知抢修班组", "failed; the field crew was told")
        if data.get("power") == "off":
            return ItemState.BUSINESS_EXCEPTION, say(
                "假复电，已短信通知客户和台区责任人", "false reconnect; customer and manager told"
            )
        if data.get("power") == "on":
            return ItemState.SUCCEEDED, say("复电成功，电流不为零", "reconnected, current flows")
        return ItemState.SYSTEM_EXCEPTION, say("未能读到电流", "the current could not be read")
