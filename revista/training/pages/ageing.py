"""What press, years and scanner do to a page: paper, ink, show-through, fold, skew, warp, noise, JPEG, resolution."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from revista.geometry import Box

_PAPERS = ((250, 250, 250), (233, 226, 209), (242, 233, 212), (214, 196, 160), (226, 226, 228), (205, 205, 205))
_INKS = ((25, 24, 26), (25, 24, 26), (25, 24, 26), (60, 50, 42), (48, 66, 130), (96, 58, 36), (40, 70, 52))
_GLASS = (10, 30, 74, 120, 235)


def aged(ink: np.ndarray, boxes: list[Box], rng: np.random.Generator, low: bool) -> tuple[np.ndarray, list[Box]]:
    """A scan of the printed page, and the boxes where they now lie.

    Args:
        ink: (height, width) uint8, 255 bare to 0 inked.
        boxes: in its pixels.
        rng: what chance there is.
        low: the scan may be reduced down to 480 pixels of height, and blurred, and compressed hard.

    Returns:
        (height, width, 3) uint8 RGB, and the upright boxes around the boxes, clipped to it.
    """
    page = _paper(ink, rng)
    height, width = ink.shape
    grow = rng.uniform(0.0, 0.05) if rng.random() < 0.6 else 0.0
    angle = np.deg2rad(rng.normal(0, 0.9))
    scale = 1 - grow
    centre = np.array([width / 2, height / 2])
    shift = centre + rng.uniform(-1, 1, 2) * grow * centre * 0.8
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    waves = _waves(rng, height, width) if rng.random() < 0.4 else np.zeros((2, 3))

    def forward(points: np.ndarray) -> np.ndarray:
        moved = points + _bend(points, waves, height, width)
        return (moved - centre) @ turn.T + shift

    lid = float(rng.choice(_GLASS))
    back = np.linalg.inv(turn)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    flat = (np.stack([x, y], axis=-1).reshape(-1, 2) - shift) @ back.T + centre
    flat -= _bend(flat, waves, height, width)  # the bend is so slight that its inverse is its negative
    maps = flat.astype(np.float32).reshape(height, width, 2)
    tone = (lid,) * 3
    scan = cv2.remap(
        page, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=tone
    )
    moved = [_moved(box, forward).clip(width, height) for box in boxes]
    return _sensor(scan, moved, rng, low)


def _paper(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink on paper, (height, width, 3) uint8: tones, stains, the shadow of the fold, the back shining through."""
    height, width = ink.shape
    paper = np.array(_PAPERS[int(rng.integers(len(_PAPERS)))], np.float32) + rng.uniform(-10, 6)
    colour = np.array(_INKS[int(rng.integers(len(_INKS)))], np.float32)
    spread = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 1.0))
    cover = (255.0 - spread) / 255.0 * rng.uniform(0.72, 0.97)
    if rng.random() < 0.5:  # the back of the leaf
        back = cv2.GaussianBlur(np.roll(ink[:, ::-1], int(rng.integers(0, height)), axis=0), (0, 0), 2.0)
        cover = np.maximum(cover, (255.0 - back) / 255.0 * rng.uniform(0.03, 0.14))
    shade = _cloud(rng, height, width, rng.uniform(2, 14))
    if rng.random() < 0.5:  # towards the spine
        distance = np.arange(width, dtype=np.float32) / width
        distance = distance if rng.random() < 0.5 else distance[::-1]
        shade = shade - rng.uniform(20, 110) * np.exp(-distance / rng.uniform(0.01, 0.06))[None]
    if rng.random() < 0.3:  # foxed
        for _ in range(int(rng.integers(3, 20))):
            at = int(rng.integers(0, width)), int(rng.integers(0, height))
            cv2.circle(shade, at, int(rng.integers(1, max(2, height // 120))), float(-rng.uniform(15, 60)), -1)
    sheet = np.clip(paper[None, None] + shade[..., None], 0, 255)
    return np.clip(sheet * (1 - cover[..., None]) + colour * cover[..., None], 0, 255).astype(np.uint8)


def _cloud(rng: np.random.Generator, height: int, width: int, strength: float) -> np.ndarray:
    """Slow random shades around 0."""
    coarse = rng.normal(0, strength, (int(rng.integers(3, 8)), int(rng.integers(3, 8)))).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _waves(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Amplitude (pixels), waves a page and phase of the bend across and down."""
    most = 0.006 * min(height, width)
    return np.stack([rng.uniform(0, most, 2), rng.uniform(0.3, 1.5, 2), rng.uniform(0, 6.3, 2)], axis=1)


def _bend(points: np.ndarray, waves: np.ndarray, height: int, width: int) -> np.ndarray:
    (a, f, p), (b, g, q) = waves
    across = a * np.sin(2 * np.pi * f * points[:, 1] / height + p)
    down = b * np.sin(2 * np.pi * g * points[:, 0] / width + q)
    return np.stack([across, down], axis=1)


def _moved(box: Box, forward: Callable[[np.ndarray], np.ndarray]) -> Box:
    """The upright box around where the outline of `box` comes to lie."""
    steps = np.linspace(0, 1, 5)
    across, down = box.left + steps * box.width, box.top + steps * box.height
    outline = [(x, y) for x in across for y in (box.top, box.bottom)] + [
        (x, y) for y in down for x in (box.left, box.right)
    ]
    found = forward(np.array(outline, np.float64))
    left, top = np.floor(found.min(axis=0))
    right, bottom = np.ceil(found.max(axis=0))
    return Box(int(left), int(top), int(right), int(bottom))


def _sensor(scan: np.ndarray, boxes: list[Box], rng: np.random.Generator, low: bool) -> tuple[np.ndarray, list[Box]]:
    height, width = scan.shape[:2]
    if low:
        target = int(rng.choice([480, 480, 560, 640, 800, height]))
        if target < height:
            factor = target / height
            scan = cv2.resize(scan, (round(width * factor), target), interpolation=cv2.INTER_AREA)
            boxes = [Box(*(round(edge * factor) for edge in box)).clip(scan.shape[1], target) for box in boxes]
        if rng.random() < 0.3:
            scan = cv2.GaussianBlur(scan, (0, 0), rng.uniform(0.3, 0.9))
    noise = rng.normal(0, rng.uniform(0, 5), scan.shape[:2]).astype(np.float32)[..., None]
    scan = np.clip(scan + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        scan = cv2.cvtColor(cv2.cvtColor(scan, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    quality = int(rng.integers(35 if low else 70, 95))
    _, data = cv2.imencode(".jpg", scan, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), boxes
