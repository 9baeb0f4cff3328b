"""Memory as observations show it: the forms that a ``dump`` may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lindref.conformance.vectors.model import Json
from lindref.posix.structs import STAT

_WIDTHS = {"i32": 4, "u32": 4, "u16": 2, "u64": 8, "i64": 8, "pid32": 4}
_UNSIGNED = (1 << 64) - 1
_EPHEMERAL = 10000
_AF_INET, _AF_INET6 = 2, 10


def _words(name: str) -> Callable[[bytes, Mapping[str, Json]], Json]:
    """A list of integers of one width."""
    width = _WIDTHS[name]

    def show(data: bytes, how: Mapping[str, Json]) -> Json:
        del how
        starts = range(0, len(data) - width + 1, width)
        return [int.from_bytes(data[i : i + width], "little", signed=name[0] in "ip") for i in starts]

    return show


def _hex(data: bytes, how: Mapping[str, Json]) -> Json:
    """Hexadecimal, masked bytes as ``??``."""
    pairs = [f"{byte:02x}" for byte in data]
    for offset, length in how.get("mask", ()):
        for i in range(offset, min(offset + length, len(pairs))):
            pairs[i] = "??"
    return "".join(pairs)


def _cstr(data: bytes, how: Mapping[str, Json]) -> Json:
    """Text up to the NUL."""
    del how
    return data.split(b"\0")[0].decode("utf-8", "backslashreplace")


def _fill(data: bytes, how: Mapping[str, Json]) -> Json:
    """Whether anything is there."""
    del how
    return "nonzero" if any(data) else "zero"


def _stat(data: bytes, how: Mapping[str, Json]) -> Json:
    """The fields of a stat structure, unstable ones as ``?``."""
    values = STAT.unpack(data)
    shown: dict[str, Json] = dict.fromkeys(("dev", "ino", "blksize", "blocks", "atime", "mtime", "ctime"), "?")
    for name in ("mode", "nlink", "uid", "gid", "rdev", "size"):
        shown[name] = values[f"st_{name}"]
    if how.get("nonlink"):
        shown["nlink"] = "?"
    if values["st_mode"] & 0o170000 == 0o040000:
        shown["size"] = "?"
    shown["raw"] = data.hex()
    for name in how.get("times", ()):
        shown[name] = [values[f"st_{name}"] & _UNSIGNED, values[f"st_{name}_nsec"]]
    return shown


def _dirents(data: bytes, how: Mapping[str, Json]) -> Json:
    """Directory entries by name."""
    del how
    found = []
    at = 0
    while at + 19 <= len(data):
        length = int.from_bytes(data[at + 16 : at + 18], "little")
        if length == 0:
            break
        name = data[at + 19 : at + length].split(b"\0")[0].decode("utf-8", "backslashreplace")
        found.append({"name": name, "type": data[at + 18], "reclen": length})
        at += length
    return sorted(found, key=lambda entry: str(entry["name"]))


def _sockaddr(data: bytes, how: Mapping[str, Json]) -> Json:
    """An address of the network; ports that were chosen by chance have no number."""
    del how
    family = int.from_bytes(data[:2], "little")
    port: int | str = int.from_bytes(data[2:4], "big")
    if isinstance(port, int) and port >= _EPHEMERAL:
        port = "EPHEMERAL"
    if family == _AF_INET:
        address = ".".join(str(byte) for byte in data[4:8])
        return {"family": family, "port": port, "addr": address, "rest": data[8:].hex()}
    if family == _AF_INET6:
        return {"family": family, "port": port, "addr": data[8:24].hex(), "rest": data[24:].hex()}
    return {"family": family, "port": port, "addr": "", "rest": data[2:].hex()}


FORMS: dict[str | None, Callable[[bytes, Mapping[str, Json]], Json]] = {
    None: _hex,
    "cstr": _cstr,
    "fill": _fill,
    "stat": _stat,
    "dirents": _dirents,
    "sockaddr": _sockaddr,
    **{name: _words(name) for name in _WIDTHS},
}


def show(data: bytes | None, how: Mapping[str, Json]) -> Json:
    """``data`` in the form that ``how`` asks for; ``None`` where it could not be read."""
    return None if data is None else FORMS[how.get("as")](data, how)
