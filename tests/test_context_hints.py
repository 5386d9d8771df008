"""Stage 4: what a detector takes for captions, and looks of pictures, where places alone do not tell."""

from __future__ import annotations

import pytest

from revista.context.cutting import pieces_of
from revista.geometry import Box, hull
from revista.lean import Lean, Straight
from revista.records import Look, Region, RegionKind

from .sheet import Sheet, captions_of


def hinted(sheet: Sheet, box: Box, confidence: float = 0.6) -> None:
    """What a detector takes for a caption, less sure than would do by itself."""
    name = f"0003-r{len(sheet.regions) + 1:02d}"
    sheet.regions.append(Region(id=name, kind=RegionKind.CAPTION, box=box, confidence=confidence, detector="test"))


def looking(sheet: Sheet, look: Look) -> None:
    """The last region looks like that."""
    sheet.regions[-1] = sheet.regions[-1].model_copy(update={"look": look})


def column_with_caption(*, told: bool) -> Sheet:
    """A picture at the head of a column of prose, with a caption in its type and as wide, and some white below."""
    sheet = Sheet()
    sheet.prose(100, 850, 100, 2600, seed=3)
    sheet.picture(1000, 100, 1900, 700)
    for line, top in (
        ("La familia en el salón. El corazón celebraba la", 730),
        ("sociedad y la carta principal de la casa.", 778),
    ):
        end = sheet.text([line], 1450, top, "centre")
        if told:
            hinted(sheet, sheet.paragraphs[-1].box.grow(5))
    end = sheet.text(["El jardín estaba lleno de flores y nadie"], 1050, end + 28)
    sheet.prose(1000, 900, end + 8, 2600, seed=9)
    return sheet


def test_what_a_detector_takes_for_a_caption_is_parted_by_little_white() -> None:
    found = captions_of(column_with_caption(told=True).run())
    assert found == {
        "0003-r01": "La familia en el salón. El corazón celebraba la sociedad y la carta principal de la casa."
    }
    assert captions_of(column_with_caption(told=False).run()) == {"0003-r01": None}


def test_small_print_under_what_looks_like_an_ornament_is_its_caption_and_what_is_told_to_be() -> None:
    found = {}
    for size, told in ((0.75, False), (0.95, True), (0.95, False)):
        sheet = Sheet()
        sheet.picture(100, 100, 1900, 600)
        looking(sheet, Look.ORNAMENT)
        end = sheet.text(["Un grupo de concurrentes en el jardín del club."], 110, 630, size=size)
        if told:
            hinted(sheet, sheet.paragraphs[-1].box.grow(5))
        for left in (100, 1030):
            sheet.prose(left, 870, end + 40, 2600, seed=left)
        found[size, told] = captions_of(sheet.run())["0003-r01"]
    caption = "Un grupo de concurrentes en el jardín del club."
    assert found == {(0.75, False): caption, (0.95, True): caption, (0.95, False): None}


def test_pieces_of_a_line_that_a_detector_takes_for_captions_go_together() -> None:
    """The line leans a little, so that OCR parted it; a speck begins the second half."""
    sheet = Sheet()
    sheet.picture(100, 100, 980, 900)
    x = 340
    for text in ("A la izquierda,", "la señorita Lozamar en la", "« capital; a la derecha, los alumnos."):
        if text.startswith("«"):
            sheet.picture(x - 20, 100, 1860, 900)
        sheet.text([text], x, 920 + x // 100)
        box = sheet.paragraphs[-1].box
        hinted(sheet, box.grow(4))
        x = box.right + 30
    found = {one.picture: (one.caption_shared_with, one.caption and one.caption.text) for one in sheet.run().pictures}
    whole = "A la izquierda, la señorita Lozamar en la « capital; a la derecha, los alumnos."
    left, right = found
    assert found == {left: ((right,), whole), right: ((left,), whole)}


def test_the_name_of_a_drawing_may_stand_anywhere_as_low_as_its_foot() -> None:
    for top, linked in ((1450, True), (600, False)):
        sheet = Sheet()
        name = sheet.picture(1200, 200, 1700, 1500)
        sheet.text(["Amelia Dalmares"], 200, top)
        assert captions_of(sheet.run()) == {name: "Amelia Dalmares" if linked else None}


def higher(sheet: Sheet, by: int) -> None:
    """The words of the last paragraph, a line, as they are read where the line above touches them."""
    line = sheet.paragraphs[-1].lines[0]
    words = tuple(w.model_copy(update={"box": w.box._replace(top=w.box.top - by)}) for w in line.words)
    line = line.model_copy(update={"words": words, "box": hull(w.box for w in words)})
    sheet.paragraphs[-1] = sheet.paragraphs[-1].model_copy(update={"lines": (line,), "box": line.box})


def test_a_line_of_the_next_column_is_no_part_of_a_caption_though_heights_were_misread() -> None:
    sheet = Sheet()
    sheet.picture(100, 100, 900, 700)
    sheet.text(["Los novios de ayer en la capital de la isla y el mar."], 480, 730, "centre", 0.8)
    higher(sheet, 25)
    sheet.prose(100, 850, 800, 2600, seed=1)
    sheet.prose(930, 900, 100, 720, seed=2)
    sheet.text(["camino cuando la calle vieja estaba ya llena de"], 930, 724)
    higher(sheet, 18)
    sheet.prose(930, 900, 772, 2600, seed=3)
    assert captions_of(sheet.run()) == {"0003-r01": "Los novios de ayer en la capital de la isla y el mar."}


def test_capitals_under_the_middle_of_a_picture_are_no_heading_of_the_wider_text_below() -> None:
    """A leaning photograph is found smaller than it is, so that its caption stands nearer to the text."""
    for middle, linked in ((1400, "LA ENTRADA DEL PARQUE."), (1000, None)):
        sheet = Sheet()
        sheet.prose(100, 1800, 100, 600, seed=1)
        sheet.picture(1000, 640, 1800, 1300)
        end = sheet.text(["LA ENTRADA DEL PARQUE."], middle, 1375, "centre")
        sheet.prose(100, 1800, end + 12, 2600, seed=2)
        assert captions_of(sheet.run()) == {"0003-r01": linked}


def test_an_unfinished_caption_is_told_by_its_narrower_measure() -> None:
    """Three lines and more in the type of the prose, which end within a sentence."""
    lines = [
        "El señor Rafael en la capital,",
        "donde el espejo célebre de la",
        "casa y el sombrero de su señora",
        "estaban sin que la noche del",
        "jardín tuviese ya flores, fiesta",
        "ni orquesta, y el corazón",
    ]
    for inset, linked in ((150, True), (0, False)):
        sheet = Sheet()
        sheet.prose(100, 850, 100, 2600, seed=1)
        sheet.prose(1000, 1000, 100, 500, seed=2)
        left = 1000 + inset
        sheet.picture(left, 530, left + 640, 1000)
        end = sheet.text(lines, left, 1020)
        sheet.prose(1000, 1000, end + 18, 2600, seed=3)
        assert captions_of(sheet.run()) == {"0003-r01": " ".join(lines) if linked else None}


@pytest.mark.parametrize(("size", "speck"), [(0.5, True), (0.6, False)])
def test_a_word_half_as_large_as_the_prose_at_the_foot_of_a_picture_is_no_caption(size: float, speck: bool) -> None:
    sheet = Sheet()
    sheet.prose(100, 1600, 100, 700)
    sheet.picture(100, 800, 1700, 1400)
    sheet.text(["ros"], 1000, 1405, size=size)
    for left in (100, 930):
        sheet.prose(left, 770, 1500, 2400, seed=left)
    assert (captions_of(sheet.run()) == {"0003-r01": None}) is speck


def test_specks_above_a_line_are_no_caption_of_its_own() -> None:
    sheet = Sheet()
    left = sheet.picture(100, 100, 980, 900)
    sheet.text(["A la izquierda, el señor Belmira; a la derecha,"], 60, 930)
    right = sheet.picture(sheet.paragraphs[-1].box.right + 5, 100, 1900, 900)
    sheet.text(["CIA"], 1300, 905, size=0.4)
    sheet.text(["el equipo vencedor durante la fiesta."], sheet.paragraphs[0].box.right + 20, 930)
    whole = "A la izquierda, el señor Belmira; a la derecha, el equipo vencedor durante la fiesta."
    assert captions_of(sheet.run()) == {left: whole, right: whole}


def test_capitals_with_a_credit_below_or_a_person_named_are_no_heading_though_they_stand_nearer_to_the_text() -> None:
    found = {}
    for words, credit in (
        ("LA ENTRADA DEL PARQUE.", "Dibujo de Navales."),
        ("LA SEÑORA DE NAVALES.", ""),
        ("LA ENTRADA DEL PARQUE.", ""),
    ):
        sheet = Sheet()
        sheet.prose(100, 850, 100, 600, seed=1)
        sheet.picture(100, 640, 950, 1300)
        end = sheet.text([words], 525, 1342, "centre")
        if credit:
            end = sheet.text([credit], 940, end + 8, "right", 0.75)
        sheet.prose(100, 850, end + 12, 2600, seed=2)
        found[words, credit] = captions_of(sheet.run())["0003-r01"]
    assert found == {
        ("LA ENTRADA DEL PARQUE.", "Dibujo de Navales."): "LA ENTRADA DEL PARQUE. Dibujo de Navales.",
        ("LA SEÑORA DE NAVALES.", ""): "LA SEÑORA DE NAVALES.",
        ("LA ENTRADA DEL PARQUE.", ""): None,
    }


@pytest.mark.parametrize(
    ("read", "at", "kept"),
    [
        ("—o", 1250, False),
        ("o", 1250, False),
        ("río", 1250, True),  # a word stays where it was read
        ("o", 880, True),  # not in the picture
        ("o", 700, True),  # right after a word, over the picture's rim
    ],
)
def test_what_is_read_out_of_a_picture_at_an_end_of_a_line_is_no_part_of_it(read: str, at: int, kept: bool) -> None:
    sheet = Sheet()
    picture = Box(690 if at == 700 else 1000, 100, 1500, 900)
    sheet.text(["sombrero de la casa y su jardín"], 100, 880)
    line = sheet.paragraphs[0].lines[0]
    at = line.box.right + 20 if at == 700 else at
    for turned in (False, True):
        box = Box(at, line.box.top, at + 30, line.box.bottom)
        boxes = [box, *(word.box for word in line.words), picture]
        if turned:
            boxes = [Box(2000 - b.right, b.top, 2000 - b.left, b.bottom) for b in boxes]
        words = [w.model_copy(update={"box": b}) for w, b in zip(line.words, boxes[1:], strict=False)]
        whole = line.model_copy(
            update={
                "words": (*words, line.words[0].model_copy(update={"text": read, "box": boxes[0]})),
                "box": hull(boxes[:-1]),
            }
        )
        pieces = pieces_of([whole], Straight(Lean()), [boxes[-1]])
        found = {word.text for piece in pieces for part in piece for word in part.words}
        assert found >= {word.text for word in line.words}
        assert (read in found) == kept


@pytest.mark.parametrize(("wide", "linked"), [(1500, True), (700, False)])
def test_a_line_under_the_middle_of_a_wide_picture_ends_above_the_column_that_it_nearly_fills(
    wide: int, linked: bool
) -> None:
    """It is read as one paragraph with the text below, which begins at its left end, set in by as much."""
    sheet = Sheet()
    sheet.prose(100, 620, 1400, 2600, seed=1)
    sheet.text(["El doctor Alberto Belmira Ruiz."], 1060, 1340, "centre")
    caption = sheet.paragraphs[-1].box
    sheet.picture(1060 - wide // 2, 500, 1060 + wide // 2, 1300)
    sheet.text(["El público iluminaba hoy la calle"], caption.left, caption.bottom + 16)
    right = sheet.paragraphs[-1].box.right
    sheet.prose(caption.left - 48, right - caption.left + 48, sheet.paragraphs[-1].box.bottom + 8, 2600, seed=2)
    sheet.merge(2, 3)
    sheet.merge(1, 2)
    assert captions_of(sheet.run()) == {"0003-r01": "El doctor Alberto Belmira Ruiz." if linked else None}


def test_a_caption_whose_second_line_ends_in_small_letters_goes_on_below_in_the_type_of_the_prose() -> None:
    sheet = Sheet()
    sheet.prose(100, 1300, 100, 2600, seed=1)
    name = sheet.picture(1500, 300, 1900, 800)
    end = sheet.text(["LA PRESIDENCIA EN"], 1700, 820, "centre")
    end = sheet.text(["LA TERRAZA. El"], 1700, end + 12, "centre")
    sheet.text(["silencio llenaba la calle de", "la casa y más tarde, en la", "sala, el teatro."], 1475, end + 12)
    (found,) = (text for picture, text in captions_of(sheet.run()).items() if picture == name)
    assert found == (
        "LA PRESIDENCIA EN LA TERRAZA. El silencio llenaba la calle de la casa y más tarde, en la sala, el teatro."
    )
