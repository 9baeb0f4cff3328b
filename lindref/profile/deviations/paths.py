"""Paths, and what is found at their ends."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "PATH-LEXICAL",
        spec=(
            "a path is walked as it is written: `..` is the parent of the directory reached (POSIX "
            "pathname resolution)"
        ),
        lind=(
            "a path is made absolute and loses `.`, `..` and empty components as text before it is "
            "walked; PATH_MAX counts what is left"
        ),
        evidence="rawposix.md 6; vectors fd.open.dotdot_missing, dir.mkdir.slash, path.long.*",
    ),
    Deviation(
        "PATH-EMPTY",
        spec="the empty path is ENOENT",
        lind="the empty path means the working directory",
        evidence="rawposix.md 6; vectors fd.open.empty, stat.stat.empty, path.*.empty",
    ),
    Deviation(
        "PATH-UTF8",
        spec="names are any bytes but NUL and slash",
        lind="a path that is not UTF-8 is EFAULT",
        evidence="rawposix.md 6; vectors fd.open.utf8bad, path.utf8.*",
    ),
    Deviation(
        "PATH-NULL-DIRFD",
        spec="a path that cannot be read is EFAULT in every call",
        lind=(
            "with a real directory descriptor it panics the host (unlinkat, fchmodat, faccessat, "
            "newfstatat, renameat, fchownat)"
        ),
        evidence="vectors path.*.null_dirfd, stat.at.null_dirfd",
    ),
    Deviation(
        "DIRFD-ALWAYS",
        spec="the directory descriptor of an *at call does not matter when the path is absolute",
        lind="it is looked up first: EBADF",
        evidence="vectors fd.openat.bad, stat.at.err",
    ),
    Deviation(
        "GETCWD-TEXT",
        spec=(
            "the working directory is a directory: getcwd says where it is now, counts the NUL, and "
            "ENOENT when it was removed"
        ),
        lind="it is a text: removing or renaming is not noticed, the NUL is not counted, size 0 is EINVAL",
        evidence="vectors dir.getcwd.*, dir.chdir.*",
    ),
    Deviation(
        "GETDENTS-EPERM",
        spec="getdents fails with ENOTDIR, ENOENT, EINVAL or EFAULT",
        lind="every failure but EBADF is EPERM",
        evidence="vectors dir.getdents.notdir, .removed, .null",
    ),
    Deviation(
        "UTIMENSAT-DIRFD",
        spec=(
            "utimensat takes relative paths from its directory descriptor, and AT_FDCWD without a path "
            "is EFAULT"
        ),
        lind="relative paths are taken from the working directory; AT_FDCWD without a path is EBADF",
        evidence="vectors stat.utimensat.dirfd, stat.utimensat.err",
    ),
    Deviation(
        "FCHMODAT-NOFOLLOW",
        spec="fchmodat that does not follow links changes what is no link",
        lind="it fails with EOPNOTSUPP for everything",
        evidence="vector path.fchmodat.nofollow",
    ),
    Deviation(
        "STATFS-FAKED",
        spec="statfs says what the file system is",
        lind="free inodes, the file system's id and the longest name are constants",
        evidence="rawposix.md 1a statfs",
    ),
    Deviation(
        "DEV-PLAIN",
        spec="every root has a folder tmp and the usual devices",
        lind="the root holds what it holds; /dev/null of the usual root is an ordinary file",
        evidence="rawposix.md 6",
    ),
)
