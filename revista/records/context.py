"""What the stage context finds: the print that belongs to a picture."""

from __future__ import annotations

from revista.geometry import Box
from revista.records.base import Body, Confidence, Frozen


class Quote(Frozen):
    """Print taken over word for word, with its place; `uncertain` are the indices of words read with low confidence."""

    text: str
    page: int
    boxes: tuple[Box, ...]
    confidence: Confidence
    uncertain: tuple[int, ...] = ()


class PictureContext(Frozen):
    """What is printed around a picture."""

    picture: str  # region id
    box: Box
    caption: Quote | None = None
    caption_parts: tuple[Quote, ...] = ()  # each by itself, where the caption is printed in several places
    caption_confidence: Confidence = 0.0  # how likely it is that the caption belongs to this picture
    caption_shared_with: tuple[str, ...] = ()  # other pictures that the same caption describes
    caption_runner_up: Quote | None = None  # the print that fits next best, where a caption was linked
    caption_runner_up_confidence: Confidence = 0.0  # how likely it is that that one does; both together at most 1.0
    heading: Quote | None = None
    before: tuple[Quote, ...] = ()  # nearest paragraph last
    after: tuple[Quote, ...] = ()  # nearest paragraph first
    previous_page: tuple[Quote, ...] = ()
    windows: tuple[Quote, ...] = ()

    @property
    def print(self) -> tuple[Quote, ...]:
        """All print around the picture: caption and heading first, then paragraphs; without the windows cut from it."""
        first = (quote for quote in (self.caption, self.heading) if quote is not None)
        return (*first, *self.before, *self.after, *self.previous_page)


class Contexts(Body):
    """The context of each picture of a page, in reading order."""

    pictures: tuple[PictureContext, ...] = ()
