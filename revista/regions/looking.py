"""What a found picture shows of how it is made, at the scan's own resolution: for a second look at each.

On a page of 384 pixels a sharp photograph and a wood engraving look alike. Closer by they differ: a photograph is made
of even tones between ink and paper, through a screen perhaps; a drawing of strokes with bare paper between them. So
tones are counted together with how much they change nearby, in the whole picture, in its detail, and there once more
with the screen softened away: joint histograms, as those of Haralick et al. (1973), "Textural features for image
classification".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from revista.errors import MissingWeights
from revista.geometry import Box
from revista.records import Look
from revista.regions.decoding import LOOKS
from revista.regions.ink import Print

WHOLE = 96  # pixels: sides of the whole picture, made small
DETAIL = 128  # pixels: sides of its detail, four windows of half as much
FEATURES = 130  # measures of a picture
_INSETS = (1 / 16, 1 / 6)  # of the shorter side: what is left out around a picture, at each of two looks
_LONGEST = 512  # pixels of the picture's longer side, of which the windows are cut
_RING = 0.06  # of its sides: how much of the paper around it is looked at
_TONES = np.array([0.2, 0.4, 0.6, 0.75, 0.85, 0.93])  # between ink (0) and paper (1)
_CHANGES = np.array([0.06, 0.15, 0.35])  # between the lightest and the darkest nearby, on the same scale
_LEAST_SPAN = 8.0  # grey values from ink to paper, at least
_USUAL = {Look.PHOTOGRAPH: 0.89, Look.DRAWING: 0.89, Look.ADVERTISEMENT: 0.09, Look.ORNAMENT: 0.02}
"""How often pictures have a look, of those learnt from; photographs and drawings together."""
_IN_NOTICES = 0.02  # share of advertisements at least, whatever the measures say: any picture may stand in a notice
_SAYS = 0.05  # share of a picture that is lines of print from which it may be an advertisement by its own look
_DOUBT = 0.05  # how far the usual looks count beside what the measures hardly tell apart
_LEAST_SHARE = 0.01  # of a look on the page: what is less is as little
_FINEST, _COARSEST = 0.1, 0.45  # cycles a pixel that a screen may have


def features(page: np.ndarray, box: Box) -> np.ndarray:
    """What can be measured of a picture, (FEATURES,) float32.

    Args:
        page: (height, width, 3) uint8 RGB.
        box: of the picture, of at least one pixel, on it.
    """
    picture = page[box.top : box.bottom, box.left : box.right]
    whole = cv2.resize(picture, (WHOLE, WHOLE), interpolation=cv2.INTER_AREA)
    small, detail = cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY), _detail(picture)
    ring = _ring(page, box)
    ink = float(np.quantile(np.concatenate([small.ravel(), detail.ravel()]), 0.02))
    paper = float(np.quantile(np.concatenate([small.ravel(), detail.ravel(), ring]), 0.98))
    span = max(_LEAST_SPAN, paper - ink)
    even, fine, around = (np.clip((g.astype(np.float32) - ink) / span, 0, 1) for g in (small, detail, ring))
    even, fine = even.astype(np.float32), fine.astype(np.float32)
    soft, softer = (cv2.GaussianBlur(fine, (0, 0), width) for width in (1.0, 2.0))  # scans differ in sharpness
    counted = [_joint(even, 3), _joint(soft, 3), _joint(soft, 9), _joint(softer, 3)]
    return np.concatenate(
        [
            np.sqrt(np.concatenate(counted)),
            _colour(whole),
            _strokes(soft),
            _screen(fine),
            [_symmetry(even), np.log(box.width / box.height), np.median(around), span / 255],
            [part.mean() for part in (even[:4], even[-4:], even[:, :4], even[:, -4:], even[32:64, 32:64])],
        ]
    ).astype(np.float32)


def _detail(picture: np.ndarray) -> np.ndarray:
    """(DETAIL, DETAIL) uint8 grey: one window from the middle of each quarter of the picture."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    factor = min(1.0, _LONGEST / max(grey.shape))
    if factor < 1:
        size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    down, across = (max(0, DETAIL - side) for side in grey.shape)
    grey = cv2.copyMakeBorder(grey, 0, down, 0, across, cv2.BORDER_REFLECT)
    rows, columns = (_windows(side) for side in grey.shape)
    return np.concatenate([np.concatenate([grey[r, c] for c in columns], axis=1) for r in rows])


def _windows(side: int) -> tuple[slice, slice]:
    """Two windows of half the detail's side, a quarter of what is left over from either end."""
    half, away = DETAIL // 2, (side - DETAIL) // 4
    return slice(away, away + half), slice(side - away - half, side - away)


def _ring(page: np.ndarray, box: Box) -> np.ndarray:
    """Some grey values of what stands around a picture; of its edge where that is the page's."""
    height, width = page.shape[:2]
    across, down = max(1, round(_RING * box.width)), max(1, round(_RING * box.height))
    rows = [max(0, box.top - down), min(height - 1, box.bottom - 1 + down)]
    columns = [max(0, box.left - across), min(width - 1, box.right - 1 + across)]
    lines = [page[row, columns[0] : columns[1] + 1] for row in rows]
    lines += [page[rows[0] : rows[1] + 1, column] for column in columns]
    found = [cv2.resize(cv2.cvtColor(line[None], cv2.COLOR_RGB2GRAY), (256, 1)) for line in lines]
    return np.concatenate([line.ravel() for line in found])


def _joint(tones: np.ndarray, size: int) -> np.ndarray:
    """The share of places with each tone and each change within `size` pixels, one after the other."""
    kernel = np.ones((size, size), np.uint8)
    change = cv2.dilate(tones, kernel) - cv2.erode(tones, kernel)
    tone = np.searchsorted(_TONES, cv2.blur(tones, (size, size)))
    cells = tone * (len(_CHANGES) + 1) + np.searchsorted(_CHANGES, change)
    return np.bincount(cells.ravel(), minlength=(len(_TONES) + 1) * (len(_CHANGES) + 1)) / tones.size


def _colour(whole: np.ndarray) -> np.ndarray:
    """How much the colours differ from the commonest one, and how much each axis of them varies."""
    lab = cv2.cvtColor(whole, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32)
    away = np.abs(lab - np.median(lab, axis=(0, 1))).mean()
    return np.log1p([away, *lab.std(axis=(0, 1))])


def _strokes(fine: np.ndarray) -> np.ndarray:
    """How far edges nearby run one way, and quantiles of their strength: the structure tensor (Förstner 1987)."""
    x, y = cv2.Sobel(fine, cv2.CV_32F, 1, 0), cv2.Sobel(fine, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), 4) for product in (x * x, y * y, x * y))
    strength = xx + yy + 1e-4
    one_way = np.hypot(xx - yy, 2 * xy).sum() / strength.sum()
    return np.array([one_way, *np.quantile(strength, (0.1, 0.5, 0.9))])


def _screen(fine: np.ndarray) -> np.ndarray:
    """How far the strongest frequency stands out, and the one across it: dots of a screen have both, strokes one."""
    half = DETAIL // 2
    windows = [fine[r : r + half, c : c + half] for r in (0, half) for c in (0, half)]
    taper = np.outer(np.hanning(half), np.hanning(half))
    spectra = [np.abs(np.fft.fft2((w - cv2.GaussianBlur(w, (0, 0), 2.0)) * taper)) for w in windows]
    spectrum = np.sum(spectra, axis=0)
    reach = np.fft.fftfreq(half)
    frequency = np.hypot(reach[:, None], reach[None, :])
    within = (frequency > _FINEST) & (frequency < _COARSEST)
    usual = float(np.median(spectrum[within])) + 1e-6
    row, column = np.unravel_index(np.where(within, spectrum, 0).argmax(), spectrum.shape)
    across = [spectrum[(column + i) % half, (-row + j) % half] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.log([spectrum[row, column] / usual + 1, max(across) / usual + 1])


def _symmetry(even: np.ndarray) -> float:
    """How far the right half mirrors the left, -1 to 1: ornaments do."""
    away = even - even.mean()
    return float((away * away[:, ::-1]).mean() / max(1e-4, float((away * away).mean())))


def settled(own: np.ndarray, on_page: np.ndarray, print_in_it: float) -> Look:
    """The likeliest look by a picture's own measures and by what the page network sees around it, by Bayes' rule.

    Args:
        own: (looks,) shares by the measures. Their word on advertisements counts only where there is print in the
            picture; else it is dealt out to the other looks, as likely as they are.
        on_page: (looks,) shares by the page network. Its word on photograph or drawing does not count: these it cannot
            tell apart where they are sharp.
        print_in_it: share of the picture that is lines of print.
    """
    usual = np.array([_USUAL[look] for look in LOOKS])
    sells = np.array([look is Look.ADVERTISEMENT for look in LOOKS])
    if print_in_it < _SAYS:
        others = np.where(sells, 0.0, own + _DOUBT * usual)
        own = np.where(sells, 0.0, own) + own[sells].sum() * others / others.sum()
    tone = [LOOKS.index(look) for look in (Look.PHOTOGRAPH, Look.DRAWING)]
    around = np.maximum(on_page, _LEAST_SHARE)
    around[tone] = around[tone].sum()
    least = np.where(sells, _IN_NOTICES, 0.0)
    return LOOKS[int((np.maximum(own, least) * around / usual).argmax())]


class SecondLook:
    """The small network that tells looks by these features, run by onnxruntime."""

    def __init__(self, file: Path) -> None:
        """Load it; raises `MissingWeights` where the file is not there, or is no network of this kind."""
        self._session = session(file)
        if [i.shape[1:] for i in self._session.get_inputs()] != [[FEATURES]]:
            raise MissingWeights(
                f"{file} is not a network that `revista train looks` makes", "Copy the folder of the weights again."
            )

    def looks(self, page: np.ndarray, boxes: list[Box], shares: list[np.ndarray], printed: Print | None) -> list[Look]:
        """The look of each picture of a page.

        Args:
            page: (height, width, 3) uint8 RGB.
            boxes: the pictures, each of at least one pixel, on it.
            shares: (looks,) of each, as the page network sees it.
            printed: what is printed on the page, where that can be told.
        """
        if not boxes:
            return []
        rows = [features(page, part) for box in boxes for part in _parts(box)]
        (logits,) = self._session.run(None, {"features": np.stack(rows)})
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        own = chances / chances.sum(axis=1, keepdims=True)
        own = own.reshape(len(boxes), len(_INSETS), -1).mean(axis=1)
        print_in = [_print_in(box, printed) for box in boxes]
        return [settled(*told) for told in zip(own, shares, print_in, strict=True)]


def _print_in(box: Box, printed: Print | None) -> float:
    """The share of a box that is lines of print."""
    if printed is None:
        return 0.0
    small = printed.part(box)
    return float(printed.text[small.top : small.bottom, small.left : small.right].mean()) if small.area else 0.0


def _parts(box: Box) -> list[Box]:
    """What of a picture is looked at: frames, paper around an oval and loose edges say little about it."""
    return [box.grow(-round(share * min(box.width, box.height))) for share in _INSETS]


def session(file: Path) -> Any:
    """A network in a file, on one thread, since pages run side by side; raises `MissingWeights` for anything else."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base
        raise MissingWeights(
            f"the weights at {file} cannot be read as ONNX: {str(error).strip().partition(chr(10))[0]}",
            f"Copy {file.name} again, or train it: revista train regions.",
        ) from error
