"""The table of a model's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from addax import nested
from addax.layers.input import InputLayer

if TYPE_CHECKING:
    from addax.models.model import Model

_BYTES = {"float64": 8, "int64": 8, "float16": 2, "bfloat16": 2, "uint8": 1, "int8": 1, "bool": 1}


def summary(model: Model, line_length: int | None = None, expand_nested: bool = False) -> str:
    """Return the table: name and class, output shape and number of parameters of each layer."""
    header = ("Layer (type)", "Output Shape", "Param #")
    rows = [*_rows(model, _shapes(model), expand_nested, "")]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(3)]
    if line_length is not None:
        widths[0] = max(widths[0], line_length - sum(widths[1:]) - 10)

    def line(left: str, bar: str, middle: str, right: str) -> str:
        return left + middle.join(bar * (width + 2) for width in widths) + right

    def cells(row: tuple[str, str, str], edge: str) -> str:
        name, shape, count = row
        texts = (name.ljust(widths[0]), shape.ljust(widths[1]), count.rjust(widths[2]))
        return edge + edge.join(f" {text} " for text in texts) + edge

    lines = [f'Model: "{model.name}"', line("┏", "━", "┳", "┓"), cells(header, "┃")]
    lines.append(line("┡", "━", "╇", "┩"))
    for index, row in enumerate(rows):
        if index:
            lines.append(line("├", "─", "┼", "┤"))
        lines.append(cells(row, "│"))
    lines += [line("└", "─", "┴", "┘"), *_totals(model)]
    return "\n".join(lines)


def _shapes(model: Model) -> dict[int, Any]:
    """Return the output shape of each layer's first call, by the layer's id."""
    shapes: dict[int, Any] = {}
    graph = model._graph
    if graph is not None:
        shapes = {
            id(layer): layer.batch_shape for layer in graph.layers if isinstance(layer, InputLayer)
        }
        for node in graph.nodes:
            shapes.setdefault(
                id(node.operation), nested.map_leaves(lambda x: x.shape, node.outputs)
            )
    return shapes


def _rows(
    model: Model, shapes: dict[int, Any], expand_nested: bool, indent: str
) -> list[tuple[str, str, str]]:
    rows = []
    for layer in model.layers:
        shape = shapes.get(id(layer))
        rows.append(
            (
                f"{indent}{layer.name} ({type(layer).__name__})",
                "?" if shape is None else str(shape),
                f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
            )
        )
        if expand_nested and hasattr(layer, "layers"):
            inner: Any = layer
            rows += _rows(inner, _shapes(inner), True, indent + "  └ ")
    return rows


def _totals(model: Model) -> list[str]:
    trained = {id(variable) for variable in model.trainable_weights}
    kept = [variable for variable in model.weights if id(variable) not in trained]
    lines = [
        f" Total params: {_amount(model.weights)}",
        f" Trainable params: {_amount(model.trainable_weights)}",
        f" Non-trainable params: {_amount(kept)}",
    ]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.variables:
        lines.append(f" Optimizer params: {_amount(optimizer.variables)}")
    return lines


def _amount(variables: list[Any]) -> str:
    count = sum(int(np.prod(variable.shape)) for variable in variables)
    size: float = sum(int(np.prod(v.shape)) * _BYTES.get(v.dtype, 4) for v in variables)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{count:,} ({size:.2f} {unit})"
        size /= 1024
    return f"{count:,} ({size:.2f} GB)"
