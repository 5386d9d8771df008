"""BLIP as a captioner, through transformers.

Li, Li, Xiong and Hoi (2022), "BLIP: Bootstrapping Language-Image Pre-training for Unified Vision-Language
Understanding and Generation", arXiv:2201.12086. For each prompt it gives the sentences of a beam search and, since
beams resemble one another, some drawn by nucleus sampling (Holtzman et al. 2019, "The Curious Case of Neural Text
Degeneration", arXiv:1904.09751), which BLIP's authors found to yield the more informative captions.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from revista.captions.conditioning import batches, encourage, questions
from revista.captions.decoding import Attended, attended, cache, halve, share_pictures
from revista.captions.sampling import drawing, seeds_of, written_and_means
from revista.devices import (
    BATCH,
    as_picture,
    load_model,
    load_part,
    load_tokenizer,
    pick_device,
    predict_in_batches,
    settled_precision,
)
from revista.errors import BadArguments, ModelError
from revista.records import Candidate, Cue
from revista.screens import descreened
from revista.settings import CaptionsSettings
from revista.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    import torch

    from revista.captions import CaptionRequest

# BLIP itself, and BLIP's decoder over the small encoder that this project trained.
_ARCHITECTURES = {"blip": "BlipForConditionalGeneration", "revista_blip": "CompactBlip"}


class Blip:
    """A BLIP captioning checkpoint; a `Captioner`."""

    def __init__(self, weights: Weights, options: CaptionsSettings, device: str, batch: int = BATCH) -> None:
        """Load the checkpoint, for up to `batch` pictures at once.

        With 8 pictures, 5 beams and a vocabulary of 30,524 words the scores alone take about 0.3 GB.

        Raises:
            MissingWeights: it is not a whole checkpoint of a known architecture.
            BadArguments: a prompt of the options leaves no room for a caption, or there is no such device.
        """
        weights.require(_ARCHITECTURES.keys(), _ARCHITECTURES.values(), "the captioner")
        from transformers import BlipImageProcessorPil

        self.name = weights.name
        self._options = options
        self._device, self._batch = pick_device(device), batch
        model_class = _model_class(weights)
        # The PIL processor always: the one over torchvision resizes to slightly other pixels.
        self._processor = load_part(BlipImageProcessorPil, weights)
        self._tokenizer = load_tokenizer(weights)
        self._model = load_model(model_class, weights, self._device)
        share_pictures(self._model.text_decoder)
        self.precision = settled_precision(options.precision, self._device)
        if self.precision == "bf16":
            halve(self._model.text_decoder.bert)
        self._lock = threading.Lock()  # the tokenizer is not safe across threads, and torch fills all cores anyway
        try:
            for prompt in options.prompts:
                self._prompt_ids(prompt)
        except ModelError as error:
            raise BadArguments(error.message, "Shorten it in the setting captions.prompts.") from error

    def predict(self, requests: Sequence[CaptionRequest]) -> list[tuple[Candidate, ...] | ModelError]:
        """Candidates or an error for each request, in order; see `Captioner.predict`.

        Candidates stand in the order of the request's prompts; under each prompt the beams, best first, then the
        samples. Behind them stand those that the request's cues suggest, under the first prompt. A text that was
        there already is left out. `log_probability` is the mean over the text's tokens, an opening cue's and the
        closing one included, of their log-probability under the model given picture and prompt, before any cut to a
        nucleus or gain of words: all candidates can be compared by it.
        """
        import torch

        with self._lock, torch.inference_mode():
            return predict_in_batches(requests, self._predict_batch, self._batch)

    def _predict_batch(self, requests: list[CaptionRequest]) -> list[tuple[Candidate, ...]]:
        states = self._look([request.image for request in requests])
        shared = attended(self._model.text_decoder, states)
        found: list[dict[str, list[Candidate]]] = [{} for _ in requests]
        for prompt in dict.fromkeys(prompt for request in requests for prompt in request.prompts):
            rows = [i for i, request in enumerate(requests) if prompt in request.prompts]
            said = self._continue(shared, rows, prompt, [requests[i].seed for i in rows])
            for i, candidates in zip(rows, said, strict=True):
                found[i][prompt] = candidates
        suggested = self._suggested(shared, requests)
        results = []
        for request, by_prompt, cued in zip(requests, found, suggested, strict=True):
            unique: dict[str, Candidate] = {}
            for candidate in (*(one for prompt in request.prompts for one in by_prompt[prompt]), *cued):
                unique.setdefault(candidate.text, candidate)
            if not unique:
                raise ModelError("the captioner said nothing", "Try other prompts in the setting captions.prompts.")
            results.append(tuple(unique.values()))
        return results

    def _look(self, images: list[np.ndarray]) -> torch.Tensor:
        """The vision encoder's states, (pictures, patches + 1, width); computed once, used under every prompt."""
        import numpy as np

        side = self._model.config.vision_config.image_size
        pictures = [as_picture(image) for image in images]
        pictures = [as_picture(descreened(np.asarray(picture), side)) for picture in pictures]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"].to(self._device)
        return self._model.vision_model(pixel_values=pixels).last_hidden_state

    def _continue(self, shared: Attended, rows: list[int], prompt: str, seeds: list[int]) -> list[list[Candidate]]:
        """Candidates under one prompt for the pictures `rows` of the batch: beams, then samples."""
        from transformers import LogitsProcessorList

        beams, samples = self._options.beams, self._options.samples
        ids = self._prompt_ids(prompt)
        said = self._generate(shared, rows, [ids] * len(rows), beams, num_return_sequences=beams)
        found = [[self._candidate(prompt, None, *said[i * beams + k]) for k in range(beams)] for i in range(len(rows))]
        if samples:
            drawn = seeds_of(prompt, seeds, samples)
            noise = LogitsProcessorList(drawing(drawn))
            drawers = [row for row in rows for _ in range(samples)]
            said = self._generate(shared, drawers, [ids] * len(drawers), 1, logits_processor=noise)
            for row, (seed, sentence) in enumerate(zip(drawn, said, strict=True)):
                found[row // samples].append(self._candidate(prompt, seed, *sentence))
        return [[candidate for candidate in candidates if candidate.text] for candidates in found]

    def _suggested(self, shared: Attended, requests: list[CaptionRequest]) -> list[list[Candidate]]:
        """Candidates of each request that its cues suggest: beams for each opening and each gain of the words."""
        from transformers import LogitsProcessorList

        beams = self._options.conditioned_beams
        found: list[list[Candidate]] = [[] for _ in requests]
        if not any(request.cues or request.words for request in requests):
            return found
        prompt = self._options.prompts[0] if self._options.prompts else ""
        head = self._prompt_ids(prompt)
        size = self._model.config.text_config.vocab_size
        for asked in batches(questions(requests, head, self._tokenizer, self._options)):
            said = self._generate(
                shared,
                [one.row for one in asked],
                [[*one.head, *one.opening] for one in asked],
                beams,
                opening=len(asked[0].opening),
                together=False,
                num_return_sequences=beams,
                logits_processor=LogitsProcessorList([encourage(asked, beams, size, self._device)]),
            )
            for i, (text, log_probability) in enumerate(said):
                question = asked[i // beams]
                candidate = self._candidate(prompt, None, text, log_probability, question.cue)
                found[question.row] += [candidate] if text else []
        return found

    def _candidate(
        self, prompt: str, seed: int | None, text: str, log_probability: float, cue: Cue | None = None
    ) -> Candidate:
        return Candidate(
            text=text,
            language=self._options.language,
            source="captioner",
            prompt=prompt,
            cue=cue,
            seed=seed,
            log_probability=log_probability,
        )

    def _generate(
        self,
        shared: Attended,
        rows: list[int],
        ids: list[list[int]],
        beams: int,
        opening: int = 0,
        together: bool = True,
        **options: Any,
    ) -> list[tuple[str, float]]:
        """What the text decoder makes of pictures of the batch: texts, and their mean log-probabilities.

        `BlipForConditionalGeneration.generate` does the same after running the vision encoder again.

        Args:
            shared: keys and values of the pictures.
            rows: which picture each sentence is about.
            ids: how each begins, all equally long.
            beams: of the search.
            opening: how many of the last `ids` belong to the text, and are scored with it.
            together: whether a picture stands in `rows` several times, one after the other and all as often, and is
                to be attended to once for these.
            options: of `generate`.
        """
        import torch

        config = self._model.config.text_config
        given = torch.tensor(ids, device=self._device)
        # read by no layer, since the cache is full; only says that there is something to attend to
        nothing = torch.zeros(len(rows), 1, 1, device=self._device)
        pictures = list(dict.fromkeys(rows)) if together else rows
        made = self._model.text_decoder.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            encoder_hidden_states=nothing,
            past_key_values=cache(shared, pictures),
            num_beams=beams,
            eos_token_id=config.sep_token_id,
            pad_token_id=config.pad_token_id,
            max_new_tokens=self._options.max_new_tokens,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
            **options,
        )
        scores = self._model.text_decoder.compute_transition_scores(
            made.sequences, made.logits, getattr(made, "beam_indices", None), normalize_logits=True
        )
        if opening:
            read = self._model.text_decoder(
                input_ids=given, encoder_hidden_states=nothing, past_key_values=cache(shared, pictures)
            )
            steps = read.logits[:, -opening - 1 : -1].log_softmax(-1)
            own = steps.gather(2, given[:, -opening:, None])[:, :, 0]
            scores = torch.cat([own.repeat_interleave(len(scores) // len(own), dim=0), scores], dim=1)
        begun = given.shape[1] - opening  # the prompt's ids come first
        tokens = made.sequences[:, begun : begun + scores.shape[1]]
        written, means = written_and_means(scores, tokens == config.sep_token_id)
        # The start token is none of the tokenizer's special ones, and a sample may hold it.
        silent = ~written | (tokens == config.bos_token_id)
        texts = self._tokenizer.batch_decode(tokens.masked_fill(silent, config.pad_token_id), skip_special_tokens=True)
        return [(text.strip(), mean) for text, mean in zip(texts, means, strict=True)]

    def _prompt_ids(self, prompt: str) -> list[int]:
        """The token ids that open a caption: the decoder's own start token, then the prompt.

        Raises:
            ModelError: prompt and caption together are longer than the decoder's positions.
        """
        config = self._model.config.text_config
        ids = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        room = config.max_position_embeddings - self._options.max_new_tokens - 1
        if len(ids) > room:
            raise ModelError(
                f"the prompt {prompt[:40]!r} has {len(ids)} tokens; the captioner takes at most {room} with "
                f"{self._options.max_new_tokens} new ones",
                "Shorten the prompt or lower the setting captions.max_new_tokens.",
            )
        return [config.bos_token_id, *ids]


def _model_class(weights: Weights) -> Any:
    if weights.config()["model_type"] == "revista_blip":
        from revista.compact.models import CompactBlip

        return CompactBlip
    from transformers import BlipForConditionalGeneration

    return BlipForConditionalGeneration
