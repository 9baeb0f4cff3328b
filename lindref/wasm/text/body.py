"""Instruction sequences, flat and folded (spec §6.5), read with an explicit stack: nesting is data, not recursion."""

from __future__ import annotations

import enum

from lindref import classes
from lindref.wasm.errors import Unsupported
from lindref.wasm.instructions import BY_NAME, Op
from lindref.wasm.module import Expr, Instr
from lindref.wasm.text.cursor import Cursor
from lindref.wasm.text.immediates import READERS, allowed, read_catches, select_types
from lindref.wasm.text.keywords import unbuilt_operator
from lindref.wasm.text.scope import FuncScope, Space
from lindref.wasm.text.types import read_block_type

_END, _ELSE, _IF = BY_NAME["end"], BY_NAME["else"], BY_NAME["if"]
_CATCH, _CATCH_ALL, _DELEGATE = BY_NAME["catch"], BY_NAME["catch_all"], BY_NAME["delegate"]
_SELECT = BY_NAME["select"]
_BLOCKS = {name: BY_NAME[name] for name in ("block", "loop", "if", "try", "try_table")}
_CONTINUATIONS = frozenset({"end", "else", "catch", "catch_all", "delegate"})


class _Kind(enum.Enum):
    """What construct is open; the comment says what may come next."""

    OPERANDS = enum.auto()  # ``(op …``: folded operands
    BLOCK = enum.auto()  # ``(block …``: instructions
    CONDITION = enum.auto()  # ``(if …``: folded operands, ``(then``
    THEN = enum.auto()  # ``(then …``: instructions
    AFTER_THEN = enum.auto()  # ``(else``
    ELSE = enum.auto()  # ``(else …``: instructions
    COMPLETE = enum.auto()  # nothing but ")", which emits ``end``
    TRY = enum.auto()  # ``(try …``: ``(do``
    DO = enum.auto()  # ``(do …``: instructions
    AFTER_DO = enum.auto()  # ``(catch``, ``(catch_all``, ``(delegate``
    CATCHES = enum.auto()  # ``(catch``, ``(catch_all``
    CATCH = enum.auto()  # ``(catch …``: instructions
    CATCH_ALL = enum.auto()  # ``(catch_all …``: instructions
    DELEGATED = enum.auto()  # nothing but ")"
    FLAT_BLOCK = enum.auto()  # instructions, ``end``
    FLAT_IF = enum.auto()  # instructions, ``else``, ``end``
    FLAT_TRY = enum.auto()  # instructions, ``catch``, ``catch_all``, ``delegate``, ``end``
    FLAT_CATCH = enum.auto()  # instructions, ``catch``, ``catch_all``, ``end``


_K = _Kind
_TAKES_FLAT = frozenset(
    {
        _K.BLOCK,
        _K.THEN,
        _K.ELSE,
        _K.DO,
        _K.CATCH,
        _K.CATCH_ALL,
        _K.FLAT_BLOCK,
        _K.FLAT_IF,
        _K.FLAT_TRY,
        _K.FLAT_CATCH,
    }
)
_TAKES_FOLDED = _TAKES_FLAT | {_K.OPERANDS, _K.CONDITION}
#: What a closed part of a folded block makes of the block.
_AFTER = {
    _K.THEN: _K.AFTER_THEN,
    _K.ELSE: _K.COMPLETE,
    _K.DO: _K.AFTER_DO,
    _K.CATCH: _K.CATCHES,
    _K.CATCH_ALL: _K.COMPLETE,
}
#: What can be closed with a parenthesis, emitting ``end``.
_ENDS = frozenset({_K.BLOCK, _K.AFTER_THEN, _K.COMPLETE, _K.AFTER_DO, _K.CATCHES})
_FLAT_KIND = {"if": _K.FLAT_IF, "try": _K.FLAT_TRY}


@classes.define
class _Frame:
    """An open construct: ``pending`` is the instruction to emit when it closes (or, for ``if``, at ``then``)."""

    kind: _Kind
    pending: Instr | None = None
    label: str | None = None


def read_body(cursor: Cursor, func: FuncScope) -> Expr:
    """Take instructions up to the parenthesis that closes what they stand in (not taken); with the final ``end``."""
    out = _Body(cursor, func).read(folded_only=False)
    out.append(Instr(_END, (), cursor.line))
    return tuple(out)


def read_folded(cursor: Cursor, func: FuncScope) -> Expr:
    """Take one folded instruction as an expression, with the final ``end``."""
    if cursor.texts[cursor.pos] != "(":
        raise cursor.unexpected()
    out = _Body(cursor, func).read(folded_only=True)
    out.append(Instr(_END, (), cursor.tokens.lines[cursor.pos - 1]))
    return tuple(out)


@classes.define
class _Body:
    """The reader of one sequence: emitted instructions, and the constructs open around the next token."""

    cursor: Cursor
    func: FuncScope
    out: list[Instr] = classes.Factory(list)
    stack: list[_Frame] = classes.Factory(list)

    def read(self, *, folded_only: bool) -> list[Instr]:
        """Read to the end of the sequence, or of its first instruction."""
        cursor, stack = self.cursor, self.stack
        texts = cursor.texts
        while True:
            text = texts[cursor.pos]
            if text == "(":
                if stack and stack[-1].kind not in _TAKES_FOLDED:
                    self._part(stack[-1])
                else:
                    cursor.pos += 1
                    self._folded()
            elif text == ")":
                if not stack:
                    return self.out
                self._close(stack[-1])
                if folded_only and not stack:
                    return self.out
            elif stack and stack[-1].kind not in _TAKES_FLAT:
                raise cursor.unexpected()
            else:
                self._flat(text)

    def _emit(self, op: Op, args: tuple[object, ...] = ()) -> None:
        self.out.append(Instr(op, args, self.cursor.line))

    def _operator(self, text: str) -> Op:
        """The instruction of that name, which must not be a continuation such as ``end``."""
        op = BY_NAME.get(text)
        cursor = self.cursor
        if op is None or text in _CONTINUATIONS:
            feature = unbuilt_operator(text)
            if feature is not None:
                raise Unsupported(f"{text} needs the feature {feature.value}", cursor.tokens.where(cursor.pos))
            raise cursor.unexpected()
        if op.feature not in cursor.features and not allowed(op, cursor.features):
            cursor.need(op.feature, text)
        return op

    def _plain(self, op: Op) -> Instr:
        """Take a plain instruction: its name, which comes next, and its immediates."""
        cursor = self.cursor
        line = cursor.tokens.lines[cursor.pos]
        cursor.pos += 1
        reader = READERS[op.index]
        if reader is not None:
            return Instr(op, reader(cursor, self.func, op), line)
        if op is _SELECT:
            typed = select_types(cursor, self.func)
            if typed is not None:
                return Instr(*typed, line)
        return Instr(op, (), line)

    def _header(self, op: Op) -> tuple[str | None, Instr]:
        """Take the head of a block: its name, which comes next, its label and its immediates."""
        cursor = self.cursor
        line = cursor.line
        cursor.pos += 1
        label = cursor.optional_id()
        block_type = read_block_type(cursor, self.func.module)
        if op.name == "try_table":
            return label, Instr(op, (block_type, read_catches(cursor, self.func)), line)
        return label, Instr(op, (block_type,), line)

    def _folded(self) -> None:
        """Take the head of a folded instruction, after its opening parenthesis."""
        cursor, stack = self.cursor, self.stack
        text = cursor.texts[cursor.pos]
        if text == "then" and stack and stack[-1].kind is _K.CONDITION:
            self._then(stack[-1])
            return
        op = self._operator(text)
        if text not in _BLOCKS:
            stack.append(_Frame(_K.OPERANDS, self._plain(op)))
            return
        label, instr = self._header(op)
        if op is _IF:  # the label is open in its branches, not in its condition
            stack.append(_Frame(_K.CONDITION, instr, label))
            return
        self.out.append(instr)
        self.func.open_label(label)
        stack.append(_Frame(_K.TRY if text == "try" else _K.BLOCK, None, label))

    def _part(self, frame: _Frame) -> None:
        """Take the opening of a part of a folded block: ``(then``, ``(else``, ``(do``, ``(catch`` …"""
        cursor, stack = self.cursor, self.stack
        keyword = cursor.texts[cursor.pos + 1]
        at = frame.kind
        if at is _K.AFTER_THEN and keyword == "else":
            self._emit(_ELSE)
            cursor.pos += 2
            stack.append(_Frame(_K.ELSE))
        elif at is _K.TRY and keyword == "do":
            cursor.pos += 2
            stack.append(_Frame(_K.DO))
        elif at in {_K.AFTER_DO, _K.CATCHES} and keyword == "catch":
            line = cursor.line
            cursor.pos += 2
            self.out.append(Instr(_CATCH, (self.func.module.read(Space.TAG, cursor),), line))
            stack.append(_Frame(_K.CATCH))
        elif at in {_K.AFTER_DO, _K.CATCHES} and keyword == "catch_all":
            self._emit(_CATCH_ALL)
            cursor.pos += 2
            stack.append(_Frame(_K.CATCH_ALL))
        elif at is _K.AFTER_DO and keyword == "delegate":
            line = cursor.line
            cursor.pos += 2
            self._delegate(line)
            cursor.expect(")")
            frame.kind = _K.DELEGATED
        else:
            raise cursor.unexpected(cursor.pos + 1)

    def _delegate(self, line: int) -> None:
        """Take the label of a ``delegate``, which counts from outside its ``try``."""
        self.func.labels.pop()
        self.out.append(Instr(_DELEGATE, (self.func.read_label(self.cursor),), line))

    def _then(self, frame: _Frame) -> None:
        """Take ``(then``: the operands are complete, the ``if`` begins."""
        assert frame.pending is not None
        self.out.append(frame.pending)
        self.func.open_label(frame.label)
        self.cursor.pos += 1
        self.stack.append(_Frame(_K.THEN))

    def _close(self, frame: _Frame) -> None:
        """Take the closing parenthesis of a folded construct."""
        kind = frame.kind
        if kind is _K.OPERANDS:
            assert frame.pending is not None
            self.out.append(frame.pending)
        elif kind in _AFTER:
            self.stack[-2].kind = _AFTER[kind]
        elif kind in _ENDS:
            self._emit(_END)
            self.func.labels.pop()
        elif kind is not _K.DELEGATED:
            raise self.cursor.unexpected()
        self.stack.pop()
        self.cursor.pos += 1

    def _flat(self, text: str) -> None:
        """Take a flat instruction, or the opening or continuation of a flat block."""
        if text in _CONTINUATIONS:
            self._continue(text)
            return
        op = self._operator(text)
        if text not in _BLOCKS:
            self.out.append(self._plain(op))
            return
        label, instr = self._header(op)
        self.out.append(instr)
        self.func.open_label(label)
        self.stack.append(_Frame(_FLAT_KIND.get(text, _K.FLAT_BLOCK), None, label))

    def _continue(self, text: str) -> None:
        """Take ``end``, ``else``, ``catch``, ``catch_all`` or ``delegate`` of a flat block."""
        cursor, line = self.cursor, self.cursor.line
        frame = self.stack[-1] if self.stack else None
        kind = frame.kind if frame else None
        if frame is None:
            raise cursor.unexpected()
        cursor.pos += 1
        if text == "end" and kind in {_K.FLAT_BLOCK, _K.FLAT_IF, _K.FLAT_TRY, _K.FLAT_CATCH}:
            self._same_label(frame)
            self.out.append(Instr(_END, (), line))
            self.func.labels.pop()
            self.stack.pop()
        elif text == "else" and kind is _K.FLAT_IF:
            self._same_label(frame)
            self.out.append(Instr(_ELSE, (), line))
            frame.kind = _K.FLAT_BLOCK
        elif text == "catch" and kind in {_K.FLAT_TRY, _K.FLAT_CATCH}:
            self.out.append(Instr(_CATCH, (self.func.module.read(Space.TAG, cursor),), line))
            frame.kind = _K.FLAT_CATCH
        elif text == "catch_all" and kind in {_K.FLAT_TRY, _K.FLAT_CATCH}:
            self.out.append(Instr(_CATCH_ALL, (), line))
            frame.kind = _K.FLAT_BLOCK
        elif text == "delegate" and kind is _K.FLAT_TRY:
            self._delegate(line)
            self.stack.pop()
        else:
            raise cursor.unexpected(cursor.pos - 1)

    def _same_label(self, frame: _Frame) -> None:
        """Take the label that may be repeated after ``else`` and ``end``."""
        start = self.cursor.pos
        label = self.cursor.optional_id()
        if label is not None and label != frame.label:
            raise self.cursor.error(f"mismatching label {self.cursor.texts[start]}", start)
