"""Several detectors as one: agreement makes sure, doubles go, and what a lone weak detector says counts less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from revista.errors import Category
from revista.geometry import Box
from revista.records import Look, Problem, RegionKind
from revista.regions.detector import NAME, PART, Detector, Finding, block

# How far the confidence of a detector's pictures can be trusted beside the others' (docs/measurements.md has the
# figures): rapid-layout, trained on papers, takes whole pages of a magazine for one figure.
_TRUST = {"rapid_layout": 0.45}
_SAME = 0.5  # IoU from which two boxes mean the same thing
_INSIDE = 0.8  # share of a box from which it counts as lying inside another


@dataclass(frozen=True)
class Found:
    """A block of a layout, unpacked; `kind` None is a part of a collage."""

    box: Box
    kind: RegionKind | None
    confidence: float
    detector: str
    look: Look | None = None


def unpack(layout: Sequence) -> list[Found]:
    """The blocks of a layoutparser Layout, with corners in whole pixels."""
    return [
        Found(
            Box(*(round(float(c)) for c in b.coordinates)),
            None if b.type == PART else RegionKind(b.type),
            float(b.score),
            str(b.id),
            Look(b.text) if b.text and b.type == RegionKind.PICTURE else None,
        )
        for b in layout
    ]


class CombinedDetector:
    """Detectors whose layouts are merged."""

    name = "combined"

    def __init__(self, detectors: Sequence[Detector]) -> None:
        """Keep the detectors, two or more."""
        self._detectors = tuple(detectors)

    def weights(self) -> dict[str, str]:
        """Hex sha256 of all files of weights, by detector and file."""
        return {f"{d.name}/{file}": digest for d in self._detectors for file, digest in d.weights().items()}

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        """What all detectors together find; see `revista.regions.detector.Detector`.

        Where some but not all of them fail on an image, its layout's `page_data["problems"]` says so.
        """
        findings = [detector.detect(images) for detector in self._detectors]
        return [self._merged(list(of_one)) for of_one in zip(*findings, strict=True)]

    def _merged(self, findings: list[Finding]) -> Finding:
        from layoutparser import Layout

        problems = [finding for finding in findings if isinstance(finding, Problem)]
        if len(problems) == len(findings):
            return problems[0]
        found = [item for finding in findings if not isinstance(finding, Problem) for item in unpack(finding)]
        layout = Layout([block(f.box, f.kind or PART, f.confidence, f.detector, f.look) for f in merge(found)])
        if problems:
            loss = {"stage": NAME, "category": Category.REDUCED}
            layout.page_data = {"problems": tuple(problem.model_copy(update=loss) for problem in problems)}
        return layout


def merge(found: Sequence[Found]) -> list[Found]:
    """One list from what several detectors found, surest first.

    Pictures that several detectors found keep the box of the surest one; their confidence is that of at least one
    being right, 1 - prod(1 - c), were they independent. Of other parts the surest of each place stays.
    """
    ordered = sorted((_trusted(f) for f in found), key=_rank)
    groups: list[list[Found]] = []
    for item in ordered:
        for group in groups:
            first = group[0]
            if first.kind is item.kind and first.box.iou(item.box) >= _SAME:
                group.append(item)
                break
        else:
            groups.append([item])
    return sorted((_agreed(group) for group in groups), key=_rank)


def _trusted(found: Found) -> Found:
    trust = _TRUST.get(found.detector, 1.0) if found.kind is RegionKind.PICTURE else 1.0
    return replace(found, confidence=found.confidence * trust)


def _rank(found: Found) -> tuple[float, Box, str, str]:
    return -found.confidence, found.box, found.kind or PART, found.detector


def _agreed(group: list[Found]) -> Found:
    surest: dict[str, float] = {}
    for item in group:
        surest[item.detector] = max(item.confidence, surest.get(item.detector, 0.0))
    doubt = 1.0
    for confidence in surest.values():
        doubt *= 1 - confidence
    look = next((item.look for item in group if item.look is not None), None)
    return Found(group[0].box, group[0].kind, 1 - doubt, "+".join(sorted(surest)), look)


def nested(inner: Box, outer: Box) -> bool:
    """Whether `inner` lies in `outer` for the most part."""
    return inner.coverage_by(outer) >= _INSIDE
