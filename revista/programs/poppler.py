"""Poppler: `pdftoppm` renders pages (through pdf2image), `pdftotext` reads the text that a PDF itself holds."""

from __future__ import annotations

import html
import re
import time
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from revista.errors import BadInput, MissingProgram, StorageError, TimedOut
from revista.programs.process import find_program, run_program, spared_from_interrupts

PACKAGE = "poppler-utils"
_PROGRAMS = ("pdftoppm", "pdftotext", "pdfinfo")
_SLOW = "Raise run.page_timeout in the settings, or save the PDF anew with another program (qpdf, Ghostscript)."
_BROKEN = "Open the page in a PDF viewer; where it is damaged, scan it again or repair the PDF: qpdf IN.pdf OUT.pdf"


def probe() -> str:
    """The version of poppler.

    Raises:
        MissingProgram: one of its programs is not installed.
    """
    paths = [find_program(name, PACKAGE) for name in _PROGRAMS]
    return _version(paths[0])


def probe_text() -> str:
    """What was found, in words; raises as `probe` does."""
    return f"{probe()} ({', '.join(_PROGRAMS)})"


@lru_cache
def _version(pdftoppm: str) -> str:
    printed = run_program([pdftoppm, "-v"], timeout=30)
    found = re.search(rb"version (\S+)", printed.stderr + printed.stdout)
    return found[1].decode("ascii", "replace") if found else "unknown"


class Rendering(NamedTuple):
    """A rendered page: its file (PPM, or PGM where grey), and the syntax errors that poppler met in the PDF."""

    file: Path
    complaint: str


def render(
    pdf: Path,
    number: int,
    size: tuple[int, int],
    folder: Path,
    *,
    timeout: float,
    grey: bool = False,
    sideways: bool = False,
) -> Rendering:
    """Render the visible part (CropBox, as it is rotated) of one page to exactly `size` pixels, into a file.

    Args:
        pdf: the file; it must not need a password.
        number: 1-based.
        size: width and height in pixels of the picture. The caller has made sure that they are sane.
        folder: an existing folder for the output.
        timeout: seconds for the whole call.
        grey: render 8-bit grey instead of RGB.
        sideways: the page has a /Rotate of 90 or 270 degrees: pdftoppm counts width and height before it turns.

    Raises:
        BadInput: poppler cannot open the PDF, or wrote no picture, or one of another size.
        TimedOut: it did not finish in time; it was killed.
        MissingProgram: poppler is not installed.
        StorageError: the picture could not be written whole.
    """
    from pdf2image import convert_from_path
    from pdf2image.exceptions import (
        PDFInfoNotInstalledError,
        PDFPageCountError,
        PDFPopplerTimeoutError,
        PDFSyntaxError,
    )

    deadline = time.monotonic() + timeout
    path = pdf.resolve()  # a name that begins with a hyphen would be taken for an option
    file = folder / ("page.pgm" if grey else "page.ppm")
    file.unlink(missing_ok=True)
    complaint = ""
    _ask_pdfinfo(path, timeout)
    try:
        with spared_from_interrupts():
            convert_from_path(
                path,
                size=size[::-1] if sideways else size,
                output_folder=folder,
                output_file=file.stem,
                first_page=number,
                last_page=number,
                fmt="ppm",
                single_file=True,
                paths_only=True,
                use_cropbox=True,
                grayscale=grey,
                strict=True,  # else it throws away what poppler complains of
                timeout=max(0.1, deadline - time.monotonic()),
            )
    except PDFSyntaxError as error:  # raised after the fact: the picture may be there all the same
        complaint = _first_lines(str(error))
    except PDFPopplerTimeoutError:
        raise TimedOut(f"page {number}: pdftoppm did not finish in {timeout:.0f} s", _SLOW) from None
    except PDFPageCountError as error:
        raise BadInput(f"poppler cannot open the PDF: {_first_lines(str(error))}", _BROKEN) from error
    except (PDFInfoNotInstalledError, FileNotFoundError) as error:
        raise MissingProgram("poppler is not installed", f"sudo apt-get install {PACKAGE}") from error
    except OSError as error:
        raise StorageError(
            f"pdftoppm cannot be run: {error.strerror or error}", "Free some memory and go on."
        ) from error
    _check_size(file, size, number, complaint)
    return Rendering(file, complaint)


def _ask_pdfinfo(pdf: Path, timeout: float) -> None:
    """Let pdfinfo look at the PDF under a time limit: pdf2image runs it without one."""
    done = run_program([find_program("pdfinfo", PACKAGE), str(pdf)], timeout=timeout)
    if done.returncode:
        raise BadInput(f"poppler cannot open the PDF: {_first_lines(done.stderr.decode('utf-8', 'replace'))}", _BROKEN)


def _check_size(file: Path, size: tuple[int, int], number: int, complaint: str) -> None:
    """Make sure that a PPM or PGM is whole and has `size`: poppler writes 1 x 1 pixels where memory is short."""
    because = f" ({complaint})" if complaint else ""
    try:
        with file.open("rb") as stream:
            header = re.match(rb"P[56]\s+(\d+)\s+(\d+)\s+255\s", stream.read(64))
        found = file.stat().st_size
    except FileNotFoundError:
        raise BadInput(f"page {number}: poppler could not render it{because}", _BROKEN) from None
    if header is None:
        raise StorageError(f"page {number}: poppler wrote an unfinished picture", "Free some space and go on.")
    width, height = int(header[1]), int(header[2])
    if (width, height) != size:
        raise BadInput(
            f"page {number}: poppler made {width} x {height} pixels instead of {size[0]} x {size[1]}{because}",
            "Too little memory for a page of this size: lower pages.max_pixels or run.workers in the settings.",
        )
    if found < header.end() + width * height * (1 if file.suffix == ".pgm" else 3):
        raise StorageError(f"page {number}: poppler could not write the whole picture", "Free some space and go on.")


class PlacedWord(NamedTuple):
    """A word and its place in points (1/72 in where no UserUnit says otherwise) from the top left of the page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


_WORD = re.compile(r'<word xMin="([^"]+)" yMin="([^"]+)" xMax="([^"]+)" yMax="([^"]+)">(.*?)</word>', re.DOTALL)


def read_words(pdf: Path, number: int, timeout: float) -> tuple[PlacedWord, ...]:
    """The words that a page of a PDF holds as text, visible or not, in poppler's reading order.

    Args:
        pdf: the file; it must not need a password.
        number: 1-based.
        timeout: seconds.

    Returns:
        Words with their places on the visible, rotated page (CropBox); some may lie outside of it.

    Raises:
        BadInput: pdftotext cannot read the page.
        TimedOut: it did not finish in time.
        MissingProgram: it is not installed.
    """
    command = [find_program("pdftotext", PACKAGE), "-bbox", "-cropbox", "-enc", "UTF-8"]
    done = run_program([*command, "-f", str(number), "-l", str(number), str(pdf.resolve()), "-"], timeout=timeout)
    if done.returncode:
        complaint = _first_lines(done.stderr.decode("utf-8", "replace"))
        raise BadInput(f"page {number}: pdftotext cannot read its text ({complaint})", _BROKEN)
    words = []
    for *place, text in _WORD.findall(done.stdout.decode("utf-8", "replace")):
        left, top, right, bottom = (float(value) for value in place)
        if clean := clean_text(html.unescape(text)):
            words.append(PlacedWord(clean, left, top, right, bottom))
    return tuple(words)


def clean_text(text: str) -> str:
    """`text` in NFC without what is no print: control, private and unassigned characters, U+FFFD, joiners, blanks.

    A soft hyphen becomes a hyphen: text layers mark with it a word broken at the end of a line.
    """
    text = text.replace("\u00ad", "-")
    print_only = "".join(c for c in text if unicodedata.category(c)[0] not in "CZ" and c != "\ufffd")
    return unicodedata.normalize("NFC", print_only)  # at last: a blank taken out brings accents together


def _first_lines(text: str, most: int = 3) -> str:
    """The first lines of what a program complains of, without repetitions, as one line."""
    text = re.sub(r"<(?:0a|0d)>", " ", text)  # how poppler writes line ends within a message
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    more = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return ("; ".join(line[:200] for line in lines[:most]) + more) or "no reason given"
