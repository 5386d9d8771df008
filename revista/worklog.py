"""The log of what the stages made: `log/ID.jsonl` in the archive folder, a line for each call that made something.

It says what a run cost, and it proves what a reprocessing did not do again: a stage that found everything fresh
writes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from revista.records import Frozen
from revista.store import Archive, storage_errors


class StageCount(Frozen):
    """How many pages a stage made anew, found fresh, and left out because the page could not be had."""

    stage: str
    made: int = 0
    fresh: int = 0
    skipped: int = 0

    def plus(self, other: StageCount) -> StageCount:
        """The sums of both."""
        return StageCount(
            stage=self.stage,
            made=self.made + other.made,
            fresh=self.fresh + other.fresh,
            skipped=self.skipped + other.skipped,
        )


class Entry(Frozen):
    """A stage's work on some pages of an issue."""

    time: datetime  # UTC, at its end
    stage: str
    first: int  # page, 1-based
    last: int
    made: int
    fresh: int
    skipped: int
    seconds: float
    by: str | None = None  # the flow run


def append(
    archive: Archive, issue: str, count: StageCount, numbers: Sequence[int], seconds: float, by: str | None
) -> None:
    """Add a line about what a stage made on the pages `numbers` in `seconds`."""
    entry = Entry(
        time=datetime.now(UTC),
        first=min(numbers),
        last=max(numbers),
        seconds=round(seconds, 3),
        by=by,
        **count.model_dump(),
    )
    file = _file(archive, issue)
    with storage_errors(file):
        file.parent.mkdir(exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o664)
        try:
            os.write(handle, (entry.model_dump_json() + "\n").encode())  # one write: lines of two runs do not mix
        finally:
            os.close(handle)


def read(archive: Archive, issue: str) -> tuple[Entry, ...]:
    """The entries on an issue, the oldest first; a torn line is passed over."""
    entries = []
    try:
        lines = _file(archive, issue).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ()
    for line in lines:
        try:
            entries.append(Entry.model_validate(json.loads(line)))
        except (ValueError, ValidationError):
            continue
    return tuple(entries)


def _file(archive: Archive, issue: str) -> Path:
    return archive.locks / "log" / f"{issue}.jsonl"
