"""Measures that need one space for pictures and texts: retrieval, CLIPScore, RefCLIPScore.

- R@k: the share of pictures with one of their own captions among the k nearest of all captions, and of captions with
  their own picture among the k nearest pictures. A rival that is just as near counts as nearer, so that a model which
  finds everything alike finds nothing.
- CLIPScore and RefCLIPScore: Hessel, Holtzman, Forbes, Le Bras and Choi (2021), "CLIPScore: A Reference-free Evaluation
  Metric for Image Captioning", arXiv:2104.08718. They mean little without the model's name, and figures of two models
  cannot be compared: the weight 2.5 was chosen to spread the scores of CLIP ViT-B/32 between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from revista.records import Frozen

CLIPSCORE_WEIGHT = 2.5
_PREFIXES = {"en": "A photo depicts ", "es": "Una foto muestra "}  # the paper's, and ours for Spanish


class Recall(Frozen):
    """The shares found among the 1, 5 and 10 nearest, 0.0 to 1.0."""

    r1: float
    r5: float
    r10: float


class Retrieval(Frozen):
    """Finding the captions of a picture, and the picture of a caption."""

    pictures: int
    texts: int
    image_to_text: Recall
    text_to_image: Recall


class ClipScores(Frozen):
    """CLIPScore (0.0 to 2.5, about 0.8 for good captions of ViT-B/32) and RefCLIPScore (as CLIPScore at most)."""

    clip_score: float
    ref_clip_score: float


def retrieval(pictures: np.ndarray, texts: np.ndarray, owners: np.ndarray) -> Retrieval:
    """R@1, R@5 and R@10 both ways.

    Args:
        pictures: (m, width) unit vectors.
        texts: (n, width) unit vectors.
        owners: (n,) the row of the picture to which each text belongs; each picture has one text or more.
    """
    similarities = pictures @ texts.T
    own = owners[None, :] == np.arange(len(pictures))[:, None]
    best = np.where(own, similarities, -np.inf).max(axis=1)
    nearer_texts = ((similarities >= best[:, None]) & ~own).sum(axis=1)
    right = similarities[owners, np.arange(len(texts))]
    nearer_pictures = ((similarities >= right[None, :]) & ~own).sum(axis=0)
    return Retrieval(
        pictures=len(pictures),
        texts=len(texts),
        image_to_text=_recall(nearer_texts),
        text_to_image=_recall(nearer_pictures),
    )


def _recall(nearer: np.ndarray) -> Recall:
    """Recall from the number of rivals that stand before each right answer."""
    return Recall(**{f"r{k}": round(float((nearer < k).mean()), 4) for k in (1, 5, 10)})


def clip_scores(pictures: np.ndarray, captions: np.ndarray, references: Sequence[np.ndarray]) -> ClipScores:
    """The mean CLIPScore and RefCLIPScore.

    Args:
        pictures: (m, width) unit vectors.
        captions: (m, width) unit vectors of one caption a picture, encoded behind `prefix`.
        references: for each picture (k, width) unit vectors of people's captions, encoded likewise.
    """
    seen = CLIPSCORE_WEIGHT * np.maximum((pictures * captions).sum(axis=1), 0.0)
    said = np.array([max(float((own @ caption).max()), 0.0) for own, caption in zip(references, captions, strict=True)])
    both = np.divide(2 * seen * said, seen + said, out=np.zeros_like(seen), where=seen + said > 0)  # harmonic mean
    return ClipScores(clip_score=round(float(seen.mean()), 4), ref_clip_score=round(float(both.mean()), 4))


def prefix(language: str) -> str:
    """What stands before a caption when it is encoded for CLIPScore."""
    return _PREFIXES[language]
