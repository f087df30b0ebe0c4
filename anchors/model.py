"""The anchor model: what is known of one thing on a client's screen, as it stands in `anchors.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1
"""Version of the format. A change adds a function to `anchors.store.UPGRADES` that turns n into n+1."""

Quad = tuple[int, int, int, int]
Pair = tuple[int, int]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Model):
    """The target lies inside a rectangle that hangs on another anchor."""

    anchor: str
    box: Quad
    """(dx, dy, width, height) from the top left of the other anchor's box, in pixels of the screenshot."""


class AnchorSpec(_Model):
    """One anchor. Pixels are those of the screenshot that it was captured on."""

    title: str = ""
    """What people call it; the text where there is one."""
    screen: str
    """Name of the whole screenshot it was captured on."""
    box: Quad
    """(x, y, width, height) of the crop."""
    kind: Literal["button", "link", "label", "input", "text", "icon"] = "button"
    text: str | None = None
    """Exactly what stands in it. None only for icons."""
    click: Pair | None = None
    """(dx, dy) of the click point from the top left of the box; the middle where none is given. May lie outside."""
    exclude: tuple[Quad, ...] = ()
    """Parts of the crop that change by themselves, (dx, dy, width, height) from its top left."""
    area: Quad | None = None
    """Part of the screenshot in which it is looked for; the whole screen where none is given."""
    inside: Window | None = None
    never: tuple[str, ...] = ()
    """Words of look-alikes that must lose, whatever the picture says."""
    irreversible: bool = False
    """Pressing it cannot be undone: two witnesses, uniqueness and a fresh look before the button goes down."""
    any_state: bool = False
    """Found also when it looks disabled, selected or hovered (tabs, menu entries)."""


class ScreenSpec(_Model):
    file: str
    scale: float = Field(gt=0.4, lt=5)
    """Display scale at capture: 1.5 is 150 %."""


class Popup(_Model):
    """A dialog that may come at any moment, and what ends it."""

    seen: str
    """Anchor that shows the dialog is there."""
    dismiss: str
    """Anchor that is clicked."""
    meaning: Literal["notice", "busy", "session"] = "notice"
    """``busy``: the request was not carried out; ``session``: the log-in ended."""


class GridSpec(_Model):
    """A grid of the client: what its columns are called in this version."""

    title: str = ""
    columns: dict[str, str]
    """Name that bots use → header on the screen."""
    patterns: dict[str, str] = {}
    """Name that bots use → pattern of its cells, as for `vision.text.read`."""
    area: Quad | None = None
    """Part of the screenshot, stretched with the window; the whole screen where none is given."""
    screen: str | None = None
    """The screenshot that `area` refers to."""
    below: str | None = None
    """Anchor under which the grid lies, where a page holds more than one."""
    above: str | None = None
    """Anchor over which it ends."""


class LibrarySpec(_Model):
    """The whole of `anchors.yaml`: one system in one version."""

    schema_: int = Field(alias="schema")
    system: str
    version: str
    title: str = ""
    extends: str | None = None
    """Version whose anchors are taken where this one has none of that name."""
    screens: dict[str, ScreenSpec] = {}
    anchors: dict[str, AnchorSpec] = {}
    grids: dict[str, GridSpec] = {}
    popups: tuple[Popup, ...] = ()
    terms: dict[str, str] = {}
    """The version's own words for what bots call by one name: column headers, options, links in grids."""
