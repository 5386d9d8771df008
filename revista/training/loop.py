"""The loop that all trainings share: steps, checks, checkpoints, early stopping, progress with the time left.

A step draws its chance from the seed and its own number alone, so a run that was killed and goes on from its last
checkpoint comes to the same weights as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import save_file

from revista.devices import settled_precision
from revista.errors import BadArguments, StorageError

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Plan:
    """How long a training goes on, and how often it is looked at."""

    steps: int
    check_every: int  # steps between two checks; a checkpoint is written at each
    patience: int = 1_000_000  # checks without a better score after which it ends
    seed: int = 0


@dataclass
class History:
    """What was seen at each check, and the best of it."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best: float = -math.inf
    best_step: int = 0
    stale: int = 0  # checks since the best one
    seconds: float = 0.0


def descend(
    losses: Mapping[str, torch.Tensor], model: torch.nn.Module, optimiser: torch.optim.Optimizer, most: float
) -> None:
    """One step down the sum of `losses`, with gradients whose norm is at most `most`."""
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), most)
    optimiser.step()


def save_weights(model: torch.nn.Module, file: Path) -> None:
    """Write a network's weights as safetensors."""
    save_file({name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}, file)


def fit(
    plan: Plan,
    parts: Mapping[str, Any],
    step: Callable[[int], dict[str, float]],
    check: Callable[[], dict[str, float]],
    keep: Callable[[], None],
    out: Path,
    resume: bool = False,
) -> History:
    """Train until the plan's steps are done or its patience is at an end.

    Args:
        plan: see there.
        parts: everything that changes and must survive a stop (models, optimisers), by name.
        step: one step, of that number; gives losses by name.
        check: measures on the development split; the value `score` decides what is best (larger is better).
        keep: called when the score is the best so far, to save the weights.
        out: folder of the checkpoint.
        resume: go on from the checkpoint in `out`; without one it begins anew.

    Raises:
        BadArguments: `out` has a checkpoint and `resume` is False, or it is one of another training.
        StorageError: the checkpoint cannot be written.
    """
    file = out / CHECKPOINT
    done, history = 0, History()
    if file.exists():
        if not resume:
            raise BadArguments(f"{out} holds a training already", "Add --resume, or name another folder with --out.")
        done, history = _load(file, parts)
    console = Console()
    sums: dict[str, float] = {}
    began = time.monotonic() - history.seconds
    first, started = done, time.monotonic()
    with _progress(console) as bar:
        task = bar.add_task("training", total=plan.steps, completed=done, note="")
        while done < plan.steps and history.stale < plan.patience:
            torch.manual_seed((plan.seed * 1_000_003 + done) % 2**63)
            for name, value in step(done).items():
                sums[name] = sums.get(name, 0.0) + value / plan.check_every
            done += 1
            bar.update(task, completed=done)
            if done % plan.check_every and done < plan.steps:
                continue
            row = {"step": float(done), **sums, **check()}
            sums = {}
            history.seconds = time.monotonic() - began
            _judge(history, row, keep)
            _save(file, done, parts, history)
            left = (plan.steps - done) * (time.monotonic() - started) / max(1, done - first)
            told = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "step")
            bar.console.print(
                f"step {done}/{plan.steps}  {told}  left {left / 60:.1f} min", highlight=False, soft_wrap=True
            )
    return history


def _judge(history: History, row: dict[str, float], keep: Callable[[], None]) -> None:
    history.rows.append({name: round(value, 6) for name, value in row.items()})
    if row["score"] > history.best:
        history.best, history.best_step, history.stale = row["score"], int(row["step"]), 0
        keep()
    else:
        history.stale += 1


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _load(file: Path, parts: Mapping[str, Any]) -> tuple[int, History]:
    try:
        saved = torch.load(file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
        return saved["done"], History(**saved["history"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise BadArguments(
            f"{file} is no checkpoint of this training: {error}", "Name another folder with --out."
        ) from error


def _save(file: Path, done: int, parts: Mapping[str, Any], history: History) -> None:
    beside = file.with_suffix(".part")
    try:
        torch.save(
            {
                "done": done,
                "parts": {name: part.state_dict() for name, part in parts.items()},
                "history": asdict(history),
            },
            beside,
        )
        beside.replace(file)
    except OSError as error:
        raise StorageError(f"{file}: {error.strerror}", "Free some space, then go on with --resume.") from error


def rate(step: int, steps: int, highest: float, warmup: int) -> float:
    """The learning rate of a step: up in a line over `warmup` steps, then down along a cosine to nearly zero."""
    if step < warmup:
        return highest * (step + 1) / warmup
    return highest * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))))


def set_rate(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Give all groups of an optimiser the learning rate `value`, times the group's own factor where it has one."""
    for group in optimiser.param_groups:
        group["lr"] = value * group.get("factor", 1.0)


def precision(device: str, wanted: str) -> AbstractContextManager[Any]:
    """The context in which a forward pass is made in 16-bit floats where that is faster.

    Args:
        device: a torch device.
        wanted: `fp32`, `bf16`, or `auto`; see `settled_precision`.
    """
    half = settled_precision(wanted, device) == "bf16"
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half)
