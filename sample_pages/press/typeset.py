"""Spanish typesetting: hyphenation, justified lines, and columns that run around pictures."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .sheet import Box, Face, Line, Sheet

_VOWELS = "aeiouáéíóúü"
_PAIRS = {*(stop + liquid for stop in "bcfgp" for liquid in "lr"), "dr", "tr", "ch", "ll", "rr", "q_", "g_"}
_SILENT = re.compile(r"(?<=[qg])u(?=[aeioáéíó])")
_EDGES = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)

MIN_HALF = 2
"""Fewest letters on either side of a hyphen."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of running text; one that goes on from the column before has no indent."""

    text: str
    indent: bool = True


@dataclass(frozen=True)
class Style:
    """How running text is set: the face, and the distance between baselines and the indent in pixels."""

    face: Face
    leading: int
    indent: int = 40


BREAK = Paragraph("* * *")
"""Three asterisks on a line of their own, which part the sections of a story."""


def syllables(word: str) -> list[str]:
    """Split a Spanish word where a line may break; vowels in a row stay together, as printers prefer.

    Example: `syllables("construyó")` gives `["cons", "tru", "yó"]`.
    """
    low = _SILENT.sub("_", word.lower())  # the u of que and gua belongs to its consonant
    nuclei, cuts = [k for k, letter in enumerate(low) if letter in _VOWELS], []
    for before, after in itertools.pairwise(nuclei):
        between = low[before + 1 : after]
        if between:
            cuts.append(after - (2 if between[-2:] in _PAIRS else 1))
    edges = [0, *cuts, len(word)]
    return [word[a:b] for a, b in itertools.pairwise(edges)]


def halves(word: str) -> list[tuple[str, str]]:
    """Return the ways to break a word, longest first half first: `[("abani-", "co"), ("aba-", "nico")]`."""
    match = _EDGES.match(word)
    if match is None or not match[2].isalpha():
        return []
    parts, found = syllables(match[2]), []
    for n in range(len(parts) - 1, 0, -1):
        first, second = "".join(parts[:n]), "".join(parts[n:])
        if len(first) >= MIN_HALF and len(second) > MIN_HALF:
            found.append((f"{match[1]}{first}-", second + match[3]))
    return found


def fill(words: Sequence[str], width: int, face: Face) -> tuple[list[str], list[str]]:
    """Take the words of one line from the front of `words`.

    Args:
        words: The words still to be set; at least one.
        width: Pixels of the line.
        face: The typeface.

    Returns:
        The words of the line (the last perhaps the first half of one) and the words that remain.
    """
    space, used, count = face.width(" "), 0, 0
    for word in words:
        needed = used + (space if count else 0) + face.width(word)
        if needed > width:
            break
        used, count = needed, count + 1
    line, rest = list(words[:count]), list(words[count:])
    gap = (width - used) / max(count - 1, 1)
    if rest and (gap > space * 0.55 or count < 3):  # a looser line than this is worth a hyphen
        for first, second in halves(rest[0]):
            if used + (space if count else 0) + face.width(first) <= width:
                return [*line, first], [second, *rest[1:]]
    if not line:
        return [rest[0]], rest[1:]
    return line, rest


def justify(words: Sequence[str], left: int, right: int, face: Face, full: bool) -> list[tuple[str, int]]:
    """Give each word its left edge; a full line reaches from `left` to `right`, another keeps plain spaces."""
    widths = [face.width(word) for word in words]
    gaps = len(words) - 1
    slack = right - left - sum(widths)
    if not full or not gaps:
        slack = face.width(" ") * gaps
    placed, x = [], left
    for k, (word, width) in enumerate(zip(words, widths, strict=True)):
        placed.append((word, x + (slack * k) // max(gaps, 1)))
        x += width
    return placed


def _free(column: Box, top: int, bottom: int, holes: Sequence[Box]) -> tuple[int, int]:
    """Return left and right of the part of a column that no hole covers between top and bottom."""
    left, right = column[0], column[2]
    for hole in holes:
        if hole[1] < bottom and hole[3] > top and hole[0] < right and hole[2] > left:
            if hole[0] - left >= right - hole[2]:
                right = hole[0]
            else:
                left = hole[2]
    return left, right


def flow(
    sheet: Sheet,
    paragraphs: Sequence[Paragraph],
    columns: Sequence[Box],
    style: Style,
    holes: Sequence[Box] = (),
) -> list[Paragraph]:
    """Run paragraphs through columns, around holes.

    Args:
        sheet: Printed on.
        paragraphs: The text; none empty.
        columns: Boxes that are filled from top to bottom, one after the other.
        style: How it is set.
        holes: Boxes that no line may touch; margins are the caller's.

    Returns:
        What did not fit, beginning with the rest of a broken paragraph.
    """
    face, waiting = style.face, list(paragraphs)
    for column in columns:
        top = column[1]
        while waiting and top + style.leading <= column[3]:
            left, right = _free(column, top, top + style.leading, holes)
            baseline, top = top + style.leading * 3 // 4, top + style.leading
            if right - left < 5 * face.size:
                continue  # too narrow for words: leave it white
            paragraph = waiting.pop(0)
            if paragraph == BREAK:
                sheet.set_line(BREAK.text, (left + right) // 2, baseline + 8, face)
                continue
            left += style.indent if paragraph.indent else 0
            line, rest = fill(paragraph.text.split(), right - left, face)
            sheet.set_words(justify(line, left, right, face, full=bool(rest)), baseline, face)
            if rest:
                waiting.insert(0, Paragraph(" ".join(rest), indent=False))
    return waiting


def block(sheet: Sheet, text: str, box: Box, style: Style, centred: bool = False) -> list[Line]:
    """Print one paragraph from the top of a box, justified without indent or with centred lines.

    Args:
        sheet: Printed on.
        text: The paragraph.
        box: Where; its bottom is not looked at.
        style: How it is set.
        centred: Centre every line.

    Returns:
        The printed lines.
    """
    words, baseline, lines = text.split(), box[1] + style.leading * 3 // 4, []
    while words:
        line, words = fill(words, box[2] - box[0], style.face)
        if centred:
            lines.append(sheet.set_line(" ".join(line), (box[0] + box[2]) // 2, baseline, style.face))
        else:
            placed = justify(line, box[0], box[2], style.face, full=bool(words))
            lines.append(sheet.set_words(placed, baseline, style.face))
        baseline += style.leading
    return lines


def balanced(paragraphs: Sequence[Paragraph], columns: Sequence[Box], style: Style) -> list[Box]:
    """Shorten columns equally until the text just fills them, as at the end of a story."""
    top, bottom = columns[0][1], columns[0][3]
    for end in range(top + style.leading, bottom, style.leading):
        shorter = [(left, upper, right, end) for left, upper, right, _ in columns]
        if not flow(Sheet(), paragraphs, shorter, style):
            return shorter
    return list(columns)
