"""Tesseract behind the same door, for comparison and where the network's model is missing. Far weaker (FIELD.md §2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2

from vision.findings import Character, Reading
from vision.frame import Box, Image
from vision.patterns import template
from vision.recogniser import ReaderUnavailable
from vision.strips import background, ink_box

ZOOM = 3
"""Tesseract wants letters of about 30 px; screens have 12–16 px."""


def read(crops: Sequence[Image], pattern: str | None = None) -> list[Reading]:
    """Readings with ``reader="tesseract"``; the lowest probability is that of the least certain word.

    Raises :class:`ReaderUnavailable` where the package, the program or its Chinese data is missing.
    """
    try:
        import pytesseract
    except ImportError as error:
        raise ReaderUnavailable(
            "Tesseract 不可用：没有安装 pytesseract。请运行 python3 run.py setup。"
            " / Tesseract is not available: pytesseract is not installed. Run: python3 run.py setup"
        ) from error
    return [_one(crop, pattern, pytesseract) for crop in crops]


def _one(crop: Image, pattern: str | None, pytesseract: Any) -> Reading:
    form = template(pattern) if pattern is not None else None
    ink = ink_box(crop)
    if ink is None:
        return Reading("", 1.0, reader="tesseract", matches=None if form is None else form.accepts(""))
    part = crop[ink.y : ink.bottom, ink.x : ink.right]
    gray: Any = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    paper = int(cv2.cvtColor(background(crop).reshape(1, 1, 3), cv2.COLOR_BGR2GRAY)[0, 0])
    if paper < 128:
        gray, paper = 255 - gray, 255 - paper
    gray = cv2.resize(gray, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    border = 8 * ZOOM
    gray = cv2.copyMakeBorder(gray, border, border, border, border, cv2.BORDER_CONSTANT, value=paper)
    try:
        data = pytesseract.image_to_data(
            gray, lang="chi_sim+eng", config="--psm 7", output_type=pytesseract.Output.DICT, timeout=20
        )
    except pytesseract.TesseractNotFoundError as error:
        raise ReaderUnavailable(
            "Tesseract 不可用：找不到 tesseract 程序。Debian：apt-get install tesseract-ocr tesseract-ocr-chi-sim；"
            "Windows：安装后把它的文件夹加入 PATH。 / Tesseract is not available: the program tesseract was not found."
            " Debian: apt-get install tesseract-ocr tesseract-ocr-chi-sim; Windows: install it and add its folder to PATH."
        ) from error
    except pytesseract.TesseractError as error:
        raise ReaderUnavailable(
            f"Tesseract 出错：{error}。多半缺少中文数据：apt-get install tesseract-ocr-chi-sim。"
            f" / Tesseract failed: {error}. Most likely its Chinese data is missing: apt-get install tesseract-ocr-chi-sim"
        ) from error
    words = [
        Character(
            text,
            max(0.0, float(confidence) / 100),
            Box(
                ink.x + (int(x) - border) // ZOOM,
                ink.y + (int(y) - border) // ZOOM,
                max(1, int(w) // ZOOM),
                max(1, int(h) // ZOOM),
            ),
        )
        for text, confidence, x, y, w, h in zip(
            data["text"], data["conf"], data["left"], data["top"], data["width"], data["height"], strict=True
        )
        if text.strip()
    ]
    # Words of Chinese come apart; a template knows where its spaces stand, otherwise none are kept between them.
    text = "".join(word.text for word in words)
    matches = None if form is None else form.accepts(text)
    lowest = min((word.probability for word in words), default=0.0)
    return Reading(text, lowest, tuple(words), "tesseract", matches)
