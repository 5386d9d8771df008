"""Stage 4: captions on pages as *Social* prints them."""

from __future__ import annotations

import pytest

from revista.records import Line, Paragraph

from .sheet import Sheet, captions_of, pair


def test_portrait_with_name_in_capitals_note_and_credit() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1700)
    sheet.text(["SRTA. EULALIA LAINÉ"], 850, 1780, "centre", 1.3, spacing=0.3)
    sheet.text(["que contraerá nupcias este mes."], 850, 1860, "centre")
    sheet.text(["Fot. American Photo Co."], 1500, 1930, "right", 0.7)
    sheet.text(["9"], 850, 2150, "centre")
    (picture,) = sheet.run().pictures
    assert picture.caption is not None
    assert picture.caption.text == "SRTA. EULALIA LAINÉ que contraerá nupcias este mes. Fot. American Photo Co."
    assert len(picture.caption.boxes) == 3
    assert picture.caption_confidence > 0.7
    assert picture.heading is None
    assert picture.before == picture.after == ()


def test_two_photographs_side_by_side_share_the_caption_below_both() -> None:
    sheet = Sheet()
    left = sheet.picture(100, 300, 800, 900)
    right = sheet.picture(840, 300, 1540, 900)
    sheet.text(["Las señoras de Villanueva y de Berenguer, con sus trajes", "en el baile Watteau."], 820, 940, "centre")
    found = sheet.run()
    assert len(set(captions_of(found).values())) == 1
    assert [picture.caption_shared_with for picture in found.pictures] == [(right,), (left,)]
    assert all(picture.caption_confidence > 0.4 for picture in found.pictures)


def test_two_photographs_side_by_side_with_a_caption_each() -> None:
    sheet = pair()
    found = sheet.run()
    assert list(captions_of(found).values()) == ["La condesa de Loreto.", "El general Menocal."]
    assert [picture.caption_shared_with for picture in found.pictures] == [(), ()]


def test_captions_that_ocr_read_as_one_line_are_parted_under_the_gap() -> None:
    sheet = pair()
    a, b = sheet.paragraphs
    line = Line(words=a.words + b.words, box=a.box.union(b.box))
    sheet.paragraphs = [Paragraph(id="0003-p01", lines=(line,), box=line.box)]
    assert list(captions_of(sheet.run()).values()) == ["La condesa de Loreto.", "El general Menocal."]


def two_columns(sheet: Sheet) -> None:
    """Two columns of prose around a round portrait in the first, its caption below it."""
    sheet.text(["ESTRELLAS EN EMBRIÓN"], 820, 100, "centre", 1.6, spacing=0.2)
    sheet.text(["POR FRANCISCO ACOSTA"], 820, 190, "centre", 0.9, spacing=0.1)
    sheet.prose(100, 680, 280, 700, seed=1)
    sheet.picture(180, 740, 700, 1300)
    sheet.text(["La condesa de Loewenhaupt."], 440, 1330, "centre", 0.75)
    sheet.prose(100, 680, 1440, 2000, seed=2)
    sheet.prose(860, 680, 280, 2000, seed=3)


def test_inset_picture_in_prose_takes_its_caption_and_no_prose() -> None:
    sheet = Sheet()
    two_columns(sheet)
    (picture,) = sheet.run().pictures
    assert picture.caption is not None
    assert picture.caption.text == "La condesa de Loewenhaupt."
    assert picture.heading is not None
    assert picture.heading.text == "ESTRELLAS EN EMBRIÓN POR FRANCISCO ACOSTA"
    above, below, second_column = (sheet.paragraphs[i].text for i in (2, 4, 5))
    assert [quote.text for quote in picture.before] == [above]
    assert [quote.text for quote in picture.after] == [below, second_column]


def test_caption_glued_to_the_prose_below_is_cut_off() -> None:
    sheet = Sheet()
    two_columns(sheet)
    sheet.merge(3, 4)
    assert list(captions_of(sheet.run()).values()) == ["La condesa de Loewenhaupt."]


def test_inset_picture_without_caption_gets_none() -> None:
    sheet = Sheet()
    two_columns(sheet)
    del sheet.paragraphs[3]
    (picture,) = sheet.run().pictures
    assert picture.caption is None
    assert picture.caption_confidence == 0.0
    assert picture.after[0].text == sheet.paragraphs[3].text


def test_dialogue_under_a_picture_is_no_caption() -> None:
    sheet = Sheet()
    sheet.prose(100, 680, 280, 700, seed=1)
    sheet.picture(100, 740, 780, 1300)
    sheet.text(["—Sí, señor. La esperaba."], 140, 1316)
    sheet.prose(100, 680, 1364, 2000, seed=2)
    sheet.prose(860, 680, 280, 2000, seed=3)
    assert list(captions_of(sheet.run()).values()) == [None]


def test_a_table_of_contents_under_a_headpiece_is_no_caption() -> None:
    sheet = Sheet()
    sheet.picture(100, 200, 1500, 600)
    titles = ["El abanico de sándalo", "Crónica del mes", "Nuestro concurso", "La intrépida aviadora", "Modas"]
    sheet.text(titles, 100, 640, size=0.9)
    assert list(captions_of(sheet.run()).values()) == [None]


def test_a_long_caption_beside_prose_of_its_type_is_known_by_the_picture_above() -> None:
    """A picture set into the prose at its right side: the caption stands in the hole, in lines level with the prose."""
    sheet = Sheet()
    sheet.prose(100, 1400, 200, 500, seed=1)
    sheet.prose(100, 880, 500, 1170, seed=2)
    sheet.picture(1000, 510, 1500, 980)
    sheet.text(["La niña de la casa con", "su abuela, en el patio."], 1010, 1000)
    sheet.prose(100, 1400, 1200, 2000, seed=3)
    assert list(captions_of(sheet.run()).values()) == ["La niña de la casa con su abuela, en el patio."]


def test_a_credit_in_the_caption_s_last_line_belongs_to_it_on_a_page_that_leans() -> None:
    sheet = Sheet()
    sheet.picture(100, 300, 1500, 1200)
    sheet.text(["LA SEÑORA DE MONTALBO EN EL SALÓN."], 500, 1240, "centre", 0.9)
    sheet.text(["Dibujo de Navales."], 1500, 1232, "right", 0.7)  # it begins above the line beside it
    (caption,) = captions_of(sheet.run()).values()
    assert caption == "LA SEÑORA DE MONTALBO EN EL SALÓN. Dibujo de Navales."


@pytest.mark.parametrize(("right", "belongs"), [(1500, True), (1900, False)])
def test_a_credit_may_stand_beyond_the_edge_of_a_picture_found_too_short(right: int, belongs: bool) -> None:
    sheet = Sheet()
    sheet.picture(100, 300, 1250, 1200)
    sheet.text(["La señora de Montalbo en el salón."], 800, 1240, "centre", 0.9)
    sheet.text(["Dibujo de Navales."], right, 1290, "right", 0.7)
    (caption,) = captions_of(sheet.run()).values()
    credit = " Dibujo de Navales." if belongs else ""
    assert caption == f"La señora de Montalbo en el salón.{credit}"


def test_a_caption_that_begins_in_capitals_goes_on_in_the_type_of_the_prose() -> None:
    sheet = Sheet()
    sheet.prose(100, 680, 200, 2000, seed=1)
    sheet.picture(860, 300, 1540, 1200)
    sheet.text(["LA CONDESA DE MONTALBO EN EL"], 1200, 1225, "centre")
    sheet.text(["CLUB. Un grupo de señoras", "la acompañaba aquella tarde."], 1200, 1273, "centre")
    (caption,) = captions_of(sheet.run()).values()
    assert caption == "LA CONDESA DE MONTALBO EN EL CLUB. Un grupo de señoras la acompañaba aquella tarde."


def test_one_caption_for_two_pictures_is_not_cut_between_them() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 300, 780, 900), sheet.picture(860, 300, 1540, 900)
    sheet.text(["A la izquierda, la señora Valdoro en el patio;"], 810, 930, "right", 0.8)
    sheet.text(["a la derecha, su hija Elvira."], 842, 930, size=0.8)
    found = sheet.run()
    assert [picture.caption_shared_with for picture in found.pictures] == [(right,), (left,)]


def test_ovals_with_captions_below_each_in_two_columns() -> None:
    sheet = Sheet()
    sheet.prose(100, 680, 280, 700, seed=1)
    sheet.picture(180, 740, 700, 1300)
    sheet.text(["La condesa de Loewenhaupt, con Amalia Izquierdo.", "Fot. Martínez."], 440, 1330, "centre", 0.7)
    sheet.prose(100, 680, 1460, 2000, seed=2)
    sheet.prose(860, 680, 280, 940, seed=3)
    sheet.picture(940, 980, 1460, 1540)
    sheet.text(["Srta. María del Carmen Vinent."], 1200, 1570, "centre", 0.7)
    sheet.text(["Fot. Martínez."], 1480, 1620, "right", 0.6)
    sheet.prose(860, 680, 1700, 2000, seed=4)
    assert list(captions_of(sheet.run()).values()) == [
        "La condesa de Loewenhaupt, con Amalia Izquierdo. Fot. Martínez.",
        "Srta. María del Carmen Vinent. Fot. Martínez.",
    ]


def test_captions_that_name_places_go_to_their_rows() -> None:
    sheet = Sheet()
    sheet.text(["CONCURSO DE FOTOGRAFÍAS"], 820, 100, "centre", 1.6)
    boxes = [(100, 300, 800, 900), (840, 300, 1540, 900), (100, 940, 800, 1500), (840, 940, 1540, 1500)]
    names = [sheet.picture(*box) for box in boxes]
    sheet.text(["Arriba, a la izquierda: un gato. A la derecha: un pabellón."], 820, 1540, "centre", 0.8)
    sheet.text(["Abajo, a la izquierda: el tejado. A la derecha: una dalia."], 820, 1600, "centre", 0.8)
    found = sheet.run()
    assert [text and text.split(",")[0] for text in captions_of(found).values()] == ["Arriba"] * 2 + ["Abajo"] * 2
    assert found.pictures[0].caption_shared_with == (names[1],)
    assert found.pictures[3].caption_shared_with == (names[2],)


def test_collage_shares_a_caption_as_wide_as_itself() -> None:
    sheet = Sheet()
    for box in ((100, 300, 600, 800), (640, 300, 1540, 800), (300, 830, 1200, 1400)):
        sheet.picture(*box)
    lines = [
        "Tres de los más aplaudidos números que se exhiben en el circo Santos",
        "y Artigas: la bella, los payasos y los elefantes.",
    ]
    sheet.text(lines, 820, 1450, "centre")
    found = sheet.run()
    assert {len(picture.caption_shared_with) for picture in found.pictures} == {2}


def test_numbered_captions_beside_a_collage_stay_together() -> None:
    sheet = Sheet()
    sheet.text(["Notas de Actualidad Social"], 820, 100, "centre", 1.8)
    for box in ((100, 250, 800, 700), (830, 250, 1540, 900), (620, 930, 1540, 1600)):
        sheet.picture(*box)
    y = sheet.text(["1: Un aspecto de la", "comida ofrecida."], 120, 960, size=0.9) + 30
    y = sheet.text(["2: Los señores Franca", "y Rivera."], 120, y, size=0.9) + 30
    sheet.text(["3: El Alcalde de la", "Habana."], 120, y, size=0.9)
    found = sheet.run()
    texts = set(captions_of(found).values())
    assert texts == {"1: Un aspecto de la comida ofrecida. 2: Los señores Franca y Rivera. 3: El Alcalde de la Habana."}
    assert all(len(picture.caption_shared_with) == 2 for picture in found.pictures)
    assert all(p.heading and p.heading.text == "Notas de Actualidad Social" for p in found.pictures)


def test_heading_of_the_next_article_is_no_caption() -> None:
    sheet = Sheet()
    sheet.text(["EL VERANEO EN LAKE PLACID"], 820, 100, "centre", 1.5)
    sheet.picture(200, 220, 1440, 900)
    sheet.text(["UN POETA"], 820, 960, "centre", 1.5, spacing=0.2)
    sheet.prose(100, 680, 1060, 1800, seed=1)
    sheet.prose(860, 680, 1060, 1800, seed=2)
    (picture,) = sheet.run().pictures
    assert picture.caption is None
    assert picture.heading is not None
    assert picture.heading.text == "EL VERANEO EN LAKE PLACID"


def test_print_inside_a_full_page_advertisement_is_no_caption() -> None:
    sheet = Sheet()
    sheet.picture(50, 50, 1600, 2100)
    sheet.text(["CAFÉ LA ESTRELLA"], 820, 300, "centre", 3)
    sheet.text(["El mejor de la Habana"], 820, 1700, "centre", 1.4)
    sheet.text(["Calle de la Noria, 14"], 820, 1900, "centre", 0.9)
    (picture,) = sheet.run().pictures
    assert picture.caption is None
