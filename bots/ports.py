"""What a robot needs from above, as protocols: the journal, the item ledger, the vault. `control/` implements them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from recordings.actions import Action
from vision.frame import Box, Frame


class ItemState(StrEnum):
    """Where an item (a work order) stands. Words of SCENARIOS.md."""

    NEW = "new"
    RUNNING = "in progress"
    SUCCEEDED = "succeeded"
    BUSINESS_EXCEPTION = "business exception"
    """The business said no; never retried."""
    SYSTEM_EXCEPTION = "system exception"
    """The client or the machine failed; retried after the client was brought back to its start."""
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    """An act was sent, its result not seen: read again, never repeat; a person looks."""

    def words(self, language: str = "zh") -> str:
        return _STATE_ZH[self] if language == "zh" else self.value


_STATE_ZH = {
    ItemState.NEW: "待处理",
    ItemState.RUNNING: "处理中",
    ItemState.SUCCEEDED: "成功",
    ItemState.BUSINESS_EXCEPTION: "业务异常",
    ItemState.SYSTEM_EXCEPTION: "系统异常",
    ItemState.DEFERRED: "已延后",
    ItemState.UNKNOWN: "结果未知",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One act that cannot be undone, as the ledger knows it."""

    item: str
    name: str
    """``reconnect``, ``archive``, ``sms:crew`` …"""
    attempt: int
    """1-based; attempt n+1 may be intended only after attempt n was observed."""
    intended_at: str
    """ISO 8601 with offset."""
    outcome: str | None
    """None while intended but not observed."""
    observed_at: str | None
    detail: Mapping[str, Any] = field(default_factory=dict)


class ActRefused(Exception):
    """The ledger does not allow this act: it was intended before and not observed, or observed as done."""


class Ledger(Protocol):
    """Durable memory of items and of acts that cannot be undone. Every call is on disk when it returns."""

    def intend(self, item: str, name: str, detail: Mapping[str, Any] | None = None) -> Act:
        """Write down that the act is about to be done. Raises :class:`ActRefused` while an earlier attempt is unobserved,
        or when one was observed as ``done``."""
        ...

    def observed(self, act: Act, outcome: str) -> Act:
        """Write down what was seen: ``done``, ``failed``, ``not sent`` (seen for certain that it never left) or ``unknown``.
        ``unknown`` is final for the robot: only a person resolves it."""
        ...

    def acts(self, item: str, name: str | None = None) -> Sequence[Act]:
        """All acts of an item in the order they were intended."""
        ...

    def open_act(self, item: str, name: str | None = None) -> Act | None:
        """The act that was intended and not yet observed, if any."""
        ...

    def set_state(self, item: str, state: ItemState, reason: str = "", data: Mapping[str, Any] | None = None) -> None:
        """State of an item with a reason for people; ``data`` is merged into what is known of the item."""
        ...

    def state(self, item: str) -> ItemState | None: ...

    def data(self, item: str) -> dict[str, Any]:
        """What is known of the item (no secrets, personal data masked)."""
        ...

    def items(self) -> Sequence[str]:
        """All items of this run in the order they were added."""
        ...


@dataclass(slots=True)
class StepRecord:
    """One step of a robot as it goes to the journal."""

    action: Action
    target: str
    item: str | None
    started: float
    """Clock of the desktop, seconds."""
    seconds: float
    """Whole step."""
    waited: float
    """Of which the client was waited for."""
    outcome: str
    """``ok``, ``absent``, ``ambiguous``, ``contradicted``, ``timeout``, ``refused``, ``aborted`` …"""
    message: str = ""
    """For people, where the outcome is not ok: what was seen, the likely cause, what to do."""
    before: Frame | None = None
    after: Frame | None = None
    target_box: Box | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """JSON-ready: every witness with its score and every candidate."""
    clear: Sequence[Box] = ()
    """Parts of the pictures that are known to hold nothing personal; all other text is masked."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Where the robot's own time went, seconds: grab, find, read, input, journal …"""


class Journal(Protocol):
    """The trail of evidence of a run."""

    def step(self, record: StepRecord) -> None: ...

    def note(self, kind: str, message: str, item: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        """Something that is not a step: state of an item, a pause, a pop-up dismissed, a setting."""
        ...

    def picture(self, name: str, frame: Frame, clear: Sequence[Box] = ()) -> str:
        """Keep a masked picture; returns its path relative to the run's folder."""
        ...


class Vault(Protocol):
    """Secrets by reference."""

    def secret(self, reference: str) -> str:
        """The secret behind ``vault:name``. Raises KeyError with what to do. The value goes nowhere but into a password field."""
        ...
