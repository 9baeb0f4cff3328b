"""Answers of Linux that no vector holds, asked of Linux 6.18 itself; the real system passes these calls on."""

from __future__ import annotations

import pytest
from vector_worlds import call, vector

from lindref.conformance.vectors.play import play
from lindref.profile import LIND, SPEC

EBADF, EAGAIN, EFAULT, EINVAL, EDOM, ENOENT, EPIPE, EPROTONOSUPPORT = -9, -11, -14, -22, -33, -2, -32, -93
LAST = (1 << 63) - 1
TREE = [
    {"path": "/w/a", "type": "file", "mode": "0644", "text": "hello"},
    {"path": "/w/p", "type": "fifo", "mode": "0644"},
    {"path": "/w/d", "type": "dir", "mode": "0755"},
]
IOV, BUFFER, GONE = {"buf": [6, 0]}, {"buf": [1, 0]}, {"guest": 0xF0000000}
#: Descriptors 3: a file to read and write, 4: one to read, 5 and 6: a pipe, 7 and 8: datagram sockets, 9: a stream.
OPEN = [
    call("o1", 2, {"str": "/w/a"}, 2, 0),
    call("o2", 2, {"str": "/w/a"}, 0, 0),
    call("o3", 293, {"buf": [0, 0]}, 0o4000),
    call("o4", 53, 1, 2, 0, {"buf": [0, 0]}),
    call("o5", 41, 1, 1, 0),
    {"id": "o6", "op": "put", "at": {"buf": [7, 0]}, "width": 4, "value": 16},
    {"id": "o7", "op": "put", "at": {"buf": [12, 8]}, "width": 8, "value": 10**9},
    {"id": "o8", "op": "put", "at": {"buf": [8, 8]}, "width": 8, "value": 10**6},
    {"id": "o9", "op": "put", "at": {"buf": [9, 0]}, "width": 4, "value": -1},
]

ANSWERS = {
    # FILE-IOV-1: the descriptor and the position come before the array.
    "readv of a descriptor that is closed": ((19, 50, IOV, 1025), EBADF),
    "writev of one that is not open for writing": ((20, 4, IOV, -1), EBADF),
    "writev from nowhere, likewise": ((20, 4, GONE, 1), EBADF),
    "preadv at a negative position": ((295, 4, GONE, 1, -1), EINVAL),
    # FILE-SEEK-1
    "pread64 to behind the last offset": ((17, 3, BUFFER, 16, LAST), EINVAL),
    "pwrite64 to behind the last offset": ((18, 3, BUFFER, 5, LAST), EINVAL),
    "pread64 up to the last offset": ((17, 3, BUFFER, 1, LAST - 1), 0),
    "lseek that counts from nowhere, of a pipe": ((8, 5, 0, 9), EINVAL),
    # FILE-READ-3
    "read into more than there can be": ((0, 3, BUFFER, -1), EFAULT),
    "read from an empty pipe into more than there can be": ((0, 5, BUFFER, -1), EFAULT),
    "read of a closed descriptor into that": ((0, 50, BUFFER, -1), EBADF),
    # META-7
    "utimensat of nothing with a wrong time": ((280, -100, {"str": "/w/none"}, {"buf": [12, 0]}, 0), ENOENT),
    "utimensat with a wrong time": ((280, -100, {"str": "/w/a"}, {"buf": [12, 0]}, 0), EINVAL),
    # DIR-5
    "getdents64 into a negative size": ((78, 10, BUFFER, -1), EINVAL),
    # PIPE-7
    "open of a FIFO for neither": ((2, {"str": "/w/p"}, 3 | 0o4000, 0), EINVAL),
    # SOCK-1
    "socket with a wrong type and protocol": ((41, 1, 4, 5), EPROTONOSUPPORT),
    "socket over internet with no protocol": ((41, 2, 1, -1), EINVAL),
    "socketpair with a wrong type and protocol": ((53, 1, 4, 5, BUFFER), EPROTONOSUPPORT),
    # SOCK-12
    "setsockopt with a negative length": ((54, 9, 0, 0, BUFFER, -1), EINVAL),
    "setsockopt of what does not exist, too short": ((54, 9, 1, 99, BUFFER, 0), EINVAL),
    "setsockopt of a time that is none": ((54, 9, 1, 20, {"buf": [8, 0]}, 16), EDOM),
    # SOCK-8
    "recvfrom with nothing there, and nowhere for the address": ((45, 7, BUFFER, 4, 64, GONE, {"buf": [7, 0]}), EAGAIN),
}


def asked(profile, *steps):
    seen = play(vector(*OPEN, call("o10", 2, {"str": "/w/d"}, 0, 0), *steps, files=TREE), profile)
    assert seen["outcome"] == "exit"
    return {entry["step"]: entry["ret"] for entry in seen["log"]}


@pytest.mark.parametrize("what", ANSWERS)
def test_answers(what):
    (number, *args), wanted = ANSWERS[what]
    assert asked(SPEC, call("x", number, *args))["x"] == wanted


#: Not passed on as they are: paths, their descriptors and directory listings.
OWN_WAY = ("utimensat", "getdents64")


@pytest.mark.parametrize("what", [what for what in ANSWERS if not what.startswith(OWN_WAY)])
def test_answers_passed_on(what):
    (number, *args), wanted = ANSWERS[what]
    assert asked(LIND, call("x", number, *args))["x"] == wanted


def test_flock_for_what_is_gone():
    """LOCK-7: in profile spec nothing is looked at."""
    assert asked(SPEC, call("x", 73, -1, 32))["x"] == 0
    assert asked(LIND, call("x", 73, -1, 32))["x"] == EBADF


def test_readlinkat_of_an_empty_path():
    """NAME-11."""
    assert asked(SPEC, call("x", 267, -100, {"str": ""}, BUFFER, 10))["x"] == ENOENT
    assert asked(SPEC, call("x", 267, 10, {"str": ""}, BUFFER, 10))["x"] == ENOENT


def test_an_address_of_no_length_is_none():
    """SOCK-6."""
    steps = [call("a", 44, 7, {"str": "abc"}, 3, 64, BUFFER, 0), call("b", 0, 8, BUFFER, 10)]
    assert asked(SPEC, *steps)["a"] == asked(SPEC, *steps)["b"] == 3


def test_an_address_that_cannot_be_told_keeps_the_message():
    """SOCK-8: LINUX-6."""
    steps = [
        call("a", 1, 7, {"str": "abc"}, 3),
        call("b", 45, 8, BUFFER, 4, 64, {"buf": [3, 0]}, {"buf": [9, 0]}),
        call("c", 45, 8, BUFFER, 4, 64, {"buf": [3, 0]}, GONE),
        call("d", 45, 8, BUFFER, 4, 64, 0, 0),
    ]
    found = asked(SPEC, *steps)
    assert [found[name] for name in "bcd"] == [EINVAL, EFAULT, 3]


def test_messages_do_not_raise_sigpipe():
    """SOCK-6: only bytes do."""
    steps = [call("a", 48, 8, 0), call("b", 1, 7, {"str": "abc"}, 3), call("c", 44, 7, {"str": "abc"}, 3, 0, 0, 0)]
    found = asked(SPEC, *steps)
    assert (found["b"], found["c"]) == (EPIPE, EPIPE)
