"""`run.py calibrate tour`: walk through a client by a plan and capture its anchors on the way, by pixels alone.

The plan (`anchors/library/<system>/<version>/tour.yaml`) lists screens with the words to capture and the motions that lead
to the next screen. It is what a person does with the calibration in hand, written down so that it can be repeated when the
client looks different: nothing in it knows more than the words on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from anchors.locate import locate
from anchors.model import SCHEMA, AnchorSpec, GridSpec, LibrarySpec, Popup, ScreenSpec
from anchors.sighting import Found
from anchors.store import Library
from bots.errors import NotSeenError
from bots.robot import Robot
from calibration.capture import CaptureError, Flaw, Sheet, judge
from calibration.writer import write_library
from vision.frame import Box, Frame, Image
from vision.patterns import same_text

PATIENCE = 20.0
"""Seconds that a screen may take to show all the words asked for."""


class Tour:
    """One walk. `robot` looks through the library that grows while it walks."""

    def __init__(
        self,
        plan_path: Path,
        robot: Robot,
        folder: Path,
        say: Callable[[str], None],
        provoke: Callable[[str], None] | None = None,
    ) -> None:
        self.plan: dict[str, Any] = YAML(typ="safe", pure=True).load(plan_path.read_text(encoding="utf-8"))
        self.robot, self.folder, self.say = robot, folder, say
        self.provoke = provoke or (lambda event: say(f"请让客户端出现：{event} / please make the client show: {event}"))
        self.screens: dict[str, ScreenSpec] = {}
        self.anchors: dict[str, AnchorSpec] = {}
        self.pictures: dict[str, Image] = {}
        self.flaws: list[Flaw] = []
        self.known: set[str] = set()

    def walk(self) -> list[Flaw]:
        """Do the whole plan; returns what should be mended. Raises StepError and CaptureError where it cannot go on."""
        for stop in self.plan["walk"]:
            kind, value = next(iter(stop.items()))
            getattr(self, f"_{kind}")(value)
        return self.flaws

    @property
    def spec(self) -> LibrarySpec:
        return LibrarySpec(
            schema=SCHEMA,
            system=self.plan["system"],
            version=str(self.plan["version"]),
            title=self.plan.get("title", ""),
            screens=self.screens,
            anchors=self.anchors,
            grids={name: GridSpec(**grid) for name, grid in self.plan.get("grids", {}).items()},
            popups=tuple(
                Popup(**p) for p in self.plan.get("popups", []) if p["seen"] in self.anchors and p["dismiss"] in self.anchors
            ),
            terms=self.plan.get("terms", {}),
        )

    def _capture(self, value: dict[str, Any]) -> None:
        name, wishes = value["screen"], value["anchors"]
        clock = self.robot.desktop.clock
        deadline = clock.now() + PATIENCE
        while True:
            frame = self.robot.wait_still(quiet=0.6)
            sheet = Sheet(name, frame, partial(self._known_place, frame))
            try:
                found = {anchor: sheet.cut(anchor, wish) for anchor, wish in wishes.items()}
                break
            except CaptureError:
                if clock.now() > deadline:
                    raise
        self.screens[name] = ScreenSpec(file=f"screens/{name}.png", scale=frame.scale)
        self.pictures[name] = frame.image
        self.anchors.update(found)
        write_library(self.folder, self.spec, {name: frame.image})
        library = Library.open(self.plan["system"], str(self.plan["version"]), self.folder.parent.parent)
        self.robot.libraries[library.system] = library
        self.robot.library = library
        self._judge(frame, found, library)
        self.say(f"  {name}: {len(found)} 个锚点 / anchors")

    def _known_place(self, frame: Frame, name: str) -> Box | None:
        library = self.robot.library
        sighting = locate(frame, library[name]) if name in library else None
        return sighting.box if isinstance(sighting, Found) else None

    def _judge(self, frame: Frame, found: dict[str, AnchorSpec], library: Library) -> None:
        for anchor, spec in found.items():
            for flaw in judge(frame, anchor, locate(frame, library[anchor]), spec):
                self.flaws.append(flaw)
                self.say(f"    ! {flaw.message}")

    def _click(self, name: str) -> None:
        self.robot.click(name)

    def _hover_click(self, name: str) -> None:
        self.robot.click(name, park=False)

    def _type(self, value: dict[str, Any]) -> None:
        secret = "secret" in value
        verify = not value.get("masked", False)
        self.robot.type_into(value["into"], value["secret"] if secret else value["text"], secret=secret, verify=verify)

    def _press(self, keys: list[str]) -> None:
        self.robot.press(*keys)

    def _wait(self, seconds: float) -> None:
        self.robot.desktop.clock.sleep(float(seconds))

    def _event(self, name: str) -> None:
        """Something that the client does by itself now and then; whoever walks makes it happen or waits for it."""
        self.provoke(name)

    def _dialogs(self, value: dict[str, Any]) -> None:
        """Dialogs of which one or the other comes: each is captured when it is there, until all were seen."""
        missing = dict(value["any"])
        for _ in range(40):
            if not missing:
                return
            self.provoke(value["event"])
            name = self._dialog(missing, value["box"])
            if name is not None:
                missing.pop(name, None)
        raise CaptureError(f"没有出现 / did not come: {'、'.join(missing)}")

    def _dialog(self, missing: dict[str, Any], box: list[int]) -> str | None:
        """Capture one of the dialogs if it is there and new; close it. Returns its name."""
        clock = self.robot.desktop.clock
        deadline = clock.now() + PATIENCE
        while clock.now() < deadline:
            frame = self.robot.wait_still(quiet=0.6)
            for name in self.known:
                if self.robot.sees(name, frame):
                    self._close(name)
                    return name
            sheet = Sheet("dialog", frame)
            for name, wish in missing.items():
                if any(same_text(line.text, wish["title"]) for line in sheet.lines):
                    title = {"text": wish["title"], "kind": "label", "area": [0.2, 0.1, 0.6, 0.8]}
                    button = {"text": wish["button"], "inside": {"anchor": name, "box": box}}
                    self._capture({"screen": name, "anchors": {name: title, f"{name}_ok": button}})
                    self.known.add(name)
                    self._close(name)
                    return name
            clock.sleep(0.2)
        return None

    def _close(self, name: str) -> None:
        """Close a dialog, and others of its kind that may lie under it."""
        for _ in range(5):
            self.robot.click(f"{name}_ok")
            try:
                self.robot.wait_gone(name, timeout=4.0)
            except NotSeenError:
                continue
            return

    def _link(self, value: dict[str, str]) -> None:
        """Press a word that stands in a grid's first row (it is no anchor: rows come and go)."""
        frame = self.robot.wait_still(quiet=0.6)
        sheet = Sheet("link", frame)
        spec = sheet.cut("link", {**value, "title": value["text"]})
        x, y, width, height = spec.box
        self.robot.press_at((x + width // 2, y + height // 2))
        self.robot.park()
