"""BLIP's text decoder for many sentences about few pictures: what it attends to is computed once a picture.

In transformers' `generate` each beam has keys and values of the picture of its own: made anew for each call, as many
times as there are beams, read at each word, and copied about whenever beams change places. They are the same for all
beams, samples and prompts, so here each picture's are made once, and its beams stand side by side as queries to them.
Texts come out the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Attended = list[tuple["torch.Tensor", "torch.Tensor"]]
"""Keys and values of pictures for each layer, each (pictures, heads, places, width of a head)."""


def attended(decoder: Any, states: torch.Tensor) -> Attended:
    """Keys and values of encoder states in each layer of the decoder.

    Args:
        decoder: a `BlipTextLMHeadModel`.
        states: (pictures, places, width).
    """

    def split(made: torch.Tensor, heads: int) -> torch.Tensor:
        return made.unflatten(2, (heads, -1)).transpose(1, 2)

    layers = (layer.crossattention.self for layer in decoder.bert.encoder.layer)
    return [
        (split(at.key(states), at.num_attention_heads), split(at.value(states), at.num_attention_heads))
        for at in layers
    ]


def cache(of: Attended, pictures: list[int]) -> Any:
    """A cache for `generate` whose rows, in order and as many for each picture, attend to `pictures`.

    It needs a decoder that `share_pictures` has seen. Beam search only ever takes a beam's place with another of the
    same picture, so reordering leaves the pictures' part as it is.
    """
    from transformers import DynamicCache, EncoderDecoderCache

    class Shared(DynamicCache):
        of_pictures = True

        def reorder_cache(self, beam_idx: torch.Tensor) -> None:
            """Nothing changes: all beams of a picture attend to the same."""

    return EncoderDecoderCache(DynamicCache(), Shared([(keys[pictures], values[pictures]) for keys, values in of]))


def share_pictures(decoder: Any) -> None:
    """Let the rows of one picture look at it together, wherever the cache is one of `cache`.

    (rows, tokens, width) becomes (pictures, rows of each times tokens, width) before each cross-attention, and is
    turned back behind it: attention to a picture, other than to words, asks for each token alone.
    """

    def fold(
        module: Any, given: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        seen: Any = getattr(named.get("past_key_values"), "cross_attention_cache", None)
        if not getattr(seen, "of_pictures", False):
            return None
        return (given[0].reshape(len(seen.layers[0].keys), -1, given[0].shape[2]), *given[1:]), named

    def unfold(module: Any, given: tuple[Any, ...], named: dict[str, Any], made: tuple[Any, ...]) -> tuple[Any, ...]:
        rows = named["encoder_hidden_states"].shape[0]
        return made[0].reshape(rows, -1, made[0].shape[2]), *made[1:]

    for layer in decoder.bert.encoder.layer:
        layer.crossattention.register_forward_pre_hook(fold, with_kwargs=True)
        layer.crossattention.register_forward_hook(unfold, with_kwargs=True)


def halve(module: Any) -> None:
    """Let the linear layers of a module compute in bf16, and everything between them in 32-bit floats.

    Not meant for the layer that scores the vocabulary: beams that lie close together then change places.
    """
    import torch

    for part in module.modules():
        if isinstance(part, torch.nn.Linear):
            part.bfloat16()
            part.register_forward_pre_hook(lambda _, given: (given[0].bfloat16(),))
            part.register_forward_hook(lambda _module, _given, made: made.float())
