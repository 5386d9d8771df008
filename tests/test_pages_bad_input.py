"""Stage 1 on damaged files, false claims, programs that fail, and a collection of PDFs that break readers."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from revista import pages
from revista.errors import BadInput, Category, MissingProgram, StorageError
from revista.records import Page
from revista.settings import PagesSettings
from tests.pdfs import (
    FULL,
    INVISIBLE,
    NOT_ONLY,
    OPTIONS,
    SCAN_ONLY,
    SHARED,
    add_page,
    as_rgb,
    image_stream,
    jpeg,
    layered,
    needs_shared,
    of_jpeg,
    of_pixels,
    one_page,
    picture,
    pixels,
    run,
    save,
)


def only_problem(page: Page) -> Any:
    assert page.image is None and page.width == 0
    (problem,) = page.problems
    return problem


def test_nothing_in_the_jpeg(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture(), b"\xff\xd8 not a JPEG"))
    assert only_problem(run(pdf)).category is Category.BAD_INPUT


def test_no_data_at_all(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: image_stream(pdf, b"", (200, 300), ColorSpace=Name.DeviceGray))
    assert "no data" in only_problem(run(pdf)).message


@pytest.mark.parametrize("codec", [Name.JPXDecode, Name.JBIG2Decode, Name.FlateDecode])
def test_nonsense_instead_of_a_scan(tmp_path: Path, codec: Name) -> None:
    nonsense = random.Random(7).randbytes(5000)
    with pikepdf.new() as pdf:
        add_page(pdf, FULL, [image_stream(pdf, nonsense, (200, 300), ColorSpace=Name.DeviceGray, Filter=codec)])
        file = save(pdf, tmp_path / "a.pdf", compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert only_problem(run(file)).category is Category.BAD_INPUT


def test_nothing_in_two_jpegs(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        halves = [of_jpeg(pdf, picture(), b"\xff\xd8 not a JPEG") for _ in range(2)]
        add_page(pdf, NOT_ONLY["two images"].replace("0 150 cm /Im0", "0 150 cm /Im1"), halves)
        file = save(pdf, tmp_path / "a.pdf")
    assert only_problem(run(file)).category is Category.BAD_INPUT


def test_half_a_jpeg_is_kept_and_told(tmp_path: Path) -> None:
    data = jpeg(picture())
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture(), data[: len(data) // 2]))
    page = run(pdf)
    assert (page.image, [p.category for p in page.problems]) == ("0001.png", [Category.REDUCED])
    assert np.abs(pixels(pdf, page)[:100] - as_rgb(picture())[:100]).mean() < 5


@pytest.mark.parametrize("box", [(0, 0, 612, 2**31), (0, 0, 2**31, 2**31), (0, 0, 0.01, 5000), (0, 0, 1e12, 1e12)])
def test_claims_that_no_page_can_keep(tmp_path: Path, box: tuple[float, ...]) -> None:
    with pikepdf.new() as pdf:
        numbers = [pikepdf.Object.parse(f"{v:f}".encode()) for v in box]
        add_page(pdf, "BT /F1 20 Tf 50 200 Td (Habana) Tj ET", box=numbers)
        file = save(pdf, tmp_path / "a.pdf")
    page = run(file, options=PagesSettings())
    assert page.image or only_problem(page).category is Category.TOO_LARGE
    assert (page.image is None) == (max(box) > 5000)


def test_too_many_pixels_are_reduced_and_told(tmp_path: Path) -> None:
    pdf = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture("RGB", 400, 600)), f"{FULL} {INVISIBLE}")
    page = run(pdf, options=PagesSettings(max_pixels=60_000))
    assert (page.width, page.height, page.origin, page.dpi) == (199, 299, "rendered", 71.64)
    (problem,) = page.problems
    assert problem.category is Category.REDUCED
    assert "400 x 600" in problem.message and "199 x 299" in problem.message
    assert page.text_layer[0].box.left in (49, 50)
    (tmp_path / "b").mkdir()
    drawn = run(layered(tmp_path / "b", NOT_ONLY["a stamp"]), options=PagesSettings(max_pixels=10_000))
    assert drawn.width * drawn.height <= 10_000
    assert [p.category for p in drawn.problems] == [Category.REDUCED]


def test_bombs_are_refused(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        add_page(pdf, "")
        pdf.pages[0].Contents = pdf.make_stream(b" " * 270_000_000)
        add_page(pdf, FULL, [image_stream(pdf, b"\0" * 9, (2**31 - 1, 2**31 - 1), 1, ColorSpace=Name.DeviceGray)])
        add_page(pdf, "/Im0 Do", [image_stream(pdf, b"\0" * 9, (-5, 7), 1, ColorSpace=Name.DeviceGray)])
        form = pdf.make_stream(b"/Im0 Do /Im0 Do")
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 200, 300])
        form.Resources = Dictionary(XObject=Dictionary(Im0=form))
        add_page(pdf, "/Im0 Do", [form])
        file = save(pdf, tmp_path / "a.pdf")
    for number in range(1, 5):
        run(file, number)


def broken_files(folder: Path) -> dict[str, tuple[Path, str]]:
    whole = one_page(folder, lambda pdf: of_jpeg(pdf, picture())).read_bytes()
    (folder / "empty.pdf").touch()
    (folder / "text.pdf").write_text("not a PDF")
    (folder / "folder.pdf").mkdir()
    (folder / "cut.pdf").write_bytes(whole[:200])
    with pikepdf.new() as pdf:
        save(pdf, folder / "no_pages.pdf")
        add_page(pdf, FULL, [of_jpeg(pdf, picture())])
        locked = pikepdf.Encryption(user="llave", owner="otra")
        save(pdf, folder / "locked.pdf", encryption=locked, static_id=False)
    return {
        "missing": (folder / "missing.pdf", "no such file"),
        "empty": (folder / "empty.pdf", "empty"),
        "text": (folder / "text.pdf", "not a readable PDF"),
        "folder": (folder / "folder.pdf", "folder"),
        "cut": (folder / "cut.pdf", "not a readable PDF|pages"),
        "no pages": (folder / "no_pages.pdf", "no pages"),
        "locked": (folder / "locked.pdf", "password"),
    }


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "cut", "no pages", "locked"])
def test_files_that_cannot_be_opened(tmp_path: Path, kind: str) -> None:
    file, says = broken_files(tmp_path)[kind]
    with pytest.raises(BadInput, match=says) as caught:
        pages.read_issue(file)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.message or kind in ("missing", "folder")
    assert only_problem(run(file)).category is Category.BAD_INPUT


def test_owner_password_does_not_matter(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        add_page(pdf, FULL, [of_jpeg(pdf, picture())])
        add_page(pdf, FULL, [of_pixels(pdf, picture())])
        file = save(pdf, tmp_path / "a.pdf", encryption=pikepdf.Encryption(owner="otra"), static_id=False)
    assert pages.read_issue(file).page_count == 2
    run(file)
    assert (tmp_path / "out" / "0001.jpg").read_bytes() == jpeg(picture())
    assert (pixels(file, run(file, 2)) == as_rgb(picture())).all()


def test_repaired_pdf_is_told(tmp_path: Path) -> None:
    file = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture()))
    file.write_bytes(file.read_bytes().replace(b"startxref", b"startxxxx"))
    issue = pages.read_issue(file)
    assert [p.category for p in issue.problems] == [Category.REDUCED]
    assert run(file).image == "0001.jpg"


def test_no_such_page(tmp_path: Path) -> None:
    file = one_page(tmp_path, lambda pdf: of_jpeg(pdf, picture()))
    assert "no page 2" in only_problem(run(file, 2)).message


@pytest.mark.parametrize("seed", range(25))
def test_damage_anywhere_ends_in_a_page_or_a_problem(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    with pikepdf.new() as pdf:
        add_page(pdf, f"{FULL} {INVISIBLE}", [of_jpeg(pdf, picture())])
        add_page(pdf, NOT_ONLY["visible text"], [of_pixels(pdf, picture("L"), SMask=of_pixels(pdf, picture("L")))])
        file = save(pdf, tmp_path / "a.pdf", compress_streams=False)
    data = bytearray(file.read_bytes())
    header = [i for i, byte in enumerate(data) if byte < 128 and i < len(data)]
    for _ in range(60):
        data[dice.choice(header)] = dice.choice(b"0123456789/<>[]()R x-.\n\0\xff")
    file.write_bytes(data[: dice.randrange(len(data) // 2, len(data) + 1)])
    try:
        count = pages.read_issue(file).page_count
    except BadInput:
        count = 2
    for number in range(1, count + 1):
        run(file, number)


# --- programs that fail ---------------------------------------------------------------------------------------


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a program in the place of one of poppler's."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    asked = 'case "$1" in -v) echo "version 22.12.0" >&2; exit;; esac'
    (programs / name).write_text(f"#!/bin/sh\n{asked}\n{script}\n")
    (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


WRITE = 'for a; do case "$a" in */page) printf "P6\\n{size}\\n255\\n000" > "$a.ppm";; esac; done'


@pytest.mark.parametrize(
    ("program", "script", "category"),
    [
        ("pdftoppm", "exec sleep 60", Category.TIMEOUT),
        ("pdfinfo", "exec sleep 60", Category.TIMEOUT),
        ("pdfinfo", "echo broken >&2; exit 1", Category.BAD_INPUT),
        ("pdftoppm", "exit 0", Category.BAD_INPUT),
        ("pdftoppm", WRITE.format(size="1 1"), Category.BAD_INPUT),
    ],
)
def test_poppler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, script: str, category: Category
) -> None:
    file = layered(tmp_path, NOT_ONLY["a stamp"])
    fake(tmp_path, monkeypatch, program, script)
    assert only_problem(run(file, timeout=2)).category is category


def test_poppler_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = layered(tmp_path, NOT_ONLY["a stamp"])
    fake(tmp_path, monkeypatch, "pdftoppm", WRITE.format(size="200 300"))
    with pytest.raises(StorageError):
        run(file)


@pytest.mark.parametrize(("script", "category"), [("sleep 60", "timeout"), ("exit 1", "bad_input")])
def test_text_layer_costs_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, category: Category
) -> None:
    file = layered(tmp_path, SCAN_ONLY["invisible text"])
    fake(tmp_path, monkeypatch, "pdftotext", script)
    page = run(file, timeout=2)
    assert (page.image, page.text_layer) == ("0001.jpg", ())
    assert [(p.category, p.item) for p in page.problems] == [(category, "text layer")]


def test_no_poppler_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = layered(tmp_path, NOT_ONLY["a stamp"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="pdfinfo") as caught:
        run(file)
    assert "poppler-utils" in caught.value.hint
    with pytest.raises(MissingProgram):
        pages.software(PagesSettings())


def test_full_disk_stops_the_run(tmp_path: Path) -> None:
    file = layered(tmp_path, SCAN_ONLY["white behind"])
    with pytest.raises(StorageError, match=r"0001\.jpg"):
        pages.run(file, 1, OPTIONS, tmp_path / "nowhere", 50)


ONE_FILE = """
import resource, sys
from pathlib import Path
from revista import pages
from revista.errors import RevistaError
from revista.settings import PagesSettings
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
pdf, out = map(Path, sys.argv[1:])
made = 0
try:
    for number in range(1, pages.read_issue(pdf).page_count + 1):
        page = pages.run(pdf, number, PagesSettings(), out, 50)
        assert page.image or page.problems
        made += page.image is not None
        for problem in page.problems:
            print(problem.category, problem.message, problem.hint, file=sys.stderr)
except RevistaError as error:
    print(error.category, error, file=sys.stderr)
memory = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(made, memory // 1024)
"""
BAD = sorted((SHARED / "bad_input").glob("*.pdf"))


@needs_shared
@pytest.mark.parametrize("file", BAD, ids=lambda f: f.stem)
def test_bad_input(tmp_path: Path, file: Path) -> None:
    """Pages or one clear problem, within 60 s and 4 GiB."""
    command = [sys.executable, "-W", "error", "-c", ONE_FILE, str(file), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    made, megabytes = map(int, done.stdout.split())
    assert made == {"invalid": 0, "cardinal": 4, "multipage": 6}.get(file.stem, 1)
    assert bool(done.stderr) == (file.stem in ("invalid", "hugemono"))
    assert megabytes < 4096
