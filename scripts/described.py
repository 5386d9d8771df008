#!/usr/bin/env python3
"""Write docs/descriptions.md: the first twenty described pictures, good and bad ones as they come.

For maintainers, after the models or the stages have changed: `python scripts/described.py`. It takes the sample issue
through `revista run` and writes its first ten pictures, with their images in docs/. Where `../shared/pages` is at hand
(`--shared`), the pictures of Moreno_026.pdf follow, then the engravings of the other chapbooks in the order of their
index, up to ten, with page, box and a link to where they are published: their images are other people's and go to
`--pictures`, outside of the repository. Without that folder the part about them is left as it stands.
"""

from __future__ import annotations

import argparse
import html
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from PIL import Image

from revista.evaluation.index import open_page, read_index
from revista.evaluation.keywords import describe_page
from revista.geometry import Box
from revista.images import crop, read_image
from revista.records import Description, Source
from revista.settings import load_settings
from revista.stages import Models
from revista.store import Archive
from revista.view import read_view

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "descriptions.md"
OWN_IMAGES = ROOT / "docs" / "images" / "described"
SAMPLE = ROOT / "sample_pages" / "muestra_social1916_9_v1_n9.pdf"
SIDE = 280  # pixels
HEAD = """# What revista says of pictures

The first {count} pictures of the sample issue, then the first {others} of real engravings, in order, none left out,
as the stages describe them with the models of the settings' profile ({models}). Written by
`python scripts/described.py`; see there. `vista` is a model's word, `pie` and `articulo` are print; below them the
alternative text.
"""
ENGRAVINGS = "\n## Engravings of chapbooks\n"
ABOUT = """
Spanish chapbooks of the 19th century from the collection Moreno, published by *Desenrollando el cordel*, University of
Geneva (<https://desenrollandoelcordel.unige.ch>, CC BY-SA 4.0). First what is found in `Moreno_026.pdf`, run as an
issue; then the engravings of other chapbooks, page by page, where they are found. The images are not ours to copy:
`python scripts/described.py --pictures FOLDER` writes them to FOLDER for those who have the files. Boxes are left, top,
right, bottom in pixels of the page image.
"""
ORIGIN = "https://desenrollandoelcordel.unige.ch/Pliegos/{doc}.xml"


def lines(said: Description | None) -> list[str]:
    """What is said of a picture, in Markdown."""
    if said is None:
        return ["- (not described)"]
    found = []
    for sentence in said.sentences:
        found.append(f"- `{sentence.source.value}` {html.escape(sentence.text, quote=False)}")
        found += [f"  - *{f.kind.value}* {f.term or ''}: {html.escape(f.note, quote=False)}" for f in sentence.flags]
    if said.undescribed and not any(s.source is Source.SEEN for s in said.sentences):
        found.append(f"- (no model's sentence: {html.escape(said.undescribed, quote=False)})")
    return [*found, f"- alt: {html.escape(said.alt, quote=False)}"]


def save(image: Path, box: Box, file: Path) -> None:
    """Write a picture of a page, small."""
    part = Image.fromarray(crop(read_image(image), box))
    part.thumbnail((SIDE, SIDE))
    file.parent.mkdir(parents=True, exist_ok=True)
    part.save(file, quality=80)


def described(pdf: Path, scratch: Path) -> Iterator[tuple[str, int, Path, Box, Description | None]]:
    """The pictures of an issue after `revista run`: id, page, page image, box, description."""
    folder = scratch / pdf.stem
    subprocess.run(
        [sys.executable, "-m", "revista.cli", "run", str(pdf), "--archive", str(folder)], check=True, cwd=ROOT
    )
    archive = Archive(folder)
    for issue in archive.issues():
        for page in read_view(archive, issue).pages:
            if page.pages is not None and page.pages.image is not None:
                image = archive.page_image(issue, page.pages.image)
                yield from ((one.id, page.number, image, one.box, one.description) for one in page.pictures)


def sample(scratch: Path, most: int) -> list[str]:
    """The part about the sample issue."""
    parts = []
    for old in OWN_IMAGES.glob("*.jpg"):
        old.unlink()
    for name, _, image, box, said in islice(described(SAMPLE, scratch), most):
        save(image, box, OWN_IMAGES / f"{name}.jpg")
        parts.append("\n".join([f"\n## {name}\n", f"![{name}](images/described/{name}.jpg)\n", *lines(said)]))
    return parts


def engravings(shared: Path, scratch: Path, pictures: Path | None, most: int) -> list[str]:
    """The part about real engravings."""
    found = islice(_engravings(shared, scratch), most)
    parts = []
    for doc, page, image, box, said in found:
        name = f"{doc}, page {page}, {', '.join(map(str, box))}"
        if pictures is not None:
            save(image, box, pictures / f"{doc}_{page}_{box.left}_{box.top}.jpg")
        parts.append("\n".join([f"\n### {name}\n", f"[{doc}]({ORIGIN.format(doc=doc)})\n", *lines(said)]))
    return parts


def _engravings(shared: Path, scratch: Path) -> Iterator[tuple[str, int, Path, Box, Description | None]]:
    pdf = shared / "pages" / "pdf" / "Moreno_026.pdf"
    for _, page, image, box, said in described(pdf, scratch):
        yield pdf.stem, page, image, box, said
    settings = load_settings()
    models = Models(settings)
    for entry in read_index(shared / "pages" / "index.json"):
        if entry.source == "moreno" and entry.doc != pdf.stem and entry.illustrations:
            image, record = open_page(entry, scratch)
            for said in describe_page(image, record, settings, models)[0]:
                yield entry.doc, record.number, image, said.box, said


def main() -> None:
    """Describe, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="default: ../shared")
    parser.add_argument("--pictures", type=Path, help="a folder outside of the repository for other people's images")
    parser.add_argument("--most", type=int, default=10, help="pictures of the sample, and with them twice as many")
    given = parser.parse_args()
    if given.pictures is not None and given.pictures.resolve().is_relative_to(ROOT.resolve()):
        parser.error("--pictures lies in the repository: those images are other people's")
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        own = sample(Path(scratch), given.most)
        if (given.shared / "pages" / "index.json").exists():
            others = engravings(given.shared, Path(scratch), given.pictures, 2 * given.most - len(own))
            rest = ENGRAVINGS + ABOUT + "\n".join(others) + "\n"
        else:
            print(f"{given.shared}/pages is not there: the engravings are left as they stand", file=sys.stderr)
            rest = ENGRAVINGS + PAGE.read_text("utf-8").partition(ENGRAVINGS)[2]
    models = " and ".join(filter(None, (settings.captions.model, settings.ranking.model))) or "none"
    head = HEAD.format(count=len(own), others=rest.count("\n### "), models=models)
    PAGE.write_text(head + "\n".join(own) + "\n" + rest, "utf-8")


if __name__ == "__main__":
    main()
