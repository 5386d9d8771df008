"""The way to an OpenAI-compatible server: address, key, limits, and what its troubles mean.

The server is trusted with what is sent there, and with nothing else: what it answers is read up to a limit within one
time, and never fetched from elsewhere. The key comes from the environment, goes into a header, and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from revista import __version__
from revista.captions.answers import BadAnswer
from revista.errors import BadArguments, Category, MissingWeights, ModelError
from revista.settings import KEY_VARIABLE, CaptionsSettings
from revista.wording import printable

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 1_000_000  # of an answer
PROBE_SECONDS = 5.0

_LOOK = "Start the server, or mend captions.endpoint (it often ends in /v1); to work without it, remove the setting."


class Passing(Exception):
    """Trouble of the server that a second try may not meet; `wait` in seconds."""

    def __init__(self, message: str, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait


class _Listed(BaseModel):
    id: str


class _Models(BaseModel):
    data: tuple[_Listed, ...] = ()


def probe(options: CaptionsSettings) -> str:
    """Ask the server for its models, and say what was found.

    Raises:
        MissingWeights: it cannot be reached, refuses the key, or does not list the model.
        BadArguments: the key in the environment cannot be one.
    """
    line = Line(options, PROBE_SECONDS)

    async def ask() -> bytes | None:
        async with line.client() as client:
            return await line.get_models(client)

    with ThreadPoolExecutor(1, thread_name_prefix="endpoint") as thread:
        try:
            listed = thread.submit(asyncio.run, ask()).result()
        except (ModelError, Passing, BadAnswer) as error:
            raise MissingWeights(f"{options.endpoint}: {error}", _LOOK) from None
    if listed is None:
        return f"{options.endpoint} answers, and lists no models"
    try:
        ids = [one.id for one in _Models.model_validate_json(listed).data]
    except ValidationError:
        raise MissingWeights(f"{options.endpoint}: what it lists as its models is no such list", _LOOK) from None
    wanted = str(options.endpoint_model)
    if not {wanted, f"{wanted}:latest"} & set(ids):
        known = ", ".join(printable(id)[:60] for id in ids[:10]) or "none"
        raise MissingWeights(
            f"{options.endpoint} has no model {wanted!r}", f"Set captions.endpoint_model to one of its models: {known}."
        )
    return f"{wanted} at {options.endpoint}"


class Line:
    """The way to one server: address, key, limits."""

    def __init__(self, options: CaptionsSettings, timeout: float) -> None:
        self._address = options.endpoint or ""
        self._timeout = timeout
        self._key = _key()

    def client(self) -> httpx.AsyncClient:
        """A client that follows no redirects; the environment's proxies are not for this machine's own servers."""
        import httpx

        host = urlsplit(self._address).hostname or ""
        here = host in ("localhost", "::1") or host.startswith("127.")
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"revista/{__version__}"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        return httpx.AsyncClient(
            headers=headers,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=not here,
            # A connection each: one kept open may be closed by the server while the next question is on its way.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def post(self, client: httpx.AsyncClient, body: dict[str, Any]) -> bytes:
        """The JSON that the server answers to a question; see `_read`."""
        answer = await self._read(client, "POST", "/chat/completions", body)
        assert answer is not None
        return answer

    async def get_models(self, client: httpx.AsyncClient) -> bytes | None:
        """The server's list of its models, None where it keeps none."""
        return await self._read(client, "GET", "/models", None)

    async def _read(self, client: httpx.AsyncClient, method: str, path: str, body: Any) -> bytes | None:
        """What the server answers: JSON of at most `MOST_BYTES`, whole within the time.

        Raises:
            MissingWeights: no server, no right, no model: for any request.
            ModelError: out of time, or this request is refused.
            BadAnswer: not JSON, or without an end.
            Passing: trouble that a second try may not meet.
        """
        import httpx

        try:
            async with asyncio.timeout(self._timeout), client.stream(method, self._address + path, json=body) as answer:
                read = bytearray()
                async for chunk in answer.aiter_raw():
                    read += chunk
                    if len(read) > MOST_BYTES:
                        raise BadAnswer(f"the answer is longer than {MOST_BYTES} bytes")
        except (TimeoutError, httpx.TimeoutException):
            if method == "GET":
                raise MissingWeights(f"{self._address} gave no answer within {self._timeout:g} s", _LOOK) from None
            raise ModelError(
                f"no answer from {self._address} within {self._timeout:g} s",
                "Run again: the picture is asked about again; a slow server may need a larger run.endpoint_timeout.",
                category=Category.TIMEOUT,
            ) from None
        except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            why = self._safe(str(error)) or type(error).__name__
            raise MissingWeights(f"{self._address} cannot be reached: {why}", _LOOK) from None
        except httpx.HTTPError as error:
            raise Passing(f"the connection broke: {type(error).__name__}") from None
        return self._judge(answer, bytes(read), listing=method == "GET")

    def _judge(self, answer: httpx.Response, read: bytes, listing: bool) -> bytes | None:
        status = answer.status_code
        said = self._safe(read[:2000].decode("utf-8", "replace"))
        if answer.is_redirect or 300 <= status < 400:
            to = self._safe(answer.headers.get("location", "").partition("?")[0])[:80]
            raise MissingWeights(
                f"{self._address} sends elsewhere (HTTP {status}: {to}), which is not followed",
                "Put the address that really answers into captions.endpoint.",
            )
        if status in (401, 403):
            found = (
                f"the key in {KEY_VARIABLE}" if self._key else f"a request without a key ({KEY_VARIABLE} is not set)"
            )
            raise MissingWeights(
                f"{self._address} refuses {found} (HTTP {status})", f"Set {KEY_VARIABLE} to a valid key."
            )
        if listing and status in (404, 405, 501):
            return None
        if status == 404:
            raise MissingWeights(f"{self._address} has no such model or address (HTTP 404: {said})", _LOOK)
        if status in (408, 409, 425, 429) or status >= 500:
            raise Passing(f"HTTP {status}: {said}", _wait(answer.headers.get("retry-after")))
        if status != 200:
            raise ModelError(
                f"{self._address} does not take the request (HTTP {status}: {said})",
                "The server must take pictures and response_format json_schema: see docs/eyes.md.",
            )
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or answer.headers.get("content-encoding", "identity") != "identity":
            raise BadAnswer(f"the answer is not JSON but {self._safe(kind)[:60] or 'without a type'}")
        return read

    def _safe(self, text: str) -> str:
        """A server's words as they may stand in a message: short, printable, and without the key."""
        if self._key is not None:
            text = text.replace(self._key.get_secret_value(), "…")
        return printable(text)[:200]


def _key() -> SecretStr | None:
    """The key that the environment holds.

    Raises:
        BadArguments: it holds signs that cannot stand in a header; the message does not repeat it.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise BadArguments(f"the variable {KEY_VARIABLE} holds signs that no key has", "Set it to the key alone.")
    return SecretStr(key)


def _wait(retry_after: str | None) -> float:
    """The seconds that a `Retry-After` asks for (a number or a date); 1 where it says nothing that can be read."""
    if not retry_after:
        return 1.0
    try:
        return max(0.0, float(int(retry_after)))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 1.0
