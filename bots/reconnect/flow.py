"""Robot 1 as a flow of durable stages: list → reconnect and archive each order → read currents → tell people.

What cannot be undone (复电, 归档, a message) goes through the item ledger: intended before the button goes down, observed
after. An intent without an observation is looked for in the client's own lists and never repeated blindly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from bots.errors import (
    BusinessError,
    ClientBusyError,
    StepError,
)
from bots.ports import ItemState, Ledger
from bots.reconnect.acts import Acts, Sealer
from bots.reconnect.collection import Collection, Current
from bots.reconnect.marketing import Marketing
from bots.reconnect.messages import Message, compose, masked
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot

STAGES = ("reconnect", "reading", "second", "messages")
"""What is done for each order, one stage after the other."""

READING_STAGES = frozenset({"reading", "second"})
"""Stages that work 采集2.0."""

LIST_TRIES = 3
"""How often the to-do list is read again when its rows and its count disagree: orders arrive and leave while it is read."""


class Stages(Protocol):
    """Checkpoints of a run, as `control.engine` gives them."""

    def once(self, name: str, key: str, work: Callable[[bool], dict[str, Any]]) -> dict[str, Any]: ...


Work = Callable[[str, str], None]
"""What a stage does for one order: number and customer."""


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
        self.acts = Acts(robot, ledger, self.marketing, settings, sealer, tell)

    # The flow

    def run(self, stages: Stages) -> dict[str, Any]:
        """Every order of the list to a named state; returns the summary."""
        listed = stages.once("list", "", lambda again: self.list_orders())
        orders: list[dict[str, str]] = listed["orders"]
        total = len(orders) * 2
        for number, order in enumerate(orders):
            self._say_order(number, len(orders), order)
            self._stage(stages, "reconnect", order, self.acts.reconnect)
            self.progress(number + 1, total)
        for number, order in enumerate(orders):
            self._stage(stages, "reading", order, self._first_reading)
            self.progress(len(orders) + number + 1, total)
        for order in orders:
            self._stage(stages, "second", order, self._second_reading)
        for order in orders:
            self._stage(stages, "messages", order, self._messages)
        for order in orders:
            stages.once("close", order["number"], partial(self._close, order))
        return {"complete_list": listed["complete"], "orders": len(orders)}

    def _stage(self, stages: Stages, name: str, order: Mapping[str, str], work: Work) -> None:
        stages.once(name, order["number"], partial(self._item, name, order, work))

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

    def _item(self, stage: str, order: Mapping[str, str], work: Work, again: bool) -> dict[str, Any]:
        number = order["number"]
        robot = self.robot
        robot.item = number
        robot.take_times()
        started = robot.desktop.clock.now()
        reason = ""
        if again:
            # An earlier life was killed in this stage: a dialog or a half-filled page of its may still be in front.
            self._recover(stage)
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
                self.acts.note_refusal(number, error)
                robot.journal.note("retry", reason, number, {"stage": stage, "attempt": attempt + 1})
                if not isinstance(error, ClientBusyError):
                    self._recover(stage)
        if reason:
            self._set(number, ItemState.SYSTEM_EXCEPTION, reason)
        times = robot.take_times()
        seconds = robot.desktop.clock.now() - started
        self._add_times(number, stage, times, seconds, reason)
        robot.item = None
        return {"seconds": round(seconds, 3), "state": str(self.ledger.state(number))}

    def _recover(self, stage: str) -> None:
        """Bring the client back to its start. What cannot be mended now is met again by the next attempt.

        A client that was only busy stands where it stood; 采集2.0 is found again by every reading from wherever it is.
        """
        self.robot.desktop.release_all()
        if stage in READING_STAGES:
            return
        try:
            self.marketing.start()
        except StepError as error:
            self.robot.journal.note("recover", str(error))

    def _add_times(self, number: str, stage: str, times: Mapping[str, float], seconds: float, failed: str) -> None:
        data = self.ledger.data(number)
        shares = dict(data.get("shares", {}))
        for name, value in times.items():
            shares[name] = round(shares.get(name, 0.0) + value, 4)
        self.ledger.set_state(
            number,
            self.ledger.state(number) or ItemState.RUNNING,
            data.get("reason", ""),
            {"shares": shares, "seconds": round(data.get("seconds", 0.0) + seconds, 3), f"{stage}_failed": failed},
        )

    def _set(self, number: str, state: ItemState, reason: str = "", **data: Any) -> None:
        self.ledger.set_state(number, state, reason, {"reason": reason, **data})

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
                self.marketing.press_send(message.phone, partial(self.ledger.intend, number, message.name))
                act = self.ledger.open_act(number, message.name)
                assert act is not None
            self.acts.observe_message(act, message)
            self.tell(self.robot.say(f"  {number} 已发短信：{message.to_zh}", f"  {number} texted: {message.to_en}"))

    def _due(self, number: str, customer: str) -> list[Message]:
        data = self.ledger.data(number)
        failed = data.get("reconnect") == "failed"
        false = data.get("reconnect") == "done" and data.get("power") == "off" and "reading_2" in data
        if not failed and not false:
            return []
        details = self.sealer.unseal(data["sealed"])
        return compose(self.settings, number, customer, int(data.get("tries", 0)), details, failed=failed)

    # The order's state in the end

    def _close(self, order: Mapping[str, str], again: bool) -> dict[str, Any]:
        number = order["number"]
        state, reason = self._verdict(number)
        self._set(number, state, reason, finished_at=datetime.now().astimezone().isoformat(timespec="seconds"))
        return {"state": str(state)}

    def _verdict(self, number: str) -> tuple[ItemState, str]:
        data, state = self.ledger.data(number), self.ledger.state(number)
        say = self.robot.say
        last = {act.name: act.outcome for act in self.ledger.acts(number)}
        # What a person must look at comes first; a later stage may have gone well all the same.
        if last.get("archive") in {None, "unknown"} and "archive" in last:
            return ItemState.UNKNOWN, say("归档结果未见，请人工核实", "archiving was not seen to work; a person must look")
        if state in {ItemState.UNKNOWN, ItemState.BUSINESS_EXCEPTION}:
            return state, data.get("reason", "")
        if any(outcome in {None, "unknown"} for name, outcome in last.items() if name.startswith("sms:")):
            return ItemState.UNKNOWN, say(
                "短信是否发出未看到，请人工核实", "a message was not seen to be sent; a person must look"
            )
        failed = next((data[key] for key in map("{}_failed".format, STAGES) if data.get(key)), "")
        if failed or state is ItemState.SYSTEM_EXCEPTION:
            return ItemState.SYSTEM_EXCEPTION, failed or data.get("reason", "")
        if data.get("reconnect") == "done" and not data.get("archived"):
            return ItemState.SYSTEM_EXCEPTION, say("复电成功但未归档", "reconnected but not archived")
        if data.get("reconnect") == "failed":
            return ItemState.BUSINESS_EXCEPTION, say("复电失败，已短信通知抢修班组", "failed; the crew was told")
        if data.get("power") == "off":
            return ItemState.BUSINESS_EXCEPTION, say(
                "假复电，已短信通知客户和台区责任人", "false reconnect; customer and manager told"
            )
        if data.get("power") == "on":
            return ItemState.SUCCEEDED, say("复电成功，电流不为零", "reconnected, current flows")
        return ItemState.SYSTEM_EXCEPTION, say("未能读到电流", "the current could not be read")
