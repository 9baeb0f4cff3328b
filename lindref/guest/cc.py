"""``lindref cc``: compile C into a guest program.

The work is two steps with tools that are found by `lindref.guest.toolchain`: clang for each source, wasm-ld once. The
result has the shape that Lind's own tool chain gives: imported shared memory, the gate ``lind.make-syscall``, the
exports that the runtime looks up.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lindref import classes
from lindref.guest.kit import (
    ARGUMENTS_OBJECT,
    INCLUDE,
    MEMORY_WORDS,
    MODULE_OBJECT,
    PIC_FLAGS,
    TARGET_FLAGS,
    build_kit,
    build_shared_kit,
    kit_objects,
    shared_link,
)
from lindref.guest.toolchain import GuestBuildError, Toolchain, find_toolchain

USAGE = """\
usage: lindref cc [options] FILE.c… -o OUT.wasm

Compile C against the guest kit into a program for `lindref run`.

  -o FILE          the program to write (default: a.wasm)
  --grate          a grate: also export pass_fptr_to_wt
  -I DIR  -D NAME[=VALUE]  -U NAME  -include FILE  -std=NAME  -O LEVEL  -g  -W…  -f…  -m…
                   as for clang (-O2 is the default); -g keeps DWARF in the program
  -L DIR  -l NAME  link libNAME.a; -lc -lm -lpthread -lrt -ldl are part of the kit
  -Wl,OPTION,…     options for the linker
  --stack-size N   bytes of stack of the first thread (default 8388608)
  -nostartfiles    without the kit's _start: the program has its own
  -v               show the commands
  --print-include  where the kit's headers are
  --pie            a position-independent program, loaded with the kit as shared library libc.so
  --shared         a shared library
  -rdynamic        libraries may use the symbols of a --pie program
  -h, --help       this text

FILE may also be a .s, .o or .a file, or with --pie and --shared a library that is needed.

example: lindref cc hello.c -o hello.wasm && lindref run hello.wasm"""

KIT_LIBRARIES = frozenset({"c", "m", "pthread", "rt", "dl", "util", "resolv"})
"""Library names that a program may ask for and that the kit has in itself."""

PAGE = 65536
DATA_PAGES = 2
"""What most programs need beside the stack."""

STACK_SIZE = 8 << 20
"""What dynamic programs of the real tool chain get from the loader (its static ones get 64 KiB)."""

MAX_MEMORY = 64 << 20
"""What the modules of the real tool chain declare; the runtime gives 4 GiB all the same."""

EXPORTS = ("__stack_pointer", "__stack_low", "__tls_base", "__wasm_init_tls", "signal_callback")
"""Exports of a static program beside ``_start``, ``__get_aligned_tls_size`` and ``memory``."""

COMPILED = frozenset({".c", ".s", ".S", ".i"})


@classes.define
class _Options:
    """The command line taken apart."""

    inputs: list[Path] = classes.Factory(list)
    output: Path = Path("a.wasm")
    grate: bool = False
    pie: bool = False
    shared: bool = False
    export_dynamic: bool = False
    debug: bool = False
    start_files: bool = True
    opt: str = "-O2"
    libraries: list[str] = classes.Factory(list)
    library_dirs: list[str] = classes.Factory(list)
    include_dirs: list[str] = classes.Factory(list)
    compiler: list[str] = classes.Factory(list)
    linker: list[str] = classes.Factory(list)
    stack_size: int = STACK_SIZE
    verbose: bool = False

    @property
    def search_words(self) -> list[str]:
        """The linker's words for the folders to look for libraries in."""
        return [word for folder in self.library_dirs for word in ("-L", folder)]

    @property
    def library_words(self) -> list[str]:
        """The linker's words for libraries that are not the kit's."""
        return [f"-l{name}" for name in self.libraries if name not in KIT_LIBRARIES]


def _run(command: Sequence[str], verbose: bool) -> subprocess.CompletedProcess[str]:
    """Run one tool; its messages are given back, not shown."""
    if verbose:
        print(" ".join(command), file=sys.stderr)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise GuestBuildError(f"lindref cc: {command[0]}: {error.strerror or error}") from error


def _compile_one(toolchain: Toolchain, source: Path, target: Path, flags: Sequence[str], verbose: bool) -> None:
    """One source to one object.  What clang has to say goes to standard error as it is."""
    done = _run([*toolchain.clang, *TARGET_FLAGS, *flags, "-c", str(source), "-o", str(target)], verbose)
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise GuestBuildError(f"lindref cc: {source}: not compiled")


def _link_command(toolchain: Toolchain, objects: Sequence[str], kit: Path, options: _Options, pages: int) -> list[str]:
    """The linker's words for a static program with ``pages`` pages of initial memory."""
    first, rest = kit_objects(kit)
    exports = [*EXPORTS, *(["pass_fptr_to_wt"] if options.grate else [])]
    return [
        *toolchain.linker,
        *MEMORY_WORDS,
        *("--export-memory", "--gc-sections"),
        f"--initial-memory={pages * PAGE}",
        *([f"--max-memory={pages * PAGE}"] if pages * PAGE > MAX_MEMORY else []),
        *(f"--export={name}" for name in exports),
        *(["--no-stack-first"] if toolchain.major >= 22 else []),
        *("-z", f"stack-size={options.stack_size}"),
        *([] if options.debug else ["--strip-debug", "--compress-relocations"]),
        *options.search_words,
        *(map(str, first) if options.start_files else []),
        *objects,
        *options.library_words,
        "--start-lib",
        *map(str, rest),
        "--end-lib",
        *options.linker,
        *("-o", str(options.output)),
    ]


def _pie_command(toolchain: Toolchain, objects: Sequence[str], kit: Path, options: _Options) -> list[str]:
    """The linker's words for a position-independent main program: the C library stays outside."""
    return [
        *toolchain.linker,
        *MEMORY_WORDS,
        *("-pie", "--experimental-pic", "--export-memory", "--unresolved-symbols=import-dynamic", "--gc-sections"),
        *(f"--export={name}" for name in ("__wasm_call_ctors", "__tls_base", "__stack_pointer")),
        "--export-if-defined=__wasm_init_tls",
        *(["--export-dynamic"] if options.export_dynamic else []),
        *([] if options.debug else ["--strip-debug"]),
        *options.search_words,
        *(map(str, kit_objects(kit)[0]) if options.start_files else []),
        *objects,
        *options.library_words,
        *("--start-lib", str(kit / ARGUMENTS_OBJECT), "--end-lib"),
        *options.linker,
        *("-o", str(options.output)),
    ]


def _shared_command(toolchain: Toolchain, objects: Sequence[str], kit: Path, options: _Options) -> list[str]:
    """The linker's words for a shared library."""
    words = [
        *([] if options.debug else ["--strip-debug"]),
        *options.search_words,
        *options.linker,
    ]
    linked = [*objects, *options.library_words, str(kit / MODULE_OBJECT)]
    return shared_link(toolchain, linked, str(options.output), words)


def _link_dynamic(toolchain: Toolchain, objects: Sequence[str], kit: Path, options: _Options) -> None:
    """Link a position-independent module."""
    make = _shared_command if options.shared else _pie_command
    done = _run(make(toolchain, objects, kit, options), options.verbose)
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise GuestBuildError(f"lindref cc: {options.output}: not linked")


def _link(toolchain: Toolchain, objects: Sequence[str], kit: Path, options: _Options) -> None:
    """Link, with as much initial memory as stack and data need."""
    usual = DATA_PAGES - (-options.stack_size // PAGE)
    done = _run(_link_command(toolchain, objects, kit, options, usual), options.verbose)
    needed = re.search(r"initial memory too small, (\d+) bytes needed", done.stderr)
    if done.returncode != 0 and needed is not None:
        pages = -(-int(needed.group(1)) // PAGE)
        done = _run(_link_command(toolchain, objects, kit, options, pages), options.verbose)
    message = done.stderr
    if options.grate and "pass_fptr_to_wt" in message:
        raise GuestBuildError(
            "lindref cc: --grate: no function pass_fptr_to_wt: write LIND_GRATE_ENTRY once at file level "
            "(lind_syscall.h), or define the function"
        )
    sys.stderr.write(message)
    if done.returncode != 0:
        raise GuestBuildError(f"lindref cc: {options.output}: not linked")


def _build(options: _Options) -> None:
    """Compile and link what the options say."""
    if options.grate and (options.pie or options.shared):
        raise GuestBuildError("lindref cc: --grate: only a static program can serve calls", 2)
    if not options.inputs:
        raise GuestBuildError("lindref cc: no input file (see lindref cc --help)", 2)
    for path in options.inputs:
        if not path.is_file():
            raise GuestBuildError(f"lindref cc: {path}: no such file", 2)
    toolchain = find_toolchain()
    dynamic = options.pie or options.shared
    kit = (build_shared_kit if dynamic else build_kit)(toolchain, debug=options.debug)
    flags = [*(PIC_FLAGS if dynamic else ()), options.opt, *(["-g"] if options.debug else []), *options.compiler]
    flags += [word for folder in options.include_dirs for word in ("-I", folder)]
    with tempfile.TemporaryDirectory(prefix="lindref-cc-") as folder:
        objects: list[str] = []
        for number, path in enumerate(options.inputs):
            if path.suffix in COMPILED:
                target = Path(folder, f"{number}-{path.stem}.o")
                _compile_one(toolchain, path, target, flags, options.verbose)
                objects.append(str(target))
            else:
                objects.append(str(path))
        (_link_dynamic if dynamic else _link)(toolchain, objects, kit, options)


def compile_guest(
    sources: Sequence[str | Path],
    output: str | Path,
    *,
    grate: bool = False,
    pie: bool = False,
    shared: bool = False,
    rdynamic: bool = False,
    libs: Sequence[str] = (),
    include_dirs: Sequence[str | Path] = (),
    opt: str = "-O2",
    debug: bool = False,
    start_files: bool = True,
    stack_size: int = STACK_SIZE,
    extra: Sequence[str] = (),
) -> None:
    """Compile C sources (and .s, .o, .a files) into the program ``output``.

    Args:
        sources: the files, in link order.
        output: the ``.wasm`` file to write.
        grate: export ``pass_fptr_to_wt`` as a grate must.
        pie: a position-independent program, which is loaded with the C library beside it.
        shared: a shared library.
        rdynamic: libraries may use the symbols of a position-independent program.
        libs: library names as after ``-l``; those of the C library are part of the kit.
        include_dirs: folders for ``-I``.
        opt: optimisation level as clang's word.
        debug: keep DWARF.
        start_files: with the kit's ``_start``, which learns who the cage is, prepares the library and calls main.
        stack_size: bytes of stack of the first thread, a multiple of 16.
        extra: further words for clang.

    Raises:
        GuestBuildError: there is no tool chain, or a source is missing or wrong.  clang's own messages are on
            standard error.
    """
    _build(
        _Options(
            inputs=[Path(source) for source in sources],
            output=Path(output),
            grate=grate,
            pie=pie,
            shared=shared,
            export_dynamic=rdynamic,
            libraries=list(libs),
            include_dirs=[str(folder) for folder in include_dirs],
            opt=opt,
            debug=debug,
            start_files=start_files,
            stack_size=stack_size,
            compiler=list(extra),
        )
    )


_WITH_VALUE = frozenset({"-o", "-I", "-D", "-U", "-L", "-l", "-include", "-isystem", "--stack-size"})
_COMPILER_PREFIXES = ("-D", "-U", "-std=", "-W", "-f", "-m", "-pedantic", "-ansi", "-w")
_IGNORED = frozenset({"-pthread", "-static", "--static", "-s"})


def _parse(argv: Sequence[str]) -> _Options:
    """Take the words apart; options may come anywhere, a value may be joined to a one-letter option."""
    options = _Options()
    words = list(argv)
    while words:
        word = words.pop(0)
        name, value = word, ""
        if word in _WITH_VALUE:
            if not words:
                raise GuestBuildError(f"lindref cc: {word}: needs a value", 2)
            value = words.pop(0)
        elif word[:2] in ("-o", "-I", "-L", "-l") and len(word) > 2:
            name, value = word[:2], word[2:]
        elif word.startswith("--stack-size="):
            name, value = word.split("=", 1)
        match name:
            case "-o":
                options.output = Path(value)
            case "-I":
                options.include_dirs.append(value)
            case "-L":
                options.library_dirs.append(value)
            case "-l":
                options.libraries.append(value)
            case "-D" | "-U" | "-include" | "-isystem":
                options.compiler += [name, value]
            case "--stack-size":
                if not value.isdecimal():
                    raise GuestBuildError(f"lindref cc: --stack-size {value}: not a number of bytes", 2)
                options.stack_size = (int(value) + 15) // 16 * 16
            case "--grate" | "--compile-grate":
                options.grate = True
            case "--pie" | "-pie":
                options.pie = True
            case "--shared" | "-shared":
                options.shared = True
            case "-rdynamic":
                options.export_dynamic = True
            case "-g":
                options.debug = True
            case "-nostartfiles":
                options.start_files = False
            case "-v":
                options.verbose = True
            case _ if name in _IGNORED:
                continue
            case _ if name.startswith("-Wl,"):
                options.linker += name.split(",")[1:]
            case _ if name.startswith("-O"):
                options.opt = name
            case _ if name.startswith(_COMPILER_PREFIXES):
                options.compiler.append(name)
            case _ if name.startswith("-"):
                raise GuestBuildError(f"lindref cc: {name}: unknown option (see lindref cc --help)", 2)
            case _:
                options.inputs.append(Path(name))
    return options


def main(argv: list[str]) -> int:
    """The command.  The exit status is 0, 1 when compiling or linking fails, 2 for wrong usage or missing tools."""
    if any(word in ("-h", "--help") for word in argv):
        print(USAGE)
        return 0
    if "--print-include" in argv:
        print(INCLUDE)
        return 0
    try:
        _build(_parse(argv))
    except GuestBuildError as error:
        print(error, file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
