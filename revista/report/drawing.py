"""The boxes over a page image: labels and links as numbers in page pixels, for an SVG of the page's size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from revista.geometry import Box, hull
from revista.records import Quote, RegionKind
from revista.report.spanish import KINDS, LOOKS
from revista.view import PageView, PictureView

LIKELY = 0.05  # likelihood from which a second caption is drawn
SECOND = "¿Pie?"
_CHARACTER = 0.66  # width of a letter of the label, as a share of its height


@dataclass(frozen=True)
class Label:
    """A name at a box: its background, where its baseline begins, how high its letters are, whether it runs upwards."""

    text: str
    box: Box
    x: int
    y: int
    size: int
    upwards: bool = False


@dataclass(frozen=True)
class Shape:
    """A box on the page; `picture` is the id of the picture to whose card it leads.

    `second`: print that might be a picture's caption in place of the one that it was given.
    """

    kind: RegionKind
    box: Box
    label: Label
    picture: str | None = None
    second: bool = False


@dataclass(frozen=True)
class Link:
    """A line from a picture to its printed caption, or to the one that is `second` in likelihood."""

    picture: str
    x1: int
    y1: int
    x2: int
    y2: int
    second: bool = False


@dataclass(frozen=True)
class Drawing:
    """All that is drawn over a page of `width` x `height` pixels; `size` is the height of the large letters."""

    width: int
    height: int
    size: int
    shapes: tuple[Shape, ...]
    links: tuple[Link, ...]

    @property
    def radius(self) -> int:
        """Radius of the dots at the ends of a link."""
        return max(1, self.size // 3)


def draw(page: PageView) -> Drawing | None:
    """The drawing for a page, None where its size is not known."""
    if page.pages is None or not (page.pages.width > 0 and page.pages.height > 0):
        return None
    width, height = page.pages.width, page.pages.height
    size = max(6, width // 46)
    captions = {picture.id: _places(picture, _captions(picture)) for picture in page.pictures}
    seconds = {picture.id: _places(picture, (_second(picture),)) for picture in page.pictures}
    owners: dict[Box, str] = {}
    for name, boxes in captions.items():
        for box in boxes:
            owners.setdefault(box, name)
    regions = page.regions.regions if page.regions else ()
    shapes = [
        _shape(region.kind, region.box, KINDS[region.kind], None, width, size)
        for region in regions
        if region.kind is not RegionKind.PICTURE
        and not (region.kind is RegionKind.CAPTION and _covered(region.box, owners))
    ]
    for box, owner in owners.items():
        shapes.append(_shape(RegionKind.CAPTION, box, KINDS[RegionKind.CAPTION], owner, width, size))
    for box in dict.fromkeys(box for boxes in seconds.values() for box in boxes if not _covered(box, owners)):
        shapes.append(replace(_shape(RegionKind.CAPTION, box, SECOND, None, width, size), second=True))
    for picture in page.pictures:  # last, so that they lie on top and can be clicked
        shapes.append(_shape(RegionKind.PICTURE, picture.box, _name(picture), picture.id, width, size))
    # the largest first: a picture within a picture must stay within reach
    shapes.sort(key=lambda shape: (shape.kind in (RegionKind.PICTURE, RegionKind.CAPTION), -shape.box.area))
    links = [_link(p.id, p.box, box, size) for p in page.pictures for box in captions[p.id]]
    doubts = [replace(_link(p.id, p.box, box, size), second=True) for p in page.pictures for box in seconds[p.id]]
    return Drawing(width, height, size, tuple(shapes), (*doubts, *links))


def _name(picture: PictureView) -> str:
    """`Imagen 2`, or `Imagen 2, dibujo` where a detector tells the kind."""
    look = picture.look
    return f"{KINDS[RegionKind.PICTURE]} {picture.order}" + (f", {LOOKS[look]}" if look else "")


def _captions(picture: PictureView) -> tuple[Quote, ...]:
    """The picture's caption, or the several ones that it has."""
    whole = (picture.caption,) if picture.caption else ()
    return (picture.context.caption_parts if picture.context else ()) or whole


def _second(picture: PictureView) -> Quote | None:
    context = picture.context
    return context.caption_runner_up if context and context.caption_runner_up_confidence >= LIKELY else None


def _places(picture: PictureView, quotes: Iterable[Quote | None]) -> tuple[Box, ...]:
    """Where print stands, so far as that is on the picture's own page."""
    return tuple(hull(quote.boxes) for quote in quotes if quote and quote.boxes and quote.page == picture.page)


def _covered(box: Box, captions: Iterable[Box]) -> bool:
    """Whether one of these captions stands for this box: one caption, one box."""
    return any(box.coverage_by(other) > 0.5 or other.coverage_by(box) > 0.5 for other in captions)


def _shape(kind: RegionKind, box: Box, text: str, picture: str | None, width: int, size: int) -> Shape:
    if kind in (RegionKind.TEXT, RegionKind.FURNITURE):
        return Shape(kind, box, _quiet_label(box, text, width, round(size * 0.62)), picture)
    return Shape(
        kind, box, _label(box, text, width, size if kind is RegionKind.PICTURE else round(size * 0.8)), picture
    )


def _label(box: Box, text: str, width: int, size: int) -> Label:
    """A label on the upper left corner; inside the box where there is no room above it."""
    long, high = round(len(text) * size * _CHARACTER + size * 0.8), round(size * 1.45)
    left = max(0, min(box.left, width - long))
    top = box.top - high if box.top >= high else box.top
    place = Box(left, top, left + long, top + high)
    return Label(text, place, left + round(size * 0.4), top + round(size * 1.08), size)


def _quiet_label(box: Box, text: str, width: int, size: int) -> Label:
    """A small label beside the box, where it hides no print: upwards on the left, or level where the box is low."""
    long, high = round(len(text) * size * _CHARACTER + size * 0.8), round(size * 1.4)
    if box.height >= long:
        left = max(0, box.left - high)
        place = Box(left, box.top, left + high, box.top + long)
        return Label(text, place, left + round(size * 1.05), place.bottom - round(size * 0.4), size, upwards=True)
    left = box.right if box.right + long <= width else max(0, box.left - long)
    top = max(0, (box.top + box.bottom - high) // 2)
    place = Box(left, top, left + long, top + high)
    return Label(text, place, left + round(size * 0.4), top + round(size * 1.05), size)


def _link(name: str, picture: Box, caption: Box, size: int) -> Link:
    """The line between the nearest points of both boxes, each end drawn a little into its box to be seen."""
    x1, x2 = _nearest(picture.left, picture.right, caption.left, caption.right, size)
    y1, y2 = _nearest(picture.top, picture.bottom, caption.top, caption.bottom, size)
    return Link(name, x1, y1, x2, y2)


def _nearest(a1: int, a2: int, b1: int, b2: int, inset: int) -> tuple[int, int]:
    """On one axis, a place in the span `a` and one in the span `b`, as near to each other as may be."""
    if a2 <= b1 or b2 <= a1:
        step = min(inset, max(0, a2 - a1) // 2), min(inset, max(0, b2 - b1) // 2)
        return (a2 - step[0], b1 + step[1]) if a2 <= b1 else (a1 + step[0], b2 - step[1])
    middle = (max(a1, b1) + min(a2, b2)) // 2
    return middle, middle
