"""How many pictures are described in words that people chose for them, and how many would be by chance.

People gave each engraving keywords ("Hombre", "Instrumentos musicales"). A picture counts as named where its
description has one of them. The rule, made for Spanish keywords:

- Both sides in small letters without accents, each word cut to a stem: a plural's `s`, then a final `e`, so that
  "mujer" and "mujeres", "hombre" and "hombres" agree; gender stays ("niño" is not "niña"). A z is a c: "luces", "luz".
- Signs divide a keyword into alternatives: "Navío/Barco", "Mujer(es) y hombre(s)", also " y " and " o ".
- A keyword of several words counts where all its words of more than three letters are there, wherever they stand.
- A gerund ("Bailando") also counts as infinitive, present and imperfect of the third person ("baila", "bailaban").

By chance: the same descriptions with the keywords of another picture, the mean over all pairs of two pictures. `p` is
the share of 2,000 random permutations of the keywords among the pictures that name at least as many (with the first
one counted in), so 0.0005 at least.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from revista.errors import BadInput
from revista.evaluation.index import IndexPage, open_page
from revista.geometry import Box
from revista.records import Description, Frozen, Page, Problem, Region, RegionKind, Regions, Source
from revista.settings import Settings
from revista.wording import bare

if TYPE_CHECKING:
    from rich.table import Table

    from revista.stages import Models

PERMUTATIONS = 2000
_IOU = 0.5
_GERUND = re.compile(r"^([a-z]{2,})(ando|iendo|yendo)$")
_ENDINGS = {"ando": "ar|a|an|aba|aban|ando", "iendo": "er|ir|e|en|ia|ian|iendo", "yendo": "er|ir|e|en|ia|ian|yendo"}


class NamedPicture(Frozen):
    """A picture of the index with its keywords and what was said of it."""

    file: str
    page: int
    box: Box  # as people drew it, in pixels of the page image
    found: Box | None  # as it was found; None where it was not, and then nothing is said of it
    keywords: tuple[str, ...]
    named: tuple[str, ...]  # the keywords that the description has
    description: Description | None = None


class KeywordScores(Frozen):
    """Shares of pictures, 0.0 to 1.0, by which sentences are looked at."""

    named: float  # with at least one of their keywords
    chance: float  # with at least one of another picture's
    p: float


class KeywordEvaluation(Frozen):
    """The shares over all pictures that have keywords, with what was said of each."""

    boxes: Literal["true", "found"]
    pictures: int
    found: int
    described: int  # of which a model says something that counts as reliable
    scores: dict[str, KeywordScores]  # `all` sentences; `vista`, `pie`, `articulo` alone
    predictions: tuple[NamedPicture, ...]
    problems: tuple[Problem, ...] = ()

    def table(self) -> Table:
        """The shares as a table for the terminal."""
        from rich.table import Table

        given = "found" if self.boxes == "found" else "given"
        title = f"{self.pictures} pictures with keywords, {self.found} {given}, {self.described} described by a model"
        table = Table(title=title, box=None)
        for name in ("sentences", "named", "by chance", "p"):
            table.add_column(name, justify="left" if name == "sentences" else "right")
        for name, s in self.scores.items():
            table.add_row(name, f"{s.named:.3f}", f"{s.chance:.3f}", f"{s.p:.4f}")
        return table


# --- the rule -------------------------------------------------------------------------------------------------


def stem(word: str) -> str:
    """A Spanish word without accents, number and large letters."""
    plain = bare(word)
    if len(plain) > 3:
        plain = plain.removesuffix("s").removesuffix("e")
    return plain.replace("z", "c")


def names(description: str, keyword: str) -> bool:
    """Whether a description names a keyword; see above for the rule."""
    words = re.findall(r"[^\W\d_]+", description)
    stems = {stem(word) for word in words}
    plain = {stem(word) for word in words} | {bare(word) for word in words}
    for alternative in re.split(r"/| [yo] ", keyword):
        wanted = [word for word in re.findall(r"[^\W\d_]+", re.sub(r"[()]", "", alternative)) if len(word) > 3]
        if wanted and all(_has(word, stems, plain) for word in wanted):
            return True
    return False


def _has(word: str, stems: set[str], plain: set[str]) -> bool:
    if stem(word) in stems:
        return True
    gerund = _GERUND.match(bare(word))
    forms = {gerund[1] + ending for ending in _ENDINGS[gerund[2]].split("|")} if gerund else set()
    return bool(forms & plain)


def score(texts: Sequence[str], keywords: Sequence[Sequence[str]], permutations: int = PERMUTATIONS) -> KeywordScores:
    """How many of `texts` name one of their own keywords, and how many one of another's."""
    hits = [[any(names(text, word) for word in other) for other in keywords] for text in texts]
    count = len(texts)
    own = sum(hits[i][i] for i in range(count))
    others = [hits[i][j] for i in range(count) for j in range(count) if i != j]
    order, generator = list(range(count)), random.Random(0)
    as_many = 1
    for _ in range(permutations):
        generator.shuffle(order)
        as_many += sum(hits[i][j] for i, j in enumerate(order)) >= own
    return KeywordScores(
        named=round(own / count, 4),
        chance=round(sum(others) / len(others), 4) if others else 0.0,
        p=round(as_many / (permutations + 1), 4),
    )


# --- the pictures ---------------------------------------------------------------------------------------------


def evaluate_keywords(
    entries: Sequence[IndexPage],
    settings: Settings,
    *,
    boxes: Literal["true", "found"] = "true",
    on_page: Callable[[], None] = lambda: None,
) -> KeywordEvaluation:
    """Describe the pictures of an index that have keywords, as the pipeline does, and look for them.

    Args:
        entries: pages from `revista.evaluation.index.read_index`; those without keywords are left out.
        settings: all groups.
        boxes: `true`: the pictures are where people say; `found`: where the regions stage finds them.
        on_page: called after each page.

    Raises:
        BadInput: no picture of the index has keywords and a box.
        MissingProgram, MissingWeights: what a stage needs is not there.
    """
    from revista.stages import Models

    if not any(_wanted(entry) for entry in entries):
        raise BadInput(
            "no picture of the index has `keywords_es` and a box", "Add them; docs/formats.md describes the index."
        )
    models = Models(settings)
    pictures: list[NamedPicture] = []
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        for entry in entries:
            if _wanted(entry):
                made, trouble = _page(entry, settings, models, boxes, Path(scratch))
                pictures += made
                problems += trouble
            on_page()
    keywords = [picture.keywords for picture in pictures]
    sources: dict[str, tuple[Source, ...]] = {"all": tuple(Source)}
    sources |= {one.value: (one,) for one in (Source.SEEN, Source.CAPTION, Source.ARTICLE)}
    return KeywordEvaluation(
        boxes=boxes,
        pictures=len(pictures),
        found=sum(picture.found is not None for picture in pictures),
        described=sum(_described(picture.description) for picture in pictures),
        scores={
            name: score([_said(picture.description, kinds) for picture in pictures], keywords)
            for name, kinds in sources.items()
        },
        predictions=tuple(pictures),
        problems=tuple(problems),
    )


def _wanted(entry: IndexPage) -> bool:
    return any(one.keywords and one.box for one in entry.illustrations)


def _described(description: Description | None) -> bool:
    return bool(description and description.undescribed is None)


def _said(description: Description | None, sources: Sequence[Source]) -> str:
    """The sentences of some sources; not what stands in place of one."""
    if description is None:
        return ""
    return " ".join(
        sentence.text
        for sentence in description.sentences
        if sentence.source in sources and (sentence.source is not Source.SEEN or description.undescribed is None)
    )


def _page(
    entry: IndexPage, settings: Settings, models: Models, boxes: str, scratch: Path
) -> tuple[list[NamedPicture], tuple[Problem, ...]]:
    """The pictures of a page of the index, described, and what went wrong."""
    image, page = open_page(entry, scratch, settings.run.page_timeout)
    wanted = [one for one in entry.illustrations if one.keywords and one.box]
    truth = entry.model_copy(update={"illustrations": tuple(wanted)}).true_boxes(page.width, page.height)
    described, problems = describe_page(image, page, settings, models, truth if boxes == "true" else None)
    pictures = []
    for one, box in zip(wanted, truth, strict=True):
        best = max(described, key=lambda found: found.box.iou(box), default=None)
        if best is not None and best.box.iou(box) < _IOU:
            best = None
        text = _said(best, tuple(Source))
        pictures.append(
            NamedPicture(
                file=entry.name,
                page=page.number,
                box=box,
                found=best.box if best else None,
                keywords=one.keywords,
                named=tuple(word for word in one.keywords if names(text, word)),
                description=best,
            )
        )
    return pictures, problems


def describe_page(
    image: Path, page: Page, settings: Settings, models: Models, truth: Sequence[Box] | None = None
) -> tuple[tuple[Description, ...], tuple[Problem, ...]]:
    """All stages on one page without an archive; `truth` in place of the pictures that would be found."""
    from revista import captions, context, descriptions, ranking, regions, text

    found = regions.run(image, page, settings.regions, models.detector())
    if truth is not None:
        found = _with_pictures(found, page, truth)
    timeout = settings.run.page_timeout
    read = text.run(image, page, found, settings.text, timeout)
    near = context.run(page.number, found, read, None, settings.context)
    said = captions.run(image, near, settings.captions, models.captioner(), None)
    ranked = ranking.run(image, near, said, settings.ranking, models.ranker(), None)
    made = descriptions.run(page.number, near, said, ranked, settings.descriptions, timeout)
    problems = (*found.problems, *read.problems, *near.problems, *said.problems, *ranked.problems, *made.problems)
    return made.pictures, problems


def _with_pictures(found: Regions, page: Page, truth: Sequence[Box]) -> Regions:
    """The regions with the true pictures in place of those that were found, and of what they cover."""
    kept = [
        region
        for region in found.regions
        if region.kind is not RegionKind.PICTURE and not any(region.box.iou(box) > _IOU for box in truth)
    ]
    pictures = [
        Region(id=f"{page.number:04d}-t{at:02d}", kind=RegionKind.PICTURE, box=box, confidence=1.0, detector="index")
        for at, box in enumerate(truth, start=1)
    ]
    return found.model_copy(update={"regions": (*pictures, *kept), "rejected": ()})
