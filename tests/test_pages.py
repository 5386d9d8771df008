import hashlib
import io
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageChops, ImageCms

from revista import pages
from revista.geometry import Box
from revista.issues import Metadata
from revista.pages.document import Rect
from revista.programs import poppler
from revista.records import Page
from revista.settings import PagesSettings
from tests.pdfs import (
    FULL,
    NOT_ONLY,
    OPTIONS,
    SCAN_ONLY,
    SHARED,
    Build,
    add_page,
    as_rgb,
    ccitt,
    image_stream,
    jpeg,
    layered,
    needs_shared,
    of_jpeg,
    of_pixels,
    one_page,
    picture,
    pixels,
    run,
    save,
)


def unlike(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of two pictures seen from afar: poppler stretches what it draws by up to a pixel."""
    height, width = (side // 10 * 10 for side in one.shape[:2])
    small = [a[:height, :width].reshape(height // 10, 10, width // 10, 10, 3).mean(axis=(1, 3)) for a in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def oracle(pdf: Path, page: Page) -> np.ndarray:
    """The page itself (not the scan alone) as poppler draws it at the size of the page image."""
    with pikepdf.open(pdf) as opened:
        sideways = int(opened.pages[0].get("/Rotate", 0)) % 180 == 90
    folder = pdf.parent / "oracle"
    folder.mkdir(exist_ok=True)
    drawn = poppler.render(pdf, 1, (page.width, page.height), folder, timeout=50, sideways=sideways)
    with Image.open(drawn.file) as image:
        return as_rgb(image)


# --- the scan as it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_plain_jpeg_is_copied_byte_for_byte(tmp_path: Path, mode: str) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture(mode)))
    page = run(pdf)
    assert (tmp_path / "out" / "0001.jpg").read_bytes() == jpeg(picture(mode))
    assert (page.width, page.height, page.dpi) == (200, 300, 72.0)
    assert (page.origin, page.codec, page.rotation, page.problems) == ("embedded", "jpeg", 0, ())


def test_jpeg_wrapped_in_other_filters_is_unwrapped(tmp_path: Path) -> None:
    import zlib

    def build(pdf: pikepdf.Pdf) -> Any:
        data = zlib.compress(jpeg(picture())).hex().encode() + b">"
        names = Array([Name.ASCIIHexDecode, Name.FlateDecode, Name.DCTDecode])
        return of_jpeg(pdf, picture(), data, Filter=names)

    page = run(one_page(tmp_path, build))
    assert (tmp_path / "out" / "0001.jpg").read_bytes() == jpeg(picture())
    assert page.codec == "jpeg"


def wide_gamut() -> bytes:
    """A profile that moves colours: Lab as if it were RGB would not do, so XYZ primaries."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()


def soft_mask(pdf: pikepdf.Pdf) -> Any:
    return of_pixels(pdf, picture("L").rotate(180))


GREY = np.asarray(picture("L"))
BITS = picture("L").point(lambda v: 255 if v > 127 else 0).convert("1")
LEVELS = picture("L").quantize(16)


def packed4(image: Image.Image) -> bytes:
    data = np.asarray(image)
    return ((data[:, 0::2] << 4) | data[:, 1::2]).astype(np.uint8).tobytes()


def jpx(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG2000", irreversible=False)
    return data.getvalue()


def profile_space(pdf: pikepdf.Pdf, profile: bytes, components: int) -> Array:
    stream = pdf.make_stream(profile)
    stream.N = components
    return Array([Name.ICCBased, stream])


G4 = Dictionary(K=-1, Columns=200, Rows=300)
WHITE = np.full((300, 200, 3), 255)
ALPHA = as_rgb(picture("L").rotate(180)) / 255

EXACT: dict[str, tuple[Build, Any]] = {
    "rgb": (lambda p: of_pixels(p, picture()), as_rgb(picture())),
    "grey": (lambda p: of_pixels(p, picture("L")), as_rgb(picture("L"))),
    "bilevel": (lambda p: of_pixels(p, BITS), as_rgb(BITS)),
    "bilevel inverted": (lambda p: of_pixels(p, BITS, Decode=Array([1, 0])), 255 - as_rgb(BITS)),
    "rgb inverted": (lambda p: of_pixels(p, picture(), Decode=Array([1, 0] * 3)), 255 - as_rgb(picture())),
    "palette": (
        lambda p: image_stream(
            p,
            packed4(LEVELS),
            (200, 300),
            4,
            ColorSpace=Array([Name.Indexed, Name.DeviceRGB, 15, pikepdf.String(bytes(LEVELS.getpalette()[:48]))]),  # type: ignore[index]
        ),
        as_rgb(LEVELS),
    ),
    "16 bits": (
        lambda p: image_stream(p, (GREY.astype(">u2") * 257).tobytes(), (200, 300), 16, ColorSpace=Name.DeviceGray),
        as_rgb(picture("L")),
    ),
    "16 bits rgb": (
        lambda p: image_stream(
            p, (np.asarray(picture()).astype(">u2") * 257).tobytes(), (200, 300), 16, ColorSpace=Name.DeviceRGB
        ),
        as_rgb(picture()),
    ),
    "profile": (lambda p: of_pixels(p, picture(), ColorSpace=profile_space(p, wide_gamut(), 3)), as_rgb(picture())),
    "jpx": (
        lambda p: image_stream(p, jpx(picture()), (200, 300), None, Filter=Name.JPXDecode),
        as_rgb(picture()),
    ),
    "ccitt": (
        lambda p: image_stream(
            p, ccitt(BITS), (200, 300), 1, ColorSpace=Name.DeviceGray, Filter=Name.CCITTFaxDecode,
            DecodeParms=G4,
        ),
        as_rgb(BITS),
    ),
    "ccitt black is 1": (
        lambda p: image_stream(
            p, ccitt(BITS), (200, 300), 1, ColorSpace=Name.DeviceGray, Filter=Name.CCITTFaxDecode,
            DecodeParms=Dictionary(K=-1, Columns=200, Rows=300, BlackIs1=True),
        ),
        255 - as_rgb(BITS),
    ),
    "stencil": (
        lambda p: image_stream(p, BITS.tobytes(), (200, 300), 1, ImageMask=True),
        as_rgb(BITS),
    ),
    "stencil inverted": (
        lambda p: image_stream(p, BITS.tobytes(), (200, 300), 1, ImageMask=True, Decode=Array([1, 0])),
        255 - as_rgb(BITS),
    ),
    "soft mask": (
        lambda p: of_pixels(p, picture(), SMask=soft_mask(p)),
        np.rint(as_rgb(picture()) * ALPHA + 255 * (1 - ALPHA)),
    ),
    "mask": (
        lambda p: of_pixels(p, picture(), Mask=image_stream(p, BITS.tobytes(), (200, 300), 1, ImageMask=True)),
        np.where(as_rgb(BITS) == 0, as_rgb(picture()), 255),
    ),
    "colour key": (
        lambda p: of_pixels(p, picture("L"), Mask=Array([0, 100])),
        np.where(as_rgb(picture("L")) <= 100, 255, as_rgb(picture("L"))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXACT)
def test_samples_come_out_as_they_are(tmp_path: Path, kind: str) -> None:
    build, expected = EXACT[kind]
    pdf = one_page(tmp_path, build)
    page = run(pdf)
    assert (page.origin, page.problems) == ("embedded", ())
    found = pixels(pdf, page)
    if kind != "profile":
        assert unlike(found, oracle(pdf, page)) < 3
    worst = 1 if kind == "soft mask" else 0  # rounding when two colours are mixed
    assert np.abs(found - expected).max() <= worst


def test_jbig2_has_the_pixels_of_another_decoder(tmp_path: Path) -> None:
    file = SHARED / "bad_input" / "jbig2.pdf"
    if not file.exists() or not shutil.which("jbig2dec"):
        pytest.skip("needs shared/pages/bad_input and the program jbig2dec")
    (tmp_path / "a.pdf").write_bytes(file.read_bytes())
    page = run(tmp_path / "a.pdf")
    with pikepdf.open(file) as pdf:
        (image,) = pdf.pages[0].get_images().values()
        expected = as_rgb(pikepdf.PdfImage(image).as_pil_image())
    assert page.codec == "jbig2"
    assert (pixels(tmp_path / "a.pdf", page) == expected).all()


def test_cmyk_is_what_a_viewer_shows(tmp_path: Path) -> None:
    """Adobe's JPEGs hold inverted samples and say so with /Decode; other programs' are not and do not."""
    cmyk = picture("CMYK")
    for decode in (None, Array([1, 0] * 4)):
        image = cmyk if decode is None else ImageChops.invert(cmyk)
        plain = one_page(tmp_path, lambda pdf, i=image, d=decode: of_pixels(pdf, i, Decode=d))  # type: ignore[misc]
        expected = pixels(plain, run(plain))
        assert np.abs(expected - as_rgb(picture())).mean() < 40
        pdf = one_page(tmp_path, lambda pdf, i=image, d=decode: of_jpeg(pdf, i, decode_less(i), Decode=d))  # type: ignore[misc]
        page = run(pdf)
        assert page.image == "0001.png"
        assert np.abs(pixels(pdf, page) - expected).mean() < 4
        assert unlike(pixels(pdf, page), oracle(pdf, page)) < 3


def decode_less(image: Image.Image) -> bytes:
    """A CMYK JPEG whose samples are those of `image`: Pillow writes them inverted."""
    return jpeg(ImageChops.invert(image), quality=95)


def test_exif_orientation_is_obeyed_by_nobody(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture(), jpeg(picture(), exif=exif)))
    page = run(pdf)
    assert (page.image, page.width, page.height, page.origin) == ("0001.png", 200, 300, "embedded")
    assert np.abs(pixels(pdf, page) - as_rgb(picture())).mean() < 3
    with Image.open(tmp_path / "out" / "0001.png") as image:
        assert 0x0112 not in image.getexif()


# --- how it lies on the page ----------------------------------------------------------------------------------

MATRICES = [
    (200, 0, 0, 300, 0, 0),
    (-200, 0, 0, 300, 200, 0),
    (200, 0, 0, -300, 0, 300),
    (-200, 0, 0, -300, 200, 300),
    (0, 300, 200, 0, 0, 0),
    (0, -300, 200, 0, 0, 300),
    (0, 300, -200, 0, 200, 0),
    (0, -300, -200, 0, 200, 300),
]


def turned(stored: np.ndarray, matrix: tuple[int, ...], rotate: int) -> np.ndarray:
    """The page of 200 x 300 units pixel for pixel: where does the middle of each come from?"""
    a, b, c, d, e, f = matrix
    y, x = np.mgrid[0:300, 0:200] + 0.5
    x, y = x - e, (300 - y) - f
    u, v = (d * x - c * y) / (a * d - b * c), (a * y - b * x) / (a * d - b * c)
    height, width = stored.shape[:2]
    page = stored[((1 - v) * height).astype(int), (u * width).astype(int)]
    return np.rot90(page, -rotate // 90)


@pytest.mark.parametrize(("rotate", "matrix"), list(itertools.product((0, 90, 180, 270), MATRICES)))
def test_turned_and_flipped(tmp_path: Path, rotate: int, matrix: tuple[int, ...]) -> None:
    sideways = matrix[0] == 0
    image = picture("RGB", 300, 200) if sideways else picture()
    content = " ".join(map(str, matrix)) + " cm /Im0 Do"
    pdf = one_page(tmp_path, lambda pdf: of_pixels(pdf, image), content, Rotate=rotate)
    page = run(pdf)
    assert (page.origin, page.width, page.height) == ("embedded", *((200, 300) if rotate % 180 == 0 else (300, 200)))
    assert (pixels(pdf, page) == turned(as_rgb(image), matrix, rotate)).all()
    assert unlike(pixels(pdf, page), oracle(pdf, page)) < 3
    if matrix == MATRICES[0]:
        assert page.rotation == rotate
        assert (pixels(pdf, page) == as_rgb(picture().rotate(-rotate, expand=True))).all()


def test_rotation_and_boxes_may_stand_in_the_page_tree(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = add_page(pdf, FULL, [of_jpeg(pdf, picture())], Rotate=-90)
        for key in ("/MediaBox", "/Rotate", "/Resources"):
            pdf.Root.Pages[key] = page.obj[key]
            del page.obj[key]
        file = save(pdf, tmp_path / "a.pdf")
    found = run(file)
    assert (found.width, found.height, found.rotation) == (300, 200, 270)


def test_crop_box_cuts_the_scan(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_pixels(pdf, picture()), CropBox=Array([20, 30, 150, 290]), Rotate=90)
    page = run(pdf)
    expected = picture().crop((20, 10, 150, 270)).rotate(-90, expand=True)
    assert page.origin == "embedded"
    assert (pixels(pdf, page) == as_rgb(expected)).all()


def test_roundings_at_the_margin_change_nothing(tmp_path: Path) -> None:
    content = "q 0 0 199.5 300 re W n 199.7 0 0 299.6 0.2 0.2 cm /Im0 Do Q"
    run(one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture()), content))
    assert (tmp_path / "out" / "0001.jpg").read_bytes() == jpeg(picture())


def test_user_unit_counts_in_the_resolution(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture()), UserUnit=2)
    assert run(pdf).dpi == 36.0


def test_scan_inside_forms(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        form = pdf.make_stream(b"q 100 0 0 150 0 0 cm /Im0 Do Q")
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 100, 150])
        form.Matrix = Array([2, 0, 0, 2, 0, 0])
        form.Resources = Dictionary(XObject=Dictionary(Im0=of_jpeg(pdf, picture())))
        add_page(pdf, "/Im0 Do", [form])
        file = save(pdf, tmp_path / "a.pdf")
    assert run(file).image == "0001.jpg"


@pytest.mark.parametrize("what", SCAN_ONLY)
def test_pages_that_are_one_scan(tmp_path: Path, what: str) -> None:
    pdf = layered(tmp_path, SCAN_ONLY[what])
    page = run(pdf)
    assert page.image == "0001.jpg"
    assert unlike(pixels(pdf, page), oracle(pdf, page)) < 3  # nothing else is to be seen


@pytest.mark.parametrize("what", NOT_ONLY)
def test_pages_that_are_not(tmp_path: Path, what: str) -> None:
    pdf = layered(tmp_path, NOT_ONLY[what])
    page = run(pdf)
    assert (page.origin, page.image) == ("rendered", "0001.png")
    assert (pixels(pdf, page) == oracle(pdf, page)).all()


def test_a_note_on_the_page_is_rendered(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        looks = pdf.make_stream(b"0 0 50 50 re f")
        looks.Type, looks.Subtype, looks.BBox = Name.XObject, Name.Form, Array([0, 0, 50, 50])
        note = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([10, 10, 60, 60]), AP=Dictionary(N=looks))
        add_page(pdf, FULL, [of_jpeg(pdf, picture())], Annots=Array([note]))
        file = save(pdf, tmp_path / "a.pdf")
    page = run(file)
    assert page.origin == "rendered"
    assert (pixels(file, page)[250:280, 20:50] == 0).all()


def test_layers_of_a_page_are_rendered_at_their_resolution(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        halves = [of_jpeg(pdf, picture("RGB", 800, 600)), of_jpeg(pdf, picture("RGB", 400, 300))]
        add_page(pdf, "q 200 0 0 150 0 0 cm /Im0 Do Q q 200 0 0 150 0 150 cm /Im1 Do Q", halves)
        file = save(pdf, tmp_path / "a.pdf")
    page = run(file)
    assert (page.width, page.height, page.dpi) == (800, 1200, 288.0)


def test_fax_pixels_become_square(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_pixels(pdf, picture("L", 400, 300)))
    page = run(pdf)
    assert (page.origin, page.width, page.height) == ("rendered", 400, 600)


# --- text layer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (30, 20, 190, 280)])
def test_words_lie_where_they_are_printed(tmp_path: Path, rotate: int, crop: tuple[int, ...] | None) -> None:
    content = "BT /F1 24 Tf 1 0 0 1 60 150 Tm (HABANA) Tj ET"
    with pikepdf.new() as pdf:
        entries = {"Rotate": rotate} | ({"CropBox": Array(crop)} if crop else {})
        add_page(pdf, content, **entries)
        unseen = content.replace("BT", "BT 3 Tr")
        add_page(pdf, f"{FULL} {unseen}", [of_jpeg(pdf, picture("RGB", 400, 600))], **entries)
        file = save(pdf, tmp_path / "a.pdf")
    for number, options in ((1, PagesSettings(render_dpi=150)), (2, OPTIONS)):
        found = run(file, number, options)
        (word,) = found.text_layer
        assert (word.text, word.confidence) == ("HABANA", pages.TEXT_LAYER_CONFIDENCE)
        if number == 1:
            ink = np.argwhere(pixels(file, found)[..., 0] < 128)
            (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
            print_box = Box(int(left), int(top), int(right), int(bottom))
            scale = 150 / 72
        else:
            assert found.origin == "embedded"
            scaled = [edge * 2 / scale for edge in print_box]
            print_box = Box(*(round(edge) for edge in scaled))
        assert print_box.coverage_by(word.box.grow(2)) == 1.0
        assert word.box.area < 2.5 * print_box.area


rects = st.tuples(*[st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 5000), st.floats(1, 5000)])


@given(rects, rects, st.integers(1, 5000), st.integers(1, 5000))
def test_words_are_mapped_and_clipped(where: Any, page: Any, width: int, height: int) -> None:
    place = Rect(page[0], page[1], page[0] + page[2], page[1] + page[3])
    word = poppler.PlacedWord("a", where[0], where[1], where[0] + where[2], where[1] + where[3])
    found = pages.words_on((word,), place, width, height)
    x, y = width / place.width, height / place.height
    exact = [(edge - origin) * scale for edge, origin, scale in zip(word[1:], place[:2] * 2, (x, y) * 2, strict=True)]
    inside = exact[2] > 0 and exact[3] > 0 and exact[0] < width and exact[1] < height
    assert bool(found) == inside
    for kept in found:
        assert 0 <= kept.box.left < kept.box.right <= width and 0 <= kept.box.top < kept.box.bottom <= height
        for edge, true, most in zip(kept.box, exact, (width, height) * 2, strict=True):
            assert abs(edge - min(max(true, 0), most)) <= 1


@example("\u0339 \u0334")
@given(st.text())
def test_words_hold_print_only(text: str) -> None:
    clean = poppler.clean_text(text)
    assert clean.isprintable() and " " not in clean and "\ufffd" not in clean
    assert poppler.clean_text(clean) == clean


def test_soft_hyphens_become_hyphens() -> None:
    assert poppler.clean_text("Ha\u00ad") == "Ha-"
    assert poppler.clean_text("nin\u0303o\x00\u200b") == "niño"


# --- the whole ------------------------------------------------------------------------------------------------


def test_issue(tmp_path: Path) -> None:
    file = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture())).rename(tmp_path / "x_social1929_6_v14_n6.pdf")
    issue = pages.read_issue(file, Metadata.given(number=7))
    assert issue.id == "social-1929-06-v14-n7"
    assert (issue.title, issue.year, issue.page_count, issue.problems) == ("Social", 1929, 1, ())
    assert issue.source_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (issue.source_bytes, issue.source_name) == (file.stat().st_size, file.name)


def test_same_page_same_bytes(tmp_path: Path) -> None:
    for content in (NOT_ONLY["visible text"], SCAN_ONLY["invisible text"]):
        (folder := tmp_path / str(len(content))).mkdir()
        file = layered(folder, content)
        assert run(file) == run(file)
    masked = one_page(tmp_path, EXACT["soft mask"][0])
    assert run(masked) == run(masked)


@needs_shared
def test_real_issue_gives_its_own_scans(tmp_path: Path) -> None:
    file = SHARED / "pdf" / "Moreno_026.pdf"
    assert pages.read_issue(file).id == "moreno-026"
    for number in range(1, 9):
        page = pages.run(file, number, PagesSettings(), tmp_path, 50)
        original = SHARED / "moreno" / f"Moreno_026_{number}.jpg"
        assert (tmp_path / str(page.image)).read_bytes() == original.read_bytes()
    index = [entry for entry in json.loads((SHARED / "index.json").read_text()) if entry.get("doc") == "Moreno_026"]
    assert (page.width, page.height, page.dpi) == (index[-1]["width"], index[-1]["height"], 300.0)


@needs_shared
@pytest.mark.parametrize("name", ["baiona_alpha.png", "baiona_colormapped.png", "baiona_cmyk.jpg", "baiona_gray.png"])
def test_images_in_odd_modes(tmp_path: Path, name: str) -> None:
    """Each inside a PDF as scanners' programs put it there, against Pillow's reading of the file."""
    with Image.open(SHARED / "bad_input" / name) as image:
        on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        expected = as_rgb(on_white)

        def build(pdf: pikepdf.Pdf) -> Any:
            if image.mode == "CMYK":
                data = (SHARED / "bad_input" / name).read_bytes()
                return of_jpeg(pdf, image, data, Decode=Array([1, 0] * 4) if "adobe" in image.info else None)
            if image.mode == "RGBA":
                return of_pixels(pdf, image.convert("RGB"), SMask=of_pixels(pdf, image.getchannel("A")))
            if image.mode == "P":
                palette = bytes(image.getpalette() or [])
                space = Array([Name.Indexed, Name.DeviceRGB, len(palette) // 3 - 1, pikepdf.String(palette)])
                return image_stream(pdf, image.tobytes(), image.size, ColorSpace=space)
            return of_pixels(pdf, image.convert("L"))

        content = f"{image.width} 0 0 {image.height} 0 0 cm /Im0 Do"
        pdf = one_page(tmp_path, build, content, box=(0, 0, *image.size))
    page = run(pdf)
    assert (page.origin, page.image) == ("embedded", "0001.png")
    difference = np.abs(pixels(pdf, page) - expected)
    assert difference.max() <= 1 if image.mode != "CMYK" else difference.mean() < 25
