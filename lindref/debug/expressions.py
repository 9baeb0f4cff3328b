"""C expressions over a frame's variables: the simple ones, and nothing that runs the guest's code.

Identifiers, numbers, characters; ``. -> [] () * & sizeof``, casts, arithmetic, comparison, logic, ``?:``, ``=``.
Beside C: ``$name`` and ``$3`` are wasm locals, ``$g3`` and ``$g_name`` wasm globals, ``$s0`` the top of the operand
stack, ``$pc``, ``$cage`` and ``$tid`` what they say.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref import classes
from lindref.debug.places import Bytes, InSlot, Unavailable
from lindref.debug.types import (
    BASES,
    CHAR,
    DOUBLE,
    INT,
    LONG_LONG,
    UNSIGNED,
    UNSIGNED_LONG_LONG,
    Array,
    Base,
    CType,
    Enum,
    FunctionType,
    Pointer,
    Struct,
    Void,
)
from lindref.debug.values import Value, computed, encode

if TYPE_CHECKING:
    from lindref.debug.frames import GuestFrame


class ExpressionError(Exception):
    """An expression that cannot be evaluated; one line."""


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<float>(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fFlL]?|\d+[eE][+-]?\d+[fFlL]?)
  | (?P<int>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)(?P<suffix>[uUlL]*)
  | (?P<char>'(?:\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3}|\\.|[^\\'])')
  | (?P<name>\$?[A-Za-z_]\w*|\$\d+)
  | (?P<op>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>=.,?:()\[\]])
  )""",
    re.VERBOSE,
)
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, "'": 39, '"': 34}
_LEVELS: tuple[tuple[str, ...], ...] = (
    *(("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">=")),
    *(("<<", ">>"), ("+", "-"), ("*", "/", "%")),
)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_BITS: dict[str, Callable[[int, int], int]] = {"|": operator.or_, "^": operator.xor, "&": operator.and_}
_WORDS = {"signed", "unsigned", "short", "long", "int", "char", "float", "double", "void", "_Bool", "bool"}
_QUALIFIERS = {"const", "volatile", "restrict"}
#: How deep an expression may be nested, and how long it may be.
_DEEP, _LONG = 60, 4000


@classes.frozen
class Assignment:
    """``target = bytes``: what an expression wants changed, for who evaluates it to do."""

    target: Value
    data: bytes


class _Parser:
    """Reads and evaluates at once; ``quiet`` counts the operands that are read but not wanted (``&&``, ``?:``)."""

    def __init__(self, text: str, frame: GuestFrame) -> None:
        if len(text) > _LONG:
            raise ExpressionError("the expression is too long")
        self.frame = frame
        self.tokens: list[tuple[str, str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ExpressionError(f"{text[at:].strip()[:20]!r} is not understood")
            kind = next(k for k in ("float", "int", "char", "name", "op") if found.group(k) is not None)
            self.tokens.append((kind, found.group(kind), found.group("suffix") or ""))
            at = found.end()
        self.tokens.append(("end", "", ""))
        self.at = 0
        self.depth = 0
        self.quiet = 0

    @property
    def next(self) -> str:
        """The next token, if it is an operator or name."""
        return self.tokens[self.at][1] if self.tokens[self.at][0] in ("op", "name") else ""

    def take(self, *wanted: str) -> str:
        """Take the next token if it is one of these operators."""
        kind, text, _ = self.tokens[self.at]
        if kind == "op" and text in wanted:
            self.at += 1
            return text
        return ""

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            said = self.tokens[self.at][1]
            raise ExpressionError(f"{wanted!r} expected before {said!r}" if said else f"{wanted!r} missing")

    # Levels.

    def whole(self) -> Value | Assignment:
        """An expression, or an assignment."""
        value = self.conditional()
        if self.take("="):
            right = self.conditional()
            self.end()
            return assignment(value, right)
        self.end()
        return value

    def end(self) -> None:
        if self.tokens[self.at][0] != "end":
            raise ExpressionError(f"{self.tokens[self.at][1]!r} was not expected")

    def conditional(self) -> Value:
        self.depth += 1
        if self.depth > _DEEP:
            raise ExpressionError("the expression is nested too deeply")
        value = self.binary(0)
        if self.take("?"):
            yes = self.truth(value)
            first = self.skipping(not yes, self.conditional)
            self.expect(":")
            second = self.skipping(yes, self.conditional)
            value = first if yes else second
        self.depth -= 1
        return value

    def skipping(self, skip: bool, read: Callable[[], Value]) -> Value:
        """Read something; if it is to be skipped, without looking at what it is."""
        if not skip:
            return read()
        self.quiet += 1
        try:
            return read()
        finally:
            self.quiet -= 1

    def binary(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while op := self.take(*_LEVELS[level]):
            if op in ("&&", "||"):
                known = self.truth(value) == (op == "||")
                right = self.skipping(known, lambda: self.binary(level + 1))
                value = self.number(INT, int(op == "||" if known else self.truth(right)))
            else:
                value = self.arithmetic(op, value, self.binary(level + 1))
        return value

    def unary(self) -> Value:
        self.depth += 1
        if self.depth > _DEEP:
            raise ExpressionError("the expression is nested too deeply")
        try:
            return self._unary()
        finally:
            self.depth -= 1

    def _unary(self) -> Value:
        if op := self.take("*", "&", "-", "+", "~", "!"):
            value = self.unary()
            if self.quiet:
                return self.zero()
            return self.apply(op, value)
        if self.next == "sizeof":
            self.at += 1
            if self.tokens[self.at][1] == "(":
                mark = self.at
                self.at += 1
                kind = self.type_name()
                if kind is not None:
                    self.expect(")")
                    return self.number(UNSIGNED, kind.size)
                self.at = mark
            return self.number(UNSIGNED, self.unary().type.size)
        if self.tokens[self.at][:2] == ("op", "("):
            mark = self.at
            self.at += 1
            kind = self.type_name()
            if kind is not None:
                self.expect(")")
                return self.cast(kind, self.unary())
            self.at = mark
        return self.postfix()

    def postfix(self) -> Value:
        value = self.primary()
        while op := self.take(".", "->", "["):
            if op == "[":
                index = self.conditional()
                self.expect("]")
                value = self.zero() if self.quiet else self.indexed(value, index)
                continue
            kind, name, _ = self.tokens[self.at]
            if kind != "name":
                raise ExpressionError(f"a member's name expected after {op!r}")
            self.at += 1
            if self.quiet:
                continue
            if op == "->":
                value = value.target()
            found = value.member(name)
            if found is None:
                raise ExpressionError(f"{value.type.name} has no member {name}")
            value = found
        return value

    def primary(self) -> Value:
        kind, text, suffix = self.tokens[self.at]
        self.at += 1
        if kind == "int":
            octal = len(text) > 1 and text[0] == "0" and text.isdigit()
            if octal and set(text) & {"8", "9"}:
                raise ExpressionError(f"{text} is no octal number")
            number = int(text, 8) if octal else int(text, 0)
            return self.number(_literal_type(number, suffix.lower(), decimal=text[0] != "0"), number)
        if kind == "float":
            return self.number(DOUBLE, float(text.rstrip("fFlL")))
        if kind == "char":
            return self.number(INT, _character(text[1:-1]))
        if kind == "name":
            return self.zero() if self.quiet else self.identifier(text)
        if (kind, text) == ("op", "("):
            value = self.conditional()
            self.expect(")")
            return value
        raise ExpressionError("the expression ends too soon" if kind == "end" else f"{text!r} was not expected")

    # Names.

    def identifier(self, name: str) -> Value:
        if name.startswith("$"):
            return self.special(name[1:])
        frame = self.frame
        symbols = frame.symbols
        for variable in frame.variables():
            if variable.name == name:
                return frame.value(variable)
        for variable in symbols.globals(frame.offset):
            if variable.name == name:
                try:
                    return frame.value(variable)
                except Unavailable:
                    continue
        value = symbols.enumerator(name)
        if value is not None:
            return self.number(INT, value)
        if name in ("true", "false"):
            return self.number(INT, int(name == "true"))
        if name == "NULL":
            return self.number(INT, 0)
        raise ExpressionError(f"no {name} here")

    def special(self, name: str) -> Value:
        frame = self.frame
        plain = {"cage": frame.thread.cage, "tid": frame.thread.tid, "pc": frame.offset}
        if name in plain:
            return self.number(INT, plain[name])
        values = frame.locals()
        for i, (local, value) in enumerate(values):
            if name in (str(i), local.lstrip("$")):
                return self.slot(value, ("local", frame.level, i))
        for i, (label, value) in enumerate(frame.globals()):
            if name in (f"g{i}", f"g_{label}"):
                return self.slot(value, ("global", frame.level, i))
        if name[0] == "s" and name[1:].isdecimal():
            operands = frame.operands()
            at = len(operands) - 1 - int(name[1:]) if len(name) < 9 else -1
            if at >= 0:
                return self.slot(operands[at], ("operand", frame.level, at))
        raise ExpressionError(f"no ${name} here")

    def slot(self, value: object, name: tuple[str, int, int]) -> Value:
        """A wasm value as C: i32 and i64 are not told apart by their values, so 64 bits only where they are needed."""
        if isinstance(value, float):
            return Value(DOUBLE, InSlot(value, name), self.frame.memory)
        if not isinstance(value, int):
            raise ExpressionError("a reference is not a number")
        return Value(INT if value < 1 << 32 else LONG_LONG, InSlot(value, name), self.frame.memory)

    def type_name(self) -> CType | None:
        """A type's name, with stars; ``None`` (and nothing taken) if there is none."""
        start = self.at
        kind = self.base_type()
        if kind is None:
            self.at = start
            return None
        while True:
            if self.take("*"):
                target = kind
                kind = Pointer(lambda target=target: target)  # type: ignore[misc]  # bound now
            elif self.next in _QUALIFIERS:
                self.at += 1
            elif self.tokens[self.at][:2] == ("op", "[") and self.tokens[self.at + 1][0] == "int":
                count = int(self.tokens[self.at + 1][1], 0)
                self.at += 2
                self.expect("]")
                kind = Array(kind, min(count, 1 << 20))
            else:
                return kind

    def base_type(self) -> CType | None:
        words: list[str] = []
        while (word := self.next) and word.isidentifier():
            if word in _QUALIFIERS:
                self.at += 1
            elif word in ("struct", "union", "enum") and not words:
                self.at += 1
                tag = self.next
                self.at += 1
                found = self.frame.symbols.find_type(tag, word)
                if found is None:
                    raise ExpressionError(f"no {word} {tag} is known")
                return found
            elif word in _WORDS:
                words.append(word)
                self.at += 1
            else:
                break
        if words:
            key = " ".join(sorted(words))
            if key not in BASES:
                raise ExpressionError(f"{' '.join(words)} is no type")
            return BASES[key]
        if not word or not word.isidentifier() or any(v.name == word for v in self.frame.variables()):
            return None
        found = self.frame.symbols.find_type(word)
        if found is not None:
            self.at += 1
        return found

    # Operations.

    def number(self, kind: CType, number: float) -> Value:
        return computed(kind, number, self.frame.memory)

    def zero(self) -> Value:
        """Stands for what is not wanted."""
        return self.number(INT, 0)

    def truth(self, value: Value) -> bool:
        return bool(value.number()) if not self.quiet else False

    def apply(self, op: str, value: Value) -> Value:
        if op == "*":
            return value.target()
        if op == "&":
            if value.address is None:
                raise ExpressionError("this has no address")
            kind = value.type
            return self.number(Pointer(lambda: kind), value.address)
        number = value.number()
        if op == "!":
            return self.number(INT, int(not number))
        kind = _promoted(value.type.plain)
        if op == "~":
            if isinstance(number, float):
                raise ExpressionError("~ of a floating-point number")
            return self.number(kind, ~number)
        return self.number(kind, -number if op == "-" else number)

    def indexed(self, value: Value, index: Value) -> Value:
        number = index.number()
        if isinstance(number, float):
            raise ExpressionError("an index is a whole number")
        if not isinstance(value.type.plain, Array | Pointer):
            raise ExpressionError(f"{value.type.name} has no elements")
        return value.element(number)

    def cast(self, kind: CType, value: Value) -> Value:
        if self.quiet:
            return value
        plain = kind.plain
        if isinstance(plain, Struct | Array):
            if value.address is None and not isinstance(value.where, InSlot):
                raise ExpressionError(f"cannot be cast to {kind.name}")
            return Value(kind, value.where, self.frame.memory)
        if isinstance(plain, Void | FunctionType):
            raise ExpressionError(f"cannot be cast to {kind.name}")
        return self.number(kind, value.number())

    def arithmetic(self, op: str, left: Value, right: Value) -> Value:
        if self.quiet:
            return self.zero()
        a, b = left.number(), right.number()
        if op in _COMPARE:
            if isinstance(a, int) and isinstance(b, int):
                common = _common(left.type.plain, right.type.plain)
                a, b = _wrap(common, a), _wrap(common, b)
            return self.number(INT, int(_COMPARE[op](a, b)))
        pointed = [isinstance(v.type.plain, Pointer | Array) for v in (left, right)]
        if any(pointed) and op in "+-":
            return self.pointers(op, left, right, pointed)
        kind = _common(left.type.plain, right.type.plain)
        if isinstance(a, float) or isinstance(b, float):
            return self.number(DOUBLE, _floating(op, a, b))
        a, b = _wrap(kind, a), _wrap(kind, b)
        if op in _BITS:
            return self.number(kind, _BITS[op](a, b))
        if op in ("<<", ">>"):
            if not 0 <= b < 64:
                raise ExpressionError(f"a shift by {b}")
            kind = _promoted(left.type.plain)
            a = _wrap(kind, a)
            return self.number(kind, a << b if op == "<<" else a >> b)
        if op in "/%":
            if not b:
                raise ExpressionError("division by zero")
            quotient = abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)
            return self.number(kind, quotient if op == "/" else a - b * quotient)
        return self.number(kind, a + b if op == "+" else a - b if op == "-" else a * b)

    def pointers(self, op: str, left: Value, right: Value, pointed: list[bool]) -> Value:
        a, b = int(left.number()), int(right.number())
        plain = (left if pointed[0] else right).type.plain
        target = plain.target if isinstance(plain, Pointer) else plain.element if isinstance(plain, Array) else CHAR
        size = max(target.size, 1)
        if all(pointed):
            if op != "-":
                raise ExpressionError("pointers are not added")
            return self.number(INT, (a - b) // size)
        if not pointed[0] and op == "-":
            raise ExpressionError("a pointer is not taken from a number")
        moved = (a + b * size if op == "+" else a - b * size) if pointed[0] else b + a * size
        return self.number(Pointer(lambda: target), moved)


def _literal_type(number: int, suffix: str, *, decimal: bool) -> Base:
    if number >= 1 << 64:
        raise ExpressionError(f"{number} has more than 64 bits")
    if "u" in suffix:
        return UNSIGNED if number < 1 << 32 and "ll" not in suffix else UNSIGNED_LONG_LONG
    if "ll" not in suffix:
        if number < 1 << 31:
            return INT
        if not decimal and number < 1 << 32:
            return UNSIGNED
    return LONG_LONG if number < 1 << 63 else UNSIGNED_LONG_LONG


def _character(text: str) -> int:
    if text[0] != "\\":
        return ord(text)
    if text[1] == "x":
        return int("0" + text[1:], 0)
    if text[1] in "01234567":
        return int(text[1:], 8)
    if text[1] not in _ESCAPES:
        raise ExpressionError(f"{text} is no escape sequence")
    return _ESCAPES[text[1]]


def _promoted(plain: CType) -> CType:
    """The type that arithmetic on one value has."""
    if isinstance(plain, Base) and plain.kind == "float":
        return DOUBLE
    if isinstance(plain, Base) and plain.size >= 8:
        return UNSIGNED_LONG_LONG if plain.kind == "unsigned" else LONG_LONG
    unsigned = isinstance(plain, Pointer | Array) or (
        isinstance(plain, Base) and plain.kind == "unsigned" and plain.size == 4
    )
    return UNSIGNED if unsigned else INT


def _common(left: CType, right: CType) -> CType:
    """The type that arithmetic on two values has (C's usual conversions, as far as they matter here)."""
    rank: list[CType] = [INT, UNSIGNED, LONG_LONG, UNSIGNED_LONG_LONG, DOUBLE]
    return max(_promoted(left), _promoted(right), key=lambda kind: (rank.index(kind), kind.size))


def _wrap(kind: CType, number: int) -> int:
    bits = 8 * kind.size
    number &= (1 << bits) - 1
    signed = isinstance(kind, Base) and kind.kind == "signed"
    return number - (1 << bits) if signed and number >> bits - 1 else number


def _floating(op: str, a: float, b: float) -> float:
    if op == "/":
        if not b:
            raise ExpressionError("division by zero")
        return a / b
    if op in "+-*":
        return a + b if op == "+" else a - b if op == "-" else a * b
    raise ExpressionError(f"{op} of floating-point numbers")


def assignment(target: Value, value: Value) -> Assignment:
    """What ``target = value`` changes; raises ``ExpressionError`` or ``Unavailable``."""
    if isinstance(target.where, Bytes):
        raise ExpressionError("this cannot be assigned to")
    plain = target.type.plain
    if isinstance(plain, Struct | Array):
        if value.type.plain is not plain:
            raise ExpressionError(f"{value.type.name} is not {target.type.name}")
        return Assignment(target, value.read())
    if not isinstance(plain, Base | Pointer | Enum):
        raise ExpressionError(f"{target.type.name} cannot be assigned to")
    data = encode(plain, value.number())
    if target.bits:
        whole = int.from_bytes(target.read(), "little")
        mask = (1 << target.bits) - 1 << target.shift
        whole = whole & ~mask | int.from_bytes(data, "little") << target.shift & mask
        data = whole.to_bytes(plain.size, "little")
    return Assignment(target, data)


def evaluate(text: str, frame: GuestFrame) -> Value | Assignment:
    """The value of an expression in a frame, or the assignment that it is; raises ``ExpressionError``."""
    try:
        return _Parser(text, frame).whole()
    except Unavailable as why:
        raise ExpressionError(str(why)) from None


def value_of(text: str, frame: GuestFrame) -> Value:
    """The value of an expression that assigns nothing; raises ``ExpressionError``."""
    found = evaluate(text, frame)
    if isinstance(found, Assignment):
        raise ExpressionError("an assignment has no place here")
    return found


__all__ = ["Assignment", "ExpressionError", "assignment", "evaluate", "value_of"]
