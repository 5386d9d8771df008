"""From the judgement of boxes to the confidence in them, fitted to what the trained networks find together.

Where the curve's middle is, is where a box begins to count as a picture. The closer look mends some of what the page
network errs in, so that the two together want another middle than the page network by itself. Of middles that are as
good, the lowest is taken: nothing downstream can mend a missed picture, and people can reject a false one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from revista.records import RegionKind
from revista.regions.combine import Found
from revista.regions.decoding import decode, overlaps
from revista.regions.finding import Closely, look_at, look_closely, pictures, propose
from revista.regions.halftone import find_pictures
from revista.regions.ink import Print, separate
from revista.regions.judging import Curve, distinct
from revista.regions.looking import session
from revista.regions.refining import Refiner
from revista.regions.settling import settle
from revista.regions.trimming import without_strips
from revista.training.regions_data import Sample, pictures_of
from revista.weights import ONNX, REFINE_ONNX

SAME = 0.5  # IoU from which two boxes mean the same picture
_STANDS = 0.5  # confidence from which a box counts
_MIDDLES = np.arange(0.2, 0.7, 0.02)
_AS_GOOD = 0.005  # F1 that is less than the best one by so much is as good
_STEEPNESS = (1.0, 60.0)


class Seen(NamedTuple):
    """A page, what the networks see on it, and the truth."""

    closely: Closely
    printed: Print | None
    truth: np.ndarray  # (n, 4) its pictures


def calibrate(folder: Path, samples: Iterable[Sample]) -> Curve:
    """The curve with which F1 at IoU 0.5 of the pictures of `samples` is best, as steep as likeliest.

    Args:
        folder: of the networks, with `model.onnx` and `refine.onnx`.
        samples: pages, best such that the networks have not learnt from.
    """
    network, refiner = session(folder / ONNX), Refiner(folder / REFINE_ONNX)
    return fitted([_see(network, refiner, sample) for sample in samples])


def _see(network: Any, refiner: Refiner, sample: Sample) -> Seen:
    """What a page network, a session of onnxruntime, and the closer look make of a page."""
    image, printed = sample.image, separate(sample.image)
    looked = look_at(network, image)
    proposed = propose(looked, decode(looked.maps), find_pictures(printed))
    return Seen(look_closely(proposed, looked, image, refiner), printed, pictures_of(sample))


def fitted(pages: Sequence[Seen]) -> Curve:
    """The curve for what was seen on pages; the default one where nothing is right."""
    values, right = [], []
    for page in pages:
        alone = distinct(page.closely.boxes, page.closely.judged, SAME)
        values += page.closely.judged[alone].tolist()
        right += hits(page.closely.boxes[alone], page.truth)
    if not any(right):
        return Curve()
    judged, true = np.array(values), np.array(right, float)

    def steepest(middle: float) -> Curve:
        def loss(steep: float) -> float:
            logits = steep * (judged - middle)
            return float(np.mean(np.logaddexp(0, logits) - true * logits))

        return Curve(middle, round(float(minimize_scalar(loss, bounds=_STEEPNESS, method="bounded").x), 4))

    scores = np.array([f1(pages, steepest(middle)) for middle in _MIDDLES])
    return steepest(round(float(_MIDDLES[scores >= scores.max() - _AS_GOOD][0]), 4))


def hits(boxes: np.ndarray, truth: np.ndarray) -> list[bool]:
    """Whether each box, surest first, means a true one that no surer one has meant."""
    left, found = list(truth), []
    for box in boxes:
        shared = overlaps(box, np.array(left)) if left else np.zeros(1)
        found.append(bool(shared.max() >= SAME))
        if found[-1]:
            left.pop(int(shared.argmax()))
    return found


def f1(pages: Sequence[Seen], curve: Curve) -> float:
    """F1 at IoU 0.5 of what stands on pages with a curve."""
    right = both = 0
    for page in pages:
        _, boxes, told = pictures(page.closely, curve, page.printed)
        rows = zip(without_strips(boxes), told, strict=True)
        found = [Found(box, RegionKind.PICTURE, sure, "compact") for box, sure in rows]
        stands, _, _ = settle(found, *page.closely.size, _STANDS)
        right += sum(hits(np.array([f.box for f in stands], float).reshape(-1, 4), page.truth))
        both += len(stands) + len(page.truth)
    return 2 * right / max(1, both)
