"""Where text stands: pages drawn by Chromium, truth from the page's own geometry."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.rendered_text import Screen, drawn, screens
from vision import text
from vision.frame import Box, Frame
from vision.patterns import same_text


@pytest.fixture(scope="module")
def drawn_screens(tmp_path_factory: pytest.TempPathFactory) -> list[Screen]:
    return list(screens(3, tmp_path_factory.mktemp("screens")))


def test_every_text_is_one_line_and_nothing_else_is(drawn_screens: list[Screen]) -> None:
    for page in drawn_screens:
        lines = text.find_lines(Frame(page.image, 0.0, page.scale))
        boxes = [line.box for line in lines]
        slack = round(3 * page.scale)
        missed = [(t, b) for t, b in page.texts if sum(_inside(box, b.grow(slack)) for box in boxes) != 1]
        extra = [box for box in boxes if not any(_inside(box, b.grow(slack)) for _, b in page.texts)]
        assert (page.scale, missed, extra) == (page.scale, [], [])
        assert all(line.reading is None for line in lines)


def test_every_text_of_a_page_is_read(drawn_screens: list[Screen]) -> None:
    for page in drawn_screens:
        lines = text.read_lines(Frame(page.image, 0.0, page.scale))
        for wanted, box in page.texts:
            found = next(line for line in lines if _inside(line.box, box.grow(round(3 * page.scale))))
            assert same_text(found.text, wanted), (page.scale, wanted, found)
            assert found.reading is not None
            for character in found.reading.characters:
                assert found.box.grow(2).contains(character.box.center)


def test_lines_come_in_reading_order(drawn_screens: list[Screen]) -> None:
    page = drawn_screens[0]
    words = [line.text for line in text.read_lines(page.image)]
    assert words[:3] == ["户号：", "3301234567", "请核对后提交"]
    assert words[3:9] == ["查询", "重置", "停电", "我已知晓", "复电", "请输入关键字过滤"]


def test_a_region_limits_the_search_and_boxes_stay_in_pixels_of_the_frame(drawn_screens: list[Screen]) -> None:
    page = drawn_screens[1]
    wanted, box = next((t, b) for t, b in page.texts if t == "请输入关键字过滤")
    lines = text.read_lines(Frame(page.image, 0.0, page.scale), box.grow(10, 4))
    assert [line.text for line in lines] == [wanted]
    assert _inside(lines[0].box, box.grow(2))
    assert text.find_lines(page.image, Box(-50, -50, 40, 40)) == []
    assert text.find_lines(page.image, Box(5000, 0, 40, 40)) == []


def test_a_line_lies_close_around_its_ink() -> None:
    crop = drawn("城东村3号公变", 14, margin=30)
    rows, columns = np.flatnonzero((crop < 200).any((1, 2))), np.flatnonzero((crop < 200).any((0, 2)))
    (line,) = text.find_lines(crop)
    assert abs(line.box.x - columns[0]) <= 1
    assert abs(line.box.y - rows[0]) <= 1
    assert abs(line.box.right - columns[-1] - 1) <= 1
    assert abs(line.box.bottom - rows[-1] - 1) <= 1


def test_an_empty_screen_and_a_plain_one_have_no_lines() -> None:
    assert text.find_lines(np.zeros((0, 0, 3), np.uint8)) == []
    assert text.find_lines(np.full((200, 300, 3), 90, np.uint8)) == []
    table = np.full((200, 300, 3), 255, np.uint8)
    table[::40] = table[:, ::75] = (180, 180, 180)
    assert text.find_lines(table) == []


def _inside(inner: Box, outer: Box) -> bool:
    return outer.intersect(inner) == inner
