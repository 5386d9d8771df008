"""Stage 4: what holds for any page, the page before, the settings, the sample read by the real Tesseract."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from revista import context
from revista import pages as pages_stage
from revista import text as text_stage
from revista.context.assignment import assign
from revista.context.blocks import blocks_of
from revista.context.candidates import candidates_of
from revista.context.roles import layout_of
from revista.geometry import Box, hull
from revista.lean import Lean
from revista.records import Contexts, Line, PageText, Paragraph, Quote, Region, RegionKind, Regions, Word
from revista.settings import ContextSettings, PagesSettings, TextSettings

from .conftest import ROOT, SAMPLE
from .sheet import Sheet, captions_of

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
