"""Templates against Python's own regular expressions, and which texts count as the same or as opposites."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.patterns import PatternError, normalised, opposite, same_text, template

_single = st.sampled_from([r"\d", "[ab]", "[0-3x]", "a", "b", r"\.", "复", r"\("])
_count = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,2}", "{0,2}", "{1,}"])
_piece = st.builds(lambda s, c: s + c, _single, _count)
_sequence = st.lists(_piece, min_size=1, max_size=4).map("".join)
_group = st.builds(lambda a, b, c: f"({a}|{b}){c}", _sequence, _sequence, _count)
_source = st.lists(st.one_of(_sequence, _group), min_size=1, max_size=3).map("".join)


@settings(max_examples=80, deadline=None)
@given(_source, st.text("0123ab.复(x", max_size=7))
def test_a_template_accepts_what_the_same_regular_expression_accepts(source: str, text: str) -> None:
    assert template(source).accepts(text) == bool(re.fullmatch(source, text, re.ASCII))


@settings(max_examples=80, deadline=None)
@given(_source, st.data())
def test_a_template_accepts_every_text_generated_from_it(source: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(source, fullmatch=True, alphabet="0123456789ab.复(x"))
    assert template(source).accepts(text)


def test_spaces_need_not_be_seen_but_are_known() -> None:
    moment = template(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
    for text in ("2026-11-23 09:15:32", "2026-11-2309:15:32", "2026- 11-23  09:15:32"):
        order = moment.arrange(text)
        assert order is not None
        assert [text[index] for index, _ in order] == list("2026-11-2309:15:32")
        assert [number for number, (_, spaced) in enumerate(order) if spaced] == [10]


@pytest.mark.parametrize(
    "source", ["", "(a", "a)", "[a", "[]", "[^a]", "[9-0]", r"\w", "a{", "a{2,1}", "a{0}", "*a", "a.b", r"\d{1000}", "a$", "\\"]
)
def test_a_template_that_cannot_be_used_says_so_in_both_languages(source: str) -> None:
    with pytest.raises(PatternError, match=r"/ "):
        template(source)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("台区经理（停电）", "台区经理(停电)"),
        ("失败：终端离线", "失败: 终端离线"),
        ("０．５３２Ａ", "0.532 A"),
        ("1—2", "1-2"),
        ("复 电", "复电"),
    ],
)
def test_forms_and_spaces_make_no_difference(a: str, b: str) -> None:
    assert same_text(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("停电", "复电"),
        ("复电", "停复电"),
        ("O", "0"),
        ("kWh", "kwh"),
        ("曰", "日"),
        ("木", "术"),
        ("未", "末"),
        ("1.23", "123"),
        ("-5", "5"),
        ("", "--"),
    ],
)
def test_what_reads_alike_is_not_the_same(a: str, b: str) -> None:
    assert not same_text(a, b)


_words = st.text("停复送电拉合闸通过驳回 （）()", max_size=6)


@settings(max_examples=80, deadline=None)
@given(_words, _words)
def test_opposites_are_never_the_same_text_and_work_both_ways(a: str, b: str) -> None:
    assert opposite(a, b) == opposite(b, a)
    assert not (opposite(a, b) and same_text(a, b))
    assert normalised(normalised(a)) == normalised(a)


@pytest.mark.parametrize(
    ("a", "b"),
    [pair.split("/") for pair in ("停电/复电", "停电/送电", "停复电/复电", "停复电/停电", "拉闸/合闸", "通过/驳回", "新增/删除")]
    + [pair.split("/") for pair in ("提交/撤回", "启用/停用", "立即复电/立即停电", "投运/停运", "复电（二次）/停电(二次)")],
)
def test_opposites(a: str, b: str) -> None:
    assert opposite(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("复电", "复 电"), ("复电", "复电复核"), ("查询", "重置"), ("停复电", "停复电管理"), ("", "复电"), ("处理", "归档")],
)
def test_other_differences_are_no_opposites(a: str, b: str) -> None:
    assert not opposite(a, b)
