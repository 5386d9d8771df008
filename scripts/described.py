#!/usr/bin/env python3
"""Write docs/descriptions.md: the first described pictures of an archive, good and bad ones as they come.

For maintainers: `python scripts/described.py ARCHIVE [--most 20]` after `make run`. Pictures are copied into the page's
folder, so only an archive of our own sample pages may be shown.
"""

from __future__ import annotations

import argparse
import html
from itertools import islice
from pathlib import Path

from PIL import Image

from revista.images import crop, read_image
from revista.records import Source
from revista.store import Archive
from revista.view import PictureView, read_view

DOCS = Path(__file__).parents[1] / "docs"
SIDE = 280  # pixels
HEAD = """# What revista says of pictures

The first {count} pictures of the sample issue in their order, none left out, as `make run` describes them with the
compact models. Written by `python scripts/described.py {archive}`; see there. `vista` is a model's word, `pie` and
`articulo` are print.
"""


def entry(archive: Archive, issue: str, picture: PictureView) -> str:
    """One picture in Markdown; its image goes to `images/described`."""
    page = read_view(archive, issue).pages[picture.page - 1]
    if page.pages is None or page.pages.image is None:
        raise SystemExit(f"{issue}: page {picture.page} has no image")
    file = DOCS / "images" / "described" / f"{picture.id}.jpg"
    image = Image.fromarray(crop(read_image(archive.page_image(issue, page.pages.image)), picture.box))
    image.thumbnail((SIDE, SIDE))
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file, quality=80)
    said = picture.description
    lines = [f"- `{s.source.value}` {html.escape(s.text, quote=False)}" for s in said.sentences] if said else []
    if said and said.undescribed and not any(s.source is Source.SEEN for s in said.sentences):
        lines.append(f"- (no model's sentence: {html.escape(said.undescribed, quote=False)})")
    return "\n".join([f"\n## {picture.id}\n", f"![{picture.id}](images/described/{file.name})\n", *lines])


def main() -> None:
    """Read the archive, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--most", type=int, default=20)
    given = parser.parse_args()
    archive = Archive(given.archive)
    shown = [
        entry(archive, issue, picture)
        for issue in archive.issues()
        for page in read_view(archive, issue).pages
        for picture in page.pictures
    ]
    kept = list(islice(shown, given.most))
    text = HEAD.format(count=len(kept), archive=given.archive.name) + "\n".join(kept) + "\n"
    (DOCS / "descriptions.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
