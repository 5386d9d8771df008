"""The parts that pages are composed of: a picture in its frame, a caption, a heading, a run of text, a notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from revista.geometry import Box, hull
from revista.training.pages import pictures
from revista.training.pages.canvas import Canvas, Face, ItemKind, ink_box
from revista.training.pages.pictures import Photographs
from revista.training.pages.words import Words

_LOOSE = 0.28  # share of photographs that are no rectangles along the page
_SEEN = 64  # of a mask, 0 to 255, from which a picture is seen through it
_LEAST = 24  # thousandths: sides of a picture that is framed


@dataclass(frozen=True)
class Press:
    """What a page is composed with."""

    canvas: Canvas
    words: Words
    source: Photographs
    rng: np.random.Generator
    size: float  # of the body type, in thousandths of the page's height
    leading: float
    screen: bool  # photographs are printed through a halftone screen

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        """A number between the two, every one as likely."""
        return float(self.rng.uniform(low, high))


def picture(press: Press, area: Box, kinds: Sequence[ItemKind] = ("photograph", "photograph", "drawing")) -> int | None:
    """Put a picture into `area`, perhaps framed; gives its place in the list, None where nothing of it is seen."""
    kind = kinds[int(press.rng.integers(len(kinds)))]
    if kind == "photograph":
        return _photograph(press, area)
    area, frames = framed(press, area, 0.25 if kind == "drawing" else 0)
    made = (
        pictures.ornament(area.width, area.height, press.rng)
        if kind == "ornament"
        else pictures.drawing(press.source, area.width, area.height, press.rng)
    )
    inked = ink_box(made)
    if inked is None or inked.width < 0.15 * area.width or inked.height < 0.15 * area.height:
        return None
    press.canvas.paste(made, area.left, area.top)
    box = inked.move(area.left, area.top)
    return press.canvas.add(kind, press.canvas.frame(box, frames))


def _photograph(press: Press, area: Box) -> int:
    canvas = press.canvas
    way = press.rng.random()
    area, frames = framed(press, area, 0.45 if way >= _LOOSE else 0)
    made = pictures.photograph(press.source, area.width, area.height, press.rng, press.screen)
    box = area
    if way < 0.12:  # an oval, or a portrait that fades into the paper
        around = press.chance(0.6)
        inside = area.grow(-canvas.px(press.between(0, 6))) if around else area
        mask = pictures.oval(inside.width, inside.height, float(press.rng.choice([0.01, 0.02, 0.3])))
        box = _pasted(canvas, made[: inside.height, : inside.width], inside, mask)
        if around:
            box = area
            canvas.pen.ellipse((box.left, box.top, box.right, box.bottom), outline=0, width=max(1, canvas.px(2)))
    elif way < 0.2:
        box = _pasted(canvas, made, area, pictures.blot(area.width, area.height, press.rng))
    elif way < _LOOSE:
        turned, mask = pictures.tilted_within(bordered(press, made), press.between(-9, 9))
        box = canvas.paste(turned, area.left + (area.width - turned.shape[1]) // 2, area.top, mask)
    else:
        canvas.paste(made, area.left, area.top, np.full_like(made, 255))
    return canvas.add("photograph", canvas.frame(box, frames))


def _pasted(canvas: Canvas, made: np.ndarray, area: Box, mask: np.ndarray) -> Box:
    """Put a picture through a mask; gives the box of what is seen of it."""
    canvas.paste(made, area.left, area.top, mask)
    seen = ink_box(255 - mask, 255 - _SEEN)
    return seen.move(area.left, area.top) if seen else area


def framed(press: Press, area: Box, often: float) -> tuple[Box, list[tuple[float, float]]]:
    """What of `area` is left for a picture in frames, and these; none where there is no room for them."""
    frames = _frames(press) if press.chance(often) else []
    inside = area.grow(-press.canvas.px(frames[-1][0])) if frames else area
    return (inside, frames) if min(inside.width, inside.height) > press.canvas.px(_LEAST) else (area, [])


def bordered(press: Press, made: np.ndarray) -> np.ndarray:
    """A print with its white border and a line around it, in the size that it had without."""
    thick = min(max(1, press.canvas.px(press.between(2, 7))), (min(made.shape) - 1) // 2)
    whole = np.full_like(made, int(press.between(215, 255)))
    whole[thick:-thick, thick:-thick] = made[thick:-thick, thick:-thick]
    whole[0], whole[-1], whole[:, 0], whole[:, -1] = (int(press.between(0, 200)),) * 4
    return whole


def _frames(press: Press) -> list[tuple[float, float]]:
    """One to three frame lines: distance and thickness in thousandths."""
    away, found = 0.0, []
    for _ in range(int(press.rng.integers(1, 4))):
        away += press.between(1.5, 9)
        thick = press.between(0.7, 4)
        away += thick
        found.append((away, thick))
    return found


def border(press: Press, area: Box) -> Box:
    """Lines around a page of print, sometimes with a lozenge at each corner; gives what of `area` they leave."""
    canvas = press.canvas
    inside, frames = framed(press, area, 1.0)
    outer = canvas.frame(inside, frames)
    if press.chance(0.4):
        size = canvas.px(press.between(4, 10))
        for x, y in product((outer.left, outer.right), (outer.top, outer.bottom)):
            canvas.lozenge(x, y, size)
    return inside.grow(-canvas.px(press.between(4, 18)))


def caption(press: Press, box: Box, of: Sequence[int], text: str = "", width: int = 0, credit: float = 0.4) -> int:
    """Print a caption below `box`, and gives the y at which it ends; about a third of the credits stand apart."""
    canvas, words = press.canvas, press.words
    text = text or words.caption(long=press.chance(0.3))
    size = press.size * press.between(0.78, 1.0)
    face: Face = "italic" if press.chance(0.2) else "roman"
    wide = width or max(box.width, canvas.px(90))
    middle = (box.left + box.right) // 2
    top = box.bottom + canvas.px(press.between(3, 11))
    area = Box(middle - wide // 2, top, middle - wide // 2 + wide, top + canvas.px(120))
    tracking = press.between(0, 3) if text.isupper() and len(text) < 40 else 0.0
    if tracking and canvas.font(face, size).getlength(text) + canvas.px(tracking) * len(text) <= wide:
        set_box: Box | None = canvas.line(text, middle, top, face, size, "centre", tracking)
    else:
        align = "centre" if press.chance(0.65) else "justify"
        set_box, rest = canvas.block(text, area, face, size, size * press.between(1.08, 1.3), align)
        text = text.removesuffix(rest).rstrip()
    boxes = [set_box] if set_box else []
    bottom = set_box.bottom if set_box else top
    if press.chance(credit):
        signed = words.credit()
        line = canvas.line(signed, box.right, bottom + canvas.px(2), "italic", size * 0.85, "right")
        boxes.append(line)
        text, bottom = f"{text} {signed}", line.bottom
    if boxes:
        canvas.add("caption", hull(boxes), text, of)
    return bottom


def heading(press: Press, left: int, right: int, top: int, big: bool = True) -> int:
    """A title with, now and then, a byline and rules; gives the y at which it ends."""
    canvas, words = press.canvas, press.words
    title = words.title()
    size = press.between(22, 60) if big else press.between(16, 26)
    face: Face = ("bold", "display", "display", "roman")[int(press.rng.integers(4))]
    tracking = press.between(0, 6) if title.isupper() and press.chance(0.5) else 0.0
    font = canvas.font(face, size)
    wide = font.getlength(title) + canvas.px(tracking) * len(title)
    size *= min(1.0, 0.96 * (right - left) / max(1.0, wide))
    tracking *= min(1.0, 0.96 * (right - left) / max(1.0, wide))
    middle = (left + right) // 2
    boxes = [canvas.line(title, middle, top, face, size, "centre", tracking)]
    bottom = boxes[0].bottom + canvas.px(6)
    if press.chance(0.4):
        boxes.append(canvas.line(f"POR {words.name().upper()}", middle, bottom, "roman", press.size, "centre", 1.0))
        bottom = boxes[-1].bottom + canvas.px(5)
    canvas.add("title", hull(boxes), title)
    if press.chance(0.4):
        thick = max(1, canvas.px(press.between(0.5, 3)))
        canvas.pen.rectangle((left, bottom, right, bottom + thick), 0)
        bottom += thick + canvas.px(3)
    return bottom + canvas.px(press.between(4, 14))


def run(press: Press, area: Box, holes: Sequence[Box] = (), verse: bool = False) -> int:
    """Fill a column with paragraphs, or with verse, around `holes`; gives the y at which it ends."""
    canvas, y, boxes = press.canvas, area.top, []
    step = press.leading
    while y + canvas.px(step) <= area.bottom:
        if verse:
            text, align = " ".join(press.words.sentence().split()[: int(press.rng.integers(4, 8))]), "left"
        else:
            text, align = press.words.paragraph(int(press.between(15, 90))), "justify"
        indent = 0.0 if verse else press.size * 1.2
        box, _ = canvas.block(
            text, Box(area.left, y, area.right, area.bottom), "roman", press.size, step, align, holes, indent
        )
        if box is None:
            break
        boxes.append(box)
        y = box.bottom + canvas.px(step - press.size if verse else press.between(0, 3))
        y = max(y, box.top + canvas.px(step))
        if verse and press.chance(0.12):
            y += canvas.px(step)
    if boxes:
        canvas.add("text", hull(boxes))
    return y


def notice(press: Press, area: Box, whole: bool, pictured: bool) -> None:
    """An advertisement in `area`: frame, ware, picture, claims. A `whole` one is one picture."""
    canvas, words, rng = press.canvas, press.words, press.rng
    outer = area
    if whole or press.chance(0.7):
        outer = canvas.frame(area, _frames(press))
    inside = area.grow(-canvas.px(press.between(6, 16)))
    middle, y = (inside.left + inside.right) // 2, inside.top
    if inside.width < canvas.px(40) or inside.height < canvas.px(40):
        return
    sparse = whole and press.chance(0.4)  # much of it stays bare
    if sparse:
        y += canvas.px(press.between(0, 120))
    if not sparse or press.chance(0.5):
        y = _shout(press, words.ware(), inside, y, whole)
    if pictured:
        height = int(inside.height * press.between(0.3, 0.6))
        width = int(min(inside.width * press.between(0.4, 0.95), height * press.between(0.6, 2.0)))
        left = middle - width // 2 if press.chance(0.7) else inside.left
        beside = Box(left + width + canvas.px(8), y, inside.right, y + height)
        place = Box(left, y, left + width, y + height)
        if whole:
            _loose(press, place)
        else:
            at = picture(press, place, ("drawing", "drawing", "photograph"))
            if at is not None:
                canvas.items[at] = canvas.items[at].model_copy(update={"kind": "advertisement"})
        if beside.width > canvas.px(60) and press.chance(0.8):
            _says(press, beside, whole)
        y += height + canvas.px(8)
    while y < inside.bottom - canvas.px(18):
        if press.chance(0.35):
            y = _shout(press, words.claim().upper()[:30], inside, y, whole)
        else:
            high = min(inside.bottom, y + canvas.px(press.between(30, 110)))
            left = inside.left + int(press.between(0, 0.6) * inside.width) if sparse else inside.left
            y = _says(press, Box(left, y, inside.right, high), whole) + canvas.px(press.between(3, 25))
        if sparse:
            y += canvas.px(press.between(20, 250))
    if whole:
        canvas.add("advertisement", outer)
    elif press.chance(0.3) and rng.random() < 0.5:
        canvas.pen.line((inside.left, y, inside.right, y), 0, max(1, canvas.px(1)))


def _loose(press: Press, place: Box) -> None:
    """A picture that belongs to a larger one, and is not listed for itself."""
    kept = list(press.canvas.items)
    picture(press, place, ("drawing", "photograph", "drawing"))
    press.canvas.items[:] = kept


def _shout(press: Press, text: str, inside: Box, y: int, whole: bool) -> int:
    canvas = press.canvas
    size, face = press.between(14, 46), ("bold", "display")[int(press.rng.integers(2))]
    font = canvas.font(face, size)  # type: ignore[arg-type]
    size *= min(1.0, inside.width / max(1.0, font.getlength(text)))
    if y + canvas.px(size) > inside.bottom:
        return inside.bottom
    box = canvas.line(text, (inside.left + inside.right) // 2, y, face, size, "centre")  # type: ignore[arg-type]
    if not whole:
        canvas.add("title", box, text)
    return box.bottom + canvas.px(6)


def _says(press: Press, area: Box, whole: bool) -> int:
    canvas = press.canvas
    size = press.size * press.between(0.8, 1.3)
    align = ("centre", "centre", "justify", "left")[int(press.rng.integers(4))]
    text = press.words.paragraph(int(press.between(4, 40)))
    box, _ = canvas.block(text, area, "roman", size, size * press.between(1.15, 1.7), align)
    if box is None:
        return area.bottom
    if not whole:
        canvas.add("text", box)
    return box.bottom
