"""Candidates and comparisons on pictures drawn here: facts of the field that made a score alone worthless (FIELD.md §1)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rendered_text import LINK, WHITE, drawn
from vision import match
from vision.frame import Box, Frame, Image

RNG = np.random.default_rng(1)


def screen(*parts: tuple[Image, int, int], size: tuple[int, int] = (640, 360)) -> Frame:
    image: Image = np.full((size[1], size[0], 3), 255, np.uint8)
    for part, x, y in parts:
        image[y : y + part.shape[0], x : x + part.shape[1]] = part
    return Frame(image, 0.0)


def button(text: str) -> Image:
    return drawn(text, 16, WHITE, LINK)


def best(frame: Frame, template: Image, region: Box | None = None) -> match.Candidate:
    return match.candidates(match.Scene(frame), template, region)[0]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (311, 207), (582, 323)])
def test_the_best_candidate_is_where_the_picture_is(x: int, y: int) -> None:
    template = button("复电")
    frame = screen((button("停电"), 200, 20), (button("停复电"), 300, 100), (template, x, y))
    found = best(frame, template)
    assert found.box[:2] == (x, y) and found.score > 0.999


def test_the_score_ranks_and_never_accepts() -> None:
    """With the target absent its opposite scores high; against its own disabled look it scores 1."""
    template = button("复电")
    assert best(screen((button("停电"), 100, 100)), template).score > 0.6
    disabled = cv2.addWeighted(template, 0.5, np.full_like(template, 255), 0.5, 0)
    pale = best(screen((disabled, 100, 100)), template)
    there = match.compare(screen((disabled, 100, 100)).crop(pale.box), template)
    assert pale.score > 0.99 and there.luma_shift > 30


def test_a_region_limits_the_search() -> None:
    template = button("复电")
    frame = screen((template, 50, 50), (template, 400, 250))
    assert best(frame, template, Box(300, 200, 340, 160)).box[:2] == (400, 250)
    assert match.candidates(match.Scene(frame), template, Box(0, 0, 10, 10)) == []
    both = match.candidates(match.Scene(frame), template, count=2)
    assert {c.box[:2] for c in both} == {(50, 50), (400, 250)}


@pytest.mark.parametrize("colour", [255, 0, 128])
def test_a_screen_without_any_detail_has_no_score_that_is_not_a_number(colour: int) -> None:
    """Flat parts gave NaN and infinity (FIELD.md «lying corners»)."""
    frame = Frame(np.full((300, 400, 3), colour, np.uint8), 0.0)
    found = match.candidates(match.Scene(frame), button("复电"))
    assert all(np.isfinite(c.score) and c.score < 0.5 for c in found)
    flat: Image = np.full((30, 60, 3), colour, np.uint8)
    assert all(np.isfinite(c.score) for c in match.candidates(match.Scene(screen((button("复电"), 9, 9))), flat))
    assert match.contrast(flat) < match.MIN_CONTRAST < match.contrast(button("复电"))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.data())
def test_equal_pixels_are_found_everywhere_and_only_there(seed: int, width: int, height: int, data: st.DataObject) -> None:
    """Against the plain definition, on noisy pictures of few colours so that there are many near misses."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 2, (24, 32, 3), dtype=np.uint8) * 200
    if data.draw(st.booleans()):
        image[:, :, 1:] = 0
    x, y = data.draw(st.integers(0, 32 - width)), data.draw(st.integers(0, 24 - height))
    template = image[y : y + height, x : x + width].copy()
    truth = [
        (i, j)
        for j in range(24 - height + 1)
        for i in range(32 - width + 1)
        if np.array_equal(image[j : j + height, i : i + width], template)
    ]
    found = match.find_equal(Frame(image, 0.0), template, limit=10_000)
    assert [b[:2] for b in found] == truth and (x, y) in truth
    assert match.equal_at(Frame(image, 0.0), template, x, y)


def test_nothing_is_equal_where_the_picture_does_not_fit() -> None:
    frame = screen((button("复电"), 10, 10))
    assert not match.equal_at(frame, button("复电"), -1, 10) and not match.equal_at(frame, button("复电"), 630, 10)
    assert match.find_equal(frame, button("复电"), Box(0, 0, 20, 20)) == []
    assert match.find_equal(frame, button("停电")) == []


def test_one_pixel_decides_about_equality() -> None:
    template = button("复电")
    changed = template.copy()
    changed[0, 0, 2] ^= 1
    frame = screen((changed, 100, 100))
    assert match.find_equal(frame, template) == [] and len(match.find_equal(frame, changed)) == 1


def test_half_a_pixel_is_a_small_difference_and_another_word_a_large_one() -> None:
    """Browsers draw the same label on fractions of a pixel; one global score cannot tell that from another word."""
    template = button("复电")
    height, width = template.shape[:2]
    matrix = np.array([[1, 0, 0.5], [0, 1, 0.25]], np.float32)
    moved = np.asarray(cv2.warpAffine(template, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    near, other = match.compare(moved, template), match.compare(button("停电"), template)
    assert near.residual < 0.35 < other.residual and near.correlation > other.correlation
    same = match.compare(template, template)
    assert (same.residual, same.chroma, same.luma_shift) == (0.0, 0.0, 0.0) and same.correlation > 0.999


def test_another_colour_of_equal_brightness_shows_in_the_chroma_alone() -> None:
    blue: Image = np.full((40, 80, 3), (200, 100, 90), np.uint8)
    luma = int(match.to_gray(blue)[0, 0])
    gray: Image = np.full_like(blue, luma)
    seen = match.compare(gray, blue)
    assert seen.luma_shift <= 1 and seen.chroma > 24


def test_a_scene_is_reduced_never_enlarged() -> None:
    scene = match.Scene(screen((button("复电"), 10, 10)))
    assert scene.reduced(1.5) is scene and scene.reduced(1.0) is scene
    small = scene.reduced(1 / 1.25)
    assert small.frame.size == (512, 288) and small is scene.reduced(1 / 1.25)
    assert small.frame.scale == pytest.approx(0.8)
