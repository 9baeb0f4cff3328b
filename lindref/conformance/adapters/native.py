"""Linux as an implementation under test: programs compiled by the host's C compiler, under strace where it is."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lindref.conformance.adapters import processes
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.interface import AdapterError, Description, NotApplicable, Observed
from lindref.conformance.adapters.strace import OBSERVES, as_trace

#: How a program is compiled.
FLAGS = ("-std=gnu17", "-O1", "-w", "-D_GNU_SOURCE", "-pthread")


class Linux:
    """The host. ``cc``: its C compiler (default: cc, gcc or clang); ``strace``: its strace (default: of that name;
    ``none``: without traces).
    """

    def __init__(self, cc: str = "", strace: str = "") -> None:
        found = shutil.which(cc) if cc else next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if found is None:
            raise AdapterError(f"adapter linux: no C compiler{f' {cc}' if cc else ''}")
        self.cc = found
        self.strace = None if strace == "none" else shutil.which(strace or "strace")
        if strace not in ("", "none") and self.strace is None:
            raise AdapterError(f"adapter linux: no {strace}")
        if self.strace is not None and not _traces(self.strace):
            self.strace = None  # it is there, and may not trace here

    def describe(self) -> Description:
        """A Linux has processes, threads and signals, and nothing that interposes."""
        return Description(
            "linux",
            f"{platform.system()} {platform.release()} {platform.machine()}",
            kinds=frozenset({"source"}),
            features=frozenset({"fork", "exec", "threads", "signals", "stdin"}),
            observes=frozenset(OBSERVES) if self.strace else frozenset(),
            same_calls=False,
            is_linux=True,
            lacks={
                "grates": "no 3i here",
                "dynamic": "its libraries are the host's own",
            },
        )

    def run(self, case: Case) -> Observed:
        """Compile it in a copy of its folder, and run it there."""
        if case.program is None:
            raise NotApplicable("programs only")
        with tempfile.TemporaryDirectory(prefix="lindref-linux-") as scratch:
            program = case.program.copy_to(Path(scratch))
            self._compile(program)
            return self._run(program, Path(scratch) / "strace.txt")

    def _compile(self, program: Program) -> None:
        """Compile every program under its own name. Raises ``NotApplicable`` where the compiler refuses."""
        for name, sources in program.sources.items():
            done = subprocess.run(
                [self.cc, *FLAGS, *sources, "-o", name, "-lm"],
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


def _traces(strace: str) -> bool:
    """Whether strace may trace here: in some containers it may not."""
    try:
        done = subprocess.run([strace, "-n", "-o", os.devnull, "true"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
