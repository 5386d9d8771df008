"""What it costs to take a block of print for the caption of a picture: 0 for a perfect fit, 1 for no caption."""

from __future__ import annotations

from collections.abc import Sequence

from revista.context.candidates import FAR_ABOVE, Candidate
from revista.context.groups import Target
from revista.context.layout import Layout, Role
from revista.geometry import Box

NO_CAPTION = 1.0
"""The cost of leaving a picture without a caption: links that cost more are not made."""

_BASE = 0.1
_ALONE = 0.3  # the cost where there is one picture and no other print
_NAME = 12  # words at most of a caption that stands so
_LEVEL_WITH_FOOT = 2.0  # ems above its foot that print may begin and still stand as low
_FOOT = 0.08  # share of a picture's height: boxes of pale drawings reach down to the name below them
_AT_FOOT = 0.3  # the cost of standing within a box, at its foot: what stands below is its caption rather
_BEYOND = 0.6  # the cost of standing beyond the edge of a photograph that is found too narrow
_AWAY = 0.6  # of its width: how far beyond, at most
_FARTHER, _FAR = (
    1.5,
    0.35,
)  # times the reach of a name on a page of few words, where pictures fade out; its cost at most
_PROSE_TYPE = 0.45  # the cost of being set as the prose is
_OWN_TYPE = 0.06  # difference from the prose's type from which it is the caption's own
_GROUP = 0.05

# Where captions stand: mostly below; rather beside or above than inside.
_PLACE = {"below": 0.0, "above": 0.3, "beside": 0.35, "inside": 0.4}

_MOST_INSIDE = 40  # words in the box of a collage that may be its caption
_MOST_ASKEW = 0.55  # where the print stands right at the picture
_LOOKS: dict[str | None, float] = {"advertisement": 0.75, "ornament": 0.6}  # kinds that hardly ever have a caption
# The same of an ornament above what a detector takes for a caption, or what is clearly smaller than the prose: it is
# a drawing, more likely.
_DRAWN = 0.3

_FLUSH = 0.08  # share of the picture's width by which a caption may be set in

_REACH = {"below": 6.0, "above": 4.0, "beside": 4.0, "inside": 0.0}  # ems


def link_cost(
    target: Target, caption: Candidate, pictures: Sequence[Box], layout: Layout, parts: int = 1
) -> float | None:
    """The cost of the link, 0.02 upwards; None where it cannot be.

    It grows with the distance, with the misalignment of the two boxes, with how much the print looks like prose or a
    title, and with other captions in between; it falls where the words speak of captions (a credit line) and where a
    detector took the print for a caption.

    Args:
        target: a picture or a group.
        caption: a caption candidate.
        pictures: upright boxes of all pictures of the page.
        layout: the page's blocks.
        parts: of how many captions `caption` was put together.
    """
    alone = len(pictures) == 1 and target.look not in _LOOKS and _is_all_print(caption, layout)
    if alone and _at_the_rim(target.box, caption.body, layout.em):
        return _ALONE
    place = place_of(target.box, caption.body)
    at_foot = place == "inside" and len(pictures) > 1 and _at_the_foot(target.box, caption.body, layout)
    if at_foot:
        place = "below"
    if target.look == "photograph" and _beyond_the_edge(target.box, caption, pictures, layout):
        return _BEYOND
    if place is None:
        return None
    gap = _gap(target.box, caption.body, place) / layout.em
    reach = _REACH[place]
    if place in ("below", "above"):
        reach = max(reach, 0.15 * target.box.height / layout.em)
    name = place == "below" and caption.word_count <= _NAME and layout.few_words
    if gap > (_FARTHER if name else 1.0) * reach or _picture_between(target, caption.box, pictures):
        return None
    between = _print_between(target, caption, place, layout)
    if between is None:
        return None
    wording = _wording_cost(target, caption, place, layout, parts)
    if wording is None:
        return None
    distance = 0.5 * gap / reach if reach else 0.0
    distance = min(distance, _FAR) if name else distance
    askew = _misalignment(target.box, caption.body, place, layout.em)
    cost = (
        _BASE
        + _PLACE[place]
        + distance
        + (min(askew, _MOST_ASKEW) if gap < 1 else askew)
        + _look_cost(target, caption, place, layout)
        + _AT_FOOT * at_foot
    )
    return max(0.02, cost + wording + 0.3 * between + (_GROUP if len(target.members) > 1 else 0.0))


def _look_cost(target: Target, caption: Candidate, place: str, layout: Layout) -> float:
    """What it costs that pictures of this kind hardly ever have a caption."""
    if target.look == "ornament" and place == "below":
        if layout.few_words:
            return 0.0  # a leaf of an album has none
        told = any(block.hinted for block in caption.blocks)
        if told or layout.clearly_smaller(caption):
            return _DRAWN
    return _LOOKS.get(target.look, 0.0)


def _is_all_print(caption: Candidate, layout: Layout) -> bool:
    """Whether a page has no other print, as a sheet with one picture and a name has."""
    own = {block.order for block in caption.blocks}
    others = [
        b for b in layout.blocks if b.order not in own and layout.roles[b.order] not in (Role.FURNITURE, Role.NOISE)
    ]
    return not others and caption.word_count <= _NAME


def _at_the_rim(picture: Box, caption: Box, em: float) -> bool:
    """Whether print stands near a picture, or across its edge: nothing tells how such a page leans.

    Far below it is near enough, and so is any place as low as its foot: pictures that fade out are found smaller than
    they are, and the name of a drawing stands where the sheet has room.
    """
    low = -_LEVEL_WITH_FOOT * em <= caption.top - picture.bottom < FAR_ABOVE * em
    near = picture.grow(round(4 * em)).intersect(caption).area > 0 or low
    x, y = caption.centre
    inner = picture.grow(-round(2 * em))
    bottom = min(inner.bottom, picture.bottom - round(_FOOT * picture.height))
    return near and not (inner.left < x < inner.right and inner.top < y < bottom)


def _at_the_foot(picture: Box, caption: Box, layout: Layout) -> bool:
    """Whether print in the box of one of several pictures is the name below it: at its foot, on a page of few words."""
    return layout.few_words and picture.bottom - caption.top <= _LEVEL_WITH_FOOT * layout.em


def _beyond_the_edge(picture: Box, caption: Candidate, pictures: Sequence[Box], layout: Layout) -> bool:
    """Whether a name stands as low as a picture's foot, beyond its edge, and near no other one, on a page of few words.

    A photograph that is in part as pale as the paper is found too narrow; the name is set under its side.
    """
    body, em = caption.body, layout.em
    away = max(body.left - picture.right, picture.left - body.right)
    return (
        0 <= away < _AWAY * picture.width
        and abs(body.top - picture.bottom) < _LEVEL_WITH_FOOT * em
        and caption.word_count <= _NAME
        and layout.few_words
        and not any(other.grow(round(4 * em)).intersect(body).area for other in pictures if other != picture)
    )


def place_of(picture: Box, caption: Box) -> str | None:
    """Where the caption stands, seen from the picture: a key of `_PLACE`; None where it stands off at a corner."""
    if caption.coverage_by(picture) >= 0.7 and caption.bottom <= picture.bottom:
        return "inside"  # else the picture leans: its box reaches down to what stands below
    across = caption.horizontal_overlap(picture) / max(1, min(caption.width, picture.width))
    if across >= 0.3:
        if caption.centre[1] > picture.bottom - 0.5 * caption.height:
            return "below"
        return "above" if caption.centre[1] < picture.top + 0.5 * caption.height else None
    down = caption.vertical_overlap(picture) / max(1, caption.height)
    return "beside" if down >= 0.5 and caption.width <= 1.2 * picture.width else None


def _gap(picture: Box, caption: Box, place: str) -> float:
    gaps = {
        "below": caption.top - picture.bottom,
        "above": picture.top - caption.bottom,
        "beside": max(caption.left - picture.right, picture.left - caption.right),
        "inside": 0,
    }
    return max(0, gaps[place])


def _picture_between(target: Target, caption: Box, pictures: Sequence[Box]) -> bool:
    """Whether another picture stands between the two, nearer to the caption."""
    members = set(target.members)
    top, bottom = min(target.box.bottom, caption.bottom), max(target.box.top, caption.top)
    for i, box in enumerate(pictures):
        if i in members or box.coverage_by(target.box) >= 0.7 or target.box.coverage_by(box) >= 0.7:
            continue
        shared = box.horizontal_overlap(caption) and box.horizontal_overlap(target.box)
        if shared and top <= box.centre[1] <= bottom:
            return True
    return False


def _print_between(target: Target, caption: Candidate, place: str, layout: Layout) -> int | None:
    """How many other short blocks stand between; None where prose, a heading or an imprint does."""
    if place == "inside":
        return 0
    a, b = target.box, caption.box
    if place == "beside":
        gap = Box(min(a.right, b.right), max(a.top, b.top), max(a.left, b.left), min(a.bottom, b.bottom))
    else:
        gap = Box(max(a.left, b.left), min(a.bottom, b.bottom), min(a.right, b.right), max(a.top, b.top))
    own = {block.order for block in caption.blocks}
    count = 0
    for block in layout.blocks:
        if block.order in own or not gap.area or block.box.coverage_by(gap) < 0.3:
            continue
        role = layout.roles[block.order]
        if role in (Role.PROSE, Role.HEADING) or block.imprint:
            return None
        count += role is Role.SHORT
    return 0 if caption.places and len(target.members) > 1 else count


def _misalignment(picture: Box, caption: Box, place: str, em: float) -> float:
    """How badly the two are aligned, 0.0 upwards: captions are centred, or flush with one side."""
    if place == "inside":
        return 0.0
    if place == "beside":
        return 0.2 * abs(picture.centre[1] - caption.centre[1]) / max(1, picture.height)
    off = abs(picture.centre[0] - caption.centre[0]) / max(1, picture.width, caption.width)
    if caption.width > 1.15 * picture.width:
        overhang = (caption.width - picture.width) / caption.width
        return 0.8 * off + 0.5 * (overhang - 0.13)
    near = max(em, _FLUSH * picture.width)
    flush = min(abs(picture.left - caption.left), abs(picture.right - caption.right)) <= near
    return min(1.4 * off, 0.25) if flush else 1.4 * off


def _wording_cost(target: Target, caption: Candidate, place: str, layout: Layout, parts: int) -> float | None:
    """What type and words say; None where they rule it out."""
    main = caption.main
    size = main.em / layout.em
    small = size < 0.9
    credited = any(block.credit for block in caption.blocks)
    hinted = max((b.hint_confidence for b in caption.blocks if b.hinted), default=0.0)
    speaks = caption.speaks_of_several
    if place == "inside" and not (credited or speaks or _in_a_gap(target, caption, layout)):
        return None  # print that belongs to the picture itself: signs, advertisements
    words = caption.word_count
    difference = layout.type_difference(caption)
    alike = 0.0 if difference is None or main.capitals else max(0.0, 1 - difference / _OWN_TYPE)
    cost = _PROSE_TYPE * alike + 0.5 * min(1.0, max(0, words - 25) / 75) * (0.5 if small or speaks else 1.0)
    if size > 1.25 and not main.capitals:
        cost += 0.3
    if caption.text[:1].islower():
        cost += 0.2
    if any(block.advertises for block in caption.blocks):
        cost += 0.5
    cost -= 0.1 * small + 0.1 * credited + 0.15 * hinted + 0.05 * caption.names
    if speaks:
        cost += -0.2 if len(target.members) > 1 else 0.1 if parts == 1 else 0.0
    return cost + 0.6 * max(0.0, 0.6 - min(1.0, sum(b.confidence for b in caption.blocks) / len(caption.blocks)))


def _in_a_gap(target: Target, caption: Candidate, layout: Layout) -> bool:
    """Whether print in a picture's box may be a caption between the parts of a collage.

    It may where it is all the print there, a sentence or two in one type, well read, and not what is sold.
    """
    inside = [block for block in layout.blocks if block.legible and block.box.coverage_by(target.box) >= 0.7]
    ems = [block.em for block in inside]
    outside = any(block.legible and block not in inside for block in layout.blocks)
    return (
        target.look != "advertisement"
        and (outside or target.look == "photograph")
        and sum(block.word_count for block in inside) <= _MOST_INSIDE
        and max(ems, default=0.0) <= min(1.2 * min(ems, default=0.0), 1.3 * layout.em)
        and caption.word_count >= 3
        and not any(block.advertises for block in inside)
        and min((block.confidence for block in caption.blocks), default=0.0) >= 0.8
    )
