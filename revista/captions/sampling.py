"""What captioners that generate share: seeded draws, and how sure a model was of what it wrote."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from revista.errors import ModelError

if TYPE_CHECKING:
    import torch

TOP_P = 0.9  # the nucleus from which BLIP's authors sample
PLACES = 3  # of log-probabilities: sums in another order, as with other threads, differ from the seventh place on


def seeds_of(prompt: str, seeds: Sequence[int], samples: int) -> list[int]:
    """The seeds of `samples` draws under a prompt for each picture's seed, picture by picture."""
    own = zlib.crc32(prompt.encode())  # else all prompts would draw with the same luck; 0 for the empty one
    return [(seed + own + k) % 2**32 for seed in seeds for k in range(samples)]


def drawing(seeds: Sequence[int]) -> list[Any]:
    """Logits processors that draw each row from the nucleus with its seed, where the likeliest token would be taken."""
    from transformers import TopPLogitsWarper

    return [TopPLogitsWarper(TOP_P), gumbel(seeds)]


def gumbel(seeds: Sequence[int]) -> Any:
    """A logits processor that turns the greedy choice into a draw, each row from a random generator of its own.

    The largest of logits plus independent Gumbel noise is distributed as a draw from their softmax (Gumbel 1954;
    Maddison, Tarlow and Minka 2014, "A* Sampling", arXiv:1411.0030). So a draw depends on its row's seed alone, not
    on the rows beside it, nor on torch's one generator that all threads share.
    """
    import torch
    from transformers import LogitsProcessor

    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    class Gumbel(LogitsProcessor):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            waits = [torch.empty(scores.shape[-1]).exponential_(generator=one) for one in generators]
            return scores - torch.stack(waits).log().to(scores)

    return Gumbel()


def written_and_means(scores: torch.Tensor, closing: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    """Which tokens were written, and the mean log-probability of those of each row, to `PLACES`.

    Args:
        scores: (rows, tokens) log-probabilities.
        closing: (rows, tokens) bool: tokens that end a text; what comes behind the first was not written.

    Raises:
        ModelError: a mean is no finite number.
    """
    import torch

    written = (closing.cumsum(dim=1) - closing.long()) == 0  # up to the first closing token, with it
    means = (scores.float() * written).sum(dim=1) / written.sum(dim=1)
    if not torch.isfinite(means).all():
        raise ModelError("the captioner's scores are not finite numbers", "Check its weights file against its source.")
    return written, [round(mean, PLACES) for mean in means.tolist()]
