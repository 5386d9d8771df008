"""Endless pages to learn from: composed, printed and aged by chance, with the truth of what is where.

`words` and `pictures` make what is printed, `canvas` and `parts` set it, `layouts` compose pages, `ageing` does what
press, years and scanner do. The same seed gives the same page, whatever was made before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from revista.errors import BadArguments
from revista.training.data import CaptionData
from revista.training.pages.ageing import aged
from revista.training.pages.canvas import PICTURES, Canvas, Item
from revista.training.pages.layouts import LAYOUTS
from revista.training.pages.parts import Press
from revista.training.pages.pictures import Photographs
from revista.training.pages.words import Words

__all__ = ["PICTURES", "Item", "from_captions", "page", "write"]

_HIDDEN = 0.1  # of a caption's box
_SMALLEST = 0.012  # of the page's height: what comes out smaller is not asked for


def page(
    seed: int, source: Photographs, height: int = 1000, low: bool = True, layouts: Sequence[str] = ()
) -> tuple[np.ndarray, tuple[Item, ...]]:
    """A page of a magazine, chapbook or album.

    Args:
        seed: decides everything.
        source: where photographs come from.
        height: of the sheet in pixels.
        low: see `revista.training.pages.ageing.aged`; the scan is then 480 to `height` pixels high.
        layouts: names of functions in `layouts` to choose from; empty for all, as often as they say.

    Returns:
        The scan, (height, width, 3) uint8 RGB, and what is on it, in its pixels. Boxes of pictures include their
        frames; a collage is one photograph with items of the kind `part`.
    """
    rng = np.random.default_rng((seed, 1916))
    chosen = [(make, often) for make, often in LAYOUTS if not layouts or make.__name__ in layouts]
    if not chosen:
        known = ", ".join(make.__name__ for make, _ in LAYOUTS)
        raise BadArguments(f"there is no kind of page {' or '.join(layouts)}", f"Kinds of pages: {known}.")
    shares = np.array([often for _, often in chosen])
    make = chosen[int(rng.choice(len(chosen), p=shares / shares.sum()))][0]
    wide = {"album": (1.15, 1.45), "loose": (0.65, 1.5)}.get(make.__name__, (0.66, 0.82))
    canvas = Canvas(round(height * rng.uniform(*wide)), height, rng)
    size = rng.uniform(9.5, 16)
    press = Press(canvas, Words(rng), source, rng, size, size * rng.uniform(1.08, 1.35), bool(rng.random() < 0.6))
    make(press)
    scan, boxes = aged(canvas.array(), [item.box for item in canvas.items], rng, low)
    return scan, _kept(canvas.items, boxes, _SMALLEST * scan.shape[0])


def _kept(items: Sequence[Item], boxes: Sequence[object], smallest: float) -> tuple[Item, ...]:
    """The items that can be seen, with their boxes on the scan and their places counted anew.

    Left out are those that are too small, and captions over which a picture was printed.
    """
    pairs = [(i, item.model_copy(update={"box": box})) for i, (item, box) in enumerate(zip(items, boxes, strict=True))]
    pairs = [(i, item) for i, item in pairs if item.box.area and max(item.box.width, item.box.height) >= smallest]
    pairs = [(i, item) for i, item in pairs if not _printed_over(i, items)]
    place = {old: new for new, (old, _) in enumerate(pairs)}
    return tuple(item.model_copy(update={"of": tuple(place[k] for k in item.of if k in place)}) for _, item in pairs)


def _printed_over(place: int, items: Sequence[Item]) -> bool:
    """Whether the item is a caption of which a later picture hides a part."""
    box = items[place].box
    later = [item.box for item in items[place + 1 :] if item.kind in PICTURES or item.kind == "part"]
    return items[place].kind == "caption" and any(box.coverage_by(other) > _HIDDEN for other in later)


def from_captions(data: CaptionData, split: str = "train") -> Photographs:
    """The photographs of a split as a source for pages."""
    names = data.names(split)
    return lambda rng: data.read(names[int(rng.integers(len(names)))])


def write(
    out: Path,
    count: int,
    seed: int,
    source: Photographs,
    height: int,
    low: bool,
    layouts: Sequence[str] = (),
    on_page: Callable[[], None] = lambda: None,
) -> Path:
    """Write `count` pages as JPEG with an index as docs/formats.md describes it; gives the index's file.

    Raises:
        BadArguments: `out` holds something already.
    """
    if out.is_dir() and any(out.iterdir()):
        raise BadArguments(f"{out} is not empty", "Name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for number in range(count):
        scan, items = page(seed * 1_000_003 + number, source, height, low, layouts)
        name = f"{seed}_{number:05d}.jpg"
        cv2.imwrite(str(out / name), cv2.cvtColor(scan, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
        entries.append(_entry(name, scan, items))
        on_page()
    index = out / "index.json"
    index.write_text(json.dumps(entries, ensure_ascii=False), "utf-8")
    return index


def _entry(name: str, scan: np.ndarray, items: Sequence[Item]) -> dict[str, object]:
    pictures = [i for i, item in enumerate(items) if item.kind in PICTURES]
    place = {i: k for k, i in enumerate(pictures)}
    return {
        "source": "generated",
        "file": name,
        "width": scan.shape[1],
        "height": scan.shape[0],
        "lang": "es",
        "illustrations": [
            {
                "bbox_xyxy": list(items[i].box),
                "kind": items[i].kind,
                "parts": [list(part.box) for part in items if part.kind == "part" and i in part.of],
            }
            for i in pictures
        ],
        "captions": [
            {"bbox_xyxy": list(c.box), "text": c.text, "illustrations": [place[i] for i in c.of if i in place]}
            for c in items
            if c.kind == "caption" and c.text
        ],
        "others": [
            {"bbox_xyxy": list(item.box), "kind": item.kind}
            for item in items
            if item.kind in ("title", "text", "furniture") or (item.kind == "caption" and not item.text)
        ],
    }
