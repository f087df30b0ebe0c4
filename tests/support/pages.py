"""A page server for tests: serves pages that the test wrote and keeps what they say about themselves."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_REPORT_SCRIPT = """<script>
function report(data) { fetch('/_report', {method: 'POST', body: JSON.stringify(data)}); }
</script>"""


class Pages:
    """``put`` a page, open :meth:`url` in a browser; scripts in the page call ``report({...})``, the test reads :meth:`last`."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}
        self.reports: list[dict[str, Any]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer._pages.get(urlsplit(self.path).path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((body or "").encode())

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                outer.reports.append(json.loads(data))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def put(self, path: str, body: str) -> str:
        """Serve ``body`` (HTML) under ``path``; returns the address."""
        self._pages[path] = (
            f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>测试</title>{_REPORT_SCRIPT}{body}</html>'
        )
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def last(self, key: str) -> Any:
        """The latest value that a page reported under ``key``; None when it has not."""
        return next((report[key] for report in reversed(self.reports) if key in report), None)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def wait_for(true: Callable[[], Any], timeout: float = 5.0) -> bool:
    """Poll until ``true()`` holds; False when ``timeout`` seconds passed first."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.004)
    return bool(true())
