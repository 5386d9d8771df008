"""The order of the stages, and what is done again: plain Python, no server.

An issue goes through the stages one after the other, each over all its pages; pages run side by side in threads,
since the time goes into external programs and into libraries that release the interpreter lock. Where a model works,
which fills all cores or a GPU by itself, the pictures of several pages go to it in one batch instead. A record is
made again when its header no longer matches what the stage would write now, when one of its files is gone, or when
it ended in trouble that may have passed.
"""

from __future__ import annotations

import errno
import filecmp
import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from revista import leases, pages, scans, worklog
from revista.batches import Through, together
from revista.errors import BadInput, Category, RevistaError, StorageError, TooManyProblems
from revista.freshness import Verdict, judge
from revista.issues import Metadata, identify
from revista.records import Body, Frozen, Header, Issue, Page, Problem, Record
from revista.settings import Settings
from revista.stages import STAGES, Job, Stage, models_for
from revista.store import Archive
from revista.totals import write_summary
from revista.versions import versions
from revista.view import IssueView, read_view
from revista.worklog import StageCount

log = logging.getLogger(__name__)

# Trouble that concerns the whole run, not one page: it stops the run, and nothing of it is written into a record.
STOPS_THE_RUN = frozenset(
    {Category.MISSING_PROGRAM, Category.MISSING_WEIGHTS, Category.STORAGE, Category.BAD_ARGUMENTS}
)

BATCH_PIXELS = 50_000_000  # of the pictures of several pages that go to a model together: 150 MB

_OUTCOMES = {Verdict.STALE: "made", Verdict.FRESH: "fresh", Verdict.SKIPPED: "skipped"}

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


class IssueReport(Frozen):
    """What a run did with one issue."""

    issue: str
    pages: int
    failed_pages: tuple[int, ...]
    pictures: int
    described: int  # pictures with at least one sentence
    described_by_model: int
    stages: tuple[StageCount, ...]
    problems: tuple[Problem, ...]
    seconds: float


OnPage = Callable[[str, int], None]
"""Called with the stage's name and the page number when a page is through a stage."""


def run_issue(
    archive: Archive,
    pdf: Path,
    settings: Settings,
    given: Metadata | None = None,
    on_issue: Callable[[Issue], None] = lambda issue: None,
    on_page: OnPage = lambda stage, page: None,
) -> IssueReport:
    """Take one issue through all stages, doing only what is not fresh.

    Args:
        archive: where everything is kept.
        pdf: the scanned issue.
        settings: all settings.
        given: what the caller knows better than file name and sidecar.
        on_issue: called once the PDF has been opened.
        on_page: called when a page is through a stage.

    Raises:
        BadInput: the PDF cannot be opened, or its id stands for another PDF in the archive.
        MissingProgram, MissingWeights, StorageError: the run cannot go on; what was done so far is kept.
        TooManyProblems: more pages failed than the settings allow; everything that could be done is in the archive.
    """
    started = time.monotonic()
    issue = open_issue(archive, pdf, given)
    on_issue(issue)
    counts = []
    for name in STAGES:
        numbers = range(1, issue.page_count + 1)
        counts.append(run_stage(archive, issue, pdf, name, numbers, settings, on_page))
    report = sum_up(archive, read_view(archive, issue.id), tuple(counts), time.monotonic() - started)
    require_few_failures(report, settings)
    return report


def rivals(pdfs: Sequence[Path], given: Metadata | None = None) -> dict[Path, BadInput]:
    """Those of a batch that an earlier one of it keeps out: they have its id, and another content.

    Without this, `*/scan.pdf` would replace one issue by the next, as corrected scans do.
    """
    owners: dict[str, Path] = {}
    refused = {}
    for pdf in pdfs:
        try:
            id = identify(pdf, given).id or ""
        except BadInput:
            continue  # opening it will say so
        other = owners.setdefault(id, pdf)
        if pdf.is_file() and other.is_file() and not filecmp.cmp(pdf, other, shallow=False):
            refused[pdf] = BadInput(
                f"{pdf}: {other} has the same id, {id}",
                "Give one of them another name, or an id in a NAME.toml beside it (docs/formats.md).",
            )
    return refused


def open_issue(
    archive: Archive, pdf: Path, given: Metadata | None = None, *, renamed: bool = False, url: str | None = None
) -> Issue:
    """Enter the PDF into the archive as an issue, or find it there.

    A PDF with another content under the same file name is a corrected scan: it takes the issue's place. With
    `renamed`, so is one under another file name. `url` says where the PDF lies, where `pdf` is a copy of it.

    Raises:
        BadInput: it cannot be opened, or another file already has its id.
    """
    issue = pages.read_issue(pdf, given)
    known = archive.read_issue(issue.id)
    same = known and (known.body.source_sha256, known.body.source_name)
    if same and not renamed and issue.source_sha256 != same[0] and issue.source_name != same[1]:
        raise BadInput(
            f"{pdf.name}: the archive already holds {issue.id}, made from {same[1]}",
            f"If it is another issue, give it an id of its own: revista run {pdf.name} --id OTHER-ID",
        )
    header = Header(
        stage="issue",
        version=pages.VERSION,
        options=given.model_dump(mode="json", exclude_none=True) if given else {},
        inputs={"pdf": issue.source_sha256},
        software=versions("pikepdf"),
    )
    if known is None or not known.header.same_work(header) or known.body != issue:
        archive.write_issue(Record[Issue](header=header.model_copy(update={"created": _now()}), body=issue))
    scans.enter(archive, issue, pdf, url)
    archive.remove_pages_after(issue.id, issue.page_count)
    return issue


def run_stage(
    archive: Archive,
    issue: Issue,
    pdf: Path,
    stage: str,
    numbers: Sequence[int],
    settings: Settings,
    on_page: OnPage = lambda stage, page: None,
    by: str | None = None,
) -> StageCount:
    """Run one stage over the pages `numbers` (1-based) of an issue, doing only what is not fresh.

    What was made is noted in the issue's work log, with the name `by` of the run.

    Raises:
        Busy: another process is at work on one of the pages, and does not come to an end.
    """
    started = time.monotonic()
    models = models_for(settings)
    made_by = STAGES[stage].made_by(settings)
    jobs = [Job(archive, issue, pdf, number, settings, models, made_by) for number in numbers]
    count = StageCount(stage=stage)
    run = _run_in_batches if STAGES[stage].in_batches else _run_side_by_side
    with closing(run(STAGES[stage], jobs, settings)) as done:
        for job, verdict in done:
            count = count.plus(StageCount(stage=stage, **{_OUTCOMES[verdict]: 1}))
            on_page(stage, job.page)
    if count.made:
        worklog.append(archive, issue.id, count, numbers, time.monotonic() - started, by)
    return count


_Done = Generator[tuple[Job, Verdict], None, None]
"""Each page as it is through a stage, with what it was found to be."""


def _run_side_by_side(stage: Stage, jobs: Sequence[Job], settings: Settings) -> _Done:
    """Run a stage on pages in threads."""
    with ThreadPoolExecutor(stage.workers(settings), thread_name_prefix=stage.name) as pool:
        futures = {pool.submit(_run_page, stage, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # pages under way are finished, no other is begun
            raise


def _run_page(stage: Stage, job: Job) -> Verdict:
    with _held(job):
        verdict, header = _look(stage, job)
        if verdict is Verdict.STALE:
            started = time.monotonic()
            body = _body(stage, job)
            _write(stage, job, header, body, time.monotonic() - started)
        return verdict


def _run_in_batches(stage: Stage, jobs: Sequence[Job], settings: Settings) -> _Done:
    """Run a stage on pages such that its model sees the pictures of several at once.

    A batch holds as many stale pages as have `run.batch` pictures and `BATCH_PIXELS` in them together, or one page
    that has more. All are held until it is done, and taken in their order, so that two runs never wait for each other.
    """
    with ExitStack() as held:
        batch: list[_Due] = []
        for job in jobs:
            with ExitStack() as lease:
                lease.enter_context(_held(job))
                verdict, header = _look(stage, job)
                if verdict is not Verdict.STALE:
                    yield job, verdict
                    continue
                boxes = [picture.box for picture in job.body("context").pictures]
                due = _Due(job, header, len(boxes), sum(box.area for box in boxes))
                if batch and not _fit([*batch, due], settings.run.batch):
                    yield from _run_batch(stage, batch)
                    held.close()
                    batch = []
                batch.append(due)
                held.push(lease.pop_all())
        yield from _run_batch(stage, batch)


class _Due(NamedTuple):
    """A page to be done, with what it adds to a batch."""

    job: Job
    header: Header
    pictures: int
    pixels: int


def _fit(batch: Sequence[_Due], most: int) -> bool:
    return sum(due.pictures for due in batch) <= most and sum(due.pixels for due in batch) <= BATCH_PIXELS


def _run_batch(stage: Stage, batch: Sequence[_Due]) -> _Done:
    """Make the records of a batch of pages; its time is told in equal parts for each picture."""

    def work(job: Job) -> Callable[[Through], Body]:
        return lambda through: _body(stage, replace(job, models=job.models.asked(through)))

    started = time.monotonic()
    bodies = together([work(due.job) for due in batch])
    seconds = (time.monotonic() - started) / max(1, sum(due.pictures for due in batch))
    for due, body in zip(batch, bodies, strict=True):
        _write(stage, due.job, due.header, body, seconds * due.pictures)
        yield due.job, Verdict.STALE


def _held(job: Job) -> AbstractContextManager[None]:
    return leases.hold(job.archive.locks, job.issue.id, f"{job.page:04d}")


def _look(stage: Stage, job: Job) -> tuple[Verdict, Header]:
    """Judge the record of `stage` on one page, and take out of the way what would not stand: FRESH, STALE, SKIPPED."""
    verdict, header, known, _ = judge(stage, job)
    if verdict is Verdict.SKIPPED:
        _forget(stage, job, known)  # what there is of a time when the page could be had
    elif verdict is Verdict.STALE and known and stage.has_files and not known.header.same_work(header):
        # Its files are about to change: killed before the new record, the old one would stand for the new files.
        job.archive.remove(job.issue.id, stage.name, job.page)
    return verdict, header


def _body(stage: Stage, job: Job) -> Body:
    """What `stage` finds on a page, or the problem that it met."""
    try:
        return stage.run(job)
    except Exception as error:
        return _failed(stage, job, error)


def _write(stage: Stage, job: Job, header: Header, body: Body, seconds: float) -> None:
    told = {"created": _now(), "seconds": round(seconds, 3), "options": header.options | stage.settled(job)}
    header = header.model_copy(update=told)
    job.archive.write(job.issue.id, stage.name, job.page, Record[stage.body](header=header, body=body))  # type: ignore[name-defined]


def _forget(stage: Stage, job: Job, known: Record[Any] | None) -> None:
    """Remove what the stage left on the page: the files first, since only the record knows of them."""
    for file in stage.files(job.archive, job.issue.id, known.body) if known else ():
        file.unlink(missing_ok=True)
    job.archive.remove(job.issue.id, stage.name, job.page)


def _failed(stage: Stage, job: Job, error: Exception) -> Body:
    """The empty body of a page on which a stage failed; re-raises what concerns the whole run."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise StorageError(
            f"page {job.page}: {error.strerror}",
            "Free some space (also in the folder for temporary files), then run the same command again: it goes on.",
        ) from error
    if isinstance(error, RevistaError):
        if error.category in STOPS_THE_RUN:
            raise error
        known = error
    elif isinstance(error, MemoryError):
        known = RevistaError(
            f"not enough memory for page {job.page}",
            "Lower pages.max_pixels or run.workers in the settings.",
            category=Category.NO_MEMORY,
        )
    else:  # a bug, or a library's: it costs this page, not the run
        log.error("stage %s on page %d of %s", stage.name, job.page, job.issue.id, exc_info=error)
        known = RevistaError(
            f"unexpected {type(error).__name__}: {error}",
            "This is a bug: please report it with the log. The other pages are not affected.",
        )
    problem = Problem.from_error(known, stage.name, job.page)
    extra: Mapping[str, Any] = {"number": job.page} if stage.body is Page else {}
    return stage.body(problems=(problem,), **extra)


def sum_up(archive: Archive, view: IssueView, counts: tuple[StageCount, ...], seconds: float) -> IssueReport:
    """Add up what `view` shows, what the archive now holds of an issue, and leave the sums there as its summary.

    `counts` and `seconds` are those of the run that ends.
    """
    write_summary(archive, view)
    failed = tuple(page.number for page in view.pages if page.failed)
    return IssueReport(
        issue=view.issue.id,
        pages=view.issue.page_count,
        failed_pages=failed,
        pictures=view.totals.pictures,
        described=sum(bool(p.description and p.description.sentences) for p in view.pictures),
        described_by_model=view.totals.described_by_model,
        stages=counts,
        problems=view.problems,
        seconds=round(seconds, 2),
    )


def require_few_failures(report: IssueReport, settings: Settings) -> None:
    """Raise `TooManyPagesFailed` where more of an issue's pages failed than the settings allow."""
    if len(report.failed_pages) > settings.run.failed_pages_limit * report.pages:
        raise TooManyPagesFailed(report, settings.run.failed_pages_limit)


class TooManyPagesFailed(TooManyProblems):
    """An issue of which more pages failed than the settings allow; `report` says what was done all the same."""

    def __init__(self, report: IssueReport, limit: float) -> None:
        """Say how many pages of the issue failed, and keep its report."""
        self.report = report
        super().__init__(
            f"{report.issue}: {len(report.failed_pages)} of {report.pages} pages failed, more than {limit:.0%}",
            f"See what failed and why: revista show {report.issue} --archive DIR",
        )


def _now() -> datetime:
    return datetime.now(UTC)
