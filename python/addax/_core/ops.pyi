"""
One function for every public op.
"""
from __future__ import annotations
import addax._core
import collections.abc
import typing
__all__: list[str] = ['abs', 'adam', 'add', 'all', 'any', 'arctan', 'arctan2', 'argmax', 'argmin', 'argsort', 'avg_pool2d', 'batch_indices', 'batch_moments', 'batch_norm', 'batch_norm_train', 'broadcast_to', 'cast', 'ceil', 'clip', 'concatenate', 'conv2d', 'cos', 'divide', 'dropout', 'elu', 'equal', 'erf', 'exp', 'expm1', 'flip', 'floor', 'floor_divide', 'gelu', 'greater', 'greater_equal', 'hard_sigmoid', 'in_top_k', 'iota', 'isfinite', 'isinf', 'isnan', 'leaky_relu', 'less', 'less_equal', 'log', 'log1p', 'log_softmax', 'logical_and', 'logical_not', 'logical_or', 'logical_xor', 'logsumexp', 'matmul', 'max', 'max_pool2d', 'maximum', 'mean', 'min', 'minimum', 'mod', 'multiply', 'negative', 'not_equal', 'one_hot', 'pad', 'power', 'prod', 'random_normal', 'random_uniform', 'reciprocal', 'relu', 'relu6', 'reshape', 'round', 'rsqrt', 'scatter_add', 'selu', 'sgd', 'sigmoid', 'sign', 'silu', 'sin', 'slice', 'softmax', 'softmax_cross_entropy', 'softplus', 'softsign', 'sort', 'sparse_softmax_cross_entropy', 'sqrt', 'square', 'std', 'stop_gradient', 'subtract', 'sum', 'take', 'tan', 'tanh', 'top_k', 'transpose', 'var', 'where']
def abs(x: object) -> addax._core.Tensor:
    """
    Absolute value; its gradient at 0 is 0.
    
    >>> ax.ops.abs([-1.5, 2.0])
    Tensor([1.5, 2. ], dtype=float32)
    """
def adam(learning_rate: object, step: object, *tensors: object, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-07, weight_decay: float = 0.0, count: int) -> tuple[addax._core.Tensor, ...]:
    """
    A step of Adam.
    
    `step` counts the steps done before. `tensors` are the parameters, then as many gradients, first
    moments and second moments. Returns the new parameters, first moments and second moments.
    
    Arguments:
        beta_1: Share of the first moment that is kept.
        beta_2: Share of the second moment that is kept.
        epsilon: Added to the root of the second moment.
        weight_decay: How much parameters shrink first, times the learning rate.
        count: Number of parameters; from the inputs when not given.
    """
def add(x1: object, x2: object) -> addax._core.Tensor:
    """
    Sum, element by element.
    
    >>> ax.ops.add([1.0, 2.0], [3.0, 4.0])
    Tensor([4., 6.], dtype=float32)
    """
def all(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Whether all elements over axes are True.
    
    >>> ax.ops.all([[True, False], [True, True]], axes=[0])
    Tensor([ True, False], dtype=bool)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def any(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Whether any element over axes is True.
    
    >>> ax.ops.any([[True, False], [False, False]], axes=[0])
    Tensor([ True, False], dtype=bool)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def arctan(x: object) -> addax._core.Tensor:
    """
    Inverse tangent in radians, in [-pi/2, pi/2].
    
    >>> ax.ops.arctan([0.0])
    Tensor([0.], dtype=float32)
    """
def arctan2(x1: object, x2: object) -> addax._core.Tensor:
    """
    Angle of the point (`x2`, `x1`) in radians, in [-pi, pi].
    
    >>> ax.ops.arctan2([0.0, 0.0], [1.0, 2.0])
    Tensor([0., 0.], dtype=float32)
    """
def argmax(x: object, axis: int, keepdims: bool = False) -> addax._core.Tensor:
    """
    Position of the largest element, the first of equal ones; NaN counts as largest.
    
    >>> ax.ops.argmax([[1.0, 2.0], [3.0, 0.0]], axis=1)
    Tensor([1, 0], dtype=int32)
    
    Arguments:
        axis: Axis to search along.
        keepdims: Keep reduced axes with extent 1.
    """
def argmin(x: object, axis: int, keepdims: bool = False) -> addax._core.Tensor:
    """
    Position of the smallest element, the first of equal ones; NaN counts as smallest.
    
    >>> ax.ops.argmin([[1.0, 2.0], [3.0, 0.0]], axis=1)
    Tensor([0, 1], dtype=int32)
    
    Arguments:
        axis: Axis to search along.
        keepdims: Keep reduced axes with extent 1.
    """
def argsort(x: object, axis: int = -1, descending: bool = False) -> addax._core.Tensor:
    """
    Positions that put elements in ascending order along an axis.
    
    Of equal elements the first stays first. NaN counts as the largest number.
    
    >>> ax.ops.argsort([3.0, 1.0, 2.0])
    Tensor([1, 2, 0], dtype=int32)
    
    Arguments:
        axis: Axis along which elements are put in order.
        descending: Put the largest element first.
    """
def avg_pool2d(x: object, pool_size: int | collections.abc.Sequence[int], strides: int | collections.abc.Sequence[int], padding: int | collections.abc.Sequence[int] = (0, 0, 0, 0)) -> addax._core.Tensor:
    """
    Mean of each window of images of shape (N, H, W, C), padding left out.
    
    >>> ax.ops.avg_pool2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], pool_size=[2, 2])
    Tensor([[[[2.5]]]], dtype=float32)
    
    Arguments:
        pool_size: Height and width of the window.
        strides: Steps of the window; the pool size when not given.
        padding: Rows and columns added at top, bottom, left and right; they never count.
    """
def batch_indices(cursor: object, key: object, n: int, batch: int, shuffle: bool) -> addax._core.Tensor:
    """
    Which of `n` samples make up batch number `cursor` of a pass over all of them.
    
    With `shuffle` the order is a permutation that `key` (seed and number of the pass) chooses.
    
    >>> cursor = ax.ops.cast(1, dtype="int64")
    >>> key = ax.ops.cast([7, 0], dtype="int64")
    >>> ax.ops.batch_indices(cursor, key, n=6, batch=2, shuffle=False)
    Tensor([2, 3], dtype=int64)
    
    Arguments:
        n: Number of samples.
        batch: Samples in a batch.
        shuffle: Whether the order is a permutation.
    """
def batch_moments(x: object) -> tuple[addax._core.Tensor, ...]:
    """
    The mean and the (biased) variance of `x` over all axes but the last.
    
    Of 16-bit numbers they are float32.
    
    >>> mean, variance = ax.ops.batch_moments([[1.0, 0.0], [3.0, 0.0]])
    >>> mean, variance
    (Tensor([2., 0.], dtype=float32), Tensor([1., 0.], dtype=float32))
    """
def batch_norm(x: object, gamma: object, beta: object, mean: object, variance: object, epsilon: float = 0.001) -> addax._core.Tensor:
    """
    `(x - mean) / sqrt(variance + epsilon) * gamma + beta` for each channel.
    
    >>> ax.ops.batch_norm([[4.0], [8.0]], [1.0], [0.0], [4.0], [4.0], epsilon=0.0)
    Tensor([[0.],
            [2.]], dtype=float32)
    
    Arguments:
        epsilon: Added to the variance.
    """
def batch_norm_train(x: object, gamma: object, beta: object, epsilon: float = 0.001) -> tuple[addax._core.Tensor, ...]:
    """
    `x` shifted and scaled to mean `beta` and deviation `gamma` for each channel.
    
    Returns the result, and the mean and the (biased) variance of `x` over all axes but the last.
    
    >>> y, mean, variance = ax.ops.batch_norm_train([[1.0], [3.0]], [1.0], [0.0])
    >>> mean
    Tensor([2.], dtype=float32)
    
    Arguments:
        epsilon: Added to the variance.
    """
def broadcast_to(x: object, shape: int | collections.abc.Sequence[int]) -> addax._core.Tensor:
    """
    `x` repeated along axes of extent 1 and along new leading axes.
    
    >>> ax.ops.broadcast_to([1.0], shape=[3])
    Tensor([1., 1., 1.], dtype=float32)
    
    Arguments:
        shape: New shape.
    """
def cast(x: object, dtype: object) -> addax._core.Tensor:
    """
    `x` with another dtype.
    
    Floating values are truncated towards zero when they become integers; anything but 0 becomes True.
    
    >>> ax.ops.cast([1.5, -2.5], dtype="int32")
    Tensor([ 1, -2], dtype=int32)
    
    Arguments:
        dtype: Dtype of the result.
    """
def ceil(x: object) -> addax._core.Tensor:
    """
    The smallest whole number not below `x`.
    
    >>> ax.ops.ceil([1.5, -1.5])
    Tensor([ 2., -1.], dtype=float32)
    """
def clip(x: object, x_min: float, x_max: float) -> addax._core.Tensor:
    """
    `x` limited to the interval from `x_min` to `x_max`.
    
    >>> ax.ops.clip([-2.0, 0.5, 3.0], x_min=0.0, x_max=1.0)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    
    Arguments:
        x_min: Least value of the result.
        x_max: Greatest value of the result.
    """
def concatenate(*xs: object, axis: int = 0) -> addax._core.Tensor:
    """
    Tensors joined along an existing axis.
    
    >>> ax.ops.concatenate([[1.0, 2.0], [3.0]])
    Tensor([1., 2., 3.], dtype=float32)
    
    Arguments:
        axis: Axis along which the tensors follow each other.
    """
def conv2d(x: object, filter: object, strides: int | collections.abc.Sequence[int] = (1, 1), padding: int | collections.abc.Sequence[int] = (0, 0, 0, 0), dilations: int | collections.abc.Sequence[int] = (1, 1), groups: int = 1) -> addax._core.Tensor:
    """
    Two-dimensional convolution (cross-correlation) of images.
    
    `x` has shape (N, H, W, C), `filter` (height, width, C / groups, outputs).
    
    >>> ax.ops.conv2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], [[[[1.0, 10.0]]]], strides=[2, 2])
    Tensor([[[[ 1., 10.]]]], dtype=float32)
    
    Arguments:
        strides: Steps of the filter along height and width.
        padding: Zeros at top, bottom, left and right.
        dilations: Distance of neighbouring filter elements.
        groups: Groups of channels that do not mix.
    """
def cos(x: object) -> addax._core.Tensor:
    """
    Cosine of an angle in radians.
    
    >>> ax.ops.cos([0.0])
    Tensor([1.], dtype=float32)
    """
def divide(x1: object, x2: object) -> addax._core.Tensor:
    """
    Quotient, element by element; integers become float32 first.
    
    >>> ax.ops.divide([1.0, 3.0], [2.0, 4.0])
    Tensor([0.5 , 0.75], dtype=float32)
    """
def dropout(x: object, state: object, rate: float) -> tuple[addax._core.Tensor, ...]:
    """
    0 at random places, `x / (1 - rate)` elsewhere.
    
    >>> state = ax.ops.cast([7, 0], dtype="int64")
    >>> y, state = ax.ops.dropout([1.0, 2.0], state, rate=0.0)
    >>> y
    Tensor([1., 2.], dtype=float32)
    
    Arguments:
        rate: Share of the elements that become 0.
    """
def elu(x: object, alpha: float = 1.0) -> addax._core.Tensor:
    """
    `x` where it is positive, else `alpha * (exp(x) - 1)`.
    
    >>> ax.ops.elu([-100.0, 2.0])
    Tensor([-1.,  2.], dtype=float32)
    
    Arguments:
        alpha: Limit of large negative elements.
    """
def equal(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where the elements are equal.
    
    >>> ax.ops.equal([1.0, 2.0], [1.0, 3.0])
    Tensor([ True, False], dtype=bool)
    """
def erf(x: object) -> addax._core.Tensor:
    """
    Error function.
    
    >>> ax.ops.erf([0.0, 10.0])
    Tensor([0., 1.], dtype=float32)
    """
def exp(x: object) -> addax._core.Tensor:
    """
    Exponential function.
    
    >>> ax.ops.exp([0.0, -1000.0])
    Tensor([1., 0.], dtype=float32)
    """
def expm1(x: object) -> addax._core.Tensor:
    """
    `exp(x) - 1`, exact for small `x` too.
    
    >>> ax.ops.expm1([0.0, -1000.0])
    Tensor([ 0., -1.], dtype=float32)
    """
def flip(x: object, axis: int | collections.abc.Sequence[int] | None = None) -> addax._core.Tensor:
    """
    Elements in reverse order along axes.
    
    >>> ax.ops.flip([1.0, 2.0, 3.0])
    Tensor([3., 2., 1.], dtype=float32)
    
    Arguments:
        axis: Axes to reverse; all when not given.
    """
def floor(x: object) -> addax._core.Tensor:
    """
    The largest whole number not above `x`.
    
    >>> ax.ops.floor([1.5, -1.5])
    Tensor([ 1., -2.], dtype=float32)
    """
def floor_divide(x1: object, x2: object) -> addax._core.Tensor:
    """
    Quotient rounded towards minus infinity.
    
    >>> ax.ops.floor_divide([7.0, -7.0], [2.0, 2.0])
    Tensor([ 3., -4.], dtype=float32)
    """
def gelu(x: object, approximate: bool = True) -> addax._core.Tensor:
    """
    `x` times the probability that a standard normal variable is below it.
    
    >>> ax.ops.gelu([0.0, 10.0])
    Tensor([ 0., 10.], dtype=float32)
    
    Arguments:
        approximate: Approximate the normal distribution by tanh.
    """
def greater(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where `x1` is larger.
    
    >>> ax.ops.greater([1.0, 4.0], [1.0, 3.0])
    Tensor([False,  True], dtype=bool)
    """
def greater_equal(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where `x1` is larger or equal.
    
    >>> ax.ops.greater_equal([1.0, 2.0], [1.0, 3.0])
    Tensor([ True, False], dtype=bool)
    """
def hard_sigmoid(x: object) -> addax._core.Tensor:
    """
    `x / 6 + 0.5` limited to the interval from 0 to 1.
    
    >>> ax.ops.hard_sigmoid([-3.0, 0.0, 3.0])
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
def in_top_k(targets: object, predictions: object, k: int) -> addax._core.Tensor:
    """
    Whether fewer than `k` classes have a larger score than the target.
    
    `predictions` has shape (..., K) and `targets`, numbers of classes, (...). A target outside [0, K)
    is an error, found where the data are. NaN counts as larger than any number; a target whose score is
    NaN is not among the largest.
    
    >>> ax.ops.in_top_k([1, 0], [[0.1, 0.3, 0.6], [0.2, 0.7, 0.5]], k=2)
    Tensor([ True, False], dtype=bool)
    
    Arguments:
        k: How many classes may be as good as the target.
    """
def iota(shape: int | collections.abc.Sequence[int], axis: int = 0, *, dtype: object) -> addax._core.Tensor:
    """
    Positions along an axis: 0, 1, 2, ...
    
    >>> ax.ops.iota(shape=[3], dtype="int32")
    Tensor([0, 1, 2], dtype=int32)
    
    Arguments:
        shape: Shape of the result.
        axis: Axis along which it counts.
        dtype: Dtype of the result, not bool.
    """
def isfinite(x: object) -> addax._core.Tensor:
    """
    True where `x`, which is floating, is neither infinite nor NaN.
    
    >>> ax.ops.isfinite([1.0, float("nan")])
    Tensor([ True, False], dtype=bool)
    """
def isinf(x: object) -> addax._core.Tensor:
    """
    True where `x`, which is floating, is infinite.
    
    >>> ax.ops.isinf([1.0, float("-inf")])
    Tensor([False,  True], dtype=bool)
    """
def isnan(x: object) -> addax._core.Tensor:
    """
    True where `x`, which is floating, is not a number.
    
    >>> ax.ops.isnan([1.0, float("nan")])
    Tensor([False,  True], dtype=bool)
    """
def leaky_relu(x: object, negative_slope: float = 0.2) -> addax._core.Tensor:
    """
    `x` where it is positive, else `negative_slope * x`.
    
    >>> ax.ops.leaky_relu([-1.0, 2.0], negative_slope=0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    
    Arguments:
        negative_slope: Factor of negative elements.
    """
def less(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where `x1` is smaller.
    
    >>> ax.ops.less([1.0, 2.0], [1.0, 3.0])
    Tensor([False,  True], dtype=bool)
    """
def less_equal(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where `x1` is smaller or equal.
    
    >>> ax.ops.less_equal([1.0, 4.0], [1.0, 3.0])
    Tensor([ True, False], dtype=bool)
    """
def log(x: object) -> addax._core.Tensor:
    """
    Natural logarithm.
    
    >>> ax.ops.log([1.0, 0.0])
    Tensor([  0., -inf], dtype=float32)
    """
def log1p(x: object) -> addax._core.Tensor:
    """
    `log(1 + x)`, exact for small `x` too.
    
    >>> ax.ops.log1p([0.0, -1.0])
    Tensor([  0., -inf], dtype=float32)
    """
def log_softmax(x: object, axis: int = -1) -> addax._core.Tensor:
    """
    Logarithm of `softmax`, exact for small probabilities too.
    
    >>> ax.ops.log_softmax([0.0, 1000.0])
    Tensor([-1000.,     0.], dtype=float32)
    
    Arguments:
        axis: Axis of the classes.
    """
def logical_and(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where both are.
    
    >>> ax.ops.logical_and([True, True], [True, False])
    Tensor([ True, False], dtype=bool)
    """
def logical_not(x: object) -> addax._core.Tensor:
    """
    True where `x` is not.
    
    >>> ax.ops.logical_not([True, False])
    Tensor([False,  True], dtype=bool)
    """
def logical_or(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where at least one is.
    
    >>> ax.ops.logical_or([False, True], [False, False])
    Tensor([False,  True], dtype=bool)
    """
def logical_xor(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where exactly one is.
    
    >>> ax.ops.logical_xor([True, True], [True, False])
    Tensor([False,  True], dtype=bool)
    """
def logsumexp(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    `log(sum(exp(x)))` over axes, without overflow.
    
    >>> ax.ops.logsumexp([[0.0, 1000.0], [0.0, 5000.0]], axes=[1])
    Tensor([1000., 5000.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def matmul(a: object, b: object, transpose_a: bool = False, transpose_b: bool = False) -> addax._core.Tensor:
    """
    Matrix product over the last two axes; the axes before them broadcast.
    
    >>> ax.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    Tensor([[11.]], dtype=float32)
    
    Arguments:
        transpose_a: Exchange the last two axes of `a` first.
        transpose_b: Exchange the last two axes of `b` first.
    """
def max(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Largest element over axes; NaN if there is one. Ties share the gradient.
    
    >>> ax.ops.max([[1.0, 2.0], [3.0, 0.0]], axes=[0])
    Tensor([3., 2.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def max_pool2d(x: object, pool_size: int | collections.abc.Sequence[int], strides: int | collections.abc.Sequence[int], padding: int | collections.abc.Sequence[int] = (0, 0, 0, 0)) -> addax._core.Tensor:
    """
    Largest element of each window of images of shape (N, H, W, C).
    
    >>> ax.ops.max_pool2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], pool_size=[2, 2])
    Tensor([[[[4.]]]], dtype=float32)
    
    Arguments:
        pool_size: Height and width of the window.
        strides: Steps of the window; the pool size when not given.
        padding: Rows and columns added at top, bottom, left and right; they never count.
    """
def maximum(x1: object, x2: object) -> addax._core.Tensor:
    """
    The larger of two elements; NaN if either is. Ties share the gradient.
    
    >>> ax.ops.maximum([1.0, 5.0], [3.0, 4.0])
    Tensor([3., 5.], dtype=float32)
    """
def mean(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Arithmetic mean over axes; integers become float32 first.
    
    >>> ax.ops.mean([[1.0, 2.0], [3.0, 4.0]], axes=[0])
    Tensor([2., 3.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def min(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Smallest element over axes; NaN if there is one. Ties share the gradient.
    
    >>> ax.ops.min([[1.0, 2.0], [3.0, 0.0]], axes=[0])
    Tensor([1., 0.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def minimum(x1: object, x2: object) -> addax._core.Tensor:
    """
    The smaller of two elements; NaN if either is. Ties share the gradient.
    
    >>> ax.ops.minimum([1.0, 5.0], [3.0, 4.0])
    Tensor([1., 4.], dtype=float32)
    """
def mod(x1: object, x2: object) -> addax._core.Tensor:
    """
    Remainder of `floor_divide`, with the sign of the divisor.
    
    >>> ax.ops.mod([7.0, -7.0], [3.0, 3.0])
    Tensor([1., 2.], dtype=float32)
    """
def multiply(x1: object, x2: object) -> addax._core.Tensor:
    """
    Product, element by element.
    
    >>> ax.ops.multiply([1.0, 2.0], [3.0, 4.0])
    Tensor([3., 8.], dtype=float32)
    """
def negative(x: object) -> addax._core.Tensor:
    """
    `-x`.
    
    >>> ax.ops.negative([1.0, -2.0])
    Tensor([-1.,  2.], dtype=float32)
    """
def not_equal(x1: object, x2: object) -> addax._core.Tensor:
    """
    True where the elements differ.
    
    >>> ax.ops.not_equal([1.0, 2.0], [1.0, 3.0])
    Tensor([False,  True], dtype=bool)
    """
def one_hot(indices: object, num_classes: int, dtype: object = 'float32') -> addax._core.Tensor:
    """
    1 at the position that an index names on a new last axis, 0 elsewhere.
    
    An index outside [0, `num_classes`) gives zeros only.
    
    >>> ax.ops.one_hot([1], num_classes=3)
    Tensor([[0., 1., 0.]], dtype=float32)
    
    Arguments:
        num_classes: Extent of the new axis.
        dtype: Dtype of the result.
    """
def pad(x: object, value: object, low: int | collections.abc.Sequence[int], high: int | collections.abc.Sequence[int], interior: int | collections.abc.Sequence[int]) -> addax._core.Tensor:
    """
    `x` with `value` before, after and between its elements.
    
    >>> ax._core.ops.pad([1.0, 2.0], 0.0, low=[1], high=[2])
    Tensor([0., 1., 2., 0., 0.], dtype=float32)
    
    Arguments:
        low: How many to put before each axis; negative crops.
        high: How many to put after each axis; negative crops.
        interior: How many to put between neighbours; 0 when not given.
    """
def power(x1: object, x2: object) -> addax._core.Tensor:
    """
    `x1` raised to the power `x2`.
    
    >>> ax.ops.power([2.0, 3.0], [3.0, 2.0])
    Tensor([8., 9.], dtype=float32)
    """
def prod(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Product over axes. Products of bool, int8 and uint8 are int32.
    
    >>> ax.ops.prod([[1.0, 2.0], [3.0, 4.0]], axes=[0])
    Tensor([3., 8.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def random_normal(state: object, shape: int | collections.abc.Sequence[int], mean: float = 0.0, stddev: float = 1.0, truncated: bool = False, dtype: object = 'float32') -> tuple[addax._core.Tensor, ...]:
    """
    Numbers from a normal distribution.
    
    `state` holds a seed and a counter; the counter of the new state follows the numbers drawn.
    
    >>> state = ax.ops.cast([7, 0], dtype="int64")
    >>> y, state = ax.ops.random_normal(state, shape=[6])
    >>> state
    Tensor([7, 2], dtype=int64)
    
    Arguments:
        shape: Shape of the numbers drawn.
        mean: Mean of the distribution.
        stddev: Its standard deviation.
        truncated: Leave out what is beyond two deviations.
        dtype: Dtype of the numbers drawn.
    """
def random_uniform(state: object, shape: int | collections.abc.Sequence[int], minval: float = 0.0, maxval: float = 1.0, dtype: object = 'float32') -> tuple[addax._core.Tensor, ...]:
    """
    Numbers spread evenly from `minval` up to, not including, `maxval`.
    
    `state` holds a seed and a counter; the counter of the new state follows the numbers drawn.
    
    >>> state = ax.ops.cast([7, 0], dtype="int64")
    >>> y, state = ax.ops.random_uniform(state, shape=[6])
    >>> state
    Tensor([7, 2], dtype=int64)
    
    Arguments:
        shape: Shape of the numbers drawn.
        minval: Least number.
        maxval: Bound that is not reached.
        dtype: Dtype of the numbers drawn.
    """
def reciprocal(x: object) -> addax._core.Tensor:
    """
    `1 / x`.
    
    >>> ax.ops.reciprocal([2.0, -4.0])
    Tensor([ 0.5 , -0.25], dtype=float32)
    """
def relu(x: object) -> addax._core.Tensor:
    """
    `x` where it is positive, else 0.
    
    >>> ax.ops.relu([-1.0, 2.0])
    Tensor([0., 2.], dtype=float32)
    """
def relu6(x: object) -> addax._core.Tensor:
    """
    `x` limited to the interval from 0 to 6.
    
    >>> ax.ops.relu6([-1.0, 2.0, 8.0])
    Tensor([0., 2., 6.], dtype=float32)
    """
def reshape(x: object, shape: int | collections.abc.Sequence[int]) -> addax._core.Tensor:
    """
    The same elements in another shape, in row-major order.
    
    >>> ax._core.ops.reshape([[1.0, 2.0], [3.0, 4.0]], shape=[-1])
    Tensor([1., 2., 3., 4.], dtype=float32)
    
    Arguments:
        shape: New shape; one extent may be -1: what is left.
    """
def round(x: object) -> addax._core.Tensor:
    """
    The nearest whole number, the even one of two.
    
    >>> ax.ops.round([1.5, 2.5, -0.4])
    Tensor([ 2.,  2., -0.], dtype=float32)
    """
def rsqrt(x: object) -> addax._core.Tensor:
    """
    `1 / sqrt(x)`.
    
    >>> ax.ops.rsqrt([4.0, 16.0])
    Tensor([0.5 , 0.25], dtype=float32)
    """
def scatter_add(indices: object, updates: object, shape: int | collections.abc.Sequence[int], axis: int = 0) -> addax._core.Tensor:
    """
    Zeros, to which slices of `updates` are added along an axis at the positions in `indices`.
    
    Updates of one position are added in the order of the indices.
    
    >>> ax.ops.scatter_add([0, 2, 0], [1.0, 2.0, 3.0], shape=[3])
    Tensor([4., 0., 2.], dtype=float32)
    
    Arguments:
        shape: Shape of the result.
        axis: Axis of the result that is indexed.
    """
def selu(x: object) -> addax._core.Tensor:
    """
    Scaled `elu`, with the constants of self-normalizing networks.
    
    >>> ax.ops.selu([0.0, 1.0])
    Tensor([0.      , 1.050701], dtype=float32)
    """
def sgd(learning_rate: object, *tensors: object, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0, count: int) -> tuple[addax._core.Tensor, ...]:
    """
    A step of stochastic gradient descent.
    
    `tensors` are the parameters, then as many gradients, then, unless `momentum` is 0, as many
    velocities. Returns the new parameters, then the new velocities.
    
    Arguments:
        momentum: Share of the velocity that is kept.
        nesterov: Look ahead along the velocity.
        weight_decay: How much parameters shrink first, times the learning rate.
        count: Number of parameters; from the inputs when not given.
    """
def sigmoid(x: object) -> addax._core.Tensor:
    """
    `1 / (1 + exp(-x))`.
    
    >>> ax.ops.sigmoid([0.0, 100.0])
    Tensor([0.5, 1. ], dtype=float32)
    """
def sign(x: object) -> addax._core.Tensor:
    """
    -1, 0 or 1 by the sign; NaN stays NaN.
    
    >>> ax.ops.sign([-3.0, 0.0, 2.0])
    Tensor([-1.,  0.,  1.], dtype=float32)
    """
def silu(x: object) -> addax._core.Tensor:
    """
    `x * sigmoid(x)`, also called swish.
    
    >>> ax.ops.silu([0.0, 30.0])
    Tensor([ 0., 30.], dtype=float32)
    """
def sin(x: object) -> addax._core.Tensor:
    """
    Sine of an angle in radians.
    
    >>> ax.ops.sin([0.0])
    Tensor([0.], dtype=float32)
    """
def slice(x: object, begin: int | collections.abc.Sequence[int], end: int | collections.abc.Sequence[int], strides: int | collections.abc.Sequence[int]) -> addax._core.Tensor:
    """
    Every `strides[i]`-th element from `begin[i]` up to, not including, `end[i]`.
    
    >>> ax.ops.slice([1.0, 2.0, 3.0, 4.0], begin=[1], end=[4], strides=[2])
    Tensor([2., 4.], dtype=float32)
    
    Arguments:
        begin: First position on each axis.
        end: Position on each axis before which to stop.
        strides: Step on each axis, positive; 1 when not given.
    """
def softmax(x: object, axis: int = -1) -> addax._core.Tensor:
    """
    Probabilities in proportion to `exp(x)` along an axis.
    
    >>> ax.ops.softmax([1.0, 1.0])
    Tensor([0.5, 0.5], dtype=float32)
    
    Arguments:
        axis: Axis of the classes.
    """
def softmax_cross_entropy(logits: object, targets: object) -> addax._core.Tensor:
    """
    Cross-entropy of `softmax(logits)` against probabilities.
    
    >>> ax.ops.softmax_cross_entropy([[0.0, 1000.0]], [[0.5, 0.5]])
    Tensor([500.], dtype=float32)
    """
def softplus(x: object) -> addax._core.Tensor:
    """
    `log(1 + exp(x))`, a smooth `relu`.
    
    >>> ax.ops.softplus([-1000.0, 100.0])
    Tensor([  0., 100.], dtype=float32)
    """
def softsign(x: object) -> addax._core.Tensor:
    """
    `x / (1 + abs(x))`.
    
    >>> ax.ops.softsign([-1.0, 0.0, 3.0])
    Tensor([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
def sort(x: object, axis: int = -1) -> addax._core.Tensor:
    """
    Elements in ascending order along an axis.
    
    NaN counts as the largest number.
    
    >>> ax.ops.sort([3.0, 1.0, 2.0])
    Tensor([1., 2., 3.], dtype=float32)
    
    Arguments:
        axis: Axis along which elements are sorted.
    """
def sparse_softmax_cross_entropy(logits: object, labels: object) -> addax._core.Tensor:
    """
    Cross-entropy of `softmax(logits)` against integer labels.
    
    `logits` has shape (..., K) and `labels` (...); a label outside [0, K) is an error, found where the
    data are.
    
    >>> ax.ops.sparse_softmax_cross_entropy([[0.0, 1000.0]], [0])
    Tensor([1000.], dtype=float32)
    """
def sqrt(x: object) -> addax._core.Tensor:
    """
    Square root.
    
    >>> ax.ops.sqrt([4.0, 9.0])
    Tensor([2., 3.], dtype=float32)
    """
def square(x: object) -> addax._core.Tensor:
    """
    `x` times itself.
    
    >>> ax.ops.square([1.0, -3.0])
    Tensor([1., 9.], dtype=float32)
    """
def std(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Standard deviation over axes: the square root of `var`.
    
    >>> ax.ops.std([[1.0, 2.0], [3.0, 8.0]], axes=[0])
    Tensor([1., 3.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def stop_gradient(x: object) -> addax._core.Tensor:
    """
    `x` itself, taken as a constant by differentiation.
    
    >>> ax.ops.stop_gradient([1.0, 2.0])
    Tensor([1., 2.], dtype=float32)
    """
def subtract(x1: object, x2: object) -> addax._core.Tensor:
    """
    Difference, element by element.
    
    >>> ax.ops.subtract([1.0, 2.0], [3.0, 1.0])
    Tensor([-2.,  1.], dtype=float32)
    """
def sum(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Sum over axes. Sums of bool, int8 and uint8 are int32.
    
    >>> ax.ops.sum([[1.0, 2.0], [3.0, 4.0]], axes=[0])
    Tensor([4., 6.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def take(x: object, indices: object, axis: int = 0, *, dtype: object) -> addax._core.Tensor:
    """
    Slices of `x` along an axis, at the positions that `indices` name.
    
    An index outside the axis is an error, found where the data are.
    
    >>> ax.ops.take([10.0, 20.0, 30.0], [2, 0])
    Tensor([30., 10.], dtype=float32)
    
    Arguments:
        axis: Axis of `x` that is indexed.
        dtype: Dtype of the result; that of `x` when not given.
    """
def tan(x: object) -> addax._core.Tensor:
    """
    Tangent of an angle in radians.
    
    >>> ax.ops.tan([0.0])
    Tensor([0.], dtype=float32)
    """
def tanh(x: object) -> addax._core.Tensor:
    """
    Hyperbolic tangent.
    
    >>> ax.ops.tanh([0.0, 20.0])
    Tensor([0., 1.], dtype=float32)
    """
def top_k(x: object, k: int, sorted: bool = True) -> tuple[addax._core.Tensor, ...]:
    """
    The `k` largest elements along the last axis, and their positions.
    
    The largest comes first, and of equal elements the first. NaN counts as the largest number.
    
    >>> values, indices = ax.ops.top_k([1.0, 3.0, 2.0], k=2)
    >>> values, indices
    (Tensor([3., 2.], dtype=float32), Tensor([1, 2], dtype=int32))
    
    Arguments:
        k: How many elements.
        sorted: Whether the order matters; False allows any, though it is the same one today.
    """
def transpose(x: object, permutation: int | collections.abc.Sequence[int] = tuple()) -> addax._core.Tensor:
    """
    Axes in another order: axis i of the result is axis `permutation[i]` of `x`.
    
    >>> ax.ops.transpose([[1.0, 2.0, 3.0]]).shape
    (3, 1)
    
    Arguments:
        permutation: New order of the axes; empty reverses it.
    """
def var(x: object, axis: int | collections.abc.Sequence[int] | None = None, keepdims: bool = False) -> addax._core.Tensor:
    """
    Variance over axes: the mean of squared deviations from the mean.
    
    >>> ax.ops.var([[1.0, 2.0], [3.0, 8.0]], axes=[0])
    Tensor([1., 9.], dtype=float32)
    
    Arguments:
        axis: Axes to reduce; all when not given.
        keepdims: Keep reduced axes with extent 1.
    """
def where(condition: object, x1: object, x2: object) -> addax._core.Tensor:
    """
    `x1` where the condition is True, else `x2`.
    
    >>> ax.ops.where([True, False], [1.0, 2.0], [3.0, 4.0])
    Tensor([1., 4.], dtype=float32)
    """
