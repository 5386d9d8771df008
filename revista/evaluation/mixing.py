"""`revista evaluate ranking --fit`: the weights of `ranking.mix` for a pair of models, from people's captions.

First how likely the print is about the picture: by logistic regression on pictures with their own caption and with
another picture's. Then what a sentence is worth: so that the softmax over a picture's sentences comes as near as can be
(in cross-entropy) to that of their CIDEr against people's captions, with each kind of print as often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from revista.errors import BadArguments
from revista.evaluation import logistic
from revista.evaluation.ranking import PRINTS, Look, PrintKind, Witness, choose, wanted
from revista.ranking import mix
from revista.records import Frozen
from revista.settings import Mix, RankingSettings, Settings

if TYPE_CHECKING:
    from rich.console import Group

    from revista.training.data import CaptionData
    from revista.training.scoring import Cider

FEWEST = 20  # pictures

_TEMPERATURE = 0.2  # of CIDEr: sentences that differ by less are about as good
_PENALTY = 1e-2  # on the squares of the weights of features in units of their spread
_GATE_PENALTY = 1e-3


class MixFit(Frozen):
    """The fitted weights, and what they choose on pictures that they were not fitted on."""

    captioner: str
    ranker: str
    matcher: str | None
    split: str
    pictures: int
    weights: Mix  # fitted on all pictures
    held_out: dict[PrintKind, float]  # CIDEr by our own splitting at spaces; each half by the weights of the other
    without_mix: dict[PrintKind, float]  # the same by `captioner_trust`

    def table(self) -> Group:
        """For the terminal: CIDEr, and what to set."""
        from rich.console import Group
        from rich.table import Table

        shown = Table("print", "CIDEr with mix", "without", box=None)
        for kind in PRINTS:
            shown.add_row(kind, f"{self.held_out[kind]:.3f}", f"{self.without_mix[kind]:.3f}")
        values = ", ".join(f"{name} = {value:.4g}" for name, value in self.weights.model_dump().items())
        models = " with ".join(name for name in (self.captioner, self.ranker, self.matcher) if name)
        head = f"{models}; {self.pictures} pictures of {self.split}, each half by the weights of the other"
        return Group(head, shown, f"mix = {{ {values} }}")


def fit_mix(
    data: CaptionData,
    settings: Settings,
    *,
    spanish: CaptionData | None = None,
    split: str = "dev",
    limit: int | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> MixFit:
    """Fit `ranking.mix` for the models of the settings; arguments and errors as of `evaluate_ranking`.

    Raises:
        BadArguments: too few pictures to fit anything.
    """
    from revista.training.scoring import Cider
    from revista.training.vocabulary import plain

    names, references, own = wanted(data, spanish, split, limit)
    if len(names) < FEWEST:
        raise BadArguments(f"too few pictures: {len(names)}", f"Give at least {FEWEST}.")
    witness = Witness(settings)
    looks = witness.look(data, names, own, on_picture)
    cider = Cider({name: [plain(text) for text in texts] for name, texts in references.items()})
    half = {name: i % 2 for i, name in enumerate(names)}
    least = settings.ranking.min_belonging
    both = [fit([look for look in looks if half[look.picture] != rest], cider, least) for rest in (0, 1)]
    by_half = {name: both[rest] for name, rest in half.items()}
    scale = witness.ranker.scale
    return MixFit(
        captioner=witness.captioner.name,
        ranker=witness.ranker.name,
        matcher=witness.matcher.name if witness.matcher else None,
        split=split,
        pictures=len(names),
        weights=fit(looks, cider, least),
        held_out=_cider(looks, cider, settings.ranking, scale, by_half),
        without_mix=_cider(looks, cider, settings.ranking, scale, dict.fromkeys(names)),
    )


def fit(looks: Sequence[Look], cider: Cider, least: float) -> Mix:
    """The weights.

    Args:
        looks: pictures with each kind of print.
        cider: scores of sentences about these pictures.
        least: the setting `ranking.min_belonging`.
    """
    gate = _fit_belonging(looks)
    tables, worth = [], []
    for look in looks:
        counting = mix.counting(_belongs(look, gate), least)
        rows = [at for at, i in enumerate(_sentences(look)) if counting > 0 or look.found[i].cue is None]
        tables.append(_table(look, counting)[rows])
        worth.append(_worth(look, cider)[rows])
    weights = _fit_worth(tables, worth)
    return gate.model_copy(
        update={name: round(float(weight), 4) for name, weight in zip(mix.FEATURES, weights, strict=True)}
    )


def _sentences(look: Look) -> list[int]:
    return [i for i, one in enumerate(look.found) if one.source == "captioner"]


def _evidence(look: Look) -> tuple[float, float]:
    """Support and echo of a look with print."""
    rows = _sentences(look)
    echo = mix.echo_of([look.found[i] for i in rows], [look.scores.agreements[i] for i in rows])
    return look.scores.support or 0.0, echo


def _fit_belonging(looks: Sequence[Look]) -> Mix:
    """Weights of which only those of `belonging` are fitted."""
    printed = [look for look in looks if look.print != "none"]
    features = np.array([_evidence(look) for look in printed])
    own, free = logistic.fit(features, np.array([look.print == "helpful" for look in printed]), _GATE_PENALTY)
    nothing = dict.fromkeys(mix.FEATURES, 0.0)
    support, echo, bias = (round(float(one), 4) for one in (*own, free))
    return Mix(**nothing, support=support, echo=echo, bias=bias)


def _belongs(look: Look, gate: Mix) -> float | None:
    return mix.belonging(gate, *_evidence(look)) if look.scores.support is not None else None


def _table(look: Look, counting: float) -> np.ndarray:
    """The features of a look's sentences, (sentences, features)."""
    scores = look.scores
    return np.array(
        [
            mix.features(
                look.found[i],
                scores.similarities[i],
                scores.matching[i] if scores.matching else 0.0,
                scores.agreements[i] if scores.agreements else 0.0,
                look.printed.words,
                counting,
            )
            for i in _sentences(look)
        ]
    )


def _worth(look: Look, cider: Cider) -> np.ndarray:
    """CIDEr of a look's sentences."""
    from revista.training.vocabulary import plain

    return np.array([cider.score(look.picture, plain(look.found[i].text)) for i in _sentences(look)])


def _fit_worth(tables: Sequence[np.ndarray], worth: Sequence[np.ndarray]) -> np.ndarray:
    """Weights of the features, (features,)."""
    from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

    spread = np.concatenate(tables).std(axis=0)
    used = spread > 1e-9  # what is the same for all says nothing
    longest = max(map(len, tables))
    scaled = np.zeros((len(tables), longest, int(used.sum())))
    there = np.zeros((len(tables), longest), dtype=bool)
    wished = np.zeros((len(tables), longest))
    for i, (table, own) in enumerate(zip(tables, worth, strict=True)):
        scaled[i, : len(table)] = table[:, used] / spread[used]
        there[i, : len(table)] = True
        powers = np.exp((own - own.max()) / _TEMPERATURE)
        wished[i, : len(own)] = powers / powers.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        values = np.where(there, scaled @ weights, -np.inf)
        values = values - values.max(axis=1, keepdims=True)
        powers = np.exp(values)
        total = powers.sum(axis=1, keepdims=True)
        logs = np.where(there, values - np.log(total), 0.0)
        slope = np.einsum("ps,psf->f", powers / total - wished, scaled) / len(tables)
        mean = -(wished * logs).sum() / len(tables)
        return float(mean + _PENALTY * (weights**2).sum()), slope + 2 * _PENALTY * weights

    found = minimize(loss, np.ones(int(used.sum())), jac=True).x
    weights = np.zeros(len(spread))
    weights[used] = found / spread[used]
    return weights


def _cider(
    looks: Sequence[Look],
    cider: Cider,
    options: RankingSettings,
    scale: float,
    weights: Mapping[str, Mix | None],
) -> dict[PrintKind, float]:
    """The mean CIDEr of what our strategy chooses, by kind of print."""
    from revista.training.vocabulary import plain

    totals: dict[PrintKind, list[float]] = {kind: [] for kind in PRINTS}
    for look in looks:
        own = options.model_copy(update={"strategy": "conditioned", "mix": weights[look.picture]})
        chosen = choose(look, own, scale)
        totals[look.print].append(cider.score(look.picture, plain(chosen.text)) if chosen else 0.0)
    return {kind: round(float(np.mean(one)), 4) for kind, one in totals.items()}
