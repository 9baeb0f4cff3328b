"""What files say about themselves: the stat, access, chmod, chown, utimensat and statfs families.

Rules META-1 to META-8 in spec/files.md.
"""

from __future__ import annotations

from lindref import classes
from lindref.posix import fdtable, paths
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import EACCES, EBADF, EFAULT, EINVAL, EOPNOTSUPP, EPERM
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fdtable import Opened
from lindref.posix.fs import access as permission
from lindref.posix.fs import content, inodes, mirror, procfs
from lindref.posix.fs.numbers import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    NAME_MAX,
    PERMISSIONS,
    S_IFMT,
    S_ISGID,
    S_ISUID,
    W_OK,
)
from lindref.posix.fs.records import Inode
from lindref.posix.fs.walk import Follow
from lindref.posix.kernel import Kernel
from lindref.posix.openfile import ops_of
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Refused, Result
from lindref.posix.structs import STAT, STATFS, TIMESPEC

#: Size that directories show, and the best size of a transfer.
_BLOCK = 4096

#: Device number of what has no inode in a file system: pipes, streams, sockets.
_ANONYMOUS = 0xE

#: Bits of newfstatat that ask how fresh the answer must be.
_SYNC_BITS = 0x6000

_SECOND = 1_000_000_000

#: tv_nsec that means "now", and "leave it".
_UTIME_NOW = (1 << 30) - 1
_UTIME_OMIT = (1 << 30) - 2

#: f_type of a file system in memory.
_TMPFS = 0x01021994
_PROC = 0x9FA0

_LEAVE = 0xFFFFFFFF


# stat.


def _stat_bytes(kernel: Kernel, inode: Inode) -> bytes:
    """The stat structure of ``inode`` (META-1)."""
    size = _BLOCK if inode.is_directory else inode.size
    return STAT.pack(
        st_dev=inode.mount,
        st_ino=inode.number,
        st_mode=inode.mode,
        st_nlink=inode.nlink,
        st_uid=inode.uid,
        st_gid=inode.gid,
        st_rdev=inode.rdev,
        st_size=size,
        st_blksize=_BLOCK,
        st_blocks=content.blocks(kernel, inode),
        **_times(inode.atime, inode.mtime, inode.ctime),
    )


def _times(atime: int, mtime: int, ctime: int) -> dict[str, int]:
    out: dict[str, int] = {}
    for name, value in (("atime", atime), ("mtime", mtime), ("ctime", ctime)):
        out[f"st_{name}"], out[f"st_{name}_nsec"] = divmod(value, _SECOND)
    return out


def _stat_open(kernel: Kernel, found: Opened) -> bytes:
    """The stat structure of an open file, which may have no inode (META-1)."""
    if found.file.inode:
        return _stat_bytes(kernel, inodes.get(kernel, found.file.inode))
    status = ops_of(found.file).status(kernel, found.number, found.file)
    made = status.get("time", 0)
    return STAT.pack(
        st_dev=_ANONYMOUS,
        st_ino=status.get("inode", found.number),
        st_mode=status.get("mode", 0o600),
        st_nlink=status.get("links", 1),
        st_uid=kernel.identity.uid,
        st_gid=kernel.identity.gid,
        st_rdev=status.get("rdev", 0),
        st_blksize=_BLOCK,
        **_times(made, made, made),
    )


def _answer(kernel: Kernel, address: int, data: bytes, what: str) -> Result:
    """Put ``data`` where the caller wants it (META-2)."""
    if not user.copy_out(kernel, address, data):
        user.require_mapped(kernel, mapped=False, what=what)
        return fail(EFAULT, "META-2")
    return Done(0)


def stat(kernel: Kernel, call: Call) -> Result:
    """What the file at a path says of itself, links followed (META-1)."""
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    return _answer(kernel, call.value(1), _stat_bytes(kernel, inode), "stat: the result")


def lstat(kernel: Kernel, call: Call) -> Result:
    """What the file at a path says of itself, a link at the end not followed (META-1)."""
    inode = paths.path(kernel, call, 0).walk(kernel, Follow.NO).found(kernel)
    return _answer(kernel, call.value(1), _stat_bytes(kernel, inode), "lstat: the result")


def fstat(kernel: Kernel, call: Call) -> Result:
    """What an open file says of itself (META-1)."""
    found = fdtable.require(kernel, call, 0, path=True)
    return _answer(kernel, call.value(1), _stat_open(kernel, found), "fstat: the result")


def newfstatat(kernel: Kernel, call: Call) -> Result:
    """`stat`, `lstat` or `fstat` of a path relative to a directory (META-1, PATH-11)."""
    # Arguments.
    flags = call.u32(3)
    # Errors.
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | _SYNC_BITS):
        return fail(EINVAL, "META-3")
    where = paths.path_at(kernel, call, 0, 1, empty=bool(flags & AT_EMPTY_PATH))
    if not where.text and call.i32(0) != AT_FDCWD:
        data = _stat_open(kernel, fdtable.require(kernel, call, 0, path=True))
    else:
        follow = Follow.NO if flags & AT_SYMLINK_NOFOLLOW else Follow.YES
        data = _stat_bytes(kernel, paths.target(kernel, where, follow).found(kernel))
    # Effect and result.
    return _answer(kernel, call.value(2), data, "newfstatat: the result")


def statfs(kernel: Kernel, call: Call) -> Result:
    """What the file system of a path is (META-8)."""
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    return _answer(kernel, call.value(1), _statfs_bytes(kernel, inode.mount), "statfs: the result")


def fstatfs(kernel: Kernel, call: Call) -> Result:
    """What the file system of an open file is (META-8)."""
    found = fdtable.require(kernel, call, 0, path=True)
    mount = inodes.get(kernel, found.file.inode).mount if found.file.inode else 0
    return _answer(kernel, call.value(1), _statfs_bytes(kernel, mount), "fstatfs: the result")


def _statfs_bytes(kernel: Kernel, mount: int) -> bytes:
    """The statfs structure: a file system in memory with room to spare; some fields are made up as recorded
    (STATFS-FAKED).
    """
    faked = kernel.profile.has("STATFS-FAKED")
    return STATFS.pack(
        f_type=_PROC if mount == procfs.MOUNT else _TMPFS,
        f_bsize=_BLOCK,
        f_blocks=1 << 20,
        f_bfree=1 << 19,
        f_bavail=1 << 19,
        f_files=1 << 20,
        f_ffree=1024 * 1024 * 515 if faked else (1 << 20) - len(kernel.inodes),
        f_fsid=0 if faked else mount,
        f_namelen=254 if faked else NAME_MAX,
        f_frsize=_BLOCK,
    )


# access.


def access(kernel: Kernel, call: Call) -> Result:
    """Whether the caller may do something with the file at a path (META-4)."""
    mode = call.i32(1)
    if mode & ~7:
        return fail(EINVAL, "META-4")
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    return _accessible(kernel, inode, mode)


def faccessat(kernel: Kernel, call: Call) -> Result:
    """`access` of a path relative to a directory (META-4, PATH-11)."""
    mode, flags = call.i32(2), call.u32(3)
    errors = ErrorSet()
    errors.add(bool(mode & ~7), EINVAL, "META-4")
    errors.add(bool(flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH)), EINVAL, "META-3")
    failed = errors.first()
    if failed is not None:
        return failed
    where = paths.path_at(kernel, call, 0, 1, empty=bool(flags & AT_EMPTY_PATH))
    inode = _inode_at(kernel, where, flags)
    return _accessible(kernel, inode, mode)


def _accessible(kernel: Kernel, inode: Inode, mode: int) -> Result:
    return Done(0) if permission.may(kernel, inode, mode) else fail(EACCES, "META-4")


def _inode_at(kernel: Kernel, where: paths.Path, flags: int) -> Inode:
    """The inode that an *at call means, a link at the end followed unless the flags say no."""
    if not where.text and not where.start:
        raise Refused(fail(EBADF, "META-3"))  # an open file without an inode
    follow = Follow.NO if flags & AT_SYMLINK_NOFOLLOW else Follow.YES
    return paths.target(kernel, where, follow).found(kernel)


# chmod.


def _chmod(kernel: Kernel, inode: Inode, mode: int) -> Result:
    """Set the permissions (META-5): the owner may, and who is not in the file's group cannot give it the set-group
    bit.
    """
    permission.require_owner(kernel, inode)
    who = kernel.identity
    mode &= PERMISSIONS
    if who.uid != 0 and who.gid != inode.gid:
        mode &= ~S_ISGID
    mirror.chmod(kernel, inode, mode)
    inodes.change(kernel, inode.number, mode=inode.mode & S_IFMT | mode, ctime=kernel.wall)
    return Done(0)


def chmod(kernel: Kernel, call: Call) -> Result:
    """Set the permissions of the file at a path (META-5)."""
    return _chmod(kernel, paths.path(kernel, call, 0).walk(kernel).found(kernel), call.u32(1))


def fchmod(kernel: Kernel, call: Call) -> Result:
    """Set the permissions of an open file (META-5)."""
    found = fdtable.require(kernel, call, 0)
    if not found.file.inode:
        ops_of(found.file).chmod(kernel, found.number, found.file, call.u32(1) & PERMISSIONS)
        return Done(0)
    return _chmod(kernel, inodes.get(kernel, found.file.inode), call.u32(1))


def fchmodat(kernel: Kernel, call: Call) -> Result:
    """Set the permissions of the file at a path relative to a directory (META-5, PATH-11); links have none to set."""
    flags = call.u32(3)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        return fail(EINVAL, "META-3")
    where = paths.path_at(kernel, call, 0, 1, empty=bool(flags & AT_EMPTY_PATH))
    inode = _inode_at(kernel, where, flags)
    if flags & AT_SYMLINK_NOFOLLOW and (inode.is_link or kernel.profile.has("FCHMODAT-NOFOLLOW")):
        return fail(EOPNOTSUPP, "META-5")
    return _chmod(kernel, inode, call.u32(2))


# chown.


def _chown(kernel: Kernel, inode: Inode, uid: int, gid: int) -> Result:
    """Set owner and group, 2**32-1 leaving one as it is (META-6): only user 0 may give files away; an owner may
    choose its own group. A program loses its set-id bits.
    """
    who = kernel.identity
    if who.uid != 0:
        gives = uid not in (_LEAVE, inode.uid)
        strange = gid not in (_LEAVE, inode.gid) and gid != who.gid
        touches = (uid, gid) != (_LEAVE, _LEAVE)
        if touches and (who.uid != inode.uid or gives or strange):
            return fail(EPERM, "META-6")
    mode = inode.mode
    if not inode.is_directory:
        mode &= ~(S_ISUID | (S_ISGID if mode & 0o010 else 0))
    inodes.change(
        kernel,
        inode.number,
        uid=inode.uid if uid == _LEAVE else uid,
        gid=inode.gid if gid == _LEAVE else gid,
        mode=mode,
        ctime=kernel.wall,
    )
    return Done(0)


def chown(kernel: Kernel, call: Call) -> Result:
    """Set owner and group of the file at a path (META-6)."""
    return _chown(kernel, paths.path(kernel, call, 0).walk(kernel).found(kernel), call.u32(1), call.u32(2))


def lchown(kernel: Kernel, call: Call) -> Result:
    """`chown` that does not follow a link at the end (META-6)."""
    inode = paths.path(kernel, call, 0).walk(kernel, Follow.NO).found(kernel)
    return _chown(kernel, inode, call.u32(1), call.u32(2))


def fchownat(kernel: Kernel, call: Call) -> Result:
    """`chown` of a path relative to a directory (META-6, PATH-11)."""
    flags = call.u32(4)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        return fail(EINVAL, "META-3")
    where = paths.path_at(kernel, call, 0, 1, empty=bool(flags & AT_EMPTY_PATH))
    return _chown(kernel, _inode_at(kernel, where, flags), call.u32(2), call.u32(3))


# utimensat.


@classes.frozen
class _Times:
    """The times to set, ns or None for "leave it"; whether both are the present."""

    atime: int | None
    mtime: int | None
    now: bool


#: Stands for nanoseconds that are none.
_NO_TIME = -(1 << 100)


def _wanted_times(kernel: Kernel, address: int) -> _Times:
    """The two timespecs at ``address``; NULL is now for both (META-7)."""
    if not address:
        return _Times(kernel.wall, kernel.wall, now=True)
    data = user.copy_in(kernel, address, 2 * TIMESPEC.size)
    if data is None:
        raise Refused(fail(EFAULT, "META-7"))
    wanted: list[int | None] = []
    nows = 0
    for at in (0, TIMESPEC.size):
        fields = TIMESPEC.unpack(data[at : at + TIMESPEC.size])
        nsec = fields["tv_nsec"]
        if nsec == _UTIME_NOW:
            wanted.append(kernel.wall)
            nows += 1
        elif nsec == _UTIME_OMIT:
            wanted.append(None)
        elif 0 <= nsec < _SECOND:
            wanted.append(fields["tv_sec"] * _SECOND + nsec)
        else:
            wanted.append(_NO_TIME)
    return _Times(wanted[0], wanted[1], now=nows == 2)


def utimensat(kernel: Kernel, call: Call) -> Result:
    """Set the times of access and change of a file (META-7). A NULL path means the descriptor itself."""
    # Arguments.
    flags = call.u32(3)
    times = _wanted_times(kernel, call.value(2))
    # Errors.
    if times.atime is None and times.mtime is None:
        return Done(0)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        return fail(EINVAL, "META-3")
    inode = _timed(kernel, call, flags)
    if _NO_TIME in (times.atime, times.mtime):
        return fail(EINVAL, "META-7")
    if inode is None:
        return Done(0)
    if times.now:
        if not permission.owns(kernel, inode) and not permission.may(kernel, inode, W_OK):
            return fail(EACCES, "META-7")
    else:
        permission.require_owner(kernel, inode)
    # Effect.
    mirror.utime(kernel, inode, *(mirror.NOW if t == kernel.wall else t for t in (times.atime, times.mtime)))
    inodes.change(
        kernel,
        inode.number,
        atime=inode.atime if times.atime is None else times.atime,
        mtime=inode.mtime if times.mtime is None else times.mtime,
        ctime=kernel.wall,
    )
    # Result.
    return Done(0)


def _timed(kernel: Kernel, call: Call, flags: int) -> Inode | None:
    """The inode whose times are to be set; None for an open file without one."""
    if not call.value(1):
        if call.i32(0) == AT_FDCWD:
            raise Refused(fail(EBADF if kernel.profile.has("UTIMENSAT-DIRFD") else EFAULT, "META-7"))
        if flags:
            raise Refused(fail(EINVAL, "META-3"))
        found = fdtable.require(kernel, call, 0)
        return inodes.get(kernel, found.file.inode) if found.file.inode else None
    if kernel.profile.has("UTIMENSAT-DIRFD"):
        where = paths.path(kernel, call, 1)  # whatever the descriptor is
    else:
        where = paths.path_at(kernel, call, 0, 1, empty=bool(flags & AT_EMPTY_PATH))
    return _inode_at(kernel, where, flags)


_PATH = Param("path", ParamKind.PATH)
_FD = Param("fd", ParamKind.FD)
_DIRFD = Param("dirfd", ParamKind.DIRFD)
_STAT = Param("statbuf", ParamKind.STRUCT, Direction.OUT, struct="stat")
_STATFS = Param("buf", ParamKind.STRUCT, Direction.OUT, struct="statfs")
_MODE = Param("mode", ParamKind.MODE)
_UID = Param("owner", ParamKind.UID)
_GID = Param("group", ParamKind.UID)
_AT = Param("flags", ParamKind.FLAGS, names="at")
_ACCESS = Param("mode", ParamKind.FLAGS, names="access")
_TIMES = Param("times", ParamKind.ARRAY, length=2, struct="timespec")

CALLS: tuple[CallRow, ...] = (
    CallRow(4, "stat", (_PATH, _STAT), stat),
    CallRow(5, "fstat", (_FD, _STAT), fstat),
    CallRow(6, "lstat", (_PATH, _STAT), lstat),
    CallRow(21, "access", (_PATH, _ACCESS), access),
    CallRow(90, "chmod", (_PATH, _MODE), chmod),
    CallRow(91, "fchmod", (_FD, _MODE), fchmod),
    CallRow(92, "chown", (_PATH, _UID, _GID), chown),
    CallRow(94, "lchown", (_PATH, _UID, _GID), lchown),
    CallRow(137, "statfs", (_PATH, _STATFS), statfs),
    CallRow(138, "fstatfs", (_FD, _STATFS), fstatfs),
    CallRow(260, "fchownat", (_DIRFD, _PATH, _UID, _GID, _AT), fchownat),
    CallRow(262, "newfstatat", (_DIRFD, _PATH, _STAT, _AT), newfstatat),
    CallRow(268, "fchmodat", (_DIRFD, _PATH, _MODE, _AT), fchmodat),
    CallRow(
        269, "faccessat", (_DIRFD, _PATH, _ACCESS, Param("flags", ParamKind.FLAGS, names="faccessat")), faccessat
    ),
    CallRow(280, "utimensat", (_DIRFD, _PATH, _TIMES, _AT), utimensat),
)
