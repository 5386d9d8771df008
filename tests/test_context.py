"""Stage 4: blocks, captions, headings, paragraphs around, quotes, windows."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont
from rapidfuzz import fuzz

from revista import context
from revista import pages as pages_stage
from revista import text as text_stage
from revista.context.assignment import assign
from revista.context.blocks import blocks_of
from revista.context.candidates import candidates_of
from revista.context.quotes import quote_of, tokens_of, tokens_of_each
from revista.context.roles import layout_of
from revista.context.typeface import em_of
from revista.errors import BadArguments
from revista.geometry import Box, hull
from revista.lean import Lean
from revista.records import Contexts, Line, Look, PageText, Paragraph, Quote, Region, RegionKind, Regions, Word
from revista.settings import ContextSettings, PagesSettings, TextSettings

from .conftest import ROOT, SAMPLE
from .test_text import FONT

PROSE = (  # noqa: SIM905
    "La tarde caía sobre el viejo jardín y las señoras conversaban bajo los árboles mientras los criados servían el "
    "refresco en copas de cristal. Nadie recordaba ya la razón de aquella visita ni el nombre del caballero que la "
    "había propuesto, pero todos reían de buena gana con las historias del anciano general."
).split()


_FONT = ImageFont.truetype(str(FONT), 200)


@dataclass
class Sheet:
    """A page that is set line by line, as OCR would read it."""

    em: int = 40
    paragraphs: list[Paragraph] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    def picture(self, left: int, top: int, right: int, bottom: int) -> str:
        name = f"0003-r{len(self.regions) + 1:02d}"
        box = Box(left, top, right, bottom)
        self.regions.append(Region(id=name, kind=RegionKind.PICTURE, box=box, confidence=0.9, detector="test"))
        return name

    def _line(self, text: str, left: float, top: int, em: float, spacing: float) -> Line:
        words, x = [], left
        for word in text.split():
            width = em * (_FONT.getlength(word) / _FONT.size + spacing * len(word))
            above = 0.73 if set(word) - set("acemnorsuvwxzñgpqy,;.:-") else 0.48
            below = 0.22 if set(word) & set("gjpqyç,;") else 0.0
            box = Box(round(x), round(top + (0.73 - above) * em), round(x + width), round(top + (0.73 + below) * em))
            words.append(Word(text=word, box=box, confidence=0.95))
            x += width + em * (0.3 + spacing)
        return Line(words=tuple(words), box=hull(word.box for word in words))

    def text(
        self, lines: Sequence[str], x: int, top: int, align: str = "left", size: float = 1.0, spacing: float = 0.0
    ) -> int:
        """Set one paragraph: `x` is its left edge, its middle or its right edge; returns where it ends."""
        em = self.em * size
        made = []
        for number, text in enumerate(lines):
            line = self._line(text, 0, round(top + number * 1.2 * em), em, spacing)
            start = {"left": x, "centre": x - line.box.width / 2, "right": x - line.box.width}[align]
            made.append(self._line(text, start, line.box.top, em, spacing))
        box = hull(line.box for line in made)
        number = len(self.paragraphs) + 1
        self.paragraphs.append(Paragraph(id=f"0003-p{number:02d}", lines=tuple(made), box=box))
        return box.bottom

    def prose(self, left: int, width: int, top: int, bottom: int, seed: int = 0) -> int:
        """Fill a column from `top` to `bottom` with one paragraph of prose."""
        words = random.Random(seed).sample(PROSE, len(PROSE)) * 20
        lines, y = [], top
        while y + 1.2 * self.em <= bottom:
            line = [words.pop()]
            while self._line(" ".join([*line, words[-1]]), 0, 0, self.em, 0).box.width <= width:
                line.append(words.pop())
            lines.append(" ".join(line))
            y += round(1.2 * self.em)
        return self.text(lines, left, top)

    def merge(self, first: int, second: int) -> None:
        """Join two paragraphs into one, as Tesseract does with a caption and the prose below it."""
        a, b = self.paragraphs[first], self.paragraphs[second]
        self.paragraphs[first] = Paragraph(id=a.id, lines=a.lines + b.lines, box=a.box.union(b.box))
        del self.paragraphs[second]

    def run(self, previous: PageText | None = None, options: ContextSettings | None = None) -> Contexts:
        regions = Regions(regions=tuple(self.regions))
        text = PageText(paragraphs=tuple(self.paragraphs))
        return context.run(3, regions, text, previous, options or ContextSettings())


def captions_of(found: Contexts) -> dict[str, str | None]:
    return {picture.picture: picture.caption.text if picture.caption else None for picture in found.pictures}


# --- pages as Social prints them ------------------------------------------------------------------------------


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
    sheet = Sheet()
    sheet.picture(100, 300, 800, 900)
    sheet.picture(840, 300, 1540, 900)
    sheet.text(["La condesa de Loreto."], 450, 940, "centre", 0.8)
    sheet.text(["El general Menocal."], 1190, 940, "centre", 0.8)
    found = sheet.run()
    assert list(captions_of(found).values()) == ["La condesa de Loreto.", "El general Menocal."]
    assert [picture.caption_shared_with for picture in found.pictures] == [(), ()]


def test_captions_that_ocr_read_as_one_line_are_parted_under_the_gap() -> None:
    sheet = Sheet()
    sheet.picture(100, 300, 800, 900)
    sheet.picture(840, 300, 1540, 900)
    sheet.text(["La condesa de Loreto."], 450, 940, "centre", 0.8)
    sheet.text(["El general Menocal."], 1190, 940, "centre", 0.8)
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


@pytest.mark.parametrize(("rise", "others", "linked"), [(50, 0, True), (400, 0, False), (50, 8, False)])
def test_a_name_at_the_foot_of_a_box_that_is_too_large(rise: int, others: int, linked: bool) -> None:
    """On a page with hardly any print it stands below the picture; lettering higher up, or on other pages, is in it."""
    sheet = Sheet()
    name = sheet.picture(200, 200, 1000, 800)
    sheet.picture(1200, 200, 2000, 800)
    sheet.text(["Teresa Lozamar"], 300, 800 - rise)
    if others:
        sheet.prose(200, 1800, 1000, 1000 + others * 50)
    assert captions_of(sheet.run())[name] == ("Teresa Lozamar" if linked else None)


@pytest.mark.parametrize(
    ("away", "drop", "others", "linked"),
    [(60, 10, 0, True), (60, -30, 0, True), (400, 10, 0, False), (60, 300, 0, False), (60, 10, 8, False)],
)
def test_a_name_beyond_the_edge_of_a_photograph_found_too_narrow(
    away: int, drop: int, others: int, linked: bool
) -> None:
    """Its sky is as pale as the sheet: the name stands under what was not seen, on a page with hardly any print."""
    sheet = Sheet()
    seen = sheet.picture(900, 200, 1500, 800)
    other = sheet.picture(200, 1300, 1000, 1900)
    sheet.text(["Teresa Lozamar"], 900 - away, 800 + drop, "right")
    if others:
        sheet.prose(1100, 1900, 1300, 1300 + others * 50)
    sheet.regions[0] = sheet.regions[0].model_copy(update={"look": Look.PHOTOGRAPH})
    found = captions_of(sheet.run())
    assert found == {seen: "Teresa Lozamar" if linked else None, other: None}


def test_a_name_that_begins_with_a_picture_is_not_shared_by_its_row() -> None:
    sheet = Sheet(em=22)
    left, right = sheet.picture(283, 363, 1078, 1444), sheet.picture(1397, 258, 2264, 1460)
    sheet.text(["Mercedes Quintanar"], 1390, 1482)
    assert captions_of(sheet.run()) == {left: None, right: "Mercedes Quintanar"}
    sheet.paragraphs.clear()
    sheet.text(["Mercedes Quintanar"], 1273, 1482, "centre")
    assert set(captions_of(sheet.run()).values()) == {"Mercedes Quintanar"}


def test_a_credit_far_below_the_only_picture_goes_with_its_caption() -> None:
    """The picture is found a quarter too short, as its foot is as pale as the paper."""
    sheet = Sheet(em=25)
    picture = sheet.picture(149, 144, 1054, 1174)
    sheet.text(["Los novios en la playa."], 466, 1512)
    sheet.text(["Foto Belmira."], 1041, 1544, "right", 0.85)
    assert captions_of(sheet.run()) == {picture: "Los novios en la playa. Foto Belmira."}


def test_a_caption_that_tells_left_from_right_may_stand_under_one_of_the_two() -> None:
    sheet = Sheet(em=15)
    short, tall = sheet.picture(152, 95, 715, 520), sheet.picture(753, 96, 1247, 717)
    sheet.text(["A la izquierda, la entrada del parque; a la derecha, una escena del baile."], 723, 730, "right", 0.9)
    both = "A la izquierda, la entrada del parque; a la derecha, una escena del baile."
    assert captions_of(sheet.run()) == {short: both, tall: both}
    sheet.paragraphs.clear()
    sheet.text(["Vista general de la entrada del parque, tomada desde la terraza."], 723, 730, "right", 0.9)
    assert captions_of(sheet.run())[tall] is None


def test_a_caption_that_has_ended_does_not_go_on_in_small_letters() -> None:
    sheet = Sheet(em=23)
    sheet.picture(139, 238, 1154, 983)
    small = sheet.picture(144, 1080, 412, 1344)
    sheet.text(["La niña Julia", "en el salón."], 148, 1361)
    sheet.text(["iglesia! El paseo humilde escuchó el jardín", "en la playa pero nadie recordaba ya"], 126, 1420)
    assert captions_of(sheet.run())[small] == "La niña Julia en el salón."


def test_a_heading_in_capitals_below_a_caption_is_no_part_of_it() -> None:
    sheet = Sheet(em=26)
    sheet.text(["EL JARDÍN DE LA CONDESA"], 600, 120, "centre", 1.7)
    sheet.prose(66, 530, 220, 480, seed=1)
    sheet.prose(623, 530, 220, 480, seed=2)
    picture = sheet.picture(67, 509, 1150, 1000)
    sheet.text(["El señor Hinojares a bordo."], 72, 1010, size=0.84)
    sheet.text(["EL CAMINO ANUNCIABA EL JARDÍN"], 74, 1036, size=0.96)
    sheet.prose(65, 530, 1090, 1640, seed=3)
    sheet.prose(623, 530, 1056, 1640, seed=4)
    assert captions_of(sheet.run()) == {picture: "El señor Hinojares a bordo."}


def test_text_at_its_full_width_below_what_a_detector_takes_for_a_caption_is_no_part_of_it() -> None:
    sheet = Sheet(em=27)
    sheet.prose(84, 376, 160, 1140, seed=1)
    sheet.prose(498, 376, 160, 1300, seed=2)
    picture = sheet.picture(100, 1197, 441, 1431)
    sheet.text(["La niña Elvira Valdoro", "en el jardín."], 106, 1445, size=1.03)
    box = sheet.paragraphs[-1].box
    sheet.text(
        ["El cuento amable perdió el", "silencio y después el público", "adornó la tarde en la plaza."], 84, 1520
    )
    sheet.regions.append(Region(id="0003-r09", kind=RegionKind.CAPTION, box=box, confidence=0.9, detector="test"))
    assert captions_of(sheet.run())[picture] == "La niña Elvira Valdoro en el jardín."


@pytest.mark.parametrize("told", [True, False])
def test_a_caption_in_the_type_of_the_prose_may_begin_lower_where_a_detector_tells_it(told: bool) -> None:
    sheet = Sheet(em=19)
    sheet.prose(120, 388, 190, 400, seed=1)
    picture = sheet.picture(163, 459, 464, 618)
    lines = [
        "La niña Carmen en el jardín.",
        "El sombrero triste no se oía",
        "ni en el patio ni en la casa",
        "de la playa y las señoras no",
        "reían de las historias.",
    ]
    sheet.text(lines, 165, 650, size=0.98)
    box = sheet.paragraphs[-1].box
    sheet.text(["La casa"], 314, 790, "centre", 1.5)
    sheet.prose(120, 388, 840, 1660, seed=2)
    sheet.prose(533, 388, 190, 1660, seed=3)
    if told:
        sheet.regions.append(Region(id="0003-r09", kind=RegionKind.CAPTION, box=box, confidence=0.4, detector="test"))
    assert captions_of(sheet.run())[picture] == (" ".join(lines) if told else None)


def test_a_speck_at_the_foot_of_a_picture_does_not_stand_for_its_caption() -> None:
    sheet = Sheet(em=26)
    sheet.text(["EL SILENCIO"], 635, 159, "centre", 2.2)
    first, second = sheet.picture(88, 230, 669, 606), sheet.picture(719, 240, 1141, 560)
    sheet.text(["CAN"], 363, 607, size=0.36)
    sheet.text(["El señor Armendral en el club."], 96, 624, size=0.9)
    sheet.text(["La niña Dolores en el jardín."], 744, 579)
    found = captions_of(sheet.run())
    assert found == {first: "El señor Armendral en el club.", second: "La niña Dolores en el jardín."}


@pytest.mark.parametrize("alone", [True, False])
def test_capitals_far_below_the_only_picture_are_its_name_where_there_is_no_other_print(alone: bool) -> None:
    sheet = Sheet(em=19)
    picture = sheet.picture(105, 111, 1342, 1319)
    sheet.text(["EL NUEVO MUELLE"], 740, 1621, "centre")
    if not alone:
        sheet.prose(105, 1237, 1680, 2200)
    assert captions_of(sheet.run()) == {picture: "EL NUEVO MUELLE" if alone else None}


def test_a_caption_that_tells_left_from_right_may_be_read_in_two_pieces_of_one_line() -> None:
    sheet = Sheet(em=15)
    left, right = sheet.picture(150, 800, 590, 1130), sheet.picture(640, 800, 1200, 1140)
    sheet.text(["A la izquierda, el doctor Julio"], 430, 1159)
    sheet.text(["Navales; a la derecha, una escena del baile."], sheet.paragraphs[-1].box.right + 5, 1159)
    both = "A la izquierda, el doctor Julio Navales; a la derecha, una escena del baile."
    assert captions_of(sheet.run()) == {left: both, right: both}


def test_a_word_that_was_read_in_two_pieces_is_one() -> None:
    sheet = Sheet(em=23)
    picture = sheet.picture(100, 233, 1090, 1482)
    sheet.text(["Los novios en la qu"], 100, 1504)
    sheet.text(["inta."], sheet.paragraphs[-1].box.right + 2, 1504)
    sheet.text(["(Fo, t. Dalmares)"], 1090, 1540, "right", 0.7)
    sheet.text(["78"], 1140, 139)
    assert captions_of(sheet.run()) == {picture: "Los novios en la qu inta. (Fo, t. Dalmares)"}


@pytest.mark.parametrize(("gap", "linked"), [(200, True), (400, False)])
def test_a_name_farther_below_a_picture_on_a_page_of_few_words(gap: int, linked: bool) -> None:
    """Photographs of an album fade into their sheet, and are found too short."""
    sheet = Sheet(em=27)
    first, second = sheet.picture(156, 385, 542, 1410), sheet.picture(1127, 408, 1403, 1282)
    sheet.text(["Lucila Fontanales"], 171, 1420)
    sheet.text(["Julio Olivarte"], 1136, 1282 + gap, size=0.75)
    assert captions_of(sheet.run()) == {first: "Lucila Fontanales", second: "Julio Olivarte" if linked else None}


def test_page_number_and_noise_are_no_captions() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1900)
    sheet.text(["· ~ | '"], 850, 1930, "centre")
    sheet.text(["— 12 —"], 850, 1990, "centre")
    (picture,) = sheet.run().pictures
    assert picture.caption is None
    assert picture.windows == ()


def test_a_caption_goes_to_one_picture_even_where_two_are_near() -> None:
    sheet = Sheet()
    upper = sheet.picture(200, 200, 1000, 700)
    lower = sheet.picture(200, 800, 1000, 1400)
    sheet.text(["El yate Hatuey."], 600, 715, "centre", 0.8)
    found = captions_of(sheet.run())
    assert found[upper] == "El yate Hatuey."
    assert found[lower] is None


def test_print_turned_by_a_quarter_is_linked_like_upright_print() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1100)
    sheet.text(["El yate Hatuey."], 850, 1140, "centre", 0.8)
    plain = sheet.run().pictures[0]

    def turn(box: Box) -> Box:  # by 90 degrees clockwise, on a page 1300 pixels high
        return Box(1300 - box.bottom, box.left, 1300 - box.top, box.right)

    lines = tuple(
        Line(words=tuple(w.model_copy(update={"box": turn(w.box)}) for w in line.words), box=turn(line.box))
        for line in sheet.paragraphs[0].lines
    )
    text = PageText(
        paragraphs=(Paragraph(id="0003-p01", lines=lines, box=turn(sheet.paragraphs[0].box)),), orientation=90
    )
    regions = Regions(regions=tuple(r.model_copy(update={"box": turn(r.box)}) for r in sheet.regions))
    turned = context.run(3, regions, text, None, ContextSettings()).pictures[0]
    assert turned.caption is not None and plain.caption is not None
    assert turned.caption.text == plain.caption.text
    assert turned.caption_confidence == plain.caption_confidence
    assert turned.caption.boxes == tuple(turn(box) for box in plain.caption.boxes)


# --- the page before, the settings ----------------------------------------------------------------------------


def test_page_before_gives_its_last_paragraphs() -> None:
    earlier = Sheet()
    for number in range(4):
        earlier.prose(100, 1000, 100 + 400 * number, 400 + 400 * number, seed=number)
    earlier.text(["8"], 600, 1800, "centre")
    previous = PageText(paragraphs=tuple(earlier.paragraphs))
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1700)
    (picture,) = sheet.run(previous, ContextSettings(paragraphs=2)).pictures
    assert [quote.text for quote in picture.previous_page] == [p.text for p in earlier.paragraphs[2:4]]
    assert {quote.page for quote in (*picture.previous_page, *picture.windows)} == {2}
    (none,) = sheet.run(previous, ContextSettings(paragraphs=0)).pictures
    assert none.previous_page == none.windows == ()


def test_words_below_the_threshold_are_marked() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1000, 700)
    sheet.text(["El yate Hatuey."], 600, 715, "centre", 0.8)
    paragraph = sheet.paragraphs[0]
    words = tuple(w.model_copy(update={"confidence": c}) for w, c in zip(paragraph.words, (0.9, 0.3, 0.6), strict=True))
    line = paragraph.lines[0].model_copy(update={"words": words})
    sheet.paragraphs[0] = paragraph.model_copy(update={"lines": (line,)})
    caption = sheet.run().pictures[0].caption
    assert caption is not None
    assert caption.uncertain == (1,)
    assert caption.confidence == 0.6


def test_page_without_pictures_has_no_contexts() -> None:
    sheet = Sheet()
    sheet.prose(100, 680, 280, 700)
    assert sheet.run() == Contexts()


# --- quotes and windows ---------------------------------------------------------------------------------------


def line_of(text: str, top: int) -> Line:
    words = tuple(
        Word(text=word, box=Box(100 * i, top, 100 * i + 90, top + 30), confidence=0.9)
        for i, word in enumerate(text.split(" "))
    )
    return Line(words=words, box=hull(word.box for word in words))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["una foto-", "grafía antigua"], "una fotografía antigua"),
        (["la señora Pérez-", "Chaumont de Truffin"], "la señora Pérez-Chaumont de Truffin"),
        (["entre 1916-", "1918 vivió"], "entre 1916-1918 vivió"),
        (["dijo: —No—", "y salió"], "dijo: —No— y salió"),
        (["un guión -", "suelto"], "un guión - suelto"),
        (["teórico-práctico del", "curso"], "teórico-práctico del curso"),
    ],
)
def test_words_divided_at_line_ends_are_joined(lines: list[str], text: str) -> None:
    quote = quote_of(tokens_of(line_of(line, 50 * i) for i, line in enumerate(lines)), 3, 0.6)
    assert quote is not None
    assert quote.text == text
    assert len(quote.boxes) == 2


def test_words_of_two_parts_of_a_caption_are_never_joined() -> None:
    first, second = [line_of("Una foto-", 0)], [line_of("0 de dos", 50), line_of("más", 100)]
    tokens = tokens_of_each([first, second])
    assert [token.text for token in tokens] == ["Una", "foto-", "0", "de", "dos", "más"]
    assert [token.parts[0][0] for token in tokens] == [0, 0, 1, 1, 1, 2]


def test_windows_have_ten_words_and_share_three() -> None:
    windows = context.windows_of(list(range(24)))
    assert windows == [list(range(10)), list(range(7, 17)), list(range(14, 24))]
    assert context.windows_of([1, 2]) == [[1, 2]]
    assert context.windows_of([]) == []


@given(st.lists(st.integers(), max_size=80), st.integers(1, 12), st.data())
def test_every_word_is_in_a_window(words: list[int], size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    indices = list(range(len(words)))
    windows = context.windows_of(indices, size, overlap)
    assert sorted({i for window in windows for i in window}) == indices
    assert all(len(window) == size for window in windows[:-1])
    for one, two in pairwise(windows):
        assert list(one[size - overlap :]) == list(two[:overlap])
        assert set(two) - set(one)


@given(st.integers(-3, 20), st.integers(-3, 20))
def test_windows_refuse_what_cannot_be_meant(size: int, overlap: int) -> None:
    if size >= 1 and 0 <= overlap < size:
        assert context.windows_of([1], size, overlap) == [[1]]
    else:
        with pytest.raises(BadArguments):
            context.windows_of([1], size, overlap)


@given(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)), st.integers(5, 200))
def test_em_is_never_smaller_than_the_ink(text: str, height: int) -> None:
    assert em_of(text, height) >= height


def test_accents_on_capitals_make_a_type_no_larger() -> None:
    assert em_of("SEÑORITA", 93) == pytest.approx(em_of("PRESIDENTE", 73))


# --- any page at all ------------------------------------------------------------------------------------------

hostile_words = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(
        ["Arriba", "izquierda:", "1.", "Fot.", "SRTA.", "«", "<b>", "\u202eabc", "a\nb", "x" * 300, "foto-"]
    ),
)


@st.composite
def boxes(draw: st.DrawFn, degenerate: bool = False) -> Box:
    left, top = draw(st.integers(0, 900)), draw(st.integers(0, 1300))
    least = 0 if degenerate else 1
    return Box(left, top, left + draw(st.integers(least, 700)), top + draw(st.integers(least, 700)))


@st.composite
def pages(draw: st.DrawFn) -> tuple[Regions, PageText]:
    paragraphs = []
    for number in range(draw(st.integers(0, 8))):
        left, top = draw(st.integers(0, 1200)), draw(st.integers(0, 1700))
        em, lines = draw(st.integers(6, 60)), []
        for row in range(draw(st.integers(1, 4))):
            x, words = left, []
            for text in draw(st.lists(hostile_words, min_size=1, max_size=9)):
                y = top + round(1.2 * em * row)
                width = draw(st.integers(0, 150))
                confidence = draw(st.floats(0, 1))
                words.append(Word(text=text, box=Box(x, y, x + width, y + em), confidence=confidence))
                x += width + draw(st.integers(-5, 4 * em))
            lines.append(Line(words=tuple(words), box=hull(word.box for word in words)))
        box = hull(line.box for line in lines)
        paragraphs.append(Paragraph(id=f"0003-p{number:02d}", lines=tuple(lines), box=box))
    kinds = st.sampled_from([RegionKind.PICTURE, RegionKind.PICTURE, *RegionKind])
    regions = [
        Region(id=f"0003-r{i:02d}", kind=draw(kinds), box=draw(boxes()), confidence=draw(st.floats(0, 1)), detector="t")
        for i in range(draw(st.integers(0, 7)))
    ]
    orientation = draw(st.sampled_from([0, 0, 0, 90, 180, 270]))
    return Regions(regions=tuple(regions)), PageText(paragraphs=tuple(paragraphs), orientation=orientation)


def quotes_in(found: Contexts) -> list[Quote]:
    return [
        quote
        for p in found.pictures
        for quote in (p.caption, p.heading, *p.before, *p.after, *p.previous_page, *p.windows)
        if quote is not None
    ]


@settings(max_examples=150, deadline=None)
@given(pages(), pages())
def test_any_page_gives_sound_contexts(page: tuple[Regions, PageText], earlier: tuple[Regions, PageText]) -> None:
    regions, text = page
    found = context.run(3, regions, text, earlier[1], ContextSettings())
    assert [p.picture for p in found.pictures] == [r.id for r in regions.pictures]
    for quote in quotes_in(found):
        words = quote.text.split()
        assert words
        assert quote.boxes
        assert all(0 <= index < len(words) for index in quote.uncertain)
        assert 0 <= quote.confidence <= 1
    by_name = {p.picture: p for p in found.pictures}
    claims: dict[tuple[Box, ...], set[frozenset[str]]] = {}
    for p in found.pictures:
        assert 0 <= p.caption_confidence < 1
        assert (p.caption is None) <= (not p.caption_shared_with and p.caption_confidence == 0)
        for other in p.caption_shared_with:  # sharing is mutual
            assert by_name[other].caption == p.caption
            assert p.picture in by_name[other].caption_shared_with
        in_windows = {word for window in p.windows for word in window.text.split()}
        quotes = (p.caption, p.heading, *p.before, *p.after, *p.previous_page)
        assert {word for quote in quotes if quote for word in quote.text.split()} == in_windows
        if p.caption:
            claims.setdefault(p.caption.boxes, set()).add(frozenset({p.picture, *p.caption_shared_with}))
    lean = Lean.of(text)
    layout_boxes = [lean.straight(r.box) for r in regions.pictures]
    layout = layout_of(blocks_of(text, regions), layout_boxes)
    links = assign(layout_boxes, candidates_of(layout, layout_boxes), layout)
    for link in links:
        others = {b.order for part in link.runner_up for b in part}
        assert not {b.order for b in link.blocks} & others, "the runner-up is the chosen one"
        assert 0 <= link.runner_up_confidence <= link.confidence
    linked = [i for link in links for i in link.pictures]
    used = [block.order for link in links for block in link.blocks]
    assert len(linked) == len(set(linked)), "a picture with two captions"
    assert len(used) == len(set(used)), "a caption for two groups"
    assert context.run(3, regions, text, earlier[1], ContextSettings()) == found


@settings(max_examples=80, deadline=None)
@given(pages(), st.randoms())
def test_order_of_the_pictures_does_not_matter(page: tuple[Regions, PageText], rng: random.Random) -> None:
    regions, text = page
    if len({r.box for r in regions.regions}) < len(regions.regions):
        return  # pictures in the very same place cannot be told apart
    shuffled = list(regions.regions)
    rng.shuffle(shuffled)
    one = context.run(3, regions, text, None, ContextSettings())
    two = context.run(3, Regions(regions=tuple(shuffled)), text, None, ContextSettings())

    def sorted_out(found: Contexts) -> dict[str, object]:
        return {
            p.picture: p.model_copy(update={"caption_shared_with": tuple(sorted(p.caption_shared_with))})
            for p in found.pictures
        }

    assert sorted_out(one) == sorted_out(two)


@settings(max_examples=40, deadline=None)
@given(pages(), st.sampled_from([2, 3]))
def test_resolution_does_not_matter(page: tuple[Regions, PageText], factor: int) -> None:
    regions, text = page

    def scale(data: object) -> object:
        if isinstance(data, dict):
            return {k: [factor * n for n in v] if k == "box" else scale(v) for k, v in data.items()}
        return [scale(item) for item in data] if isinstance(data, list) else data

    larger = (
        Regions.model_validate_json(json.dumps(scale(json.loads(regions.model_dump_json())))),
        PageText.model_validate_json(json.dumps(scale(json.loads(text.model_dump_json())))),
    )
    one = context.run(3, regions, text, None, ContextSettings())
    two = context.run(3, *larger, None, ContextSettings())
    assert [p.caption and p.caption.text for p in one.pictures] == [p.caption and p.caption.text for p in two.pictures]


def test_pages_of_many_pieces_take_no_time() -> None:
    sheet = Sheet(em=10)
    for row in range(12):
        for column in range(10):
            sheet.picture(150 * column, 200 * row, 150 * column + 140, 200 * row + 150)
            sheet.text([f"Retrato número {row}{column}."], 150 * column + 70, 200 * row + 155, "centre")
    found = captions_of(sheet.run())
    assert sum(text is not None for text in found.values()) >= 110


# --- the sample issue, read by the real Tesseract --------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[dict[str, Any], Contexts]]:
    """Truth and contexts of the sample pages with captions, and of one without; pictures as the truth has them."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for truth in json.loads((ROOT / "sample_pages" / "index.json").read_text("utf-8")):
        number = truth["page"]
        if number not in (2, 3, 5, 7):
            continue
        page = pages_stage.run(SAMPLE, number, PagesSettings(), folder, 60)
        assert page.image
        regions = Regions(
            regions=tuple(
                Region(
                    id=f"{number:04d}-r{i:02d}",
                    kind=RegionKind.PICTURE,
                    box=Box(*item["bbox_xyxy"]),
                    confidence=1,
                    detector="truth",
                )
                for i, item in enumerate(truth["illustrations"])
            )
        )
        text = text_stage.run(folder / page.image, page, regions, TextSettings(), 60)
        found[number] = truth, context.run(number, regions, text, None, ContextSettings())
    return found


def test_captions_of_the_sample_are_linked_as_the_truth_has_them(
    sample_pages: dict[int, tuple[dict[str, Any], Contexts]],
) -> None:
    wrong = []
    for truth, found in sample_pages.values():
        expected = {i: item for item in truth["captions"] for i in item["illustrations"]}
        for i, picture in enumerate(found.pictures):
            item = expected.get(i)
            read = picture.caption.text if picture.caption else ""
            alike = fuzz.ratio(read, item["text"] if item else "") >= 90 or not (read or item)
            group = {i, *(int(name[-2:]) for name in picture.caption_shared_with)}
            if not alike or group != (set(item["illustrations"]) if item else {i}):
                wrong.append((picture.picture, read, sorted(group)))
    assert not wrong


def test_headings_of_the_sample_are_found(sample_pages: dict[int, tuple[dict[str, Any], Contexts]]) -> None:
    heading = sample_pages[3][1].pictures[0].heading
    assert heading is not None
    assert fuzz.partial_ratio("EL ABANICO DE SÁNDALO", heading.text) >= 90


def test_the_runner_up_is_kept_and_is_not_the_chosen_caption() -> None:
    def context_of(both: bool) -> Contexts:
        sheet = Sheet()
        sheet.picture(400, 600, 1600, 1400)
        sheet.text(["La señora de Mendoza en su jardín."], 1000, 1430, "centre")
        if both:
            sheet.text(["El baile de anoche en el Casino."], 1000, 520, "centre")
        return sheet.run()

    (with_two,) = context_of(both=True).pictures
    (with_one,) = context_of(both=False).pictures
    assert with_two.caption and with_two.caption.text.startswith("La señora")
    assert with_two.caption_runner_up and with_two.caption_runner_up.text.startswith("El baile")
    assert 0 < with_two.caption_runner_up_confidence <= with_two.caption_confidence
    assert with_one.caption_runner_up is None and with_one.caption_runner_up_confidence == 0


def test_a_name_below_a_picture_beside_a_stray_digit_is_no_running_head() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 100, 700, 700), sheet.picture(1100, 100, 1700, 700)
    sheet.text(["4"], 900, 740, "centre")
    sheet.text(["Tomás Hinojares"], 1400, 732, "centre")
    below = sheet.picture(100, 1000, 700, 1500)
    sheet.text(["Mercedes Quintanar"], 400, 1530, "centre")
    assert captions_of(sheet.run()) == {left: None, right: "Tomás Hinojares", below: "Mercedes Quintanar"}


def test_words_of_two_parts_of_a_runner_up_are_never_joined() -> None:
    sheet = Sheet()
    sheet.picture(400, 600, 1600, 1400)
    sheet.text(["La señora de Mendoza en su jardín."], 1000, 1430, "centre")
    sheet.text(["A la izquierda se ve la foto-"], 650, 520, "centre")
    sheet.text(["grafía del baile de anoche."], 1300, 520, "centre")
    (picture,) = sheet.run().pictures
    assert picture.caption and picture.caption.text == "La señora de Mendoza en su jardín."
    assert picture.caption_runner_up is not None
    assert picture.caption_runner_up.text == "A la izquierda se ve la foto- grafía del baile de anoche."
