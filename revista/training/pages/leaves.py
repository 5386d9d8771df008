"""Pages that are not a magazine's, composed one function each: chapbooks, albums, loose drawings, plain print."""

from __future__ import annotations

import numpy as np

from revista.geometry import Box
from revista.training.pages.grid import even, fill, folio, margins, rules
from revista.training.pages.parts import Press, border, heading, picture
from revista.training.pages.pictures import photograph, tilted_within

_LEGIBLE = 100  # tones of card on which black letters can be read, 0 to 255


def chapbook(press: Press) -> None:
    """A woodcut or a row of them over display type and two columns of verse, without captions."""
    canvas, rng = press.canvas, press.rng
    area = margins(press)
    y = area.top
    if press.chance(0.7):
        canvas.add(
            "furniture", canvas.line(f"Núm. {rng.integers(1, 400)}.", area.right, y, "roman", press.size * 1.1, "right")
        )
        y += canvas.px(press.size * press.between(1.2, 2.5))
    if press.chance(0.8):
        high = canvas.px(press.between(170, 400))
        wide = int(min(area.width, high * press.between(0.6, 1.8)))
        middle = (area.left + area.right) // 2
        first = len(canvas.items)
        count = int(rng.choice([1, 1, 2, 2, 3]))
        for k in range(count):
            share = wide // count
            left = middle - wide // 2 + k * share
            picture(press, Box(left, y, left + share - canvas.px(press.between(2, 10)), y + high), ("drawing",))
        made = [item.box for item in canvas.items[first:]]
        if made:
            y = max(box.bottom for box in made) + canvas.px(press.between(3, 14))
    for _ in range(int(rng.integers(0, 4))):
        if y < area.bottom - canvas.px(260):
            y = heading(press, area.left, area.right, y, press.chance(0.6))
    columns = even(press, Box(area.left, y, area.right, area.bottom), int(rng.choice([1, 2, 2])))
    rules(press, columns, [])
    end = press.between(0.4, 1.0)
    for column in columns:
        verse = press.chance(0.85)
        inner = Box(column.left + canvas.px(press.between(0, 35)), column.top, column.right, column.bottom)
        y = fill(press, inner, [], verse, end)
    if press.chance(0.15) and area.bottom - y > canvas.px(60):
        middle, wide = (area.left + area.right) // 2, canvas.px(press.between(30, 90))
        picture(
            press,
            Box(middle - wide, y + canvas.px(10), middle + wide, min(area.bottom, y + canvas.px(55))),
            ("ornament",),
        )


def album(press: Press) -> None:
    """A leaf of an album: photographs pasted on card, with notes by hand below some."""
    canvas, rng = press.canvas, press.rng
    ground = int(press.between(40, 235))
    canvas.ink.paste(ground, (0, 0, canvas.width, canvas.height))
    area = margins(press)
    rows, columns = int(rng.choice([1, 1, 1, 2, 2, 3])), int(rng.choice([1, 1, 2, 2, 3, 4]))
    w, h = area.width / columns, area.height / rows
    share = press.between(0.5, 0.95)
    for row in range(rows):
        for column in range(columns):
            if press.chance(0.08):
                continue
            wide, high = int(w * share * press.between(0.8, 1.0)), int(h * share * press.between(0.75, 0.95))
            left = round(area.left + column * w + (w - wide) / 2 + press.between(-0.02, 0.02) * w)
            top = round(area.top + row * h + (h - high) / 2 + press.between(-0.02, 0.02) * h)
            made = _album_print(press, wide, high)
            border = canvas.px(press.between(2, 9)) if press.chance(0.35) else 0
            canvas.ink.paste(
                int(press.between(225, 255)), (left - border, top - border, left + wide + border, top + high + border)
            )
            mask = np.full_like(made, 255)
            if press.chance(0.12):
                made, mask = tilted_within(made, press.between(-4, 4))
            across, down = (wide - made.shape[1]) // 2, (high - made.shape[0]) // 2
            box = canvas.paste(made, left + across, top + down, mask)
            canvas.add("photograph", box)
            if press.chance(0.4):
                x, y = box.left + canvas.px(press.between(0, 30)), top + high + border + canvas.px(3)
                name = press.words.name()
                line = canvas.line(name, x, y, "italic", press.size * press.between(0.8, 1.4))
                legible = ground >= _LEGIBLE
                canvas.add("caption", line, name if legible else "", (len(canvas.items) - 1,))


def _album_print(press: Press, wide: int, high: int) -> np.ndarray:
    """A photograph as an album has it: no screen, sometimes nearly all sky, sometimes on its side."""
    if press.chance(0.2):
        return np.ascontiguousarray(np.rot90(photograph(press.source, high, wide, press.rng, False)))
    return photograph(press.source, wide, high, press.rng, False)


def loose(press: Press) -> None:
    """One drawing on a sheet of its own, with a mount, a note or a stamp, or none."""
    canvas = press.canvas
    if press.chance(0.5):
        canvas.ink.paste(int(press.between(150, 245)), (0, 0, canvas.width, canvas.height))
    edge = canvas.px(press.between(8, 150))
    place = Box(edge, edge, canvas.width - edge, canvas.height - int(edge * press.between(1.0, 1.8)))
    if place.width < canvas.px(120) or place.height < canvas.px(120):
        place = Box(0, 0, canvas.width, canvas.height).grow(-canvas.px(30))
    if press.chance(0.4):
        made = _album_print(press, place.width, place.height)
        canvas.add("photograph", canvas.paste(made, place.left, place.top, np.full_like(made, 255)))
    else:
        picture(press, place, ("drawing",))
    if press.chance(0.5):
        bottom = canvas.items[0].box.bottom if canvas.items else place.bottom
        y = min(canvas.height - canvas.px(25), bottom + canvas.px(press.between(3, 20)))
        name = press.words.name()
        line = canvas.line(name, int(press.between(0.1, 0.6) * canvas.width), y, "italic", press.size)
        if canvas.items:
            canvas.add("caption", line, name, (0,))


def plain(press: Press) -> None:
    """Nothing but print: prose, verse, a title page, tables and rules, sometimes in a border."""
    canvas = press.canvas
    whole = margins(press)
    area = border(press, whole) if press.chance(0.25) else whole
    y = area.top
    if press.chance(0.25):  # a title page
        for _ in range(int(press.rng.integers(2, 6))):
            if y < area.bottom - canvas.px(120):
                y = heading(press, area.left, area.right, y + canvas.px(press.between(0, 60)))
    elif press.chance(0.5):
        y = heading(press, area.left, area.right, y)
    verse = press.chance(0.4)
    end = press.between(0.3, 1.0) if press.chance(0.4) else 1.0
    columns = even(press, Box(area.left, y, area.right, area.bottom), int(press.rng.choice([1, 1, 2, 2, 3])))
    rules(press, columns, [])
    for column in columns:
        last = fill(press, column, [], verse, end)
        if press.chance(0.2) and column.bottom - last > canvas.px(30):  # a rule with a lozenge
            middle, reach, y = (column.left + column.right) // 2, canvas.px(press.between(20, 60)), last + canvas.px(12)
            canvas.pen.line((middle - reach, y, middle + reach, y), 0, max(1, canvas.px(1)))
            canvas.lozenge(middle, y, canvas.px(4))
    folio(press, whole)


def bare(press: Press) -> None:
    """An empty page, or a line or two by hand."""
    if press.chance(0.5):
        canvas = press.canvas
        at = press.between(0.1, 0.9)
        canvas.line(press.words.name(), int(0.3 * canvas.width), int(at * canvas.height), "italic", press.size * 1.5)
