"""Which languages a ranker reads, as far as its kind tells: what another language says it hardly tells apart.

CLIP has learnt from English captions alone. MetaCLIP 2 (Chuang et al. 2025, arXiv:2507.22062) and SigLIP 2 (Tschannen
et al. 2025, arXiv:2502.14786) have learnt from captions in more than a hundred languages, Spanish among them: what is
said or printed in Spanish is scored as it is, without a translation. SigLIP 2 at a fixed resolution is of the same kind
as SigLIP in its configuration; its vocabulary of 256,000 tokens tells it from SigLIP's English one of 32,000.
"""

from __future__ import annotations

from typing import Any

from revista.errors import MissingWeights
from revista.registry import registered
from revista.weights import find_weights

_MULTILINGUAL_TOKENS = 100_000


def languages(spec: str) -> tuple[str, ...]:
    """Those of `en` and `es` that a ranker reads; empty where it is not at hand or its kind does not tell.

    Args:
        spec: as in the setting `ranking.model`.
    """
    if (model := registered(spec)) is not None:
        return tuple(model.language.split("+"))
    try:
        return of_config(find_weights(spec).config())
    except MissingWeights:  # whoever needs the ranker learns of it
        return ()


def of_config(config: dict[str, Any]) -> tuple[str, ...]:
    """Those of `en` and `es` that a checkpoint of this `config.json` reads; empty where it does not tell."""
    text = config.get("text_config")
    tokens = text.get("vocab_size", 0) if isinstance(text, dict) else 0
    match config.get("model_type"):
        case "clip":
            return ("en",)
        case "metaclip_2":
            return ("en", "es")
        case "siglip":
            return ("en", "es") if tokens >= _MULTILINGUAL_TOKENS else ("en",)
        case _:
            return ()
