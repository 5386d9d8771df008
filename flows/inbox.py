"""The inbox: a folder into which scans are dropped, emptied by a schedule. The files themselves: `revista.inbox`.

A file still being written is left for the next round, the same content twice is recognised, a renamed or corrected
scan becomes a new version of its issue. What is done goes to `done/`, what cannot be done to `failed/`; what could
not be done for a reason that is not the file's own stays for the next round.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.states import Completed, State

from flows.archive import take_in
from flows.batch import Outcome, conclude
from flows.places import default_archive, default_inbox
from flows.reports import counted, in_short
from flows.states import told
from flows.tables import batch_table, inbox_table, totals_table
from revista import inbox, leases, renewal
from revista.errors import BadArguments, Busy, Category
from revista.inbox import Arrival, Filed
from revista.objects import is_url
from revista.store import Archive

# Trouble that is the file's own; any other leaves it in the inbox, since the next round may do better.
_OF_THE_FILE = frozenset(
    {Category.BAD_INPUT, Category.TOO_LARGE, Category.TOO_MANY_PROBLEMS, Category.INTERNAL, Category.BAD_ARGUMENTS}
)


@flow(name="inbox", flow_run_name="inbox", persist_result=False)
def empty_inbox(
    folder: Path | None = None,
    archive: Path | None = None,
    settings_file: Path | None = None,
    settle_seconds: float = inbox.SETTLE,
    stalled_minutes: float = inbox.STALLED / 60,
    workers: int = 1,
) -> State[Any]:
    """Take the finished PDFs out of the inbox and through all stages.

    Args:
        folder: the inbox.
        archive: the archive folder; made where it does not exist.
        settings_file: a TOML file of settings.
        settle_seconds: a file that changed within this time is still being written.
        stalled_minutes: a PDF without its end is waited for this long, then taken as it is.
        workers: over how many runs the issues are spread; each needs a free place at a worker.

    Returns:
        The state Completed, "Completed with problems" where an issue failed or has problems, Failed where all failed
        or there is no such inbox.
    """
    return told(
        _empty,
        folder or default_inbox(),
        archive or Path(default_archive()),
        settings_file,
        settle_seconds,
        60 * stalled_minutes,
        workers,
    )


def _empty(
    folder: Path, archive: Path, settings_file: Path | None, settle: float, stalled: float, workers: int
) -> State[Any]:
    if is_url(os.fspath(archive)):  # as the environment may name it
        raise BadArguments(
            "the inbox works with an archive folder, not with an object store",
            "Start the deployment archive with the scans' URL instead.",
        )
    if not folder.is_dir():
        raise BadArguments(f"the inbox {folder} is not there", f"Make it, or mount it: mkdir -p {folder}")
    with Archive(archive, create=True) as store:
        try:
            with leases.hold(store.root, "inbox", patience=0):
                renewal.mend(store)
                return _one_round(store, folder, settings_file, settle, stalled, workers)
        except Busy as busy:
            return Completed(message=f"another round is at work: {busy.message}")


def _one_round(
    store: Archive, folder: Path, settings_file: Path | None, settle: float, stalled: float, workers: int
) -> State[Any]:
    found = inbox.look(folder, settle, stalled)
    arrivals = inbox.sort_out(store, found.finished)
    todo = [arrival for arrival in arrivals if not arrival.known and not arrival.refused]
    ids = {str(arrival.pdf): arrival.issue for arrival in todo if arrival.issue}
    pdfs = [str(arrival.pdf) for arrival in todo]
    archive = str(store.root)
    outcomes = take_in(pdfs, archive, settings_file, renamed=True, ids=ids, workers=workers) if pdfs else []
    by_file = {outcome.item: outcome for outcome in outcomes}
    filed = [_file(store, folder, arrival, by_file.get(str(arrival.pdf))) for arrival in arrivals]
    if filed or found.left:
        inbox_table(folder, filed, found.left)
    if outcomes:
        batch_table("inbox-issues", outcomes)
        totals_table(archive)
    refused = [Outcome(item=file.file, state="failed", message=file.reason) for file in filed if file.fate == "failed"]
    failed = {outcome.name for outcome in outcomes if outcome.state == "failed"}
    together = [*outcomes, *(one for one in refused if one.name not in failed)]
    if together:
        return conclude(together)
    known, left = len(filed), len(found.left)
    parts = [f"{counted(known, 'file')} known to the archive already"] if known else ["nothing to do"]
    return Completed(message="; ".join(parts + ([f"{counted(left, 'file')} left in the inbox"] if left else [])))


def _file(store: Archive, folder: Path, arrival: Arrival, outcome: Outcome | None) -> Filed:
    """Put a file where it belongs after the round; `outcome` is None where there was nothing to do with it."""
    if arrival.refused:
        return inbox.file_failed(folder, arrival, f"No se ha procesado: {arrival.refused}")
    if outcome is None:
        return inbox.file_done(store, folder, arrival, arrival.issue or "", f"Nada que hacer. {arrival.known}")
    if outcome.report and outcome.state != "failed":
        filed = inbox.file_done(store, folder, arrival, outcome.report.issue, _note(outcome))
        return filed._replace(reason=in_short(outcome.report)) if filed.fate == "done" else filed
    if outcome.category in _OF_THE_FILE:
        note = f"No se ha podido procesar.\n\n{outcome.message}\n→ {outcome.hint}"
        filed = inbox.file_failed(folder, arrival, note)
        return filed._replace(reason=outcome.reason) if filed.fate == "failed" else filed
    return Filed(arrival.pdf.name, "stays", arrival.issue or "", outcome.reason, arrival.pdf.name)


def _note(outcome: Outcome) -> str:
    report = outcome.report
    assert report is not None
    return (
        f"Procesado como {report.issue}: {report.pages} páginas ({len(report.failed_pages)} fallidas), "
        f"{report.pictures} imágenes, {report.described_by_model} descritas por un modelo, "
        f"{len(report.problems)} incidencias.\n\nrevista show {report.issue}\nrevista report {report.issue}"
    )
