"""Settings of `revista train regions`, and which real pages it keeps for measuring."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from revista.evaluation.index import IndexPage


class RegionsConfig(BaseModel):
    """Settings of the training; the committed ones stand in `configs/regions.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pages: int  # generated ones, each shown many times
    steps: int
    small_steps: int = 0  # the first of them see smaller pages, more of them in the same time
    batch: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.02
    real: float = 0.15  # share of real pages in a batch
    look_steps: int = 0  # more of them at the end, in which only looks are learnt
    refine_pages: int = 0  # generated ones whose proposed boxes borders are learnt from
    refine_steps: int = 1  # of learning that
    prints: int = 0  # pictures that are printed by themselves, to learn a second look at a picture from
    print_steps: int = 1  # of learning that
    looks_unknown: tuple[str, ...] = ()  # sources of real pages whose pictures' looks are not known
    held_out: tuple[str, ...] = ()  # documents and sources of real pages that are not learnt from
    check_every: int = 200
    check_pages: int = 150  # generated
    fit_pages: int = 0  # generated ones, not learnt from, to which the confidence is fitted
    average: float = 0.995  # of the weights' running mean, which is what is measured and kept
    before: float = 0.0  # share of the weights begun with in those that come out
    seed: int = 1
    precision: str = "auto"


def is_held_out(entry: IndexPage, config: RegionsConfig) -> bool:
    """Whether a real page is kept for measuring: by its document, or by the whole source."""
    return entry.doc in config.held_out or entry.source in config.held_out
