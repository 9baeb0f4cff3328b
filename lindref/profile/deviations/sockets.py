"""Sockets."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "SOCK-LENGTH",
        spec="the length of an address is the one that is given",
        lind="it is worked out from the address; no address at all is EINVAL",
        evidence="rawposix.md 1a; vectors net.inet.bind_shortlen, net.inet.bind_null",
    ),
    Deviation(
        "SOCK-NAME-CUT",
        spec="getsockname, getpeername and recvfrom give the whole address and its length",
        lind="whatever the family they give 16 bytes and say so",
        evidence="vectors/SUMMARY.md 8; vectors net.inet.tcp6, net.unix.abstract",
    ),
    Deviation(
        "SOCK-ACCEPT-LENGTH",
        spec="accept tells the length of the address",
        lind="it does not, and cuts the address to what the family that stands in the buffer needs",
        evidence="rawposix.md 1a; vector net.unix.stream_rel",
    ),
    Deviation(
        "RECVFROM-HALF",
        spec="recvfrom with a place for the address needs one for its length; without one that does not matter",
        lind="with exactly one of them it returns 0 and receives nothing",
        evidence="vector net.unix.recvfrom_half",
    ),
    Deviation(
        "SOCKETPAIR-PANIC",
        spec="socketpair with a place that cannot be written is EFAULT",
        lind="the host panics",
        evidence="vector net.socketpair.null",
    ),
    Deviation(
        "SCM-UNTRANSLATED",
        spec="descriptors in a message arrive as descriptors of the receiver",
        lind="their numbers are taken for the host's, so none of the cage's arrives",
        evidence="rawposix.md 1 sendmsg",
    ),
)
