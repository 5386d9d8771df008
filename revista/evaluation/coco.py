"""BLEU, METEOR, ROUGE-L, CIDEr and SPICE, by the reference implementations that COCO's caption server uses.

Chen et al. (2015), "Microsoft COCO Captions: Data Collection and Evaluation Server", arXiv:1504.00325, in their Python
edition pycocoevalcap 1.2. BLEU, ROUGE-L and CIDEr are its Python code; the Penn Treebank tokenizer (of Stanford
CoreNLP 3.4.1), METEOR 1.5 and SPICE 1.0 are Java programs in its package, called here with a time limit and without
its habits of writing into the package's folder and onto standard output. All figures are shares, 1.0 being the best
but for CIDEr, which goes to 10.0.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from revista.errors import BadArguments, MissingProgram, RevistaError
from revista.programs import java
from revista.records import Frozen

Captions = Mapping[str, Sequence[str]]
"""Captions by picture."""

NameT = TypeVar("NameT")

LANGUAGES = ("en", "es")
INSTALL = 'pip install "revista[evaluation]", from a clone: pip install -e ".[evaluation]"'

_TIMEOUT = 1800.0  # seconds for one Java program: METEOR takes 10 s for 1,000 pictures, SPICE many minutes
# The package has METEOR's table of paraphrases for English alone; without one, two of its modules are left.
_METEOR_OPTIONS = {"en": ("-l", "en", "-norm"), "es": ("-l", "es", "-norm", "-m", "exact stem")}
_SPICE_MODELS = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")


class CocoScores(Frozen):
    """The measures of one set of captions."""

    bleu_1: float
    bleu_2: float
    bleu_3: float
    bleu_4: float
    meteor: float
    rouge_l: float
    cider: float
    spice: float | None  # None where it could not run; the notes say why


def require(language: str) -> None:
    """Make sure that the measures can run on captions in `language`.

    Raises:
        MissingProgram: Java or pycocoevalcap is missing.
        BadArguments: METEOR knows no such language here.
    """
    if language not in LANGUAGES:
        raise BadArguments(f"captions in {language!r} cannot be measured", f"Choose one of: {', '.join(LANGUAGES)}.")
    _package()
    java.probe()


def notes(language: str) -> tuple[str, ...]:
    """What the figures lack in this language and on this machine."""
    found = []
    if language == "es":
        found.append("METEOR in Spanish matches words and stems only: its table of paraphrases is not in pycocoevalcap")
    if language != "en":
        found.append("SPICE is for English only")
    elif lacking := spice_lacks():
        found.append(lacking)
    return tuple(found)


def spice_lacks() -> str | None:
    """Why SPICE cannot run: its parser's models (500 MB, GPL) are not in pycocoevalcap; None where they are there."""
    folder = _package() / "spice" / "lib"
    missing = [name for name in _SPICE_MODELS if not (folder / name).is_file()]
    if not missing:
        return None
    return f"SPICE needs {' and '.join(missing)} of Stanford CoreNLP in pycocoevalcap's folder spice/lib"


def tokenize(captions: Mapping[NameT, Sequence[str]]) -> dict[NameT, list[str]]:
    """Each caption as COCO's tokenizer leaves it: small letters, words between blanks, without punctuation."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS, STANFORD_CORENLP_3_4_1_JAR

    lines = [" ".join(text.split()) for texts in captions.values() for text in texts]
    jar = _package() / "tokenizer" / STANFORD_CORENLP_3_4_1_JAR
    arguments = ["-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
    printed = java.run_java(arguments, timeout=_TIMEOUT, stdin="".join(f"{line}\n" for line in lines))
    tokens = printed.split("\n")[:-1]
    if len(tokens) != len(lines):
        raise RevistaError(
            f"the tokenizer made {len(tokens)} lines of {len(lines)} captions",
            "Look for line separators or other control characters in the captions.",
        )
    rest = iter(" ".join(word for word in line.split() if word not in PUNCTUATIONS) for line in tokens)
    return {picture: [next(rest) for _ in texts] for picture, texts in captions.items()}


def measure(references: Captions, systems: Sequence[Mapping[str, str]], language: str) -> list[CocoScores]:
    """The measures of several sets of captions against the same references.

    Args:
        references: people's captions of each picture, in `language`.
        systems: sets with one caption for each of these pictures.
        language: "en" or "es".

    Raises:
        MissingProgram, BadArguments: as `require` does.
        TimedOut: a Java program did not finish.
        RevistaError: one ended with an error.
    """
    require(language)
    whole = {(-1, picture): list(texts) for picture, texts in references.items()}
    for i, system in enumerate(systems):
        whole.update({(i, picture): [system[picture]] for picture in references})
    tokens = tokenize(whole)
    true = {picture: tokens[-1, picture] for picture in references}
    said = [{picture: tokens[i, picture] for picture in references} for i in range(len(systems))]
    return [
        CocoScores(
            **overlap(true, hypotheses),
            meteor=round(meteor, 4),
            spice=_spice(true, hypotheses) if language == "en" and spice_lacks() is None else None,
        )
        for hypotheses, meteor in zip(said, _meteor(true, said, language), strict=True)
    ]


def overlap(references: Captions, captions: Captions) -> dict[str, float]:
    """BLEU-1 to 4, ROUGE-L and CIDEr, by their names in `CocoScores`.

    Args:
        references: tokenized captions of each picture.
        captions: one tokenized caption of each of these pictures.
    """
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    bleu, _ = Bleu(4).compute_score(references, captions, verbose=0)
    rouge_l, _ = Rouge().compute_score(references, captions)
    cider, _ = Cider().compute_score(references, captions)
    named = {**{f"bleu_{n}": value for n, value in enumerate(bleu, 1)}, "rouge_l": rouge_l, "cider": cider}
    return {name: round(float(value), 4) for name, value in named.items()}


def _meteor(references: Captions, systems: Sequence[Captions], language: str) -> list[float]:
    """METEOR of each system, aggregated over its pictures as COCO's wrapper does (Denkowski and Lavie 2014).

    The program gives the statistics of each caption, then the scores of captions and whole from their statistics.
    """
    jar = str(_package() / "meteor" / "meteor-1.5.jar")
    scores = []
    with java.dialogue(
        ["-Xmx2G", "-jar", jar, "-", "-", "-stdio", *_METEOR_OPTIONS[language]], timeout=_TIMEOUT
    ) as ask:
        for system in systems:
            asked = (" ||| ".join(["SCORE", *references[picture], system[picture][0]]) for picture in references)
            statistics = [ask(line)[0] for line in asked]
            answer = ask(" ||| ".join(["EVAL", *statistics]), len(references) + 1)
            scores.append(float(answer[-1]))
    return scores


def _spice(references: Captions, captions: Captions) -> float:
    """SPICE (Anderson et al. 2016, arXiv:1607.08822): the mean F1 of what is said about whom, 0.0 to 1.0."""
    asked = [{"image_id": p, "test": texts[0], "refs": list(references[p])} for p, texts in captions.items()]
    with tempfile.TemporaryDirectory(prefix="revista-") as scratch:
        given, told = Path(scratch) / "in.json", Path(scratch) / "out.json"
        given.write_text(json.dumps(asked), "utf-8")
        arguments = ["-Xmx8G", "-jar", str(_package() / "spice" / "spice-1.0.jar"), str(given)]
        java.run_java([*arguments, "-out", str(told), "-subset", "-silent"], timeout=2 * _TIMEOUT)
        scores = [float(item["scores"]["All"]["f"]) for item in json.loads(told.read_text("utf-8"))]
    return round(sum(scores) / len(scores), 4)


def _package() -> Path:
    """The folder of pycocoevalcap, which is an extra: only evaluation needs it."""
    found = find_spec("pycocoevalcap")
    if found is None or not found.submodule_search_locations:
        raise MissingProgram("the Python package pycocoevalcap is not installed", INSTALL)
    return Path(found.submodule_search_locations[0])
