"""Writing a trained network as ONNX, its numbers in 16 bits, and beginning a training with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from revista.errors import BadArguments, MissingProgram


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


def begin_with(network: nn.Module, file: Path, example: torch.Tensor) -> None:
    """Give a network the weights in a file.

    Args:
        network: convolutions without a bias in it are followed by batch normalisation.
        file: its weights as safetensors, or an ONNX file that `write_onnx` made of its like. Such a file has batch
            normalisation folded into the convolutions: it is set so that on `example` all comes out as it did.
        example: what the network takes, on its device, as much of it as a step of training sees.

    Raises:
        BadArguments: the file cannot be read, or does not fit the network.
        MissingProgram: the package that reads ONNX is not installed.
    """
    try:
        if file.suffix == ".onnx":
            _unfold(network, _weights(file), example)
        else:
            network.load_state_dict(load_file(file))
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        why = str(error).partition("\n")[0]  # torch lists all layers that are missing, a line each
        raise BadArguments(
            f"{file} is no weights to begin with: {why}", "Name the .safetensors or .onnx of the same training."
        ) from error


def _weights(file: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of the convolutions and linear layers of an ONNX file, in the order in which they are run."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise MissingProgram(
            "reading ONNX needs the package onnx", "Install it with: pip install -e '.[train]'"
        ) from None
    try:
        graph = onnx.load(file).graph
    except Exception as error:  # protobuf's own kinds of error
        raise ValueError(f"it is not ONNX: {error}") from error
    values: dict[str, np.ndarray] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    values |= {n.output[0]: values[n.input[0]] for n in graph.node if n.op_type == "Cast" and n.input[0] in values}
    layers = [node.input for node in graph.node if node.op_type in ("Conv", "Gemm")]
    return [(values[names[1]].astype(np.float32), values[names[2]].astype(np.float32)) for names in layers]


def _unfold(network: nn.Module, weights: Sequence[tuple[np.ndarray, np.ndarray]], example: torch.Tensor) -> None:
    """Run the network once, and give each layer its weights on the way."""
    left = list(weights)
    shift: list[torch.Tensor] = []  # of the convolution before a batch normalisation

    def give(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(layer, nn.BatchNorm2d):
            variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
            layer.running_mean.copy_(mean)  # type: ignore[union-attr]
            layer.running_var.copy_(variance)  # type: ignore[union-attr]
            layer.weight.copy_((variance + layer.eps).sqrt())
            layer.bias.copy_(shift.pop().to(mean) + mean)
            return
        if not left or left[0][0].shape != layer.weight.shape:
            raise ValueError("its layers are others")
        weight, bias = map(torch.from_numpy, left.pop(0))
        layer.weight.copy_(weight)  # type: ignore[operator]
        if layer.bias is None:
            shift.append(bias)
        else:
            layer.bias.copy_(bias)  # type: ignore[operator]

    layers = (m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)))
    hooks = [layer.register_forward_pre_hook(give) for layer in layers]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(example)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    if left:
        raise ValueError("its layers are others")
