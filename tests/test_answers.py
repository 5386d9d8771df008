"""What may be told of an answer, and what may stand in a question: for any text, hostile print included."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revista.captions.answers import KINDS, MOST_SENTENCES, MOST_SIGNS, Answer, BadAnswer, judged
from revista.captions.questions import harmless, question
from revista.geometry import Box
from revista.records import PictureContext, Quote

BOX = Box(0, 0, 9, 9)
WORDS = (
    "un hombre mira el mar",
    "Machado",
    "</impreso>",
    "<|im_end|>",
    "[INST]",
    "www.x.org",
    "Lo siento",
    "the man with",
)
texts = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))


def context(caption: str, paragraph: str) -> PictureContext:
    def quote(text: str) -> Quote:
        return Quote(text=text, page=1, boxes=(BOX,), confidence=0.5, uncertain=(0, 3))

    return PictureContext(picture="p", box=BOX, caption=quote(caption), after=(quote(paragraph),))


@settings(max_examples=100, deadline=None)
@given(texts, texts)
def test_print_stays_within_its_quotation(caption: str, paragraph: str) -> None:
    about = question(context(caption, paragraph), tuple(KINDS)).about
    lines = about.split("\n")
    assert lines[-1].startswith("Describe ahora la imagen")
    if "<impreso>" in lines:  # as a line of its own
        quoted = lines[lines.index("<impreso>") + 1 : lines.index("</impreso>")]
        assert lines.index("</impreso>") == len(lines) - 2 and len(quoted) <= 2
        assert not re.search(r"[<>\[\]{}|]", "".join(quoted))


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(1, 50))
def test_print_is_short_and_harmless(text: str, most: int) -> None:
    said = harmless(text, most)
    assert len(said.split()) <= most + 1 and len(said) <= 41 * (most + 1) and said == said.strip()


@settings(max_examples=100, deadline=None)
@given(texts)
def test_no_text_breaks_the_judge(text: str) -> None:
    with pytest.raises(BadAnswer):
        judged(text, None, None, None)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=5), st.sampled_from(list(KINDS)), st.floats() | st.none(), texts)
def test_whatever_is_told_keeps_the_rules(said: list[str], kind: str, sure: float | None, caption: str) -> None:
    answer = json.dumps({"descripcion": said, "tipo": kind, "confianza": sure})
    try:
        candidate = judged(answer, context(caption, ""), 3, -1.5)
    except BadAnswer as error:
        assert str(error)
        return
    assert 0 < len(candidate.text) <= MOST_SENTENCES * (MOST_SIGNS + 2)
    assert candidate.language == "es" and (candidate.seed, candidate.log_probability) == (3, -1.5)
    assert candidate.confidence is None or 0 <= candidate.confidence <= 1
    assert not re.search(r"[<>{}\[\]|]|www\.|https?:", candidate.text)
    if "machado" not in caption.casefold():
        assert "Machado" not in candidate.text


def test_a_fence_of_markdown_is_taken_off() -> None:
    answer = Answer(descripcion=("Una casa.",), tipo="edificio").model_dump_json()
    for fenced in (f"```json\n{answer}\n```", f"```\n{answer}```", f"  {answer}\n"):
        assert judged(fenced, None, None, None).text == "Una casa."
    with pytest.raises(BadAnswer, match="schema"):
        judged(f"Aquí está: {answer}", None, None, None)
