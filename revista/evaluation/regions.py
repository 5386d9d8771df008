"""How well pictures are found: precision, recall and F1 at IoU 0.5, COCO's average precision, false finds, time.

The stage is run as the pipeline runs it. What it leaves out for lack of confidence still counts for the average
precision, which looks at all thresholds.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revista.errors import BadInput
from revista.evaluation.index import IndexPage, open_page
from revista.geometry import Box
from revista.records import Confidence, Frozen, Problem, RegionKind, Regions
from revista.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from revista.regions import Detector

IOU = 0.5
ALL = "all"


class PredictedRegion(Frozen):
    """A found region; `accepted` is False where it was left out for lack of confidence."""

    box: Box
    kind: RegionKind
    confidence: Confidence
    detector: str
    accepted: bool = True


class PagePrediction(Frozen):
    """What was found on a page of the index, in pixels of the page image, beside what is there."""

    file: str
    page: int | None
    source: str
    width: int
    height: int
    regions: tuple[PredictedRegion, ...] = ()
    truth: tuple[Box, ...] = ()
    seconds: float
    problems: tuple[Problem, ...] = ()


class RegionScores(Frozen):
    """Measures over a set of pages; None where there is nothing to divide by."""

    pages: int
    pictures: int
    found: int
    correct: int  # found with IoU 0.5 or more, each picture once
    precision: float | None
    recall: float | None
    f1: float | None
    ap50: float | None
    ap50_95: float | None
    pages_without_pictures: int
    false_on_pages_without_pictures: int
    failed_pages: int
    seconds_per_page: float | None


class RegionEvaluation(Frozen):
    """The measures over all pages and by source, with what was predicted."""

    detectors: tuple[str, ...]
    min_confidence: float
    scores: RegionScores
    sources: dict[str, RegionScores]
    predictions: tuple[PagePrediction, ...]

    def table(self) -> Table:
        """The measures as a table for the terminal."""
        from rich.table import Table

        table = Table(
            title=f"Pictures found by {' + '.join(self.detectors)}, confidence {self.min_confidence:g} and more",
            box=None,  # so that it fits into 80 columns
        )
        table.add_column("source", no_wrap=True)
        for name in ("pages", "pics", "prec.", "recall", "F1", "AP50", "mAP", "false*", "fail", "s/page"):
            table.add_column(name, justify="right")
        for name, s in [*self.sources.items(), (ALL, self.scores)]:
            shares = (_shown(v) for v in (s.precision, s.recall, s.f1, s.ap50, s.ap50_95))
            false = f"{s.false_on_pages_without_pictures} on {s.pages_without_pictures}"
            table.add_row(
                name, str(s.pages), str(s.pictures), *shares, false, str(s.failed_pages), _shown(s.seconds_per_page)
            )
        table.caption = "* pictures found on pages that have none; mAP is AP50-95"
        return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def evaluate_regions(
    entries: Sequence[IndexPage],
    settings: Settings,
    *,
    detector: Detector | None = None,
    on_page: Callable[[], None] = lambda: None,
) -> RegionEvaluation:
    """Run the stage over the pages of an index and compare what it finds with what is there.

    Args:
        entries: pages from `revista.evaluation.index.read_index`.
        settings: `regions` says which detectors and what confidence, `run.device` where they run.
        detector: used in place of the one that the settings name.
        on_page: called after each page.

    Raises:
        BadInput: the index has no pages.
        MissingWeights: a detector's weights are not at hand.
    """
    from revista import regions

    if not entries:
        raise BadInput("the index lists no pages", "Name an index with at least one page.")
    found_by = detector or regions.load(settings.regions, settings.run.device)
    predictions = []
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        for entry in entries:
            predictions.append(_predict(entry, settings, found_by, Path(scratch)))
            on_page()
    sources = sorted({p.source for p in predictions})
    illustrated = frozenset((e.name, e.page) for e in entries if e.illustrations)
    return RegionEvaluation(
        detectors=settings.regions.detectors if detector is None else (detector.name,),
        min_confidence=settings.regions.min_confidence,
        scores=score(predictions, illustrated),
        sources={source: score([p for p in predictions if p.source == source], illustrated) for source in sources},
        predictions=tuple(predictions),
    )


def _predict(entry: IndexPage, settings: Settings, detector: Detector, scratch: Path) -> PagePrediction:
    from revista import regions

    width, height = entry.width or 0, entry.height or 0
    seconds = 0.0
    try:
        image, page = open_page(entry, scratch, settings.run.page_timeout)
        width, height = page.width, page.height
        started = time.perf_counter()
        found = regions.run(image, page, settings.regions, detector)
        seconds = time.perf_counter() - started
    except BadInput as error:
        found = Regions(problems=(Problem.from_error(error, regions.NAME, entry.page or 1),))
    accepted = [
        PredictedRegion(box=r.box, kind=r.kind, confidence=r.confidence, detector=r.detector) for r in found.regions
    ]
    unsure = [
        PredictedRegion(
            box=r.box, kind=RegionKind.PICTURE, confidence=r.confidence, detector=r.detector, accepted=False
        )
        for r in found.rejected
        if r.reason == "confidence"
    ]
    return PagePrediction(
        file=entry.name,
        page=entry.page,
        source=entry.source,
        width=width,
        height=height,
        regions=(*accepted, *unsure),
        truth=entry.true_boxes(width, height),
        seconds=round(seconds, 4),
        problems=found.problems,
    )


def score(
    predictions: Sequence[PagePrediction], illustrated: frozenset[tuple[str, int | None]] = frozenset()
) -> RegionScores:
    """The measures over some pages.

    Args:
        predictions: the pages. One that failed counts with nothing found.
        illustrated: file and page number of pages known to have pictures even where no box of them is known.
    """
    pairs = [([r for r in p.regions if r.kind is RegionKind.PICTURE], p.truth) for p in predictions]
    found = sum(r.accepted for regions, _ in pairs for r in regions)
    pictures = sum(len(truth) for _, truth in pairs)
    correct = sum(matches([r.box for r in regions if r.accepted], truth) for regions, truth in pairs)
    bare = [p for p in predictions if not p.truth and (p.file, p.page) not in illustrated]
    false = sum(r.accepted and r.kind is RegionKind.PICTURE for p in bare for r in p.regions)
    ap50, ap50_95 = average_precision(pairs)
    timed = [p.seconds for p in predictions if p.seconds]
    return RegionScores(
        pages=len(predictions),
        pictures=pictures,
        found=found,
        correct=correct,
        precision=_share(correct, found),
        recall=_share(correct, pictures),
        f1=_share(2 * correct, found + pictures),
        ap50=ap50,
        ap50_95=ap50_95,
        pages_without_pictures=len(bare),
        false_on_pages_without_pictures=false,
        failed_pages=sum(any(problem.fails_page for problem in p.problems) for p in predictions),
        seconds_per_page=round(sum(timed) / len(timed), 4) if timed else None,
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def matches(found: Sequence[Box], truth: Sequence[Box], iou: float = IOU) -> int:
    """The largest number of pairs of a found and a true box with at least this IoU, each box used once.

    A maximum matching, so that the number does not hang on the order of the boxes.
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not found or not truth:
        return 0
    fits = np.array([[f.iou(t) >= iou for t in truth] for f in found])
    return int((maximum_bipartite_matching(csr_matrix(fits), perm_type="column") >= 0).sum())


def average_precision(
    pages: Sequence[tuple[Sequence[PredictedRegion], Sequence[Box]]],
) -> tuple[float | None, float | None]:
    """COCO's average precision at IoU 0.5 and its mean over IoU 0.5 to 0.95, for pictures of all sizes.

    As pycocotools computes it: Lin et al. (2014), "Microsoft COCO: Common Objects in Context". None without a true box.

    Args:
        pages: for each page the pictures found, with all confidences, and the true boxes.
    """
    if not any(truth for _, truth in pages):
        return None, None
    if not any(found for found, _ in pages):
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its progress on stdout
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        truth = COCO()
        annotations: list[dict[str, Any]] = [
            {"image_id": n, "category_id": 1, "bbox": _xywh(box), "area": box.area, "iscrowd": 0, "id": 0}
            for n, (_, boxes) in enumerate(pages)
            for box in boxes
        ]
        for number, annotation in enumerate(annotations, start=1):  # pycocotools takes the id 0 for "no match"
            annotation["id"] = number
        truth.dataset = {
            "info": {},
            "images": [{"id": n} for n in range(len(pages))],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "picture"}],
        }
        truth.createIndex()
        results = truth.loadRes(
            [
                {"image_id": n, "category_id": 1, "bbox": _xywh(region.box), "score": region.confidence}
                for n, (found, _) in enumerate(pages)
                for region in found
            ]
        )
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[1]), 4), round(float(evaluation.stats[0]), 4)


def _xywh(box: Box) -> list[int]:
    return [box.left, box.top, box.width, box.height]
