"""A client drawn by Pillow: buttons, fields and dialogs at places the test chose, so their truth is known without any reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from anchors.store import Library
from tests.support.rendered_text import FONT
from tests.support.shelf import library
from vision.frame import Box, Image

SIZE = (800, 450)
PAD = (5, 4)
"""Pixels around the words that belong to an anchor's crop."""

Style = tuple[str, str, str]
PRIMARY: Style = ("#ffffff", "#409eff", "#409eff")
"""(ink, background, border)"""
HOVERED: Style = ("#ffffff", "#66b1ff", "#66b1ff")
DISABLED: Style = ("#ffffff", "#a0cfff", "#a0cfff")
PLAIN: Style = ("#606266", "#ffffff", "#dcdfe6")
LABEL: Style = ("#303133", "#ffffff", "#ffffff")
DIALOG: Style = ("#303133", "#ffffff", "#909399")
FONT_SIZE = 16

_font = ImageFont.truetype(FONT, FONT_SIZE)


@dataclass(frozen=True, slots=True)
class Thing:
    """One control. `x, y` is the top left of its rectangle; its words stand 16 px from the left and 8 px from the top."""

    text: str
    x: int
    y: int
    style: Style = PRIMARY
    width: int | None = None
    height: int = 34
    layer: int = 0
    """Things on higher layers cover those below."""

    @property
    def words(self) -> Box:
        """Where the text stands."""
        left, top, right, bottom = (int(v) for v in _font.getbbox(self.text))
        return Box(self.x + 16 + left, self.y + 8 + top, right - left, bottom - top)

    @property
    def box(self) -> Box:
        width = self.width if self.width is not None else round(_font.getlength(self.text)) + 32
        return Box(self.x, self.y, width, self.height)

    def at(self, x: int, y: int) -> Thing:
        return replace(self, x=x, y=y)


class DrawnClient:
    """What is shown, by name. Change `shown` and the next picture shows it."""

    def __init__(self, **things: Thing) -> None:
        self.shown: dict[str, Thing] = dict(things)
        self._kept: dict[tuple[Thing, ...], Image] = {}

    def picture(self) -> Image:
        """`uint8` 450×800×3 BGR."""
        key = tuple(sorted(self.shown.values(), key=lambda thing: thing.layer))
        if key not in self._kept:
            self._kept[key] = _draw(key)
        return self._kept[key]

    def under(self, place: tuple[int, int]) -> str | None:
        """Name of the thing a press at `place` hits, as a window system decides it."""
        hits = [name for name, thing in self.shown.items() if thing.box.contains(place)]
        return max(hits, key=lambda name: self.shown[name].layer, default=None)

    def library(self, root: Path, more: Mapping[str, Mapping[str, Any]] | None = None, **rest: Any) -> Library:
        """An anchor for every thing shown now, cut around its words; `more` adds to single anchors."""
        anchors: dict[str, dict[str, Any]] = {}
        for name, thing in self.shown.items():
            anchors[name] = {"screen": "main", "box": list(thing.words.grow(*PAD)), "text": thing.text}
        for name, part in (more or {}).items():
            anchors[name] = {**anchors[name], **part}
        return library(root, anchors, {"main": (self.picture(), 1.0)}, **rest)


def _draw(things: tuple[Thing, ...]) -> Image:
    picture = Picture.new("RGB", SIZE, "#ffffff")
    draw = ImageDraw.Draw(picture)
    for thing in things:
        ink, paper, border = thing.style
        box = thing.box
        draw.rectangle((box.x, box.y, box.right - 1, box.bottom - 1), fill=paper, outline=border)
        draw.text((thing.x + 16, thing.y + 8), thing.text, font=_font, fill=ink)
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
