"""The teacher of the image encoder: a quantised MobileNetV2 (arXiv:1801.04381) run by LiteRT.

What it makes of a picture at each block is what the encoder learns to make (Romero et al. 2015, "FitNets",
arXiv:1412.6550). Nothing of its file goes into our weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from revista.errors import MissingProgram, MissingWeights

# The outputs of MobileNetV2's blocks at the places of our encoder's parts: stem, blocks, head.
_LAST = "MobilenetV2/Conv_1/Relu6"
_NAMES = (
    *("expanded_conv_2/add", "expanded_conv_3/project", "expanded_conv_4/add", "expanded_conv_5/add"),
    *("expanded_conv_6/project", "expanded_conv_7/add", "expanded_conv_8/add", "expanded_conv_9/add"),
    *("expanded_conv_10/project", "expanded_conv_11/add", "expanded_conv_12/add"),
    *("expanded_conv_13/project", "expanded_conv_14/add", "expanded_conv_15/add", "expanded_conv_16/project"),
)
PARTS = len(_NAMES) + 1


class Teacher:
    """Pictures to the maps of a teacher's blocks."""

    def __init__(self, file: Path) -> None:
        """Load a MobileNetV2 1.0 224 in TensorFlow Lite's format.

        Raises:
            MissingProgram: ai-edge-litert is not installed.
            MissingWeights: there is no such file, or it is another network.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise MissingProgram(
                "the teacher needs the package ai-edge-litert", "Install it with: pip install -e '.[train]'"
            ) from None
        if not file.is_file():
            raise MissingWeights(f"{file}: no such teacher", "Name its file with --teacher.")
        self._run: Any = Interpreter(str(file), num_threads=1, experimental_preserve_all_tensors=True)
        self._run.allocate_tensors()
        self._input = self._run.get_input_details()[0]["index"]
        details = self._run.get_tensor_details()
        self._taps = [_tap(details, f"MobilenetV2/{name}", file) for name in _NAMES]
        self._taps.append(_tap(details, _LAST, file))

    @property
    def scales(self) -> list[tuple[float, int]]:
        """Scale and zero of each part's map: value = (number - zero) * scale."""
        return [tap["quantization"] for tap in self._taps]

    def look(self, image: np.ndarray) -> list[np.ndarray]:
        """The map of each part, (height, width, channels) uint8, for a picture of (224, 224, 3) uint8 RGB."""
        self._run.set_tensor(self._input, image[None])
        self._run.invoke()
        return [self._run.get_tensor(tap["index"])[0] for tap in self._taps]


def _tap(details: list[dict[str, Any]], name: str, file: Path) -> dict[str, Any]:
    """The tensor that the operation `name` ends in."""
    ends = (f"{name}/add_fold", name)
    for tensor in details:
        own = tensor["name"].split(";")
        if len(tensor["shape"]) == 4 and tensor["shape"][1] > 3 and (own[0] in ends):
            return tensor
    raise MissingWeights(f"{file} has no tensor {name}", "The teacher must be a MobileNetV2 1.0 for 224 pixels.")
