"""The look of a printed magazine, put on a photograph: grey ink through a halftone screen, on paper.

The pictures to learn from are modern colour photographs; those to describe are prints of around 1920. A screen of
round dots turns tone into ink: a point is inked where the picture is darker than a periodic threshold. The print is
drawn at a multiple of the picture's resolution, blurred as ink spreads, and shrunk, as a scan is when a model looks at
it; what is left of the dots is a fine texture, moiré included.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

FINER = 3  # the print is drawn at this multiple of the picture's resolution
PITCHES = (6, 7, 8, 9, 10, 12)  # of the screen, in pixels of that resolution: 2 to 4 pixels of the picture
ANGLES = (15, 30, 45, 60, 75)  # degrees; black is usually printed at 45
PAPER = (248.0, 240.0, 222.0)  # RGB of yellowed paper


def halftone_grey(image: np.ndarray, seed: int) -> np.ndarray:
    """The picture as a grey halftone print; the same seed gives the same print.

    Args:
        image: (height, width, 3) uint8, RGB.
        seed: decides pitch, angle and phase of the screen, and the tones of ink and paper.

    Returns:
        An array of the same shape and type, its three channels alike.
    """
    rng = np.random.default_rng(seed)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return _as_rgb(_printed(grey, rng))


def magazine_look(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture as a magazine might have printed it, by chance with or without each of these: see the module.

    Grey always; a halftone screen, faded or hard tones, blur, yellow paper, a vignette or an oval each in some.

    Args:
        image: (height, width, 3) uint8, RGB.
        rng: what chance there is.

    Returns:
        An array of the same shape and type.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if rng.random() < 0.4:
        grey = _tones(grey, rng)
    if rng.random() < 0.25:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.6:
        grey = _printed(grey, rng)
    if rng.random() < 0.3:
        grey = _framed(grey, rng)
    rgb = _as_rgb(grey)
    if rng.random() < 0.5:
        strength = rng.uniform(0.3, 1.0)
        tint = 1 - strength * (1 - np.array(PAPER) / 255)
        rgb = (rgb * tint).astype(np.uint8)
    return rgb


def _as_rgb(grey: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)


def _printed(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A grey picture through a screen, (height, width) uint8."""
    height, width = grey.shape
    pitch, angle = int(rng.choice(PITCHES)), int(rng.choice(ANGLES))
    screen = _screen(height * FINER + 24, width * FINER + 24, pitch, angle)
    top, left = (int(n) for n in rng.integers(0, 24, 2))
    part = screen[top : top + height * FINER, left : left + width * FINER]
    large = cv2.resize(grey, (width * FINER, height * FINER), interpolation=cv2.INTER_LINEAR)
    dots = cv2.GaussianBlur(np.where(large < part, np.uint8(0), np.uint8(255)), (0, 0), rng.uniform(0.8, 1.8))
    small = cv2.resize(dots, (width, height), interpolation=cv2.INTER_AREA)
    ink, paper = rng.uniform(15, 60), rng.uniform(215, 252)
    return (ink + small * ((paper - ink) / 255)).astype(np.uint8)


@lru_cache(maxsize=64)
def _screen(height: int, width: int, pitch: int, angle: int) -> np.ndarray:
    """Thresholds of a round-dot screen, (height, width) uint8, each value about equally frequent."""
    turn = np.deg2rad(angle)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = np.cos(2 * np.pi * u / pitch) + np.cos(2 * np.pi * v / pitch)
    # Tones are kept where a threshold lies above as many others as it is large: the wave's ranks, not its values.
    levels = np.quantile(wave[: pitch * 16, : pitch * 16], np.linspace(0, 1, 255))
    return np.clip(np.searchsorted(levels, wave), 1, 255).astype(np.uint8)


def _tones(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hard or faded tones, (height, width) uint8."""
    gamma, low, high = rng.uniform(0.6, 1.6), rng.uniform(0, 60), rng.uniform(190, 255)
    table = low + (high - low) * (np.arange(256) / 255) ** gamma
    return cv2.LUT(grey, table.astype(np.uint8))


def _framed(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An oval picture, sharp at its border or fading into the paper, (height, width) uint8."""
    height, width = grey.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = (y / height - 0.5) * 2, (x / width - 0.5) * 2
    radius = np.sqrt((x / rng.uniform(0.9, 1.15)) ** 2 + (y / rng.uniform(0.9, 1.15)) ** 2)
    softness = rng.choice([0.02, 0.1, 0.35])
    inside = np.clip((1 - radius) / softness + 0.5, 0, 1)
    paper = rng.uniform(215, 255)
    return (grey * inside + paper * (1 - inside)).astype(np.uint8)
