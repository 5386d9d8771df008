"""Stage 6: which candidates belong to a picture.

The captioner's sentences and the windows of nearby print are scored against the picture by a dual encoder such as
CLIP, behind the Protocol `Ranker`, and against the print that most likely tells of it. Sentences and windows are two
groups, each with probabilities of its own: the description may speak from the best sentence, and quote the best passage
where it stands out clearly enough. Who is chosen is the strategy's to say: see `strategies`, and `mix` for our own. The
same encoder says what kind of picture it is: see `kinds`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from revista.cues import content_words, spoken_of
from revista.devices import BATCH, torch_software
from revista.errors import BadInput, MissingWeights, ModelError, RevistaError
from revista.images import crops
from revista.ranking import reliability
from revista.ranking.kinds import TEXTS, judge, probabilities
from revista.ranking.mix import Printed
from revista.ranking.strategies import Ranked, Scores, rank, softmax
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

if TYPE_CHECKING:
    from revista.ranking.matching import Matcher

__all__ = ["NAME", "VERSION", "Ranker", "RankingRequest", "Scores", "load", "rank", "run", "softmax", "weights"]

NAME = "ranking"
VERSION = "4"

NOT_RANKED = "not ranked by a model"
NO_WEIGHTS = f"{NOT_RANKED}: no ranker weights"
NOTHING_TO_RANK = "nothing to rank: no captions and no print nearby"
NOTHING_PRINTED = "nothing chosen: the strategy takes print, and there is none nearby"


@dataclass(frozen=True)
class RankingRequest:
    """A picture and the texts that may belong to it."""

    image: np.ndarray  # (height, width, 3), uint8, RGB
    texts: tuple[str, ...]
    printed: tuple[str, ...] = ()  # what tells of the picture: as printed, and translated


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
    """Hex sha256 of the files of ranker and matcher, by name; empty where the settings name no model.

    Raises:
        MissingWeights: the settings name a model that is not at hand.
    """
    own = find_weights(options.model).hashes() if options.model else {}
    more = find_weights(options.matcher).hashes() if options.model and options.matcher else {}
    return {**own, **{f"matcher/{name}": sha256 for name, sha256 in more.items()}}


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


def load_matcher(options: RankingSettings, device: str) -> Matcher:
    """The matcher that the settings name, on `device`.

    Raises:
        MissingWeights: the settings name none, it is not at hand, or it is no BLIP checkpoint with a matching head.
        BadArguments: there is no such device.
    """
    if not options.matcher:
        raise MissingWeights("no matcher weights", "Name a BLIP checkpoint in the setting ranking.matcher.")
    from revista.ranking.matching import Matcher

    return Matcher(find_weights(options.matcher), device)


def run(
    image: Path,
    contexts: Contexts,
    candidates: Candidates,
    options: RankingSettings,
    ranker: Ranker | None,
    reason: str | None,
    matcher: Matcher | None = None,
) -> Ranking:
    """The candidates of each picture of a page, best first.

    With a ranker, candidates stand in the order of `strategies.rank`, and `window` is the best passage where its
    probability reaches `options.min_window_probability`; a passage without a rival is never taken, since a softmax
    over one is 1 whatever the picture shows, unless the strategy chooses it. Without a ranker, or where it fails on a
    picture, the captioner's own log-probabilities decide, the windows follow as printed, and no probability is claimed.

    Args:
        image: the page image.
        contexts: the pictures of the page with their windows of nearby print.
        candidates: the captioner's candidates.
        options: strategy, weights, the least probability of a window.
        ranker: the model, None where there is none.
        reason: why there is no ranker; `NO_WEIGHTS` where it is not given.
        matcher: a second opinion on the captioner's sentences; it counts as much as `options.mix` says.

    Returns:
        One `PictureRanking` a picture, in the order of `contexts`; `reason` says what is lacking and why.
    """
    said = {one.picture: one for one in candidates.pictures}
    texts = [_gather(picture, said.get(picture.picture)) for picture in contexts.pictures]
    prints = [_printed(picture, said.get(picture.picture)) for picture in contexts.pictures]
    results: list[Scores | RevistaError | None] = [None] * len(texts)
    problems: list[Problem] = []
    if ranker is not None and texts:
        try:
            results = _score(image, contexts, texts, prints, ranker, matcher)
        except BadInput as error:
            problems.append(Problem.from_error(error, NAME, page_of(contexts.pictures[0].picture)))
            results = [BadInput("the page image cannot be read")] * len(texts)
        else:
            for picture, result in zip(contexts.pictures, results, strict=True):
                if isinstance(result, RevistaError):
                    problems.append(Problem.from_error(result, NAME, page_of(picture.picture), picture.picture))

    ranked = []
    for picture, found, printed, scores in zip(contexts.pictures, texts, prints, results, strict=True):
        lacking = said[picture.picture].reason if picture.picture in said else None
        kinds, kind = None, None
        if isinstance(scores, Scores) and ranker is not None:
            kinds = probabilities(scores.similarities[len(found) :], ranker.scale)
            kind = judge(kinds, options.min_kind_probability)
        if not found:
            ranked.append(PictureRanking(picture=picture.picture, kind=kind, reason=lacking or NOTHING_TO_RANK))
        elif isinstance(scores, Scores) and ranker is not None and kinds is not None:
            best = rank(found, scores, ranker.scale, options, printed)
            if options.reliability is not None:
                best = _judged(best, kinds, options.reliability)
            if best.chosen is None and options.strategy == "clip":
                lacking = NOTHING_PRINTED
            one = _ranking(picture.picture, best, lacking, options.min_window_probability)
            ranked.append(one.model_copy(update={"kind": kind}))
        else:
            why = f"{NOT_RANKED}: {scores.message}" if isinstance(scores, RevistaError) else reason or NO_WEIGHTS
            reasons = "; ".join(r for r in (lacking, why) if r)
            ordered = _by_log_probability(found)
            chosen = next((one for one in ordered if one.candidate.source == "captioner"), None)
            ranked.append(_ranking(picture.picture, Ranked(ordered, chosen), reasons, None))
    return Ranking(ranker=ranker.name if ranker is not None else None, pictures=tuple(ranked), problems=tuple(problems))


def _score(
    image: Path,
    contexts: Contexts,
    texts: Sequence[Sequence[Candidate]],
    prints: Sequence[Printed],
    ranker: Ranker,
    matcher: Matcher | None,
) -> list[Scores | RevistaError | None]:
    """Scores of each picture's texts and of the kinds' sentences behind them, or an error.

    Raises:
        BadInput: the page cannot be read.
    """
    parts = crops(image, [picture.box for picture in contexts.pictures])
    results: list[Scores | RevistaError | None] = [part if isinstance(part, RevistaError) else None for part in parts]
    requests = {
        i: RankingRequest(part, (*(candidate.text for candidate in found), *TEXTS), printed.texts)
        for i, (part, found, printed) in enumerate(zip(parts, texts, prints, strict=True))
        if not isinstance(part, RevistaError)
    }
    for i, result in zip(requests, ranker.predict(list(requests.values())), strict=True):
        results[i] = result
    if matcher is not None:
        asked = {
            i: RankingRequest(request.image, tuple(candidate.text for candidate in texts[i]))
            for i, request in requests.items()
        }
        for i, odds in zip(asked, matcher.predict(list(asked.values())), strict=True):
            scores = results[i]
            if isinstance(scores, Scores):
                results[i] = odds if isinstance(odds, RevistaError) else replace(scores, matching=odds)
    return results


def _printed(context: PictureContext, said: PictureCandidates | None) -> Printed:
    """The print that most likely tells what a picture shows."""
    spoken = spoken_of(context)
    if spoken is None:
        return Printed()
    language = said.candidates[0].language if said and said.candidates else "es"
    translation = said.translation if said else None
    words = content_words(translation or "" if language == "en" else spoken, language)
    return Printed((spoken, translation) if translation else (spoken,), words)


def _gather(context: PictureContext, said: PictureCandidates | None) -> list[Candidate]:
    """The captioner's candidates for a picture, then the windows of nearby print, no text twice in a group."""
    unique = {(c.source, c.text): c for c in reversed(said.candidates if said else ())}
    found = list(reversed(unique.values()))
    windows = {quote.text: quote for quote in reversed(context.windows) if quote.text.strip()}
    found += [
        Candidate(text=text, language="es", source="window", quote=quote) for text, quote in reversed(windows.items())
    ]
    return found


def _judged(ranked: Ranked, kinds: Mapping[Kind, float], weights: Reliability) -> Ranked:
    """The candidates with how likely each is right, where that can be said."""

    def judged(one: ScoredCandidate) -> ScoredCandidate:
        said = one.candidate.log_probability
        if one.candidate.source != "captioner" or said is None or one.similarity is None:
            return one
        looked_at = reliability.features(one.similarity, said, kinds)
        return one.model_copy(update={"reliability": reliability.chance(weights, looked_at)})

    chosen = None if ranked.chosen is None else judged(ranked.chosen)
    return replace(ranked, ordered=[judged(one) for one in ranked.ordered], chosen=chosen)


def _by_log_probability(found: Sequence[Candidate]) -> list[ScoredCandidate]:
    """The candidates in the order of the captioner's own scores; those without one follow as they stood."""

    def doubt(candidate: Candidate) -> float:
        return math.inf if candidate.log_probability is None else -candidate.log_probability

    return [ScoredCandidate(candidate=candidate) for candidate in sorted(found, key=doubt)]


def _ranking(picture: str, best: Ranked, reason: str | None, min_window_probability: float | None) -> PictureRanking:
    """The ranking of a picture; no window is taken where `min_window_probability` is None."""
    windows = best.of("window")
    stands_out = (
        min_window_probability is not None
        and len(windows) > 1
        and (windows[0].probability or 0.0) >= min_window_probability
    )
    chosen_window = best.chosen is not None and best.chosen.candidate.source == "window"
    return PictureRanking(
        picture=picture,
        ranked=tuple(best.ordered),
        chosen=best.chosen,
        window=best.chosen if chosen_window else windows[0] if stands_out else None,
        belonging=best.belonging,
        reason=reason or None,
    )
