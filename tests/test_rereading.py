"""Print that Tesseract missed or mixed up on a page, read again by itself."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from revista.evaluation.text import normalise
from revista.geometry import Box, hull
from revista.programs import tesseract
from revista.text.layout import paragraphs_of
from revista.text.pieces import Read, unread
from revista.text.rereading import reread
from tests.test_text import FONT, LEFT, RIGHT, picture, read, sheet, two_columns, write


def reader(folder: Path) -> Read:
    """Reads parts of an image by the real Tesseract."""

    def read_part(part: np.ndarray, height: float) -> list[tesseract.Row]:
        file = folder / "part.png"
        Image.fromarray(part).save(file)
        return tesseract.read_tsv(file, "spa", 6, 300, 30)

    return read_part


def test_a_caption_read_in_one_line_with_prose_is_read_again(tmp_path: Path) -> None:
    canvas = Image.new("RGB", (900, 900), (255, 255, 255))
    prose = write(canvas, [*LEFT, *RIGHT, *LEFT], 60, 40, 26)
    edge = max(box.right for _, box in prose) + 16
    caption = write(canvas, ["El vapor que llegó ayer", "al muelle de la capital"], edge + 2, 393, 26)
    # lines are 39 pixels apart; the caption stands in the prose's tenth and eleventh
    rows = [tesseract.Row(1, 1, (box.bottom - 40) // 39, said, box, 0.9) for said, box in [*prose, *caption]]
    assert len({row.line_key for row in rows}) == len({row.line_key for row in rows[: len(prose)]})
    image = np.array(canvas.convert("L"))
    found, captions = reread(image, rows, [Box(edge, 60, edge + 300, 380)], [], reader(tmp_path))
    own = [word for word in found if word.block != 1]
    assert [word.text for word in own] == [said for said, _ in caption]
    assert len({word.line_key for word in own}) == 2
    assert [word for word in found if word.block == 1] == [word for word in rows if (word.text, word.box) in prose]
    assert not captions  # the white goes on beside what may stand below


def test_nothing_is_read_again_where_there_is_no_more_print() -> None:
    def read_part(part: np.ndarray, height: float) -> list[tesseract.Row]:
        raise AssertionError("there is nothing to read")

    canvas, found = two_columns()
    rows = [tesseract.Row(1, 1, n, said, box, 0.95) for n, (said, box) in enumerate(found)]
    assert reread(np.array(canvas.convert("L")), rows, [], [], read_part) == (rows, [])
    blank = np.full((300, 200), 255, np.uint8)
    assert reread(blank, [], [Box(20, 20, 90, 280)], [Box(100, 20, 180, 299)], read_part) == ([], [])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3))
def test_noise_ends_in_few_pieces_within_the_page(seed: int, share: float) -> None:
    noise = np.where(np.random.default_rng(seed).random((240, 320)) < share, 0, 255).astype(np.uint8)
    pieces = unread(noise, [Box(0, 0, 100, 240)])
    assert len(pieces) <= 12
    assert all(piece.height >= 5 and piece.box == piece.box.clip(320, 240) for piece in pieces)
    assert all(piece.box.right > 100 for piece in pieces)


def test_the_rim_of_a_painted_picture_is_no_print_and_a_caption_close_below_is() -> None:
    canvas = Image.new("RGB", (900, 700), (255, 255, 255))
    picture, draw = Box(100, 100, 800, 400), ImageDraw.Draw(canvas)
    for x in range(picture.left, picture.right, 24):
        draw.rectangle((x, picture.bottom, x + 14, picture.bottom + 14), fill=60)  # it reaches a little lower
    line = hull(box for _, box in write(canvas, ["UNA ESCENA EN EL BAILE"], 120, picture.bottom + 22, 26))
    image = np.array(canvas.convert("L"))
    assert min(piece.box.top for piece in unread(image, [])) == picture.bottom
    (piece,) = unread(image, [], [picture])
    assert piece.box.top > picture.bottom + 15
    assert piece.box.coverage_by(line.grow(4)) == 1


@pytest.mark.parametrize("wide", [330, 278])
def test_a_caption_set_into_a_column_is_told_from_the_prose_around_it(tmp_path: Path, wide: int) -> None:
    """Prose beside picture and caption, and below both: the words of the caption stand in no line of it.

    The caption may be wider than its picture.
    """
    canvas = sheet(1100, 1100)
    prose = write(canvas, [*LEFT, *RIGHT, *LEFT], 60, 40, 26)
    edge = max(box.right for _, box in prose) + 18
    left = edge + 330 - wide
    ImageDraw.Draw(canvas).rectangle((left, 60, edge + 330, 380), fill=(70, 60, 50))
    caption = ["EL VAPOR QUE LLEGÓ", "AYER AL MUELLE", "DE LA CAPITAL"]
    write(canvas, caption, edge + 2, 391, 22)
    last = max(box.bottom for _, box in prose) + 14
    below = ["y en la ciudad ya nadie hablaba de otra cosa", "que de aquel vapor tan largamente esperado"]
    write(canvas, below, 60, last, 26)
    page = read(canvas, tmp_path, picture(left, 60, edge + 331, 381))
    own, others = ([p.text for p in page.paragraphs if p.inset is inset] for inset in (True, False))
    assert normalise(" ".join(own)) == normalise(" ".join(caption))
    assert len(" ".join(others).split()) == len(" ".join([*LEFT, *RIGHT, *LEFT, *below]).split())


def test_a_stain_over_a_name_does_not_hide_it(tmp_path: Path) -> None:
    canvas = sheet(1200, 1500)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((100, 100, 1100, 1200), fill=(70, 60, 50))
    draw.ellipse((655, 1222, 695, 1262), fill=(168, 160, 138))
    write(canvas, ["Alberto Belmira"], 560, 1240, 18)
    page = read(canvas, tmp_path, picture(100, 100, 1101, 1201))
    assert [p.text for p in page.paragraphs] == ["Alberto Belmira"]


def test_the_smallest_print_below_the_largest_is_read(tmp_path: Path) -> None:
    """So few letters tell no size by which a page could be reduced."""
    canvas = sheet(1200, 1800)
    write(canvas, ["LA SEÑORA"], 300, 60, 110)
    ImageDraw.Draw(canvas).rectangle((100, 260, 1100, 1500), fill=(70, 60, 50))
    write(canvas, ["La sociedad cruzó la noche en el salón aunque el concurso celebraba el paseo."], 300, 1512, 13)
    page = read(canvas, tmp_path, picture(100, 260, 1101, 1501))
    assert "en el salón aunque el concurso celebraba el paseo" in normalise(" ".join(p.text for p in page.paragraphs))


@settings(deadline=None, max_examples=60)
@given(st.integers(-400, 1300), st.integers(-400, 1000), st.integers(1, 900), st.integers(1, 900))
def test_pictures_may_reach_over_every_edge_of_the_page(left: int, top: int, width: int, height: int) -> None:
    canvas, found = two_columns()
    image = np.array(canvas.convert("L"))
    rows = [tesseract.Row(1, 1, n // 8, said, box, 0.95) for n, (said, box) in enumerate(found)]
    kept, captions = reread(image, rows, [Box(left, top, left + width, top + height)], [], lambda part, height: [])
    assert set(kept) <= set(rows) and len(captions) <= 1


def test_faint_print_below_a_dark_picture_is_read_whatever_lies_at_the_edges(tmp_path: Path) -> None:
    """Print is told from paper by their own greys, not by those of the picture and of the scanner's bed."""
    canvas = sheet(1200, 1700)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, 1200, 40), fill=(5, 5, 5))
    draw.rectangle((1150, 0, 1200, 1700), fill=(5, 5, 5))
    draw.rectangle((100, 130, 1100, 1450), fill=(40, 35, 30))
    font = ImageFont.truetype(FONT, 20)
    draw.text((400, 1475), "La niña Peralvillo en la playa.", fill=(178, 168, 145), font=font)
    page = read(canvas, tmp_path, picture(100, 130, 1101, 1451))
    assert [p.text.endswith("Peralvillo en la playa.") for p in page.paragraphs] == [True]


def test_a_name_below_the_dots_at_the_edge_of_a_picture_is_read(tmp_path: Path) -> None:
    """Dots and letters make one piece, whose size is that of the dots: its lines are read one by one."""
    canvas = Image.new("RGB", (700, 900), (255, 255, 255))
    write(canvas, ["Julio Quintanar"], 210, 430, 30)
    draw, place = ImageDraw.Draw(canvas), np.random.default_rng(1)
    for x in range(200, 470, 11):
        for y in range(380, 424, 12):
            draw.ellipse((x, y, x + place.integers(5, 9), y + place.integers(6, 9)), fill=(20, 20, 20))
    found, _ = reread(np.array(canvas.convert("L")), [], [Box(150, 50, 550, 428)], [], reader(tmp_path))
    assert [word.text for word in found] == ["Julio", "Quintanar"]


def test_a_printed_line_taken_for_several_is_read_again_as_one(tmp_path: Path) -> None:
    canvas = Image.new("RGB", (1100, 300), (255, 255, 255))
    words = write(canvas, ["A la izquierda, el señor Armendral; a la derecha, doña Carmen."], 60, 100, 26)
    first = [tesseract.Row(1, 1, 1, said, box, 0.9) for said, box in words[:5]]
    last = words[4][1]  # its end was read once more, as a word of another line
    again = tesseract.Row(2, 1, 1, "ñor", Box(last.right - 20, last.top, last.right, last.bottom), 0.8)
    rest = [tesseract.Row(2, 1, 1, said, box, 0.9) for said, box in words[5:]]
    image = np.array(canvas.convert("L"))
    found, captions = reread(image, [*first, again, *rest], [], [], reader(tmp_path))
    assert [word.text for word in found] == [said for said, _ in words] and not captions
    assert len({word.line_key for word in found}) == 1


def test_the_ragged_lines_of_a_caption_set_into_a_column_are_one_paragraph() -> None:
    lines = [("La señora", 130), ("Manuel", 160), ("Dalmares en", 110), ("su", 190), ("residencia.", 130)]
    rows = []
    for number, (said, left) in enumerate(lines):
        box = Box(left, 100 + 36 * number, left + 13 * len(said), 124 + 36 * number)
        rows.append(tesseract.Row(1, 1, number, said, box, 0.95))
    (paragraph,) = paragraphs_of(rows, captions=[Box(100, 95, 270, 270)])
    assert [word.text for line in paragraph for word in line] == [said for said, _ in lines]
    assert paragraphs_of([], captions=[Box(100, 95, 270, 270)]) == []
