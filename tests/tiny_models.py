"""BLIP and CLIP checkpoints of the real architectures, small, with random weights and a vocabulary of a few words.

They say nonsense, but by the same code, files and shapes as the real ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

WORDS = (
    *("a", "an", "the", "two", "three", "man", "woman", "lady", "people", "dog", "horse", "house", "tree", "boat"),
    *("sea", "car", "hat", "table", "street", "garden", "flower", "water", "building", "red", "old", "young", "white"),
    *("black", "standing", "sitting", "photograph", "picture", "of", "with", "on", "in"),
)
SIDE = 32  # pixels of the pictures that the models see


def one_thread() -> None:
    """Let torch use one thread: small models gain nothing by more, and lose much on a busy machine."""
    import torch

    torch.set_num_threads(1)


def noise(seed: int, height: int = 50, width: int = 40) -> np.ndarray:
    """A picture of random coloured blocks, (height, width, 3) uint8."""
    blocks = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((-(-height // 5), -(-width // 4), 1), dtype=np.uint8))[:height, :width]


def save_blip(folder: Path, seed: int = 0) -> Path:
    """A BLIP captioning checkpoint in `folder`."""
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessorPil

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS, "##s", "[DEC]"])}
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(seed)
    config = BlipConfig(
        text_config={
            **sizes,
            "vocab_size": len(vocabulary),
            "encoder_hidden_size": 32,
            "projection_dim": 16,
            "max_position_embeddings": 64,
            "bos_token_id": vocabulary["[DEC]"],
            "eos_token_id": 2,
            "sep_token_id": vocabulary["[SEP]"],
            "pad_token_id": vocabulary["[PAD]"],
            "initializer_range": 0.3,
        },
        vision_config={**sizes, "image_size": SIDE, "patch_size": 8, "projection_dim": 16, "initializer_range": 0.3},
        projection_dim=16,
        image_text_hidden_size=16,
    )
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def save_matcher(folder: Path) -> Path:
    """A BLIP checkpoint with a matching head, over the same vocabulary."""
    import torch
    from transformers import BlipConfig, BlipForImageTextRetrieval

    config = BlipConfig.from_pretrained(save_blip(folder))
    torch.manual_seed(1)
    BlipForImageTextRetrieval(config).save_pretrained(folder)
    return folder


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP checkpoint in `folder`: letters, and the pairs that the words above begin with."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    pairs = sorted({(word[0], word[1] + ("</w>" if len(word) == 2 else "")) for word in WORDS if len(word) > 1})
    tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in pairs)]
    vocabulary = {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=pairs)
    torch.manual_seed(seed)
    config = CLIPConfig(
        text_config=_text_sizes(len(vocabulary), tokenizer.bos_token_id, tokenizer.eos_token_id),
        vision_config=_vision_sizes(),
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _clip_processor(CLIPImageProcessorPil).save_pretrained(folder)
    return folder


def save_metaclip(folder: Path, seed: int = 0) -> Path:
    """A MetaCLIP 2 checkpoint in `folder`."""
    import torch
    from transformers import CLIPImageProcessorPil, MetaClip2Config, MetaClip2Model, XLMRobertaTokenizer

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = "abcdefghijklmnopqrstuvwxyzáéíóúñü .,"
    pieces = [*special, "▁", *letters, *("▁" + word for word in WORDS), "<mask>"]
    tokenizer = XLMRobertaTokenizer(vocab=[(piece, -float(i)) for i, piece in enumerate(pieces)])
    torch.manual_seed(seed)
    config = MetaClip2Config(
        text_config=_text_sizes(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id),
        vision_config=_vision_sizes(),
        projection_dim=16,
    )
    MetaClip2Model(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _clip_processor(CLIPImageProcessorPil).save_pretrained(folder)
    return folder


def save_siglip(folder: Path, seed: int = 0) -> Path:
    """A SigLIP 2 checkpoint of a fixed resolution in `folder`; its texts are letters."""
    import torch
    from transformers import Siglip2Tokenizer, SiglipConfig, SiglipImageProcessorPil, SiglipModel

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    vocabulary = {token: i for i, token in enumerate([*special, "▁", *"abcdefghijklmnopqrstuvwxyzáéíóúñü.,"])}
    torch.manual_seed(seed)
    text = _text_sizes(len(vocabulary), 2, 1) | {"max_position_embeddings": 64, "pad_token_id": 0}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=_vision_sizes()))
    torch.nn.init.constant_(model.logit_scale, 2.0)
    torch.nn.init.constant_(model.logit_bias, -3.0)
    model.save_pretrained(folder)
    Siglip2Tokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def _text_sizes(vocabulary: int, start: int, end: int) -> dict[str, object]:
    return {
        "vocab_size": vocabulary,
        "bos_token_id": start,
        "eos_token_id": end,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 77,
    }


def _vision_sizes() -> dict[str, object]:
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": SIDE,
        "patch_size": 8,
    }


def _clip_processor(cls: type) -> object:
    return cls(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
