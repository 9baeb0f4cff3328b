"""Test scripts (``.wast``): splits a file into commands; modules inside stay unread until asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lindref import classes
from lindref.wasm.binary.decoder import decode
from lindref.wasm.errors import Exhausted, Unsupported, WasmError
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.module import Module
from lindref.wasm.text import commands as c
from lindref.wasm.text.cursor import Cursor, closing
from lindref.wasm.text.immediates import read_const_float, read_const_int
from lindref.wasm.text.lexer import Tokens, lex
from lindref.wasm.text.numbers import F32, F64
from lindref.wasm.text.parser import FIELD_KEYWORDS, parse_module, read_fields
from lindref.wasm.types import AbsHeap, NumType

#: Threads nested deeper than this are refused.
_MAX_THREAD_DEPTH = 8

_HEAPS = {heap.value: heap for heap in AbsHeap}
_REFS = {
    "ref.extern": AbsHeap.EXTERN,
    "ref.host": AbsHeap.ANY,
    "ref.any": AbsHeap.ANY,
    "ref.eq": AbsHeap.EQ,
    "ref.i31": AbsHeap.I31,
    "ref.struct": AbsHeap.STRUCT,
    "ref.array": AbsHeap.ARRAY,
    "ref.func": AbsHeap.FUNC,
    "ref.exn": AbsHeap.EXN,
}


def parse_script(source: str | bytes, features: frozenset[Feature] = DEFAULT) -> list[c.Command]:
    """The commands of a script, in order.

    Never raises for what is in the source: a command that cannot be understood is a ``Broken``.
    """
    tokens = lex(source, annotations=Feature.ANNOTATIONS in features)
    return _Script(Cursor(tokens, features)).read(None)


@classes.define
class _Script:
    """The reader of a list of commands."""

    cursor: Cursor
    depth: int = 0

    def read(self, end: int | None) -> list[c.Command]:
        """Read commands up to the token ``end`` (``None``: the end of the file)."""
        cursor, found = self.cursor, list[c.Command]()
        texts = cursor.texts
        while cursor.pos != end and texts[cursor.pos] != "":
            line, start = cursor.line, cursor.pos
            if texts[start] != "(":
                found.append(c.Broken(line, "", cursor.unexpected()))
                while cursor.pos != end and texts[cursor.pos] not in {"(", ""}:
                    cursor.pos += 1
                continue
            keyword = texts[start + 1]
            if keyword in FIELD_KEYWORDS:
                found.append(self._inline_module(line, end))
                continue
            close = closing(texts, start)
            if close is None:
                cursor.pos = len(texts) - 1
                found.append(c.Broken(line, keyword, cursor.unexpected()))
                break
            try:
                command = self._command(line, keyword)
                assert cursor.pos == close + 1  # every command takes its own closing parenthesis
                found.append(command)
            except WasmError as error:
                found.append(c.Broken(line, keyword, error))
            cursor.pos = close + 1
        return found

    def _inline_module(self, line: int, end: int | None) -> c.Command:
        """Take module fields that stand in the script without ``module`` around them: one module."""
        cursor = self.cursor
        start = cursor.pos
        while cursor.texts[cursor.pos] == "(" and cursor.texts[cursor.pos + 1] in FIELD_KEYWORDS:
            close = closing(cursor.texts, cursor.pos)
            cursor.pos = len(cursor.texts) - 1 if close is None else close + 1
            if cursor.pos == end:
                break
        read = partial(_read_text, cursor.tokens, start, cursor.pos)
        return c.ModuleCommand(line, c.ModuleSource(None, line, "text", cursor.features, read))

    def _command(self, line: int, keyword: str) -> c.Command:
        """Take one command."""
        cursor = self.cursor
        if keyword == "module":
            return self._module_command(line)
        if keyword in {"invoke", "get"}:
            return c.Perform(line, self._action())
        reader = _READERS.get(keyword)
        if reader is None:
            raise cursor.unexpected(cursor.pos + 1)
        cursor.pos += 2
        command = reader(self, line)
        cursor.expect(")")
        return command

    # Modules.

    def _module_command(self, line: int) -> c.Command:
        """Take ``(module …)``, ``(module definition …)`` or ``(module instance …)``."""
        cursor = self.cursor
        if cursor.texts[cursor.pos + 2] == "instance":
            cursor.pos += 3
            name, definition = cursor.optional_id(), cursor.optional_id()
            cursor.expect(")")
            return c.InstanceCommand(line, name, definition)
        definition_only = cursor.texts[cursor.pos + 2] == "definition"
        source = self._module()
        return c.DefinitionCommand(line, source) if definition_only else c.ModuleCommand(line, source)

    def _module(self) -> c.ModuleSource:
        """Take a module, unread."""
        cursor = self.cursor
        line, start = cursor.line, cursor.pos
        if not cursor.accept_open("module"):
            raise cursor.unexpected()
        cursor.accept("definition")
        name = cursor.optional_id()
        form = cursor.texts[cursor.pos]
        if form in {"binary", "quote"}:
            cursor.pos += 1
            data = cursor.strings()
            cursor.expect(")")
            read = partial(_read_binary if form == "binary" else _read_quote, data, line)
            return c.ModuleSource(name, line, form, cursor.features, read, data)
        first = cursor.pos
        close = closing(cursor.texts, start)
        assert close is not None  # the command is closed, and this within it
        cursor.pos = close + 1
        read = partial(_read_text, cursor.tokens, first, close)
        return c.ModuleSource(name, line, "text", cursor.features, read)

    # Actions and values.

    def _action(self) -> c.Action:
        """Take an action."""
        cursor = self.cursor
        line = cursor.line
        if cursor.accept_open("invoke"):
            module, name = cursor.optional_id(), cursor.name()
            args = []
            while not cursor.accept(")"):
                start = cursor.pos
                value = self._result()
                if isinstance(value, (c.Nan, c.Either)) or (isinstance(value, c.Ref) and value.number is None):
                    raise cursor.unexpected(start + 1)
                args.append(value)
            return c.Invoke(line, module, name, tuple(args))
        if cursor.accept_open("get"):
            module, name = cursor.optional_id(), cursor.name()
            cursor.expect(")")
            return c.Get(line, module, name)
        raise cursor.unexpected(cursor.pos + 1 if cursor.texts[cursor.pos] == "(" else None)

    def _result(self) -> c.Const | c.Nan | c.Null | c.Ref:
        """Take one value or result pattern other than ``either``."""
        cursor = self.cursor
        cursor.expect("(")
        keyword = cursor.texts[cursor.pos]
        cursor.pos += 1
        found = self._pattern(keyword)
        cursor.expect(")")
        return found

    def _pattern(self, keyword: str) -> c.Const | c.Nan | c.Null | c.Ref:
        """Take what follows the keyword of a value or pattern."""
        cursor = self.cursor
        if keyword in {"i32.const", "i64.const"}:
            kind = NumType(keyword[:3])
            return c.Const(kind, read_const_int(cursor, int(keyword[1:3])))
        if keyword in {"f32.const", "f64.const"}:
            kind = NumType(keyword[:3])
            text = cursor.texts[cursor.pos]
            if text in {"nan:canonical", "nan:arithmetic"}:
                cursor.pos += 1
                return c.Nan(kind, text == "nan:canonical")
            return c.Const(kind, read_const_float(cursor, F32 if kind is NumType.F32 else F64))
        if keyword == "ref.null":
            heap = _HEAPS.get(cursor.texts[cursor.pos])
            if heap is not None or cursor.at_index():
                cursor.pos += 1
            return c.Null(heap)
        if keyword in _REFS:
            text = cursor.texts[cursor.pos]
            return c.Ref(_REFS[keyword], None if text == ")" else cursor.unsigned(32))
        if keyword == "v128.const":
            raise Unsupported("v128.const needs the feature simd", cursor.tokens.where(cursor.pos - 1))
        raise cursor.unexpected(cursor.pos - 1)

    def _results(self) -> tuple[c.Result, ...]:
        """Take result patterns."""
        cursor = self.cursor
        found: list[c.Result] = []
        while cursor.texts[cursor.pos] == "(":
            if cursor.accept_open("either"):
                choices = [self._result()]
                while not cursor.accept(")"):
                    choices.append(self._result())
                found.append(c.Either(tuple(choices)))
            else:
                found.append(self._result())
        return tuple(found)

    # The other commands; parentheses and keyword are taken around these.

    def register(self, line: int) -> c.Command:
        """``(register name $module?)``."""
        return c.Register(line, self.cursor.name(), self.cursor.optional_id())

    def assert_return(self, line: int) -> c.Command:
        """``(assert_return action result*)``."""
        return c.AssertReturn(line, self._action(), self._results())

    def assert_trap(self, line: int) -> c.Command:
        """``(assert_trap action|module message)``."""
        subject = self._module() if self.cursor.opens("module") else self._action()
        return c.AssertTrap(line, subject, self.cursor.name())

    def assert_exhaustion(self, line: int) -> c.Command:
        """``(assert_exhaustion action message)``."""
        return c.AssertExhaustion(line, self._action(), self.cursor.name())

    def assert_exception(self, line: int) -> c.Command:
        """``(assert_exception action)``."""
        return c.AssertException(line, self._action())

    def assert_malformed(self, line: int) -> c.Command:
        """``(assert_malformed module message)``."""
        return c.AssertMalformed(line, self._module(), self.cursor.name())

    def assert_invalid(self, line: int) -> c.Command:
        """``(assert_invalid module message)``."""
        return c.AssertInvalid(line, self._module(), self.cursor.name())

    def assert_unlinkable(self, line: int) -> c.Command:
        """``(assert_unlinkable module message)``."""
        return c.AssertUnlinkable(line, self._module(), self.cursor.name())

    def thread(self, line: int) -> c.Command:
        """``(thread $name (shared (module $m)*)* command*)``."""
        cursor = self.cursor
        name = self._needed_id()
        if self.depth >= _MAX_THREAD_DEPTH:
            raise Exhausted("threads nested too deeply", cursor.tokens.where(cursor.pos))
        shared = []
        while cursor.accept_open("shared"):
            while cursor.accept_open("module"):
                shared.append(self._needed_id())
                cursor.expect(")")
            cursor.expect(")")
        end = cursor.pos
        while cursor.texts[end] == "(":
            close = closing(cursor.texts, end)
            assert close is not None  # the command is closed, and this within it
            end = close + 1
        return c.Thread(line, name, tuple(shared), tuple(_Script(cursor, self.depth + 1).read(end)))

    def wait(self, line: int) -> c.Command:
        """``(wait $thread)``."""
        return c.Wait(line, self._needed_id())

    def input_file(self, line: int) -> c.Command:
        """``(input path)``."""
        return c.Input(line, self.cursor.name())

    def _needed_id(self) -> str:
        """Take an identifier."""
        name = self.cursor.optional_id()
        if name is None:
            raise self.cursor.unexpected()
        return name


def _read_text(tokens: Tokens, start: int, end: int, features: frozenset[Feature]) -> Module:
    """The module whose fields are the tokens from ``start`` to ``end``."""
    cursor = Cursor(tokens, features, start)
    name = None if cursor.texts[start] == "(" else cursor.optional_id()
    module = read_fields(cursor, name, end)
    if cursor.pos != end:
        raise cursor.unexpected()
    return module


def _read_binary(data: bytes, _line: int, features: frozenset[Feature]) -> Module:
    """The module of a ``(module binary …)``."""
    return decode(data, features, eager=True)


def _read_quote(data: bytes, line: int, features: frozenset[Feature]) -> Module:
    """The module of a ``(module quote …)``; places inside count from the start of the quoted text."""
    try:
        return parse_module(data, features)
    except WasmError as error:
        raise error.at(f"quoted module at line {line}") from None


_READERS: dict[str, Callable[[_Script, int], c.Command]] = {
    "register": _Script.register,
    "assert_return": _Script.assert_return,
    "assert_trap": _Script.assert_trap,
    "assert_exhaustion": _Script.assert_exhaustion,
    "assert_exception": _Script.assert_exception,
    "assert_malformed": _Script.assert_malformed,
    "assert_invalid": _Script.assert_invalid,
    "assert_unlinkable": _Script.assert_unlinkable,
    "thread": _Script.thread,
    "wait": _Script.wait,
    "input": _Script.input_file,
}
