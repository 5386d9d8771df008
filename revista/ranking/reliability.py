"""How likely a captioner's sentence is right about a picture at all, whatever the other candidates are.

A softmax over candidates says which of them is best, never that the best is good: of a drawn fan the compact models
say "a man is performing a trick on a skateboard". So a logistic regression looks at what an absolute judgement can
rest on. Its weights belong to a pair of models, are fitted by `revista evaluate reliability`, and stand in the
registry with the profile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from revista.records import Kind
from revista.settings import Reliability

NOT_PHOTOGRAPHS = (Kind.DRAWING, Kind.CARICATURE, Kind.ADVERTISEMENT, Kind.ORNAMENT, Kind.ARTWORK)


def features(similarity: float, log_probability: float, kinds: Mapping[Kind, float]) -> tuple[float, float, float]:
    """What is looked at, in the order of the weights.

    Args:
        similarity: of sentence and picture by the ranker, -1.0 to 1.0.
        log_probability: the captioner's mean of the sentence's tokens.
        kinds: probabilities of the picture's kinds, in sum 1.0.
    """
    return similarity, log_probability, sum(kinds[kind] for kind in NOT_PHOTOGRAPHS)


def chance(weights: Reliability, looked_at: tuple[float, float, float]) -> float:
    """The probability that a sentence with these `features` is right, 0.0 to 1.0."""
    own = (weights.similarity, weights.log_probability, weights.no_photograph)
    value = weights.bias + sum(weight * feature for weight, feature in zip(own, looked_at, strict=True))
    return round(1 / (1 + math.exp(-max(-50.0, min(50.0, value)))), 4)
