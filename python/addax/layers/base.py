"""What every layer is: weights, sublayers, and a call that builds, labels and checks."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from addax import (
    _core,
    aliases,
    host_copies,
    initializers,
    mixed_precision,
    naming,
    nested,
    placement,
    random,
    symbolic,
    tracing,
)
from addax.errors import AddaxError, DTypeError, InvalidArgumentError, ShapeError
from addax.ops.emit import Tensor, Variable, as_tensor

Shape = tuple[int | None, ...]
L = TypeVar("L", bound="Layer")


class _Context(threading.local):
    def __init__(self) -> None:
        self.training: bool | None = None


# What the outermost call was told about training, for the layers that it calls.
_context = _Context()

# Attributes under which layers keep what is neither a weight nor a sublayer of theirs.
_UNTRACKED = {"_first_call", "_graph", "optimizer"}


class Layer:
    """Base of all layers. A subclass creates its weights in ``build`` and computes in ``call``.

    Variables and layers assigned to attributes, also within lists and dicts, are part of the layer.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
    ...
    ...     def call(self, x):
    ...         return x * self.factor
    >>> layer = Scale()
    >>> layer(np.ones((1, 2), np.float32)).tolist(), layer.count_params()
    ([[1.0, 1.0]], 2)
    """

    # Set by __new__, so that a subclass that forgets super().__init__() still has a name.
    name: str
    built: bool
    # Whether floating inputs are cast to the dtype that the layer computes in.
    autocast: bool
    # What errors call it.
    _role = "layer"

    def __new__(cls, *args: Any, **kwargs: Any) -> Layer:
        """Give the layer what it needs before any ``__init__`` runs."""
        layer = super().__new__(cls)
        layer.__dict__.update(
            _trainable=True,
            built=False,
            autocast=True,
            _dtype_policy=mixed_precision.global_policy(),
            _declared_shape=None,
            name="",
        )
        return layer

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | mixed_precision.Policy | None = None,
        autocast: bool = True,
        input_shape: Sequence[int | None] | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise TypeError(self._unknown_argument(next(iter(unknown))))
        self.name = name or naming.unique(naming.snake_case(type(self).__name__))
        self._trainable = trainable
        self.autocast = autocast
        self._dtype_policy = mixed_precision.get(dtype)
        self._declared_shape = None if input_shape is None else tuple(input_shape)

    def _unknown_argument(self, word: str) -> str:
        known = [
            argument
            for cls in type(self).__mro__
            if "__init__" in vars(cls)
            for argument in inspect.signature(vars(cls)["__init__"]).parameters
            if argument not in ("self", "args", "kwargs", "unknown")
        ]
        return f"{type(self).__name__}: unknown argument '{word}'{naming.did_you_mean(word, known)}"

    # ---- To be overridden.

    def build(self, input_shape: Any) -> None:
        """Create the weights; called once, with the shape of the first input."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; called through the layer itself."""
        raise NotImplementedError(f"{type(self).__name__} must override call()")

    # ---- Calling.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Create the weights when called first, then compute; symbolic inputs extend a model."""
        if symbolic.has_symbolic((args, kwargs)):
            if not self.name:
                self.name = naming.unique(naming.snake_case(type(self).__name__))
            self._ensure_built(args, kwargs)
            outputs = symbolic.apply(self.name, self, args, kwargs)
            self.__dict__.setdefault("_first_call", (args[0] if args else None, outputs))
            return outputs
        args, kwargs = nested.map_leaves(self._convert, (args, kwargs))
        training = kwargs.get("training")
        if training is None:
            training = _context.training
        parameter = _training_parameter(type(self).call)
        if parameter is None:
            kwargs.pop("training", None)
        elif training is None:
            kwargs["training"] = parameter.default is True
        else:
            kwargs["training"] = bool(training)
        self._ensure_built(args, kwargs)
        outer, _context.training = _context.training, training
        try:
            with tracing.label(self.name):
                return self.call(*args, **kwargs)
        except (ShapeError, DTypeError) as error:
            raise self._explained(error, args) from None
        finally:
            _context.training = outer

    def _convert(self, x: Any) -> Any:
        """Return an array as a tensor, and floating numbers in the dtype that is computed in."""
        if isinstance(x, np.ndarray):
            if self.autocast and x.dtype.kind == "f":
                # NumPy's default float64 is rarely meant.
                x = np.asarray(x, "float64" if self.compute_dtype == "float64" else "float32")
            x = _core.tensor(x)
        if self.autocast and isinstance(x, Tensor | Variable) and "float" in x.dtype:
            return self._cast(x)
        return x

    def _explained(self, error: AddaxError, args: tuple[Any, ...]) -> AddaxError:
        """Add the name of the innermost layer, and of the innermost model, to an error of an op."""
        told = str(error)
        if f"{self._role} '" not in told:
            shapes = [str(tuple(x.shape)) for x in nested.leaves(args) if hasattr(x, "shape")]
            called = f"called with {', '.join(shapes)}" if shapes else "called without a tensor"
            error.args = (f"{told}\nin {self._role} '{self.name}', {called}",)
        return error

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.built:
            return
        if not self.name:
            self.name = naming.unique(naming.snake_case(type(self).__name__))
        first = args[0] if args else next(iter(kwargs.values()), None)
        shape = nested.map_leaves(lambda x: tuple(x.shape) if hasattr(x, "shape") else None, first)
        self._build(shape)

    def _build(self, shape: Any) -> None:
        count = len(self.__dict__.get("_created", ()))
        try:
            with tracing.suspended():
                self.build(shape)
        except BaseException:
            # The next attempt creates all anew.
            del self.__dict__.get("_created", [])[count:]
            raise
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape (or nested shapes) that a call with inputs of that shape returns."""
        inputs = _map_shapes(
            lambda shape: symbolic.SymbolicTensor(shape, self.dtype, "input"), input_shape
        )
        self._ensure_built((inputs,), {})
        outputs = symbolic.infer(self, (inputs,), {})
        return nested.map_leaves(lambda x: x.shape, outputs)

    @property
    def input(self) -> Any:
        """The symbolic input of the layer's first call in a model."""
        return self._first()[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the layer's first call in a model.

        >>> from addax import Model, Sequential, layers
        >>> model = Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
        >>> Model(model.inputs, model.layers[0].output).output_shape
        (None, 3)
        """
        return self._first()[1]

    def _first(self) -> tuple[Any, Any]:
        if "_first_call" not in self.__dict__:
            raise InvalidArgumentError(
                f"layer '{self.name}' is in no functional or Sequential model yet: it has no "
                "symbolic input and output"
            )
        call: tuple[Any, Any] = self.__dict__["_first_call"]
        return call

    # ---- Dtypes.

    @property
    def dtype_policy(self) -> mixed_precision.Policy:
        """What the layer computes in, and what it keeps its weights in."""
        return self._dtype_policy

    @property
    def compute_dtype(self) -> str:
        """The dtype that the layer computes in; a layer of one's own casts its weights to it."""
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.variable_dtype

    # ---- Weights.

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        *,
        name: str | None = None,
    ) -> _core.Variable:
        """Create a variable of this layer."""
        dtype = dtype or self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        extents = tuple(shape or ())
        if any(not isinstance(extent, int | np.integer) for extent in extents):
            raise ShapeError(
                f"layer '{self.name}' cannot create a weight of shape {extents}: every extent must "
                "be known"
            )
        with tracing.suspended():
            value = initializers.get(initializer)(extents, dtype)
            variable = _core.Variable(
                as_tensor(value, dtype),
                name=f"{self.name}/{name or 'variable'}",
                trainable=trainable,
            )
        # A weight that its creator keeps nowhere still belongs to the layer.
        self.__dict__.setdefault("_created", []).append(variable)
        return variable

    def _sublayers(self) -> list[Layer]:
        found = [x for x in _tracked(self.__dict__) if isinstance(x, Layer) and x is not self]
        return list({id(layer): layer for layer in found}.values())

    def _walk(self) -> Iterator[tuple[Layer, list[_core.Variable]]]:
        """Yield this layer and all layers within it, each once, with the variables of their own."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            layer = waiting.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            variables: dict[int, _core.Variable] = {}
            inner: list[Layer] = []
            for part in _tracked(layer.__dict__):
                if isinstance(part, Variable):
                    variables[id(part)] = part
                elif isinstance(part, Layer):
                    inner.append(part)
            yield layer, sorted(variables.values(), key=_frozen_last)
            waiting += reversed(inner)

    def _flat(self) -> Iterator[Layer]:
        """Yield this layer and all layers within it, each once."""
        return (layer for layer, _ in self._walk())

    @property
    def weights(self) -> list[_core.Variable]:
        """All variables: the layer's own, then those of the layers within it."""
        found = [variable for _, variables in self._walk() for variable in variables]
        return list({id(variable): variable for variable in found}.values())

    @property
    def variables(self) -> list[_core.Variable]:
        """All variables."""
        return self.weights

    @property
    def trainable_weights(self) -> list[_core.Variable]:
        """The variables that training changes."""
        if not self._trainable:
            return []
        found = [
            variable
            for layer, variables in self._walk()
            if layer._trainable
            for variable in variables
            if variable.trainable
        ]
        return list({id(variable): variable for variable in found}.values())

    @property
    def trainable_variables(self) -> list[_core.Variable]:
        """The variables that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[_core.Variable]:
        """The variables that the optimizer leaves alone."""
        trained = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trained]

    @property
    def non_trainable_variables(self) -> list[_core.Variable]:
        """The variables that the optimizer leaves alone."""
        return self.non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it applies to the layers within, too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flat():
            layer._trainable = bool(value)

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of all weights as NumPy arrays."""
        return [np.array(value) for value in host_copies.values_of(self.weights)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights from arrays, in the order of ``get_weights``."""
        variables = self.weights
        if len(weights) != len(variables):
            raise InvalidArgumentError(
                f"layer '{self.name}' has {len(variables)} weights, got {len(weights)} arrays"
            )
        arrays = [np.asarray(weight) for weight in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if tuple(variable.shape) != array.shape:
                raise ShapeError(
                    f"weight '{variable.name}' has shape {tuple(variable.shape)}, got {array.shape}"
                )
        for variable, array in zip(variables, arrays, strict=True):
            host_copies.assign(variable, array.astype(variable.numpy().dtype, copy=False))

    def count_params(self) -> int:
        """Return the number of elements of all weights."""
        if not self.built:
            raise InvalidArgumentError(
                f"layer '{self.name}' has no weights yet: call it, or build it with an input shape"
            )
        return sum(int(np.prod(variable.shape)) for variable in self.weights)

    def _move(self, move: placement.Move) -> None:
        """Replace the weights that lie on another device by copies."""
        for layer in self._flat():
            for key, value in list(layer.__dict__.items()):
                if isinstance(value, random.SeedGenerator):
                    value.state = move(value.state)
                elif key not in _UNTRACKED and isinstance(value, Variable | list | tuple | dict):
                    layer.__dict__[key] = nested.map_leaves(
                        lambda x: move(x) if isinstance(x, Variable) else x, value
                    )

    # ---- Configuration.

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer: those kept under their own names."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._dtype_policy.name,
        }
        parameters = inspect.signature(type(self).__init__).parameters
        for argument, parameter in parameters.items():
            named = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            if named and argument in self.__dict__:
                config[argument] = aliases.configuration(self.__dict__[argument])
        return config

    @classmethod
    def from_config(cls: type[L], config: dict[str, Any]) -> L:
        """Make a layer from the result of ``get_config``."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    # ---- For built-in layers.

    def _cast(self, x: Tensor | Variable) -> Tensor:
        """Return a tensor or a weight in the dtype that the layer computes in."""
        return as_tensor(x, self.compute_dtype)

    def _expect(
        self, shape: Any, rank: int | None = None, min_rank: int = 1, last: int | None = None
    ) -> None:
        """Check an input's shape against the rank and the last extent that the layer takes."""
        rank_ok = len(shape) == rank if rank is not None else len(shape) >= min_rank
        if rank_ok and (last is None or shape[-1] in (last, None)):
            return
        inner = last if last is not None else "..."
        if rank is not None:
            wanted = f"of rank {rank}" + ("" if last is None else f" with {last} channels last")
        elif last is not None:
            wanted = f"of shape (..., {inner})"
        else:
            wanted = f"of rank {min_rank} or more"
        raise ShapeError(
            f"layer '{self.name}' expected an input {wanted}, got shape {tuple(shape)}"
        )


# Types of most attributes, which hold no part of a layer.
_PLAIN = frozenset({bool, int, float, str, type(None), mixed_precision.Policy})
_PARTS = (Variable, Layer)
_CONTAINERS = (list, tuple, dict)


def _tracked(attributes: dict[str, Any]) -> list[Any]:
    """Return the values among which a layer's variables and inner layers are."""
    found: list[Any] = []
    for key, value in attributes.items():
        if type(value) in _PLAIN or key in _UNTRACKED:
            continue
        if isinstance(value, _PARTS):
            found.append(value)
        elif isinstance(value, _CONTAINERS):
            found.extend(nested.leaves(value))
    return found


def _frozen_last(variable: _core.Variable) -> bool:
    return not variable.trainable


@functools.cache
def _training_parameter(call: Callable[..., Any]) -> inspect.Parameter | None:
    return inspect.signature(call).parameters.get("training")


def is_shape(value: Any) -> bool:
    """Whether a value is one shape, not a structure of several."""
    return isinstance(value, list | tuple) and all(
        extent is None or isinstance(extent, int | np.integer) for extent in value
    )


def _map_shapes(function: Callable[[Shape], Any], shapes: Any) -> Any:
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {key: _map_shapes(function, shape) for key, shape in shapes.items()}
    return [_map_shapes(function, shape) for shape in shapes]


__all__ = ["Layer", "Shape", "Tensor"]
