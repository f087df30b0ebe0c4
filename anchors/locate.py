"""`locate`: the only way anything is found, live, in rehearsal, in calibration and in benchmarks.

Candidates come from the picture (prior first) and from text lines; each is then judged by independent witnesses. A match
score alone never accepts: 复电 scores 0.976 inside 停复电 and 0.848 on 停电 (FIELD.md §1). What is accepted once is
remembered pixel by pixel, so that the next look is an exact comparison.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from anchors.sighting import Absent, Ambiguous, Contradicted, Evidence, Found, Sighting, Suspect, Witness
from anchors.store import Anchor, Variant
from vision import match, text
from vision.findings import Line, Reading
from vision.frame import Box, Frame, Image, Point
from vision.patterns import opposite, same_text
from vision.state import enabled_look
from vision.words import words

TEXT_LEVEL, TEXT_LEVEL_IRREVERSIBLE = 0.60, 0.80
"""Least certain character of a reading that may witness for a known word. A word that equals the expected one exactly needs
less certainty than free text (0.90 accepts 92 % without error there, FIELD.md §2): 溫馨提示 for 温馨提示 comes with 0.77."""

PICTURE_LEVEL = 0.45
"""Correlation that a place must reach beside a matching text. True targets at another scale go down to 0.58–0.65 and after a
font change to 0.57 (FIELD.md §1); the words are told apart by the text, this only refuses a word set in other surroundings."""

ICON_LEVEL, ICON_RESIDUAL, ICON_MARGIN = 0.90, 0.9, 0.03
"""Anchors without text: correlation, local residual (share of contrast) and margin over the runner-up (FIELD.md §1.3, §1.5)."""

NEAR = 50
"""Pixels at 100 % around the last place that are searched first: 0.33 ms against 9 ms, a third of the false accepts."""

TOLERANT_COUNT = 6
TEXT_COUNT = 3
"""Places judged for an anchor with words: with the target there the best place by picture is right in 99–100 % (FIELD.md §1.1),
and each reading costs 10–20 ms."""

LINES_COUNT = 8
"""Lines of about the right size judged when no picture fits, best picture first."""
_SCENES: OrderedDict[int, match.Scene] = OrderedDict()


def scene_of(frame: Frame) -> match.Scene:
    """The shared scene of a frame: one grab serves any number of anchors."""
    scene = _SCENES.get(id(frame))
    if scene is None or scene.frame is not frame:
        scene = _SCENES[id(frame)] = match.Scene(frame)
        while len(_SCENES) > 3:
            _SCENES.popitem(last=False)
    return scene


def locate(frame: Frame, anchor: Anchor, *, hovered: bool = False) -> Sighting:
    """Where `anchor` is on `frame`, or why that cannot be said. Boxes and points in pixels of the frame.

    `hovered` is for the last look with the pointer already on the target: its hover style is not held against it, and
    nothing is learnt from it.
    """
    return _Search(frame, anchor, hovered).run()


class _Search:
    """One call of `locate`."""

    def __init__(self, frame: Frame, anchor: Anchor, hovered: bool) -> None:
        self.frame, self.anchor, self.spec, self.hovered = frame, anchor, anchor.spec, hovered
        self.started = time.perf_counter()
        self.factor = frame.scale / anchor.scale
        self.region: Box | None = None
        self.suspects: list[Suspect] = []

    def run(self) -> Sighting:
        if self.anchor.parent is not None:
            parent = locate(self.frame, self.anchor.parent)
            if not isinstance(parent, Found):
                return Absent(None, self._evidence(f"inside {self.anchor.parent.name}: {parent.kind}"))
            self.region = self._window(parent.box)
        elif self.spec.area is not None:
            self.region = self._area(Box(*self.spec.area))
        if (found := self._exact()) is not None:
            return self._without_twin(found) if isinstance(found, Found) and self.spec.irreversible else found
        for path, region in self._regions():
            self._judge_pictures(region)
            if any(s.accepted for s in self.suspects):
                return self._decide(path)
        if self.spec.text is not None:
            self._judge_lines()
        return self._decide("lines" if self.spec.text is not None else "tolerant")

    # Where to look

    def _window(self, parent: Box) -> Box:
        assert self.spec.inside is not None
        window = Box(*self.spec.inside.box).scaled(self.factor)
        return window.shift(parent.x, parent.y).clip(self.frame.width, self.frame.height)

    def _area(self, area: Box) -> Box:
        """An area of the screenshot as a share of this frame: pages stretch with the window."""
        width, height = self.anchor.screenshot.size
        fx, fy = self.frame.width / width, self.frame.height / height
        x, y = round(area.x * fx), round(area.y * fy)
        return Box(x, y, round(area.right * fx) - x, round(area.bottom * fy) - y).clip(self.frame.width, self.frame.height)

    def _regions(self) -> list[tuple[str, Box | None]]:
        last = self.anchor.memory.last.get(self.frame.scale)
        regions: list[tuple[str, Box | None]] = []
        if last is not None and not self.spec.irreversible:
            near = last.grow(round(NEAR * self.frame.scale))
            near = near.intersect(self.region) if self.region else near.clip(self.frame.width, self.frame.height)
            if near.area:
                regions.append(("near", near))
        return [*regions, ("tolerant", self.region)]

    # Exact: pixels that were accepted before

    def _exact(self) -> Sighting | None:
        memory, scale = self.anchor.memory, self.frame.scale
        last = memory.last.get(scale)
        for variant in reversed(memory.variants):
            if variant.scale != scale:
                continue
            places: Sequence[Box]
            # An anchor that can be undone is taken where it was last seen, unchanged.
            trusted = last is not None and not self.spec.irreversible and self._contains(last)
            if last is not None and trusted and match.equal_at(self.frame, variant.image, last.x, last.y):
                return self._remembered([last], variant, "last place")
            places = match.find_equal(self.frame, variant.image, self.region)
            if places:
                return self._remembered(places, variant, "exact")
        return None

    def _without_twin(self, found: Found) -> Sighting:
        """Known pixels at one place do not say that there is no second one: on fractions of a pixel a twin has other pixels."""
        self.hovered = False
        self._judge_pictures(self.region)
        twins = tuple(s for s in self.suspects if s.accepted)
        return found if len(twins) == 1 else Ambiguous(twins, self._evidence(found.evidence.path))

    def _contains(self, box: Box) -> bool:
        return self.region is None or box.intersect(self.region) == box

    def _remembered(self, places: Sequence[Box], variant: Variant, path: str) -> Sighting:
        detail = f"与已核实的「{self.anchor.title}」逐像素相同 / identical to verified pixels"
        witnesses = [Witness("picture", True, 1.0, 1.0, detail)]
        if self.spec.text is not None:
            witnesses.append(Witness("text", True, 1.0, TEXT_LEVEL, self.spec.text))
        witnesses.append(Witness("unique", len(places) == 1, float(len(places)), 1.0))
        self.suspects = [Suspect(place, tuple(witnesses)) for place in places]
        if len(places) > 1:
            return Ambiguous(tuple(self.suspects), self._evidence(path))
        box = places[0]
        self.anchor.memory.last[self.frame.scale] = box
        return Found(box, Point(box.x + variant.click.x, box.y + variant.click.y), self._evidence(path))

    # Tolerant: candidates by picture or by text lines, judged by witnesses

    def _template(self) -> tuple[match.Scene, Image, float]:
        """Scene, template and the factor from the scene's pixels to the frame's. Whichever is finer is reduced."""
        if self.factor <= 1:
            return scene_of(self.frame), match.rescale(self.anchor.crop, self.factor), 1.0
        return scene_of(self.frame).reduced(1 / self.factor), self.anchor.crop, self.factor

    def _judge_pictures(self, region: Box | None) -> None:
        scene, template, back = self._template()
        within = None if region is None else region.scaled(1 / back)
        places = match.candidates(scene, template, within, TOLERANT_COUNT if self.spec.text is None else TEXT_COUNT)
        self._judge(scene, template, back, [(c.box, c.score) for c in places if c.score >= PICTURE_LEVEL])

    def _judge_lines(self) -> None:
        """Text lines of about the expected size: what is left when the picture was drawn too differently."""
        scene, template, back = self._template()
        expected = self._text_box()
        if expected is None:
            return
        wanted = expected.scaled(self.factor)
        lines = [
            line.box
            for line in text.find_lines(self.frame, self.region)
            if 0.75 <= line.box.width / max(1, wanted.width) <= 1.33 and 0.6 <= line.box.height / max(1, wanted.height) <= 1.6
        ]
        places = []
        for line in lines[: LINES_COUNT * 2]:
            x = round((line.center.x - (wanted.x + wanted.width / 2)) / back)
            y = round((line.center.y - (wanted.y + wanted.height / 2)) / back)
            candidate = match.candidate_at(scene, template, x, y, 4)
            if candidate is not None:
                places.append((candidate.box, candidate.score))
        places.sort(key=lambda place: -place[1])
        known = [s.box for s in self.suspects]
        fresh = [p for p in places if not any(_overlap(p[0].scaled(back), box) > 0.6 for box in known)]
        self._judge(scene, template, back, fresh[:LINES_COUNT])

    def _text_box(self) -> Box | None:
        """Where the text stands in the crop, in pixels of the screenshot."""
        lines = text.find_lines(self.anchor.crop, None, self.anchor.scale)
        if not lines:
            return None
        boxes = [line.box for line in lines]
        x, y = min(b.x for b in boxes), min(b.y for b in boxes)
        return Box(x, y, max(b.right for b in boxes) - x, max(b.bottom for b in boxes) - y)

    def _judge(self, scene: match.Scene, template: Image, back: float, places: Sequence[tuple[Box, float]]) -> None:
        boxes = [place.scaled(back) if back != 1.0 else place for place, _ in places]
        texts = self._read(boxes) if self.spec.text is not None else [None] * len(boxes)
        for (place, score), box, reading in zip(places, boxes, texts, strict=True):
            witnesses = []
            contradicted = False
            crop = scene.frame.crop(place)
            if reading is not None:
                witness, contradicted = self._text_witness(reading)
                witnesses.append(witness)
                witnesses.append(Witness("picture", score >= PICTURE_LEVEL, score, PICTURE_LEVEL))
            else:
                measured = match.compare(crop, template)
                good = score >= ICON_LEVEL and measured.residual <= ICON_RESIDUAL
                witnesses.append(Witness("picture", good, score, ICON_LEVEL, f"residual {measured.residual:.2f}"))
            if all(w.ok for w in witnesses) and not self.spec.any_state and not self.hovered:
                witnesses.append(_state_witness(crop, self.anchor.crop))
            if not any(_overlap(box, s.box) > 0.6 for s in self.suspects):
                self.suspects.append(Suspect(box, tuple(witnesses), contradicted))

    def _read(self, boxes: Sequence[Box]) -> list[Reading]:
        """The whole piece of text that stands at each box: 复电 inside 停复电 must be read as 停复电."""
        parts: list[Box] = []
        for box in boxes:
            reach = box.grow(box.height, 0).clip(self.frame.width, self.frame.height)
            lines = [line.box for line in text.find_lines(self.frame, reach)]
            best = max(lines, key=lambda line: line.intersect(box).area, default=None)
            parts.append((box if best is None or best.intersect(box).area == 0 else best).grow(2).clip(*self.frame.size))
        readings = text.read([self.frame.crop(part) for part in parts])
        return [self._word_at(box, part, reading) for box, part, reading in zip(boxes, parts, readings, strict=True)]

    def _word_at(self, box: Box, part: Box, reading: Reading) -> Reading:
        """The word of a line that stands in the middle of `box`, where clear gaps make it several words."""
        if same_text(reading.text, self.spec.text or ""):
            return reading
        pieces = words(Line(part, text.shifted(reading, part.x, part.y)))
        hits = [p.reading for p in pieces if p.box.x <= box.center.x < p.box.right and p.reading is not None]
        return hits[0] if len(hits) == 1 else reading

    def _text_witness(self, reading: Reading) -> tuple[Witness, bool]:
        expected = self.spec.text or ""
        equal = same_text(reading.text, expected)
        wrong = not equal and (opposite(reading.text, expected) or any(same_text(reading.text, n) for n in self.spec.never))
        level = TEXT_LEVEL_IRREVERSIBLE if self.spec.irreversible else TEXT_LEVEL
        ok = equal and reading.lowest >= level
        return Witness("text", ok, reading.lowest, level, f"「{reading.text}」" if reading.text else "（空）"), wrong

    # Deciding

    def _decide(self, path: str) -> Sighting:
        accepted = [s for s in self.suspects if s.accepted]
        if len(accepted) > 1 and self.spec.text is None:
            accepted = _by_margin(accepted)
        evidence = self._evidence(path)
        if len(accepted) == 1:
            return self._accept(accepted[0], evidence)
        if accepted:
            return Ambiguous(tuple(accepted), evidence)
        for suspect in self.suspects:
            state, words = suspect.witness("state"), suspect.witness("text")
            if state is not None and not state.ok:
                return Contradicted(evidence, state.detail)
            if suspect.contradicted and words is not None:
                return Contradicted(evidence, f"该处的文字是{words.detail} / the text there is {words.detail}")
        nearest = max(self.suspects, key=_closeness, default=None)
        return Absent(nearest, evidence)

    def _accept(self, suspect: Suspect, evidence: Evidence) -> Found:
        offset = self.anchor.click_offset
        click = Point(round(offset.x * self.factor), round(offset.y * self.factor))
        box = suspect.box
        if not self.hovered:
            self.anchor.memory.remember(self.frame.crop(box), self.frame.scale, box, click)
        return Found(box, Point(box.x + click.x, box.y + click.y), evidence)

    def _evidence(self, path: str) -> Evidence:
        spent = (time.perf_counter() - self.started) * 1000
        return Evidence(self.anchor.name, self.anchor.title, tuple(self.suspects), self.region, path, spent, self.frame.time)


def _state_witness(crop: Image, reference: Image) -> Witness:
    """Whether the control looks as captured: its colours, which scale and font smoothing leave alone."""
    look = enabled_look(crop, reference)
    detail = "" if look.same else f"{_DIMMED}（底色差 {look.background:.0f}，墨色差 {look.ink:.0f}）"
    return Witness("state", look.same, max(look.background, look.ink), None, detail)


_DIMMED = "外观与标定时不同，可能未启用或被遮罩 / looks disabled or covered"


def _overlap(a: Box, b: Box) -> float:
    smaller = min(a.area, b.area)
    return a.intersect(b).area / smaller if smaller else 0.0


def _by_margin(accepted: list[Suspect]) -> list[Suspect]:
    def score(suspect: Suspect) -> float:
        picture = suspect.witness("picture")
        return picture.score if picture and picture.score is not None else 0.0

    ranked = sorted(accepted, key=score, reverse=True)
    return ranked[:1] if score(ranked[0]) - score(ranked[1]) >= ICON_MARGIN else ranked


def _closeness(suspect: Suspect) -> tuple[bool, float]:
    words, picture = suspect.witness("text"), suspect.witness("picture")
    return bool(words and words.ok), picture.score if picture and picture.score is not None else 0.0
