"""What the stages captions and ranking find: sentences that may describe a picture, and the best of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from revista.records.base import Body, Confidence, Frozen
from revista.records.context import Quote


class Kind(StrEnum):
    """What kind of picture it is."""

    PEOPLE = "people"  # a photograph of people
    PORTRAIT = "portrait"
    GROUP = "group"
    BUILDING = "building"
    LANDSCAPE = "landscape"
    VEHICLE = "vehicle"
    ANIMAL = "animal"
    INTERIOR = "interior"
    ARTWORK = "artwork"
    DRAWING = "drawing"
    CARICATURE = "caricature"
    ADVERTISEMENT = "advertisement"
    ORNAMENT = "ornament"
    UNCERTAIN = "uncertain"


class Cue(Frozen):
    """What the print near a picture lets one expect to see, in the captioner's language."""

    text: str  # how a caption may begin ("two children"), or words that it may hold ("bride, church")
    kind: Literal["picture", "people", "animal", "vehicle", "place", "event", "object", "words"]
    printed: str  # the words of the print that it comes from
    origin: Literal["caption", "heading", "paragraph"]


class Candidate(Frozen):
    """A sentence that may describe a picture, and who proposes it."""

    text: str
    language: Literal["en", "es"]
    source: Literal["captioner", "window"]
    prompt: str = ""
    seed: int | None = None  # set where the candidate was sampled
    cue: Cue | None = None  # of a captioner's candidate that the print suggested; None: it was left free
    # mean per token of all that `text` says, a cue's words included; natural logarithm
    log_probability: float | None = None
    quote: Quote | None = None  # set where the candidate is a window of the print
    kind: Kind | None = None  # of picture, as a model says that was asked for it
    confidence: Confidence | None = None  # as such a model says of its own answer: not calibrated
    withheld: tuple[str, ...] = ()  # why sentences of such a model's answer were left out, where some were


class PictureCandidates(Frozen):
    """The candidates for a picture; where there are none, `reason` says why."""

    picture: str
    candidates: tuple[Candidate, ...] = ()
    translation: str | None = None  # of the printed caption (or heading) into the captioner's language
    reason: str | None = None


class Candidates(Body):
    """Candidates for each picture of a page; `captioner` names the model, None where there was none."""

    captioner: str | None = None
    pictures: tuple[PictureCandidates, ...] = ()


class ScoredCandidate(Frozen):
    """A candidate with the ranker's score among the candidates of its picture."""

    candidate: Candidate
    similarity: float | None = None  # cosine between picture and text, -1.0 to 1.0
    probability: Confidence | None = None  # softmax over the picture's candidates of the same source
    agreement: float | None = None  # cosine between text and the print that tells of the picture, -1.0 to 1.0
    matching: float | None = None  # log-odds by a matcher that the text is about the picture
    reliability: Confidence | None = None  # how likely a captioner's sentence is right; None where nobody knows


class PictureKind(Frozen):
    """A ranker's guess at a picture's kind; `kind` is uncertain where the guess is not sure enough to be told."""

    kind: Kind
    likeliest: Kind  # the best guess, also where it is not sure enough
    confidence: Confidence  # the probability of `likeliest` among all kinds


class PictureRanking(Frozen):
    """The candidates of a picture, best first; `chosen` is the one that the description may speak from.

    It is a sentence of the captioner, or with some strategies a window of the print, which is then `window` too.
    """

    picture: str
    ranked: tuple[ScoredCandidate, ...] = ()
    chosen: ScoredCandidate | None = None
    window: ScoredCandidate | None = None  # the passage of nearby print that belongs best to the picture
    belonging: Confidence | None = None  # how likely caption or heading is about the picture; None where nobody knows
    kind: PictureKind | None = None  # None where there was no ranker
    reason: str | None = None


class Ranking(Body):
    """Ranked candidates for each picture of a page; `ranker` names the model, None where there was none."""

    ranker: str | None = None
    pictures: tuple[PictureRanking, ...] = ()
