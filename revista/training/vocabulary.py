"""Vocabularies of our own: WordPiece (Schuster and Nakajima 2012), learnt from the training captions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
START = "[DEC]"  # opens a caption, as in BLIP

_SPACES_BEFORE = re.compile(r"\s+([,;:.!?])")


def plain(caption: str) -> str:
    """A caption in small letters, without its full stop and without signs that stand for nothing."""
    words = re.sub(r"[\"“”«»()\[\]*#_|~^]+", " ", caption.lower()).split()
    while words and words[-1].strip(".,;:!?-") == "":
        words.pop()
    return _SPACES_BEFORE.sub(r"\1", " ".join(words)).rstrip(".!?;:, ")


def make_vocabulary(texts: Iterable[str], size: int, accents: bool) -> dict[str, int]:
    """WordPieces by their numbers: the special ones first, `[DEC]` last.

    Args:
        texts: as `plain` gives them.
        size: of the vocabulary, at most.
        accents: whether letters keep them.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=not accents, lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size - 1, special_tokens=list(SPECIAL), min_frequency=3, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The trainer numbers pieces of equal frequency in an order that changes from run to run.
    pieces = sorted(set(tokenizer.get_vocab()) - set(SPECIAL))
    return {piece: number for number, piece in enumerate([*SPECIAL, *pieces, START])}


def make_tokenizer(vocabulary: dict[str, int], accents: bool) -> Any:
    """A tokenizer of transformers over a vocabulary."""
    from transformers import BertTokenizer

    return BertTokenizer(vocab=vocabulary, do_lower_case=True, strip_accents=not accents)


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer's files beside the weights."""
    tokenizer.save_pretrained(folder)
