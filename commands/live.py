"""`--watch`: what the robot sees, in a browser on this machine. Loopback only; nothing is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2

from vision.frame import Frame

PAGE = """<!doctype html><meta charset="utf-8"><title>值守 Zhishou</title>
<style>body{margin:0;background:#1b1f24;color:#e8eaed;font:15px/1.6 sans-serif}
header{padding:8px 16px}img{width:100%;display:block}</style>
<header id="now">…</header><img id="screen" alt="">
<script>
const screen_ = document.getElementById('screen'), now = document.getElementById('now');
async function next() {
  try {
    now.textContent = await (await fetch('/now')).text();
    const picture = await (await fetch('/frame')).blob();
    const old = screen_.src;
    screen_.src = URL.createObjectURL(picture);
    if (old) URL.revokeObjectURL(old);
  } catch { now.textContent = '已结束 / ended'; return; }
  setTimeout(next, 400);
}
next();
</script>"""


class LiveView:
    """Serves the last frame and the last sentence. `frame` is asked for each picture; it must not be the robot's own grab."""

    def __init__(self, frame: Callable[[], Frame | None], sentence: Callable[[], str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/frame":
                    shown = frame()
                    ok, data = cv2.imencode(".jpg", shown.image) if shown is not None else (False, None)
                    self._send("image/jpeg", data.tobytes() if ok and data is not None else b"")
                elif self.path == "/now":
                    self._send("text/plain; charset=utf-8", sentence().encode())
                else:
                    self._send("text/html; charset=utf-8", PAGE.encode())

            def _send(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """The terminal belongs to the progress bar."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
