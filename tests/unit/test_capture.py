"""Anchors are cut out by the words that stand there, or not at all; a version is written whole, or the old one stays."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from anchors.locate import locate
from anchors.model import AnchorSpec, GridSpec, LibrarySpec, Popup, ScreenSpec
from anchors.sighting import Found
from anchors.store import Anchor, Library, Screenshot
from calibration.capture import CaptureError, Sheet, judge
from calibration.writer import dump, write_library
from tests.support.drawn_client import DISABLED, LABEL, PLAIN, DrawnClient, Thing
from vision.frame import Box, Frame, Image

PAGE = DrawnClient(
    query=Thing("查询", 60, 60),
    reset=Thing("重置", 180, 60, PLAIN),
    first=Thing("3201000000000015", 60, 160, LABEL),
    second=Thing("3201000000000022", 60, 220, LABEL),
    one=Thing("处理", 420, 160, LABEL),
    two=Thing("处理", 420, 220, LABEL),
    label=Thing("工单编号", 60, 300, LABEL),
)


def frame(client: DrawnClient = PAGE) -> Frame:
    return Frame(client.picture(), 0.0, 1.0)


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet("todo", frame())


def covers(spec: AnchorSpec, thing: Thing, pad: int = 12) -> bool:
    """The crop holds the thing's words and little else."""
    box = Box(*spec.box)
    return thing.words.intersect(box) == thing.words and box.intersect(thing.words.grow(pad)) == box


# Cutting


def test_words_are_cut_out_where_they_stand(sheet: Sheet) -> None:
    for name in ("query", "reset", "first", "label"):
        thing = PAGE.shown[name]
        spec = sheet.cut(name, {"text": thing.text})
        assert covers(spec, thing) and spec.text == thing.text and spec.screen == "todo", name


@pytest.mark.parametrize(("pick", "name"), [("top", "one"), ("bottom", "two"), (0, "one"), (1, "two")])
def test_of_two_the_one_picked_is_cut_out(sheet: Sheet, pick: str | int, name: str) -> None:
    assert covers(sheet.cut("x", {"text": "处理", "pick": pick}), PAGE.shown[name])


def test_words_that_stand_twice_are_refused_with_their_places(sheet: Sheet) -> None:
    with pytest.raises(CaptureError, match="「处理」有 2 处") as said:
        sheet.cut("handle", {"text": "处理"})
    assert "pick" in str(said.value) and "inside" in str(said.value)


def test_words_that_are_not_there_are_refused_with_what_is(sheet: Sheet) -> None:
    with pytest.raises(CaptureError, match="没有「复电」") as said:
        sheet.cut("reconnect", {"text": "复电"})
    assert "查询" in str(said.value) and "工单编号" in str(said.value)


def test_a_part_of_a_longer_text_is_not_cut_out(sheet: Sheet) -> None:
    with pytest.raises(CaptureError):
        sheet.cut("number", {"text": "编号"})


def test_an_area_or_a_window_beside_another_anchor_tells_twins_apart(sheet: Sheet) -> None:
    width, height = frame().size
    lower = sheet.cut("lower", {"text": "处理", "area": [0.0, 200 / height, 1.0, 60 / height]})
    assert covers(lower, PAGE.shown["two"]) and lower.area == (0, 200, width, 60)
    sheet.cut("second", {"text": "3201000000000022"})
    beside = sheet.cut("beside", {"text": "处理", "inside": {"anchor": "second", "box": [0, -10, 500, 50]}})
    assert covers(beside, PAGE.shown["two"])
    assert beside.inside is not None and beside.inside.anchor == "second"
    with pytest.raises(CaptureError, match="nowhere"):
        sheet.cut("lost", {"text": "处理", "inside": {"anchor": "nowhere", "box": [0, 0, 9, 9]}})


def test_sizes_of_a_wish_are_those_of_100_percent() -> None:
    """The same wish serves a screenshot at 150 %: margins, windows and click points grow with it."""
    import cv2

    large = cv2.resize(PAGE.picture(), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    sheet = Sheet("todo", Frame(np.asarray(large, np.uint8), 0.0, 1.5))
    spec = sheet.cut("label", {"text": "工单编号", "click": [150, 0]})
    words = PAGE.shown["label"].words.scaled(1.5)
    box = Box(*spec.box)
    assert words.intersect(box) == words and spec.click is not None
    # 150 px right of the words' left edge at 100 %, in the middle of their height.
    assert abs(box.x + spec.click[0] - (words.x + 225)) <= 6 and abs(box.y + spec.click[1] - words.center.y) <= 4
    sheet.cut("row", {"text": "3201000000000022"})
    handle = sheet.cut("handle", {"text": "处理", "inside": {"anchor": "row", "box": [0, -10, 500, 50]}})
    assert PAGE.shown["two"].words.scaled(1.5).center.y == pytest.approx(Box(*handle.box).center.y, abs=4)


def test_a_box_given_by_hand_is_taken(sheet: Sheet) -> None:
    spec = sheet.cut("logo", {"box": [700, 400, 40, 30], "kind": "icon"})
    assert spec.box == (695, 396, 50, 38) and spec.text is None


def test_a_wish_without_words_or_box_is_refused(sheet: Sheet) -> None:
    with pytest.raises(CaptureError, match="needs text or box"):
        sheet.cut("nothing", {"kind": "icon"})


# Judging


def judged(client: DrawnClient, spec: AnchorSpec) -> list[str]:
    shot = Screenshot(Path("none.png"), 1.0, client.picture())
    sighting = locate(frame(client), Anchor("it", spec, shot, None))
    return [flaw.kind for flaw in judge(frame(client), "it", sighting, spec)]


def test_a_good_anchor_has_no_flaw(sheet: Sheet) -> None:
    assert judged(PAGE, sheet.cut("query", {"text": "查询"})) == []


@pytest.mark.parametrize(
    ("spec", "flaw"),
    [
        (AnchorSpec(screen="todo", box=(600, 300, 60, 40), kind="icon"), "flat"),
        (AnchorSpec(screen="todo", box=(76, 68, 8, 20), kind="icon"), "small"),
        (AnchorSpec(screen="todo", box=tuple(PAGE.shown["one"].words.grow(5, 4)), text="处理"), "ambiguous"),
        (AnchorSpec(screen="todo", box=tuple(PAGE.shown["query"].words.grow(5, 4)), text="停电"), "lost"),
    ],
    ids=["flat", "small", "twice on the screen", "other words"],
)
def test_an_anchor_that_would_fail_later_is_told_now(spec: AnchorSpec, flaw: str) -> None:
    assert flaw in judged(PAGE, spec)


def test_an_anchor_that_reads_as_its_opposite_is_told_now() -> None:
    client = DrawnClient(off=Thing("停电", 60, 60))
    spec = AnchorSpec(screen="todo", box=tuple(client.shown["off"].words.grow(5, 4)), text="复电")
    assert judged(client, spec) == ["unread"]


# Writing


def spec_of(folder_title: str = "营销2.0") -> LibrarySpec:
    return LibrarySpec(
        schema=1,
        system="client",
        version="1.0",
        title=folder_title,
        screens={
            "todo": ScreenSpec(file="screens/todo.png", scale=1.25),
            "login": ScreenSpec(file="screens/login.png", scale=1.0),
        },
        anchors={
            "query": AnchorSpec(screen="todo", box=(76, 66, 42, 26), text="查询", never=("查看", "停: 电"), irreversible=True),
            "user": AnchorSpec(screen="login", box=(10, 20, 30, 40), text="yes", click=(60, 0), any_state=True),
            "bell": AnchorSpec(
                screen="todo", box=(1, 2, 30, 40), kind="icon", title="#1 @铃", inside={"anchor": "query", "box": (0, -5, 99, 50)}
            ),
        },
        grids={"todo": GridSpec(columns={"number": "工单编号"}, patterns={"number": r"\d{16}"}, below="query")},
        popups=(Popup(seen="bell", dismiss="query", meaning="busy"),),
        terms={"on": "on", "null": "null", "number": "007"},
    )


def pictures() -> dict[str, Image]:
    rng = np.random.default_rng(7)
    return {name: rng.integers(0, 255, (120, 200, 3), dtype=np.uint8) for name in ("todo", "login")}


def test_what_is_written_opens_as_it_was(tmp_path: Path) -> None:
    """Words that YAML would take for something else (yes, on, null, 007, a colon) come back as words."""
    shots = pictures()
    write_library(tmp_path / "client" / "1.0", spec_of(), shots)
    library = Library.open("client", "1.0", tmp_path)
    assert library.spec == spec_of()
    assert (library["user"].crop == shots["login"][20:60, 10:40]).all() and library["query"].scale == 1.25
    text = (tmp_path / "client" / "1.0" / "anchors.yaml").read_text(encoding="utf-8")
    assert "box: [76, 66, 42, 26]" in text and "calibrate check client 1.0" in text and "查询" in text


def test_a_version_without_a_title_has_its_systems_name_in_the_head() -> None:
    assert dump(spec_of("")).startswith("# What client 1.0 looks like.")


def kept(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def newer() -> tuple[LibrarySpec, dict[str, Image]]:
    """Another calibration of the same version: other boxes, other pictures under the same names."""
    spec = spec_of("新")
    moved = spec.anchors["query"].model_copy(update={"box": (100, 90, 42, 26)})
    return spec.model_copy(update={"anchors": {**spec.anchors, "query": moved}}), {n: 255 - p for n, p in pictures().items()}


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_disk_that_is_full_at_any_file_leaves_the_old_version_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    folder = tmp_path / "client" / "1.0"
    write_library(folder, spec_of(), pictures())
    before = kept(folder)
    calls: list[int] = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > which:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_library(folder, *newer())
    assert len(calls) == which + 1 and kept(folder) == before


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except OSError:
            os._exit(7)
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_system_that_takes_no_more_bytes_leaves_the_old_version_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "client" / "1.0"
    write_library(folder, spec_of(), pictures())
    before = kept(folder)

    def write() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        write_library(folder, *newer())

    assert forked(write) == 7
    assert kept(folder) == before and Library.open("client", "1.0", tmp_path).spec == spec_of()


def test_a_picture_that_cannot_be_stored_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "client" / "1.0"
    folder.mkdir(parents=True)
    (folder / "screens").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="screens"):
        write_library(folder, spec_of(), pictures())
    assert list(kept(folder)) == ["screens"]


def test_a_disabled_look_is_what_calibration_would_keep(sheet: Sheet) -> None:
    """An anchor captured while its button was disabled is found only so: the state belongs to the anchor."""
    client = DrawnClient(query=Thing("查询", 60, 60, DISABLED))
    gray = Sheet("gray", frame(client))
    spec = gray.cut("query", {"text": "查询"})
    shot = Screenshot(Path("none.png"), 1.0, client.picture())
    anchor = Anchor("query", spec, shot, None)
    assert isinstance(locate(frame(client), anchor), Found) and not isinstance(locate(frame(), anchor), Found)
