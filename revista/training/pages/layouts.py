"""Pages of a magazine, each kind composed by one function, and how often each kind of page comes."""

from __future__ import annotations

from collections.abc import Callable

from revista.geometry import Box
from revista.training.pages.canvas import ItemKind
from revista.training.pages.collages import collage
from revista.training.pages.grid import even, fill, folio, margins, rules, uneven
from revista.training.pages.leaves import album, bare, chapbook, loose, plain
from revista.training.pages.parts import Press, caption, heading, notice, picture, run


def article(press: Press) -> None:
    """One to three columns, with a heading, pictures with captions among them, sometimes a notice or a tailpiece."""
    canvas, rng = press.canvas, press.rng
    area = margins(press)
    top = heading(press, area.left, area.right, area.top) if press.chance(0.7) else area.top
    body = Box(area.left, top, area.right, area.bottom)
    columns = even(press, body, int(rng.choice([1, 2, 2, 2, 3, 3])))
    holes: list[Box] = []
    for _ in range(int(rng.choice([0, 1, 1, 2, 2, 3, 4]))):
        _illustrate(press, body, columns, holes)
    last = columns[-1]
    if press.chance(0.2):
        high = int(last.height * press.between(0.2, 0.5))
        place = Box(last.left, last.bottom - high, last.right, last.bottom)
        if not any(place.intersect(h).area for h in holes):
            notice(press, place.grow(-canvas.px(8)), False, press.chance(0.7))
            holes.append(place)
    rules(press, columns, holes)
    verse = press.chance(0.12)
    for column in columns:
        end = press.between(0.55, 1.0) if column is last and press.chance(0.5) else 1.0
        y = fill(press, column, holes, verse, end)
        left = column.bottom - y
        if (
            left > canvas.px(60)
            and press.chance(0.5)
            and not any(h.bottom > y and h.horizontal_overlap(column) for h in holes)
        ):
            high = int(min(left * 0.7, canvas.px(press.between(25, 110))))
            wide = int(min(column.width * press.between(0.4, 0.9), high * press.between(1.2, 4)))
            x = (column.left + column.right - wide) // 2
            picture(
                press,
                Box(x, y + canvas.px(12), x + wide, y + canvas.px(12) + high),
                ("ornament", "ornament", "drawing"),
            )
    folio(press, area)


def _illustrate(press: Press, body: Box, columns: list[Box], holes: list[Box]) -> None:
    """A picture with its caption somewhere in the body where there is room for it."""
    canvas = press.canvas
    column = columns[int(press.rng.integers(len(columns)))]
    way = press.rng.random()
    if way < 0.45:
        left, right = column.left, column.right
    elif way < 0.65:
        wide = int(column.width * press.between(0.35, 0.8))
        left = column.left if press.chance(0.5) else column.right - wide
        right = left + wide
    elif way < 0.85:
        left, right = body.left, body.right
    else:
        wide = int(body.width * press.between(0.3, 0.7))
        left = (body.left + body.right - wide) // 2
        right = left + wide
    width = right - left
    height = int(min(width * press.between(0.5, 1.5), body.height * press.between(0.15, 0.6)))
    captioned = press.chance(0.75)
    room = canvas.px(95) if captioned else 0
    if body.height - height - room < canvas.px(20):
        return
    top = body.top + int(
        press.rng.choice([0.0, 1.0, press.between(0, 1), press.between(0, 1)]) * (body.height - height - room)
    )
    gap = canvas.px(press.between(5, 12))
    if any(Box(left - gap, top - gap, right + gap, top + height + room).intersect(h).area for h in holes):
        return
    inset = canvas.px(press.between(0, 14))
    place = Box(left + inset, top + inset, right - inset, top + height - inset)
    if place.width < canvas.px(30) or place.height < canvas.px(30):
        return
    at = collage(press, place) if width > canvas.px(250) and press.chance(0.2) else picture(press, place)
    if at is None:
        return
    box = canvas.items[at].box
    end = caption(press, box, (at,)) if captioned else box.bottom
    whole = Box(min(left, box.left), min(top, box.top), max(right, box.right), end)
    captions = [item.box for item in canvas.items if item.kind == "caption" and at in item.of]
    for one in captions:
        whole = whole.union(one)
    holes.append(whole.grow(gap))


def plate(press: Press) -> None:
    """One picture that fills the page, with a line or two below it."""
    area = margins(press)
    canvas = press.canvas
    top = heading(press, area.left, area.right, area.top) if press.chance(0.3) else area.top
    inset = canvas.px(press.between(5, 50))
    low = area.bottom - canvas.px(press.between(60, 160))
    place = Box(area.left + inset, top + inset, area.right - inset, low)
    at = (
        collage(press, place)
        if press.chance(0.5)
        else picture(press, place, ("photograph", "photograph", "photograph", "drawing"))
    )
    if at is not None and press.chance(0.85):
        caption(press, canvas.items[at].box, (at,), width=int(area.width * 0.9), credit=0.6)
    folio(press, area)


def gallery(press: Press) -> None:
    """Several photographs in rows, each with a caption, one for two, numbered, or without."""
    canvas, rng = press.canvas, press.rng
    area = margins(press)
    y = heading(press, area.left, area.right, area.top) if press.chance(0.7) else area.top
    rows = int(rng.integers(1, 5))
    high = (area.bottom - y) // rows
    numbered = press.words.numbered(12) if press.chance(0.2) else None
    count = 0
    for _ in range(rows):
        columns = uneven(press, area, int(rng.choice([1, 2, 2, 3])))
        shared = len(columns) == 2 and press.chance(0.25)
        bare = press.chance(0.2)
        room = canvas.px(12 if bare else press.between(58, 80))
        row, found, end = [], [], y
        for left, right in columns:
            wide = right - left
            tall = min(high, area.bottom - y, int(wide * press.between(0.6, 1.4)) + room) - room
            if tall < canvas.px(40):
                continue
            at = picture(press, Box(left, y, right, y + tall), ("photograph",) * 5 + ("drawing",))
            if at is None:
                continue
            row.append(at)
            found.append(canvas.items[at].box)
        if shared and len(row) == 2:
            both = found[0].union(found[1])
            end = caption(press, both, row, press.words.sides(above=False), credit=0.1)
        elif not bare:
            for at, box in zip(row, found, strict=True):
                text = numbered[count] if numbered and count < len(numbered) else ""
                count += 1
                end = max(end, caption(press, box, (at,), text, width=box.width, credit=0.2))
        y = max(y + high, end + canvas.px(press.between(6, 12)))
    folio(press, area)


def contents(press: Press) -> None:
    """A table of contents with dotted leaders, perhaps under a masthead with a headpiece."""
    canvas, words = press.canvas, press.words
    area = margins(press)
    y = heading(press, area.left, area.right, area.top)
    if press.chance(0.6):
        high = canvas.px(press.between(60, 220))
        kinds: tuple[ItemKind, ...] = ("ornament", "drawing")
        picture(press, Box(area.left, y, area.right, y + high), kinds)
        y += high + canvas.px(20)
    inset = canvas.px(press.between(0, 60))
    first = y
    for _ in range(int(press.rng.integers(6, 26))):
        if y > area.bottom - canvas.px(30):
            break
        entry = words.title().capitalize()
        line = canvas.line(entry, area.left + inset, y, "roman", press.size)
        number = canvas.line(str(press.rng.integers(3, 60)), area.right - inset, y, "roman", press.size, "right")
        base, step = line.bottom - canvas.px(2), canvas.px(press.between(5, 9))
        for x in range(line.right + step, number.left - step, max(2, step)):
            canvas.pen.ellipse((x, base, x + max(1, canvas.px(1.2)), base + max(1, canvas.px(1.2))), fill=0)
        y += canvas.px(press.leading * press.between(1.1, 1.7))
    if y > first:
        canvas.add("text", Box(area.left + inset, first, area.right - inset, y))
    if area.bottom - y > canvas.px(120) and press.chance(0.6):
        middle, wide = (area.left + area.right) // 2, canvas.px(press.between(60, 200))
        place = Box(
            middle - wide, y + canvas.px(20), middle + wide, min(area.bottom, y + canvas.px(press.between(80, 200)))
        )
        picture(press, place, ("ornament", "drawing"))
    folio(press, area)


def advertisement(press: Press) -> None:
    """A whole page that sells one thing."""
    canvas = press.canvas
    edge = canvas.px(press.between(15, 70))
    notice(press, Box(edge, edge, canvas.width - edge, canvas.height - edge), True, True)


def notices(press: Press) -> None:
    """A page of advertisements side by side, with pictures or without."""
    canvas = press.canvas
    area = margins(press)
    rows = int(press.rng.integers(1, 5))
    high = area.height // rows
    gap = canvas.px(press.between(6, 14))
    for row in range(rows):
        for left, right in uneven(press, area, int(press.rng.choice([1, 2, 2, 3]))):
            place = Box(left, area.top + row * high, right, area.top + (row + 1) * high - gap)
            if press.chance(0.12):
                run(press, place)
            else:
                notice(press, place.grow(-gap), False, press.chance(0.6))
    folio(press, area)


LAYOUTS: tuple[tuple[Callable[[Press], None], float], ...] = (
    (article, 0.28),
    (plate, 0.11),
    (gallery, 0.13),
    (contents, 0.04),
    (advertisement, 0.07),
    (notices, 0.08),
    (chapbook, 0.08),
    (album, 0.07),
    (loose, 0.05),
    (plain, 0.08),
    (bare, 0.01),
)
"""The kinds of pages with how often each comes."""
