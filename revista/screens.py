"""Halftone screens: seen as a peak in the spectrum, and removed, before a model that learnt from photographs looks.

A screen is a regular grid of dots, so that its frequency stands far out of a picture's spectrum; photographs, album
prints and engravings have no such peak (figures: docs/measurements.md). A Gaussian blur whose width follows the
screen's period then leaves the tones that the dots stand for. Of scans whose pictures are much larger than the model's
input nothing is left to do: their screens vanish when they are made smaller.
"""

from __future__ import annotations

import cv2
import numpy as np

_LOWEST = 0.2  # cycles a pixel: coarser screens are seen as dots by a person, too
_STANDS_OUT = 100.0  # times the median of the spectrum from there on
_WIDTH = 0.4  # of the blur, in periods of the screen


def period(grey: np.ndarray) -> float | None:
    """The period of the halftone screen in a picture, in pixels (2.0 to 5.0); None where there is none.

    Args:
        grey: (height, width) uint8.
    """
    rest = grey.astype(np.float32)
    rest -= cv2.GaussianBlur(rest, (0, 0), 2.0)
    rest *= np.outer(np.hanning(rest.shape[0]), np.hanning(rest.shape[1])).astype(np.float32)
    spectrum = np.abs(np.fft.rfft2(rest))
    across, down = np.fft.rfftfreq(rest.shape[1]), np.fft.fftfreq(rest.shape[0])
    frequency = np.hypot(across[None, :], down[:, None])
    fine = frequency > _LOWEST
    peak = float(spectrum[fine].max(initial=0.0))
    if not peak or peak <= _STANDS_OUT * float(np.median(spectrum[fine])):
        return None
    return 1 / float(frequency[np.unravel_index(np.where(fine, spectrum, 0).argmax(), spectrum.shape)])


def descreened(image: np.ndarray, side: int) -> np.ndarray:
    """The picture as a model should see it that reduces it to `side` x `side` pixels.

    Args:
        image: (height, width, 3) uint8.
        side: of the model's input, in pixels.

    Returns:
        The picture itself where no screen would be left in it; else reduced to `side` x `side`, without the screen.
    """
    small = image
    if image.shape[:2] != (side, side):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    found = period(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    return image if found is None else cv2.GaussianBlur(small, (0, 0), _WIDTH * found)


def reduced(image: np.ndarray, most: int) -> np.ndarray:
    """The picture for a model that looks at its true proportions, without a screen.

    Args:
        image: (height, width, 3) uint8.
        most: pixels of the longer side, at most; a smaller picture keeps its size.
    """
    height, width = image.shape[:2]
    factor = min(1.0, most / max(height, width))
    small = image
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    found = period(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    return small if found is None else cv2.GaussianBlur(small, (0, 0), _WIDTH * found)
