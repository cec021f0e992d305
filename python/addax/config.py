"""Settings of the whole package, under the names of ``keras.config``.

>>> dtype_policy().name
'float32'
"""

from addax.mixed_precision import dtype_policy, set_dtype_policy

__all__ = ["dtype_policy", "set_dtype_policy"]
