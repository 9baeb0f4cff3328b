"""Running the guests of ``conformance/guests``, in the model and natively."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import attrs

from lindref.guest.build_guests import GUESTS, Guest, load_guest
from lindref.posix import console
from lindref.profile import SPEC, Profile
from lindref.system.boot import boot
from lindref.system.choices import Chooser, FirstOption
from lindref.system.events import Enter, Event, Exit, Route
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.threei.numbers import BENEATH

NATIVE = ("gcc", "-std=gnu17", "-O1", "-w", "-D_GNU_SOURCE", "-pthread")
"""How a guest is compiled for the host."""


@attrs.define
class Run:
    """A run of a guest, and what happened in it."""

    system: System
    events: list[Event]

    @property
    def stdout(self) -> str:
        return console.output(self.system.kernel, console.STDOUT).decode()

    @property
    def stderr(self) -> str:
        return console.output(self.system.kernel, console.STDERR).decode()

    @property
    def status(self) -> int:
        assert self.system.outcome is not None
        return self.system.outcome.status

    def calls(self, name: str) -> list[Enter]:
        return [event for event in self.events if isinstance(event, Enter) and event.name == name]

    def routes(self) -> dict[int, int]:
        """Call → who served it."""
        return {event.call: event.handler for event in self.events if isinstance(event, Route)}

    def result(self, enter: Enter) -> int | None:
        return next(e.result for e in self.events if isinstance(e, Exit) and e.call == enter.call)

    def way(self, enter: Enter) -> str:
        """A call with the cages it passes: ``3 geteuid > 2 > 1`` is served by grate 2, which asked grate 1."""
        steps = [f"{enter.cage} {enter.name}"]
        call: Enter | None = enter
        while call is not None:
            handler = self.routes()[call.call]
            if handler not in BENEATH:
                steps.append(str(handler))
            inner = [e for e in self.calls(enter.name) if e.within == call.call]
            call = inner[0] if inner else None
        return " > ".join(steps)

    def ways(self, name: str) -> list[str]:
        """The ways of all calls of that name that no grate made on behalf of another."""
        return [self.way(enter) for enter in self.calls(name) if not enter.within]


def run(
    guest: Guest,
    argv: tuple[str, ...] | None = None,
    profile: Profile = SPEC,
    chooser: Chooser | None = None,
    workers: int = 32,
    root: Path | None = None,
    record: bool = True,
) -> Run:
    """A guest in its folder (or in ``root``), to the end; ``record`` keeps the events."""
    events: list[Event] = []

    class Observer:
        def on_event(self, event: Event) -> None:
            events.append(event)

    words = argv or guest.argv
    system = boot(
        "/" + words[0],
        words[1:],
        root=root or guest.folder,
        profile=profile,
        config=Config(workers=workers, max_ticks=50_000_000),
        chooser=chooser or FirstOption(),
        env=guest.env,
        observe=lambda made: made.observers.append(Observer()) if record else None,
    )
    console.feed_stdin(system.kernel, guest.stdin.encode())
    console.end_stdin(system.kernel)
    system.run()
    return Run(system, events)


def names(pattern: str) -> list[str]:
    """The guests whose folder's name matches."""
    return sorted(path.parent.name for path in GUESTS.glob(f"{pattern}/expected.json"))


def plain() -> list[str]:
    """All guests that are no grates."""
    return [name for name in names("*") if not name.startswith("grate_")]


def copied(name: str, into: Path) -> Guest:
    """A guest in a folder of its own beside the header that guests share, with a ``tmp``."""
    folder = into / name
    shutil.copytree(GUESTS / name, folder)
    for header in GUESTS.glob("*.h"):
        shutil.copy(header, into)
    (folder / "tmp").mkdir(exist_ok=True)
    return load_guest(folder)


def run_natively(guest: Guest) -> tuple[str, str, int]:
    """Compile a guest of a copied folder for the host, under the same file names, and run it there."""
    for program in guest.programs:
        subprocess.run([*NATIVE, *program.sources, "-o", program.name, "-lm"], cwd=guest.folder, check=True)
    done = subprocess.run(
        guest.argv,
        executable=os.fspath(guest.folder / guest.argv[0]),
        cwd=guest.folder,
        env=dict(guest.env),
        input=guest.stdin.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return done.stdout.decode(), done.stderr.decode(), status
