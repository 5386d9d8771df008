"""Stage 5: from pictures to candidate captions.

A captioner looks at each cut-out picture and proposes sentences; which of them to believe is for the ranking to
say. The captioner stands behind the Protocol `Captioner`, so that another model can take BLIP's place. Without
weights the stage still writes its record: every picture then carries the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from revista import cues
from revista.captions.colours import has_colour, without_colours
from revista.devices import torch_software
from revista.errors import BadInput, MissingProgram, MissingWeights, ModelError, RevistaError, TimedOut
from revista.images import crops
from revista.programs import apertium
from revista.records import Candidate, Candidates, Contexts, Cue, PictureCandidates, Problem, page_of
from revista.settings import CaptionsSettings
from revista.versions import versions
from revista.weights import find_weights

NAME = "captions"
VERSION = "4"

NOT_DESCRIBED = "not described by a model"
NO_WEIGHTS = f"{NOT_DESCRIBED}: no captioner weights"


@dataclass(frozen=True)
class CaptionRequest:
    """A picture to caption."""

    image: np.ndarray  # (height, width, 3), uint8, RGB
    prompts: tuple[str, ...] = ("",)  # beginnings that the captioner continues; the empty one leaves it free
    seed: int = 0  # of the sampled candidates, 0 to 2**32 - 1
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
    if not options.model:
        return {}
    cv2 = versions("opencv-python", "opencv-python-headless")
    return {**torch_software(), **cv2, **_translator(options), "image_processor": "BlipImageProcessorPil"}


def _translator(options: CaptionsSettings) -> dict[str, str]:
    """The version of Apertium where cues need it; empty where they do not, or where it is missing."""
    if options.language != "en" or not conditions(options):
        return {}
    try:
        return {"apertium": apertium.probe(cues.PAIR)}
    except MissingProgram:  # the first page with print to translate tells
        return {}


def conditions(options: CaptionsSettings) -> bool:
    """Whether the print suggests anything to the captioner."""
    return bool(options.cues or options.encouragement)


def weights(options: CaptionsSettings) -> dict[str, str]:
    """Hex sha256 of the captioner's files, by name; empty where the settings name no model.

    Raises:
        MissingWeights: the settings name a model that is not at hand.
    """
    return find_weights(options.model).hashes() if options.model else {}


def load(options: CaptionsSettings, device: str) -> Captioner:
    """The captioner that the settings name, on `device` (as in the setting `run.device`).

    Raises:
        MissingWeights: the settings name none, it is not at hand, or it is not a BLIP captioning checkpoint.
        BadArguments: a prompt is too long for the model, or there is no such device.
    """
    if not options.model:
        raise MissingWeights("no captioner weights", "Name a BLIP checkpoint in the setting captions.model.")
    from revista.captions.blip import Blip

    return Blip(find_weights(options.model), options, device)


def run(
    image: Path,
    contexts: Contexts,
    options: CaptionsSettings,
    captioner: Captioner | None,
    reason: str | None,
    timeout: float = 60.0,
) -> Candidates:
    """Candidate captions for each picture of a page.

    Args:
        image: the page image.
        contexts: the pictures of the page, and the print around them.
        options: prompts, cues and seed.
        captioner: the model, None where there is none.
        reason: why there is no captioner; `NO_WEIGHTS` where it is not given.
        timeout: seconds that the translation of a page's captions may take.

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
    expected, problems = _expected(contexts, options, timeout)
    results: dict[str, tuple[Candidate, ...] | RevistaError] = {}
    requests: dict[str, CaptionRequest] = {}
    for picture, part in zip(pictures, parts, strict=True):
        if isinstance(part, RevistaError):
            results[picture.picture] = part
        else:
            seed = picture_seed(options.seed, picture.picture)
            print_says = expected[picture.picture]
            requests[picture.picture] = CaptionRequest(part, options.prompts, seed, print_says.cues, print_says.words)
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
    contexts: Contexts, options: CaptionsSettings, timeout: float
) -> tuple[dict[str, cues.Expected], list[Problem]]:
    """What the print lets one expect of each picture, and what went wrong with translating it."""
    pictures = contexts.pictures
    names = [picture.picture for picture in pictures]
    if not conditions(options):
        return {name: cues.Expected() for name in names}, []
    try:
        made = cues.expect(pictures, options.language, options.cues, timeout)
    except (BadInput, TimedOut) as error:
        made = cues.without_translation(pictures, options.language, options.cues)
        return dict(zip(names, made, strict=True)), [Problem.from_error(error, NAME, page_of(names[0]))]
    return dict(zip(names, made, strict=True)), []


def picture_seed(seed: int, picture: str) -> int:
    """A seed for one picture, 0 to 2**32 - 1: it does not change when pictures beside it come or go."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{picture}".encode()).digest()[:4], "big")
