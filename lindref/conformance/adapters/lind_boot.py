"""A real installation of Lind-Wasm as an implementation under test: ``lind-boot``, its output, its log of 3i calls."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lindref.conformance.adapters import processes
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.furnished import furnished
from lindref.conformance.adapters.interface import FEATURES, AdapterError, Description, NotApplicable, Observed
from lindref.conformance.adapters.lind_log import OBSERVES, as_trace
from lindref.conformance.scripts import printed
from lindref.conformance.vectors.model import Vector
from lindref.profile import LIND

#: Where an installation is looked for when nobody says: the variable, and the root that its build names.
VARIABLE, ROOT = "LIND_BOOT", "/home/lind/lind-wasm/lindfs"
#: The status with which a cage's trap ends it, and those with which its host process dies (3i.md 7.3).
_DEAD = {101, 134}
#: A mount namespace in which a folder (first word) is the installation's root (second), and then the command.
_IN_ROOT = ("unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh")
#: Seconds after which a script's run counts as one that never ends: compiling its module takes most of a run.
PATIENCE = 60.0


class LindBoot:
    """The installation whose ``lind-boot`` is at ``path`` (default: $LIND_BOOT, or on PATH).

    ``root``: its lindfs, where programs are put while they run (default: $LINDFS_ROOT, or what its build says).
    ``flags``: more words for its command line. ``prepare``: a command that makes of a module one that the installation
    runs, as its own tool chain would (``{in}`` and ``{out}`` stand for files; default: none is needed). ``log``:
    whether its log of calls is read (``yes``, or ``no`` for one that was built without). ``sudo``: a command before
    it, as it needs root. ``lacks``: features that it has not, with commas. ``compile``: a command that compiles a
    script's C with the installation's tool chain (``{in}``, ``{out}``, and ``{kind}``, which is ``static`` or
    ``grate``); without it scripts are not played.
    """

    def __init__(
        self,
        path: str = "",
        root: str = "",
        flags: str = "",
        prepare: str = "",
        log: str = "yes",
        sudo: str = "",
        lacks: str = "",
        compile: str = "",  # noqa: A002 (what it is called on the command line)
    ) -> None:
        wanted = path or os.environ.get(VARIABLE, "")
        found = shutil.which(wanted or "lind-boot")
        if found is None:
            where = wanted or f"set {VARIABLE}, or --option path=FILE"
            raise AdapterError(
                f"adapter lind-boot: no installation ({where}): build Lind-Wasm, which gives lind-boot and its lindfs"
            )
        self.command = [*shlex.split(sudo), str(Path(found).resolve())]
        self.root = Path(root or os.environ.get("LINDFS_ROOT", "") or ROOT)
        if not self.root.is_dir():
            raise AdapterError(f"adapter lind-boot: {self.root}: no such folder (--option root=LINDFS)")
        odd = sorted(set(filter(None, lacks.split(","))) - set(FEATURES))
        if odd:
            raise AdapterError(f"adapter lind-boot: lacks {odd[0]!r} (features are {', '.join(FEATURES)})")
        if log not in ("yes", "no"):
            raise AdapterError(f"adapter lind-boot: log {log!r} (yes or no)")
        self.flags = shlex.split(flags)
        self.prepare = shlex.split(prepare)
        self.compile = shlex.split(compile)
        if self.compile and (shutil.which(self.compile[0]) is None or not {"{in}", "{out}"} <= set(self.compile)):
            raise AdapterError(f"adapter lind-boot: compile {compile!r}: want a command with {{in}} and {{out}}")
        self.log = log == "yes"
        self.without = frozenset(filter(None, lacks.split(",")))

    def describe(self) -> Description:
        """What an installation has; it is held against what was recorded of one."""
        return Description(
            "lind-boot",
            self.command[-1],
            profile=LIND.name,
            kinds=frozenset({"program", *(["script"] if self.compile else [])}),
            features=frozenset(FEATURES) - self.without,
            observes=frozenset(OBSERVES) if self.log else frozenset(),
            lacks={
                **dict.fromkeys(self.without, "as --option lacks says"),
                "script": "no tool chain for their C: --option compile='lind_compile … {in} {out}'",
            },
        )

    def run(self, case: Case) -> Observed:
        """Put the case's folder into the root, and boot its program there."""
        if case.script is not None and self.compile:
            with tempfile.TemporaryDirectory(prefix="lindref-") as place:
                return self._script(case.script, Path(place))
        if case.program is None:
            raise NotApplicable("programs and scripts only")
        with tempfile.TemporaryDirectory(prefix="lindref-", dir=self.root) as place:
            program = self._prepared(case.program.copy_to(Path(place)))
            log = Path(place, "calls.log")
            return self._boot(program, f"/{Path(place).name}/{program.folder.name}", log)

    def _prepared(self, program: Program) -> Program:
        """The programs as the installation takes them. Raises ``NotApplicable`` where one cannot be made so."""
        if not self.prepare:
            return program
        for module in sorted(program.folder.glob("*.wasm")):
            made = module.with_suffix(".prepared")
            made_from(self.prepare, module, made, "prepared")
            made.replace(module)
        return program

    def _script(self, vector: Vector, place: Path) -> Observed:
        """A script as C, in a root of its own; results from what it tells, and from the log, where there is one."""
        log = place / "calls.log"
        root, programs = furnished(vector, place)
        for source, program in programs:
            raw = source.with_suffix(".c.wasm")
            kind = "grate" if "pass_fptr_to_wt" in source.read_text() else "static"
            made_from([word.replace("{kind}", kind) for word in self.compile], source, raw, "compiled")
            if self.prepare:
                made_from(self.prepare, raw, program, "prepared")
            else:
                shutil.copyfile(raw, program)
            program.chmod(0o644)
        command = [*_IN_ROOT, str(root), str(self.root), *self.command, *self.flags, "/prog/main"]
        env = {**self._env(log), "LIND_GRATE_WORKERS": str(vector.workers)}
        ran = processes.run(command, folder=place, env=env, patience=PATIENCE)
        seen = printed.observation(vector, printed.lines(ran.stderr), _ended(ran), ran.stdout, native=False)
        trace = self._trace(log, ran.status)
        return Observed(ran.status, ran.stdout, trace=trace, seen=seen, own_calls=True)

    def _env(self, log: Path) -> dict[str, str]:
        return {
            **os.environ,
            "LIND_LOG_OUTPUT": f"file:{log}" if self.log else "none",
            "LIND_LOG_CATEGORIES": "threei",
            "LIND_CALL_LOG": "1",
        }

    def _trace(self, log: Path, status: int) -> bytes | None:
        if not self.log or not log.is_file():
            return None
        return as_trace(log.read_text(encoding="utf-8", errors="backslashreplace"), status)

    def _boot(self, program: Program, inside: str, log: Path) -> Observed:
        """Run it; ``inside`` is the program's folder as the installation sees it after its chroot."""
        env = [word for name, value in program.env.items() for word in ("--env", f"{name}={value}")]
        first, *rest = program.argv
        words = [inside + "/" + word if (program.folder / word).is_file() else word for word in (first, *rest)]
        ran = processes.run(
            [*self.command, *self.flags, *env, *words],
            folder=program.folder,
            env=self._env(log),
            stdin=program.stdin,
        )
        trace = self._trace(log, ran.status)
        note = "its host process died" if ran.status in _DEAD else ""
        return Observed(ran.status, ran.stdout, ran.stderr, trace, note=note)


def made_from(command: Sequence[str], source: Path, made: Path, how: str) -> None:
    """Let a command with ``{in}`` and ``{out}`` make a file. Raises ``NotApplicable`` where it does not."""
    words = [word.replace("{in}", str(source)).replace("{out}", str(made)) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode or not made.is_file():
        raise NotApplicable(f"{source.name} cannot be {how}: {done.stderr.strip()[:200]}")


def _ended(ran: processes.Ran) -> tuple[str, int | None]:
    """How a script ended, in the words of the recordings."""
    if ran.hung:
        return "hang", None
    if ran.signal:
        return "runtime-fault", -ran.signal
    if ran.status == 70:
        return "trap", 70
    return ("runtime-fault" if ran.status == 101 else "exit"), ran.status
