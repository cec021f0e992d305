"""What the applications have in common: their arguments, the image before and the classes after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from addax.errors import InvalidArgumentError, ShapeError, UnsupportedError
from addax.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from addax.models import Model
from addax.naming import did_you_mean
from addax.ops import window
from addax.symbolic import SymbolicTensor

_DEFAULT_SIZE = 224
_SMALLEST_SIZE = 32
_POOLINGS = {
    "avg": ("avg_pool", GlobalAveragePooling2D),
    "max": ("max_pool", GlobalMaxPooling2D),
}

# From images to features, or from features to what the classes are told from.
Stage = Callable[[Any], Any]


def average(x: Any) -> Any:
    """The mean of each feature: what most classifiers tell the classes from."""
    return GlobalAveragePooling2D(name="avg_pool")(x)


@dataclass(frozen=True)
class Classifier:
    """An architecture: its name in errors, its stages, and how the classes' kernel begins."""

    kind: str
    features: Stage
    top: Stage = average
    kernel_initializer: Any = "glorot_uniform"
    named_pooling: bool = True

    def image(
        self, include_top: bool, input_tensor: Any, input_shape: Sequence[int | None] | None
    ) -> SymbolicTensor:
        """Checks the images, and begins the model with them."""
        shape = tuple(input_shape) if isinstance(input_shape, Sequence) else input_shape
        if input_tensor is not None:
            if not isinstance(input_tensor, SymbolicTensor):
                raise InvalidArgumentError(
                    f"{self.kind}: input_tensor must be a symbolic tensor, which begins with "
                    f"ax.Input, got {type(input_tensor).__name__}"
                )
            if shape not in (None, input_tensor.shape[1:]):
                raise ShapeError(
                    f"{self.kind}: input_shape {shape} is not that of the images of input_tensor, "
                    f"{input_tensor.shape[1:]}; give one of them"
                )
            shape = input_tensor.shape[1:]
        elif shape is None:
            size = _DEFAULT_SIZE if include_top else None
            shape = (size, size, 3)
        self._check_shape(include_top, shape)
        return Input(shape) if input_tensor is None else input_tensor

    def build(
        self,
        image: SymbolicTensor,
        include_top: bool,
        weights: str | None,
        pooling: str | None,
        classes: int,
        classifier_activation: Any,
        name: str,
    ) -> Model:
        """Draws the model."""
        self._check(weights, pooling, classes)
        x = self.features(image)
        if include_top:
            x = Dense(
                classes,
                activation=classifier_activation,
                kernel_initializer=self.kernel_initializer,
                name="predictions",
            )(self.top(x))
        elif pooling is not None:
            pool_name, pool = _POOLINGS[pooling]
            x = pool(name=pool_name if self.named_pooling else None)(x)
        return Model(_sources(image), x, name=name)

    def _check(self, weights: str | None, pooling: str | None, classes: int) -> None:
        if weights is not None:
            raise UnsupportedError(
                f"{self.kind}: weights cannot be downloaded, got weights={weights!r}; give "
                "weights=None for random ones; load_weights() reads a file of one's own"
            )
        if pooling is not None and pooling not in _POOLINGS:
            raise InvalidArgumentError(
                f"{self.kind}: pooling must be None, 'avg' or 'max', got "
                f"{pooling!r}{did_you_mean(pooling, _POOLINGS)}"
            )
        if not isinstance(classes, int) or classes < 1:
            raise InvalidArgumentError(
                f"{self.kind}: classes must be a positive integer, got {classes!r}"
            )

    def _check_shape(self, include_top: bool, shape: Any) -> None:
        if (
            not isinstance(shape, tuple)
            or len(shape) != 3
            or any(extent is not None and not isinstance(extent, int) for extent in shape)
            or not shape[2]
        ):
            raise ShapeError(
                f"{self.kind}: expected images of shape (height, width, channels), integers with a "
                f"known number of channels, got {shape}"
            )
        if any(extent is not None and extent < _SMALLEST_SIZE for extent in shape[:2]):
            raise ShapeError(
                f"{self.kind}: images must be at least {_SMALLEST_SIZE}x{_SMALLEST_SIZE} pixels, "
                f"got shape {shape}"
            )
        if include_top and None in shape:
            raise ShapeError(
                f"{self.kind}: include_top=True needs images of a known size, got shape {shape}; "
                "give an input_shape of integers, or include_top=False"
            )


class Application(Protocol):
    """The arguments of most functions of ``keras.applications``."""

    def __call__(
        self,
        include_top: bool = True,
        weights: str | None = "imagenet",
        input_tensor: Any = None,
        input_shape: Sequence[int | None] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = ...,
    ) -> Model:
        """Draw the model."""


def application(**ends: Any) -> Callable[[Stage], Application]:
    """Turns the function that draws an architecture's features into one that draws its model."""

    def decorate(features: Stage) -> Application:
        classifier = Classifier(features.__name__, features, **ends)

        def build(
            include_top: bool = True,
            weights: str | None = "imagenet",
            input_tensor: Any = None,
            input_shape: Sequence[int | None] | None = None,
            pooling: str | None = None,
            classes: int = 1000,
            classifier_activation: Any = "softmax",
            name: str = features.__name__.lower(),
        ) -> Model:
            image = classifier.image(include_top, input_tensor, input_shape)
            return classifier.build(
                image, include_top, weights, pooling, classes, classifier_activation, name
            )

        build.__name__ = build.__qualname__ = features.__name__
        build.__module__ = features.__module__
        build.__doc__ = f"{features.__doc__}\n{_ARGUMENTS}"
        return build

    return decorate


_ARGUMENTS = """
    Args:
        include_top: Whether the model ends in classes; otherwise in features.
        weights: None for random ones; others cannot be downloaded.
        input_tensor: A symbolic tensor to begin with instead of an input of ``input_shape``.
        input_shape: Height, width and channels; (224, 224, 3) for classes, any size for features.
        pooling: Without top: None for maps of features, ``"avg"`` or ``"max"`` for one number each.
        classes: The number of classes.
        classifier_activation: The activation of the classes; None for logits.
        name: The name of the model.

    Raises:
        UnsupportedError: weights other than None.
        ShapeError: images that the architecture cannot take.
        InvalidArgumentError: another argument is out of its range.
    """


def halving_padding(x: Any, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros with which windows of stride 2 halve images; an unknown size counts as even."""
    extents = [2 if extent is None else extent for extent in x.shape[1:3]]
    top, bottom, left, right = window.explicit_padding(
        "same", extents, [kernel_size] * 2, [2, 2], [1, 1], "halving_padding"
    )
    return (top, bottom), (left, right)


def _sources(tensor: SymbolicTensor) -> Any:
    """The inputs that a symbolic tensor depends on; itself if it is one."""
    found: list[SymbolicTensor] = []
    seen: set[int] = set()
    todo = [tensor]
    while todo:
        x = todo.pop()
        if id(x) not in seen:
            seen.add(id(x))
            if x.node is None:
                found.append(x)
            else:
                todo += x.node.inputs
    return found[0] if len(found) == 1 else found
