"""What commands cost from shell to shell: a small program, a large one to its first instruction, the scripts."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import large
from lindref import classes

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "conformance" / "guests" / "hello" / "main.wasm"
SCRIPTS = ROOT.parent / "shared" / "wasm-testsuite"
#: Folders whose features are not built.
UNBUILT = "core/simd/,core/relaxed-simd/,core/gc/,core/memory64/"

#: What ends after a program's first tick, and the status that it ends with.
FIRST = ("run", "--max-ticks", "1")
LIMIT = 72


@classes.frozen
class Cost:
    """What a command took: seconds that passed, and seconds of processor time."""

    passed: float
    spent: float

    @classmethod
    def best(cls, costs: list[Cost]) -> Cost:
        """The least of each."""
        return cls(min(cost.passed for cost in costs), min(cost.spent for cost in costs))


def _spent() -> float:
    """Seconds of processor time that ended children took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def lindref(*args: str, cwd: Path = ROOT, status: int = 0, **env: str) -> tuple[Cost, str]:
    """Runs the command: what it took, and its standard output; ``SystemExit`` for another exit status."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = _spent(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lindref.cli.main", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=inherited | {"PYTHONPATH": str(cwd)} | env,
    )
    cost = Cost(time.perf_counter() - begun, _spent() - before)
    if done.returncode != status:
        raise SystemExit(f"lindref {' '.join(args)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return cost, done.stdout


def hello(repeat: int) -> Cost:
    """A C program that prints a line, from shell to shell: the best of several."""
    lindref("run", str(HELLO))  # so that Python has compiled lindref itself
    return Cost.best([lindref("run", str(HELLO))[0] for _ in range(repeat)])


def first_instruction(repeat: int, binary: Path) -> tuple[Cost, Cost]:
    """To the first instruction of a program, from shell to shell: the best of several, warm and cold.

    Cold is a copy of lindref that Python has not compiled, and no cache of what lindref keeps about modules.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT / "lindref", copy / "lindref", ignore=shutil.ignore_patterns("__pycache__"))
        warm, cold = [], []
        for turn in range(repeat + 1):
            warm.append(lindref(*FIRST, str(binary), status=LIMIT, XDG_CACHE_HOME=folder)[0])
            fresh = {"XDG_CACHE_HOME": f"{folder}/{turn}", "PYTHONDONTWRITEBYTECODE": "1"}
            cold.append(lindref(*FIRST, str(binary), cwd=copy, status=LIMIT, **fresh)[0])
    return Cost.best(warm[1:]), Cost.best(cold)


def large_program(folder: Path) -> Path | None:
    """The program of 2 MB with debug information, built now; ``None`` where there is no C compiler."""
    out = folder / "large.wasm"
    try:
        large.build(out)
    except SystemExit as error:
        sys.stderr.write(f"the large program cannot be built: {error}\n")
        return None
    return out


def scripts() -> tuple[Cost, str] | None:
    """The official scripts on one core: what they take, and the line that counts; ``None`` if they are not there."""
    if not SCRIPTS.is_dir():
        return None
    cost, out = lindref("wast", str(SCRIPTS), "--exclude", UNBUILT)
    return cost, out.splitlines()[-1]
