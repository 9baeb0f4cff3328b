"""What the commands cost, from shell to shell: a small program run, and the official scripts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "conformance" / "guests" / "hello" / "main.wasm"
SCRIPTS = ROOT.parent / "shared" / "wasm-testsuite"
#: Folders whose features are not built.
UNBUILT = "core/simd/,core/relaxed-simd/,core/gc/,core/memory64/"


def lindref(*args: str) -> tuple[float, float, str]:
    """Runs the command: seconds that passed, seconds of processor time, standard output."""
    before = os.times()
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lindref.cli.main", *args], cwd=ROOT, capture_output=True, text=True, check=False
    )
    passed = time.perf_counter() - begun
    after = os.times()
    if done.returncode:
        raise SystemExit(f"lindref {' '.join(args)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return passed, spent, done.stdout


def hello(repeat: int) -> float:
    """Seconds from shell to shell for a C program that prints a line: the best of several."""
    return min(lindref("run", str(HELLO))[0] for _ in range(repeat))


def scripts() -> tuple[float, float, str] | None:
    """Seconds that passed, processor seconds and the count line for the official scripts; ``None`` if absent."""
    if not SCRIPTS.is_dir():
        return None
    passed, spent, out = lindref("wast", str(SCRIPTS), "--exclude", UNBUILT)
    return passed, spent, out.splitlines()[-1]
