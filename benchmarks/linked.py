"""What real programs cost, static and dynamic, in both stages of the tool chain: a hello from shell to shell, a fork of
such a process, eight threads at one mutex."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import ROOT, Cost, lindref
from benchmarks.fork import Stopwatch
from lindref.guest.cc import compile_guest
from lindref.posix import console
from lindref.system.boot import boot
from lindref.system.system import System
from tests.system.instrument import instrumented, wasm_opt

SOURCES = Path(__file__).resolve().parent / "programs"
DYNAMIC = ROOT / "conformance" / "guests" / "dynamic"
INSTRUMENTED = ROOT / "tests" / "data" / "instrumented"

HELLO = '#include <stdio.h>\nint main(void) { printf("hello, world\\n"); return 0; }\n'

#: Forks again and again from within a call or two, with some memory of its own.
FORKS = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char *own = malloc(1 << 18);
    for (int i = atoi(argv[1]); i; i--) {
        memset(own, i, 1 << 18);
        int child = fork();
        if (!child) _exit(0);
        waitpid(child, 0, 0);
    }
    return 0;
}
"""

#: 8 threads, one mutex, 10,000 pairs of lock and unlock in all.
THREADS = """
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int count;
static void *run(void *unused) {
    for (int i = 0; i < 1250; i++) {
        pthread_mutex_lock(&mutex);
        count++;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}
int main(void) {
    pthread_t thread[8];
    for (int i = 0; i < 8; i++) pthread_create(&thread[i], 0, run, 0);
    for (int i = 0; i < 8; i++) pthread_join(thread[i], 0);
    return count != 10000;
}
"""


def stages() -> tuple[str, ...]:
    """``raw``: as the linker leaves modules; ``opt``: after the passes of the tool chain, where wasm-opt is there."""
    return ("raw",) if wasm_opt() is None else ("raw", "opt")


@contextmanager
def workshop(stage: str = "raw") -> Iterator[Path]:
    """A folder with the programs of a stage, built now, which is a root with the shared C library in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lib").mkdir()
        shutil.copy(DYNAMIC / "lib" / "libc.so", folder / "lib")
        for stem, text in (("hello", HELLO), ("forks", FORKS), ("threads", THREADS)):
            (folder / f"{stem}.c").write_text(text)
            for kind, pie in (("static", False), ("dynamic", True)):
                compile_guest([folder / f"{stem}.c"], folder / f"{stem}-{kind}.wasm", pie=pie)
        tool = wasm_opt()
        if stage == "opt" and tool is not None:
            with tempfile.TemporaryDirectory() as between:
                for file in (*folder.glob("*.wasm"), folder / "lib" / "libc.so"):
                    file.write_bytes(instrumented(file.read_bytes(), Path(between), tool))
        yield folder


def command(folder: Path, program: str, repeat: int) -> tuple[Cost, Cost]:
    """A program from shell to shell, the best of several: warm, and cold (nothing is cached, neither Python's code nor
    what lindref keeps about modules)."""
    words = ("run", "--root", str(folder), program)
    lindref(*words)
    warm = Cost.best([lindref(*words)[0] for _ in range(repeat)])
    copy = folder / "copy"
    if not copy.is_dir():
        shutil.copytree(ROOT / "lindref", copy / "lindref", ignore=shutil.ignore_patterns("__pycache__"))
    fresh = {"PYTHONDONTWRITEBYTECODE": "1"}
    cold = [lindref(*words, cwd=copy, XDG_CACHE_HOME=str(folder / f"cache{n}"), **fresh)[0] for n in range(2)]
    return warm, Cost.best(cold)


def forks(folder: Path, program: str, repeat: int, engine: str) -> float:
    """Seconds from the call of clone until the child can run: the best of several."""
    watch = Stopwatch()

    def observe(made: System) -> None:
        made.observers.append(watch)

    system = boot(program, [str(repeat)], root=folder, observe=observe, engine=engine)
    console.end_stdin(system.kernel)
    outcome = system.run()
    assert outcome.status == 0, outcome
    return min(watch.times)
