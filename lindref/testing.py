"""For authors of grates: scripts of calls instead of programs, and what is seen of a run of one.

def test_denies(lindref_script):
script = lindref_script()
script.call("unlink", "/keep")
played = script.play(Deny, files={"/keep": b"kept"})
assert played.results("unlink") == [-1]
assert not played.beneath("unlink")
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lindref.posix import console
from lindref.posix.constants import EPOCH
from lindref.posix.fs import roots
from lindref.posix.table import NUMBERS
from lindref.profile import by_name
from lindref.system import worldly
from lindref.system.boot import boot_script
from lindref.system.choices import Chooser, FirstOption, Replay, Seeded
from lindref.system.events import Enter, Event, Exit, Note, Route
from lindref.system.python.grate import Grate
from lindref.system.python.stack import outside
from lindref.system.runtime import Config
from lindref.system.script_runner import CallStep, Pointer, ResultOf, ScriptState, StoreStep
from lindref.system.system import System
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText

#: Memory of a script that its strings and buffers may fill, in bytes, and where they begin.
MEMORY, _FIRST = 60_000, 1024
_ANY = (1 << 64) - 1
#: How files begin that can be run.
_PROGRAMS = (b"\0asm", b"#!")


class Script:
    """A list of calls of one cage, written down one after the other; it ends with exit(0) unless it exits before."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self._free = _FIRST

    def put(self, data: str | bytes) -> Pointer:
        """Bytes (a string with its NUL) in the cage's memory; what stands for their address."""
        raw = data.encode("utf-8", "surrogateescape") + b"\0" if isinstance(data, str) else data
        place = self.buffer(len(raw))
        self.steps.append(StoreStep(place.offset, raw))
        return place

    def buffer(self, count: int) -> Pointer:
        """Room for ``count`` bytes; what stands for its address. ``ValueError`` where there is no room."""
        place = Pointer(self._free)
        self._free += (count + 16) & ~7
        if self._free > MEMORY:
            raise ValueError(f"a script has {MEMORY} bytes of memory")
        return place

    def call(self, name: str, *args: int | str | bytes | Pointer | ResultOf) -> ResultOf:
        """A call; what stands for its result in later ones. Strings and bytes are put into memory first."""
        if name not in NUMBERS:
            raise ValueError(f"there is no call {name!r}")
        made = [self.put(arg) if isinstance(arg, str | bytes) else arg for arg in args]
        self.steps.append(CallStep(NUMBERS[name], tuple(made)))
        return ResultOf(len(self.steps) - 1)

    def fork(self, child: Script, *, wait: bool = True) -> None:
        """A child that plays ``child``, which has results and memory of its own; the parent waits for it, or not."""
        structure = self.put(bytes(88))
        moved = [_moved(step, len(self.steps) + 1) for step in child.steps]
        self.steps.append(CallStep(NUMBERS["clone"], (structure,), child=(*moved, _END)))
        if wait:
            self.call("wait4", _ANY, 0, 0)

    def play(
        self,
        *grates: Any,
        files: Mapping[str, bytes] | None = None,
        root: str | os.PathLike[str] | None = None,
        root_mode: str = "cow",
        stdin: bytes = b"",
        profile: str = "spec",
        seed: int | None = None,
        answers: Sequence[int] = (),
        net: str = "",
        clock: str = "virtual",
    ) -> Played:
        """Play it to the end beneath ``grates`` (the last is closest), on a root that holds ``files`` (programs
        among them can be run), or on that of the host directory ``root``: copy-on-write, or written through with
        ``root_mode="write"``. The rest is as for ``lindref.boot``; ``answers`` are those to choice points.
        """
        events: list[Event] = []
        lines: list[str] = []

        class Watcher:
            def __init__(self, made: System) -> None:
                self.recorder, self.text = Recorder(made), StraceText(lines.append)

            def on_event(self, event: Event) -> None:
                events.append(event)
                for record in self.recorder.records(event):
                    self.text.on_record(record)

        then: Chooser = FirstOption() if seed is None else Seeded(seed)
        system = boot_script(
            ScriptState((*self.steps, _END)),
            grates=grates,
            profile=by_name(profile),
            config=Config(
                max_ticks=1_000_000,
                seed=seed or 0,
                net=net,
                clock=clock,
                start_time=time.time_ns() - EPOCH if clock == "real" else 0,
            ),
            chooser=Replay(tuple(answers), then),
            root=root,
            root_mode=root_mode,
            observe=lambda made: made.observers.append(Watcher(made)),
        )
        worldly.connect(system)
        for path, data in (files or {}).items():
            mode = 0o755 if data.startswith(_PROGRAMS) else 0o644
            roots.add_file(system.kernel, path.encode(), data, mode)
        if stdin:
            console.feed_stdin(system.kernel, stdin)
        console.end_stdin(system.kernel)
        outcome = system.run()
        kept = {cage: outside(system, cage) for cage in system.grates}
        out, err = (console.output(system.kernel, stream) for stream in (console.STDOUT, console.STDERR))
        return Played(tuple(events), kept, out, err, outcome.status, "".join(lines))


_END = CallStep(NUMBERS["exit_group"], (0,))


def _moved(step: Any, base: int) -> Any:
    """A step of a child, whose results are counted on from its parent's."""
    if not isinstance(step, CallStep):
        return step
    args = tuple(ResultOf(a.step + base, a.plus) if isinstance(a, ResultOf) else a for a in step.args)
    child = None if step.child is None else tuple(_moved(one, base) for one in step.child)
    return CallStep(step.number, args, step.caller, step.target, step.cages, child)


class Played:
    """What is seen of a run: ``events``, ``grates`` by cage (their ``state``), ``stdout``, ``stderr``, ``status``, and
    ``strace``, all calls as strace shows them, to print where a test fails.
    """

    def __init__(
        self,
        events: tuple[Event, ...],
        grates: Mapping[int, Grate],
        stdout: bytes,
        stderr: bytes,
        status: int,
        strace: str = "",
    ) -> None:
        self.events, self.grates = events, grates
        self.stdout, self.stderr, self.status, self.strace = stdout, stderr, status, strace

    def calls(self, *names: str, cage: int | None = None) -> list[Enter]:
        """Calls of these names (all if none is given), of one cage or of all."""
        entered = (event for event in self.events if isinstance(event, Enter))
        return [e for e in entered if (not names or e.name in names) and cage in (None, e.cage)]

    def results(self, *names: str, cage: int = 1) -> list[int | None]:
        """Results of a cage's calls of these names, in order; ``None`` for one that never came back."""
        found = {event.call: event.result for event in self.events if isinstance(event, Exit)}
        return [found.get(call.call) for call in self.calls(*names, cage=cage)]

    def served_by(self, name: str, cage: int = 1) -> list[int]:
        """Who served a cage's calls of a name: a grate's cage, or 777777 for RawPOSIX."""
        found = {event.call: event.handler for event in self.events if isinstance(event, Route)}
        return [found[call.call] for call in self.calls(name, cage=cage) if call.call in found]

    def beneath(self, name: str) -> list[Enter]:
        """Calls of that name that grates made to serve others."""
        return [call for call in self.calls(name) if call.within]

    @property
    def notes(self) -> list[str]:
        """What people are told: mistakes of handlers among them."""
        return [event.text for event in self.events if isinstance(event, Note)]
