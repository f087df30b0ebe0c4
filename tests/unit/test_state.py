# ruff: noqa: E501  (style sheets: one rule a line)
"""States of controls as a browser draws them: enabled and disabled, set and not, focused; truth is what the page was told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.grids import Renderer
from vision.frame import Box, Image
from vision.state import contrast, enabled_look, ink_and_background, is_checked

PAGE = """<style>body{{margin:0;background:{back};color-scheme:{theme};font:14px 'WenQuanYi Micro Hei'}} #all{{padding:{offset}px}} #all>*{{margin:12px}}
.b{{border:1px solid #dcdfe6;background:{back};color:{ink};border-radius:4px;padding:8px 15px;font:inherit}} .b:disabled{{color:{faint}}}
.p{{border:1px solid #409eff;background:#409eff;color:#fff;border-radius:4px;padding:8px 15px;font:inherit}}
.p:disabled{{background:{pale};border-color:{pale}}} .l{{border:0;background:none;color:#409eff;font:inherit}} .l:disabled{{color:{pale}}}
.i{{border:1px solid #dcdfe6;border-radius:4px;height:32px;width:150px;background:{back};color:{ink};outline:0}} .i:focus{{border-color:#409eff}}
.c{{display:inline-block;width:14px;height:14px;border:1px solid #dcdfe6;border-radius:2px;background:{back};position:relative;box-sizing:border-box}}
.c.on{{background:#409eff;border-color:#409eff}} .c.on::after{{content:'';position:absolute;left:4px;top:1px;width:3px;height:7px;
border:1px solid #fff;border-left:0;border-top:0;transform:rotate(45deg)}}
.c.half{{background:#409eff;border-color:#409eff}} .c.half::after{{content:'';position:absolute;left:2px;right:2px;top:5px;height:2px;background:#fff}}
</style><div id=all>{controls}</div>"""

CONTROLS = "".join(
    f"<button class=b data-kind=button data-state={s} {d}>复电</button><button class=p data-kind=primary data-state={s} {d}>归档</button>"
    f"<button class=l data-kind=link data-state={s} {d}>处理</button>"
    f'<input type=checkbox data-kind=box data-state="{s} unset" {d}><input type=checkbox checked data-kind=box data-state="{s} set" {d}>'
    f'<input type=radio data-kind=radio data-state="{s} unset" {d}><input type=radio checked data-kind=radio data-state="{s} set" {d}>'
    for s, d in (("on", ""), ("off", "disabled"))
) + (
    '<span class=c data-kind=element data-state="unset"></span><span class="c on" data-kind=element data-state="set"></span>'
    '<span class="c half" data-kind=element data-state="half unset"></span><input class=i data-kind=input data-state=on value=2025>'
)

THEMES = {
    "light": {"back": "#fff", "ink": "#606266", "faint": "#a8abb2", "pale": "#a0cfff"},
    "dark": {"back": "#141414", "ink": "#cfd3dc", "faint": "#8d9095", "pale": "#2a598a"},
}
LABELLED = {"button", "primary", "link"}


class Shot(NamedTuple):
    theme: str
    scale: float
    kind: str
    state: str
    crop: Image


@pytest.fixture(scope="module")
def render() -> Iterator[Renderer]:
    with Renderer(1000, 500) as renderer:
        yield renderer


def shots(render: Renderer, theme: str, scale: float, offset: float = 10.0, focus: bool = False) -> list[Shot]:
    page = render.page(scale)
    html = PAGE.format(controls=CONTROLS, theme=theme, offset=offset, **THEMES[theme])
    page.set_content(html)
    if focus:
        page.evaluate("document.querySelector('.i').focus()")
    found = page.evaluate(
        "() => [...document.querySelectorAll('[data-kind]')].map(e => { const r = e.getBoundingClientRect();"
        " return [e.dataset.kind, e.dataset.state, r.left, r.top, r.right, r.bottom] })"
    )
    frame = render._shot(page, scale)
    out = []
    for kind, state, *edges in found:
        left, top, right, bottom = (round(e * scale) for e in edges)
        out.append(Shot(theme, scale, kind, state, frame.crop(Box(left, top, right - left, bottom - top))))
    return out


@pytest.fixture(scope="module")
def every(render: Renderer) -> list[Shot]:
    return [
        s
        for theme in THEMES
        for scale in (1.0, 1.25, 1.5)
        for offset in (10.0, 10.4)
        for s in shots(render, theme, scale, offset)
    ]


def test_a_disabled_control_never_looks_like_its_enabled_reference(every: list[Shot]) -> None:
    pairs = [(a, b) for a, b in combinations(every, 2) if a.kind == b.kind and a.kind in LABELLED and a.theme == b.theme]
    assert len(pairs) > 300
    wrong = [(a[:4], b[:4]) for a, b in pairs if enabled_look(a.crop, b.crop).same != (a.state == b.state)]
    assert wrong == []


def test_a_control_in_its_place_is_identical_with_its_reference(render: Renderer) -> None:
    for before, now in zip(shots(render, "light", 1.25), shots(render, "light", 1.25), strict=True):
        look = enabled_look(now.crop, before.crop)
        assert look.identical
        assert look.residual == 0


def test_check_boxes_and_radios_tell_whether_they_are_set(every: list[Shot]) -> None:
    checks = [s for s in every if s.kind in {"box", "radio", "element"}]
    assert len(checks) > 100
    wrong = [s[:4] for s in checks if is_checked(s.crop) != s.state.endswith(" set") and s.state != "set"]
    wrong += [s[:4] for s in checks if s.state == "set" and not is_checked(s.crop)]
    assert wrong == []


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5])
@pytest.mark.parametrize("theme", list(THEMES))
def test_focus_is_seen_on_the_border(render: Renderer, theme: str, scale: float) -> None:
    before = next(s for s in shots(render, theme, scale) if s.kind == "input")
    same = next(s for s in shots(render, theme, scale) if s.kind == "input")
    focused = next(s for s in shots(render, theme, scale, focus=True) if s.kind == "input")
    assert not enabled_look(same.crop, before.crop).border_differs
    assert enabled_look(focused.crop, before.crop).border_differs


def test_contrast_falls_when_a_control_is_disabled(every: list[Shot]) -> None:
    for kind in LABELLED - {"primary"}:
        for theme in THEMES:
            on = [contrast(s.crop) for s in every if s.kind == kind and s.theme == theme and s.state == "on"]
            off = [contrast(s.crop) for s in every if s.kind == kind and s.theme == theme and s.state == "off"]
            assert max(off) < min(on)


def test_ink_and_background_are_the_colours_of_the_style_sheet(render: Renderer) -> None:
    primary = next(s for s in shots(render, "light", 1.5) if s.kind == "primary" and s.state == "on")
    ink, back = ink_and_background(primary.crop)
    assert back == (0xFF, 0x9E, 0x40)
    assert min(ink) >= 240


def test_too_small_a_control_is_refused() -> None:
    with pytest.raises(ValueError, match="3×3"):
        enabled_look(np.zeros((3, 3, 3), np.uint8), np.zeros((20, 20, 3), np.uint8))
