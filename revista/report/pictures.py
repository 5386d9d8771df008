"""The pictures inside the report: scaled down, as JPEG in `data:` URIs, so that the page needs no other file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from revista.errors import BadInput
from revista.images import crop, read_image
from revista.records import Problem
from revista.store import Archive
from revista.view import PageView, PictureView

PAGE_WIDTH = 900  # pixels
PICTURE_SIDE = 700
THUMBNAIL_SIDE = 200
_PAGE_QUALITY, _PICTURE_QUALITY = 60, 68  # of JPEG: an issue of 100 pages stays below some 30 MB


@dataclass(frozen=True)
class Embedded:
    """A scaled picture as a `data:` URI, with its size in pixels."""

    uri: Markup
    width: int
    height: int


@dataclass(frozen=True)
class PagePictures:
    """What the report shows of a page; None, with a problem, where a file cannot be read."""

    page: Embedded | None = None
    pictures: dict[str, Embedded] = field(default_factory=dict)  # by the picture's id
    thumbnails: dict[str, Embedded] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def page_pictures(archive: Archive, issue: str, view: PageView) -> PagePictures:
    """Read and scale the image of a page and its cut-out pictures.

    A picture is read from its own file; where there is none, it is cut out of the page image.
    """
    problems: list[Problem] = []
    pictures, thumbnails = {}, {}
    page = None
    if view.pages and view.pages.image:
        page = _read(archive.page_image(issue, view.pages.image), view.number, None, problems)
    for picture in view.pictures:
        pixels = _picture(archive, picture, page, problems)
        if pixels is not None:
            pictures[picture.id] = embed(pixels, PICTURE_SIDE, PICTURE_SIDE, _PICTURE_QUALITY)
            thumbnails[picture.id] = embed(pixels, THUMBNAIL_SIDE, THUMBNAIL_SIDE, _PICTURE_QUALITY)
    return PagePictures(
        page=None if page is None else embed(page, PAGE_WIDTH, 4 * PAGE_WIDTH, _PAGE_QUALITY),
        pictures=pictures,
        thumbnails=thumbnails,
        problems=tuple(problems),
    )


def embed(pixels: np.ndarray, width: int, height: int, quality: int) -> Embedded:
    """`pixels`, scaled to fit into `width` x `height` (never up), as a JPEG of `quality` in a `data:` URI."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, optimize=True, progressive=True)
    uri = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Embedded(Markup(uri), *image.size)


def _picture(
    archive: Archive, picture: PictureView, page: np.ndarray | None, problems: list[Problem]
) -> np.ndarray | None:
    if picture.file is not None:
        pixels = _read(archive.root / picture.file, picture.page, picture.id, problems)
        if pixels is not None:
            return pixels
    if page is None:
        return None
    try:
        return crop(page, picture.box)
    except BadInput as error:
        problems.append(Problem.from_error(error, "report", picture.page, picture.id))
        return None


def _read(file: Path, page: int, item: str | None, problems: list[Problem]) -> np.ndarray | None:
    try:
        return read_image(file)
    except BadInput as error:
        problems.append(Problem.from_error(error, "report", page, item))
        return None
