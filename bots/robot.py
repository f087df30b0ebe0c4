"""The robot: look → decide → act → look again. Flows are written with its verbs, which are those of `recordings.actions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anchors.locate import locate
from anchors.sighting import Found
from anchors.store import Library
from bots.errors import DoubtfulError, MovedError, NotSeenError, StepError
from bots.eyes import POLL, Eyes, Stopwatch
from bots.ports import Journal, StepRecord, Vault
from desktop.base import Aborted, Desktop, DesktopError
from recordings.actions import Action, Check, Choose, Click, Language, Press, Read, Type
from vision import text
from vision.change import same
from vision.findings import Reading
from vision.frame import Box, Frame, Point
from vision.patterns import same_text

LOOKS = 4
"""How often a step looks again when its target changed between look and act. Rows that move every second are given up."""

HOVER = 0.06
"""Seconds for the client to draw its hover style before the last look at an irreversible target."""

SETTLE = 0.04
"""Seconds between a click into a field and the first key: browsers find out asynchronously what a click hit, so that keys
sent at once may arrive before it (seen without it: a text typed into the middle of the old one, once in 240). What is typed
is read back all the same."""

READS_BACK = 1.5
"""Seconds that a client gets to draw what was typed."""

NO_EFFECT = 1.5
"""Seconds without one changed pixel after which a press did not arrive: browsers drop input while a page is being committed
(seen: up to 8 of 100 presses within the first second). A press that can be undone is then made once more."""

READ_LEVEL = 0.90
"""Least certain character of a free reading that is used: accepts 92.3 % with no error in 2,496 cells (FIELD.md §2)."""


@dataclass(slots=True)
class Step:
    """A step under way: what the journal will hold of it."""

    action: Action
    target: str
    item: str | None
    box: Box | None = None
    before: Frame | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    clear: list[Box] = field(default_factory=list)
    note: str = ""


class Robot(Eyes):
    """Eyes and hands on one desktop. One thread."""

    def __init__(
        self,
        desktop: Desktop,
        libraries: Mapping[str, Library],
        journal: Journal,
        vault: Vault,
        language: Language = "zh",
        progress: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(desktop, libraries, journal, language)
        self.vault = vault
        self.progress = progress
        self.moved = 0
        self._totals: dict[str, float] = {}
        self._since = desktop.clock.now()

    # Steps and their time

    @contextmanager
    def step(self, action: Action, target: str = "") -> Iterator[Step]:
        """Everything inside is one step of the journal, whatever comes of it."""
        clock = self.desktop.clock
        outer, self.watch = self.watch, Stopwatch(clock)
        step = Step(action, target or getattr(action, "target", ""), self.item)
        if self.progress is not None:
            self.progress(action.sentence(self.language))
        started = clock.now()
        outcome, message, after = "ok", "", None
        try:
            yield step
        except StepError as error:
            outcome, message, after = error.outcome, str(error), error.frame
            raise
        except Aborted:
            outcome = "aborted"
            raise
        except BaseException as error:
            outcome, message = "error", f"{type(error).__name__}: {error}"
            raise
        finally:
            seconds = clock.now() - started
            inner, self.watch = self.watch, outer
            outer.wait(inner.waited)
            self._count(inner)
            with self.watch("journal"):
                self.journal.step(
                    StepRecord(
                        action=action,
                        target=step.target,
                        item=step.item,
                        started=started,
                        seconds=seconds,
                        waited=inner.waited,
                        outcome=outcome,
                        message=message or step.note,
                        before=step.before,
                        after=after or self.frame,
                        target_box=step.box,
                        evidence=step.evidence,
                        clear=step.clear,
                        shares={**inner.shares},
                    )
                )

    def _count(self, watch: Stopwatch) -> None:
        for name, share in watch.shares.items():
            self._totals[name] = self._totals.get(name, 0.0) + share

    def take_times(self) -> dict[str, float]:
        """Own seconds, waited seconds and shares since the last call. Call it between steps. What lies between steps (a wait,
        a look at a row, the ledger) counts too: the robot's own is everything in which the client was not waited for."""
        now = self.desktop.clock.now()
        self._count(self.watch)
        waited = self.watch.waited
        times = {"own": max(0.0, now - self._since - waited), "waited": waited, **self._totals}
        self._since, self._totals, self.watch = now, {}, Stopwatch(self.desktop.clock)
        return times

    # Verbs

    def use(self, system: str) -> None:
        """Look at the screen through another client's anchors from here on."""
        self.library = self.libraries[system]

    def click(self, name: str, *, times: int = 1, timeout: float = 30.0, park: bool = True) -> Found:
        """Find an anchor (waiting for it) and press it. Raises StepError; nothing is pressed then."""
        anchor = self.anchor(name)
        with self.step(Click(target=anchor.title, times=2 if times == 2 else 1)) as step:
            return self._press_anchor(step, name, timeout, double=times == 2, park=park)

    def _press_anchor(self, step: Step, name: str, timeout: float, *, double: bool = False, park: bool = True) -> Found:
        anchor = self.anchor(name)
        repeated = False
        for _ in range(LOOKS):
            _, found = self.wait_seen(name, timeout=timeout)
            self._remember(step, found)

            def recheck(frame: Frame, box: Box = found.box) -> bool:
                again = locate(frame, anchor, hovered=True)
                return isinstance(again, Found) and _near(again.box, box)

            try:
                self._act(step, found.box, found.click_point, recheck, irreversible=anchor.spec.irreversible, double=double)
            except MovedError:
                self.wait_still(quiet=0.1, timeout=2.0)
                continue
            if park:
                self.park()
            if anchor.spec.irreversible or repeated or self._took_effect(found.box):
                return found
            assert self.frame is not None
            if not isinstance(locate(self.frame, anchor, hovered=not park), Found):
                return found  # that it went away is its effect
            # A dialog's mask darkens what lies behind it, but a plain word behind it may still be found.
            if self.dismiss_popups(self.frame):
                continue
            repeated = True
            step.note = self.say("点击后画面没有任何变化，再点一次", "nothing changed after the press; pressed once more")
        raise self._restless(anchor.title)

    def _took_effect(self, box: Box) -> bool:
        """Whether anything outside the target changed after the press (its own hover style does not count)."""
        before = self.frame
        assert before is not None
        clock = self.desktop.clock
        started = clock.now()
        while True:
            frame = self.look()
            if differ_outside(before, frame, box):
                self.watch.wait(clock.now() - started)
                return True
            if clock.now() - started > NO_EFFECT:
                self.watch.wait(clock.now() - started)
                return False
            clock.sleep(0.02)

    def click_where(
        self, title: str, find: Callable[[Frame], tuple[Box, Sequence[Box]]], *, irreversible: bool = False, timeout: float = 10.0
    ) -> None:
        """Press what `find` points to on a fresh frame: a link in a row of a grid. `find` returns the target's box and the
        boxes that prove it (its row key) and raises StepError when it is not there; it is asked again on the last frame
        before the button goes down, with the pointer already there."""
        clock = self.desktop.clock
        with self.step(Click(target=title)) as step:
            started = clock.now()
            moved = 0
            while moved < LOOKS * 3:
                frame = self.look()
                try:
                    with self.watch("find"):
                        box, proof = find(frame)
                except NotSeenError:
                    # The grid may still be loading, or a dialog lies over it.
                    if clock.now() - started > timeout:
                        raise
                    before = clock.now()
                    if not self.dismiss_popups(frame):
                        self.wait_still()
                    self.watch.wait(clock.now() - before)
                    continue
                step.before, step.box, step.clear = frame, box, [box, *proof]

                def recheck(fresh: Frame, box: Box = box) -> bool:
                    with self.watch("find"):
                        try:
                            return _near(find(fresh)[0], box)
                        except StepError:
                            return False

                try:
                    self._act(step, box, box.center, recheck, irreversible=irreversible, always=True)
                except MovedError:
                    moved += 1
                    self.wait_still(quiet=0.1, timeout=2.0)
                    continue
                self.park()
                return
            raise self._restless(title)

    def type_into(self, name: str, value: str, *, secret: bool = False, shown: str | None = None, verify: bool = True) -> None:
        """Put text into the field that an anchor points to, replacing what is there, and read it back (a secret is not)."""
        anchor = self.anchor(name)
        typed = value if not secret else self.vault.secret(value)
        display = (value if secret else shown) or ("" if shown is not None else value)
        with self.step(Type(target=anchor.title, text=display, secret=secret)) as step:
            for attempt in range(2):
                for _ in range(LOOKS):
                    _, found = self.wait_seen(name, timeout=30.0)
                    self._remember(step, found)
                    try:
                        self._act(step, found.box, found.click_point, None)
                        with self.watch("input"):
                            self.desktop.clock.sleep(SETTLE)
                        self._hands_free()
                        break
                    except MovedError:
                        self.wait_still(quiet=0.1, timeout=2.0)
                else:
                    raise self._restless(anchor.title)
                with self.watch("input"):
                    self.hotkey("ctrl", "a")
                    self._type(typed, secret)
                if secret or not verify:
                    # What is still being drawn must not be taken for the effect of the next press.
                    self.wait_still(quiet=0.1, timeout=1.0)
                if secret or not verify or self._reads_back(found.click_point, typed):
                    return
                step.note = self.say(f"第 {attempt + 1} 次输入后读回不一致", f"read back differently after attempt {attempt + 1}")
            raise DoubtfulError(
                self.say(
                    f"在「{anchor.title}」输入后读回的内容不一致，已停止。可能焦点被抢走；请查看截图。",
                    f"What stands in “{anchor.title}” is not what was typed; stopped. Was the focus taken? See the picture.",
                ),
                frame=self.frame,
            )

    def _type(self, typed: str, secret: bool) -> None:
        """Type it; an error that quotes a secret is replaced by one that does not, since errors are written down."""
        try:
            self.desktop.type_text(typed, secret=secret)
        except Exception as error:
            if not secret or typed not in str(error):
                raise
            kind = type(error).__name__
        else:
            return
        raise DesktopError(self.say(f"密码未能输入（{kind}）", f"The password could not be typed ({kind})"))

    def _reads_back(self, point: Point, typed: str) -> bool:
        """Whether the text at the click point says what was typed; waits up to a second for the client to draw it."""
        clock = self.desktop.clock
        started = clock.now()
        scale = self.desktop.scale
        strip = Box(point.x - round(100 * scale), point.y - round(16 * scale), round(740 * scale), round(32 * scale))
        before: Frame | None = None
        while True:
            grabbed = clock.now()
            frame = self.look()
            if before is None or not same(before, frame):
                with self.watch("read"):
                    lines = text.find_lines(frame, strip.clip(frame.width, frame.height))
                    near = sorted((line.box for line in lines), key=lambda box: max(box.x - point.x, point.x - box.right, 0))
                    readings = text.read([frame.crop(box.grow(3)) for box in near[:2]])
                if any(same_text(reading.text, typed) for reading in readings):
                    self.watch.wait(grabbed - started)
                    return True
            before = frame
            if clock.now() - started > READS_BACK:
                self.watch.wait(clock.now() - started)
                return False
            clock.sleep(POLL / 2)

    def choose(self, name: str, option: str) -> None:
        """Open a drop-down and choose the option that another anchor shows."""
        field_anchor, option_anchor = self.anchor(name), self.anchor(option)
        with self.step(Choose(target=field_anchor.title, option=option_anchor.title)) as step:
            self._press_anchor(step, name, 30.0, park=False)
            self._press_anchor(step, option, 10.0)

    def press(self, *keys: str) -> None:
        """A key or a combination: the first ones are held while the last is pressed."""
        with self.step(Press(keys=keys)) as step:
            step.before = self.look()
            self._hands_free()
            with self.watch("input"):
                self.hotkey(*keys)

    def hotkey(self, *keys: str) -> None:
        held: list[str] = []
        try:
            for key in keys:
                self.desktop.key_down(key)
                held.append(key)
        finally:
            for key in reversed(held):
                self.desktop.key_up(key)

    def read_fields(self, *names: str, patterns: Mapping[str, str] | None = None, timeout: float = 15.0) -> dict[str, Reading]:
        """Read the values to the right of label anchors, all from one frame.

        Returns name → reading; a field that is there but empty reads "". Raises NotSeenError when a label is missing.
        """
        with self.step(Read(field="、".join(self.anchor(n).title for n in names))) as step:
            self.wait_seen(names[0], timeout=timeout)
            frame = self.wait_still()
            step.before = frame
            boxes: dict[str, Box] = {}
            for name in names:
                sighting = self.see(name, frame)
                if not isinstance(sighting, Found):
                    _, sighting = self.wait_seen(name, timeout=2.0)
                    assert self.frame is not None
                    frame = self.frame
                step.clear.append(sighting.box)
                boxes[name] = sighting.box
            with self.watch("read"):
                values = {}
                for name, label in boxes.items():
                    value = value_box(frame, label, list(boxes.values()))
                    crops = [frame.crop(box.grow(3)) for box in value]
                    parts = text.read(crops, pattern=(patterns or {}).get(name) if len(crops) == 1 else None)
                    values[name] = _join(parts)
            step.note = ""
            return values

    def check(self, name: str, reading: Reading, equals: str) -> None:
        """Check that a reading says what is expected. Raises DoubtfulError."""
        title = self.anchor(name).title
        with self.step(Check(field=title, equals=equals)) as step:
            step.before = self.frame
            if not same_text(reading.text, equals):
                raise DoubtfulError(
                    self.say(
                        f"「{title}」应为 {equals}，读到的是 {reading.text or '（空）'}，未继续。请查看截图。",
                        f"“{title}” should be {equals} but reads {reading.text or '(empty)'}; stopped. See the picture.",
                    ),
                    frame=self.frame,
                )

    def park(self) -> None:
        """Take the pointer off the client's controls, so that no hover style is in the next look.

        The middle of the right edge: corners hold «show desktop» and window buttons.
        """
        width, height = self.desktop.size
        self.desktop.move(width - 2, height // 2)

    # Acting

    def _remember(self, step: Step, found: Found) -> None:
        step.before, step.box, step.clear = self.frame, found.box, [found.box]
        step.evidence = found.evidence.to_json()

    def _act(
        self,
        step: Step,
        box: Box,
        point: Point,
        recheck: Callable[[Frame], bool] | None,
        *,
        irreversible: bool = False,
        double: bool = False,
        always: bool = False,
    ) -> None:
        """Press at `point` if, on a frame taken now, the target is what was seen. Raises MovedError when it is not."""
        self._hands_free()
        seen = step.before
        frame = self.look()
        with self.watch("find"):
            moved = seen is None or not np.array_equal(seen.crop(box), frame.crop(box))
        if moved:
            self.moved += 1
            raise MovedError(self.say("目标在点击前发生了变化", "The target changed before the click"), frame=frame)
        with self.watch("input"):
            self.desktop.move(*point)
        if (irreversible or always) and recheck is not None:
            with self.watch("input"):
                self.desktop.clock.sleep(HOVER if irreversible else HOVER / 2)
            fresh = self.look()
            # Hovering may recolour the target, so its words and place are asked for again, not its pixels.
            if not recheck(fresh):
                self.moved += 1
                self.park()
                raise MovedError(self.say("目标在按下前发生了变化", "The target changed before the press"), frame=fresh)
            self._hands_free()
        with self.watch("input"):
            for _ in range(2 if double else 1):
                self._press_button()

    def _hands_free(self) -> None:
        """A person's hand on mouse or keyboard pauses the robot; then it looks again."""
        if self.give_way():
            raise MovedError(self.say("有人操作过，需要重新查看画面", "A person worked here; looking again"), frame=self.frame)

    def _restless(self, title: str) -> DoubtfulError:
        return DoubtfulError(
            self.say(
                f"「{title}」在点击前一直在变化，未点击。可能列表在刷新或有动画；请查看截图。",
                f"“{title}” kept changing before the click; not clicked. A list may be refreshing; see the picture.",
            ),
            frame=self.frame,
        )


def value_box(frame: Frame, label: Box, labels: Sequence[Box]) -> list[Box]:
    """Boxes of the text right of a label, up to the next label or a wide gap; several for a wrapped value."""
    scale = frame.scale
    right = min(
        (other.x for other in labels if other.x > label.right - 2 and abs(other.center.y - label.center.y) < label.height),
        default=frame.width,
    )
    strip = Box(label.right - round(2 * scale), label.y - round(4 * scale), right - label.right, label.height + round(8 * scale))
    lines = [line.box for line in text.find_lines(frame, strip.clip(frame.width, frame.height))]
    level = [
        box for box in lines if abs(box.center.y - label.center.y) <= label.height * 0.6 and box.x >= label.right - 2 * scale
    ]
    level.sort(key=lambda box: box.x)
    pieces: list[Box] = []
    for box in level:
        # A gap wider than three characters ends the value: what comes next belongs to the neighbour.
        if pieces and box.x - pieces[-1].right > 3 * pieces[-1].height:
            break
        pieces.append(box)
    return pieces


def _join(parts: Sequence[Reading]) -> Reading:
    if len(parts) == 1:
        return parts[0]
    return Reading("".join(part.text for part in parts), min((part.lowest for part in parts), default=1.0))


def differ_outside(a: Frame, b: Frame, box: Box) -> bool:
    """Whether two frames differ anywhere but in a box and the control around it, which only shows the pointer's visit."""
    if same(a, b):
        return False
    part = box.grow(2 * box.height, box.height).clip(a.width, a.height)
    masked = b.image.copy()
    masked[part.y : part.bottom, part.x : part.right] = a.image[part.y : part.bottom, part.x : part.right]
    return not np.array_equal(a.image, masked)


def _near(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) <= 4 and abs(a.y - b.y) <= 4
