"""A stack of grates as one asks for it, and what becomes of it: grates to put over cage 1, and a list of words that the
first program gets as its own (PY-2, PY-9).
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from lindref import classes
from lindref.system.python import stack
from lindref.system.python.grate import Grate, GrateError
from lindref.system.python.named import WANT, load
from lindref.system.python.records import Recipe
from lindref.threei.numbers import REGISTER_HANDLER

#: A grate of a stack, outermost first: an object or a class, ``"MODULE:CLASS,OPTION=VALUE"``, the file of a wasm grate
#: (in a string, with its own arguments behind it), or ``"%{"`` and ``"%}"`` around the group of the grate before.
GrateSpec = Grate | type[Grate] | str | os.PathLike[str]


@classes.frozen
class Plan:
    """``shelf``: the grates in Python by number. ``words``: what is put over cage 1 before it begins. ``chain``: the
    words that launch each other from there on, the program and its arguments last; ``files`` those of them that are
    wasm grates, each with its path in the root.
    """

    shelf: tuple[Recipe, ...]
    words: tuple[str, ...]
    chain: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


def plan(specs: Sequence[GrateSpec], program: Sequence[str], bring: Callable[[str], str]) -> Plan:
    """What to do for a stack over ``program`` (with its arguments). ``bring`` makes a file reachable in the root and
    gives its path there; it is used on what other programs are to launch. Raises ``GrateError``.
    """
    shelf: list[Recipe] = []
    words: list[str] = []
    chain: list[str] = []
    files: list[tuple[str, str]] = []
    before: type[Grate] | None = Grate
    depth = 0
    for spec in specs:
        if spec in (stack.OPEN, stack.CLOSE):
            depth += 1 if spec == stack.OPEN else -1
            if depth < 0:
                raise GrateError("%} without %{")
            if spec == stack.OPEN and before is not None and REGISTER_HANDLER not in before.served:
                name = f"{before.__name__} has none" if before is not Grate else "there is none"
                raise GrateError(f"%{{ begins the group of the grate before it, and {name}")
            (chain or words).append(str(spec))
            continue
        file = _wasm(spec)
        if file is not None:
            path = bring(file[0])
            files.append((file[0], path))
            before = None
            chain += [path if chain else file[0], *file[1:]]
            continue
        number = str(len(shelf))
        made = _made(spec)
        before = type(made)
        shelf.append(stack.seal(made))
        if chain:
            chain.append(stack.WORD + number)
        else:
            words.append(number)
    if depth:
        raise GrateError("%{ without %}")
    first, *args = program
    return Plan(tuple(shelf), tuple(words), (*chain, bring(first) if chain else first, *args), tuple(files))


def _wasm(spec: GrateSpec) -> list[str] | None:
    """The words of a wasm grate, or ``None`` for one in Python."""
    if isinstance(spec, os.PathLike):
        return [os.fspath(spec)]
    if not isinstance(spec, str):
        return None
    try:
        parts = shlex.split(spec)
    except ValueError as error:
        raise GrateError(f"{spec!r}: {error}") from None
    if not parts:
        raise GrateError("a grate without a name")
    if parts[0].endswith(".py"):
        raise GrateError(f"{parts[0]!r}: {WANT}")
    is_file = parts[0].endswith(".wasm") or (":" not in parts[0] and Path(parts[0]).is_file())
    return parts if is_file else None


def _made(spec: GrateSpec) -> Grate:
    if isinstance(spec, Grate):
        return spec
    if isinstance(spec, type) and issubclass(spec, Grate):
        return spec()
    if isinstance(spec, str):
        return load(spec)
    raise GrateError(f"{spec!r} is no grate")
