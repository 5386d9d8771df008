"""Whoever reads while an issue is published sees the state before or the one after."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from revista.objects import ObjectArchive, workplace

from .server import ObjectServer
from .small import ISSUE, work


def test_a_reader_never_meets_a_record_without_its_files(url: str, tmp_path: Path) -> None:
    stop, seen = threading.Event(), set()

    def read(number: int) -> None:
        remote = ObjectArchive(url)
        while not stop.is_set():
            folder = remote.fetch(ISSUE, tmp_path / f"reader {number}")
            texts = {(folder / f"regions/{page:04d}.json").read_text() for page in (1, 2, 3)}
            pictures = {(folder / f"pictures/{page:04d}-r01.jpg").read_text() for page in (1, 2, 3)}
            assert len(texts) == 1, "pages of two states"
            assert pictures == {json.loads(texts.copy().pop()) * 100}, "a picture of another state than its record"
            seen.update(texts)

    with ThreadPoolExecutor(2) as pool, workplace(url, ISSUE, tmp_path / "a") as archive:
        readers: list[object] = []
        try:
            for state in range(15):
                for page in (1, 2, 3):
                    work(archive.issue_dir(ISSUE), page, f"state {state}")
                archive.publish()
                if not readers:
                    readers = [pool.submit(read, number) for number in (1, 2)]
        finally:
            stop.set()
        for reader in readers:
            reader.result()  # type: ignore[attr-defined]
    assert len(seen) > 1


def test_a_reader_that_is_overtaken_begins_again(server: ObjectServer, url: str, tmp_path: Path) -> None:
    with workplace(url, ISSUE, tmp_path / "a") as archive:
        work(archive.issue_dir(ISSUE), 1, "old")
        archive.publish()
        overtaken: list[str] = []
        picture = ObjectArchive(url).manifest(ISSUE)[0].files["pictures/0001-r01.jpg"].key

        def fault(method: str, path: str) -> None:
            if method == "GET" and path.endswith(picture) and not overtaken:
                overtaken.append(path)
                work(archive.issue_dir(ISSUE), 1, "new")
                archive.publish()

        with server.failing(fault):
            folder = ObjectArchive(url).fetch(ISSUE, tmp_path / "b")
    assert overtaken
    assert (folder / "regions" / "0001.json").read_text() == '"new"'
    assert (folder / "pictures" / "0001-r01.jpg").read_text() == "new" * 100
