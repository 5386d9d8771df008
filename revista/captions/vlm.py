"""Vision-language models that are asked about a picture and run here: all that transformers loads for images and text.

The checkpoint's own chat template puts the question into the model's form, as in `captions.questions`; the answer is
judged as `captions.answers` says. Nothing holds a model here to the schema but its training: small ones often miss it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from revista.captions.answers import KINDS, BadAnswer, judged
from revista.captions.questions import question
from revista.captions.sampling import PLACES, drawing
from revista.devices import as_picture, load_model, load_part, pick_device, predict_in_batches, settled_precision
from revista.errors import MissingWeights, ModelError
from revista.screens import reduced
from revista.settings import CaptionsSettings
from revista.weights import Weights

if TYPE_CHECKING:
    import torch

    from revista.captions import CaptionRequest
    from revista.records import Candidate

SIDE = 1024  # pixels of the longer side of what the checkpoint's own image processor gets, at most
TEMPERATURE = 0.7  # of second tries and samples; the first answer takes the likeliest token each time


class Vlm:
    """A vision-language model with a chat template; a `Captioner`."""

    def __init__(self, weights: Weights, options: CaptionsSettings, device: str) -> None:
        """Load the checkpoint.

        Raises:
            MissingWeights: it is not a whole checkpoint of a model for images and text, or has no chat template.
            BadArguments: there is no such device.
        """
        from transformers import AutoModelForImageTextToText, AutoProcessor

        require(weights)
        self.name = weights.name
        self._options = options
        self._device = pick_device(device)
        self._processor = _processor(AutoProcessor, weights)
        self._tokenizer: Any = getattr(self._processor, "tokenizer", None)
        if self._tokenizer is None or not (self._processor.chat_template or self._tokenizer.chat_template):
            raise MissingWeights(
                f"the weights at {weights.spec} have no chat template, and so cannot be asked",
                "Name a checkpoint that was trained to answer (its name often has -Instruct or -it in it).",
            )
        self.precision = settled_precision(options.precision, self._device)
        self._model = load_model(AutoModelForImageTextToText, weights, self._device, half=self.precision == "bf16")
        self._special = sorted(filter(None, self._tokenizer.all_special_tokens), key=len, reverse=True)
        self._lock = threading.Lock()  # the tokenizer is not safe across threads, and torch fills all cores anyway

    def predict(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        """Candidates or an error for each request, in order; see `Captioner.predict`.

        The first candidate is the likeliest answer, the others are drawn, as many as `captions.samples`. An answer that
        cannot be used is asked for once more, then drawn. `log_probability` is the mean over the answer's tokens, the
        closing one included, before temperature and nucleus: it compares answers of one model, not models.
        """
        import torch

        with self._lock, torch.inference_mode():
            return predict_in_batches(requests, lambda batch: [self._candidates(batch[0])], 1)

    def _candidates(self, request: CaptionRequest) -> tuple[Candidate, ...]:
        inputs = self._inputs(request)
        found: dict[str, Candidate] = {}
        failed: ModelError | None = None
        for draw in range(1 + self._options.samples):
            try:
                candidate = self._answer(request, inputs, draw)
                found.setdefault(candidate.text, candidate)
            except ModelError as error:
                failed = failed or error
        if not found and failed is not None:
            raise failed
        return tuple(found.values())

    def _answer(self, request: CaptionRequest, inputs: dict[str, torch.Tensor], draw: int) -> Candidate:
        """The candidate of one draw (0: the likeliest answer), after at most two tries."""
        wrong = ""
        for again in (False, True):
            seed = (request.seed + 2 * draw + again) % 2**32 if draw or again else None
            try:
                text, log_probability = self._generate(inputs, seed)
                return judged(text, request.context, seed, log_probability)
            except BadAnswer as error:
                wrong = str(error)
        raise ModelError(
            f"no usable answer from {self.name}, twice: {wrong}",
            "Raise captions.answer_tokens where it was cut; a larger model keeps to the schema better.",
        )

    def _inputs(self, request: CaptionRequest) -> dict[str, torch.Tensor]:
        """The question and the picture as the model takes them, one row."""
        import numpy as np

        picture = as_picture(reduced(np.asarray(as_picture(request.image)), SIDE))
        asked = question(request.context, tuple(KINDS))
        text = f"{asked.instructions}\n\n{self._harmless(asked.about)}"
        content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
        made = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        kind = self._model.dtype
        return {
            name: tensor.to(self._device, kind) if tensor.is_floating_point() else tensor.to(self._device)
            for name, tensor in made.items()
            if hasattr(tensor, "is_floating_point")
        }

    def _harmless(self, text: str) -> str:
        """The text without this model's own special tokens, whatever signs they are made of."""
        for token in self._special:
            text = text.replace(token, " ")
        return text

    def _generate(self, inputs: dict[str, torch.Tensor], seed: int | None) -> tuple[str, float]:
        """One answer: its text, and the mean log-probability of its tokens; drawn where there is a seed."""
        import torch
        from transformers import LogitsProcessorList, TemperatureLogitsWarper

        tally = _Tally()
        drawn = [] if seed is None else [TemperatureLogitsWarper(TEMPERATURE), *drawing([seed])]
        made = self._model.generate(
            **inputs,
            max_new_tokens=self._options.answer_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            logits_processor=LogitsProcessorList([tally, *drawn]),
        )
        new = made[0, -tally.steps :] if tally.steps else made[0, :0]
        mean = tally.mean(new)
        if not torch.isfinite(torch.tensor(mean)):
            raise ModelError("the captioner's scores are not finite numbers", "Check its weights against their source.")
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        if len(new) >= self._options.answer_tokens and int(new[-1]) not in ends:
            raise BadAnswer("the answer was cut at captions.answer_tokens")
        return self._tokenizer.decode(new, skip_special_tokens=True).strip(), round(mean, PLACES)


class _Tally:
    """Adds up the log-probabilities of the tokens that are written, without keeping all scores."""

    def __init__(self) -> None:
        self.steps = 0
        self._sum = 0.0
        self._last: torch.Tensor | None = None  # log-probabilities of the step before, (vocabulary)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Count the token that was written since, and remember the scores of the next; they pass unchanged."""
        if self._last is not None:
            self._sum += float(self._last[input_ids[0, -1]])
        self._last = scores[0].float().log_softmax(-1)
        self.steps += 1
        return scores

    def mean(self, tokens: torch.Tensor) -> float:
        """The mean over all tokens that were written, the last one of `tokens` included."""
        if self._last is None:
            return float("nan")
        return (self._sum + float(self._last[tokens[-1]])) / self.steps


def require(weights: Weights) -> None:
    """Make sure that a checkpoint is of a kind that can be asked about pictures.

    Raises:
        MissingWeights: it is not.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as KNOWN

    if weights.config().get("model_type") not in KNOWN:
        architectures = {"Blip2ForConditionalGeneration", "BlipForConditionalGeneration", "CompactBlip"}
        weights.require((), architectures | {"one of transformers' image-text-to-text models"}, "the captioner")


def _processor(cls: Any, weights: Weights) -> Any:
    """The checkpoint's processor, over Pillow where there is one: that over torchvision resizes to other pixels.

    Raises:
        MissingWeights: it has none, or (for videos, which nobody shows it) needs torchvision.
    """
    try:
        return load_part(cls, weights, backend="pil", trust_remote_code=False)
    except MissingWeights as error:
        if not re.search("video|torchvision", error.message, re.IGNORECASE):
            raise
        if find_spec("torchvision") is not None:
            return load_part(cls, weights, trust_remote_code=False)
        raise MissingWeights(
            f"the weights at {weights.spec} need the Python package torchvision, which also reads videos for them",
            "Install the torchvision that belongs to your torch (pip install torchvision), or let a server run the "
            "model: captions.endpoint.",
        ) from error
