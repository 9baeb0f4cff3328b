"""The six small programs on every other Python that is present, each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.micro import MEAN, Table

ROOT = Path(__file__).resolve().parents[1]


def others() -> dict[str, str]:
    """Name -> interpreter."""
    spec = importlib.util.spec_from_file_location("other_pythons", ROOT / "tools" / "other_pythons.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, str] = module.others()
    return found


def measure(repeat: int, programs: list[str]) -> dict[str, Table]:
    """Python -> the table that it makes. Packages in pure Python are lent to it from where they are installed here."""
    lent = [found.origin for name in ("pywasm", "ppci") if (found := importlib.util.find_spec(name)) and found.origin]
    path = os.pathsep.join([str(ROOT), *dict.fromkeys(str(Path(origin).parents[1]) for origin in lent)])
    tables: dict[str, Table] = {}
    for name, python in others().items():
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "figures.json"
            words = [*programs, "--part", "micro", "--python-only", "--repeat", str(repeat), "--json", str(out)]
            done = subprocess.run(
                [python, "-m", "benchmarks", *words],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                last = (done.stderr.splitlines() or ["no word"])[-1]
                sys.stderr.write(f"{name}: status {done.returncode}: {last}\n")
                continue
            tables[name] = json.loads(out.read_text(encoding="utf-8"))["million instructions/s"]
    return tables


def show(tables: dict[str, Table]) -> str:
    """The geometric means, a line for each Python."""
    names = list(dict.fromkeys(engine for rows in tables.values() for engine in rows[MEAN]))
    lines = [f"{'geometric mean on':24}" + "".join(f"{name:>19}" for name in names)]
    for python, rows in tables.items():
        cells = [f"{rows[MEAN][name]:.2f}" if name in rows[MEAN] else "-" for name in names]
        lines.append(f"{python:24}" + "".join(f"{cell:>19}" for cell in cells))
    return "\n".join(lines)
