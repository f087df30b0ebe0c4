"""The acts of robot 1 that cannot be undone, each at most once: 复电, 归档, a message. Intended before, observed after.

An intent without an observation is looked for in the client's own lists; what cannot be seen there is left to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from bots.errors import ClientBusyError, DoubtfulError, LostPressError, NotSeenError, SessionExpiredError, StepError
from bots.ports import Act, ItemState, Ledger
from bots.reconnect.marketing import Command, Marketing
from bots.reconnect.messages import Message
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot
from vision.patterns import same_text

REFUSED_GRACE = 8.0
"""Seconds that the client's list must stay without a command that the client itself refused (系统繁忙, 登录已失效) before
the refusal is believed: two witnesses, its word and its list."""


class Sealer(Protocol):
    """Encrypts what must be kept but not be readable on a disk."""

    def seal(self, value: Mapping[str, str]) -> str: ...

    def unseal(self, token: str) -> dict[str, str]: ...


class Acts:
    """What is done to one order in 营销2.0."""

    def __init__(
        self,
        robot: Robot,
        ledger: Ledger,
        marketing: Marketing,
        settings: ReconnectSettings,
        sealer: Sealer,
        tell: Callable[[str], None],
    ) -> None:
        self.robot, self.ledger, self.marketing, self.settings = robot, ledger, marketing, settings
        self.sealer, self.tell = sealer, tell
        self._refused: set[tuple[str, str, int]] = set()

    def note_refusal(self, number: str, error: StepError) -> None:
        """Remember that the client itself said no while an act was unobserved."""
        if isinstance(error, ClientBusyError | SessionExpiredError | LostPressError):
            act = self.ledger.open_act(number)
            if act is not None:
                self._refused.add((number, act.name, act.attempt))

    def _set(self, number: str, state: ItemState, reason: str = "", **data: Any) -> None:
        self.ledger.set_state(number, state, reason, {"reason": reason, **data})

    def reconnect(self, number: str, customer: str) -> None:
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
                say("复电指令已发出，未看到结果，请人工核实", "sent, its result was not seen"),
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
        """Press 复电 as often as the rules allow until it is seen to succeed; at most one act is ever unobserved.

        Raises ClientBusyError when the client refused the press: it is not asked again and again in one go.
        """
        pressed = False
        while True:
            act = self.ledger.open_act(number, "reconnect")
            if act is not None:
                self._observe_command(act)
                continue
            acts = self.ledger.acts(number, "reconnect")
            if pressed and acts[-1].outcome == "not sent":
                raise ClientBusyError(
                    self.robot.say("复电指令被客户端拒绝", "The client refused the reconnect"), frame=self.robot.frame
                )
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
            intend = partial(self.ledger.intend, number, "reconnect", {"before": len(commands)})
            self.marketing.press_reconnect(number, customer, intend)
            pressed = True

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
                self.note_refusal(robot.item, error)
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
            self.marketing.press_archive(number, customer, partial(self.ledger.intend, number, "archive"))
            act = self.ledger.open_act(number, "archive")
            assert act is not None
            try:
                self.robot.wait_seen("toast_archived", timeout=self.settings.page_timeout / 4)
                self.ledger.observed(act, "done")
            except ClientBusyError as error:
                self.note_refusal(number, error)
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

    def observe_message(self, act: Act, message: Message) -> None:
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
