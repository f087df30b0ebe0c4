"""People edit `anchors.yaml` by hand and copy folders about: what they get wrong is said with its place, nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anchors.errors import AnchorError, LibraryBrokenError, LibraryMissingError, UnknownAnchorError
from anchors.store import Library, versions
from tests.support.shelf import SYSTEM, write_version
from vision.frame import Box, Image

WHITE: Image = np.full((100, 200, 3), 255, np.uint8)
GRAY: Image = np.full((100, 200, 3), 128, np.uint8)
QUERY = {"screen": "main", "box": [10, 20, 60, 30], "text": "查询"}


def opened(root: Path, version: str = "1.0") -> Library:
    return Library.open(SYSTEM, version, root)


def yaml(root: Path, text: str) -> Path:
    """Write `anchors.yaml` as a person would."""
    folder = root / SYSTEM / "1.0"
    folder.mkdir(parents=True)
    (folder / "anchors.yaml").write_text(text, encoding="utf-8")
    return folder / "anchors.yaml"


def test_a_version_takes_what_it_does_not_say_itself_from_the_one_it_extends(tmp_path: Path) -> None:
    write_version(
        tmp_path,
        "1.0",
        {"query": QUERY, "reset": {**QUERY, "text": "重置"}},
        {"main": (WHITE, 1.5)},
        terms={"handle": "处理", "review": "复电复核"},
        popups=[{"seen": "query", "dismiss": "reset"}],
        grids={"todo": {"columns": {"number": "工单编号"}}},
    )
    newer = {**QUERY, "screen": "new", "box": [0, 0, 50, 40], "text": "搜索"}
    write_version(tmp_path, "1.1", {"query": newer}, {"new": (GRAY, 1.0)}, extends="1.0", terms={"handle": "办理"})

    library = opened(tmp_path, "1.1")
    assert (library["query"].title, library["query"].scale, library["query"].crop.shape) == ("搜索", 1.0, (40, 50, 3))
    assert (library["reset"].title, library["reset"].scale) == ("重置", 1.5)
    assert int(library["query"].crop.max()) == 128 and int(library["reset"].crop.min()) == 255
    assert (library.term("handle"), library.term("review")) == ("办理", "复电复核")
    assert library.grid("todo").columns == {"number": "工单编号"} and library.popups[0].dismiss == "reset"
    assert library.version == "1.1" and opened(tmp_path)["query"].title == "查询"


def test_a_missing_version_names_the_versions_that_are_there(tmp_path: Path) -> None:
    write_version(tmp_path, "2.3")
    write_version(tmp_path, "2.4")
    (tmp_path / SYSTEM / "empty folder").mkdir()
    with pytest.raises(LibraryMissingError, match=r"2\.5.*2\.3, 2\.4") as said:
        opened(tmp_path, "2.5")
    assert "calibrate" in str(said.value) and "empty folder" not in str(said.value)
    assert versions(SYSTEM, tmp_path) == ["2.3", "2.4"] and versions("nobody", tmp_path) == []


def test_a_version_that_extends_a_missing_one_says_which(tmp_path: Path) -> None:
    write_version(tmp_path, "1.1", extends="0.9")
    with pytest.raises(LibraryMissingError, match=r"client 0\.9"):
        opened(tmp_path, "1.1")


def test_a_yaml_typo_is_shown_with_file_line_and_column(tmp_path: Path) -> None:
    # The second line's bracket is never closed; a parser notices at the colon of line 4.
    file = yaml(tmp_path, "schema: 1\nsystem: [client\nversion: '1.0'\nanchors: {}\n")
    with pytest.raises(LibraryBrokenError, match=r"line [34] column \d+") as said:
        opened(tmp_path)
    assert str(file) in str(said.value) and "第" in str(said.value)


def test_a_tab_as_indentation_is_shown_with_its_line(tmp_path: Path) -> None:
    yaml(tmp_path, "schema: 1\nanchors:\n\tquery: {}\n")
    with pytest.raises(LibraryBrokenError, match="line 3 column 1"):
        opened(tmp_path)


def test_an_anchor_written_twice_is_refused(tmp_path: Path) -> None:
    yaml(tmp_path, "schema: 1\nsystem: client\nversion: '1'\nterms:\n  handle: 处理\n  handle: 办理\n")
    with pytest.raises(LibraryBrokenError, match="line 6"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "text",
    [b"schema: 1\nsystem: \xb4\xf2\n", b"schema: 1\nsystem: a\0b\n", b"", b"- a list\n", b"just a word\n"],
    ids=["GBK", "NUL", "empty", "list", "word"],
)
def test_a_file_that_is_no_library_text_is_said_to_be_broken(tmp_path: Path, text: bytes) -> None:
    file = yaml(tmp_path, "")
    file.write_bytes(text)
    with pytest.raises(LibraryBrokenError, match=r"anchors\.yaml"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("place", "wrong", "meant"),
    [
        ("anchors: {query: {screen: main, box: [0, 0, 9, 9], txet: 查询}}", "anchors.query.txet", "text"),
        ("anchors: {ok: {screen: main, box: [0, 0, 9, 9], irreversable: true}}", "anchors.ok.irreversable", "irreversible"),
        ("achors: {}", "achors", "anchors"),
        ("grids: {todo: {colums: {number: 工单编号}}}", "grids.todo.colums", "columns"),
        ("popups: [{seen: a, dismis: b, dismiss: b}]", "popups.0.dismis", "dismiss"),
        ("screens: {main: {fil: main.png, file: main.png, scale: 1.0}}", "screens.main.fil", "file"),
    ],
)
def test_an_unknown_key_is_named_with_the_word_that_was_probably_meant(
    tmp_path: Path, place: str, wrong: str, meant: str
) -> None:
    yaml(tmp_path, f"schema: 1\nsystem: client\nversion: '1.0'\n{place}\n")
    with pytest.raises(LibraryBrokenError) as said:
        opened(tmp_path)
    assert wrong in str(said.value) and f"是否想写 {meant}" in str(said.value)


def test_a_value_of_the_wrong_kind_is_named_with_its_place(tmp_path: Path) -> None:
    yaml(tmp_path, "schema: 1\nsystem: client\nversion: 2.3\nanchors: {query: {screen: main, box: [0, 0, 9]}}\n")
    with pytest.raises(LibraryBrokenError) as said:
        opened(tmp_path)
    assert "version:" in str(said.value) and "anchors.query.box" in str(said.value)


@pytest.mark.parametrize("schema", ["2", "'1'", "1.5", "0", "-1"])
def test_a_schema_that_this_program_does_not_know_is_refused_not_guessed(tmp_path: Path, schema: str) -> None:
    yaml(tmp_path, f"schema: {schema}\nsystem: client\nversion: '1.0'\n")
    with pytest.raises(LibraryBrokenError, match="格式版本"):
        opened(tmp_path)


def test_versions_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0", extends="1.1")
    write_version(tmp_path, "1.1", extends="1.0")
    with pytest.raises(LibraryBrokenError, match="circle"):
        opened(tmp_path)


def test_anchors_inside_each_other_are_refused_with_the_circle(tmp_path: Path) -> None:
    window = [0, 0, 50, 50]
    anchors = {
        "a": {**QUERY, "inside": {"anchor": "b", "box": window}},
        "b": {**QUERY, "inside": {"anchor": "c", "box": window}},
        "c": {**QUERY, "inside": {"anchor": "a", "box": window}},
    }
    write_version(tmp_path, "1.0", anchors, {"main": (WHITE, 1.0)})
    with pytest.raises(LibraryBrokenError, match="a → b → c → a"):
        opened(tmp_path)


def test_an_anchor_inside_one_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    inside = {"anchor": "qery", "box": [0, 0, 5, 5]}
    write_version(tmp_path, "1.0", {"query": QUERY, "x": {**QUERY, "inside": inside}}, {"main": (WHITE, 1.0)})
    with pytest.raises(LibraryBrokenError, match=r"「qery」.*perhaps: query"):
        opened(tmp_path)


def test_an_anchor_on_a_screen_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0", {"query": {**QUERY, "screen": "mian"}}, {"main": (WHITE, 1.0)})
    with pytest.raises(LibraryBrokenError, match=r"query.*「mian」.*perhaps: main"):
        opened(tmp_path)


def test_a_popup_that_names_no_anchor_is_refused_before_the_run_not_in_its_middle(tmp_path: Path) -> None:
    popups = [{"seen": "query", "dismiss": "knwon"}]
    write_version(tmp_path, "1.0", {"query": QUERY, "known": QUERY}, {"main": (WHITE, 1.0)}, popups=popups)
    with pytest.raises(LibraryBrokenError, match=r"「knwon」.*perhaps: known"):
        opened(tmp_path)


def test_asking_for_an_anchor_grid_or_word_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0", {"query": QUERY}, {"main": (WHITE, 1.0)}, terms={"handle": "处理"}, grids={})
    library = opened(tmp_path)
    with pytest.raises(UnknownAnchorError, match=r"「quary」.*perhaps: query"):
        library["quary"]
    with pytest.raises(UnknownAnchorError, match=r"「handel」.*perhaps: handle"):
        library.term("handel")
    with pytest.raises(UnknownAnchorError, match="「todo」"):
        library.grid("todo")
    assert "query" in library and "quary" not in library and [a.name for a in library] == ["query"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda file: file.unlink(), "打不开"),
        (lambda file: file.write_bytes(b""), "0 字节"),
        (lambda file: file.write_bytes(file.read_bytes()[:40]), "不是能读的图片"),
        (lambda file: file.write_bytes(b"<svg/>"), "不是能读的图片"),
    ],
    ids=["missing", "empty", "cut off", "no picture"],
)
def test_a_screenshot_that_cannot_be_read_is_named(tmp_path: Path, damage: object, said: str) -> None:
    folder = write_version(tmp_path, "1.0", {"query": QUERY}, {"main": (WHITE, 1.0)})
    damage(folder / "main.png")  # type: ignore[operator]
    anchor = opened(tmp_path)["query"]
    with pytest.raises(LibraryBrokenError, match=said) as error:
        anchor.crop  # noqa: B018
    assert "main.png" in str(error.value)


@pytest.mark.parametrize("box", [[150, 20, 60, 30], [-1, 20, 60, 30], [10, 20, 0, 30], [500, 500, 9, 9]])
def test_a_box_that_does_not_lie_on_its_screenshot_is_refused(tmp_path: Path, box: list[int]) -> None:
    write_version(tmp_path, "1.0", {"query": {**QUERY, "box": box}}, {"main": (WHITE, 1.0)})
    anchor = opened(tmp_path)["query"]
    with pytest.raises(LibraryBrokenError, match=r"query.*200×100"):
        anchor.crop  # noqa: B018


def test_the_click_point_is_the_middle_unless_one_is_given(tmp_path: Path) -> None:
    anchors = {"query": QUERY, "field": {**QUERY, "click": [150, 12]}}
    write_version(tmp_path, "1.0", anchors, {"main": (WHITE, 1.0)})
    library = opened(tmp_path)
    assert library["query"].click_offset == (30, 15) and library["field"].click_offset == (150, 12)
    assert library["query"].box == Box(10, 20, 60, 30)


def test_every_error_of_the_library_is_one_that_a_command_can_catch() -> None:
    assert all(issubclass(e, AnchorError) for e in (LibraryMissingError, LibraryBrokenError, UnknownAnchorError))
