"""Generated pages: the same seed gives the same page, and the truth about it is true."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.errors import BadArguments, MissingProgram
from revista.evaluation.index import read_index
from revista.geometry import Box
from revista.training import pages
from revista.training.pages import PICTURES, Item, ageing, canvas, collages, grid, layouts, parts, pictures
from revista.training.pages.layouts import LAYOUTS
from revista.training.pages.words import Words


def photographs(rng: np.random.Generator) -> np.ndarray:
    """Smooth blobs in place of photographs."""
    return rng.integers(0, 256, (7, 7, 3), dtype=np.uint8).repeat(32, axis=0).repeat(32, axis=1)


@pytest.mark.parametrize("name", [make.__name__ for make, _ in LAYOUTS])
def test_every_kind_of_page_says_what_is_on_it(name: str) -> None:
    kinds: set[str] = set()
    for seed in range(5):
        scan, items = pages.page(seed, photographs, height=600, layouts=(name,))
        height, width = scan.shape[:2]
        assert 480 <= height <= 600
        kinds |= {item.kind for item in items}
        for item in items:
            assert item.box.area
            assert item.box == item.box.clip(width, height)
            if item.kind == "caption":
                assert item.of
            assert all(items[k].kind in PICTURES for k in item.of)
    shows = {"plain": {"text"}, "bare": set(), "advertisement": {"advertisement"}, "contents": {"text", "title"}}
    assert shows.get(name, set()) <= kinds
    if name in ("plain", "bare"):
        assert not kinds & set(PICTURES)
    elif name not in ("contents", "notices"):
        assert kinds & set(PICTURES)


def test_the_same_seed_gives_the_same_page_and_another_seed_another_one() -> None:
    first, again = pages.page(3, photographs, 600), pages.page(3, photographs, 600)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    other = pages.page(4, photographs, 600)
    assert other[1] != first[1]


def test_photographs_lie_where_the_truth_says() -> None:
    """Dark tones fill the boxes of album prints on a light ground, before and after the scanner."""
    inside, outside = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        ink = np.full((600, 450), 255, np.uint8)
        box = Box(100, 150, 300, 420)
        ink[box.top : box.bottom, box.left : box.right] = 0
        scan, (moved,) = ageing.aged(ink, [box], rng, low=False)
        grey = scan.mean(axis=2)
        core = moved.grow(-8)
        inside.append(grey[core.top : core.bottom, core.left : core.right].mean())
        ring = moved.grow(6)
        outside.append(np.median([grey[ring.top, ring.left : ring.right], grey[ring.bottom, ring.left : ring.right]]))
    assert all(a + 40 < b for a, b in zip(inside, outside, strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_through_a_screen_darker_tones_are_printed_darker(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = range(0, 256, 15)
    wedge = np.repeat(np.array(steps, np.uint8), 40)[None].repeat(60, axis=0)
    printed = pictures.screened(wedge, rng.uniform(2.2, 5.0), rng)
    tones = printed.reshape(60, len(steps), 40).mean(axis=(0, 2))
    assert (np.diff(tones) > 0).all()
    assert tones[0] < 60
    assert tones[-1] > 200


@pytest.mark.parametrize("seed", range(24))
def test_a_drawing_of_what_has_no_outlines_can_be_seen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sky = np.full((200, 300, 3), 180, np.uint8)
    made = pictures.drawing(lambda _: sky, 320, 240, rng)
    assert float((made < canvas.INKED).mean()) > 0.01  # a little may be lost where it is free of a rectangle


def test_the_index_is_one_that_evaluations_read(tmp_path: Path) -> None:
    index = pages.write(tmp_path / "made", 4, 5, photographs, 600, False, ("gallery",))
    entries = read_index(index)
    assert [entry.source for entry in entries] == ["generated"] * 4
    raw = json.loads(index.read_text("utf-8"))
    assert sum(len(entry["illustrations"]) for entry in raw) == sum(len(e.illustrations) for e in entries) > 0
    linked = [i for entry in raw for c in entry["captions"] for i in c["illustrations"]]
    assert linked
    assert all(len(entry["illustrations"]) > i for entry in raw for c in entry["captions"] for i in c["illustrations"])
    with pytest.raises(BadArguments, match="not empty"):
        pages.write(tmp_path / "made", 1, 5, photographs, 600, False)


def test_a_collage_is_one_picture_with_parts() -> None:
    for seed in range(40):
        _, items = pages.page(seed, photographs, 600, layouts=("plate",))
        parts = [item for item in items if item.kind == "part"]
        if parts:
            break
    assert len(parts) > 1
    (whole,) = {part.of for part in parts}
    assert all(part.box.coverage_by(items[whole[0]].box.grow(3)) > 0.9 for part in parts)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_words_are_spanish_print(seed: int) -> None:
    words = Words(np.random.default_rng(seed))
    for text in (words.sentence(), words.caption(), words.caption(long=True), words.title(), words.credit()):
        assert text == text.strip()
        assert "  " not in text
        assert text[0].isupper() or text[0] in "(¡¿"
    numbered = words.numbered(3)
    assert [any(str(n + 1) in text for n in (i,)) for i, text in enumerate(numbered)] == [True] * 3


@settings(deadline=None, max_examples=40)
@given(st.integers(40, 400), st.integers(30, 300), st.text("abc éñ", max_size=400))
def test_text_stays_in_its_area_and_nothing_is_lost(width: int, height: int, text: str) -> None:
    page = canvas.Canvas(500, 700, np.random.default_rng(0))
    area = Box(20, 20, 20 + width, 20 + height)
    box, rest = page.block(text, area, "roman", 14, 17)
    count = len(text.split())
    assert count >= len(rest.split())
    if box is None:
        assert len(rest.split()) == count
    else:
        assert box.bottom <= area.bottom + page.px(14)


def test_missing_fonts_say_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    canvas._font.cache_clear()
    monkeypatch.setattr(canvas, "_FONTS", tmp_path)
    with pytest.raises(MissingProgram) as caught:
        pages.page(0, photographs, 600, layouts=("plain",))
    assert "apt-get install" in caught.value.hint
    canvas._font.cache_clear()


def test_items_are_frozen() -> None:
    item = Item(kind="text", box=Box(0, 0, 1, 1))
    with pytest.raises(Exception, match="frozen"):
        item.text = "x"  # type: ignore[misc]


def test_a_caption_under_a_later_picture_is_not_asked_for() -> None:
    first, over = Item(kind="photograph", box=Box(0, 0, 300, 200)), Item(kind="drawing", box=Box(0, 215, 300, 400))
    hidden = Item(kind="caption", box=Box(10, 205, 290, 225), text="La señora", of=(0,))
    boxes = [Box(*item.box) for item in (first, hidden, over)]
    assert [item.kind for item in pages._kept([first, hidden, over], boxes, 5)] == ["photograph", "drawing"]
    told = pages._kept([over, first, hidden], [over.box, first.box, hidden.box], 5)
    assert [item.kind for item in told] == ["drawing", "photograph", "caption"]


def test_captions_are_not_printed_over_each_other() -> None:
    pairs = 0
    for seed in range(40):
        _, items = pages.page(seed, photographs, 600, False, ("gallery",))
        captions = [item.box for item in items if item.kind == "caption"]
        for place, box in enumerate(captions):
            for other in captions[place + 1 :]:
                pairs += 1
                assert box.intersect(other).area <= 0.2 * min(box.area, other.area)
    assert pairs > 50


def test_frames_take_their_room_and_captions_are_never_printed_over() -> None:
    """Pictures of a row, frames included, end where the next ones begin; rows begin below the captions above."""
    counted = 0
    for seed in range(40):
        made = canvas.Canvas(440, 600, np.random.default_rng(seed))
        layouts.gallery(parts.Press(made, Words(made.rng), photographs, made.rng, 12.0, 14.0, False))
        found = [item for item in made.items if item.kind in PICTURES]
        captions = [item for item in made.items if item.kind == "caption"]
        for item in found:
            counted += 1
            assert not any(item.box.coverage_by(other.box) > 0.02 for other in found if other is not item)
        assert not any(c.box.coverage_by(item.box) > 0.1 for c in captions for item in found)
        printed = [item.box for item in made.items if item.kind in (*PICTURES, "caption")]
        numbers = [item.box for item in made.items if item.kind == "furniture"]
        assert not any(number.intersect(box).area for number in numbers for box in printed)
    assert counted > 100


@given(st.integers(30, 300), st.integers(30, 300), st.floats(-9, 9))
def test_a_picture_that_is_turned_stays_in_its_room(width: int, height: int, degrees: float) -> None:
    turned, mask = pictures.tilted_within(np.zeros((height, width), np.uint8), degrees)
    assert turned.shape == mask.shape
    assert turned.shape[0] <= height and turned.shape[1] <= width
    assert max(turned.shape[0] / height, turned.shape[1] / width) > 0.8


@pytest.mark.parametrize("seed", range(30))
def test_photographs_of_a_collage_touch_or_lie_on_a_ground(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With only paper between them they would be several pictures, but where all of them hang askew."""
    turns: list[float] = []
    drawn: list[Box] = []
    vignettes = collages._vignettes
    tilted = pictures.tilted
    monkeypatch.setattr(collages, "framed", lambda press, area, often: (area, []))
    monkeypatch.setattr(collages, "_vignettes", lambda *given: drawn.extend(found := vignettes(*given)) or found)
    monkeypatch.setattr(pictures, "tilted", lambda made, turn: turns.append(turn) or tilted(made, turn))
    made = canvas.Canvas(440, 600, np.random.default_rng(seed))
    press = parts.Press(made, Words(made.rng), lambda _: np.zeros((64, 64, 3), np.uint8), made.rng, 12.0, 14.0, False)
    place = Box(40, 60, 400, 500)
    collages.collage(press, place)
    printed = np.pad(made.array() < 255, 2)
    labels = cv2.connectedComponents(cv2.dilate(printed.astype(np.uint8), np.ones((5, 5))))[0]
    photographs_in_it = sum(item.kind == "part" for item in made.items)
    assert photographs_in_it >= 2
    askew = len(turns) == photographs_in_it and min(map(abs, turns)) >= 2
    assert labels == 2 or askew or drawn  # the paper, and one shape
    assert all(item.box.coverage_by(place.grow(40)) == 1 for item in made.items)


def test_a_heading_within_a_column_is_not_printed_over_a_picture_set_into_it() -> None:
    headings = 0
    for seed in range(200):
        made = canvas.Canvas(400, 600, np.random.default_rng(seed))
        press = parts.Press(made, Words(made.rng), photographs, made.rng, 12.0, 14.0, False)
        hole = Box(120, 60 if seed % 2 else 300, 200, 400)
        grid.fill(press, Box(20, 50, 200, 550), [hole], verse=False)
        titles = [item.box for item in made.items if item.kind == "title"]
        headings += len(titles)
        assert not any(title.intersect(hole).area for title in titles)
    assert headings > 3


def test_the_rule_between_columns_ends_where_something_stands_across_it() -> None:
    hole, inked = Box(100, 200, 300, 260), 0
    for seed in range(20):
        made = canvas.Canvas(400, 600, np.random.default_rng(seed))
        press = parts.Press(made, Words(made.rng), photographs, made.rng, 12.0, 14.0, False)
        columns = grid.even(press, Box(20, 50, 380, 550), 2)
        grid.rules(press, columns, [hole, Box(20, 400, 180, 450)])
        rows = (made.array() < 128).any(axis=1)
        assert not rows[: columns[0].top].any()
        assert not rows[hole.top + 1 : hole.bottom].any()
        if rows.any():  # from top to foot, with nothing missing but the hole
            inked += 1
            assert rows.sum() >= columns[0].height - hole.height
    assert 0 < inked < 20


def test_a_border_stands_around_what_it_leaves() -> None:
    for seed in range(20):
        made = canvas.Canvas(400, 600, np.random.default_rng(seed))
        press = parts.Press(made, Words(made.rng), photographs, made.rng, 12.0, 14.0, False)
        whole = Box(30, 40, 370, 560)
        left = parts.border(press, whole)
        dark = made.array() < 128
        assert left.area > 0.7 * whole.area and left.coverage_by(whole) == 1
        assert dark.any() and not dark[left.top : left.bottom, left.left : left.right].any()
        assert not made.items  # it is no picture


def test_the_box_of_a_picture_that_fades_is_of_what_is_seen() -> None:
    made = canvas.Canvas(400, 600, np.random.default_rng(1))
    box = parts._pasted(made, np.zeros((200, 300), np.uint8), Box(50, 80, 350, 280), pictures.oval(300, 200, 0.3))
    dark = made.array() < 230
    assert box.area < 0.95 * 300 * 200
    assert dark[box.top : box.bottom, box.left : box.right].sum() > 0.97 * dark.sum()


def test_the_truth_has_no_more_words_than_were_printed() -> None:
    made = canvas.Canvas(400, 1000, np.random.default_rng(1))
    press = parts.Press(made, Words(made.rng), photographs, made.rng, 12.0, 14.0, False)
    words = " ".join(f"palabra{n}" for n in range(200))
    parts.caption(press, Box(100, 100, 200, 200), (), words, credit=0.0)
    (caption,) = (item for item in made.items if item.kind == "caption")
    assert caption.box.height <= made.px(120)
    assert words.startswith(caption.text) and 5 < len(caption.text.split()) < 100


@pytest.mark.parametrize("seed", range(20))
def test_figures_of_one_drawing_stand_close(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height = int(rng.integers(60, 400)), 100
    made = pictures._figures(np.full((height, width), 200, np.uint8), rng)
    inked = np.flatnonzero((made < 200).any(axis=0))
    assert np.diff(inked).max() < 0.6 * height
