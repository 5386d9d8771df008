"""A model hub on loopback that speaks as much of the hub's protocol as its own library needs for a download."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]


class FakeHub(ThreadingHTTPServer):
    """Repositories of one commit each; `asked` holds the paths of all requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, tuple[str, Files]] = {}  # name → commit, files
        self.announced: dict[str, bytes] = {}  # file → what the hub says it has, where that is not what it gives
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, name: str, files: Files) -> str:
        """Publish a repository with these files; returns its commit."""
        digest = hashlib.sha1(b"".join(key.encode() + value for key, value in sorted(files.items())))
        self.repositories[name] = digest.hexdigest(), files
        return digest.hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(path)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            if found := self._found(match[1], match[2]):
                self._json({"id": match[1], "modelId": match[1], "sha": found[0], "siblings": self._siblings(found[1])})
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)/?", path):
            if found := self._found(match[1], match[2]):
                self._json([self._entry(name, data) for name, data in found[1].items()])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            if found := self._found(match[1], match[2]):
                self._file(found, match[3])
        else:
            self._send(404, b"{}", {})

    def _found(self, name: str, revision: str | None) -> tuple[str, Files] | None:
        found = self.server.repositories.get(name)
        if found is None or revision not in (None, "main", "refs/pr/7", found[0]):
            code = "RepoNotFound" if found is None else "RevisionNotFound"
            self._send(404, b"{}", {"X-Error-Code": code, "X-Error-Message": "not here"})
            return None
        return found

    def _siblings(self, files: Files) -> list[dict[str, object]]:
        return [{"rfilename": name, **self._size(name, data)} for name, data in files.items()]

    def _entry(self, name: str, data: bytes) -> dict[str, object]:
        return {"type": "file", "path": name, "oid": hashlib.sha1(data).hexdigest(), **self._size(name, data)}

    def _size(self, name: str, data: bytes) -> dict[str, object]:
        data = self.server.announced.get(name, data)
        if not name.endswith(".safetensors"):
            return {"size": len(data)}
        sha = hashlib.sha256(data).hexdigest()
        lfs = {"sha256": sha, "oid": sha, "size": len(data), "pointerSize": 134}
        return {"size": len(data), "lfs": lfs}

    def _json(self, data: object) -> None:
        self._send(200, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _file(self, found: tuple[str, Files], name: str) -> None:
        commit, files = found
        if name not in files:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        data = files[name]
        self._send(200, data, {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def hub() -> Iterator[FakeHub]:
    """A running hub."""
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
