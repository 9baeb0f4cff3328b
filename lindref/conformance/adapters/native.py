"""Linux as an implementation under test: programs compiled by the host's C compiler, under strace where it is; scripts
as C (``scripts.c``), each in namespaces and a root of its own.
"""

from __future__ import annotations

import atexit
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from lindref.conformance.adapters import processes
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.interface import AdapterError, Description, NotApplicable, Observed
from lindref.conformance.adapters.launcher import Launcher
from lindref.conformance.adapters.strace import OBSERVES, as_trace, without_launcher
from lindref.conformance.vectors.model import Vector

#: How a program is compiled.
FLAGS = ("-std=gnu17", "-O1", "-w", "-D_GNU_SOURCE", "-pthread")


class Linux:
    """The host. ``cc``: its C compiler, as words (default: cc, gcc or clang, else zig's of the extra ``cc``);
    ``strace``: its strace (default: of that name; ``none``: without traces).
    """

    def __init__(self, cc: str = "", strace: str = "") -> None:
        self.cc = _compiler(cc)
        self.strace = None if strace == "none" else shutil.which(strace or "strace")
        if strace not in ("", "none") and self.strace is None:
            raise AdapterError(f"adapter linux: no {strace}")
        if self.strace is not None and not _traces(self.strace):
            self.strace = None  # it is there, and may not trace here
        self._place = Path(tempfile.mkdtemp(prefix="lindref-linux-"))
        atexit.register(self.close)
        self._launcher: Launcher | None = None
        self._no_scripts = self._why_no_scripts()

    def _why_no_scripts(self) -> str:
        """Why scripts cannot be played here, "" where they can."""
        if platform.machine() != "x86_64":
            return "their calls have the numbers of x86-64"
        folder = self._place
        try:
            self._launcher = Launcher(self.cc, folder)
        except NotApplicable as error:
            return str(error)
        (folder / "first").mkdir()
        return self._launcher.why_not(folder / "first")

    def close(self) -> None:
        """The launcher is not needed any more."""
        shutil.rmtree(self._place, ignore_errors=True)
        atexit.unregister(self.close)

    def describe(self) -> Description:
        """A Linux has processes, threads and signals, and nothing that interposes."""
        return Description(
            "linux",
            f"{platform.system()} {platform.release()} {platform.machine()}",
            kinds=frozenset({"source", *([] if self._no_scripts else ["script"])}),
            features=frozenset({"fork", "exec", "threads", "signals", "stdin"}),
            observes=frozenset(OBSERVES) if self.strace else frozenset(),
            same_calls=False,
            is_linux=True,
            lacks={
                "grates": "no 3i here",
                "dynamic": "its libraries are the host's own",
                **({"script": self._no_scripts} if self._no_scripts else {}),
            },
        )

    def run(self, case: Case) -> Observed:
        """Compile it in a copy of its folder, and run it there."""
        if case.script is not None and self._launcher is not None:
            with tempfile.TemporaryDirectory(prefix="lindref-linux-") as scratch:
                return self._script(self._launcher, case.script, Path(scratch))
        if case.program is None:
            raise NotApplicable("programs and scripts only")
        with tempfile.TemporaryDirectory(prefix="lindref-linux-") as scratch:
            program = case.program.copy_to(Path(scratch))
            self._compile(program)
            return self._run(program, Path(scratch) / "strace.txt")

    def _script(self, launcher: Launcher, vector: Vector, folder: Path) -> Observed:
        if self.strace is None:
            played = launcher.play(vector, folder)
            return Observed(played.status, played.stdout, seen=played.seen)
        log = folder / "strace.txt"
        # Process ids as strace itself sees them: those within the script's namespace are others.
        words = [self.strace, "-f", "-n", "-a", "1", "-s", "64", "--decode-pids=pidns", "-o", str(log), "--"]
        played = launcher.play(vector, folder, words)
        text = without_launcher(log.read_text(encoding="utf-8", errors="backslashreplace"))
        trace = as_trace(text, played.status or 0, ["/prog/main"])
        return Observed(played.status, played.stdout, trace=trace, seen=played.seen)

    def _compile(self, program: Program) -> None:
        """Compile every program under its own name. Raises ``NotApplicable`` where the compiler refuses."""
        for name, sources in program.sources.items():
            done = subprocess.run(
                [*self.cc, *FLAGS, *sources, "-o", name, "-lm"],
                cwd=program.folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
                raise NotApplicable(f"{name} does not compile here: {said}")

    def _run(self, program: Program, log: Path) -> Observed:
        path = program.folder / program.argv[0]
        if self.strace is None:
            ran = processes.run(
                program.argv, folder=program.folder, env=program.env, stdin=program.stdin, executable=path
            )
            return Observed(ran.status, ran.stdout, ran.stderr)
        # With call numbers (-n) and no columns; argv[0] is the name alone, so the program is found on a PATH that it
        # does not get to see.
        command = [self.strace, "-f", "-n", "-a", "1", "-s", "64", "-o", str(log)]
        command += ["-E", f"PATH={program.env['PATH']}" if "PATH" in program.env else "PATH"]
        ran = processes.run(
            [*command, "--", *program.argv],
            folder=program.folder,
            env={**program.env, "PATH": str(program.folder)},
            stdin=program.stdin,
        )
        own = re.compile(rb"(?m)^" + re.escape(self.strace.encode()) + rb": .*\n?")  # what strace itself has to say
        stderr = own.sub(b"", ran.stderr)
        trace = as_trace(log.read_text(encoding="utf-8", errors="backslashreplace"), ran.status, program.argv)
        return Observed(ran.status, ran.stdout, stderr, trace)


def _compiler(wanted: str) -> list[str]:
    """The words that start the C compiler. Raises ``AdapterError``."""
    words = shlex.split(wanted)
    if words:
        if shutil.which(words[0]) is None:
            raise AdapterError(f"adapter linux: no C compiler {wanted}")
        return words
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is not None:
        return [found]
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc", "--target=x86_64-linux-musl"]
    raise AdapterError("adapter linux: no C compiler")


def _traces(strace: str) -> bool:
    """Whether strace may trace here: in some containers it may not."""
    try:
        done = subprocess.run([strace, "-n", "-o", os.devnull, "true"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
