"""Waiting for many descriptors."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "POLL-QUIRKS",
        spec=(
            "poll waits also without descriptors, comes back at once for a bad one, and takes epoll "
            "descriptors"
        ),
        lind=(
            "it does not wait without descriptors, waits for the good ones beside a bad one, and is "
            "EBADFD with an epoll descriptor"
        ),
        evidence="rawposix.md 1a poll, 10; vectors poll.poll.epollfd",
    ),
    Deviation(
        "POLL-TWINS",
        spec="every entry of poll and every bit of select is answered",
        lind=(
            "entries with one descriptor, and descriptors that share a host descriptor, collapse into "
            "one: of entries the last, of descriptors any (a choice point; option 0: the last)"
        ),
        evidence="vectors poll.poll.dupfd, poll.select.twins; vectors/SUMMARY.md 11",
    ),
    Deviation(
        "SELECT-EINVAL",
        spec="select takes 1024 descriptors, and a closed one is EBADF",
        lind="both are EINVAL",
        evidence="vectors poll.select.badfd, poll.select.nfds_1024",
    ),
    Deviation(
        "SELECT-NEGATIVE",
        spec="a negative time limit of select is EINVAL",
        lind="it never ends; limits count whole milliseconds",
        evidence="vectors/SUMMARY.md 10; rawposix.md 1a select",
    ),
    Deviation(
        "EPOLL-KIND",
        spec="an epoll descriptor is one of its own kind",
        lind=(
            "its index is taken for a host descriptor: reading and writing reach a standard stream, "
            "watching it is EPERM"
        ),
        evidence="vectors poll.epoll.kind_read, poll.epoll.ctl_self; rawposix.md 2",
    ),
    Deviation(
        "EPOLL-DATA",
        spec="an event carries the data it was added with",
        lind="it carries the descriptor's number",
        evidence="vector poll.epoll.data_lost",
    ),
    Deviation(
        "EPOLL-PANIC",
        spec="a wrong epoll descriptor is EBADF or EINVAL",
        lind="epoll_ctl panics the host; in epoll_wait it is EBADF, and checked before the number of events",
        evidence="vectors poll.epoll.ctl_bad_epfd, ctl_not_epoll",
    ),
)
