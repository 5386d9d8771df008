"""Scans in an inbox in an object store."""

import contextlib
import time
from pathlib import Path

import boto3
import pytest

from revista.errors import BadInput
from revista.objects import fetch_scan, list_scans, move, write_text
from revista.objects.stores import open_bucket

from .server import ObjectServer


def test_scans_of_an_inbox(any_url: str, tmp_path: Path) -> None:
    inbox = f"{any_url}/inbox"
    assert list_scans(inbox) == []
    bucket = open_bucket(inbox)
    bucket.put("Social 1929 año nº6.pdf", b"%PDF scan")
    bucket.put("Social 1929 año nº6.toml", b'title = "Social"\n')
    bucket.put("done/old.pdf", b"%PDF old")
    (scan,) = list_scans(inbox)
    assert (scan.name, scan.size) == ("Social 1929 año nº6.pdf", 9)
    file = fetch_scan(scan.url, tmp_path / "scans")
    assert file.read_bytes() == b"%PDF scan"
    assert file.with_suffix(".toml").read_bytes() == b'title = "Social"\n'
    move(scan.url, f"{inbox}/done/{scan.name}")
    write_text(f"{inbox}/done/{scan.name}.txt", "hecho")
    assert list_scans(inbox) == []
    assert [found.name for found in list_scans(f"{inbox}/done")] == [scan.name, "old.pdf"]
    assert bucket.get(f"done/{scan.name}.txt") == b"hecho"
    with pytest.raises(BadInput, match="no such object"):
        fetch_scan(scan.url, tmp_path / "scans")
    with pytest.raises(BadInput, match="no such object"):
        move(scan.url, f"{inbox}/done/again.pdf")
    assert sorted(f.suffix for f in (tmp_path / "scans").iterdir()) == [".pdf", ".toml"]


def test_another_content_has_another_tag(any_url: str) -> None:
    bucket = open_bucket(f"{any_url}/inbox")
    bucket.put("a.pdf", b"%PDF 1")
    (before,) = list_scans(bucket.url)
    time.sleep(0.01)
    bucket.put("a.pdf", b"%PDF 2")
    (after,) = list_scans(bucket.url)
    assert before.etag != after.etag


def test_a_scan_replaced_while_it_is_fetched(server: ObjectServer, url: str, tmp_path: Path) -> None:
    bucket = open_bucket(url)
    bucket.put("a.pdf", b"old")
    with contextlib.ExitStack() as stack:
        replaced = []

        def fault(method: str, path: str) -> None:
            if method == "GET" and path.endswith("a.pdf") and not replaced:
                replaced.append(path)
                boto3.client("s3").put_object(Bucket=url.split("/")[2], Key="an archive/a.pdf", Body=b"newer")

        stack.enter_context(server.failing(fault))
        assert fetch_scan(f"{url}/a.pdf", tmp_path).read_bytes() == b"newer"
