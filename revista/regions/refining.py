"""A closer look at each box proposed for a picture: where its borders are, and how well it holds one whole picture.

The page network sees a page of 384 pixels, on which a gutter between two photographs is a pixel wide and the paper
above a caption two. So each proposed box is cut out with what surrounds it, brought to a fixed size together with what
the page network makes of the place, and a second network moves its borders and says how well they fit: as in cascades
of detectors (Cai and Vasconcelos 2018, "Cascade R-CNN", arXiv:1712.00726), with a score that stands for overlap (Zhang
et al. 2021, "VarifocalNet", arXiv:2008.13367).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from revista.errors import MissingWeights
from revista.regions.decoding import STRIDE
from revista.regions.looking import session
from revista.regions.paper import scale_to

LONGEST = 720  # pixels of the page's longer side, of which boxes are cut out; smaller pages are not enlarged
SIDE = 96  # pixels: sides of what is looked at
CHANNELS = 2  # tones between ink (0) and paper (1), and how likely each place lies in a picture
MARGIN = 0.25  # of a box's sides: what is seen around it
_LEAST_MARGIN = 8  # pixels
_LEAST_SPAN = 24.0  # grey values from ink to paper, at least
_OUTSIDE = 128  # grey beyond the page's edge


class Views:
    """What can be cut out of a page."""

    def __init__(self, page: np.ndarray, inside: np.ndarray, scale: np.ndarray) -> None:
        """Make the page ready.

        Args:
            page: (height, width, 3) uint8 RGB.
            inside: (rows, columns) how likely each cell of the page network lies in a picture, 0.0 to 1.0.
            scale: (2,) from the page's pixels to those that the page network looks at, across and down.
        """
        small, self.factor = scale_to(page, LONGEST, most=1.0)
        self.grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        height, width = self.grey.shape
        across, down = scale / self.factor / STRIDE  # from pixels to cells
        turn = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])
        ways = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        belief = cv2.warpAffine(
            inside.astype(np.float32), turn, (width, height), flags=ways, borderMode=cv2.BORDER_REPLICATE
        )
        self.inside = (belief * 255).astype(np.uint8)

    def cut(self, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What of the page is seen of a box.

        Args:
            corners: (4,) left, top, right, bottom in the page's pixels.

        Returns:
            (CHANNELS, SIDE, SIDE) uint8; and (4,) the corners of that view in the page's pixels.
        """
        box = corners * self.factor
        sides = np.maximum(box[2:] - box[:2], 1.0)
        margin = np.maximum(MARGIN * sides, _LEAST_MARGIN)
        low, high = np.floor(box[:2] - margin).astype(int), np.ceil(box[2:] + margin).astype(int)
        view = np.stack([self._part(self.grey, low, high, _OUTSIDE), self._part(self.inside, low, high, 0)])
        view[0] = _stretched(view[0])
        return view, np.concatenate([low, high]) / self.factor

    @staticmethod
    def _part(image: np.ndarray, low: np.ndarray, high: np.ndarray, beyond: int) -> np.ndarray:
        height, width = image.shape
        (left, top), (right, bottom) = np.clip(low, 0, (width - 1, height - 1)), np.clip(high, 1, (width, height))
        right, bottom = max(left + 1, right), max(top + 1, bottom)
        above, below, before, after = (
            max(0, int(n)) for n in (top - low[1], high[1] - bottom, left - low[0], high[0] - right)
        )
        part = cv2.copyMakeBorder(
            image[top:bottom, left:right], above, below, before, after, cv2.BORDER_CONSTANT, value=beyond
        )
        reduced = part.shape[0] >= SIDE and part.shape[1] >= SIDE
        way = cv2.INTER_AREA if reduced else cv2.INTER_LINEAR
        seen: np.ndarray = cv2.resize(part, (SIDE, SIDE), interpolation=way)
        return seen


def _stretched(tones: np.ndarray) -> np.ndarray:
    """Its darkest as 0, its lightest as 255."""
    ink, paper = np.quantile(tones, (0.01, 0.99))
    span = max(_LEAST_SPAN, paper - ink)
    return np.clip((tones - (paper - span)) * (255 / span), 0, 255).astype(np.uint8)


class Refiner:
    """The network that moves borders, run by onnxruntime."""

    def __init__(self, file: Path) -> None:
        """Load it; raises `MissingWeights` where the file is not there, or is no network of this kind."""
        self._session = session(file)
        if [i.shape[1:] for i in self._session.get_inputs()] != [[CHANNELS, SIDE, SIDE]]:
            raise MissingWeights(
                f"{file} is not a network that `revista train refine` makes", "Copy the folder of the weights again."
            )

    def refine(self, views: Views, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Better borders of boxes, and how well they fit.

        Args:
            views: of the page.
            corners: (n, 4) in the page's pixels.

        Returns:
            (n, 4) corners, and (n,) the overlap with a picture to be expected of each, 0.0 to 1.0.
        """
        if not len(corners):
            return corners, np.zeros(0)
        cut, seen = zip(*(views.cut(one) for one in corners), strict=True)
        moved, scores = self._session.run(None, {"views": np.stack(cut).astype(np.float32)})
        return on_page(moved, np.stack(seen)), scores


def on_page(shares: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Corners (n, 4) given as shares of views whose corners (n, 4) are in pixels, in pixels."""
    sides = np.tile(views[:, 2:] - views[:, :2], 2)
    return np.tile(views[:, :2], 2) + shares * sides
