"""What an object store answers instead of what was asked: what can pass by itself is tried again, the rest is said."""

from __future__ import annotations

import errno
import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from revista.errors import RevistaError, StorageError

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES = (0.3, 0.7, 1.5, 3.0)
"""Seconds between the tries, each lengthened by up to a half by chance, so that machines do not come back at once."""

PATIENCE = 12.0
"""Seconds of unanswered tries after which no other one is made: a dead store is reported soon."""

_PASSING_CODES = frozenset(
    {
        "ConditionalRequestConflict",  # two conditional writes at the same moment, and neither was made
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

_PASSING_ERRORS = frozenset(
    {
        "ClientPayloadError",  # aiohttp: the connection broke in the middle of an answer
        "ConnectTimeoutError",  # this and those below: botocore
        "EndpointConnectionError",
        "FSTimeoutError",
        "HTTPClientError",
        "IncompleteReadError",
        "ResponseParserError",
        "ResponseStreamingError",
        "ServerDisconnectedError",
    }
)

_ACCESS = (
    "Look at the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) and at what the bucket's "
    "policy lets them do: read, write, list and delete below the URL."
)


def again_and_again(call: Callable[[], T], what: str) -> T:
    """Make a `call` to the store, again after a pause where its trouble can pass by itself.

    Raises:
        FileNotFoundError: there is no such object.
        StorageError: any other trouble; its message starts with `what`.
    """
    waited = 0.0
    for pause in (*PAUSES, None):
        started = time.monotonic()
        try:
            return call()
        except RevistaError:
            raise
        except Exception as error:
            if is_missing(error):
                raise
            if _timed_out(error):
                waited += time.monotonic() - started
            if pause is None or waited > PATIENCE or not can_pass(error):
                raise _said(error, what) from error
            log.info("%s: %s; tried again after %.1f s", what, error, pause)
            time.sleep(pause * random.uniform(1.0, 1.5))
    raise AssertionError("the last try returns or raises")


def code_of(error: BaseException) -> tuple[str, int]:
    """The error code and the HTTP status of a store's answer; `("", 0)` where it gave none."""
    for known in (error, error.__cause__):
        response = getattr(known, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            return str(response.get("Error", {}).get("Code", "")), int(status)
    return "", 0


def is_missing(error: BaseException) -> bool:
    """Whether the store says that there is no such object (and not: no such bucket, or a web server: no such page)."""
    code, status = code_of(error)
    return isinstance(error, FileNotFoundError) and (code == "NoSuchKey" or not status)


def is_conflict(error: BaseException) -> bool:
    """Whether the condition of a conditional write did not hold."""
    code, status = code_of(error)
    return code in {"PreconditionFailed", "412"} or status == 412


def can_pass(error: BaseException) -> bool:
    """Whether a second try can go well without any change: throttling, a server's error, a connection that broke."""
    code, status = code_of(error)
    if status:
        return code in _PASSING_CODES or status == 429 or (status >= 500 and status != 501)
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}  # of libraries that need not be installed
    return bool(names & _PASSING_ERRORS) and "SSLError" not in names


def _timed_out(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or any("Timeout" in kind.__name__ for kind in type(error).__mro__)


def _said(error: Exception, what: str) -> RevistaError:
    code, status = code_of(error)
    if code == "NoSuchBucket":
        return StorageError(f"{what}: no such bucket", "Make the bucket, or mend the URL.")
    if status in {401, 403} or isinstance(error, PermissionError):
        return StorageError(f"{what}: no access ({code or error})", _ACCESS)
    if type(error).__name__ in {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}:
        return StorageError(f"{what}: {error}", _ACCESS)
    if can_pass(error):
        return StorageError(
            f"{what}: the object store does not answer as it should: {error}",
            "Look at AWS_ENDPOINT_URL and the network, then run the same command again: it goes on.",
        )
    if isinstance(error, OSError) and not status and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
        return StorageError(f"{what}: cannot write the local copy: {error.strerror}", "Free some space, then go on.")
    return StorageError(
        f"{what}: {type(error).__name__}: {error}", "Look at the URL, at AWS_ENDPOINT_URL and at the store's own log."
    )
