r"""Templates that a text must fit, and comparison of texts that were read.

A template is a small part of regular expressions: literals, ``\d``, ``[0-9A-Z]`` with ranges, ``( | )``, ``?``, ``*``, ``+``,
``{n}``, ``{m,n}``, ``{m,}`` and ``\`` before a special character. It always means the whole text. Examples: ``\d{16}``,
``\d+\.\d{2}``, ``成功|失败|执行中``, ``共\d+条``, ``\d{4}-\d\d-\d\d \d\d:\d\d:\d\d``.
A space in a template need not be seen (readers lose and invent them) but stands in the text that comes out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

DIGITS = r"\d+"
NUMBER = r"-?\d+(\.\d+)?"
MOMENT = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
DATE = r"\d{4}-\d{2}-\d{2}"

MOST_POSITIONS = 400
"""A template that unfolds to more is a mistake (``\\d{1000}``) and would take seconds to decode."""


class PatternError(ValueError):
    """The template cannot be used. The message shows where and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template unfolded: each position takes one character of its set; ``before[p]`` are the positions p may follow."""

    source: str
    sets: tuple[frozenset[str], ...]
    spaced: tuple[bool, ...]
    """Whether a space stands before the position in the text that comes out."""
    before: tuple[tuple[int, ...], ...]
    """-1 is the start."""
    last: frozenset[int]
    """Positions where the text may end; -1 where the empty text fits."""
    alphabet: tuple[str, ...]

    def accepts(self, text: str) -> bool:
        """Whether the text, leaving spaces aside, fits."""
        return self.arrange(text) is not None

    def arrange(self, text: str) -> list[tuple[int, bool]] | None:
        """For a text that fits: for each of its characters that is not a space its index in ``text``, and whether a space of
        the template stands before it. None where it does not fit."""
        marks = [(index, character) for index, character in enumerate(text) if not character.isspace()]
        reached: list[dict[int, int]] = []
        current = {-1}
        for _, character in marks:
            step: dict[int, int] = {}
            for position, choices in enumerate(self.sets):
                if character in choices:
                    came = next((p for p in self.before[position] if p in current), None)
                    if came is not None:
                        step[position] = came
            if not step:
                return None
            reached.append(step)
            current = set(step)
        end = next((p for p in sorted(current) if p in self.last), None)
        if end is None:
            return None
        path: list[tuple[int, bool]] = []
        for (index, _), step in zip(reversed(marks), reversed(reached), strict=True):
            path.append((index, self.spaced[end]))
            end = step[end]
        path.reverse()
        return path


class _Part(NamedTuple):
    """A piece of a template while it is unfolded: where it may begin and end, and whether it may be empty."""

    first: frozenset[int]
    last: frozenset[int]
    empty: bool


class _Parser:
    """Recursive descent to a position automaton (Glushkov): no state without a character, so decoding stays small."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.sets: list[frozenset[str]] = []
        self.spaced: list[bool] = []
        self.follow: list[set[int]] = []
        self.space = False

    def fail(self, why: str) -> PatternError:
        shown = f"{self.source[: self.at]}▸{self.source[self.at :]}"
        return PatternError(f"模板 {shown} 无法使用：{why} / This template cannot be used: {why}")

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def alternatives(self) -> _Part:
        part = self.sequence()
        while self.peek() == "|":
            self.at += 1
            other = self.sequence()
            part = _Part(part.first | other.first, part.last | other.last, part.empty or other.empty)
        return part

    def sequence(self) -> _Part:
        part = _Part(frozenset(), frozenset(), True)
        while self.peek() not in ("", "|", ")"):
            if self.peek() == " ":
                self.at += 1
                self.space = True
                continue
            part = self.chain(part, self.repeated())
        self.space = False
        return part

    def chain(self, left: _Part, right: _Part) -> _Part:
        for position in left.last:
            self.follow[position] |= right.first
        return _Part(
            left.first | right.first if left.empty else left.first,
            left.last | right.last if right.empty else right.last,
            left.empty and right.empty,
        )

    def repeated(self) -> _Part:
        start, space = self.at, self.space
        part = self.single()
        end = self.at
        least, most = self.count()
        after = self.at
        if (least, most) == (1, 1):
            return part

        def again() -> _Part:
            self.at, self.space = start, space and part.first == frozenset()
            copy = self.single()
            assert self.at == end
            return copy

        whole = _Part(frozenset(), frozenset(), True)
        copies = most if most is not None else max(least, 1)
        for number in range(copies):
            copy = part if number == 0 else again()
            if number >= least:
                copy = copy._replace(empty=True)
            if most is None and number == copies - 1:
                for position in copy.last:
                    self.follow[position] |= copy.first
            whole = self.chain(whole, copy)
        self.at = after
        return whole

    def count(self) -> tuple[int, int | None]:
        mark = self.peek()
        if mark in ("?", "*", "+") and mark:
            self.at += 1
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[mark]
        if mark != "{":
            return 1, 1
        close = self.source.find("}", self.at)
        body = self.source[self.at + 1 : close] if close > 0 else ""
        low, comma, high = body.partition(",")
        if not low.isdecimal() or not (high.isdecimal() or high == ""):
            raise self.fail("{n}、{m,n} 或 {m,} 写得不对 / a count is written {n}, {m,n} or {m,}")
        self.at = close + 1
        least = int(low)
        most = least if not comma else int(high) if high else None
        if (most is not None and (most < least or most == 0)) or least > MOST_POSITIONS or (most or 0) > MOST_POSITIONS:
            raise self.fail("次数范围不对 / the count's range makes no sense")
        return least, most

    def single(self) -> _Part:
        character = self.peek()
        if character == "(":
            self.at += 1
            part = self.alternatives()
            if self.peek() != ")":
                raise self.fail("缺少 ) / a ) is missing")
            self.at += 1
            return part
        if character == "[":
            return self.position(self.choices())
        if character == "\\":
            return self.position(self.escape())
        if character in "*+?{}].^$":
            raise self.fail(f"{character} 要写成 \\{character} / write \\{character} for {character}")
        self.at += 1
        return self.position(frozenset(character))

    def escape(self) -> frozenset[str]:
        self.at += 1
        character = self.peek()
        if character == "":
            raise self.fail("\\ 后缺少字符 / nothing follows \\")
        self.at += 1
        if character == "d":
            return frozenset("0123456789")
        if character.isalnum():
            self.at -= 1
            raise self.fail(f"不认识 \\{character} / \\{character} is not known")
        return frozenset(character)

    def choices(self) -> frozenset[str]:
        self.at += 1
        found: set[str] = set()
        while self.peek() != "]":
            character = self.peek()
            if character == "":
                raise self.fail("缺少 ] / a ] is missing")
            if character == "^" and not found:
                raise self.fail("不支持 [^…] / [^…] is not supported")
            if character == "\\":
                found |= self.escape()
                continue
            self.at += 1
            if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
                end = self.source[self.at + 1]
                self.at += 2
                if ord(end) < ord(character):
                    raise self.fail("范围倒置 / the range runs backwards")
                found.update(chr(code) for code in range(ord(character), ord(end) + 1))
            else:
                found.add(character)
        self.at += 1
        if not found:
            raise self.fail("[] 里没有字符 / nothing stands in []")
        return frozenset(found)

    def position(self, choices: frozenset[str]) -> _Part:
        if len(self.sets) >= MOST_POSITIONS:
            raise self.fail(f"展开后超过 {MOST_POSITIONS} 个字符 / it unfolds to more than {MOST_POSITIONS} characters")
        number = len(self.sets)
        self.sets.append(choices)
        self.spaced.append(self.space)
        self.follow.append(set())
        self.space = False
        here = frozenset({number})
        return _Part(here, here, False)


@lru_cache(maxsize=256)
def template(source: str) -> Template:
    """The template, ready to match and decode. Raises :class:`PatternError`."""
    parser = _Parser(source)
    whole = parser.alternatives()
    if parser.at != len(source):
        raise parser.fail("多余的 ) / a ) too many")
    if not parser.sets:
        raise parser.fail("模板是空的 / the template is empty")
    before = [[-1] if number in whole.first else [] for number in range(len(parser.sets))]
    for number, after in enumerate(parser.follow):
        for position in sorted(after):
            before[position].append(number)
    return Template(
        source,
        tuple(parser.sets),
        tuple(parser.spaced),
        tuple(tuple(p) for p in before),
        whole.last | ({-1} if whole.empty else set()),
        tuple(sorted(frozenset().union(*parser.sets))),
    )


_LOOK_ALIKES = """
    0OoＯ０〇○ 1lIｌ１丨| 2Ｚ -—–－一ー_ :： .．·。 ,， (（ )） /／ %％ kK wW sS cC vV xX× zZ pP uU
    曰日目 木术本 未末 量星 己已巳 人入
"""
LOOK_ALIKES: tuple[str, ...] = tuple(_LOOK_ALIKES.split())
"""Characters taken for each other at 12–16 px (FIELD.md §2). A template that allows only one of a group says which it is."""


@lru_cache(maxsize=4096)
def look_alikes(character: str) -> frozenset[str]:
    """What may stand for the character in a reading, itself left out."""
    found: set[str] = set()
    for group in LOOK_ALIKES:
        if character in group:
            found |= set(group)
    if "0" <= character <= "9":
        found.add(chr(ord(character) - ord("0") + ord("０")))
    return frozenset(found - {character})


_PUNCTUATION = str.maketrans("（）：，；！？－—–／【】“”‘’～", "():,;!?---/[]\"\"''~")


_VARIANTS = str.maketrans(
    "溫戶內産產眞別吿査黃歷冊絕録錄値說强爲淸靑黒晩歩毎", "温户内产产真别告查黄历册绝录录值说强为清青黑晚步每"
)
"""Older forms of one and the same character that the recogniser, which knows both, takes at small sizes (seen: 溫馨提示)."""


def normalised(text: str) -> str:
    """The text without spaces, full-width forms as half-width ones, punctuation and variants of a character in one form.

    Case and words stay.
    """
    plain = unicodedata.normalize("NFKC", text.translate(_PUNCTUATION)).translate(_PUNCTUATION).translate(_VARIANTS)
    return "".join(character for character in plain if not character.isspace())


def same_text(a: str, b: str) -> bool:
    """Whether two texts say the same: spaces, full-width forms and kinds of brackets do not matter, every letter does."""
    return normalised(a) == normalised(b)


_OPPOSITES = """
    停/复 停电/复电 停电/送电 拉闸/合闸 拉/合 分闸/合闸 通过/驳回 通过/退回 同意/拒绝
    新增/删除 提交/撤回 提交/取消 启用/停用 启动/停止 开始/停止 打开/关闭 开启/关闭 确定/取消
    保存/取消 上线/下线 投入/退出 投运/停运 接收/拒收 绑定/解绑 锁定/解锁 成功/失败 有效/无效
    正常/异常 增加/减少 上移/下移 展开/收起 导入/导出 允许/禁止 是/否 在线/离线 已/未
"""
OPPOSITES: frozenset[frozenset[str]] = frozenset(frozenset(pair.split("/")) for pair in _OPPOSITES.split())
"""Words that must never stand in for each other (FIELD.md §1), each pair one set."""


def opposite(a: str, b: str) -> bool:
    """Whether the texts differ by a word and its opposite: one says 停电 where the other says 复电.

    A text that holds a word with its opposite, like 停复电, differs by it from a text that holds only one of the two.
    """
    a, b = normalised(a), normalised(b)
    if a == b:
        return False
    for pair in OPPOSITES:
        one, other = sorted(pair)
        in_a = one in a, other in a
        in_b = one in b, other in b
        if in_a != in_b and any(in_a) and any(in_b):
            return True
    return False
