"""Source text to tokens (spec §6.3): one compiled regular expression, columns worked out when asked for.

The lexer never fails. What is not a token (a stray character, an unclosed string) becomes a token of its own that no
grammar rule accepts, and ``complaint`` says what is wrong with it when the parser trips over it. So a bad token in one
command of a script is a judgement about that command only.
"""

from __future__ import annotations

import itertools
import re

from lindref import classes
from lindref.wasm.text.strings import ESCAPE, ID_CHAR, PLAIN, STRING, StringError, string_name

_NOT_NESTED = r"[^;(\ud800-\udfff]*+"
_BLOCK_COMMENT = rf"\(;{_NOT_NESTED}(?:(?:;(?!\))|\((?!;)){_NOT_NESTED})*+;\)"
_LINE_COMMENT = r";;[^\n\r\ud800-\udfff]*"

#: Group 1: white space and comments, group 2: the token after them ("" at the very end). The last alternatives make
#: it match everywhere, so it never backtracks across tokens; possessive repetition keeps it from preparing to.
_TOKEN = re.compile(
    rf"((?:[ \t\n\r]+|{_LINE_COMMENT}|{_BLOCK_COMMENT})*+)"
    rf"(\((?![;@])|\)|(?:{ID_CHAR}+|{STRING})++|\(@(?:{ID_CHAR}+|{STRING})?|\(;|[\s\S]|\Z)"
)

_OPENING = re.compile(rf"{STRING}|{_LINE_COMMENT}|\(;")  # outside comments, strings and line comments hide "(;"
_NESTING = re.compile(r"\(;|;\)")  # inside, nothing does
_BLANKED = re.compile(r"[^\n\r\ud800-\udfff]")
_STRING_START = re.compile(rf'"{PLAIN}*+(?:{ESCAPE}{PLAIN}*+)*+')


@classes.frozen
class Annotation:
    """An annotation ``(@name …)`` left out of the token stream.

    ``before`` is the index of the token it stands before; ``texts`` are the tokens after the name, without the
    closing parenthesis.
    """

    name: str
    before: int
    texts: tuple[str, ...]


@classes.define
class Tokens:
    """The tokens of one source; the last one, the empty token, marks the end.

    ``lines`` has the line of each token (from 1). ``annotations`` are those taken out, in order.
    """

    texts: list[str]
    lines: list[int]
    annotations: list[Annotation]
    source: str
    pairs: list[tuple[str, str]]
    origin: list[int] | None = None  # token -> index in pairs, where annotations were taken out
    _ends: list[int] = classes.field(factory=list, init=False)  # where each of pairs ends; made when first asked for

    def offset(self, index: int) -> int:
        """Where the token starts, in characters from 0."""
        if not self._ends:
            self._ends.extend(itertools.accumulate(len(trivia) + len(text) for trivia, text in self.pairs))
        last = index if self.origin is None else self.origin[index]
        return self._ends[last] - len(self.pairs[last][1])

    def position(self, index: int) -> tuple[int, int]:
        """Line and column (both from 1, columns in characters) of a token."""
        offset = self.offset(index)
        newline = max(self.source.rfind("\n", 0, offset), self.source.rfind("\r", 0, offset))
        return self.lines[index], offset - newline

    def where(self, index: int) -> str:
        """``position`` as messages show it."""
        line, column = self.position(index)
        return f"line {line}, column {column}"


def lex(source: str | bytes, *, annotations: bool = True) -> Tokens:
    """All tokens of a source. With ``annotations``, ``(@id …)`` are taken out and kept apart."""
    text = decode_source(source)
    pairs: list[tuple[str, str]] = _TOKEN.findall(text)
    if "(;" in text and any(found == "(;" for _, found in pairs):
        pairs = _TOKEN.findall(_blank_comments(text))
    while len(pairs) > 1 and pairs[-1] == ("", "") and pairs[-2][1] == "":
        pairs.pop()  # white space before the end was an (empty) token already
    if "\r" in text:
        counts = [t.count("\n") + t.count("\r") - t.count("\r\n") if t else 0 for t, _ in pairs]
    else:
        counts = [t.count("\n") if t else 0 for t, _ in pairs]
    counts[0] += 1
    lines = list(itertools.accumulate(counts))
    tokens = Tokens([token for _, token in pairs], lines, [], text, pairs)
    return _without_annotations(tokens) if annotations and "(@" in text else tokens


def decode_source(source: str | bytes) -> str:
    """The characters of a source; bytes that are not UTF-8 become lone surrogates, which no token accepts."""
    if isinstance(source, str):
        return source
    try:
        return source.decode()
    except UnicodeDecodeError:
        return source.decode("utf-8", "surrogateescape")


def complaint(tokens: Tokens, index: int) -> str | None:
    """What is wrong with the token itself, or ``None`` if there is a grammar in which it could stand."""
    text = tokens.texts[index]
    if text.startswith("(@"):
        return _annotation_complaint(text)
    if text == "(;":
        return "unclosed comment"
    if text in {"$", '$""'}:
        return "empty identifier"
    if text == '"':
        start = tokens.offset(index)
        match = _STRING_START.match(tokens.source, start)
        assert match is not None
        stopper = tokens.source[match.end() : match.end() + 1]
        if stopper in {"", "\n"}:
            return "unclosed string"
        if stopper == "\\":
            return "illegal escape"
        return _character_complaint(stopper) or "unclosed string"
    return _character_complaint(text) if len(text) == 1 else None


def _annotation_complaint(text: str) -> str:
    """What is wrong with the opening of an annotation that was left in the stream."""
    if text in {"(@", '(@""'}:
        return "empty annotation id"
    try:
        _annotation_name(text)
    except StringError as bad:
        return str(bad)
    return "unclosed annotation"


def _annotation_name(text: str) -> str:
    """The name in the opening of an annotation; raises ``StringError``."""
    return string_name(text[2:]) if text[2] == '"' else text[2:]


def _character_complaint(char: str) -> str | None:
    """What is wrong with a character standing alone."""
    if "\ud800" <= char <= "\udfff":
        return "malformed UTF-8 encoding"
    return None if " " < char < "\x7f" else "illegal character"


def _blank_comments(text: str) -> str:
    """``text`` with every complete block comment, nested or not, replaced by blanks; positions stay."""
    parts: list[str] = []
    done = at = 0
    while opening := _OPENING.search(text, at):
        at = opening.end()
        if opening.group() != "(;":
            continue
        start, depth = opening.start(), 1
        while depth and (match := _NESTING.search(text, at)):
            depth += 1 if match.group() == "(;" else -1
            at = match.end()
        if depth:
            break
        parts += (text[done:start], _BLANKED.sub(" ", text[start:at]))
        done = at
    parts.append(text[done:])
    return "".join(parts)


def _without_annotations(tokens: Tokens) -> Tokens:
    """The tokens with annotations taken out; of an annotation with something wrong in it that token stays."""
    texts = tokens.texts
    kept: list[int] = []
    found: list[Annotation] = []
    index, end = 0, len(texts) - 1
    while index < end:
        text = texts[index]
        if not text.startswith("(@"):
            kept.append(index)
            index += 1
            continue
        bad = index if _annotation_complaint(text) != "unclosed annotation" else None
        close, depth = index + 1, 1
        while bad is None and close < end:
            inner = texts[close]
            if inner == ")":
                depth -= 1
                if depth == 0:
                    break
            elif inner[0] == "(" and inner != "(;":
                depth += 1
            elif complaint(tokens, close) not in {None, "empty identifier"}:
                bad = close
            close += 1
        if bad is None and depth:
            bad = index
        if bad is None:
            found.append(Annotation(_annotation_name(text), len(kept), tuple(texts[index + 1 : close])))
        else:
            kept.append(bad)
        index = close + 1 if bad in {None, index} else close
    kept.append(end)
    lines = tokens.lines
    return Tokens([texts[i] for i in kept], [lines[i] for i in kept], found, tokens.source, tokens.pairs, kept)
