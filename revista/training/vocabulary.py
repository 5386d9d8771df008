"""Vocabularies of our own for WordPiece (Schuster and Nakajima 2012), from the training captions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
START = "[DEC]"  # opens a caption, as in BLIP

_RARE = 3  # what occurs less often is no piece of its own
_WORDS = 0.85  # share of the vocabulary that is whole words

_SPACES_BEFORE = re.compile(r"\s+([,;:.!?])")


def plain(caption: str) -> str:
    """A caption in small letters, without its full stop and without signs that stand for nothing."""
    words = re.sub(r"[\"“”«»()\[\]*#_|~^]+", " ", caption.lower()).split()
    while words and words[-1].strip(".,;:!?-") == "":
        words.pop()
    return _SPACES_BEFORE.sub(r"\1", " ".join(words)).rstrip(".!?;:, ")


def make_vocabulary(texts: Iterable[str], size: int, accents: bool) -> dict[str, int]:
    """WordPieces by their numbers: the special ones first, `[DEC]` last.

    Letters, then the most frequent words, then the most frequent beginnings and ends of words, with which rare words
    are spelled. The pieces are counted here, and not trained: `tokenizers` gives another vocabulary at each training.

    Args:
        texts: as `plain` gives them.
        size: of the vocabulary, at most.
        accents: whether letters keep them.
    """
    from tokenizers import normalizers, pre_tokenizers

    normal = normalizers.BertNormalizer(strip_accents=not accents, lowercase=True)
    split = pre_tokenizers.BertPreTokenizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in split.pre_tokenize_str(normal.normalize_str(text)))
    letters = sorted({letter for word in words for letter in word})
    pieces: Counter[str] = Counter()
    for word, count in words.items():
        for length in range(2, min(7, len(word))):
            pieces[word[:length]] += count
            pieces[f"##{word[-length:]}"] += count
    known = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    room = max(0, size - len(known) - 1)
    frequent = [word for word, count in _most(words) if count >= _RARE and len(word) > 1][: round(room * _WORDS)]
    ends = [piece for piece, count in _most(pieces) if count >= _RARE and piece not in frequent]
    found = dict.fromkeys([*known, *frequent, *ends[: room - len(frequent)], START])
    return {piece: number for number, piece in enumerate(found)}


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, in an order that is always the same."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def make_tokenizer(vocabulary: dict[str, int], accents: bool) -> Any:
    """A tokenizer of transformers over a vocabulary."""
    from transformers import BertTokenizer

    return BertTokenizer(vocab=vocabulary, do_lower_case=True, strip_accents=not accents)
