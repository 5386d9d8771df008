"""What was read from a page: words with what they say for or against the way in which the page was prepared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from revista.geometry import Box, hull
from revista.programs import tesseract
from revista.programs.tesseract import Row
from revista.text.preparation import Prepared
from revista.wording import printable

_SURE_IN_PICTURE = 0.7  # confidence of a line inside a large picture that is believed
_IN_PICTURE = 0.1  # share of a line in such a picture from which that is asked for: frames lie at its edge
_SURE_STANDING = 0.5  # confidence of a line that runs up or down the page
_RULE, _HIGH = re.compile(r"[|¦]+"), 1.5  # the rule between two columns; times as high as the words beside it
_NO_LOSS = 0.8  # of what a reading says by the print that is kept, which a better one says too
_NOISE = 0.3  # mean confidence of lines that are specks and ornaments rather than print


class Reading:
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
        self.score = sum(max(0.0, gain(row)) if row in again else gain(row) for row in rows)
        self.print_score = sum(gain(row) for row in self.rows)

    @property
    def sideways(self) -> bool:
        """Whether the lines run up or down the page: Tesseract reads such lines too, but knows no columns there."""
        long = [row.box for row in self.rows if len(row.text) > 3]
        return sum(box.height > box.width for box in long) > 0.5 * len(long)

    def beats(self, other: Reading) -> bool:
        """Whether it is surer as a whole, guesses counted against it, and loses next to no print that was believed."""
        return self.score > other.score and self.print_score > _NO_LOSS * other.print_score


def gain(word: Row) -> float:
    """What a word says for a reading: letters read surely speak for it, letters guessed against it."""
    return tesseract.sure_letters([word]) - 0.5 * tesseract.letters_in([word])


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
