"""`run.py calibrate`: capture the anchors of a client's version, and check those that there are."""

from __future__ import annotations

import json
import os
import urllib.request
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.exit_codes import Exit
from commands.output import options, result, say

app = typer.Typer(add_completion=False, no_args_is_help=True)
LIBRARY = Path(__file__).resolve().parent.parent / "anchors" / "library"


@app.command()
def tour(
    system: Annotated[str, typer.Argument(help="系统，如 marketing / the system")],
    version: Annotated[str, typer.Argument(help="版本，如 2.3 / its version")],
    url: Annotated[str | None, typer.Option(help="客户端地址；不填则用模拟客户端 / the client; default: the stand-in")] = None,
    scale: Annotated[int, typer.Option(help="显示缩放 % / display scale")] = 150,
    into: Annotated[Path, typer.Option(help="锚点库目录 / folder of the library")] = LIBRARY,
) -> Exit:
    """按 tour.yaml 走一遍客户端并截取锚点 / Walk through a client by its tour.yaml and capture anchors."""
    from anchors.model import LibrarySpec
    from anchors.store import Library
    from bots.robot import Robot
    from calibration.capture import CaptureError
    from commands.standin import ACCOUNTS, stand_in
    from commands.tour import Tour
    from control.journal import JsonlJournal
    from control.runs import new_run, state_folder
    from control.vault import open_vault
    from desktop.virtual import VirtualDesktop

    plan = LIBRARY / system / version / "tour.yaml"
    if not plan.is_file():
        say(f"没有 {plan}；请参照其他版本写一个。", f"There is no {plan}; write one after another version's.")
        return Exit.USAGE
    with ExitStack() as stack:
        secrets, provoke = dict(os.environ), None
        if url is None:
            clients = stack.enter_context(stand_in(version, orders=8, time_factor=0.3, control=True))
            address = getattr(clients, system)
            secrets |= ACCOUNTS

            def provoke(name: str) -> None:
                body = json.dumps({"fault": name}).encode()
                request = urllib.request.Request(f"{address}__control", body, {"Content-Type": "application/json"})
                urllib.request.urlopen(request).read()
        else:
            address = url
        desktop = stack.enter_context(VirtualDesktop(scale=scale / 100, urls=[address])).desktop
        folder = new_run(state_folder(), f"tour-{system}-{version}", datetime.now())
        journal = JsonlJournal(folder.path, folder.id)
        stack.callback(journal.close)
        empty = Library(LibrarySpec(schema=1, system=system, version=version), {}, {}, into)
        robot = Robot(desktop, {system: empty}, journal, open_vault(state_folder(), secrets), options.language)
        walk = Tour(plan, robot, into / system / version, lambda text: say(text, text), provoke)
        try:
            flaws = walk.walk()
        except CaptureError as error:
            say(f"走到一半停下：{error}", f"Stopped half way: {error}")
            return Exit.MISMATCH
        result({"anchors": len(walk.anchors), "flaws": [flaw.message for flaw in flaws]})
        done = f"{len(walk.anchors)} 个锚点，{len(flaws)} 处需要处理"
        say(done, f"{len(walk.anchors)} anchors, {len(flaws)} to be mended")
        return Exit.MISMATCH if flaws else Exit.OK


@app.command()
def check(
    system: Annotated[str, typer.Argument(help="系统 / the system")],
    version: Annotated[str, typer.Argument(help="版本 / its version")],
) -> Exit:
    """每个锚点在自己的截图上必须唯一找到 / Every anchor must be found, once, on its own screenshot."""
    from anchors.errors import AnchorError
    from anchors.locate import locate
    from anchors.sighting import Found, explain
    from anchors.store import Library
    from vision.frame import Frame

    try:
        library = Library.open(system, version)
    except AnchorError as error:
        say(str(error), str(error))
        return Exit.USAGE
    frames: dict[str, Frame] = {}
    wrong: list[dict[str, Any]] = []
    for anchor in library:
        shot = anchor.screenshot
        frame = frames.setdefault(anchor.spec.screen, Frame(shot.image, 0.0, shot.scale))
        sighting = locate(frame, anchor)
        if not isinstance(sighting, Found) or sighting.box.intersect(anchor.box).area < 0.5 * anchor.box.area:
            wrong.append({"anchor": anchor.name, "said": explain(sighting, options.language)})
            say(f"✗ {anchor.name}：{wrong[-1]['said']}", f"✗ {anchor.name}: {wrong[-1]['said']}")
    result({"anchors": len(library), "wrong": wrong})
    say(f"{len(library)} 个锚点，{len(wrong)} 个有问题", f"{len(library)} anchors, {len(wrong)} wrong")
    if wrong:
        say("请重新标定有问题的锚点", "Capture them again")
    return Exit.MISMATCH if wrong else Exit.OK
