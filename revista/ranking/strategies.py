"""Who speaks for a picture: five ways to choose among a captioner's sentences and windows of nearby print.

- `blip`: the captioner's likeliest sentence.
- `clip`: the window that the ranker finds nearest to the picture; no captioner.
- `pool`: the captioner's sentence joins the windows, and the ranker chooses.
- `threshold`: the ranker's best window where its probability among the windows reaches a threshold (0.6 in the
  published form), else the captioner's sentence. A window without a rival has the probability 1.
- `conditioned`: the captioner's sentences, those that the print suggested among them, weighed by picture, captioner
  and print (`revista.ranking.mix`). Print is quoted beside, never chosen.

A window that is chosen is print: the description quotes it, and no model's sentence is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from revista.ranking import mix
from revista.ranking.mix import Printed
from revista.records import Candidate, ScoredCandidate
from revista.settings import RankingSettings

NOTHING_PRINTED = Printed()


@dataclass(frozen=True)
class Scores:
    """How well each text of a request fits its picture."""

    similarities: tuple[float, ...]  # cosine, -1.0 to 1.0, one a text
    agreements: tuple[float, ...] = ()  # mean cosine of each text with the printed ones; empty where there are none
    support: float | None = None  # the greatest cosine of picture and printed texts
    matching: tuple[float, ...] = ()  # log-odds by a matcher, one a text; empty without one


@dataclass(frozen=True)
class Ranked:
    """The texts about a picture, best first, and the one that is chosen."""

    ordered: list[ScoredCandidate] = field(default_factory=list)
    chosen: ScoredCandidate | None = None
    belonging: float | None = None  # how likely the print is about the picture; None where nobody knows

    def of(self, source: str) -> list[ScoredCandidate]:
        """Those of a captioner, or the windows."""
        return [one for one in self.ordered if one.candidate.source == source]


def rank(
    found: Sequence[Candidate],
    scores: Scores,
    scale: float,
    options: RankingSettings,
    printed: Printed = NOTHING_PRINTED,
) -> Ranked:
    """The texts about a picture by the strategy of the settings; ties stay as they stood.

    The probabilities are the softmax of the values within sentences and within windows. What the print suggested takes
    part in the strategy `conditioned` alone, and there, with a mix, where the print counts (`mix.counting`).

    Args:
        found: sentences of a captioner, and windows of print.
        scores: of each, in the same order; further scores are left alone.
        scale: of the ranker; see `Ranker`.
        options: strategy, weights, threshold.
        printed: what tells of the picture.
    """
    own = options.strategy == "conditioned"
    belongs = _belonging(found, scores, options) if own else None
    counting = mix.counting(belongs, options.min_belonging)
    suggested = own and (options.mix is None or counting > 0)
    rows = [i for i, one in enumerate(found) if suggested or one.cue is None]
    values = [scale * similarity for similarity in scores.similarities[: len(found)]]
    said = [one.log_probability for one in found if one.source == "captioner" and one.log_probability is not None]
    for i in rows:
        if found[i].source == "captioner":
            if own and options.mix is not None:
                values[i] = mix.value(options.mix, _features(found[i], i, scores, printed, counting))
            elif own and found[i].log_probability is not None:
                values[i] -= options.captioner_trust * (max(said) - (found[i].log_probability or 0.0))
            elif not own:
                values[i] = -math.inf if found[i].log_probability is None else found[i].log_probability or 0.0
    groups = [
        sorted((i for i in rows if found[i].source == source), key=lambda i: -values[i])
        for source in ("captioner", "window")
    ]
    ordered = [
        _scored(found[i], i, scores, probability)
        for group in groups
        for i, probability in zip(group, softmax([values[i] for i in group]), strict=True)
    ]
    ranked = Ranked(ordered, belonging=None if belongs is None else round(belongs, 4))
    return Ranked(ordered, _chosen(ranked, options), ranked.belonging)


def _belonging(found: Sequence[Candidate], scores: Scores, options: RankingSettings) -> float | None:
    sentences = [i for i, one in enumerate(found) if one.source == "captioner"]
    if options.mix is None or scores.support is None or not sentences:
        return None
    echo = mix.echo_of([found[i] for i in sentences], [scores.agreements[i] for i in sentences])
    return mix.belonging(options.mix, scores.support, echo)


def _features(one: Candidate, at: int, scores: Scores, printed: Printed, belongs: float) -> tuple[float, ...]:
    matching = scores.matching[at] if scores.matching else 0.0
    agreement = scores.agreements[at] if scores.agreements else 0.0
    return mix.features(one, scores.similarities[at], matching, agreement, printed.words, belongs)


def _scored(one: Candidate, at: int, scores: Scores, probability: float) -> ScoredCandidate:
    return ScoredCandidate(
        candidate=one,
        similarity=scores.similarities[at],
        probability=round(probability, 4),
        agreement=scores.agreements[at] if scores.agreements else None,
        matching=scores.matching[at] if scores.matching else None,
    )


def _chosen(ranked: Ranked, options: RankingSettings) -> ScoredCandidate | None:
    sentence = next(iter(ranked.of("captioner")), None)
    window = next(iter(ranked.of("window")), None)
    if options.strategy in ("blip", "conditioned") or (window is None and options.strategy != "clip"):
        return sentence
    if options.strategy == "clip" or sentence is None or window is None:
        return window
    if options.strategy == "threshold":
        return window if (window.probability or 0.0) >= options.min_window_probability else sentence
    return window if (window.similarity or 0.0) > (sentence.similarity or 0.0) else sentence


def softmax(values: Sequence[float]) -> list[float]:
    """The softmax of `values`: positive, in sum 1.0; no values give none, and values of -inf only give equal shares."""
    if not values:
        return []
    top = max(values)
    powers = [1.0 if value == top else math.exp(value - top) for value in values]
    total = sum(powers)
    return [power / total for power in powers]
