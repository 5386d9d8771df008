"""`revista evaluate ranking`: who should speak for a picture, with print nearby that helps, misleads, or is not there.

The print is one person's caption in Spanish, as if it were the printed caption: the picture's own (helpful), or that of
the next picture in the list (misleading). What each strategy says is measured against the picture's other captions.
Windows of print are translated for that, and for nothing else. Captioner, ranker and matcher are asked as the stages
do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np

from revista import cues, translation
from revista.errors import BadArguments, BadInput, ModelError
from revista.evaluation import coco
from revista.geometry import Box
from revista.ranking import RankingRequest, Scores
from revista.ranking.mix import Printed
from revista.ranking.strategies import NOTHING_PRINTED, rank
from revista.records import Candidate, Frozen, PictureContext, Quote
from revista.settings import RankingSettings, Settings, Strategy

if TYPE_CHECKING:
    from rich.console import Group

    from revista.training.data import CaptionData
    from revista.translation import Translator

PrintKind = Literal["none", "helpful", "misleading"]
PRINTS: tuple[PrintKind, ...] = get_args(PrintKind)
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

ResultT = TypeVar("ResultT")
_Print = tuple[str, cues.Expected]  # a printed caption, and what it lets one expect

_CHUNK = 32  # pictures in memory at once
_BOX = Box(0, 0, 1, 1)
_LINES = 1000  # captions translated in one run


@dataclass(frozen=True)
class Look:
    """What is known of a picture with one kind of print nearby."""

    picture: str
    print: PrintKind
    found: tuple[Candidate, ...]  # sentences, and windows behind them
    scores: Scores  # of each
    printed: Printed


class Row(Frozen):
    """What a strategy says with one kind of print."""

    strategy: Strategy
    print: PrintKind
    silent: int  # pictures of which it says nothing
    windows: int  # pictures for which it takes print
    scores: coco.CocoScores | None  # None where it says nothing of any picture
    against_none: float | None  # CIDEr above that of the same strategy without print, as a share


class Said(Frozen):
    """What was said about a picture."""

    image: str
    references: tuple[str, ...]
    helpful: str  # print
    misleading: str
    said: dict[str, dict[str, str]]  # by strategy and print, in the captioner's language


class RankingEvaluation(Frozen):
    """The strategies compared."""

    captioner: str
    ranker: str
    matcher: str | None
    split: str
    pictures: int
    rows: tuple[Row, ...]
    predictions: tuple[Said, ...]

    def table(self) -> Group:
        """For the terminal."""
        from rich.console import Group
        from rich.table import Table

        shown = Table("strategy", "print", "CIDEr", "against none", "BLEU-4", "METEOR", "print taken", box=None)
        for row in self.rows:
            own = row.scores
            figures = ("-", "-", "-") if own is None else (f"{own.cider:.4f}", f"{own.bleu_4:.4f}", f"{own.meteor:.4f}")
            change = "-" if row.against_none is None else f"{row.against_none:+.1%}"
            shown.add_row(
                row.strategy, row.print, figures[0], change, *figures[1:], f"{row.windows / self.pictures:.1%}"
            )
        models = " with ".join(name for name in (self.captioner, self.ranker, self.matcher) if name)
        return Group(f"{self.pictures} pictures of {self.split}; {models}", shown)


def evaluate_ranking(
    data: CaptionData,
    settings: Settings,
    *,
    spanish: CaptionData | None = None,
    split: str = "test",
    limit: int | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> RankingEvaluation:
    """Compare the strategies on the pictures of a split.

    Args:
        data: pictures, captions in the captioner's language, split lists.
        settings: which models, prompts, cues and weights.
        spanish: the same captions in Spanish; None: translated as descriptions are.
        split: which list.
        limit: only the first so many pictures of it.
        on_picture: called after each picture.

    Raises:
        MissingWeights: the settings name no captioner or no ranker, or a model is not at hand.
        MissingProgram: Java, pycocoevalcap or Apertium is missing.
        BadArguments: fewer than two pictures.
        BadInput: a picture has fewer than two captions, or the data cannot be read.
        ModelError: a model failed on a picture.
    """
    coco.require(settings.captions.language)
    witness = Witness(settings)
    names, references, own = wanted(data, spanish, split, limit)
    looks = witness.look(data, names, own, on_picture)
    return _measured(witness, looks, names, references, own, split, settings)


def wanted(
    data: CaptionData, spanish: CaptionData | None, split: str, limit: int | None
) -> tuple[list[str], dict[str, tuple[str, ...]], list[str]]:
    """The pictures, the captions that they are measured against, and the print that helps each.

    Raises:
        BadArguments: fewer than two pictures.
        BadInput: a picture has fewer than two captions.
    """
    names = data.names(split)[:limit]
    if len(names) < 2:
        raise BadArguments(f"too few pictures: {len(names)}", "Give at least 2: one misleads about the other.")
    texts = data.texts
    if few := [name for name in names if len([text for text in texts.get(name, ()) if text]) < 2]:
        raise BadInput(
            f"{len(few)} of {len(names)} pictures have fewer than two captions, the first is {few[0]}",
            "One is printed, and the others are measured against.",
        )
    if spanish is not None:
        printed = [next(iter(spanish.texts.get(name, ())), "") for name in names]
        if "" in printed:
            raise BadInput(
                f"{names[printed.index('')]} has no caption in {spanish.captions}",
                "Make the file with revista train translate.",
            )
    else:
        printed = _in_spanish([texts[name][0] for name in names])
    return names, {name: tuple(text for text in texts[name][1:] if text) for name in names}, printed


def _in_spanish(texts: Sequence[str]) -> list[str]:
    from revista.spanish import lines_to_spanish
    from revista.training.vocabulary import plain

    made = []
    for start in range(0, len(texts), _LINES):
        made += [one.text for one in lines_to_spanish([plain(t) for t in texts[start : start + _LINES]], 300)]
    return [text[:1].upper() + text[1:] for text in made]


class Witness:
    """The models, asked as the stages ask them."""

    def __init__(self, settings: Settings) -> None:
        """Load captioner, ranker and matcher of the settings."""
        from revista import captions, ranking

        self._settings = settings
        device = settings.run.device
        self.captioner = captions.load(settings.captions, device, endpoint_timeout=settings.run.endpoint_timeout)
        self.reader = translation.load(settings.captions.translator, device, cues.PAIR)
        self.ranker = ranking.load(settings.ranking, device)
        self.matcher = ranking.load_matcher(settings.ranking, device) if settings.ranking.matcher else None

    def look(
        self, data: CaptionData, names: Sequence[str], own: Sequence[str], on_picture: Callable[[], None]
    ) -> list[Look]:
        """Each picture with each kind of print; a picture's print misleads about the picture before it.

        Raises:
            ModelError: a model failed on a picture.
        """
        options = self._settings.captions
        timeout = self._settings.run.page_timeout
        expected = []
        for start in range(0, len(own), _LINES):
            contexts = [_context(text) for text in own[start : start + _LINES]]
            expected += cues.expect(contexts, options.language, options.cues, timeout, self.reader)
        printed = list(zip(own, expected, strict=True))
        misleading = [*printed[1:], printed[0]]
        looks: list[Look] = []
        for start in range(0, len(names), _CHUNK):
            part = slice(start, start + _CHUNK)
            looks += self._chunk(data, names[part], printed[part], misleading[part])
            for _ in names[part]:
                on_picture()
        return looks

    def _chunk(
        self,
        data: CaptionData,
        names: Sequence[str],
        helpful: Sequence[_Print],
        misleading: Sequence[_Print],
    ) -> list[Look]:
        from revista.captions import CaptionRequest, picture_seed

        options = self._settings.captions
        images = [data.read(name) for name in names]
        seeds = [picture_seed(options.seed, name) for name in names]
        asked = [CaptionRequest(image, options.prompts, seed) for image, seed in zip(images, seeds, strict=True)]
        free = [_whole(one) for one in self.captioner.predict(asked)]
        looks = self._scored("none", names, images, free, [None] * len(names))
        kinds: tuple[tuple[PrintKind, Sequence[_Print]], ...] = (("helpful", helpful), ("misleading", misleading))
        for kind, prints in kinds:
            more = [
                CaptionRequest(image, (), seed, None, expected.cues, expected.words)
                for image, seed, (_, expected) in zip(images, seeds, prints, strict=True)
            ]
            # An error says that the captioner knows no word of the print.
            suggested = [() if isinstance(one, ModelError) else one for one in self.captioner.predict(more)]
            both = [_together(*pair) for pair in zip(free, suggested, strict=True)]
            looks += self._scored(kind, names, images, both, prints)
        return looks

    def _scored(
        self,
        kind: PrintKind,
        names: Sequence[str],
        images: Sequence[np.ndarray],
        said: Sequence[tuple[Candidate, ...]],
        prints: Sequence[_Print | None],
    ) -> list[Look]:
        found = [(*own, *(() if one is None else self._windows(one[0]))) for own, one in zip(said, prints, strict=True)]
        known = [NOTHING_PRINTED if one is None else self._printed(*one) for one in prints]
        requests = [
            RankingRequest(image, tuple(one.text for one in own), printed.texts)
            for image, own, printed in zip(images, found, known, strict=True)
        ]
        scores = [_whole(one) for one in self.ranker.predict(requests)]
        if self.matcher is not None:
            odds = [_whole(one) for one in self.matcher.predict(requests)]
            scores = [replace(one, matching=odd) for one, odd in zip(scores, odds, strict=True)]
        return [Look(*one) for one in zip(names, [kind] * len(names), found, scores, known, strict=True)]

    def _windows(self, text: str) -> list[Candidate]:
        from revista.context import windows_of

        options = self._settings.context
        parts = windows_of(text.split(), options.window_words, options.window_overlap)
        return [Candidate(text=" ".join(part), language="es", source="window", quote=_quote(text)) for part in parts]

    def _printed(self, text: str, expected: cues.Expected) -> Printed:
        language = self._settings.captions.language
        told = expected.translation or "" if language == "en" else text
        texts = (text, expected.translation) if expected.translation else (text,)
        return Printed(texts, cues.content_words(told, language))


def _context(text: str) -> PictureContext:
    return PictureContext(picture="0001-r01", box=_BOX, caption=_quote(text), caption_confidence=1.0)


def _quote(text: str) -> Quote:
    return Quote(text=text, page=1, boxes=(_BOX,), confidence=1.0)


def _whole(result: ResultT | ModelError) -> ResultT:
    if isinstance(result, ModelError):
        raise result
    return result


def _together(free: Sequence[Candidate], suggested: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """As one request would give them: no text twice."""
    unique: dict[str, Candidate] = {}
    for one in (*free, *suggested):
        unique.setdefault(one.text, one)
    return tuple(unique.values())


def _measured(
    witness: Witness,
    looks: Sequence[Look],
    names: Sequence[str],
    references: dict[str, tuple[str, ...]],
    own: Sequence[str],
    split: str,
    settings: Settings,
) -> RankingEvaluation:
    chosen: dict[tuple[Strategy, PrintKind], dict[str, Candidate | None]] = {}
    for strategy in STRATEGIES:
        options = settings.ranking.model_copy(update={"strategy": strategy})
        for look in looks:
            chosen.setdefault((strategy, look.print), {})[look.picture] = choose(look, options, witness.ranker.scale)
    said = _translated(chosen, witness.reader, settings)
    distinct: list[dict[str, str]] = []
    for system in said.values():
        if any(system.values()) and system not in distinct:
            distinct.append(system)
    measured = coco.measure(references, distinct, settings.captions.language)
    rows = []
    for (strategy, kind), system in said.items():
        scores = measured[distinct.index(system)] if system in distinct else None
        base = said[strategy, "none"]
        without = measured[distinct.index(base)].cider if base in distinct else None
        rows.append(
            Row(
                strategy=strategy,
                print=kind,
                silent=sum(not text for text in system.values()),
                windows=sum(one is not None and one.source == "window" for one in chosen[strategy, kind].values()),
                scores=scores,
                against_none=scores.cider / without - 1 if scores and without and kind != "none" else None,
            )
        )
    predictions = [
        Said(
            image=name,
            references=references[name],
            helpful=own[i],
            misleading=own[(i + 1) % len(own)],
            said={strategy: {kind: said[strategy, kind][name] for kind in PRINTS} for strategy in STRATEGIES},
        )
        for i, name in enumerate(names)
    ]
    return RankingEvaluation(
        captioner=witness.captioner.name,
        ranker=witness.ranker.name,
        matcher=witness.matcher.name if witness.matcher else None,
        split=split,
        pictures=len(names),
        rows=tuple(rows),
        predictions=tuple(predictions),
    )


def choose(look: Look, options: RankingSettings, scale: float) -> Candidate | None:
    """Who speaks for a picture; None where nobody does."""
    best = rank(look.found, look.scores, scale, options, look.printed).chosen
    return None if best is None else best.candidate


def _translated(
    chosen: dict[tuple[Strategy, PrintKind], dict[str, Candidate | None]], reader: Translator, settings: Settings
) -> dict[tuple[Strategy, PrintKind], dict[str, str]]:
    """What is said, in the captioner's language; "" where nothing is."""
    english: dict[str, str] = {}
    if settings.captions.language == "en":
        spanish = {
            c.text for system in chosen.values() for c in system.values() if c is not None and c.language == "es"
        }
        lines = sorted(spanish)
        for start in range(0, len(lines), _LINES):
            part = lines[start : start + _LINES]
            made = reader.translate_lines(part, settings.run.page_timeout)
            english.update((old, new.text) for old, new in zip(part, made, strict=True))
    return {
        key: {name: "" if one is None else english.get(one.text, one.text) for name, one in system.items()}
        for key, system in chosen.items()
    }
