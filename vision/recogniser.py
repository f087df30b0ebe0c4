"""The PP-OCRv6 small recogniser, driven directly through its ONNX file.

The file lies in the wheel of ``rapidocr`` (Apache-2.0), so nothing is fetched at run time; ``rapidocr`` itself is never
imported (it would pull in a detector, a logger and its own thread settings). Input: crops of one text line in BGR.
Output: one matrix of probabilities a crop, a row for each 8 px of network width.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from vision.frame import Box, Image

Probabilities = npt.NDArray[np.float32]

HEIGHT = 48
"""Pixels: the height the network was trained on."""
STEP = 8
"""Network pixels that one row of the result stands for."""
NARROWEST = 96
"""Pixels. Time grows with the width, 0.09 ms a pixel; with 3 px of margin 96 lost nothing against 160 (docs/reading.md)."""
BUCKET = 16
"""Widths are rounded up to this, so that few shapes occur and little padding is computed."""
BLANK = 0


class ReaderUnavailable(RuntimeError):
    """A reader's program or model is missing. The message says which, the likely cause and what to do."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A crop made ready: what the network sees, and where it came from."""

    image: Image
    """48 × width × 3."""
    origin: float
    """x in the crop of the strip's left edge (negative where margin was added)."""
    zoom: float
    """Strip pixels a crop pixel."""
    ink: Box
    """Around the text, in pixels of the crop."""


def model_path() -> Path:
    """Where the model lies. Raises :class:`ReaderUnavailable`."""
    found = importlib.util.find_spec("rapidocr")
    if found is None or found.origin is None:
        raise ReaderUnavailable(
            "文字识别不可用：找不到 rapidocr 包（其中带有识别模型）。请运行 python3 run.py setup。"
            " / Reading is not available: the package rapidocr, which carries the model, is not installed."
            " Run: python3 run.py setup"
        )
    path = Path(found.origin).parent / "models" / "PP-OCRv6_rec_small.onnx"
    if not path.is_file():
        raise ReaderUnavailable(
            f"文字识别不可用：rapidocr 包里没有 {path.name}，版本可能不对（需要 3.10）。请运行 python3 run.py setup。"
            f" / Reading is not available: rapidocr does not hold {path.name}; it is probably another version than 3.10."
            " Run: python3 run.py setup"
        )
    return path


class Recogniser:
    """One network session. ``probabilities`` may be called from any thread."""

    def __init__(self, path: Path) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Every width is another shape: remembered memory plans and a growing arena would only keep memory (600 MB a robot).
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        text = self._session.get_modelmeta().custom_metadata_map.get("character", "")
        if not text:
            raise ReaderUnavailable(
                f"文字识别不可用：{path.name} 里没有字表，文件可能损坏。请重新安装 rapidocr。"
                f" / Reading is not available: {path.name} holds no list of characters; the file is probably damaged."
                " Install rapidocr again."
            )
        characters = text.split("\n")
        size = self._session.get_outputs()[0].shape[-1]
        # The list may end with a line break; the blank comes first, the space last.
        self.characters: tuple[str, ...] = ("", *characters[: size - 2], " ")
        if len(self.characters) != size:
            raise ReaderUnavailable(
                f"文字识别不可用：字表有 {len(self.characters)} 个字符，模型输出 {size} 个，二者不配套。请重新安装 rapidocr。"
                f" / Reading is not available: {len(self.characters)} characters listed, {size} in the model's output."
                " Install rapidocr again."
            )
        self.index: dict[str, int] = {}
        for number, character in enumerate(self.characters):
            self.index.setdefault(character, number)

    def probabilities(self, strips: Sequence[Image]) -> Probabilities:
        """Probabilities N×T×C for strips of one and the same width: ``uint8`` 48×W×3 BGR, W a multiple of 8."""
        batch = np.stack(strips).astype(np.float32)
        batch *= 2.0 / 255.0
        batch -= 1.0
        result: Probabilities = self._session.run(None, {self._input: np.ascontiguousarray(batch.transpose(0, 3, 1, 2))})[0]
        return result


_lock = threading.Lock()
_shared: Recogniser | None = None


def shared() -> Recogniser:
    """The process's one recogniser, made at the first call (about 0.3 s). Raises :class:`ReaderUnavailable`."""
    global _shared
    if _shared is None:
        with _lock:
            if _shared is None:
                _shared = Recogniser(model_path())
    return _shared


def bucket(width: int) -> int:
    """The network width used for a strip of this width."""
    return max(NARROWEST, -(-width // BUCKET) * BUCKET)


def resize(image: Image, width: int) -> Image:
    """To 48 px height and ``width``: bilinear, as the network was trained."""
    out = cv2.resize(image, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cast("Image", out)
