"""Addresses of sockets as strace shows them.

A record has an address as its bytes, quoted, which say all; the fields are for people, and made where a call is shown.
"""

from __future__ import annotations

from lindref.posix import flags
from lindref.posix.params import CallRow, ParamKind
from lindref.trace.decode import quoted
from lindref.trace.encode import string
from lindref.trace.format import Record

_FAMILIES = flags.SETS["family"]
_UNIX, _INET, _INET6 = 1, 2, 10
#: Bytes of an address of each network: below them it is none. Linux takes an IPv6 address without its scope, too.
_LEAST = {_INET: 16, _INET6: 24}


def in_fields(row: CallRow | None, at: int, text: str | None, enter: Record) -> str | None:
    """The text of argument ``at`` of a call of ``row``: an address in its fields, anything else as it is.

    ``enter`` is the call's record: what it read says the rest where the text was cut.
    """
    if text is None or row is None or at >= len(row.params) or row.params[at].kind is not ParamKind.SOCKADDR:
        return text
    found = string(text)
    if found is None:
        return text
    data, cut = found
    if cut:
        address = enter["args"][at][0] if at < len(enter.get("args", ())) else None
        whole = next((bytes.fromhex(piece) for place, piece in enter.get("data", ()) if place == address), data)
        data, cut = whole, whole is data
    return fields(data, cut=cut) or text


def fields(data: bytes, *, cut: bool = False) -> str | None:
    """A ``sockaddr`` in braces; ``None`` where it is too short to have a family. ``cut``: more bytes follow."""
    if len(data) < 2:
        return None
    family = int.from_bytes(data[:2], "little")
    name = _FAMILIES.get(family, hex(family))
    return f"{{sa_family={name}{_rest(family, data, cut)}}}"


def _rest(family: int, data: bytes, cut: bool) -> str:
    if family == _UNIX:
        return _path(data[2:], cut)
    if len(data) < _LEAST.get(family, len(data) + 1):
        return f", sa_data={quoted(data[2:], more=cut)}" if len(data) > 2 else ""
    port = int.from_bytes(data[2:4], "big")
    if family == _INET:
        host = ".".join(map(str, data[4:8]))
        return f', sin_port=htons({port}), sin_addr=inet_addr("{host}")'
    flow = int.from_bytes(data[4:8], "big")
    scope = f", sin6_scope_id={int.from_bytes(data[24:28], 'little')}" if len(data) >= 28 else ""
    host = f'inet_pton(AF_INET6, "{_inet6(data[8:24])}", &sin6_addr)'
    return f", sin6_port=htons({port}), sin6_flowinfo=htonl({flow}), {host}{scope}"


def _path(data: bytes, cut: bool) -> str:
    """A name in the file system ends with its first zero; of one that begins with zero, an abstract one, all counts."""
    if not data:
        return ""
    abstract = data[0] == 0
    body, zero, _ = (data[1:], b"", b"") if abstract else data.partition(b"\0")
    text = "".join(quoted(body[at : at + 32])[1:-1] for at in range(0, len(body), 32))
    return f', sun_path={"@" * abstract}"{text}"{"..." if cut and not zero else ""}'


def _inet6(data: bytes) -> str:
    from ipaddress import IPv6Address  # loaded when there is one to show

    address = IPv6Address(data)
    # What Python's own text of these is depends on its version.
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped is not None else str(address)


__all__ = ["fields", "in_fields"]
