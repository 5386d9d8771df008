"""A running object store, and places in it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from revista.objects.trouble import PAUSES

from .server import ObjectServer, object_server

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with object_server() as running:
        yield running


@pytest.fixture
def url(server: ObjectServer) -> str:
    name = f"test-{next(_numbers)}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/an archive"


@pytest.fixture(params=["s3", "memory", "file"])
def any_url(request: pytest.FixtureRequest, server: ObjectServer, tmp_path: Path) -> str:
    if request.param == "s3":
        return str(request.getfixturevalue("url"))
    return f"memory://test-{next(_numbers)}" if request.param == "memory" else f"file://{tmp_path}/store"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries as ever, one soon after the other."""
    monkeypatch.setattr("revista.objects.trouble.PAUSES", (0.02,) * len(PAUSES))
