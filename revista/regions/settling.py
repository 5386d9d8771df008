"""What stands of the findings on a page: one region a thing, collages whole, and a reason for what is left out.

A picture that lies for the most part in a surer one goes; where the larger one is a collage, it is remembered as a part
of it. An advertisement is whole: what is pictured inside it goes even where that is surer. Print inside a picture
belongs to the picture and is no region of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from revista.geometry import Box, reading_order
from revista.records import Look, RegionKind, RejectedRegion
from revista.regions.combine import Found, nested

_SMALLEST = 0.03  # of the page's shorter side: what is smaller cannot be described
_COVERED = 0.6  # share of a picture that is text from which it is a block of text
_HIDDEN = 0.65  # share of a picture that a surer one covers from which it is none of its own
_WHOLE = 0.6  # share of a picture from which a part of it is the picture itself
_TEXT_KINDS = (RegionKind.TEXT, RegionKind.TITLE, RegionKind.CAPTION)


def settle(
    found: Sequence[Found], width: int, height: int, min_confidence: float
) -> tuple[list[Found], tuple[RejectedRegion, ...], dict[int, tuple[Box, ...]]]:
    """What of the findings on a page of `width` x `height` pixels stands, and which pictures do not.

    Args:
        found: all findings, surest first.
        width: of the page image, in pixels.
        height: of the page image, in pixels.
        min_confidence: what is less sure is left out.

    Returns:
        The regions that stand, surest first, clipped to the page; the pictures left out, with the reason; and the parts
        of collages in reading order, by the place of the collage among the regions.
    """
    clipped = [replace(f, box=f.box.clip(width, height)) for f in found]
    clipped.sort(key=lambda f: (-f.confidence, f.box, f.kind or "", f.detector))
    smallest = max(2.0, _SMALLEST * min(width, height))
    pictures, rejected, inner = _pictures(clipped, smallest, min_confidence)
    others: list[Found] = []
    for f in clipped:
        if f.kind in (RegionKind.PICTURE, None) or f.confidence < min_confidence or not f.box.area:
            continue
        if not any(nested(f.box, o.box) for o in (*pictures, *others)):
            others.append(f)
    told = [f for f in clipped if f.kind is None and f.confidence >= min_confidence]
    parts = {i: _parts(picture, [*told, *inner], smallest) for i, picture in enumerate(pictures)}
    return [*pictures, *others], tuple(rejected), {i: boxes for i, boxes in parts.items() if boxes}


def _pictures(
    clipped: Sequence[Found], smallest: float, min_confidence: float
) -> tuple[list[Found], list[RejectedRegion], list[Found]]:
    """The pictures that stand, those that do not, and of these the sure ones that lie inside another."""
    text = [f for f in clipped if f.kind in _TEXT_KINDS and f.confidence >= min_confidence]
    whole = [f for f in clipped if f.look is Look.ADVERTISEMENT and f.confidence >= min_confidence]
    pictures: list[Found] = []
    rejected: list[RejectedRegion] = []
    inner: list[Found] = []
    for f in clipped:
        if f.kind is not RegionKind.PICTURE:
            continue
        covered = sum(f.box.intersect(t.box).area for t in text if t.detector not in f.detector.split("+"))
        if min(f.box.width, f.box.height) < smallest:
            reason = "size"
        elif any(nested(f.box, w.box) and w.box.area > f.box.area for w in whole) or any(
            f.box.coverage_by(p.box) >= _HIDDEN or nested(p.box, f.box) for p in pictures
        ):
            reason = "overlap"
            if f.confidence >= min_confidence:
                inner.append(f)
        elif covered > _COVERED * f.box.area:
            reason = "text"
        elif f.confidence < min_confidence:
            reason = "confidence"
        else:
            pictures.append(f)
            continue
        rejected.append(
            RejectedRegion(box=f.box, confidence=round(f.confidence, 4), detector=f.detector, reason=reason)
        )
    return pictures, rejected, inner


def _parts(picture: Found, candidates: Sequence[Found], smallest: float) -> tuple[Box, ...]:
    """The pictures that `picture` is made of, in reading order; none where it is not made of two or more."""
    found: list[Box] = []
    for f in sorted(candidates, key=lambda f: (-f.confidence, f.box)):
        box = f.box.intersect(picture.box)
        if not nested(f.box, picture.box) or min(box.width, box.height) < smallest:
            continue
        if box.area > _WHOLE * picture.box.area or any(nested(box, o) or nested(o, box) for o in found):
            continue
        found.append(box)
    return tuple(found[i] for i in reading_order(found)) if len(found) > 1 else ()
