"""The state of a model and its training, written to a file and restored from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from addax import _core, host_copies, random
from addax.errors import AddaxError, InvalidArgumentError, ShapeError
from addax.saving import files
from addax.saving.names import generator_names, weight_names

if TYPE_CHECKING:
    from addax.training.trainer import Trainer

# How many differences an error names.
_TOLD = 3

_OPTIMIZER = "optimizer/"

Type = tuple[tuple[int, ...], str]


def save(model: Trainer, path: str) -> None:
    """Write weights, random generators and, once it has trained, the optimizer's state."""
    _check_built(model)
    state = _model_state(model)
    if model.optimizer is not None and model.optimizer.built_for:
        state |= _optimizer_state(model)
    values = host_copies.values_of([*state.values()])
    files.write(path, dict(zip(state, values, strict=True)))


def load(model: Trainer, path: str) -> None:
    """Restore what ``save`` has written; nothing changes unless all of it fits."""
    _check_built(model)
    expected = {name: _type_of(variable) for name, variable in _model_state(model).items()}
    with files.reading(path) as file:
        found = files.types(file)
        resumes = model.optimizer is not None and any(map(_is_of_optimizer, found))
        if resumes:
            expected |= _optimizer_types(model)
        else:
            found = {name: found[name] for name in found if not _is_of_optimizer(name)}
        if found != expected:
            raise _other_model(model, path, expected, found)
        values = {name: file.get_tensor(name) for name in expected}
    state = _model_state(model)
    if resumes:
        model.optimizer.build(model.trainable_weights)
        state |= _optimizer_state(model)
    for name, variable in state.items():
        host_copies.assign(variable, values[name])


def _check_built(model: Trainer) -> None:
    if not model.built:
        raise InvalidArgumentError(
            f"model '{model.name}' has no weights yet: call it, or build it with an input shape"
        )


def _model_state(model: Trainer) -> dict[str, _core.Variable]:
    state = {f"weights/{name}": variable for name, variable in weight_names(model).items()}
    state["random/global"] = random.global_generator().state
    for name, variable in generator_names(model).items():
        state[f"random/{name}"] = variable
    return state


def _optimizer_state(model: Trainer) -> dict[str, _core.Variable]:
    optimizer = model.optimizer
    names = _slot_names(model, optimizer.built_for)
    return _counters(model) | dict(zip(names, optimizer.slots, strict=True))


def _optimizer_types(model: Trainer) -> dict[str, Type]:
    """Return the types of the optimizer's variables, whether it has created its slots or not."""
    weights = model.trainable_weights
    types = {name: _type_of(variable) for name, variable in _counters(model).items()}
    kinds = len(model.optimizer.slot_names())
    slots = [_type_of(weight) for weight in weights] * kinds
    return types | dict(zip(_slot_names(model, weights), slots, strict=True))


def _counters(model: Trainer) -> dict[str, _core.Variable]:
    optimizer = model.optimizer
    counters = {f"{_OPTIMIZER}iterations": optimizer.iterations}
    if optimizer.rate is not None:
        counters[f"{_OPTIMIZER}learning_rate"] = optimizer.rate
    return counters


def _slot_names(model: Trainer, weights: Iterable[_core.Variable]) -> list[str]:
    names = {id(variable): name for name, variable in weight_names(model).items()}
    return [
        f"{_OPTIMIZER}{slot}/{names[id(weight)]}"
        for slot in model.optimizer.slot_names()
        for weight in weights
    ]


def _is_of_optimizer(name: str) -> bool:
    return name.startswith(_OPTIMIZER)


def _type_of(variable: _core.Variable) -> Type:
    return tuple(variable.shape), variable.dtype


def _other_model(
    model: Trainer, path: str, expected: Mapping[str, Type], found: Mapping[str, Type]
) -> AddaxError:
    def told(type_: Type) -> str:
        return f"{type_[0]} {type_[1]}"

    differences = []
    for name, type_ in expected.items():
        if name not in found:
            differences.append(f"the file lacks '{name}' {told(type_)}")
        elif found[name] != type_:
            differences.append(f"'{name}' is {told(found[name])} there and {told(type_)} here")
    for name, type_ in found.items():
        if name not in expected:
            differences.append(f"the model lacks '{name}' {told(type_)}")
    text = f"'{path}' does not fit model '{model.name}': " + "; ".join(differences[:_TOLD])
    if len(differences) > _TOLD:
        text += f"; and {len(differences) - _TOLD} more"
    one_sided = expected.keys() ^ found.keys()
    if not one_sided:
        return ShapeError(text)
    if all(map(_is_of_optimizer, one_sided)):
        text += ". To load the weights without the optimizer's state, load before compile()"
    return InvalidArgumentError(text)
