"""Many issues, one after the other or spread over workers: a sub-run each, and none stops the others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from prefect import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State

from flows.api import start, wait_for
from flows.heartbeats import without_prefects
from flows.places import local_archive
from flows.reports import counted
from revista.errors import Category, RevistaError
from revista.objects import is_url
from revista.objects.stores import open_bucket
from revista.pipeline import IssueReport, TooManyPagesFailed
from revista.records import Frozen
from revista.store import Archive, storage_errors

_MOST_DEATHS = 2  # processes that may die at the same issue before it is passed over


class Outcome(Frozen):
    """How it went with one item of a batch."""

    item: str  # an issue's id, or the path of a file
    state: Literal["done", "problems", "failed"]
    report: IssueReport | None = None
    category: Category | None = None  # of what made it fail
    message: str = ""
    hint: str = ""

    @property
    def name(self) -> str:
        """The issue's id or the file's name."""
        return Path(self.item).name

    @property
    def reason(self) -> str:
        """Message and hint in one line; empty where it did not fail."""
        return f"{self.message} → {self.hint}" if self.hint else self.message


def one_by_one(archive: str, items: Sequence[str], run: Callable[[str], State[Any]]) -> list[Outcome]:
    """`run` for each of the items, whatever becomes of the others.

    An item at which the process has died before, more than once, is not tried a third time: the batch would never
    get past it.
    """
    outcomes = []
    with Archive(local_archive(archive), create=True) as store:
        for item in items:
            deaths = _Deaths(store, item)
            if deaths.count >= _MOST_DEATHS:
                deaths.forget()  # a later batch tries it again
                error = RevistaError(
                    f"the process died {_MOST_DEATHS} times while it worked on this",
                    "Run it alone, and look at the worker's log: out of memory, or a crash in a library?",
                )
                outcome = failed(item, error)
            else:
                deaths.expect()
                try:
                    with without_prefects():
                        outcome = _outcome(item, run(item))
                finally:
                    deaths.forget()  # the process lives: it ended as it should, or was told to stop
            outcomes.append(outcome)
            if outcome.state == "failed":
                get_run_logger().error("%s: %s", outcome.name, outcome.reason)
        _leave_for_parent(archive, outcomes)
    return outcomes


def over_workers(
    archive: str, deployment: str, items: Sequence[str], workers: int, parameters: Mapping[str, Any], name: str
) -> list[Outcome]:
    """Run `deployment` once for each worker with its share of the items as the parameter `name`, and wait for all.

    The runs are sub-runs of this one, and need places at workers of their own beside its.
    """
    shares = [list(items[first::workers]) for first in range(min(workers, len(items)))]
    runs = {}
    for number, share in enumerate(shares):
        given = {**parameters, "archive": archive, name: share}
        runs[start(deployment, given, f"share-{number}")] = share
    outcomes = []
    for id, share in runs.items():
        state = wait_for(id)
        found = {outcome.item: outcome for outcome in _left_by(archive, id)}
        ended = RevistaError(f"its run ended as {state.name}: {state.message or 'no reason given'}", "Retry this run.")
        outcomes += [found.get(item) or failed(item, ended) for item in share]
    return outcomes


def conclude(outcomes: Sequence[Outcome]) -> State[Any]:
    """The state of a batch: Failed where nothing came out right, "Completed with problems" where something did not."""
    lost = [outcome.name for outcome in outcomes if outcome.state == "failed"]
    troubled = [outcome.name for outcome in outcomes if outcome.state == "problems"]
    message = f"{len(outcomes) - len(lost)} of {counted(len(outcomes), 'issue')} done"
    if lost:
        message += f"; failed: {', '.join(lost[:10])}" + (" …" if len(lost) > 10 else "")
    if outcomes and len(lost) == len(outcomes):
        return Failed(message=message)
    if troubled:
        message += f"; with problems: {len(troubled)}"
    return Completed(name="Completed with problems" if lost or troubled else "Completed", message=message)


def failed(item: str, error: RevistaError) -> Outcome:
    """The outcome of an item that ended in `error`."""
    return Outcome(item=item, state="failed", category=error.category, message=error.message, hint=error.hint)


def _outcome(item: str, state: State[Any]) -> Outcome:
    if state.is_completed():
        report = IssueReport.model_validate(state.result())
        return Outcome(item=item, state="problems" if report.problems else "done", report=report)
    found = state.result(raise_on_failure=False)
    if isinstance(found, TooManyPagesFailed):
        return failed(item, found).model_copy(update={"report": found.report})
    if isinstance(found, RevistaError):
        return failed(item, found)
    return failed(item, RevistaError(f"{state.name}: {state.message or found}", "See its run's log."))


# --- what must outlive a process: notes in the archive folder ---------------------------------------------------


class _Deaths:
    """How often the process died while it worked on an item: a file that is there while it does."""

    def __init__(self, store: Archive, item: str) -> None:
        self._file = store.root / ".attempts" / Path(item).name

    @property
    def count(self) -> int:
        try:
            return len(self._file.read_text("utf-8").splitlines())
        except OSError:
            return 0

    def expect(self) -> None:
        with storage_errors(self._file):
            self._file.parent.mkdir(exist_ok=True)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(f"{os.getpid()}\n")

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)


def _leave_for_parent(archive: str, outcomes: Sequence[Outcome]) -> None:
    """Where another run has started this one: leave it the outcomes, which do not pass through Prefect."""
    if not flow_run.parent_flow_run_id or not flow_run.id:
        return
    text = json.dumps([outcome.model_dump(mode="json") for outcome in outcomes], ensure_ascii=False)
    if is_url(archive):
        open_bucket(archive).put(_note(flow_run.id), text.encode())
        return
    file = Path(archive) / _note(flow_run.id)
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(text, "utf-8")
        unfinished.replace(file)


def _left_by(archive: str, id: UUID) -> list[Outcome]:
    """The outcomes that a sub-run left; none where it did not come to its end."""
    if is_url(archive):
        bucket = open_bucket(archive)
        data = bucket.get(_note(id)) or b"[]"
        bucket.remove([_note(id)])
    else:
        file = Path(archive) / _note(id)
        data = file.read_bytes() if file.is_file() else b"[]"
        file.unlink(missing_ok=True)
    return [Outcome.model_validate(outcome) for outcome in json.loads(data)]


def _note(id: UUID | str) -> str:
    return f"log/runs/{id}.json"
