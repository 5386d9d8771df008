"""CIDEr for early stopping and as a reward; the figures that count come from `revista evaluate captions`.

Vedantam, Zitnick and Parikh 2015, arXiv:1411.5726, in the form CIDEr-D. Words are split at spaces here, without the
Java tokenizer of the reference implementation, which a training would start hundreds of times.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

_SIGMA = 6.0
_ORDERS = 4

Grams = list[Counter[tuple[str, ...]]]


class Cider:
    """CIDEr-D against the references of a set of pictures, whose words also give the weights of n-grams."""

    def __init__(self, references: Mapping[str, Sequence[str]]) -> None:
        """Count the n-grams of the references.

        Args:
            references: captions of each picture.
        """
        cooked = {name: [_grams(text) for text in texts] for name, texts in references.items()}
        seen: Counter[tuple[str, ...]] = Counter()
        for texts in cooked.values():
            seen.update({gram for grams in texts for order in grams for gram in order})
        self._log_pictures = math.log(max(2, len(cooked)))
        self._log_seen = {gram: math.log(count) for gram, count in seen.items()}
        self._references = {name: [self._vector(grams) for grams in texts] for name, texts in cooked.items()}

    def score(self, name: str, caption: str) -> float:
        """CIDEr-D of a caption of the picture `name`: 0.0 to 10.0."""
        vectors, norms, length = self._vector(_grams(caption))
        total = 0.0
        references = self._references[name]
        for others, other_norms, other_length in references:
            penalty = math.exp(-((length - other_length) ** 2) / (2 * _SIGMA**2))
            for own, other, norm, other_norm in zip(vectors, others, norms, other_norms, strict=True):
                if norm and other_norm:
                    alike = sum(min(weight, other[gram]) * other[gram] for gram, weight in own.items() if gram in other)
                    total += penalty * alike / (norm * other_norm)
        return 10.0 * total / _ORDERS / len(references)

    def mean(self, captions: Mapping[str, str]) -> float:
        """The mean over pictures."""
        return sum(self.score(name, caption) for name, caption in captions.items()) / max(1, len(captions))

    def _vector(self, grams: Grams) -> tuple[list[dict[tuple[str, ...], float]], list[float], int]:
        vectors = [
            {gram: count * (self._log_pictures - self._log_seen.get(gram, 0.0)) for gram, count in order.items()}
            for order in grams
        ]
        norms = [math.sqrt(sum(weight**2 for weight in order.values())) for order in vectors]
        return vectors, norms, sum(grams[1].values())


def _grams(text: str) -> Grams:
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower())
    return [Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1)) for n in range(1, _ORDERS + 1)]
