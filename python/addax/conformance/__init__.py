"""Whether a device does what Addax asks of one: ``python -m addax device-test``.

The table of op cases in ``cases`` serves the tests and benchmarks of Addax itself, too.
"""

from addax.conformance.run import Check, Outcome, Result, checks, run

__all__ = ["Check", "Outcome", "Result", "checks", "run"]
