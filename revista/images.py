"""Page images as arrays: the one reader for all stages, cutting out, and writing JPEG.

Arrays are `(height, width, 3)` RGB, uint8, in the pixel grid of the file: EXIF orientation is not applied, because
all boxes count pixels of the file as it is stored.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from revista.errors import BadInput, Category
from revista.geometry import Box
from revista.store import storage_errors

MAX_PIXELS = 250_000_000  # 750 MB as an array
_JPEG_SIDE = 65_500  # libjpeg's limit
_PHOTOMETRIC, _MIN_IS_WHITE = 262, 0  # TIFF 6.0's tag PhotometricInterpretation, and its value WhiteIsZero

# Pillow raises at twice its limit and warns at once: `read_image` refuses in between, and says what to do.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error, Image.DecompressionBombError)


def read_image(file: Path) -> np.ndarray:
    """The pixels of an image file as RGB.

    Grey of 16 bits (or of 12 in 16) is scaled to 8; what is transparent stands on white; CMYK and palettes are
    converted; a TIFF that counts from white is turned round.

    Args:
        file: an image in any format that Pillow reads; of several frames the first is taken.

    Returns:
        `(height, width, 3)` uint8, RGB.

    Raises:
        BadInput: the file is missing, not an image, truncated, or larger than `MAX_PIXELS`.
    """
    with _open(file) as image:
        return _to_rgb(image)


def image_size(file: Path) -> tuple[int, int]:
    """Width and height of an image file in pixels, from its header alone; raises `BadInput` as `read_image` does."""
    with _open(file) as image:
        return image.size


@contextmanager
def _open(file: Path) -> Iterator[Image.Image]:
    """The image file, opened; what goes wrong until it is closed becomes a `BadInput`."""
    try:
        with Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(file, f"{image.width} x {image.height} pixels")
            yield image
    except FileNotFoundError:
        raise BadInput(
            f"{file.name}: no such file", "Check the path; a rerun of `revista run` makes pages again."
        ) from None
    except (Image.DecompressionBombError, MemoryError) as error:
        raise _too_large(file, str(error) or "not enough memory") from error
    except _PILLOW_ERRORS as error:
        reason = "not an image" if isinstance(error, Image.UnidentifiedImageError) else str(error) or repr(error)
        raise BadInput(
            f"{file.name}: cannot be read as an image: {reason}",
            "Open it in an image viewer; if it is damaged, scan the page or take it out of the PDF again.",
        ) from error


def _too_large(file: Path, reason: str) -> BadInput:
    return BadInput(
        f"{file.name}: too large an image: {reason} (at most {MAX_PIXELS:,} pixels)",
        "Scale the page down, or lower pages.max_pixels and run the page again.",
        category=Category.TOO_LARGE,
    )


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        grey = _grey(image)
        # Pillow turns round what counts from white for 8 bits, not for 16
        grey = 255 - grey if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _MIN_IS_WHITE else grey
        return np.repeat(grey[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _grey(image: Image.Image) -> np.ndarray:
    """Grey of more than 8 bits, or in floats, scaled to 0-255: `(height, width)` uint8."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    highest = float(values.max(initial=0.0))
    if ";16" in image.mode:  # scanners of 12 bits write them as they are: no page is as dark as that
        full = 4095.0 if 255 < highest <= 4095 else 65535.0
    else:  # plain I and F say nothing about their range, so the values have to
        full = 65535.0 if highest > 255 else 255.0 if highest > 1 else 1.0
    return np.clip(np.rint(values * (255.0 / full)), 0, 255).astype(np.uint8)


def crop(image: np.ndarray, box: Box) -> np.ndarray:
    """The part of `image` in `box`, clipped to the image; a view, not a copy.

    Raises:
        BadInput: nothing of the box lies on the image.
    """
    height, width = image.shape[:2]
    inside = box.clip(width, height)
    if not inside.area:
        raise BadInput(
            f"box {tuple(box)} lies outside the image of {width} x {height} pixels",
            "The page image and the record do not belong together: run the page again.",
        )
    return image[inside.top : inside.bottom, inside.left : inside.right]


def crops(file: Path, boxes: Iterable[Box]) -> list[np.ndarray | BadInput]:
    """Copies of the parts of an image file in `boxes`, in order; an error in the place of a box that lies outside.

    Copies, so that the page's pixels do not stay in memory with its pictures'.

    Raises:
        BadInput: the file cannot be read as an image.
    """
    image = read_image(file)
    parts: list[np.ndarray | BadInput] = []
    for box in boxes:
        try:
            parts.append(crop(image, box).copy())
        except BadInput as error:
            parts.append(error)
    return parts


def write_jpeg(image: np.ndarray, file: Path, *, quality: int = 92, dpi: float | None = None) -> None:
    """Write `image` as a JPEG; the same pixels give the same bytes.

    Args:
        image: `(height, width, 3)` uint8, RGB.
        file: where to write; an existing file is overwritten.
        quality: libjpeg quality, 1 to 95.
        dpi: pixels per inch to note in the file.

    Raises:
        BadInput: a side is longer than JPEG can hold (65,500 pixels).
        StorageError: the file cannot be written.
    """
    data = jpeg(image, quality=quality, dpi=dpi)
    with storage_errors(file):
        file.write_bytes(data)


def jpeg(image: np.ndarray, *, quality: int = 92, dpi: float | None = None) -> bytes:
    """`image` as a JPEG file; see `write_jpeg`.

    Raises:
        BadInput: a side is longer than JPEG can hold (65,500 pixels).
    """
    if max(image.shape[:2]) > _JPEG_SIDE:
        raise BadInput(
            f"{image.shape[1]} x {image.shape[0]} pixels do not fit into a JPEG",
            f"No side may be longer than {_JPEG_SIDE} pixels: lower pages.max_pixels and run the page again.",
            category=Category.TOO_LARGE,
        )
    extra = {"dpi": (round(dpi), round(dpi))} if dpi else {}
    stream = io.BytesIO()  # Pillow, writing into a file itself, takes a write that a full disk cut short for done
    Image.fromarray(np.ascontiguousarray(image)).save(stream, "JPEG", quality=quality, subsampling=0, **extra)
    return stream.getvalue()
