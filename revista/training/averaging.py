"""The mean of a network's weights before and after a training that began with given ones.

It knows the new pages and forgets less of the old than the weights after it: Wortsman et al. 2022, "Robust fine-tuning
of zero-shot models", arXiv:2109.01903.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn


def average(
    network: nn.Module, before: Mapping[str, torch.Tensor], share: float, examples: Iterable[torch.Tensor]
) -> None:
    """Mix older weights into those of a network.

    Args:
        network: after its training; its weights are changed.
        before: its state before it.
        share: of the older weights in the mean, 0.0 to 1.0.
        examples: what the network takes, on its device: statistics of batch normalisation do not mix, and are taken
            anew of these.
    """
    mean = {
        name: torch.lerp(value, before[name].to(value), share) if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(mean)
    torch.optim.swa_utils.update_bn(examples, network)
