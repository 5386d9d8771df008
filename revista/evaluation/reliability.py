"""`revista evaluate reliability`: how well it can be told which of the models' sentences are right; fits the weights.

What is right comes from people: a sentence about a photograph is right where its CIDEr against their captions reaches
`RIGHT`. Photographs are shown as they are and as halftone prints. Beside them stand pictures that the captioner cannot
know, drawn by `training.kinds`: whatever it says of those counts as wrong. Every other picture is fitted on, the
table is of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from revista.errors import BadArguments, ModelError
from revista.evaluation import logistic
from revista.ranking import reliability
from revista.records import Frozen
from revista.settings import Reliability, Settings

if TYPE_CHECKING:
    from rich.console import Group

    from revista.training.data import CaptionData

RIGHT = 0.1  # CIDEr-D from which a sentence shares something with what people say
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
_PENALTY = 2e-3  # on the squares of the weights of standardised features
_CHUNK = 32  # pictures in memory at once
_FEWEST = 20  # pictures


class Row(Frozen):
    """What a threshold does to the pictures of one look."""

    look: str  # photographs, prints, drawn
    threshold: float
    pictures: int
    told: float  # share whose sentence is told
    right: float | None  # share of the told ones that is right


class ReliabilityEvaluation(Frozen):
    """The fitted weights, and what they do on pictures they were not fitted on."""

    captioner: str
    ranker: str
    weights: Reliability
    rows: tuple[Row, ...]

    def table(self) -> Group:
        """For the terminal: the table, and what to set."""
        from rich.console import Group
        from rich.table import Table

        shown = Table("", "least", "pictures", "told", "right of those", box=None)
        for row in self.rows:
            right = "-" if row.right is None else f"{row.right:.1%}"
            shown.add_row(row.look, f"{row.threshold:.1f}", str(row.pictures), f"{row.told:.1%}", right)
        values = ", ".join(f"{name} = {value:.4g}" for name, value in self.weights.model_dump().items())
        return Group(f"{self.captioner} with {self.ranker}", shown, f"ranking.reliability = {{ {values} }}")


@dataclass(frozen=True)
class _Example:
    number: int  # of the picture in its list
    look: str
    looked_at: tuple[float, float, float]
    right: bool


def evaluate_reliability(
    data: CaptionData,
    settings: Settings,
    *,
    split: str = "dev",
    limit: int | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> ReliabilityEvaluation:
    """Fit the weights of `ranking.reliability` for the captioner and ranker of the settings.

    Args:
        data: pictures, captions (in the captioner's language), split lists.
        settings: which models, prompts and beams.
        split: which list; not the one that the models were trained on.
        limit: only the first so many pictures of it.
        on_picture: called after each picture.

    Raises:
        MissingWeights: the settings name no captioner or no ranker.
        BadArguments: too few pictures to fit anything.
        ModelError: a model failed on a picture.
    """
    from revista.training.kinds import DRAWN, draw
    from revista.training.magazine import halftone_grey
    from revista.training.scoring import Cider
    from revista.training.vocabulary import plain

    names = data.names(split)[:limit]
    if len(names) < _FEWEST:
        raise BadArguments(f"too few pictures: {len(names)}", f"Give at least {_FEWEST}.")
    judge = _Judge(settings)
    texts = data.texts
    cider = Cider({name: [plain(text) for text in texts[name]] for name in names})
    examples: list[_Example] = []
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        images = [data.read(name) for name in chunk]
        prints = [halftone_grey(image, start + i) for i, image in enumerate(images)]
        drawn = [
            draw(DRAWN[(start + i) // 2 % len(DRAWN)], image, np.random.default_rng((7, start + i)))
            for i, image in enumerate(images)
        ]
        for look, shown in (("photographs", images), ("prints", prints), ("drawn", drawn)):
            for i, (said, looked_at) in enumerate(judge.look(shown, start)):
                right = look != "drawn" and cider.score(chunk[i], plain(said)) >= RIGHT
                examples.append(_Example(start + i, look, looked_at, right))
        for _ in chunk:
            on_picture()
    fitted, held = ([one for one in examples if one.number % 2 == rest] for rest in (0, 1))
    weights = fit(np.array([one.looked_at for one in fitted]), np.array([one.right for one in fitted]))
    return ReliabilityEvaluation(
        captioner=judge.captioner.name, ranker=judge.ranker.name, weights=weights, rows=tuple(_rows(held, weights))
    )


class _Judge:
    """Captioner and ranker as the stages use them."""

    def __init__(self, settings: Settings) -> None:
        from revista import captions, ranking

        self._settings = settings
        self.captioner = captions.load(
            settings.captions, settings.run.device, endpoint_timeout=settings.run.endpoint_timeout
        )
        self.ranker = ranking.load(settings.ranking, settings.run.device)

    def look(self, images: Sequence[np.ndarray], seed: int) -> list[tuple[str, tuple[float, float, float]]]:
        """The sentence put first for each picture, and the features of its reliability."""
        from revista.captions import CaptionRequest
        from revista.ranking import RankingRequest, rank
        from revista.ranking.kinds import TEXTS, probabilities

        prompts, options = self._settings.captions.prompts, self._settings.ranking
        said = self.captioner.predict([CaptionRequest(image, prompts, seed + i) for i, image in enumerate(images)])
        for one in said:
            if isinstance(one, ModelError):
                raise one
        proposed = [list(one) for one in said if not isinstance(one, ModelError)]
        requests = [
            RankingRequest(image, (*(candidate.text for candidate in found), *TEXTS))
            for image, found in zip(images, proposed, strict=True)
        ]
        looked = []
        for found, scores in zip(proposed, self.ranker.predict(requests), strict=True):
            if isinstance(scores, ModelError):
                raise scores
            first = rank(found, scores, self.ranker.scale, options).ordered[0]
            kinds = probabilities(scores.similarities[len(found) :], self.ranker.scale)
            own = first.similarity or 0.0, first.candidate.log_probability or 0.0
            looked.append((first.candidate.text, reliability.features(*own, kinds)))
        return looked


def fit(features: np.ndarray, right: np.ndarray) -> Reliability:
    """Logistic regression with a small ridge penalty.

    Args:
        features: (examples, 3), as of `revista.ranking.reliability.features`.
        right: (examples,) bool.
    """
    own, bias = logistic.fit(features, right, _PENALTY)
    similarity, log_probability, no_photograph = (round(float(weight), 3) for weight in own)
    return Reliability(
        similarity=similarity, log_probability=log_probability, no_photograph=no_photograph, bias=round(bias, 3)
    )


def _rows(examples: Sequence[_Example], weights: Reliability) -> list[Row]:
    rows = []
    for look in dict.fromkeys(one.look for one in examples):
        own = [(reliability.chance(weights, one.looked_at), one.right) for one in examples if one.look == look]
        for least in THRESHOLDS:
            told = [right for chance, right in own if chance >= least]
            rows.append(
                Row(
                    look=look,
                    threshold=least,
                    pictures=len(own),
                    told=len(told) / len(own),
                    right=float(np.mean(told)) if told else None,
                )
            )
    return rows
