"""What every detector is: page images in, layoutparser `Layout`s out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, Union

import numpy as np

from revista.errors import ModelError, RevistaError
from revista.geometry import Box
from revista.records import Look, Problem, RegionKind

if TYPE_CHECKING:
    from layoutparser import Layout, TextBlock

NAME = "regions"
PART = "part"
"""The type of a block that is one of the pictures of a collage."""

Finding: TypeAlias = Union["Layout", Problem]
"""What a detector says of one image: a Layout, or the Problem that it had with it."""


class Detector(Protocol):
    """Finds parts of pages.

    The blocks of its layouts are `TextBlock`s around a `Rectangle` in the image's pixels, with a `RegionKind` as
    their `type` (or `PART`), a confidence of 0.0 to 1.0 as their `score`, and the name of who found them as their `id`.
    The `text` of a picture is its `Look`, where the detector tells.
    Detectors are used from several threads at once.
    """

    @property
    def name(self) -> str:
        """A short name, which the regions carry."""

    def weights(self) -> dict[str, str]:
        """Hex sha256 of each file of weights, by name; empty where there are none."""

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """What is on each image.

        Args:
            images: `(height, width, 3)` uint8 arrays, RGB, of any sizes.

        Returns:
            A Layout for each image in the same order; a Problem in place of one that could not be worked on.
        """


def each(name: str, images: list[np.ndarray], find: Callable[[np.ndarray], list[TextBlock]]) -> list[Finding]:
    """`find` on each image, with a Problem where it fails."""
    from layoutparser import Layout

    def one(image: np.ndarray) -> Finding:
        try:
            return Layout(find(image))
        except Exception as error:
            return failure(name, error)

    return [one(image) for image in images]


def failure(name: str, error: Exception) -> Problem:
    """The Problem for an image on which the detector `name` failed with `error`."""
    if not isinstance(error, RevistaError):
        error = ModelError(
            f"the detector {name} failed: {type(error).__name__}: {error}",
            "Leave it out with the setting regions.detectors, and report the page on which it fails.",
        )
    return Problem.from_error(error, NAME)


def block(box: Box, kind: RegionKind | str, score: float, found_by: str, look: Look | None = None) -> TextBlock:
    """A layoutparser block, as `Detector` describes it; `kind` may be `PART`."""
    from layoutparser import Rectangle, TextBlock

    text = None if look is None else look.value
    return TextBlock(Rectangle(*map(int, box)), text=text, type=str(kind), score=float(score), id=found_by)
