"""Figures of reading on this machine: ``python -m tests.support.reading_figures``. Truth: strings and pages drawn here."""

from __future__ import annotations

import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.support.rendered_text import STYLES, drawn, screens
from vision import text
from vision.frame import Frame
from vision.patterns import same_text

SIZES = (12, 13, 14, 15, 16, 18, 21)
LABELS = (
    "执行中",
    "失败：终端离线",
    "请输入关键字过滤",
    "复电复核",
    "停复电",
    "待办工单",
    "采集成功率",
    "台区经理（停电）",
    "10条/页",
)
BUTTONS = ("处理", "查询", "重置", "我已知晓", "复电", "停电", "归档", "确定")


def strings(chance: random.Random) -> list[tuple[str, str, str | None]]:
    """(kind, text, template) of one round."""
    digits = "0123456789"
    order, customer = ("".join(chance.choices(digits, k=length)) for length in (16, 10))
    number = f"{chance.uniform(0, 9):.3f}"
    moment = (
        f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02} {chance.randint(0, 23):02}:{chance.randint(0, 59):02}:32"
    )
    name = "".join(chance.choices("张王李赵建国秀英伟芳未末木术目量星", k=3))
    return [
        ("identifier", order, r"\d{16}"),
        ("identifier", customer, r"\d{10}"),
        ("number", number, r"\d+\.\d{3}|--"),
        ("number", chance.choice(["0", "0.000", "--", "7", "12"]), r"\d+(\.\d+)?|--"),
        ("moment", moment, r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"),
        ("Chinese", name, None),
        ("Chinese", f"城{chance.choice('东西南北')}村{chance.randint(1, 99)}号公变", None),
        ("Chinese", chance.choice(LABELS), None),
        ("button", chance.choice(BUTTONS), None),
    ]


def crops_figures(rounds: int) -> None:
    chance = random.Random(11)
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    spent, count = 0.0, 0
    for size in SIZES:
        for _ in range(rounds):
            for kind, wanted, pattern in strings(chance):
                crop = drawn(wanted, size, *(STYLES[1] if kind == "button" else chance.choice(STYLES)))
                start = time.process_time()
                free = text.read([crop])[0]
                spent += time.process_time() - start
                count += 1
                fitted = text.read([crop], pattern=pattern)[0] if pattern else free
                row = totals[kind]
                row[0] += 1
                row[1] += same_text(free.text, wanted)
                row[2] += same_text(fitted.text, wanted)
                row[3] += fitted.certain(0.9)
                row[4] += fitted.certain(0.9) and not same_text(fitted.text, wanted)
    print(f"{'kind':12}{'cells':>7}{'exact %':>9}{'template %':>12}{'≥ 0.90 %':>10}{'wrong of those':>16}")
    for kind, (cells, exact, fitted_exact, certain, wrong) in totals.items():
        shares = f"{100 * exact / cells:9.2f}{100 * fitted_exact / cells:12.2f}{100 * certain / cells:10.2f}"
        print(f"{kind:12}{cells:7}{shares}{wrong:16}")
    print(f"CPU {1000 * spent / count:.1f} ms a cell, {count} cells")


def screens_figures() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for screen in screens(14, Path(folder)):
            frame = Frame(screen.image, 0.0, screen.scale)
            start = time.process_time()
            lines = text.find_lines(frame)
            find = time.process_time() - start
            start = time.process_time()
            lines = text.read_lines(frame)
            read = time.process_time() - start
            located = right = 0
            for wanted, box in screen.texts:
                around = box.grow(round(3 * screen.scale))
                hits = [line for line in lines if around.intersect(line.box) == line.box]
                located += len(hits) == 1
                right += len(hits) == 1 and same_text(hits[0].text, wanted)
            size = f"{frame.width}×{frame.height} at {screen.scale:.0%}"
            print(f"{size}: {len(screen.texts)} texts, {located} located, {right} read, {len(lines)} lines found;", end=" ")
            print(f"finding {1000 * find:.0f} ms, finding and reading {read:.2f} s CPU, {1000 * read / len(lines):.1f} ms a line")


if __name__ == "__main__":
    text.read([drawn("复电")])
    crops_figures(rounds=6)
    screens_figures()
