"""Personal data out of texts and pictures, before anything is kept.

Texts: names, phones, addresses and identity numbers keep only what a clerk needs to recognise them. Pictures: default-deny.
Whatever has detail like text is covered, except the boxes that the caller names as clear; what no reader found is covered too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from vision.frame import Box, Image

# Texts ------------------------------------------------------------------------------------------------------------------

_COMPOUND_TEXT = """
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容
仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐
段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙
南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师
"""
_COMPOUND = frozenset(_COMPOUND_TEXT.split())
_ORGANISATION = re.compile(r"(有限公司|公司|厂|学校|医院|中心|商店|超市|饭店|酒店|店|局|所|院|社|村委会|居委会)$")
_REGION = re.compile(r"^(.*?(?:自治区|省|市|区|县|镇|乡|街道))")
_WIDE = str.maketrans({**{chr(0xFF10 + d): str(d) for d in range(10)}, "－": "-", "Ｘ": "X", "ｘ": "x", "：": ":"})
_DASHES = r"[ \-]?"
_PHONE = re.compile(rf"(?<![\d.])1[3-9]\d{_DASHES}\d{{4}}{_DASHES}\d{{4}}(?![\d.]\d|\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])")
_NAME_WORDS = "客户名称|客户姓名|用户名称|用户姓名|联系人|收件人|责任人|负责人|经办人|户名|姓名"
_ADDRESS_WORDS = "用电地址|客户地址|用户地址|装表地址|通讯地址|住址|地址"
_NAMED = re.compile(rf"({_NAME_WORDS})(\s*[:：]\s*)([\u4e00-\u9fff·]{{2,30}})")
_ADDRESSED = re.compile(rf"({_ADDRESS_WORDS})(\s*[:：]\s*)([^\s,，;；。|]+)")
_NAME_KEY = re.compile(rf"^({_NAME_WORDS}|customer_name|contact|person)$", re.IGNORECASE)
_ADDRESS_KEY = re.compile(rf"^({_ADDRESS_WORDS}|address|customer_address)$", re.IGNORECASE)
_PHONE_KEY = re.compile(r"(电话|手机|联系方式|phone|mobile)", re.IGNORECASE)
_ID_KEY = re.compile(r"(身份证|证件号|identity)", re.IGNORECASE)
_SECRET_KEY = re.compile(r"(密码|口令|password|secret|token)", re.IGNORECASE)


def mask_name(name: str) -> str:
    """张三 → 张*, 欧阳娜娜 → 欧阳**; an organisation keeps its first character and its kind."""
    text = name.strip()
    if len(text) < 2:
        return "*" if text else ""
    kind = _ORGANISATION.search(text)
    if kind and kind.start() > 1:
        return text[0] + "*" * (kind.start() - 1) + kind.group()
    shown = 2 if text[:2] in _COMPOUND and len(text) > 2 else 1
    return text[:shown] + "*" * (len(text) - shown)


def mask_phone(phone: str) -> str:
    """13812341234 → 138****1234; a number with an area code keeps it and the last four digits; shorter ones keep two."""
    text = phone.strip()
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    dash = text.translate(_WIDE).find("-")
    if len(digits) < 7:
        head, tail = 0, min(2, len(digits) // 2)
    elif text.translate(_WIDE).startswith("0"):
        head, tail = (sum(i < dash for i in digits) if dash > 0 else 4), 4
    else:
        head, tail = 3, 4
    hidden = set(digits[head : len(digits) - tail])
    return "".join("*" if i in hidden else c for i, c in enumerate(text))


def mask_address(address: str) -> str:
    """The part down to the district or town stays, the rest is ***."""
    text = address.strip()
    shown = ""
    while (found := _REGION.match(text[len(shown) :])) and len(shown) + found.end() < len(text):
        shown += found.group(1)
    return f"{shown or text[:2]}***" if text else ""


def mask_id(number: str) -> str:
    """The first three and the last two characters of an identity number stay."""
    text = number.strip()
    return text[:3] + "*" * (len(text) - 5) + text[-2:] if len(text) > 7 else "*" * len(text)


def mask_text(text: str) -> str:
    """Free text: identity numbers, phones and what stands after a label like 客户名称: are masked; order, customer and meter
    numbers stay. Full-width digits count as digits."""
    plain = text.translate(_WIDE)
    pieces = list(text)
    for pattern, mask in ((_IDENTITY, mask_id), (_PHONE, mask_phone), (_LANDLINE, mask_phone)):
        for found in pattern.finditer(plain):
            pieces[found.start() : found.end()] = mask(plain[found.start() : found.end()])
        plain = "".join(pieces).translate(_WIDE)
    masked = "".join(pieces)
    masked = _NAMED.sub(lambda m: m[1] + m[2] + mask_name(m[3]), masked)
    return _ADDRESSED.sub(lambda m: m[1] + m[2] + mask_address(m[3]), masked)


def mask_data(value: Any, key: str = "") -> Any:
    """JSON-ready data, masked by the key it stands under and by pattern; a value under a key like 密码 is removed."""
    if isinstance(value, Mapping):
        masked_items = {str(k): mask_data(v, str(k)) for k, v in value.items()}
        if isinstance(value.get("name"), str) and "ok" not in value:  # a witness has a name too, but nobody's
            masked_items["name"] = mask_name(value["name"]) if "*" not in value["name"] else value["name"]
        return masked_items
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [mask_data(v, key) for v in value]
    if not isinstance(value, str):
        return value
    if _SECRET_KEY.search(key) and not value.startswith("vault:"):
        return "●●●●●●"
    for pattern, mask in ((_NAME_KEY, mask_name), (_ADDRESS_KEY, mask_address), (_PHONE_KEY, mask_phone), (_ID_KEY, mask_id)):
        if pattern.search(key) and "*" not in value:
            return mask(value)
    return mask_text(value)


class Tokens:
    """Stable stand-ins for personal data: equal texts get equal tokens under one key, only the key's owner can test a guess."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a token key needs at least 16 bytes")
        self._key = key

    def token(self, text: str, kind: str = "") -> str:
        """``kind-`` and ten characters; spaces around and full-width digits do not matter."""
        plain = text.strip().translate(_WIDE)
        digest = hmac.new(self._key, f"{kind}\0{plain}".encode(), hashlib.sha256).hexdigest()[:10]
        return f"{kind}-{digest}" if kind else digest

    def __repr__(self) -> str:
        return "Tokens(key=●●●●●●)"


# Pictures ---------------------------------------------------------------------------------------------------------------

EDGE = 14
"""Difference between neighbouring pixels in any channel that counts as detail. Placeholder gray #c0c4cc on white differs by 51 or
more in the middle of a stroke and by 15 in its anti-aliased rim; gradients of shaded headers by 1–3."""

STRAIGHT = 64
"""Pixels of an uninterrupted straight edge that make it a border and not text; the longest stroke of a 40 px character is 40."""

CROWD, CROWDED = 13, 5
"""More than five straight edges within 13 px are a texture or a photo and not borders: a line has two, a double frame four."""

REACH_X, REACH_Y = 7, 3
"""How far detail is grown sideways and up: a space between two words of 14–28 px is closed, two lines of a grid are not."""


def text_mask(image: Image) -> Image:
    """``uint8`` H×W, 255 where the picture may hold text: every detail that is not part of a long straight edge, grown, and
    filled up to the rectangle around it, so that not even an outline stays."""
    height, width = image.shape[:2]
    if height < 2 or width < 2:
        return np.full((height, width), 255, np.uint8)
    across: Any = cv2.absdiff(image[:, 1:], image[:, :-1])
    down: Any = cv2.absdiff(image[1:], image[:-1])
    if image.ndim == 3:  # three calls of cv2.max on planes take a tenth of numpy's max over the last axis
        across, down = (cv2.max(cv2.max(b, g), r) for b, g, r in (cv2.split(across), cv2.split(down)))
    detail = np.zeros((height, width), np.uint8)
    for edges, kernel, part in ((across, (1, STRAIGHT), np.s_[:, 1:]), (down, (STRAIGHT, 1), np.s_[1:, :])):
        mask = np.asarray(edges > EDGE, np.uint8) * 255
        straight = cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, kernel))
        across_it = (CROWD, 1) if kernel[0] == 1 else (1, CROWD)
        lines = cv2.boxFilter(straight // 255, cv2.CV_8U, across_it, normalize=False, borderType=cv2.BORDER_CONSTANT)
        straight[lines > CROWDED] = 0
        detail[part] |= cv2.subtract(mask, straight).astype(np.uint8)
    shape = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * REACH_X + 1, 2 * REACH_Y + 1))
    detail = np.asarray(cv2.dilate(detail, shape), np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(detail, connectivity=8)
    for x, y, w, h, _area in stats[1:count]:
        detail[y : y + h, x : x + w] = 255
    return detail


def cover_mask(image: Image, mask: Image) -> Image:
    """A copy where each connected part of ``mask`` has one colour: its mean in steps of 16, which tells nothing of
    what stood there."""
    result = image.copy()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for number, (x, y, w, h, _area) in enumerate(stats[1:count], start=1):
        here = labels[y : y + h, x : x + w] == number
        part = result[y : y + h, x : x + w]
        part[here] = np.asarray(part[here].mean(axis=0) // 16 * 16 + 8, np.uint8)
    return result


def cover(image: Image, boxes: Iterable[Box]) -> Image:
    """A copy of the picture in which every box has one colour, see :func:`cover_mask`. Boxes may reach over the edge."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for box in boxes:
        part = Box(*box).clip(width, height)
        mask[part.y : part.bottom, part.x : part.right] = 255
    return cover_mask(image, mask)


def masked(image: Image, clear: Iterable[Box] = (), covered: Iterable[Box] = (), shrink: float = 1.0) -> Image:
    """A copy in which all that may be text is covered, except inside ``clear``; ``covered`` boxes are covered whole and win.

    ``shrink`` below 1 gives a smaller picture; what to cover is still decided on the full one, where thin strokes are visible.
    """
    height, width = image.shape[:2]
    mask = text_mask(image)
    for box, value in [(Box(*b), 0) for b in clear] + [(Box(*b), 255) for b in covered]:
        part = box.clip(width, height)
        mask[part.y : part.bottom, part.x : part.right] = value
    if shrink < 1.0 and min(height, width) * shrink >= 1:
        image = np.asarray(cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        small = cv2.resize(mask, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_AREA)
        mask = np.asarray(small > 0, np.uint8) * np.uint8(255)
    return cover_mask(image, mask)
