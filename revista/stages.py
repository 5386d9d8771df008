"""The seven stages as the pipeline sees them: what each needs, what its header says, how it runs on a page."""

from __future__ import annotations

import copy
import shutil
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import JsonValue

from revista import captions, context, descriptions, folios, images, pages, ranking, regions, text, translation
from revista.batches import Through
from revista.collection_index import listed
from revista.cues import PAIR
from revista.errors import BadArguments, BadInput
from revista.records import (
    BODIES,
    Body,
    Header,
    Issue,
    Listed,
    Page,
    Record,
    Regions,
)
from revista.registry import registered
from revista.settings import Settings
from revista.store import Archive

if TYPE_CHECKING:
    from revista.captions import Captioner
    from revista.ranking import Ranker
    from revista.ranking.matching import Matcher
    from revista.regions import Detector
    from revista.translation import Translator


class Models:
    """The models that the settings name, each loaded at most once, when the first page asks for it."""

    def __init__(self, settings: Settings) -> None:
        """Remember the settings; nothing is loaded yet."""
        self._settings = settings
        self._loaded: dict[str, Any] = {}
        self._guard = threading.Lock()
        self._through: Through = lambda model: model

    def asked(self, through: Through) -> Models:
        """The same models, captioner and ranker being asked through what `through` makes of them."""
        others = copy.copy(self)
        others._through = through
        return others

    def _once(self, name: str, load: Callable[[], Any]) -> Any:
        with self._guard:
            if name not in self._loaded:
                self._loaded[name] = load()
            return self._loaded[name]

    def detector(self) -> Detector:
        """The picture detector."""
        s = self._settings
        return self._once("detector", lambda: regions.load(s.regions, s.run.device))

    def captioner(self) -> Captioner | None:
        """The captioner, None where the settings name none."""
        s = self._settings
        if not s.captions.captioner:
            return None
        run = s.run
        loaded = self._once("captioner", lambda: captions.load(s.captions, run.device, run.batch, run.endpoint_timeout))
        return cast("Captioner", self._through(loaded))

    def ranker(self) -> Ranker | None:
        """The ranker, None where the settings name none."""
        s = self._settings
        if not s.ranking.model:
            return None
        return cast(
            "Ranker", self._through(self._once("ranker", lambda: ranking.load(s.ranking, s.run.device, s.run.batch)))
        )

    def settled(self, name: str) -> dict[str, JsonValue]:
        """The options that were left to the machine (`auto`) as the model `name` has settled them; none is loaded."""
        precision = getattr(self._loaded.get(name), "precision", None)
        return {"precision": precision} if precision else {}

    def reader(self) -> Translator:
        """The translator of the print for an English captioner."""
        s = self._settings
        return self._once("reader", lambda: translation.load(s.captions.translator, s.run.device, PAIR))

    def translator(self) -> Translator:
        """The translator of what an English captioner says."""
        s = self._settings
        return self._once("translator", lambda: translation.load(s.descriptions.translator, s.run.device))

    def matcher(self) -> Matcher | None:
        """The matcher, None where the settings name none, or no ranker to help."""
        s = self._settings
        wanted = s.ranking.model and s.ranking.matcher
        return self._once("matcher", lambda: ranking.load_matcher(s.ranking, s.run.device)) if wanted else None


@lru_cache(maxsize=1)
def models_for(settings: Settings) -> Models:
    """The models for `settings`, the same object as long as the process works with the same settings."""
    return Models(settings)


@dataclass(frozen=True)
class Job:
    """One stage's work on one page."""

    archive: Archive
    issue: Issue
    pdf: Path
    page: int  # 1-based
    settings: Settings
    models: Models
    made_by: Header  # see `Stage.made_by`

    def record(self, stage: str, page: int | None = None) -> Record[Any]:
        """The record that an earlier stage left on this page (or on another one)."""
        found = self.archive.read(self.issue.id, stage, page or self.page, STAGES[stage].body)
        if found is None:
            raise BadInput(
                f"page {page or self.page} has no readable record of the stage {stage}",
                f"Take the stage {stage} too; a run through all stages makes missing records anew.",
            )
        return found

    def body(self, stage: str) -> Any:
        """What an earlier stage found on this page."""
        return self.record(stage).body

    @property
    def image(self) -> Path:
        """The page image."""
        return self.archive.page_image(self.issue.id, self.body("pages").image)


def _no_files(archive: Archive, issue: str, body: Any) -> Iterable[Path]:
    return ()


@dataclass(frozen=True)
class Stage:
    """A stage as the pipeline sees it: what it needs, what its header says, and how it runs on a page."""

    name: str
    needs: tuple[str, ...]
    run: Callable[[Job], Body]
    module: Any
    files: Callable[[Archive, str, Any], Iterable[Path]] = _no_files
    before: tuple[str, ...] = ()  # stages whose record on the page before it takes too, where there is one
    more_inputs: Callable[[Job], dict[str, str]] = lambda job: {}  # beside records
    # of those inputs the ones that rest on records of all pages of the issue, with the stages that write these
    issue_wide: Callable[[Settings], dict[str, tuple[str, ...]]] = lambda settings: {}
    settled: Callable[[Job], dict[str, JsonValue]] = lambda job: {}  # options, once it has run
    in_batches: bool = False  # by a model that uses all cores (or the one GPU) by itself: see `pipeline`

    @property
    def body(self) -> type[Body]:
        """What the stage finds on a page."""
        return BODIES[self.name]

    @property
    def has_files(self) -> bool:
        """Whether the stage writes other files than its record."""
        return self.files is not _no_files

    def made_by(self, settings: Settings) -> Header:
        """What the headers of all records say that this stage makes with `settings`; their inputs are to be added.

        Raises:
            MissingProgram, MissingWeights, TimedOut: what the stage needs is not there, or does not answer.
        """
        options = getattr(settings, self.name)
        return Header(
            stage=self.name,
            version=self.module.VERSION,
            options=options.in_header(),
            weights=self.module.weights(options) if hasattr(self.module, "weights") else {},
            software=self.module.software(options),
        )

    def workers(self, settings: Settings) -> int:
        """On how many pages it runs side by side."""
        return 1 if self.in_batches else settings.run.workers

    def header(self, job: Job, without: Collection[str] = ()) -> Header:
        """What the header of this stage's record says if it is made now, the times and the inputs `without` left out.

        Raises:
            BadInput: there is no record of a stage that it needs, or a file that the settings name cannot be read.
            BadArguments: such a file is not there.
        """
        inputs = {name: job.record(name).fingerprint() for name in self.needs if name not in without}
        for name in self.before:
            if f"{name}_before" not in without and (record := _before(job, name)):
                inputs[f"{name}_before"] = record.fingerprint()
        inputs |= {name: digest for name, digest in self.more_inputs(job).items() if name not in without}
        return job.made_by.model_copy(update={"inputs": inputs})


def _before(job: Job, stage: str) -> Record[Any] | None:
    """The record of the page before, None on the first page and after a page that could not be had."""
    return job.archive.read(job.issue.id, stage, job.page - 1, STAGES[stage].body) if job.page > 1 else None


def _pdf(job: Job) -> dict[str, str]:
    return {"pdf": job.issue.source_sha256}


def _run_pages(job: Job) -> Body:
    scratch = job.archive.scratch() / f"page-{job.page:04d}"
    scratch.mkdir(exist_ok=True)
    try:
        page = pages.run(job.pdf, job.page, job.settings.pages, scratch, job.settings.run.page_timeout)
        if page.image is not None:
            job.archive.put(scratch / page.image, job.archive.page_image(job.issue.id, page.image))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for old in job.archive.page_image(job.issue.id, "").glob(f"{job.page:04d}.*"):
        if old.suffix != ".json" and old.name != page.image:
            old.unlink()
    return page


def _run_regions(job: Job) -> Body:
    found = regions.run(job.image, job.body("pages"), job.settings.regions, job.models.detector())
    wanted = {job.archive.picture_file(job.issue.id, picture.id) for picture in found.pictures}
    if wanted:
        page = images.read_image(job.image)
        for picture in found.pictures:
            place = job.archive.picture_file(job.issue.id, picture.id)
            unfinished = job.archive.scratch() / place.name
            images.write_jpeg(images.crop(page, picture.box), unfinished)
            job.archive.put(unfinished, place)
    for old in set(job.archive.picture_file(job.issue.id, "").parent.glob(f"{job.page:04d}-*.jpg")) - wanted:
        old.unlink()
    return found


def _run_text(job: Job) -> Body:
    run = job.settings.run
    return text.run(job.image, job.body("pages"), job.body("regions"), job.settings.text, run.page_timeout)


def _run_context(job: Job) -> Body:
    before = _before(job, "text")
    return context.run(
        job.page, job.body("regions"), job.body("text"), before.body if before else None, job.settings.context
    )


def _run_captions(job: Job) -> Body:
    options, run = job.settings.captions, job.settings.run
    models = job.models
    return captions.run(
        job.image, job.body("context"), options, models.captioner(), None, run.page_timeout, models.reader()
    )


def _captioner_settled(job: Job) -> dict[str, JsonValue]:
    return job.models.settled("captioner")


def _run_ranking(job: Job) -> Body:
    options, models = job.settings.ranking, job.models
    said, nearby = job.body("captions"), job.body("context")
    return ranking.run(job.image, nearby, said, options, models.ranker(), None, models.matcher())


def _run_descriptions(job: Job) -> Body:
    return descriptions.run(
        job.page,
        job.body("context"),
        job.body("captions"),
        job.body("ranking"),
        job.settings.descriptions,
        job.settings.run.page_timeout,
        job.models.translator(),
        _listed(job),
    )


def _listed(job: Job) -> Listed | None:
    """What the collection's index says of the page; None where it says nothing, or the settings name none."""
    if job.settings.descriptions.index is None:
        return None
    file = Path(job.settings.descriptions.index)
    return listed(file, job.issue, job.page, lambda: folios.numbers_in(job.archive, job.issue))


def _index_input(job: Job) -> dict[str, str]:
    found = _listed(job)
    return {"index": found.fingerprint()} if found else {}


def _index_rests_on(settings: Settings) -> dict[str, tuple[str, ...]]:
    return {"index": ("pages", "text")} if settings.descriptions.index else {}


def _page_files(archive: Archive, issue: str, page: Page) -> Iterable[Path]:
    return [archive.page_image(issue, page.image)] if page.image else []


def _picture_files(archive: Archive, issue: str, found: Regions) -> Iterable[Path]:
    return [archive.picture_file(issue, picture.id) for picture in found.pictures]


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("pages", (), _run_pages, pages, _page_files, more_inputs=_pdf),
        Stage("regions", ("pages",), _run_regions, regions, _picture_files),
        Stage("text", ("pages", "regions"), _run_text, text),
        Stage("context", ("regions", "text"), _run_context, context, before=("text",)),
        Stage("captions", ("pages", "context"), _run_captions, captions, settled=_captioner_settled, in_batches=True),
        Stage("ranking", ("pages", "context", "captions"), _run_ranking, ranking, in_batches=True),
        Stage(
            "descriptions",
            ("context", "captions", "ranking"),
            _run_descriptions,
            descriptions,
            more_inputs=_index_input,
            issue_wide=_index_rests_on,
        ),
    )
}
"""The stages in their order, by name."""


def closure(stages: Collection[str] = ()) -> tuple[str, ...]:
    """The `stages` and all that hang on them, in their order; all stages where none is named.

    Raises:
        BadArguments: there is no stage of that name.
    """
    if strange := sorted(set(stages) - set(STAGES)):
        raise BadArguments(f"{', '.join(strange)}: no such stage", f"The stages are: {', '.join(STAGES)}.")
    chosen = set(stages or STAGES)
    for stage in STAGES.values():  # what a stage needs stands before it
        if chosen & {*stage.needs, *stage.before}:
            chosen.add(stage.name)
    return tuple(name for name in STAGES if name in chosen)


def seconds_a_page(settings: Settings) -> dict[str, float]:
    """The seconds that each stage takes for a page with `settings` on one core, roughly, where nothing is measured.

    From docs/measurements.md; BLIP and CLIP of their base sizes, or a tenth of that.
    """
    return {
        "pages": 0.05,
        "regions": 0.3,
        "text": 1.2,
        "context": 0.05,
        "captions": _model_seconds(settings.captions.captioner, 10.0),
        "ranking": _model_seconds(settings.ranking.model, 1.0),
        "descriptions": 0.05,
    }


def shares_of_time(settings: Settings) -> dict[str, float]:
    """The share (in sum 1.0) of a page's time that each stage takes with `settings`, roughly: for progress bars."""
    seconds = seconds_a_page(settings)
    return {stage: seconds[stage] / sum(seconds.values()) for stage in STAGES}


def _model_seconds(spec: str | None, base: float) -> float:
    """Seconds a page for a model, of which one of base size takes `base`: one that travels with us is far smaller."""
    if spec is None:
        return 0.02
    model = registered(spec)
    return base / 10 if model is not None and model.folder is not None else base
