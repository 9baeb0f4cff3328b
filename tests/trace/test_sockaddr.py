"""Addresses of sockets in strace text: fields for people, bytes in the records."""

from __future__ import annotations

import io
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import CallStep, exits, scripted

from lindref.system.script_runner import Pointer, StoreStep
from lindref.trace.jsonl import JsonTrace
from lindref.trace.reader import Reader
from lindref.trace.sockaddr import fields
from lindref.trace.strace import Strace, StraceText

LOOP4 = struct.pack("<H", 2) + struct.pack(">H", 8080) + bytes((127, 0, 0, 1)) + bytes(8)
LONG = "/tmp/" + 40 * "n"
INET = '{sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}'

INET6 = (
    "{sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), "
    'inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=7}'
)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (LOOP4, INET),
        (LOOP4 + bytes(12), INET),  # more room than it takes
        (LOOP4[:8], r'{sa_family=AF_INET, sa_data="\37\220\177\0\0\1"}'),  # less: no address of that network
        (
            b"\x0a\0\0\x35" + bytes(19) + b"\1" + b"\7\0\0\0",
            INET6,
        ),
        (b"\1\0/run/s\0rest", '{sa_family=AF_UNIX, sun_path="/run/s"}'),
        (b"\1\0\0a\0b", r'{sa_family=AF_UNIX, sun_path=@"a\0b"}'),
        (b"\1\0", "{sa_family=AF_UNIX}"),
        (b"\0\0", "{sa_family=AF_UNSPEC}"),
        (b"\x99\x99ab", '{sa_family=0x9999, sa_data="ab"}'),
        (b"\1", None),
    ],
)
def test_families(data: bytes, text: str | None) -> None:
    assert fields(data) == text


@given(st.binary(min_size=16, max_size=16))
def test_ipv6_is_as_the_c_library_reads_it(address: bytes) -> None:
    text = fields(b"\x0a\0\0\0\0\0\0\0" + address + bytes(4)) or ""
    assert socket.inet_pton(socket.AF_INET6, text.split('"')[1]) == address


@given(st.binary(max_size=130), st.booleans())
def test_any_bytes_have_a_text_that_is_safe_to_show(data: bytes, cut: bool) -> None:
    text = fields(data, cut=cut)
    assert (text is None) == (len(data) < 2)
    assert text is None or text.isprintable()


def test_a_run_and_its_trace_show_the_same() -> None:
    name = b"\1\0" + LONG.encode() + b"\0"
    run = scripted(
        StoreStep(0x100, LOOP4),
        CallStep(41, (2, 1, 0)),
        CallStep(49, (3, Pointer(0x100), 16)),
        StoreStep(0x200, struct.pack("<I", 16)),
        CallStep(51, (3, Pointer(0x180), Pointer(0x200))),
        CallStep(49, (3, 0, 16)),
        StoreStep(0x300, name),
        CallStep(41, (1, 2, 0)),
        CallStep(42, (4, Pointer(0x300), len(name))),
        exits(0),
    )
    live: list[str] = []
    lines: list[str] = []
    trace = JsonTrace(run.system, lines.append)
    run.system.observers += [Strace(run.system, live.append), trace]
    run.run()
    assert run.system.outcome is not None
    trace.close(run.system.outcome)
    shown = "".join(live)
    assert f"bind(3, {INET}, 16) = 0" in shown
    assert f"getsockname(3, {INET}, [16]) = 0" in shown
    assert "bind(3, NULL, 16) = -1 E" in shown
    assert f'connect(4, {{sa_family=AF_UNIX, sun_path="{LONG}"}}, {len(name)}) = -1 ENOENT' in shown  # not cut

    again: list[str] = []
    view = StraceText(again.append)
    for record in Reader(io.BytesIO("".join(lines).encode()), "t"):
        view.on_record(record)
    assert "".join(again) == shown
