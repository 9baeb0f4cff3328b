"""Descriptors, locks, pipes."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "OFFSET-TRUNC",
        spec="an offset that the result cannot hold is EOVERFLOW (POSIX lseek)",
        lind="the result is the low 32 bits",
        evidence="vectors io.lseek.big, io.lseek.cur_2147483647",
    ),
    Deviation(
        "FD-FULL-PANIC",
        spec="a full descriptor table is EMFILE",
        lind="dup, socket, accept, socketpair and epoll_create panic the host",
        evidence="vectors fd.full.*",
    ),
    Deviation(
        "FD-FULL-LEAK",
        spec="pipe with one free descriptor fails and takes none",
        lind="it fails and keeps that one for ever",
        evidence="vector fd.alloc.exhaust_pipe",
    ),
    Deviation(
        "FD-FULL-AFTER",
        spec="open with a full table does nothing",
        lind="the file is opened, so made or emptied, before the full table is noticed",
        evidence="rawposix.md 1a open; vector fd.alloc.exhaust",
    ),
    Deviation(
        "FD-BEYOND",
        spec="descriptor 1024 and above are EBADF (in poll POLLNVAL)",
        lind="some calls index the table with them unchecked: the host aborts",
        evidence=(
            "vectors fd.dup2.badtgt_n1024, fd.ioctl.fioclex_bad_*, poll.poll.fd1024, "
            "poll.epoll.wait_1024"
        ),
    ),
    Deviation(
        "DUP2-SAME",
        spec="dup2(x, x) of a closed x is EBADF",
        lind="it returns x",
        evidence="vectors fd.dup2.badsame_*",
    ),
    Deviation(
        "DUPFD-EBADF",
        spec="F_DUPFD is EINVAL for a minimum out of range and EMFILE when no number is left",
        lind="both are EBADF",
        evidence="vectors fd.fcntl.dupfd_from_1024, fd.full.fcntl",
    ),
    Deviation(
        "SETFD-ANY",
        spec="F_SETFD sets close-on-exec by bit 0 of its argument",
        lind="any bit sets it",
        evidence="vectors fd.fcntl.setfd_2, setfd_4, setfd_256",
    ),
    Deviation(
        "FCNTL-OWN",
        spec="F_GETOWN returns what F_SETOWN set",
        lind="F_GETOWN is 1000 and F_SETOWN does nothing, whatever the descriptor",
        evidence="vectors fd.fcntl.own, fd.fcntl.getown_bad_unopened",
    ),
    Deviation(
        "OFD-EFAULT",
        spec="locks of descriptions (F_OFD_*) work",
        lind="they are always EFAULT: their pointer is not passed on",
        evidence="rawposix.md 1a fcntl; vector fd.fcntl.cmd_36",
    ),
    Deviation(
        "LOCK-HOST",
        spec="record locks belong to the cage",
        lind="they belong to the one host process, so cages never conflict",
        evidence="vector fd.fcntl.setlk_conflict",
    ),
    Deviation(
        "FLOCK-FD-FIRST",
        spec="flock looks at the operation before the descriptor, and passes over LOCK_MAND",
        lind="the descriptor comes first, and LOCK_MAND is EINVAL",
        evidence="vectors fd.flock.badfd, fd.flock.op_32",
    ),
    Deviation(
        "IOCTL-ABORT",
        spec="a request that means nothing for the file is ENOTTY",
        lind="requests other than FIOCLEX, FIONBIO, FIOASYNC, FIONREAD and TIOCGWINSZ abort the host",
        evidence="vectors fd.ioctl.fionclex, fd.ioctl.tcgets",
    ),
    Deviation(
        "PIPE-NO-DIRECT",
        spec="pipe2 makes packet pipes (O_DIRECT)",
        lind="O_DIRECT is EINVAL",
        evidence="vectors pipe.pipe2.flags_40000, flags_2040000",
    ),
)
