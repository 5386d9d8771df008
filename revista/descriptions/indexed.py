"""What the collection's index says of a picture's page, quoted: it is about the page, not about the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from revista.descriptions.sensitive import printed_flags
from revista.errors import Category, RevistaError
from revista.geometry import Box
from revista.records import Evidence, IndexEntry, IndexEvidence, Listed, Sentence, Source
from revista.wording import bare, plain_words

_MOST = 8  # entries of a page that are told
_HEAD = "Según el índice de la colección,"
_INNER_QUOTES = str.maketrans("«»", "“”")
_PICTURES = re.compile(  # how the words begin that an index has for pictures, without accents
    r"retrat|fotograf|fotos?\b|ilustracio|dibujo|caricatura|grabado|vineta|cubierta|portada|anuncio|lamina|pintura"
)


def sentences(listed: Listed | None, page: int, box: Box) -> Iterator[Sentence]:
    """A sentence for each entry of the page: its title in «», its author as the index writes it.

    Args:
        listed: what the index says; None: nothing.
        page: the scan's, 1-based.
        box: the picture's, which stands as the place where no number is printed.
    """
    number = listed.number if listed else None
    if listed is None or number is None:
        return
    told = _told(listed)
    for place, (said, entry) in enumerate(told.items()):
        belongs = len(told) == 1 and not _is_picture(entry)
        verb = "la página pertenece a" if belongs else f"en la página figura{' también' if place else ''}"
        text = f"{_HEAD} {verb} {said}."
        evidence = Evidence(
            page=page,
            boxes=(number.box or box,),
            confidence=number.confidence,
            index=IndexEvidence(
                file=listed.file, sha256=listed.sha256, row=entry.row, number=number.number, known=number.known
            ),
        )
        yield Sentence(text=text, source=Source.INDEX, evidence=evidence, flags=printed_flags(text))


def losses(listed: Listed | None) -> Iterator[RevistaError]:
    """What the index has of the page, or on page 1 of the issue, and is not told."""
    if listed and (rows := listed.homeless):
        some = ", ".join(map(str, rows[:_MOST])) + (", ..." if len(rows) > _MOST else "")
        yield RevistaError(
            f"rows of {listed.file} that are of this issue and told of no page: {some} ({len(rows)} in all); "
            "no page is surely one of those that they name",
            "Look up by hand where they belong; docs/formats.md says when a page's number is sure.",
            category=Category.REDUCED,
        )
    if listed and (more := len({_said(entry) for entry in listed.entries}) - len(_told(listed))):
        yield RevistaError(
            f"{listed.file} has {more} more entries on this page than the {_MOST} that are told",
            "Nothing has to be done, unless the index has pages wrong.",
            category=Category.REDUCED,
        )


def _told(listed: Listed) -> dict[str, IndexEntry]:
    """The first entries by what is said of them, the same said once."""
    unique: dict[str, IndexEntry] = {}
    for entry in listed.entries:
        unique.setdefault(_said(entry), entry)
    return dict(list(unique.items())[:_MOST])


def _said(entry: IndexEntry) -> str:
    """`«EL ABANICO DE SÁNDALO» (cuento), de Lucila Armendral`; a name as catalogues have it is not turned about."""
    title = f"«{_plain(entry.title)}»"
    kind = f" ({_plain(entry.kind)})" if entry.kind else ""
    if not entry.author:
        return f"{title}{kind}"
    author = _plain(entry.author)
    turned = "," in author or ";" in author or bare(author).startswith("anonim")
    return f"{title}{kind} (autoría: {author})" if turned else f"{title}{kind}, de {author}"


def _plain(text: str) -> str:
    return text.translate(_INNER_QUOTES)


def _is_picture(entry: IndexEntry) -> bool:
    """Whether the entry is a portrait or another picture, which stands on the page rather than fills it."""
    return bool(_PICTURES.match(" ".join(plain_words(entry.kind or entry.title))))
