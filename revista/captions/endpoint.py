"""A captioner behind an OpenAI-compatible server: vLLM, Ollama, llama.cpp, or a service that speaks as they do.

One request a picture: `POST {endpoint}/chat/completions` with the picture as a data URL, the question of
`captions.questions`, and the schema of `captions.answers`, by which the answer is judged before it becomes a candidate.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from revista.captions.answers import KINDS, SCHEMA, BadAnswer, judged
from revista.captions.questions import question
from revista.captions.server import Line, Passing
from revista.devices import as_picture
from revista.errors import Category, MissingWeights, ModelError
from revista.images import jpeg
from revista.screens import reduced
from revista.settings import CaptionsSettings
from revista.wording import printable

if TYPE_CHECKING:
    import httpx

    from revista.captions import CaptionRequest
    from revista.records import Candidate

SIDE = 1024  # pixels of the longer side of what is sent, at most
TOGETHER = 4  # requests under way at once: servers batch them
LONGEST_WAIT = 60.0  # seconds that a busy server may ask for before a second try
GIVES_UP = 8  # pictures in a row without any answer, after which the server counts as away
TEMPERATURE = 0.7  # of second tries and samples; the first answer is drawn at 0


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    """As much of a server's answer as is looked at."""

    choices: tuple[_Choice, ...]


class Remote:
    """A model at an OpenAI-compatible server; a `Captioner`."""

    def __init__(self, options: CaptionsSettings, timeout: float) -> None:
        """Remember how to ask; nothing is sent yet.

        Args:
            options: `endpoint` and `endpoint_model` are set.
            timeout: seconds that one answer may take, from the connection to the last byte.

        Raises:
            BadArguments: the key in the environment cannot be one.
        """
        self._line = Line(options, timeout)
        self._options = options
        self._unanswered = 0  # pictures in a row
        self.name = f"{options.endpoint_model} @ {urlsplit(options.endpoint or '').netloc}"

    def predict(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        """Candidates or an error for each request, in order; see `Captioner.predict`.

        The first candidate is the model's likeliest answer, the others are drawn, as many as `captions.samples`.

        Raises:
            MissingWeights: the server cannot be reached, refuses the key, has no such model, or left several pictures
                in a row without an answer: no picture would fare better.
        """
        if not requests:
            return []
        # In a thread of its own: the caller's may have an event loop already.
        with ThreadPoolExecutor(1, thread_name_prefix="endpoint") as thread:
            return thread.submit(asyncio.run, self._all(requests)).result()

    async def _all(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        turns = asyncio.Semaphore(TOGETHER)

        async def one(client: httpx.AsyncClient, request: CaptionRequest) -> tuple[Candidate, ...] | ModelError:
            async with turns:
                result = await self._candidates(client, request)
                self._count(result)
                return result

        try:
            async with self._line.client() as client, asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(client, request)) for request in requests]
        except BaseExceptionGroup as errors:  # the first cancels the others
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    def _count(self, result: tuple[Candidate, ...] | ModelError) -> None:
        """Note whether the server answered; what it answered does not matter."""
        silent = isinstance(result, ModelError) and result.category in (Category.TIMEOUT, Category.BUSY)
        self._unanswered = self._unanswered + 1 if silent else 0
        if self._unanswered >= GIVES_UP and isinstance(result, ModelError):
            raise MissingWeights(
                f"{GIVES_UP} pictures in a row got no answer; the last time: {result.message}",
                "Look at the server, then run the same command again: it goes on, and asks about these pictures again.",
            )

    async def _candidates(
        self, client: httpx.AsyncClient, request: CaptionRequest
    ) -> tuple[Candidate, ...] | ModelError:
        found: dict[str, Candidate] = {}
        failed: ModelError | None = None
        try:
            picture = _data_url(request)
            for draw in range(1 + self._options.samples):
                try:
                    candidate = await self._answer(client, request, picture, draw)
                    found.setdefault(candidate.text, candidate)
                except ModelError as error:
                    failed = failed or error
                    if error.category is not Category.MODEL:  # the server is in trouble: no more of it
                        break
        except ModelError as error:  # no picture
            return error
        return tuple(found.values()) or failed or ModelError("the model said nothing")

    async def _answer(self, client: httpx.AsyncClient, request: CaptionRequest, picture: str, draw: int) -> Candidate:
        """The candidate of one draw (0: the likeliest answer), after at most two tries."""
        for again in (False, True):
            seed = (request.seed + 2 * draw + again) % 2**31
            drawn = bool(draw or again)
            try:
                said = _content(await self._line.post(client, self._body(request, picture, seed, drawn)))
                return judged(said, request.context, seed if drawn else None, None)
            except BadAnswer as error:
                if again:
                    raise ModelError(
                        f"no usable answer from {self.name}, twice: {error}",
                        "Look at what the model answers; raise captions.answer_tokens where it was cut, or name "
                        "another model in captions.endpoint_model.",
                    ) from None
            except Passing as trouble:
                if again or trouble.wait > LONGEST_WAIT:
                    raise ModelError(
                        f"{self.name} is busy or in trouble: {trouble}",
                        "Run again later: what is done is kept, and these pictures are asked about again.",
                        category=Category.BUSY,
                    ) from None
                await asyncio.sleep(trouble.wait)
        raise AssertionError("the second try returns or raises")

    def _body(self, request: CaptionRequest, picture: str, seed: int, drawn: bool) -> dict[str, Any]:
        asked = question(request.context, tuple(KINDS))
        return {
            "model": self._options.endpoint_model,
            "messages": [
                {"role": "system", "content": asked.instructions},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": asked.about},
                    ],
                },
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "descripcion", "schema": SCHEMA, "strict": True},
            },
            "max_tokens": self._options.answer_tokens,
            "temperature": TEMPERATURE if drawn else 0.0,
            "seed": seed,
            "stream": False,
        }


def _content(read: bytes) -> str:
    """What the model said, out of the server's JSON."""
    try:
        choice = _Completion.model_validate_json(read).choices[0]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadAnswer(f"not a chat completion: {printable(first['msg'])[:120]}") from None
    except IndexError:
        raise BadAnswer("not a chat completion: it holds no choice") from None
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise BadAnswer("the model refuses, or its answer was filtered")
    if choice.finish_reason == "length":
        raise BadAnswer("the answer was cut at captions.answer_tokens")
    return choice.message.content or ""


def _data_url(request: CaptionRequest) -> str:
    """The picture as it is sent: JPEG, its screen taken out, the longer side at most `SIDE`.

    Raises:
        ModelError: it is no picture.
    """
    import numpy as np

    picture = np.asarray(as_picture(request.image))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(reduced(picture, SIDE), quality=90)).decode()
