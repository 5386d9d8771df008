"""How print steers a captioner without being believed.

Two ways. An opening ("a bride") is put before what the captioner says, and counts: its tokens' log-probabilities stand
in the sentence's, so that an opening which the picture contradicts costs what it is unlikely. Or words of the print
are encouraged while sentences are searched: each of their tokens gains a little, until it has been said (shallow
fusion, as of Gulcehre et al. 2015, "On Using Monolingual Corpora in Neural Machine Translation", arXiv:1503.03535,
with a list of words in place of a language model). The gain steers the search alone: the sentence's log-probability is
the captioner's own, as without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revista.records import Cue

if TYPE_CHECKING:
    import torch

    from revista.captions import CaptionRequest
    from revista.settings import CaptionsSettings

AT_ONCE = 24  # questions; with three beams as many sentences as those of eight pictures under one prompt, and a few

_OPENING_TOKENS = 12  # a longer opening says too much by itself


@dataclass(frozen=True)
class Question:
    """What a captioner is asked about a picture because of the print beside it."""

    row: int  # of the picture in its batch
    cue: Cue
    head: tuple[int, ...]  # start token and prompt, which are no part of the sentence
    opening: tuple[int, ...] = ()  # tokens that the sentence begins with
    encouraged: tuple[int, ...] = ()  # tokens
    gain: float = 0.0  # of each, added to its log-probability in the search


def questions(
    requests: Sequence[CaptionRequest], head: Sequence[int], tokenizer: Any, options: CaptionsSettings
) -> list[Question]:
    """All questions about the pictures of a batch, those of equal length next to each other.

    Openings with words that the tokenizer does not know are left out, and encouraged words that are not one token each.
    """
    asked: list[Question] = []
    for row, request in enumerate(requests):
        for cue in request.cues:
            ids = tokenizer(cue.text, add_special_tokens=False)["input_ids"]
            if 0 < len(ids) <= min(_OPENING_TOKENS, options.max_new_tokens) and tokenizer.unk_token_id not in ids:
                asked.append(Question(row, cue, tuple(head), opening=tuple(ids)))
        if request.words is not None:
            tokens = tuple(_whole_words(request.words.text.split(", "), tokenizer))
            gains = options.encouragement if tokens else ()
            asked += [Question(row, request.words, tuple(head), encouraged=tokens, gain=gain) for gain in gains]
    return sorted(asked, key=lambda one: len(one.opening))


def _whole_words(words: Sequence[str], tokenizer: Any) -> Iterator[int]:
    for word in words:
        ids = tokenizer(word, add_special_tokens=False)["input_ids"]
        if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
            yield ids[0]


def batches(asked: Sequence[Question]) -> Iterator[list[Question]]:
    """Questions of equal length, at most `AT_ONCE`."""
    start = 0
    while start < len(asked):
        length = len(asked[start].opening)
        batch = [one for one in asked[start : start + AT_ONCE] if len(one.opening) == length]
        yield batch
        start += len(batch)


def encourage(asked: Sequence[Question], beams: int, vocabulary: int, device: Any) -> Any:
    """A logits processor that lets the encouraged words of each question gain.

    Args:
        asked: the questions, in the order of the rows.
        beams: rows of each.
        vocabulary: how many tokens are scored.
        device: of the scores.
    """
    import torch
    from transformers import LogitsProcessor

    gains = torch.zeros(len(asked), vocabulary, device=device)
    for row, question in enumerate(asked):
        gains[row, list(question.encouraged)] = question.gain
    gains = gains.repeat_interleave(beams, dim=0)

    class Encourage(LogitsProcessor):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return scores + gains.scatter(1, input_ids, 0.0)  # what has been said gains no more

    return Encourage()
