"""One script file, run from its first command to its last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lindref.conformance.wast.features import features_for
from lindref.conformance.wast.schedule import Schedule
from lindref.conformance.wast.session import Session, World
from lindref.conformance.wast.spectest import spectest
from lindref.conformance.wast.verdict import Failure, Verdict
from lindref.vm.store import Store
from lindref.wasm.features import Feature
from lindref.wasm.text.commands import Command
from lindref.wasm.text.script import parse_script


def run_script(path: Path, features: frozenset[Feature] | None = None, engine: str = "reference") -> list[Verdict]:
    """The verdicts of a script's commands, in the order in which they ended; ``OSError`` if it cannot be read.

    ``features`` instead of those that its folder tells; ``engine`` says which machine runs the code.
    """
    chosen = features_for(path) if features is None else features

    def read_file(name: str) -> Sequence[Command]:
        try:
            return parse_script((path.parent / name).read_bytes(), chosen)
        except OSError as error:
            raise Failure(f"{name}: {error.strerror}") from None

    commands = parse_script(path.read_bytes(), chosen)
    store = Store()
    world = World(str(path), store, Schedule(), spectest(store), read_file, engine)
    Session(world, commands)
    world.schedule.run()
    return world.verdicts
