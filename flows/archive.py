"""The issues in some PDFs, from a shell: `python -m flows.archive --archive DIR PDF...`, or as a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.runtime import flow_run
from prefect.states import State

from flows.batch import Outcome, conclude, failed, one_by_one, over_workers
from flows.issue import process_issue
from flows.places import all_scans, default_archive
from flows.states import told
from flows.tables import batch_table, totals_table
from revista.errors import ExitCode
from revista.objects import is_url
from revista.pipeline import rivals


def _run_name() -> str:
    count = len(flow_run.parameters["pdfs"])
    what = "share of" if flow_run.parent_flow_run_id else "archive,"
    return f"{what} {count} issue{'s' if count != 1 else ''}"


@flow(name="archive", flow_run_name=_run_name, persist_result=False)
def process_archive(
    pdfs: list[str],
    archive: str | None = None,
    settings_file: Path | None = None,
    renamed: bool = False,
    ids: dict[str, str] | None = None,
    workers: int = 1,
) -> State[Any]:
    """Take many scanned issues through all stages.

    Args:
        pdfs: the scanned issues, one PDF each: paths, or URLs of objects in a store; a URL that ends in `/` stands for
            all PDFs there.
        archive: the archive folder, made where it does not exist; or its URL in an object store.
        settings_file: a TOML file of settings.
        renamed: whether a PDF may take the place of one with another file name: a corrected scan.
        ids: the ids under which to keep them, by path, where their names are not to decide.
        workers: over how many runs the issues are spread; each needs a free place at a worker.

    Returns:
        The state Completed, "Completed with problems" where an issue failed or has problems, Failed where all failed.
    """
    return told(_process, pdfs, archive or default_archive(), settings_file, renamed, ids or {}, workers)


def _process(
    pdfs: Sequence[str],
    archive: str,
    settings_file: Path | None,
    renamed: bool,
    ids: Mapping[str, str],
    workers: int,
) -> State[Any]:
    outcomes = take_in(all_scans(pdfs), archive, settings_file, renamed, ids, workers)
    batch_table("archive-summary", outcomes)
    totals_table(archive)
    return conclude(outcomes)


def take_in(
    pdfs: Sequence[str],
    archive: str,
    settings_file: Path | None,
    renamed: bool,
    ids: Mapping[str, str],
    workers: int = 1,
) -> list[Outcome]:
    """Take PDFs through all stages, a sub-run each; what became of them, in their order.

    Args:
        pdfs: paths or URLs.
        archive: the archive folder, or its URL in an object store.
        settings_file: a TOML file of settings.
        renamed: as of `process_issue`.
        ids: path -> id, where a file's name is not to decide.
        workers: over how many runs they are spread.
    """
    refused = {str(pdf): why for pdf, why in rivals([Path(pdf) for pdf in pdfs if not is_url(pdf)]).items()}
    todo = [pdf for pdf in pdfs if pdf not in refused]

    def run(pdf: str) -> State[Any]:
        return process_issue(pdf, archive, settings_file, ids.get(pdf), renamed, return_state=True)

    if workers == 1:
        done = one_by_one(archive, todo, run)
    else:
        parameters = {"settings_file": settings_file and str(settings_file), "renamed": renamed, "ids": dict(ids)}
        done = over_workers(archive, "archive/archive", todo, workers, parameters, "pdfs")
    outcomes = {outcome.item: outcome for outcome in done}
    outcomes |= {pdf: failed(pdf, why) for pdf, why in refused.items()}
    return [outcomes[pdf] for pdf in pdfs]


def _main(
    pdfs: Annotated[list[Path], typer.Argument(help="Scanned issues, one PDF each.")],
    archive: Annotated[Path, typer.Option("--archive", "-a", help="The archive folder.")],
    settings: Annotated[Path | None, typer.Option("--settings", "-s", help="A TOML file.")] = None,
) -> None:
    if strange := [pdf for pdf in pdfs if not str(pdf).isprintable()]:  # Prefect keeps its parameters as UTF-8
        raise typer.BadParameter(f"{strange[0]!r} holds signs that are not UTF-8 text: give the file another name")
    state = process_archive([str(pdf) for pdf in pdfs], str(archive), settings, return_state=True)
    if not state.is_completed() or "failed:" in (state.message or ""):
        raise typer.Exit(ExitCode.BAD_INPUT)


if __name__ == "__main__":
    typer.run(_main)
