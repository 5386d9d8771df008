"""BLIP and CLIP over the convolutional encoder: transformers' text sides, our vision side.

Saved and loaded by transformers as any other checkpoint. Importing this module makes the model types known to its Auto
classes, so that `AutoModel` finds a compact CLIP too.
"""

from __future__ import annotations

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipTextConfig,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    PreTrainedConfig,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.blip.modeling_blip import BlipPreTrainedModel
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel
from transformers.models.clip.modeling_clip import CLIPPreTrainedModel, CLIPTextModel

from revista.compact.encoder import FEATURES, SIDE, Encoder


class CompactVisionConfig(PreTrainedConfig):
    """What the vision side of a compact model looks like."""

    model_type = "revista_vision"
    base_config_key = "vision_config"

    hidden_size: int = 256  # of what the text side sees
    expansion: int = 8
    image_size: int = SIDE
    dropout: float = 0.1
    initializer_range: float = 0.02


class CompactBlipVision(nn.Module):
    """The encoder's map as a row of states, like a vision transformer's: the mean of all places first, then the 49."""

    def __init__(self, config: CompactVisionConfig) -> None:
        """Build it with random weights."""
        super().__init__()
        self.encoder = Encoder(config.expansion)
        self.narrow = nn.Linear(FEATURES, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.places = nn.Parameter(torch.zeros(1 + (SIDE // 32) ** 2, config.hidden_size))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, pixel_values: torch.Tensor, **ignored: object) -> BaseModelOutputWithPooling:
        """Pixels (pictures, 3, 224, 224) to states (pictures, 50, hidden_size)."""
        return self.from_map(self.encoder(pixel_values))

    def from_map(self, features: torch.Tensor) -> BaseModelOutputWithPooling:
        """The same from the encoder's map (pictures, 1280, 7, 7): training keeps the encoder frozen at first."""
        cells = features.flatten(2).transpose(1, 2)
        rows = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)
        states = self.dropout(self.norm(self.narrow(self.dropout(rows))) + self.places)
        return BaseModelOutputWithPooling(last_hidden_state=states, pooler_output=states[:, 0])


class CompactClipVision(nn.Module):
    """The encoder's map as one vector, from the mean and the largest value of each channel."""

    def __init__(self, config: CompactVisionConfig) -> None:
        """Build it with random weights."""
        super().__init__()
        self.encoder = Encoder(config.expansion)
        self.layers = nn.Sequential(
            nn.LayerNorm(2 * FEATURES),
            nn.Dropout(config.dropout),
            nn.Linear(2 * FEATURES, config.hidden_size),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )

    def forward(self, pixel_values: torch.Tensor, **ignored: object) -> BaseModelOutputWithPooling:
        """Pixels (pictures, 3, 224, 224) to vectors (pictures, hidden_size)."""
        return self.from_map(self.encoder(pixel_values))

    def from_map(self, features: torch.Tensor) -> BaseModelOutputWithPooling:
        """The same from the encoder's map (pictures, 1280, 7, 7)."""
        cells = features.flatten(2)
        vectors = self.layers(torch.cat([cells.mean(dim=2), cells.amax(dim=2)], dim=1))
        return BaseModelOutputWithPooling(last_hidden_state=vectors[:, None], pooler_output=vectors)


class CompactBlipConfig(BlipConfig):
    """BLIP's configuration over our vision side."""

    model_type = "revista_blip"
    sub_configs_defaults = {  # noqa: RUF012 - as transformers declares it
        "text_config": BlipTextConfig,
        "vision_config": CompactVisionConfig,
    }


class CompactBlip(BlipForConditionalGeneration):
    """BLIP's captioner with our encoder in the place of its vision transformer."""

    config_class = CompactBlipConfig

    def __init__(self, config: CompactBlipConfig) -> None:
        """Build it with random weights."""
        BlipPreTrainedModel.__init__(self, config)
        self.vision_model = CompactBlipVision(config.vision_config)
        self.text_decoder = BlipTextLMHeadModel(config.text_config)
        self.decoder_input_ids = config.text_config.bos_token_id
        self.decoder_pad_token_id = config.text_config.pad_token_id
        self.post_init()


@strict
class CompactClipConfig(CLIPConfig):
    """CLIP's configuration over our vision side."""

    model_type = "revista_clip"
    sub_configs_defaults = {  # noqa: RUF012 - as transformers declares it
        "text_config": CLIPTextConfig,
        "vision_config": CompactVisionConfig,
    }

    vision_config: dict | PreTrainedConfig | None = None


class CompactClip(CLIPModel):
    """CLIP with our encoder in the place of its vision transformer."""

    config_class = CompactClipConfig

    def __init__(self, config: CompactClipConfig) -> None:
        """Build it with random weights."""
        CLIPPreTrainedModel.__init__(self, config)
        vision: Any = config.vision_config
        self.projection_dim = config.projection_dim
        self.text_embed_dim = config.text_config.hidden_size
        self.vision_embed_dim = vision.hidden_size
        self.text_model = CLIPTextModel._from_config(config.text_config)
        self.vision_model = CompactClipVision(vision)
        self.visual_projection = nn.Linear(self.vision_embed_dim, self.projection_dim, bias=False)
        self.text_projection = nn.Linear(self.text_embed_dim, self.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(self.config.logit_scale_init_value))
        self.post_init()


AutoConfig.register("revista_clip", CompactClipConfig)
AutoModel.register(CompactClipConfig, CompactClip)
