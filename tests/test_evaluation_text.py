"""The measures of reading, on texts whose figures can be worked out by hand, and on real pages."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from revista.errors import BadInput, Category
from revista.evaluation.index import IndexPage, read_index
from revista.evaluation.text import compare, evaluate_text, normalise, score, words
from revista.geometry import Box
from revista.records import Line, PageText, Paragraph, Problem, Word
from revista.regions.detector import Finding
from revista.settings import Settings
from tests.conftest import SHARED
from tests.test_text import FONT


class Blind:
    """A detector that finds nothing, in no time."""

    name = "blind"

    def weights(self) -> dict[str, str]:
        return {}

    def detect(self, images: list[np.ndarray]) -> list[Finding]:
        from layoutparser import Layout

        return [Layout([]) for _ in images]


def page_text(*lines: str) -> PageText:
    box = Box(0, 0, 1, 1)
    made = tuple(Line(words=tuple(Word(text=w, box=box, confidence=1) for w in x.split()), box=box) for x in lines)
    return PageText(paragraphs=(Paragraph(id="0001-p01", lines=made, box=box),)) if lines else PageText()


def entry(*lines: str, source: str = "a", file: Path = Path("a.png")) -> IndexPage:
    return IndexPage(name=file.name, file=file, doc="a", source=source, text_lines=lines)


def test_hand_made_figures() -> None:
    found = compare(entry("Hola mundo,", "adios"), page_text("Hola mund", "adiós"), 2.0)
    # "Hola mundo, adios" has 17 characters; 3 edits: o and the comma missing, o for ó
    assert (found.errors, found.characters) == (3, 17)
    assert (found.words_read, found.words_true, found.words_common) == (3, 3, 1)
    assert found.cer == pytest.approx(3 / 17) and found.word_f1 == pytest.approx(1 / 3)
    assert found.paragraphs == (("Hola mund", "adiós"),)


def test_averages() -> None:
    pages = [
        compare(entry("abcd"), page_text("abcd"), 1.0),
        compare(entry("abcdefgh ij"), page_text("abcdefgh"), 3.0),
        compare(entry("ab"), page_text(), 2.0, (Problem(stage="text", category=Category.TIMEOUT, message="slow"),)),
    ]
    found = score(pages)
    assert found.cer_micro == pytest.approx((0 + 3 + 2) / (4 + 11 + 2), abs=1e-4)
    assert found.cer_mean == pytest.approx((0 + 3 / 11 + 1) / 3, abs=1e-4)
    assert found.cer_median == pytest.approx(3 / 11, abs=1e-4)
    assert found.word_f1_mean == pytest.approx((1 + 2 / 3 + 0) / 3, abs=1e-4)
    assert found.word_f1_micro == pytest.approx(2 * 2 / (2 + 4), abs=1e-4)
    assert (found.pages, found.failed_pages, found.seconds_per_page) == (3, 1, 2.0)


def test_what_is_taken_as_the_same() -> None:
    assert normalise("nin\u0303o  divi¬\ndido ") == "niño divi- dido"
    assert words("«Hola», (hola) ¡HOLA! — 5 don't") == {"hola": 3, "5": 1, "don't": 1}


@given(st.lists(st.text("abcñ ,¬", min_size=1), min_size=1, max_size=5).filter(lambda lines: words(" ".join(lines))))
def test_the_truth_itself_has_no_errors(lines: list[str]) -> None:
    found = compare(entry(*lines), page_text(*lines), 0.0)
    assert found.errors == 0 and found.word_f1 == 1.0


@given(st.permutations(["uno", "dos", "tres", "cuatro"]))
def test_order_counts_for_characters_only(order: list[str]) -> None:
    found = compare(entry("uno dos tres cuatro"), page_text(" ".join(order)), 0.0)
    assert found.word_f1 == 1.0
    assert (found.errors == 0) == (order == ["uno", "dos", "tres", "cuatro"])


def test_pages_are_read_and_those_without_truth_counted(tmp_path: Path) -> None:
    canvas = Image.new("L", (900, 300), 240)
    ImageDraw.Draw(canvas).text((60, 100), "La noche de la gala", fill=20, font=ImageFont.truetype(FONT, 40))
    canvas.save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    index = [
        {"file": "a.png", "source": "good", "text_lines": ["La noche", "de la gala"]},
        {"file": "a.png", "source": "good", "text_lines": ["La noche de la galas"]},
        {"file": "a.png", "source": "good"},
        {"file": "broken.png", "source": "bad", "text_lines": ["algo"]},
    ]
    (tmp_path / "index.json").write_text(json.dumps(index))
    seen: list[int] = []
    found = evaluate_text(
        read_index(tmp_path / "index.json"), Settings(), detector=Blind(), on_page=lambda: seen.append(1)
    )
    assert len(seen) == 4 and found.skipped_pages == 1
    assert list(found.sources) == ["bad", "good"]
    assert found.sources["good"].cer_micro == pytest.approx(1 / 39, abs=1e-4)
    assert found.sources["bad"].cer_micro == 1.0 and found.sources["bad"].failed_pages == 1
    assert found.scores.pages == 3
    assert [p.paragraphs for p in found.predictions] == [(("La noche de la gala",),)] * 2 + [()]
    assert found.predictions[2].problems[0].hint
    from rich.console import Console

    console = Console(width=150, record=True)
    console.print(found.table())
    assert "bad" in console.export_text()
    json.dumps(found.model_dump(mode="json"))


def test_an_index_without_text_is_refused() -> None:
    with pytest.raises(BadInput, match="text_lines"):
        evaluate_text([entry()], Settings(), detector=Blind())


def test_real_pages_are_read_well() -> None:
    if not (SHARED / "pages" / "index.json").exists():
        pytest.skip("the shared folder of real pages is not beside the project")
    names = ("Moreno_026_7.jpg", "Moreno_133_1.jpg", "Moreno_172_8.jpg", "ano_2080.pdf_page_24.png")
    pages = [p for p in read_index(SHARED / "pages" / "index.json") if p.name.endswith(names)]
    found = evaluate_text(pages, Settings(), detector=Blind())
    # two columns joined by plain Tesseract; pictures; print showing through; prose: 0.689, 0.109, 0.184, 0.038 there
    assert len(pages) == 4 and found.scores.failed_pages == 0
    assert all(p.cer < 0.06 for p in found.predictions), [p.cer for p in found.predictions]
