"""What commands cost from shell to shell: a small program, a large one to its first instruction, the scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import large

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "conformance" / "guests" / "hello" / "main.wasm"
SCRIPTS = ROOT.parent / "shared" / "wasm-testsuite"
#: Folders whose features are not built.
UNBUILT = "core/simd/,core/relaxed-simd/,core/gc/,core/memory64/"

#: What ends after a program's first tick, and the status that it ends with.
FIRST = ("run", "--max-ticks", "1")
LIMIT = 72


def lindref(*args: str, cwd: Path = ROOT, status: int = 0, **env: str) -> tuple[float, float, str]:
    """Runs the command: seconds that passed, seconds of processor time, standard output."""
    before = os.times()
    begun = time.perf_counter()
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "lindref.cli.main", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=inherited | {"PYTHONPATH": str(cwd)} | env,
    )
    passed = time.perf_counter() - begun
    after = os.times()
    if done.returncode != status:
        raise SystemExit(f"lindref {' '.join(args)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return passed, spent, done.stdout


def hello(repeat: int) -> float:
    """Seconds from shell to shell for a C program that prints a line: the best of several."""
    lindref("run", str(HELLO))  # so that Python has compiled lindref itself
    return min(lindref("run", str(HELLO))[0] for _ in range(repeat))


def first_instruction(repeat: int, binary: Path) -> tuple[float, float]:
    """Seconds from shell to shell for the first instruction of a program: the best of several, warm and cold.

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
    return min(warm[1:]), min(cold)


def large_program(folder: Path) -> Path | None:
    """The program of 2 MB with debug information, built now; ``None`` where there is no C compiler."""
    out = folder / "large.wasm"
    try:
        large.build(out)
    except SystemExit as error:
        sys.stderr.write(f"the large program cannot be built: {error}\n")
        return None
    return out


def scripts() -> tuple[float, float, str] | None:
    """Seconds that passed, processor seconds and the count line for the official scripts; ``None`` if absent."""
    if not SCRIPTS.is_dir():
        return None
    passed, spent, out = lindref("wast", str(SCRIPTS), "--exclude", UNBUILT)
    return passed, spent, out.splitlines()[-1]
