"""A web site that replays a folder, and behaves as sites do: it cuts, asks to wait, lies about lengths."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Site:
    """What the site serves, how it misbehaves next, and what it was asked."""

    folder: Path
    url: str = ""
    busy: list[tuple[int, str]] = field(default_factory=list)
    """Statuses to answer first, each with its Retry-After."""
    cut_after: list[int] = field(default_factory=list)
    """How many bytes to send of each next body before the connection drops."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    strong: bool = True


@contextmanager
def replaying(folder: Path) -> Iterator[Site]:
    """Serve `folder` on a port of this machine."""
    site = Site(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: Any) -> None: ...

        def do_GET(self) -> None:
            _answer(self, site)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    site.asked.append((handler.path, dict(handler.headers)))
    if site.busy:
        status, after = site.busy.pop(0)
        _head(handler, status, 0, {"Retry-After": after} if after else {})
        return
    path = site.folder / handler.path.lstrip("/")
    if not path.is_file():
        _head(handler, 404, 0, {})
        return
    body = path.read_bytes()
    etag = ("" if site.strong else "W/") + f'"{hashlib.sha256(body).hexdigest()[:12]}"'
    if handler.headers.get("If-None-Match") == etag:
        _head(handler, 304, 0, {"ETag": etag})
        return
    start, status = 0, 200
    asked = handler.headers.get("Range", "")
    if asked and handler.headers.get("If-Range") == etag:
        start, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
    rest = body[start:]
    _head(handler, status, len(rest), {"ETag": etag})
    kept = site.cut_after.pop(0) if site.cut_after else len(rest)
    handler.wfile.write(rest[:kept])
    if kept < len(rest):
        handler.wfile.flush()
        handler.close_connection = True


def _head(handler: BaseHTTPRequestHandler, status: int, length: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
