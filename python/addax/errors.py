"""The exceptions that Addax raises.

Every message names the op in square brackets where one is concerned, gives the shapes or dtypes,
and says what to do. Each class also derives from the built-in exception that fits, so that
``except ValueError`` works as one would expect.

>>> import addax as ax
>>> try:
...     ax.tensor([1.0, 2.0]) + ax.tensor([1.0, 2.0, 3.0])
... except ax.errors.ShapeError as error:
...     print(isinstance(error, ValueError), "(2,)" in str(error))
True True
"""

from addax._core import (
    AddaxError,
    DeviceError,
    DTypeError,
    InternalError,
    InvalidArgumentError,
    IoError,
    OutOfMemoryError,
    OutOfRangeError,
    ShapeError,
    TracedValueError,
    UnsupportedError,
)

__all__ = [
    "AddaxError",
    "DTypeError",
    "DeviceError",
    "InternalError",
    "InvalidArgumentError",
    "IoError",
    "OutOfMemoryError",
    "OutOfRangeError",
    "ShapeError",
    "TracedValueError",
    "UnsupportedError",
]
