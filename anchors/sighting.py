"""What `locate` answers: one of four sightings, each with the evidence that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vision.frame import Box, Frame, Image, Point


@dataclass(frozen=True, slots=True)
class Witness:
    """One independent opinion about one place."""

    name: str
    """``picture``, ``text``, ``relation``, ``state``, ``unique``."""
    ok: bool
    score: float | None = None
    level: float | None = None
    """What the score had to reach."""
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "score": None if self.score is None else round(self.score, 4),
            "level": self.level,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Suspect:
    """One candidate place with all its witnesses."""

    box: Box
    witnesses: tuple[Witness, ...]
    contradicted: bool = False
    """A witness says that this is something that must never stand in for the target."""

    @property
    def accepted(self) -> bool:
        return not self.contradicted and bool(self.witnesses) and all(w.ok for w in self.witnesses)

    def witness(self, name: str) -> Witness | None:
        return next((w for w in self.witnesses if w.name == name), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "box": list(self.box),
            "accepted": self.accepted,
            "contradicted": self.contradicted,
            "witnesses": [w.to_json() for w in self.witnesses],
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was looked at for one decision."""

    anchor: str
    title: str
    suspects: tuple[Suspect, ...]
    region: Box | None
    """Where was searched; None for the whole frame."""
    path: str
    """How it was found: ``last place``, ``exact``, ``near``, ``tolerant``, ``lines``."""
    milliseconds: float
    frame_time: float

    def to_json(self) -> dict[str, Any]:
        return {
            "anchor": self.anchor,
            "title": self.title,
            "path": self.path,
            "region": None if self.region is None else list(self.region),
            "milliseconds": round(self.milliseconds, 3),
            "suspects": [s.to_json() for s in self.suspects],
        }

    def draw(self, frame: Frame, chosen: Box | None = None) -> Image:
        """The frame with every candidate (green accepted, orange rejected, red contradicted) and the chosen box."""
        image = np.ascontiguousarray(frame.image.copy())
        for suspect in self.suspects:
            colour = (60, 160, 60) if suspect.accepted else (40, 40, 220) if suspect.contradicted else (0, 150, 240)
            draw_box(image, suspect.box, colour, 2)
        if chosen is not None:
            draw_box(image, chosen.grow(3), (60, 160, 60), 3)
        return image


def draw_box(image: Image, box: Box, colour: tuple[int, int, int], thickness: int) -> None:
    """A rectangle drawn into ``image`` (which is written to)."""
    cv2.rectangle(image, (box.x, box.y), (box.right - 1, box.bottom - 1), colour, thickness)


@dataclass(frozen=True, slots=True)
class Found:
    """The one place that every witness agrees on."""

    box: Box
    click_point: Point
    evidence: Evidence
    kind: str = "found"


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing on the frame is the target."""

    nearest: Suspect | None
    evidence: Evidence
    kind: str = "absent"


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one place would do, and nothing tells them apart."""

    candidates: Sequence[Suspect]
    evidence: Evidence
    kind: str = "ambiguous"


@dataclass(frozen=True, slots=True)
class Contradicted:
    """Something looks like the target, but a witness says no: an opposite word, a disabled control, a mask over it."""

    evidence: Evidence
    reason: str
    kind: str = "contradicted"


Sighting = Found | Absent | Ambiguous | Contradicted


def explain(sighting: Sighting, language: str = "zh") -> str:
    """What was seen, the likely cause and what to do next, for people."""
    title = sighting.evidence.title or sighting.evidence.anchor
    zh = language == "zh"
    if isinstance(sighting, Found):
        return f"找到「{title}」" if zh else f"“{title}” found"
    if isinstance(sighting, Ambiguous):
        number = len(sighting.candidates)
        if zh:
            return f"画面上有 {number} 处都像「{title}」，无法确定是哪一个，未点击。请在标定中为它补充相邻文字或所在窗口。"
        return f"{number} places look like “{title}” and nothing tells them apart; not clicked. Add a relation when calibrating."
    if isinstance(sighting, Contradicted):
        if zh:
            return f"「{title}」处看到的与标定不符：{sighting.reason}。未点击。请核对客户端当前状态。"
        return f"What is seen at “{title}” contradicts it: {sighting.reason}. Not clicked. Check the state of the client."
    near = sighting.nearest.witness("text") if sighting.nearest else None
    if zh:
        nearest = f"，最接近处：{near.detail}" if near and near.detail else ""
        return f"没有看到「{title}」{nearest}。可能页面未打开、被遮挡或客户端已升级；请查看截图。"
    nearest = f"; nearest: {near.detail}" if near and near.detail else ""
    return f"“{title}” is not seen{nearest}. The page may not be open, be covered, or be a newer version; see the picture."
