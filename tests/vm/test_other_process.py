"""A run that is saved to disk goes on in another Python process as it would have here."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from vm.worlds import World, advance, callable_exports, everything, finish, length
from wasm.strategies import RUNNABLE, module_from

from lindref.state.saved import save
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.features import BUILT

ROOT = Path(__file__).parents[2]


def saved_in_the_middle(folder: Path, number: int, choices: random.Random) -> str | None:
    """Saves a run somewhere on its way; what it comes to here, as the other process prints it."""
    data = encode(module_from(choices.randrange(2**48), RUNNABLE))
    world = World.of(decode(data, BUILT))
    candidates = callable_exports(world, choices.randrange)
    if not candidates:
        return None
    name, args = choices.choice(candidates)
    machine = world.begin(name, *args)
    advance(machine, choices.randrange(length(world, name, args) + 1))
    (folder / f"{number:03}.wasm").write_bytes(data)
    save(folder / f"{number:03}.state", "machine", (world.store.freeze(), machine.freeze()))
    return f"{number:03} {finish(machine)} {everything(world.store, machine).hex()}"


def test_random_programs_go_on_elsewhere(tmp_path: Path) -> None:
    choices = random.Random(20)
    count = 400 if os.environ.get("LINDREF_CAMPAIGN") == "long" else 40
    wanted = [saved_in_the_middle(tmp_path, number, choices) for number in range(count)]
    assert sum(line is not None for line in wanted) > count * 3 // 4
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    script = [sys.executable, str(Path(__file__).with_name("resume_saved.py")), str(tmp_path)]
    environment["PYTHONPATH"] = str(ROOT)
    found = subprocess.run(script, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert found.stderr == ""
    assert found.stdout.splitlines() == [line for line in wanted if line is not None]
