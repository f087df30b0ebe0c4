"""Personal data does not get through: texts by example and property, pictures by the place where the text was drawn."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from recordings import masking
from vision.frame import Box, Image

FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"


@pytest.mark.parametrize(
    ("mask", "text", "masked"),
    [
        (masking.mask_name, "张三", "张*"),
        (masking.mask_name, "欧阳娜娜", "欧阳**"),
        (masking.mask_name, "张", "*"),
        (masking.mask_name, "王五小吃店", "王***店"),
        (masking.mask_phone, "13812341234", "138****1234"),
        (masking.mask_phone, "0512-66661234", "0512-****1234"),
        (masking.mask_address, "江苏省苏州市吴中区木渎镇幸福路12号3幢", "江苏省苏州市吴中区木渎镇***"),
        (masking.mask_id, "320501199001011234", "320*************34"),
        (masking.mask_text, "客户名称：李四，电话１３８１２３４１２３４", "客户名称：李*，电话138****1234"),
        (
            masking.mask_text,
            "工单3201202611230001 户号0410000001 电能表3300012345678",
            "工单3201202611230001 户号0410000001 电能表3300012345678",
        ),
        (masking.mask_text, "身份证32050119900101123X", "身份证320*************3X"),
    ],
)
def test_what_a_clerk_still_recognises(mask: object, text: str, masked: str) -> None:
    assert callable(mask)
    assert mask(text) == masked


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(alphabet="客户电话：，。 abc(", max_size=8))
def test_no_mobile_number_survives_in_free_text(number: str, around: str) -> None:
    assert number not in masking.mask_text(around + number + around)


def test_data_is_masked_by_its_key_at_any_depth() -> None:
    data = {
        "客户名称": "王小五",
        "rows": [{"联系电话": "13812341234", "用电地址": "苏州市吴中区人民路8号"}],
        "password": "Secret#1",
        "count": 3,
    }
    masked = masking.mask_data(data)
    assert masked == {
        "客户名称": "王**",
        "rows": [{"联系电话": "138****1234", "用电地址": "苏州市吴中区***"}],
        "password": "●●●●●●",
        "count": 3,
    }
    assert masking.mask_data({"name": "picture", "ok": True})["name"] == "picture"


def test_tokens_are_stable_and_useless_without_the_key() -> None:
    tokens = masking.Tokens(b"0123456789abcdef")
    assert tokens.token("13812341234", "phone") == tokens.token(" １３８１２３４１２３４ ", "phone")
    assert tokens.token("13812341234", "phone") != masking.Tokens(b"another-key-1234").token("13812341234", "phone")
    assert "0123456789abcdef" not in repr(tokens)
    with pytest.raises(ValueError, match="16"):
        masking.Tokens(b"short")


def page(scale: float, dark: bool = False) -> tuple[Image, list[tuple[str, Box]]]:
    """A page with table rows, a placeholder in a field and buttons, and where each text is drawn."""
    font = ImageFont.truetype(FONT, round(14 * scale))
    ink, paper = ((225, 228, 232), (24, 28, 34)) if dark else ((96, 98, 102), (255, 255, 255))
    picture = Pillow.new("RGB", (round(1000 * scale), round(420 * scale)), paper)
    draw, drawn = ImageDraw.Draw(picture), []

    def put(x: float, y: float, text: str, colour: tuple[int, int, int]) -> None:
        at = (round(x * scale), round(y * scale))
        left, top, right, bottom = draw.textbbox(at, text, font=font)
        draw.text(at, text, font=font, fill=colour)
        drawn.append((text, Box(int(left), int(top), int(right - left) + 1, int(bottom - top) + 1)))

    for row in range(8):
        y = 60 + row * 40
        draw.line([(0, (y - 12) * scale), (1000 * scale, (y - 12) * scale)], fill=(210, 214, 220))
        for column, text in enumerate((f"32012026112300{row:02d}", "欧阳建国", "13812341234", "苏州市吴中区木渎镇12号")):
            put(20 + column * 200, y, text, ink)
    draw.rectangle([20 * scale, 8 * scale, 260 * scale, 40 * scale], outline=(220, 223, 230))
    put(30, 14, "请输入客户名称", (120, 124, 130) if dark else (192, 196, 204))
    draw.rectangle([840 * scale, 8 * scale, 920 * scale, 40 * scale], fill=(64, 158, 255))
    put(862, 14, "复电", (255, 255, 255))
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]), drawn


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5])
def test_every_text_on_a_page_is_covered_without_a_trace(scale: float, dark: bool) -> None:
    image, drawn = page(scale, dark)
    covered = masking.masked(image)
    for text, box in drawn:
        inside = covered[box.y : box.bottom, box.x : box.right].reshape(-1, 3)
        assert (inside == inside[0]).all(), f"{text} at {box} left a trace"


def test_only_what_is_named_as_clear_stays_and_covered_wins() -> None:
    image, drawn = page(1.0)
    where = dict(drawn)
    button = where["复电"].grow(4)
    covered = masking.masked(image, clear=[button, where["请输入客户名称"]], covered=[where["请输入客户名称"].grow(3)])
    assert np.array_equal(
        covered[button.y : button.bottom, button.x : button.right], image[button.y : button.bottom, button.x : button.right]
    )
    field = where["请输入客户名称"]
    inside = covered[field.y : field.bottom, field.x : field.right].reshape(-1, 3)
    assert (inside == inside[0]).all()


def test_the_picture_given_is_not_changed_and_shrinking_hides_as_much() -> None:
    image, drawn = page(1.0)
    before = image.copy()
    small = masking.masked(image, shrink=0.5)
    assert np.array_equal(image, before) and small.shape == (210, 500, 3)
    for text, box in drawn:
        half = Box(box.x // 2 + 1, box.y // 2 + 1, box.width // 2 - 2, box.height // 2 - 2)
        inside = small[half.y : half.bottom, half.x : half.right].reshape(-1, 3)
        assert (inside == inside[0]).all(), text


def test_a_reader_finds_no_name_and_no_phone_on_the_masked_page(tmp_path: Path) -> None:
    image, _ = page(1.5)
    assert shutil.which("tesseract"), "tesseract is the judge here: apt-get install tesseract-ocr"

    def said(picture: Image) -> str:
        file = tmp_path / "page.png"
        cv2.imwrite(str(file), picture)
        done = subprocess.run(["tesseract", str(file), "-", "--psm", "11"], capture_output=True, text=True, check=True)
        return "".join(done.stdout.split())

    assert "1381234" in said(image), "the judge reads the page as it was"
    assert not any(c.isalnum() for c in said(masking.masked(image)))


def test_cover_takes_boxes_that_reach_over_the_edge() -> None:
    image, _ = page(1.0)
    covered = masking.cover(image, [Box(-10, -10, 40, 40), Box(990, 400, 500, 500)])
    assert (covered[:30, :30] == covered[0, 0]).all() and np.array_equal(covered[100:300], image[100:300])
