"""The boxes over a page image: labels and links as numbers in page pixels, for an SVG of the page's size."""

from __future__ import annotations

from dataclasses import dataclass

from revista.geometry import Box, hull
from revista.records import Region, RegionKind
from revista.report.spanish import KINDS
from revista.view import PageView, PictureView

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
    """A box on the page; `picture` is the id of the picture to whose card it leads."""

    kind: RegionKind
    box: Box
    label: Label
    picture: str | None = None


@dataclass(frozen=True)
class Link:
    """A line from a picture to its printed caption."""

    picture: str
    x1: int
    y1: int
    x2: int
    y2: int


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
    captions = {picture.id: box for picture in page.pictures if (box := _caption_box(picture))}
    regions = page.regions.regions if page.regions else ()
    shapes = [
        _shape(region.kind, region.box, KINDS[region.kind], None, width, size)
        for region in regions
        if region.kind is not RegionKind.PICTURE and not (region.kind is RegionKind.CAPTION and _told(region, captions))
    ]
    for box in dict.fromkeys(captions.values()):
        owner = next(name for name, caption in captions.items() if caption == box)
        shapes.append(_shape(RegionKind.CAPTION, box, KINDS[RegionKind.CAPTION], owner, width, size))
    for picture in page.pictures:  # last, so that they lie on top and can be clicked
        label = f"{KINDS[RegionKind.PICTURE]} {picture.order}"
        shapes.append(_shape(RegionKind.PICTURE, picture.box, label, picture.id, width, size))
    # the largest first: a picture within a picture must stay within reach
    shapes.sort(key=lambda shape: (shape.kind in (RegionKind.PICTURE, RegionKind.CAPTION), -shape.box.area))
    links = [_link(p.id, p.box, captions[p.id], size) for p in page.pictures if p.id in captions]
    return Drawing(width, height, size, tuple(shapes), tuple(links))


def _caption_box(picture: PictureView) -> Box | None:
    """Where the caption of a picture stands, if that is on the picture's own page."""
    caption = picture.caption
    return hull(caption.boxes) if caption and caption.boxes and caption.page == picture.page else None


def _told(region: Region, captions: dict[str, Box]) -> bool:
    """Whether a caption that the text gave stands for this region: one caption, one box."""
    return any(region.box.coverage_by(box) > 0.5 or box.coverage_by(region.box) > 0.5 for box in captions.values())


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
