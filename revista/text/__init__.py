"""Stage 3: what is printed on a page, read by Tesseract, as paragraphs in reading order."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from revista.errors import Category, MissingProgram, RevistaError, StorageError, TimedOut
from revista.geometry import Box, hull
from revista.images import read_image
from revista.lean import Lean
from revista.programs import tesseract
from revista.programs.tesseract import Row
from revista.records import Line, Page, PageText, Paragraph, Problem, Regions, Word
from revista.settings import TextSettings
from revista.text.layout import Lines, paragraphs_of
from revista.text.preparation import INK, Prepared, bleach, even_paper, prepare
from revista.text.rereading import reread
from revista.versions import versions
from revista.wording import printable

NAME = "text"
VERSION = "9"

_LARGE_PICTURE = 0.35  # share of the page: larger ones may be whole advertisements, whose print is wanted
_SURE_IN_PICTURE = 0.7  # confidence of a line inside a large picture that is believed
_IN_PICTURE = 0.1  # share of a line in such a picture from which that is asked for: frames lie at its edge
_SURE_STANDING = 0.5  # confidence of a line that runs up or down the page
_USUAL_GREYS, _SOME_GREYS, _FEW_GREYS = 0.8, 0.5, 0.2  # see `bleach`
_DARK, _SPARSE = 128, 0.006  # grey values of print, and the share of a page that is as dark where there is hardly any
_BLUR = 9  # pixels: how far the grey around what is dark at the edges reaches, both ways together
_LITTLE = 0.03  # share of a page that is print of any grey where there is not much more than captions
_POOR = 0.85  # mean confidence below which print may show through from the other side
_TURNED = 0.6  # mean confidence below which the page may stand turned
_FEW_LETTERS = 40  # a page with fewer, each weighted with its confidence, may stand turned
_SURE_TURNED = 1.0  # Tesseract's orientation confidence from which a turned page is read again
_RULE, _HIGH = re.compile(r"[|¦]+"), 1.5  # the rule between two columns; times as high as the words beside it
_NO_LOSS = 0.8  # of what a reading says by the print that is kept, which a better one says too
_NOISE = 0.3  # mean confidence of lines that are specks and ornaments rather than print
_PIECE_TIME = 0.1  # of a page's time that one piece may take; usually it takes a hundredth
_HEIGHTS_PER_INCH = 12.5  # of letters of ten-point type, capitals and small ones mixed
_X_HEIGHTS_PER_INCH = 15.5  # of ten-point type, whose small letters are about 4.6 points high


def software(options: TextSettings) -> dict[str, str]:
    """Name and version of what the words depend on."""
    return {"tesseract": tesseract.probe().version} | versions("opencv-python", "opencv-python-headless", "numpy")


def weights(options: TextSettings) -> dict[str, str]:
    """Hex sha256 of Tesseract's trained data for the language, by file name."""
    return tesseract.trained_data(options.language)


def run(image: Path, page: Page, regions: Regions, options: TextSettings, timeout: float) -> PageText:
    """Read a page.

    The paper is made even, the pictures are painted over (leaning as the page leans), lines that lean or bend are set
    straight and small print is enlarged. A page that is poorly read so is read again, set upright where it stands
    turned, and with print that shows through from its other side bleached; the surest reading counts. Where Tesseract
    cannot read the page at all, the PDF's own text layer is taken, and a problem says so.

    Args:
        image: the page image.
        page: its record.
        regions: what was found on it; the pictures among them are not read, except large ones, where only lines read
            with confidence are kept.
        options: language, and whether pages that lean or bend are set straight.
        timeout: seconds that Tesseract may take for the page, all its runs together.

    Returns:
        Paragraphs in reading order, boxes in page pixels. A page that cannot be read is a problem in it.

    Raises:
        MissingProgram: Tesseract, or its language, is not installed.
        StorageError: there is no room for temporary files.
    """
    tesseract.require(options.language)
    problems: list[Problem] = []
    reading: _Reading | None = None
    try:
        even = even_paper(read_image(image))
        reading, late = _read_page(even, regions, options, time.monotonic() + timeout)
        if late:
            problems.append(
                Problem(
                    stage=NAME,
                    category=Category.REDUCED,
                    message=late.message,
                    hint=late.hint,
                    page=page.number,
                )
            )
    except (MissingProgram, StorageError):
        raise
    except RevistaError as error:
        problems.append(Problem.from_error(error, NAME, page.number))
    if reading and reading.rows:
        groups = paragraphs_of(reading.rows, reading.pictures, reading.captions)
        paragraphs = _records(groups, page.number, reading.prepared, reading.captions)
    else:
        paragraphs = _records(paragraphs_of(_layer(page)), page.number, None)
        if paragraphs:
            problems.append(
                Problem(
                    stage=NAME,
                    category=Category.REDUCED,
                    message="Tesseract read nothing on this page; the text is the PDF's own text layer",
                    hint="Compare it with the page: text layers of old scans are often poor.",
                    page=page.number,
                )
            )
    lean = reading.prepared.lean if reading else Lean()
    return PageText(
        paragraphs=paragraphs,
        language=options.language,
        skew=lean.skew,
        bend=lean.bend,
        orientation=lean.orientation,
        problems=tuple(problems),
    )


class _Reading:
    """What was read from a prepared page: all of it, and the words that are print."""

    def __init__(
        self,
        prepared: Prepared,
        first: Sequence[Row],
        rows: Sequence[Row],
        pictures: Sequence[Box],
        captions: Sequence[Box],
        large: Sequence[Box],
    ) -> None:
        """Take the words that the page gave at `first`, and those that it has since parts of it were read again."""
        self.prepared = prepared
        self.pictures = pictures
        self.captions = captions
        self.rows = _words(rows, prepared, large)
        self.letters = tesseract.letters_in(rows)
        self.sure = tesseract.sure_letters(rows)
        again = set(rows) - set(first)  # what was read by itself was believed already
        self.score = sum(max(0.0, _gain(row)) if row in again else _gain(row) for row in rows)
        self.print_score = sum(_gain(row) for row in self.rows)

    @property
    def sideways(self) -> bool:
        """Whether the lines run up or down the page: Tesseract reads such lines too, but knows no columns there."""
        long = [row.box for row in self.rows if len(row.text) > 3]
        return sum(box.height > box.width for box in long) > 0.5 * len(long)

    def beats(self, other: _Reading) -> bool:
        """Whether it is surer as a whole, guesses counted against it, and loses next to no print that was believed."""
        return self.score > other.score and self.print_score > _NO_LOSS * other.print_score


def _gain(word: Row) -> float:
    """What a word says for a reading: letters read surely speak for it, letters guessed against it."""
    return tesseract.sure_letters([word]) - 0.5 * tesseract.letters_in([word])


def _read_page(
    even: np.ndarray, regions: Regions, options: TextSettings, deadline: float
) -> tuple[_Reading, TimedOut | None]:
    """The best of up to three readings: as it is, then, where that is poor, set upright, then bleached.

    Where Tesseract does not finish in time, large pictures are painted over too, or else only what looks like lines is
    read; an error that says so comes with the reading.
    """
    masked, large = _masks(regions, even.shape[1], even.shape[0])
    longest = _PIECE_TIME * (deadline - time.monotonic())
    with tempfile.TemporaryDirectory(prefix="revista-text-") as folder:
        file = Path(folder) / "page.pgm"

        def left() -> float:
            return max(0.1, deadline - time.monotonic())

        def read_piece(part: np.ndarray, height: float) -> list[Row]:
            _write_pgm(part, file)
            dpi = round(height * _HEIGHTS_PER_INCH)
            try:
                return tesseract.read_tsv(file, options.language, 6, dpi, min(longest, left()))
            except TimedOut:  # dots of a screen, mostly; what the whole page gave is kept
                return []

        def read(grey: np.ndarray, orientation: int, seconds: float | None) -> _Reading:
            prepared = prepare(grey, masked, deskew=options.deskew, orientation=orientation, ignored=large)
            _write_pgm(prepared.image, file)
            first = tesseract.read_tsv(file, options.language, 3, _dpi(prepared), seconds) if seconds else []
            pictures = [prepared.upright(box) for box in masked]
            upright = [prepared.upright(box) for box in large]
            rows, captions = reread(prepared.image, first, pictures, upright, read_piece)
            return _Reading(prepared, first, rows, pictures, captions, large)

        usual = _SOME_GREYS if _is_sparse(_beside(even, masked)) else _USUAL_GREYS
        print_alone = _beside(even, [*masked, *large], edges=False)  # a plate, or the scanner's bed, is darker than it
        little = print_alone.size > 0 and float((print_alone < INK).mean()) < _LITTLE
        grey = bleach(even, usual, print_alone if little else None)
        best, late, lost = None, TimedOut("", ""), None
        for attempt in range(3 if large else 2):
            if attempt == 1:  # grain that it takes for print
                usual = _FEW_GREYS if usual == _USUAL_GREYS else _USUAL_GREYS
                grey = bleach(even, usual)
            elif attempt == 2:  # the dots of a plate's screen: what is printed beside it can be read
                masked, large = [*masked, *large], []
                lost = _without(late, "what is printed in a large picture was not read")
            try:
                best = read(grey, 0, left() / 2)
                break
            except TimedOut as error:
                late = error
        if best is None:
            best = read(grey, 0, None)
            if not best.rows:
                raise late
            return best, _without(late, "only lines that stand by themselves were read on this page")
        unsure = best.sure < max(_FEW_LETTERS, _TURNED * best.letters)
        if best.prepared.x_height and (unsure or best.sideways):
            prepared = prepare(grey, masked, deskew=False, ignored=large)
            _write_pgm(prepared.image, file)
            turned = tesseract.orientation(file, _dpi(prepared), left())
            if turned and turned.degrees and turned.confidence >= _SURE_TURNED:
                other = read(grey, turned.degrees, left())
                best = other if best.sideways > other.sideways or other.beats(best) else best
        if usual != _FEW_GREYS and best.letters >= _FEW_LETTERS and best.sure < _POOR * best.letters:
            again = read(bleach(even, _FEW_GREYS), best.prepared.lean.orientation, left())
            best = again if again.beats(best) else best
    return best, lost


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


def _without(late: TimedOut, lost: str) -> TimedOut:
    """The error that a page was read only in part."""
    return TimedOut(f"{late.message}; {lost}", late.hint)


def _masks(regions: Regions, width: int, height: int) -> tuple[list[Box], list[Box]]:
    """What is painted over, and the large pictures that are read with distrust."""
    pictures = [picture.box.clip(width, height) for picture in regions.pictures]
    large = [box for box in pictures if box.area > _LARGE_PICTURE * width * height]
    return [box for box in pictures if box not in large], large


def _words(rows: Sequence[Row], prepared: Prepared, large: Sequence[Box]) -> list[Row]:
    """The rows that are print: what is neither empty nor a speck, nor guessed from a large picture's tones."""
    told = [row._replace(text=text) for row in rows if (text := printable(row.text)) and row.box.area]
    kept = []
    pictures = [prepared.upright(box) for box in large]
    for line in tesseract.by_line(told):
        box = hull(word.box for word in line)
        stands = tesseract.letters_in(line) > 3 and box.height > 2 * box.width  # along the edge of the scan, mostly
        least = _SURE_STANDING if stands else _NOISE
        if any(box.coverage_by(picture) > _IN_PICTURE for picture in pictures):
            least = _SURE_IN_PICTURE
        if tesseract.confidence_of(line) >= least:
            height = median(word.box.height for word in line)
            kept += [word for word in line if _is_word(word, least, height)]
    return kept


def _is_word(row: Row, least: float, height: float) -> bool:
    """Whether a row is print: no speck, no row of dots that leads to a page number, no rule between columns.

    Args:
        row: of a line.
        least: confidence asked for.
        height: of the line's words; a numeral I, often read as such a rule, is no higher.
    """
    if _RULE.fullmatch(row.text) and row.box.height > _HIGH * height:
        return False
    signs_only = not any(map(str.isalnum, row.text))
    return row.confidence >= least or not (signs_only or "..." in row.text)


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


def _layer(page: Page) -> list[Row]:
    """The words of the PDF's text layer as rows; their lines follow from their places."""
    return [
        Row(0, 0, i, word.text, word.box, word.confidence) for i, word in enumerate(page.text_layer) if word.box.area
    ]


def _records(
    paragraphs: Sequence[Lines], number: int, prepared: Prepared | None, captions: Sequence[Box] = ()
) -> tuple[Paragraph, ...]:
    """Paragraphs as records, boxes in page pixels; those within one of `captions` are told to be so."""

    def word(row: Row) -> Word:
        box = prepared.to_page(row.box) if prepared else row.box
        return Word(text=row.text, box=box, confidence=round(row.confidence, 4))

    records = []
    for count, lines in enumerate(paragraphs, 1):
        made = []
        for line in lines:
            words = tuple(word(row) for row in line)
            made.append(Line(words=words, box=hull(w.box for w in words)))
        box = hull(line.box for line in made)
        inset = any(all(row.box.centre_in(caption) for line in lines for row in line) for caption in captions)
        records.append(Paragraph(id=f"{number:04d}-p{count:02d}", lines=tuple(made), box=box, inset=inset))
    return tuple(records)
