"""The embedded scan of a page that is one image, taken out in its own pixels.

A plain upright JPEG is copied byte for byte. Anything else (JPX, CCITT, JBIG2, Flate; turned, flipped, cropped, with
masks, decode arrays, palettes, CMYK, 16 bits) is put alone on a page of exactly its own size, and poppler renders
that one to one: every sample becomes one pixel, under a time limit and outside of this process.
"""

from __future__ import annotations

import io
import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image as Pillow

from revista.pages.content import Colour, Content, Image
from revista.pages.document import Rect, View

if TYPE_CHECKING:
    import pikepdf

COVERAGE = 0.985  # share of the visible page that a scan covers at least: the rest is a rounding at the margins
SLACK = 0.005  # share of a side by which a scan may reach beyond the visible page without being cropped
SQUARE = 1.02  # pixels less square than that are a fax's, and are rendered square
SMALLEST = 100  # pixels; an image with a shorter side is a fill or an ornament blown up, not a scan
_HAIR = 0.01  # pixels

_NOT_AN_IMAGE = (OSError, SyntaxError, ValueError, struct.error, Pillow.DecompressionBombError)
_CODECS = {
    "/DCTDecode": "jpeg",
    "/JPXDecode": "jpx",
    "/CCITTFaxDecode": "ccitt",
    "/JBIG2Decode": "jbig2",
    "/FlateDecode": "flate",
    "/LZWDecode": "lzw",
    "/RunLengthDecode": "runlength",
}
_SHORT = {"/DCT": "/DCTDecode", "/CCF": "/CCITTFaxDecode", "/Fl": "/FlateDecode", "/LZW": "/LZWDecode"}


class Scan(NamedTuple):
    """A page's only image, and how it lies on the page."""

    stream: pikepdf.Stream
    size: tuple[int, int]  # pixels as stored, or those of its mask where that is finer
    turn: Pillow.Transpose | None  # what brings the stored pixels upright
    crop: tuple[int, int, int, int] | None  # visible part in upright pixels, None where it is all
    place: Rect  # where the part lies in the view
    fill: Colour | None
    codec: str

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the visible part, upright, in the scan's own pixels."""
        if self.crop:
            return self.crop[2] - self.crop[0], self.crop[3] - self.crop[1]
        return self.size[::-1] if self.turn in _SIDEWAYS else self.size

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which the stored pixels are turned."""
        return _DEGREES.get(self.turn, 0)


_SIDEWAYS = (
    Pillow.Transpose.ROTATE_90,
    Pillow.Transpose.ROTATE_270,
    Pillow.Transpose.TRANSPOSE,
    Pillow.Transpose.TRANSVERSE,
)
_DEGREES: dict[
    Pillow.Transpose | None, int
] = {  # Pillow turns counter-clockwise; a flip comes first where there is one
    Pillow.Transpose.ROTATE_270: 90,
    Pillow.Transpose.ROTATE_180: 180,
    Pillow.Transpose.ROTATE_90: 270,
    Pillow.Transpose.TRANSPOSE: 270,
    Pillow.Transpose.TRANSVERSE: 90,
}
# sign of (right, down) of the view for one step (right, down) in the stored pixels
_UPRIGHT: dict[tuple[bool, bool], Pillow.Transpose | None] = {
    (True, True): None,
    (False, True): Pillow.Transpose.FLIP_LEFT_RIGHT,
    (True, False): Pillow.Transpose.FLIP_TOP_BOTTOM,
    (False, False): Pillow.Transpose.ROTATE_180,
}
_TURNED: dict[tuple[bool, bool], Pillow.Transpose] = {
    (True, True): Pillow.Transpose.TRANSPOSE,
    (False, True): Pillow.Transpose.ROTATE_270,
    (True, False): Pillow.Transpose.ROTATE_90,
    (False, False): Pillow.Transpose.TRANSVERSE,
}


def find_scan(content: Content, view: View) -> Scan | None:
    """The one image that is all there is to see on a page; None where there is none such."""
    if not content.understood or not content.marks:
        return None
    image = content.marks[-1]
    if image is None or (len(content.marks) > 1 and not _is_opaque(image.stream)):
        return None
    if image.visible.meet(view.rect).area < COVERAGE * view.rect.area:
        return None
    if image.stream.get("/ImageMask") and image.fill is None:
        return None  # painted with a pattern
    return _place(image)


def _place(image: Image) -> Scan | None:
    """How the image lies on the page; None where it lies askew, or its pixels are not square."""
    size = grid_size(image.stream)
    if size is None or min(size) < SMALLEST:
        return None
    a, b, c, d, e, f = image.place
    sideways = abs(b) > abs(a)
    across, along = (b, c) if sideways else (a, d)  # lengths of the image's sides in the view, signed
    lean = max(abs(a), abs(d)) if sideways else max(abs(b), abs(c))
    pixel = abs(across) / size[0], abs(along) / size[1]
    if not min(pixel) or max(pixel) > SQUARE * min(pixel) or lean > min(pixel):
        return None
    # a PDF paints images with the first row at the top, at y = 1 of the unit square
    turn = _TURNED[-c > 0, b > 0] if sideways else _UPRIGHT[a > 0, -d > 0]
    whole = Rect(min(e, e + a + c), min(f, f + b + d), max(e, e + a + c), max(f, f + b + d))
    upright = (size[1], size[0]) if sideways else size
    crop = _crop(whole, image.visible, upright)
    place = whole
    if crop:
        x, y = whole.width / upright[0], whole.height / upright[1]
        place = Rect(
            whole.left + crop[0] * x, whole.top + crop[1] * y, whole.left + crop[2] * x, whole.top + crop[3] * y
        )
    codec = next((_CODECS[name] for name in reversed(filters(image.stream)) if name in _CODECS), "raw")
    return Scan(image.stream, size, turn, crop, place, image.fill, codec)


def _crop(whole: Rect, visible: Rect, upright: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The visible part of an image in its upright pixels; None where next to nothing is cut off."""
    width, height = upright
    x, y = width / whole.width, height / whole.height
    cut = (
        (visible.left - whole.left) * x,
        (visible.top - whole.top) * y,
        (whole.right - visible.right) * x,
        (whole.bottom - visible.bottom) * y,
    )
    if all(c <= max(1.0, SLACK * side) for c, side in zip(cut, (width, height) * 2, strict=True)):
        return None
    left, top, right, bottom = (round(c) for c in cut)
    return left, top, max(left + 1, width - right), max(top + 1, height - bottom)


def grid_size(stream: pikepdf.Stream) -> tuple[int, int] | None:
    """Width and height in pixels of an image, or of its mask where that is finer; None where it claims none."""
    import pikepdf

    sizes = []
    for part in (stream, stream.get("/SMask"), stream.get("/Mask")):
        if isinstance(part, pikepdf.Stream):
            try:
                sizes.append((int(part.get("/Width", 0)), int(part.get("/Height", 0))))
            except (TypeError, ValueError, OverflowError):
                return None
    size = max(sizes, key=math.prod)
    return size if min(sizes[0]) > 0 and min(size) > 0 else None


def filters(stream: pikepdf.Stream) -> list[str]:
    """Full names of the filters of a stream, outermost first."""
    import pikepdf

    value = stream.get("/Filter")
    if value is None:
        return []
    names = [str(v) for v in value] if isinstance(value, pikepdf.Array) else [str(value)]
    return [_SHORT.get(name, name) for name in names]


def _is_opaque(stream: pikepdf.Stream) -> bool:
    return not any(key in stream and stream[key] is not False for key in _MASKS)


_MASKS = ("/SMask", "/Mask", "/ImageMask", "/SMaskInData")


def is_grey(scan: Scan) -> bool:
    """Whether the samples are plain grey, so that the image can be made without colour."""
    if scan.stream.get("/ImageMask"):
        return scan.fill is not None and len(scan.fill) == 1
    return scan.codec != "jpx" and _components(scan.stream.get("/ColorSpace")) == 1


def _components(space: Any) -> int | None:
    """Components of a grey, RGB or CMYK colour space, by device or by profile; None for any other."""
    import pikepdf

    names = {"/DeviceGray": 1, "/CalGray": 1, "/G": 1, "/DeviceRGB": 3, "/CalRGB": 3, "/RGB": 3, "/DeviceCMYK": 4}
    if space is None:
        return None
    try:
        kind = str(space) if isinstance(space, pikepdf.Name) else str(space[0])
        if kind == "/ICCBased":
            return int(space[1]["/N"])
        return names.get(kind)
    except (TypeError, ValueError, LookupError, AttributeError, NotImplementedError):
        return None


def plain_jpeg(scan: Scan) -> bytes | None:
    """The scan's own JPEG file, where every reader will see in it what a PDF viewer shows; else None.

    Profiles of grey and RGB scans are left out, as everywhere: the samples count as they are.
    """
    stream = scan.stream
    data = None if scan.turn or scan.crop or not _is_opaque(stream) else _jpeg_data(stream)
    components = _components(stream.get("/ColorSpace"))
    if data is None or components not in (1, 3) or not _has_end(data):
        return None
    if "/Decode" in stream and [float(v) for v in stream["/Decode"]] != [0, 1] * components:
        return None
    try:
        with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as image:
            same = image.size == scan.size and image.format == "JPEG" and len(image.getbands()) == components
            upright = image.getexif().get(0x0112, 1) == 1  # no viewer of PDFs turns by EXIF, but OpenCV does
            if not (same and image.mode in ("L", "RGB") and upright):
                return None
    except _NOT_AN_IMAGE:
        return None
    return data


def _jpeg_data(stream: pikepdf.Stream) -> bytes | None:
    """The JPEG file in an image stream, filters around it undone; None where there is none in the usual encoding."""
    import pikepdf

    *around, codec = filters(stream) or [""]
    if codec != "/DCTDecode":
        return None
    parameters = stream.get("/DecodeParms")
    last = parameters[-1] if isinstance(parameters, pikepdf.Array) and len(parameters) else parameters
    if isinstance(last, pikepdf.Dictionary) and last.get("/ColorTransform", 1) == 0:
        return None  # three colours that are not YCbCr, which a JPEG cannot say by itself
    if not around:
        return stream.read_raw_bytes()
    if isinstance(parameters, pikepdf.Array) and any(isinstance(part, pikepdf.Dictionary) for part in parameters[:-1]):
        return None
    with pikepdf.new() as pdf:
        wrapped = pdf.make_stream(stream.read_raw_bytes())
        wrapped.Filter = pikepdf.Array([pikepdf.Name(name) for name in around])
        return wrapped.read_bytes()


def fault(stream: pikepdf.Stream) -> str | None:
    """What is wrong with an image's data, as far as poppler passes over it in silence; None where nothing shows."""
    if not stream.read_raw_bytes():
        return "it has no data"
    data = _jpeg_data(stream)
    if data is None:
        return None
    try:
        with Pillow.open(io.BytesIO(data), formats=["JPEG"]):
            return None if _has_end(data) else "its JPEG data end early"
    except _NOT_AN_IMAGE:
        return "its data are not a JPEG"


def _has_end(jpeg: bytes) -> bool:
    """Whether the end marker is there, at most with some padding behind it."""
    return b"\xff\xd9" in jpeg[-1024:]


def write_alone(scan: Scan, file: Path, size: tuple[int, int]) -> None:
    """Write a PDF of one page on which the scan lies alone, one unit a pixel, to be drawn at `size` pixels.

    Grey and RGB profiles are left out: they would change the samples, which are to come out as they are. A CMYK
    profile stays, since the samples have to be converted anyhow.
    """
    import pikepdf

    width, height = scan.size
    with pikepdf.new() as pdf:
        image = pdf.copy_foreign(scan.stream)
        for key in ("/OC", "/Alternates", "/OPI", "/StructParent"):
            if key in image:
                del image[key]
        if "/ColorSpace" in image:
            image["/ColorSpace"] = _without_profile(image["/ColorSpace"])
        paint = ""
        if scan.fill is not None:
            operator = {1: "g", 3: "rg", 4: "k"}[len(scan.fill)]
            paint = " ".join(f"{component:.6f}" for component in scan.fill) + f" {operator} "
        page = pdf.add_blank_page()
        page.MediaBox = pikepdf.Array([0, 0, width, height])  # may be more than add_blank_page allows
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=image))
        # poppler widens an image whose edge falls on that of a pixel by one pixel: leave a hair's breadth free
        x, y = (_HAIR * stored / drawn for stored, drawn in zip(scan.size, size, strict=True))
        place = f"{width - 2 * x:.6f} 0 0 {height - 2 * y:.6f} {x:.6f} {y:.6f} cm"
        page.Contents = pdf.make_stream(f"{paint}{place} /Scan Do".encode())
        pdf.save(file, compress_streams=False, static_id=True)


def _without_profile(space: Any) -> Any:
    """The device colour space instead of a grey or RGB one with a profile or calibration, also under a palette."""
    import pikepdf

    if isinstance(space, pikepdf.Array) and len(space) == 4 and str(space[0]) in ("/Indexed", "/I"):
        return pikepdf.Array([space[0], _without_profile(space[1]), space[2], space[3]])
    device = {1: "/DeviceGray", 3: "/DeviceRGB"}.get(_components(space) or 0)
    return pikepdf.Name(device) if device else space
