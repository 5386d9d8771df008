"""The default detector: a small network over the whole page, which revista trained itself, and the ink on the page.

The network is run by onnxruntime; it is defined and trained in `revista.training.regions`. It proposes boxes
(`decoding`), as the ink does (`halftone`), and judges both (`judging`). A second one looks at the pictures (`looking`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from revista.errors import MissingWeights
from revista.geometry import Box
from revista.records import Look, RegionKind
from revista.regions.decoding import CHANNELS, CLASSES, STRIDE, Proposal, decode, inside_and_looks, sigmoid
from revista.regions.detector import PART, Finding, block, each
from revista.regions.halftone import find_pictures
from revista.regions.judging import Curve, Proposed, judge, shares_of
from revista.regions.looking import SecondLook, session
from revista.weights import LOOKS_ONNX, ONNX, find_weights

if TYPE_CHECKING:
    from layoutparser import TextBlock

LONGEST = 384  # pixels of a page's longer side, as the network looks at it
STEP = 64  # the sides of what it looks at are multiples of this
_PLAINER = 1.5  # times as much print from which a page is looked at on its side
_LOWEST = 0.1  # scores below are noise; the settings decide what is good enough


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
    small, across, down = fitted(image)
    pixels = padded(small, STEP).transpose(2, 0, 1)[None].astype(np.float32)
    (maps,) = network.run(None, {"pixels": pixels})
    rows, columns = (-(-side // STRIDE) for side in small.shape[:2])
    return Looked(maps[0], (rows, columns), np.array([across, down, across, down]))


class CompactDetector:
    """Pictures with their look, parts of collages, captions, titles, text and page furniture."""

    name = "compact"

    def __init__(self, spec: str) -> None:
        """Load the weights.

        Args:
            spec: a registered model's id, or a folder with `config.json`, `model.onnx` and `looks.onnx`.

        Raises:
            MissingWeights: they are not at hand, or are no network of this kind.
        """
        found = find_weights(spec)
        self._session = session(found.folder / ONNX)
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
        turned = False
        if width > height:  # perhaps a page that lies on its side: print is known by its lines
            upright = np.ascontiguousarray(np.rot90(image))
            other = look_at(self._session, upright)
            turned = _print_on(other.maps) > _PLAINER * _print_on(looked.maps)
            if turned:
                seen, looked = upright, other
        blocks = []
        for kind, corners, score, look in self._parts(looked, seen):
            box = Box(*(round(float(edge)) for edge in corners / looked.scale))
            if turned:
                box = Box(width - box.bottom, box.left, width - box.top, box.right)
            box = box.clip(width, height)
            if box.area and score >= _LOWEST:
                blocks.append(block(box, kind, score, self.name, look))
        return blocks

    def _parts(
        self, looked: Looked, seen: np.ndarray
    ) -> Iterator[tuple[RegionKind | str, np.ndarray, float, Look | None]]:
        """Kind, corners in pixels of the network's input, confidence and look of what is on a page.

        Args:
            looked: what the network makes of it.
            seen: its pixels, upright.
        """
        inside, looks = looked.inside_and_looks()
        proposed = decode(looked.maps)
        pictures = pictures_of(proposed, find_pictures(seen), looked.scale)
        judged = [(pictures.boxes[place], confidence) for place, confidence in judge(pictures, inside, self._curve)]
        judged = [(corners, confidence) for corners, confidence in judged if confidence >= _LOWEST]
        boxes = [_on_page(corners / looked.scale, seen) for corners, _ in judged]
        shares = [shares_of(corners, inside, looks) for corners, _ in judged]
        told = self._second.looks(seen, boxes, shares)
        for (corners, confidence), look in zip(judged, told, strict=True):
            yield RegionKind.PICTURE, corners, confidence, look
        for p in proposed:
            if p.kind != "picture":
                yield PART if p.kind == PART else RegionKind(p.kind), np.array(p.box), p.score, None


def _on_page(corners: np.ndarray, page: np.ndarray) -> Box:
    """Corners (4,) in a page's pixels as a box of at least one pixel on it."""
    height, width = page.shape[:2]
    left, top, right, bottom = np.clip(corners.round(), 0, (width, height, width, height)).astype(int).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    return Box(left, top, max(left + 1, right), max(top + 1, bottom))


def _print_on(maps: np.ndarray) -> float:
    """How many cells lie in print, by the scores of text."""
    return float(sigmoid(maps[CLASSES.index("text")]).sum())


def pictures_of(proposed: Sequence[Proposal], inked: Sequence[tuple[Box, float]], scale: np.ndarray) -> Proposed:
    """The pictures that network and ink propose; `scale` (4,) is from the ink's pixels to the network's."""
    found = [(p.box, p.score) for p in proposed if p.kind == "picture"]
    own = len(found)
    found += [(tuple(np.array(box) * scale), score) for box, score in inked]
    boxes = np.array([box for box, _ in found], float).reshape(-1, 4)
    return Proposed(boxes, np.array([score for _, score in found], float), np.arange(len(found)) >= own)


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
