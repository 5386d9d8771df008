"""Stage 6: which candidates belong to a picture.

The captioner's sentences and the windows of nearby print are scored against the picture by a dual encoder such as
CLIP, behind the Protocol `Ranker`. Sentences and print are two groups, each with probabilities of its own: the
description may speak from the best sentence, and quote the best passage where it stands out clearly enough. The same
encoder says what kind of picture it is: see `kinds`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from revista.devices import BATCH, torch_software
from revista.errors import BadInput, Category, MissingWeights, ModelError, RevistaError
from revista.images import crops
from revista.ranking import reliability
from revista.ranking.kinds import TEXTS, judge, probabilities
from revista.records import (
    Candidate,
    Candidates,
    Contexts,
    Kind,
    PictureCandidates,
    PictureContext,
    PictureRanking,
    Problem,
    Ranking,
    ScoredCandidate,
    page_of,
)
from revista.settings import RankingSettings, Reliability
from revista.weights import find_weights

NAME = "ranking"
VERSION = "3"

NOT_RANKED = "not ranked by a model"
NO_WEIGHTS = f"{NOT_RANKED}: no ranker weights"
NOTHING_TO_RANK = "nothing to rank: no captions and no print nearby"


@dataclass(frozen=True)
class RankingRequest:
    """A picture and the texts that may belong to it."""

    image: np.ndarray  # (height, width, 3), uint8, RGB
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """How well each text of a request fits its picture."""

    similarities: tuple[float, ...]  # cosine, -1.0 to 1.0, one a text
    cut: tuple[int, ...] = ()  # indices of the texts of which the model read only the beginning


class Ranker(Protocol):
    """A model that scores texts against a picture."""

    @property
    def name(self) -> str:
        """What records call it."""

    @property
    def scale(self) -> float:
        """What a similarity is multiplied with before the softmax, as the model was trained."""

    def predict(self, requests: Sequence[RankingRequest]) -> list[Scores | ModelError]:
        """Scores or an error for each request, in order; safe to call from threads."""


def software(options: RankingSettings) -> dict[str, str]:
    """Versions of what the ranking depends on; empty where the settings name no model."""
    if not options.model:
        return {}
    try:
        kind = find_weights(options.model).config().get("model_type")
    except MissingWeights:  # the caller learns of it from `weights`
        kind = None
    processor = "SiglipImageProcessorPil" if kind == "siglip" else "CLIPImageProcessorPil"
    return {**torch_software(), "image_processor": processor}


def weights(options: RankingSettings) -> dict[str, str]:
    """Hex sha256 of the ranker's files, by name; empty where the settings name no model.

    Raises:
        MissingWeights: the settings name a model that is not at hand.
    """
    return find_weights(options.model).hashes() if options.model else {}


def load(options: RankingSettings, device: str, batch: int = BATCH) -> Ranker:
    """The ranker that the settings name, on `device`, for up to `batch` pictures at once (as in the group `run`).

    Raises:
        MissingWeights: the settings name none, it is not at hand, or it is not a CLIP, MetaCLIP 2 or SigLIP one.
        BadArguments: there is no such device.
    """
    if not options.model:
        raise MissingWeights("no ranker weights", "Name a CLIP checkpoint in the setting ranking.model.")
    from revista.ranking.clip import Clip

    return Clip(find_weights(options.model), device, batch)


def run(
    image: Path,
    contexts: Contexts,
    candidates: Candidates,
    options: RankingSettings,
    ranker: Ranker | None,
    reason: str | None,
) -> Ranking:
    """The candidates of each picture of a page, best first.

    With a ranker, candidates stand in the order of `best_first`, and `window` is the best passage where its
    probability reaches `options.min_window_probability`; a passage without a rival is never taken, since a softmax
    over one is 1 whatever the picture shows. Without a ranker, or where it fails on a picture, the captioner's own
    log-probabilities decide, the windows follow as printed, and no probability is claimed.

    Args:
        image: the page image.
        contexts: the pictures of the page with their windows of nearby print.
        candidates: the captioner's candidates.
        options: the least probability of a window.
        ranker: the model, None where there is none.
        reason: why there is no ranker; `NO_WEIGHTS` where it is not given.

    Returns:
        One `PictureRanking` a picture, in the order of `contexts`; `reason` says what is lacking and why.
    """
    said = {one.picture: one for one in candidates.pictures}
    texts = [_gather(picture, said.get(picture.picture)) for picture in contexts.pictures]
    results: list[Scores | RevistaError | None] = [None] * len(texts)
    problems: list[Problem] = []
    if ranker is not None and texts:
        try:
            results = _score(image, contexts, texts, ranker)
        except BadInput as error:
            problems.append(Problem.from_error(error, NAME, page_of(contexts.pictures[0].picture)))
            results = [BadInput("the page image cannot be read")] * len(texts)
        else:
            for picture, result in zip(contexts.pictures, results, strict=True):
                problems += _problems(picture.picture, result)

    ranked = []
    for picture, found, scores in zip(contexts.pictures, texts, results, strict=True):
        lacking = said[picture.picture].reason if picture.picture in said else None
        kinds, kind = None, None
        if isinstance(scores, Scores) and ranker is not None:
            kinds = probabilities(scores.similarities[len(found) :], ranker.scale)
            kind = judge(kinds, options.min_kind_probability)
        if not found:
            ranked.append(PictureRanking(picture=picture.picture, kind=kind, reason=lacking or NOTHING_TO_RANK))
        elif isinstance(scores, Scores) and ranker is not None and kinds is not None:
            ordered = best_first(found, scores, ranker.scale, options.captioner_trust)
            if options.reliability is not None:
                ordered = [_judged(one, kinds, options.reliability) for one in ordered]
            one = _ranking(picture.picture, ordered, lacking, options.min_window_probability)
            ranked.append(one.model_copy(update={"kind": kind}))
        else:
            why = f"{NOT_RANKED}: {scores.message}" if isinstance(scores, RevistaError) else reason or NO_WEIGHTS
            reasons = "; ".join(r for r in (lacking, why) if r)
            ranked.append(_ranking(picture.picture, _by_log_probability(found), reasons, None))
    return Ranking(ranker=ranker.name if ranker is not None else None, pictures=tuple(ranked), problems=tuple(problems))


def _score(
    image: Path, contexts: Contexts, texts: Sequence[Sequence[Candidate]], ranker: Ranker
) -> list[Scores | RevistaError | None]:
    """Scores of each picture's texts and of the kinds' sentences behind them, or an error.

    Raises:
        BadInput: the page cannot be read.
    """
    parts = crops(image, [picture.box for picture in contexts.pictures])
    results: list[Scores | RevistaError | None] = [part if isinstance(part, RevistaError) else None for part in parts]
    requests = {
        i: RankingRequest(part, (*(candidate.text for candidate in found), *TEXTS))
        for i, (part, found) in enumerate(zip(parts, texts, strict=True))
        if not isinstance(part, RevistaError)
    }
    for i, result in zip(requests, ranker.predict(list(requests.values())), strict=True):
        results[i] = result
    return results


def _gather(context: PictureContext, said: PictureCandidates | None) -> list[Candidate]:
    """The captioner's candidates for a picture, then the windows of nearby print, no text twice in a group."""
    unique = {(c.source, c.text): c for c in reversed(said.candidates if said else ())}
    found = list(reversed(unique.values()))
    windows = {quote.text: quote for quote in reversed(context.windows) if quote.text.strip()}
    found += [
        Candidate(text=text, language="es", source="window", quote=quote) for text, quote in reversed(windows.items())
    ]
    return found


def _problems(picture: str, result: Scores | RevistaError | None) -> list[Problem]:
    """What is to be told about a picture's scores: the error, or which texts were cut."""
    if isinstance(result, RevistaError):
        return [Problem.from_error(result, NAME, page_of(picture), picture)]
    if result is None or not result.cut:
        return []
    return [
        Problem(
            stage=NAME,
            category=Category.REDUCED,
            message=f"{len(result.cut)} of {len(result.similarities) - len(TEXTS)} texts are longer than the ranker "
            "reads; they were ranked by their beginning",
            hint="Lower the setting context.window_words where this happens often.",
            page=page_of(picture),
            item=picture,
        )
    ]


def best_first(found: Sequence[Candidate], scores: Scores, scale: float, trust: float) -> list[ScoredCandidate]:
    """The candidates with their scores, best first; ties stay as they stood.

    A candidate's value is its similarity times `scale`; one of the captioner's also loses `trust` times what its
    log-probability lacks to the captioner's best. A ranker alone is easily taken in by a strange sentence that names
    the right things. The probabilities are the softmax of the values within each group.

    Args:
        found: sentences of a captioner, and windows of print.
        scores: of each, in the same order; further scores are left alone.
        scale: of the ranker; see `Ranker`.
        trust: the setting `ranking.captioner_trust`.
    """
    said = [c.log_probability for c in found if c.source == "captioner" and c.log_probability is not None]
    values = [scale * similarity for similarity in scores.similarities[: len(found)]]
    for i, candidate in enumerate(found):
        if candidate.source == "captioner" and candidate.log_probability is not None:
            values[i] -= trust * (max(said) - candidate.log_probability)
    probabilities = [0.0] * len(found)
    for source in ("captioner", "window"):
        rows = [i for i, candidate in enumerate(found) if candidate.source == source]
        for i, probability in zip(rows, softmax([values[i] for i in rows]), strict=True):
            probabilities[i] = round(probability, 4)
    order = sorted(range(len(found)), key=lambda i: -values[i])
    return [
        ScoredCandidate(candidate=found[i], similarity=scores.similarities[i], probability=probabilities[i])
        for i in order
    ]


def _judged(one: ScoredCandidate, kinds: Mapping[Kind, float], weights: Reliability) -> ScoredCandidate:
    """The candidate with how likely it is right, where that can be said."""
    said = one.candidate.log_probability
    if one.candidate.source != "captioner" or said is None or one.similarity is None:
        return one
    looked_at = reliability.features(one.similarity, said, kinds)
    return one.model_copy(update={"reliability": reliability.chance(weights, looked_at)})


def _by_log_probability(found: Sequence[Candidate]) -> list[ScoredCandidate]:
    """The candidates in the order of the captioner's own scores; those without one follow as they stood."""

    def doubt(candidate: Candidate) -> float:
        return math.inf if candidate.log_probability is None else -candidate.log_probability

    return [ScoredCandidate(candidate=candidate) for candidate in sorted(found, key=doubt)]


def _ranking(
    picture: str, ordered: list[ScoredCandidate], reason: str | None, min_window_probability: float | None
) -> PictureRanking:
    """The ranking of a picture; no window is taken where `min_window_probability` is None."""
    groups: dict[Literal["captioner", "window"], list[ScoredCandidate]] = {"captioner": [], "window": []}
    for one in ordered:
        groups[one.candidate.source].append(one)
    windows = groups["window"]
    stands_out = (
        min_window_probability is not None
        and len(windows) > 1
        and (windows[0].probability or 0.0) >= min_window_probability
    )
    return PictureRanking(
        picture=picture,
        ranked=tuple(ordered),
        chosen=groups["captioner"][0] if groups["captioner"] else None,
        window=windows[0] if stands_out else None,
        reason=reason or None,
    )


def softmax(values: Sequence[float]) -> list[float]:
    """The softmax of `values`: positive, in sum 1.0; no values give none."""
    if not values:
        return []
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    total = sum(powers)
    return [power / total for power in powers]
