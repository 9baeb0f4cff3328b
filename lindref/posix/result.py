"""What a call answers: a value, a wait, or something that only the whole system can finish.

A `Done` value is what the caller sees in a signed 32-bit register; a failure is the negated error number and carries
every error that held, not only the one reported, so that a judge may accept any of them.
"""

from __future__ import annotations

from typing import TypeAlias

from lindref import classes
from lindref.state.records import adopt


@classes.frozen
class WaitKey:
    """Something that a waiting call may wait for: a kind (`Key`) and the number of the object."""

    kind: str
    id: int


adopt("posix.waitkey", WaitKey)  # a plain class: its hash is taken too often for that of a record


class Key:
    """The kinds of `WaitKey`."""

    #: The children of cage ``id``: one ended, stopped or went on.
    CHILDREN = "children"
    #: A signal was queued for cage ``id``, or its mask or its stopped state changed.
    SIGNAL = "signal"
    #: The futex wait with ticket ``id`` was woken or moved.
    FUTEX = "futex"
    #: Data, space or ends of pipe ``id``.
    PIPE = "pipe"
    #: Readiness of open file description ``id``.
    DESCRIPTION = "description"
    #: Readiness of socket ``id``.
    SOCKET = "socket"
    #: Locks on inode ``id``.
    LOCK = "lock"
    #: Inode ``id`` otherwise (the other end of a FIFO opened).
    INODE = "inode"
    #: Membership of epoll instance ``id``.
    EPOLL = "epoll"
    #: Input of standard stream ``id``; when nothing else can run, the system fetches some (`posix.console.pull`).
    CONSOLE = "console"


@classes.frozen
class Failure:
    """One error that holds: its number and the rule that says so."""

    errno: int
    rule: str


@classes.frozen
class Done:
    """The call is over. ``restart``: it failed with EINTR and may be started again when the signal's handler
    was installed with SA_RESTART (see `signals`). ``failures``: all errors that held, the reported one included.
    """

    value: int
    restart: bool = False
    failures: tuple[Failure, ...] = ()


@classes.frozen
class Wait:
    """Not yet: try again with ``memo`` when one of ``keys`` changes, when virtual time reaches ``deadline`` (ns, None:
    never) or, if ``interruptible``, when a signal interrupts. ``why`` is for people (``waiting for a child``).
    """

    keys: tuple[WaitKey, ...]
    deadline: int | None
    memo: object
    why: str
    interruptible: bool = True


@classes.frozen
class RuntimeFault:
    """The real system's host process would die here. ``code``: -6 abort, -11 segmentation fault, 101 panic of the
    thread. Only profile ``lind`` answers it.
    """

    text: str
    rule: str
    code: int = -6


@classes.frozen
class Fork:
    """Cage ``child`` was made as a copy of ``parent``; the system forks memory and continuation, then calls
    `processes.forked`. The parent sees ``child``, the child 0. ``runs`` is false when the child never gets to run
    (deviation ``FORK-THREAD``).
    """

    parent: int
    child: int
    runs: bool = True


@classes.frozen
class NewThread:
    """A thread of ``cage`` was made. ``stack``: guest address of the high end of its stack, ``stack_size`` in bytes.
    The creator sees ``tid``, the new thread 0.
    """

    cage: int
    tid: int
    stack: int
    stack_size: int
    flags: int


@classes.frozen
class Exec:
    """The image of ``cage`` is to be replaced by the module in ``image``: the bytes of the file at ``path``. ``argv``
    and
    ``env`` are final. The system loads it and, when that works, calls `processes.execed`; else the call fails with
    ENOEXEC. Nothing has changed yet.
    """

    cage: int
    path: bytes
    image: bytes
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]


@classes.frozen
class ThreadEnd:
    """Thread ``tid`` of ``cage`` ends; the system stops it where it is and calls `processes.thread_gone`."""

    cage: int
    tid: int
    status: int


@classes.frozen
class GroupEnd:
    """All threads of ``cage`` end, with the status that its record has now; the system stops each and calls
    `processes.thread_gone` for it.
    """

    cage: int


Result: TypeAlias = Done | Wait | RuntimeFault | Fork | NewThread | Exec | ThreadEnd | GroupEnd


class Refused(Exception):
    """Carries ``result`` from deep inside a handler to `Kernel.call`, before anything has changed."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result
