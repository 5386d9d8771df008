"""The pictures of a page: proposed by the page network and by the ink, judged, looked at closely, each told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from revista.geometry import Box
from revista.regions.askew import collages
from revista.regions.deciding import LESS, decide
from revista.regions.decoding import STRIDE, Proposal, inside_and_looks, overlaps
from revista.regions.detector import PART
from revista.regions.ink import Print
from revista.regions.judging import Curve, Proposed, distinct, judgements
from revista.regions.refining import Refiner, Views
from revista.regions.showthrough import believed

LOWEST = 0.1  # confidence below which nothing is told: noise; the settings decide what is good enough
LONGEST = 384  # pixels of a page's longer side, as the network looks at it
STEP = 64  # the sides of what it looks at are multiples of this
_UNLIKELY = 0.03  # judgement below which a box is not looked at closely
_ALIKE = 0.85  # IoU from which two boxes need not both be looked at
_STILL = 0.5  # IoU with what was proposed from which a moved box is still the same picture's
_AGREED = 0.85  # the same, from which it means the borders that the ink proposed
_KNOWN = 0.4  # overlap to be expected below which the closer look says nothing about borders
_MOST = 24  # boxes of a page that are looked at closely, likeliest first


class Looked(NamedTuple):
    """What the network makes of a page."""

    maps: np.ndarray  # (channels, rows, columns), padding included
    cells: tuple[int, int]  # rows and columns without the padding
    scale: np.ndarray  # (4,) from the page's pixels to the network's

    def inside_and_looks(self) -> tuple[np.ndarray, np.ndarray]:
        """How likely each cell lies in a picture (rows, columns), and the share of each look there (looks, ...)."""
        rows, columns = self.cells
        return inside_and_looks(self.maps[:, :rows, :columns])


def look_at(network: Any, image: np.ndarray) -> Looked:
    """What the page network, a session of onnxruntime, makes of a page (height, width, 3) uint8 RGB."""
    return looked_at(lambda pixels: network.run(None, {"pixels": pixels})[0], image)


def looked_at(maps_of: Callable[[np.ndarray], np.ndarray], image: np.ndarray, longest: int = LONGEST) -> Looked:
    """What a page network makes of a page (height, width, 3) uint8 RGB whose longer side it sees as `longest` pixels.

    Args:
        maps_of: the network: (1, 3, h, w) float32, 0 to 255, sides multiples of `STEP`, to (1, channels, h/8, w/8).
        image: the page.
        longest: in pixels.
    """
    small, across, down = fitted(image, longest)
    maps = maps_of(padded(small, STEP).transpose(2, 0, 1)[None].astype(np.float32))
    rows, columns = (-(-side // STRIDE) for side in small.shape[:2])
    return Looked(maps[0], (rows, columns), np.array([across, down, across, down]))


def propose(looked: Looked, proposals: Sequence[Proposal], inked: Sequence[tuple[Box, float]] = ()) -> Proposed:
    """All boxes that may hold a picture, in pixels of the network's input.

    Args:
        looked: what the page network makes of the page.
        proposals: of it. Parts of collages count, too: neighbours may have been taken for one.
        inked: what the page's ink proposes, in the page's pixels.
    """
    own = [p for p in proposals if p.kind in ("picture", PART)]
    found = [(p.box, p.score) for p in own]
    found += [(tuple(np.array(box) * looked.scale), score) for box, score in inked]
    boxes = np.array([box for box, _ in found], float).reshape(-1, 4)
    return Proposed(boxes, np.array([score for _, score in found], float), np.arange(len(found)) >= len(own))


class Closely(NamedTuple):
    """Boxes of a page that may hold a picture, after the closer look."""

    boxes: np.ndarray  # (n, 4) corners in the page's pixels
    judged: np.ndarray  # (n,) their judgement, 0.0 to 1.0
    fits: np.ndarray  # (n,) the overlap with a picture to be expected of each, by the closer look, 0.0 to 1.0
    size: tuple[int, int]  # width and height of the page, in pixels


def look_closely(proposed: Proposed, looked: Looked, image: np.ndarray, refiner: Refiner) -> Closely:
    """The likeliest of the proposed boxes, their borders moved.

    Args:
        proposed: the boxes.
        looked: what the page network makes of the page.
        image: the page (height, width, 3) uint8 RGB.
        refiner: what moves borders.
    """
    inside, _ = looked.inside_and_looks()
    judged = judgements(proposed, inside)
    likely = [i for i in distinct(proposed.boxes, judged, _ALIKE) if judged[i] > _UNLIKELY][:_MOST]
    corners = proposed.boxes[likely] / looked.scale
    views = Views(image, inside, looked.scale[:2])
    once, _ = refiner.refine(views, corners)
    twice, fits = refiner.refine(views, once)
    ways = zip(corners, once, twice, fits, proposed.inked[likely], strict=True)
    moved = np.array([_moved(*way) for way in ways]).reshape(-1, 4)
    return Closely(moved, judged[likely], fits, (image.shape[1], image.shape[0]))


def pictures(seen: Closely, curve: Curve, printed: Print | None) -> tuple[list[np.ndarray], list[Box], list[float]]:
    """What of the boxes is a picture of this page, each picture once.

    Args:
        seen: the boxes.
        curve: from judgement to confidence.
        printed: what is printed on it, if that could be told.

    Returns:
        Corners (4,) in the page's pixels, the same as boxes on the page, and confidences, 0.0 to 1.0, surest first.
    """
    likely = np.array([curve.confidence(judgement) for judgement in seen.judged], float)
    places, confidences = decide(seen.boxes, likely, seen.fits)
    corners = [seen.boxes[i] for i, sure in zip(places, confidences, strict=True) if sure >= LOWEST]
    boxes = [_on_page(one, *seen.size) for one in corners]
    told = confidences[: len(corners)].tolist()
    if printed:
        told = believed(boxes, told, printed)
        for whole, inside in collages(boxes, told, printed):
            corners.append(np.array(whole, float))
            boxes.append(whole)
            told.append(max(told[i] for i in inside))
            for i in inside:
                told[i] = min(told[i], LESS * told[-1])
    order = sorted(range(len(told)), key=lambda i: -told[i])
    return [corners[i] for i in order], [boxes[i] for i in order], [told[i] for i in order]


def _on_page(corners: np.ndarray, width: int, height: int) -> Box:
    """Corners (4,) in pixels as a box of at least one pixel on a page of `width` x `height` pixels."""
    left, top, right, bottom = np.clip(corners.round(), 0, (width, height, width, height)).astype(int).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    return Box(left, top, max(left + 1, right), max(top + 1, bottom))


def _moved(proposed: np.ndarray, once: np.ndarray, twice: np.ndarray, fit: float, inked: bool) -> np.ndarray:
    """The box as it was moved last, before it became another one; as proposed where the closer look knows no better.

    Where it agrees with the ink, the ink's borders stay: they are those of the print, to the pixel.
    """
    shared = overlaps(proposed, np.stack([twice, once]))
    if fit < _KNOWN or (inked and shared[0] >= _AGREED):
        return proposed
    return twice if shared[0] >= _STILL else once if shared[1] >= _STILL else proposed


def fitted(image: np.ndarray, longest: int = LONGEST) -> tuple[np.ndarray, float, float]:
    """The page as the network looks at it, and by what its width and height were multiplied.

    Its longer side becomes `longest` pixels, that of a smaller page at most twice as long; no side less than one cell.
    """
    height, width = image.shape[:2]
    factor = min(longest / max(height, width), 2.0)
    size = max(STRIDE, round(width * factor)), max(STRIDE, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=way), size[0] / width, size[1] / height


def padded(image: np.ndarray, step: int) -> np.ndarray:
    """The image with both sides grown to multiples of `step`, right and below, in the colour of its edge.

    Args:
        image: (height, width, 3) uint8.
        step: in pixels.
    """
    height, width = image.shape[:2]
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    whole = np.empty((-(-height // step) * step, -(-width // step) * step, 3), np.uint8)
    whole[:] = np.median(edge, axis=0)
    whole[:height, :width] = image
    return whole
