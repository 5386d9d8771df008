"""How well pictures are captioned and captions found, against people's captions of photographs.

Captioner and ranker are those of the settings, loaded and asked as the pipeline does it. Two captions of each picture
are measured: the first beam under the first prompt, and the candidate that the ranker puts first among all beams,
samples and prompts, as a description takes it. A picture on which a model fails is left out, counted, and told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from revista import translation
from revista.errors import BadArguments, BadInput, ModelError, RevistaError
from revista.evaluation import coco, joint
from revista.records import Candidate, Frozen, Problem, ScoredCandidate
from revista.settings import Settings
from revista.weights import find_weights

if TYPE_CHECKING:
    from rich.console import Group

    from revista.captions import Captioner
    from revista.ranking import Ranker
    from revista.training.data import CaptionData

CHUNK = 32  # pictures in memory at once
STAGE = "evaluation"

_NO_CLIP_SCORES = {"clip_score": None, "ref_clip_score": None}


class CaptionPrediction(Frozen):
    """What was said about a picture, best first, beside what people wrote."""

    image: str
    references: tuple[str, ...]
    first_beam: str  # in the language of the references
    reranked: str | None  # likewise; None without a ranker
    candidates: tuple[ScoredCandidate, ...]  # as the captioner said them, with the ranker's similarity


class CaptionScores(coco.CocoScores):
    """The measures of one set of captions; CLIPScore is None without a ranker."""

    clip_score: float | None
    ref_clip_score: float | None


class CaptionEvaluation(Frozen):
    """All measures, by which models and on what, with what was predicted."""

    captioner: str
    ranker: str | None
    weights: dict[str, dict[str, str]]  # of captioner and ranker: file → sha256
    split: str
    language: str  # of references and measured captions
    halftone: bool
    pictures: int  # that were measured
    failed: int
    first_beam: CaptionScores
    reranked: CaptionScores | None
    retrieval: joint.Retrieval | None
    seconds_per_picture: float  # captioner and ranker, without reading the picture
    notes: tuple[str, ...]  # what the figures lack
    problems: tuple[Problem, ...]
    predictions: tuple[CaptionPrediction, ...]

    def table(self) -> Group:
        """The measures for the terminal."""
        from rich.console import Group
        from rich.table import Table

        look = " as grey halftone prints" if self.halftone else ""
        shown = Table("", "first beam", "reranked", box=None)
        for name in CaptionScores.model_fields:
            both = (self.first_beam, self.reranked)
            shown.add_row(name, *(_shown(getattr(scores, name) if scores else None) for scores in both))
        if self.retrieval:
            shown.add_row("", "image→text", "text→image", style="bold")
            ways = (self.retrieval.image_to_text, self.retrieval.text_to_image)
            for k in (1, 5, 10):
                shown.add_row(f"R@{k}", *(_shown(getattr(way, f"r{k}")) for way in ways))
        lines = [
            f"{self.pictures} pictures of {self.split}{look}, captions in {self.language}; {self.failed} failed",
            f"captioner {self.captioner}; ranker, also of CLIPScore: {self.ranker or 'none'}",
            f"{self.seconds_per_picture:.2f} s a picture",
        ]
        reasons = dict.fromkeys(f"not measured: {problem.message}" for problem in self.problems)
        return Group(*lines, shown, *self.notes, *reasons)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def evaluate_captions(
    data: CaptionData,
    settings: Settings,
    *,
    split: str = "test",
    language: Literal["en", "es"] | None = None,
    limit: int | None = None,
    halftone: bool = False,
    on_picture: Callable[[], None] = lambda: None,
) -> CaptionEvaluation:
    """Caption the pictures of a split and compare with people's captions.

    Args:
        data: pictures, captions, split lists.
        settings: `captions` and `ranking` say which models, prompts and beams; `run.device` where they run.
        split: which list.
        language: in which the captions of `data` are written; None: that of the captioner. What an
            English captioner says is translated as descriptions are where they are in Spanish.
        limit: only the first so many pictures of the list; figures of few pictures mean little.
        halftone: show the models each picture as a grey halftone print (`training.magazine.halftone_grey`).
        on_picture: called after each picture.

    Raises:
        MissingWeights: the settings name no captioner, or a model is not at hand.
        MissingProgram: Java, pycocoevalcap, or (where translated) Apertium is missing.
        BadInput: a picture of the split has no caption, or the data cannot be read.
        BadArguments: captions in Spanish cannot be compared with English ones.
        ModelError: the captioner failed on every picture.
    """
    from revista import captions, ranking

    spoken = captions.spoken(settings.captions)
    language = language or spoken
    if (spoken, language) == ("es", "en"):
        raise BadArguments(
            "the captioner speaks Spanish, and the captions are in English",
            "Name Spanish captions with --captions and --language es.",
        )
    coco.require(language)
    names, references = _wanted(data, split, limit)
    captioner = captions.load(settings.captions, settings.run.device, endpoint_timeout=settings.run.endpoint_timeout)
    ranker = ranking.load(settings.ranking, settings.run.device) if settings.ranking.model else None

    work = _Work(captioner, ranker, settings, language)
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        work.add(dict(_opened(data, chunk, halftone, work.problems)), references)
        for _ in chunk:
            on_picture()
    if not work.predictions:
        why = work.problems[0].message if work.problems else "there was none"
        raise ModelError(f"no picture could be captioned: {why}", "Look at the pictures and the model's weights.")
    kept = [prediction.image for prediction in work.predictions]
    systems = [{p.image: p.first_beam for p in work.predictions}]
    if ranker is not None:
        systems.append({p.image: p.reranked or "" for p in work.predictions})
    own = {name: references[name] for name in kept}
    scores = coco.measure(own, systems, language)
    found, clip = work.joint(own, systems)
    both = [
        CaptionScores(**one.model_dump(), **(seen.model_dump() if seen else _NO_CLIP_SCORES))
        for one, seen in zip(scores, clip, strict=True)
    ]
    return CaptionEvaluation(
        captioner=captioner.name,
        ranker=ranker.name if ranker is not None else None,
        weights={
            role: find_weights(spec).hashes()
            for role, spec in (("captioner", settings.captions.model), ("ranker", settings.ranking.model))
            if spec
        },
        split=split,
        language=language,
        halftone=halftone,
        pictures=len(kept),
        failed=len(names) - len(kept),
        first_beam=both[0],
        reranked=both[1] if ranker is not None else None,
        retrieval=found,
        seconds_per_picture=round(work.seconds / len(kept), 3),
        notes=coco.notes(language),
        problems=tuple(work.problems),
        predictions=tuple(work.predictions),
    )


def _wanted(data: CaptionData, split: str, limit: int | None) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The pictures to caption, and people's captions of them."""
    names = data.names(split)[:limit]
    texts = data.texts
    if lacking := [name for name in names if not any(texts.get(name, ()))]:
        raise BadInput(
            f"{len(lacking)} of {len(names)} pictures of {split} have no caption, the first is {lacking[0]}",
            "Check the split lists against the captions.",
        )
    return names, {name: tuple(text for text in texts[name] if text) for name in names}


def _opened(
    data: CaptionData, names: Sequence[str], halftone: bool, problems: list[Problem]
) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures that can be read, by name; what cannot goes to `problems`."""
    from revista.captions import picture_seed
    from revista.training.magazine import halftone_grey

    for name in names:
        try:
            image = data.read(name)
        except BadInput as error:
            problems.append(Problem.from_error(error, STAGE, item=name))
            continue
        yield name, halftone_grey(image, picture_seed(0, name)) if halftone else image


class _Work:
    """What the models have said so far."""

    def __init__(self, captioner: Captioner, ranker: Ranker | None, settings: Settings, language: str) -> None:
        self._captioner, self._settings, self._language = captioner, settings, language
        self._ranker = ranker
        self._translator = translation.load(settings.descriptions.translator, settings.run.device)
        self._vectors: list[np.ndarray] = []  # of the pictures in `predictions`
        self.predictions: list[CaptionPrediction] = []
        self.problems: list[Problem] = []
        self.seconds = 0.0

    def add(self, pictures: dict[str, np.ndarray], references: dict[str, tuple[str, ...]]) -> None:
        """Caption some pictures."""
        started = time.perf_counter()
        ranked = self._rank(pictures, self._caption(pictures))
        self.seconds += time.perf_counter() - started
        if self._ranker is not None and ranked:
            self._vectors.append(_encode_images(self._ranker, [pictures[name] for name in ranked]))
        for name, scored in ranked.items():
            ordered = self._ordered(scored)
            prediction = CaptionPrediction(
                image=name,
                references=references[name],
                first_beam=self._in_language(scored[0].candidate),
                reranked=self._in_language(ordered[0].candidate) if self._ranker is not None else None,
                candidates=tuple(ordered),
            )
            self.predictions.append(prediction)

    def _ordered(self, scored: list[ScoredCandidate]) -> list[ScoredCandidate]:
        """As the ranking stage orders them."""
        from revista.ranking import Scores, rank

        if self._ranker is None:
            return scored
        scores = Scores(tuple(one.similarity or 0.0 for one in scored))
        return rank([one.candidate for one in scored], scores, self._ranker.scale, self._settings.ranking).ordered

    def _caption(self, pictures: dict[str, np.ndarray]) -> dict[str, tuple[Candidate, ...]]:
        """The captioner's candidates for each picture on which it did not fail."""
        from revista.captions import CaptionRequest, picture_seed

        options = self._settings.captions
        requests = [CaptionRequest(i, options.prompts, picture_seed(options.seed, n)) for n, i in pictures.items()]
        found = {}
        for name, said in zip(pictures, self._captioner.predict(requests), strict=True):
            if isinstance(said, RevistaError):
                self.problems.append(Problem.from_error(said, STAGE, item=name))
            else:
                found[name] = said
        return found

    def _rank(
        self, pictures: dict[str, np.ndarray], said: dict[str, tuple[Candidate, ...]]
    ) -> dict[str, list[ScoredCandidate]]:
        """The candidates with the ranker's similarities, as the captioner ordered them."""
        from revista.ranking import RankingRequest

        if self._ranker is None:
            return {name: [ScoredCandidate(candidate=one) for one in found] for name, found in said.items()}
        requests = [RankingRequest(pictures[n], tuple(one.text for one in found)) for n, found in said.items()]
        ranked = {}
        for (name, found), scores in zip(said.items(), self._ranker.predict(requests), strict=True):
            if isinstance(scores, RevistaError):
                self.problems.append(Problem.from_error(scores, STAGE, item=name))
            else:
                pairs = zip(found, scores.similarities, strict=True)
                ranked[name] = [ScoredCandidate(candidate=one, similarity=similarity) for one, similarity in pairs]
        return ranked

    def _in_language(self, candidate: Candidate) -> str:
        """A candidate in the language of the references."""
        if self._language == candidate.language:
            return candidate.text
        return self._translator.translate(candidate.text, self._settings.run.page_timeout).text or candidate.text

    def joint(
        self, references: dict[str, tuple[str, ...]], systems: Sequence[dict[str, str]]
    ) -> tuple[joint.Retrieval | None, list[joint.ClipScores | None]]:
        """Retrieval among the captioned pictures, and both CLIPScores of each system; None without a ranker."""
        if self._ranker is None:
            return None, [None for _ in systems]
        pictures = np.concatenate(self._vectors)
        texts = [text for own in references.values() for text in own]
        owners = np.array([row for row, own in enumerate(references.values()) for _ in own])
        found = joint.retrieval(pictures, _encode_texts(self._ranker, texts), owners)
        before = joint.prefix(self._language)
        prefixed = _encode_texts(self._ranker, [before + text for text in texts])
        true = [prefixed[owners == row] for row in range(len(pictures))]
        scores: list[joint.ClipScores | None] = []
        for system in systems:
            said = _encode_texts(self._ranker, [before + text for text in system.values()])
            scores.append(joint.clip_scores(pictures, said, true))
        return found, scores


def _encode_images(ranker: Ranker, images: list[np.ndarray]) -> np.ndarray:
    """Unit vectors, (pictures, width) float32."""
    import torch

    with torch.inference_mode():
        return ranker._encode_images(images).cpu().numpy()  # type: ignore[attr-defined]


def _encode_texts(ranker: Ranker, texts: list[str]) -> np.ndarray:
    """Unit vectors, (texts, width) float32."""
    import torch

    with torch.inference_mode():
        return ranker._encode_texts(texts).cpu().numpy()  # type: ignore[attr-defined]
