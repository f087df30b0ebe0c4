"""Faults on demand: when they strike is drawn from the seed, or ordered for the next occasion by the control door."""

from __future__ import annotations

import random
import threading

NAMES = ("slow", "busy", "session", "popup", "reorder", "fail_n", "false", "late")
ORDER_MIX = frozenset({"fail_n", "false"})
"""These two are a matter of which orders exist, not of when something strikes."""

CHANCES = {"slow": 0.07, "busy": 0.05, "busy_act": 0.08, "reorder": 0.35, "late": 0.2, "late_reading": 0.1}
"""A run of 20 orders makes some 200 requests: each fault strikes several times, none makes an order fail for good."""

SESSION_SECONDS = (150.0, 330.0)
POPUP_SECONDS = (40.0, 110.0)
"""Of use (a log-in for sessions, a visible page for pop-ups), not scaled: people read notices no faster on a fast client."""

POPUPS = (
    ("温馨提示", "系统将于今晚 23:30 进行例行维护，请提前保存工作内容。", "我知道了"),
    ("安全用电公告", "近期气温变化较大，请各供电所加强线路巡视，做好保供电工作。", "关闭"),
    ("通知公告", "关于规范费控复电工单处理时限的通知已发布，请及时查阅。", "我知道了"),
    ("消息提醒", "您有 1 条新的业务督办消息，请在首页查看。", "关闭"),
)


def parse(text: str) -> frozenset[str]:
    """``none``, ``all`` or a comma list. Raises ValueError naming what is unknown."""
    if text in ("none", ""):
        return frozenset()
    if text == "all":
        return frozenset(NAMES)
    chosen = frozenset(part.strip() for part in text.split(",") if part.strip())
    unknown = chosen - set(NAMES)
    if unknown:
        raise ValueError(f"unknown faults {', '.join(sorted(unknown))}; known: none, all, {', '.join(NAMES)}")
    return chosen


class Faults:
    """Decides for one system whether a fault strikes now. Threads may call it."""

    def __init__(self, active: frozenset[str], seed: int, system: str) -> None:
        self.active = active
        self._random = random.Random(f"faults-{seed}-{system}")
        self._lock = threading.Lock()
        self._ordered: list[str] = []
        self._was_busy = False
        self._next_popup: float | None = None

    def order(self, fault: str) -> None:
        """Let a fault strike at its next occasion."""
        if fault not in NAMES or fault in ORDER_MIX:
            raise ValueError(f"cannot trigger {fault!r}; can: {', '.join(n for n in NAMES if n not in ORDER_MIX)}")
        with self._lock:
            self._ordered.append(fault)

    def ordered(self) -> list[str]:
        with self._lock:
            return list(self._ordered)

    def uniform(self, low: float, high: float) -> float:
        with self._lock:
            return self._random.uniform(low, high)

    def choice(self, options: tuple[str, ...]) -> str:
        with self._lock:
            return self._random.choice(options)

    def strikes(self, fault: str, chance: str | None = None) -> bool:
        """Whether ``fault`` strikes at this occasion; ``chance`` names another entry of CHANCES."""
        with self._lock:
            if fault in self._ordered:
                self._ordered.remove(fault)
                return True
            if fault not in self.active:
                return False
            hit = self._random.random() < CHANCES[chance or fault]
            if fault == "busy":
                # Never twice in a row, so that one more try always helps.
                hit = hit and not self._was_busy
                self._was_busy = hit
            return hit

    def session_end(self, now: float) -> float | None:
        """When a session that begins now expires; None for never."""
        if "session" not in self.active:
            return None
        return now + self.uniform(*SESSION_SECONDS)

    def session_cut(self) -> bool:
        """Whether the control door wants the present session to end now."""
        with self._lock:
            if "session" in self._ordered:
                self._ordered.remove("session")
                return True
            return False

    def popup(self, now: float) -> tuple[str, str, str] | None:
        """The notice to show now, if one is due: (title, text, button)."""
        with self._lock:
            if "popup" in self._ordered:
                self._ordered.remove("popup")
                return self._random.choice(POPUPS)
            if "popup" not in self.active:
                return None
            if self._next_popup is None:
                self._next_popup = now + self._random.uniform(8.0, POPUP_SECONDS[1])
            if now < self._next_popup:
                return None
            self._next_popup = now + self._random.uniform(*POPUP_SECONDS)
            return self._random.choice(POPUPS)
