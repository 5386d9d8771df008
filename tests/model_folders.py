"""A folder like `models/` of a clone, with the tiny checkpoints in the place of the shipped ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from revista.registry import FOLDER_VARIABLE

from .conftest import ROOT, environment


def models_like_ours(folder: Path, blip: Path, clip: Path) -> Path:
    """The repository's registry and detector in `folder`, with these two as the other compact ones, registered."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "models" / "registry.toml", folder)
    shutil.copytree(blip, folder / "compact" / "captioner")
    shutil.copytree(clip, folder / "compact" / "clip")
    shutil.copytree(ROOT / "models" / "compact" / "regions", folder / "compact" / "regions")
    register(folder)
    return folder


def register(folder: Path) -> None:
    """Write sizes and hashes of the shipped models into the registry, as a maintainer does it."""
    command = [sys.executable, str(ROOT / "scripts" / "register_models.py")]
    subprocess.run(command, check=True, timeout=60, env=environment(**{FOLDER_VARIABLE: str(folder)}))
