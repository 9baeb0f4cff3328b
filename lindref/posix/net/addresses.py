"""What internet addresses mean: any, the loopback's, other hosts' (SOCK-3, SOCK-4)."""

from __future__ import annotations

from lindref.posix.errno import ENETUNREACH
from lindref.posix.errors import fail
from lindref.posix.kernel import Kernel
from lindref.posix.net.numbers import AF_INET
from lindref.posix.net.records import Name
from lindref.posix.result import Refused

_ANY4, _ANY6 = bytes(4), bytes(16)
_LOOP4, _LOOP6 = b"\x7f\0\0\1", bytes(15) + b"\1"


def make(family: int, port: int, address: bytes) -> Name:
    """An internet address."""
    data = port.to_bytes(2, "big")
    return Name(family, data + address if family == AF_INET else data + bytes(4) + address + bytes(4))


def any_address(family: int) -> bytes:
    """The host part that means every address of this host."""
    return _ANY4 if family == AF_INET else _ANY6


def loopback_address(family: int) -> bytes:
    """The host part of the loopback's first address."""
    return _LOOP4 if family == AF_INET else _LOOP6


def with_port(name: Name, port: int) -> Name:
    """``name`` with another port."""
    return Name(name.family, port.to_bytes(2, "big") + name.data[2:])


def address_of(name: Name) -> bytes:
    """The host part of an internet address."""
    return name.data[2:6] if name.family == AF_INET else name.data[6:22]


def is_any(name: Name) -> bool:
    """Whether it means every address of this host."""
    return not any(address_of(name))


def is_local(kernel: Kernel, name: Name) -> bool:
    """Whether it is an address of this host: any, or the loopback's (SOCK-3); where the run may use all of the host's
    network the host decides (SOCK-15).
    """
    address = address_of(name)
    loopback = address[:1] == b"\x7f" if name.family == AF_INET else address == _LOOP6
    return is_any(name) or loopback or kernel.network == "any"


def destination(kernel: Kernel, name: Name) -> Name:
    """Where a packet to ``name`` goes: any address means the loopback; other hosts are ENETUNREACH (SOCK-4)."""
    if not is_local(kernel, name):
        raise Refused(fail(ENETUNREACH, "SOCK-4"))
    if is_any(name):
        return make(name.family, name.port, loopback_address(name.family))
    return name
