"""The command line: `revista run`, `show`, `report`, `doctor`; the other commands have modules of their own."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from revista import __version__
from revista.cli_evaluate import evaluate
from revista.cli_models import models
from revista.cli_train import train
from revista.errors import BadArguments, ExitCode, RevistaError
from revista.terminal import JsonOption, SettingsOption, err, out, print_json, tell, tell_hint
from revista.terminal import progress as progress_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from revista.pipeline import IssueReport

app = typer.Typer(
    name="revista",
    help="Scanned issues of an illustrated magazine in, described pictures in Spanish out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(evaluate, name="evaluate")
app.add_typer(models, name="models")
app.add_typer(train, name="train")

DEFAULT_ARCHIVE = Path("archive")
ArchiveOption = Annotated[Path, typer.Option("--archive", "-a", help="The archive folder.", envvar="REVISTA_ARCHIVE")]
IssueArgument = Annotated[str, typer.Argument(help="The issue's id in the archive, such as social-1916-09-v1-n9.")]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done to standard error.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if version:
        out.print(f"revista {__version__}")
        raise typer.Exit


@app.command()
def run(
    pdfs: Annotated[list[Path], typer.Argument(help="Scanned issues, one PDF each.")],
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    settings: SettingsOption = None,
    id: Annotated[str | None, typer.Option(help="The issue's id, instead of the one made from its name.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the magazine.")] = None,
    year: Annotated[int | None, typer.Option(help="Year of the issue.")] = None,
    month: Annotated[int | None, typer.Option(help="Month of the issue, 1 to 12.")] = None,
    volume: Annotated[int | None, typer.Option(help="Volume.")] = None,
    number: Annotated[int | None, typer.Option(help="Number within the volume.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take issues through all stages; what is already there and fresh is left alone.

    One issue that cannot be read does not stop the others. Killed or interrupted, the same command goes on where
    it stopped.
    """
    from revista import checks, pipeline, stages
    from revista.issues import Metadata
    from revista.settings import load_settings
    from revista.store import Archive

    named = {"id": id, "title": title, "year": year, "month": month, "volume": volume, "number": number}
    named = {key: value for key, value in named.items() if value is not None}
    if named and len(pdfs) > 1:
        raise BadArguments(
            f"--{', --'.join(named)} cannot be meant for {len(pdfs)} PDFs at once",
            "Run them one by one, or put a NAME.toml beside each PDF (docs/formats.md).",
        )
    chosen = load_settings(settings)
    given = Metadata.given(**named) if named else None
    checks.require(chosen)
    for said, hint in checks.notices(chosen):
        err.print(f"[yellow]note:[/] {escape(said)}", soft_wrap=True)
        tell_hint(hint)
    reports: list[IssueReport] = []
    failures: list[tuple[Path, RevistaError]] = []
    refused = pipeline.rivals(pdfs, given)
    with Archive(archive, create=True) as store, progress_bars(as_json) as progress:
        for pdf in pdfs:
            bars = _Bars(progress, pdf.name, stages.shares_of_time(chosen))
            try:
                if pdf in refused:
                    raise refused[pdf]
                reports.append(pipeline.run_issue(store, pdf, chosen, given, bars.begin, bars.advance))
            except RevistaError as error:
                if error.category in pipeline.STOPS_THE_RUN:
                    raise
                if isinstance(error, pipeline.TooManyPagesFailed):
                    reports.append(error.report)
                failures.append((pdf, error))
            finally:
                bars.end()
    if as_json:
        print_json(
            {
                "issues": [report.model_dump(mode="json") for report in reports],
                "failed": [
                    {
                        "file": os.fsencode(pdf).decode("utf-8", "replace"),
                        "category": why.category,
                        "message": why.message,
                        "hint": why.hint,
                    }
                    for pdf, why in failures
                ],
            }
        )
    else:
        for report in reports:
            _print_report(report, archive)
        for _, why in failures:
            tell(why)
    if failures:
        raise typer.Exit(failures[0][1].exit_code)


class _Bars:
    """One progress bar an issue, which counts a page by the share of its time that is behind it."""

    def __init__(self, progress: Progress, name: str, shares: dict[str, float]) -> None:
        self._progress, self._name, self._shares = progress, name, shares
        self._done = 0.0  # pages; rounded where it is shown, since a sum of shares just misses whole numbers
        self._task: Any = None

    def begin(self, issue: Any) -> None:
        self._task = self._progress.add_task(escape(issue.id), total=issue.page_count)

    def advance(self, stage: str, page: int) -> None:
        description = f"{escape(self._name)}: {stage}"
        self._done += self._shares[stage]
        self._progress.update(self._task, completed=round(self._done, 3), description=description)

    def end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)


def _print_report(report: IssueReport, archive: Path) -> None:
    made = sum(count.made for count in report.stages)
    fresh = sum(count.fresh for count in report.stages)
    out.print(
        f"[bold]{escape(report.issue)}[/]: {report.pages} pages, {report.pictures} pictures, "
        f"{report.described} with a description ({report.described_by_model} with a model's), "
        f"{len(report.problems)} problems; {made} records made, {fresh} fresh, {report.seconds:.1f} s",
        soft_wrap=True,
    )
    _print_problems(report)
    out.print(
        f"  look at it: revista report {escape(report.issue)} --archive {escape(str(archive))}",
        style="dim",
        soft_wrap=True,
    )


def _print_problems(report: IssueReport, most: int = 10) -> None:
    if not report.problems:
        return
    table = Table("page", "stage", "what happened", "what to do", box=None, padding=(0, 2), header_style="dim")
    for problem in report.problems[:most]:
        table.add_row(str(problem.page or ""), problem.stage, escape(problem.message), escape(problem.hint))
    out.print(table)
    if len(report.problems) > most:
        out.print(f"  … and {len(report.problems) - most} more: revista show {escape(report.issue)}", style="dim")


@app.command()
def show(issue: IssueArgument, archive: ArchiveOption = DEFAULT_ARCHIVE, as_json: JsonOption = False) -> None:
    """Show what the archive holds of an issue: pages, regions, text, context, candidates, scores, sentences."""
    from revista import showing
    from revista.store import Archive
    from revista.view import read_view

    found = read_view(Archive(archive), issue)
    if as_json:
        print_json(showing.show_json(found))
    else:
        showing.show_text(found, out)


@app.command()
def report(
    issue: IssueArgument,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    to: Annotated[Path | None, typer.Option("--to", help="The HTML file; default: report.html in its folder.")] = None,
) -> None:
    """Write one self-contained HTML page of an issue: its pages with their boxes, its pictures with descriptions."""
    from revista.report import write_report
    from revista.store import Archive

    with Archive(archive) as store:
        place = to or store.issue_dir(issue) / "report.html"
        out.print(escape(str(write_report(store, issue, place))), soft_wrap=True)


@app.command()
def doctor(
    settings: SettingsOption = None,
    archive: Annotated[Path | None, typer.Option("--archive", "-a", help="Also check this archive folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that everything revista needs is there, and say what to type where it is not."""
    from revista import checks
    from revista.settings import load_settings

    results = checks.examine(load_settings(settings), archive)
    if as_json:
        print_json([check.model_dump(mode="json") for check in results])
    else:
        table = Table("", "what", "found", "what to do", box=None, padding=(0, 2), header_style="dim")
        marks = {"ok": "[green]✓[/]", "optional": "[yellow]·[/]", "missing": "[red]✗[/]"}
        for check in results:
            table.add_row(marks[check.status], check.name, escape(check.found), escape(check.hint))
        out.print(table)
    if code := checks.exit_code(results):
        raise typer.Exit(code)


class _Interrupted(BaseException):
    """Ctrl-C or a termination signal; not KeyboardInterrupt, which Typer would turn into an exit without a word."""


@contextmanager
def _interruptible() -> Iterator[None]:
    def stop(signum: int, frame: Any) -> NoReturn:
        signal.signal(signum, signal.SIG_DFL)  # the second one ends the process at once
        raise _Interrupted

    before = {signum: signal.signal(signum, stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def main() -> None:
    """Run the command line; every error ends in one of the exit codes of docs/errors.md."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Latin-1 locale has no check mark: no reason to end
    try:
        with _interruptible():
            app()
    except RevistaError as error:
        tell(error)
        sys.exit(error.exit_code)
    except _Interrupted:
        err.print("interrupted; the same command goes on where it stopped")
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
