"""Writing a trained network as ONNX, its numbers in 16 bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from revista.errors import MissingProgram


def write_onnx(
    network: torch.nn.Module,
    file: Path,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    free: Mapping[str, Mapping[int, str]],
) -> None:
    """Write a network as ONNX.

    Args:
        network: on the CPU.
        file: where to; an existing file is overwritten.
        inputs: an example of each, in order, by name.
        outputs: the names of what it gives.
        free: axes of inputs and outputs whose length is free, with their names.

    Raises:
        MissingProgram: the packages that write ONNX are not installed.
    """
    try:
        torch.onnx.export(
            network.eval(),
            tuple(inputs.values()),
            str(file),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in free.items()},
            opset_version=17,
            dynamo=False,
        )
    except ImportError:
        raise MissingProgram(
            "writing ONNX needs the package onnx", "Install it with: pip install -e '.[train]'"
        ) from None
    _halve(file)


def _halve(file: Path) -> None:
    """Keep the numbers of an ONNX file in 16 bits; onnxruntime makes 32 of them when it loads it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(file)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 1:
            name = f"{tensor.name}.half"
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, file)
