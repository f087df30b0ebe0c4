"""Writing a version of the anchor library: `anchors.yaml` and its screenshots, all or nothing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from anchors.model import LibrarySpec
from vision.frame import Image

HEADER = """\
# What {title} {version} looks like. Captured by `run.py calibrate`; boxes are physical pixels of the screenshots.
# Sizes and words may be edited by hand: run `run.py calibrate check {system} {version}` afterwards.
"""


def write_library(folder: Path, spec: LibrarySpec, pictures: dict[str, Image]) -> None:
    """Everything is written beside the old files and takes their place only when all of it is on the disk: boxes and the
    screenshots they belong to change together, and a full disk changes nothing. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh: list[tuple[Path, Path]] = []
    try:
        for name, image in pictures.items():
            path = folder / spec.screens[name].file
            path.parent.mkdir(parents=True, exist_ok=True)
            ok, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
            if not ok:
                raise OSError(f"{path}: 图片编码失败 / the picture could not be encoded")
            _write_beside(path, np.asarray(data).tobytes(), fresh)
        _write_beside(folder / "anchors.yaml", dump(spec).encode("utf-8"), fresh)
        for new, path in fresh:
            new.replace(path)
    finally:
        for new, _ in fresh:
            new.unlink(missing_ok=True)


def dump(spec: LibrarySpec) -> str:
    """The text of `anchors.yaml`; defaults are left out, lists of numbers stand on one line."""
    document = spec.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    document = {"schema": spec.schema_, **document}
    yaml = YAML()
    yaml.width = 130
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(_flow(document), stream)
    return HEADER.format(title=spec.title or spec.system, version=spec.version, system=spec.system) + stream.getvalue()


def _flow(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _flow(part) for key, part in value.items()}
    if isinstance(value, list):
        items = CommentedSeq(_flow(part) for part in value)
        if all(isinstance(part, int | float | str) for part in value):
            items.fa.set_flow_style()
        return items
    return value


def _write_beside(path: Path, data: bytes, fresh: list[tuple[Path, Path]]) -> None:
    """Write `data` to a file beside `path` and note the pair in `fresh`."""
    new = path.with_name(path.name + ".new")
    fresh.append((new, path))
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
