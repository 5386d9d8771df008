"""The registered models on this machine: what is there, whether it is what it must be, fetching from a hub.

A pull leaves a model's files in `models/pulled/ID/` and what it got in `models/lock.json`. Everything is written beside
its place and renamed, the files before the lock: killed at any moment, the next pull goes on.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from revista.errors import BadArguments, MissingWeights
from revista.records import Frozen
from revista.registry import (
    Lock,
    Model,
    ModelFile,
    Pulled,
    Registry,
    Role,
    expected_files,
    models_folder,
    place_of,
    read_lock,
    read_registry,
)
from revista.store import sha256_of, storage_errors
from revista.weights import HUB_SECONDS, WANTED, check_files, files_of, hub_failed

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_FILE_SYSTEM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES})

State = Literal["shipped", "not shipped", "pulled", "not pulled"]


class ModelState(Frozen):
    """A registered model as it is on this machine."""

    id: str
    role: Role
    summary: str
    profiles: tuple[str, ...]
    language: str
    licence: str
    card: str | None
    hub: str | None
    revision: str | None  # of what was pulled
    folder: Path  # where its files are, or would be
    state: State
    bytes: int | None  # of all its files; None where that is not known yet


class Flaw(Frozen):
    """What is wrong with a file of a model, or with the whole where `file` is None."""

    model: str
    file: str | None
    message: str
    hint: str


class Verification(Frozen):
    """Which models were compared with registry or lock, and what is wrong with them."""

    verified: tuple[str, ...]
    files: int  # that were hashed
    flaws: tuple[Flaw, ...]


def states() -> tuple[ModelState, ...]:
    """All registered models, in the order of the registry.

    Raises:
        BadArguments: registry or lock are missing or damaged.
    """
    registry = read_registry()
    return tuple(_state(id, model, registry) for id, model in registry.models.items())


def _state(id: str, model: Model, registry: Registry) -> ModelState:
    files = expected_files(id, model)
    pulled = read_lock().models.get(id) if model.hub and files else None
    state: State = ("pulled" if files else "not pulled") if model.hub else "shipped" if files else "not shipped"
    return ModelState(
        id=id,
        role=model.role,
        summary=model.summary,
        profiles=tuple(name for name, profile in registry.profiles.items() if id in profile.models()),
        language=model.language,
        licence=model.licence,
        card=model.card,
        hub=model.hub,
        revision=pulled.revision if pulled else None,
        folder=place_of(id, model),
        state=state,
        bytes=sum(file.bytes for file in files.values()) if files else None,
    )


def named(names: Sequence[str]) -> dict[str, Model]:
    """The registered models that `names` mean: ids of models, or names of profiles for all of theirs.

    Raises:
        BadArguments: one is neither.
    """
    registry = read_registry()
    ids: dict[str, None] = {}
    for name in names:
        if name in registry.models:
            ids[name] = None
        elif name in registry.profiles:
            ids.update(dict.fromkeys(registry.profiles[name].models()))
        else:
            known = ", ".join([*registry.profiles, *registry.models])
            raise BadArguments(f"there is no model or profile {name!r}", f"Name some of: {known}.")
    return {id: registry.models[id] for id in ids}


# --- verifying ------------------------------------------------------------------------------------------------


def verify(names: Sequence[str] = ()) -> Verification:
    """Compare size and sha256 of models' files with the registry (what is shipped) or the lock (what was pulled).

    Args:
        names: as `named` takes them; none: all that are shipped or were pulled. One that is named and is not there
            is a flaw.

    Raises:
        BadArguments: a name is neither a model nor a profile; registry or lock are missing or damaged.
    """
    models = named(names) if names else {id: m for id, m in read_registry().models.items() if expected_files(id, m)}
    flaws: list[Flaw] = []
    files = 0
    for id, model in models.items():
        expected = expected_files(id, model)
        files += len(expected)
        flaws += _flaws(id, model, expected)
    return Verification(verified=tuple(models), files=files, flaws=tuple(flaws))


def _flaws(id: str, model: Model, expected: dict[str, ModelFile]) -> list[Flaw]:
    folder = place_of(id, model)
    mend = f"revista models pull {id}" if model.hub else f"git checkout -- models/{model.folder}"
    if not expected:
        what = "has not been pulled" if model.hub else "is not shipped with this version"
        hint = mend if model.hub else "See models/README.md."
        return [Flaw(model=id, file=None, message=f"{id} {what}", hint=hint)]
    found = []
    for name, file in expected.items():
        if wrong := _difference(folder / name, file):
            found.append(Flaw(model=id, file=name, message=f"{id}: {name} {wrong}", hint=mend))
    for stray in files_of(folder):
        if stray.name not in expected:
            why = f"{id}: {stray.name} is none of its files, and might be loaded with them"
            found.append(Flaw(model=id, file=stray.name, message=why, hint=f"Remove {stray}."))
    return found


def _difference(place: Path, expected: ModelFile) -> str | None:
    """How a file differs from what it must be, None where it does not."""
    try:
        size = place.stat().st_size
        if size != expected.bytes:
            return f"has {size} bytes in place of {expected.bytes}: it is torn, or of another version"
        if (found := sha256_of(place)) != expected.sha256:
            return f"has the sha256 {found[:12]}… in place of {expected.sha256[:12]}…: its content was changed"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return None


# --- pulling --------------------------------------------------------------------------------------------------


def pull(id: str, model: Model, revision: str | None = None) -> Pulled:
    """Fetch a model from its hub into `models/pulled/ID/` and write what was got into the lock.

    Where the lock has the model, its revision is fetched again, and has to be the same to the last bit; where its files
    are there and whole, nothing is fetched. `revision` asks for another one and replaces what the lock says.

    Args:
        id: of the registered model.
        model: it.
        revision: commit, tag, branch, or `refs/pr/N`; None: what the lock says, else the hub's main branch.

    Raises:
        BadArguments: the model travels with the repository.
        MissingWeights: the hub cannot be reached, has no such revision, no safetensors, or gave something else than
            it announced or than the lock says.
        StorageError: the folder of the registry cannot be written.
    """
    if model.hub is None:
        raise BadArguments(f"{id} is not on a hub", f"It belongs to the repository: revista models verify {id}")
    locked = read_lock().models.get(id)
    if locked is not None and (locked.hub != model.hub or (revision and revision != locked.revision)):
        locked = None
    folder = place_of(id, model)
    if locked is not None and not _flaws(id, model, locked.files):
        return locked
    partial = folder.parent / f".{id}.partial"
    commit = _fetch(id, model.hub, locked.revision if locked else revision, partial)
    files = {file.name: ModelFile(bytes=file.stat().st_size, sha256=sha256_of(file)) for file in files_of(partial)}
    if locked is not None and files != locked.files:
        wrong = next(n for n in {**locked.files, **files} if files.get(n) != locked.files.get(n))
        raise MissingWeights(
            f"the hub gave another {wrong} for {id} at {commit[:12]} than what {models_folder() / 'lock.json'} says",
            f"Find out why before you trust it; to take it all the same: revista models pull {id} --revision {commit}",
        )
    pulled = Pulled(hub=model.hub, revision=commit, pulled=datetime.now(UTC), files=files)
    with storage_errors(folder):
        shutil.rmtree(partial / ".cache", ignore_errors=True)  # the hub library's own notes
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    _write_lock(id, pulled)
    return pulled


def _fetch(id: str, hub: str, revision: str | None, into: Path) -> str:
    """Fetch a revision's wanted files into a folder, where an earlier try may have left some; returns the commit."""
    from huggingface_hub import HfApi, snapshot_download

    with storage_errors(into):
        into.mkdir(parents=True, exist_ok=True)
    try:
        info = HfApi().model_info(hub, revision=revision, timeout=HUB_SECONDS, files_metadata=True)
        commit = str(info.sha)
        snapshot_download(
            hub,
            revision=commit,
            local_dir=into,
            allow_patterns=list(WANTED),
            ignore_patterns=["*/*"],  # other editions of the model, in folders of their own
            etag_timeout=HUB_SECONDS,
            max_workers=2,
        )
    except Exception as error:  # the hub library lets through errors of its HTTP client, of the file system, its own
        if isinstance(error, OSError) and error.errno in _FILE_SYSTEM:
            with storage_errors(into):
                raise
        raise hub_failed(
            id,
            error,
            "Check the network and try again; or pull on a machine that has one, and copy its models/pulled and "
            f"models/lock.json to {models_folder()}.",
        ) from error
    _as_announced(id, info, into)
    return commit


def _as_announced(id: str, info: ModelInfo, folder: Path) -> None:
    """Make sure that all wanted files of a commit lie in the folder, no other, and as large as the hub says.

    Raises:
        MissingWeights: one does not, or the commit has no safetensors.
    """
    announced = {file.rfilename: file for file in info.siblings or () if "/" not in file.rfilename}
    for stray in files_of(folder):
        if stray.name not in announced:
            stray.unlink()  # of another commit
    if not any(name.endswith(".safetensors") for name in announced):
        raise MissingWeights(
            f"the hub has no safetensors of {id} at {str(info.sha)[:12]}, and pickled weights are not read",
            f"Name another revision: revista models pull {id} --revision refs/pr/N. The hub's page of the model lists "
            "under Community where its weights were converted.",
        )
    for name, file in announced.items():
        place = folder / name
        wanted = any(Path(name).match(pattern) for pattern in WANTED)
        size = place.stat().st_size if place.is_file() else None
        if wanted and (size is None or (file.size is not None and size != file.size)):
            raise MissingWeights(
                f"the hub's {name} of {id} did not arrive whole", f"Run again: revista models pull {id}"
            )
        if wanted and file.lfs is not None and sha256_of(place) != file.lfs.sha256:
            place.unlink()
            raise MissingWeights(
                f"the hub's {name} of {id} arrived with another sha256 than announced",
                f"Run again: revista models pull {id}",
            )
    check_files(folder, id)


def _write_lock(id: str, pulled: Pulled) -> None:
    """Enter into the lock what was pulled."""
    place = models_folder() / "lock.json"
    lock = Lock(models={**read_lock().models, id: pulled})
    with storage_errors(place):
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".lock-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(lock.model_dump_json(indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(place)
