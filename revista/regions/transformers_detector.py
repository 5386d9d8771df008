"""An object detector of transformers (RT-DETR, D-FINE, PP-DocLayout, DETR, YOLOS, ...) from a folder or the hub."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np

from revista.devices import as_picture, load_model, load_part, pick_device, predict_in_batches
from revista.errors import MissingWeights, ModelError
from revista.geometry import Box
from revista.records import Problem, RegionKind
from revista.regions.detector import NAME, Finding, block
from revista.weights import Weights, find_weights

_LOWEST = 0.05  # scores below are noise; the settings decide what is good enough
_BATCH = 4

# In this order: a `figure_caption` is a caption, a `page_number` furniture, a `table_title` a caption.
_WORDS: dict[RegionKind, str] = {
    RegionKind.CAPTION: "caption legend pie",
    RegionKind.FURNITURE: "header footer footnote number page furniture aside",
    RegionKind.TITLE: "title heading headline titulo",
    RegionKind.TABLE: "table tabla",
    RegionKind.PICTURE: "picture figure image photo photograph photographie illustration drawing cartoon comic map "
    "chart advertisement graphic imagen foto ilustracion",
    RegionKind.TEXT: "text paragraph list reference content abstract formula algorithm",
}


def kind_of(label: str) -> RegionKind | None:
    """What a model's label means, by the words in it; None for one that means nothing here.

    `Section-header` and `section_header` are titles, as in DocLayNet; `figure_title` and `table_title` captions, as in
    PP-DocLayout.
    """
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", label).lower()))
    singular = words | {word.removesuffix("s") for word in words}
    if singular >= {"section", "header"}:
        return RegionKind.TITLE
    if "title" in singular and singular & {"figure", "table", "chart", "image"}:
        return RegionKind.CAPTION
    return next((kind for kind, meant in _WORDS.items() if singular & set(meant.split())), None)


class TransformersDetector:
    """A checkpoint for `AutoModelForObjectDetection` with its image processor."""

    name = "transformers"

    def __init__(self, spec: str, device: str) -> None:
        """Load the checkpoint.

        Args:
            spec: a local folder or a hub id, see `revista.weights.find_weights`.
            device: `auto` or a torch device.

        Raises:
            MissingWeights: it is not at hand, not an object detector, or none of its labels is a picture.
            BadArguments: there is no such device.
        """
        from transformers import AutoImageProcessor, AutoModelForObjectDetection

        self._weights: Weights = find_weights(spec)
        self._device = pick_device(device)
        self._processor: Any = load_part(AutoImageProcessor, self._weights)
        self._model: Any = load_model(AutoModelForObjectDetection, self._weights, self._device)
        self._lock = threading.Lock()  # one page at a time: torch fills all cores, or the one GPU's memory, anyway
        labels: dict[int, str] = self._model.config.id2label
        self._kinds = {int(number): kind_of(label) for number, label in labels.items()}
        if RegionKind.PICTURE not in self._kinds.values():
            raise MissingWeights(
                f"the detector at {spec} knows no pictures; its labels are {', '.join(list(labels.values())[:8])}",
                "Name a layout model, or set id2label in its config.json to names such as picture, caption, text.",
            )

    def weights(self) -> dict[str, str]:
        """Hex sha256 of the checkpoint's files."""
        return self._weights.hashes()

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """What is on each page; see `revista.regions.detector.Detector`."""
        with self._lock:
            results = predict_in_batches(images, self._predict, _BATCH)
        return [Problem.from_error(r, NAME) if isinstance(r, ModelError) else r for r in results]

    def _predict(self, images: list[np.ndarray]) -> list[Finding]:
        import torch
        from layoutparser import Layout

        inputs = self._processor(images=[as_picture(image) for image in images], return_tensors="pt")
        with torch.inference_mode():
            outputs = self._model(**inputs.to(self._device))
        sizes = [image.shape[:2] for image in images]
        found = self._processor.post_process_object_detection(outputs, threshold=_LOWEST, target_sizes=sizes)
        layouts: list[Finding] = []
        for image, result in zip(images, found, strict=True):
            blocks = []
            rows = zip(result["boxes"].tolist(), result["scores"].tolist(), result["labels"].tolist(), strict=True)
            for corners, score, label in rows:
                box = Box(*(round(value) for value in corners)).clip(image.shape[1], image.shape[0])
                kind = self._kinds.get(label)
                if box.area and kind:
                    blocks.append(block(box, kind, min(1.0, score), self.name))
            layouts.append(Layout(blocks))
        return layouts
