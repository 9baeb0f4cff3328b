"""String literals, names and quoted identifiers (spec §6.3.3-6.3.5)."""

from __future__ import annotations

import re

#: A character that stands for itself in a string, and the escapes, as regular expressions.
PLAIN = r'[^"\\\x00-\x1f\x7f\ud800-\udfff]'
ESCAPE = r"""\\(?:[nrt"'\\]|[0-9a-fA-F]{2}|u\{[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*\})"""
#: A whole literal. (Possessive: matching remembers nothing for each escape.)
STRING = rf'"{PLAIN}*+(?:{ESCAPE}{PLAIN}*+)*+"'
#: A character of identifiers, keywords and numbers.
ID_CHAR = r"[0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~]"

_ONE_STRING = re.compile(STRING)
_ONE_ID = re.compile(rf"\$(?:{ID_CHAR}+|{STRING})")
_BARE_NAME = re.compile(rf"{ID_CHAR}+")
_ESCAPES = re.compile(rb"\\(?:([nrt\"'\\])|u\{([0-9a-fA-F_]+)\}|([0-9a-fA-F]{2}))")
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b'"': b'"', b"'": b"'", b"\\": b"\\"}


class StringError(ValueError):
    """The literal has the right shape but stands for nothing; the message is the specification's."""


def is_string(text: str) -> bool:
    """Whether the token is one string literal (and not a reserved run such as ``"a""b"``)."""
    return text[:1] == '"' and _ONE_STRING.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether the token is an identifier, quoted or not."""
    return text[:1] == "$" and _ONE_ID.fullmatch(text) is not None


def _replace(match: re.Match[bytes]) -> bytes:
    """The bytes an escape stands for."""
    simple, code, pair = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    if pair is not None:
        return bytes((int(pair, 16),))
    digits = code.replace(b"_", b"").lstrip(b"0") or b"0"
    number = int(digits, 16) if len(digits) <= 6 else 0x110000
    if number >= 0x110000 or 0xD800 <= number < 0xE000:
        raise StringError("illegal escape")
    return chr(number).encode()


def string_bytes(text: str) -> bytes:
    """The bytes of a string literal (a token for which ``is_string`` holds); raises ``StringError``."""
    raw = text[1:-1].encode()
    return _ESCAPES.sub(_replace, raw) if b"\\" in raw else raw


def string_name(text: str) -> str:
    """The characters of a string literal that must be UTF-8; raises ``StringError``."""
    try:
        return string_bytes(text).decode()
    except UnicodeDecodeError:
        raise StringError("malformed UTF-8 encoding") from None


def id_name(text: str) -> str:
    """The name an identifier token (``is_id``) stands for: ``$f`` and ``$"f"`` are both ``f``."""
    if text[1] != '"':
        return text[1:]
    name = string_name(text[1:])
    if not name:
        raise StringError("empty identifier")
    return name


def _escape(char: str) -> str:
    """The printed form of a character in a name: itself where a terminal shows it as such."""
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


def quote_name(name: str) -> str:
    """A string literal that stands for ``name``."""
    return f'"{"".join(map(_escape, name))}"'


def quote_bytes(data: bytes) -> str:
    """A string literal that stands for ``data``: printable ASCII as it is, all else as hexadecimal pairs."""
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\{b:02x}" for b in data) + '"'


def is_bare(name: str) -> bool:
    """Whether ``name`` makes an identifier without quotes."""
    return _BARE_NAME.fullmatch(name) is not None


def print_id(name: str) -> str:
    """The identifier for ``name``, which must not be empty: quoted where its characters ask for it."""
    return f"${name}" if is_bare(name) else f"${quote_name(name)}"
