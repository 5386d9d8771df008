"""The default detector: a small network over the whole page, which revista trained itself, and the ink on the page.

The networks are run by onnxruntime, and trained in `revista.training`: `regions`, `refining`, `looks`. The first sees
the page; it proposes boxes (`decoding`), as the ink does (`halftone`), and judges both (`judging`). The second looks
closely at each box and moves its borders (`refining`; `finding` brings these together). The third tells what kind of
picture it is (`looking`). Print under it is not its own (`trimming`), what shines through the paper is none at all
(`showthrough`), and photographs that hang askew together are one (`askew`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from revista.errors import MissingWeights
from revista.geometry import Box
from revista.records import Look, RegionKind
from revista.regions.decoding import CHANNELS, CLASSES, decode, sigmoid
from revista.regions.detector import PART, Finding, block, each
from revista.regions.finding import LOWEST, Looked, look_at, look_closely, pictures, propose
from revista.regions.halftone import find_pictures
from revista.regions.ink import separate
from revista.regions.judging import Curve, shares_of
from revista.regions.looking import SecondLook, session
from revista.regions.refining import Refiner
from revista.regions.trimming import without_foot, without_strips
from revista.weights import LOOKS_ONNX, ONNX, REFINE_ONNX, find_weights

if TYPE_CHECKING:
    from layoutparser import TextBlock

_PLAINER = 1.5  # times as much print from which a page is looked at another way
_SOME = 3.0  # cells of print that there are then at least: pages of pictures have none, either way
_PRINT = [CLASSES.index(kind) for kind in ("text", "caption", "title")]
_SEEN = 0.3  # score from which a cell is print
_DARK = 128  # middle tone below which there may be light print on dark ground
_APART = 8  # pixels between those of which the middle tone is taken


class CompactDetector:
    """Pictures with their look, parts of collages, captions, titles, text and page furniture."""

    name = "compact"

    def __init__(self, spec: str) -> None:
        """Load the weights.

        Args:
            spec: a registered model's id, or a folder with `config.json`, `model.onnx`, `refine.onnx`
                and `looks.onnx`.

        Raises:
            MissingWeights: they are not at hand, or are no network of this kind.
        """
        found = find_weights(spec)
        self._session = session(found.folder / ONNX)
        self._refiner = Refiner(found.folder / REFINE_ONNX)
        self._second = SecondLook(found.folder / LOOKS_ONNX)
        if [o.shape[1:2] for o in self._session.get_outputs()] != [[CHANNELS]]:
            raise MissingWeights(
                f"the weights at {spec} are not of a network that `revista train regions` makes",
                "Name another folder in regions.compact_model.",
            )
        try:
            self._curve = Curve(**found.config()["curve"])
        except (KeyError, TypeError) as error:
            raise MissingWeights(
                f"the weights at {spec} come without the curve of their confidence: config.json is not theirs",
                "Copy the folder `model` of `revista train regions` whole.",
            ) from error
        self._hashes = found.hashes()

    def weights(self) -> dict[str, str]:
        """Hex sha256 of the files."""
        return self._hashes

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """What is on each page; see `revista.regions.detector.Detector`."""
        return each(self.name, images, self._find)

    def _find(self, image: np.ndarray) -> list[TextBlock]:
        height, width = image.shape[:2]
        seen, looked = image, look_at(self._session, image)
        if np.median(image[::_APART, ::_APART]) < _DARK:  # perhaps white on black, as on the film of a camera
            seen, looked = self._plainer(seen, looked, 255 - seen)
        turned = False
        if width > height:  # perhaps a page that lies on its side
            upright = np.ascontiguousarray(np.rot90(seen))
            seen, looked = self._plainer(seen, looked, upright)
            turned = seen is upright
        blocks = []
        for kind, box, score, look in self._parts(looked, seen):
            if turned:
                box = Box(width - box.bottom, box.left, width - box.top, box.right)
            box = box.clip(width, height)
            if box.area and score >= LOWEST:
                blocks.append(block(box, kind, score, self.name, look))
        return blocks

    def _plainer(self, seen: np.ndarray, looked: Looked, other: np.ndarray) -> tuple[np.ndarray, Looked]:
        """A page and what the network makes of it; in the `other` way to see it where that shows clearly more print.

        Print is known by its lines.
        """
        again = look_at(self._session, other)
        plainer = _print_on(again.maps) > max(_SOME, _PLAINER * _print_on(looked.maps))
        return (other, again) if plainer else (seen, looked)

    def _parts(self, looked: Looked, seen: np.ndarray) -> Iterator[tuple[RegionKind | str, Box, float, Look | None]]:
        """Kind, box in the page's pixels, confidence and look of what is on a page.

        Args:
            looked: what the network makes of it.
            seen: its pixels, upright.
        """
        proposals, printed = decode(looked.maps), separate(seen)
        proposed = propose(looked, proposals, find_pictures(printed))
        closely = look_closely(proposed, looked, seen, self._refiner)
        found, boxes, told = pictures(closely, self._curve, printed)
        inside, looks = looked.inside_and_looks()
        shares = [shares_of(corners * looked.scale, inside, looks) for corners in found]
        boxes = without_strips(boxes)  # of surer ones: what shines through the paper takes none of a picture
        seen_as = self._second.looks(seen, boxes, shares, printed)
        for box, sure, look in zip(boxes, told, seen_as, strict=True):
            if printed and look is not Look.ADVERTISEMENT:  # whose print belongs to it
                box = without_foot(box, printed)
            yield RegionKind.PICTURE, box, sure, look
        for p in proposals:
            if p.kind != "picture":
                box = Box(*(round(edge) for edge in (np.array(p.box) / looked.scale).tolist()))
                yield PART if p.kind == PART else RegionKind(p.kind), box, p.score, None


def _print_on(maps: np.ndarray) -> float:
    """How many cells lie in lines of print, by their scores."""
    scores = sigmoid(maps[_PRINT])
    return float(scores[scores > _SEEN].sum())
