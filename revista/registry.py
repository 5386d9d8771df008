"""The registry of models: which captioner and ranker a profile means, where their files are, and what they must be.

`models/registry.toml` is written by people: profiles, models, licences, and for the models that travel with the
repository each file's size and sha256. `models/lock.json` is written by `revista models pull`: revision, sizes and
hashes of what a hub gave. docs/formats.md describes both. Nothing here reads a weights file, or imports what would.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, StringConstraints, ValidationError, model_validator

from revista.errors import BadArguments
from revista.records import Frozen

FOLDER_VARIABLE = "REVISTA_MODELS"
NO_MODELS = "none"  # the profile without models; also a model's name where a profile's own is not wanted
PULLED = "pulled"  # the folder, within that of the registry, for what came from a hub

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")

ModelId = Annotated[str, StringConstraints(pattern=f"^{_ID.pattern}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[\w-][\w.-]*$")]  # a checkpoint is flat: no slash
Role = Literal["captioner", "ranker", "detector"]

DETECTOR = "compact-regions"  # what the setting regions.compact_model means by default
WITHOUT_DETECTOR = ("rapid_layout", "opencv")  # what looks for pictures where that one does not travel with this copy

GROUPS: Mapping[str, Role] = {"captions": "captioner", "ranking": "ranker"}
"""The settings groups that name a model, and the model's role."""


class ModelFile(Frozen):
    """What a file of a checkpoint must be."""

    bytes: int = Field(ge=0)
    sha256: Sha256


class Model(Frozen):
    """A registered checkpoint: either `folder` (it travels with the repository) or `hub` (it is pulled)."""

    role: Role
    summary: str
    folder: str | None = None  # relative to the folder of the registry
    hub: str | None = Field(None, pattern=r"^\w[\w.-]{0,95}/\w[\w.-]{0,95}$")
    language: str  # that it speaks, or reads best: "en", "es", "en+es"; of a detector "any"
    licence: str
    card: str | None = None  # relative to the folder of the registry
    settings: dict[str, Any] = Field({})  # of its group, where the user sets none
    files: dict[FileName, ModelFile] = Field({})  # of a model with a `folder`; empty: this version ships none

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        if (self.folder is None) == (self.hub is None):
            raise ValueError("needs either a folder or a hub id")
        if self.role == "captioner" and self.language not in ("en", "es"):
            raise ValueError(f"a captioner speaks en or es, not {self.language}")
        if self.hub is not None and self.files:
            raise ValueError("files of a hub's model belong into the lock, which `revista models pull` writes")
        for path in (self.folder, self.card):
            if path is not None and (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts):
                raise ValueError(f"{path}: has to lie within the folder of the registry")
        return self

    @property
    def shipped(self) -> bool:
        """Whether its files travel with this version of the repository."""
        return bool(self.files)


class Profile(Frozen):
    """Which models work together."""

    summary: str
    captioner: ModelId | None = None
    ranker: ModelId | None = None
    detector: ModelId | None = None  # what the setting regions.compact_model means by default; here to be listed
    reliability: dict[str, float] = Field({})  # the setting `ranking.reliability` of this pair; empty: none is known
    mix: dict[str, float] = Field({})  # the setting `ranking.mix` of this pair; empty: none is known

    def models(self) -> tuple[str, ...]:
        """The ids of its models."""
        return tuple(name for name in (self.captioner, self.ranker, self.detector) if name is not None)


class Registry(Frozen):
    """The content of `models/registry.toml`."""

    schema_version: Literal[1]
    profiles: dict[ModelId, Profile]
    models: dict[ModelId, Model]

    @model_validator(mode="after")
    def _profiles_hold(self) -> Self:
        if NO_MODELS in self.profiles or NO_MODELS in self.models:
            raise ValueError(f"the name {NO_MODELS} is taken: it stands for no model")
        for name, profile in self.profiles.items():
            for role in get_args(Role):
                id = getattr(profile, role)
                if id is not None and (id not in self.models or self.models[id].role != role):
                    raise ValueError(f"profiles.{name}.{role}: there is no {role} {id!r} among the models")
        return self

    def profile(self, name: str) -> Profile:
        """The profile of this name.

        Raises:
            BadArguments: there is none.
        """
        if name not in self.profiles:
            known = ", ".join([*self.profiles, NO_MODELS])
            raise BadArguments(f"there is no profile {name!r}", f"Set profile to one of: {known}.")
        return self.profiles[name]


class Pulled(Frozen):
    """What a hub gave: which commit of which repository, and its files."""

    hub: str
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    pulled: datetime  # UTC
    files: dict[FileName, ModelFile]


class Lock(Frozen):
    """The content of `models/lock.json`."""

    schema_version: Literal[1] = 1
    models: dict[ModelId, Pulled] = Field({})


def models_folder() -> Path:
    """Where registry, lock and weights are: what `REVISTA_MODELS` names, else `models/` of the clone."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).parents[1] / "models")


def read_registry(folder: Path | None = None) -> Registry:
    """The registry in `folder`, in `models_folder()` where none is given.

    Raises:
        BadArguments: it is missing, cannot be read, or says what a registry cannot say.
    """
    file = (folder or models_folder()) / "registry.toml"
    try:
        state = file.stat()
        return _parse_registry(file, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        raise BadArguments(
            f"there is no registry of models at {file}",
            f"Install revista from a clone (make setup), or name a clone's folder models/ in {FOLDER_VARIABLE}; "
            f'without models it works with profile = "{NO_MODELS}".',
        ) from None
    except OSError as error:
        raise BadArguments(f"{file}: cannot be read: {error.strerror or error}", "Mend its rights.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadArguments(f"{file}: not a TOML file: {error}", "See docs/formats.md for its form.") from error
    except ValidationError as error:
        raise BadArguments(f"{file}: {_told(error)}", "See docs/formats.md for its form.") from error


@lru_cache(maxsize=8)
def _parse_registry(file: Path, mtime: int, size: int) -> Registry:
    return Registry.model_validate(tomllib.loads(file.read_text("utf-8")))


def read_lock(folder: Path | None = None) -> Lock:
    """The lock in `folder`, in `models_folder()` where none is given; an empty one where there is no file.

    Raises:
        BadArguments: it cannot be read, or is damaged.
    """
    file = (folder or models_folder()) / "lock.json"
    try:
        return Lock.model_validate_json(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Lock()
    except OSError as error:
        raise BadArguments(f"{file}: cannot be read: {error.strerror or error}", "Mend its rights.") from error
    except ValidationError as error:
        raise BadArguments(
            f"{file}: {_told(error)}", "Take it back from your backup, or remove it and pull the models again."
        ) from error


def registered(spec: str) -> Model | None:
    """The registered model of the id `spec`; None for folders and hub ids, and where there is no registry."""
    if not _ID.fullmatch(spec) or not (models_folder() / "registry.toml").is_file():
        return None
    return read_registry().models.get(spec)


def place_of(id: str, model: Model) -> Path:
    """The folder in which the files of a registered model are, or will be once pulled."""
    return models_folder() / (model.folder if model.folder is not None else f"{PULLED}/{id}")


def expected_files(id: str, model: Model) -> dict[str, ModelFile]:
    """What the files of a registered model must be, by name; empty where it is neither shipped nor pulled."""
    if model.hub is None:
        return model.files
    pulled = read_lock().models.get(id)
    return pulled.files if pulled is not None and pulled.hub == model.hub else {}


def fill_from_profile(data: dict[str, Any]) -> dict[str, Any]:
    """Settings in which each model that is not set is the profile's, with what suits that model.

    A model that is set to `none`, to nothing or to None stays out, whatever the profile says.
    A registered model, set by hand or by the profile, brings its language and settings along where the user set none.
    A model of the profile that this version does not ship is left out; `not_shipped` tells. Without our own
    detector those work that need no weights of ours.

    Args:
        data: settings as they were given: a group is missing, a mapping, or a settings group.

    Raises:
        BadArguments: there is no such profile, or no registry to look it up in.
    """
    name = data.get("profile", "compact")
    if not isinstance(name, str):
        return data  # for the validation to refuse
    filled = dict(data)
    for group, role in GROUPS.items():
        given = _given(data.get(group))
        if given is None:
            continue
        if role == "captioner" and given.get("endpoint"):  # in the place of the profile's; one answer costs enough
            model_too = None if given.get("model") in ("", NO_MODELS) else given.get("model")
            filled[group] = {"language": "es", "samples": 0, **given, "model": model_too}
            continue
        id = given["model"] if "model" in given else _of_profile(name, role)
        if id in (None, "", NO_MODELS) or not isinstance(id, str):  # what else it is, the validation tells
            filled[group] = {**given, "model": None if isinstance(id, str) else id}
            continue
        model = registered(id)
        own = {} if model is None else model.settings
        language = {"language": model.language} if model is not None and role == "captioner" else {}
        filled[group] = {**language, **own, **given, "model": id}
    regions = _given(data.get("regions"))
    if regions is not None and not {"detectors", "compact_model"} & regions.keys() and not _ships_detector():
        filled["regions"] = {**regions, "detectors": WITHOUT_DETECTOR}
    ranking = filled.get("ranking")
    if isinstance(ranking, dict):
        filled["ranking"] = {**_fitted(name, filled), **ranking}
    return filled


def _ships_detector() -> bool:
    """Whether the detector that the settings mean by default is at hand; it is not where there is no registry."""
    model = registered(DETECTOR)
    return model is not None and model.shipped


def not_shipped(profile: str) -> tuple[str, ...]:
    """The ids of a profile's models that should travel with the repository and do not in this version."""
    if profile == NO_MODELS:
        return ()
    registry = read_registry()
    models = {id: registry.models[id] for id in registry.profile(profile).models()}
    return tuple(id for id, model in models.items() if model.folder is not None and not model.shipped)


def _of_profile(name: str, role: Role) -> str | None:
    """The id of the profile's model for `role`, None where it has none that could be had."""
    if name == NO_MODELS:
        return None
    id: str | None = getattr(read_registry().profile(name), role)
    return None if id in not_shipped(name) else id


def _fitted(name: str, filled: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The settings of the ranking that are fitted to the profile's pair of models, where both models are these."""
    if name == NO_MODELS:
        return {}
    profile = read_registry().profile(name)
    pair = ((filled.get(group), getattr(profile, role)) for group, role in GROUPS.items())
    same = all(isinstance(group, dict) and id is not None and group.get("model") == id for group, id in pair)
    fitted = {"reliability": profile.reliability, "mix": profile.mix}
    return {setting: weights for setting, weights in fitted.items() if same and weights}


def _given(group: Any) -> dict[str, Any] | None:
    """What the user set of a group; None where it is nothing that can be filled."""
    if group is None:
        return {}
    if isinstance(group, Mapping):
        return dict(group)
    if hasattr(group, "model_fields_set"):
        return {name: getattr(group, name) for name in group.model_fields_set}
    return None


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()[:3])
