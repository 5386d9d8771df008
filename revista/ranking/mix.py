"""What a captioner's sentence is worth: the picture's word, the captioner's own, and that of the print.

The print counts only as far as the picture bears it out. `belonging` is how likely the print is about the picture at
all: by the ranker's similarity of the two, and by how near the captioner comes to it of itself, unprompted. What a
sentence owes to the print is multiplied with it; print that is not likely enough about the picture counts nothing, and
sentences that it suggested take no part. The weights belong to a pair of models and are fitted by
`revista evaluate ranking --fit`: belonging by logistic regression on right and wrong captions, the rest so that the
softmax over a picture's sentences comes near that of their CIDEr (listwise regression: Cao et al. 2007, "Learning to
Rank: From Pairwise Approach to Listwise Approach", ICML).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from revista.cues import content_words
from revista.records import Candidate
from revista.settings import Mix

SHORT, LONG = 8, 12  # words between which a sentence is neither
FEATURES = ("similarity", "log_probability", "matching", "agreement", "shared_words", "short", "long", "repetition")
"""In the order of `features`, named as their weights in `revista.settings.Mix`."""


@dataclass(frozen=True)
class Printed:
    """The print that most likely tells what a picture shows."""

    texts: tuple[str, ...] = ()  # as it is printed, and its translation where there is one
    words: frozenset[str] = frozenset()  # that mean something, in the captioner's language


def belonging(mix: Mix, support: float, echo: float) -> float:
    """How likely the print is about the picture, 0.0 to 1.0.

    Args:
        mix: the weights.
        support: similarity of picture and print, -1.0 to 1.0.
        echo: the greatest agreement with the print of a sentence that it did not suggest, -1.0 to 1.0.
    """
    value = mix.support * support + mix.echo * echo + mix.bias
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def counting(belongs: float | None, least: float) -> float:
    """How much print counts: as likely as it is about the picture; nothing below `least`, or where nobody knows."""
    return belongs if belongs is not None and belongs >= least else 0.0


def echo_of(found: Sequence[Candidate], agreements: Sequence[float]) -> float:
    """The greatest agreement with the print of a sentence that it did not suggest; 0.0 without one."""
    free = (agreement for one, agreement in zip(found, agreements, strict=True) if one.cue is None)
    return max(free, default=0.0)


def features(
    candidate: Candidate, similarity: float, matching: float, agreement: float, words: frozenset[str], belongs: float
) -> tuple[float, ...]:
    """What is looked at in a captioner's sentence, in the order of `FEATURES`.

    Args:
        candidate: the sentence; one without a log-probability counts as one of 0.
        similarity: to the picture, -1.0 to 1.0.
        matching: log-odds that it is about the picture; 0 where nobody says.
        agreement: with the print, -1.0 to 1.0.
        words: of the print.
        belongs: how much the print counts, 0.0 to 1.0.
    """
    said = candidate.text.split()
    own = content_words(candidate.text, candidate.language)
    shared = 2 * len(own & words) / (len(own) + len(words)) if own and words else 0.0
    return (
        similarity,
        candidate.log_probability or 0.0,
        matching,
        belongs * agreement,
        belongs * shared,
        -max(0, SHORT - len(said)) / SHORT,
        -max(0, len(said) - LONG) / LONG,
        len(set(said)) / len(said) - 1 if said else 0.0,
    )


def value(mix: Mix, looked_at: Sequence[float]) -> float:
    """What a sentence with these `features` is worth; only differences within a picture mean anything."""
    return sum(getattr(mix, name) * one for name, one in zip(FEATURES, looked_at, strict=True))
