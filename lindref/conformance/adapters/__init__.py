"""Implementations under test: what a campaign asks of one, and those that lindref brings.

``interface`` is all that somebody who plugs in another runtime needs; ``lindref conform new-adapter FILE`` writes a
file that begins with it.
"""

from __future__ import annotations

from lindref.conformance.adapters.case import Calls, Case, Program
from lindref.conformance.adapters.interface import (
    FEATURES,
    KINDS,
    Adapter,
    AdapterError,
    Description,
    NotApplicable,
    Observed,
)

__all__ = [
    "FEATURES",
    "KINDS",
    "Adapter",
    "AdapterError",
    "Calls",
    "Case",
    "Description",
    "NotApplicable",
    "Observed",
    "Program",
]
