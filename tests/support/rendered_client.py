"""Pages of a client as Chromium draws them, with the place of every element from the page's own geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from vision.frame import Box, Frame, Image

SIZE = (900, 520)
"""CSS pixels."""
STYLE = """
*{box-sizing:border-box} body{font:14px "WenQuanYi Micro Hei";margin:0;color:#303133;background:#fff;overflow:hidden}
header{height:44px;background:#1f4e79;color:#fff;padding:12px 20px;font-size:16px}
.at{position:absolute;white-space:nowrap}
.b{display:inline-block;height:32px;line-height:30px;padding:0 15px;border-radius:4px;border:1px solid #dcdfe6;background:#fff;
color:#606266;white-space:nowrap}
.p{background:#409eff;border-color:#409eff;color:#fff} .h{background:#66b1ff;border-color:#66b1ff;color:#fff}
.d{background:#a0cfff;border-color:#a0cfff;color:#fff}
.mask{position:absolute;inset:0;background:rgba(255,255,255,.7)} .dark{background:rgba(0,0,0,.5)}
.row{position:absolute;left:20px;width:640px;height:36px;border-bottom:1px solid #ebeef5;line-height:36px}
.row b{position:absolute;right:20px;font-weight:400;color:#409eff} svg{position:absolute}
.box{position:absolute;border:1px solid #dcdfe6;width:400px;height:120px}
"""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a page. `boxes`: id of an element → where it is, physical pixels, from the page."""

    image: Image
    scale: float
    boxes: Mapping[str, Box]

    def frame(self, time: float = 0.0) -> Frame:
        return Frame(self.image, time, self.scale)


class Browser:
    """One Chromium for a module: ``shot(body, scale)``. A context manager."""

    def __enter__(self) -> Browser:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        self._pages: dict[float, Any] = {}
        self._kept: dict[tuple[str, float], Shot] = {}
        return self

    def __exit__(self, *error: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def shot(self, body: str, scale: float = 1.0) -> Shot:
        """The page with `body` at a display scale; ids of elements give their places."""
        key = (body, scale)
        if key not in self._kept:
            self._kept[key] = self._shot(body, scale)
        return self._kept[key]

    def _shot(self, body: str, scale: float) -> Shot:
        if scale not in self._pages:
            viewport = {"width": SIZE[0], "height": SIZE[1]}
            self._pages[scale] = self._browser.new_page(viewport=viewport, device_scale_factor=scale)
        page = self._pages[scale]
        page.set_content(f"<!doctype html><meta charset=utf8><style>{STYLE}</style>{body}")
        data = np.frombuffer(page.screenshot(), np.uint8)
        places = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[id]')].map(e => {const r = e.getBoundingClientRect();"
            " return [e.id, [r.x, r.y, r.right, r.bottom]]}))"
        )
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert image is not None
        boxes = {}
        for name, place in places.items():
            x, y, right, bottom = (round(v * scale) for v in place)
            boxes[name] = Box(x, y, right - x, bottom - y)
        return Shot(np.asarray(image, np.uint8), scale, boxes)


def button(text: str, x: float, y: float, style: str = "p", name: str = "", extra: str = "") -> str:
    """A button whose words (not its rectangle) have the id `name`, and its rectangle `name-box`."""
    ids = (f' id="{name}"', f' id="{name}-box"') if name else ("", "")
    return f'<div class="at b {style}" style="left:{x}px;top:{y}px;{extra}"{ids[1]}><span{ids[0]}>{text}</span></div>'


ICONS = {
    "bell": "M8 1a4 4 0 0 0-4 4v4l-2 3h12l-2-3V5a4 4 0 0 0-4-4zM6 13a2 2 0 0 0 4 0z",
    "search": "M7 2a5 5 0 1 0 3 9l4 4 1-1-4-4a5 5 0 0 0-4-8zm0 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
    "plus": "M7 2h2v5h5v2H9v5H7V9H2V7h5z",
    "close": "M3 2l5 5 5-5 1 1-5 5 5 5-1 1-5-5-5 5-1-1 5-5-5-5z",
    "minus": "M2 7h12v2H2z",
}


def icon(kind: str, x: int, y: int, name: str = "", colour: str = "#303133") -> str:
    """An icon of 20×20 CSS pixels without any text."""
    mark = f' id="{name}"' if name else ""
    return (
        f'<svg{mark} width=20 height=20 viewBox="0 0 16 16" style="left:{x}px;top:{y}px">'
        f'<path fill="{colour}" d="{ICONS[kind]}"/></svg>'
    )
