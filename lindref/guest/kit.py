"""The guest kit as objects ready to link: compiled once for each compiler and state of the sources.

The objects lie in a folder of the user's cache, named by a hash of all that decides what is in them. The folder
appears by a rename, complete or not at all, so any number of builds may run at once.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lindref.guest.installed import cache, library_folder
from lindref.guest.toolchain import GuestBuildError, Toolchain

KIT = Path(__file__).resolve().parent
INCLUDE = KIT / "include"
SOURCES = KIT / "src"

TARGET_FLAGS = (
    "--target=wasm32-unknown-wasip1",
    "-pthread",
    "-fwasm-exceptions",
    "-mllvm",
    "-wasm-enable-sjlj",
    "-fmath-errno",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    "-fno-builtin-realloc",
    "-fno-builtin-aligned_alloc",
    "-nostdinc",
    "-isystem",
    str(INCLUDE),
)
"""What makes clang produce code of the guest ABI: threads, and setjmp by wasm exceptions.

The allocation functions are ordinary ones to it: it would otherwise take for granted that they do not set errno."""

KIT_FLAGS = tuple(
    "-std=gnu17 -O2 -fno-math-errno -fno-builtin -fno-strict-aliasing -Wall -Wextra -Werror -Wno-parentheses".split()
)
"""How the library itself is compiled, whatever the program asks for."""

PIC_FLAGS = ("-fPIC", "-fvisibility=default")
"""What makes code position-independent, and its symbols visible to other modules."""

START_OBJECT = "start.o"
"""The object that is always linked into a program, and first."""

MODULE_OBJECT = "tls_size.o"
"""The object that is always linked, into programs and shared libraries."""

ARGUMENTS_OBJECT = "main_args.o"
"""Linked into programs whose main has parameters."""

STATIC_OBJECTS = frozenset({START_OBJECT, MODULE_OBJECT, ARGUMENTS_OBJECT, "longjmp_tag.o"})
"""What a shared C library leaves out: the start of programs, and the tag, which the host has for all modules."""

SHARED_LIBRARY = "libc.so"
"""The kit as a shared library, in the folder of its position-independent objects and in `library_folder`."""


def kit_sources() -> list[Path]:
    """Every source of the library, in a fixed order; base names are distinct."""
    return sorted(path for path in SOURCES.rglob("*") if path.suffix in {".c", ".s"})


def _key(toolchain: Toolchain, flags: tuple[str, ...]) -> str:
    """Hash of the compiler, the flags and every file that is compiled or included."""
    digest = hashlib.sha256()
    for text in (toolchain.version, *flags):
        digest.update(text.encode() + b"\0")
    for folder in (INCLUDE, SOURCES):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(KIT)).encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _compile(toolchain: Toolchain, flags: tuple[str, ...], sources: list[Path], folder: Path) -> None:
    """Compile ``sources`` into ``folder``, one object for each."""
    command = [*toolchain.clang, *flags, "-c", *map(str, sources)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()
        raise GuestBuildError(f"lindref cc: the guest kit does not compile: {lines[0] if lines else command[0]}")


def build_kit(
    toolchain: Toolchain,
    extra: tuple[str, ...] = (),
    debug: bool = False,
    finish: Callable[[Path], None] | None = None,
) -> Path:
    """The folder with the kit's objects, compiled now if it is not in the cache.

    Args:
        toolchain: the compiler to use.
        extra: further code generation flags (they are part of the key).
        debug: with line numbers of the library itself.
        finish: what is to be done in the folder before it is complete.

    Raises:
        GuestBuildError: the library does not compile with this compiler, or the cache cannot be written.
    """
    flags = (*TARGET_FLAGS, *KIT_FLAGS, *extra, *(("-g",) if debug else ()))
    root = Path(cache(), "guest-kit")
    folder = root / _key(toolchain, flags)
    if folder.is_dir():
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix="building-", dir=root))
    except OSError as error:
        raise GuestBuildError(f"lindref cc: {root}: {error.strerror or error}") from error
    try:
        sources = kit_sources()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: _compile(toolchain, flags, part, building), (sources[::2], sources[1::2])))
        if finish is not None:
            finish(building)
        try:
            building.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another build was faster, with the same result
                raise
    except OSError as error:
        raise GuestBuildError(f"lindref cc: {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def kit_objects(folder: Path) -> tuple[list[Path], list[Path]]:
    """The objects that every program has, the start first, and the rest of the library in a fixed order."""
    first = [folder / START_OBJECT, folder / MODULE_OBJECT]
    return first, [path for path in sorted(folder.glob("*.o")) if path not in first]


def build_shared_kit(toolchain: Toolchain, debug: bool = False) -> Path:
    """The folder with the kit's position-independent objects and its shared library, which is installed, too.

    Raises:
        GuestBuildError: it does not compile or link, or the cache cannot be written.
    """

    def link(folder: Path) -> None:
        objects = [path.name for path in sorted(folder.glob("*.o")) if path.name not in STATIC_OBJECTS]
        words = ["--strip-debug"] if not debug else []
        command = shared_link(toolchain, [*objects, MODULE_OBJECT], SHARED_LIBRARY, ["-Bsymbolic", *words])
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            why = next(iter(done.stderr.splitlines()), command[0])
            raise GuestBuildError(f"lindref cc: the shared guest kit does not link: {why}")

    folder = build_kit(toolchain, PIC_FLAGS, debug, finish=link)
    library, target = folder / SHARED_LIBRARY, Path(library_folder(), SHARED_LIBRARY)
    try:
        if not target.is_file() or target.read_bytes() != library.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as new:
                new.write(library.read_bytes())
            Path(new.name).chmod(0o644)
            Path(new.name).replace(target)
    except OSError as error:
        raise GuestBuildError(f"lindref cc: {target}: {error.strerror or error}") from error
    return folder


MEMORY_WORDS = ("-m", "wasm32", "--import-memory", "--shared-memory", f"--max-memory={64 << 20}")
"""What the linker is told about memory, whatever it links."""


def shared_link(toolchain: Toolchain, objects: Sequence[str], output: str, words: Sequence[str]) -> list[str]:
    """The linker's words for a shared library (tool conventions, dylink.0)."""
    return [
        *toolchain.linker,
        *MEMORY_WORDS,
        *("-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic", "--export-dynamic"),
        *("--export-if-defined=__wasm_call_ctors", "--export-if-defined=__wasm_init_tls"),
        *words,
        *objects,
        *("-o", output),
    ]
