"""Where things go on a page: margins, columns, the page's number, text that fills what is left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from revista.geometry import Box
from revista.training.pages.parts import Press, heading, run

_HEADED = 150  # thousandths of the page's height: room for a heading within a column, and some lines
_RIM = 8  # thousandths of the page's height: nothing is printed nearer to its edge


def margins(press: Press) -> Box:
    """What of the page is printed on."""
    canvas = press.canvas
    side, top = canvas.px(press.between(25, 75)), canvas.px(press.between(30, 75))
    return Box(side, top, canvas.width - side, canvas.height - canvas.px(press.between(40, 80)))


def folio(press: Press, area: Box) -> None:
    """The page's number, or a running head with it."""
    canvas, number = press.canvas, str(press.rng.integers(1, 99))
    if press.chance(0.3):
        return
    if press.chance(0.5):
        lowest = max([area.bottom, *(item.box.bottom for item in canvas.items)])
        x, y, align = (area.left + area.right) // 2, lowest + canvas.px(8), "centre"
        if y + canvas.px(press.size) > canvas.height - canvas.px(_RIM):  # a long caption has taken its place
            return
    else:
        x, align = (area.left, "left") if press.chance(0.5) else (area.right, "right")
        y = max(1, area.top - canvas.px(press.between(18, 26)))
    canvas.add("furniture", canvas.line(number, x, y, "roman", press.size, align), number)


def even(press: Press, area: Box, count: int) -> list[Box]:
    """Columns of one width."""
    gutter = press.canvas.px(press.between(9, 20))
    wide = (area.width - gutter * (count - 1)) // count
    lefts = [area.left + k * (wide + gutter) for k in range(count)]
    return [Box(left, area.top, left + wide, area.bottom) for left in lefts]


def rules(press: Press, columns: list[Box], holes: list[Box]) -> None:
    """A rule between some columns; it ends above what stands across and begins again below."""
    for before, after in pairwise(columns):
        if not press.chance(0.25):
            continue
        x = (before.right + after.left) // 2
        for y, end in _clear(before.top, before.bottom, [h for h in holes if h.left < x < h.right]):
            press.canvas.pen.line((x, y, x, end), 0, max(1, press.canvas.px(0.8)))


def _clear(top: int, bottom: int, holes: list[Box]) -> Iterator[tuple[int, int]]:
    """What holes leave between two heights: from where to where, from top to bottom."""
    for high, low in [*sorted((h.top, h.bottom) for h in holes), (bottom, bottom)]:
        end = min(high, bottom)
        if end > top:
            yield top, end
        top = max(top, low)


def fill(press: Press, column: Box, holes: list[Box], verse: bool, end: float = 1.0) -> int:
    """Set text into what wide holes leave of a column; gives the y at which it ends."""
    blocked = [h for h in holes if h.horizontal_overlap(column) > 0.65 * column.width and h.vertical_overlap(column)]
    narrow = [h for h in holes if 0 < h.horizontal_overlap(column) <= 0.65 * column.width]
    ended = column.top
    for y, upper in _clear(column.top, column.top + int(column.height * end), blocked):
        if upper - y > press.canvas.px(press.leading) * 2:
            room = Box(column.left, y, column.right, y + press.canvas.px(_HEADED))
            free = upper - y > room.height and not any(h.intersect(room).area for h in narrow)
            if press.chance(0.12) and free:
                y = heading(press, column.left, column.right, y, big=False)
            ended = run(press, Box(column.left, y, column.right, upper), narrow, verse)
    return ended


def uneven(press: Press, area: Box, count: int) -> list[tuple[int, int]]:
    """Left and right of columns of several widths."""
    gap = press.canvas.px(press.between(6, 30))
    shares = press.rng.uniform(0.7, 1.3, count)
    shares = shares / shares.sum() * (area.width - gap * (count - 1))
    found, x = [], float(area.left)
    for share in shares:
        found.append((round(x), round(x + share)))
        x += share + gap
    return found
