"""CLIP and its multilingual successors MetaCLIP 2 and SigLIP 2 as a ranker, through transformers.

Radford et al. (2021), "Learning Transferable Visual Models From Natural Language Supervision", arXiv:2103.00020;
Chuang et al. (2025), "Meta CLIP 2: A Worldwide Scaling Recipe", arXiv:2507.22062;
Tschannen et al. (2025), "SigLIP 2: Multilingual Vision-Language Encoders", arXiv:2502.14786. CLIP itself has learnt
from English: it weighs Spanish print by the names and loan words in it. A MetaCLIP 2 or SigLIP 2 checkpoint reads
Spanish, and so does the compact CLIP that this project trained (`revista.compact`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from revista.devices import BATCH, as_picture, load_model, load_part, load_tokenizer, pick_device, predict_in_batches
from revista.errors import ModelError
from revista.ranking import RankingRequest
from revista.ranking.strategies import Scores
from revista.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    import torch

TEXTS = 64  # texts a batch

# One interface in transformers. `siglip` is SigLIP, and SigLIP 2 at a fixed resolution; the NaFlex checkpoints
# (`siglip2`) take patches instead of pictures and are not among them.
_ARCHITECTURES = {
    "clip": "CLIPModel",
    "metaclip_2": "MetaClip2Model",
    "revista_clip": "CompactClip",
    "siglip": "SiglipModel",
}


class Clip:
    """A dual encoder of the CLIP family; a `Ranker`."""

    def __init__(self, weights: Weights, device: str, batch: int = BATCH) -> None:
        """Load the checkpoint, for up to `batch` pictures at once.

        Raises:
            MissingWeights: it is not a whole checkpoint of a known architecture.
            BadArguments: there is no such device.
        """
        weights.require(_ARCHITECTURES.keys(), _ARCHITECTURES.values(), "the ranker")
        from transformers import AutoModel, CLIPImageProcessorPil, SiglipImageProcessorPil

        kind = weights.config()["model_type"]
        if kind == "revista_clip":
            import revista.compact.models  # noqa: F401 - makes the type known to AutoModel
        self.name = weights.name
        self._device, self._batch = pick_device(device), batch
        # The PIL processor always: the one over torchvision resizes to slightly other pixels.
        self._processor = load_part(SiglipImageProcessorPil if kind == "siglip" else CLIPImageProcessorPil, weights)
        self._tokenizer = load_tokenizer(weights)
        self._model = load_model(AutoModel, weights, self._device)
        self._limit: int = self._model.config.text_config.max_position_embeddings
        # SigLIP has learnt from texts padded to its full length, and its text encoder looks at the padding.
        self._padded = kind == "siglip"
        self._lock = threading.Lock()  # the tokenizer is not safe across threads, and torch fills all cores anyway
        self.scale = float(
            self._model.logit_scale.detach().exp()
        )  # SigLIP's bias is the same for all texts: no order hangs on it

    def predict(self, requests: Sequence[RankingRequest]) -> list[Scores | ModelError]:
        """Cosine similarities or an error for each request, in order; each picture and text is encoded once.

        Similarities are rounded to four digits, so that ties and orders do not hang on the size of a batch.
        """
        import torch

        with self._lock, torch.inference_mode():
            return predict_in_batches(requests, self._predict_batch, self._batch)

    def _predict_batch(self, requests: list[RankingRequest]) -> list[Scores]:
        import torch

        pictures = self._encode_images([request.image for request in requests])
        wanted = (text for request in requests for text in (*request.texts, *request.printed))
        row = {text: i for i, text in enumerate(dict.fromkeys(wanted))}
        texts = self._encode_texts(list(row) or [""])  # no texts at all are no reason to fail
        results = []
        for request, picture in zip(requests, pictures, strict=True):
            own = texts[[row[text] for text in request.texts]]
            printed = texts[[row[text] for text in request.printed]]
            similarities = own @ picture
            if not torch.isfinite(similarities).all():
                raise ModelError(
                    "the ranker's scores are not finite numbers", "Check its weights against their source."
                )
            results.append(
                Scores(
                    tuple(round(value, 4) for value in similarities.tolist()),
                    tuple(round(value, 4) for value in (own @ printed.T).mean(dim=1).tolist()) if len(printed) else (),
                    round(float((printed @ picture).max()), 4) if len(printed) else None,
                )
            )
        return results

    def _encode_images(self, images: list[np.ndarray]) -> torch.Tensor:
        """Unit vectors, (pictures, width)."""
        pictures = [as_picture(image) for image in images]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"].to(self._device)
        return _unit(self._model.get_image_features(pixel_values=pixels))

    def _encode_texts(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors, (texts, width); of a text longer than the model reads, the mean direction of its pieces."""
        import torch

        pieces = [self._pieces(text) for text in texts]
        flat = [piece for own in pieces for piece in own]
        parts = []
        for start in range(0, len(flat), TEXTS):
            inputs = self._tokenizer(
                flat[start : start + TEXTS],
                padding="max_length" if self._padded else True,
                truncation=True,
                max_length=self._limit,
                return_tensors="pt",
            ).to(self._device)
            parts.append(
                _unit(
                    self._model.get_text_features(
                        input_ids=inputs["input_ids"],
                        attention_mask=None if self._padded else inputs["attention_mask"],
                    )
                )
            )
        vectors = torch.cat(parts)
        if len(flat) == len(texts):
            return vectors
        means = torch.stack([part.mean(dim=0) for part in vectors.split([len(own) for own in pieces])])
        return means / means.norm(p=2, dim=-1, keepdim=True)

    def _pieces(self, text: str) -> list[str]:
        """The text, in halves of halves until the model can read each whole; of an endless word, the beginning."""
        words = text.split()
        if len(words) < 2 or len(self._tokenizer(text, verbose=False)["input_ids"]) <= self._limit:
            return [text]
        middle = len(words) // 2
        return [*self._pieces(" ".join(words[:middle])), *self._pieces(" ".join(words[middle:]))]


def _unit(features: Any) -> torch.Tensor:
    """The projected features that transformers gives, at length 1."""
    vectors = features.pooler_output
    return vectors / vectors.norm(p=2, dim=-1, keepdim=True)
