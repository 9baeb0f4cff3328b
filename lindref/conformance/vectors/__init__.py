"""Recorded vectors: ``lindref vectors PATH…`` plays them on the model and compares."""

from lindref.conformance.vectors.command import main

__all__ = ["main"]
