"""What `revista evaluate links` found and how well that agrees with the truth: the measures, and their table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from revista.records import Confidence, Frozen, Problem

if TYPE_CHECKING:
    from rich.table import Table

ALL = "all"


class TrueCaption(Frozen):
    """A caption of the index with the pictures that got it."""

    text: str
    illustrations: tuple[int, ...]  # whose it is
    linked: tuple[int, ...]  # who got it; -1 for a found picture that is none
    right: bool
    read: bool  # right, and its text was read


class FoundLink(Frozen):
    """Print that was linked to one or more pictures, with whether it is theirs."""

    text: str
    illustrations: tuple[int, ...]  # -1 for a found picture that is none
    captions: int  # in how many places it is printed
    confidence: Confidence
    runner_up: str | None
    runner_up_confidence: Confidence
    right: bool


class PagePrediction(Frozen):
    """What was linked on a page of the index, beside what belongs together."""

    file: str
    page: int | None
    source: str
    captions: tuple[TrueCaption, ...]
    links: tuple[FoundLink, ...]
    bare: int  # pictures without a caption, in so far as they were found
    bare_right: int  # of which got none
    several: int  # pictures with several captions
    several_right: int  # of which all are linked rightly
    kinds: int  # found pictures whose kind truth and detector name
    kinds_right: int
    seconds: float  # for the assignment alone
    problems: tuple[Problem, ...] = ()


class LinkScores(Frozen):
    """Measures over a set of pages; None where there is nothing to divide by."""

    pages: int
    captions: int
    captions_right: float | None
    captions_read: float | None  # right, and their text was read
    bare: int
    bare_right: float | None
    shared: int  # captions of several pictures
    shared_right: float | None
    several: int  # pictures with several captions
    several_right: float | None
    links: int
    links_right: float | None
    shared_links: int  # links to several pictures
    several_links: int  # links of several captions to one picture
    confidence_right: float | None  # mean over the right links
    confidence_wrong: float | None
    kinds: int
    kinds_right: float | None
    failed_pages: int
    seconds_per_page: float | None


class LinkEvaluation(Frozen):
    """The measures over all pages and by source, with what was predicted."""

    true_regions: bool
    scores: LinkScores
    sources: dict[str, LinkScores]
    predictions: tuple[PagePrediction, ...]

    def table(self) -> Table:
        """The measures as a table for the terminal."""
        from rich.table import Table

        which = "true pictures" if self.true_regions else "found pictures"
        table = Table(title=f"Captions linked to {which}", box=None, padding=(0, 1, 0, 0))  # to fit into 80 columns
        table.add_column("source", no_wrap=True)
        for name in ("pages", "capt.", "right", "read", "bare*", "shared", "several", "kind", "conf.", "fail"):
            table.add_column(name, justify="right", overflow="fold")
        for name, s in [*self.sources.items(), (ALL, self.scores)]:
            parts = (
                (s.bare_right, s.bare),
                (s.shared_right, s.shared),
                (s.several_right, s.several),
                (s.kinds_right, s.kinds),
            )
            table.add_row(
                name,
                str(s.pages),
                str(s.captions),
                _shown(s.captions_right),
                _shown(s.captions_read),
                *(f"{round(share * whole)}/{whole}" if share is not None else "-" for share, whole in parts),
                f"{_shown(s.confidence_right, 2)}/{_shown(s.confidence_wrong, 2)}",
                str(s.failed_pages),
            )
        table.caption = (
            "* pictures without a caption; shared: captions of several pictures; several: pictures\n"
            "with several captions; conf.: mean confidence of right and of wrong links"
        )
        return table


def _shown(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def score(predictions: Sequence[PagePrediction]) -> LinkScores:
    """The measures over some pages."""
    captions = [caption for p in predictions for caption in p.captions]
    shared = [caption for caption in captions if len(caption.illustrations) > 1]
    links = [link for p in predictions for link in p.links]
    bare, several, kinds = (sum(getattr(p, name) for p in predictions) for name in ("bare", "several", "kinds"))
    timed = [p.seconds for p in predictions if p.seconds]
    return LinkScores(
        pages=len(predictions),
        captions=len(captions),
        captions_right=_share(sum(c.right for c in captions), len(captions)),
        captions_read=_share(sum(c.read for c in captions), len(captions)),
        bare=bare,
        bare_right=_share(sum(p.bare_right for p in predictions), bare),
        shared=len(shared),
        shared_right=_share(sum(c.right for c in shared), len(shared)),
        several=several,
        several_right=_share(sum(p.several_right for p in predictions), several),
        links=len(links),
        links_right=_share(sum(link.right for link in links), len(links)),
        shared_links=sum(len(link.illustrations) > 1 for link in links),
        several_links=sum(link.captions > 1 for link in links),
        confidence_right=_mean(link.confidence for link in links if link.right),
        confidence_wrong=_mean(link.confidence for link in links if not link.right),
        kinds=kinds,
        kinds_right=_share(sum(p.kinds_right for p in predictions), kinds),
        failed_pages=sum(any(problem.fails_page for problem in p.problems) for p in predictions),
        seconds_per_page=round(sum(timed) / len(timed), 4) if timed else None,
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return round(fmean(numbers), 4) if numbers else None
