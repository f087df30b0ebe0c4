"""What commands say and how: for people in their language, or one JSON object on stdout."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]


@dataclass(slots=True)
class Options:
    """``--lang`` and ``--json``, which stand anywhere on the command line."""

    language: Language = "zh"
    json: bool = False


options = Options()


def take_options(arguments: list[str]) -> list[str]:
    """Take ``--lang X`` and ``--json`` out of the arguments (what follows ``--`` is left alone) and remember them.

    Raises ValueError for another language.
    """
    rest: list[str] = []
    waiting = False
    for position, argument in enumerate(arguments):
        if waiting or argument.startswith("--lang="):
            language = argument.removeprefix("--lang=")
            if language not in ("zh", "en"):
                raise ValueError(f"--lang {language}: 只有 zh 和 en / only zh and en")
            options.language = "zh" if language == "zh" else "en"
            waiting = False
        elif argument == "--lang":
            waiting = True
        elif argument == "--json":
            options.json = True
        elif argument == "--":
            return [*rest, *arguments[position:]]
        else:
            rest.append(argument)
    if waiting:
        raise ValueError("--lang 后面需要 zh 或 en / --lang needs zh or en")
    return rest


def words(chinese: str, english: str) -> str:
    """The one that the person asked for."""
    return chinese if options.language == "zh" else english


def say(chinese: str, english: str) -> None:
    """A line for people; with ``--json`` on stderr, so that stdout stays one JSON object."""
    print(words(chinese, english), file=sys.stderr if options.json else sys.stdout, flush=True)


def result(data: dict[str, Any]) -> None:
    """The command's result as JSON, when asked for."""
    if options.json:
        print(json.dumps(data, ensure_ascii=False, indent=2, default=str), flush=True)
