"""Stage 1: from an issue's PDF to page images.

A page that is one scan gives the scan itself: its JPEG byte for byte where that is what a viewer shows, else its
pixels, upright, as a PNG. Any other page is rendered by poppler. What the PDF itself says is written on the page is
kept as `Page.text_layer`.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from revista import images, issues
from revista.errors import BadInput, Category, RevistaError
from revista.geometry import Box
from revista.issues import Metadata
from revista.pages import content, document, scan
from revista.pages.document import Rect, View
from revista.programs import poppler
from revista.records import Issue, Page, Problem, Word
from revista.settings import PagesSettings
from revista.store import sha256_of, storage_errors
from revista.versions import versions

if TYPE_CHECKING:
    from PIL import Image

NAME = "pages"
VERSION = "1"

TEXT_LAYER_CONFIDENCE = 0.5
"""Confidence of the words of a text layer: a PDF gives none, so neither trust nor distrust."""

LARGEST_DPI = 1200.0
SMALLEST_SIDE = 64  # pixels; a page whose shorter side falls below it is a claim, not a page
LARGEST_SIDE = 1_000_000.0  # PDF units; Acrobat's limit is 14,400
_IMAGE_SHARE = 0.1  # share of the page from which on an image's resolution counts for rendering
_BANDS = 1024  # rows looked at in one go
_STOPS_THE_RUN = (Category.MISSING_PROGRAM, Category.STORAGE)


def software(options: PagesSettings) -> dict[str, str]:
    """Versions of what page images depend on."""
    return {"poppler": poppler.probe()} | versions("pikepdf", "pillow", "pdf2image")


def read_issue(pdf: Path, given: Metadata | None = None) -> Issue:
    """The issue in `pdf`; what had to be mended to open the file stands in its problems.

    Args:
        pdf: the issue's file. A sidecar `NAME.toml` or `NAME.json` beside it overrides its name.
        given: overrides both.

    Raises:
        BadInput: it cannot be opened as a PDF with pages, or the sidecar is wrong.
    """
    with document.open_pdf(pdf) as opened:
        count = len(opened.pages)
        damage = document.damage(opened, pdf)
    problems = []
    if damage:
        error = RevistaError(
            f"{pdf.name} is damaged and was repaired to read it: {damage}",
            "Look whether all pages are there; if not, copy or download the file again.",
            category=Category.REDUCED,
        )
        problems.append(Problem.from_error(error, NAME))
    known = issues.identify(pdf, given)
    assert known.id and known.title
    return Issue(
        **known.model_dump(),
        source_name=pdf.name,
        source_sha256=sha256_of(pdf),
        source_bytes=pdf.stat().st_size,
        page_count=count,
        problems=tuple(problems),
    )


def run(pdf: Path, number: int, options: PagesSettings, into: Path, timeout: float) -> Page:
    """Write the image of one page into the folder `into`, and say what it is.

    Args:
        pdf: the issue's file.
        number: the page, 1-based.
        options: the stage's settings.
        into: an existing folder; the file there is named `0003.jpg` or `0003.png` for page 3.
        timeout: seconds for all external programs together.

    Returns:
        The page. Where it could not be had, `image` is None and `problems` says why.

    Raises:
        MissingProgram: poppler is not installed.
        StorageError: the image cannot be written.
    """
    work = _Work(pdf, number, options, into, time.monotonic() + timeout)
    try:
        return _run(work)
    except RevistaError as error:
        if error.category in _STOPS_THE_RUN:
            raise
        return Page(number=number, problems=(Problem.from_error(error, NAME, number),))


class _Work(NamedTuple):
    """One page's order."""

    pdf: Path
    number: int
    options: PagesSettings
    into: Path
    deadline: float

    def left(self) -> float:
        """Seconds that are left; never so few that a program could not start."""
        return max(1.0, self.deadline - time.monotonic())


class _Made(NamedTuple):
    """A page image on disk, and where it lies in the view of the page."""

    page: Page
    place: Rect


def _run(work: _Work) -> Page:
    with document.open_pdf(work.pdf) as pdf:
        if not 1 <= work.number <= len(pdf.pages):
            raise BadInput(f"there is no page {work.number} among {len(pdf.pages)}", "Run the issue again.")
        page = pdf.pages[work.number - 1]
        try:
            view = document.view_of(page)
            found = content.read_content(pdf, page, view)
            only = scan.find_scan(found, view)
            made = _take_out(work, only, view) if only else _render(work, found, view)
        except document.broken() as error:
            raise BadInput(
                f"page {work.number} is damaged: {error}",
                "Repair the PDF: qpdf IN.pdf OUT.pdf; or scan the page again.",
            ) from error
    words: tuple[Word, ...] = ()
    problems = made.page.problems
    if found.has_text or not found.understood:
        try:
            placed = poppler.read_words(work.pdf, work.number, work.left())
            words = words_on(placed, made.place, made.page.width, made.page.height)
        except RevistaError as error:
            if error.category in _STOPS_THE_RUN:
                raise
            problems += (Problem.from_error(error, NAME, work.number, "text layer"),)
    return made.page.model_copy(update={"text_layer": words, "problems": problems})


# --- one scan -------------------------------------------------------------------------------------------------


def _take_out(work: _Work, only: scan.Scan, view: View) -> _Made:
    """The page's only image, in its own pixels where they are not too many."""
    page = Page(number=work.number, origin="embedded", codec=only.codec, rotation=only.rotation)
    share = _fit(only.size, work.options.max_pixels)
    jpeg = scan.plain_jpeg(only) if share == 1 else None
    if jpeg is not None:
        file = work.into / f"{work.number:04d}.jpg"
        with storage_errors(file.name):
            file.write_bytes(jpeg)
        (width, height), sha = only.upright, hashlib.sha256(jpeg).hexdigest()
        known = {"image": file.name, "image_sha256": sha, "width": width, "height": height}
        return _Made(page.model_copy(update=known | {"dpi": _dpi(width, only.place, view)}), only.place)

    problems: list[Problem] = []
    size = _scaled(only.size, share, work.number)
    alone = work.into / f"{work.number:04d}.scan.pdf"
    try:
        with storage_errors(alone.name):
            scan.write_alone(only, alone, size)
        picture, complaint = _rendered(work, alone, 1, size, grey=scan.is_grey(only))
    finally:
        alone.unlink(missing_ok=True)
    if only.turn is not None:
        picture = picture.transpose(only.turn)
    if only.crop:
        left, top, right, bottom = (round(edge * share) for edge in only.crop)
        picture = picture.crop((left, top, right, bottom))
    if complaint := "; ".join(filter(None, (scan.fault(only.stream), complaint))):
        problems.append(_damaged(work.number, "the embedded scan", complaint, picture, blank=False))
    if share < 1:
        problems.append(_reduced(work, f"the scan has {only.size[0]:,} x {only.size[1]:,} pixels", size, view))
    page = page.model_copy(update={"origin": "embedded" if share == 1 else "rendered"})
    return _write(work, page, picture, only.place, view, problems)


def _damaged(number: int, what: str, complaint: str, picture: Image.Image, *, blank: bool) -> Problem:
    """The problem of a page that could be read in part, as far as poppler's complaint tells.

    Args:
        number: the page.
        what: what was being read.
        complaint: what is wrong with it.
        picture: what came of it.
        blank: whether the page may be blank by rights.

    Raises:
        BadInput: nothing of it could be read: all pixels are the same.
    """
    extrema = picture.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    message = f"page {number}: {what} is damaged ({complaint})"
    if not blank and all(low == high for low, high in bands):
        raise BadInput(message, "Scan the page again, or take an undamaged copy of the PDF.")
    hint = "Look at the page; where something is missing, repair the PDF (qpdf IN.pdf OUT.pdf) or scan the page again."
    return Problem.from_error(RevistaError(message, hint, category=Category.REDUCED), NAME, number)


# --- any other page -------------------------------------------------------------------------------------------


def _render(work: _Work, found: content.Content, view: View) -> _Made:
    """The page as poppler draws it, at the resolution of the settings or of its finest large image."""
    if max(view.width, view.height) > LARGEST_SIDE:
        raise _too_large(work.number, view)
    wanted = max(float(work.options.render_dpi), _finest(found, view))
    width, height = (max(1.0, side * view.unit / 72 * wanted) for side in (view.width, view.height))
    share = _fit((width, height), work.options.max_pixels)
    nearest = round if share == 1 else int  # rounded up, both sides could be over the limit again
    size = max(1, nearest(width * share)), max(1, nearest(height * share))
    if min(size) < SMALLEST_SIDE and share < 1:
        raise _too_large(work.number, view)
    picture, complaint = _rendered(work, work.pdf, work.number, size, sideways=view.rotation % 180 == 90)
    problems = []
    faults = dict.fromkeys(f"an image: {fault}" for image in found.images if (fault := scan.fault(image.stream)))
    if complaint := "; ".join(filter(None, (*faults, complaint))):
        blank = found.understood and not found.marks
        problems.append(_damaged(work.number, "its content in the PDF", complaint, picture, blank=blank))
    if share < 1:
        whole = f"at {wanted:.0f} dpi the page has {round(width):,} x {round(height):,} pixels"
        problems.append(_reduced(work, whole, size, view))
    page = Page(number=work.number, origin="rendered", rotation=view.rotation)
    return _write(work, page, picture, view.rect, view, problems)


def _finest(found: content.Content, view: View) -> float:
    """The highest resolution, in dpi, of an image that covers a good part of the page; 0.0 where there is none."""
    finest = 0.0
    for image in found.images:
        size = scan.grid_size(image.stream)
        if size is None or image.visible.meet(view.rect).area < _IMAGE_SHARE * view.rect.area:
            continue
        a, b, c, d, *_ = image.place
        sides = math.hypot(a, b), math.hypot(c, d)
        finest = max(finest, *(72 * n / (side * view.unit) for n, side in zip(size, sides, strict=True) if side))
    return min(finest, LARGEST_DPI)


def _too_large(number: int, view: View) -> RevistaError:
    return RevistaError(
        f"page {number} claims to be {view.width:,.0f} x {view.height:,.0f} units large: no page has this shape",
        "Open it in a PDF viewer and mend its MediaBox, or scan the page again.",
        category=Category.TOO_LARGE,
    )


# --- common to both -------------------------------------------------------------------------------------------


def _fit(size: tuple[float, float], max_pixels: int) -> float:
    """By what to multiply both sides so that there are no more than `max_pixels`; 1.0 where there are not."""
    pixels, max_pixels = size[0] * size[1], min(max_pixels, images.MAX_PIXELS)
    return 1.0 if pixels <= max_pixels else math.sqrt(max_pixels / pixels) * (1 - 1e-6)


def _scaled(size: tuple[int, int], share: float, number: int) -> tuple[int, int]:
    width, height = (int(side * share) for side in size)
    if min(width, height) < SMALLEST_SIDE:
        raise RevistaError(
            f"page {number}: the scan claims {size[0]:,} x {size[1]:,} pixels: no page has this shape",
            "Open the page in a PDF viewer; scan it again if it does not show.",
            category=Category.TOO_LARGE,
        )
    return width, height


def _reduced(work: _Work, whole: str, size: tuple[int, int], view: View) -> Problem:
    error = RevistaError(
        f"page {work.number}: {whole}, more than pages.max_pixels; rendered at {size[0]:,} x {size[1]:,}",
        f"Raise pages.max_pixels in the settings if its details matter; it is {work.options.max_pixels:,} now.",
        category=Category.REDUCED,
    )
    return Problem.from_error(error, NAME, work.number)


def _rendered(
    work: _Work, pdf: Path, number: int, size: tuple[int, int], *, grey: bool = False, sideways: bool = False
) -> tuple[Image.Image, str]:
    """A page as poppler draws it, and what poppler complains of; the file it writes is removed again."""
    from PIL import Image

    with storage_errors(f"page {number}"), tempfile.TemporaryDirectory(dir=work.into) as folder:
        rendering = poppler.render(pdf, number, size, Path(folder), timeout=work.left(), grey=grey, sideways=sideways)
        with Image.open(rendering.file, formats=["PPM"]) as picture:
            picture.load()
            return picture, rendering.complaint


def _write(work: _Work, page: Page, picture: Image.Image, place: Rect, view: View, problems: list[Problem]) -> _Made:
    """Write the picture as a PNG, grey where it has no colour; the page with all that is now known of it."""
    if picture.mode == "RGB" and _is_colourless(picture):
        picture = picture.getchannel(0)
    file = work.into / f"{work.number:04d}.png"
    dpi = _dpi(picture.width, place, view)
    with storage_errors(file.name):
        picture.save(file, "PNG", compress_level=4, dpi=(dpi, dpi))
        sha = sha256_of(file)
    known = {"image": file.name, "image_sha256": sha, "width": picture.width, "height": picture.height}
    return _Made(page.model_copy(update=known | {"dpi": dpi, "problems": tuple(problems)}), place)


def _is_colourless(picture: Image.Image) -> bool:
    """Whether red, green and blue are the same in all pixels of an RGB picture."""
    import numpy as np

    for top in range(0, picture.height, _BANDS):
        rows = np.asarray(picture.crop((0, top, picture.width, min(top + _BANDS, picture.height))))
        if (rows[..., 0] != rows[..., 1]).any() or (rows[..., 0] != rows[..., 2]).any():
            return False
    return True


def words_on(placed: tuple[poppler.PlacedWord, ...], place: Rect, width: int, height: int) -> tuple[Word, ...]:
    """The words of a text layer in pixels of the page image.

    Args:
        placed: words in units of the PDF from the top left of the page as it is shown.
        place: where the page image lies on the page, in the same units.
        width: of the page image in pixels.
        height: of the page image in pixels.

    Returns:
        The words that lie on the page image, in the same order, their boxes rounded outwards and clipped to it.
    """
    x, y = width / place.width, height / place.height
    words = []
    for text, left, top, right, bottom in placed:
        edges = (left - place.left) * x, (top - place.top) * y, (right - place.left) * x, (bottom - place.top) * y
        if not all(math.isfinite(edge) for edge in edges):
            continue
        box = Box(math.floor(edges[0]), math.floor(edges[1]), math.ceil(edges[2]), math.ceil(edges[3]))
        box = box.clip(width, height)
        if box.area:
            words.append(Word(text=text, box=box, confidence=TEXT_LAYER_CONFIDENCE))
    return tuple(words)


def _dpi(width: int, place: Rect, view: View) -> float:
    """Pixels per inch of a page image that lies at `place`."""
    return round(72 * width / (place.width * view.unit), 2)
