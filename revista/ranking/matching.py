"""BLIP's image-text matching as a second opinion, where a checkpoint has it.

Li et al. (2022), arXiv:2201.12086: a text encoder that attends to the picture, and a head that says whether both belong
together. It looks at each pair by itself, which costs as much as saying the sentence; a dual encoder is far cheaper.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from revista.devices import as_picture, load_model, load_part, load_tokenizer, pick_device, predict_in_batches
from revista.errors import ModelError
from revista.weights import Weights

if TYPE_CHECKING:
    from revista.ranking import RankingRequest

_BATCH = 4  # pictures
_PAIRS = 32  # pairs of picture and text at once


class Matcher:
    """A BLIP checkpoint with a matching head (`BlipForImageTextRetrieval`)."""

    def __init__(self, weights: Weights, device: str) -> None:
        """Load the checkpoint.

        Raises:
            MissingWeights: it is not a whole checkpoint of this architecture.
            BadArguments: there is no such device.
        """
        weights.require(("blip",), ("BlipForImageTextRetrieval",), "the matcher")
        from transformers import BlipForImageTextRetrieval, BlipImageProcessorPil

        self.name = weights.name
        self._device = pick_device(device)
        self._processor = load_part(BlipImageProcessorPil, weights)
        self._tokenizer = load_tokenizer(weights)
        self._model = load_model(BlipForImageTextRetrieval, weights, self._device)
        self._limit: int = self._model.config.text_config.max_position_embeddings
        self._lock = threading.Lock()  # the tokenizer is not safe across threads

    def predict(self, requests: Sequence[RankingRequest]) -> list[tuple[float, ...] | ModelError]:
        """For each request, in order, the log-odds that each of its texts is about its picture, or an error."""
        import torch

        with self._lock, torch.inference_mode():
            return predict_in_batches(requests, self._predict_batch, _BATCH)

    def _predict_batch(self, requests: list[RankingRequest]) -> list[tuple[float, ...]]:
        import torch

        pictures = [as_picture(request.image) for request in requests]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"].to(self._device)
        states = self._model.vision_model(pixel_values=pixels).last_hidden_state
        pairs = [(row, text) for row, request in enumerate(requests) for text in request.texts]
        found: list[list[float]] = [[] for _ in requests]
        for start in range(0, len(pairs), _PAIRS):
            part = pairs[start : start + _PAIRS]
            inputs = self._tokenizer(
                [text for _, text in part],
                padding=True,
                truncation=True,
                max_length=self._limit,
                return_tensors="pt",
            ).to(self._device)
            read = self._model.text_encoder(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                encoder_hidden_states=states[[row for row, _ in part]],
                return_dict=True,
            )
            odds = self._model.itm_head(read.last_hidden_state[:, 0, :])
            if not torch.isfinite(odds).all():
                raise ModelError("the matcher's scores are not finite numbers", "Check its weights against its source.")
            for (row, _), one in zip(part, (odds[:, 1] - odds[:, 0]).tolist(), strict=True):
                found[row].append(round(one, 4))
        return [tuple(one) for one in found]
