"""Pen drawings and woodcuts: a folding fan, a seascape between palms, a basket of flowers.

Everything is drawn several times larger than it prints, in whole pixels, and averaged down: that softens the
lines as ink does, and keeps the result the same on every processor.
"""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from .sheet import BARE, INKED

SCALE = 3
Point = tuple[int, int]


def _trimmed(picture: Image.Image) -> Image.Image:
    """Return the part of a picture that bears ink, so that its box is the drawing's own."""
    return picture.crop(ImageOps.invert(picture).getbbox())


def _polar(centre: Point, radius: float, degrees: float) -> Point:
    """Return the point at a distance from a centre; 0 degrees is to the right, 90 is up."""
    angle = math.radians(degrees)
    return round(centre[0] + radius * math.cos(angle)), round(centre[1] - radius * math.sin(angle))


def _arc(centre: Point, radius: float, start: float, end: float, steps: int = 48) -> list[Point]:
    return [_polar(centre, radius, start + (end - start) * k / steps) for k in range(steps + 1)]


def _curve(points: Sequence[Point], steps: int = 24) -> list[Point]:
    """Return a smooth line through the points (Catmull-Rom)."""
    ends = [points[0], *points, points[-1]]
    line = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for k in range(steps):
            t = k / steps
            line.append(
                (
                    round(_spline(t, p0[0], p1[0], p2[0], p3[0])),
                    round(_spline(t, p0[1], p1[1], p2[1], p3[1])),
                )
            )
    return [*line, points[-1]]


def _spline(t: float, a: float, b: float, c: float, d: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def _rose(pen: ImageDraw.ImageDraw, centre: Point, radius: int, turn: float = 0) -> None:
    """Draw a rose: petals in three rings, each outlined, around a spiral heart."""
    for ring, petals in ((1.0, 7), (0.7, 5), (0.44, 4)):
        for k in range(petals):
            middle = _polar(centre, radius * ring * 0.55, turn + 360 * k / petals + 40 * ring)
            size = round(radius * ring * 0.5)
            box = (middle[0] - size, middle[1] - size, middle[0] + size, middle[1] + size)
            pen.ellipse(box, fill=BARE, outline=INKED, width=max(2, radius // 22))
            for shade in range(3):
                arc = (box[0] + shade * 5 + 4, box[1] + shade * 5 + 4, box[2] - shade * 5 - 4, box[3] - shade * 5 - 4)
                if arc[2] > arc[0]:
                    start = -(turn + 360 * k / petals + 40 * ring)
                    pen.arc(arc, start - 34 + 8 * shade, start + 34 - 8 * shade, fill=INKED, width=2)
    heart = [_polar(centre, radius * 0.2 * k / 30, turn + 24 * k) for k in range(31)]
    pen.line(heart, fill=INKED, width=max(2, radius // 20))


def _leaf(pen: ImageDraw.ImageDraw, root: Point, degrees: float, length: int) -> None:
    """Draw a pointed leaf with its veins."""

    def at(along: float, aside: float) -> Point:
        return _polar(_polar(root, length * along, degrees), length * aside, degrees + 90)

    edge = [
        *_curve([root, at(0.3, 0.2), at(0.65, 0.17), at(1, 0)]),
        *_curve([at(1, 0), at(0.6, -0.18), at(0.25, -0.17), root]),
    ]
    pen.polygon(edge, fill=BARE, outline=INKED)
    pen.line(edge, fill=INKED, width=max(3, length // 40))
    pen.line([root, at(0.92, 0)], fill=INKED, width=3)
    for k in range(1, 6):
        for side in (-1, 1):
            pen.line([at(0.13 * k, 0), at(0.13 * k + 0.12, side * 0.12)], fill=INKED, width=2)


def fan(width: int, height: int) -> Image.Image:
    """Draw an open fan with carved ribs, a painted leaf and a tasselled ribbon.

    Args:
        width: Of the drawing in page pixels.
        height: Likewise; about 0.72 of the width.

    Returns:
        An L picture in page pixels, cropped to its ink.
    """
    picture = Image.new("L", (width * SCALE, height * SCALE), BARE)
    pen, w = ImageDraw.Draw(picture), width * SCALE
    pivot, outer = (w // 2, round(w * 0.545)), w * 0.5
    inner, first, last, folds = outer * 0.52, 22.0, 158.0, 18
    step = (last - first) / folds
    # The leaf: folds alternately bare and hatched, with a scalloped edge of lace.
    for k in range(folds):
        a, b = first + k * step, first + (k + 1) * step
        pen.polygon([*_arc(pivot, outer, a, b, 8), *reversed(_arc(pivot, inner, a, b, 8))], fill=BARE, outline=INKED)
        if k % 2:
            for n in range(1, 7):
                angle = a + step * n / 14
                start = inner + (outer - inner) * 0.04
                pen.line([_polar(pivot, start, angle), _polar(pivot, outer * (0.99 - 0.04 * n), angle)], INKED, 2)
        pen.line([_polar(pivot, inner, a), _polar(pivot, outer, a)], INKED, 4)
    for radius, thickness in ((outer, 6), (outer * 0.965, 3), (inner * 1.05, 3), (inner, 7)):
        pen.line(_arc(pivot, radius, first, last, 120), INKED, thickness)
    for angle in (first, last):
        pen.line([_polar(pivot, inner, angle), _polar(pivot, outer, angle)], INKED, 8)
    for k in range(folds):
        middle = _polar(pivot, outer, first + (k + 0.5) * step)
        for size, thickness in ((round(outer * 0.068), 5), (round(outer * 0.048), 3), (round(outer * 0.022), 3)):
            box = (middle[0] - size, middle[1] - size, middle[0] + size, middle[1] + size)
            pen.ellipse(box, fill=BARE, outline=INKED, width=thickness)
    # The ribs, pierced with lozenges and pearls.
    for k in range(folds + 1):
        angle, half = first + k * step, step * (0.30 if 0 < k < folds else 0.62)
        rib = [*_arc(pivot, inner, angle - half, angle + half, 3), _polar(pivot, outer * 0.05, angle)]
        pen.polygon(rib, fill=BARE, outline=INKED)
        pen.line([*rib, rib[0]], INKED, 4)
        for n in range(5):
            bead, size = _polar(pivot, inner * (0.38 + 0.13 * n), angle), 4 + n
            pen.ellipse((bead[0] - size, bead[1] - size, bead[0] + size, bead[1] + size), fill=INKED)
    # The painting on the leaf: a spray of roses.
    for angle, lean in ((62, -30), (76, 62), (104, 118), (118, 205), (90, 90), (134, 190), (46, -10)):
        _leaf(pen, _polar(pivot, outer * 0.76, angle), lean, round(outer * 0.17))
    for nth, (angle, radius) in enumerate(((58, 0.055), (122, 0.055), (73, 0.075), (107, 0.075), (90, 0.1))):
        _rose(pen, _polar(pivot, outer * 0.765, angle), round(outer * radius), 17 * nth)
    # The ring and the ribbon with its tassel.
    for size in (round(w * 0.022), round(w * 0.011)):
        box = (pivot[0] - size, pivot[1] - size, pivot[0] + size, pivot[1] + size)
        pen.ellipse(box, fill=BARE, outline=INKED, width=5)
    _ribbon(pen, pivot, w, height * SCALE)
    return _trimmed(picture.reduce(SCALE))


def _ribbon(pen: ImageDraw.ImageDraw, pivot: Point, w: int, bottom: int) -> None:
    """Draw the ribbon that hangs from a fan's pivot, and its tassel."""
    knot = (round(w * 0.70), bottom - round(w * 0.13))
    way = [
        (pivot[0], pivot[1] + round(w * 0.022)),
        (round(w * 0.43), round(w * 0.61)),
        (round(w * 0.55), round(w * 0.655)),
        (round(w * 0.63), round(w * 0.58)),
        knot,
    ]
    for shift, thickness in ((0, 5), (12, 3), (20, 5)):
        pen.line(_curve([(x + shift, y + shift // 3) for x, y in way]), INKED, thickness)
    for k in range(-14, 15):
        end = (knot[0] + 10 + k * 5, bottom - 8 - abs(k))
        pen.line(_curve([(knot[0] + 10 + k, knot[1] + 10), (knot[0] + 10 + k * 4, knot[1] + 60), end], 8), INKED, 3)
    size = round(w * 0.02)
    pen.ellipse(
        (knot[0] + 10 - size, knot[1] - size, knot[0] + 10 + size, knot[1] + size), fill=BARE, outline=INKED, width=5
    )
    pen.arc(
        (knot[0] + 10 - size // 2, knot[1] - size // 2, knot[0] + 10 + size // 2, knot[1] + size // 2),
        20,
        250,
        INKED,
        4,
    )


def _palm(pen: ImageDraw.ImageDraw, foot: Point, top: Point, reach: int, rng: np.random.Generator) -> None:
    """Draw a palm in silhouette: a leaning trunk and fronds with their leaflets."""
    bend = ((foot[0] + top[0]) // 2 + (foot[0] - top[0]) // 3, (foot[1] + top[1]) // 2)
    trunk = _curve([foot, bend, top])
    for k, (x, y) in enumerate(trunk):
        half = max(4, round(reach * 0.055 * (1.5 - k / len(trunk))))
        pen.ellipse((x - half, y - half // 2, x + half, y + half // 2 + 2), fill=INKED)
    for degrees in (-28, 2, 28, 52, 78, 104, 130, 154, 180, 206):
        length = reach * int(rng.integers(82, 110)) / 100
        droop = reach * int(rng.integers(26, 44)) / 100
        tip = _polar(top, length, degrees)
        middle = _polar(top, length * 0.55, degrees + (12 if degrees < 90 else -12))
        spine = _curve([top, middle, (tip[0], tip[1] + round(droop))], 20)
        pen.line(spine, INKED, 6)
        for k in range(3, len(spine), 2):
            x, y = spine[k]
            leaflet = reach * 0.24 * (1 - (k / len(spine)) ** 2) + 8
            for side in (-1, 1):
                pen.line([(x, y), (x + round(side * leaflet * 0.45), y + round(leaflet))], INKED, 4)


def seascape(width: int, height: int) -> Image.Image:
    """Cut a headpiece in wood: the sun setting behind a sail, waves, and palms on either side.

    Args:
        width: In page pixels.
        height: In page pixels; about a third of the width.

    Returns:
        An L picture in page pixels, framed by its own black border.
    """
    picture = Image.new("L", (width * SCALE, height * SCALE), INKED)
    pen, w, h = ImageDraw.Draw(picture), width * SCALE, height * SCALE
    rng, rim = np.random.default_rng(1916), 5 * SCALE
    pen.rectangle((rim, rim, w - rim - 1, h - rim - 1), fill=BARE)
    field = (2 * rim, 2 * rim, w - 2 * rim - 1, h - 2 * rim - 1)
    pen.rectangle(field, fill=INKED)
    sun, horizon = (w // 2, round(h * 0.62)), round(h * 0.64)
    # Rays: white wedges that widen outwards.
    for k in range(41):
        degrees = 180 * k / 40
        pen.polygon(
            [_polar(sun, h * 0.40, degrees), _polar(sun, w, degrees - 0.85), _polar(sun, w, degrees + 0.85)], fill=BARE
        )
    radius = round(h * 0.34)
    pen.ellipse((sun[0] - radius, sun[1] - radius, sun[0] + radius, sun[1] + radius), fill=BARE)
    pen.rectangle((field[0], horizon, field[2], field[3]), fill=INKED)
    # Waves: rows of white strokes, longer and further apart towards the viewer.
    for row in range(15):
        y = horizon + 8 + row * 9 + row * row
        if y > field[3] - 8:
            break
        x = field[0] + int(rng.integers(0, 60))
        while x < field[2]:
            near = abs(x - sun[0]) < radius + row * 10
            length = int(rng.integers(30, 90)) * (2 if near else 1) + row * 6
            rise = 3 + row
            stroke = [(x, y), (x + length // 3, y - rise), (x + 2 * length // 3, y + rise // 2), (x + length, y)]
            pen.line(_curve(stroke, 8), BARE, 3 + row // 3)
            x += length + int(rng.integers(16, 50)) * (1 if near else 3)
    # The sail before the sun.
    hull = (sun[0] + round(radius * 0.25), horizon + 6)
    mast = (hull[0], horizon - round(radius * 0.8))
    deck, keel = hull[1] - 14, hull[1] + 8
    pen.polygon([(hull[0] - 70, deck), (hull[0] + 78, deck), (hull[0] + 52, keel), (hull[0] - 48, keel)], fill=INKED)
    pen.line([hull, mast], INKED, 5)
    pen.polygon([(mast[0] + 6, mast[1]), (mast[0] + 74, hull[1] - 30), (mast[0] + 6, hull[1] - 24)], fill=INKED)
    pen.polygon([(mast[0] - 6, mast[1] + 26), (mast[0] - 56, hull[1] - 28), (mast[0] - 6, hull[1] - 24)], fill=INKED)
    for x, y in ((-330, 120), (-270, 170), (300, 110), (-390, 190)):
        gull = (sun[0] + x, y + 2 * rim)
        pen.arc((gull[0] - 34, gull[1], gull[0], gull[1] + 26), 190, 350, BARE, 5)
        pen.arc((gull[0], gull[1], gull[0] + 34, gull[1] + 26), 190, 350, BARE, 5)
    # Palms stand black against the rays: first a white edge, then the black.
    for mirror in (1, -1):
        for foot, top, reach in ((0.10, 0.17, 0.40), (0.16, 0.265, 0.27)):
            x0, x1 = (w // 2 + round(mirror * (f - 0.5) * w) for f in (foot, top))
            shape = Image.new("L", picture.size, BARE)
            crown = (x1, round(h * (0.30 if reach > 0.3 else 0.46)))
            _palm(ImageDraw.Draw(shape), (x0, h - 3 * rim), crown, round(h * reach), rng)
            _cut_in(picture, shape)
        x0, x1 = (w // 2 + round(mirror * (f - 0.5) * w) for f in (0.02, 0.30))
        pen.ellipse((min(x0, x1), h - 6 * rim, max(x0, x1), h + 3 * rim), fill=INKED, outline=BARE, width=4)
    pen.rectangle((0, 0, w - 1, h - 1), outline=INKED, width=rim)
    pen.rectangle((rim, rim, w - rim - 1, h - rim - 1), outline=BARE, width=rim)
    return _trimmed(picture.reduce(SCALE))


def _cut_in(picture: Image.Image, shape: Image.Image) -> None:
    """Put a black shape on a picture with a thin white edge around it, as a woodcutter frees a figure."""
    halo = shape.filter(ImageFilter.MinFilter(7))
    picture.paste(BARE, mask=halo.point([255 - level for level in range(256)]))
    picture.paste(INKED, mask=shape.point([255 - level for level in range(256)]))


def basket(width: int, height: int) -> Image.Image:
    """Draw a tailpiece: a woven basket of roses between two scrolls.

    Args:
        width: In page pixels.
        height: In page pixels; about half of the width.

    Returns:
        An L picture in page pixels, cropped to its ink.
    """
    picture = Image.new("L", (width * SCALE, height * SCALE), BARE)
    pen, w, h = ImageDraw.Draw(picture), width * SCALE, height * SCALE
    middle, brim, base = w // 2, round(h * 0.58), round(h * 0.95)
    half, foot = round(w * 0.17), round(w * 0.11)
    for mirror in (-1, 1):
        start = (middle + mirror * foot, base - 20)
        bend, tip = middle + mirror * round(w * 0.27), middle + mirror * round(w * 0.38)
        way = [start, (bend, base - 10), (tip, round(h * 0.72))]
        pen.line(_curve(way), INKED, 8)
        eye = (tip, round(h * 0.59))
        turns = [270 + mirror * 14 * k for k in range(52)]
        spiral = [_polar(eye, h * 0.13 * (1 - k / 60), degrees) for k, degrees in enumerate(turns)]
        pen.line(spiral, INKED, 7)
        for k, degrees in enumerate((150, 40, 100)):
            root = way[1] if k < 2 else way[2]
            lean = degrees if mirror > 0 else 180 - degrees
            _leaf(pen, root, lean, round(h * 0.2))
    side = [(middle - half, brim), (middle - foot, base), (middle + foot, base), (middle + half, brim)]
    pen.polygon(side, fill=BARE, outline=INKED)
    for row in range(8):  # wickerwork: short strokes, staggered from row to row
        y = brim + (base - brim) * row // 8
        reach = half - (half - foot) * row // 8
        for k in range(-9, 10):
            x = middle + k * reach // 9 + (reach // 18 if row % 2 else 0)
            if abs(x - middle) < reach - 8:
                pen.arc((x - reach // 11, y, x + reach // 11, y + (base - brim) // 6), 200, 340, INKED, 4)
    pen.line([*side], INKED, 7)
    pen.rounded_rectangle((middle - half - 14, brim - 14, middle + half + 14, brim + 16), 14, BARE, INKED, 6)
    pen.rounded_rectangle((middle - foot - 10, base - 8, middle + foot + 10, base + 14), 10, BARE, INKED, 6)
    for degrees, away in ((88, 0.8), (70, 0.9), (50, 1.2), (28, 1.3), (0, 1.45)):
        for lean in (90 - degrees, 90 + degrees):
            _leaf(pen, _polar((middle, brim - 20), half * 0.5, lean), lean, round(half * away * 0.72))
    sides = [(side * x, y, size) for x, y, size in ((0.82, 0.22, 0.26), (0.46, 0.62, 0.3)) for side in (-1, 1)]
    roses = [*sides, (0.0, 0.95, 0.28), (0.0, 0.36, 0.4)]
    for nth, (right, up, size) in enumerate(roses):
        centre = (middle + round(half * right), brim - round(half * up))
        _rose(pen, centre, round(half * size), 31 * nth)
    return _trimmed(picture.reduce(SCALE))
