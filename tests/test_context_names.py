"""Stage 4: names, credits and pieces of captions that stand apart from their pictures."""

from __future__ import annotations

import pytest

from revista import context
from revista.geometry import Box
from revista.records import Line, Look, PageText, Paragraph, Region, RegionKind, Regions
from revista.settings import ContextSettings

from .sheet import Sheet, captions_of


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


def test_a_name_below_a_picture_beside_a_stray_digit_is_no_running_head() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 100, 700, 700), sheet.picture(1100, 100, 1700, 700)
    sheet.text(["4"], 900, 740, "centre")
    sheet.text(["Tomás Hinojares"], 1400, 732, "centre")
    below = sheet.picture(100, 1000, 700, 1500)
    sheet.text(["Mercedes Quintanar"], 400, 1530, "centre")
    assert captions_of(sheet.run()) == {left: None, right: "Tomás Hinojares", below: "Mercedes Quintanar"}
