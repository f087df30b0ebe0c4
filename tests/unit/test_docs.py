"""What the READMEs and docs/ promise is there: commands, options, links, pictures; both languages say the same."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import command as bench
from bots.reconnect.settings import ReconnectSettings
from commands import demo
from commands.app import TABLE
from control.runs import EXIT_CODES, RunState
from control.settings import Site
from simulators.faults import NAMES

ROOT = Path(__file__).resolve().parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = (*READMES, *sorted((ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"run\.py ([a-z]+)")
BENCH = re.compile(r"run\.py bench ([a-z]+)")


def words(page: Path) -> str:
    return page.read_text("utf-8")


def title(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_command_that_a_page_tells_people_to_type_exists(page: Path) -> None:
    assert set(COMMAND.findall(words(page))) <= set(TABLE)
    assert set(BENCH.findall(words(page))) <= set(bench.names())


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_every_link_and_picture_of_a_page_leads_somewhere(page: Path) -> None:
    targets = [link.split("#")[0] for link in LINK.findall(words(page)) if not link.startswith(("http:", "https:", "#"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_each_link_to_a_heading_finds_it() -> None:
    for page in PAGES:
        headings = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", words(page), re.M)}
        assert [link for link in LINK.findall(words(page)) if link.startswith("#") and link[1:].lower() not in headings] == []


def test_both_readmes_begin_with_the_two_commands() -> None:
    for page in READMES:
        assert COMMAND.findall(words(page))[:2] == ["demo", "test"]


def test_both_readmes_name_every_command_there_is_and_the_same_ones() -> None:
    english, chinese = (set(COMMAND.findall(words(page))) for page in READMES)
    assert english == chinese == set(TABLE)


def test_both_readmes_show_the_same_pictures_pages_and_options() -> None:
    english, chinese = (words(page) for page in READMES)
    own = {"README.md", "README.zh-CN.md"}
    assert {link for link in LINK.findall(english) if not link.startswith("#")} - own == {
        link for link in LINK.findall(chinese) if not link.startswith("#")
    } - own
    option = re.compile(r"`(--[a-z-]+)")
    assert set(option.findall(english)) == set(option.findall(chinese))


@pytest.mark.parametrize("page", READMES, ids=title)
def test_the_demos_options_and_defaults_are_those_of_the_command(page: Path) -> None:
    rows = re.findall(r"^\| `--([a-z-]+)[^|]*(?:\\\|[^|]*)*\|.*\| ([^|]*) \|$", words(page), re.M)
    told = dict(rows)
    there = inspect.signature(demo.command).parameters
    assert {name.replace("_", "-") for name in there} <= set(told) | {"own-screen"}
    for name in ("version", "scale", "orders", "seed", "faults"):
        assert told[name].strip("`") == str(there[name].default)


@pytest.mark.parametrize("page", READMES, ids=title)
def test_every_fault_that_can_be_asked_for_is_named(page: Path) -> None:
    assert ",".join(NAMES) in words(page)


@pytest.mark.parametrize("page", READMES, ids=title)
def test_the_exit_codes_told_are_those_of_the_run_states(page: Path) -> None:
    for state, code in EXIT_CODES.items():
        if state is not RunState.SKIPPED:
            assert re.search(rf"{state.words('zh')}[a-z ]* {code}\b", words(page)), state


@pytest.mark.parametrize("page", READMES, ids=title)
def test_the_site_toml_shown_is_valid_but_for_the_second_system_it_leaves_out(page: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", words(page), re.S)
    assert len(blocks) == 1
    data = tomllib.loads(blocks[0])
    data["systems"]["collection"] = dict(data["systems"]["marketing"])
    site = Site.model_validate(data)
    assert ReconnectSettings(**site.flows["reconnect"].rules).tries == 3


def test_the_goals_told_in_both_languages_are_the_same_and_those_of_the_benchmarks() -> None:
    tables = [re.search(r"<!-- figures -->\n(.*?)<!-- /figures -->", words(page), re.S) for page in READMES]
    english, chinese = ([row.split(" | ")[-2] for row in table[1].strip().splitlines()[2:]] for table in tables if table)
    assert [re.findall(r"[\d.]+", goal) for goal in english] == [re.findall(r"[\d.]+", goal) for goal in chinese]
    goals = tomllib.loads((ROOT / "benchmarks" / "goals.toml").read_text("utf-8"))
    assert goals["reconnect"]["robot_seconds_median"]["at_most"] == 2.5
    told = {float(number) for goal in english for number in re.findall(r"[\d.]+", goal)}
    known = {float(v) for part in goals.values() for goal in part.values() for v in goal.values()}
    assert {n for n in told if n not in known and n / 100 not in known} == set()


@pytest.mark.parametrize("drawing", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda p: p.name)
def test_a_drawing_opens_in_any_viewer(drawing: Path) -> None:
    root = ElementTree.parse(drawing).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.attrib["width"]) > 0 and float(root.attrib["height"]) > 0
    parts = {element.tag.split("}")[1] for element in root.iter()}
    assert not parts & {"foreignObject", "script", "image"}


def test_decisions_are_numbered_without_gaps_and_say_context_and_choice() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, start=1):
        text = words(page)
        assert text.startswith(f"# {number}. ")
        assert "**Context.**" in text and "**Choice.**" in text
