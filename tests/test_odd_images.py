"""Pages of the sample as odd scanners store them: the same pictures are found, or a problem says why not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from revista import pages, regions
from revista.errors import Category
from revista.geometry import Box
from revista.images import read_image
from revista.records import Page, Regions
from revista.regions.detector import Detector
from revista.settings import PagesSettings, RegionsSettings
from tests.conftest import SAMPLE

OPTIONS = RegionsSettings()
SIZE = (850, 1130)  # half the sample's: two ovals in columns of text (page 7), a portrait in a frame (page 2)
OVALS = (Box(108, 436, 383, 706), Box(474, 282, 750, 592))
PORTRAIT = Box(102, 95, 742, 853)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return regions.load(OPTIONS, "cpu")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Image.Image]:
    folder = tmp_path_factory.mktemp("sample")
    found = {}
    for number in (2, 7):
        page = pages.run(SAMPLE, number, PagesSettings(), folder, 60)
        assert page.image
        found[number] = Image.fromarray(read_image(folder / page.image)).resize(SIZE, Image.Resampling.LANCZOS)
    return found


def run(file: Path, detector: Detector) -> Regions:
    return regions.run(file, Page(number=1, image=file.name), OPTIONS, detector)


@pytest.fixture(scope="module")
def plain(
    sample: dict[int, Image.Image], detector: Detector, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Box, ...]:
    """What is found on the plain page, in grey as most odd modes are."""
    file = tmp_path_factory.mktemp("plain") / "plain.png"
    sample[7].convert("L").save(file)
    found = tuple(region.box for region in run(file, detector).pictures)
    assert len(found) == 2
    return found


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


def sixteen(image: Image.Image) -> Image.Image:
    return Image.fromarray(grey(image).astype(np.uint16) * 257)


def twelve(image: Image.Image) -> Image.Image:
    return Image.fromarray((grey(image).astype(np.uint32) * 4095 // 255).astype(np.uint16))


def cut_out(image: Image.Image) -> Image.Image:
    """The print on transparent paper, black under what is transparent."""
    clear = np.where(grey(image) > 215, 0, 255).astype(np.uint8)
    ink = np.where(clear[..., None] > 0, np.asarray(image), 0).astype(np.uint8)
    return Image.merge("RGBA", (*Image.fromarray(ink).split(), Image.fromarray(clear)))


def palette_with_a_clear_colour(image: Image.Image) -> Image.Image:
    paletted = image.quantize(64)
    paletted.info["transparency"] = int(np.bincount(np.asarray(paletted).ravel()).argmax())  # the paper
    return paletted


MODES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "sixteen.png": sixteen,
    "sixteen.tif": sixteen,
    "twelve.tif": twelve,
    "cmyk.jpg": lambda i: i.convert("CMYK"),
    "cmyk.tif": lambda i: i.convert("CMYK"),
    "palette.png": lambda i: i.quantize(64),
    "palette.gif": lambda i: i.quantize(64),
    "clear_palette.png": palette_with_a_clear_colour,
    "alpha.png": cut_out,
    "lab.tif": lambda i: i.convert("LAB"),
}


@pytest.mark.parametrize("name", MODES)
def test_every_mode_gives_the_boxes_of_the_plain_page(
    name: str, sample: dict[int, Image.Image], plain: tuple[Box, ...], detector: Detector, tmp_path: Path
) -> None:
    image = MODES[name](sample[7])
    image.save(tmp_path / name, **({"transparency": image.info["transparency"]} if "clear" in name else {}))
    found = run(tmp_path / name, detector)
    assert found.problems == ()
    assert [max(box.iou(p.box) for box in plain) > 0.6 for p in found.pictures] == [True, True]


def turned(box: Box, quarters: int) -> Box:
    """`box` on the page of `SIZE`, after it was turned counterclockwise by quarters."""
    width, height = SIZE
    for _ in range(quarters):
        box = Box(box.top, width - box.right, box.bottom, width - box.left)
        width, height = height, width
    return box


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize(("number", "truth"), [(2, (PORTRAIT,)), (7, OVALS)])
def test_a_turned_page_keeps_its_pictures(
    quarters: int,
    number: int,
    truth: tuple[Box, ...],
    sample: dict[int, Image.Image],
    detector: Detector,
    tmp_path: Path,
) -> None:
    Image.fromarray(np.ascontiguousarray(np.rot90(np.asarray(sample[number]), quarters))).save(tmp_path / "turned.png")
    found = run(tmp_path / "turned.png", detector)
    assert found.problems == ()
    assert len(found.pictures) == len(truth)
    for box in truth:  # on a page turned by a quarter, boxes take in some of the print beside them
        assert max(p.box.iou(turned(box, quarters)) for p in found.pictures) >= (0.7 if quarters == 2 else 0.4)


@pytest.mark.parametrize(("number", "truth"), [(2, (PORTRAIT,)), (7, OVALS)])
def test_white_on_black_has_its_pictures_or_a_problem(
    number: int, truth: tuple[Box, ...], sample: dict[int, Image.Image], detector: Detector, tmp_path: Path
) -> None:
    Image.fromarray(255 - np.asarray(sample[number])).save(tmp_path / "negative.png")
    found = run(tmp_path / "negative.png", detector)
    if found.problems:
        assert all(problem.message and problem.hint for problem in found.problems)
    else:
        assert [max(p.box.iou(box) for p in found.pictures) >= 0.85 for box in truth] == [True] * len(truth)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("blank.png", Image.new("L", SIZE, 240)),
        ("blank16.png", Image.fromarray(np.full(SIZE[::-1], 60000, np.uint16))),
        ("black16.png", Image.fromarray(np.zeros(SIZE[::-1], np.uint16))),
        ("clear.png", Image.new("RGBA", SIZE, (0, 0, 0, 0))),
        ("one.png", Image.new("RGB", (1, 1), (9, 9, 9))),
        ("one16.png", Image.fromarray(np.full((1, 1), 12, np.uint16))),
        ("wide.png", Image.new("L", (20_000, 300), 235)),
        ("tall.png", Image.new("L", (300, 20_000), 235)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_nothing_is_nothing_is_found(name: str, image: Image.Image, detector: Detector, tmp_path: Path) -> None:
    image.save(tmp_path / name)
    found = run(tmp_path / name, detector)
    assert found.pictures == ()
    if name in ("wide.png", "tall.png"):
        (problem,) = found.problems
        assert problem.category is Category.REDUCED and "strip" in problem.message and problem.hint
    else:
        assert found.problems == ()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_double_page_20000_pixels_wide_is_refused_before_it_is_decoded(detector: Detector, tmp_path: Path) -> None:
    Image.new("1", (20_000, 12_600)).save(tmp_path / "huge.png", compress_level=1)
    (problem,) = run(tmp_path / "huge.png", detector).problems
    assert problem.category is Category.TOO_LARGE and problem.hint and "20000 x 12600" in problem.message


# --- reading --------------------------------------------------------------------------------------------------


def tiff_of_16_bits(values: np.ndarray, photometric: int) -> bytes:
    """A plain TIFF of one strip, as TIFF 6.0 describes it."""
    height, width = values.shape
    data = values.astype("<u2").tobytes()
    fields = {256: width, 257: height, 258: 16, 259: 1, 262: photometric, 273: 8, 277: 1, 278: height, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    start = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return start + data + struct.pack("<H", len(fields)) + entries + bytes(4)


def test_tiff_that_counts_from_white_is_turned_round(tmp_path: Path) -> None:
    values = np.array([[0, 65535], [30000, 5140]])
    expected = {1: [[0, 255], [117, 20]], 0: [[255, 0], [138, 235]]}
    for photometric, grey_levels in expected.items():
        (tmp_path / "a.tif").write_bytes(tiff_of_16_bits(values, photometric))
        assert read_image(tmp_path / "a.tif")[..., 0].tolist() == grey_levels


def test_twelve_bits_in_sixteen_are_scaled_by_their_own_range(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 4095], [2048, 819]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[..., 0].tolist() == [[0, 255], [128, 51]]
