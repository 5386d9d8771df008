"""The measures of caption links, on pages whose figures can be worked out by hand, and on the sample."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revista.cli import app
from revista.errors import BadInput
from revista.evaluation.index import Illustration, IndexPage, PrintedCaption, read_index, true_pictures
from revista.evaluation.links import alike, compare, evaluate_links, score
from revista.geometry import Box
from revista.records import Contexts, PictureContext, Quote, Region, RegionKind, Regions
from revista.settings import Settings
from tests.conftest import ROOT

PICTURES = (Box(0, 0, 100, 100), Box(120, 0, 220, 100), Box(0, 300, 100, 400))
PLACES = (Box(0, 110, 100, 120), Box(120, 110, 220, 120))
FIRST, SECOND = "La condesa de Loreto.", "El general Menocal."


def entry(*captions: PrintedCaption, kind: str | None = None) -> IndexPage:
    return IndexPage(
        name="a.png",
        file=Path("a.png"),
        doc="a",
        source="a",
        width=300,
        height=500,
        illustrations=tuple(Illustration(box=box, kind=kind) for box in PICTURES),
        captions=captions,
    )


def caption(text: str, place: int, *illustrations: int) -> PrintedCaption:
    return PrintedCaption(text=text, box=PLACES[place], illustrations=illustrations)


def quote(text: str, box: Box) -> Quote:
    return Quote(text=text, page=1, boxes=(box,), confidence=0.9)


def context(index: int, *parts: Quote, shared: tuple[int, ...] = (), confidence: float = 0.8) -> PictureContext:
    whole = quote(" ".join(p.text for p in parts), parts[0].boxes[0]) if parts else None
    return PictureContext(
        picture=f"0001-r{index:02d}",
        box=PICTURES[index] if index < len(PICTURES) else Box(0, 0, 1, 1),
        caption=whole,
        caption_parts=parts if len(parts) > 1 else (),
        caption_confidence=confidence if parts else 0.0,
        caption_shared_with=tuple(f"0001-r{i:02d}" for i in shared),
    )


TWO = entry(caption(FIRST, 0, 0), caption(SECOND, 1, 1))


def test_all_right() -> None:
    linked = Contexts(pictures=(context(0, quote(FIRST, PLACES[0])), context(1, quote(SECOND, PLACES[1])), context(2)))
    found = score([compare(TWO, true_pictures(TWO, 300, 500), linked, 300, 500)])
    assert (found.captions, found.captions_right, found.captions_read) == (2, 1.0, 1.0)
    assert (found.bare, found.bare_right) == (1, 1.0)
    assert (found.links, found.links_right, found.confidence_right, found.confidence_wrong) == (2, 1.0, 0.8, None)


def test_exchanged_captions_and_a_stranger_are_wrong() -> None:
    linked = Contexts(
        pictures=(
            context(0, quote(SECOND, PLACES[1]), confidence=0.6),
            context(1, quote(FIRST, PLACES[0]), confidence=0.4),
            context(2, quote("Nada.", Box(0, 410, 30, 420)), confidence=0.2),
        )
    )
    page = compare(TWO, true_pictures(TWO, 300, 500), linked, 300, 500)
    assert [c.linked for c in page.captions] == [(1,), (0,)]
    found = score([page])
    assert (found.captions_right, found.bare_right, found.links_right) == (0.0, 0.0, 0.0)
    assert found.confidence_wrong == pytest.approx(0.4)


def test_misread_print_counts_by_its_place_and_not_as_read() -> None:
    linked = Contexts(
        pictures=(context(0, quote("Lx cnnbesq bc Lnrclo", PLACES[0])), context(1, quote(SECOND, PLACES[1])))
    )
    found = score([compare(TWO, true_pictures(TWO, 300, 500), linked, 300, 500)])
    assert (found.captions_right, found.captions_read) == (1.0, 0.5)


def test_a_caption_of_two_pictures_is_right_where_both_have_it() -> None:
    page = entry(caption(FIRST, 0, 0, 1))
    both = Contexts(
        pictures=(
            context(0, quote(FIRST, PLACES[0]), shared=(1,)),
            context(1, quote(FIRST, PLACES[0]), shared=(0,)),
        )
    )
    one = Contexts(pictures=(context(0, quote(FIRST, PLACES[0])), context(1)))
    regions = true_pictures(page, 300, 500)
    right, wrong = (score([compare(page, regions, linked, 300, 500)]) for linked in (both, one))
    assert (right.shared, right.shared_right, right.links, right.shared_links) == (1, 1.0, 1, 1)
    assert (wrong.shared_right, wrong.links_right) == (0.0, 0.0)


@pytest.mark.parametrize("apart", [True, False])
def test_several_captions_of_a_picture_may_come_apart_or_as_one(apart: bool) -> None:
    page = entry(caption(FIRST, 0, 0), caption(SECOND, 1, 0))
    parts = [quote(FIRST, PLACES[0]), quote(SECOND, PLACES[1])]
    whole = [quote(f"{FIRST} {SECOND}", PLACES[0])]
    linked = Contexts(pictures=(context(0, *(parts if apart else whole)), context(1), context(2)))
    found = score([compare(page, true_pictures(page, 300, 500), linked, 300, 500)])
    assert (found.several, found.several_right, found.captions_right, found.captions_read) == (1, 1.0, 1.0, 1.0)
    assert found.several_links == int(apart)


def test_found_pictures_stand_for_the_true_ones_that_they_overlap() -> None:
    def region(index: int, box: Box) -> Region:
        return Region(id=f"0001-r{index:02d}", kind=RegionKind.PICTURE, box=box, confidence=0.9, detector="d")

    regions = Regions(
        regions=(
            region(7, Box(0, 5, 100, 100)),
            region(8, Box(120, 0, 220, 90)),
            region(9, Box(230, 0, 290, 100)),
        )
    )
    linked = Contexts(
        pictures=(
            context(7, quote(FIRST, PLACES[0])),
            context(8, quote(SECOND, PLACES[1]), shared=(9,)),
            context(9, quote(SECOND, PLACES[1]), shared=(8,)),
        )
    )
    page = compare(TWO, regions, linked, 300, 500)
    assert [(c.linked, c.right) for c in page.captions] == [((0,), True), ((-1, 1), False)]
    assert (page.bare, page.bare_right) == (0, 0)  # the third one was not found at all


def test_texts_are_alike_in_spite_of_signs_and_a_few_letters() -> None:
    assert alike("LA CONDESA DE LORETO", FIRST) == 100.0
    assert alike("La condesa de Lorelo", FIRST) >= 75 > alike(SECOND, FIRST)
    assert alike("...", FIRST) == alike("", "") == 0.0


def test_an_index_without_captions_is_refused() -> None:
    with pytest.raises(BadInput, match="captions"):
        evaluate_links([entry()], Settings())


def test_captions_of_unknown_pictures_are_refused(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    index.write_text(json.dumps([{"file": "a.png", "captions": [{"text": "x", "illustrations": [0]}]}]))
    with pytest.raises(BadInput, match="of which there are 0"):
        read_index(index)


def test_the_sample_by_command(tmp_path: Path) -> None:
    pages = [entry for entry in json.loads((ROOT / "sample_pages" / "index.json").read_text()) if entry["page"] == 5]
    index = tmp_path / "index.json"
    index.write_text(json.dumps(pages))
    (tmp_path / pages[0]["file"]).symlink_to(ROOT / "sample_pages" / pages[0]["file"])
    command = ["evaluate", "links", str(index), "--true-regions", "--json", "--predictions", str(tmp_path / "p.json")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["captions"] == found["shared"] == 2 and found["captions_right"] == 1.0 and found["true_regions"]
    (page,) = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert [c["linked"] for c in page["captions"]] == [[0, 1], [2, 3]]
