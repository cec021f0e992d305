"""Models, under the names of ``keras.models``."""

from addax.models.model import Model
from addax.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
