"""Run by a test in a process of its own: resumes saved machines and prints what they come to.

Arguments: a folder with pairs of files ``N.wasm`` (a module) and ``N.state`` (what was saved of a machine and its
store in it). Prints for each a line: number, outcome, digest of the final state.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lindref.state.saved import load
from lindref.vm.continuation import Continuation
from lindref.vm.machine import Machine
from lindref.vm.program import program
from lindref.vm.store import Store, StoreState
from lindref.wasm.binary.decoder import decode
from lindref.wasm.features import BUILT

sys.path.insert(0, str(Path(__file__).parents[1]))

from vm.worlds import everything, finish


def main(folder: Path) -> None:
    """See the top."""
    for path in sorted(folder.glob("*.wasm")):
        ready = program(decode(path.read_bytes(), BUILT))
        frozen, held = load(path.with_suffix(".state"), "machine")
        assert isinstance(frozen, StoreState)
        assert isinstance(held, Continuation)
        store = Store.thaw(frozen, {ready.digest: ready})
        machine = Machine.thaw(store, held)
        sys.stdout.write(f"{path.stem} {finish(machine)} {everything(store, machine).hex()}\n")


main(Path(sys.argv[1]))
