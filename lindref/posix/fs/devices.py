"""Character devices: null, zero, full, random, and the ones that stand for open descriptors.

An inode names its device by number (``rdev``); a number without a device behind it cannot be opened (DEV-1).
"""

from __future__ import annotations

from lindref.posix.errno import ENOSPC
from lindref.posix.errors import fail
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import device
from lindref.posix.kernel import Kernel
from lindref.posix.openfile import Block, OpenFile, Ops, register
from lindref.posix.result import Refused

NULL = device(1, 3)
ZERO = device(1, 5)
FULL = device(1, 7)
RANDOM = device(1, 8)
URANDOM = device(1, 9)
TTY = device(5, 0)
STDIN = device(22, 0)
STDOUT = device(22, 1)
STDERR = device(22, 2)

#: The devices of every root, by name in /dev.
DEVICES: dict[str, int] = {
    "full": FULL,
    "null": NULL,
    "random": RANDOM,
    "stderr": STDERR,
    "stdin": STDIN,
    "stdout": STDOUT,
    "tty": TTY,
    "urandom": URANDOM,
    "zero": ZERO,
}

#: Those that open makes a description of kind "device" for.
PLAIN = frozenset({NULL, ZERO, FULL, RANDOM, URANDOM})

#: Those that stand for a descriptor of the cage that opens them.
DESCRIPTORS: dict[int, int] = {STDIN: 0, STDOUT: 1, STDERR: 2}


def _peek(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    """null is empty, zero and full are endless zeros, random bytes come from the run's seed (DEV-2)."""
    del number
    if file.object == NULL:
        return b""
    if file.object in (RANDOM, URANDOM):
        return kernel.host.random_bytes(count)
    return bytes(count)


def _send(kernel: Kernel, number: int, file: OpenFile, data: bytes) -> int | Block:
    """All swallow what is written, but for full, which never has room (DEV-2)."""
    del kernel, number
    if file.object == FULL:
        raise Refused(fail(ENOSPC, "DEV-2"))
    return len(data)


def _close(kernel: Kernel, number: int, file: OpenFile) -> None:
    del number
    inodes.unpin(kernel, file.inode)


register("device", Ops(_peek, send=_send, close=_close, seeks=True))
