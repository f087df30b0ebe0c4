"""`run.py pictures`: draw the pictures of README and docs anew, from a real frame and the finder's own sightings.

The robot logs in to the stand-in and opens an order; nothing that cannot be undone is pressed. Then every mark is what `locate`
says of that frame through a freshly opened library: nothing was remembered, nothing is painted by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from anchors.locate import locate
from anchors.sighting import Absent, Ambiguous, Contradicted, Found, Sighting, Suspect, explain
from anchors.store import Library
from bots.errors import NotSeenError, StepError
from bots.reconnect.marketing import PATTERNS, Marketing
from bots.reconnect.settings import ReconnectSettings
from bots.robot import Robot, value_box
from commands.exit_codes import Exit
from commands.output import options, result, say
from commands.standin import ACCOUNTS, ROOT, stand_in
from control.journal import JsonlJournal
from control.runs import state_folder
from control.vault import open_vault
from desktop import browser
from vision import text
from vision.frame import Box, Frame

FONT_FILE = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
GREEN, ORANGE, RED, BLUE = (22, 128, 60), (194, 104, 0), (190, 32, 32), (22, 92, 190)
INK, SOFT, PAPER, LINE = (31, 41, 51), (92, 104, 117), (243, 245, 248), (205, 212, 220)
WITNESSES = {"text": "文字 text", "picture": "画面 picture", "state": "外观 state", "unique": "唯一 unique"}
SCALE = 1.25


@dataclass(frozen=True, slots=True)
class Mark:
    """One numbered box on the frame and the card that explains it."""

    box: Box
    colour: tuple[int, int, int]
    title: str
    verdict: str
    """In Chinese."""
    english: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """An order's page as the robot saw it, and what it knew of the order from the list."""

    frame: Frame
    number: str
    customer: str


def command(
    version: Annotated[str, typer.Option(help="客户端版本 / version of the clients")] = "2.4",
    folder: Annotated[Path, typer.Option(help="图片目录 / where the pictures go")] = ROOT / "docs" / "images",
    report: Annotated[Path | None, typer.Option(help="要截图的 report.html / a report to take a picture of")] = None,
) -> Exit:
    """重新生成文档中的图片 / Draw the pictures of the docs anew."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        seen = open_an_order(version)
        picture = compose(seen.frame, marks(seen, Library.open("marketing", version)), heading(version))
    except StepError as error:
        say(str(error), str(error))
        result({"ok": False, "error": str(error)})
        return Exit.SYSTEM
    made = [folder / "robot-at-work.png"]
    picture.quantize(256, dither=Pillow.Dither.NONE).save(made[0], optimize=True)
    report = report or latest_report(state_folder())
    if report is not None:
        made.append(photograph(report, folder / "report.png"))
    for path in made:
        say(f"已生成 {path}", f"Made {path}")
    result({"ok": True, "pictures": [str(path) for path in made]})
    return Exit.OK


def open_an_order(version: str) -> Seen:
    """Log in to the stand-in on a virtual display as robot 1 does, and open the second order of the list."""
    from desktop.virtual import VirtualDesktop

    with (
        tempfile.TemporaryDirectory(prefix="zhishou-pictures-") as state,
        stand_in(version, seed=7, orders=8, time_factor=0.1) as clients,
        VirtualDesktop(scale=SCALE, urls=clients.urls) as virtual,
    ):
        journal = JsonlJournal(Path(state) / "journal", "pictures")
        vault = open_vault(Path(state), {**os.environ, **ACCOUNTS})
        robot = Robot(virtual.desktop, {"marketing": Library.open("marketing", version)}, journal, vault)
        marketing = Marketing(robot, ReconnectSettings())
        try:
            marketing.start()
            order = marketing.list_orders().rows[1]
            marketing.open_order(order["number"])
            return Seen(robot.wait_still(quiet=0.6), order["number"], order["customer"])
        finally:
            journal.close()


# What is marked


def marks(seen: Seen, library: Library) -> list[Mark]:
    """What the finder says of the order's page: two fields that are checked, the button, its opposite, a disabled one."""
    frame = seen.frame
    fields = (("number", seen.number), ("customer", seen.customer))
    chosen = sorted((_field(frame, library, name, known) for name, known in fields), key=lambda mark: mark.box.x)
    sighting = locate(frame, library["reconnect_button"])
    chosen.append(_button(sighting))
    opposite = next((s for s in sighting.evidence.suspects if s.contradicted), None)
    if opposite is not None:
        chosen.append(_never(opposite))
    archive = locate(frame, library["archive_button"])
    if isinstance(archive, Contradicted):
        chosen.append(_button(archive))
    return chosen


def _field(frame: Frame, library: Library, name: str, known: str) -> Mark:
    label = locate(frame, library[f"field_{name}"])
    if not isinstance(label, Found):
        raise NotSeenError(explain(label, options.language), frame=frame, sighting=label)
    labels = [s.box for s in (locate(frame, a) for a in library if a.name.startswith("field_")) if isinstance(s, Found)]
    values = value_box(frame, label.box, labels)
    if not values:
        raise NotSeenError(f"「{label.evidence.title}」旁边没有值 / no value beside it", frame=frame)
    readings = text.read([frame.crop(box.grow(3)) for box in values], pattern=PATTERNS[f"field_{name}"])
    said, lowest = readings[0].text, readings[0].lowest
    same = said == known
    box = Box(label.box.x, label.box.y, values[0].right - label.box.x, label.box.height).grow(2)
    lines = (f"页面 page {said}", f"列表 list {known}", f"最不确定的字符 lowest character {lowest:.2f}")
    verdict = ("与列表一致", "equals the list") if same else ("不一致，停止", "differs: stop")
    return Mark(box, BLUE if same else RED, label.evidence.title, *verdict, lines)


def _button(sighting: Sighting) -> Mark:
    evidence = sighting.evidence
    if isinstance(sighting, Found):
        suspect = next(s for s in evidence.suspects if s.box == sighting.box)
        return Mark(
            sighting.box, GREEN, evidence.title, "全部相符，可以点击", "all agree: may be pressed", tuple(_witnesses(suspect))
        )
    if isinstance(sighting, Absent | Ambiguous) or not evidence.suspects:
        raise NotSeenError(explain(sighting, options.language), sighting=sighting)
    suspect = max(evidence.suspects, key=lambda s: sum(w.ok for w in s.witnesses))
    return Mark(suspect.box, ORANGE, evidence.title, "未启用，不点击", "disabled: not pressed", tuple(_witnesses(suspect)))


def _never(suspect: Suspect) -> Mark:
    words = suspect.witness("text")
    title = words.detail.strip("「」") if words else ""
    return Mark(suspect.box, RED, title, "意思相反，绝不点击", "the opposite: never pressed", tuple(_witnesses(suspect)))


def _witnesses(suspect: Suspect) -> list[str]:
    lines = []
    for witness in suspect.witnesses:
        if witness.name == "text":
            said = f"{witness.detail} {witness.score or 0.0:.2f}"
        elif witness.name == "state":
            said = "颜色相符 as captured" if witness.ok else "颜色不符 other colours"
        else:
            said = f"{witness.score or 0.0:.2f}" + ("" if witness.level is None else f"（需 ≥ {witness.level:.2f}）")
        lines.append(f"{'√' if witness.ok else '×'} {WITNESSES[witness.name]} {said}")
    return lines


# Drawing


def heading(version: str) -> str:
    return f"真实画面与机器人的判断 · 模拟客户端 营销2.0（{version} 版，125 %）　A real frame, and what the robot makes of it"


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT_FILE), size)


def compose(frame: Frame, chosen: Sequence[Mark], title: str) -> Pillow.Image:
    """The part of the frame that holds the marks, with numbered boxes, and a card for each of them below."""
    bottom = min(frame.height, max(mark.box.bottom for mark in chosen) + round(250 * frame.scale))
    page = Pillow.fromarray(cv2.cvtColor(np.ascontiguousarray(frame.image[:bottom]), cv2.COLOR_BGR2RGB))
    card_height, gap, top = 262, 18, bottom + 76
    canvas = Pillow.new("RGB", (frame.width, top + card_height + gap), PAPER)
    canvas.paste(page, (0, 0))
    draw = ImageDraw.Draw(canvas)
    draw.line((0, bottom, frame.width, bottom), fill=LINE, width=2)
    draw.text((gap + 6, bottom + 22), title, font=_font(27), fill=INK)
    width = (frame.width - gap * (len(chosen) + 1)) // len(chosen)
    for number, mark in enumerate(chosen, start=1):
        _outline(draw, mark, number)
        _card(draw, Box(gap + (number - 1) * (width + gap), top, width, card_height), mark, number)
    return canvas


def _outline(draw: ImageDraw.ImageDraw, mark: Mark, number: int) -> None:
    box = mark.box.grow(7)
    draw.rounded_rectangle((box.x, box.y, box.right, box.bottom), 8, outline=(255, 255, 255), width=8)
    box = mark.box.grow(5)
    draw.rounded_rectangle((box.x, box.y, box.right, box.bottom), 6, outline=mark.colour, width=4)
    _badge(draw, box.right, box.bottom + 4, mark.colour, number)


def _badge(draw: ImageDraw.ImageDraw, x: int, y: int, colour: tuple[int, int, int], number: int) -> None:
    draw.ellipse((x - 17, y - 17, x + 17, y + 17), fill=colour, outline=(255, 255, 255), width=2)
    draw.text((x, y), str(number), font=_font(24), fill=(255, 255, 255), anchor="mm")


def _card(draw: ImageDraw.ImageDraw, place: Box, mark: Mark, number: int) -> None:
    draw.rounded_rectangle((place.x, place.y, place.right, place.bottom), 10, fill=(255, 255, 255), outline=LINE, width=2)
    draw.rounded_rectangle((place.x, place.y, place.right, place.y + 8), 4, fill=mark.colour)
    _badge(draw, place.x + 34, place.y + 40, mark.colour, number)
    draw.text((place.x + 62, place.y + 24), mark.title, font=_font(28), fill=INK)
    draw.text((place.x + 18, place.y + 68), mark.verdict, font=_font(24), fill=mark.colour)
    draw.text((place.x + 18, place.y + 102), mark.english, font=_font(20), fill=mark.colour)
    for row, line in enumerate(mark.lines):
        draw.text((place.x + 18, place.y + 142 + row * 36), line, font=_fitting(line, place.width - 36), fill=SOFT)


def _fitting(line: str, width: int) -> ImageFont.FreeTypeFont:
    size = 22
    while size > 15 and _font(size).getlength(line) > width:
        size -= 1
    return _font(size)


# The report


def latest_report(state: Path) -> Path | None:
    """The newest report of a run or a demo under the state folder."""
    found = [*state.glob("runs/*/report.html"), *state.glob("demo/*/runs/*/report.html")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def photograph(page: Path, target: Path, size: tuple[int, int] = (1280, 900)) -> Path:
    """The top of a page as a headless browser shows it."""
    program = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory(prefix="zhishou-picture-") as folder:
        profile = Path(folder) / "profile"
        arguments = browser.chromium_arguments([page.resolve().as_uri()], profile, size, 1.0, executable=program)
        unwanted = ("--kiosk", "--ozone-platform=x11")
        headless = ["--headless=new", f"--screenshot={target.resolve()}", "--hide-scrollbars"]
        command_line = [arguments[0], *headless, *(a for a in arguments[1:] if a not in unwanted)]
        subprocess.run(command_line, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=120)
    return target
