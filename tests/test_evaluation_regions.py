"""The index of pages with ground truth, and the measures for found pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from layoutparser import Layout
from PIL import Image

from revista.errors import BadInput, Category
from revista.evaluation.index import IndexPage, open_page, read_index
from revista.evaluation.regions import (
    PredictedRegion,
    RegionEvaluation,
    average_precision,
    evaluate_regions,
    matches,
)
from revista.geometry import Box
from revista.records import Problem, RegionKind
from revista.regions.detector import Finding, block
from revista.settings import RegionsSettings, Settings

SHARED = Path(__file__).parents[2] / "shared" / "pages"
BOX = Box(10, 10, 60, 50)


def write_index(folder: Path, *entries: object) -> Path:
    for entry in entries:
        if isinstance(entry, dict) and str(entry.get("file")).endswith(".png"):
            file = folder / entry["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (100, 80), "white").save(file)
    (folder / "index.json").write_text(json.dumps(entries), "utf-8")
    return folder / "index.json"


def entry(name: str, *boxes: object, **more: object) -> dict[str, object]:
    return {"file": name, "width": 100, "height": 80, "illustrations": [{"bbox_xyxy": b} for b in boxes], **more}


class Says:
    """A detector that says the same of each page, and fails on those in `broken` (counted from 0)."""

    name = "told"

    def __init__(self, *says: tuple[Box, float], broken: tuple[int, ...] = ()) -> None:
        self.says, self.broken, self.seen = says, broken, -1

    def weights(self) -> dict[str, str]:
        return {}

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        self.seen += 1
        if self.seen in self.broken:
            return [Problem(stage="regions", category=Category.MODEL, message="no", hint="yes")]
        return [Layout([block(b, RegionKind.PICTURE, c, self.name) for b, c in self.says])]


def evaluate(index: Path, detector: Says, min_confidence: float = 0.5) -> RegionEvaluation:
    options = Settings(regions=RegionsSettings(min_confidence=min_confidence))
    return evaluate_regions(read_index(index), options, detector=detector)


# --- the index ---


def test_an_index_with_all_sorts_of_boxes(tmp_path: Path) -> None:
    boxes = ([10.4, 9.6, 59.5, 50], None, [60, 50, 10, 10], [1, None, 3, 4], [200, 200, 300, 300], [5, 5, 5, 9])
    file = write_index(tmp_path, entry("a/x.png", *boxes, colour="red", text_lines=["uno", "dos"], doc="d", lang="es"))
    (page,) = read_index(file)
    assert [i.box for i in page.illustrations] == [Box(10, 10, 60, 50), None, Box(10, 10, 60, 50), None, None, None]
    assert (page.source, page.doc, page.language, page.text_lines) == ("a", "d", "es", ("uno", "dos"))
    assert page.true_boxes(200, 160)[0] == Box(20, 20, 120, 100)
    image, record = open_page(page, tmp_path)
    assert (image, record.width, record.height, record.number) == (tmp_path / "a/x.png", 100, 80, 1)


def test_files_may_be_named_from_the_folder_above(tmp_path: Path) -> None:
    write_index(tmp_path, entry("social/x.png"))
    below = tmp_path / "social" / "index.json"
    below.write_text(json.dumps([{"file": "social/x.png"}]), "utf-8")
    (page,) = read_index(below)
    assert page.file.resolve() == (tmp_path / "social" / "x.png").resolve()
    assert page.source == "social"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        "[1]",
        "[{}]",
        '[{"file": 3}]',
        '[{"file": "nowhere.png"}]',
        '[{"file": "a.png", "illustrations": 3}]',
        '[{"file": "a.png", "illustrations": ["x"]}]',
        '[{"file": "a.png", "illustrations": [{"bbox_xyxy": [1, 2]}]}]',
        '[{"file": "a.png", "illustrations": [{"bbox_xyxy": ["a", 2, 3, 4]}]}]',
        '[{"file": "a.png", "width": "wide"}]',
        "\xff",
    ],
)
def test_a_broken_index_is_refused_with_its_name(content: str, tmp_path: Path) -> None:
    Image.new("L", (5, 5)).save(tmp_path / "a.png")
    file = tmp_path / "broken.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInput, match=r"broken\.json"):
        read_index(file)


def test_a_missing_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_index(tmp_path / "none.json")
    with pytest.raises(BadInput):
        evaluate_regions((), Settings(), detector=Says())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared pages are not here")
def test_a_page_of_a_pdf_is_taken_out(tmp_path: Path) -> None:
    pdf = SHARED / "pdf" / "Moreno_026.pdf"
    page = IndexPage(name=pdf.name, file=pdf, page=1, doc="d", source="s", width=1737, height=2508)
    image, record = open_page(page, tmp_path)
    with Image.open(image) as opened:
        assert opened.size == (record.width, record.height)
    with pytest.raises(BadInput):
        open_page(page.model_copy(update={"page": 99}), tmp_path)


# --- the measures ---


def test_measures_by_hand(tmp_path: Path) -> None:
    miss = Box(70, 10, 95, 70)
    index = write_index(tmp_path, entry("a/1.png", list(BOX)), entry("a/2.png", list(miss)), entry("b/3.png"))
    result = evaluate(index, Says((BOX, 0.9)))
    assert (result.scores.pages, result.scores.pictures, result.scores.found, result.scores.correct) == (3, 2, 3, 1)
    assert (result.scores.precision, result.scores.recall, result.scores.f1) == (0.3333, 0.5, 0.4)
    assert (result.scores.pages_without_pictures, result.scores.false_on_pages_without_pictures) == (1, 1)
    assert set(result.sources) == {"a", "b"}
    assert result.sources["a"].f1 == 0.5
    assert (result.sources["b"].recall, result.sources["b"].ap50) == (None, None)
    assert result.scores.seconds_per_page is not None
    json.dumps(result.model_dump(mode="json"))
    assert result.table().row_count == 3


def test_a_perfect_detector_scores_one_and_a_silent_one_nothing(tmp_path: Path) -> None:
    index = write_index(tmp_path, entry("a/1.png", list(BOX)))
    perfect = evaluate(index, Says((BOX, 0.9))).scores
    assert (perfect.precision, perfect.recall, perfect.f1, perfect.ap50, perfect.ap50_95) == (1, 1, 1, 1, 1)
    silent = evaluate(index, Says()).scores
    assert (silent.precision, silent.recall, silent.f1, silent.ap50, silent.ap50_95) == (None, 0, 0, 0, 0)


def test_what_is_below_the_threshold_counts_for_average_precision_only(tmp_path: Path) -> None:
    index = write_index(tmp_path, entry("a/1.png", list(BOX)))
    result = evaluate(index, Says((BOX, 0.3)))
    assert (result.scores.found, result.scores.recall, result.scores.ap50) == (0, 0, 1)
    assert [r.accepted for r in result.predictions[0].regions] == [False]


def test_a_page_that_fails_counts_with_nothing_found(tmp_path: Path) -> None:
    index = write_index(tmp_path, entry("a/1.png", list(BOX)), entry("a/2.png", list(BOX)), entry("a/3.png", list(BOX)))
    (tmp_path / "a/3.png").write_bytes(b"no image any more")
    result = evaluate(index, Says((BOX, 0.9), broken=(0,)))
    assert (result.scores.failed_pages, result.scores.correct, result.scores.recall) == (2, 1, 0.3333)
    assert [len(p.problems) for p in result.predictions] == [1, 0, 1]


def test_a_picture_without_a_known_box_makes_no_page_without_pictures(tmp_path: Path) -> None:
    index = write_index(tmp_path, entry("a/1.png", None))
    assert evaluate(index, Says((BOX, 0.9))).scores.pages_without_pictures == 0


def test_matching_does_not_hang_on_order() -> None:
    wide, narrow = Box(0, 0, 100, 100), Box(0, 0, 100, 60)
    # the wide box fits both truths, the narrow one only the second
    truth = (Box(0, 0, 100, 100), Box(0, 0, 100, 50))
    assert narrow.iou(truth[0]) >= 0.5
    assert matches((wide, narrow), truth) == matches((narrow, wide), truth) == 2
    assert matches((wide, wide), truth[:1]) == 1


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 80),
    st.integers(0, 80),
    st.integers(1, 80),
    st.integers(1, 80),
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_matching_is_symmetric_and_bounded(found: list[Box], truth: list[Box]) -> None:
    count = matches(found, truth)
    assert count == matches(truth, found) == matches(found[::-1], truth)
    assert 0 <= count <= min(len(found), len(truth))
    assert matches(truth, truth) == len(truth)


def test_average_precision_ranks_by_confidence(capsys: pytest.CaptureFixture[str]) -> None:
    def region(box: Box, confidence: float) -> PredictedRegion:
        return PredictedRegion(box=box, kind=RegionKind.PICTURE, confidence=confidence, detector="d")

    other = Box(70, 10, 95, 70)
    right_first = [([region(BOX, 0.9), region(other, 0.2)], (BOX,))]
    wrong_first = [([region(BOX, 0.2), region(other, 0.9)], (BOX,))]
    assert average_precision(right_first) == (1.0, 1.0)
    assert average_precision(wrong_first) == (0.5, 0.5)
    off = [([region(Box(10, 10, 60, 40), 0.9)], (BOX,))]  # IoU 0.75: right at 0.50 to 0.75, wrong at 0.80 to 0.95
    assert average_precision(off) == (1.0, 0.6)
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared pages are not here")
def test_the_default_detectors_on_real_pages() -> None:
    entries = read_index(SHARED / "social" / "index.json")
    seen: list[None] = []
    result = evaluate_regions(entries, Settings(), on_page=lambda: seen.append(None))
    assert len(seen) == len(entries) == result.scores.pages
    assert result.scores.f1 is not None
    assert result.scores.f1 > 0.7
