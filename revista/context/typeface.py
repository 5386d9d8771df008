"""How large a type is and how wide it runs.

The latter tells a caption's type from that of the prose below where both are nearly of one height.

Heights of words are whole pixels, some 20 of them, so that types that differ by a tenth can hardly be told apart by
them. Widths add up: over a line of 30 letters and more, the width of the words divided by that of the same letters in
an average roman type varies by 1.3 % (standard deviation over 568 lines of generated pages read by Tesseract).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from revista.geometry import Box

_DESCENDERS = frozenset("gjpqyçQ,;()[]|")
_ACCENTED = frozenset("ÁÉÍÓÚÜÑ")
_LOW = frozenset("acemnorsuvwxzñ.:-")
OTHER_TYPE = 0.05  # by how much types differ in breadth that are not the same
_LETTERS = 8  # from which a breadth says something
_NOISE = 0.075  # standard deviation of the breadth of one letter; that of n letters is smaller by their root

# Widths in ems as roman text types have them, grouped; what is not named is 0.5, capitals 0.67.
_GROUPS = {"iljítI.,;:!|'¡’": 0.28, "fr-()[]J": 0.34, "sS": 0.4, "aceázéç¿?": 0.45, "m—": 0.8, "wMW…": 0.85}
_WIDTHS = {sign: width for signs, width in _GROUPS.items() for sign in signs}


@dataclass(frozen=True)
class Breadth:
    """How wide the type of some words runs; that of several passages is the sum.

    Letterspaced and bold type is broader than roman of the same size, italic narrower.
    """

    letters: int = 0
    extent: float = 0.0  # width of the words, in pixels
    usual: float = 0.0  # width that they usually have, in ems

    def __add__(self, other: Breadth) -> Breadth:
        return Breadth(self.letters + other.letters, self.extent + other.extent, self.usual + other.usual)

    @property
    def value(self) -> float:
        """Pixels an em; 0.0 where there are too few letters to say."""
        return self.extent / self.usual if self.letters >= _LETTERS and self.usual else 0.0

    def differs(self, other: Breadth, by: float) -> bool:
        """Whether both are known and differ by more than a share of the smaller one, and by more than chance would."""
        low, high = sorted((self.value, other.value))
        if not low:
            return False
        chance = 3 * _NOISE * math.sqrt(1 / self.letters + 1 / other.letters)
        return high > (1 + max(by, chance)) * low


def em_of(text: str, height: int) -> float:
    """The em in pixels of a word whose ink is `height` pixels high.

    Letters tell how much of the em their ink fills: about 0.73 above the baseline for capitals, digits and ascenders,
    0.48 for small letters without, 0.2 more for accents on capitals, and 0.22 below it for descenders (usual
    proportions of roman types).
    """
    above = 0.48 if set(text) <= _LOW | _DESCENDERS - set("Q()[]|") else 0.73
    above += 0.2 if set(text) & _ACCENTED else 0.0
    return height / min(1.0, above + (0.22 if set(text) & _DESCENDERS else 0.0))


def breadth_of(words: Iterable[tuple[str, Box]]) -> Breadth:
    """The breadth of some words, texts with their upright boxes."""
    pairs = list(words)
    return Breadth(
        sum(len(text) for text, _ in pairs),
        float(sum(box.width for _, box in pairs)),
        sum(_WIDTHS.get(sign, 0.67 if sign.isupper() else 0.5) for text, _ in pairs for sign in text),
    )
