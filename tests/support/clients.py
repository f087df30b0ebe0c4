"""The stand-in clients as a separate process, as a user starts them."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Clients:
    """A running pair of stand-ins."""

    marketing: str
    collection: str
    database: Path
    process: subprocess.Popen[str]

    def control(self, fault: str, system: str = "marketing") -> None:
        """Let a fault strike at its next occasion."""
        body = json.dumps({"fault": fault}).encode()
        urllib.request.urlopen(urllib.request.Request(getattr(self, system) + "__control", body), timeout=5).close()


@contextmanager
def clients(database: Path, *more: str) -> Iterator[Clients]:
    """Serve until the block ends; ``more`` are further options of ``python -m simulators serve``."""
    command = [sys.executable, "-m", "simulators", "serve", "--database", str(database), "--control", *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Clients(ready["marketing"], ready["collection"], Path(ready["database"]), process)
    finally:
        process.terminate()
        process.wait(10)


class Visitor:
    """Somebody who asks a stand-in's server directly, with a cookie of his own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> Any:
        """An answer: parsed when it is JSON, else bytes. Raises HTTPError."""
        with self._opener.open(self.url + path, timeout=10) as response:
            body = response.read()
            return json.loads(body) if "json" in response.headers["Content-Type"] else body

    def post(self, path: str, **params: Any) -> Any:
        request = urllib.request.Request(self.url + path, json.dumps(params).encode())
        with self._opener.open(request, timeout=10) as response:
            return json.loads(response.read())
