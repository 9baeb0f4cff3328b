"""wasmtime as an implementation under test: guests call by call, and generated modules bit by bit."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("wasmtime", reason="extra wasmtime")

from lindref import classes
from lindref.conformance.adapters.case import Calls, Case, Program
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError, NotApplicable
from lindref.conformance.adapters.modules import run_calls
from lindref.conformance.adapters.wasmtime_ import engine
from lindref.conformance.adapters.wasmtime_.memory import EngineMemory, Shares
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.suites import Wanted, cases
from lindref.conformance.modules.calls import calls_from
from lindref.guest.cc import compile_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.vm.pages import Backings
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module


def result(case: Case, **options: str) -> Result:
    adapter = make("wasmtime", options)
    return examine(adapter, described(adapter, "wasmtime"), case)


@pytest.mark.parametrize("name", ["hello", "arguments", "sha256", "symlink_cases", "stdin_scan", "matrix"])
def test_guests(name: str) -> None:
    """The same output, and the same calls with the same arguments and results, one by one."""
    found = result(cases(["guests"], Wanted(), [f"guests.{name}"])[0])
    assert found.detail == ""
    assert found.status is Status.ALLOWED


@pytest.mark.parametrize(("name", "why"), [("fork_tree", "fork"), ("threads_mutex", "threads"), ("dynamic", "dynamic")])
def test_what_the_engine_cannot_is_not_applicable(name: str, why: str) -> None:
    found = result(cases(["guests"], Wanted(), [f"guests.{name}"])[0], wasm_opt="none")
    assert found.status is Status.NOT_APPLICABLE
    assert found.detail.startswith(f"needs {why}")


SIGNALS = """
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static int count;
static void handler(int sig) { count += sig; }
int main(void)
{
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    raise(SIGUSR1);
    int fd = open("/tmp/x", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 5000);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(shared, "through the mapping");
    char buffer[32] = "";
    pread(fd, buffer, 20, 0);
    pwrite(fd, "T", 1, 0);
    printf("%d %s %c %d\\n", count, buffer, shared[0], own[100]);
    mprotect(own, 4096, PROT_READ);
    printf("%zd\\n", read(fd, own, 10));
    fflush(stdout);
    ACCESS
    return 7;
}
"""


@pytest.mark.parametrize(
    ("access", "status"),
    [("", 7), ("own[0] = 1;", 70), ("*(volatile char *)0x70000000;", 70), ("__builtin_trap();", 70)],
)
def test_signals_mappings_and_traps(access: str, status: int, tmp_path: Path) -> None:
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(str(missing))
    folder = tmp_path / "g"
    (folder / "tmp").mkdir(parents=True)
    (folder / "main.c").write_text(SIGNALS.replace("ACCESS", access))
    compile_guest([folder / "main.c"], folder / "main.wasm", extra=["-w"])
    case = Case("x", program=Program(folder, ("main.wasm",)))
    seen = make("wasmtime", {}).run(case)
    assert (seen.status, seen.stdout) == (status, b"20 through the mapping T 0\n-1\n")
    found = result(case)
    assert (found.status, found.detail) == (Status.ALLOWED, "")


def test_a_rewritten_guest_forks(tmp_path: Path) -> None:
    """Its stack is wound up into memory and back, in parent and child; the calls are the model's."""
    folder = tmp_path / "g"
    (folder / "tmp").mkdir(parents=True)
    instrumented = Path(__file__).resolve().parents[1] / "data" / "instrumented" / "fork_tree.wasm"
    (folder / "main.wasm").write_bytes(instrumented.read_bytes())
    case = Case("x", program=Program(folder, ("main.wasm",)))
    adapter = make("wasmtime", {"wasm_opt": "none"})
    said = classes.evolve(described(adapter, "wasmtime"), features=frozenset({"fork", "exec", "signals"}))
    found = examine(adapter, said, case)
    assert (found.status, found.detail) == (Status.ALLOWED, "")
    assert "FORK-1" in found.reached


def test_fork_of_a_guest_that_is_not_rewritten() -> None:
    (case,) = cases(["guests"], Wanted(), ["guests.fork_tree"])
    with pytest.raises(NotApplicable, match="fork: the engine cannot copy a stack"):
        make("wasmtime", {"wasm_opt": "none"}).run(case)


def test_no_wasm_opt_is_one_line() -> None:
    with pytest.raises(AdapterError, match="no nosuch-wasm-opt"):
        make("wasmtime", {"wasm_opt": "nosuch-wasm-opt"})


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["pipeline", "exec", "setjmp", "calculator", "threads_mutex", "thread_keys"])
def test_guests_that_are_rewritten(name: str) -> None:
    (case,) = cases(["guests"], Wanted(), [f"guests.{name}"])
    if not make("wasmtime", {}).describe().features & {"fork"}:
        pytest.skip("needs wasm-opt (LINDREF_WASM_OPT or on PATH)")
    found = result(case)
    assert found.status is Status.ALLOWED or "signal handler" in found.detail


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_modules(first: int) -> None:
    """Results, traps, memories, globals and tables of generated modules are the same."""
    for case in cases(["modules"], Wanted(count=20, seed=first)):
        found = result(case)
        assert (found.case, found.status, found.detail) == (case.id, Status.ALLOWED, "")


def test_modules_differ_where_they_do() -> None:
    """The comparison sees bits of floats, traps, and memory."""
    source = """(module (memory (export "m0") 1) (func (export "f") (param i32) (result i64)
      (i32.store (i32.const 8) (local.get 0)) (i64.div_u (i64.const 9) (i64.extend_i32_u (local.get 0)))))"""
    calls = Calls(encode(parse_module(source)), (("f", (("i32", 2),)), ("f", (("i32", 0),))))
    told = engine.run_calls(calls)
    assert told == run_calls(calls, "auto")
    assert told[:2] == ((("i64", 4),), "trap: integer divide by zero")
    other = Calls(calls.module, (("f", (("i32", 3),)),))
    assert engine.run_calls(other)[-1] != told[-1]


def test_seeds_are_modules_that_end() -> None:
    assert calls_from(7) == calls_from(7)
    kinds = {kind for seed in range(30) for _, args in calls_from(seed).calls for kind, _ in args}
    assert kinds == {"i32", "i64"}


def test_a_memory_of_the_engine_is_a_memory() -> None:
    import ctypes

    item = engine.shared_memory()
    start = ctypes.cast(item.data_ptr(), ctypes.c_void_p).value
    assert start is not None
    memory = EngineMemory(item, start, Backings(), Shares())
    assert memory.try_read(0, 1) is None
    memory.map(16, 4, 3)
    assert memory.try_write(16 * 4096 + 4090, b"across pages\0tail")
    assert memory.read_cstr(16 * 4096 + 4090, 100) == b"across pages"
    assert memory.read_cstr(16 * 4096 + 4090, 5) == b"acros"
    memory.protect(17, 1, 1)
    assert not memory.try_write(16 * 4096 + 4090, b"across pages")
    assert memory.try_read(16 * 4096 + 4090, 12) == b"across pages"
    memory.map(16, 1, 3)
    assert memory.try_read(16 * 4096 + 4090, 6) == bytes(6)
    memory.unmap(17, 3)
    assert memory.try_read(17 * 4096, 1) is None
    assert memory.read_cstr(16 * 4096, 5000) == b""
    memory.close()
