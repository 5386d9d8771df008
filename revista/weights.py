"""Model weights: from a local folder, or from a hub by id and revision; safetensors only, hashed into every record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from revista.errors import MissingWeights
from revista.store import sha256_of

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+(@[\w.-]+)?$")
_WANTED = ("*.safetensors", "*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class Weights:
    """A checkpoint at hand: the `spec` that named it and the local `folder` that holds it."""

    spec: str
    folder: Path

    def hashes(self) -> dict[str, str]:
        """Hex sha256 of each weights file and of the configuration, by file name."""
        files = sorted([*self.folder.glob("*.safetensors"), *self.folder.glob("*.json"), *self.folder.glob("*.txt")])
        return {f.name: _hash(f, f.stat().st_size, f.stat().st_mtime_ns) for f in files}


@lru_cache(maxsize=256)
def _hash(file: Path, size: int, mtime: int) -> str:
    return sha256_of(file)


def find_weights(spec: str) -> Weights:
    """The checkpoint that `spec` names.

    Args:
        spec: a local folder with `config.json` and `*.safetensors`, or a hub id `org/name`, best with a revision:
            `org/name@0123abc`. A hub id is fetched once into the hub's own cache and found there offline later.

    Raises:
        MissingWeights: no such folder, no safetensors in it, or the hub cannot be reached.
    """
    folder = Path(spec).expanduser()
    if not folder.is_dir():
        if not _HUB_ID.match(spec) or spec.startswith((".", "/", "~")):
            raise MissingWeights(
                f"no weights at {spec}: there is no such folder",
                "Set the model to a folder that holds config.json and *.safetensors, or to a hub id such as org/name.",
            )
        folder = _from_hub(spec)
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise MissingWeights(
            f"no weights at {spec}: the folder lacks config.json or *.safetensors",
            "revista reads safetensors only; save the checkpoint with model.save_pretrained(FOLDER).",
        )
    return Weights(spec, folder)


def _from_hub(spec: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    name, _, revision = spec.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise MissingWeights(
            f"no weights for {spec}: {type(error).__name__} from the model hub",
            "Copy the checkpoint into a local folder on a machine with network, and set the model to that folder.",
        ) from error
