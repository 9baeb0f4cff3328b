"""A real installation of Lind-Wasm as an implementation under test: ``lind-boot``, its output, its log of 3i calls."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from lindref.conformance.adapters import processes
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.interface import FEATURES, AdapterError, Description, NotApplicable, Observed
from lindref.conformance.adapters.lind_log import OBSERVES, as_trace
from lindref.profile import LIND

#: Where an installation is looked for when nobody says: the variable, and the root that its build names.
VARIABLE, ROOT = "LIND_BOOT", "/home/lind/lind-wasm/lindfs"
#: The status with which a cage's trap ends it, and those with which its host process dies (3i.md 7.3).
_DEAD = {101, 134}


class LindBoot:
    """The installation whose ``lind-boot`` is at ``path`` (default: $LIND_BOOT, or on PATH).

    ``root``: its lindfs, where programs are put while they run (default: $LINDFS_ROOT, or what its build says).
    ``flags``: more words for its command line. ``prepare``: a command that makes of a module one that the installation
    runs, as its own tool chain would (``{in}`` and ``{out}`` stand for files; default: none is needed). ``log``:
    whether its log of calls is read (``yes``, or ``no`` for one that was built without). ``sudo``: a command before
    it, as it needs root. ``lacks``: features that it has not, with commas.
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
    ) -> None:
        wanted = path or os.environ.get(VARIABLE, "")
        found = shutil.which(wanted or "lind-boot")
        if found is None:
            where = wanted or f"set {VARIABLE}, or --option path=FILE"
            raise AdapterError(f"adapter lind-boot: no installation ({where})")
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
        self.log = log == "yes"
        self.without = frozenset(filter(None, lacks.split(",")))

    def describe(self) -> Description:
        """What an installation has; it is held against what was recorded of one."""
        return Description(
            "lind-boot",
            self.command[-1],
            profile=LIND.name,
            kinds=frozenset({"program"}),
            features=frozenset(FEATURES) - self.without,
            observes=frozenset(OBSERVES) if self.log else frozenset(),
            lacks={
                **dict.fromkeys(self.without, "as --option lacks says"),
                "script": "it has no player: scripts can be had as C",
            },
        )

    def run(self, case: Case) -> Observed:
        """Put the case's folder into the root, and boot its program there."""
        if case.program is None:
            raise NotApplicable("programs only")
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
            words = [word.replace("{in}", str(module)).replace("{out}", str(made)) for word in self.prepare]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode or not made.is_file():
                raise NotApplicable(f"{module.name} cannot be prepared: {done.stderr.strip()[:200]}")
            made.replace(module)
        return program

    def _boot(self, program: Program, inside: str, log: Path) -> Observed:
        """Run it; ``inside`` is the program's folder as the installation sees it after its chroot."""
        env = [word for name, value in program.env.items() for word in ("--env", f"{name}={value}")]
        first, *rest = program.argv
        words = [inside + "/" + word if (program.folder / word).is_file() else word for word in (first, *rest)]
        ran = processes.run(
            [*self.command, *self.flags, *env, *words],
            folder=program.folder,
            env={
                **os.environ,
                "LIND_LOG_OUTPUT": f"file:{log}" if self.log else "none",
                "LIND_LOG_CATEGORIES": "threei",
                "LIND_CALL_LOG": "1",
            },
            stdin=program.stdin,
        )
        trace = None
        if self.log and log.is_file():
            trace = as_trace(log.read_text(encoding="utf-8", errors="backslashreplace"), ran.status)
        note = "its host process died" if ran.status in _DEAD else ""
        return Observed(ran.status, ran.stdout, ran.stderr, trace, note=note)
