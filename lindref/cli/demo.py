"""``lindref demo``: the main job on guests that travel with lindref: a grate, its cage, every call with its route."""

from __future__ import annotations

import os
import sys

from lindref.cli.run import Notes
from lindref.conformance.resources import folder
from lindref.guest.build_guests import Guest, guests, load_guest
from lindref.guest.toolchain import GuestBuildError
from lindref.system.boot import BootError, boot
from lindref.system.events import Event, Route
from lindref.system.system import System
from lindref.threei.numbers import BENEATH
from lindref.trace.strace import Strace

#: The guest of the demo, below ``conformance/guests``.
GUEST = "grate_redirect"
_HELP = """usage: lindref demo [NAME]

Run a program of lindref's own and show every call with the route it takes; NAME is one of these (default: {default}):

{names}

Example: lindref demo grate_stacked
"""
_DIM, _BOLD = 2, 1


class _Screen:
    """What the demo shows: the trace, and between its lines what the cages write."""

    def __init__(self) -> None:
        wanted = "FORCE_COLOR" in os.environ or sys.stdout.isatty()
        self.colour = wanted and "NO_COLOR" not in os.environ
        self.calls = 0
        self.through_grates = 0
        self._pieces = {1: b"", 2: b""}

    def paint(self, text: str, code: int) -> str:
        """``text`` in a style, where there are colours."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def write(self, text: str) -> None:
        """A line of the trace."""
        sys.stdout.write(text)

    def wrote(self, stream: int, data: bytes) -> None:
        """A cage wrote to standard output (1) or error (2): whole lines are shown, marked."""
        *lines, rest = (self._pieces[stream] + data).split(b"\n")
        self._pieces[stream] = rest
        for line in lines:
            self._show(line)

    def _show(self, line: bytes) -> None:
        sys.stdout.write(self.paint("         ┃ " + line.decode("utf-8", "backslashreplace"), _BOLD) + "\n")

    def finish(self) -> None:
        """What was written without a line break at its end."""
        for rest in filter(None, self._pieces.values()):
            self._show(rest)

    def on_event(self, event: Event) -> None:
        """Count (``Observer``)."""
        if isinstance(event, Route):
            self.calls += 1
            self.through_grates += event.handler not in BENEATH


def _about(guest: Guest, screen: _Screen) -> str:
    """What is to be seen, before it is."""
    programs = ", ".join(f"{p.name} ({p.sources[0]}{', a grate' if p.grate else ''})" for p in guest.programs)
    return (
        f"{screen.paint(guest.title, _BOLD)}\n\n"
        f"  {programs}\n  in {guest.folder}\n\n"
        "Each line is a call: who makes it, what it asks, what it gets, → who serves it. Lines with │ are made by a\n"
        "grate on behalf of the call above them; after ┃ is what the cages write. To see it yourself:\n\n"
        f"  cd {guest.folder} && lindref run --strace --routes {' '.join(guest.argv)}\n\n"
    )


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    root = folder("conformance") / "guests"
    if argv and argv[0] in ("-h", "--help"):
        names = "\n".join(f"  {guest.folder.name:<20} {guest.title}" for guest in guests(root))
        sys.stdout.write(_HELP.format(default=GUEST, names=names))
        return 0
    if len(argv) > 1:
        sys.stderr.write(f"lindref demo: {argv[1]}: one name at a time (see lindref demo --help)\n")
        return 2
    name = argv[0] if argv else GUEST
    if not (root / name / "expected.json").is_file():
        sys.stderr.write(f"lindref demo: {name}: no such guest (see lindref demo --help)\n")
        return 2
    screen = _Screen()

    def observe(system: System) -> None:
        system.observers += [screen, Strace(system, screen.write, colour=screen.colour, routes=True)]
        system.quiet_observers.append(Notes())
        system.kernel.outside.wrote = screen.wrote

    try:
        guest = load_guest(root / name)
        sys.stdout.write(_about(guest, screen))
        system = boot("/" + guest.argv[0], guest.argv[1:], root=guest.folder, env=guest.env, observe=observe)
    except (BootError, GuestBuildError) as error:
        sys.stderr.write(f"lindref demo: {error}\n")
        return 2
    given = iter([guest.stdin.encode()] if guest.stdin else [])
    system.kernel.outside.read = lambda: next(given, b"")
    outcome = system.run()
    screen.finish()
    shown = f"{screen.calls} calls, {screen.through_grates} of them served by a grate"
    sys.stdout.write(f"\n{shown}; exit status {outcome.status}\n")
    return outcome.status
