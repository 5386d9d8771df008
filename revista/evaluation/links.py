"""How well printed captions are linked to their pictures, end to end or with the true pictures given.

Print that a picture was given *is* a true caption where it stands in its place (the hulls of both have an IoU of at
least 0.5) or says the same. Texts are compared by their letters and digits alone, in small letters: alike from a
normalised Indel similarity (rapidfuzz `ratio`) of 75 of 100, where of several captions the likest counts. So a few
misread letters or a lost credit line make no difference, another name does.

- A caption is **linked rightly** where exactly its pictures got it: all of them, and no other. In `captions_read` its
  text counts alone: print in the right place that was misread is not enough there.
- A picture **without a caption** is right where it got none.
- A picture's `kind` is compared where truth and detector both name one.

End to end, a found picture stands for the true one with which it has an IoU of at least 0.5, most overlap first.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from revista.errors import BadInput
from revista.evaluation.index import IndexPage, PrintedCaption, boxes_by_index, open_page, true_pictures
from revista.evaluation.link_scores import FoundLink, LinkEvaluation, PagePrediction, TrueCaption, score
from revista.evaluation.text import normalise
from revista.geometry import Box, hull
from revista.records import Contexts, Frozen, PictureContext, Problem, Quote, Region, Regions
from revista.settings import Settings

if TYPE_CHECKING:
    from revista.regions import Detector

IOU = 0.5
ALIKE = 75.0  # of 100


def evaluate_links(
    entries: Sequence[IndexPage],
    settings: Settings,
    *,
    true_regions: bool = False,
    detector: Detector | None = None,
    on_page: Callable[[], None] = lambda: None,
) -> LinkEvaluation:
    """Link captions on the pages of an index and compare with the truth; the print is read by Tesseract.

    Args:
        entries: pages from `revista.evaluation.index.read_index`.
        settings: `regions`, `text` and `context` say how, `run.page_timeout` how long a page may take.
        true_regions: give the stages the true pictures (and no other regions), so that only reading and assignment
            are measured.
        detector: used in place of the one that the settings name.
        on_page: called after each page.

    Raises:
        BadInput: no page of the index has captions.
        MissingProgram: Tesseract or its language is not installed.
        MissingWeights: a detector's weights are not at hand.
    """
    from revista import regions
    from revista.programs import tesseract

    if not any(entry.captions for entry in entries):
        raise BadInput("no page of the index has `captions`", "Add them, or name an index of pages that have them.")
    tesseract.require(settings.text.language)
    found_by = None if true_regions else detector or regions.load(settings.regions, settings.run.device)
    predictions = []
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        for entry in entries:
            predictions.append(_predict(entry, settings, found_by, Path(scratch)))
            on_page()
    sources = sorted({p.source for p in predictions})
    return LinkEvaluation(
        true_regions=true_regions,
        scores=score(predictions),
        sources={source: score([p for p in predictions if p.source == source]) for source in sources},
        predictions=tuple(predictions),
    )


def _predict(entry: IndexPage, settings: Settings, detector: Detector | None, scratch: Path) -> PagePrediction:
    from revista import context, regions, text

    width, height, seconds = entry.width or 0, entry.height or 0, 0.0
    found, linked = Regions(), Contexts()
    problems: tuple[Problem, ...] = ()
    try:
        image, page = open_page(entry, scratch, settings.run.page_timeout)
        width, height = page.width, page.height
        if detector is None:
            found = true_pictures(entry, width, height)
        else:
            found = regions.run(image, page, settings.regions, detector)
        read = text.run(image, page, found, settings.text, settings.run.page_timeout)
        started = time.perf_counter()
        linked = context.run(page.number, found, read, None, settings.context)
        seconds = time.perf_counter() - started
        problems = (*found.problems, *read.problems, *linked.problems)
    except BadInput as error:
        problems = (Problem.from_error(error, context.NAME, entry.page or 1),)
    return compare(entry, found, linked, width, height, round(seconds, 4), problems)


def compare(
    entry: IndexPage,
    regions: Regions,
    contexts: Contexts,
    width: int,
    height: int,
    seconds: float = 0.0,
    problems: tuple[Problem, ...] = (),
) -> PagePrediction:
    """What was linked on a page of `width` x `height` pixels, beside its truth."""
    truth = boxes_by_index(entry, width, height)
    names = _matched(regions.pictures, truth)
    captions = [
        c.model_copy(update={"box": entry.scaled(c.box, width, height)}) if c.box else c for c in entry.captions
    ]
    got = {picture.picture: _given(picture, names.get(picture.picture, -1), captions) for picture in contexts.pictures}

    def owners(number: int, *, read: bool = False) -> tuple[int, ...]:
        return tuple(
            sorted(
                names.get(picture, -1)
                for picture, given in got.items()
                if number in (given.read if read else given.all)
            )
        )

    told = tuple(
        TrueCaption(
            text=caption.text,
            illustrations=caption.illustrations,
            linked=owners(number),
            right=owners(number) == caption.illustrations,
            read=owners(number) == caption.illustrations == owners(number, read=True),
        )
        for number, caption in enumerate(captions)
    )
    captioned = {i for caption in captions for i in caption.illustrations}
    bare = [p for p in contexts.pictures if (i := names.get(p.picture)) is not None and i not in captioned]
    per_picture = {i: [t.right for t in told if i in t.illustrations] for i in captioned}
    several = [all(rights) for rights in per_picture.values() if len(rights) > 1]
    kinds = [
        look == entry.illustrations[names[region.id]].kind
        for region in regions.pictures
        if (look := region.look) and region.id in names and entry.illustrations[names[region.id]].kind
    ]
    return PagePrediction(
        file=entry.name,
        page=entry.page,
        source=entry.source,
        captions=told,
        links=tuple(_links(contexts, names, got, captions)),
        bare=len(bare),
        bare_right=sum(p.caption is None for p in bare),
        several=len(several),
        several_right=sum(several),
        kinds=len(kinds),
        kinds_right=sum(kinds),
        seconds=seconds,
        problems=problems,
    )


class _Given(Frozen):
    """Which true captions (indices) a picture's print is, those whose text was read, and whether it is more."""

    all: frozenset[int] = frozenset()
    read: frozenset[int] = frozenset()
    foreign: bool = False  # a part of it is no caption at all


def _matched(found: Sequence[Region], truth: dict[int, Box]) -> dict[str, int]:
    """The true picture (index) for which each found one (id) stands."""
    pairs = sorted(
        ((region.box.iou(box), region.id, i) for region in found for i, box in truth.items()),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    names: dict[str, int] = {}
    for iou, name, i in pairs:
        if iou >= IOU and name not in names and i not in names.values():
            names[name] = i
    return names


def _given(picture: PictureContext, index: int, captions: Sequence[PrintedCaption]) -> _Given:
    if picture.caption is None:
        return _Given()
    own = [n for n, caption in enumerate(captions) if index in caption.illustrations]
    if own and alike(picture.caption.text, " ".join(captions[n].text for n in own)) >= ALIKE:
        return _Given(all=frozenset(own), read=frozenset(own))
    every, read, foreign = set(), set(), False
    for part in _parts(picture):
        spots = [hull(part.boxes).iou(c.box) if c.box else 0.0 for c in captions]
        likeness, _, best = max(  # two captions may say the same
            ((alike(part.text, c.text), spots[n], -n) for n, c in enumerate(captions)), default=(0.0, 0.0, 0)
        )
        near, place = max(((spot, -n) for n, spot in enumerate(spots)), default=(0.0, 0))
        if likeness >= ALIKE:
            every.add(-best)
            read.add(-best)
        elif near >= IOU:
            every.add(-place)
        else:
            foreign = True
    return _Given(all=frozenset(every), read=frozenset(read), foreign=foreign)


def _parts(picture: PictureContext) -> Iterable[Quote]:
    whole = (picture.caption,) if picture.caption else ()
    return picture.caption_parts or whole


def alike(found: str, truth: str) -> float:
    """How alike two texts are, 0.0 to 100.0, by their letters and digits alone, in small letters."""
    from rapidfuzz import fuzz

    plain = ["".join(sign for sign in normalise(text).casefold() if sign.isalnum()) for text in (found, truth)]
    return float(fuzz.ratio(*plain)) if all(plain) else 0.0


def _links(
    contexts: Contexts, names: dict[str, int], got: dict[str, _Given], captions: Sequence[PrintedCaption]
) -> Iterable[FoundLink]:
    told: set[str] = set()
    for picture in contexts.pictures:
        if picture.caption is None or picture.picture in told:
            continue
        group = {picture.picture, *picture.caption_shared_with}
        told |= group
        given = got[picture.picture]
        indices = tuple(sorted(names.get(name, -1) for name in group))
        yield FoundLink(
            text=picture.caption.text,
            illustrations=indices,
            captions=max(1, len(picture.caption_parts)),
            confidence=picture.caption_confidence,
            runner_up=picture.caption_runner_up.text if picture.caption_runner_up else None,
            runner_up_confidence=picture.caption_runner_up_confidence,
            right=bool(given.all)
            and not given.foreign
            and all(captions[number].illustrations == indices for number in given.all),
        )
