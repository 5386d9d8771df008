"""How well pages are read: character error rate and word F1 against the true lines, and the time it takes.

The whole chain is measured: pictures are found as the pipeline finds them and painted over before reading.

Both texts are taken in Unicode's form C, their lines joined, all white space as single blanks. The sign ¬, with which
transcribers mark a word divided at the end of a line, counts as a hyphen; divided words stay divided.

- Character error rate (CER): Levenshtein distance over the page in reading order, divided by the length of the truth;
  more than 1.0 where more is read than there is. Columns read in the wrong order count as errors.
- Word F1: words regardless of their order, as multisets, in small letters (`str.casefold`) and without the signs at
  their two ends that are neither letters nor digits.
"""

from __future__ import annotations

import re
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from revista.errors import BadInput
from revista.evaluation.index import IndexPage, open_page
from revista.records import Frozen, PageText, Problem, Regions
from revista.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from revista.regions import Detector

ALL = "all"


class PagePrediction(Frozen):
    """What was read on a page of the index, beside what is printed there."""

    file: str
    page: int | None
    source: str
    paragraphs: tuple[tuple[str, ...], ...]  # lines of the paragraphs, in reading order
    truth: tuple[str, ...]
    errors: int  # Levenshtein distance in characters
    characters: int  # of the truth
    words_read: int
    words_true: int
    words_common: int
    skew: float
    orientation: int
    seconds: float  # for reading alone
    problems: tuple[Problem, ...] = ()

    @property
    def cer(self) -> float:
        """Character error rate of the page."""
        return self.errors / self.characters

    @property
    def word_f1(self) -> float:
        """Word F1 of the page; the truth has words, or the page is not measured."""
        return 2 * self.words_common / (self.words_read + self.words_true)


class TextScores(Frozen):
    """Measures over a set of pages; micro: over all characters or words at once, mean and median: over pages."""

    pages: int
    characters: int
    cer_micro: float
    cer_mean: float
    cer_median: float
    word_f1_micro: float
    word_f1_mean: float
    word_f1_median: float
    failed_pages: int  # pages on which nothing was read because of a problem; their CER is 1.0
    seconds_per_page: float


class TextEvaluation(Frozen):
    """The measures over all pages and by source, with what was predicted."""

    language: str
    skipped_pages: int  # pages of the index without true lines
    scores: TextScores
    sources: dict[str, TextScores]
    predictions: tuple[PagePrediction, ...]

    def table(self) -> Table:
        """The measures as a table for the terminal."""
        from rich.table import Table

        title = f"Text read by Tesseract in {self.language}; {self.skipped_pages} pages without truth"
        table = Table(title=title, box=None)  # so that it fits into 80 columns
        table.add_column("source", no_wrap=True)
        for name in ("pages", "CER median", "mean", "micro", "F1 median", "mean", "micro", "fail", "s/page"):
            table.add_column(name, justify="right")
        for name, s in [*self.sources.items(), (ALL, self.scores)]:
            values = (s.cer_median, s.cer_mean, s.cer_micro, s.word_f1_median, s.word_f1_mean, s.word_f1_micro)
            shown = [f"{value:.4f}" for value in values]
            table.add_row(name, str(s.pages), *shown, str(s.failed_pages), f"{s.seconds_per_page:.2f}")
        return table


def evaluate_text(
    entries: Sequence[IndexPage],
    settings: Settings,
    *,
    detector: Detector | None = None,
    on_page: Callable[[], None] = lambda: None,
) -> TextEvaluation:
    """Read the pages of an index and compare the text with the true lines.

    Args:
        entries: pages from `revista.evaluation.index.read_index`; those without `text_lines` are counted, not read.
        settings: `text` says in which language, `regions` how pictures are found, `run.page_timeout` how long.
        detector: used in place of the one that the settings name.
        on_page: called after each page.

    Raises:
        BadInput: no page of the index has true lines.
        MissingProgram: Tesseract or its language is not installed.
        MissingWeights: a detector's weights are not at hand.
    """
    from revista import regions
    from revista.programs import tesseract

    if not any(_has_words(entry) for entry in entries):
        raise BadInput("no page of the index has `text_lines`", "Add them, or name an index of pages that have them.")
    tesseract.require(settings.text.language)
    found_by = detector or regions.load(settings.regions, settings.run.device)
    predictions = []
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        for entry in entries:
            if _has_words(entry):
                predictions.append(_predict(entry, settings, found_by, Path(scratch)))
            on_page()
    sources = sorted({p.source for p in predictions})
    return TextEvaluation(
        language=settings.text.language,
        skipped_pages=len(entries) - len(predictions),
        scores=score(predictions),
        sources={source: score([p for p in predictions if p.source == source]) for source in sources},
        predictions=tuple(predictions),
    )


def _has_words(entry: IndexPage) -> bool:
    return bool(words(" ".join(entry.text_lines)))


def _predict(entry: IndexPage, settings: Settings, detector: Detector, scratch: Path) -> PagePrediction:
    from revista import regions, text

    seconds = 0.0
    try:
        image, page = open_page(entry, scratch, settings.run.page_timeout)
        found = regions.run(image, page, settings.regions, detector)
        started = time.perf_counter()
        read = text.run(image, page, found, settings.text, settings.run.page_timeout)
        seconds = time.perf_counter() - started
    except BadInput as error:
        found = Regions()
        read = PageText(problems=(Problem.from_error(error, text.NAME, entry.page or 1),))
    return compare(entry, read, round(seconds, 4), (*found.problems, *read.problems))


def compare(entry: IndexPage, read: PageText, seconds: float, problems: tuple[Problem, ...] = ()) -> PagePrediction:
    """What was read on a page, beside its true lines, with the figures from which the measures follow."""
    from rapidfuzz.distance import Levenshtein

    said, truth = " ".join(p.text for p in read.paragraphs), " ".join(entry.text_lines)
    read_words, true_words = words(said), words(truth)
    return PagePrediction(
        file=entry.name,
        page=entry.page,
        source=entry.source,
        paragraphs=tuple(tuple(line.text for line in paragraph.lines) for paragraph in read.paragraphs),
        truth=entry.text_lines,
        errors=Levenshtein.distance(normalise(said), normalise(truth)),
        characters=len(normalise(truth)),
        words_read=read_words.total(),
        words_true=true_words.total(),
        words_common=(read_words & true_words).total(),
        skew=read.skew,
        orientation=read.orientation,
        seconds=seconds,
        problems=problems,
    )


def normalise(text: str) -> str:
    """`text` as it is compared: Unicode's form C, ¬ as a hyphen, single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).replace("¬", "-").split())


def words(text: str) -> Counter[str]:
    """The words of `text` as they are compared, with how often each occurs."""
    stripped = (re.sub(r"^[\W_]+|[\W_]+$", "", word) for word in normalise(text).split())
    return Counter(word.casefold() for word in stripped if word)


def score(predictions: Sequence[PagePrediction]) -> TextScores:
    """The measures over some pages, at least one."""
    common = sum(p.words_common for p in predictions)
    cers, f1s = [p.cer for p in predictions], [p.word_f1 for p in predictions]
    return TextScores(
        pages=len(predictions),
        characters=sum(p.characters for p in predictions),
        cer_micro=round(sum(p.errors for p in predictions) / sum(p.characters for p in predictions), 4),
        cer_mean=round(fmean(cers), 4),
        cer_median=round(median(cers), 4),
        word_f1_micro=round(2 * common / sum(p.words_read + p.words_true for p in predictions), 4),
        word_f1_mean=round(fmean(f1s), 4),
        word_f1_median=round(median(f1s), 4),
        failed_pages=sum(bool(p.problems) and not p.paragraphs for p in predictions),
        seconds_per_page=round(fmean(p.seconds for p in predictions), 3),
    )
