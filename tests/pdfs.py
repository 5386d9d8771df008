"""Odd PDFs for the tests of stage 1, written with pikepdf, and a checked way to run the stage on them."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw, ImageOps

from revista import pages
from revista.records import Page
from revista.settings import PagesSettings

SHARED = Path(__file__).parents[2] / "shared" / "pages"
OPTIONS = PagesSettings(render_dpi=72)
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no folder {SHARED}")
FULL = "q 200 0 0 300 0 0 cm /Im0 Do Q"
"""Content that paints the first image over the whole of a page of 200 x 300 units."""


def picture(mode: str = "RGB", width: int = 200, height: int = 300) -> Image.Image:
    """A picture without any symmetry, with gradients, edges, and an arrow in the top left corner."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    image = Image.fromarray(np.stack([x, y, 255 - x / 2 - y / 2], axis=2).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    draw.polygon([(10, 10), (90, 20), (20, 70)], fill="black")
    draw.rectangle([width // 2, height // 2, width - 30, height - 20], fill="white", outline="red", width=5)
    return image if mode == "RGB" else image.convert(mode)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", **({"quality": 90} | options))
    return data.getvalue()


def image_stream(pdf: pikepdf.Pdf, data: bytes, size: tuple[int, int], bits: int | None = 8, **entries: Any) -> Any:
    stream = pdf.make_stream(data)
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = size
    if bits:
        stream.BitsPerComponent = bits
    for key, value in entries.items():
        if value is not None:
            stream[f"/{key}"] = value
    return stream


def of_jpeg(pdf: pikepdf.Pdf, image: Image.Image, data: bytes | None = None, **entries: Any) -> Any:
    space = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}[image.mode]
    options = {"ColorSpace": space, "Filter": Name.DCTDecode} | entries
    return image_stream(pdf, data or jpeg(image), image.size, **options)


def of_pixels(pdf: pikepdf.Pdf, image: Image.Image, **entries: Any) -> Any:
    """An image in its samples as Pillow packs them, compressed when the file is saved."""
    space = {"1": Name.DeviceGray, "L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}[image.mode]
    bits = 1 if image.mode == "1" else 8
    return image_stream(pdf, image.tobytes(), image.size, bits, **({"ColorSpace": space} | entries))


def ccitt(image: Image.Image) -> bytes:
    """The bare Group 4 data of a bilevel image, black as black."""
    data = io.BytesIO()
    ImageOps.invert(image).save(data, "TIFF", compression="group4", tiffinfo={278: image.height})  # RowsPerStrip
    with Image.open(data) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined]
        (offset,), (count,) = tags[273], tags[279]
        assert tags[262] == 1  # photometric interpretation: what the codec calls black is white
    return data.getvalue()[offset : offset + count]


def add_page(
    pdf: pikepdf.Pdf,
    content: str,
    images: Sequence[Any] = (),
    box: Sequence[float] = (0, 0, 200, 300),
    resources: dict[str, Any] | None = None,
    **entries: Any,
) -> Any:
    page = pdf.add_blank_page()
    page.MediaBox = Array(box)
    named = Dictionary({f"/Im{n}": image for n, image in enumerate(images)})
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/Helvetica"))
    page.Resources = Dictionary(XObject=named, Font=Dictionary(F1=font), **(resources or {}))
    page.Contents = pdf.make_stream(content.encode())
    for key, value in entries.items():
        page.obj[f"/{key}"] = value
    return page


def save(pdf: pikepdf.Pdf, file: Path, **options: Any) -> Path:
    pdf.save(file, **({"static_id": True} | options))
    return file


def run(pdf: Path, number: int = 1, options: PagesSettings = OPTIONS, timeout: float = 50) -> Page:
    into = pdf.parent / "out"
    into.mkdir(exist_ok=True)
    page = pages.run(pdf, number, options, into, timeout)
    assert [f.name for f in into.iterdir() if f.name[:4] == f"{number:04d}"] == ([page.image] if page.image else [])
    assert not [f for f in into.iterdir() if f.suffix not in (".jpg", ".png")]
    if page.image:
        file = into / page.image
        assert page.image_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert page.image == f"{number:04d}{file.suffix}"
        with Image.open(file) as image:
            assert image.size == (page.width, page.height)
            assert image.mode in ("L", "RGB")
    else:
        assert page.problems
    for problem in page.problems:
        assert problem.hint and problem.page == number
    return page


def pixels(pdf: Path, page: Page) -> np.ndarray:
    assert page.image, page.problems
    with Image.open(pdf.parent / "out" / page.image) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def as_rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


Build = Callable[[pikepdf.Pdf], Any]


def one_page(folder: Path, build: Build, content: str = FULL, **entries: Any) -> Path:
    with pikepdf.new() as pdf:
        add_page(pdf, content, [build(pdf)], **entries)
        return save(pdf, folder / "scan.pdf")


INVISIBLE = "BT /F1 20 Tf 3 Tr 50 200 Td (Habana) Tj ET"
SCAN_ONLY = {
    "invisible text": f"{FULL} {INVISIBLE}",
    "text under the scan": f"BT /F1 20 Tf 50 200 Td (Habana) Tj ET {FULL}",
    "white behind": f"1 g 0 0 200 300 re f {FULL}",
    "beside the page": f"{FULL} 300 300 50 50 re f",
    "empty clip": f"{FULL} q 5 5 0 0 re W n 0 0 200 300 re f Q",
    "hidden layer": f"{FULL} /OC /Off BDC 0 0 100 100 re f EMC",
    "an image below": f"q 100 0 0 100 50 50 cm /Im0 Do Q {FULL}",
}
NOT_ONLY = {
    "visible text": f"{FULL} BT /F1 20 Tf 50 200 Td (Habana) Tj ET",
    "a stamp": f"{FULL} 0 0 50 50 re f",
    "a white box": f"{FULL} 1 g 0 0 50 50 re f",
    "a line": f"{FULL} 10 10 m 100 100 l S",
    "a round clip": f"100 0 m 200 0 200 300 100 300 c 0 300 0 0 100 0 c W n {FULL}",
    "transparency": f"/Half gs {FULL}",
    "shown layer": f"{FULL} /OC /On BDC 0 0 100 100 re f EMC",
    "askew": "q 199 5 -5 299 3 0 cm /Im0 Do Q",
    "two images": "q 200 0 0 150 0 0 cm /Im0 Do Q q 200 0 0 150 0 150 cm /Im0 Do Q",
    "too small": "q 190 0 0 290 0 0 cm /Im0 Do Q",
}


def layered(folder: Path, content: str) -> Path:
    with pikepdf.new() as pdf:
        off, on = (pdf.make_indirect(Dictionary(Type=Name.OCG, Name=name)) for name in ("off", "on"))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([off, on]), D=Dictionary(OFF=Array([off])))
        more = {"Properties": Dictionary(Off=off, On=on), "ExtGState": Dictionary(Half=Dictionary(ca=0.5))}
        add_page(pdf, content, [of_jpeg(pdf, picture())], resources=more)
        return save(pdf, folder / "a.pdf")
