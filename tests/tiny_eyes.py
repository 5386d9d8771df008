"""BLIP-2 and vision-language checkpoints of the real architectures, small, with random weights or lessons learnt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .tiny_models import SIDE, WORDS, _vision_sizes

if TYPE_CHECKING:
    from revista.captions.vlm import Vlm

_SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
TEMPLATE = (
    "{% for message in messages %}<|user|>{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save_blip2(folder: Path, seed: int = 0, language: str = "opt") -> Path:
    """A BLIP-2 checkpoint whose language model is an OPT or a T5; its words are those of `tiny_models`."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        BlipImageProcessorPil,
        OPTConfig,
        PreTrainedTokenizerFast,
        T5Config,
    )

    special = ["<pad>", "<unk>", "</s>", "<image>"]
    words = Tokenizer(WordLevel({word: i for i, word in enumerate([*special, *WORDS])}, "<unk>"))
    words.pre_tokenizer = Whitespace()
    form = "</s> $A" if language == "opt" else "$A </s>"
    words.post_processor = TemplateProcessing(single=form, special_tokens=[("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="</s>", extra_special_tokens=["<image>"]
    )
    ids = {"vocab_size": len(tokenizer), "pad_token_id": 0, "eos_token_id": 2}
    text: Any
    if language == "opt":
        text = OPTConfig(
            **ids, hidden_size=32, word_embed_proj_dim=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=64, bos_token_id=2, init_std=0.5,
        )  # fmt: skip
    else:
        text = T5Config(
            **ids, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0,
            initializer_factor=3.0,
        )  # fmt: skip
    torch.manual_seed(seed)
    config = Blip2Config(
        vision_config={**_vision_sizes(), "initializer_range": 0.3},
        qformer_config={**_SIZES, "encoder_hidden_size": 32, "vocab_size": 50, "initializer_range": 0.3},
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_token_index=3,
    )
    model = Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    torch.nn.init.normal_(model.language_projection.weight, std=0.5)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def save_llava(folder: Path, texts: list[str], seed: int = 0) -> Path:
    """A LLaVA checkpoint; its tokenizer has learnt from `texts`, its weights are random."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _letters(texts, ["<pad>", "<s>", "</s>", "<image>", "<|user|>", "<|assistant|>"])
    torch.manual_seed(seed)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**_vision_sizes()),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=2048, bos_token_id=1, eos_token_id=2,
            pad_token_id=0,
        ),
        image_token_index=3,
    )  # fmt: skip
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    images = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    LlavaProcessor(
        images, tokenizer, patch_size=8, vision_feature_select_strategy="default", chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def save_idefics3(folder: Path, texts: list[str], seed: int = 0) -> Path:
    """An Idefics3 checkpoint (as SmolVLM's first ones are) with random weights."""
    import torch
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
        LlamaConfig,
    )

    marks = ["<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    tokenizer = _letters(texts, ["<pad>", "<s>", "</s>", "<image>", "<|user|>", "<|assistant|>", *marks])
    torch.manual_seed(seed)
    config = Idefics3Config(
        vision_config={**_vision_sizes(), "initializer_range": 0.3},
        text_config=LlamaConfig(
            vocab_size=len(tokenizer), **_SIZES, num_key_value_heads=4, max_position_embeddings=2048, bos_token_id=1,
            eos_token_id=2, pad_token_id=0,
        ),
        image_token_id=3, scale_factor=2, pad_token_id=0,
    )  # fmt: skip
    Idefics3ForConditionalGeneration(config).save_pretrained(folder)
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": SIDE}, max_image_size={"longest_edge": SIDE}, do_image_splitting=False
    )
    Idefics3Processor(images, tokenizer, image_seq_len=4, chat_template=TEMPLATE).save_pretrained(folder)
    return folder


def _letters(texts: list[str], special: list[str]) -> Any:
    """A tokenizer of bytes and their most common sequences in `texts`, in which any text can be written."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=1200, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>", extra_special_tokens=special[3:]
    )


def teach(model: Vlm, lessons: list[tuple[Any, str]], steps: int) -> float:
    """Let a loaded model learn to answer requests by heart: the last step's loss.

    Args:
        model: with weights that may be changed.
        lessons: requests of a captioner, and what to answer.
        steps: of Adam, each over all lessons.
    """
    import torch

    network, tokenizer = model._model, model._tokenizer
    rows = []
    for request, answer in lessons:
        inputs = model._inputs(request)
        said = tokenizer(answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        rows.append((inputs, torch.tensor([said])))
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    loss = torch.tensor(0.0)
    for _ in range(steps):
        optimiser.zero_grad()
        for inputs, said in rows:
            ids = torch.cat([inputs["input_ids"], said], 1)
            labels = torch.cat([torch.full_like(inputs["input_ids"], -100), said], 1)
            more = {k: v for k, v in inputs.items() if k not in ("input_ids", "attention_mask", "mm_token_type_ids")}
            loss = network(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **more).loss
            loss.backward()
        optimiser.step()
    return float(loss.detach())


def save_marian(folder: Path, lessons: list[tuple[str, str]], steps: int, languages: tuple[str, str]) -> Path:
    """A Marian checkpoint with sentencepiece models of its own that learns `lessons` by heart, if given the steps.

    Args:
        folder: where to save it.
        lessons: texts and their translations.
        steps: of Adam, each over all lessons; 0: the weights stay random.
        languages: of the texts and of the translations, as its tokenizer says.
    """
    import io
    import json
    import warnings

    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir(parents=True)
    pieces: dict[str, None] = {}
    for side, name in enumerate(("source.spm", "target.spm")):
        written = io.BytesIO()
        texts = [lesson[side] for lesson in lessons] * 5
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=written, vocab_size=120, hard_vocab_limit=False,
            character_coverage=1.0, bos_id=-1, minloglevel=2,
        )  # fmt: skip
        (folder / name).write_bytes(written.getvalue())
        model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
        pieces.update(dict.fromkeys(model.id_to_piece(i) for i in range(model.get_piece_size())))
    words = ["</s>", "<unk>", *(piece for piece in pieces if piece not in ("</s>", "<unk>")), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}, ensure_ascii=False))
    files = {name: str(folder / f"{name}.spm") for name in ("source", "target")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer = MarianTokenizer(
            files["source"], files["target"], str(folder / "vocab.json"), source_lang=languages[0],
            target_lang=languages[1],
        )  # fmt: skip
    torch.manual_seed(0)
    network = MarianMTModel(
        MarianConfig(
            vocab_size=len(words), d_model=64, encoder_layers=1, decoder_layers=1, encoder_attention_heads=4,
            decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128, max_position_embeddings=256,
            pad_token_id=len(words) - 1, decoder_start_token_id=len(words) - 1, eos_token_id=0, forced_eos_token_id=0,
            dropout=0.0,
        )
    )  # fmt: skip
    inputs = tokenizer(
        [one for one, _ in lessons], text_target=[other for _, other in lessons], return_tensors="pt", padding=True
    )
    inputs["labels"][inputs["labels"] == tokenizer.pad_token_id] = -100
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        network(**inputs).loss.backward()
        optimiser.step()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
