"""Change and stillness: truth is what was drawn into the frames."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.change import TILE, Stillness, changed_boxes, fraction_changed, same, spinner_boxes
from vision.frame import Box, Frame, Image

RNG = np.random.default_rng(7)
SCREEN: Image = RNG.integers(0, 255, (540, 963, 3), dtype=np.uint8)


def frame(at: float, *changes: tuple[Box, int]) -> Frame:
    """The screen with some boxes filled."""
    image = SCREEN.copy()
    for box, value in changes:
        image[box.y : box.bottom, box.x : box.right] = value
    return Frame(image, at)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 962), st.integers(0, 539), st.integers(0, 2))
def test_one_changed_pixel_anywhere_is_seen_and_located(x: int, y: int, channel: int) -> None:
    other = SCREEN.copy()
    other[y, x, channel] ^= 1
    before, after = Frame(SCREEN, 0.0), Frame(other, 1.0)
    assert not same(before, after)
    assert changed_boxes(before, after) == [Box(x, y, 1, 1)]


def test_equal_frames_are_the_same_and_nothing_changed() -> None:
    before, after = frame(0.0), frame(1.0)
    assert same(before, after)
    assert changed_boxes(before, after) == []
    assert fraction_changed(before, after) == 0.0


def test_a_change_across_tiles_is_one_box_and_two_far_ones_are_two() -> None:
    wide, far = Box(TILE - 10, 20, 3 * TILE, 30), Box(700, 400, 20, 20)
    found = changed_boxes(frame(0.0, (wide, 0), (far, 0)), frame(1.0, (wide, 255), (far, 255)))
    assert found == [wide, far]


def test_the_changed_share_is_that_of_the_pixels() -> None:
    box = Box(0, 0, 963, 54)
    assert fraction_changed(frame(0.0, (box, 0)), frame(1.0, (box, 9))) == pytest.approx(0.1)


def test_another_resolution_is_a_change_and_has_no_boxes() -> None:
    small = Frame(np.ascontiguousarray(SCREEN[:200]), 1.0)
    assert not same(frame(0.0), small)
    with pytest.raises(ValueError, match="resolution"):
        changed_boxes(frame(0.0), small)


def test_comparing_a_full_screen_is_faster_than_grabbing_it() -> None:
    image = RNG.integers(0, 255, (1080, 1920, 3), dtype=np.uint8)
    one, two = Frame(image, 0.0), Frame(image.copy(), 1.0)
    took = []
    for _ in range(30):
        start = time.perf_counter()
        assert same(one, two)
        took.append(time.perf_counter() - start)
    numpy_took = []
    for _ in range(5):
        start = time.perf_counter()
        np.array_equal(one.image, two.image)
        numpy_took.append(time.perf_counter() - start)
    assert min(took) < min(numpy_took), "memory speed differs between machines; numpy's comparison beside it does not"


def test_stillness_counts_from_the_last_change() -> None:
    still = Stillness()
    table = Box(100, 100, 400, 300)
    for step in range(20):
        at = step * 0.25
        still.feed(frame(at, (table, min(step, 8))))
    assert still.still_for(4.75) == pytest.approx(4.75 - 8 * 0.25)


def test_parts_to_ignore_do_not_count() -> None:
    clock = Box(900, 5, 40, 12)
    still = Stillness(ignore=(clock.grow(2),))
    for step in range(12):
        assert not still.feed(frame(step * 0.5, (clock, step)))
    assert still.still_for(5.5) == pytest.approx(5.5)


def test_a_blinking_caret_is_learnt_and_real_changes_still_count() -> None:
    caret, answer = Box(300, 200, 2, 16), Box(500, 400, 120, 20)
    still = Stillness()
    for step in range(12):
        still.feed(frame(step * 0.5, (caret, 255 * (step % 2))))
    assert still.restless == [Box(256, 192, TILE, TILE)]
    assert still.still_for(5.5) >= 4.0
    assert still.feed(frame(6.0, (caret, 0), (answer, 200)))
    assert still.still_for(6.0) == 0.0


def test_a_page_that_loads_in_steps_is_not_taken_for_something_restless() -> None:
    still = Stillness()
    rows = [Box(50, 60 + 40 * i, 800, 30) for i in range(6)]
    for step in range(6):
        still.feed(frame(step * 0.4, *((row, 90) for row in rows[: step + 1])))
    assert still.restless == []
    assert still.still_for(2.0) == pytest.approx(0.0)


def test_a_spinner_is_found_and_a_caret_or_a_new_row_is_not() -> None:
    def at(step: int) -> Frame:
        image = np.full((400, 600, 3), 250, np.uint8)
        cv2.ellipse(image, (300, 200), (20, 20), 40.0 * step, 0, 250, (255, 120, 60), 3)
        image[50:66, 100:102] = 0 if step % 2 else 250
        if step >= 2:
            image[300:320, 50:500] = 90
        return Frame(image, step * 0.1)

    found = spinner_boxes([at(i) for i in range(4)])
    assert len(found) == 1
    assert Box(275, 175, 50, 50).intersect(found[0]) == found[0]
    with pytest.raises(ValueError, match="three"):
        spinner_boxes([at(0)])
