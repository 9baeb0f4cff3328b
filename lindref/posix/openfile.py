"""Open file descriptions, and how each kind of them behaves.

A description is what open makes and dup and fork share: offset, status flags, the object behind. What reading,
writing, waiting and closing mean depends on its kind; each kind is an `Ops` that a subject registers here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lindref import classes
from lindref.posix.errno import EINVAL, EISDIR, ESPIPE
from lindref.posix.errors import fail
from lindref.posix.fs.numbers import O_ACCMODE, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.result import Refused, WaitKey
from lindref.state.records import record, replace

# Readiness, as poll reports it.
POLLIN = 0x1
POLLPRI = 0x2
POLLOUT = 0x4
POLLERR = 0x8
POLLHUP = 0x10
POLLNVAL = 0x20
POLLRDNORM = 0x40
POLLRDBAND = 0x80
POLLWRNORM = 0x100
POLLWRBAND = 0x200
POLLRDHUP = 0x2000

#: What something that can always be read and written reports.
ALWAYS = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM


@record("posix.openfile")
class OpenFile:
    """An open file description. ``kind``: a name in `KINDS`; ``flags``: access mode and status flags, as F_GETFL
    shows them;
    ``inode``: the file, 0 without one; ``object``: number of the pipe, device, console, epoll instance or socket;
    ``refs``: descriptors that share it; ``owner``: as F_SETOWN left it; ``since``: how often writers had come to the
    FIFO when this reader opened it.
    """

    kind: str
    flags: int = 0
    inode: int = 0
    object: int = 0
    offset: int = 0
    refs: int = 0
    owner: int = 0
    since: int = 0

    @property
    def reads(self) -> bool:
        """Whether it is open for reading."""
        return self.kind != "path" and self.flags & O_ACCMODE in (O_RDONLY, O_RDWR)

    @property
    def writes(self) -> bool:
        """Whether it is open for writing."""
        return self.kind != "path" and self.flags & O_ACCMODE in (O_WRONLY, O_RDWR)

    @property
    def blocks(self) -> bool:
        """Whether calls on it may wait."""
        return not self.flags & O_NONBLOCK


@classes.frozen
class Block:
    """Nothing can be moved now: wait for ``keys``, at most ``limit`` ns if that is not None; ``why`` is for people."""

    keys: tuple[WaitKey, ...]
    why: str
    limit: int | None = None


def _no_read(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    del kernel, number, file, count
    raise Refused(fail(EINVAL, "FILE-READ-5"))


def _no_write(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    del kernel, number, file, data
    raise Refused(fail(EINVAL, "FILE-WRITE-5"))


def _nothing_taken(kernel: Kernel, number: int, file: OpenFile, count: int) -> None:
    del kernel, number, file, count


def _always(kernel: Kernel, number: int, file: OpenFile) -> int:
    del kernel, number, file
    return ALWAYS


def _no_keys(kernel: Kernel, number: int, file: OpenFile) -> tuple[WaitKey, ...]:
    del kernel, number, file
    return ()


def _nothing_closed(kernel: Kernel, number: int, file: OpenFile) -> None:
    del kernel, number, file


def _no_edge(kernel: Kernel, number: int, file: OpenFile) -> int:
    del kernel, number, file
    return 0


def _splits(kernel: Kernel, number: int, file: OpenFile) -> bool:
    del kernel, number, file
    return True


def _no_status(kernel: Kernel, number: int, file: OpenFile) -> dict[str, int]:
    del kernel, number, file
    return {}


def _no_chmod(kernel: Kernel, number: int, file: OpenFile, mode: int) -> None:
    del kernel, number, file, mode  # its fstat shows no mode of its own


@classes.frozen
class Ops:
    """How descriptions of a kind behave. Every function gets the kernel, the description's number and its record.

    ``peek(…, count)``: the bytes that a read would give, at most ``count``; ``b""`` is end of file. Nothing changes.
    ``take(…, count)``: those ``count`` bytes are read now.
    ``send(…, data)``: take in a first part of ``data`` (which is not empty), and say how long it was.
    ``ready``: readiness as poll bits; ``keys``: what to wait for when it is not as wanted.
    ``close``: the last descriptor is gone.
    ``status``: fields of fstat, for kinds without an inode; ``chmod(…, mode)``: its permissions are these from now on.
    ``edge``: a number that grows whenever readiness comes anew, for edge-triggered waiting.
    ``splits``: whether a read may take a part of what it could, and the next one the rest.
    ``seeks``: whether there is an offset; ``polls``: whether epoll takes it.
    """

    peek: Callable[[Kernel, int, OpenFile, int], bytes | Block] = _no_read
    take: Callable[[Kernel, int, OpenFile, int], None] = _nothing_taken
    send: Callable[[Kernel, int, OpenFile, bytes], int | Block] = _no_write
    ready: Callable[[Kernel, int, OpenFile], int] = _always
    keys: Callable[[Kernel, int, OpenFile], tuple[WaitKey, ...]] = _no_keys
    close: Callable[[Kernel, int, OpenFile], None] = _nothing_closed
    status: Callable[[Kernel, int, OpenFile], dict[str, int]] = _no_status
    edge: Callable[[Kernel, int, OpenFile], int] = _no_edge
    splits: Callable[[Kernel, int, OpenFile], bool] = _splits
    chmod: Callable[[Kernel, int, OpenFile, int], None] = _no_chmod
    seeks: bool = False
    polls: bool = True


#: The kinds by name; subjects add theirs with `register`.
KINDS: dict[str, Ops] = {}


def register(kind: str, ops: Ops) -> None:
    """Make ``kind`` known; twice is our bug."""
    assert kind not in KINDS, kind
    KINDS[kind] = ops


def ops_of(file: OpenFile) -> Ops:
    """How ``file`` behaves."""
    return KINDS[file.kind]


def make(kernel: Kernel, kind: str, flags: int, **fields: Any) -> int:
    """A new description that no descriptor refers to yet; returns its number."""
    number = kernel.new_id(IdKind.DESCRIPTION)
    kernel.descriptions = kernel.descriptions.set(number, OpenFile(kind, flags, **fields))
    return number


def get(kernel: Kernel, number: int) -> OpenFile:
    """The description ``number``, which exists."""
    file: OpenFile = kernel.descriptions[number]
    return file


def change(kernel: Kernel, number: int, **changes: Any) -> OpenFile:
    """Replace fields of description ``number``; returns the new record."""
    file: OpenFile = replace(kernel.descriptions[number], **changes)
    kernel.descriptions = kernel.descriptions.set(number, file)
    return file


def retain(kernel: Kernel, number: int) -> None:
    """One more descriptor refers to description ``number``."""
    change(kernel, number, refs=get(kernel, number).refs + 1)


def release(kernel: Kernel, number: int) -> None:
    """One descriptor less; the last one ends the description (FD-4)."""
    file = change(kernel, number, refs=get(kernel, number).refs - 1)
    assert file.refs >= 0, f"description {number} was released too often"
    if file.refs == 0:
        kernel.descriptions = kernel.descriptions.remove(number)
        ops_of(file).close(kernel, number, file)


def discard(kernel: Kernel, number: int) -> None:
    """End description ``number``, which never got a descriptor."""
    retain(kernel, number)
    release(kernel, number)


def require_seekable(file: OpenFile) -> None:
    """Refuse with ESPIPE what has no offset (FILE-SEEK-2)."""
    if not ops_of(file).seeks:
        raise Refused(fail(ESPIPE, "FILE-SEEK-2"))


def refuse_directory(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    """Reading a directory as a file is EISDIR (FILE-READ-4)."""
    del kernel, number, file, count
    raise Refused(fail(EISDIR, "FILE-READ-4"))
