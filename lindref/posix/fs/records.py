"""The records of the file system: inodes, the entries of directories, mounts."""

from __future__ import annotations

from lindref import classes
from lindref.posix.fs.numbers import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG
from lindref.state.pmap import PMap
from lindref.state.records import record

#: The mount that holds the root directory.
ROOT_MOUNT = 1

#: Positions 1 and 2 of every directory are ``.`` and ``..``, which are not stored.
FIRST_POSITION = 3


@record("posix.entry")
class Entry:
    """A name in a directory and the inode it names."""

    name: bytes
    inode: int


@record("posix.directory")
class Directory:
    """What a directory holds. ``entries``: by position, which an entry keeps until it is removed and which nobody gets
    twice, so a position is an offset to go on reading from; ``names``: positions by hash of the name; ``parent``: the
    directory that ``..`` means (the root's is itself)."""

    parent: int
    entries: PMap[Entry] = classes.field(factory=PMap)
    names: PMap[tuple[int, ...]] = classes.field(factory=PMap)
    next_position: int = FIRST_POSITION


@record("posix.inode", version=3)
class Inode:
    """A file of any type.

    ``mode``: type and permissions. ``mount``: the mount it belongs to. Times are virtual ns. ``backing``: number of
    the page store with the contents (regular files), None while nothing was ever stored. ``target``: what a symbolic
    link says.
    ``directory``: what a directory holds. ``rdev``: which device. ``pipe``: number of the pipe of a FIFO somebody has
    open, else 0. ``pins``: open descriptions, working directories and mappings, which keep it although no name is
    left. ``host``: path below the mount's host directory of what it shows, as long as that has not been read in; None
    otherwise. ``attributes``: extended attributes, names with values, in the order in which they came. ``was``: the
    directory and the name that it had last, once it has none.
    """

    number: int
    mode: int
    mount: int = ROOT_MOUNT
    uid: int = 0
    gid: int = 0
    nlink: int = 0
    size: int = 0
    atime: int = 0
    mtime: int = 0
    ctime: int = 0
    rdev: int = 0
    backing: int | None = None
    target: bytes = b""
    directory: Directory | None = None
    pipe: int = 0
    pins: int = 0
    host: bytes | None = None
    attributes: tuple[tuple[bytes, bytes], ...] = ()
    was: tuple[int, bytes] | None = None

    @property
    def type(self) -> int:
        """The file type: one of the S_IF numbers."""
        return self.mode & S_IFMT

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.mode & S_IFMT == S_IFDIR

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.mode & S_IFMT == S_IFREG

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & S_IFMT == S_IFLNK

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO."""
        return self.mode & S_IFMT == S_IFIFO


@record("posix.mount", version=2)
class Mount:
    """A tree of inodes with a root. ``host``: the host directory it shows, None for one in memory only; ``writes``:
    whether changes go to it. ``twins``: inode by hash of the host's (device, inode) for host files with several names.
    ``names``: where changes go there, the names (parent, name) that inodes have on the host.
    """

    number: int
    root: int
    host: str | None = None
    twins: PMap[int] = classes.field(factory=PMap)
    writes: bool = False
    names: PMap[tuple[tuple[int, bytes], ...]] = classes.field(factory=PMap)
