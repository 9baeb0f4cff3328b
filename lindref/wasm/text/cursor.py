"""A place in a token stream, with what every grammar rule needs: look, take, expect, complain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lindref import classes
from lindref.wasm.errors import Malformed, Unsupported
from lindref.wasm.features import Feature
from lindref.wasm.text.keywords import is_known
from lindref.wasm.text.lexer import Tokens, complaint
from lindref.wasm.text.numbers import OutOfRangeError, read_unsigned
from lindref.wasm.text.strings import StringError, id_name, is_id, is_string, string_bytes, string_name

S = TypeVar("S")
T = TypeVar("T")

_INDEX_START = frozenset("$0123456789")


def closing(texts: list[str], start: int, depth: int = 0) -> int | None:
    """The parenthesis that closes the one at ``start``, or, with ``depth`` 1, the one around ``start``."""
    for index in range(start, len(texts)):
        text = texts[index]
        if text == "(":
            depth += 1
        elif text == ")":
            depth -= 1
            if depth == 0:
                return index
    return None


@classes.define
class Cursor:
    """Reads ``tokens`` from ``pos`` on, under a set of features."""

    tokens: Tokens
    features: frozenset[Feature]
    pos: int = 0
    texts: list[str] = classes.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.texts = self.tokens.texts

    # Looking. Every list of tokens ends with the empty token, which nothing takes, so ``pos`` never runs out; a look
    # at the token after may.

    def opens(self, keyword: str) -> bool:
        """Whether ``(keyword`` comes next."""
        texts, pos = self.texts, self.pos
        return texts[pos] == "(" and texts[pos + 1] == keyword

    def at_id(self) -> bool:
        """Whether an identifier comes next."""
        text = self.texts[self.pos]
        return is_id(text) and (text[1] != '"' or Feature.ANNOTATIONS in self.features)

    def at_string(self) -> bool:
        """Whether a string literal comes next."""
        return is_string(self.texts[self.pos])

    def at_index(self) -> bool:
        """Whether an index comes next: an identifier or something that starts like a number."""
        text = self.texts[self.pos]
        return text[:1] in _INDEX_START and (text[0] != "$" or self.at_id())

    @property
    def line(self) -> int:
        """The line of the next token."""
        return self.tokens.lines[self.pos]

    # Taking.

    def accept(self, text: str) -> bool:
        """Take the token if it is ``text``."""
        if self.texts[self.pos] == text:
            self.pos += 1
            return True
        return False

    def accept_open(self, keyword: str) -> bool:
        """Take ``(keyword`` if it comes next."""
        if self.opens(keyword):
            self.pos += 2
            return True
        return False

    def expect(self, text: str) -> None:
        """Take ``text`` or complain."""
        if self.texts[self.pos] != text:
            raise self.unexpected()
        self.pos += 1

    def optional_id(self) -> str | None:
        """Take an identifier, if one comes next, as the name it stands for."""
        return self.checked(id_name) if self.at_id() else None

    def string(self) -> bytes:
        """Take a string literal."""
        if not self.at_string():
            raise self.unexpected()
        return self.checked(string_bytes)

    def name(self) -> str:
        """Take a string literal that must be UTF-8."""
        if not self.at_string():
            raise self.unexpected()
        return self.checked(string_name)

    def strings(self) -> bytes:
        """Take string literals as long as they come, joined."""
        parts = []
        while self.at_string():
            parts.append(self.checked(string_bytes))
        return b"".join(parts)

    def unsigned(self, bits: int) -> int:
        """Take an unsigned number below ``2**bits``."""
        return self.number(read_unsigned, self.texts[self.pos], bits)

    def number(self, read: Callable[[str, S], int | None], literal: str, form: S) -> int:
        """Take the token, of which ``literal`` is the number or all: what ``read`` makes of it, in ``form``."""
        try:
            value = read(literal, form)
        except OutOfRangeError as error:
            raise self.error(str(error)) from None
        if value is None:
            raise self.unexpected()
        self.pos += 1
        return value

    def checked(self, read: Callable[[str], T]) -> T:
        """Take the token through ``read``, with its complaints given this place."""
        try:
            value = read(self.texts[self.pos])
        except (StringError, OutOfRangeError) as error:
            raise self.error(str(error)) from None
        self.pos += 1
        return value

    # Complaining.

    def error(self, message: str, index: int | None = None) -> Malformed:
        """``Malformed`` at the next token, or at the token ``index``."""
        return Malformed(message, self.tokens.where(self.pos if index is None else index))

    def unexpected(self, index: int | None = None) -> Malformed:
        """The error for a token that cannot stand where it does."""
        at = self.pos if index is None else index
        text = self.texts[at]
        message = complaint(self.tokens, at)
        if text.startswith("(@") and Feature.ANNOTATIONS not in self.features:
            message = f"unknown operator {text[1:]}"
        if message is None:
            shown = text if len(text) <= 60 else text[:60] + "…"
            if not is_known(text):
                message = f"unknown operator {shown}"
            else:
                message = f"unexpected token {shown}" if text else "unexpected token: end of input"
        return self.error(message, at)

    def need(self, feature: Feature, what: str) -> None:
        """Raise ``Unsupported`` unless ``feature`` is enabled."""
        if feature not in self.features:
            raise Unsupported(f"{what} needs the feature {feature.value}", self.tokens.where(self.pos))
