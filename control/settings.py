"""``site.toml``: which systems there are, who logs in, which robots run with which rules.

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
systems = ["marketing", "collection"]
[flows.reconnect.rules]
attempts = 3
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from control.errors import Explanation, SettingsError
from control.runs import state_folder


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(_Model):
    """A log-in of a system."""

    user: str
    password: str
    """A reference like ``vault:marketing-main``, never the password itself."""
    post: str = ""
    """The 岗位 to choose after the log-in, where the system asks."""

    @field_validator("password")
    @classmethod
    def _by_reference(cls, value: str) -> str:
        if not value.startswith("vault:") or len(value) < 7:
            raise ValueError("密码只能写成 vault:名称 的引用 / a password is a reference like vault:name")
        return value


class System(_Model):
    """A client that robots work with."""

    name: str
    url: str = ""
    """Where a browser opens it."""
    window: str = ""
    """Words of the window's title by which it is brought to the front, where it is not a page."""
    version: str = ""
    """Folder of its anchors, for example ``2.0``."""
    accounts: dict[str, Account] = Field(default_factory=dict)
    """The first is used first; the next one when a robot switches accounts."""

    @model_validator(mode="after")
    def _reachable(self) -> System:
        if not self.url and not self.window:
            raise ValueError("需要 url 或 window 之一 / url or window is needed")
        return self


class Flow(_Model):
    """A robot with its settings."""

    robot: str
    systems: list[str] = Field(default_factory=list)
    enabled: bool = True
    rules: dict[str, Any] = Field(default_factory=dict)
    """Settings of the robot; the robot's own model checks them."""


class Site(_Model):
    """All of ``site.toml``."""

    language: Literal["zh", "en"] = "zh"
    state: Path = Field(default_factory=state_folder)
    """Folder for ledger, runs and vault; default ``ZHISHOU_HOME`` or the user's data folder."""
    database: str = ""
    """URL of the ledger's and engine's database; empty for a file in ``state``."""
    desktop: str = ""
    """Name of the desktop, empty for this machine's own."""
    manual_minutes: float = Field(90.0, gt=0)
    """What a person needs for an order, for the report; 1.5 h on the showcase's page."""
    systems: dict[str, System] = Field(default_factory=dict)
    flows: dict[str, Flow] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_systems(self) -> Site:
        for name, flow in self.flows.items():
            for system in flow.systems:
                if system not in self.systems:
                    hint = _nearest(system, self.systems)
                    raise ValueError(f"flows.{name}.systems: 没有名为 {system!r} 的系统 / no system {system!r}{hint}")
        return self

    @property
    def ledger(self) -> Path | str:
        """What :class:`control.ledger.SqlLedger` and :class:`control.engine.DbosEngine` open."""
        return self.database or self.state / "zhishou.db"


def load_site(file: Path) -> Site:
    """Read ``site.toml``. Raises :class:`SettingsError` with every mistake, its line and the nearest valid word."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _wrong(file, ["没有这个文件 / no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(file, [f"{error}"]) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, [f"{error}"]) from error
    try:
        return Site.model_validate(data)
    except ValidationError as error:
        raise _wrong(file, [_mistake(text, one) for one in error.errors()]) from error


def _mistake(text: str, error: Any) -> str:
    path = [str(part) for part in error["loc"]]
    line = find_line(text, path)
    where = f"第 {line} 行 / line {line}, {'.'.join(path)}" if line else ".".join(path) or "site.toml"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "不认识的名称 / unknown word" + _nearest(path[-1], _words(path[:-1]))
    elif error["type"] == "missing":
        message = "缺少 / missing"
    return f"{where}: {message}"


def _words(path: list[str]) -> list[str]:
    """Field names that are allowed at a place."""
    model: type[BaseModel] = Site
    if len(path) >= 2:
        model = System if path[0] == "systems" else Flow if path[0] == "flows" else Site
    if len(path) >= 4 and path[2] == "accounts":
        model = Account
    return list(model.model_fields)


def _nearest(word: str, words: Any) -> str:
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    if close:
        return f"，是否想写 {close[0]!r}？ / did you mean {close[0]!r}?"
    return f"，可用：{'、'.join(words)} / known: {', '.join(words)}" if words else ""


def find_line(text: str, path: list[str]) -> int | None:
    """1-based line of a key in a TOML text, or of the nearest table around it; None where nothing fits."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if line.startswith("["):
            table = [part.strip().strip("\"'") for part in line.strip("[] ").split(".")]
            here = table
        elif "=" in line:
            here = table + [part.strip().strip("\"'") for part in line.split("=", 1)[0].split(".")]
        else:
            continue
        if here == path[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _wrong(file: Path, mistakes: list[str]) -> SettingsError:
    listed = "；".join(mistakes)
    return SettingsError(
        Explanation(
            f"配置文件 {file} 有 {len(mistakes)} 处问题：{listed}",
            "手工修改时写错，或来自其他版本",
            "改正后重新运行；没有启动任何操作",
        ),
        Explanation(
            f"{file} has {len(mistakes)} mistake(s): {listed}",
            "a slip in editing, or another version's file",
            "correct it and run again; nothing was started",
        ),
    )
