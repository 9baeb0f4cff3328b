"""What can go wrong with a search that is no fault of the program's."""

from __future__ import annotations


class HelpersError(Exception):
    """Helpers that cannot be had: one line."""
