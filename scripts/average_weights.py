#!/usr/bin/env python3
"""Average checkpoints of one architecture, weight by weight: `python scripts/average_weights.py OUT FOLDER...`.

For maintainers. A folder named several times counts as often (Wortsman et al. 2022, "Model soups", arXiv:2203.05482).
Everything but the weights is copied from the first folder. The average is stored in 16-bit floats.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"


def average(folders: list[Path]) -> dict[str, torch.Tensor]:
    """The mean of the floating-point tensors; others have to be alike and are taken from the first."""
    loaded = [load_file(folder / WEIGHTS) for folder in folders]
    if any(one.keys() != loaded[0].keys() for one in loaded):
        sys.exit("the checkpoints do not have the same tensors")
    return {
        name: torch.stack([one[name].float() for one in loaded]).mean(dim=0).half()
        if value.is_floating_point()
        else value
        for name, value in loaded[0].items()
    }


def main() -> None:
    """Average the folders named on the command line."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    shutil.copytree(folders[0], out)
    save_file(average(folders), out / WEIGHTS, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
