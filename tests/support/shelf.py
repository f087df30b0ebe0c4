"""An anchor library on disk as a test wants it. Written as plain text here, not by the code that writes libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anchors.store import Library
from vision.frame import Image

SYSTEM = "client"


def write_version(
    root: Path,
    version: str = "1.0",
    anchors: Mapping[str, Mapping[str, Any]] | None = None,
    screens: Mapping[str, tuple[Image, float]] | None = None,
    **more: Any,
) -> Path:
    """Write `root/client/<version>`: `screens` are name → (picture, scale). JSON is YAML, so no dumper is trusted."""
    folder = root / SYSTEM / version
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {}
    for name, (image, scale) in (screens or {}).items():
        files[name] = {"file": f"{name}.png", "scale": scale}
        ok, data = cv2.imencode(".png", image)
        assert ok
        (folder / f"{name}.png").write_bytes(np.asarray(data).tobytes())
    document = {"schema": 1, "system": SYSTEM, "version": version, "screens": files, "anchors": dict(anchors or {}), **more}
    (folder / "anchors.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return folder


def library(
    root: Path, anchors: Mapping[str, Mapping[str, Any]], screens: Mapping[str, tuple[Image, float]], **more: Any
) -> Library:
    """The library of one version, freshly opened: nothing is remembered of earlier finds."""
    write_version(root, "1.0", anchors, screens, **more)
    return Library.open(SYSTEM, "1.0", root)
