"""Reading the index of a folder of pages with ground truth: pictures with their boxes, and the lines of text.

An index is a JSON list with one object a page: `file` (an image, or a PDF with `page` set), and, all optional, `width`
and `height` (pixels in which the boxes count), `illustrations` (`bbox_xyxy`, `kind` or `technique`, `keywords_es`),
`captions` (`text`, `bbox_xyxy`, `illustrations`: indices), `text_lines`, `doc`, `page`, `source`, `lang`. Other keys
are left alone.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from revista.errors import BadInput
from revista.geometry import Box
from revista.records import Frozen, Look, Page, Region, RegionKind, Regions
from revista.settings import PagesSettings

LOOKS = frozenset(Look)
_HINT = "docs/formats.md describes the index of an evaluation: a JSON list with one object a page."


class Illustration(Frozen):
    """A picture on a page as people marked it; `box` is None where they did not draw one."""

    box: Box | None = None
    kind: str | None = None
    keywords: tuple[str, ...] = ()


class PrintedCaption(Frozen):
    """A printed caption as people linked it; `box` is None where they did not draw one."""

    text: str
    box: Box | None = None
    illustrations: tuple[int, ...] = ()  # indices into the page's illustrations, ascending


class IndexPage(Frozen):
    """A page with its ground truth; boxes count pixels of a page of `width` x `height`."""

    name: str  # `file` as the index writes it
    file: Path
    page: int | None = None  # 1-based, in a PDF or in the document
    doc: str
    source: str
    width: int | None = None
    height: int | None = None
    language: str | None = None
    illustrations: tuple[Illustration, ...] = ()
    captions: tuple[PrintedCaption, ...] = ()
    text_lines: tuple[str, ...] = ()

    def true_boxes(self, width: int, height: int) -> tuple[Box, ...]:
        """The pictures' boxes on this page at `width` x `height` pixels: scaled where the index counts others."""
        found = [self.scaled(i.box, width, height) for i in self.illustrations if i.box]
        return tuple(box for box in found if box.area)

    def scaled(self, box: Box, width: int, height: int) -> Box:
        """A box of the index on this page at `width` x `height` pixels, clipped to it; it may be empty."""
        across = width / self.width if self.width else 1.0
        down = height / self.height if self.height else 1.0
        left, top, right, bottom = box
        return Box(round(left * across), round(top * down), round(right * across), round(bottom * down)).clip(
            width, height
        )


def read_index(file: Path) -> tuple[IndexPage, ...]:
    """The pages that the index `file` lists, in its order.

    A page's file is looked for in the folder of the index, then in the folder above it.

    Raises:
        BadInput: the index is missing, not JSON, or not a list of pages, or an image that it names is missing.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}", "Check the path of the index.") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
        raise BadInput(f"{file}: not JSON: {error}", _HINT) from error
    if not isinstance(data, list):
        raise BadInput(f"{file}: a JSON {type(data).__name__}, not a list of pages", _HINT)
    pages = tuple(_page(entry, file, number) for number, entry in enumerate(data))
    missing = [page.name for page in pages if not page.file.is_file()]
    if missing:
        raise BadInput(
            f"{file}: {len(missing)} of its {len(pages)} pages are missing, the first is {missing[0]}",
            f"Put the files beside the index: they are looked for in {file.parent} and in the folder above it.",
        )
    return pages


def open_page(entry: IndexPage, scratch: Path, timeout: float = 120.0) -> tuple[Path, Page]:
    """The page's image file and its record.

    Args:
        entry: a page of an index. Where its file is a PDF, the page is taken out of it as `revista run` does.
        scratch: a folder for page images from PDFs; it has to exist.
        timeout: seconds for taking a page out of a PDF.

    Raises:
        BadInput: the image or the PDF cannot be read.
    """
    number = entry.page if entry.page and entry.page > 0 else 1
    if entry.file.suffix.lower() == ".pdf":
        from revista.pages import run

        into = scratch / entry.file.stem  # page images of several PDFs have the same names
        into.mkdir(exist_ok=True)
        page = run(entry.file, number, PagesSettings(), into, timeout)
        if page.image is None:
            problem = next(iter(page.problems), None)
            raise BadInput(
                f"{entry.name}, page {number}: {problem.message if problem else 'no image'}",
                problem.hint if problem else "",
            )
        return into / page.image, page

    from revista.images import image_size

    width, height = image_size(entry.file)
    return entry.file, Page(number=number, image=entry.file.name, width=width, height=height)


def true_pictures(entry: IndexPage, width: int, height: int) -> Regions:
    """The true pictures of a page as regions with their kinds, in the order of the index."""

    def look(index: int) -> Look | None:
        kind = entry.illustrations[index].kind
        return Look(kind) if kind in LOOKS else None

    return Regions(
        regions=tuple(
            Region(
                id=f"{entry.page or 1:04d}-r{index:02d}",
                kind=RegionKind.PICTURE,
                box=box,
                confidence=1.0,
                detector="truth",
                look=look(index),
            )
            for index, box in boxes_by_index(entry, width, height).items()
        )
    )


def boxes_by_index(entry: IndexPage, width: int, height: int) -> dict[int, Box]:
    """The true pictures' boxes on the page, by their index."""
    scaled = {i: entry.scaled(item.box, width, height) for i, item in enumerate(entry.illustrations) if item.box}
    return {i: box for i, box in scaled.items() if box.area}


def _page(entry: Any, index: Path, number: int) -> IndexPage:
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str) or not entry["file"]:
        raise BadInput(f"{index}: entry {number} is not an object with a `file`", _HINT)
    name: str = entry["file"]
    try:
        width, height = _number(entry.get("width")), _number(entry.get("height"))
        illustrations = tuple(_illustration(i, width, height) for i in entry.get("illustrations") or ())
        return IndexPage(
            name=name,
            file=_resolve(name, index),
            page=_number(entry.get("page")),
            doc=str(entry.get("doc") or Path(name).stem),
            source=str(entry.get("source") or Path(name).parent.name or index.parent.name),
            width=width,
            height=height,
            language=entry.get("lang"),
            illustrations=illustrations,
            captions=tuple(_caption(c, width, height, len(illustrations)) for c in entry.get("captions") or ()),
            text_lines=tuple(str(line) for line in entry.get("text_lines") or ()),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{index}: entry {number} ({name}): {error}", _HINT) from error


def _resolve(name: str, index: Path) -> Path:
    """Where the file is; in the index's folder where it is nowhere."""
    beside = index.parent / name
    above = index.resolve().parent.parent / name
    return above if above.is_file() and not beside.is_file() else beside


def _number(value: Any) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    number = float(value)
    return int(number) if math.isfinite(number) and number > 0 else None


def _illustration(entry: Any, width: int | None, height: int | None) -> Illustration:
    return Illustration(
        box=_box(entry.get("bbox_xyxy"), width, height),
        kind=entry.get("kind") or entry.get("technique"),
        keywords=tuple(str(word) for word in entry.get("keywords_es") or ()),
    )


def _caption(entry: Any, width: int | None, height: int | None, count: int) -> PrintedCaption:
    indices = sorted({int(i) for i in entry.get("illustrations") or ()})
    if indices and not 0 <= indices[0] <= indices[-1] < count:
        raise ValueError(f"a caption of illustrations {indices}, of which there are {count}")
    return PrintedCaption(
        text=str(entry.get("text") or ""),
        box=_box(entry.get("bbox_xyxy"), width, height),
        illustrations=tuple(indices),
    )


def _box(values: Any, width: int | None, height: int | None) -> Box | None:
    """The box in whole pixels; None where a corner is missing or nothing of it lies on the page."""
    if values is None or any(value is None for value in values):
        return None
    left, top, right, bottom = (float(value) for value in values)
    if not all(map(math.isfinite, (left, top, right, bottom))):
        return None
    box = Box(round(min(left, right)), round(min(top, bottom)), round(max(left, right)), round(max(top, bottom))).clip(
        width or 1 << 31, height or 1 << 31
    )
    return box if box.area else None
