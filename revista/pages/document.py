"""A PDF as a file, and its pages as a viewer shows them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from revista.errors import BadInput

if TYPE_CHECKING:
    import pikepdf

_INFLATED_BYTES = 256 * 1024 * 1024  # images are not inflated in this process: content, fonts, tables only
_REPAIR = "Repair it with `qpdf IN.pdf OUT.pdf`, or take the original scan again."


class Affine(NamedTuple):
    """The map (x, y) -> (a x + c y + e, b x + d y + f), numbers in the order of a PDF matrix (ISO 32000-2, 8.3.3)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def then(self, after: Affine) -> Affine:
        """This map first, `after` next; as a PDF writes it, self x after."""
        return Affine(
            self.a * after.a + self.b * after.c,
            self.a * after.b + self.b * after.d,
            self.c * after.a + self.d * after.c,
            self.c * after.b + self.d * after.d,
            self.e * after.a + self.f * after.c + after.e,
            self.e * after.b + self.f * after.d + after.f,
        )

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """The point to which (x, y) goes."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


IDENTITY = Affine(1, 0, 0, 1, 0, 0)


class Rect(NamedTuple):
    """An upright rectangle of floats, left <= right and top <= bottom; empty where they are equal."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width, never negative."""
        return max(0.0, self.right - self.left)

    @property
    def height(self) -> float:
        """Height, never negative."""
        return max(0.0, self.bottom - self.top)

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height

    def meet(self, other: Rect) -> Rect:
        """The common part; of area 0 where there is none."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Rect(left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom)))


def around(points: list[tuple[float, float]]) -> Rect:
    """The smallest upright rectangle around `points` (at least one)."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Rect(min(xs), min(ys), max(xs), max(ys))


class View(NamedTuple):
    """What a viewer shows of a page: the CropBox, turned by /Rotate, seen from its top left corner.

    Lengths are in units of the PDF, of which one is `unit` / 72 inch (UserUnit).
    """

    width: float
    height: float
    matrix: Affine  # from the page's own space to the view, y downwards
    rotation: int  # degrees clockwise, 0, 90, 180 or 270
    unit: float

    @property
    def rect(self) -> Rect:
        """The whole view."""
        return Rect(0.0, 0.0, self.width, self.height)


@cache
def _limit_qpdf() -> None:
    """Let qpdf refuse streams that unpack to more than any content needs (for the whole process, once)."""
    from pikepdf.settings import set_qpdf_limits

    most = _INFLATED_BYTES
    set_qpdf_limits(flate_max_memory=most, png_max_memory=most, run_length_max_memory=most, tiff_max_memory=most)


@cache
def broken() -> tuple[type[Exception], ...]:
    """What reading a damaged PDF can end in: pikepdf hands out its objects as they are, of whatever type."""
    import pikepdf

    return pikepdf.PikepdfError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError


@contextmanager
def open_pdf(file: Path) -> Iterator[pikepdf.Pdf]:
    """The PDF in `file`, with at least one page.

    Raises:
        BadInput: it is missing, not a PDF, damaged beyond repair, locked by a password, or without pages, or its path
            is not UTF-8, which neither pikepdf nor a record can hold.
    """
    import pikepdf

    shown = os.fsencode(file).decode("utf-8", "replace")
    if shown != str(file):
        raise BadInput(f"{shown}: the name is not UTF-8", "Rename the file, or the folder in which it lies.")
    _limit_qpdf()
    try:
        if file.is_dir():
            raise BadInput(f"{file} is a folder, not a PDF", "Name the PDF files in it.")
        if file.stat().st_size == 0:
            raise BadInput(f"{file.name} is empty (0 bytes)", "Copy or download it again.")
        pdf = pikepdf.open(file)
    except FileNotFoundError:
        raise BadInput(f"{file}: no such file", "Check the path.") from None
    except pikepdf.PasswordError:
        raise BadInput(
            f"{file.name} is locked by a password",
            "Unlock it with: qpdf --decrypt --password=PASSWORD IN.pdf OUT.pdf",
        ) from None
    except pikepdf.PikepdfError as error:
        raise BadInput(f"{file.name} is not a readable PDF: {_reason(error, file)}", _REPAIR) from error
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}", "Check the file's rights.") from error
    with pdf:
        try:
            count = len(pdf.pages)
        except broken() as error:
            raise BadInput(f"{file.name}: its pages cannot be found: {_reason(error, file)}", _REPAIR) from error
        if count == 0:
            raise BadInput(f"{file.name} has no pages", "Make the PDF again from its scans.")
        yield pdf


def damage(pdf: pikepdf.Pdf, file: Path) -> str | None:
    """What qpdf had to mend to open the PDF, in one line; None where it was sound."""
    found = [_reason(warning, file) for warning in pdf.get_warnings()]
    if not found:
        return None
    return found[0] + (f"; and {len(found) - 1} more" if len(found) > 1 else "")


def _reason(error: object, file: Path) -> str:
    """An error's text in one line without the path, which is another one on each machine."""
    text = " ".join(str(error).split()).replace(str(file), file.name).removeprefix(f"{file.name}: ")
    return text.removeprefix(f"{file.name} ")[:300]


def view_of(page: pikepdf.Page) -> View:
    """The view of a page, with the defaults and repairs of poppler, so that all programs see the same page.

    Raises:
        BadInput: the page has no area.
    """
    media = _rect(inherited(page.obj, "/MediaBox")) or Rect(0, 0, 612, 792)
    crop = _rect(inherited(page.obj, "/CropBox"))
    box = crop.meet(media) if crop and crop.meet(media).area else media
    if not box.area:
        raise BadInput("the page has no area", "Take the page out of the PDF, or mend its MediaBox.")
    turn = _number(inherited(page.obj, "/Rotate"), 0.0) % 360
    rotation = int(turn) if turn in (90, 180, 270) else 0
    unit = _number(page.obj.get("/UserUnit"), 1.0)
    x0, y0, x1, y1 = box
    matrix = {
        0: Affine(1, 0, 0, -1, -x0, y1),
        90: Affine(0, 1, 1, 0, -y0, -x0),
        180: Affine(-1, 0, 0, 1, x1, -y0),
        270: Affine(0, -1, -1, 0, y1, x1),
    }[rotation]
    width, height = (box.width, box.height) if rotation % 180 == 0 else (box.height, box.width)
    return View(width, height, matrix, rotation, unit if unit > 0 else 1.0)


def inherited(obj: Any, key: str) -> Any:
    """The value of an inheritable page attribute, None where neither page nor tree has it."""
    for _ in range(50):
        if key in obj:
            return obj[key]
        if "/Parent" not in obj:
            return None
        obj = obj["/Parent"]
    return None


def _number(value: Any, default: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if math.isfinite(number) else default


def _rect(value: Any) -> Rect | None:
    """A PDF rectangle with its corners in order; None where it is none, or empty."""
    try:
        x0, y0, x1, y1 = (float(item) for item in value)
    except (TypeError, ValueError, OverflowError):
        return None
    rect = Rect(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return rect if rect.area and math.isfinite(rect.area) else None
