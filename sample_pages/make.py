"""Draw the sample issue: a PDF of scanned pages and the index that says what is on them.

    python sample_pages/make.py              write both beside this script
    python sample_pages/make.py --out DIR    write them elsewhere
    python sample_pages/make.py --check      draw again and compare with the files beside this script

The same bytes come out every time; README.md says on what that depends.
"""

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image
from press.ageing import DPI, SCAN_HEIGHT, SCAN_WIDTH, Scan, on_scan, scan
from press.pages import draw_issue
from press.sheet import Sheet
from press.sources import MissingSource, changed_sources

HERE = Path(__file__).resolve().parent
DOC = "muestra_social1916_9_v1_n9"
FILES = (f"{DOC}.pdf", "index.json")
QUALITY = 76
"""Of the JPEG pictures: as low as scanners choose, high enough for reading."""

LICENCE = (
    "Text, drawings and layout: the project's own licence. Photographs: public domain, CC0, or CC BY 2.0 "
    "(danielbuechele/vultilion); see sample_pages/README.md"
)
SCANS = (
    Scan(0.4, (34, 30), True, 11),
    Scan(-0.7, (22, 38), False, 12),
    Scan(1.1, (36, 34), True, 13),
    Scan(-0.3, (26, 28), False, 14),
    Scan(-0.9, (32, 40), True, 15),
    Scan(0.6, (24, 32), False, 16),
    Scan(0.2, (38, 36), True, 17),
    Scan(-0.8, (28, 34), False, 18),
)
"""How each page lay on the scanner; odd pages have the spine at their left."""


def describe(sheet: Sheet, how: Scan, number: int) -> dict[str, Any]:
    """Return one entry of the index, with every box in pixels of the scan.

    Args:
        sheet: The printed page.
        how: How it lay on the scanner.
        number: Of the page in the PDF, from 1.
    """
    return {
        "source": "sample_pages",
        "file": FILES[0],
        "page": number,
        "width": SCAN_WIDTH,
        "height": SCAN_HEIGHT,
        "illustrations": [
            {"bbox_xyxy": list(on_scan(each.box, how)), "kind": each.kind, "keywords_es": list(each.keywords)}
            for each in sheet.illustrations
        ],
        "captions": [
            {
                "bbox_xyxy": list(on_scan(each.box, how)),
                "text": each.text,
                "illustrations": list(each.illustrations),
            }
            for each in sheet.captions
        ],
        "text_lines": [line.text for line in sheet.lines],
        "doc": DOC,
        "lang": "es",
        "licence": LICENCE,
    }


def as_jpeg(picture: Image.Image) -> bytes:
    """Return a scan as the JPEG file that a scanner would put into a PDF."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, dpi=(DPI, DPI), optimize=True)
    return buffer.getvalue()


def as_pdf(jpegs: list[bytes]) -> bytes:
    """Return a PDF with one picture on each page and nothing else: no text, no dates, a reproducible id."""
    pdf = pikepdf.new()
    points = (SCAN_WIDTH * 72 / DPI, SCAN_HEIGHT * 72 / DPI)
    for jpeg in jpegs:
        page = pdf.add_blank_page(page_size=points).obj
        picture = pdf.make_stream(
            jpeg,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=SCAN_WIDTH,
            Height=SCAN_HEIGHT,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=pikepdf.Name.DCTDecode,
        )
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
        page.Contents = pdf.make_stream(b"q %.4f 0 0 %.4f 0 0 cm /Im0 Do Q" % points)
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True, compress_streams=False)
    return buffer.getvalue()


def make(folder: Path) -> None:
    """Draw the issue and write its PDF and its index into a folder that exists."""
    sheets = draw_issue()
    jpegs, entries = [], []
    for nth, (sheet, how) in enumerate(zip(sheets, SCANS, strict=True)):
        reverse = sheets[nth + 1 if nth % 2 == 0 else nth - 1]
        jpegs.append(as_jpeg(scan(sheet, reverse, how)))
        entries.append(describe(sheet, how, nth + 1))
    (folder / FILES[0]).write_bytes(as_pdf(jpegs))
    text = json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
    (folder / FILES[1]).write_text(text, encoding="utf-8", newline="\n")


def differing(folder: Path) -> list[str]:
    """Draw the issue again and name the files in `folder` that are missing or have other bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch))
        return [
            name
            for name in FILES
            if not (folder / name).is_file() or (folder / name).read_bytes() != (Path(scratch) / name).read_bytes()
        ]


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="folder to write into")
    action.add_argument("--check", action="store_true", help="only compare; exit status 1 where something differs")
    arguments = parser.parse_args()
    try:
        for warning in changed_sources():
            print(f"Warning: {warning} The pages will not be identical to the committed ones.", file=sys.stderr)
        if arguments.check:
            names = differing(HERE)
            for name in names:
                print(f"{name} differs from what this script draws. Type: python sample_pages/make.py", file=sys.stderr)
            return 1 if names else 0
        arguments.out.mkdir(parents=True, exist_ok=True)
        make(arguments.out)
    except MissingSource as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
