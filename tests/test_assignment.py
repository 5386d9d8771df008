"""Captions of whole pages: what must not matter to the assignment, and several captions of one picture."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.context.assignment import Link, assign
from revista.context.blocks import Block, blocks_of
from revista.context.candidates import Candidate, candidates_of
from revista.context.layout import Layout, Role
from revista.context.roles import layout_of
from revista.context.typeface import Breadth, breadth_of
from revista.geometry import Box
from revista.records import Line, PageText, Paragraph, Region, RegionKind, Regions
from revista.wording import is_credit

from .sheet import Sheet, captions_of, pair

TEXTS = (
    "El yate Hatuey.",
    "La condesa de Loreto, en su jardín.",
    "SRTA. EULALIA LAINÉ",
    "Fot. de nuestro archivo.",
    "Vista general del edificio, tomada desde la terraza de la casa vecina.",
    "El general Menocal, con su señora, a la salida del templo.",
    "Los novios.",
)


@st.composite
def laid_out(draw: st.DrawFn) -> Sheet:
    """A page with a grid of pictures, captions near most of them, and other print."""
    sheet = Sheet(em=draw(st.integers(18, 44)))
    columns, rows = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    wide, high = 1500 // columns, 1900 // rows
    for row in range(rows):
        for column in range(columns):
            left, top = 50 + column * wide, 100 + row * high
            box = Box(
                left + draw(st.integers(0, 60)),
                top + draw(st.integers(0, 80)),
                left + wide - draw(st.integers(20, 90)),
                top + high - draw(st.integers(110, 220)),
            )
            sheet.picture(*box)
            for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
                x = draw(st.integers(box.left, box.right))
                y = draw(st.sampled_from([box.bottom, box.top - sheet.em])) + draw(st.integers(0, 60))
                size = draw(st.sampled_from([0.75, 0.8, 1.0, 1.3]))
                sheet.text([draw(st.sampled_from(TEXTS))], x, y, draw(st.sampled_from(["left", "centre"])), size)
    return sheet


def parts_of(sheet: Sheet) -> tuple[list[Box], list[Candidate], Layout]:
    regions = Regions(regions=tuple(sheet.regions))
    boxes = [region.box for region in regions.pictures]
    layout = layout_of(blocks_of(PageText(paragraphs=tuple(sheet.paragraphs)), regions), boxes)
    return boxes, candidates_of(layout, boxes), layout


Told = dict[frozenset[int], tuple[frozenset[int], float]]


def told(links: list[Link]) -> Told:
    """The links that are likelier than all else together: what ties is decided by the order of the boxes."""
    return {
        frozenset(link.pictures): (frozenset(block.order for block in link.blocks), link.confidence)
        for link in links
        if link.confidence > 0.55
    }


def alike(one: Told, two: Told, tolerance: float = 0.001) -> None:
    assert one.keys() == two.keys()
    for pictures, (blocks, confidence) in one.items():
        assert two[pictures][0] == blocks
        assert two[pictures][1] == pytest.approx(confidence, abs=tolerance)


def moved(sheet: Sheet, change: object, scale: int = 1) -> list[Link]:
    """The links after every box was put through `change`."""
    boxes, candidates, layout = parts_of(sheet)

    def of(block: Block) -> Block:
        breadth = Breadth(block.breadth.letters, block.breadth.extent * scale, block.breadth.usual)
        return replace(block, box=change(block.box), em=block.em * scale, breadth=breadth)  # type: ignore[operator]

    blocks = {block.order: of(block) for block in layout.blocks}
    usual = Breadth(layout.breadth.letters, layout.breadth.extent * scale, layout.breadth.usual)
    other = replace(layout, blocks=tuple(blocks.values()), em=layout.em * scale, breadth=usual)
    made = [Candidate(tuple(blocks[block.order] for block in candidate.blocks)) for candidate in candidates]
    return assign([change(box) for box in boxes], made, other)  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(laid_out(), st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_neither_place_nor_reflection_nor_resolution_matter(sheet: Sheet, x: int, y: int) -> None:
    plain = told(assign(*parts_of(sheet)))
    alike(plain, told(moved(sheet, lambda b: Box(b.left + x, b.top + y, b.right + x, b.bottom + y))))
    alike(plain, told(moved(sheet, lambda b: Box(-b.right, b.top, -b.left, b.bottom))))
    scaled = moved(sheet, lambda b: Box(*(4 * edge for edge in b)), scale=4)  # by a power of two: exact in floats
    alike(plain, told(scaled), tolerance=0.03)


@settings(max_examples=40, deadline=None)
@given(laid_out(), st.randoms())
def test_order_does_not_matter_and_no_word_is_used_twice(sheet: Sheet, rng: random.Random) -> None:
    boxes, candidates, layout = parts_of(sheet)
    links = assign(boxes, candidates, layout)
    order = list(range(len(boxes)))
    rng.shuffle(order)
    shuffled = list(candidates)
    rng.shuffle(shuffled)
    again = assign([boxes[i] for i in order], shuffled, layout)
    named = {tuple(sorted(order[i] for i in link.pictures)): replace(link, pictures=()) for link in again}
    assert named == {link.pictures: replace(link, pictures=()) for link in links}
    used = [block.order for link in links for block in link.blocks]
    assert len(used) == len(set(used))
    for link in links:
        own = {block.order for block in link.blocks}
        assert not own & {block.order for part in link.runner_up for block in part}
        assert 0 <= link.runner_up_confidence <= 1 - link.confidence + 1e-9


# --- several captions of one picture --------------------------------------------------------------------------


def test_a_caption_under_each_half_of_a_collage() -> None:
    sheet = Sheet()
    sheet.picture(100, 300, 1540, 900)
    sheet.text(["La condesa de Loreto."], 450, 940, "centre", 0.8)
    sheet.text(["El general Menocal."], 1190, 940, "centre", 0.8)
    (picture,) = sheet.run().pictures
    assert [part.text for part in picture.caption_parts] == ["La condesa de Loreto.", "El general Menocal."]
    assert picture.caption and picture.caption.text == "La condesa de Loreto. El general Menocal."
    assert picture.caption_confidence > 0.8


def test_three_names_under_a_frieze_and_a_neighbour_with_its_own() -> None:
    sheet = Sheet()
    frieze, other = sheet.picture(100, 300, 1540, 700), sheet.picture(100, 1000, 1540, 1600)
    for x, name in ((340, "Clara Vinent."), (820, "Rosa Lainé."), (1300, "Ana Loreto.")):
        sheet.text([name], x, 730, "centre", 0.8)
    sheet.text(["El general Menocal a la salida del templo."], 820, 1630, "centre", 0.8)
    found = captions_of(sheet.run())
    assert found[frieze] == "Clara Vinent. Rosa Lainé. Ana Loreto."
    assert found[other] == "El general Menocal a la salida del templo."


def test_captions_side_by_side_go_to_their_own_pictures_where_there_are_two() -> None:
    assert all(picture.caption and not picture.caption_parts for picture in pair().run().pictures)


@pytest.mark.parametrize("form", ["{}. ", "{}.— ", "{}) ", "Núm. {}. ", "Fig. {}: ", "{}: "])
def test_numbered_captions_go_to_the_pictures_above_them(form: str) -> None:
    sheet = Sheet()
    boxes = [(100, 200, 800, 700), (840, 200, 1540, 700), (100, 900, 800, 1400), (840, 900, 1540, 1400)]
    names = [sheet.picture(*box) for box in boxes]
    for number, (left, _, right, bottom) in enumerate(boxes, start=1):
        sheet.text([f"{form.format(number)}La señorita Vinent."], (left + right) // 2, bottom + 30, "centre", 0.8)
    found = captions_of(sheet.run())
    assert [found[name] for name in names] == [f"{form.format(n)}La señorita Vinent." for n in (1, 2, 3, 4)]


def test_a_caption_in_the_gap_of_a_collage() -> None:
    sheet = Sheet()
    sheet.prose(100, 1440, 100, 500, seed=1)
    sheet.picture(100, 560, 1540, 1900)
    sheet.text(["La condesa de Loreto y el general Menocal."], 820, 1200, "centre", 0.8)
    assert list(captions_of(sheet.run()).values()) == ["La condesa de Loreto y el general Menocal."]


def test_what_stands_in_an_advertisement_is_no_caption() -> None:
    sheet = Sheet()
    sheet.prose(100, 1440, 100, 500, seed=1)
    sheet.picture(100, 560, 1540, 1900)
    sheet.text(["EL VERDADERO CAFÉ"], 820, 700, "centre", 2.2)
    sheet.text(["La condesa de Loreto y el general Menocal."], 820, 1200, "centre", 0.8)
    assert list(captions_of(sheet.run()).values()) == [None]


def test_numbers_decide_between_two_pictures_that_are_as_near() -> None:
    sheet = Sheet()
    first, second = sheet.picture(100, 200, 580, 1000), sheet.picture(1060, 200, 1540, 1000)
    sheet.text(["2. El general Menocal."], 820, 400, "centre", 0.8)
    sheet.text(["1. La señorita Vinent."], 820, 800, "centre", 0.8)
    found = captions_of(sheet.run())
    assert found == {first: "1. La señorita Vinent.", second: "2. El general Menocal."}


def test_an_imprint_is_not_a_numbered_caption() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1400, 1700)
    sheet.text(["NÚM. 9 — SEPTIEMBRE DE 1916"], 800, 1750, "centre", 0.9)
    assert list(captions_of(sheet.run()).values()) == [None]


def test_the_text_that_goes_on_below_a_caption_is_left_out_of_it() -> None:
    sheet = Sheet()
    sheet.prose(100, 1440, 100, 500, seed=1)
    sheet.picture(100, 540, 1540, 1200)
    end = sheet.text(["La condesa de Loreto, con su hija, en el jardín de su casa."], 820, 1225, "centre", 0.9)
    sheet.prose(100, 1440, end + 30, end + 130, seed=2)  # two lines, then the page ends
    assert list(captions_of(sheet.run()).values()) == ["La condesa de Loreto, con su hija, en el jardín de su casa."]


def test_a_short_last_line_ends_a_caption_before_the_prose_that_begins_with_an_indent() -> None:
    sheet = Sheet()
    sheet.prose(1150, 450, 200, 1900, seed=1)
    sheet.picture(700, 200, 1100, 700)
    sheet.text(["La niña Rafaela", "Belmira, en la", "playa."], 700, 720)
    sheet.text(["El camino sube hasta"], 700, 864)
    sheet.text(["la casa de los señores y baja", "luego hacia el mar por entre"], 480, 912)  # wider than the picture
    sheet.merge(2, 3)
    sheet.merge(1, 2)
    assert list(captions_of(sheet.run()).values()) == ["La niña Rafaela Belmira, en la playa."]


def test_a_credit_ends_a_caption_in_the_type_of_the_prose_below() -> None:
    sheet = Sheet()
    sheet.prose(100, 500, 200, 1900, seed=1)
    sheet.picture(650, 200, 1150, 700)
    end = sheet.text(["Don Gonzalo en su casa."], 650, 720)
    sheet.text(["Fotografía de Quintanar."], 1150, end + 12, "right")
    sheet.prose(650, 500, end + 90, 1900, seed=2)
    sheet.merge(2, 3)
    assert list(captions_of(sheet.run()).values()) == ["Don Gonzalo en su casa. Fotografía de Quintanar."]


def test_words_spread_over_the_width_of_a_narrow_picture_are_one_line() -> None:
    sheet = Sheet()
    sheet.picture(100, 200, 560, 700)
    sheet.picture(700, 200, 1300, 700)
    sheet.text(["Núm. 2. La señora de"], 110, 720)
    sheet.text(["Alberto"], 110, 768)
    sheet.text(["Galarreta,"], 550, 768, "right")
    sheet.text(["durante la fiesta."], 110, 816)
    assert captions_of(sheet.run())["0003-r01"] == "Núm. 2. La señora de Alberto Galarreta, durante la fiesta."


def test_a_heading_in_small_letters_is_no_part_of_the_caption_above() -> None:
    sheet = Sheet()
    sheet.picture(100, 200, 900, 700)
    end = sheet.text(["La niña Julia Hinojares, junto al mar."], 500, 720, "centre", 0.8)
    end = sheet.text(["El silencio de la tarde en el paseo"], 500, end + 20, "centre", 1.15, spacing=0.05)
    sheet.prose(100, 800, end + 30, 1900, seed=1)
    assert list(captions_of(sheet.run()).values()) == ["La niña Julia Hinojares, junto al mar."]


@pytest.mark.parametrize("word", ["izquierda", "i1quierda", "12quierda", "izquerda", "izquierd a"])
def test_a_side_whose_letters_were_misread_is_known(word: str) -> None:
    sheet = Sheet()
    sheet.picture(100, 200, 700, 700)
    sheet.picture(760, 200, 1360, 700)
    sheet.text([f"A la {word}, la presidencia; a la derecha, el baile."], 730, 740, "centre", 0.9)
    assert len(set(captions_of(sheet.run()).values())) == 1


@pytest.mark.parametrize(("x", "top"), [(1400, 1930), (1900, 1730), (40, 1750)])
def test_the_only_print_at_the_edge_of_the_only_picture_is_its_caption(x: int, top: int) -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1900)
    sheet.text(["Dolores Peralvillo"], x, top)
    near = {1400: "Dolores Peralvillo", 1900: None, 40: "Dolores Peralvillo"}[x]
    assert list(captions_of(sheet.run()).values()) == [near]


def test_the_only_print_at_the_foot_of_a_box_that_reaches_over_it_is_its_caption() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1900)
    sheet.text(["Dolores Peralvillo"], 850, 1785, "centre")
    assert list(captions_of(sheet.run()).values()) == ["Dolores Peralvillo"]


def test_the_only_print_in_the_middle_of_a_picture_is_a_part_of_it() -> None:
    sheet = Sheet()
    sheet.picture(200, 200, 1500, 1900)
    sheet.text(["Dolores Peralvillo"], 700, 1000)
    assert list(captions_of(sheet.run()).values()) == [None]


def test_breadth_tells_types_apart_that_heights_do_not() -> None:
    words = ["La", "tarde", "caía", "sobre", "el", "viejo", "jardín", "y", "las", "señoras", "conversaban"]
    large = breadth_of((word, Box(0, 0, 100 * len(word), 20)) for word in words)
    small = breadth_of((word, Box(0, 0, 90 * len(word), 20)) for word in words)
    assert large.differs(small, 0.05) and not large.differs(large, 0.0)
    assert (large + small).value == pytest.approx((large.value + small.value) / 2)
    assert breadth_of([("La", Box(0, 0, 40, 20))]).value == 0.0


def test_pictures_that_end_at_other_depths_share_no_caption_but_keep_their_own() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 300, 760, 700), sheet.picture(740, 270, 1560, 1200)
    sheet.text(["El señor Galarreta ante la iglesia."], 100, 730, size=0.8)
    sheet.text(["El equipo vencedor."], 740, 1230, size=0.8)
    assert captions_of(sheet.run()) == {left: "El señor Galarreta ante la iglesia.", right: "El equipo vencedor."}


def test_a_short_caption_between_two_pictures_is_not_theirs_where_each_has_print_of_its_own() -> None:
    """Set flush left under the right one, on a page that leans, it stands in the middle of both."""
    sheet = Sheet()
    above = sheet.picture(100, 200, 1540, 700)
    left, right = sheet.picture(100, 720, 640, 1200), sheet.picture(650, 720, 1540, 1220)
    sheet.text(["El doctor Fontanales, ayer."], 100, 1215, size=0.8)
    sheet.text(["Doña Navales."], 630, 1250, size=0.8)
    found = captions_of(sheet.run())
    assert found == {above: None, left: "El doctor Fontanales, ayer.", right: "Doña Navales."}


def test_words_that_name_sides_join_pictures_that_stand_apart_and_end_at_other_depths() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 300, 700, 1100), sheet.picture(930, 320, 1500, 760)
    sheet.text(["A la izquierda, un grupo de concurrentes; a la derecha, la señora Armendral."], 100, 1130, size=0.9)
    assert [picture.caption_shared_with for picture in sheet.run().pictures] == [(right,), (left,)]


def test_a_caption_that_fits_the_lowest_picture_is_its_own() -> None:
    sheet = Sheet()
    upper = sheet.picture(100, 200, 880, 900), sheet.picture(860, 190, 1500, 620)
    lowest = sheet.picture(80, 880, 1540, 1600)
    lines = ["El niño en el salón escuchaba ayer la orquesta del teatro con todos los", "demás invitados."]
    sheet.text(lines, 90, 1630)
    found = captions_of(sheet.run())
    assert found[lowest] == " ".join(lines) and not any(found[name] for name in upper)


CAPTION = "La señora ante la iglesia."


@pytest.mark.parametrize("white", [8, 34])
def test_a_sentence_with_more_white_below_than_the_lines_of_the_prose_is_a_caption(white: int) -> None:
    sheet = Sheet()
    sheet.prose(100, 800, 100, 500)
    picture = sheet.picture(100, 560, 900, 1000)
    bottom = sheet.text([CAPTION], 140, 1020)
    prose = sheet.text(["El cuento olvidó el paseo en el club y la tarde"], 140, bottom + white)
    sheet.prose(100, 800, prose + 10, 1900)
    sheet.merge(2, 3)
    found = captions_of(sheet.run())[picture]
    assert found == (CAPTION if white > 30 else None)


def test_a_caption_set_in_on_both_sides_ends_where_the_prose_below_begins() -> None:
    sheet = Sheet()
    sheet.prose(100, 800, 100, 500)
    picture = sheet.picture(100, 560, 900, 1000)
    lines = ["La doctora Belmira en la capital.", "El amable público la escuchó."]
    bottom = sheet.text(lines, 500, 1020, "centre")
    prose = sheet.text(["El cuento olvidó el paseo en el club y la tarde"], 140, bottom + 12)
    sheet.prose(100, 800, prose + 10, 1900)
    sheet.merge(2, 3)
    sheet.merge(1, 2)
    assert captions_of(sheet.run())[picture] == " ".join(lines)


def test_a_heading_in_a_broader_type_is_no_part_of_the_caption_above_it() -> None:
    sheet = Sheet()
    sheet.prose(600, 800, 100, 1900)
    picture = sheet.picture(100, 200, 560, 600)
    sheet.text(["Una escena del baile."], 110, 620, size=0.85)
    sheet.text(["El violín y el público"], 110, 680, size=0.93, spacing=0.1)
    sheet.prose(100, 460, 740, 1900, seed=2)
    assert captions_of(sheet.run())[picture] == "Una escena del baile."


@pytest.mark.parametrize(
    ("title", "seen", "apart"),
    [
        ("El sombrero brillante", True, True),
        ("El sombrero brillante", False, False),
        ("EL SOMBRERO BRILLANTE", False, True),
    ],
)
def test_a_title_over_a_byline_is_no_part_of_the_caption_above(title: str, seen: bool, apart: bool) -> None:
    """It is known by what a detector takes it for, or by its capitals."""
    sheet = Sheet()
    name = sheet.picture(100, 300, 800, 900)
    sheet.text(["La niña Amelia Salvatierra."], 450, 915, "centre")
    box = Box(100, 966, 800, 1006)
    sheet.text([title], 450, 966, "centre", 0.8 if title.isupper() else 1.0)
    sheet.text(["POR EDUARDO SALVATIERRA"], 450, 1004, "centre")
    sheet.prose(100, 700, 1120, 2100)
    if seen:
        sheet.regions.append(Region(id="0003-r09", kind=RegionKind.TITLE, box=box, confidence=0.9, detector="test"))
    assert (captions_of(sheet.run())[name] == "La niña Amelia Salvatierra.") is apart


@pytest.mark.parametrize("signed", [True, False])
def test_a_long_caption_in_the_type_of_the_prose_is_known_by_the_credit_below_it(signed: bool) -> None:
    """Its end was misread, so that no sentence ends there."""
    sheet = Sheet()
    sheet.prose(100, 700, 300, 2100)
    name = sheet.picture(850, 300, 1550, 900)
    sheet.prose(850, 700, 1500, 2100, seed=3)
    said = "El niño a bordo. La señora cruzó la playa junto al mar mientras la noche saludó la novela en el salón en la"
    words = said.split()
    end = sheet.text([" ".join(words[i : i + 5]) for i in range(0, len(words), 5)], 850, 915)
    if signed:
        sheet.text(["(Fot. Lozamar)"], 1550, end + 5, "right", 0.8)
    assert (captions_of(sheet.run())[name] == f"{said} (Fot. Lozamar)") is signed


def test_a_caption_wider_than_the_column_below_ends_where_the_prose_begins() -> None:
    sheet = Sheet(em=24)
    picture = sheet.picture(100, 200, 700, 700)
    bottom = sheet.text(["La señora Fontanales llegó ayer a su casa de", "la playa."], 104, 710)
    sheet.text(["La noche iluminó el teatro"], 160, bottom + 16)
    sheet.prose(130, 490, bottom + 45, 1500)
    sheet.prose(750, 650, 200, 1500, seed=2)
    sheet.merge(1, 2)
    assert captions_of(sheet.run())[picture] == "La señora Fontanales llegó ayer a su casa de la playa."


def test_a_credit_belongs_to_the_picture_above_it_not_to_the_caption_beside() -> None:
    sheet = Sheet(em=24)
    left, right = sheet.picture(100, 200, 780, 920), sheet.picture(790, 200, 1500, 890)
    sheet.text(["El señor Julio Robledal."], 300, 930)
    sheet.text(["El señor Eduardo Espinar en su casa de la playa,", "con todos los invitados."], 795, 905)
    sheet.text(["Fot. Olivarte."], 640, 960, size=0.8)
    found = captions_of(sheet.run())
    assert found[left] == "El señor Julio Robledal. Fot. Olivarte."
    assert found[right] == "El señor Eduardo Espinar en su casa de la playa, con todos los invitados."


def test_a_name_across_the_lower_edge_of_a_leaning_picture_is_below_it() -> None:
    sheet = Sheet()
    left, right = sheet.picture(100, 200, 700, 900), sheet.picture(800, 200, 1400, 900)
    sheet.text(["Elvira Lozamar"], 130, 900 - sheet.em // 2)
    sheet.text(["Enrique Belmira"], 830, 920)
    assert captions_of(sheet.run()) == {left: "Elvira Lozamar", right: "Enrique Belmira"}


def test_captions_that_touch_are_parted_where_the_size_of_the_type_changes() -> None:
    sheet = Sheet(em=24)
    left, right = sheet.picture(100, 200, 550, 700), sheet.picture(560, 200, 1200, 700)
    sheet.text(["La presidencia junto al mar"], 560, 720, "right", size=1.3)
    sheet.text(["El doctor Olivarte con la orquesta elegante"], 567, 727, size=0.9)
    (first,), (second,) = (paragraph.lines for paragraph in sheet.paragraphs)
    line = Line(words=first.words + second.words, box=first.box.union(second.box))
    sheet.paragraphs[:] = [Paragraph(id="0003-p01", lines=(line,), box=line.box)]
    assert captions_of(sheet.run()) == {
        left: "La presidencia junto al mar",
        right: "El doctor Olivarte con la orquesta elegante",
    }


@pytest.mark.parametrize("inset", [True, False])
def test_what_stands_in_white_of_its_own_below_a_picture_is_a_caption_in_any_type(inset: bool) -> None:
    sheet = Sheet()
    sheet.prose(100, 1400, 100, 500)
    picture = sheet.picture(900, 560, 1500, 1000)
    bottom = sheet.text(["donde el doctor Valdoro", "recordaba al público"], 1495, 1010, "right")
    sheet.prose(100, 780, 560, bottom)
    sheet.prose(100, 1400, bottom + 5, 1900)
    sheet.paragraphs[1] = sheet.paragraphs[1].model_copy(update={"inset": inset})
    found = captions_of(sheet.run())[picture]
    assert found == ("donde el doctor Valdoro recordaba al público" if inset else None)


def test_the_last_word_of_a_sentence_goes_with_it_though_it_stands_beside_its_lines() -> None:
    sheet = Sheet(em=24)
    picture = sheet.picture(100, 200, 500, 700)
    sheet.text(["Los alumnos llegan al"], 210, 715)
    sheet.text(["mar."], 100, 735)
    assert captions_of(sheet.run())[picture] == "Los alumnos llegan al mar."


def test_a_caption_as_wide_as_the_lower_picture_is_not_shared_with_the_one_above() -> None:
    sheet = Sheet(em=24)
    upper, lower = sheet.picture(100, 200, 1360, 690), sheet.picture(100, 710, 1200, 980)
    lines = ["EL DOCTOR BELMIRA. La señora anunciaba el cuento en la capital desde que el espejo", "grande brillaba."]
    sheet.text(lines, 104, 1000)
    found = captions_of(sheet.run())
    assert found[lower] == " ".join(lines) and found[upper] is None


def test_capitals_across_the_lower_edge_of_a_picture_are_no_heading() -> None:
    sheet = Sheet(em=24)
    upper, lower = sheet.picture(100, 200, 1200, 800), sheet.picture(100, 900, 1200, 1500)
    sheet.text(["El paseo de las señoras."], 400, 810, size=0.75)
    sheet.text(["LA PRESIDENCIA"], 500, 1490)
    assert captions_of(sheet.run()) == {upper: "El paseo de las señoras.", lower: "LA PRESIDENCIA"}


@pytest.mark.parametrize(("credit", "told"), [("Fotagro fia de Galarreta", True), ("Fotagro fia Galarreta", False)])
def test_a_credit_misread_is_known_by_what_follows(credit: str, told: bool) -> None:
    assert is_credit(credit) is told and is_credit(credit, guessed=True)


def test_a_sentence_over_several_columns_under_a_picture_as_wide_is_its_caption() -> None:
    sheet = Sheet(em=24)
    picture = sheet.picture(100, 200, 1400, 800)
    lines = [
        "La señora de Quintanar en el teatro con los invitados de aquella noche y los músicos de la orquesta que la",
        "acompañaron hasta el final de la velada.",
    ]
    bottom = sheet.text(lines, 100, 805)
    for column in range(3):
        sheet.prose(100 + column * 440, 420, bottom + 7, 1800, seed=column)
    assert captions_of(sheet.run())[picture] == " ".join(lines)


def test_a_line_set_in_above_lines_of_full_width_is_a_caption_above_the_text() -> None:
    sheet = Sheet(em=30)
    sheet.prose(800, 600, 100, 1900, seed=3)
    picture = sheet.picture(100, 200, 700, 900)
    bottom = sheet.text(["Un grupo de concurrentes."], 400, 910, "centre")
    sheet.text(["El edificio recorría el cuento de la lluvia.", "Presentó la carta en la playa."], 100, bottom + 17)
    assert captions_of(sheet.run())[picture] == "Un grupo de concurrentes."


def test_a_line_spaced_out_goes_on_with_the_text_below_it() -> None:
    sheet = Sheet(em=26)
    sheet.prose(100, 500, 100, 700)
    sheet.text(["La escalera presentó el vapor y"], 130, 1020, spacing=0.05)
    bottom = sheet.text(["humilde saludó la orquesta en la terraza", "donde el doctor la escuchaba."], 100, 1051)
    sheet.prose(100, 500, bottom + 7, 1900, seed=1)
    _, _, layout = parts_of(sheet)
    assert set(layout.roles) == {Role.PROSE}


@pytest.mark.parametrize(("white", "told"), [(20, True), (6, False)])
def test_a_sentence_in_the_type_of_the_text_is_a_caption_where_white_parts_it_from_that(white: int, told: bool) -> None:
    sheet = Sheet(em=28)
    sheet.prose(600, 480, 100, 1900, seed=2)
    picture = sheet.picture(100, 200, 550, 800)
    bottom = sheet.text(["La señora de Belmira durante", "la fiesta."], 100, 806)
    sheet.prose(100, 450, bottom + white, 1200, seed=1)
    found = captions_of(sheet.run())[picture]
    assert (found == "La señora de Belmira durante la fiesta.") is told


@pytest.mark.parametrize("hinted", [False, True])
def test_a_detector_that_sees_a_caption_in_capitals_is_heard_where_the_picture_was_found_too_short(
    hinted: bool,
) -> None:
    sheet = Sheet(em=20)
    picture = sheet.picture(80, 230, 690, 603)
    sheet.text(["UNA ESCENA DEL BAILE EN SU RESIDENCIA."], 385, 625, "centre", size=0.9)
    if hinted:
        box = sheet.paragraphs[-1].box
        sheet.regions.append(Region(id="0003-r02", kind=RegionKind.CAPTION, box=box, confidence=0.8, detector="test"))
    sheet.prose(40, 660, 643, 1700)
    sheet.prose(740, 660, 120, 1700, seed=1)
    assert (captions_of(sheet.run())[picture] is not None) is hinted


@pytest.mark.parametrize(("away", "linked"), [(240, True), (500, False), (-1000, False)])
def test_the_name_on_a_page_of_its_own_is_that_of_a_portrait_that_fades_out(away: int, linked: bool) -> None:
    sheet = Sheet(em=20)
    picture = sheet.picture(220, 420, 1050, 1190)
    sheet.text(["El doctor Elvira Hinojares."], 140, 1190 + away)
    assert (captions_of(sheet.run())[picture] is not None) is linked


@pytest.mark.parametrize(("size", "linked"), [(0.75, True), (1.0, False)])
def test_small_capitals_above_the_text_are_those_of_the_picture(size: float, linked: bool) -> None:
    sheet = Sheet(em=20)
    picture = sheet.picture(100, 60, 1350, 585)
    bottom = sheet.text(["VISTA GENERAL DEL EDIFICIO EN LA QUINTA."], 725, 623, "centre", size)
    sheet.prose(100, 1250, bottom + 15, 1700)
    assert (captions_of(sheet.run())[picture] is not None) is linked


def test_letters_read_out_of_the_foot_of_a_picture_are_no_caption() -> None:
    sheet = Sheet(em=24)
    picture = sheet.picture(210, 290, 1240, 763)
    sheet.text(["ANI"], 803, 766, size=0.33)
    sheet.text(["La familia en el club."], 620, 799, size=0.8)
    sheet.prose(100, 1250, 850, 1700)
    assert captions_of(sheet.run()) == {picture: "La familia en el club."}


def test_a_caption_under_two_of_three_pictures_leaves_the_third_its_own() -> None:
    sheet = Sheet(em=18)
    first = sheet.picture(67, 1330, 734, 1562)
    second, third = sheet.picture(740, 1336, 1133, 1563), sheet.picture(939, 1333, 1340, 1557)  # pieces of one
    sheet.text(["UNA ESCENA DEL BAILE"], 258, 1579)
    sheet.text(["La presidencia junto al mar"], 954, 1578, size=0.8)
    captions = captions_of(sheet.run())
    assert captions[first] == "UNA ESCENA DEL BAILE"
    assert captions[second] == captions[third] == "La presidencia junto al mar"


def test_a_caption_goes_on_in_narrower_type_than_its_first_line_was_read_in() -> None:
    """A stroke of the neighbour's frame, read as a sign, makes a line seem to be set wide."""
    sheet = Sheet(em=20)
    picture = sheet.picture(619, 1337, 928, 1538)
    bottom = sheet.text(["DON RAFAEL BELMIRA. El teatro"], 624, 1555, size=0.95, spacing=0.2)
    sheet.text(["presentó el señor a bordo."], 624, bottom + 9)
    sheet.picture(1000, 200, 1300, 700)
    assert captions_of(sheet.run())[picture] == "DON RAFAEL BELMIRA. El teatro presentó el señor a bordo."
