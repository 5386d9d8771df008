"""Stage 3: what is printed on a page, read by Tesseract, as paragraphs in reading order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from revista.errors import Category, MissingProgram, RevistaError, StorageError
from revista.geometry import Box, hull
from revista.images import read_image
from revista.lean import Lean
from revista.programs import tesseract
from revista.programs.tesseract import Row
from revista.records import Line, Page, PageText, Paragraph, Problem, Regions, Word
from revista.settings import TextSettings
from revista.text.attempts import read_page
from revista.text.layout import Lines, paragraphs_of
from revista.text.preparation import Prepared, even_paper
from revista.text.reading import Reading
from revista.versions import versions

NAME = "text"
VERSION = "12"


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
    reading: Reading | None = None
    try:
        even = even_paper(read_image(image))
        reading, late = read_page(even, regions, options, timeout)
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
