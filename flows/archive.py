"""The issues in some PDFs, from a shell: `python -m flows.archive --archive DIR PDF...`, or as a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from prefect import flow
from prefect.runtime import flow_run
from prefect.states import State

from flows.batch import Outcome, conclude, failed, one_by_one
from flows.issue import process_issue
from flows.places import default_archive
from flows.tables import batch_table, totals_table
from revista.errors import ExitCode
from revista.pipeline import rivals
from revista.store import Archive


def _run_name() -> str:
    count = len(flow_run.parameters["pdfs"])
    return f"archive, {count} issue{'s' if count != 1 else ''}"


@flow(name="archive", flow_run_name=_run_name, persist_result=False)
def process_archive(
    pdfs: list[Path],
    archive: Path | None = None,
    settings_file: Path | None = None,
    renamed: bool = False,
    ids: dict[str, str] | None = None,
) -> State[Any]:
    """Take many scanned issues through all stages.

    Args:
        pdfs: the scanned issues, one PDF each.
        archive: the archive folder; made where it does not exist.
        settings_file: a TOML file of settings.
        renamed: whether a PDF may take the place of one with another file name: a corrected scan.
        ids: the ids under which to keep them, by path, where their names are not to decide.

    Returns:
        The state Completed, "Completed with problems" where an issue failed or has problems, Failed where all failed.
    """
    archive = archive or default_archive()
    outcomes = take_in([str(pdf) for pdf in pdfs], archive, settings_file, renamed, ids or {})
    batch_table("archive-summary", outcomes)
    with Archive(archive) as store:
        totals_table(store)
    return conclude(outcomes)


def take_in(
    pdfs: Sequence[str], archive: Path, settings_file: Path | None, renamed: bool, ids: Mapping[str, str]
) -> list[Outcome]:
    """Take PDFs through all stages, a sub-run each; what became of them, in their order.

    Args:
        pdfs: paths.
        archive: the archive folder.
        settings_file: a TOML file of settings.
        renamed: as of `process_issue`.
        ids: path -> id, where a file's name is not to decide.
    """
    refused = {str(pdf): why for pdf, why in rivals([Path(pdf) for pdf in pdfs]).items()}

    def run(pdf: str) -> State[Any]:
        return process_issue(Path(pdf), archive, settings_file, ids.get(pdf), renamed, return_state=True)

    outcomes = {outcome.item: outcome for outcome in one_by_one(archive, [p for p in pdfs if p not in refused], run)}
    outcomes |= {pdf: failed(pdf, why) for pdf, why in refused.items()}
    return [outcomes[pdf] for pdf in pdfs]


def _main(
    pdfs: Annotated[list[Path], typer.Argument(help="Scanned issues, one PDF each.")],
    archive: Annotated[Path, typer.Option("--archive", "-a", help="The archive folder.")],
    settings: Annotated[Path | None, typer.Option("--settings", "-s", help="A TOML file.")] = None,
) -> None:
    if strange := [pdf for pdf in pdfs if not str(pdf).isprintable()]:  # Prefect keeps its parameters as UTF-8
        raise typer.BadParameter(f"{strange[0]!r} holds signs that are not UTF-8 text: give the file another name")
    state = process_archive(pdfs, archive, settings, return_state=True)
    if not state.is_completed() or "failed:" in (state.message or ""):
        raise typer.Exit(ExitCode.BAD_INPUT)


if __name__ == "__main__":
    typer.run(_main)
