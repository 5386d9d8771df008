"""Pictures with captions to learn from: a folder or zip of images, `captions.tsv`, and lists of each split.

`captions.tsv` has a heading and three columns, `image`, `n` and `caption`; `train.txt`, `dev.txt` and `test.txt` hold
one image's name a line.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from revista.errors import BadArguments, BadInput

SIDE = 224


@dataclass(frozen=True)
class CaptionData:
    """A data set on disk."""

    images: Path  # a folder, or a zip
    captions: Path  # captions.tsv
    splits: Path  # the folder of train.txt, dev.txt, test.txt

    def names(self, split: str) -> list[str]:
        """The images of `train`, `dev` or `test`.

        Raises:
            BadInput: there is no such list, or it is empty.
        """
        file = self.splits / f"{split}.txt"
        try:
            found = file.read_text("utf-8").split("\n")
        except OSError as error:
            raise BadInput(f"{file}: {error.strerror}", "Write one image's name a line into it.") from error
        names = [name.strip() for name in found if name.strip()]
        if not names:
            raise BadInput(f"{file} names no image", "Write one image's name a line into it.")
        return names

    @cached_property
    def texts(self) -> dict[str, list[str]]:
        """The captions of each image, as written.

        Raises:
            BadInput: the file cannot be read as captions.tsv.
        """
        found: dict[str, list[str]] = {}
        try:
            with self.captions.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if not {"image", "caption"} <= set(rows.fieldnames or ()):
                    raise KeyError("image, caption")
                for row in rows:
                    found.setdefault(row["image"], []).append(row["caption"].strip())
        except (OSError, KeyError, AttributeError, UnicodeDecodeError) as error:
            raise BadInput(
                f"{self.captions}: not a table of captions: {error!r}", "Its heading is image, n, caption, with tabs."
            ) from error
        return found

    def read(self, name: str) -> np.ndarray:
        """An image, (height, width, 3) uint8 RGB.

        Raises:
            BadInput: it is not there, or no image.
        """
        try:
            data = self._zip.read(name) if self._zip else (self.images / name).read_bytes()
        except (OSError, KeyError) as error:
            raise BadInput(f"{name} is not in {self.images}", "Check the split lists against the images.") from error
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise BadInput(f"{name} in {self.images} is no image that can be read", "Take it out of the split lists.")
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    @cached_property
    def _zip(self) -> zipfile.ZipFile | None:
        return zipfile.ZipFile(self.images) if self.images.suffix == ".zip" else None

    def __getstate__(self) -> dict[str, object]:
        """Without the open zip: each process opens its own."""
        return {key: value for key, value in self.__dict__.items() if key != "_zip"}


def open_data(folder: Path, images: Path | None = None) -> CaptionData:
    """The data set in `folder`.

    Args:
        folder: holds captions.tsv and the split lists.
        images: folder or zip; where it is None, `folder` must hold one zip or a folder `images`.

    Raises:
        BadArguments: there is no such folder, or no images in it.
    """
    if images is None:
        found = [*sorted(folder.glob("*.zip")), *(f for f in [folder / "images"] if f.is_dir())]
        if len(found) != 1:
            raise BadArguments(f"{folder} holds {len(found)} zips or folders of images", "Name one with --images.")
        images = found[0]
    if not images.exists():
        raise BadArguments(f"{images}: no such folder or zip", "Check the path given to --images.")
    return CaptionData(images, folder / "captions.tsv", folder)


def squeeze(image: np.ndarray) -> np.ndarray:
    """The whole image as (224, 224, 3)."""
    if image.shape[:2] == (SIDE, SIDE):
        return image
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def random_view(image: np.ndarray, rng: np.random.Generator, smallest: float = 0.35) -> np.ndarray:
    """A part of the image at (224, 224, 3), perhaps mirrored and in other tones.

    Args:
        image: (height, width, 3) uint8.
        rng: what chance there is.
        smallest: the least share of the area that is kept; in a quarter of the cases all is.
    """
    height, width = image.shape[:2]
    if rng.random() > 0.25:
        share, ratio = rng.uniform(smallest, 1.0), np.exp(rng.uniform(-0.3, 0.3))
        w = min(width, round(width * np.sqrt(share * ratio)))
        h = min(height, round(height * np.sqrt(share / ratio)))
        left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        image = image[top : top + h, left : left + w]
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.5:
        factors = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, (1, 3))
        tones = np.clip(np.arange(256)[:, None] * factors + rng.uniform(-20, 20), 0, 255)
        image = cv2.LUT(np.ascontiguousarray(image), tones.astype(np.uint8)[None])
    return np.ascontiguousarray(image)
