"""What can be wrong with saved state."""

from __future__ import annotations


class StateError(Exception):
    """Bytes that are no saved state, or a file that cannot be read or written as one.

    ``message`` says what is wrong in one line; ``where`` names the place (``"offset 17"``, a path) or is
    empty.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message, where)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.message} ({self.where})" if self.where else self.message
