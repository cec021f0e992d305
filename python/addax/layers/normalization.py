"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from addax import initializers
from addax.layers.base import Layer
from addax.ops import neural
from addax.ops.creation import full
from addax.ops.emit import Tensor, emit, resolve_axis
from addax.ops.manipulation import moveaxis


class BatchNormalization(Layer):
    """Gives each channel mean ``beta`` and standard deviation ``gamma`` over the batch.

    While training it normalises by the batch's own statistics and keeps moving averages of them,
    which serve afterwards. All of these keep the dtype of the weights, whatever that of the inputs.

    >>> import numpy as np
    >>> BatchNormalization(epsilon=0.0)(np.ones((2, 3), np.float32)).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        """Create scale, offset and moving statistics."""
        self._expect(input_shape, min_rank=2)
        shape = (input_shape[resolve_axis(self.axis, len(input_shape), self.name)],)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")
        if self.center:
            self.beta = self.add_weight(shape, self.beta_initializer, name="beta")
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Compute the outputs."""
        axis = resolve_axis(self.axis, inputs.ndim, self.name)
        last = axis == inputs.ndim - 1
        x = inputs if last else moveaxis(inputs, axis, -1)
        self._expect(x.shape, min_rank=2, last=self.moving_mean.shape[0])
        gamma = self._constant(1.0) if self.gamma is None else self.gamma
        beta = self._constant(0.0) if self.beta is None else self.beta
        if training and self.trainable:
            y, mean, variance = neural.batch_norm_train(x, gamma, beta, self.epsilon)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            y = emit(
                "batch_norm",
                x,
                gamma,
                beta,
                self.moving_mean,
                self.moving_variance,
                epsilon=self.epsilon,
            )
        return y if last else moveaxis(y, -1, axis)

    def _constant(self, value: float) -> Tensor:
        return full(list(self.moving_mean.shape), value, self.variable_dtype)

    def _follow(self, moving: Any, batch: Tensor) -> None:
        moving.assign(moving * self.momentum + batch * (1 - self.momentum))
