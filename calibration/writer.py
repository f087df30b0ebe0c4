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
    """Write screenshots first and the file that names them last, each by renaming, so that a full disk breaks nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in pictures.items():
        path = folder / spec.screens[name].file
        path.parent.mkdir(parents=True, exist_ok=True)
        ok, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if not ok:
            raise OSError(f"{path}: 图片编码失败 / the picture could not be encoded")
        _replace(path, np.asarray(data).tobytes())
    _replace(folder / "anchors.yaml", dump(spec).encode("utf-8"))


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


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
