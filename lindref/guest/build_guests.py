"""Rebuild the prebuilt guests: ``python -m lindref.guest.build_guests [NAME…]`` (``puppet``: the vectors' player).

Each folder of ``conformance/guests`` holds sources, the programs built from them, and ``expected.json``, which says how
they are built and what a run of them shows.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from os import chdir
from pathlib import Path

from lindref import classes
from lindref.guest.cc import compile_guest
from lindref.guest.kit import SHARED_LIBRARY, build_shared_kit
from lindref.guest.toolchain import GuestBuildError, find_toolchain

GUESTS = Path(__file__).resolve().parents[2] / "conformance" / "guests"
"""Where the guests are in a checkout."""

MATRICES = GUESTS.parent / "matrices"
"""Programs that fill cells of matrices (docs/conform.md), described in the same way."""

PUPPET = GUESTS.parent / "puppet"
"""The guest that plays recorded vectors; it brings its own start and uses no library."""

PUPPET_STACK = 1 << 18
"""Bytes of stack of its first thread."""


@classes.frozen
class Program:
    """How one program of a guest is built."""

    name: str
    """File name, such as ``main.wasm``."""

    sources: tuple[str, ...]
    """C files in the guest's folder."""

    grate: bool = False
    """Whether it exports the entry of a grate."""

    kind: str = "static"
    """``static`` or ``pie`` for a program, ``shared`` for a library, ``libc`` for the kit's own shared library."""


@classes.frozen
class Guest:
    """A folder of ``conformance/guests``: programs, how to run them, and what must come out."""

    folder: Path
    """The folder; a run has it as current directory."""

    title: str
    """What it shows, in one line."""

    programs: tuple[Program, ...]
    """What is to be built."""

    argv: tuple[str, ...]
    """The words after ``lindref run``; the first is the program."""

    env: Mapping[str, str]
    """Environment variables, the only ones."""

    stdin: str
    """Standard input."""

    stdout: str
    """Standard output, exactly."""

    stderr: str
    """Standard error, exactly."""

    exit_status: int
    """Exit status as ``lindref run`` gives it."""

    native: bool
    """Whether the same sources, compiled for the host, must behave the same."""

    lind: Mapping[str, str] = classes.Factory(dict)
    """Lines of the output that are others in profile ``lind``."""

    lind_skip: str = ""
    """Why the guest does not run to its end in profile ``lind`` (a deviation's id is in it), or nothing."""

    cell: str = ""
    """The cell of a matrix that it fills."""

    rules: tuple[str, ...] = ()
    """Rules that it is there for."""

    outcomes: tuple[Mapping[str, object], ...] = ()
    """Where a run may come out in more ways than one: all of them, as ``stdout``, ``stderr``, ``status`` that count."""

    def stdout_as_recorded(self) -> str:
        """Standard output in profile ``lind``."""
        return "\n".join(self.lind.get(line, line) for line in self.stdout.split("\n"))


def load_guest(folder: Path) -> Guest:
    """Read ``expected.json`` of one guest.

    Raises:
        GuestBuildError: the file is missing or has not the right form.
    """
    path = folder / "expected.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        programs = tuple(
            Program(name, tuple(how.get("sources", ())), bool(how.get("grate", False)), str(how.get("kind", "static")))
            for name, how in data["programs"].items()
        )
        return Guest(
            folder=folder,
            title=str(data["title"]),
            programs=programs,
            argv=tuple(data["argv"]),
            env=dict(data.get("env", {})),
            stdin=str(data.get("stdin", "")),
            stdout=str(data["stdout"]),
            stderr=str(data.get("stderr", "")),
            exit_status=int(data["exit_status"]),
            native=bool(data["native"]),
            lind=dict(data.get("lind", {}).get("lines", {})),
            lind_skip=str(data.get("lind", {}).get("skip", "")),
            cell=str(data.get("cell", "")),
            rules=tuple(data.get("rules", ())),
            outcomes=tuple(dict(one) for one in data.get("outcomes", ())),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GuestBuildError(f"{path}: not a guest description: {error!r}", 2) from error


def guests(root: Path = GUESTS) -> list[Guest]:
    """All guests below ``root``, by name."""
    return [load_guest(path.parent) for path in sorted(root.glob("*/expected.json"))]


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in ``folder``, so that file names in messages and in __FILE__ are the short ones."""
    before = Path.cwd()
    chdir(folder)
    try:
        yield
    finally:
        chdir(before)


def build(guest: Guest) -> None:
    """Compile every program of a guest into its folder, with names kept and without DWARF.

    Raises:
        GuestBuildError: a program does not build.
    """
    with _inside(guest.folder):
        for program in guest.programs:
            Path(program.name).parent.mkdir(exist_ok=True)
            if program.kind == "libc":
                shutil.copyfile(build_shared_kit(find_toolchain()) / SHARED_LIBRARY, program.name)
                continue
            pie, shared = program.kind == "pie", program.kind == "shared"
            compile_guest(program.sources, program.name, grate=program.grate, pie=pie, shared=shared, rdynamic=pie)


def build_puppet(output: str = "puppet.wasm") -> None:
    """Compile the puppet into its folder, or to the absolute path ``output``.

    Raises:
        GuestBuildError: it does not build.
    """
    with _inside(PUPPET):
        strict = ("-Wall", "-Wextra", "-Werror")
        compile_guest(["puppet.c"], output, grate=True, start_files=False, stack_size=PUPPET_STACK, extra=strict)


def _named(name: str) -> Guest:
    """The guest called so, here or there."""
    root = MATRICES if (MATRICES / name).is_dir() else GUESTS
    return load_guest(root / name)


def main(argv: list[str]) -> int:
    """Build the guests named, or all.  Exit status as of ``lindref cc``."""
    try:
        named = [name for name in argv if name != PUPPET.name]
        chosen = [_named(name) for name in named] if argv else [*guests(), *guests(MATRICES)]
        if len(named) < len(argv) or not argv:
            build_puppet()
            print(f"puppet: puppet.wasm {(PUPPET / 'puppet.wasm').stat().st_size}")
        for guest in chosen:
            build(guest)
            sizes = ", ".join(f"{each.name} {(guest.folder / each.name).stat().st_size}" for each in guest.programs)
            print(f"{guest.folder.name}: {sizes}")
    except GuestBuildError as error:
        print(error, file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
