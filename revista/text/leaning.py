"""How the lines of print on a page lean and bend, judged from its dark pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from revista.records import Bend

MAX_SKEW = 15.0  # degrees either way
_STANDS_OUT = 1.5  # times the median sharpness of a page: an angle that stands out
_POINTS = 80_000  # dark pixels from which skew and bend are judged
_STRIPS = 25  # places across the page at which the bend is judged
_STRIP = 6.0  # the width of the page is so many times that of what is looked at for a place
_MOST_BENT = 4.5  # degrees by which lines may lean at a place
_ROUNDS = 3
FEWEST_LETTERS = 120  # of a page whose lines tell how they bend; fewer may be in line by chance
_FEWEST = 150  # points of a strip that tell anything
_CLEAR = 1.6  # times the median sharpness: what stands out
_STIFF = 3.0  # how little paper bends: weighs against what the strips say
_LEVEL = 0.03  # the same of a slope, beyond the strips that say something
_TOLD = 5.0  # strips that have to tell
_SLIGHT = 0.4  # of the height of small letters: less of a bend is none


@dataclass(frozen=True)
class Print:
    """What looks like letters on a page: coordinates of dark pixels, the height of small letters, how many letters."""

    xs: np.ndarray
    ys: np.ndarray
    x_height: float  # pixels; 0.0 where there are too few letters
    letters: int


def print_on(grey: np.ndarray) -> Print:
    """The letters of a page: connected dark areas of a letter's proportions and of the commonest size.

    Args:
        grey: `(height, width)` uint8, dark print on white.
    """
    import cv2

    factor = max(1.0, math.sqrt(grey.size / 4_000_000))
    small = (
        grey if factor == 1.0 else cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    )
    _, dark = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    width, height, area = (stats[:, k].astype(float) for k in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    most = max(small.shape) / 12
    letters = (height >= 4) & (height <= most) & (width <= 4 * height) & (height <= 6 * width)
    letters &= (area >= 0.12 * width * height) & (area >= 8)
    letters[0] = False
    count = int(letters.sum())
    if count < 20:
        empty = np.zeros(0)
        return Print(empty, empty, 0.0, count)
    # specks are many: each letter counts with its height
    sizes = np.repeat(height[letters], np.maximum(1, height[letters].astype(int)))
    typical = float(np.median(sizes))
    letters &= (height >= 0.5 * typical) & (height <= 3 * typical)
    ys, xs = np.nonzero(letters[labels] & (dark > 0))
    step = max(1, len(xs) // _POINTS)
    # of Spanish letters, weighted so, the median is an ascender or capital about as often as a small letter
    return Print(xs[::step] * factor, ys[::step] * factor, typical * factor * 0.85, count)


def estimate_skew(ink: Print) -> float | None:
    """Degrees clockwise by which the lines lean, within `MAX_SKEW` either way; None where the page does not tell.

    The angle at which the projection profile changes most sharply from row to row (Postl, "Detection of linear
    oblique structures and skew scan in digitized documents", ICPR 1986).
    """
    if not ink.x_height:
        return None
    sharpness = _sharpness(ink.xs, ink.ys, ink.x_height)
    coarse = np.arange(-MAX_SKEW, MAX_SKEW + 0.01, 0.5)
    scores = np.array([sharpness(float(a)) for a in coarse])
    best = int(scores.argmax())
    few = max(0.0, 1 - ink.letters / FEWEST_LETTERS)  # a few letters stand in line by chance
    if scores[best] < (_STANDS_OUT + few) * np.median(scores):  # no angle stands out: no lines
        return None
    fine = np.arange(-0.5, 0.51, 0.05) + coarse[best]
    found = float(fine[int(np.argmax([sharpness(float(a)) for a in fine]))])
    return round(found, 2) if abs(found) <= MAX_SKEW else None


def _sharpness(xs: np.ndarray, ys: np.ndarray, x_height: float) -> Callable[[float], float]:
    """How sharply the profile of some points changes from row to row, by the angle (degrees clockwise) of the rows."""
    bins = max(1.0, x_height / 4)

    def of(degrees: float) -> float:
        angle = math.radians(degrees)
        rows = (ys * math.cos(angle) - xs * math.sin(angle)) / bins
        profile = np.bincount((rows - rows.min()).astype(int))
        return float((np.diff(profile.astype(float)) ** 2).sum())

    return of


def estimate_lean(ink: Print) -> tuple[float, Bend] | None:
    """How the lines lean, in degrees clockwise, and how they bend; None where the page does not tell.

    In strips of the page it is judged how lines lean there, as by `estimate_skew`. Strips with little print say
    nothing. A stiff sheet through what the others say, summed up from left to right, is the bend; what of it is a
    slope of the whole page is skew. Both are taken out, and what is left is judged once more.
    """
    skew = estimate_skew(ink)
    if skew is None:
        return None
    if ink.letters < FEWEST_LETTERS:
        return skew, ()
    angle, places, depths, told = math.radians(skew), np.zeros(0), np.zeros(_STRIPS), np.zeros(_STRIPS)
    for _ in range(_ROUNDS):
        xs = ink.xs * math.cos(angle) + ink.ys * math.sin(angle)
        ys = ink.ys * math.cos(angle) - ink.xs * math.sin(angle)
        places = np.linspace(float(xs.min()), float(xs.max()), _STRIPS)
        slopes, weights = _slopes(xs, ys - np.interp(xs, places, depths), places, ink.x_height)
        slope = _smooth(slopes, weights)
        depths += np.concatenate([[0.0], np.cumsum(np.diff(places) * (slope[1:] + slope[:-1]) / 2)])
        even = np.polyfit(places, depths, 1)
        depths -= np.polyval(even, places)
        angle += math.atan(even[0])
        told = np.maximum(told, weights)
    if told.sum() < _TOLD or np.ptp(depths) < _SLIGHT * ink.x_height:
        return skew, ()
    bend = tuple((round(place), round(float(depth), 1)) for place, depth in zip(places, depths, strict=True))
    return round(math.degrees(angle), 2), bend


def _slopes(xs: np.ndarray, ys: np.ndarray, places: np.ndarray, x_height: float) -> tuple[np.ndarray, np.ndarray]:
    """How lines lean at places across the page (pixels down a pixel across), and how far to trust that (0.0 to 1.0)."""
    half = (places[-1] - places[0]) / _STRIP / 2
    coarse = np.arange(-_MOST_BENT, _MOST_BENT + 0.01, 0.3)
    slopes, weights = np.zeros(len(places)), np.zeros(len(places))
    for i, place in enumerate(places):
        near = np.abs(xs - place) < half
        if near.sum() < _FEWEST:
            continue
        sharpness = _sharpness(xs[near] - place, ys[near], x_height)
        scores = np.array([sharpness(float(a)) for a in coarse])
        best = float(coarse[int(scores.argmax())])
        clear = scores.max() / max(1.0, float(np.median(scores)))
        if clear < _CLEAR or abs(best) >= _MOST_BENT:
            continue
        fine = best + np.arange(-0.2, 0.21, 0.1)
        found = fine[int(np.argmax([sharpness(float(a)) for a in fine]))]
        slopes[i], weights[i] = math.tan(math.radians(float(found))), min(1.0, (clear - _CLEAR) / _CLEAR)
    return slopes, weights


def _smooth(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The smooth curve through some values, each with its weight: Whittaker's graduation (1923), flat without any."""
    n = len(values)
    curve = np.diff(np.eye(n), 2, axis=0)
    flat = np.diff(np.eye(n), axis=0)
    system = np.diag(weights) + _STIFF * curve.T @ curve + _LEVEL * flat.T @ flat + 1e-3 * np.eye(n)
    return np.linalg.solve(system, weights * values)
