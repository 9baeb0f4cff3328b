"""Shown arguments as bytes again: the inverse of ``decode``, as far as what is shown says it all (JUDGE-3).

A text that was cut (``"..."...``, more items than are shown) gives the bytes that it has, and says that there are more.
What cannot be read gives ``None``: it was not observed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lindref import classes
from lindref.posix import flags
from lindref.posix.params import Param, ParamKind
from lindref.posix.structs import LAYOUTS, Field, Layout

_ESCAPES = {"n": 10, "t": 9, "r": 13, "v": 11, "f": 12, "\\": 92, '"': 34}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?', re.DOTALL)
_ESCAPED = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
_NUMBER = re.compile(r"-?\d+|0x[0-9a-f]+")
_FIELD = re.compile(r"(\w+)=")

#: Names of numbers by set, the other way round.
_VALUES = {name: {text: value for value, text in values.items()} for name, values in flags.SETS.items()}


@classes.frozen
class Piece:
    """Bytes that a call finds at ``address``; ``cut``: more follow that were not observed."""

    address: int
    data: bytes
    cut: bool = False


def string(text: str) -> tuple[bytes, bool] | None:
    """The bytes of a quoted text, and whether it was cut."""
    found = _STRING.fullmatch(text)
    if found is None:
        return None
    return unescaped(found[1]), found[2] is not None


def unescaped(text: str) -> bytes:
    """The bytes of a text between quotes."""
    if "\\" not in text:
        return text.encode("utf-8", "surrogateescape")
    out = bytearray()
    at = 0
    for found in _ESCAPED.finditer(text):
        out += text[at : found.start()].encode("utf-8", "surrogateescape")
        code = found[1]
        if code[0] in "01234567":
            out.append(int(code, 8) & 255)
        else:
            out.append(_ESCAPES.get(code, ord(code[0]) & 255))
        at = found.end()
    return bytes(out + text[at:].encode("utf-8", "surrogateescape"))


def parts(text: str) -> list[str]:
    """The items of a text, separated by ``, `` outside of quotes and brackets."""
    out: list[str] = []
    depth = at = start = 0
    while at < len(text):
        char = text[at]
        if char == '"':
            found = _STRING.match(text, at)
            at = found.end() if found is not None else len(text)
            continue
        depth += (char in "{[") - (char in "}]")
        if char == "," and depth == 0 and text[at + 1 : at + 2] == " ":
            out.append(text[start:at])
            at = start = at + 2
            continue
        at += 1
    if text[start:]:
        out.append(text[start:])
    return out


def number(text: str, names: str | None = None) -> int | None:
    """A number as decimals, in hexadecimal, or as names of the set ``names`` joined by ``|``."""
    if text.startswith("0") and text.isdigit():
        return int(text, 8) if not set(text) & {"8", "9"} else None
    if _NUMBER.fullmatch(text):
        return int(text, 0) if not text.startswith("-0") else None
    if names is None:
        return None
    sets = [names, *([flags.FIELDS[names][1]] if names in flags.FIELDS else ())]
    total = 0
    for word in text.split("|"):
        known = next((_VALUES[one][word] for one in sets if word in _VALUES[one]), None)
        value = known if known is not None else number(word)
        if value is None:
            return None
        total |= value
    return total


def signal_set(text: str) -> int | None:
    """A set of signals as strace shows it."""
    inverted = text.startswith("~")
    text = text.removeprefix("~")
    if not (text.startswith("[") and text.endswith("]")):
        return None
    mask = 0
    for word in text[1:-1].split():
        signo = (
            int(word[3:]) + 32 if word.startswith("RT_") and word[3:].isdigit() else _VALUES["signal"].get(f"SIG{word}")
        )
        if signo is None and word.isdigit():
            signo = int(word)
        if signo is None or not 1 <= signo <= 64:
            return None
        mask |= 1 << signo - 1
    return ~mask & (1 << 64) - 1 if inverted else mask


def _field(field: Field, text: str) -> int | None:
    if field.show == "signals":
        return signal_set(text)
    if field.show == "handler":
        return {"SIG_DFL": 0, "SIG_IGN": 1}.get(text, number(text))
    if field.show == "mode":
        kind, _, rest = text.rpartition("|")
        value = number(rest)
        top = _VALUES["file-type"].get(kind, 0) if kind else 0
        return None if value is None else top | value
    if field.show == "octal":
        return int(text, 8) if text.isdigit() else None
    names = "signal" if field.show == "signal" else field.names
    return number(text, names)


def struct(layout: Layout, text: str) -> bytes | None:
    """A structure; fields that are not shown are 0."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    known = {field.name: field for field in layout.fields}
    values: dict[str, int] = {}
    for part in parts(text[1:-1]):
        if part == "...":
            continue
        found = _FIELD.match(part)
        field = known.get(found[1]) if found is not None else None
        value = _field(field, part[found.end() :]) if found is not None and field is not None else None
        if field is None or value is None:
            return None
        values[field.name] = value
    return layout.pack(**values)


def items(text: str) -> tuple[list[str], bool] | None:
    """The items of a list in brackets, and whether more were not shown."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    found = parts(text[1:-1])
    cut = bool(found) and found[-1] == "..."
    return (found[:-1] if cut else found), cut


def _array(layout: Layout, text: str, address: int) -> Iterator[Piece]:
    listed = items(text)
    if listed is None:
        return
    packed = [struct(layout, item) for item in listed[0]]
    if None not in packed:
        yield Piece(address, b"".join(one for one in packed if one is not None), listed[1])


def _cell(text: str, width: int) -> bytes | None:
    value = number(text[1:-1]) if text[:1] == "[" and text[-1:] == "]" else None
    return None if value is None else (value & (1 << 8 * width) - 1).to_bytes(width, "little")


def fd_set(text: str) -> bytes | None:
    """A set of descriptors."""
    words = text[1:-1].split() if text[:1] == "[" and text[-1:] == "]" else [""]
    if not all(word.isdigit() and int(word) < 1024 for word in words):
        return None
    return sum(1 << int(word) for word in set(words)).to_bytes(128, "little")


def plain(param: Param, text: str, address: int) -> Iterator[Piece]:
    """What lies at ``address``, as far as ``text`` says it, for arguments that point to no further addresses."""
    data: bytes | None = None
    match param.kind:
        case ParamKind.PATH | ParamKind.CSTRING:
            found = string(text)
            data = None if found is None or found[1] else found[0] + b"\0"
        case ParamKind.BUFFER | ParamKind.SOCKADDR:
            found = string(text)
            if found is not None:
                yield Piece(address, found[0], found[1])
            return
        case ParamKind.STRUCT:
            data = struct(LAYOUTS[param.struct or ""], text)
        case ParamKind.ARRAY:
            yield from _array(LAYOUTS[param.struct or ""], text, address)
            return
        case ParamKind.SIGSET:
            mask = signal_set(text)
            data = None if mask is None else mask.to_bytes(8, "little")
        case ParamKind.INT_CELL:
            data = _cell(text, 4)
        case ParamKind.LONG_CELL:
            data = _cell(text, 8)
        case ParamKind.FD_SET:
            data = fd_set(text)
        case _:
            return
    if data is not None:
        yield Piece(address, data)


@classes.frozen
class Buffer:
    """A part of a scattered transfer: its bytes as shown (``None``: an address), whether they were cut, its length."""

    data: bytes | None
    cut: bool
    length: int
    address: int = 0


def iovec(text: str) -> Sequence[Buffer] | None:
    """The parts of a scattered transfer; ``None`` where not all are shown."""
    listed = items(text)
    if listed is None or listed[1]:
        return None
    out = []
    for item in listed[0]:
        fields = dict(part.partition("=")[::2] for part in parts(item[1:-1]))
        length = number(fields.get("iov_len", ""))
        if length is None:
            return None
        found = string(fields.get("iov_base", ""))
        address = number(fields.get("iov_base", "")) if found is None else 0
        data, cut = found if found is not None else (None, False)
        out.append(Buffer(data, cut, length, address or 0))
    return out


def strings(text: str) -> Sequence[bytes] | None:
    """A list of strings (argv), as far as it is shown."""
    listed = items(text)
    found = [string(item) for item in listed[0]] if listed is not None else [None]
    return None if None in found else [one[0] for one in found if one is not None]


__all__ = [
    "Buffer",
    "Piece",
    "fd_set",
    "iovec",
    "items",
    "number",
    "parts",
    "plain",
    "signal_set",
    "string",
    "strings",
    "struct",
]
