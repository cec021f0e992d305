"""Plain NumPy references of what NumPy itself does not have: written for clarity, not for speed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

Array = np.ndarray


def _windows(
    shape: tuple[int, ...], window: tuple[int, int], strides: tuple[int, int],
    padding: tuple[int, int, int, int], dilations: tuple[int, int] = (1, 1),
) -> tuple[tuple[int, int], Iterator[tuple[int, int, int, int, int, int]]]:  # fmt: skip
    """Output extents, and (out row, out column, tap row, tap column, row, column) inside x."""
    spans = [(window[i] - 1) * dilations[i] + 1 for i in range(2)]
    pads = [padding[0] + padding[1], padding[2] + padding[3]]
    out = tuple((shape[1 + i] + pads[i] - spans[i]) // strides[i] + 1 for i in range(2))

    def visit() -> Iterator[tuple[int, int, int, int, int, int]]:
        for oy, ox in itertools.product(range(out[0]), range(out[1])):
            for ky, kx in itertools.product(range(window[0]), range(window[1])):
                y = oy * strides[0] - padding[0] + ky * dilations[0]
                x = ox * strides[1] - padding[2] + kx * dilations[1]
                if 0 <= y < shape[1] and 0 <= x < shape[2]:
                    yield oy, ox, ky, kx, y, x

    return (out[0], out[1]), visit()


def _channel_groups(x_channels: int, filters: int, groups: int) -> Iterator[tuple[slice, slice]]:
    size_in, size_out = x_channels // groups, filters // groups
    for g in range(groups):
        yield slice(g * size_in, (g + 1) * size_in), slice(g * size_out, (g + 1) * size_out)


def conv2d(x: Array, w: Array, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1):
    out, visit = _windows(x.shape, w.shape[:2], strides, padding, dilations)
    y = np.zeros((x.shape[0], *out, w.shape[3]))
    for oy, ox, ky, kx, row, column in visit:
        for c, o in _channel_groups(x.shape[3], w.shape[3], groups):
            y[:, oy, ox, o] += x[:, row, column, c] @ w[ky, kx, :, o]
    return y


def conv2d_input_grad(
    dy, w, input_shape, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1
):
    dx = np.zeros(input_shape)
    _, visit = _windows(input_shape, w.shape[:2], strides, padding, dilations)
    for oy, ox, ky, kx, row, column in visit:
        for c, o in _channel_groups(input_shape[3], w.shape[3], groups):
            dx[:, row, column, c] += dy[:, oy, ox, o] @ w[ky, kx, :, o].T
    return dx


def conv2d_filter_grad(
    x, dy, filter_shape, strides=(1, 1), padding=(0, 0, 0, 0), dilations=(1, 1), groups=1
):
    dw = np.zeros(filter_shape)
    _, visit = _windows(x.shape, filter_shape[:2], strides, padding, dilations)
    for oy, ox, ky, kx, row, column in visit:
        for c, o in _channel_groups(x.shape[3], filter_shape[3], groups):
            dw[ky, kx, :, o] += x[:, row, column, c].T @ dy[:, oy, ox, o]
    return dw


def max_pool2d(x, pool_size, strides, padding=(0, 0, 0, 0)):
    out, visit = _windows(x.shape, pool_size, strides, padding)
    y = np.full((x.shape[0], *out, x.shape[3]), -np.inf)
    for oy, ox, _, _, row, column in visit:
        y[:, oy, ox] = np.maximum(y[:, oy, ox], x[:, row, column])
    return y


def max_pool2d_grad(x, dy, pool_size, strides, padding=(0, 0, 0, 0)):
    y = max_pool2d(x, pool_size, strides, padding)
    taken = np.zeros(y.shape, bool)
    dx = np.zeros(x.shape)
    _, visit = _windows(x.shape, pool_size, strides, padding)
    for oy, ox, _, _, row, column in visit:
        first = (x[:, row, column] == y[:, oy, ox]) & ~taken[:, oy, ox]
        taken[:, oy, ox] |= first
        dx[:, row, column] += np.where(first, dy[:, oy, ox], 0)
    return dx


def max_pool2d_argmax(x, pool_size, strides, padding=(0, 0, 0, 0)):
    y = max_pool2d(x, pool_size, strides, padding)
    argmax = np.full(y.shape, 255, np.uint8)
    _, visit = _windows(x.shape, pool_size, strides, padding)
    for oy, ox, i, j, row, column in visit:
        first = (x[:, row, column] == y[:, oy, ox]) & (argmax[:, oy, ox] == 255)
        argmax[:, oy, ox][first] = i * pool_size[1] + j
    return [y, argmax]


def max_pool2d_argmax_grad(dy, argmax, input_shape, pool_size, strides, padding=(0, 0, 0, 0)):
    dx = np.zeros(input_shape)
    _, visit = _windows(input_shape, pool_size, strides, padding)
    for oy, ox, i, j, row, column in visit:
        chosen = argmax[:, oy, ox] == i * pool_size[1] + j
        dx[:, row, column] += np.where(chosen, dy[:, oy, ox], 0)
    return dx


def _window_sizes(shape, pool_size, strides, padding) -> Array:
    out, visit = _windows(shape, pool_size, strides, padding)
    count = np.zeros(out)
    for oy, ox, *_ in visit:
        count[oy, ox] += 1
    return count[None, :, :, None]


def avg_pool2d(x, pool_size, strides, padding=(0, 0, 0, 0)):
    out, visit = _windows(x.shape, pool_size, strides, padding)
    y = np.zeros((x.shape[0], *out, x.shape[3]))
    for oy, ox, _, _, row, column in visit:
        y[:, oy, ox] += x[:, row, column]
    return y / _window_sizes(x.shape, pool_size, strides, padding)


def avg_pool2d_grad(dy, input_shape, pool_size, strides, padding=(0, 0, 0, 0)):
    share = dy / _window_sizes(input_shape, pool_size, strides, padding)
    dx = np.zeros(input_shape)
    _, visit = _windows(input_shape, pool_size, strides, padding)
    for oy, ox, _, _, row, column in visit:
        dx[:, row, column] += share[:, oy, ox]
    return dx


def log_softmax(x: Array, axis: int = -1) -> Array:
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax(x: Array, axis: int = -1) -> Array:
    return np.exp(log_softmax(x, axis))


def logsumexp(x: Array, axes: tuple[int, ...], keepdims: bool = False) -> Array:
    top = x.max(axis=axes, keepdims=True)
    total = np.log(np.exp(x - top).sum(axis=axes, keepdims=True)) + top
    return total if keepdims else total.squeeze(axes)


def sparse_softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    return -np.take_along_axis(log_softmax(logits), labels[..., None].astype(np.int64), -1)[..., 0]


def prod_grad(x: Array, dy: Array, axes: Sequence[int] | None) -> Array:
    """``dy`` times the product of the other elements, each multiplied out."""
    axes = tuple(range(x.ndim)) if axes is None else tuple(axis % x.ndim for axis in axes)
    others = np.ones_like(x)
    for index in np.ndindex(x.shape):
        row = [slice(None) if axis in axes else index[axis] for axis in range(x.ndim)]
        kept = np.ones(x.shape, bool)
        kept[index] = False
        others[index] = x[tuple(row)][kept[tuple(row)]].prod()
    return dy * others


def sparse_softmax_cross_entropy_grad(logits: Array, labels: Array, dloss: Array) -> Array:
    target = np.eye(logits.shape[-1])[labels.astype(np.int64)]
    return (softmax(logits) - target) * dloss[..., None]


def batch_moments(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axes), x.var(axes)


def batch_norm_train(x, gamma, beta, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta, mean, variance


def batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3):
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def pad(x: Array, value, low, high, interior) -> Array:
    for axis in range(x.ndim):
        lo, hi, gap = low[axis], high[axis], interior[axis]
        n = x.shape[axis]
        spread = max((n - 1) * (gap + 1) + 1, 0) if n else 0
        shape = list(x.shape)
        shape[axis] = spread
        y = np.full(shape, value, x.dtype)
        y[(slice(None),) * axis + (slice(None, None, gap + 1),)] = x
        front = slice(max(-lo, 0), spread - max(-hi, 0))
        y = y[(slice(None),) * axis + (front,)]
        widths = [(0, 0)] * x.ndim
        widths[axis] = (max(lo, 0), max(hi, 0))
        x = np.pad(y, widths, constant_values=value)
    return x


_PHILOX_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_PHILOX_WEYL = (0x9E3779B9, 0xBB67AE85)


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _PHILOX_MULTIPLIERS[0] * c0, _PHILOX_MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        )  # fmt: skip
        k0, k1 = (k0 + _PHILOX_WEYL[0]) & 0xFFFFFFFF, (k1 + _PHILOX_WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def _halves(value: int) -> tuple[int, int]:
    return value & 0xFFFFFFFF, (value >> 32) & 0xFFFFFFFF


def random_words(state: Array, count: int) -> Array:
    seed, counter = (int(v) for v in state)
    blocks = [
        philox((*_halves(counter + j), 0, 0), _halves(seed)) for j in range(math.ceil(count / 4))
    ]
    return np.array([word for block in blocks for word in block][:count], np.uint64)


def next_state(state: Array, count: int) -> Array:
    return np.array([state[0], state[1] + math.ceil(count / 4)], np.int64)


def random_uniform(state, shape, minval=0.0, maxval=1.0):
    count = math.prod(shape)
    u = (random_words(state, count) >> np.uint64(8)).astype(np.float64) * 2.0**-24
    return (minval + u * (maxval - minval)).reshape(shape), next_state(state, count)


def random_normal(state, shape, mean=0.0, stddev=1.0, truncated=False):
    count = math.prod(shape)
    words = (random_words(state, count) >> np.uint64(8)).astype(np.float64)
    p = words * 2.0**-24 + 2.0**-25
    if truncated:
        low = 0.5 * (1 + math.erf(-2 / math.sqrt(2)))
        p = low + p * (1 - 2 * low)
    z = np.array([_normal_quantile(float(v)) for v in p])
    return (mean + stddev * z).reshape(shape), next_state(state, count)


def _normal_quantile(p: float) -> float:
    """Solves Phi(z) = p by bisection on erfc of the smaller tail."""
    low, high = -10.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def batch_indices(cursor: int, key: Array, n: int, batch: int, shuffle: bool) -> Array:
    positions = range(cursor * batch, (cursor + 1) * batch)
    if not shuffle:
        return np.array(list(positions), np.int64)
    half = max(math.ceil(max(n - 1, 1).bit_length() / 2), 1)
    mask = (1 << half) - 1
    stream = _halves(int(key[1]))

    def encrypt(value: int) -> int:
        left, right = value >> half, value & mask
        for r in range(6):
            word = philox((right, r, *stream), _halves(int(key[0])))[0]
            left, right = right, left ^ (word & mask)
        return left << half | right

    result = []
    for position in positions:
        index = encrypt(position)
        while index >= n:
            index = encrypt(index)
        result.append(index)
    return np.array(result, np.int64)


def sgd(lr, params, grads, velocities, momentum=0.0, nesterov=False, weight_decay=0.0):
    params = [p - lr * weight_decay * p for p in params]
    if momentum == 0:
        return [p - lr * g for p, g in zip(params, grads, strict=True)]
    new_v = [momentum * v - lr * g for v, g in zip(velocities, grads, strict=True)]
    moved = zip(params, grads, new_v, strict=True)
    new_p = [p + (momentum * v - lr * g if nesterov else v) for p, g, v in moved]
    return [*new_p, *new_v]


def adam(lr, step, params, grads, ms, vs, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.0):
    params = [p - lr * weight_decay * p for p in params]
    t = step + 1
    alpha = lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    new_m = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, grads, strict=True)]
    new_v = [beta_2 * v + (1 - beta_2) * g * g for v, g in zip(vs, grads, strict=True)]
    moved = zip(params, new_m, new_v, strict=True)
    return [*(p - alpha * m / (np.sqrt(v) + epsilon) for p, m, v in moved), *new_m, *new_v]
