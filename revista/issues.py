"""Which issue a PDF is: from its file name, a sidecar file beside it, and what the caller knows better.

Names follow the collection's pattern, `ohcbh_ch_social1929_6_v14_n6.pdf` = *Social*, June 1929, volume 14, number 6;
whatever of it a name holds is understood. A sidecar `NAME.toml` (or `NAME.json`) beside `NAME.pdf` overrides the
name, and options override the sidecar.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from revista.errors import BadArguments, BadInput
from revista.records import Frozen

_SIDECAR_BYTES = 64 * 1024
_KEYS = "title, year, month, volume, number, id"

_SEPARATOR = r"[\s_.\-]*"
_START = r"(?<![^\W_])"  # not in the middle of a word or a number
_DATE = re.compile(
    rf"(?P<word>[^\W\d_]+)?{_SEPARATOR}(?<!\d)(?P<year>1[89]\d\d|20\d\d)(?!\d)"
    rf"(?:[\s_.\-]+(?P<month>0?[1-9]|1[0-2])(?![^\W_]))?"
)
_VOLUME = re.compile(rf"{_START}v(?:ol(?:umen)?)?{_SEPARATOR}(?P<volume>\d{{1,4}})(?!\d)")
_NUMBER = re.compile(
    rf"{_START}n(?:[oº°]|[uú]m(?:ero)?)?{_SEPARATOR}(?P<number>\d{{1,4}})(?!\d)(?:[\-y&+](?P<last>\d{{1,4}})(?![^\W_]))?"
)
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,98}[A-Za-z0-9_\-])?")


def _safe_id(value: str) -> str:
    """The id itself, if it can be the name of a folder everywhere."""
    if not _ID.fullmatch(value):
        raise ValueError(
            "1 to 100 letters (a-z), digits, '-', '_' or '.', with a letter or digit first and no '.' last"
        )
    return value


def _printable(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must hold something, and no control characters")
    return value.strip()


class Metadata(Frozen):
    """What is known of an issue; None where nothing is said."""

    model_config = ConfigDict(strict=True)

    title: Annotated[str, AfterValidator(_printable), Field(max_length=200)] | None = None
    year: Annotated[int, Field(ge=1800, le=2100)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    volume: Annotated[int, Field(ge=0, le=9999)] | None = None
    number: Annotated[int, Field(ge=0, le=9999)] | None = None
    id: Annotated[str, AfterValidator(_safe_id)] | None = None

    @classmethod
    def given(cls, **values: Any) -> Self:
        """The metadata that a caller states.

        Raises:
            BadArguments: a name or a value that cannot be meant.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise BadArguments(f"issue: {_faults(error)}", f"What can be given: {_KEYS}.") from error

    def over(self, other: Metadata) -> Metadata:
        """This metadata, with `other` in the places where this one says nothing."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


def identify(pdf: Path, given: Metadata | None = None) -> Metadata:
    """All that is known of the issue in `pdf`; `title` and `id` are always set.

    The id is `TITLE-YEAR-MONTH-vVOLUME-nNUMBER`, such as `social-1929-06-v14-n6`, where year and month or number are
    known (a double issue ends in `n6-7`); else it is made of the file name.

    Args:
        pdf: the issue's file; only its name is looked at, and the sidecar beside it.
        given: overrides sidecar and file name.

    Raises:
        BadInput: the sidecar cannot be read, or holds a name or value that cannot be meant.
    """
    stem = unicodedata.normalize("NFC", pdf.stem)
    named, word, double = _parse(stem)
    stated = (given or Metadata()).over(_read_sidecar(pdf))
    known = stated.over(named)
    if stated.title:
        word = _slug(stated.title, 40)
    title = known.title or ("Social" if "social" in stem.casefold() else _visible(stem))
    number = double if double and stated.number is None else known.number
    parts = [word, known.year, known.month and f"{known.month:02d}"]
    parts += [None if n is None else f"{letter}{n}" for letter, n in (("v", known.volume), ("n", number))]
    structured = word and known.year and (known.month or known.number is not None)
    derived = "-".join(str(part) for part in parts if part) if structured else _slug(stem)
    if not derived:  # a name in another script
        derived = "issue-" + hashlib.sha256(stem.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return known.model_copy(update={"title": title, "id": known.id or derived})


def issue_name(pdf: Path, given: Metadata | None = None) -> str:
    """The issue as an operator reads it, such as `Social 1929-06 v14 n6`, or the file's name; never raises."""
    try:
        known = identify(pdf, given)
    except BadInput:
        return pdf.stem
    if known.year is None:
        return pdf.stem
    date = f"{known.year}-{known.month:02d}" if known.month else str(known.year)
    marks = [f"{letter}{n}" for letter, n in (("v", known.volume), ("n", known.number)) if n is not None]
    return " ".join([known.title or pdf.stem, date, *marks])


def _parse(stem: str) -> tuple[Metadata, str | None, str | None]:
    """What a file name says; the title's word before the year; the number of a double issue, such as `6-7`."""
    text = stem.casefold()
    date = _DATE.search(text)
    if date is None:
        return Metadata(), None, None
    rest = text[date.end() :]
    volume, number = _VOLUME.search(rest), _NUMBER.search(rest)
    first, last = (int(number["number"]), int(number["last"] or 0)) if number else (None, 0)
    named = Metadata(
        year=int(date["year"]) if int(date["year"]) <= 2100 else None,
        month=int(date["month"]) if date["month"] else None,
        volume=int(volume["volume"]) if volume else None,
        number=first,
    )
    double = f"{first}-{last}" if first is not None and first < last <= first + 3 else None
    return named, _slug(date["word"] or "") or None, double


def _read_sidecar(pdf: Path) -> Metadata:
    """What `NAME.toml` or `NAME.json` beside `NAME.pdf` states; nothing where there is none."""
    found = [file for suffix in (".toml", ".json") if (file := pdf.with_suffix(suffix)).is_file()]
    if len(found) > 1:
        raise BadInput(f"{pdf.name} has two sidecars: {found[0].name} and {found[1].name}", "Keep one of them.")
    if not found:
        return Metadata()
    file = found[0]
    hint = f"Correct or remove {file}; it can hold: {_KEYS} (docs/formats.md)."
    try:
        with file.open("rb") as stream:
            data = stream.read(_SIDECAR_BYTES + 1)
        if len(data) > _SIDECAR_BYTES:
            raise BadInput(f"{file.name}: too large for a sidecar ({_SIDECAR_BYTES:,} bytes at most)", hint)
        text = data.decode("utf-8-sig")
        values = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadInput(f"{file.name}: cannot be read: {error.strerror or error}", hint) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, not JSON
        raise BadInput(f"{file.name}: not {file.suffix[1:].upper()}: {error}", hint) from error
    if not isinstance(values, dict):
        raise BadInput(f"{file.name}: not a table of names and values", hint)
    try:
        return Metadata(**values)
    except ValidationError as error:
        raise BadInput(f"{file.name}: {_faults(error)}", hint) from error
    except TypeError as error:  # a key that is not text
        raise BadInput(f"{file.name}: {error}", hint) from error


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
    )


def _visible(stem: str) -> str:
    """A file name as a title: bytes that are not UTF-8, and control characters, shown as `?`."""
    return "".join(c if c.isprintable() else "?" for c in stem)[:200].strip() or "?"


def _slug(text: str, longest: int = 80) -> str:
    """`text` in lower-case ASCII letters and digits, joined by hyphens; empty where it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-")
