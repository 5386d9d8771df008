"""How Tesseract reads a page: as it is, and where that is poor or takes too long, prepared another way."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from revista.errors import StorageError, TimedOut
from revista.geometry import Box
from revista.programs import tesseract
from revista.programs.tesseract import Row
from revista.records import Regions
from revista.settings import TextSettings
from revista.text.preparation import INK, Prepared, bleach, prepare, whitened
from revista.text.reading import Reading, gain
from revista.text.rereading import apart, reread

_LARGE_PICTURE = 0.35  # share of the page: larger ones may be whole advertisements, whose print is wanted
_USUAL_GREYS, _SOME_GREYS, _FEW_GREYS = 0.8, 0.5, 0.2  # see `bleach`
_DARK, _SPARSE = 128, 0.006  # grey values of print, and the share of a page that is as dark where there is hardly any
_BLUR = 9  # pixels: how far the grey around what is dark at the edges reaches, both ways together
_LITTLE = 0.03  # share of a page that is print of any grey where there is not much more than captions
_POOR = 0.85  # mean confidence below which print may show through from the other side
_TURNED = 0.6  # mean confidence below which the page may stand turned
_FEW_LETTERS = 40  # a page with fewer, each weighted with its confidence, may stand turned
_SURE_TURNED = 1.0  # Tesseract's orientation confidence from which a turned page is read again
_PIECE_TIME = 0.1  # of a page's time that one piece may take; usually it takes a hundredth
_HEIGHTS_PER_INCH = 12.5  # of letters of ten-point type, capitals and small ones mixed
_X_HEIGHTS_PER_INCH = 15.5  # of ten-point type, whose small letters are about 4.6 points high


def read_page(
    even: np.ndarray, regions: Regions, options: TextSettings, timeout: float
) -> tuple[Reading, TimedOut | None]:
    """The best reading of a page: as it is, then, where that is poor, set upright, then bleached.

    Args:
        even: the page, (height, width) uint8, its paper made even.
        regions: what was found on it.
        options: language, and whether pages that lean or bend are set straight.
        timeout: seconds for all readings together.

    Returns:
        The reading, and an error that says what is lost where Tesseract did not finish in time.

    Raises:
        TimedOut: nothing could be read in time.
        StorageError: there is no room for temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="revista-text-") as folder:
        reader = _Reader(even, options, time.monotonic() + timeout, Path(folder) / "page.pgm")
        best, way, lost = _first_reading(reader, _ways(even, regions))
        return _bettered(reader, best, way) if way.whole else best, lost


@dataclass(frozen=True)
class _Way:
    """A way to read a page."""

    greys: float  # see `bleach`
    masked: Sequence[Box]  # pictures that are painted over
    large: Sequence[Box]  # those that are read with distrust
    print_alone: np.ndarray | None = None  # see `bleach`
    whole: bool = True  # else only what looks like lines is read, each by itself
    loses: str = ""  # what is not read so


class _Reader:
    """Reads one page in one way or another, until its time is up."""

    def __init__(self, even: np.ndarray, options: TextSettings, deadline: float, file: Path) -> None:
        """Take the page, its paper made even; `deadline` as `time.monotonic` counts; `file` is for what is read."""
        self._even, self._options, self._deadline, self._file = even, options, deadline, file
        self._longest = _PIECE_TIME * self.left

    @property
    def left(self) -> float:
        """Seconds that are left, 0.1 at least."""
        return max(0.1, self._deadline - time.monotonic())

    def read(self, way: _Way, seconds: float, orientation: int = 0) -> Reading:
        """What Tesseract reads within `seconds`; raises `TimedOut` where it does not finish."""
        prepared = self._prepared(way, self._options.deskew, orientation)
        pictures = [prepared.upright(box) for box in way.masked]
        upright = [prepared.upright(box) for box in way.large]
        first = self._whole(prepared, upright, seconds) if way.whole else []
        rows, captions = reread(prepared.image, first, pictures, upright, self._read_piece)
        return Reading(prepared, first, rows, pictures, captions, way.large)

    def orientation(self, way: _Way) -> int:
        """By how many degrees the page is turned, as far as Tesseract is sure of it; 0 where it is not."""
        prepared = self._prepared(way, deskew=False, orientation=0)
        _write_pgm(prepared.image, self._file)
        turned = tesseract.orientation(self._file, _dpi(prepared), self.left)
        return turned.degrees if turned and turned.confidence >= _SURE_TURNED else 0

    def _whole(self, prepared: Prepared, large: Sequence[Box], seconds: float) -> list[Row]:
        """The words of the page as a whole; beside large pictures as they are surer, with these or without.

        What is in a picture, and the frames around it, may pass for columns of print that go on below it.
        """
        rows = self._tsv(prepared.image, 3, _dpi(prepared), seconds)
        if not large:
            return rows
        alone = whitened(prepared.image, large)
        if not np.less(alone, INK).any():
            return rows
        try:
            beside = self._tsv(alone, 3, _dpi(prepared), self.left / 2)
        except TimedOut:
            return rows
        inside, outside = list[Row](), list[Row]()
        for row in rows:
            (inside if any(row.box.centre_in(box) for box in large) else outside).append(row)
        surer = sum(map(gain, beside)) > sum(map(gain, outside))
        return [*inside, *apart(beside, inside)] if surer else rows

    def _prepared(self, way: _Way, deskew: bool, orientation: int) -> Prepared:
        grey = bleach(self._even, way.greys, way.print_alone)
        return prepare(grey, way.masked, deskew=deskew, orientation=orientation, ignored=way.large)

    def _read_piece(self, part: np.ndarray, height: float) -> list[Row]:
        try:
            return self._tsv(part, 6, round(height * _HEIGHTS_PER_INCH), min(self._longest, self.left))
        except TimedOut:  # dots of a screen, mostly; what the whole page gave is kept
            return []

    def _tsv(self, image: np.ndarray, mode: int, dpi: int, seconds: float) -> list[Row]:
        _write_pgm(image, self._file)
        return tesseract.read_tsv(self._file, self._options.language, mode, dpi, seconds)


def _ways(even: np.ndarray, regions: Regions) -> list[_Way]:
    """The ways in which a page is tried to be read until Tesseract finishes, best first.

    The second makes less, or more, of light greys: what grain is taken for print. The next paints large pictures over,
    for the dots of their screens.
    """
    masked, large = _masks(regions, even.shape[1], even.shape[0])
    usual = _SOME_GREYS if _is_sparse(_beside(even, masked)) else _USUAL_GREYS
    print_alone = _beside(even, [*masked, *large], edges=False)  # a plate, or the scanner's bed, is darker than it
    little = print_alone.size > 0 and float((print_alone < INK).mean()) < _LITTLE
    other = _Way(_FEW_GREYS if usual == _USUAL_GREYS else _USUAL_GREYS, masked, large)
    ways = [_Way(usual, masked, large, print_alone if little else None), other]
    if large:
        lost = "what is printed in a large picture was not read"
        ways.append(replace(other, masked=[*masked, *large], large=[], loses=lost))
    lost = "only lines that stand by themselves were read on this page"
    return [*ways, replace(ways[-1], whole=False, loses=lost)]


def _first_reading(reader: _Reader, ways: Sequence[_Way]) -> tuple[Reading, _Way, TimedOut | None]:
    """What the first way gives in which Tesseract finishes, that way, and an error that says what it loses."""
    late: list[TimedOut] = []
    for way in ways:
        try:
            reading = reader.read(way, reader.left / 2)
        except TimedOut as error:
            late.append(error)
            continue
        if way.whole or reading.rows:
            lost = TimedOut(f"{late[-1].message}; {way.loses}", late[-1].hint) if way.loses else None
            return reading, way, lost
    raise late[-1]


def _bettered(reader: _Reader, best: Reading, way: _Way) -> Reading:
    """A reading, or a better one of the page set upright, and of it bleached, where it is poor."""
    unsure = best.sure < max(_FEW_LETTERS, _TURNED * best.letters)
    try:
        turned = reader.orientation(way) if best.prepared.x_height and (unsure or best.sideways) else 0
        if turned:
            other = reader.read(way, reader.left, turned)
            best = other if best.sideways > other.sideways or other.beats(best) else best
        if way.greys != _FEW_GREYS and best.letters >= _FEW_LETTERS and best.sure < _POOR * best.letters:
            bleached = replace(way, greys=_FEW_GREYS, print_alone=None)
            again = reader.read(bleached, reader.left, best.prepared.lean.orientation)
            best = again if again.beats(best) else best
    except TimedOut:  # what was read so far stands
        pass
    return best


def _masks(regions: Regions, width: int, height: int) -> tuple[list[Box], list[Box]]:
    """What is painted over, and the large pictures that are read with distrust."""
    pictures = [picture.box.clip(width, height) for picture in regions.pictures]
    large = [box for box in pictures if box.area > _LARGE_PICTURE * width * height]
    return [box for box in pictures if box not in large], large


def _beside(even: np.ndarray, pictures: Sequence[Box], *, edges: bool = True) -> np.ndarray:
    """The greys `(n,)` of the page without some pictures and, unless `edges`, without what hangs dark on its edges."""
    import cv2

    beside = np.ones(even.shape, bool)
    if not edges:
        _, labels = cv2.connectedComponents((even < _DARK).astype(np.uint8), connectivity=8)
        border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        dark = np.isin(labels, border[border > 0]).astype(np.uint8)
        beside = cv2.dilate(dark, np.ones((_BLUR, _BLUR), np.uint8)) == 0
    for box in pictures:
        beside[box.top : box.bottom, box.left : box.right] = False
    return even[beside]


def _is_sparse(beside: np.ndarray) -> bool:
    """Whether there is so little print among these greys that Tesseract may take the paper's grain for it."""
    return not beside.size or float((beside < _DARK).mean()) < _SPARSE


def _dpi(prepared: Prepared) -> int:
    """The resolution that Tesseract is told: as if the print were of ten points, because scans often tell it wrong."""
    return round(min(600, max(150, prepared.x_height * _X_HEIGHTS_PER_INCH)))


def _write_pgm(image: np.ndarray, file: Path) -> None:
    """Write a grey image; PGM costs no time to pack, and Leptonica reads it."""
    try:
        file.write_bytes(b"P5\n%d %d\n255\n" % image.shape[::-1] + image.tobytes())
    except OSError as error:
        raise StorageError(
            f"no room for a temporary page image: {error.strerror or error}",
            "Free some space in the folder for temporary files (the variable TMPDIR names it).",
        ) from error
