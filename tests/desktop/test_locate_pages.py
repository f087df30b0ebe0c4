"""What `locate` says about pages that Chromium drew: the four sightings, words that must never stand in for each other, states,
scales, memory. Truth: the page's own geometry, and which words were written into it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from anchors.locate import locate
from anchors.sighting import Absent, Ambiguous, Contradicted, Found, Sighting, explain
from anchors.store import Anchor, Library
from tests.support.rendered_client import Browser, Shot, button, icon
from tests.support.shelf import library
from vision.frame import Box

ROWS = ("3201000000000015", "3201000000000022", "3201000000000038")
RECONNECT = button("复电", 420, 70, name="reconnect")
Spec = dict[str, Any]


def page(target: str = RECONNECT, *, rows: tuple[str, ...] = ROWS, more: str = "") -> str:
    """A page with a tool bar, three orders with a link each, icons, and whatever the test puts at the target's place."""
    lines = "".join(
        f'<div class=row style="top:{150 + 36 * n}px"><span id="row-{row}">{row}</span><b id="link-{row}">处理</b></div>'
        for n, row in enumerate(rows)
    )
    return (
        '<header><span id="title">营销业务应用</span></header>'
        + button("查询", 40, 70, name="query")
        + button("重置", 130, 70, "", name="reset")
        + button("归档", 560, 70, "", name="archive")
        + target
        + lines
        + '<div class=at style="left:40px;top:300px" id="label">工单编号</div>'
        + icon("bell", 700, 76, "bell")
        + icon("plus", 740, 76, "plus")
        + more
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def around(shot: Shot, name: str) -> list[int]:
    """The element with the margin that calibration keeps, 5×4 px at 100 %."""
    return list(shot.boxes[name].grow(round(5 * shot.scale), round(4 * shot.scale)))


def shelf(root: Path, shot: Shot, more: Mapping[str, Spec] | None = None) -> Library:
    """Anchors of the base page, captured on `shot`; `more` adds to single ones or brings new ones."""
    words = {
        "reconnect": "复电",
        "query": "查询",
        "reset": "重置",
        "archive": "归档",
        "title": "营销业务应用",
        "label": "工单编号",
    }
    anchors: dict[str, Spec] = {name: {"screen": "main", "box": around(shot, name), "text": text} for name, text in words.items()}
    for name in ("bell", "plus"):
        anchors[name] = {"screen": "main", "box": around(shot, name), "kind": "icon"}
    for name, spec in (more or {}).items():
        anchors[name] = {**anchors.get(name, {}), **spec}
    return library(root, anchors, {"main": (shot.image, shot.scale)})


@pytest.fixture
def captured(browser: Browser, tmp_path: Path) -> Library:
    """Captured at 100 %."""
    return shelf(tmp_path, browser.shot(page()))


def at(sighting: Sighting, shot: Shot, name: str, slack: float = 2.0) -> bool:
    """Found where the page has it: the middle within `slack` px at 100 % and the click inside the words."""
    assert isinstance(sighting, Found), explain(sighting, "en")
    truth, middle = shot.boxes[name], sighting.box.center
    near = max(abs(middle.x - truth.center.x), abs(middle.y - truth.center.y)) <= slack * shot.scale
    return near and truth.contains(sighting.click_point) and truth.intersect(sighting.box).area >= 0.9 * truth.area


def words_of(sighting: Sighting) -> str:
    return json.dumps(sighting.evidence.to_json(), ensure_ascii=False)


# Scales


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5])
def test_what_was_captured_at_150_percent_is_found_at_every_scale(browser: Browser, tmp_path: Path, scale: float) -> None:
    anchors = shelf(tmp_path, browser.shot(page(), 1.5))
    shot = browser.shot(page(), scale)
    for name in ("reconnect", "query", "reset", "archive", "title", "label", "bell", "plus"):
        assert at(locate(shot.frame(), anchors[name]), shot, name), name


@pytest.mark.parametrize("scale", [1.25, 1.5])
def test_words_captured_at_100_percent_are_found_at_larger_scales(captured: Library, browser: Browser, scale: float) -> None:
    shot = browser.shot(page(), scale)
    for name in ("reconnect", "query", "archive", "title", "label"):
        assert at(locate(shot.frame(), captured[name]), shot, name), name


def test_words_in_a_larger_font_are_found(captured: Library, browser: Browser) -> None:
    larger = button("复电", 300, 110, extra="font-size:17px;height:40px;line-height:38px", name="reconnect")
    shot = browser.shot(page(larger))
    assert at(locate(shot.frame(), captured["reconnect"]), shot, "reconnect", slack=3.0)


# Words that must never stand in for each other


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("word", ["停电", "停复电", "送电", "复电复核", "未复电"])
def test_another_word_in_the_same_style_is_never_taken(captured: Library, browser: Browser, word: str, scale: float) -> None:
    shot = browser.shot(page(button(word, 420, 70, name="other")), scale)
    seen = locate(shot.frame(), captured["reconnect"])
    assert isinstance(seen, Absent | Contradicted)
    assert word in words_of(seen)


def test_the_opposite_word_contradicts_and_is_named(captured: Library, browser: Browser) -> None:
    for word in ("停电", "停复电"):
        seen = locate(browser.shot(page(button(word, 420, 70))).frame(), captured["reconnect"])
        assert isinstance(seen, Contradicted) and word in seen.reason and "未点击" in explain(seen)


def test_a_registered_look_alike_contradicts(browser: Browser, tmp_path: Path) -> None:
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"never": ["送电"]}})
    seen = locate(browser.shot(page(button("送电", 420, 70))).frame(), anchors["reconnect"])
    assert isinstance(seen, Contradicted) and "送电" in seen.reason


def test_the_right_word_is_found_among_its_look_alikes(captured: Library, browser: Browser) -> None:
    others = "".join(button(word, 120 + 130 * n, 360) for n, word in enumerate(["停电", "停复电", "送电", "复位"]))
    shot = browser.shot(page(more=others))
    assert at(locate(shot.frame(), captured["reconnect"]), shot, "reconnect")


def test_what_was_learnt_does_not_make_a_look_alike_pass(captured: Library, browser: Browser) -> None:
    assert isinstance(locate(browser.shot(page()).frame(), captured["reconnect"]), Found)
    for word in ("停电", "停复电", "送电"):
        assert not isinstance(locate(browser.shot(page(button(word, 420, 70))).frame(), captured["reconnect"]), Found), word


def test_of_two_words_side_by_side_the_right_one_is_found(browser: Browser, tmp_path: Path) -> None:
    """Links in one line, a gap of 12 px between them: one line of text, two words."""
    links = (
        '<div class=at style="left:400px;top:380px;color:#409eff">'
        '<span id="off">停电</span><span id="reconnect" style="margin-left:12px">复电</span></div>'
    )
    shot = browser.shot(page(links))
    anchors = shelf(tmp_path, shot)
    for scale in (1.0, 1.5):
        there = browser.shot(page(links), scale)
        assert at(locate(there.frame(), anchors["reconnect"]), there, "reconnect")
    wide = links.replace("left:400px", "left:400px;letter-spacing:6px").replace("margin-left:12px", "")
    assert not isinstance(locate(browser.shot(page(wide)).frame(), anchors["reconnect"]), Found)


def test_a_letter_spaced_look_alike_is_not_taken(captured: Library, browser: Browser) -> None:
    """Its characters are words of their own for whoever trusts gaps."""
    for word, spacing in (("停复电", 5), ("停复电", 9), ("停电", 9)):
        wrong = browser.shot(page(button(word, 420, 70, extra=f"letter-spacing:{spacing}px")))
        assert not isinstance(locate(wrong.frame(), captured["reconnect"]), Found), (word, spacing)


def test_the_same_word_in_a_table_cell_is_not_the_button(captured: Library, browser: Browser) -> None:
    cell = '<div class=at style="left:300px;top:400px">复电</div>'
    assert not isinstance(locate(browser.shot(page(cell)).frame(), captured["reconnect"]), Found)
    shot = browser.shot(page(more=cell))
    assert at(locate(shot.frame(), captured["reconnect"]), shot, "reconnect")


# States


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("disabled", page(button("复电", 420, 70, "d"))),
        ("white mask", page(more="<div class=mask></div>")),
        ("dark mask", page(more='<div class="mask dark"></div>')),
    ],
)
@pytest.mark.parametrize("learnt", [False, True])
def test_a_disabled_or_masked_button_contradicts_by_its_state(
    captured: Library, browser: Browser, name: str, body: str, learnt: bool
) -> None:
    if learnt:
        locate(browser.shot(page()).frame(), captured["reconnect"])
    seen = locate(browser.shot(body).frame(), captured["reconnect"])
    assert isinstance(seen, Contradicted), name
    assert "未启用或被遮罩" in seen.reason and not any(s.accepted for s in seen.evidence.suspects)


def test_of_an_enabled_and_a_disabled_one_the_enabled_is_found(captured: Library, browser: Browser) -> None:
    shot = browser.shot(page(more=button("复电", 420, 380, "d")))
    assert at(locate(shot.frame(), captured["reconnect"]), shot, "reconnect")


def test_a_tab_that_may_look_either_way_is_found_in_any_state(browser: Browser, tmp_path: Path) -> None:
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"any_state": True}})
    shot = browser.shot(page(button("复电", 420, 70, "d", name="reconnect")))
    assert at(locate(shot.frame(), anchors["reconnect"]), shot, "reconnect")


def test_a_half_covered_button_is_not_found(captured: Library, browser: Browser) -> None:
    cover = '<div class=at style="left:452px;top:60px;width:200px;height:60px;background:#fff;border:1px solid #999"></div>'
    assert not isinstance(locate(browser.shot(page(more=cover)).frame(), captured["reconnect"]), Found)


# More than one


@pytest.mark.parametrize("learnt", [False, True])
def test_identical_twins_are_ambiguous_and_both_are_shown(captured: Library, browser: Browser, learnt: bool) -> None:
    if learnt:
        locate(browser.shot(page()).frame(), captured["archive"])
        # Taken where it was last seen, unchanged, a twin elsewhere does not matter; moved, it does.
    twins = button("归档", 300, 360, "", name="one") + button("归档", 500, 420, "", name="two")
    shot = browser.shot(page(more=twins).replace("top:70px", "top:100px"))
    seen = locate(shot.frame(), captured["archive"])
    assert isinstance(seen, Ambiguous)
    found = {name for name in ("archive", "one", "two") for c in seen.candidates if c.box.contains(shot.boxes[name].center)}
    assert found == {"archive", "one", "two"} and "有 3 处" in explain(seen)


def test_an_irreversible_one_is_ambiguous_even_where_it_was_last_seen(browser: Browser, tmp_path: Path) -> None:
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"irreversible": True}})
    assert isinstance(locate(browser.shot(page()).frame(), anchors["reconnect"]), Found)
    seen = locate(browser.shot(page(more=button("复电", 420, 380))).frame(), anchors["reconnect"])
    assert isinstance(seen, Ambiguous)


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_a_twin_drawn_on_a_fraction_of_a_pixel_is_a_twin(browser: Browser, tmp_path: Path, shift: float) -> None:
    """Known pixels in one place do not prove that there is no second one whose pixels are new."""
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"irreversible": True}})
    assert isinstance(locate(browser.shot(page()).frame(), anchors["reconnect"]), Found)
    twin = button("复电", 300 + shift, 400 + shift)
    assert isinstance(locate(browser.shot(page(more=twin)).frame(), anchors["reconnect"]), Ambiguous)
    disabled = browser.shot(page(more=button("复电", 300 + shift, 400 + shift, "d")))
    assert at(locate(disabled.frame(), anchors["reconnect"], hovered=True), disabled, "reconnect")


@pytest.mark.parametrize("order", [ROWS, ROWS[::-1], (ROWS[1], ROWS[2], ROWS[0])], ids=["as captured", "turned", "rotated"])
def test_of_identical_links_the_one_in_the_window_beside_its_row_is_found(
    browser: Browser, tmp_path: Path, order: tuple[str, ...]
) -> None:
    base = browser.shot(page())
    number, link = base.boxes[f"row-{ROWS[1]}"], base.boxes[f"link-{ROWS[1]}"]
    row = {"screen": "main", "box": around(base, f"row-{ROWS[1]}"), "text": ROWS[1]}
    window = [0, -6, link.right + 20 - number.x, number.height + 20]
    handle = {"screen": "main", "box": around(base, f"link-{ROWS[1]}"), "text": "处理", "kind": "link"}
    inside = {**handle, "inside": {"anchor": "row", "box": window}}
    anchors = shelf(tmp_path, base, {"row": row, "handle": inside, "any handle": handle})
    shot = browser.shot(page(rows=order))
    assert at(locate(shot.frame(), anchors["handle"]), shot, f"link-{ROWS[1]}")
    assert isinstance(locate(shot.frame(), anchors["any handle"]), Ambiguous)


def test_without_its_parent_what_lies_inside_it_is_absent(browser: Browser, tmp_path: Path) -> None:
    base = browser.shot(page())
    inside = {"inside": {"anchor": "archive", "box": [-300, -50, 300, 100]}}
    anchors = shelf(tmp_path, base, {"reconnect": inside})
    assert isinstance(locate(base.frame(), anchors["reconnect"]), Found)
    gone = browser.shot(page().replace("归档", "返回"))
    seen = locate(gone.frame(), anchors["reconnect"])
    assert isinstance(seen, Absent) and "inside archive" in seen.evidence.path


def test_a_twin_outside_the_area_does_not_matter_and_the_area_stretches_with_the_screen(browser: Browser, tmp_path: Path) -> None:
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"area": [0, 44, 900, 100]}})
    for scale in (1.0, 1.5):
        shot = browser.shot(page(more=button("复电", 420, 380)), scale)
        assert at(locate(shot.frame(), anchors["reconnect"]), shot, "reconnect")


# Memory


def test_a_second_look_is_an_exact_comparison_at_the_last_place(captured: Library, browser: Browser) -> None:
    shot = browser.shot(page())
    paths = [locate(shot.frame(), captured["query"]).evidence.path for _ in range(2)]
    assert paths[0] not in ("last place", "exact") and paths[1] == "last place"


def test_a_target_that_moved_is_found_exactly_anywhere(captured: Library, browser: Browser) -> None:
    locate(browser.shot(page()).frame(), captured["reconnect"])
    shot = browser.shot(page(button("复电", 600, 430, name="reconnect")))
    seen = locate(shot.frame(), captured["reconnect"])
    assert at(seen, shot, "reconnect") and seen.evidence.path == "exact"


def test_an_irreversible_target_is_searched_for_on_the_whole_frame_every_time(browser: Browser, tmp_path: Path) -> None:
    anchors = shelf(tmp_path, browser.shot(page()), {"reconnect": {"irreversible": True}})
    paths = [locate(browser.shot(page()).frame(), anchors["reconnect"]).evidence.path for _ in range(3)]
    assert "last place" not in paths and paths[2] == "exact"


def test_what_was_learnt_at_one_scale_is_not_used_at_another(captured: Library, browser: Browser) -> None:
    locate(browser.shot(page()).frame(), captured["query"])
    shot = browser.shot(page(), 1.25)
    seen = locate(shot.frame(), captured["query"])
    assert at(seen, shot, "query") and seen.evidence.path not in ("exact", "last place")
    assert locate(shot.frame(), captured["query"]).evidence.path == "last place"


def test_memory_is_of_pixels_not_of_places(captured: Library, browser: Browser) -> None:
    """What stands at the last place now decides, however often the target was found there."""
    for _ in range(3):
        locate(browser.shot(page()).frame(), captured["query"])
    seen = locate(browser.shot(page().replace("查询", "查看")).frame(), captured["query"])
    assert isinstance(seen, Absent) and seen.nearest is not None and "查看" in explain(seen)


# The pointer on the target


def test_a_hover_style_passes_only_in_the_look_that_allows_it_and_is_not_learnt(captured: Library, browser: Browser) -> None:
    shot = browser.shot(page(button("复电", 420, 70, "h", name="reconnect")))
    assert at(locate(shot.frame(), captured["reconnect"], hovered=True), shot, "reconnect")
    assert isinstance(locate(shot.frame(), captured["reconnect"]), Contradicted)


@pytest.mark.parametrize("word", ["停电", "停复电", "送电"])
def test_another_word_in_hover_style_is_never_taken(captured: Library, browser: Browser, word: str) -> None:
    locate(browser.shot(page()).frame(), captured["reconnect"])
    seen = locate(browser.shot(page(button(word, 420, 70, "h"))).frame(), captured["reconnect"], hovered=True)
    assert isinstance(seen, Absent | Contradicted)


# Icons: no words to go by


@pytest.mark.parametrize("other", ["minus", "close", "search"])
def test_another_icon_in_the_place_is_not_taken(captured: Library, browser: Browser, other: str) -> None:
    body = page().replace(icon("plus", 740, 76, "plus"), icon(other, 740, 76))
    assert isinstance(locate(browser.shot(body).frame(), captured["plus"]), Absent)


def test_an_icon_twice_is_ambiguous_and_a_pale_one_is_not_taken(captured: Library, browser: Browser) -> None:
    twin = browser.shot(page(more=icon("bell", 300, 400)))
    assert isinstance(locate(twin.frame(), captured["bell"]), Ambiguous)
    pale = page().replace(icon("bell", 700, 76, "bell"), icon("bell", 700, 76, colour="#c0c4cc"))
    assert not isinstance(locate(browser.shot(pale).frame(), captured["bell"]), Found)


def test_an_icon_that_moved_is_found(captured: Library, browser: Browser) -> None:
    body = page().replace(icon("bell", 700, 76, "bell"), icon("bell", 333, 405, "bell"))
    shot = browser.shot(body)
    assert at(locate(shot.frame(), captured["bell"]), shot, "bell")


# What people get


def test_every_kind_of_sighting_explains_itself_in_both_languages(captured: Library, browser: Browser) -> None:
    sightings: dict[str, Anchor | Sighting] = {
        "found": locate(browser.shot(page()).frame(), captured["reconnect"]),
        "absent": locate(browser.shot(page("")).frame(), captured["reconnect"]),
        "ambiguous": locate(browser.shot(page(more=button("归档", 300, 360, ""))).frame(), captured["archive"]),
        "contradicted": locate(browser.shot(page(button("停电", 420, 70))).frame(), captured["reconnect"]),
    }
    for kind, sighting in sightings.items():
        assert getattr(sighting, "kind", "") == kind
        zh, en = explain(sighting), explain(sighting, "en")  # type: ignore[arg-type]
        assert ("复电" in zh and "复电" in en) or kind == "ambiguous"
        assert zh != en and ("clicked" in en or kind in ("found", "absent"))


def test_evidence_can_be_written_down_and_drawn(captured: Library, browser: Browser) -> None:
    shot = browser.shot(page(more=button("停复电", 300, 400)))
    seen = locate(shot.frame(), captured["reconnect"])
    assert isinstance(seen, Found)
    document = json.loads(words_of(seen))
    assert {w["name"] for w in document["suspects"][0]["witnesses"]} >= {"text", "picture", "state"}
    drawn = seen.evidence.draw(shot.frame(), seen.box)
    changed = (drawn != shot.image).any(axis=2)
    assert changed.any() and not changed[: seen.box.y - 8].any() and Box(*seen.box).area > 0
    assert (browser.shot(page(more=button("停复电", 300, 400))).image == shot.image).all()
