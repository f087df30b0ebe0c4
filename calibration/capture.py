"""Cutting anchors out of a screenshot: by the words that stand there, or by a box; judged before they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anchors.model import AnchorSpec, Window
from anchors.sighting import Absent, Ambiguous, Contradicted
from vision import text
from vision.findings import Line
from vision.frame import Box, Frame
from vision.match import MIN_CONTRAST, contrast
from vision.patterns import same_text
from vision.words import words

PAD = (5, 4)
"""Pixels at 100 % kept around the words: enough background to tell a button from a label and 复电 from the end of 停复电,
little enough that a stretched button stays the same picture."""

SMALLEST = 10
"""Pixels: a crop with a shorter side holds too little to be told apart."""


class CaptureError(Exception):
    """The anchor cannot be cut out as asked. The message says what was seen."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an anchor should not be kept as it is."""

    kind: str
    """``flat``, ``small``, ``ambiguous``, ``lost``, ``unread``."""
    message: str


class Sheet:
    """A screenshot on which anchors are cut out; its text is read once."""

    def __init__(self, name: str, frame: Frame, find: Callable[[str], Box | None] = lambda name: None) -> None:
        """`find` says where an anchor that was captured earlier is on this screen, if it is."""
        self.name = name
        self.find = find
        self.frame = frame
        self.lines: list[Line] = [word for line in text.read_lines(frame) for word in _pieces(line)]
        self.boxes: dict[str, Box] = {}
        """Anchors cut out so far, so that others can lie inside a window that hangs on them."""

    def cut(self, name: str, wish: Mapping[str, Any]) -> AnchorSpec:
        """The anchor that `wish` describes. Sizes in a wish are pixels at 100 %, areas are shares of the screen.

        ``text`` (words to find) or ``box``; ``pick`` (top, bottom, left, right or a 0-based number in reading order)
        where the words stand more than once; ``inside: {anchor, box}``; ``area: [x, y, w, h]``; ``click: [dx, dy]`` from
        the left edge and the middle of the words; everything else as in AnchorSpec. Raises CaptureError.
        """
        scale = self.frame.scale
        inside = self._inside(wish.get("inside"))
        area = self._area(wish.get("area"))
        region = inside[1] if inside else area
        line = self._line(name, wish, region)
        pad = (round(PAD[0] * scale), round(PAD[1] * scale))
        box = line.grow(*pad).clip(self.frame.width, self.frame.height)
        click = None
        if "click" in wish:
            dx, dy = wish["click"]
            click = (line.x - box.x + round(dx * scale), box.height // 2 + round(dy * scale))
        rest = {k: v for k, v in wish.items() if k in AnchorSpec.model_fields and k not in {"inside", "area", "click", "box"}}
        self.boxes[name] = box
        return AnchorSpec(
            screen=self.name,
            box=box,
            click=click,
            area=area,
            inside=inside[0] if inside else None,
            **rest,
        )

    def _inside(self, wish: Mapping[str, Any] | None) -> tuple[Window, Box] | None:
        if wish is None:
            return None
        name = wish["anchor"]
        parent = self.boxes.get(name) or self.find(name)
        if parent is None:
            raise CaptureError(f"inside: {name} 不在这一屏上 / is not on this screen")
        window = Box(*wish["box"]).scaled(self.frame.scale)
        return Window(anchor=name, box=window), window.shift(parent.x, parent.y)

    def _area(self, wish: Sequence[float] | None) -> Box | None:
        if wish is None:
            return None
        width, height = self.frame.size
        x, y, w, h = wish
        return Box(round(x * width), round(y * height), round(w * width), round(h * height))

    def _line(self, name: str, wish: Mapping[str, Any], region: Box | None) -> Box:
        if "box" in wish:
            return Box(*wish["box"])
        words = wish.get("find", wish.get("text"))
        if not words:
            raise CaptureError(f"{name}: 需要 text 或 box / needs text or box")
        there = [line for line in self.lines if region is None or line.box.intersect(region).area > 0.8 * line.box.area]
        hits = [line.box for line in there if same_text(line.text, words)]
        if not hits:
            seen = "、".join(sorted({line.text for line in there if line.text}))[:600]
            raise CaptureError(f"{name}: 画面上没有「{words}」；看到的文字 / not on the screen; seen: {seen}")
        return _pick(hits, wish.get("pick"), name, words)


def _pieces(line: Line) -> list[Line]:
    """The line, and its words where a gap separates them (a neighbour, the outline of a button)."""
    parts = words(line)
    return [_tight(line)] if len(parts) == 1 else [_tight(line), *parts]


def _tight(line: Line) -> Line:
    """The line cut back to its characters: a dimmed neighbour that was not read is no part of it."""
    characters = [c for c in line.reading.characters if c.text.strip()] if line.reading else []
    if not characters:
        return line
    left = max(line.box.x, min(c.box.x for c in characters) - 2)
    right = min(line.box.right, max(c.box.right for c in characters) + 2)
    return Line(Box(left, line.box.y, right - left, line.box.height), line.reading)


def _pick(hits: Sequence[Box], pick: str | int | None, name: str, words: str) -> Box:
    if len(hits) == 1:
        return hits[0]
    keys = {
        "top": lambda b: b.y,
        "bottom": lambda b: -b.bottom,
        "left": lambda b: b.x,
        "right": lambda b: -b.right,
    }
    if isinstance(pick, int):
        return sorted(hits, key=lambda b: (b.y, b.x))[pick]
    if pick in keys:
        return min(hits, key=keys[pick])
    places = "、".join(str(tuple(b)) for b in hits)
    raise CaptureError(f"{name}: 「{words}」有 {len(hits)} 处：{places}；请给出 pick、area 或 inside / stands {len(hits)} times")


def judge(frame: Frame, name: str, sighting: object, spec: AnchorSpec) -> list[Flaw]:
    """What is wrong with an anchor, from its own pixels and from how the finder sees it on its own screenshot."""
    box = Box(*spec.box)
    crop = frame.crop(box)
    flaws = []
    if min(box.width, box.height) < SMALLEST:
        flaws.append(Flaw("small", f"{name}: {box.width}×{box.height} 像素太小，难以与别处区分 / too small to be told apart"))
    if contrast(crop) < MIN_CONTRAST:
        flaws.append(Flaw("flat", f"{name}: 几乎没有图案，到处都会匹配 / flat, would match everywhere"))
    if isinstance(sighting, Ambiguous):
        places = "、".join(str(tuple(s.box)) for s in sighting.candidates)
        flaws.append(Flaw("ambiguous", f"{name}: 同一画面上还有相同的：{places}；请给出 area 或 inside / not unique"))
    elif isinstance(sighting, Contradicted):
        flaws.append(Flaw("unread", f"{name}: {sighting.reason}"))
    elif isinstance(sighting, Absent):
        seen = sighting.nearest.to_json() if sighting.nearest else "—"
        flaws.append(Flaw("lost", f"{name}: 在自己的截图上也找不到 / not found on its own screenshot: {seen}"))
    return flaws
