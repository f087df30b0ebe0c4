"""The pages under a table are found wherever they stand: close below the rows or far below the words of an empty table."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.rendered_text import drawn
from vision.frame import Box, Frame
from vision.grid_pages import read_pager

TABLE = Box(20, 20, 960, 40)
"""A header without rows."""


def page(*texts: tuple[str, int, int]) -> Frame:
    """A white page with texts, each with the place of its top left corner."""
    image = np.full((800, 1000, 3), 255, np.uint8)
    for said, x, y in texts:
        crop = drawn(said)
        image[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return Frame(image, 0.0)


@pytest.mark.parametrize("notice", ["暂无数据", "没有找到匹配的记录"])
def test_the_words_of_an_empty_table_do_not_hide_the_pages_far_below(notice: str) -> None:
    pager = read_pager(page((notice, 460, 380), ("10条/页", 40, 740), ("共 0 条", 160, 740)), TABLE)
    assert pager is not None and (pager.total, pager.page_size) == (0, 10)


def test_what_stands_far_below_other_text_is_not_taken_for_this_tables_pages() -> None:
    assert read_pager(page(("执行记录", 40, 380), ("10条/页", 40, 740), ("共 25 条", 160, 740)), TABLE) is None
