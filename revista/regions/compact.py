"""The detector that revista trained itself: a small network over the whole page, run by onnxruntime."""

from __future__ import annotations

import numpy as np


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
