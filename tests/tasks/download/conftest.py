"""A server of files on 127.0.0.1 that behaves as well or as badly as a test asks."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest


@dataclass
class Page:
    """What stands at a path, and how it is served."""

    content: bytes = b""
    etag: str = ""
    status: int = 200
    location: str = ""
    cut: list[int] = field(default_factory=list)
    """Bytes after which the next connections break off; one each."""
    ranges: bool = True
    hide_length: bool = False


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.asked = {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path, content=b"", **how):
        self.pages[path] = Page(content=content, **how)
        return f"{self.url}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, asked = urlsplit(self.path).path, self.headers.get("Range", "")
        self.server.asked.append((path, asked))
        page = self.server.pages.get(path)
        if page is None or page.status >= 400:
            return self.head(404 if page is None else page.status, {"Content-Length": "0"})
        if page.location:
            return self.head(page.status, {"Location": page.location, "Content-Length": "0"})
        begin, status = 0, 200
        same = not self.headers.get("If-Range") or self.headers["If-Range"] == page.etag
        if asked and page.ranges and same:
            begin, status = int(asked.removeprefix("bytes=").rstrip("-")), 206
            if begin >= len(page.content):
                return self.head(416, {"Content-Length": "0"})
        body = page.content[begin:]
        headers = {} if page.hide_length else {"Content-Length": str(len(body))}
        headers |= {"ETag": page.etag} if page.etag else {}
        headers |= {"Content-Range": f"bytes {begin}-{len(page.content) - 1}/{len(page.content)}"} if status == 206 else {}
        self.head(status, headers)
        self.wfile.write(body[: page.cut.pop(0)] if page.cut else body)
        self.close_connection = True
        return None

    def head(self, status, headers):
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()
