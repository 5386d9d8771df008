"""The command line: `revista run`, `show`, `report`, `doctor`, `evaluate`, `train`."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from revista import __version__
from revista.cli_train import train
from revista.errors import BadArguments, ExitCode, RevistaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from revista.pipeline import IssueReport
    from revista.settings import Settings

app = typer.Typer(
    name="revista",
    help="Scanned issues of an illustrated magazine in, described pictures in Spanish out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
evaluate = typer.Typer(help="Measure a stage against ground truth.", no_args_is_help=True)
app.add_typer(evaluate, name="evaluate")
app.add_typer(train, name="train")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DEFAULT_ARCHIVE = Path("archive")
ArchiveOption = Annotated[Path, typer.Option("--archive", "-a", help="The archive folder.", envvar="REVISTA_ARCHIVE")]
SettingsOption = Annotated[Path | None, typer.Option("--settings", "-s", help="A TOML file; default: revista.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of text for a person.")]
IssueArgument = Annotated[str, typer.Argument(help="The issue's id in the archive, such as social-1916-09-v1-n9.")]
IndexArgument = Annotated[Path, typer.Argument(help="Ground truth in the INDEX format (docs/formats.md).")]
PredictionsOption = Annotated[Path | None, typer.Option("--predictions", help="Write what was predicted, as JSON.")]


class PagesPerMinute(ProgressColumn):
    """The speed so far, in pages a minute."""

    def render(self, task: Task) -> Text:
        """The column's text for a progress bar."""
        return Text(f"{task.speed * 60:.0f} pages/min" if task.speed else "", style="dim")


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        PagesPerMinute(),
        TimeRemainingColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
    )


def _print_json(data: Any) -> None:
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json")
    ascii_only = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")  # a terminal or locale of the old kind
    sys.stdout.write(json.dumps(data, ensure_ascii=ascii_only, indent=1) + "\n")


def _tell(error: RevistaError) -> None:
    err.print(f"[red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        err.print(f"  → {escape(error.hint)}", soft_wrap=True)


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
    reports: list[IssueReport] = []
    failures: list[tuple[Path, RevistaError]] = []
    refused = pipeline.rivals(pdfs, given)
    with Archive(archive, create=True) as store, _progress(as_json) as progress:
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
        _print_json(
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
            _tell(why)
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
    from revista import view
    from revista.store import Archive

    found = view.read_view(Archive(archive), issue)
    if as_json:
        _print_json(view.show_json(found))
    else:
        view.show_text(found, out)


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
        _print_json([check.model_dump(mode="json") for check in results])
    else:
        table = Table("", "what", "found", "what to do", box=None, padding=(0, 2), header_style="dim")
        marks = {"ok": "[green]✓[/]", "optional": "[yellow]·[/]", "missing": "[red]✗[/]"}
        for check in results:
            table.add_row(marks[check.status], check.name, escape(check.found), escape(check.hint))
        out.print(table)
    if code := checks.exit_code(results):
        raise typer.Exit(code)


@evaluate.command("regions")
def evaluate_regions(
    index: IndexArgument,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure found pictures against an INDEX: precision, recall, F1 at IoU 0.5, AP50, AP50-95, false regions."""
    from revista.evaluation.regions import evaluate_regions as measure

    _evaluate(measure, index, settings, predictions, as_json)


@evaluate.command("text")
def evaluate_text(
    index: IndexArgument,
    settings: SettingsOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure read text against an INDEX: character error rate and word F1."""
    from revista.evaluation.text import evaluate_text as measure

    _evaluate(measure, index, settings, predictions, as_json)


def _evaluate(
    measure: Callable[..., Any], index: Path, settings: Path | None, predictions: Path | None, as_json: bool
) -> None:
    from revista.evaluation.index import read_index
    from revista.settings import load_settings
    from revista.store import storage_errors

    chosen: Settings = load_settings(settings)
    entries = read_index(index)
    with _progress(as_json) as progress:
        task = progress.add_task(index.name, total=len(entries))
        result = measure(entries, chosen, on_page=lambda: progress.advance(task))
    if predictions:
        data = [prediction.model_dump(mode="json") for prediction in result.predictions]
        with storage_errors(predictions):
            predictions.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if as_json:
        data = result.model_dump(mode="json", exclude={"predictions"})
        _print_json({**data.pop("scores"), **data})
    else:
        out.print(result.table())


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
        _tell(error)
        sys.exit(error.exit_code)
    except _Interrupted:
        err.print("interrupted; the same command goes on where it stopped")
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
