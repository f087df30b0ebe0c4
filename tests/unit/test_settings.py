"""A person edits ``site.toml``: mistakes come with their line and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from control.errors import SettingsError
from control.settings import load_site

GOOD = """\
language = "zh"

[systems.marketing]
name = "营销2.0"
url = "http://127.0.0.1:8801/"
version = "2.0"

[systems.marketing.accounts.main]
user = "zhishou01"
password = "vault:marketing-main"

[flows.reconnect]
robot = "reconnect"
systems = ["marketing"]
[flows.reconnect.rules]
attempts = 3
"""


def loaded(folder: Path, text: str) -> object:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return load_site(file)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_a_good_file_and_its_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISHOU_HOME", str(tmp_path / "home"))
    (tmp_path / "site.toml").write_text(GOOD, encoding="utf-8")
    site = load_site(tmp_path / "site.toml")
    assert site.systems["marketing"].accounts["main"].password == "vault:marketing-main"
    assert site.flows["reconnect"].rules == {"attempts": 3} and site.manual_minutes == 90
    assert site.ledger == tmp_path / "home" / "zhishou.db"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("user =", "usr =", ["line 9", "'user'"]),
        ('url = "http', 'ulr = "http', ["line 5", "'url'"]),
        ("[flows.reconnect]", "[flow.reconnect]", ["'flows'"]),
        ('systems = ["marketing"]', 'systems = ["marketting"]', ["'marketing'"]),
        ('"vault:marketing-main"', '"Pa55-word!"', ["line 10", "vault:"]),
        ('user = "zhishou01"\n', "", ["line 8", "missing"]),
        ('language = "zh"', 'language = "de"', ["line 1"]),
        ('language = "zh"', 'language = "zh', ["line 1"]),
    ],
)
def test_a_slip_is_found_with_its_line_and_the_nearest_word(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    assert old in GOOD
    text = mistake(tmp_path, GOOD.replace(old, new, 1))
    assert all(part in text for part in said), text
    assert "Pa55-word!" not in text


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = mistake(tmp_path, GOOD.replace("user =", "usr =").replace("robot =", "robt ="))
    assert "'user'" in text and "'robot'" in text


def test_no_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"site\.toml"):
        load_site(tmp_path / "site.toml")
