"""The robot's eyes: looking, waiting for what should be seen, and the dialogs that may come at any moment.

Time is kept in two accounts: what the client let us wait for, and the robot's own share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from anchors.locate import locate
from anchors.sighting import Contradicted, Found, Sighting, explain
from anchors.store import Anchor, Library
from bots.errors import ClientBusyError, NotSeenError, SessionExpiredError
from bots.ports import Journal
from desktop.base import Clock, Desktop
from desktop.health import check_frame
from recordings.actions import Language
from vision.change import same
from vision.frame import Box, Frame

POLL = 0.05
"""Seconds between looks while waiting: a tenth of what a person notices, 1–2 % of one core."""

STILL = 0.15
"""Seconds without a changed pixel after which a page counts as drawn; dialogs of common component libraries fade in 0.1–0.3 s."""

HOLD = 0.01
"""Seconds between button down and up, and before the pointer leaves again, so that the client sees three events and not one.
Presses that were lost before had other causes (a stale pointer, grabs of the window manager): none of 180 were since."""

TOUCH_PAUSE = 3.0
"""Seconds without a person's hand on mouse or keyboard before the robot goes on; it looks again first."""

FADES = 3.0
"""Seconds that a dismissed dialog and its mask get at most to fade out."""

POPUP_PATIENCE = 0.25
"""Seconds that an awaited thing may be missing before known dialogs are looked for: they cost more than the thing itself."""

POPUP_OVERDUE = 1.5
"""Seconds after which they are looked for on a page that never stands still: a spinner may turn behind a dialog for ever."""


@dataclass(slots=True)
class Stopwatch:
    """Where time goes within a step."""

    clock: Clock
    shares: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        started = self.clock.now()
        try:
            yield
        finally:
            self.shares[name] = self.shares.get(name, 0.0) + self.clock.now() - started

    def wait(self, seconds: float) -> None:
        """Count `seconds` as the client's, not the robot's."""
        self.waited += max(0.0, seconds)


class Eyes:
    """Looks at one desktop through the anchors of one client at a time."""

    def __init__(self, desktop: Desktop, libraries: Mapping[str, Library], journal: Journal, language: Language = "zh") -> None:
        self.desktop = desktop
        self.libraries = dict(libraries)
        self.journal = journal
        self.language: Language = language
        self.library: Library = next(iter(self.libraries.values()))
        self.watch = Stopwatch(desktop.clock)
        self.frame: Frame | None = None
        self.item: str | None = None
        self.pauses = 0
        self.popups_dismissed = 0

    # Names

    def anchor(self, name: str) -> Anchor:
        return self.library[name]

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    # Looking

    def look(self) -> Frame:
        """A fresh frame. Raises DesktopError when the screen is black, locked or has changed its size."""
        with self.watch("grab"):
            frame = self.desktop.grab()
            check_frame(frame)
        self.frame = frame
        return frame

    def see(self, name: str, frame: Frame | None = None) -> Sighting:
        """One look for one anchor, on `frame` or a fresh one."""
        frame = frame or self.look()
        with self.watch("find"):
            return locate(frame, self.anchor(name))

    def sees(self, name: str, frame: Frame | None = None) -> bool:
        return isinstance(self.see(name, frame), Found)

    def wait_seen(self, *names: str, timeout: float = 30.0, popups: bool = True) -> tuple[str, Found]:
        """Wait until one of the anchors is found on a fresh frame; known dialogs on the way are dismissed.

        Raises NotSeenError (with the last frame), ClientBusyError, SessionExpiredError.
        """
        clock = self.desktop.clock
        started = clock.now()
        checked: Frame | None = None
        sightings: dict[str, Sighting] = {}
        popups_at = started + POPUP_PATIENCE
        overdue = started + POPUP_OVERDUE
        while True:
            grabbed = clock.now()
            frame = self.look()
            fresh = checked is None or not same(checked, frame)
            if fresh:
                checked = frame
                for name in names:
                    sightings[name] = sighting = self.see(name, frame)
                    if isinstance(sighting, Found):
                        self.watch.wait(grabbed - started)
                        return name, sighting
                popups_at = max(popups_at, clock.now() + STILL)
            if popups and clock.now() >= (overdue if fresh else popups_at):
                popups_at = clock.now() + 1.0
                overdue = clock.now() + POPUP_OVERDUE
                if self.dismiss_popups(frame):
                    checked = None
            if clock.now() - started > timeout:
                self.watch.wait(clock.now() - started)
                raise self._not_seen(names, sightings, frame, timeout)
            clock.sleep(POLL)

    def wait_gone(self, name: str, timeout: float = 30.0) -> Frame:
        """Wait until the anchor is no longer found; returns the frame that shows it gone. Raises NotSeenError."""
        clock = self.desktop.clock
        started = clock.now()
        while True:
            grabbed = clock.now()
            frame = self.look()
            if not self.sees(name, frame):
                self.watch.wait(grabbed - started)
                return frame
            if clock.now() - started > timeout:
                self.watch.wait(clock.now() - started)
                title = self.anchor(name).title
                raise NotSeenError(
                    self.say(
                        f"「{title}」{timeout:.0f} 秒后仍在画面上。客户端可能没有响应；请查看截图。",
                        f"“{title}” is still on the screen after {timeout:.0f} s. The client may hang; see the picture.",
                    ),
                    frame=frame,
                )
            clock.sleep(POLL)

    def wait_still(self, quiet: float = STILL, timeout: float = 10.0, ignore: Sequence[Box] = ()) -> Frame:
        """Wait until no pixel changed for `quiet` seconds; after `timeout` the last frame is returned all the same.

        A caret or clock may blink for ever, so that stillness is a courtesy, never a proof.
        """
        clock = self.desktop.clock
        started = changed = clock.now()
        frame = self.look()
        while clock.now() - changed < quiet and clock.now() - started < timeout:
            clock.sleep(POLL / 2)
            fresh = self.look()
            if not same(frame, fresh):
                changed = clock.now()
            frame = fresh
        self.watch.wait(clock.now() - started)
        return frame

    def wait_left(self, found: Found, frame: Frame, timeout: float) -> bool:
        """Wait until the pixels of a sighting are no longer what they were on `frame`: a dialog that closes. False when they
        stay. Cheaper than asking where the anchor is now, which costs most when it is nowhere."""
        clock = self.desktop.clock
        started = clock.now()
        while True:
            left = not np.array_equal(self.look().crop(found.box), frame.crop(found.box))
            if left or clock.now() - started > timeout:
                self.watch.wait(clock.now() - started)
                return left
            clock.sleep(POLL / 2)

    def wait_changed(self, before: Frame, timeout: float = 2.0) -> bool:
        """Wait until the screen differs from `before`; False when it does not in time."""
        clock = self.desktop.clock
        started = clock.now()
        while same(before, self.look()):
            if clock.now() - started > timeout:
                self.watch.wait(clock.now() - started)
                return False
            clock.sleep(POLL / 2)
        self.watch.wait(clock.now() - started)
        return True

    def _not_seen(self, names: Sequence[str], sightings: Mapping[str, Sighting], frame: Frame, timeout: float) -> NotSeenError:
        # What contradicts tells more than what is absent.
        ranked = sorted(sightings.values(), key=lambda s: not isinstance(s, Contradicted))
        why = explain(ranked[0], self.language) if ranked else ""
        titles = "、".join(self.anchor(n).title for n in names)
        message = self.say(f"等待「{titles}」超过 {timeout:.0f} 秒。{why}", f"Waited {timeout:.0f} s for “{titles}”. {why}")
        return NotSeenError(message, frame=frame, sighting=ranked[0] if ranked else None)

    # Dialogs that may come at any moment

    def dismiss_popups(self, frame: Frame) -> bool:
        """Dismiss one known dialog that is on `frame`. True when it was seen, so that the screen must be looked at again.

        Nothing is pressed where the dialog has just gone or moved. Raises ClientBusyError and SessionExpiredError after
        dismissing such a dialog: the flow must know.
        """
        for popup in self.library.popups:
            seen = self.see(popup.seen, frame)
            if not isinstance(seen, Found):
                continue
            button = self.see(popup.dismiss, frame)
            if not isinstance(button, Found):
                continue
            if self.give_way() or not np.array_equal(frame.crop(button.box), self.look().crop(button.box)):
                return True
            with self.watch("input"):
                self.press_at(button.click_point)
            # While it fades, what lies behind is seen already but cannot be pressed yet (seen: a press on 发送 lost).
            self.wait_still(timeout=FADES)
            self.popups_dismissed += 1
            title = self.anchor(popup.seen).title
            self.journal.note("popup", self.say(f"关闭了弹窗「{title}」", f"Dismissed the dialog “{title}”"))
            if popup.meaning == "busy":
                raise ClientBusyError(self.say(f"客户端提示「{title}」", f"The client says “{title}”"), frame=frame)
            if popup.meaning == "session":
                raise SessionExpiredError(self.say(f"客户端提示「{title}」", f"The client says “{title}”"), frame=frame)
            return True
        return False

    def give_way(self) -> bool:
        """Pause while a person's hand is on mouse or keyboard. True when there was one: what was seen before counts no more."""
        if not self.desktop.touched():
            return False
        self.pauses += 1
        self.desktop.release_all()
        self.journal.note("pause", self.say("有人在操作，机器人暂停", "A person is working; the robot pauses"), self.item)
        clock = self.desktop.clock
        started = clock.now()
        while True:
            self.desktop.clear_touch()
            clock.sleep(TOUCH_PAUSE)
            if not self.desktop.touched():
                break
        self.watch.wait(clock.now() - started)
        self.journal.note("resume", self.say("无人操作，重新查看画面后继续", "Nobody touches it; looking again"), self.item)
        return True

    def press_at(self, point: tuple[int, int]) -> None:
        self.desktop.move(*point)
        self._press_button()

    def _press_button(self) -> None:
        """Left button down and up with the pauses that loaded clients need."""
        self.desktop.button_down()
        self.desktop.clock.sleep(HOLD)
        self.desktop.button_up()
        self.desktop.clock.sleep(HOLD)
