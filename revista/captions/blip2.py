"""BLIP-2 as a captioner, through transformers.

Li, Li, Savarese and Hoi (2023), "BLIP-2: Bootstrapping Language-Image Pre-training with Frozen Image Encoders and Large
Language Models", arXiv:2301.12597. A picture is looked at once and becomes a few query tokens; a language model (OPT or
Flan-T5) continues each prompt behind them, by beams and by seeded samples as in `captions.blip`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from revista.captions.sampling import drawing, seeds_of, written_and_means
from revista.devices import (
    as_picture,
    load_model,
    load_part,
    load_tokenizer,
    pick_device,
    predict_in_batches,
    settled_precision,
)
from revista.errors import ModelError
from revista.records import Candidate
from revista.screens import descreened
from revista.settings import CaptionsSettings
from revista.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    import torch

    from revista.captions import CaptionRequest

BATCH = 4  # pictures a batch


class Blip2:
    """A BLIP-2 checkpoint; a `Captioner`."""

    def __init__(self, weights: Weights, options: CaptionsSettings, device: str) -> None:
        """Load the checkpoint.

        Raises:
            MissingWeights: it is not a whole checkpoint of this architecture.
            BadArguments: there is no such device.
        """
        weights.require({"blip-2"}, {"Blip2ForConditionalGeneration"}, "the captioner")
        from transformers import Blip2ForConditionalGeneration, BlipImageProcessorPil

        self.name = weights.name
        self._options = options
        self._device = pick_device(device)
        self._processor = load_part(BlipImageProcessorPil, weights)
        self._tokenizer = load_tokenizer(weights)
        self.precision = settled_precision(options.precision, self._device)
        self._model = load_model(Blip2ForConditionalGeneration, weights, self._device, half=self.precision == "bf16")
        self._lock = threading.Lock()  # the tokenizer is not safe across threads, and torch fills all cores anyway

    def predict(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        """Candidates or an error for each request, in order; see `Captioner.predict`.

        Their order and `log_probability` are as in `captions.blip.Blip.predict`.
        """
        import torch

        with self._lock, torch.inference_mode():
            return predict_in_batches(requests, self._predict_batch, BATCH)

    def _predict_batch(self, requests: list[CaptionRequest]) -> list[tuple[Candidate, ...]]:
        seen = self._look([request.image for request in requests])
        found: list[dict[str, Candidate]] = [{} for _ in requests]
        for prompt in dict.fromkeys(prompt for request in requests for prompt in request.prompts):
            rows = [i for i, request in enumerate(requests) if prompt in request.prompts]
            said = self._continue(seen[rows], prompt, [requests[i].seed for i in rows])
            for i, candidates in zip(rows, said, strict=True):
                for candidate in candidates:
                    found[i].setdefault(candidate.text, candidate)
        if not all(found):
            raise ModelError("the captioner said nothing", "Try other prompts in the setting captions.prompts.")
        return [tuple(one.values()) for one in found]

    def _look(self, images: list[np.ndarray]) -> torch.Tensor:
        """What the language model sees of each picture: (pictures, queries, width of the language model)."""
        import numpy as np

        side = self._model.config.vision_config.image_size
        pictures = [as_picture(descreened(np.asarray(as_picture(image)), side)) for image in images]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
        states = self._model.vision_model(pixel_values=pixels.to(self._device, self._model.dtype)).last_hidden_state
        queries = self._model.query_tokens.expand(len(images), -1, -1)
        asked = self._model.qformer(query_embeds=queries, encoder_hidden_states=states).last_hidden_state
        return self._model.language_projection(asked.to(self._model.language_projection.weight.dtype))

    def _continue(self, seen: torch.Tensor, prompt: str, seeds: list[int]) -> list[list[Candidate]]:
        """Candidates under one prompt for pictures: beams, then samples."""
        from transformers import LogitsProcessorList

        beams, samples = self._options.beams, self._options.samples
        said = self._generate(seen, prompt, num_beams=beams, num_return_sequences=beams)
        found = [[self._candidate(prompt, None, *said[i * beams + k]) for k in range(beams)] for i in range(len(seeds))]
        if samples:
            drawn = seeds_of(prompt, seeds, samples)
            noise = LogitsProcessorList(drawing(drawn))
            said = self._generate(seen.repeat_interleave(samples, 0), prompt, num_beams=1, logits_processor=noise)
            for row, (seed, sentence) in enumerate(zip(drawn, said, strict=True)):
                found[row // samples].append(self._candidate(prompt, seed, *sentence))
        return [[candidate for candidate in candidates if candidate.text] for candidates in found]

    def _candidate(self, prompt: str, seed: int | None, text: str, log_probability: float) -> Candidate:
        return Candidate(
            text=text,
            language=self._options.language,
            source="captioner",
            prompt=prompt,
            seed=seed,
            log_probability=log_probability,
        )

    def _generate(self, seen: torch.Tensor, prompt: str, **options: Any) -> list[tuple[str, float]]:
        """What the language model makes of each picture: text without the prompt, and mean log-probability.

        `Blip2ForConditionalGeneration.generate` does the same after looking at the picture again.
        """
        import torch

        language = self._model.language_model
        ids = torch.tensor([self._tokenizer(prompt)["input_ids"]], device=self._device)
        words = language.get_input_embeddings()(ids).expand(len(seen), -1, -1)
        made = language.generate(
            inputs_embeds=torch.cat([seen.to(words.dtype), words], dim=1),
            attention_mask=torch.ones(len(seen), seen.shape[1] + ids.shape[1], dtype=torch.long, device=self._device),
            max_new_tokens=self._options.max_new_tokens,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
            **options,
        )
        scores = language.compute_transition_scores(
            made.sequences, made.logits, getattr(made, "beam_indices", None), normalize_logits=True
        )
        tokens = made.sequences[:, made.sequences.shape[1] - scores.shape[1] :]
        ends = language.generation_config.eos_token_id
        closing = torch.isin(tokens, torch.tensor(ends if isinstance(ends, list) else [ends], device=tokens.device))
        written, means = written_and_means(scores, closing)
        texts = [
            self._tokenizer.decode(row[keep], skip_special_tokens=True)
            for row, keep in zip(tokens, written & ~closing, strict=True)
        ]
        return [(" ".join(text.split()), mean) for text, mean in zip(texts, means, strict=True)]
