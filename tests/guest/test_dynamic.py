"""The dynamic guest of the conformance suite, and position-independent modules from `lindref cc`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from lindref.guest.build_guests import GUESTS, load_guest
from lindref.guest.cc import compile_guest
from lindref.guest.cc import main as cc
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.system.boot import boot
from lindref.system.choices import Seeded
from lindref.system.events import Enter, Event, Note, Route
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.wasm.binary.decoder import decode
from lindref.wasm.sections import dylink

FOLDER = GUESTS / "dynamic"


def run(folder: Path, *words: str, profile: Profile = SPEC) -> System:
    system = boot(words[0], words[1:], root=folder, profile=profile)
    console.end_stdin(system.kernel)
    system.run()
    return system


def lines(system: System) -> list[str]:
    return console.output(system.kernel, console.STDOUT).decode().splitlines()


def status(system: System) -> int:
    assert system.outcome is not None
    return system.outcome.status


def test_as_promised() -> None:
    """DYN-4, DYN-9, DYN-12, DL-1 … DL-8: constructors once, symbols of all kinds, handles, a child."""
    guest = load_guest(FOLDER)
    system = run(FOLDER, *guest.argv)
    assert (status(system), "\n".join(lines(system)) + "\n") == (0, guest.stdout)


def test_as_recorded() -> None:
    """What differs in profile lind: the data symbol is of no use, the second library has the first one's data, what it
    needs is not looked at; a child's libraries call each other; a broken library opens at the second try."""
    promised = load_guest(FOLDER).stdout.splitlines()
    system = run(FOLDER, "main.wasm", "lind", profile=LIND)
    differ = {
        "data 11, thread's own 4": None,
        "second 2022": "second 2011",
        "needed 70, default 1": None,
    }
    expected = [differ.get(line, line) for line in promised]
    broken = len(expected) - 1 - expected[::-1].index("open broken.so: internal error")
    expected[broken] = "open broken.so: yes"
    assert lines(system) == [line for line in expected if line is not None]
    assert status(system) == 0


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_what_nobody_defines_traps_with_its_name(profile: Profile) -> None:
    """DYN-10."""
    system = run(FOLDER, "main.wasm", "missing", profile=profile)
    assert status(system) == 70 and "`env::nobody_has_this` has not been defined" in str(system.outcome)


#: What process.c shows, however it is linked.
PROCESS = """\
jumped with 5, called back 42
signal 1
left the handler 1
nested 107
forked in the handler 9
interrupted: Interrupted system call
own 8
thread 809
thread 809
thread 809
own 9
second: again
exec 4
second: script
script 4
./nonsense: Exec format error
broken 1
bye
exit beside a thread 6
second: thread
exec beside a thread 4
bye
"""


@pytest.mark.parametrize("program", ["process.wasm", "static.wasm"])
@pytest.mark.parametrize("profile", [SPEC, LIND])
@pytest.mark.parametrize("seed", [None, 5])
def test_a_process_static_and_dynamic(program: str, profile: Profile, seed: int | None) -> None:
    """DYN-4, DYN-11, DYN-12, EXEC-5, EXEC-10, LOAD-2: jumps across modules, signals, threads, forks, exec."""
    asked = (("env", "/lib/libc.so"), ("env", "/jumps.so")) if profile is LIND else ()
    system = boot(
        program,
        root=FOLDER,
        profile=profile,
        config=Config(preloads=asked),
        chooser=None if seed is None else Seeded(seed),
    )
    console.end_stdin(system.kernel)
    assert system.run().status == 0
    assert console.output(system.kernel, console.STDOUT).decode() == PROCESS


def test_dyn_3_a_grate_sees_the_loads_calls(tmp_path: Path) -> None:
    """DYN-3: a dynamic program beneath a grate that serves mmap: stack, library, main, each from the program's cage."""
    folder = tmp_path / "d"
    shutil.copytree(FOLDER, folder)
    shutil.copy(GUESTS / "grate_passthrough" / "grate.wasm", folder)
    seen: list[Event] = []
    words = ["main.wasm", "lind"]
    system = boot("grate.wasm", words, root=folder, observe=lambda made: made.observers.append(Seen(seen)))
    console.end_stdin(system.kernel)
    system.run()
    assert "calls 6 103 8 105 -1" in lines(system)
    served = {event.call for event in seen if isinstance(event, Route) and event.handler == 1}
    maps = [e for e in seen if isinstance(e, Enter) and e.name == "mmap" and e.call in served]
    assert [(e.caller, e.target) for e in maps[:3]] == [(2, 2)] * 3
    assert [e.args[0][0] for e in maps[:3:2]] == [0, 0x802000]


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A folder to compile in, where there is a tool chain."""
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(f"needs a tool chain: {missing}")
    return tmp_path


HELLO = """
#include <stdio.h>
_Thread_local int own = 40;
static int two(void) { return 2; }
int (*pointer)(void) = two;
int main(int argc, char **argv) { printf("hello from %s, %d\\n", argv[0], own + pointer()); return argc; }
"""


def test_pie_hello(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BOOT-5, DYN-1: compiled and run without a word about libraries."""
    monkeypatch.chdir(workshop)
    Path("hello.c").write_text(HELLO)
    assert cc(["--pie", "hello.c", "-o", "hello.wasm"]) == 0
    words = [sys.executable, "-m", "lindref.cli.main", "run", "hello.wasm", "x"]
    there = {**os.environ, "PYTHONPATH": str(GUESTS.parents[1])}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=there)
    assert (done.returncode, done.stdout, done.stderr) == (2, "hello from hello.wasm, 42\n", "")


def test_shapes(workshop: Path) -> None:
    """The modules import and export what those of the real tool chain do (binaries.md)."""
    (workshop / "hello.c").write_text(HELLO)
    (workshop / "lib.c").write_text("int other(void); int lib_data = 3; int lib(void) { return other() + lib_data; }")
    compile_guest([workshop / "hello.c"], workshop / "hello.wasm", pie=True)
    compile_guest([workshop / "lib.c"], workshop / "lib.so", shared=True)
    compile_guest([workshop / "lib.c", workshop / "lib.so"], workshop / "needs.so", shared=True)
    program = decode((workshop / "hello.wasm").read_bytes())
    imports = {(i.module, i.name) for i in program.imports}
    assert {("env", "memory"), ("env", "__memory_base"), ("env", "__indirect_function_table")} <= imports
    assert {("env", "printf"), ("lind", "args_get"), ("lind", "environ_get")} <= imports
    assert {m for m, _ in imports} <= {"env", "lind", "GOT.mem", "GOT.func"}
    exports = {e.name for e in program.exports}
    assert {"memory", "_start", "__wasm_call_ctors", "__wasm_apply_data_relocs", "__wasm_init_tls"} <= exports
    assert {"__get_aligned_tls_size", "__tls_base"} <= exports
    library = decode((workshop / "lib.so").read_bytes())
    info = dylink(library)
    assert info is not None and info.needed == () and info.memory_size >= 4
    assert {"lib", "lib_data"} <= {e.name for e in library.exports}
    needing = dylink(decode((workshop / "needs.so").read_bytes()))
    assert needing is not None and needing.needed == ("lib.so",)


EXEC = """
#include <unistd.h>
int main(void) { execve("next.wasm", (char *[]){"n", 0}, (char *[]){0}); return 1; }
"""


def test_boot_5_a_static_program_executes_a_dynamic_one(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BOOT-5: the kit's library is there when it is needed."""
    monkeypatch.chdir(workshop)
    Path("a.c").write_text(EXEC)
    Path("next.c").write_text(HELLO)
    compile_guest(["a.c"], "a.wasm")
    compile_guest(["next.c"], "next.wasm", pie=True)
    system = boot("a.wasm", libraries=lambda: [str(FOLDER / "lib" / "libc.so")])
    system.run()
    assert (status(system), lines(system)) == (1, ["hello from n, 42"])


TRAP = """
#include <stdlib.h>
static volatile int zero;
__attribute__((noinline)) int deep(int n) { return 7 / zero + n; }
static int compare(const void *a, const void *b) {
    return deep(a < b) * 2;
}
int main(void) { int v[2] = {2, 1}; qsort(v, 2, sizeof *v, compare); return v[0]; }
"""


def test_exit_5_a_trap_is_shown_with_functions_and_lines(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXIT-5: through the shared library, each function with its module; lines where the module has them."""
    monkeypatch.chdir(workshop)
    Path("trap.c").write_text(TRAP)
    compile_guest(["trap.c"], "trap.wasm", pie=True, debug=True)
    (workshop / "lib").mkdir()
    shutil.copy(FOLDER / "lib" / "libc.so", workshop / "lib")
    seen: list[Event] = []
    system = boot("trap.wasm", root=workshop)
    system.observers.append(Seen(seen))
    system.run()
    (text,) = [event.text for event in seen if isinstance(event, Note)]
    first, *rest = text.splitlines()
    assert first.startswith("trap: integer divide by zero in deep of trap.wasm (") and first.endswith("trap.c:4)")
    assert rest[0].startswith("    called from compare of trap.wasm (") and rest[0].endswith("trap.c:6)")
    assert any(line.startswith("    called from qsort of libc.so +0x") for line in rest)
    assert rest[-1].startswith("    called from _start of trap.wasm (")


@attrs.define
class Seen:
    """Keeps what happens."""

    events: list[Event]

    def on_event(self, event: Event) -> None:
        self.events.append(event)


def test_a_grate_is_static(workshop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workshop / "a.c").write_text("int main(void) { return 0; }")
    assert cc(["--pie", "--grate", str(workshop / "a.c")]) == 2
    assert "only a static program" in capsys.readouterr().err


def test_exec_between_static_and_dynamic(workshop: Path) -> None:
    """DYN-2, DYN-3: in either direction the new image begins at the same addresses as after a boot."""
    text = """
    #include <stdio.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
        printf("%s %d heap at %#lx\\n", argv[0], argc, (unsigned long)sbrk(0) & 0xfff000);
        fflush(stdout);
        if (argc > 3) return 9;
        char *next = argv[0][0] == 's' ? "dynamic" : "static";
        execve(next, (char *[]){next, "x", argc > 1 ? "y" : 0, argc > 2 ? "z" : 0, 0}, environ);
        return 1;
    }"""
    (workshop / "a.c").write_text(text)
    compile_guest([workshop / "a.c"], workshop / "static")
    compile_guest([workshop / "a.c"], workshop / "dynamic", pie=True)
    (workshop / "lib").mkdir()
    shutil.copy(FOLDER / "lib" / "libc.so", workshop / "lib")
    found = run(workshop, "static")
    assert status(found) == 9
    out = lines(found)
    assert [line.split()[0] for line in out] == ["static", "dynamic", "static", "dynamic"]
    assert out[1].split()[-1] == out[3].split()[-1]
