"""/proc: the cages as files. Nothing of it is stored: an inode there is made up from its number when somebody looks
(PROC-1 to PROC-4 in spec/paths.md).

A number above `inodes.MADE_UP` is made of a cage, what of it the file shows, and a descriptor.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from lindref.posix.cage import Cage
from lindref.posix.constants import MAP_SHARED, PAGE
from lindref.posix.errno import EACCES, ENXIO, ESRCH
from lindref.posix.errors import fail
from lindref.posix.fs import directory, inodes
from lindref.posix.fs.numbers import O_ACCMODE, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, W_OK
from lindref.posix.fs.records import ROOT_MOUNT, Directory, Inode, Mount
from lindref.posix.kernel import Kernel
from lindref.posix.openfile import Block, OpenFile, Ops, get, ops_of, register
from lindref.posix.result import Refused

#: Number of the mount.
MOUNT = 1000


class What(IntEnum):
    """What a file in /proc shows."""

    TOP = 0
    SELF = 1
    CAGE = 2
    FDS = 3
    CMDLINE = 4
    CWD = 5
    ENVIRON = 6
    EXE = 7
    MAPS = 8
    STATUS = 9
    #: A descriptor as a link, and what it leads to where that has no name.
    FD = 10
    OPEN = 11


_NAMES = {
    What.CMDLINE: b"cmdline",
    What.CWD: b"cwd",
    What.ENVIRON: b"environ",
    What.EXE: b"exe",
    What.FDS: b"fd",
    What.MAPS: b"maps",
    What.STATUS: b"status",
}
_TEXTS = frozenset({What.CMDLINE, What.ENVIRON, What.MAPS, What.STATUS})
_LINKS = frozenset({What.SELF, What.CWD, What.EXE, What.FD})


def number_of(what: What, cage: int = 0, fd: int = 0) -> int:
    """The number of an inode of /proc."""
    return inodes.MADE_UP + (cage << 16) + (what << 12) + fd


def parts_of(number: int) -> tuple[What, int, int]:
    """What the inode shows, of which cage, and the descriptor."""
    rest = number - inodes.MADE_UP
    return What(rest >> 12 & 15), rest >> 16, rest & 0xFFF


def mount(kernel: Kernel) -> None:
    """Put /proc into the root; in place of the host's own, if the root shows that."""
    top = number_of(What.TOP)
    root = inodes.get(kernel, kernel.mounts[ROOT_MOUNT].root)
    assert root.directory is not None
    known = directory.lookup(root.directory, b"proc") is not None
    held = (directory.replace if known else directory.insert)(root.directory, b"proc", top)
    inodes.change(kernel, root.number, directory=held, nlink=root.nlink + (not known))
    kernel.mounts = kernel.mounts.set(MOUNT, Mount(MOUNT, top))


# Inodes.


def inode(kernel: Kernel, number: int) -> Inode:
    """The inode of that number, as it is now; one of a cage that is gone has no names left."""
    what, cage, fd = parts_of(number)
    there = what in (What.TOP, What.SELF) or cage in kernel.cages
    if there and what in (What.FD, What.OPEN):
        there = fd in kernel.cages[cage].fds
    now: dict[str, Any] = {"atime": kernel.wall, "mtime": kernel.wall, "ctime": kernel.wall}
    owner: dict[str, Any] = {"uid": kernel.identity.uid, "gid": kernel.identity.gid}
    if what in (What.TOP, What.CAGE, What.FDS):
        held = _directory(kernel, what, cage, there=there)
        return Inode(number, S_IFDIR | 0o555, MOUNT, nlink=2 * there, directory=held, **owner, **now)
    if what in _LINKS:
        target = _target(kernel, what, cage, fd) if there else b""
        return Inode(number, S_IFLNK | 0o777, MOUNT, nlink=int(there), target=target, **owner, **now)
    mode = S_IFREG | 0o444
    if what is What.OPEN and there:
        opened = kernel.cages[cage].fds[fd].description
        file = get(kernel, opened)
        mode = ops_of(file).status(kernel, opened, file).get("mode", S_IFIFO | 0o600)
    return Inode(number, mode, MOUNT, nlink=int(there), **owner, **now)


def _directory(kernel: Kernel, what: What, cage: int, *, there: bool) -> Directory:
    above = {What.CAGE: number_of(What.TOP), What.FDS: number_of(What.CAGE, cage)}
    held = Directory(above.get(what, kernel.mounts[ROOT_MOUNT].root))
    if what is What.TOP:
        held = directory.insert(held, b"self", number_of(What.SELF))
        for number in kernel.cages:
            held = directory.insert(held, b"%d" % number, number_of(What.CAGE, number))
    elif what is What.CAGE and there:
        for one, name in _NAMES.items():
            held = directory.insert(held, name, number_of(one, cage))
    elif there:
        for fd in kernel.cages[cage].fds:
            held = directory.insert(held, b"%d" % fd, number_of(What.FD, cage, fd))
    return held


def _target(kernel: Kernel, what: What, number: int, fd: int) -> bytes:
    """What a link says."""
    if what is What.SELF:
        return b"%d" % (kernel.serving.target if kernel.serving is not None else 1)
    cage: Cage = kernel.cages[number]
    if what is What.EXE:
        return cage.exe
    if what is What.CWD:
        return path_of(kernel, cage.cwd_inode)
    return description_name(kernel, cage.fds[fd].description)


def description_name(kernel: Kernel, description: int) -> bytes:
    """What an open file description is called where a descriptor of it is a link: a path, or a kind with a number."""
    file = get(kernel, description)
    if file.inode:
        return path_of(kernel, file.inode)
    if file.kind == "epoll":
        return b"anon_inode:[eventpoll]"
    status = ops_of(file).status(kernel, description, file)
    return b"%s:[%d]" % (b"socket" if file.kind == "socket" else b"pipe", status.get("inode", description))


def path_of(kernel: Kernel, number: int) -> bytes:
    """A path that leads to an inode now; of one that has none left, where it was, with " (deleted)" (PROC-3)."""
    parts: list[bytes] = []
    root = kernel.mounts[ROOT_MOUNT].root
    here, gone = number, b""
    while here != root:
        found = _name_of(kernel, here)
        if found is None:
            gone = b" (deleted)"
            found = kernel.inodes[here].was if here in kernel.inodes else None
            if found is None:
                break
        here, name = found
        parts.append(name)
    return b"/" + b"/".join(reversed(parts)) + gone


def _name_of(kernel: Kernel, number: int) -> tuple[int, bytes] | None:
    """A directory that holds the inode, and its name there."""
    if inodes.made_up(number):
        what, cage, fd = parts_of(number)
        if what is What.TOP:
            return kernel.mounts[ROOT_MOUNT].root, b"proc"
        if what is What.CAGE:
            return number_of(What.TOP), b"%d" % cage
        if what in (What.FD, What.OPEN):
            return number_of(What.FDS, cage), b"%d" % fd
        return number_of(What.CAGE, cage), _NAMES.get(what, b"self")
    for one in kernel.inodes.values():
        if one.directory is not None and one.host is None:
            for entry in one.directory.entries.values():
                if entry.inode == number:
                    return one.number, entry.name
    return None


def jump(kernel: Kernel, number: int) -> int | None:
    """The inode that a link of /proc leads to whatever it says; None for links that are followed as text (PROC-3)."""
    if not inodes.made_up(number):
        return None
    what, cage, fd = parts_of(number)
    if what is What.CWD and cage in kernel.cages:
        return kernel.cages[cage].cwd_inode
    if what is not What.FD or cage not in kernel.cages or fd not in kernel.cages[cage].fds:
        return None
    file = get(kernel, kernel.cages[cage].fds[fd].description)
    return file.inode or number_of(What.OPEN, cage, fd)


# Contents.


def _status_text(kernel: Kernel, cage: Cage) -> bytes:
    sizes = sum(mapping.count for mapping in cage.vmmap.values()) * PAGE // 1024
    masks = {"Pnd": 0, "Blk": cage.mask, "Ign": 0, "Cgt": 0}
    for signo in cage.pending:
        masks["Pnd"] |= 1 << (signo - 1)
    for signo, action in cage.actions.items():
        masks["Ign" if action.handler == 1 else "Cgt"] |= (1 << (signo - 1)) * (action.handler > 0)
    user, group = kernel.identity.uid, kernel.identity.gid
    lines = [
        f"Name:\t{cage.exe.rpartition(b'/')[2][:15].decode('latin-1')}",
        f"Umask:\t{cage.umask:04o}",
        f"State:\t{'T (stopped)' if cage.stopped else 'R (running)'}",
        f"Tgid:\t{cage.id}",
        f"Pid:\t{cage.id}",
        f"PPid:\t{cage.parent}",
        "Uid:\t" + "\t".join([str(user)] * 4),
        "Gid:\t" + "\t".join([str(group)] * 4),
        f"FDSize:\t{max(64, max(cage.fds, default=0) + 1)}",
        f"VmSize:\t{sizes:8} kB",
        f"Threads:\t{len(cage.threads)}",
        *(f"Sig{name}:\t{mask:016x}" for name, mask in masks.items()),
    ]
    return ("\n".join(lines) + "\n").encode("latin-1")


def _maps_text(kernel: Kernel, cage: Cage) -> bytes:
    out: list[bytes] = []
    for mapping in cage.vmmap.values():
        start, end = mapping.first * PAGE, mapping.end * PAGE
        bits = "".join(("r" if mapping.prot & 3 else "-", "w" if mapping.prot & 2 else "-", "-"))
        shared = "s" if mapping.flags & MAP_SHARED else "p"
        name, mounted, number, offset = b"", 0, 0, 0
        if mapping.inode is not None:
            name = path_of(kernel, mapping.inode)
            mounted, number = inodes.get(kernel, mapping.inode).mount, mapping.inode
            offset = mapping.backing_page * PAGE
        elif mapping.segment is not None:
            name = b"/SYSV%08x" % mapping.segment
        elif cage.heap_start <= start < cage.brk:
            name = b"[heap]"
        line = f"{start:08x}-{end:08x} {bits}{shared} {offset:08x} 00:{mounted:02x} {number}".encode()
        out.append((line.ljust(73) + name if name else line) + b"\n")
    return b"".join(out)


_TEXT: dict[What, Callable[[Kernel, Cage], bytes]] = {
    What.CMDLINE: lambda _, cage: b"".join(word + b"\0" for word in cage.argv),
    What.ENVIRON: lambda _, cage: b"".join(word + b"\0" for word in cage.env),
    What.MAPS: _maps_text,
    What.STATUS: _status_text,
}


def describes(kernel: Kernel, number: int, flags: int, wanted: int) -> int | None:
    """The description that opening an inode of /proc gives that leads to something open without a name; None for
    other inodes. Nothing there can be written: EACCES (PROC-2, PROC-4).
    """
    if not inodes.made_up(number):
        return None
    what, cage, fd = parts_of(number)
    if what in _TEXTS and wanted & W_OK:
        raise Refused(fail(EACCES, "PROC-2"))
    if what is not What.OPEN:
        return None
    held = kernel.cages.get(cage)
    if held is None or fd not in held.fds:
        raise Refused(fail(ENXIO, "PROC-4"))
    description: int = held.fds[fd].description
    file = get(kernel, description)
    if file.kind in ("socket", "epoll"):
        raise Refused(fail(ENXIO, "PROC-4"))
    if file.flags & O_ACCMODE not in (2, flags & O_ACCMODE):
        raise Refused(fail(EACCES, "PROC-4"))
    return description


def is_text(number: int) -> bool:
    """Whether the inode is a file of /proc with contents."""
    return inodes.made_up(number) and parts_of(number)[0] in _TEXTS


def _peek(kernel: Kernel, number: int, file: OpenFile, count: int) -> bytes | Block:
    del number
    what, cage, _ = parts_of(file.inode)
    held = kernel.cages.get(cage)
    if held is None:
        raise Refused(fail(ESRCH, "PROC-2"))
    return _TEXT[what](kernel, held)[file.offset : file.offset + count]


register("proc", Ops(_peek, seeks=True, polls=False))
inodes.make_up_with(inode)
