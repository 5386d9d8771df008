"""Settings, in groups of one stage each: a group is that stage's options and goes whole into its records' headers.

Read from `revista.toml` in the working folder (or the file that `--settings` names), overridden by environment
variables such as `REVISTA_TEXT__LANGUAGE=spa_old`. A misspelt name is an error. What only changes how fast or how
patiently the work is done stands in `run`, which no header holds: changing it makes nothing stale. The `profile` is
in no header either: what it means is filled into the groups `captions` and `ranking`, and stands in theirs.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from revista.errors import BadArguments
from revista.registry import fill_from_profile

DEFAULT_FILE = Path("revista.toml")
KEY_VARIABLE = "REVISTA_ENDPOINT_KEY"  # holds the key that `captions.endpoint` wants: it is no setting, in no record


class Group(BaseModel):
    """Base of the settings groups: immutable, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def in_header(self) -> dict[str, JsonValue]:
        """The options as the headers of records hold them."""
        return self.model_dump(mode="json")


class PagesSettings(Group):
    """Stage 1: from PDF to page images."""

    render_dpi: int = Field(300, ge=36, le=1200)  # for pages that are not one embedded scan
    # a larger page is rendered smaller, and a problem says so; at most what the image reader takes (images.MAX_PIXELS)
    max_pixels: int = Field(120_000_000, ge=10_000, le=250_000_000)


class RegionsSettings(Group):
    """Stage 2: which detectors look for pictures, and how they are combined."""

    detectors: tuple[Literal["compact", "rapid_layout", "opencv", "transformers"], ...] = ("compact",)
    min_confidence: float = Field(0.5, ge=0, le=1)
    compact_model: str = "compact-regions"  # registered id, or a folder as `revista train regions` writes it
    transformers_model: str | None = None  # local folder or hub id (org/name@revision)


class TextSettings(Group):
    """Stage 3: Tesseract."""

    language: str = Field("spa", pattern=r"^[A-Za-z_]+(\+[A-Za-z_]+)*$")
    deskew: bool = True


class ContextSettings(Group):
    """Stage 4: what counts as near a picture."""

    min_word_confidence: float = Field(0.6, ge=0, le=1)  # words below it are marked as uncertain
    paragraphs: int = Field(2, ge=0)  # how many paragraphs before and after
    window_words: int = Field(10, ge=1)
    window_overlap: int = Field(3, ge=0)

    @model_validator(mode="after")
    def _windows_move_on(self) -> Self:
        if self.window_overlap >= self.window_words:
            raise ValueError("window_overlap must be smaller than window_words")
        return self


class CaptionsSettings(Group):
    """Stage 5: the captioner."""

    # registered id, local folder or hub id (org/name@revision) of a BLIP or BLIP-2 checkpoint, or of any model that
    # transformers loads for images and text; `Settings` fills in the profile's
    model: str | None = None
    endpoint: str | None = None  # in place of a model here: address of an OpenAI-compatible server, such as .../v1
    endpoint_model: str | None = None  # which of the server's models
    language: Literal["en", "es"] = "en"  # the language in which a BLIP checkpoint speaks; who is asked answers in es
    prompts: tuple[str, ...] = ("", "a photograph of")
    beams: int = Field(5, ge=1, le=16)
    max_new_tokens: int = Field(20, ge=1, le=100)
    answer_tokens: int = Field(400, ge=32, le=4000)  # length of an answer of a model that is asked, not continued
    samples: int = Field(2, ge=0, le=16)
    seed: int = 0
    cues: int = Field(3, ge=0, le=10)  # openings that the print suggests
    # what each word of the print gains while sentences are searched, in natural logarithms; a search each
    encouragement: tuple[float, ...] = (1.0, 2.0, 3.0)
    conditioned_beams: int = Field(3, ge=1, le=16)  # of each opening and each search
    translator: str = "apertium"  # of the print for an English captioner; or a Marian checkpoint from es to en
    # auto: bf16 where the device has it; records say which it was, and stand on every machine
    precision: Literal["fp32", "bf16", "auto"] = "fp32"

    @property
    def captioner(self) -> str | None:
        """What captions the pictures: a model here, or one at an endpoint; None where there is no captioner."""
        return self.model or self.endpoint_model

    @field_validator("endpoint")
    @classmethod
    def _an_address(cls, endpoint: str | None) -> str | None:
        if endpoint in (None, ""):
            return None
        parts = urlsplit(str(endpoint))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as http://localhost:8000/v1")
        if "@" in parts.netloc:  # it would stand in every record
            raise ValueError(f"must not hold a password or key: put a key into the variable {KEY_VARIABLE}")
        return str(endpoint).rstrip("/")

    @model_validator(mode="after")
    def _one_captioner(self) -> Self:
        if (self.endpoint is None) != (not self.endpoint_model):
            raise ValueError("endpoint and endpoint_model go together")
        if self.endpoint is not None and self.model:
            raise ValueError("either model or endpoint, not both")
        return self


class Reliability(Group):
    """Weights of `ranking.reliability`; fitted by `revista evaluate reliability`, for one pair of models."""

    similarity: float
    log_probability: float
    no_photograph: float
    bias: float


class Mix(Group):
    """Weights of `ranking.mix`; fitted by `revista evaluate ranking --fit`, for one pair of models."""

    similarity: float
    log_probability: float
    matching: float = 0.0
    agreement: float
    shared_words: float
    short: float
    long: float
    repetition: float
    # of how likely the print is about the picture
    support: float
    echo: float
    bias: float


Strategy = Literal["blip", "clip", "pool", "threshold", "conditioned"]


class RankingSettings(Group):
    """Stage 6: the ranker."""

    # registered id, local folder or hub id (org/name@revision) of a CLIP checkpoint; `Settings` fills in the profile's
    model: str | None = None
    min_window_probability: float = Field(0.6, ge=0, le=1)  # below it no nearby passage counts as belonging
    strategy: Strategy = "conditioned"  # who speaks: see revista.ranking.strategies
    # without a `mix`: how much the captioner's own log-probabilities count beside the ranker
    captioner_trust: float = Field(8.0, ge=0)
    mix: Mix | None = None  # None: picture and captioner alone decide, as `captioner_trust` says
    min_belonging: float = Field(0.8, gt=0, le=1)  # with a `mix`: print less likely about a picture counts nothing
    matcher: str | None = None  # local folder or hub id of a BLIP checkpoint that says whether a sentence is about it
    min_kind_probability: float = Field(0.5, ge=0, le=1)  # below it a picture's kind is uncertain
    reliability: Reliability | None = None  # None: nothing is known about how often the models' sentences are right


class DescriptionsSettings(Group):
    """Stage 7: Spanish sentences."""

    min_quote_confidence: float = Field(0.6, ge=0, le=1)  # a caption read worse than this is not quoted
    translator: str = "apertium"  # or folder or hub id (org/name@revision) of a Marian checkpoint, English to Spanish
    min_reliability: float = Field(0.5, ge=0, le=1)  # a sentence less likely to be right than this is not told
    index: str | None = None  # table file with the collection's analytic index (docs/formats.md)

    @field_validator("index")
    @classmethod
    def _a_file_or_none(cls, index: str | None) -> str | None:
        return index or None

    def in_header(self) -> dict[str, JsonValue]:
        """The options, the index by its name alone: its content is an input, and its folder that of one machine."""
        return super().in_header() | {"index": self.index and Path(self.index).name}


class RunSettings(Group):
    """How the work is done; never what comes out."""

    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    pages_per_task: int = Field(20, ge=1)  # chosen by benchmarks/orchestration.py
    page_timeout: float = Field(50.0, gt=0)  # seconds that an external program may take for one page
    endpoint_timeout: float = Field(120.0, gt=0)  # seconds that `captions.endpoint` may take for one answer
    failed_pages_limit: float = Field(0.10, ge=0, le=1)  # an issue with a larger share of failed pages fails
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    batch: int = Field(8, ge=1, le=1024)  # pictures that a model looks at together, also of several pages
    models: Literal["here", "queue"] = "here"  # under Prefect: in the issue's own run, or by a worker of `models`


class Settings(BaseSettings):
    """All settings; see the groups.

    `captions.model` and `ranking.model` that are not given are those of the `profile`, and None with the profile
    `none`; a model given as `none` or None is None with any profile. See `revista.registry.fill_from_profile`.
    """

    model_config = SettingsConfigDict(
        env_prefix="REVISTA_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    profile: str = "compact"  # one of models/registry.toml, or none
    pages: PagesSettings = PagesSettings()
    regions: RegionsSettings = RegionsSettings()
    text: TextSettings = TextSettings()
    context: ContextSettings = ContextSettings()
    captions: CaptionsSettings = CaptionsSettings()
    ranking: RankingSettings = RankingSettings()
    descriptions: DescriptionsSettings = DescriptionsSettings()
    run: RunSettings = Field(default_factory=RunSettings)

    @model_validator(mode="before")
    @classmethod
    def _profile_fills_in(cls, data: Any) -> Any:
        return fill_from_profile(data) if isinstance(data, dict) else data

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over what the file (given as init arguments) says."""
        return env_settings, init_settings


_GROUPS = frozenset(Settings.model_fields) - {"profile"}


def load_settings(file: Path | None = None) -> Settings:
    """The settings from `file`, or from `revista.toml` where it exists, and the environment.

    Raises:
        BadArguments: the named file cannot be read, is not TOML, or holds a name or value that is not a setting; a
            variable `REVISTA_GROUP__NAME` names a group that there is not; or there is no such profile.
    """
    for variable in sorted(os.environ):  # pydantic-settings passes over the variables of unknown groups
        group, divided, _ = variable.removeprefix("REVISTA_").partition("__")
        if variable.startswith("REVISTA_") and divided and group.lower() not in _GROUPS:
            raise BadArguments(f"the variable {variable} sets nothing", "Settings are listed in docs/settings.md.")
    if file is None:
        file = DEFAULT_FILE if DEFAULT_FILE.exists() else None
    try:
        data = tomllib.loads(file.read_text("utf-8")) if file else {}
        return Settings(**data)
    except FileNotFoundError:
        raise BadArguments(f"{file}: no such settings file", "Check the path given to --settings.") from None
    except OSError as error:
        raise BadArguments(
            f"{file}: cannot be read: {error.strerror or error}", "Check the path given to --settings."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadArguments(f"{file}: not a TOML file: {error}", "See docs/settings.md for an example.") from error
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadArguments(f"settings: {lines}", "Settings and their ranges are listed in docs/settings.md.") from error
