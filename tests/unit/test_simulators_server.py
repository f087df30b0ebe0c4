"""The stand-ins as a process: ready line, restart on the same database, end with the parent, exports."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import openpyxl
import pytest

from simulators.truth import Truth
from simulators.workbook import workbook
from tests.support.clients import ROOT, Visitor, clients


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something came true before the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_restart_on_the_same_database_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    with clients(path, "--orders", "9", "--time-factor", "0", "--faults", "none") as first:
        somebody = Visitor(first.marketing)
        assert somebody.get("api/todo")["code"] == "session"
        somebody.post("api/login", user="fkzb01", password="Fk#2026zb")
        somebody.post("api/post", post="城区供电所-费控复电专责")
        rows = somebody.get("api/todo?kind=%E5%A4%8D%E7%94%B5%E5%A4%8D%E6%A0%B8")["data"]["rows"]
        assert len(rows) == 9
        number = rows[0]["number"]
        with pytest.raises(HTTPError):
            somebody.get(f"api/reconnect?order={number}")
        somebody.post("api/reconnect", order=number)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(10)
    port = first.marketing.rstrip("/").rsplit(":", 1)[1]
    with clients(path, "--orders", "500", "--time-factor", "0", "--marketing-port", port) as second:
        assert second.marketing == first.marketing
        answer = somebody.get(f"api/order?order={number}")
        assert answer["data"]["status"] == "已复电", "the old session and the command survive"
    with Truth(path) as truth:
        assert [c.order for c in truth.reconnects()] == [number]
        assert len(truth.orders(True)) == 9


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys, os\n"
        f"p = subprocess.Popen([sys.executable, '-m', 'simulators', 'serve', '--database', {str(tmp_path / 't.sqlite')!r}],"
        " stdout=subprocess.PIPE)\n"
        "p.stdout.readline(); print(p.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    out = subprocess.run([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    child = int(out.stdout)

    def gone() -> bool:
        try:
            return Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    assert until(gone), f"server {child} outlived its parent"


def test_the_control_door_is_closed_unless_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators", "serve", "--database", str(tmp_path / "t.sqlite"), "--orders", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            with pytest.raises(HTTPError):
                Visitor(ready["marketing"]).post("__control", fault="busy")
        finally:
            process.terminate()
        assert process.wait(10) == 0


def test_exports_open_in_openpyxl_and_faults_can_be_ordered(tmp_path: Path) -> None:
    with clients(tmp_path / "t.sqlite", "--orders", "30", "--time-factor", "0") as served:
        somebody = Visitor(served.collection)
        somebody.post("api/login", user="cjdc01", password="Cj#2026dc")
        served.control("busy", "collection")
        assert somebody.get("api/rates")["code"] == "busy"
        listed = somebody.get("api/failures?size=100")["data"]
        sheet = openpyxl.load_workbook(io.BytesIO(somebody.get("api/failures_export"))).active
        assert sheet is not None
        rows = list(sheet.iter_rows(values_only=True))
        assert rows[0] == ("用户编号", "用户名称", "供电所", "台区名称", "电表资产号", "终端地址", "失败原因")
        assert len(rows) - 1 == listed["total"] > 0
        assert [row[0] for row in rows[1:]] == [row["customer"] for row in listed["rows"]]
        with pytest.raises(HTTPError):
            Visitor(served.collection).post("__control", fault="earthquake")
        for outside in ("static/../server.py", "static/vendor/../../store.py"):
            with pytest.raises(HTTPError):
                somebody.get(outside)


def test_a_workbook_keeps_identifiers_as_text_and_escapes(tmp_path: Path) -> None:
    made = workbook("表<1>", ("编号", "数量"), [("0012345678", 3), ("a<b&c", 1.5)] + [("x", i) for i in range(30)])
    sheet = openpyxl.load_workbook(io.BytesIO(made))["表<1>"]
    assert sheet["A2"].value == "0012345678" and sheet["B2"].value == 3
    assert sheet["A3"].value == "a<b&c" and sheet.max_row == 33
