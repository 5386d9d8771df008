"""What the pages are illustrated with: photographs as ink, drawings made from photographs, and drawings by chance.

All are grey (height, width) uint8, 255 bare paper to 0 ink.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from revista.training.pages.canvas import INKED

Photographs = Callable[[np.random.Generator], np.ndarray]
"""Gives some photograph, (height, width, 3) uint8 RGB."""

_CLOSE = 1.5  # figures of a drawing that is as wide as high, at least
_SEEN = 0.02  # share of a drawing that is inked at least


def photograph(source: Photographs, width: int, height: int, rng: np.random.Generator, screen: bool) -> np.ndarray:
    """A part of a photograph in this size, grey, in the tones of print; through a halftone screen where `screen`."""
    image = source(rng)
    rows, columns = image.shape[:2]
    ratio = width / max(1, height)
    keep = rng.uniform(0.6, 1.0)
    w = min(columns, rows * ratio) * keep
    h = min(rows, w / ratio)
    top, left = int(rng.uniform(0, rows - h + 1)), int(rng.uniform(0, columns - w + 1))
    part = image[top : top + max(2, int(h)), left : left + max(2, int(w))]
    grey = cv2.cvtColor(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), cv2.COLOR_RGB2GRAY)
    if rng.random() < 0.5:
        grey = grey[:, ::-1]
    low, high = rng.uniform(5, 70), rng.uniform(170, 250)
    tones = low + (high - low) * (np.arange(256) / 255) ** rng.uniform(0.6, 1.7)
    grey = cv2.LUT(np.ascontiguousarray(grey), tones.astype(np.uint8))
    return screened(grey, rng.uniform(2.2, 5.0), rng) if screen else grey


def screened(grey: np.ndarray, pitch: float, rng: np.random.Generator) -> np.ndarray:
    """The tones as dots of `pitch` pixels, soft at their edges."""
    turn = rng.choice([15, 30, 45, 60, 75]) * np.pi / 180
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch)
    tone = grey.astype(np.float32) - 128  # signed: uint8 would wrap around, and print dark tones as light ones
    return np.clip(128 + (tone - 60 * wave) * rng.uniform(1.0, 1.7), 0, 255).astype(np.uint8)


def oval(width: int, height: int, soft: float) -> np.ndarray:
    """The mask of an oval, 0 to 255; `soft` is how much of its radius fades."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = np.hypot((x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1)
    return (np.clip((1 - radius) / max(soft, 2.0 / max(width, height)), 0, 1) * 255).astype(np.uint8)


def blot(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """The mask of an irregular shape that fills most of its box, soft at its edge, 0 to 255."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = (x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1
    angle = np.arctan2(dy, dx)
    edge = np.full_like(angle, 0.86)
    for wave in range(2, 6):
        edge += rng.uniform(0, 0.09) * np.cos(wave * angle + rng.uniform(0, 6.3))
    return (np.clip((edge - np.hypot(dx, dy)) / rng.uniform(0.03, 0.25), 0, 1) * 255).astype(np.uint8)


def tilted(picture: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned, and the mask of where it is, both in the upright box around it."""
    h, w = picture.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = int(h * sin + w * cos), int(h * cos + w * sin)
    turn[:, 2] += (wide - w) / 2, (high - h) / 2
    full = np.full_like(picture, 255)
    return (
        cv2.warpAffine(picture, turn, (wide, high), borderValue=255),
        cv2.warpAffine(full, turn, (wide, high), borderValue=0),
    )


def tilted_within(picture: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """As `tilted`, but made smaller by as much as it takes to stay within the room that it had upright."""
    h, w = picture.shape
    cos, sin = np.cos(np.radians(abs(degrees))), np.sin(np.radians(abs(degrees)))
    share = min(w / (w * cos + h * sin), h / (h * cos + w * sin))
    size = max(2, int(w * share)), max(2, int(h * share))
    return tilted(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), degrees)


def drawing(source: Photographs, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A drawing of some kind in this size: from a photograph by lines, hatching or ink, or by chance alone."""
    ways = (_contours, _woodcut, _hatched, _silhouette, _pencil, _strokes, _strokes, _figures, _plan)
    way = ways[int(rng.integers(len(ways)))]
    grey = photograph(source, width, height, rng, False)
    made = way(grey, rng)
    if float((made < INKED).mean()) < _SEEN:  # a sky has no outlines: nobody would see that something is drawn there
        made = _strokes(grey, rng)
    if way in (_woodcut, _hatched, _contours, _pencil) and rng.random() < 0.6:  # free of a rectangle
        mask = blot(width, height, rng) if rng.random() < 0.7 else oval(width, height, 0.2)
        made = (255 - (255 - made.astype(np.uint16)) * mask // 255).astype(np.uint8)
    return made


def _contours(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    smooth = cv2.bilateralFilter(grey, 5, 40, 5)
    block = 2 * int(rng.integers(3, 9)) + 1
    return cv2.adaptiveThreshold(
        smooth, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, block, rng.uniform(3, 8)
    )


def _woodcut(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black shapes, and parallel cuts of the knife where the tone is between."""
    grey = cv2.equalizeHist(cv2.GaussianBlur(grey, (0, 0), 1.5)).astype(np.float32)
    cuts = 80 * np.sin(_phase(grey.shape, rng.uniform(3, 7), rng.uniform(0, 3.14)) + grey / rng.uniform(8, 30))
    return np.where(grey + cuts > rng.uniform(100, 160), 255, 0).astype(np.uint8)


def _hatched(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three layers of hatching, each for darker tones."""
    grey = cv2.equalizeHist(cv2.GaussianBlur(grey, (0, 0), 1.2))
    made = np.full(grey.shape, 255, np.uint8)
    pitch, angle = rng.uniform(3.5, 8), rng.uniform(0, 3.14)
    for level in (170, 110, 60):
        angle += rng.uniform(0.5, 1.3)
        made[(np.sin(_phase(grey.shape, pitch, angle)) > 0.35) & (grey < level)] = 0
    edges = cv2.Canny(grey, 60, 160)
    made[edges > 0] = 0
    return made


def _phase(shape: tuple[int, int], pitch: float, angle: float) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)


def _silhouette(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The dark parts as solid ink, small specks left out."""
    smooth = cv2.GaussianBlur(grey, (0, 0), max(1.0, min(grey.shape) / rng.uniform(20, 60)))
    dark = (smooth < np.quantile(smooth, rng.uniform(0.25, 0.5))).astype(np.uint8)
    return np.where(dark > 0, 0, 255).astype(np.uint8)


def _pencil(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Soft lines where tones change, faint as pencil or chalk."""
    wide = cv2.GaussianBlur(grey, (0, 0), rng.uniform(2, 8)).astype(np.float32)
    made = np.clip(grey / np.maximum(wide, 1) * 255, 0, 255)
    depth = rng.uniform(0.5, 2.5)
    return np.clip(255 - (255 - made) * depth, 60, 255).astype(np.uint8)


def _strokes(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few long smooth strokes with much bare paper: the pen of a fashion drawing or a caricature."""
    height, width = grey.shape
    made = np.full(grey.shape, 255, np.uint8)
    thick = max(1, round(min(width, height) / rng.uniform(60, 200)))
    at = np.array([width / 2, height * 0.05])
    for _ in range(int(rng.integers(5, 22))):
        if rng.random() < 0.35:
            at = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.03, 0.9) * height])
        points, heading = [at], rng.uniform(0, 6.3)
        for _ in range(int(rng.integers(3, 8))):
            heading += rng.normal(0, 0.7)
            step = rng.uniform(0.05, 0.22) * np.array([width, height])
            points.append(np.clip(points[-1] + step * (np.cos(heading), np.sin(heading)), 2, (width - 3, height - 3)))
        at = points[-1]
        curve = _smooth(np.array(points))
        closed = rng.random() < 0.25
        if closed and rng.random() < 0.5:
            cv2.fillPoly(made, [curve], 0 if rng.random() < 0.6 else 255, cv2.LINE_AA)
        cv2.polylines(made, [curve], bool(closed), 0, max(1, round(thick * rng.uniform(0.6, 1.8))), cv2.LINE_AA)
    return made


def _smooth(points: np.ndarray) -> np.ndarray:
    """A curve through points by Chaikin's corner cutting, as (n, 1, 2) int32."""
    for _ in range(3):
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points.round().astype(np.int32)[:, None]


def _figures(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standing figures of simple shapes, outlined or solid: head, body, legs, a hat, something in the hand.

    They stand close: those that stand apart are so many pictures, as people mark them in chapbooks.
    """
    height, width = grey.shape
    made = np.full(grey.shape, 255, np.uint8)
    least = max(1, round(_CLOSE * width / height))
    count = int(rng.integers(least, 1 + max(least, min(4, round(2 * width / height)))))
    for k in range(count):
        middle, reach = (k + 0.5) * width / count, min(0.9 * width / count, 0.45 * height)
        fill, line = int(rng.choice([0, 0, 255, 140])), max(1, round(height / rng.uniform(60, 160)))

        def shape(
            points: list[tuple[float, float]], fill: int = fill, line: int = line, m: float = middle, r: float = reach
        ) -> None:
            curve = np.array([(m + x * r / 2, y * height) for x, y in points], np.float64).round().astype(np.int32)
            cv2.fillPoly(made, [curve[:, None]], fill, cv2.LINE_AA)
            cv2.polylines(made, [curve[:, None]], True, 0, line, cv2.LINE_AA)

        lean = rng.uniform(-0.15, 0.15)
        head = (round(middle + lean * reach / 2), round(0.14 * height))
        if rng.random() < 0.5:  # a long dress, or trousers
            shape([(-0.25, 0.24), (0.25, 0.24), (0.2, 0.45), (0.75, 0.97), (-0.75, 0.97), (-0.2, 0.45)])
        else:
            shape([(-0.32, 0.24), (0.32, 0.24), (0.3, 0.55), (-0.3, 0.55)])
            for side in (-1, 1):
                shape(
                    [(side * 0.05, 0.55), (side * 0.3, 0.55), (side * rng.uniform(0.2, 0.6), 0.97), (side * 0.1, 0.97)]
                )
        for side in (-1, 1):
            hand = (side * rng.uniform(0.4, 1.0), rng.uniform(0.2, 0.6))
            shape([(side * 0.3, 0.25), hand, (side * 0.25, 0.35)])
        cv2.circle(made, head, max(2, round(0.075 * height)), int(rng.choice([255, 200])), -1, cv2.LINE_AA)
        cv2.circle(made, head, max(2, round(0.075 * height)), 0, line, cv2.LINE_AA)
        if rng.random() < 0.6:
            shape([(-0.3, 0.1), (0.3, 0.1), (0.2, 0.03), (-0.2, 0.03)], 0)
    if rng.random() < 0.5:
        made[(grey < 110) & (np.sin(_phase(grey.shape, 5, 0.8)) > 0.6)] = 0
    return made


def _plan(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A plan or elevation: right angles, arches, measures."""
    height, width = grey.shape
    made = np.full(grey.shape, 255, np.uint8)
    tone = int(rng.integers(0, 150))
    for _ in range(int(rng.integers(6, 30))):
        x, y = sorted(rng.integers(2, width - 2, 2)), sorted(rng.integers(2, height - 2, 2))
        thick = int(rng.choice([1, 1, 2, 3]))
        way = rng.random()
        if way < 0.5:
            cv2.rectangle(made, (int(x[0]), int(y[0])), (int(x[1]), int(y[1])), tone, thick, cv2.LINE_AA)
        elif way < 0.8:
            cv2.line(made, (int(x[0]), int(y[0])), (int(x[1]), int(y[0] if rng.random() < 0.5 else y[1])), tone, thick)
        else:
            axes = (max(1, int(x[1] - x[0]) // 2), max(1, int(y[1] - y[0]) // 2))
            cv2.ellipse(made, (int(x[0]), int(y[0])), axes, 0, 180, 360, tone, thick, cv2.LINE_AA)
    return made


def ornament(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A headpiece or tailpiece: curls and leaves, the right half the mirror of the left."""
    half = max(4, width // 2)
    made = np.full((height, half), 255, np.uint8)
    solid = rng.random() < 0.4
    for _ in range(int(rng.integers(2, 7))):
        centre = rng.uniform(0.2, 1.0) * half, rng.uniform(0.3, 0.7) * height
        size, turns, start = rng.uniform(0.2, 0.5) * height, rng.uniform(1.5, 5.5), rng.uniform(0, 6.3)
        t = np.linspace(0, 1, 40)
        radius = size * (1 - 0.8 * t)
        x = centre[0] + radius * 1.4 * np.cos(start + turns * 2 * t)
        y = centre[1] + radius * np.sin(start + turns * 2 * t)
        curve = np.stack([x, y], axis=1).round().astype(np.int32)[:, None]
        cv2.polylines(made, [curve], False, 0, max(1, round(height / rng.uniform(20, 60))), cv2.LINE_AA)
        for k in range(0, 40, 8):
            leaf = (int(x[k]), int(y[k])), (max(1, round(size * 0.3)), max(1, round(size * 0.12)))
            cv2.ellipse(made, *leaf, rng.uniform(0, 180), 0, 360, 0, -1 if solid else 1, cv2.LINE_AA)
    return np.concatenate([made, made[:, ::-1]], axis=1)
