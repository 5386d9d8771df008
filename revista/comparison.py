"""What changed between two states of an issue: which pictures, in what, and which pages.

Pictures of a page belong together where id and box are the same, then where their boxes overlap by half (intersection
over union of 0.5 or more), the best overlaps first, one to one. Comparing the other way round gives the same pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

from revista.errors import BadArguments
from revista.geometry import Box
from revista.records import Frozen, Problem, Source
from revista.view import IssueView, PageView, PictureView
from revista.wording import printable

_SAME_PLACE = 0.5  # intersection over union


class What(StrEnum):
    """What is another one now; the values are what an operator reads."""

    NEW = "new picture"
    GONE = "picture gone"
    ID = "id"
    BOX = "box"
    CAPTION = "printed caption"
    CHOSEN = "chosen candidate"
    SEEN = "sentence of a model"
    SAID = "sentence from the caption"
    NEARBY = "sentence from the article"
    INDEXED = "sentence from the index"
    REVIEWED = "sentence of a reviewer"
    UNDESCRIBED = "reason for no description"
    TEXT = "text of the page"
    PROBLEM = "problem"


_SENTENCES = {
    What.SEEN: Source.SEEN,
    What.SAID: Source.CAPTION,
    What.NEARBY: Source.ARTICLE,
    What.INDEXED: Source.INDEX,
    What.REVIEWED: Source.REVIEWER,
}


class Change(Frozen):
    """One thing that changed; `before` or `after` is empty where there was, or is, nothing."""

    page: int | None  # 1-based; None for a problem of the issue as a whole
    picture: str | None  # region id, the new one where there is one; None for the page
    what: What
    before: str
    after: str
    share: float | None = None  # of a page's characters that changed: edit distance by the longer text, 0.0 to 1.0


class Comparison(Frozen):
    """What changed between two states of an issue."""

    issue: str
    same: int  # pictures
    changed: int
    new: int
    gone: int
    changes: tuple[Change, ...]  # page by page: the page's own, its pictures in reading order, those that are gone

    @property
    def nothing_changed(self) -> bool:
        """Whether both states say the same."""
        return not self.changes

    @property
    def summary(self) -> str:
        """The totals in one line, such as "12 pictures the same, 3 changed, 1 new, 1 gone"."""
        pictures = "picture" if self.same == 1 else "pictures"
        line = f"{self.same} {pictures} the same, {self.changed} changed, {self.new} new, {self.gone} gone"
        texts = sum(change.what is What.TEXT for change in self.changes)
        if texts:
            line += f"; {texts} {'page' if texts == 1 else 'pages'} with another text"
        found = [change for change in self.changes if change.what is What.PROBLEM]
        if found:
            came = sum(bool(change.after) for change in found)
            line += f"; {came} problems appeared, {len(found) - came} vanished"
        return line

    def rows(self, width: int = 100) -> list[dict[str, str | int]]:
        """A table: a row a change, `before` and `after` cut to `width` characters."""
        return [
            {
                "page": change.page or "",
                "picture": change.picture or "",
                "what": change.what.value + (f" ({change.share:.1%})" if change.share is not None else ""),
                "before": _shorten(change.before, width),
                "after": _shorten(change.after, width),
            }
            for change in self.changes
        ]


def compare(old: IssueView, new: IssueView) -> Comparison:
    """What changed from `old` to `new`, two states of one issue.

    Raises:
        BadArguments: they are different issues.
    """
    if old.issue.id != new.issue.id:
        raise BadArguments(
            f"{old.issue.id} and {new.issue.id} are different issues", "Compare two states of the same issue."
        )
    befores, afters = ({page.number: page for page in view.pages} for view in (old, new))
    changes = [*_problems(old, new, None)]
    counts: Counter[str] = Counter()
    for number in sorted({*befores, *afters, *(p.page for p in (*old.problems, *new.problems) if p.page)}):
        empty = PageView(number=number)
        before, after = befores.get(number, empty), afters.get(number, empty)
        changes += chain(_text(before, after), _problems(old, new, number))
        pairs = _pairs(before.pictures, after.pictures)
        for first, second in pairs:
            found = [*_picture(first, second, before, after)]
            changes += found
            counts["new" if first is None else "gone" if second is None else "changed" if found else "same"] += 1
    return Comparison(
        issue=new.issue.id,
        same=counts["same"],
        changed=counts["changed"],
        new=counts["new"],
        gone=counts["gone"],
        changes=tuple(changes),
    )


def _pairs(
    old: Iterable[PictureView], new: Iterable[PictureView]
) -> list[tuple[PictureView | None, PictureView | None]]:
    """The pictures of a page two by two: in the order of the new ones, then those that have no partner any more."""
    before = {picture.id: picture for picture in old}
    after = {picture.id: picture for picture in new}
    partner = {name: name for name in after if name in before and before[name].box == after[name].box}
    taken = set(partner.values())
    # Sorted by something that does not change when old and new do: the pairs must not either.
    overlaps = sorted(
        (-overlap, sorted(((name, picture.box), (other, candidate.box))), name, other)
        for name, picture in after.items()
        for other, candidate in before.items()
        if name not in partner and other not in taken and (overlap := picture.box.iou(candidate.box)) >= _SAME_PLACE
    )
    for _, _, name, other in overlaps:
        if name not in partner and other not in taken:
            partner[name] = other
            taken.add(other)
    kept: list[tuple[PictureView | None, PictureView | None]] = [
        (before[partner[name]] if name in partner else None, picture) for name, picture in after.items()
    ]
    return kept + [(picture, None) for name, picture in before.items() if name not in taken]


def _picture(
    old: PictureView | None, new: PictureView | None, old_page: PageView, new_page: PageView
) -> Iterator[Change]:
    """What changed in a picture; what stands now, or stood, in the place of one that is gone or new."""
    if new is None:
        if old is not None:
            yield _change(old, What.GONE, _named(old), _kind_at(new_page, old.box))
        return
    if old is None:
        yield _change(new, What.NEW, _kind_at(old_page, new.box), _named(new))
        return
    for what in What:
        before, after = _said(old, what), _said(new, what)
        if before != after:
            yield _change(new, what, before, after)


def _change(picture: PictureView, what: What, before: str, after: str) -> Change:
    return Change(page=picture.page, picture=picture.id, what=what, before=before, after=after)


def _said(picture: PictureView, what: What) -> str:
    """What a picture says of `what`, empty where it says nothing."""
    if what is What.ID:
        return picture.id
    if what is What.BOX:
        return _box(picture.box)
    if what is What.CAPTION:
        return picture.caption.text if picture.caption else ""
    if what is What.CHOSEN:
        return picture.ranking.chosen.candidate.text if picture.ranking and picture.ranking.chosen else ""
    if picture.description and what is What.UNDESCRIBED:
        return picture.description.undescribed or ""
    if picture.description and what in _SENTENCES:
        return " ".join(s.text for s in picture.description.sentences if s.source is _SENTENCES[what])
    return ""


def _named(picture: PictureView) -> str:
    """A picture in a few words: its place, and what is said of it."""
    said = picture.description.text if picture.description else ""
    return " ".join(filter(None, [_box(picture.box), said]))


def _kind_at(page: PageView, box: Box) -> str:
    """The kind of the region that stands at `box`, such as "text", empty where none does."""
    regions = page.regions.regions if page.regions else ()
    best = max(regions, key=lambda region: region.box.iou(box), default=None)
    return best.kind.value if best and best.box.iou(box) >= _SAME_PLACE else ""


def _box(box: Box) -> str:
    return f"{box.left},{box.top} to {box.right},{box.bottom}"


def _text(old: PageView, new: PageView) -> Iterator[Change]:
    before, after = (
        "\n".join(paragraph.text for paragraph in page.text.paragraphs) if page.text else "" for page in (old, new)
    )
    if before == after:
        return
    from rapidfuzz.distance import Levenshtein, Prefix

    at = max(0, Prefix.similarity(before, after) - 20)  # a few signs of what is the same, to find the place
    yield Change(
        page=new.number,
        picture=None,
        what=What.TEXT,
        before=before[at : at + 200],
        after=after[at : at + 200],
        share=Levenshtein.normalized_distance(before, after),
    )


def _problems(old: IssueView, new: IssueView, page: int | None) -> Iterator[Change]:
    before, after = (Counter(_trouble(p) for p in view.problems if p.page == page) for view in (old, new))
    for line in (before - after).elements():
        yield Change(page=page, picture=None, what=What.PROBLEM, before=line, after="")
    for line in (after - before).elements():
        yield Change(page=page, picture=None, what=What.PROBLEM, before="", after=line)


def _trouble(problem: Problem) -> str:
    return f"{problem.stage}{f', {problem.item}' if problem.item else ''}: {problem.message}"


def _shorten(text: str, width: int) -> str:
    line = printable(text)
    return line if len(line) <= width else line[: width - 1] + "…"
