"""Who translates: Apertium with the rules of `revista.spanish`, or a Marian checkpoint, by setting.

Junczys-Dowmunt et al. (2018), "Marian: Fast Neural Machine Translation in C++", doi:10.18653/v1/P18-4020; Tiedemann and
Thottingal (2020), "OPUS-MT: Building open translation services for the World", whose checkpoints `opus-mt-en-es` and
`opus-mt-es-en` are. Nothing heavy is imported before the first text is translated.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, Protocol

from revista.devices import load_model, load_part, pick_device, torch_software
from revista.errors import BadInput, Category, MissingProgram, MissingWeights, ModelError, TimedOut
from revista.programs import apertium
from revista.programs.apertium import Translation
from revista.spanish import lines_to_spanish, to_spanish
from revista.versions import versions
from revista.weights import Weights, find_weights
from revista.wording import plain_words, printable

APERTIUM = "apertium"
Pair = Literal["eng-spa", "spa-eng"]

BATCH = 16  # texts
_BEAMS = 4
_MOST_TOKENS = 120  # of a text: captions are short, and what is longer is cut before
_RUNS_ON = 3  # times the words of a text, and ten more: a translation longer than that is none
_CODES = {"eng": {"en", "eng"}, "spa": {"es", "spa"}}  # of languages, as tokenizers of checkpoints write them


class Translator(Protocol):
    """Something that translates captions."""

    @property
    def name(self) -> str:
        """What evidence calls it; MissingProgram where it is a program that is not installed."""

    def translate(self, text: str, timeout: float) -> Translation:
        """The translation of one caption on one line; safe to call from threads.

        Raises:
            MissingProgram, MissingWeights: it is not at hand.
            TimedOut: it did not finish within `timeout` seconds.
            BadInput: it gave no translation.
        """

    def translate_lines(self, texts: Sequence[str], timeout: float) -> list[Translation]:
        """The translation of each text, in order; `timeout` is for all."""


class Apertium:
    """Apertium; into Spanish with the rules of `revista.spanish`."""

    def __init__(self, pair: Pair = "eng-spa") -> None:
        self._pair = pair

    @property
    def name(self) -> str:
        """`apertium` with its version."""
        return f"apertium {apertium.probe(self._pair)}"

    def translate(self, text: str, timeout: float) -> Translation:
        """See `Translator.translate`."""
        return to_spanish(text, timeout) if self._pair == "eng-spa" else apertium.translate(text, timeout, self._pair)

    def translate_lines(self, texts: Sequence[str], timeout: float) -> list[Translation]:
        """See `Translator.translate_lines`."""
        if self._pair == "eng-spa":
            return lines_to_spanish(texts, timeout)
        return apertium.translate_lines(texts, timeout, self._pair)


class Marian:
    """A Marian checkpoint of one direction; loaded when the first text comes."""

    def __init__(self, weights: Weights, device: str, pair: Pair = "eng-spa") -> None:
        """Remember what to load.

        Raises:
            MissingWeights: it is no Marian checkpoint.
            BadArguments: there is no such device.
        """
        weights.require({"marian"}, {"MarianMTModel"}, "the translator")
        self.name = weights.name
        self._weights = weights
        self._pair = pair
        self._device = device
        self._parts: tuple[Any, Any] | None = None
        self._lock = threading.Lock()  # the tokenizer is not safe across threads
        self._known = lru_cache(maxsize=4096)(self._alone)

    def translate(self, text: str, timeout: float) -> Translation:
        """See `Translator.translate`; the same text is translated once."""
        return self._known(printable(text), timeout)

    def translate_lines(self, texts: Sequence[str], timeout: float) -> list[Translation]:
        """See `Translator.translate_lines`."""
        made: list[Translation] = []
        with self._lock:
            self._loaded()
            deadline = time.monotonic() + timeout  # neither loading nor other pages' texts count
            for start in range(0, len(texts), BATCH):
                batch = [printable(text) for text in texts[start : start + BATCH]]
                said = self._batch(batch, deadline - time.monotonic())
                if time.monotonic() > deadline:  # what was said is cut short
                    raise TimedOut(
                        f"{self.name} took longer than {timeout:g} s", "Raise run.page_timeout, or run again."
                    )
                made += [self._checked(text, printable(one)) for text, one in zip(batch, said, strict=True)]
        return made

    def _alone(self, text: str, timeout: float) -> Translation:
        return self.translate_lines([text], timeout)[0]

    def _batch(self, texts: list[str], timeout: float) -> list[str]:
        import torch

        tokenizer, model = self._loaded()
        sentences = [f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.!?…' else '.'}" for text in texts]
        try:
            inputs = tokenizer(
                sentences, return_tensors="pt", padding=True, truncation=True, max_length=_MOST_TOKENS
            ).to(model.device)
            with torch.inference_mode():
                made = model.generate(
                    **inputs,
                    num_beams=_BEAMS,
                    do_sample=False,
                    max_new_tokens=min(2 * inputs["input_ids"].shape[1] + 20, 2 * _MOST_TOKENS),
                    max_length=None,
                    max_time=max(timeout, 0.001),
                )
        except RuntimeError as error:
            raise ModelError(
                f"{self.name} failed: {error}", "Set run.device to cpu, or descriptions.translator."
            ) from error
        return list(tokenizer.batch_decode(made, skip_special_tokens=True))

    def _checked(self, text: str, said: str) -> Translation:
        """A translation, with the words in it that it cannot have from the text: names that it made up.

        Raises:
            BadInput: there is none, or it runs on.
        """
        if not text.strip():
            return Translation("")
        if not said or len(said.split()) > _RUNS_ON * len(text.split()) + 10:
            raise BadInput(
                f"{self.name} could not translate {text[:80]!r}",
                "Nothing has to be done; where it happens often, set descriptions.translator to apertium.",
                category=Category.MODEL,
            )
        known = set(plain_words(text))
        names = [word.strip(".,;:!?¡¿()\"'«»“”") for _, word in pairwise(said.split()) if word[:1].isupper()]
        strange = [name for name in names if not set(plain_words(name)) <= known]
        return Translation(said.replace("⁇", " "), tuple(strange))

    def _loaded(self) -> tuple[Any, Any]:
        if self._parts is None:
            from transformers import MarianMTModel, MarianTokenizer

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it recommends a package that straightens quotation marks
                tokenizer = load_part(MarianTokenizer, self._weights)
            for wanted, found in zip(
                self._pair.split("-"), (tokenizer.source_lang, tokenizer.target_lang), strict=True
            ):
                if found is not None and str(found).lower() not in _CODES[wanted]:
                    raise MissingWeights(
                        f"{self.name} translates {tokenizer.source_lang} to {tokenizer.target_lang}, not {self._pair}",
                        "Name a checkpoint of the other direction: Helsinki-NLP/opus-mt-en-es, or -es-en.",
                    )
            self._parts = tokenizer, load_model(MarianMTModel, self._weights, pick_device(self._device))
        return self._parts


def load(spec: str, device: str, pair: Pair = "eng-spa") -> Translator:
    """The translator that a setting names: `apertium`, or a local folder or hub id of a Marian checkpoint.

    Raises:
        MissingWeights: it is not at hand, or no Marian checkpoint.
    """
    return Apertium(pair) if spec == APERTIUM else Marian(_find(spec), device, pair)


def software(spec: str, pair: Pair = "eng-spa") -> dict[str, str]:
    """Versions of what translations by `spec` depend on; empty where Apertium is not installed."""
    if spec != APERTIUM:
        return {**torch_software(), **versions("sentencepiece")}
    try:
        return {APERTIUM: apertium.probe(pair)}
    except MissingProgram:
        return {}


def weights(spec: str) -> dict[str, str]:
    """Hex sha256 of the checkpoint's files, by name; empty for Apertium.

    Raises:
        MissingWeights: it is not at hand.
    """
    return {} if spec == APERTIUM else _find(spec).hashes()


def _find(spec: str) -> Weights:
    try:
        return find_weights(spec)
    except MissingWeights as error:
        hint = f'{error.hint} Or set descriptions.translator = "{APERTIUM}" (captions.translator likewise).'
        raise MissingWeights(f"no translator: {error.message}", hint) from error
