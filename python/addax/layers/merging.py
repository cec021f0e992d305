"""Layers that join several inputs."""

from __future__ import annotations

from typing import Any

from addax.errors import InvalidArgumentError, ShapeError
from addax.layers.base import Layer
from addax.ops.emit import Tensor, emit


class _Merge(Layer):
    """Joins a list of inputs pairwise."""

    _op: str

    def build(self, input_shape: Any) -> None:
        """Check that there is more than one input."""
        if (
            not isinstance(input_shape, list | tuple)
            or len(input_shape) < 2
            or not all(isinstance(shape, list | tuple) for shape in input_shape)
        ):
            raise InvalidArgumentError(
                f"layer '{self.name}' expected a list of at least two inputs, got shape "
                f"{input_shape}"
            )

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Compute the outputs."""
        result, *others = inputs
        for other in others:
            result = emit(self._op, result, other)
        return result


class Add(_Merge):
    """Sum of its inputs.

    >>> import numpy as np
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    _op = "add"


class Multiply(_Merge):
    """Product of its inputs.

    >>> import numpy as np
    >>> Multiply()([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """

    _op = "multiply"


class Maximum(_Merge):
    """Largest of its inputs, element by element.

    >>> import numpy as np
    >>> Maximum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    _op = "maximum"


class Minimum(_Merge):
    """Smallest of its inputs, element by element.

    >>> import numpy as np
    >>> Minimum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    _op = "minimum"


class Subtract(_Merge):
    """The first input less the second.

    >>> import numpy as np
    >>> Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    _op = "subtract"


class Average(_Merge):
    """Mean of its inputs, element by element.

    >>> import numpy as np
    >>> Average()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    _op = "add"

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Compute the outputs."""
        return super().call(inputs) / len(inputs)


class Concatenate(_Merge):
    """Joins its inputs along an axis.

    >>> import numpy as np
    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 3))]).shape
    (1, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Compute the outputs."""
        shapes = [tuple(x.shape) for x in inputs]
        if len({len(shape) for shape in shapes}) > 1:
            raise ShapeError(
                f"layer '{self.name}' expected inputs of one rank, got shapes {shapes}"
            )
        return emit("concatenate", *inputs, axis=self.axis)
