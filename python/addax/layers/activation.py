"""Activations as layers of their own."""

from __future__ import annotations

from typing import Any

from addax import activations
from addax.layers.base import Layer
from addax.ops.emit import Tensor


class Activation(Layer):
    """Applies an activation given by its name or as a function.

    >>> import numpy as np
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        activated: Tensor = self.activation(inputs)
        return activated


class ReLU(Layer):
    """``max(x, 0)``, or with arguments its leaky, capped or shifted form.

    >>> import numpy as np
    >>> ReLU(max_value=1.0)(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 1.0]]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class Softmax(Layer):
    """Turns logits into probabilities along an axis.

    >>> import numpy as np
    >>> Softmax()(np.zeros((1, 2))).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the outputs."""
        return activations.softmax(inputs, self.axis)
