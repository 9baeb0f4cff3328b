"""The official test scripts (``.wast``): ``lindref wast PATH…`` runs them and counts."""

from __future__ import annotations

from lindref.conformance.wast.command import main

__all__ = ["main"]
