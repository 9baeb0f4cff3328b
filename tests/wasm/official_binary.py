"""The binary modules of the official scripts, found without the text parser: what the decoder is held to."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

_TOKEN = re.compile(
    rb'"(?:[^"\\]|\\.)*"|\(;|;;[^\n\r]*|[()]|[^\s()";]+',
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(u\{[0-9a-fA-F_]+\}|[0-9a-fA-F]{2}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


@attrs.frozen
class Case:
    """A module in bytes and what the script says about it."""

    script: str
    number: int
    command: str
    """``assert_malformed``, ``assert_invalid``, ...; empty for a module that is simply defined."""
    message: str
    data: bytes


def _unescape(literal: bytes) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code.startswith(b"u{"):
            return chr(int(code[2:-1], 16)).encode()
        if len(code) == 2:
            return bytes.fromhex(code.decode())
        return _NAMED.get(code, code)

    return _ESCAPE.sub(one, literal[1:-1])


def _tokens(source: bytes) -> list[bytes]:
    found: list[bytes] = []
    pos = 0
    while match := _TOKEN.search(source, pos):
        pos = match.end()
        token = match[0]
        if token == b"(;":
            depth = 1
            while depth:
                mark = re.compile(rb"\(;|;\)").search(source, pos)
                assert mark is not None
                depth += 1 if mark[0] == b"(;" else -1
                pos = mark.end()
        elif not token.startswith(b";;"):
            found.append(token)
    return found


def cases(root: Path) -> list[Case]:
    """Every ``(module binary …)`` in the scripts below ``root``."""
    found: list[Case] = []
    for path in sorted(root.rglob("*.wast")):
        source = path.read_bytes()
        if b"binary" not in source:
            continue
        tokens = _tokens(source)
        for at in range(1, len(tokens) - 2):
            if tokens[at] != b"module" or tokens[at - 1] != b"(":
                continue
            start = at + 1
            while tokens[start].startswith(b"$") or tokens[start] == b"definition":
                start += 1
            if tokens[start] != b"binary":
                continue
            end = start + 1
            while tokens[end].startswith(b'"'):
                end += 1
            before = tokens[at - 2].decode() if at > 1 else ""
            command = before if before.startswith("assert") else ""
            message = _unescape(tokens[end + 1]).decode() if command else ""
            data = b"".join(map(_unescape, tokens[start + 1 : end]))
            found.append(Case(str(path.relative_to(root)), len(found), command, message, data))
    return found
