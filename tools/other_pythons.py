"""Run the tests on every other Python that is present: CPython 3.11 to 3.14, PyPy 3.11.

Looks on PATH and among pyenv's versions; each gets a virtual environment of its own (``.venv-NAME``). Arguments go to
pytest; without any, all tests but the campaigns run. Exit status 1 if the tests fail on one of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "pypy3", "pypy3.11")
ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


def candidates() -> Iterator[str]:
    """Interpreters that may be there, by path."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield found
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    if versions.is_dir():
        yield from (str(path) for path in sorted(versions.glob("*/bin/python")))


def identity(python: str) -> tuple[str, int, int] | None:
    """Implementation and version of an interpreter, ``None`` where it does not start (a shim without a version)."""
    done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return (words[0], int(words[1]), int(words[2])) if done.returncode == 0 and len(words) == 3 else None


def others() -> dict[str, str]:
    """Name (as ``cpython3.12``) -> interpreter, one of each kind, without the one that runs this."""
    own = (sys.implementation.name, *sys.version_info[:2])
    found: dict[str, str] = {}
    for python in candidates():
        kind = identity(python)
        if kind is not None and kind != own and kind[1:] >= (3, 11):
            found.setdefault(f"{kind[0]}{kind[1]}.{kind[2]}", python)
    return found


def prepare(name: str, python: str) -> Path:
    """The interpreter of a virtual environment with lindref and what its tests need."""
    folder = ROOT / f".venv-{name}"
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([str(inside), "-m", "pip", "install", *quiet, "-e", f"{ROOT}[dev]"], check=True)
    return inside


def main(words: list[str]) -> int:
    """Test on each; the exit status."""
    found = others()
    if not found:
        print("other Pythons: none is present, nothing to test")
        return 0
    failed = []
    for name, python in found.items():
        print(f"== {name} ({python})", flush=True)
        try:
            inside = prepare(name, python)
        except subprocess.CalledProcessError as error:
            print(f"{name}: cannot be set up: {' '.join(map(str, error.cmd))}")
            failed.append(name)
            continue
        arguments = words or ["-n", "auto", "-m", "not campaign"]
        done = subprocess.run([str(inside), "-m", "pytest", *arguments], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(name)
    print("other Pythons:", ", ".join(f"{n} {'FAILED' if n in failed else 'passed'}" for n in found))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
