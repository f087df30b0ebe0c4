"""HTTP on 127.0.0.1: pages, static files, calls. One server per system, a thread per connection."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from simulators.service import Busy, Call, Denied, Download, Expired, Refused, Service

STATIC = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json", ".svg": "image/svg+xml"}
PAGES = {
    "marketing": {"login", "main", "workbench", "home", "todo", "done", "detail", "sms", "empty"},
    "collection": {"login", "main"},
}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:"
"""Vue compiles the pages' templates at run time, hence unsafe-eval; no page may ask anything outside."""


class PageServer(ThreadingHTTPServer):
    """Serves one system in one version."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, service: Service, version: str, control: bool) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.service = service
        self.version = version
        self.control = control
        look = json.loads((STATIC / service.name / f"{version}.json").read_text(encoding="utf-8"))
        config = {**look, "version": version, "system": service.name, "factor": service.factor}
        page = (STATIC / "page.html").read_text(encoding="utf-8")
        self.page = (
            page.replace("{{config}}", json.dumps(config, ensure_ascii=False))
            .replace("{{system}}", service.name)
            .replace("{{version}}", version)
            .replace("{{title}}", look["title"])
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that was killed leaves broken connections; anything else is worth seeing."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what counts is in the database."""

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        part = url.path.strip("/").split("/")
        if url.path == "/":
            self._send(b"", "text/html", HTTPStatus.FOUND, {"Location": "/login"})
        elif part[0] == "static":
            self._static("/".join(part[1:]))
        elif part[0] == "api" and len(part) == 2:
            self._call(part[1], dict(urllib.parse.parse_qsl(url.query)))
        elif part[0] == "__control" and self.server.control:
            self._json({"ordered": self.server.service.faults.ordered(), "active": sorted(self.server.service.faults.active)})
        elif len(part) == 1 and part[0] in PAGES[self.server.service.name]:
            page = self.server.page.replace("{{page}}", part[0])
            self._send(page.encode(), "text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})
        else:
            self._send(b"not found", "text/plain", HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            body = None
        url = urllib.parse.urlsplit(self.path)
        part = url.path.strip("/").split("/")
        if not isinstance(body, dict):
            self._json({"code": "refused", "message": "请求格式错误"}, HTTPStatus.BAD_REQUEST)
        elif part[0] == "api" and len(part) == 2:
            self._call(part[1], body)
        elif part == ["__control"] and self.server.control:
            try:
                self.server.service.faults.order(str(body.get("fault")))
                self._json({"ordered": self.server.service.faults.ordered()})
            except ValueError as error:
                self._json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        else:
            self._send(b"not found", "text/plain", HTTPStatus.NOT_FOUND)

    def _call(self, name: str, params: dict[str, Any]) -> None:
        service = self.server.service
        # A GET only looks: an act must not be reachable by a link, a reload or a prefetch.
        if self.command == "GET" and name not in service.queries and name not in ("me", "notice"):
            self._send(b"use POST", "text/plain", HTTPStatus.METHOD_NOT_ALLOWED)
            return
        call = Call(params, time.time(), self._token(), background=bool(params.pop("background", "")))
        try:
            answer = service.answer(name, call)
        except Refused as error:
            self._json({"code": "refused", "message": str(error)})
        except Denied:
            self._json({"code": "denied"})
        except Busy:
            self._json({"code": "busy"})
        except Expired:
            self._json({"code": "session"})
        except KeyError:
            self._send(b"not found", "text/plain", HTTPStatus.NOT_FOUND)
        else:
            if isinstance(answer, Download):
                name = urllib.parse.quote(answer.name)
                self._send(answer.content, XLSX, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})
                return
            headers = {}
            if call.cookie is not None:
                headers["Set-Cookie"] = f"{service.name}_session={call.cookie}; Path=/; HttpOnly; SameSite=Lax"
            self._json({"code": "ok", "data": answer}, headers=headers)

    def _token(self) -> str | None:
        # Cookies do not know ports: each system has its own name.
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(f"{self.server.service.name}_session")
        except CookieError:
            return None
        return morsel.value if morsel else None

    def _static(self, relative: str) -> None:
        path = (STATIC / relative).resolve()
        if not path.is_relative_to(STATIC) or not path.is_file() or path.suffix not in TYPES:
            self._send(b"not found", "text/plain", HTTPStatus.NOT_FOUND)
            return
        age = "max-age=86400" if "vendor" in path.parts else "no-cache"
        self._send(path.read_bytes(), f"{TYPES[path.suffix]}; charset=utf-8", headers={"Cache-Control": age})

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self._send(body, "application/json; charset=utf-8", status, headers)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {"Cache-Control": "no-store", **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            # The page was left before its answer came.
            self.close_connection = True
