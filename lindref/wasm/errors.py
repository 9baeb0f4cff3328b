"""What can be wrong with a module, as typed errors that carry one line and a place."""

from __future__ import annotations


class WasmError(Exception):
    """A module or script that cannot be used.

    ``message`` is the specification's wording where it has one; ``where`` names the place
    (``"offset 0x1f"``, ``"line 3, column 7"``, ``"func 12"``) or is empty. ``str()`` is one line.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message, where)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.message} ({self.where})" if self.where else self.message

    def at(self, where: str) -> WasmError:
        """The same error with ``where`` prefixed to its place (``"func 3, offset 0x1f"``)."""
        return type(self)(self.message, f"{where}, {self.where}" if self.where else where)


class Malformed(WasmError):
    """The bytes or the text are not a module (binary §5, text §6): ``assert_malformed``."""


class Invalid(WasmError):
    """A well-formed module that breaks a validation rule (§3): ``assert_invalid``."""


class Unsupported(WasmError):
    """A module that needs a feature which is not built or not enabled.

    Neither malformed nor invalid: the official runner must count it as a skip.
    """


class Exhausted(WasmError):
    """A limit of ours (not of the specification) is exceeded, e.g. 2^31 locals in a function."""
