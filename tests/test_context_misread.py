"""Stage 4: captions of which Tesseract makes too much, too little or the wrong thing."""

from __future__ import annotations

import pytest

from revista.records import Look
from revista.wording import is_credit

from .sheet import Sheet, captions_of


@pytest.mark.parametrize(("left", "shared"), [("12quiserda", True), ("tquierda", True), ("guardería", False)])
def test_left_and_right_are_known_though_letters_are_misread(left: str, shared: bool) -> None:
    sheet = Sheet()
    sheet.picture(100, 100, 800, 1100)
    sheet.picture(840, 100, 1900, 900)
    text = f"la {left}, un grupo de concurrentes; a la derecha, el señor Federico Belmira."
    sheet.text([text], 110, 1130, size=0.8)
    assert (set(captions_of(sheet.run()).values()) == {text}) is shared


@pytest.mark.parametrize(
    ("line", "credit"), [("Fo Montalbo", True), ("Fo Montalbo en la playa", False), ("Fo de la casa", False)]
)
def test_a_credit_of_which_half_a_word_is_left(line: str, credit: bool) -> None:
    assert is_credit(line, words=10) is credit


@pytest.mark.parametrize(("size", "named"), [(0.8, True), (1.0, False)])
def test_capitals_lower_than_the_prose_name_the_picture_though_they_stand_nearer_to_the_text(
    size: float, named: bool
) -> None:
    sheet = Sheet()
    sheet.prose(100, 900, 100, 2400, seed=3)
    sheet.prose(1100, 900, 100, 900, seed=4)
    sheet.picture(1130, 960, 1970, 1600)
    end = sheet.text(["LA ENTRADA DEL PARQUE."], 1550, 1654, "centre", size, spacing=0.2)
    sheet.prose(1100, 900, end + 19, 2400, seed=5)
    assert captions_of(sheet.run()) == {"0003-r01": "LA ENTRADA DEL PARQUE." if named else None}


def test_capitals_of_a_narrow_caption_are_no_heading_however_many_lines_they_fill() -> None:
    sheet = Sheet()
    sheet.prose(100, 700, 100, 2400, seed=3)
    sheet.picture(900, 900, 1130, 1100)
    top = 1112
    for line in ("EL SEÑOR", "ELVIRA", "QUINTANAR", "ANTE LA", "IGLESIA. La", "noche contem-", "plaba el mar."):
        top = sheet.text([line], 1015, top, "centre") + 12
    sheet.prose(850, 400, top + 30, 2400, seed=5)
    sheet.prose(1300, 600, 100, 2400, seed=4)
    caption = "EL SEÑOR ELVIRA QUINTANAR ANTE LA IGLESIA. La noche contemplaba el mar."
    assert captions_of(sheet.run()) == {"0003-r01": caption}


def test_specks_over_a_caption_are_no_lines_of_its_paragraph() -> None:
    sheet = Sheet()
    sheet.prose(100, 700, 100, 2400, seed=3)
    sheet.picture(900, 100, 1700, 900)
    for line, x, top, size in (("Lo", 900, 890, 0.3), ("o", 1500, 902, 0.25), ("La presidencia.", 900, 912, 1.0)):
        sheet.text([line], x, top, size=size)
    sheet.merge(1, 2)
    sheet.merge(1, 2)
    sheet.text(["Fot. Montalbo."], 1700, 975, "right", 0.8)
    assert captions_of(sheet.run()) == {"0003-r01": "La presidencia. Fot. Montalbo."}


def test_a_line_is_one_though_a_syllable_of_it_is_read_twice() -> None:
    sheet = Sheet()
    sheet.picture(100, 100, 1900, 2000)
    first = sheet.text(["El niño Mercede Font"], 110, 2030, size=0.8)
    across = sheet.paragraphs[-1].box.right
    sheet.text(["s Fontanales junto al mar, porque el sombrero feliz encontró al poeta"], across - 60, 2027, size=0.8)
    sheet.text(["y contó la historia."], 110, first + 8, size=0.8)
    (caption,) = captions_of(sheet.run()).values()
    assert caption is not None
    assert caption.startswith("El niño")
    assert caption.endswith("la historia.")


def test_a_line_beside_a_column_whose_lines_end_flush_is_no_piece_of_it() -> None:
    sheet = Sheet()
    line = "La tarde caía sobre el viejo jardín y las señoras conversaban"
    sheet.text([line] * 45, 100, 100)
    right = sheet.paragraphs[0].box.right
    sheet.text([line] * 20, right + 40, 100)
    sheet.picture(right + 75, 1200, 2 * right - 60, 2100)
    level = next(line.box.top for line in sheet.paragraphs[0].lines if line.box.top > 2110)
    sheet.text(["La presidencia en el jardín."], right + 40, level)
    assert captions_of(sheet.run()) == {"0003-r01": "La presidencia en el jardín."}


def test_a_line_under_another_goes_on_though_a_piece_of_it_is_lost() -> None:
    sheet = Sheet()
    sheet.picture(100, 100, 1200, 900)
    sheet.picture(1250, 100, 1950, 900)
    end = sheet.text(["La niña Amelia Valdoro en la playa, al fin de la tarde de mayo"], 110, 920, size=0.8)
    right = sheet.paragraphs[-1].box.right
    sheet.text(["mientras los criados"], 110, end + 8, size=0.8)
    sheet.text(["el verano en la casa."], right, end + 8, "right", 0.8)
    first = sheet.paragraphs[1].box
    assert sheet.paragraphs[-1].box.left - first.right > 100  # more than three ems of theirs
    caption = " ".join(paragraph.text for paragraph in sheet.paragraphs)
    assert captions_of(sheet.run()) == {"0003-r01": caption, "0003-r02": None}


@pytest.mark.parametrize("few", [True, False])
def test_what_looks_like_an_ornament_has_its_name_below_on_a_page_of_few_words(few: bool) -> None:
    sheet = Sheet()
    for left in (100, 1100):
        for top in (100, 1300):
            sheet.picture(left, top, left + 800, top + 900)
    sheet.regions[0] = sheet.regions[0].model_copy(update={"look": Look.ORNAMENT})
    sheet.text(["Graciela Hinojares"], 120, 1025)
    if not few:
        sheet.prose(100, 1800, 2300, 2600)
    assert captions_of(sheet.run())["0003-r01"] == ("Graciela Hinojares" if few else None)
