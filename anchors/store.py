"""The store: `anchors/library/<system>/<version>/anchors.yaml` with its whole screenshots. Versions are overlay folders."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from anchors.errors import LibraryBrokenError, LibraryMissingError, UnknownAnchorError
from anchors.model import SCHEMA, AnchorSpec, GridSpec, LibrarySpec, Popup, ScreenSpec, Window
from vision.frame import Box, Image, Point

LIBRARY = Path(__file__).parent / "library"

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""n → function that turns a document of schema n into schema n+1. Old libraries pass through the chain."""

MAX_VARIANTS = 6
"""Crops kept per anchor and scale after accepted finds; a client shows few renderings of one thing."""


@dataclass(slots=True)
class Variant:
    """Pixels that were accepted as the anchor before, at one display scale."""

    image: Image
    scale: float
    click: Point
    """From the top left of the image."""


@dataclass(slots=True)
class Memory:
    """What was learnt of an anchor while the robot runs; lost at its end, nothing is written back."""

    last: dict[float, Box] = field(default_factory=dict)
    """Display scale → last place."""
    variants: list[Variant] = field(default_factory=list)

    def remember(self, image: Image, scale: float, box: Box, click: Point) -> None:
        self.last[scale] = box
        same = [v for v in self.variants if v.scale == scale]
        if any(v.image.shape == image.shape and np.array_equal(v.image, image) for v in same):
            return
        self.variants.append(Variant(image.copy(), scale, click))
        if len(same) >= MAX_VARIANTS:
            self.variants.remove(same[0])


class Anchor:
    """One anchor ready for use: its model, its pixels and what was learnt of it."""

    def __init__(self, name: str, spec: AnchorSpec, screenshot: Screenshot, parent: Anchor | None) -> None:
        self.name = name
        self.spec = spec
        self.screenshot = screenshot
        self.parent = parent
        self.memory = Memory()
        self._crop: Image | None = None
        screenshot.anchors.append(self)

    @property
    def title(self) -> str:
        return self.spec.title or self.spec.text or self.name

    @property
    def scale(self) -> float:
        return self.screenshot.scale

    @property
    def box(self) -> Box:
        return Box(*self.spec.box)

    @property
    def crop(self) -> Image:
        """The anchor's own pixels, `uint8` H×W×3 BGR. Raises LibraryBrokenError when the box is not on the screenshot."""
        if self._crop is None:
            image = self.screenshot.image
            for anchor in self.screenshot.anchors:
                anchor.cut(image)
            self.cut(image)
            if self._crop is None:
                raise LibraryBrokenError(
                    f"锚点 {self.name} 的框 {tuple(self.box)} 不在截图 {self.screenshot.path.name}"
                    f"（{image.shape[1]}×{image.shape[0]}）之内；请重新标定。"
                    f" / The box of anchor {self.name} does not lie on its screenshot; capture it again."
                )
        return self._crop

    def cut(self, image: Image) -> None:
        """Keep the anchor's own pixels of its screenshot, if its box lies on it."""
        if self.box.clip(image.shape[1], image.shape[0]) == self.box and self.box.area > 0:
            self._crop = image[self.box.y : self.box.bottom, self.box.x : self.box.right].copy()

    @property
    def click_offset(self) -> Point:
        """Click point from the top left of the box, in pixels of the screenshot."""
        return Point(*self.spec.click) if self.spec.click else Point(self.box.width // 2, self.box.height // 2)

    def __repr__(self) -> str:
        return f"<Anchor {self.name} {self.title!r}>"


class Screenshot:
    """A whole screen as it was when anchors were captured. Six megabytes at 1080p, so it is read when asked for and let go;
    its anchors' crops are cut out together the first time."""

    def __init__(self, path: Path, scale: float, image: Image | None = None) -> None:
        """`image` is for a screen that was not written to `path` yet."""
        self.path = path
        self.scale = scale
        self.anchors: list[Anchor] = []
        self._given = image

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        image = self.image
        return int(image.shape[1]), int(image.shape[0])

    @property
    def image(self) -> Image:
        """`uint8` H×W×3 BGR, read from the file. Raises LibraryBrokenError."""
        if self._given is not None:
            return self._given
        try:
            data = np.fromfile(self.path, dtype=np.uint8)
        except OSError as error:
            raise LibraryBrokenError(
                f"锚点截图 {self.path} 打不开：{error.strerror}。可能文件被移走；请从仓库恢复或重新标定。"
                f" / The screenshot cannot be opened; restore it or capture again."
            ) from error
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if image is None:
            raise LibraryBrokenError(
                f"锚点截图 {self.path} 不是能读的图片（{data.size} 字节）。可能复制时中断；请恢复或重新标定。"
                f" / The screenshot is not a readable picture; restore it or capture again."
            )
        return np.asarray(image, dtype=np.uint8)


class Library:
    """The anchors of one version of one system."""

    def __init__(self, spec: LibrarySpec, anchors: dict[str, Anchor], screens: dict[str, Screenshot], folder: Path) -> None:
        self.spec = spec
        self._screens = screens
        self.folder = folder
        self._anchors = anchors

    @classmethod
    def open(cls, system: str, version: str, root: Path | None = None) -> Library:
        """Open a version with everything it extends.

        Raises LibraryMissingError (naming what is there) and LibraryBrokenError (naming file, line and column).
        """
        root = root or LIBRARY
        chain = _chain(root, system, version)
        merged = _merge([spec for _, spec in chain])
        screens: dict[str, Screenshot] = {}
        for folder, spec in reversed(chain):
            for name, screen in spec.screens.items():
                screens[name] = Screenshot(folder / screen.file, screen.scale)
        return cls(merged, _build(merged, screens, chain[0][0]), screens, chain[0][0])

    @property
    def system(self) -> str:
        return self.spec.system

    @property
    def version(self) -> str:
        return self.spec.version

    @property
    def title(self) -> str:
        return self.spec.title or self.spec.system

    @property
    def popups(self) -> tuple[Popup, ...]:
        return self.spec.popups

    def __getitem__(self, name: str) -> Anchor:
        try:
            return self._anchors[name]
        except KeyError:
            raise UnknownAnchorError(_unknown(name, list(self._anchors), f"{self.system}/{self.version}")) from None

    def __contains__(self, name: object) -> bool:
        return name in self._anchors

    def __iter__(self) -> Iterator[Anchor]:
        return iter(self._anchors.values())

    def __len__(self) -> int:
        return len(self._anchors)

    def grid(self, name: str) -> GridSpec:
        """What a grid's columns are called in this version. Raises UnknownAnchorError."""
        try:
            return self.spec.grids[name]
        except KeyError:
            raise UnknownAnchorError(_unknown(name, list(self.spec.grids), f"{self.system}/{self.version} grids")) from None

    def screenshot(self, name: str) -> Screenshot:
        """A whole screenshot by name. Raises UnknownAnchorError."""
        try:
            return self._screens[name]
        except KeyError:
            raise UnknownAnchorError(_unknown(name, list(self._screens), f"{self.system}/{self.version} screens")) from None

    def term(self, name: str) -> str:
        """The version's own word for a term of the bots. Raises UnknownAnchorError."""
        try:
            return self.spec.terms[name]
        except KeyError:
            raise UnknownAnchorError(_unknown(name, list(self.spec.terms), f"{self.system}/{self.version} terms")) from None


def versions(system: str, root: Path | None = None) -> list[str]:
    """Calibrated versions of a system, sorted; empty when there are none."""
    folder = (root or LIBRARY) / system
    return sorted(p.name for p in folder.iterdir() if (p / "anchors.yaml").is_file()) if folder.is_dir() else []


def read_spec(path: Path) -> LibrarySpec:
    """Read and upgrade one `anchors.yaml`. Raises LibraryBrokenError with line and column."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LibraryBrokenError(f"{path} 打不开：{error.strerror} / cannot be opened") from error
    except UnicodeDecodeError as error:
        raise LibraryBrokenError(f"{path} 不是 UTF-8 文本：{error.reason} / is not UTF-8 text") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"第 {mark.line + 1} 行第 {mark.column + 1} 列 / line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise LibraryBrokenError(f"{path} 不是正确的 YAML：{place}：{error.problem}") from error
    except YAMLError as error:  # characters that no YAML may hold
        raise LibraryBrokenError(f"{path} 不是正确的 YAML / is not YAML：{error}") from error
    if not isinstance(document, dict):
        raise LibraryBrokenError(f"{path} 里没有锚点库的内容 / holds no anchor library")
    try:
        return LibrarySpec.model_validate(_upgrade(document, path))
    except ValidationError as error:
        raise LibraryBrokenError(f"{path} 与锚点格式不符 / does not fit the format：\n" + _lines(error)) from error


def _upgrade(document: dict[str, Any], path: Path) -> dict[str, Any]:
    schema = document.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise LibraryBrokenError(
            f"{path} 的格式版本是 {schema!r}，本程序只认识到 {SCHEMA}；请升级程序。"
            f" / Schema {schema!r} is newer than this program ({SCHEMA}); upgrade it."
        )
    while schema < SCHEMA:
        if schema not in UPGRADES:
            raise LibraryBrokenError(f"{path} 的格式版本 {schema!r} 不存在 / there never was a schema {schema!r}")
        document = UPGRADES[schema](document)
        schema += 1
    return {**document, "schema": SCHEMA}


_WORDS = [word for model in (AnchorSpec, LibrarySpec, GridSpec, ScreenSpec, Popup, Window) for word in model.model_fields]


def _lines(error: ValidationError) -> str:
    rows = []
    for problem in error.errors()[:8]:
        place = ".".join(str(part) for part in problem["loc"])
        hint = ""
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(problem["loc"][-1]), _WORDS, 1)
            hint = f"（是否想写 {near[0]}？）" if near else ""
        rows.append(f"  {place}: {problem['msg']}{hint}")
    return "\n".join(rows)


def _chain(root: Path, system: str, version: str) -> list[tuple[Path, LibrarySpec]]:
    """The version and everything it extends, most specific first."""
    chain: list[tuple[Path, LibrarySpec]] = []
    wanted: str | None = version
    while wanted is not None:
        folder = root / system / wanted
        if not (folder / "anchors.yaml").is_file():
            there = ", ".join(versions(system, root)) or "—"
            raise LibraryMissingError(
                f"没有 {system} {wanted} 版的锚点（{folder}）。已标定的版本：{there}。"
                f"请先运行 run.py calibrate 标定这个版本，或在设置里改正版本号。"
                f" / No anchors for {system} {wanted}; calibrated: {there}. Calibrate it or correct the version in the settings."
            )
        if any(folder == seen for seen, _ in chain):
            raise LibraryBrokenError(f"{folder / 'anchors.yaml'}: extends 成环 / extends runs in a circle")
        spec = read_spec(folder / "anchors.yaml")
        chain.append((folder, spec))
        wanted = spec.extends
    return chain


def _merge(specs: list[LibrarySpec]) -> LibrarySpec:
    first = specs[0]
    anchors: dict[str, AnchorSpec] = {}
    grids: dict[str, GridSpec] = {}
    terms: dict[str, str] = {}
    for spec in reversed(specs):
        anchors.update(spec.anchors)
        grids.update(spec.grids)
        terms.update(spec.terms)
    popups = next((spec.popups for spec in specs if spec.popups), ())
    return first.model_copy(update={"anchors": anchors, "grids": grids, "terms": terms, "popups": popups})


def _build(spec: LibrarySpec, screens: dict[str, Screenshot], folder: Path) -> dict[str, Anchor]:
    built: dict[str, Anchor] = {}

    def build(name: str, path: tuple[str, ...]) -> Anchor:
        if name in built:
            return built[name]
        if name not in spec.anchors:
            raise LibraryBrokenError(f"{folder}: " + _unknown(name, list(spec.anchors), " → ".join(path)))
        if name in path:
            raise LibraryBrokenError(f"{folder}: inside 成环 / inside runs in a circle: {' → '.join((*path, name))}")
        one = spec.anchors[name]
        if one.screen not in screens:
            raise LibraryBrokenError(f"{folder}: {name}: " + _unknown(one.screen, list(screens), "screens"))
        parent = build(one.inside.anchor, (*path, name)) if one.inside else None
        built[name] = Anchor(name, one, screens[one.screen], parent)
        return built[name]

    for name in spec.anchors:
        build(name, ())
    for popup in spec.popups:
        for name in (popup.seen, popup.dismiss):
            build(name, ("popups",))
    return built


def _unknown(name: str, there: list[str], where: str) -> str:
    near = difflib.get_close_matches(name, there, 3)
    hint = f"；是否是 / perhaps: {', '.join(near)}" if near else ""
    return f"{where} 中没有「{name}」 / there is no “{name}”{hint}"
