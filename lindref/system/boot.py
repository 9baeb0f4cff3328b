"""Booting a run from the host: which root, which program, which arguments (BOOT-1 … BOOT-5 in spec/system.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from lindref.classes import evolve
from lindref.posix import memory
from lindref.posix.cage import INIT_CAGE, MAIN_THREAD
from lindref.posix.call import Arg, Call
from lindref.posix.errno import name_of
from lindref.posix.fs import roots
from lindref.posix.fs.walk import Follow, root_of, walk
from lindref.posix.result import Done, Refused
from lindref.profile import SPEC, Profile
from lindref.system.abi import GRATE_ENTRY
from lindref.system.choices import Chooser
from lindref.system.image import PAGE, ImageError
from lindref.system.lifecycle import FIXED_PRIVATE_ANONYMOUS, MMAP, PROT_READ_WRITE
from lindref.system.loader import files
from lindref.system.runner import Loading
from lindref.system.runtime import CageRuntime, Config
from lindref.system.script_runner import ScriptRunner, ScriptState
from lindref.system.system import System
from lindref.wasm.binary.decoder import decode
from lindref.wasm.errors import WasmError

if TYPE_CHECKING:
    from lindref.system.python.grate import Grate
    from lindref.system.python.words import GrateSpec


class BootError(Exception):
    """A run that cannot begin; one line."""


class LoadError(BootError):
    """The program is there and is not one that can be run."""


def boot(
    program: str | os.PathLike[str],
    args: Sequence[str] = (),
    *,
    root: str | os.PathLike[str] | None = None,
    root_mode: str = "cow",
    profile: Profile = SPEC,
    config: Config | None = None,
    chooser: Chooser | None = None,
    engine: str = "auto",
    env: Mapping[str, str] | None = None,
    grates: Sequence[GrateSpec] = (),
    observe: Callable[[System], None] | None = None,
    libraries: Callable[[], Sequence[str]] | None = None,
    make: type[System] = System,
) -> System:
    """A system with ``program`` as cage 1, about to run. ``grates`` come over it, outermost first (PY-2); beneath one
    in wasm it is not cage 1, which then is the first such grate.

    With ``root`` the program is a path inside that root (BOOT-2); without, it is a host path, and the working
    directory is the root, copy-on-write (BOOT-3). ``argv[0]`` is the program as typed (BOOT-4). ``engine`` says which
    machine runs wasm. ``observe`` is called with the system before the first event. ``libraries`` gives host files
    that stand in for what a dynamic program needs where no root is given (BOOT-5). ``make`` is what the system is.
    Raises ``BootError`` (``LoadError`` for a file that is no program).
    """
    typed = os.fspath(program)
    system = make(profile=profile, config=config, chooser=chooser, engine=engine)
    kernel = system.kernel
    try:
        base = os.fspath(root) if root is not None else os.getcwd()
        roots.open_root(kernel, root_mode, None if root_mode == "blank" else base)
        within = root is not None and root_mode != "blank"

        @cache
        def bring(file: str) -> str:
            return file if within else _bring(system, file, base, root_mode)

        chain, words = _stack(system, grates, [typed, *args], bring)
        typed, *args = chain
        inside = bring(typed)
    except roots.RootError as error:
        raise BootError(str(error)) from None
    path = os.fsencode(inside)
    found = _read_program(system, path, typed)
    if not within:
        _bring_libraries(system, base, root_mode)
        system.libraries = libraries
    if observe is not None:
        observe(system)
    # BOOT-4
    argv = [os.fsencode(typed), *map(os.fsencode, args)]
    variables = [os.fsencode(f"{key}={value}") for key, value in (env or {}).items()]
    try:
        system.boot(found.path, found.data, argv, variables, words)
    except ImageError as error:
        raise LoadError(f"{typed}: {error}") from None
    return system


def boot_script(
    script: ScriptState,
    *,
    pages: int = 16,
    profile: Profile = SPEC,
    config: Config | None = None,
    chooser: Chooser | None = None,
    grates: Sequence[Grate | type[Grate]] = (),
    root: str | os.PathLike[str] | None = None,
    root_mode: str = "cow",
    observe: Callable[[System], None] | None = None,
) -> System:
    """A system whose cage 1 plays ``script`` (SCRIPT-1), about to run, beneath ``grates``, on a blank root or on that
    of the host directory ``root``. Raises ``BootError``.

    ``pages`` pages of 4 KiB at offset 0 of its memory are mapped, and its heap begins behind them.
    """
    system = System(profile=profile, config=config, chooser=chooser)
    try:
        if root is None:
            roots.open_root(system.kernel, "blank")
        else:
            roots.open_root(system.kernel, root_mode, os.fspath(root))
    except roots.RootError as error:
        raise BootError(str(error)) from None
    if observe is not None:
        observe(system)
    chain, words = _stack(system, grates, ["script"], str, programs=False)
    if len(chain) > 1:
        raise BootError(f"{chain[0]}: a script plays beneath grates in Python alone")
    thread = system.first_cage(Loading() if grates else ScriptRunner(script, system.guest(INIT_CAGE)))
    system.runtimes = system.runtimes.set(
        INIT_CAGE, CageRuntime(INIT_CAGE, "", (), (), serves=True, handlers=script.handlers)
    )
    size = pages * PAGE
    values = (0, size, PROT_READ_WRITE, FIXED_PRIVATE_ANONYMOUS, (1 << 64) - 1, 0)
    system.kernel.call(Call(MMAP, INIT_CAGE, MAIN_THREAD, tuple(Arg(v, INIT_CAGE) for v in values)))
    memory.set_heap(system.kernel, INIT_CAGE, size)
    if words:
        from lindref.system.python.stack import begin

        begin(system, thread, words, image=script)
    return system


def _stack(
    system: System,
    grates: Sequence[GrateSpec],
    program: Sequence[str],
    bring: Callable[[str], str],
    *,
    programs: bool = True,
) -> tuple[Sequence[str], Sequence[str]]:
    """The words of the first program, and those of the grates in Python that come over it before (PY-2).
    ``programs``: whether wasm grates can launch anything here, and are looked at.
    """
    if not grates:
        return program, ()
    from lindref.system.python.grate import GrateError
    from lindref.system.python.words import plan

    try:
        stack = plan(grates, program, bring)
    except GrateError as error:
        raise BootError(str(error)) from None
    for typed, path in stack.files if programs else ():
        _check_grate(system, path, typed)
    system.shelf = stack.shelf
    return stack.chain, stack.words


def _check_grate(system: System, path: str, typed: str) -> None:
    """A wasm grate must be a program that can serve calls; what a script (#!) leads to is seen when it runs."""
    found = _read_program(system, os.fsencode(path), typed)
    if found.data.startswith(b"#!"):
        return
    try:
        exports = decode(found.data).exports
    except WasmError as error:
        raise BootError(f"{typed}: {error}") from None
    if not any(export.name == GRATE_ENTRY for export in exports):
        raise BootError(f"{typed}: no grate, it exports no {GRATE_ENTRY} (lindref cc --grate, lind_syscall.h)")


def _bring(system: System, program: str, base: str, root_mode: str, folder: str = "/") -> str:
    """The path inside the root of a program that was named by a host path (BOOT-3)."""
    try:
        real, top = os.path.realpath(program), os.path.realpath(base)
        if root_mode != "blank" and os.path.commonpath([real, top]) == top and os.path.isfile(real):
            return "/" + os.path.relpath(real, top)
        with open(program, "rb") as file:
            data = file.read()
    except OSError as error:
        raise BootError(f"{program}: {error.strerror}") from None
    inside = folder + os.path.basename(program)
    roots.add_file(system.kernel, os.fsencode(inside), data, 0o755)
    return inside


def _bring_libraries(system: System, base: str, root_mode: str) -> None:
    """The libraries that were asked for may be files on the host, too (BOOT-5)."""
    words = []
    for name, path in system.config.preloads:
        there = files.open_module(system.kernel, os.fsencode(path)) is not None
        words.append((name, path if there else _bring(system, path, base, root_mode, "/lib/")))
    if words:
        system.config = evolve(system.config, preloads=tuple(words))


def _read_program(system: System, path: bytes, typed: str) -> files.Found:
    """The program inside the root; for machine code the plain module beside it (DYN-1)."""
    kernel = system.kernel
    found = files.open_module(kernel, path)
    if found is not None:
        return found
    try:
        inode = walk(kernel, path, root_of(kernel), Follow.YES).found(kernel)
        why = "Permission denied" if inode.is_file else "not a regular file"
        raise BootError(f"{typed}: {why}")
    except Refused as refusal:
        result = refusal.result
        why = name_of(-result.value) if isinstance(result, Done) else str(result)
        why = {"ENOENT": "No such file or directory"}.get(why, why)
        raise BootError(f"{typed}: {why} in the root") from None
