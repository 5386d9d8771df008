"""An S3 server on loopback for tests, with faults on demand: moto's, behind a lock.

moto checks a conditional write's condition and writes in two steps; one request at a time makes both one, as real
stores do. Its objects live in this process, so that a stopped server comes back with what it had.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socket import SHUT_RDWR
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

Fault = Callable[[str, str], str | None]
"""From method and path to "slow down" (503), "error" (500), "lost" (done, but unanswered), "hang"; None: no fault."""

_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>injected</Message></Error>"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class ObjectServer:
    """The server; `asked` is the log of requests as (method, path)."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._port = 0
        self.asked: list[tuple[str, str]] = []
        self.fault: Fault = lambda method, path: None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._serve, threaded=True, request_handler=_Quiet)
        self._port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self.fault = fault
        try:
            yield
        finally:
            self.fault = lambda method, path: None

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append((method, path))
        fault = self.fault(method, path)
        if fault in {"slow down", "error"}:
            status, code = {"slow down": ("503 Slow Down", "SlowDown"), "error": ("500 Error", "InternalError")}[fault]
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(status, [("Content-Type", "application/xml")])
            return [_ERROR.format(code).encode()]
        if fault == "hang":
            threading.Event().wait(60)
        with self._one_at_a_time:
            answer = list(self._app(environ, start_response))
        if fault == "lost":
            environ["werkzeug.socket"].shutdown(SHUT_RDWR)
        return answer


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """A running server, found by all clients of this process and of those that it starts."""
    server = ObjectServer()
    server.start()
    names = {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": "revista",
        "AWS_SECRET_ACCESS_KEY": "revista",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield server
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
