"""The sample issue: the committed files, and that they come out again byte for byte."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from rapidfuzz.distance import Levenshtein

SAMPLE = Path(__file__).resolve().parent.parent / "sample_pages"
PDF, INDEX = SAMPLE / "muestra_social1916_9_v1_n9.pdf", SAMPLE / "index.json"
KINDS = {"photograph", "drawing", "advertisement", "ornament"}


@pytest.fixture(scope="module")
def entries():
    return json.loads(INDEX.read_text(encoding="utf-8"))


@pytest.fixture
def press(monkeypatch):
    """Import a module of the drawing script, which is no part of the installed package."""
    monkeypatch.syspath_prepend(str(SAMPLE))
    return lambda name: importlib.import_module(f"press.{name}")


def make(*arguments):
    return subprocess.run(
        [sys.executable, str(SAMPLE / "make.py"), *arguments], capture_output=True, text=True, check=False
    )


def scan_of(page):
    with pikepdf.open(PDF) as pdf:
        (image,) = pdf.pages[page - 1].Resources.XObject.values()
        return pikepdf.PdfImage(image).as_pil_image().copy()


def require_sources(press):
    sources = press("sources")
    try:
        changed = sources.changed_sources()
    except sources.MissingSource as missing:
        pytest.skip(str(missing))
    if changed:
        pytest.skip(" ".join(changed))


def test_drawing_again_gives_the_committed_bytes(tmp_path, press):
    require_sources(press)
    run = make("--out", str(tmp_path))
    assert (run.returncode, run.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [INDEX.name, PDF.name]
    for committed in (PDF, INDEX):
        assert (tmp_path / committed.name).read_bytes() == committed.read_bytes(), committed.name


def test_check_names_the_file_that_differs(tmp_path, press):
    require_sources(press)
    copy = tmp_path / "sample_pages"
    shutil.copytree(SAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    index = copy / INDEX.name
    index.write_text(index.read_text(encoding="utf-8").replace("abanico", "paraguas", 1), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(copy / "make.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "index.json differs" in run.stderr
    assert ".pdf differs" not in run.stderr


def test_a_missing_font_is_named_with_its_package(press, monkeypatch, tmp_path):
    sources = press("sources")
    monkeypatch.setattr(sources, "FONT_ROOT", tmp_path)
    with pytest.raises(sources.MissingSource, match="sudo apt-get install fonts-oldstandard"):
        sources.FONTS["roman"].locate()


def test_the_pdf_is_small_and_has_one_picture_a_page(entries):
    assert PDF.stat().st_size <= 6 * 1024 * 1024
    with pikepdf.open(PDF) as pdf:
        assert 6 <= len(pdf.pages) <= 8
        assert len(pdf.pages) == len(entries)
        assert "/Info" not in pdf.trailer
        for page, entry in zip(pdf.pages, entries, strict=True):
            (image,) = page.Resources.XObject.values()
            assert image.Filter == "/DCTDecode"
            assert image.ColorSpace == "/DeviceRGB"
            assert (image.Width, image.Height) == (entry["width"], entry["height"])
            assert "/Font" not in page.Resources
            left, bottom, right, top = (float(edge) for edge in page.mediabox)
            assert entry["width"] / (right - left) * 72 == pytest.approx(175, abs=0.1)
            assert entry["height"] / (top - bottom) * 72 == pytest.approx(175, abs=0.1)


def test_the_index_is_sound(entries):
    for number, entry in enumerate(entries, start=1):
        assert (entry["file"], entry["page"], entry["lang"]) == (PDF.name, number, "es")
        assert entry["doc"] == PDF.stem
        for item in entry["illustrations"] + entry["captions"]:
            left, top, right, bottom = item["bbox_xyxy"]
            assert all(type(edge) is int for edge in item["bbox_xyxy"])
            assert 0 <= left < right <= entry["width"]
            assert 0 <= top < bottom <= entry["height"]
        for picture in entry["illustrations"]:
            assert picture["kind"] in KINDS
            assert picture["keywords_es"]
        for caption in entry["captions"]:
            assert caption["text"].strip() == caption["text"] != ""
            assert caption["illustrations"]
            assert set(caption["illustrations"]) <= set(range(len(entry["illustrations"])))
        assert entry["text_lines"]
        assert all(line.strip() == line != "" for line in entry["text_lines"])


def test_every_kind_of_page_is_there(entries):
    pictures = [picture for entry in entries for picture in entry["illustrations"]]
    assert {picture["kind"] for picture in pictures} == KINDS
    shared = [caption for entry in entries for caption in entry["captions"] if len(caption["illustrations"]) > 1]
    assert len(shared) >= 2
    assert any(word in caption["text"] for caption in shared for word in ("izquierda", "derecha"))
    assert any(not entry["illustrations"] for entry in entries), "a page of plain text"
    uncaptioned = [
        picture["kind"]
        for entry in entries
        for nth, picture in enumerate(entry["illustrations"])
        if not any(nth in caption["illustrations"] for caption in entry["captions"])
    ]
    assert "photograph" in uncaptioned
    page = {(entry["width"] * entry["height"]) for entry in entries}.pop()
    areas = [
        (right - left) * (bottom - top)
        for picture in pictures
        if picture["kind"] == "advertisement"
        for left, top, right, bottom in [picture["bbox_xyxy"]]
    ]
    assert max(areas) > page / 2, "a full-page advertisement"


def test_pictures_are_darker_than_the_paper_around_them(entries):
    for entry in entries:
        grey = np.asarray(scan_of(entry["page"]).convert("L"))
        paper = np.percentile(grey, 80)
        for picture in entry["illustrations"]:
            left, top, right, bottom = picture["bbox_xyxy"]
            ink = grey[top:bottom, left:right] < paper - 60
            assert ink.mean() > 0.04, picture
            # The box is tight: ink lies close to each of its sides, as far as the skew allows.
            rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
            slack = 30
            assert rows[0] < slack and rows[-1] >= bottom - top - slack, picture
            assert columns[0] < slack and columns[-1] >= right - left - slack, picture


def test_every_photograph_and_font_is_credited(press):
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    sources = press("sources")
    for photograph in sources.PHOTOGRAPHS.values():
        row = next(line for line in readme.splitlines() if line.startswith(f"| {photograph.title} |"))
        assert photograph.author.split()[0].strip(";,") in row
        assert photograph.licence in row
        assert photograph.requirement in row
    for font in sources.FONTS.values():
        assert font.package in readme


@pytest.mark.parametrize("degrees", [-1.2, 0.0, 0.9])
def test_boxes_are_turned_with_the_page(press, degrees):
    ageing, sheet = press("ageing"), press("sheet")
    printed, box = sheet.Sheet(), (200, 300, 900, 1800)
    printed.pen().rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=0)
    how = ageing.Scan(degrees, (30, 30), bound_left=False, seed=1)
    scan = np.asarray(ageing.scan(printed, sheet.Sheet(), how).convert("L"))
    inside = scan[100:2100, 100:1400] < 140  # away from the dark edges of the scan
    rows, columns = np.flatnonzero(inside.any(axis=1)) + 100, np.flatnonzero(inside.any(axis=0)) + 100
    found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert np.abs(np.subtract(found, ageing.on_scan(box, how))).max() <= 3


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("construyó", ["cons", "tru", "yó"]),
        ("preguntó", ["pre", "gun", "tó"]),
        ("pequeño", ["pe", "que", "ño"]),
        ("cigüeña", ["ci", "güe", "ña"]),
        ("guerra", ["gue", "rra"]),
        ("muchacha", ["mu", "cha", "cha"]),
        ("acueductos", ["a", "cue", "duc", "tos"]),
    ],
)
def test_hyphenation(press, word, parts):
    assert press("typeset").syllables(word) == parts


@pytest.mark.parametrize("page", [3, 4, 7, 8])
def test_the_prose_can_be_read(entries, page, tmp_path):
    if not shutil.which("tesseract"):
        pytest.skip("tesseract is not installed")
    languages = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    if "spa" not in languages.split():
        pytest.skip("tesseract has no Spanish; type: sudo apt-get install tesseract-ocr-spa")
    path = tmp_path / "page.png"
    scan_of(page).save(path)
    read = subprocess.run(
        ["tesseract", str(path), "-", "-l", "spa", "--psm", "3", "--dpi", "175"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    ).stdout
    truth = " ".join(entries[page - 1]["text_lines"])
    distance = Levenshtein.distance(truth, re.sub(r"\s+", " ", read).strip())
    assert distance / len(truth) < 0.03
