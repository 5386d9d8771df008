"""Model weights: registered, from a local folder, or from a hub by id; safetensors only, hashed into every record.

A checkpoint is a folder with `config.json`, `*.safetensors` and the tokenizer's and image processor's files, as
`save_pretrained` of transformers writes it. Pickled weights (`*.bin`, `*.pt`) are refused: loading one can run
any code that its author put in. Nothing here imports torch or transformers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from revista.errors import MissingWeights
from revista.registry import NO_MODELS, Model, expected_files, place_of, registered
from revista.store import sha256_of

# org/name, optionally @revision (a commit, tag or branch); no part starts with a dot or a dash, so none climbs.
_HUB_ID = re.compile(r"(?P<name>\w[\w.-]{0,95}/\w[\w.-]{0,95})(?:@(?P<revision>\w[\w.-]{0,99}))?", re.ASCII)
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm", "*.jinja")
ONNX = "model.onnx"  # in place of safetensors: the network of a detector
REFINE_ONNX = "refine.onnx"  # beside it: the network that moves the borders of proposed pictures
LOOKS_ONNX = "looks.onnx"  # beside it: the network that looks at found pictures once more
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
HUB_SECONDS = 5.0  # the hub library asks twice, and without this waits for ever on a network that swallows packets


@dataclass(frozen=True)
class Weights:
    """A checkpoint at hand: the `spec` that named it and the local `folder` that holds it."""

    spec: str
    folder: Path

    @property
    def name(self) -> str:
        """What records call the model: its registered or hub id, or the name of its folder without the way to it."""
        return self.spec if self.folder != Path(self.spec).expanduser() else self.folder.resolve().name

    def config(self) -> dict[str, Any]:
        """The content of `config.json`."""
        return _read_json(self.folder / "config.json", self.spec)

    def hashes(self) -> dict[str, str]:
        """Hex sha256 of each file that the model is loaded from, by file name.

        A file is read once in a process, and again only when its size or modification time has changed.
        """
        return {f.name: _hash(f, f.stat().st_size, f.stat().st_mtime_ns) for f in files_of(self.folder)}

    def require(self, model_types: Collection[str], architectures: Collection[str], purpose: str) -> None:
        """Make sure that the checkpoint is of a kind that can serve a purpose.

        Args:
            model_types: accepted values of `model_type` in `config.json`, such as `blip`.
            architectures: accepted values of `architectures` there, such as `BlipForConditionalGeneration`; a
                configuration that names none is taken at its model type.
            purpose: what the model is to be, for the message: "the captioner".

        Raises:
            MissingWeights: it is of another kind.
        """
        config = self.config()
        kind, named = config.get("model_type"), config.get("architectures") or []
        if kind in model_types and (not named or set(named) & set(architectures)):
            return
        found = f"{kind} ({', '.join(map(str, named))})" if named else f"{kind}"
        raise MissingWeights(
            f"the weights at {self.spec} are of the kind {found}, which cannot be {purpose}",
            f"Name a checkpoint of one of these architectures: {', '.join(sorted(architectures))}.",
        )


def files_of(folder: Path) -> list[Path]:
    """The files of a checkpoint, by name: those that a model may be loaded from."""
    return sorted(f for pattern in (*WANTED, ONNX, REFINE_ONNX, LOOKS_ONNX) for f in folder.glob(pattern))


@lru_cache(maxsize=256)
def _hash(file: Path, size: int, mtime: int) -> str:
    return sha256_of(file)


def find_weights(spec: str) -> Weights:
    """The checkpoint that `spec` names, with all its files in place and whole.

    Args:
        spec: the id of a registered model (`revista models list`); a local folder with `config.json` and
            `*.safetensors`; or a hub id `org/name`, best with a revision: `org/name@0123abc`. A registered id goes
            before a folder of the same name (write `./name` for that), a folder before a hub id. A hub id is fetched
            once into the hub's own cache and found there without network later.

    Raises:
        MissingWeights: no such folder, no safetensors in it, a file of it is torn, the hub cannot be reached, or a
            registered model is not at hand.
    """
    model = registered(spec)
    folder = _registered_folder(spec, model) if model else _local_folder(spec) or _from_hub(spec)
    try:
        check_files(folder, spec)
    except OSError as error:
        raise MissingWeights(
            f"the weights at {spec} cannot be read: {error.strerror or error}", "Mend the rights of the folder."
        ) from error
    return Weights(spec, folder)


def _registered_folder(id: str, model: Model) -> Path:
    """The folder of a registered model, whose files have the sizes that registry or lock say.

    The hashes are for `revista models verify` to compare: they go into every record as they are.
    """
    folder, expected = place_of(id, model), expected_files(id, model)
    mend = _how_to_get(id, model)
    if not folder.is_dir() or (model.hub is not None and not expected):
        state = "has not been pulled yet" if model.hub else "is not in this copy of revista"
        raise MissingWeights(f"no weights of {id}: it {state}", mend)
    for name, file in expected.items():
        place = folder / name
        size = place.stat().st_size if place.is_file() else None
        if size != file.bytes:
            found = "is missing" if size is None else f"has {size} bytes in place of {file.bytes}"
            raise MissingWeights(f"the weights of {id} are not whole: {name} {found}", mend)
    return folder


def _how_to_get(id: str, model: Model) -> str:
    """What to type where a registered model is missing or damaged."""
    if model.hub is not None:
        command = f"revista models pull {id} (needs a network)"
    elif model.shipped:
        command = f"git checkout -- models/{model.folder}"
    else:
        command = f"train it, or get a version of revista whose models/{model.folder} is not empty"
    return f'{command}; to work without models, set profile = "{NO_MODELS}".'


def _local_folder(spec: str) -> Path | None:
    """The folder that `spec` is, None where it can only be a hub id."""
    try:
        folder = Path(spec).expanduser()
        if spec.strip() and folder.is_dir():
            return folder
    except (OSError, RuntimeError, ValueError):  # a name too long, an unknown ~user, a NUL
        pass
    if _HUB_ID.fullmatch(spec) and ".." not in spec:
        return None
    raise MissingWeights(
        f"no weights at {spec!r}: there is no such folder",
        "Set the model to a folder that holds config.json and *.safetensors, or to a hub id such as org/name@revision.",
    )


def _from_hub(spec: str) -> Path:
    """The snapshot of a hub id in the hub's cache; fetched where it is not there whole."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    match = _HUB_ID.fullmatch(spec)
    assert match is not None  # _local_folder made sure
    name, revision = match["name"], match["revision"]
    wanted = list(WANTED)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted, local_files_only=True))
    except LocalEntryNotFoundError:
        pass  # not there yet, or not whole
    try:
        HfApi().model_info(name, revision=revision, timeout=HUB_SECONDS)
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted, etag_timeout=HUB_SECONDS))
    except Exception as error:  # the hub library lets through errors of its HTTP client, of the file system, its own
        raise hub_failed(
            spec, error, "Copy the checkpoint into a local folder on a machine with network, and set the model to it."
        ) from error


def hub_failed(spec: str, error: Exception, hint: str) -> MissingWeights:
    """What a hub's failure is told as."""
    first_line = str(error).strip().partition("\n")[0]
    return MissingWeights(f"no weights for {spec}: the model hub gave {type(error).__name__}: {first_line}", hint)


def check_files(folder: Path, spec: str) -> None:
    """Make sure that a checkpoint's files are all there and whole, by their headers; `spec` is for the messages.

    Raises:
        MissingWeights: they are not; OSError where they cannot be read.
    """
    files = sorted(folder.glob("*.safetensors"))
    network = (folder / ONNX).is_file()
    if not files and not network:
        pickled = sorted(f.name for pattern in _PICKLED for f in folder.glob(pattern))
        if pickled:
            raise MissingWeights(
                f"the weights at {spec} are pickled ({pickled[0]}), which is not read because it can run code",
                "Where you trust them, convert them: model.save_pretrained(FOLDER) of transformers writes safetensors.",
            )
    if not (files or network) or not (folder / "config.json").is_file():
        raise MissingWeights(
            f"no weights at {spec}: the folder lacks {'config.json' if files or network else '*.safetensors'}",
            "Save the whole checkpoint with save_pretrained(FOLDER) of its model, tokenizer and image processor.",
        )
    _read_json(folder / "config.json", spec)
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        _check_shards(index, {f.name for f in files}, spec)
    for file in files:
        _check_header(file, spec)


def _check_shards(index: Path, present: set[str], spec: str) -> None:
    """Make sure that all shards that the index of a checkpoint names stand beside it."""
    named = _read_json(index, spec).get("weight_map")
    shards = set(named.values()) if isinstance(named, dict) else set()
    missing = sorted(str(shard) for shard in shards if shard not in present)  # also what points out of the folder
    if missing or not shards:
        raise MissingWeights(
            f"the weights at {spec} are not whole: {index.name} names "
            + (f"{missing[0]}, and {len(missing)} such file(s) are not there" if missing else "no file"),
            "Copy the checkpoint again, with all its *.safetensors files.",
        )


def _check_header(file: Path, spec: str) -> None:
    """Make sure that a safetensors file has a sound header and the length that its header says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy"):
            pass
    except SafetensorError as error:
        raise MissingWeights(
            f"the weights at {spec} are torn: {file.name} ({file.stat().st_size} bytes): {error}",
            "Copy the file again, and compare its size and sha256 (sha256sum FILE) with those at its source.",
        ) from error


def _read_json(file: Path, spec: str) -> dict[str, Any]:
    """The object in a JSON file of a checkpoint."""
    try:
        data = json.loads(file.read_text("utf-8"))
    except ValueError as error:  # JSON and UTF-8
        raise MissingWeights(
            f"the weights at {spec} are torn: {file.name}: {error}", f"Copy {file.name} again."
        ) from error
    if not isinstance(data, dict):
        raise MissingWeights(f"the weights at {spec} are torn: {file.name} holds no object", f"Copy {file.name} again.")
    return data
