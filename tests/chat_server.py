"""An OpenAI-compatible server on loopback that answers by a script: a step a request, the last one for ever."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[["Handler"], None]

GOOD = {"descripcion": ["Un hombre con sombrero está de pie junto a un caballo."], "tipo": "personas", "confianza": 0.8}


def chat(content: str | None, **more: Any) -> bytes:
    """A chat completion whose message holds `content`; `more` goes into the choice."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    return json.dumps({"id": "1", "object": "chat.completion", "model": "ojo", "choices": [choice]}).encode()


def says(answer: Any, **more: Any) -> Step:
    """Answer as a server should: `answer` as JSON, or a text as it is."""
    return sends(chat(answer if isinstance(answer, str | None) else json.dumps(answer, ensure_ascii=False), **more))


def sends(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Step:
    """Answer with these bytes; `_` in the names of headers stands for `-`."""

    def step(handler: Handler) -> None:
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def sleeps(seconds: float, then: Step | None = None) -> Step:
    """Say nothing for a while."""

    def step(handler: Handler) -> None:
        handler.server.ended.wait(seconds)
        if then is not None:
            then(handler)

    return step


def drips(head: bytes, pause: float = 0.1) -> Step:
    """Send `head`, then one byte after the other without an end."""

    def step(handler: Handler) -> None:
        handler.wfile.write(head)
        while not handler.server.ended.wait(pause):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return step


def floods(handler: Handler) -> None:
    """JSON without an end, as fast as it is taken; `server.flooded` counts the bytes."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not handler.server.ended.is_set() and handler.server.flooded < 100_000_000:
        handler.server.flooded += handler.wfile.write(b"0," * 32_768)


def breaks_off(handler: Handler) -> None:
    """Promise a body, send half of it, and hang up."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    handler.wfile.flush()
    handler.connection.close()


class Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(None, self.server.listing)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.guard:
            step = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        self._answer(body, step)

    def _answer(self, body: Any, step: Step) -> None:
        self.close_connection = True
        self.server.asked.append(
            {"path": self.path, "headers": dict(self.headers), "body": body, "at": time.monotonic()}
        )
        with suppress(OSError):  # the other side may have hung up
            step(self)


class ChatServer(ThreadingHTTPServer):
    """`asked` holds what came in, in order; requests of a model's list are answered by `listing`."""

    daemon_threads = True

    def __init__(self, *script: Step) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = list(script)
        self.listing: Step = sends(json.dumps({"object": "list", "data": [{"id": "ojo"}]}).encode())
        self.asked: list[dict[str, Any]] = []
        self.guard, self.ended = threading.Lock(), threading.Event()
        self.flooded = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The bodies of the questions."""
        return [one["body"] for one in self.asked if one["body"] is not None]


@contextmanager
def chat_server(*script: Step) -> Iterator[ChatServer]:
    """A running server."""
    server = ChatServer(*script)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
