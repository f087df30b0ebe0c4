"""Errors for people: what was seen, the likely cause, what to do next, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One error in one language."""

    seen: str
    cause: str
    todo: str


class ExplainedError(Exception):
    """An error that a person can act on. ``str()`` gives Chinese, then English on a line of its own."""

    def __init__(self, zh: Explanation, en: Explanation) -> None:
        self.zh, self.en = zh, en
        super().__init__(f"{self.text('zh')}\n{self.text('en')}")

    def text(self, language: str = "zh") -> str:
        """The error in one language."""
        if language == "zh":
            return f"{self.zh.seen}。可能原因：{self.zh.cause}。怎么办：{self.zh.todo}。"
        return f"{self.en.seen}. Likely cause: {self.en.cause}. What to do: {self.en.todo}."


class LedgerError(ExplainedError):
    """The ledger cannot be read or written; what it held is untouched."""


class RobotBusyError(ExplainedError):
    """Another robot works with this ledger; one robot per desktop."""

    def __init__(self, zh: Explanation, en: Explanation, pid: int | None = None) -> None:
        super().__init__(zh, en)
        self.pid = pid


class SettingsError(ExplainedError):
    """``site.toml`` cannot be used as it is."""


class VaultError(ExplainedError, KeyError):
    """A secret is not there or cannot be opened."""

    __str__ = ExplainedError.__str__


class EngineError(ExplainedError):
    """A run cannot be started, resumed or finished by the engine."""
