"""What an implementation is asked to do: run programs, play a script of calls, or call the functions of a module."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.vectors.model import Vector

#: An argument or result of a module's function: its type (``i32``, ``i64``, ``f32``, ``f64``) and its bits.
Bits = tuple[str, int]


@classes.frozen
class Program:
    """Programs in a folder, and how they are run.

    ``folder`` is the first cage's root and working directory; it is not to be changed (``copy_to`` makes one that
    may). ``argv`` are the words after the runtime's own: a grate's launch what comes after them. ``sources`` has the
    C files that each program is built from, relative to ``folder``, for those that compile by themselves.
    """

    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = classes.field(factory=dict)
    stdin: bytes = b""
    sources: Mapping[str, tuple[str, ...]] = classes.field(factory=dict)
    grates: tuple[str, ...] = ()

    def copy_to(self, folder: Path) -> Program:
        """The same in a copy of the folder below ``folder``, beside the headers that it shares, with a ``tmp``."""
        copy = folder / self.folder.name
        shutil.copytree(self.folder, copy)
        for header in self.folder.parent.glob("*.h"):
            shutil.copy(header, folder)
        (copy / "tmp").mkdir(exist_ok=True)
        return classes.evolve(self, folder=copy)


@classes.frozen
class Calls:
    """A module that imports nothing, and calls of its exported functions, in order, with arguments."""

    module: bytes
    calls: tuple[tuple[str, tuple[Bits, ...]], ...]


@classes.frozen
class Case:
    """One case of a suite. Which of ``program``, ``script`` and ``calls`` it has says its ``kind``.

    ``needs`` are features (``interface.FEATURES``) as far as they are known before it is run. ``rules`` are those
    that it is there for. ``expected`` says what a run may show, by profile: a list of outcomes, each with those of
    ``stdout``, ``stderr`` and ``status`` that count; a profile that is not in it: whatever the model shows.
    ``unfit`` says, by profile, why it cannot be run at all. ``many`` is for concurrent ones, whose run shows one of
    several outcomes. ``cell`` is its place in a matrix.
    """

    id: str
    title: str = ""
    program: Program | None = None
    script: Vector | None = None
    calls: Calls | None = None
    needs: frozenset[str] = frozenset()
    rules: tuple[str, ...] = ()
    expected: Mapping[str, tuple[Mapping[str, Any], ...]] = classes.field(factory=dict)
    unfit: Mapping[str, str] = classes.field(factory=dict)
    many: bool = False
    cell: str = ""

    @property
    def kind(self) -> str:
        """``program``, ``script`` or ``module``."""
        if self.program is not None:
            return "program"
        return "script" if self.script is not None else "module"
