"""Traps: how a running instruction says that it cannot go on (spec §4.2.2)."""

from __future__ import annotations

from typing import Final


class Trap(Exception):
    """An instruction's operands are outside its domain.

    ``message`` is the specification's wording, one of the constants of this module or (for resources of the
    host) another single line. The machine catches it and makes it the outcome of the thread: a trap is the
    guest's, never a Python exception that a user sees.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# The texts that the official scripts expect (``assert_trap``).
UNREACHABLE: Final = "unreachable"
DIVIDE_BY_ZERO: Final = "integer divide by zero"
OVERFLOW: Final = "integer overflow"
INVALID_CONVERSION: Final = "invalid conversion to integer"
MEMORY_BOUNDS: Final = "out of bounds memory access"
TABLE_BOUNDS: Final = "out of bounds table access"
UNDEFINED_ELEMENT: Final = "undefined element"
UNINITIALIZED_ELEMENT: Final = "uninitialized element"
INDIRECT_CALL_MISMATCH: Final = "indirect call type mismatch"
NULL_FUNCTION: Final = "null function reference"
NULL_REFERENCE: Final = "null reference"
NULL_EXCEPTION: Final = "null exception reference"
UNALIGNED_ATOMIC: Final = "unaligned atomic"
STACK_EXHAUSTED: Final = "call stack exhausted"
EXPECTED_SHARED: Final = "expected shared memory"
