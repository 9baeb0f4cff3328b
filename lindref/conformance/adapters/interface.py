"""What a campaign asks of an implementation: to say what it can, and to run one case at a time.

Everything that goes wrong in ``run`` (an exception, a crash of the process, no answer in time) is that one case's
verdict ``broken``, never the end of a campaign.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lindref import classes
from lindref.conformance.adapters.case import Bits, Case
from lindref.profile import SPEC
from lindref.trace.format import Record
from lindref.trace.reader import Reader

#: Kinds of case: wasm programs in a folder; the same as C sources that the adapter compiles; scripts of calls; calls
#: of a module's functions.
KINDS = ("program", "source", "script", "module")

#: What cases may need, and what it means.
FEATURES: Mapping[str, str] = {
    "fork": "new cages by fork",
    "exec": "another image in the same cage",
    "threads": "more than one thread in a cage",
    "signals": "handlers, and ends by signals",
    "grates": "interposition: calls 1001 to 1003, and grates that serve calls",
    "dynamic": "position-independent programs with libraries",
    "stdin": "standard input",
}


class AdapterError(Exception):
    """An adapter that cannot be made, or that says something that cannot be; one line."""


class NotApplicable(Exception):
    """To be raised by ``run``: this implementation cannot do the case, and why; one line."""


@classes.frozen
class Description:
    """What an implementation is and can.

    ``profile``: which profile it is held against. ``kinds``, ``features``: of ``KINDS`` and ``FEATURES``; cases that
    need something else are not applicable. ``observes``: events that its traces have (docs/trace.md), none where it
    makes no trace. ``same_calls``: whether the calls in them are those that the case's own programs make (another C
    library makes others). ``is_linux``: whether it may differ by the rules of spec/linux.md. ``lacks``: why it has not
    a feature or kind, for people.
    """

    name: str
    version: str = ""
    profile: str = SPEC.name
    kinds: frozenset[str] = frozenset({"program"})
    features: frozenset[str] = frozenset(FEATURES)
    observes: frozenset[str] = frozenset()
    same_calls: bool = True
    is_linux: bool = False
    lacks: Mapping[str, str] = classes.field(factory=dict)

    def why_not(self, case: Case, needs: frozenset[str]) -> str:
        """Why a case with these needs cannot be run, "" where it can."""
        kind = case.kind
        if kind not in self.kinds and not (kind == "program" and "source" in self.kinds and _compiles(case)):
            what = "programs without C sources" if kind == "program" and "source" in self.kinds else f"{kind} cases"
            return f"no {what}" + self._because(kind)
        for need in sorted(needs):
            if need not in self.features:
                return f"needs {need}: {FEATURES.get(need, need)}" + self._because(need)
        return ""

    def _because(self, what: str) -> str:
        return f" ({self.lacks[what]})" if what in self.lacks else ""


def _compiles(case: Case) -> bool:
    return case.program is not None and bool(case.program.sources)


@classes.frozen
class Observed:
    """What was seen of a run; ``None``: not observed.

    ``status`` is the exit status as ``lindref run`` gives it: the first cage's code, 128+n for signal n, 70 for a
    trap. ``trace`` is a trace (docs/trace.md): its bytes, or a file. ``seen`` is the observation of a script
    (FORMAT.md section 6). ``results`` are those of the calls of a module: for each call its results, or
    the text of its trap; then a text for each exported memory.
    ``own_calls``: the trace has calls of its own beside those of the case, as that of a script that is played as C.
    ``note`` is for people.
    """

    status: int | None = None
    stdout: bytes | None = None
    stderr: bytes | None = None
    trace: bytes | Path | None = None
    seen: Mapping[str, Any] | None = None
    results: tuple[tuple[Bits, ...] | str, ...] | None = None
    note: str = ""
    own_calls: bool = False

    @contextmanager
    def read_trace(self) -> Iterator[Reader]:
        """The trace, to be iterated; there has to be one. Raises ``TraceError``, ``OSError``."""
        assert self.trace is not None
        if isinstance(self.trace, bytes):
            yield Reader(io.BytesIO(self.trace), "trace")
            return
        with self.trace.open("rb") as stream:
            yield Reader(stream, str(self.trace))

    def records(self) -> list[Record]:
        """All events of the trace, none where there is no trace. Raises as ``read_trace``."""
        if self.trace is None:
            return []
        with self.read_trace() as reader:
            return list(reader)


class Adapter(Protocol):
    """An implementation under test. Options of the command line are keyword arguments of the constructor, as texts.

    It may have two more methods: ``reset()`` is called before every case but the first, ``close()`` at the end.
    """

    def describe(self) -> Description:
        """What it is and can; asked once. Raises ``AdapterError`` where the implementation is not there."""

    def run(self, case: Case) -> Observed:
        """Run a case from the beginning. Raises ``NotApplicable``."""
