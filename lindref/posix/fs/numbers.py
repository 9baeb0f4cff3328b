"""Numbers of the file calls: open flags, file types, permissions, limits. Source: the guest's headers."""

from __future__ import annotations

# open(2).
O_ACCMODE = 3
O_RDONLY = 0
O_WRONLY = 1
O_RDWR = 2
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DSYNC = 0o10000
O_ASYNC = 0o20000
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_SYNC = 0o4010000
O_PATH = 0o10000000
O_TMPFILE = 0o20200000

# The *at calls.
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EACCESS = 0x200
AT_REMOVEDIR = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000

# File types and permissions of st_mode.
S_IFMT = 0o170000
S_IFSOCK = 0o140000
S_IFLNK = 0o120000
S_IFREG = 0o100000
S_IFBLK = 0o060000
S_IFDIR = 0o040000
S_IFCHR = 0o020000
S_IFIFO = 0o010000
S_ISUID = 0o4000
S_ISGID = 0o2000
S_ISVTX = 0o1000
PERMISSIONS = 0o7777

# access(2) and permission checks.
R_OK = 4
W_OK = 2
X_OK = 1

# rename(2).
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
RENAME_WHITEOUT = 4

# lseek(2).
SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
SEEK_DATA = 3
SEEK_HOLE = 4

#: Bytes of a name in a directory.
NAME_MAX = 255

#: Symbolic links that one walk follows.
LINK_MAX = 40

#: Directory entries a file may have (nlink).
NLINK_MAX = 65000

#: Largest offset of a file: that of a file system with signed 64-bit offsets and pages of 4 KiB.
SIZE_MAX = (1 << 63) - 1 - 4095

#: Bytes that one transfer moves at most: the largest number of whole pages that a C int counts.
TRANSFER_MAX = 0x7FFFF000

#: Buffers of one vectored transfer.
IOV_MAX = 1024


def device(major: int, minor: int) -> int:
    """The dev_t of (major, minor), as Linux packs it."""
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor >> 8) << 20 | (major >> 12) << 44
