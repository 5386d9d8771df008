"""Many issues, one after the other: a sub-run each, and none stops the others.

From a shell: `python -m flows.archive --archive DIR PDF...`
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State

from flows.issue import process_issue
from flows.reports import archive_table
from revista.errors import ExitCode
from revista.pipeline import IssueReport, rivals


def _run_name() -> str:
    return f"archive, {len(flow_run.parameters['pdfs'])} issues"


@flow(name="archive", flow_run_name=_run_name, persist_result=False)
def process_archive(pdfs: list[Path], archive: Path, settings_file: Path | None = None) -> State[None]:
    """Take many scanned issues through all stages.

    Args:
        pdfs: the scanned issues, one PDF each.
        archive: the archive folder; made where it does not exist.
        settings_file: a TOML file of settings.

    Returns:
        The state Completed, or Failed where one of the issues failed; the others are done all the same.
    """
    reports, failures = [], []
    refused = rivals(pdfs)
    for pdf in pdfs:
        if pdf in refused:
            failures.append((pdf.name, str(refused[pdf])))
            continue
        state = process_issue(pdf, archive, settings_file, return_state=True)
        if state.is_completed():
            reports.append(IssueReport.model_validate(state.result()))
        else:
            failures.append((pdf.name, state.message or state.name or "failed"))
    archive_table(reports, failures)
    if failures:
        return Failed(message=f"{len(failures)} of {len(pdfs)} issues failed: {', '.join(n for n, _ in failures)}")
    return Completed(message=f"{len(reports)} issues done")


def _main(
    pdfs: Annotated[list[Path], typer.Argument(help="Scanned issues, one PDF each.")],
    archive: Annotated[Path, typer.Option("--archive", "-a", help="The archive folder.")],
    settings: Annotated[Path | None, typer.Option("--settings", "-s", help="A TOML file.")] = None,
) -> None:
    if strange := [pdf for pdf in pdfs if not str(pdf).isprintable()]:  # Prefect keeps its parameters as UTF-8
        raise typer.BadParameter(f"{strange[0]!r} holds signs that are not UTF-8 text: give the file another name")
    state = process_archive(pdfs, archive, settings, return_state=True)
    if not state.is_completed():
        raise typer.Exit(ExitCode.BAD_INPUT)


if __name__ == "__main__":
    typer.run(_main)
