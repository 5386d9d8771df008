"""Reading pages with the real Tesseract, and what happens where it cannot."""

import os
import re
import shutil
import time
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from revista import text
from revista.errors import Category, MissingProgram
from revista.evaluation.text import normalise
from revista.geometry import Box
from revista.lean import Lean
from revista.programs import tesseract
from revista.records import Page, PageText, Region, RegionKind, Regions, Word
from revista.settings import TextSettings
from revista.text import preparation
from revista.text.layout import paragraphs_of
from revista.text.pieces import unread
from revista.text.preparation import even_paper

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf"
LEFT = [
    "La señora marquesa de la",
    "torre llegó ayer a nuestra",
    "ciudad con sus dos hijas,",
    "acompañada por el doctor",
    "que ha visto ya medio mundo",
]
RIGHT = [
    "El baile comenzó a las diez",
    "en los salones del Ateneo,",
    "adornados con flores rojas",
    "y palmas de los jardines,",
    "hasta bien entrada la noche",
]
HEADING = "CRÓNICA DE SOCIEDAD"
TSV = "level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n"


def write(canvas: Image.Image, lines: list[str], left: int, top: int, size: int = 30) -> list[tuple[str, Box]]:
    """Draw lines; return their words with the boxes of their ink."""
    draw, font = ImageDraw.Draw(canvas), ImageFont.truetype(FONT, size)
    words = []
    for number, line in enumerate(lines):
        x, y = float(left), top + number * size * 1.5
        for word in line.split():
            draw.text((x, y), word, fill=(30, 25, 20), font=font)
            words.append((word, Box(*map(round, draw.textbbox((x, y), word, font=font)))))
            x += draw.textlength(word + " ", font=font)
    return words


NOTHING = Regions()


def sheet(width: int = 1240, height: int = 900) -> Image.Image:
    return Image.new("RGB", (width, height), (232, 220, 190))


def two_columns() -> tuple[Image.Image, list[tuple[str, Box]]]:
    canvas = sheet()
    words = write(canvas, [HEADING], 330, 80, 46)
    return canvas, words + write(canvas, LEFT, 90, 220) + write(canvas, RIGHT, 650, 220)


def read(canvas: Image.Image, folder: Path, found: Regions = NOTHING, **options: object) -> PageText:
    file = folder / "page.png"
    canvas.save(file)
    page = Page(number=3, image=file.name, width=canvas.width, height=canvas.height)
    return text.run(file, page, found, TextSettings.model_validate(options), 60)


def picture(*box: int) -> Regions:
    region = Region(id="0003-r01", kind=RegionKind.PICTURE, box=Box(*box), confidence=0.9, detector="test")
    return Regions(regions=(region,))


def said(page: PageText) -> str:
    return normalise(" ".join(p.text for p in page.paragraphs))


WHOLE = " ".join([HEADING, *LEFT, *RIGHT])


def test_columns_are_read_one_after_the_other_with_boxes_on_the_page(tmp_path: Path) -> None:
    canvas, drawn = two_columns()
    page = read(canvas, tmp_path)
    assert said(page) == WHOLE
    assert [p.id for p in page.paragraphs] == ["0003-p01", "0003-p02", "0003-p03"]
    assert [len(p.lines) for p in page.paragraphs] == [1, 5, 5]
    assert not page.problems and page.skew == 0.0 and page.orientation == 0
    for word, (expected, box) in zip(page.words, drawn, strict=True):
        assert word.text == expected
        assert word.box.iou(box) > 0.5 or len(expected) < 4  # Tesseract is vague about short words
        assert 0.0 <= word.confidence <= 1.0


def test_same_page_same_record(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    assert read(canvas, tmp_path).model_dump_json() == read(canvas, tmp_path).model_dump_json()


@pytest.mark.parametrize("degrees", [-7.0, 4.0, 11.0])
def test_leaning_page_is_set_straight_and_boxes_lie_on_the_page(tmp_path: Path, degrees: float) -> None:
    canvas, _ = two_columns()
    # Pillow turns counter-clockwise; red words show where each one went
    leaning = canvas.rotate(-degrees, resample=Image.Resampling.BICUBIC, fillcolor=(232, 220, 190))
    page = read(leaning, tmp_path)
    assert said(page) == WHOLE
    assert page.skew == pytest.approx(degrees, abs=0.3)
    dark = np.asarray(leaning.convert("L")) < 120
    covered = np.zeros_like(dark)
    for word in page.words:
        box = word.box
        assert dark[box.top : box.bottom, box.left : box.right].mean() > 0.03
        covered[box.top : box.bottom, box.left : box.right] = True
    assert (dark & covered).sum() > 0.97 * dark.sum()


def test_leaning_page_is_left_alone_where_that_is_wished(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    assert read(canvas.rotate(3, fillcolor=(232, 220, 190)), tmp_path, deskew=False).skew == 0.0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_page_is_read_upright_with_boxes_on_the_page(tmp_path: Path, degrees: int) -> None:
    canvas = sheet(1240, 1240)
    lines = [*LEFT, *RIGHT]
    write(canvas, lines, 90, 100)
    write(canvas, lines, 650, 100)
    turned = canvas.rotate(-degrees, expand=True)
    page = read(turned, tmp_path)
    assert page.orientation == degrees
    assert said(page) == " ".join(lines * 2)
    first = page.words[0].box.centre
    corner = {90: (1140, 100), 180: (1130, 1130), 270: (110, 1140)}[degrees]
    assert abs(first[0] - corner[0]) < 60 and abs(first[1] - corner[1]) < 60


def test_specks_do_not_turn_a_page_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses that are dropped anyway speak for no way up; Tesseract's word on it is often wrong for a line alone."""
    monkeypatch.setattr(tesseract, "orientation", lambda *_: tesseract.Orientation(180, 2.4))
    canvas = sheet(1240, 1600)
    write(canvas, ["LA FAMILIA EN LA PLAYA."], 400, 1300, 22)
    behind, font, rng = Image.new("L", canvas.size, 255), ImageFont.truetype(FONT, 26), np.random.default_rng(0)
    for row in range(150, 1350, 150):
        place = 150 + int(rng.integers(0, 500)), row + int(rng.integers(0, 40))
        ImageDraw.Draw(behind).text(place, "iIlI|/ .·", fill=90, font=font)
    behind = behind.transpose(Image.Transpose.FLIP_LEFT_RIGHT).filter(ImageFilter.GaussianBlur(1.2))
    specks = ImageChops.multiply(canvas, behind.convert("RGB"))
    page = read(specks, tmp_path)
    assert page.orientation == 0 and said(page) == "LA FAMILIA EN LA PLAYA."


def halftone(canvas: Image.Image, box: tuple[int, int, int, int]) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (box[3] - box[1], box[2] - box[0]), dtype=np.uint8)
    canvas.paste(Image.fromarray(noise).convert("RGB"), box[:2])
    write(canvas, ["PALABRAS EN LA FOTO"], box[0] + 30, box[1] + 60)


def test_pictures_give_no_words(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    box = (90, 500, 600, 860)
    halftone(canvas, box)
    assert said(read(canvas, tmp_path, picture(*box))) == WHOLE


def test_print_in_a_picture_that_fills_the_page_is_read(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    assert said(read(canvas, tmp_path, picture(0, 0, canvas.width, canvas.height))) == WHOLE


def test_small_print_is_enlarged(tmp_path: Path) -> None:
    canvas, drawn = two_columns()
    small = canvas.resize((canvas.width * 2 // 5, canvas.height * 2 // 5), Image.Resampling.LANCZOS)
    page = read(small, tmp_path)
    assert set(said(page).split()) >= {"marquesa", "acompañada", "salones", "jardines,"}
    word = next(word for word in page.words if word.text == "jardines,")
    true = next(box for name, box in drawn if name == "jardines,")
    assert word.box.iou(Box(*(round(0.4 * v) for v in true))) > 0.5


def test_print_on_an_unevenly_lit_page_is_read(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    light = np.linspace(0.35, 1.0, canvas.width)[None, :, None]
    assert said(read(Image.fromarray((np.asarray(canvas) * light).astype(np.uint8)), tmp_path)) == WHOLE


def test_rule_between_columns_is_no_letter(tmp_path: Path) -> None:
    canvas, _ = two_columns()
    ImageDraw.Draw(canvas).line((620, 200, 620, 460), fill=(30, 25, 20), width=3)
    assert said(read(canvas, tmp_path)) == WHOLE


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2000, 3), (700, 900)])
@pytest.mark.parametrize("tone", [0, 255])
def test_empty_pages_have_no_words(tmp_path: Path, size: tuple[int, int], tone: int) -> None:
    page = read(Image.new("L", size, tone), tmp_path)
    assert not page.paragraphs and not page.problems


def test_broken_image_is_a_problem_and_its_text_layer_is_used(tmp_path: Path) -> None:
    file = tmp_path / "page.png"
    file.write_bytes(b"no image")
    words = (
        Word(text="Hola", box=Box(10, 10, 60, 30), confidence=1.0),
        Word(text="mundo", box=Box(70, 12, 140, 31), confidence=1.0),
        Word(text="fuera", box=Box(10, 50, 60, 70), confidence=1.0),
    )
    page = text.run(file, Page(number=2, image="page.png", text_layer=words), Regions(), TextSettings(), 10)
    assert [line.text for p in page.paragraphs for line in p.lines] == ["Hola mundo", "fuera"]
    assert [p.category for p in page.problems] == [Category.BAD_INPUT, Category.REDUCED]
    assert all(p.page == 2 and p.hint for p in page.problems)


def fake_tesseract(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, languages: str = "osd spa") -> None:
    """Put a program in front of Tesseract that answers as it does and does `body` when it should read."""
    program = folder / "bin" / "tesseract"
    program.parent.mkdir()
    listed = "\\n".join(["List of available languages:", *languages.split()])
    program.write_text(
        f"""#!/bin/sh
case "$1" in
--version) echo "tesseract 5.3.0"; exit;;
--list-langs) printf '{listed}\\n'; exit;;
esac
{body}
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_slow_tesseract_is_a_problem_and_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_tesseract(tmp_path, monkeypatch, f"sleep 300 & echo $! > {tmp_path}/child; sleep 300")
    file = tmp_path / "page.png"
    two_columns()[0].save(file)
    started = time.monotonic()
    page = text.run(file, Page(number=1, image="page.png"), Regions(), TextSettings(), 3.0)
    assert time.monotonic() - started < 20
    (problem,) = page.problems
    assert problem.category is Category.TIMEOUT and problem.passing and problem.page == 1
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    time.sleep(0.2)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def read_small(folder: Path, monkeypatch: pytest.MonkeyPatch, slow: int, seconds: float) -> PageText:
    """A page with one small line, where Tesseract never finishes in one of its modes."""
    program = shutil.which("tesseract")
    fake_tesseract(folder, monkeypatch, f'case "$*" in *"--psm {slow}"*) sleep 300;; *) exec {program} "$@";; esac')
    canvas = sheet()
    write(canvas, [SMALL], 300, 700, 24)
    file = folder / "page.png"
    canvas.save(file)
    return text.run(file, Page(number=1, image="page.png"), Regions(), TextSettings(), seconds)


def test_lines_that_stand_by_themselves_are_read_where_the_page_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = read_small(tmp_path, monkeypatch, 3, 12.0)
    assert said(page) == SMALL
    (problem,) = page.problems
    assert problem.category is Category.REDUCED and "did not finish" in problem.message and problem.hint


def test_a_second_reading_that_takes_too_long_does_not_lose_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page with few letters may stand turned: Tesseract is asked, and does not answer in time."""
    page = read_small(tmp_path, monkeypatch, 0, 8.0)
    assert said(page) == SMALL
    assert not page.problems


def test_a_plate_whose_screen_takes_too_long_is_painted_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two runs over the whole page do not finish; the third reads what is printed beside the plate."""
    program = shutil.which("tesseract")
    slow = f'echo >> {tmp_path}/runs; [ $(wc -l < {tmp_path}/runs) -gt 2 ] || sleep 300; exec {program} "$@"'
    fake_tesseract(tmp_path, monkeypatch, f'case "$*" in *"--psm 3"*) {slow};; *) exec {program} "$@";; esac')
    canvas = sheet(1240, 1240)
    halftone(canvas, (100, 100, 1140, 1000))
    write(canvas, ["La condesa en el jardín de su casa."], 300, 1050)
    file = tmp_path / "page.png"
    canvas.save(file)
    plate = picture(100, 100, 1140, 1000)
    page = text.run(file, Page(number=1, image="page.png"), plate, TextSettings(), 16.0)
    assert said(page) == "La condesa en el jardín de su casa."
    (problem,) = page.problems
    assert problem.category is Category.REDUCED and "large picture was not read" in problem.message and problem.hint


def test_failing_tesseract_is_a_problem_with_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tesseract(tmp_path, monkeypatch, "echo 'Error in pixReadMem: no pix returned' >&2; exit 1")
    page = read(two_columns()[0], tmp_path)
    (problem,) = page.problems
    assert "no pix returned" in problem.message and problem.hint
    assert not page.paragraphs


def test_rows_that_are_no_print_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = "5\\t1\\t1\\t1\\t{line}\\t1\\t{left}\\t{top}\\t90\\t30\\t{confidence}\\t{text}\\n"
    rows = [
        TSV,
        "4\\t1\\t1\\t1\\t1\\t0\\t10\\t10\\t200\\t30\\t-1\\t\\n",
        row.format(line=1, left=10, top=10, confidence="96.5", text="nin\u0303o\u200b"),
        row.format(line=1, left=110, top=10, confidence="91.25", text="\\001\\002"),
        row.format(line=1, left=210, top=10, confidence="95", text=" "),
        row.format(line=1, left=310, top=10, confidence="-1", text="nada"),
        row.format(line=2, left=10, top=60, confidence="3", text="mota"),
    ]
    fake_tesseract(tmp_path, monkeypatch, f"printf '{''.join(rows)}'")
    page = read(sheet(), tmp_path)
    assert [(word.text, word.confidence) for word in page.words] == [("niño", 0.965)]


def test_the_rule_between_columns_is_no_word_but_a_numeral_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are read as a stroke, often surely; a rule is higher than the words beside it."""
    row = "5\\t1\\t1\\t1\\t{line}\\t{word}\\t{left}\\t{top}\\t{wide}\\t{high}\\t93\\t{text}\\n"
    rows = [TSV]
    lines = ([("VOLUMEN", 30), ("|", 30)], [("el", 30), ("invierno", 30), ("|", 75), ("solemne", 30)])
    for line, words in enumerate(lines, 1):
        for word, (said_, high) in enumerate(words, 1):
            wide, top = (6 if said_ == "|" else 90), 50 * line - high // 2
            rows.append(row.format(line=line, word=word, left=100 * word, top=top, wide=wide, high=high, text=said_))
    fake_tesseract(tmp_path, monkeypatch, f"printf '{''.join(rows)}'")
    assert [word.text for word in read(sheet(), tmp_path).words] == ["VOLUMEN", "|", "el", "invierno", "solemne"]


def test_missing_language_is_an_error_that_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_tesseract(tmp_path, monkeypatch, "exit 1", languages="eng osd")
    with pytest.raises(MissingProgram) as raised:
        read(two_columns()[0], tmp_path)
    assert raised.value.hint == "sudo apt-get install tesseract-ocr tesseract-ocr-spa"
    assert "spa" in raised.value.message


def test_missing_program_is_an_error_that_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram) as raised:
        tesseract.require("spa")
    assert raised.value.hint == "sudo apt-get install tesseract-ocr tesseract-ocr-spa"


def test_probe_finds_what_is_installed() -> None:
    found = tesseract.require("spa+osd")
    assert re.match(r"\d+\.\d+", found.version)
    assert list(found.languages) == sorted(found.languages)
    assert text.software(TextSettings())["tesseract"] == found.version


def row(said: str, left: int, top: int, line: int, confidence: float = 0.95, height: int = 20) -> tesseract.Row:
    box = Box(left, top, left + 11 * len(said), top + height)
    return tesseract.Row(1, 1, line, said, box, confidence)


def texts(rows: list[tesseract.Row]) -> list[list[str]]:
    return [[" ".join(word.text for word in line) for line in lines] for lines in paragraphs_of(rows)]


def test_lines_joined_across_the_gutter_are_cut_again() -> None:
    rows = []
    for number in range(4):
        rows += [row(f"izquierda{number}", 0, 30 * number, number), row("primera", 125, 30 * number, number)]
        rows += [row(f"derecha{number}", 250, 30 * number, number), row("segunda", 355, 30 * number, number)]
    left = [f"izquierda{n} primera" for n in range(4)]
    assert texts(rows) == [left, [f"derecha{n} segunda" for n in range(4)]]


def test_specks_do_not_bridge_the_gutter() -> None:
    rows = [row("izquierdamente", 0, 30 * n, n) for n in range(4)]
    rows += [row("derechamente", 190, 30 * n, n) for n in range(4)]
    rows += [row("|", 165, 30, 1, 0.9), row("ii", 165, 60, 9, 0.2)]
    left = ["izquierdamente", "izquierdamente |", "izquierdamente", "izquierdamente"]
    assert texts(rows) == [left, ["derechamente"] * 4]


def test_indents_white_and_type_size_part_paragraphs() -> None:
    rows = [row("TITULAR", 0, 0, 0, height=40)]
    rows += [row("principio", 30, 60, 1), row("continuación", 0, 90, 2), row("final", 0, 120, 3)]
    rows += [row("sangría", 30, 150, 4), row("sigue", 0, 180, 5)]
    rows += [row("aparte", 0, 250, 6)]
    assert texts(rows) == [["TITULAR"], ["principio", "continuación", "final"], ["sangría", "sigue"], ["aparte"]]


words = st.builds(
    row,
    st.text("abcñ1|.", min_size=1, max_size=9),
    st.integers(0, 900),
    st.integers(0, 1200),
    st.integers(1, 12),
    st.floats(0.5, 1.0),
    st.integers(1, 60),
)


@given(st.lists(words, max_size=30))
def test_no_legible_word_is_lost_or_doubled(rows: list[tesseract.Row]) -> None:
    kept = [word for lines in paragraphs_of(rows) for line in lines for word in line]
    assert not [word for word in kept if kept.count(word) > rows.count(word)]
    legible = [word for word in rows if any(map(str.isalnum, word.text))]
    assert all(kept.count(word) == rows.count(word) for word in legible)


def test_a_line_below_a_screen_of_dots_is_found_apart_from_it() -> None:
    canvas = Image.new("L", (1000, 400), 255)
    draw = ImageDraw.Draw(canvas)
    for y in range(10, 190, 9):
        for x in range(50, 950, 9):
            draw.rectangle((x, y, x + 5, y + 5), fill=60)
    draw.text((300, 190), "Una escena del baile", fill=30, font=ImageFont.truetype(FONT, 36))
    places = [piece.box for piece in unread(np.asarray(canvas), [])]
    assert any(box.top > 180 and box.left > 280 and box.height < 60 for box in places), places


def test_even_paper_is_white_whatever_its_tone() -> None:
    page = np.full((600, 500, 3), (150, 130, 90), np.uint8)
    page[300:304, 100:400] = 20
    even = even_paper(page)
    assert even[100, 100] > 240 and even[302, 200] < 80


@settings(deadline=None)
@given(st.floats(-10, 10), st.integers(120, 300), st.integers(120, 300))
def test_a_leaning_picture_is_painted_as_it_leans(skew: float, width: int, height: int) -> None:
    import cv2

    page = np.full((500, 500), 255, np.uint8)
    page[::6, ::6] = 0  # specks, which are no rules to be erased
    turn = cv2.getRotationMatrix2D((250, 250), -skew, 1.0)[:, :2]  # OpenCV counts against the clock
    picture = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2 @ turn.T + 250
    around = np.concatenate([np.floor(picture.min(axis=0)), np.ceil(picture.max(axis=0))]).astype(int)
    lean, box = Lean(skew=skew), Box(*(int(edge) for edge in around))
    outline = lean.outline(lean.straight(box))
    away = np.abs(outline[:, None] - picture[None]).max(axis=2)
    assert away.min(axis=0).max() <= 4  # the box is in whole pixels
    left, top, right, bottom = box
    painted = preparation._painted(page, [box], lean)
    assert painted[245:256, 245:256].min() == 255
    if abs(skew) > 5:
        assert painted[top:bottom, left:right].min() == 0  # what the box takes in beside the picture


@pytest.mark.parametrize("skew", [0.0, 0.4, -1.0])
@pytest.mark.parametrize("side", [200, 1000])
def test_a_name_at_the_foot_of_a_box_that_is_too_large_stays_where_there_is_hardly_any_print(
    skew: float, side: int
) -> None:
    page = np.full((1800, 1800), 255, np.uint8)
    box = Box(300, 300, 300 + side, 300 + side)
    page[box.top : box.bottom - 36, box.left : box.right] = 90
    for letter in range(12):  # the name, as high as on a page of this size, near the picture and away from it
        x = box.left + 20 + 13 * letter
        page[box.bottom - 28 : box.bottom - 8, x : x + 5] = 40
    painted = preparation._painted(page, [box], Lean(skew=skew), rims=True)
    assert (painted[box.bottom - 28 : box.bottom - 8, box.left : box.right] == 40).sum() == 12 * 5 * 20
    assert painted[box.top + 50 : box.bottom - 50, box.left + 50 : box.right - 50].min() == 255
    assert (
        preparation._painted(page, [box], Lean(skew=skew))[box.bottom - 20, box.left + 70 : box.left + 90].min() == 255
    )


SMALL = "La señorita en el jardín de su casa"


def test_small_print_far_below_a_large_title_is_read(tmp_path: Path) -> None:
    canvas = sheet(1240, 1500)
    write(canvas, ["CONCURSO DE RETRATOS"], 180, 60, 56)
    ((_, first), *_, (_, last)) = write(canvas, [SMALL], 420, 1250, 13)
    page = read(canvas, tmp_path)
    assert normalise(SMALL) in said(page)
    box = Box(first.left, first.top, last.right, last.bottom)
    (paragraph,) = (p for p in page.paragraphs if "jardín" in p.text)
    assert paragraph.box.iou(box) > 0.5


def test_a_caption_set_into_a_column_is_a_paragraph_of_its_own(tmp_path: Path) -> None:
    """The white between caption and prose is hardly more than between two words, as printers set it."""
    canvas = sheet(900, 900)
    lines = [*LEFT, *RIGHT, *LEFT, *RIGHT]
    words = write(canvas, lines, 60, 40, 26)
    edge = max(box.right for _, box in words) + 16
    ImageDraw.Draw(canvas).rectangle((edge, 60, edge + 300, 380), fill=(70, 60, 50))
    caption = ["El vapor que llegó ayer", "al muelle de la capital"]
    write(canvas, caption, edge + 2, 391, 26)
    page = read(canvas, tmp_path, picture(edge, 60, edge + 301, 381))
    (own,) = (p for p in page.paragraphs if "vapor" in p.text)
    assert normalise(own.text) == normalise(" ".join(caption))
    assert normalise(" ".join(lines)) in normalise(" ".join(p.text for p in page.paragraphs if p is not own))


def test_a_picture_above_parts_a_caption_from_the_prose_beside_it() -> None:
    prose = [row(f"renglonnumero{n}", 0, 30 * n, n) for n in range(8)]
    caption = [row("El vapor", 165, 122, 20)._replace(block=2), row("en puerto", 165, 152, 21)._replace(block=2)]
    above = Box(160, 0, 280, 118)
    parts = paragraphs_of([*prose, *caption], [above])
    assert parts == [[[word] for word in prose], [[word] for word in caption]]
    assert len(paragraphs_of([*prose, *caption])[0][4]) == 2  # without the picture they are one line


def test_a_credit_beside_prose_ends_a_caption_whose_first_line_stands_free_of_it() -> None:
    """The first line is cut off by white of its own; of the credit below it the picture alone tells."""
    prose = [row(f"renglonnumero{n}", 285, 4 + 30 * n, n) for n in range(8)]
    prose = [word for word in prose if not 110 < word.box.top < 150]
    name = row("Los alumnos", 20, 130, 20)._replace(block=2)
    credit = row("(Fot. Montalbo)", 105, 156, 21)._replace(block=2)
    found = paragraphs_of([*prose, name, credit], [Box(0, 0, 270, 118)])
    assert [line for lines in found for line in lines if credit in line] == [[credit]]


@example(rows=[tesseract.Row(1, 1, 1, "1", Box(0, 149, 11, 151), 1.0)], corners=[(0, 0), (0, 0)])
@given(st.lists(words, max_size=30), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=4))
def test_pictures_and_captions_lose_and_double_no_word(
    rows: list[tesseract.Row], corners: list[tuple[int, int]]
) -> None:
    pictures = [Box(x, y, x + 200, y + 150) for x, y in corners]
    captions = [Box(box.left, box.bottom, box.right, box.bottom + 90) for box in pictures]
    kept = [word for lines in paragraphs_of(rows, pictures, captions) for line in lines for word in line]
    legible = [word for word in rows if any(map(str.isalnum, word.text))]
    assert all(kept.count(word) == rows.count(word) for word in legible)
