"""Tesseract: words with their places and confidences, and which way up a page stands.

pytesseract says which version and languages there are. Pages are read through `run_program` instead: pytesseract's
time limit raises a bare RuntimeError and kills only the child it started, arrays that it is given lose their
resolution, and its `Output.DICT` cuts the confidences to whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from revista.errors import BadInput, MissingProgram
from revista.geometry import Box
from revista.programs.process import find_program, run_program
from revista.store import sha256_of

PACKAGE = "tesseract-ocr"
INSTALL = f"sudo apt-get install {PACKAGE} tesseract-ocr-spa"
_ONE_THREAD = {
    "OMP_THREAD_LIMIT": "1"
}  # pages are read side by side; several threads a page only get in each other's way
_WORD_LEVEL = "5"


class Probe(NamedTuple):
    """The installed Tesseract: its version, and its languages in alphabetical order."""

    version: str
    languages: tuple[str, ...]


class Row(NamedTuple):
    """A word as Tesseract's TSV gives it; `block`, `paragraph` and `line` are its own counters, from 1."""

    block: int
    paragraph: int
    line: int
    text: str
    box: Box
    confidence: float  # 0.0 to 1.0

    @property
    def line_key(self) -> tuple[int, int, int]:
        """What the words of a line have in common."""
        return self.block, self.paragraph, self.line


def by_line(rows: Iterable[Row]) -> list[list[Row]]:
    """The words of each of Tesseract's lines, lines and words in the order of `rows`."""
    lines: dict[tuple[int, int, int], list[Row]] = {}
    for row in rows:
        lines.setdefault(row.line_key, []).append(row)
    return list(lines.values())


def letters_in(rows: Iterable[Row]) -> int:
    """How many signs the words have, white left out at their ends."""
    return sum(len(row.text.strip()) for row in rows)


def sure_letters(rows: Iterable[Row]) -> float:
    """How many signs the words have, each weighted with its confidence."""
    return sum(row.confidence * len(row.text.strip()) for row in rows)


def confidence_of(rows: Sequence[Row]) -> float:
    """The mean confidence of the signs, 0.0 to 1.0; 0.0 where there are none."""
    letters = letters_in(rows)
    return sure_letters(rows) / letters if letters else 0.0


class Orientation(NamedTuple):
    """How a page stands: degrees clockwise by which its print is turned (0, 90, 180, 270), and how sure that is."""

    degrees: int
    confidence: float  # Tesseract's own scale: 0 upwards, 2 and more is usually right


def probe() -> Probe:
    """The version of Tesseract and its languages.

    Raises:
        MissingProgram: it is not installed, or does not start.
    """
    try:
        return _probe(find_program("tesseract", PACKAGE))
    except MissingProgram as error:
        raise MissingProgram(error.message, INSTALL) from None


@lru_cache
def _probe(program: str) -> Probe:
    import pytesseract

    try:
        # `get_languages` runs pytesseract.tesseract_cmd, which is the same program: the first one on the PATH
        version = str(pytesseract.get_tesseract_version(cached=False))
        languages = tuple(sorted(pytesseract.get_languages(cached=False)))
    except (pytesseract.TesseractError, OSError, SystemExit) as error:
        raise MissingProgram(f"{program} does not start: {error}", INSTALL) from error
    return Probe(version, languages)


def require(language: str) -> Probe:
    """The installed Tesseract, which has `language`.

    Args:
        language: one or more of Tesseract's languages, joined by `+`, such as `spa` or `spa+spa_old`.

    Raises:
        MissingProgram: it is not installed, or lacks one of the languages.
    """
    found = probe()
    missing = [name for name in language.split("+") if name not in found.languages]
    if missing:
        packages = " ".join(f"tesseract-ocr-{name.lower().replace('_', '-')}" for name in missing)
        raise MissingProgram(
            f"Tesseract lacks the language {', '.join(missing)} (it has {', '.join(found.languages)})",
            f"sudo apt-get install {PACKAGE} {packages}",
        )
    return found


@lru_cache
def trained_data(language: str) -> dict[str, str]:
    """Hex sha256 of the trained data of each of the languages that `language` names, by file name.

    Two packs of the same language ("fast", "best") read differently under the same version of Tesseract.

    Raises:
        MissingProgram: as `require` does.
    """
    require(language)
    listed = run_program([find_program("tesseract", PACKAGE), "--list-langs"], timeout=30)
    folder = re.search(r'"(.+)"', (listed.stdout + listed.stderr).decode("utf-8", "replace"))
    files = [Path(folder[1]) / f"{name}.traineddata" for name in language.split("+")] if folder else []
    return {file.name: sha256_of(file) for file in files if file.is_file()}


def read_tsv(image: Path, language: str, psm: int, dpi: int, timeout: float) -> list[Row]:
    """The words on an image, in Tesseract's order; rows that are no words (confidence -1) are left out.

    Args:
        image: a file in a format that Leptonica reads; less than 2^31 bytes as 32-bit pixels.
        language: as `require` takes it.
        psm: page segmentation mode, 0 to 13 (`tesseract --help-psm`).
        dpi: resolution in pixels per inch.
        timeout: seconds, after which Tesseract is killed.

    Raises:
        BadInput: Tesseract cannot read the image.
        TimedOut: it did not finish in time.
        MissingProgram: it is not installed.
    """
    return _rows(_run(image, ["-l", language, "--psm", str(psm), "--dpi", str(dpi)], ["tsv"], timeout))


def orientation(image: Path, dpi: int, timeout: float) -> Orientation | None:
    """Which way up the print on an image stands; None where there is too little print to say.

    Args and errors as for `read_tsv`; needs Tesseract's data file `osd`, which Debian's `tesseract-ocr` brings.
    """
    require("osd")
    try:
        printed = _run(image, ["--psm", "0", "-l", "osd", "--dpi", str(dpi)], [], timeout)
    except BadInput:  # "Too few characters": Tesseract ends with an error
        return None
    # `Rotate` is what has to be done to the page: clockwise, as our own figure counts the other way round
    turn = re.search(r"^Rotate: (\d+)", printed, re.MULTILINE)
    sure = re.search(r"^Orientation confidence: ([\d.]+)", printed, re.MULTILINE)
    if not turn or not sure:
        return None
    return Orientation((360 - int(turn[1])) % 360, float(sure[1]))


def _run(image: Path, arguments: list[str], configs: list[str], timeout: float) -> str:
    program = find_program("tesseract", PACKAGE)
    command = [program, str(image.resolve()), "stdout", *arguments, *configs]
    done = run_program(command, timeout=timeout, env=_ONE_THREAD)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        what = "; ".join(dict.fromkeys(said[-3:])) or f"exit status {done.returncode}"
        raise BadInput(
            f"Tesseract cannot read the page: {what}",
            "Look at the page image; where it is damaged, scan the page again.",
        )
    return done.stdout.decode("utf-8", "replace")


def _rows(tsv: str) -> list[Row]:
    """The words in Tesseract's TSV: level, page, block, paragraph, line, word, left, top, width, height, conf, text."""
    rows = []
    for line in tsv.split("\n")[1:]:
        fields = line.split("\t", 11)
        if len(fields) < 12 or fields[0] != _WORD_LEVEL or float(fields[10]) < 0:
            continue
        left, top, width, height = map(int, fields[6:10])
        box = Box(left, top, left + width, top + height)
        block, paragraph, number = map(int, fields[2:5])
        rows.append(Row(block, paragraph, number, fields[11], box, min(1.0, float(fields[10]) / 100)))
    return rows
