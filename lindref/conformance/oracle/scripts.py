"""The world in which a script of calls begins: what was there is known (JUDGE-5)."""

from __future__ import annotations

from lindref.conformance.oracle.world import World
from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.play import furnish
from lindref.posix.kernel import Kernel


def world_of(vector: Vector) -> World:
    """What is there when a run of ``vector`` begins."""

    def put(kernel: Kernel) -> None:
        furnish(kernel, vector)

    return World(unknown=False, furnish=put)
