"""Playing a vector: its file tree, its programs as images, the run, and what was observed of it."""

from __future__ import annotations

from collections.abc import Mapping

from lindref import classes
from lindref.conformance.vectors import image
from lindref.conformance.vectors.frame import Frame
from lindref.conformance.vectors.model import Json, Vector, VectorError
from lindref.conformance.vectors.runner import RECORDER, Journal, VectorRunner
from lindref.posix import console
from lindref.posix.cage import MAIN_THREAD
from lindref.posix.fs import roots
from lindref.posix.fs.hosttree import RootError
from lindref.posix.kernel import Kernel
from lindref.profile import LIND, Profile
from lindref.system.choices import Chooser
from lindref.system.outcome import HANGS, Ending, Outcome
from lindref.system.runner import Runner
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.threei import tables

#: Steps after which a run counts as one that never ends.
MAX_STEPS = 400_000
_DIRECTORIES = (b"/w", b"/tmp", b"/prog", b"/log")


def _add_file(kernel: Kernel, entry: Mapping[str, Json]) -> None:
    """One entry of the initial file tree."""
    path = entry["path"].encode()
    mode = int(entry.get("mode", "0644"), 8)
    match entry["type"]:
        case "file":
            data = bytes.fromhex(entry["hex"]) if "hex" in entry else entry.get("text", "").encode()
            roots.add_file(kernel, path, data, mode)
        case "dir":
            roots.add_dir(kernel, path, mode)
        case "symlink":
            roots.add_symlink(kernel, path, entry["target"].encode())
        case "hardlink":
            roots.add_link(kernel, path, entry["target"].encode())
        case "fifo":
            roots.add_fifo(kernel, path, mode)


def observed(outcome: Outcome, journal: Journal, stdout: bytes) -> dict[str, Json]:
    """A run as the recordings describe one."""
    kind = Ending(outcome.ending)
    log = [{k: v for k, v in e.items() if k != "order"} for e in sorted(journal, key=lambda e: e["order"])]
    found: dict[str, Json] = {"log": log}
    if stdout:
        found["stdout"] = stdout.decode("utf-8", "backslashreplace")
    if kind in (Ending.DEADLOCK, Ending.LIMIT):
        return {"outcome": "hang", **found}
    if kind is Ending.FAULT and outcome.code == HANGS:
        return {"outcome": "hang", **found}
    if kind is Ending.FAULT:
        return {"outcome": "runtime-fault", "code": outcome.code, **found}
    if kind in (Ending.TRAP, Ending.LOAD):
        return {"outcome": "trap", "code": outcome.status, **found}
    return {"outcome": "exit", "code": outcome.status, **found}


class PlayingSystem(System):
    """A system that plays a vector: it knows programs by their files, and what they saw is in ``journal``."""

    def __init__(self, profile: Profile, config: Config, chooser: Chooser | None) -> None:
        super().__init__(profile=profile, config=config, chooser=chooser)
        self.journal: Journal = []
        self.common = frozenset({RECORDER})

    def add_program(self, program: image.Program) -> bytes:
        """The file that runs ``program``. Raises ``VectorError``."""
        raise AssertionError(f"a player that plays no program ({program.name})")

    def seen(self, vector: Vector) -> dict[str, Json]:
        """Play ``vector`` in this new system; its observation. Raises ``VectorError``."""
        prepare(self, vector)
        outcome = self.run()
        return observed(outcome, self.journal, console.output(self.kernel, console.STDOUT))


def prepare(system: PlayingSystem, vector: Vector) -> None:
    """Give a system the world that ``vector`` begins in, and start its main program. Raises ``VectorError``."""
    kernel = system.kernel
    roots.open_root(kernel, "blank", None)
    images = {name: system.add_program(program) for name, program in _programs(vector).items()}
    _put(kernel, vector, images)
    system.tables = tables.boot(system.tables, RECORDER, kernel.rows)
    system.boot(b"/prog/main", images.get("main", b""), [b"/prog/main"], ())


def furnish(kernel: Kernel, vector: Vector) -> None:
    """Make of a blank root the world that ``vector`` begins in. Raises ``VectorError``."""
    _put(kernel, vector, {name: program.module() for name, program in _programs(vector).items()})


def _programs(vector: Vector) -> dict[str, image.Program]:
    found = {}
    for name, source in vector.programs.items():
        try:
            found[name] = image.program(name, dict(source))
        except VectorError as error:
            raise VectorError(f"{vector.id}: {error}") from None
    return found


def _put(kernel: Kernel, vector: Vector, images: Mapping[str, bytes]) -> None:
    """The folders, the programs' files, the files that the vector names, and who the user is."""
    for path in _DIRECTORIES:
        roots.add_dir(kernel, path, 0o755)
    # The recorder's files had no execute permission; the real system did not ask for it.
    mode = 0o644 if kernel.profile.has("EXEC-UNCHECKED") else 0o755
    for name, data in images.items():
        roots.add_file(kernel, b"/prog/" + name.encode(), data, mode)
    for entry in vector.files:
        try:
            _add_file(kernel, entry)
        except RootError as error:
            raise VectorError(f"{vector.id}: {error}") from None
    console.end_stdin(kernel)
    if vector.user is not None:
        kernel.identity = classes.evolve(kernel.identity, uid=vector.user[0], gid=vector.user[1])


class VectorSystem(PlayingSystem):
    """A system whose images are programs of a vector."""

    def __init__(self, vector: Vector, profile: Profile, chooser: Chooser | None = None) -> None:
        super().__init__(profile, Config(workers=vector.workers, max_ticks=MAX_STEPS), chooser)
        self.programs: dict[str, image.Program] = {}

    def add_program(self, program: image.Program) -> bytes:
        """The file that runs ``program``."""
        data = program.module()
        self.programs[self.images.load(data).digest] = program
        return data

    def _vector_runner(self, cage: int, *, worker: bool) -> VectorRunner:
        program = self.programs[self.runtimes[cage].digest]
        frames = [] if worker else [Frame(program.steps, "main")]
        return VectorRunner(self.guest(cage), program, self.journal, frames)

    def image_runner(self, cage: int) -> Runner:
        """A runner at the first step, its literals in memory."""
        runner = self._vector_runner(cage, worker=False)
        self.memories[cage].try_write(image.LITERALS, runner.program.data)
        return runner

    def new_worker(self, cage: int, slot: int) -> Thread:
        """A worker that carries out handlers."""
        thread = self.add_thread(cage, MAIN_THREAD, self._vector_runner(cage, worker=True))
        thread.slot = slot
        return thread


def play(vector: Vector, profile: Profile = LIND) -> dict[str, Json]:
    """Play a vector; its observation. Raises ``VectorError``."""
    return VectorSystem(vector, profile).seen(vector)
