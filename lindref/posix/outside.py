"""What connects a run to the world around it: host directories, standard streams, the host's network and clock.

No part of the run's state. What came in is kept in order, so that a state that is put back hears the same again; the
connections themselves may be replaced at any time, and a replay has none: it hears what a trace recorded (TRACE-1 to
TRACE-3 in spec/system.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from lindref import classes
from lindref.posix.fs.hosttree import HostTree
from lindref.posix.fs.hostwriter import HostWriter

T = TypeVar("T")

#: What a trace calls pieces of standard input; everything else is named by who asked (`Outside.ask`).
STDIN = "stdin"


@classes.frozen
class Heard:
    """What waiting for the outside brought. ``elapsed``: ns of real time that it took; ``input``: whether standard
    input is there to be fetched; ``net``: what happened on the host's network (see `posix.net.hostnet`).
    """

    elapsed: int = 0
    input: bool = False
    net: tuple[tuple[Any, ...], ...] = ()


class Network(Protocol):
    """The host's network (`lindref.posix.net.hostnet`)."""

    def poll(self, timeout: float | None, extra: int | None = None) -> tuple[bool, tuple[tuple[Any, ...], ...]]:
        """What happened, after at most ``timeout`` seconds (None: however long it takes), and whether the file
        descriptor ``extra`` can be read.
        """


class Outside:
    """The connections of one kernel.

    ``read``: fetches standard input: some bytes, ``b""`` at its end; None when there is nothing to fetch from.
    ``input_fd``: the host descriptor that tells when ``read`` would not wait, None if it never does.
    ``wrote``: told (stream, bytes) as a guest writes to standard output (1) or error (2).
    ``clock``: real time, ns since the run began; ``sleep`` waits for so many seconds, or until standard input is there.
    ``net``: the host's network.
    """

    def __init__(self) -> None:
        self.read: Callable[[], bytes] | None = None
        self.input_fd: int | None = None
        self.wrote: Callable[[int, bytes], None] | None = None
        self.clock: Callable[[], int] | None = None
        self.net: Any = None
        self.replays = False
        self._fetched: list[bytes] = []
        self._answers: dict[int, tuple[str, Any]] = {}
        self._asked = 0
        self._trees: dict[str, HostTree] = {}
        self._writers: dict[str, HostWriter] = {}

    def replay(self, pieces: Sequence[bytes], answers: Mapping[int, tuple[str, Any]]) -> None:
        """From now on hear only what a trace recorded: pieces of standard input, and answers by index (TRACE-2)."""
        self.replays = True
        self._fetched = list(pieces)
        self._answers = dict(answers)

    def fetch(self, position: int) -> bytes | None:
        """Piece number ``position`` of standard input, fetched when it never was before; None without a source."""
        if position >= len(self._fetched):
            if self.read is None or self.replays:
                return None
            self._fetched.append(self.read())
        return self._fetched[position]

    def ask(self, index: int, what: str, question: Callable[[], T], nothing: T) -> T:
        """The answer to question number ``index`` of the run: ``question`` is asked once, and its answer kept unless
        it is ``nothing``. A state that was put back may come here with another question; then what was heard from here
        on belongs to a future that is not to be, and is forgotten (TRACE-3).
        """
        known = self._answers.get(index)
        if known is not None and known[0] != what and not self.replays:
            self._answers = {n: answer for n, answer in self._answers.items() if n < index}
            self._asked, known = index, None
        answer: T = nothing
        if known is not None and known[0] == what:
            answer = known[1]
        elif index >= self._asked and not self.replays:
            answer = question()
            self._asked = index + 1
            if answer != nothing:
                self._answers[index] = (what, answer)
        return answer

    def writer(self, path: str) -> HostWriter:
        """What changes the host directory ``path``."""
        if path not in self._writers:
            self._writers[path] = HostWriter(self.tree(path))
        return self._writers[path]

    def tree(self, path: str) -> HostTree:
        """The host directory ``path``, opened once; `RootError` when it cannot be."""
        if path not in self._trees:
            self._trees[path] = HostTree(path)
        return self._trees[path]
