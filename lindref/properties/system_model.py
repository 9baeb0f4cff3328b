"""A small model of a whole system, in dicts: told what happened, it says what should have.

It knows nothing of turns. A call begins (``Enter``), goes to who serves it (``Route``) and comes back (``Exit``): at
the first the model finds who is to serve it, at the second it compares, at the last it says the result and does what
the call does. So it follows any schedule.
"""

from __future__ import annotations

from collections.abc import Mapping

from lindref import classes
from lindref.posix.errno import EBADF, ECHILD, ENOSYS, EPERM, EPIPE, ESRCH
from lindref.profile import LIND, Profile
from lindref.properties.driven import Look
from lindref.properties.runs import GRATES
from lindref.properties.tables import BENEATH, DEREGISTER, EXITING, NOT_THERE, Row, Whole
from lindref.system.events import End, Enter, Event, Exit, Route, Signal
from lindref.threei.numbers import THREEI_CAGE

READ, WRITE, CLOSE, SIGPROCMASK, PIPE, DUP, GETPID, CLONE = 0, 1, 3, 14, 22, 32, 39, 56
EXIT, WAIT, KILL, GETUID, GETPPID, EXIT_GROUP, REGISTER, COPY = 60, 61, 62, 102, 110, 231, 1001, 1003

#: The rows that are compared, those that programs make calls with, and those that grates serve.
WATCHED = (
    *(0, 1, 2, 3, 4, 9, 13, 14, 22, 32, 33, 39, 40, 56, 57, 59, 60, 61, 62),
    *(102, 103, 110, 111, 231, 232, 1001, 1002, 1003),
)
SERVED = (CLOSE, DUP, GETPID, CLONE, GETUID, GETPPID, EXIT_GROUP, REGISTER)

#: Grates have three functions for each of those: at 3n one that gives this, then one that passes the call on and gives
#: what that gives, and one that passes it on and gives 0.
ANSWERED = 0x12345
GRATE_ERROR = -536805379
#: Who serves what no grate does.
BENEATHS = (BENEATH, THREEI_CAGE)

#: Deviations of profile lind in which the model keeps to the promise: what it says there.
PROMISED: Mapping[str, str] = {
    "3I-MISSING": "a call that nobody serves is an error, and the run goes on",
    "EXEC-SIGNALS": "the mask survives exec, and so does what is pending",
    "EXIT-THREAD-CODE": "exit of a cage's last thread gives the cage its status",
    "EXIT-UNMARKED": "a cage whose last thread ended by exit is gone for 3i, too: rows that it serves are empty",
    "FORK-MASK": "a child begins with its parent's mask",
    "KILL-STRICT": "a signal can be sent to a child that ended and was not waited for",
    "NO-REPARENT": "the parent of a cage whose own has ended is cage 1",
}
#: Profile lind but for those: the model holds there, too.
LIND_BUT = Profile("lind", LIND.deviations - PROMISED.keys())

#: Where grates in Python have their ids.
PYTHON = range(GRATES, BENEATH)

#: Calls of the program that cages exec (``programs.ENDS``).
EXECVE, OF_PROGRAM = 59, 3

#: Where structures stand in a cage's memory: clone_args of a fork and of a thread, and one word for each signal.
FORK_ARGS, THREAD_ARGS, MASKS = 64, 2048, 4096


@classes.define
class Cage:
    """A living cage."""

    id: int
    parent: int
    fds: dict[int, int]
    mask: int = 0
    pending: int = 0
    threads: set[int] = classes.field(factory=lambda: {1})
    next_thread: int = 2
    zombies: dict[int, int] = classes.field(factory=dict)
    orphan: bool = False
    #: Wait status, once it is decided; codes given to exit by the first thread; whether it can serve.
    status: int | None = None
    code: int = 0


@classes.define
class Made:
    """A call under way: ``row`` who is to serve it, or the result where nobody is."""

    event: Enter
    row: Row | int
    routed: Row = None
    #: What the handler's own call gave, and what came of it for good: a child, or the maker's end.
    inner: int | None = None
    child: int = 0
    ended: bool = False


class Model:
    """The model. ``look`` is what the run begins with."""

    def __init__(self, look: Look) -> None:
        self.tables: Whole = {cage: dict(rows) for cage, rows in look.tables.items()}
        self.cages = {n: Cage(n, c.parent, dict(c.fds), c.mask) for n, c in look.cages.items()}
        self.exiting: set[int] = set()
        self.last = max(self.cages)
        #: Pipes by number: bytes in them. Descriptions: by number, which end (0 reads, 1 writes) of which pipe.
        self.pipes: dict[int, int] = {}
        self.ends: dict[int, tuple[int, int]] = {}
        self.descriptions = 1 << 20
        self.calls: dict[int, Made] = {}
        #: Who has something to do: the number of calls to come back; grates that serve, and their forks, which do not.
        self.busy: dict[tuple[int, int], int] = {}
        self.grates: set[int] = set()
        self.copies: set[int] = set()
        self.becoming: set[int] = set()
        #: Cages that run a program of the root. Where nobody does its exit_group, returning makes another.
        self.ending: set[int] = set()
        #: Grates in Python: all pass on what they serve.
        self.python = {row[0] for rows in self.tables.values() for row in rows.values() if row and row[0] in PYTHON}
        self.killed: dict[int, set[int]] = {}
        self.reaped: set[int] = set()
        self.uid: int | None = None

    # What happened.

    def happened(self, event: Event) -> None:
        """Compare what happened with what should have; ``AssertionError`` where it differs."""
        match event:
            case Enter():
                self._entered(event)
            case Route():
                made = self.calls[event.call]
                row = (event.handler, event.address)
                assert made.row == row, f"call {event.call} served by {row}, should be by {made.row}"
                assert event.handler not in self.exiting, f"call {event.call} goes to a dead grate"
                made.routed = row
                if event.handler in BENEATHS:
                    self._at_once(made)
            case Exit():
                refused = event.rule.startswith("CAP-") and event.result == -EPERM
                self._left(self.calls.pop(event.call), event.result, refused=refused)
            case Signal(action="terminate"):
                assert event.signo in self.killed.get(event.cage, ()), f"signal {event.signo} was not sent"
                if self.cages[event.cage].status is None:
                    self.cages[event.cage].status = event.signo
                self._dying(event.cage)
            case End(whole=False):
                self.cages[event.cage].threads.discard(event.tid)
                self.busy.pop((event.cage, event.tid), None)
            case End():
                self._gone(event)

    def _entered(self, event: Enter) -> None:
        # A worker whose caller is gone goes on, for who that was.
        if event.within == 0 and event.target == event.cage and event.cage not in self.ending:
            assert self.busy.get((event.cage, event.tid)), f"cage {event.cage} makes a call that it was not given"
            if event.cage in self.becoming:
                self.becoming.discard(event.cage)
                self.grates.add(event.cage)
        rows = self.tables.get(event.caller, {})
        row: Row | int
        if event.caller != event.target and event.number not in (EXIT, EXIT_GROUP) and event.target in self.exiting:
            row = -ESRCH
        elif event.number not in rows:
            row = -ENOSYS
        else:
            row = rows[event.number] or -ESRCH
        self.calls[event.call] = Made(event, row)

    def _left(self, made: Made, result: int | None, *, refused: bool) -> None:
        event = made.event
        if refused:
            pass  # nothing has happened; whom a cage may name is for other statements
        elif isinstance(made.row, int):
            assert made.routed is None, f"call {event.call} was served by {made.routed}, should be by nobody"
            assert result == made.row, f"call {event.call}: {result}, should be {made.row}"
        else:
            assert made.routed is not None, f"call {event.call} was not served by {made.row}"
            handler, address = made.routed
            if handler in BENEATHS:
                done = self._threei(event) if handler == THREEI_CAGE else self._served(made, result)
                assert result == done, f"call {event.call} ({event.name}) gave {result}, should be {done}"
            else:
                self._from_grate(made, handler, address, result)
        outer = self.calls.get(event.within)
        if outer is not None:
            outer.inner = result
            outer.child, outer.ended = outer.child or made.child, outer.ended or made.ended
        me = (event.cage, event.tid)
        if event.within == 0 and event.target == event.cage and me in self.busy:
            self.busy[me] -= 1
            if event.number == EXECVE and result is None:
                self.ending.add(event.cage)
            elif event.number == EXECVE:
                self.busy[me] -= OF_PROGRAM
            if not self.busy[me]:
                del self.busy[me]

    def _from_grate(self, made: Made, grate: int, address: int, result: int | None) -> None:
        should: int | None
        if grate in self.python:
            should = made.inner
        elif grate not in self.grates:
            should = -ESRCH
        elif address >= 3 * len(SERVED):
            should = GRATE_ERROR
        else:
            should = (ANSWERED, made.inner, 0)[address % 3]
        if made.ended and not made.event.within:
            should = None
        elif made.child and (should is None or should <= 0):
            should = made.child
        gone = grate in self.exiting and result in (-ESRCH, GRATE_ERROR)
        assert result == should or gone, f"call {made.event.call}: grate {grate} gave {result}, should be {should}"

    # What calls do.

    def _threei(self, event: Enter) -> int:
        args = event.args
        if event.number == REGISTER:
            cage, number, handler, address = args[0][0], args[0][1], args[1][1], args[2][0]
            if {cage, handler} & self.exiting:
                return EXITING
            if handler == DEREGISTER:
                rows = self.tables.get(cage, {})
                rows.pop(number, None)
                if not rows:  # without rows there is no table any more
                    self.tables.pop(cage, None)
            else:
                self.tables.setdefault(cage, {})[number] = (handler, address)
            return 0
        source, dest = args[0]
        if {source, dest} & self.exiting:
            return EXITING
        if source not in self.tables:
            return NOT_THERE
        self.tables[dest] = dict(self.tables[source])
        return 0

    def _served(self, made: Made, result: int | None) -> int | None:
        """What RawPOSIX should answer; where it may choose, ``result`` if it may be that."""
        event = made.event
        values = [value for value, _ in event.args]
        if event.number in (SIGPROCMASK, KILL):
            return made.inner
        if event.target not in self.cages:  # a worker went on for one that has ended
            return -ESRCH
        cage = self.cages[event.target]
        match event.number:
            case 39:
                return cage.id
            case 110:
                return cage.parent
            case 102:
                self.uid = result if self.uid is None else self.uid
                return self.uid
            case 0 | 1 | 3 | 32 | 22:
                owner = cage if event.number == PIPE else self.cages[event.args[0][1]]
                return self._descriptors(event.number, owner, values)
            case 56:
                return self._clone(made, cage, values[0])
            case 61:
                return self._wait(cage, result, bool(values[2] & 1))
            case 13:
                return 0
            case 9:  # of an image that is loaded
                return 0
            case 59:
                made.ended = True  # of the image that made it
            case 60:
                made.ended = True
                if values[1] == 1:
                    cage.code = values[0]
            case 231:
                made.ended = True
                if cage.status is None:
                    cage.status = (values[0] & 255) << 8
                self._dying(cage.id)
            case _:
                raise AssertionError(f"nobody was to make call {event.number}")
        return 0 if made.event.within else None

    def _at_once(self, made: Made) -> None:
        """What calls do to signals: who they end may be gone before they come back."""
        values = [value for value, _ in made.event.args]
        if made.event.number == KILL:
            made.inner = self._kill(values[0], values[1])
        elif made.event.number == SIGPROCMASK:
            cage = self.cages[made.event.target]
            bit = 1 << (values[1] % (1 << 16) - MASKS) // 8 - 1
            cage.mask = cage.mask | bit if values[0] == 0 else cage.mask & ~bit
            if cage.pending & ~cage.mask:
                self.killed.setdefault(cage.id, set()).add((cage.pending & ~cage.mask).bit_length())
            made.inner = 0

    def _descriptors(self, number: int, cage: Cage, values: list[int]) -> int:
        fds, fd = cage.fds, values[0]
        if number == PIPE:
            pipe = self.descriptions = self.descriptions + 2
            self.pipes[pipe] = 0
            for end in (0, 1):
                self.ends[pipe + end] = (end, pipe)
                fds[_free(fds)] = pipe + end
            return 0
        if fd not in fds:
            return -EBADF
        if number == DUP:
            new = _free(fds)
            fds[new] = fds[fd]
            return new
        if number == CLOSE:
            del fds[fd]
            return 0
        end, pipe = self.ends[fds[fd]]
        if end != number:
            return -EBADF
        held = {one for other in self.cages.values() for one in other.fds.values()}
        if number == WRITE:
            if pipe not in held:
                return -EPIPE
            self.pipes[pipe] += values[2]
            return values[2]
        count = min(values[2], self.pipes[pipe])
        assert count or pipe + 1 not in held, "a read of a pipe that is empty gave up"
        self.pipes[pipe] -= count
        return count

    def _clone(self, made: Made, cage: Cage, args: int) -> int:
        if args % (1 << 16) == THREAD_ARGS:
            cage.threads.add(cage.next_thread)
            cage.next_thread += 1
            return cage.next_thread - 1
        self.last += 1  # ids strictly rise
        made.child = self.last
        self.cages[self.last] = Cage(self.last, cage.id, dict(cage.fds), cage.mask)
        if cage.id not in self.exiting and cage.id in self.tables:
            self.tables[self.last] = dict(self.tables[cage.id])
        if cage.id in self.grates | self.copies:
            self.copies.add(self.last)
        return self.last

    def _wait(self, cage: Cage, result: int | None, at_once: bool) -> int:
        if cage.zombies:
            assert result in cage.zombies, f"wait gave {result}, there are {[*cage.zombies]}"
            assert result not in self.reaped, f"{result} is waited for twice"
            del cage.zombies[result]
            self.reaped.add(result)
            return result
        living = [c for c in self.cages.values() if c.parent == cage.id and not c.orphan and c is not cage]
        if not living:
            return -ECHILD
        assert at_once, f"wait of {cage.id} gave up"
        return 0

    def _kill(self, pid: int, signo: int) -> int:
        cage = self.cages.get(pid)
        if cage is None:
            return 0 if any(pid in other.zombies for other in self.cages.values()) else -ESRCH
        bit = 1 << signo - 1
        if signo != 9 and cage.mask & bit:
            cage.pending |= bit
        else:
            self.killed.setdefault(pid, set()).add(signo)
        return 0

    # The end.

    def _dying(self, cage: int) -> None:
        self.exiting.add(cage)
        for rows in self.tables.values():
            for number, row in rows.items():
                if row is not None and row[0] == cage:
                    rows[number] = None

    def _gone(self, event: End) -> None:
        self._dying(event.cage)
        cage = self.cages.pop(event.cage)
        status = (cage.code & 255) << 8 if cage.status is None else cage.status
        assert (event.status, event.signal) == (status >> 8 & 255, status & 127), f"cage {cage.id} ended otherwise"
        for child in self.cages.values():
            if child.parent == cage.id:
                child.parent, child.orphan = 1, True
        parent = self.cages.get(cage.parent)
        if parent is not None and not cage.orphan:
            parent.zombies[cage.id] = status

    # The state.

    def compare(self, look: Look) -> None:
        """All that can be seen is as the model says; ``AssertionError`` where it is not."""
        assert look.exiting == self.exiting, f"exiting: {look.exiting}, should be {self.exiting}"
        assert look.tables == self.tables, "handler tables differ"
        assert {*look.cages} == {*self.cages}, f"cages: {[*look.cages]}, should be {[*self.cages]}"
        for number, cage in self.cages.items():
            seen = look.cages[number]
            assert seen.parent == cage.parent, f"parent of {number}: {seen.parent}, should be {cage.parent}"
            assert dict(seen.zombies) == cage.zombies, f"zombies of {number}: {seen.zombies}, should be {cage.zombies}"
            assert seen.threads == cage.threads, f"threads of {number}: {seen.threads}, should be {cage.threads}"
            if number not in self.killed:
                assert seen.mask == cage.mask, f"mask of {number}: {seen.mask:#x}, should be {cage.mask:#x}"
                assert seen.pending == cage.pending, f"pending in {number}: {seen.pending:#x}, not {cage.pending:#x}"
        should: dict[int, Mapping[int, int]] = {number: cage.fds for number, cage in self.cages.items()}
        assert _alike({n: look.cages[n].fds for n in should}) == _alike(should), "descriptors differ"


def _free(fds: dict[int, int]) -> int:
    return next(fd for fd in range(len(fds) + 1) if fd not in fds)


def _alike(tables: dict[int, Mapping[int, int]]) -> dict[tuple[int, int], int]:
    """Which descriptors refer to the same open file: numbered as they come."""
    seen: dict[int, int] = {}
    found = {}
    for cage in sorted(tables):
        for fd in sorted(tables[cage]):
            found[cage, fd] = seen.setdefault(tables[cage][fd], len(seen))
    return found
