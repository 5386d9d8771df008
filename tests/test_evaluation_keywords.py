"""How many pictures are described in people's keywords: the rule, the chance, and the whole chain on drawn pages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from revista.errors import BadInput
from revista.evaluation.index import read_index
from revista.evaluation.keywords import evaluate_keywords, names, score, stem
from revista.records import Source
from revista.settings import Settings

SAMPLE = Path(__file__).parents[1] / "sample_pages" / "index.json"


@pytest.mark.parametrize(
    ("one", "other"),
    [("mujer", "Mujeres"), ("hombre", "HOMBRES"), ("luz", "luces"), ("ángel", "angeles"), ("flor", "flores")],
)
def test_number_accents_and_capitals_do_not_count(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_gender_counts() -> None:
    assert stem("niño") != stem("niña")


@pytest.mark.parametrize(
    ("description", "keyword"),
    [
        ("Dos mujeres en un jardín.", "Mujer"),
        ("una mujer", "Mujer(es) y hombre(s)"),
        ("un hombre", "Mujere(s) y Hombre(s)"),
        ("Un barco en el mar.", "Navío/Barco"),
        ("La guitarra y otros instrumentos, todos musicales", "Instrumentos musicales"),
        ("un hombre que baila", "Bailando"),
        ("«Hallábase batiendo»", "Batiendo"),
        ("vista del agua del área", "Área de agua"),
    ],
)
def test_named(description: str, keyword: str) -> None:
    assert names(description, keyword)


@pytest.mark.parametrize(
    ("description", "keyword"),
    [
        ("un niño", "Niñas"),
        ("la música", "Instrumentos musicales"),
        ("una casaca", "Casa"),
        ("", "Hombre"),
        ("un hombre", ""),
        ("el baile", "Bailando"),
    ],
)
def test_not_named(description: str, keyword: str) -> None:
    assert not names(description, keyword)


def test_shares_worked_out_by_hand() -> None:
    found = score(["un hombre", "una mujer", "un perro"], [["Hombre"], ["Hombre", "Mujer"], ["Gato"]])
    # own: 2 of 3; others: of six pairs only the first text with the second picture's keywords
    assert (found.named, found.chance) == (0.6667, 0.1667)
    assert found.p < 0.7
    assert score(["un hombre"] * 5, [["Hombre"]] * 5).p == 1.0
    words = ["casa", "perro", "flor", "barco", "caballo", "mesa", "libro"]
    sure = score(words, [[word] for word in words], permutations=500)
    assert (sure.named, sure.chance) == (1.0, 0.0) and sure.p < 0.01


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page 2 of the sample issue, with keywords that its printed caption has, and one page without keywords."""
    pages = [dict(page) for page in json.loads(SAMPLE.read_text("utf-8"))]
    page = next(page for page in pages if page["page"] == 2)
    page["file"] = str(SAMPLE.parent / Path(page["file"]).name)
    drawn = [{**one, "keywords_es": ["Aviadora", "Trajes"]} for one in page["illustrations"]]
    file = tmp_path_factory.mktemp("keywords") / "index.json"
    file.write_text(
        json.dumps([{**page, "illustrations": drawn}, {**page, "illustrations": [], "captions": []}]), "utf-8"
    )
    return file


@pytest.mark.parametrize("boxes", ["true", "found"])
def test_whole_chain_from_print(index: Path, boxes: str) -> None:
    seen: list[int] = []
    found = evaluate_keywords(
        read_index(index),
        Settings(profile="none"),
        boxes=boxes,  # type: ignore[arg-type]
        on_page=lambda: seen.append(1),
    )
    assert len(seen) == 2
    assert (found.pictures, found.found, found.described) == (1, 1, 0)
    (picture,) = found.predictions
    assert picture.found and (picture.found == picture.box) == (boxes == "true")
    assert picture.named == ("Aviadora", "Trajes")
    assert picture.description and picture.description.sentences[0].source is Source.CAPTION
    assert (found.scores["all"].named, found.scores["pie"].named, found.scores["vista"].named) == (1.0, 1.0, 0.0)


def test_index_without_keywords_is_refused(index: Path) -> None:
    with pytest.raises(BadInput, match="keywords_es"):
        evaluate_keywords(read_index(index)[1:], Settings(profile="none"))


def test_command(index: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "revista.cli", "evaluate", "keywords", index, "--json", "--predictions"]
    done = subprocess.run(
        [*map(str, command), str(tmp_path / "p.json")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "REVISTA_PROFILE": "none"},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["all"]["named"] == 1.0 and said["boxes"] == "true" and "predictions" not in said
    (one,) = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert one["named"] == ["Aviadora", "Trajes"]
