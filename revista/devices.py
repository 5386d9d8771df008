"""Running torch models: the device, loading a checkpoint, and batches in which one bad item harms no other.

torch and transformers are imported inside the functions: this module costs nothing to import.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from revista import leases
from revista.errors import BadArguments, Category, MissingWeights, ModelError, RevistaError
from revista.versions import versions
from revista.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")

BATCH = 8  # pictures a batch where nothing else is said

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pillow")  # what a torch model's output depends on


def torch_software() -> dict[str, str]:
    """Versions of the packages that a torch model's output depends on; imports none of them."""
    return versions(*_PACKAGES)


def pick_device(wanted: str) -> str:
    """The torch device that the setting `run.device` means.

    Args:
        wanted: `auto` (cuda where there is one, then mps, then cpu), or a torch device such as `cpu`, `cuda:1`.

    Raises:
        BadArguments: torch knows no such device, or the machine has none.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadArguments(
            f"the device {wanted!r} cannot be used: {_first_line(error)}", "Set run.device to auto or cpu."
        ) from error
    return wanted


def all_devices() -> list[str]:
    """The devices that can run one model each: every GPU, or the processor where there is none."""
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or [pick_device("auto")]


@contextmanager
def alone_on(wanted: str) -> Iterator[None]:
    """Hold a device of this machine as its one process with models, waiting for as long as another one holds it.

    A lease as those of an archive, by a file under the folder for temporary files: it ends with its process, and
    holds for all processes of one user that share that folder. A GPU goes by its own number, whatever it is called.

    Args:
        wanted: as for `pick_device`.

    Raises:
        BadArguments: there is no such device.
        StorageError: the folder for temporary files cannot be written.
    """
    import torch

    device = torch.device(pick_device(wanted))
    name = device.type
    if name == "cuda":
        name = f"cuda-{torch.cuda.get_device_properties(device).uuid}"
    place = Path(tempfile.gettempdir()) / f"revista-{os.getuid()}"
    with leases.hold(place, "devices", name, patience=math.inf):
        yield


def has_bf16(device: str) -> bool:
    """Whether a torch device multiplies 16-bit floats (bfloat16) faster than those of 32 bits.

    That is CPUs with AVX-512 BF16, AMX or ARM's BF16, and NVIDIA's GPUs from Ampere on. Others take them, slowly.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities() if kind == "cpu" else {}
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def settled_precision(wanted: str, device: str) -> str:
    """`fp32` or `bf16`: what was `wanted`, or for `auto` bf16 where the device has it."""
    if wanted != "auto":
        return wanted
    return "bf16" if has_bf16(device) else "fp32"


def load_model(cls: Any, weights: Weights, device: str, *, half: bool = False) -> Any:
    """A transformers model in evaluation mode on `device`, in 32-bit floats.

    Args:
        cls: the model's class, or one of transformers' Auto classes.
        weights: the checkpoint. Only its local folder is read, only safetensors, and none of its own code is run.
        device: a torch device.
        half: in bfloat16 instead, which takes half the memory.

    Raises:
        MissingWeights: the checkpoint is not one of this class: it cannot be read, or lacks some of its weights
            (transformers would fill those with random numbers and say so only in a log).
        ModelError: the device has no room for it.
    """
    import torch
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        dtype = torch.bfloat16 if half else torch.float32
        model, info = load_part(cls, weights, use_safetensors=True, dtype=dtype, output_loading_info=True)
    finally:
        if shown:
            logging.enable_progress_bar()
    lacking = sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])})
    if lacking:
        raise MissingWeights(
            f"the weights at {weights.spec} do not fit {type(model).__name__}: {lacking[0]} and "
            f"{len(lacking) - 1} more are missing or of another shape",
            "Name a whole checkpoint of this architecture.",
        )
    try:
        return model.eval().to(device)
    except RuntimeError as error:
        raise ModelError(
            f"the model {weights.name} cannot be put on {device}: {_first_line(error)}", _room()
        ) from error


def load_tokenizer(weights: Weights) -> Any:
    """The tokenizer of a checkpoint.

    Raises:
        MissingWeights: the folder has none; transformers would make up one of five tokens and say nothing.
    """
    from transformers import AutoTokenizer

    if not any((weights.folder / name).is_file() for name in _VOCABULARIES):
        raise MissingWeights(
            f"the weights at {weights.spec} have no tokenizer (none of {', '.join(_VOCABULARIES)})",
            "Save the tokenizer into the same folder: tokenizer.save_pretrained(FOLDER).",
        )
    return load_part(AutoTokenizer, weights)


def load_part(cls: Any, weights: Weights, **options: Any) -> Any:
    """What `cls.from_pretrained` makes of a checkpoint's folder: a tokenizer, an image processor, a model.

    Raises:
        MissingWeights: the folder lacks the part's files, or they cannot be read.
    """
    try:
        return cls.from_pretrained(weights.folder, local_files_only=True, **options)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, RuntimeError, SafetensorError, ...
        raise MissingWeights(
            f"the weights at {weights.spec} cannot be loaded with {cls.__name__}: {_first_line(error)}",
            "Save the whole checkpoint with save_pretrained(FOLDER) of its model, tokenizer and image processor.",
        ) from error


def as_picture(image: np.ndarray) -> Image.Image:
    """An array as a picture for the image processors of transformers.

    They are given PIL pictures, not arrays: they would have to guess which axis of a narrow array holds the colours,
    and they make pictures of empty arrays.

    Args:
        image: (height, width, 3) uint8, RGB, at least one pixel.

    Raises:
        ModelError: the array has another shape or type.
    """
    from PIL import Image

    if image.dtype.name != "uint8" or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ModelError(
            f"not a picture: an array of shape {image.shape} and type {image.dtype}",
            "Report this message: a stage cut out what is no picture.",
        )
    return Image.fromarray(image)


def predict_in_batches(
    items: Sequence[ItemT], predict: Callable[[list[ItemT]], Sequence[ResultT]], size: int
) -> list[ResultT | ModelError]:
    """Run `predict` over `items` in batches; a batch that fails is halved until the bad item stands alone.

    So one bad item costs its neighbours time and nothing else, and a batch too large for the device's memory is
    done in smaller ones.

    Args:
        items: what to predict on.
        predict: a model's function over one batch, one result an item, in order.
        size: the largest batch.

    Returns:
        One result or error for each item, in order.
    """
    results: list[ResultT | ModelError] = []
    for start in range(0, len(items), size):
        batch = list(items[start : start + size])
        try:
            results += predict(batch)
            continue
        except RevistaError as error:
            problem = error if isinstance(error, ModelError) else ModelError(error.message, error.hint)
        except Exception as error:  # whatever a model raises on one item: it becomes that item's problem
            problem = as_model_error(error)
        if len(batch) == 1:
            results.append(problem)
        else:
            results.extend(predict_in_batches(batch, predict, (len(batch) + 1) // 2))
    return results


def as_model_error(error: Exception) -> ModelError:
    """What a model raised on an item, with a hint; the device's memory is freed where that ran out."""
    import torch

    out_of_memory = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    if out_of_memory:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return ModelError(f"the device has no memory left: {_first_line(error)}", _room(), category=Category.NO_MEMORY)
    return ModelError(
        f"the model failed: {type(error).__name__}: {_first_line(error)}",
        "Look at the picture in the archive's pages folder; where it is sound, report this message.",
    )


def _room() -> str:
    return "Stop other programs on the device, or set run.device to cpu."


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
