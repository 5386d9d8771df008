"""Stage 5: from pictures to candidate captions.

A captioner looks at each cut-out picture and proposes sentences; which of them to believe is for the ranking to
say. Captioners stand behind the Protocol `Captioner`: BLIP and BLIP-2, which continue a caption; any other model for
images and text, and one at an OpenAI-compatible server, which are asked, and answer in Spanish by a schema. Without
a captioner the stage still writes its record: every picture then carries the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from revista import cues, translation
from revista.captions.colours import has_colour, without_colours
from revista.devices import BATCH, torch_software
from revista.errors import BadInput, MissingWeights, ModelError, RevistaError, TimedOut
from revista.images import crops
from revista.records import Candidate, Candidates, Contexts, Cue, PictureCandidates, PictureContext, Problem, page_of
from revista.settings import CaptionsSettings
from revista.translation import Translator
from revista.versions import versions
from revista.weights import find_weights

NAME = "captions"
VERSION = "5"

NOT_DESCRIBED = "not described by a model"
NO_WEIGHTS = f"{NOT_DESCRIBED}: no captioner weights"


@dataclass(frozen=True)
class CaptionRequest:
    """A picture to caption."""

    image: np.ndarray  # (height, width, 3), uint8, RGB
    prompts: tuple[str, ...] = ("",)  # beginnings that the captioner continues; the empty one leaves it free
    seed: int = 0  # of the sampled candidates, 0 to 2**32 - 1
    context: PictureContext | None = None  # what is printed around the picture, for models that are asked
    cues: tuple[Cue, ...] = ()  # beginnings that the print suggests
    words: Cue | None = None  # words that the print suggests, ", " between them


class Captioner(Protocol):
    """A model that proposes captions."""

    @property
    def name(self) -> str:
        """What records call it."""

    def predict(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        """Candidates (one or more, no text twice) or an error for each request, in order; safe to call from threads.

        The result for a picture depends on its own request only, not on those beside it, up to the rounding of
        floating-point sums over batches of different size.
        """


def software(options: CaptionsSettings) -> dict[str, str]:
    """Versions of what the captions depend on; empty where the settings name no model."""
    if not options.captioner:
        return {}
    cv2 = versions("opencv-python", "opencv-python-headless")
    if options.endpoint:
        return {**versions("httpx", "numpy", "pillow"), **cv2}
    processor = "BlipImageProcessorPil" if _kind(options) in (*_CONTINUED, None) else "the checkpoint's own, over PIL"
    return {**torch_software(), **cv2, **_translator(options), "image_processor": processor}


def _translates(options: CaptionsSettings) -> bool:
    """Whether the print is translated for the captioner."""
    return options.language == "en" and conditions(options)


def _translator(options: CaptionsSettings) -> dict[str, str]:
    """Versions of what translates the print; empty where nothing does, or where Apertium is missing."""
    return translation.software(options.translator, cues.PAIR) if _translates(options) else {}


def conditions(options: CaptionsSettings) -> bool:
    """Whether the print suggests anything to the captioner: a model that is asked reads the print itself."""
    if options.endpoint or _kind(options) not in (*_CONDITIONED, None):
        return False
    return bool(options.cues or options.encouragement)


def weights(options: CaptionsSettings) -> dict[str, str]:
    """Hex sha256 of the captioner's files, by name; empty where the settings name no model here.

    An endpoint's weights cannot be seen: its records have its address and the model's name among the options.

    Raises:
        MissingWeights: the settings name a model that is not at hand.
    """
    if not options.model:
        return {}
    own = find_weights(options.model).hashes()
    reader = translation.weights(options.translator) if _translates(options) else {}
    return {**own, **{f"translator/{name}": digest for name, digest in reader.items()}}


def spoken(options: CaptionsSettings) -> Literal["en", "es"]:
    """The language in which the captioner speaks that the settings name."""
    if options.endpoint or (_kind(options) or _CONTINUED[0]) not in _CONTINUED:
        return "es"
    return options.language


def load(options: CaptionsSettings, device: str, batch: int = BATCH, endpoint_timeout: float = 120.0) -> Captioner:
    """The captioner that the settings name.

    Args:
        options: which one.
        device: where it runs, as in the setting `run.device`; an endpoint runs where it is.
        batch: how many pictures it may look at together, as in the setting `run.batch`.
        endpoint_timeout: seconds that an endpoint may take for an answer.

    Raises:
        MissingWeights: the settings name none, it is not at hand, or it cannot be a captioner.
        BadArguments: a prompt is too long for the model, there is no such device, or the endpoint's key cannot be one.
    """
    if options.endpoint:
        from revista.captions.endpoint import Remote

        return Remote(options, endpoint_timeout)
    if not options.model:
        raise MissingWeights(
            "no captioner weights", "Name a checkpoint in the setting captions.model, or a server in captions.endpoint."
        )
    weights = find_weights(options.model)
    kind = weights.config().get("model_type")
    if kind == "blip-2":
        from revista.captions.blip2 import Blip2

        return Blip2(weights, options, device)
    if kind not in _CONTINUED:
        from revista.captions.vlm import Vlm

        return Vlm(weights, options, device)
    from revista.captions.blip import Blip

    return Blip(weights, options, device, batch)


_CONDITIONED = ("blip", "revista_blip")  # kinds of checkpoints that print can make suggestions to
_CONTINUED = (*_CONDITIONED, "blip-2")  # kinds of checkpoints that continue a caption; all others are asked


def _kind(options: CaptionsSettings) -> str | None:
    """What kind of checkpoint the settings name; None where there is none, or it is not at hand."""
    try:
        return str(find_weights(options.model).config().get("model_type")) if options.model else None
    except MissingWeights:  # the caller learns of it from `weights`
        return None


def run(
    image: Path,
    contexts: Contexts,
    options: CaptionsSettings,
    captioner: Captioner | None,
    reason: str | None,
    timeout: float = 60.0,
    translator: Translator | None = None,
) -> Candidates:
    """Candidate captions for each picture of a page.

    Args:
        image: the page image.
        contexts: the pictures of the page, and the print around them.
        options: prompts, cues and seed.
        captioner: the model, None where there is none.
        reason: why there is no captioner; `NO_WEIGHTS` where it is not given.
        timeout: seconds that the translation of a page's captions may take.
        translator: of the print into English; None: Apertium.

    Returns:
        One `PictureCandidates` a picture, in the order of `contexts`. A picture that could not be captioned has a
        `reason`, and a `Problem` where that was by mischance.

    Raises:
        MissingProgram: printed captions have to be translated and Apertium is not installed.
    """
    pictures = contexts.pictures
    if captioner is None:
        why = reason or NO_WEIGHTS
        return Candidates(pictures=tuple(PictureCandidates(picture=p.picture, reason=why) for p in pictures))
    if not pictures:
        return Candidates(captioner=captioner.name)
    try:
        parts = crops(image, [p.box for p in pictures])
    except BadInput as error:
        why = f"{NOT_DESCRIBED}: the page image cannot be read"
        return Candidates(
            captioner=captioner.name,
            pictures=tuple(PictureCandidates(picture=p.picture, reason=why) for p in pictures),
            problems=(Problem.from_error(error, NAME, page_of(pictures[0].picture)),),
        )
    expected, problems = _expected(contexts, options, timeout, translator)
    results: dict[str, tuple[Candidate, ...] | RevistaError] = {}
    requests: dict[str, CaptionRequest] = {}
    for picture, part in zip(pictures, parts, strict=True):
        if isinstance(part, RevistaError):
            results[picture.picture] = part
        else:
            seed = picture_seed(options.seed, picture.picture)
            print_says = expected[picture.picture]
            requests[picture.picture] = CaptionRequest(
                part, options.prompts, seed, picture, print_says.cues, print_says.words
            )
    results.update(zip(requests, captioner.predict(list(requests.values())), strict=True))

    found = []
    for name, result in ((p.picture, results[p.picture]) for p in pictures):
        if isinstance(result, RevistaError):
            problems.append(Problem.from_error(result, NAME, page_of(name), name))
            found.append(PictureCandidates(picture=name, reason=f"{NOT_DESCRIBED}: {result.message}"))
        else:
            seen = result if has_colour(requests[name].image) else without_colours(result)
            translation = expected[name].translation
            found.append(PictureCandidates(picture=name, candidates=seen, translation=translation))
    return Candidates(captioner=captioner.name, pictures=tuple(found), problems=tuple(problems))


def _expected(
    contexts: Contexts, options: CaptionsSettings, timeout: float, translator: Translator | None
) -> tuple[dict[str, cues.Expected], list[Problem]]:
    """What the print lets one expect of each picture, and what went wrong with translating it."""
    pictures = contexts.pictures
    names = [picture.picture for picture in pictures]
    if not conditions(options):
        return {name: cues.Expected() for name in names}, []
    try:
        made = cues.expect(pictures, options.language, options.cues, timeout, translator)
    except (BadInput, TimedOut, ModelError) as error:
        made = cues.without_translation(pictures, options.language, options.cues)
        return dict(zip(names, made, strict=True)), [Problem.from_error(error, NAME, page_of(names[0]))]
    return dict(zip(names, made, strict=True)), []


def picture_seed(seed: int, picture: str) -> int:
    """A seed for one picture, 0 to 2**32 - 1: it does not change when pictures beside it come or go."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{picture}".encode()).digest()[:4], "big")
