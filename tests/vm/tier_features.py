"""Random programs of everything that needs more than one function: exceptions in both encodings, tail calls, host
calls, wait and notify, a second memory, all in loops and within each other.

They terminate as those of ``tier_programs`` do, whose control flow they share.
"""

from __future__ import annotations

import random

from vm.tier_programs import LOCALS, SPEND, Writer

#: Tags by number, and what they carry.
TAGS = ((), ("i32",), ("i32", "i64"))

_FUNC = "(param i32 i32) (result i32)"


class Features(Writer):
    """As ``Writer``; ``handlers`` says for each open block whether it is the inside of a ``catch``; a label that takes
    operands is ``None``."""

    def __init__(self, choices: random.Random, number: int, functions: int) -> None:
        super().__init__(choices, number, functions)
        self.handlers: list[bool] = []

    def statement(self) -> str:
        c = self.choices
        match c.randrange(24):
            case 0 | 1:
                return self.caught()
            case 2 | 3:
                return self.legacy()
            case 4:
                return f"(if {self.expr(1)} (then {self.throw()}))"
            case 5:
                return f"(if {self.expr(2)} (then {self.tail()}))"
            case 6:
                place = f"(i32.and {self.expr(2)} (i32.const 4095))"
                return f"(i32.{c.choice(('store8', 'store', 'store16'))} 1 {place} {self.expr(1)})"
            case 7:
                return f"(local.set {c.randrange(LOCALS)} {self.woken()})"
            case 8 | 10 | 11:
                return f"(local.set {c.randrange(LOCALS)} (call $host {self.expr(2)}))"
            case 9:
                args = f"{self.expr(2)} {self.expr(2)} (i32.and {self.expr(3)} (i32.const 3))"
                return f"(local.set {c.randrange(LOCALS)} (call_indirect {_FUNC} {args}))"
            case _:
                return super().statement()

    def expr(self, depth: int = 0) -> str:
        c = self.choices
        if depth < 3 and not c.randrange(8):
            at = f"(i32.and {self.expr(3)} (i32.const {c.choice((4092, 4095))}))"
            return self.memory(at)
        return super().expr(depth)

    def memory(self, at: str) -> str:
        """A read of the second memory."""
        kind = self.choices.choice(("load", "load8_s", "load16_u", "atomic.load", "atomic.rmw.add"))
        value = f" {self.expr(3)}" if kind.endswith("add") else ""
        return f"(i32.{kind} 1 {at}{value})"

    def woken(self) -> str:
        """Wait or notify, on a memory that is shared and one that is not (where waiting traps)."""
        c = self.choices
        memory = c.choice((0, 1, 1, 1))
        at = f"(i32.and {self.expr(3)} (i32.const {c.choice((4092, 4092, 4095))}))"
        if c.randrange(2):
            return f"(memory.atomic.notify {memory} {at} {self.expr(3)})"
        return f"(memory.atomic.wait32 {memory} {at} {self.expr(3)} (i64.const {c.choice((-1, 0, 500))}))"

    def branch(self) -> str:
        return str(self.choices.choice([depth for depth, loop in enumerate(reversed(self.labels)) if loop is not None]))

    # Exceptions.

    def throw(self) -> str:
        """Something that leaves by an exception."""
        c = self.choices
        rethrows = [depth for depth, handler in enumerate(reversed(self.handlers)) if handler]
        match c.randrange(4):
            case 0 if rethrows:
                return f"(rethrow {c.choice(rethrows) + 1})"  # the ``if`` around it is a block, too
            case 1:
                return "(throw_ref (local.get 5))"  # often null
        tag = c.randrange(len(TAGS))
        values = [self.expr(2) if kind == "i32" else "(local.get 4)" for kind in TAGS[tag]]
        return f"(throw {tag} {' '.join(values)})"

    def within(self, *, handler: bool = False) -> str:
        """The inside of a block that is no loop."""
        self.handlers.append(handler)
        inside = self.inside(False)
        self.handlers.pop()
        return inside

    def inside(self, loop: bool) -> str:
        if len(self.handlers) > len(self.labels):
            return super().inside(loop)
        self.handlers.append(False)
        made = super().inside(loop)
        self.handlers.pop()
        return made

    def valued(self) -> str:
        self.handlers.append(False)
        made = super().valued()
        self.handlers.pop()
        return made

    def caught(self) -> str:
        """A ``try_table`` in the block that takes what it catches, or one that leads to a loop's head or out."""
        c = self.choices
        tag = c.choice((None, 0, 1, 2))
        ref = bool(c.randrange(2))
        if self.labels and not c.randrange(4):
            clause = f"({c.choice(('catch 0', 'catch_all'))} {self.branch()})"
            return f"(try_table {clause} {self.within()})"
        kinds = [*(TAGS[tag] if tag is not None else ()), *["exnref"] * ref]
        sets = {"i32": f"(local.set {c.randrange(LOCALS)})", "i64": "(local.set 4)", "exnref": "(local.set 5)"}
        name = ("catch_all" if tag is None else "catch") + "_ref" * ref + ("" if tag is None else f" {tag}")
        self.labels += [False, None if kinds else False]
        self.handlers += [False, False]
        body = self.within()
        del self.labels[-2:], self.handlers[-2:]
        result = f"(result {' '.join(kinds)})" if kinds else ""
        after = " ".join(sets[kind] for kind in reversed(kinds))
        return f"(block (block {result} (try_table ({name} 0) {body}) (br 1)) {after})"

    def legacy(self) -> str:
        """A ``try`` of the older encoding."""
        c = self.choices
        body = self.within()
        if not c.randrange(4):
            return f"(try (do {body}) (delegate {c.randrange(len(self.labels) + 1)}))"
        parts = []
        for tag in c.sample(range(len(TAGS)), c.randrange(1, 3)):
            sets = [f"(local.set {4 if kind == 'i64' else c.randrange(LOCALS)})" for kind in reversed(TAGS[tag])]
            parts.append(f"(catch {tag} {''.join(sets)} {self.within(handler=True)})")
        if c.randrange(2):
            parts.append(f"(catch_all {self.within(handler=True)})")
        return f"(try (do {body}) {' '.join(parts)})"

    # Calls.

    def tail(self) -> str:
        """A tail call, to any function: all of them spend."""
        c = self.choices
        args = f"{self.expr(2)} {self.expr(2)}"
        target = c.randrange(self.functions)
        match c.randrange(3):
            case 0:
                return f"(return_call $f{target} {args})"
            case 1:
                return f"(return_call_indirect {_FUNC} {args} (i32.and {self.expr(3)} (i32.const 3)))"
            case _:
                return f"(return_call_ref $t {args} (ref.func $f{target}))"

    def function(self) -> str:
        asks = "(local.set 2 (call $host (local.get 0)))" if self.choices.randrange(2) else ""
        body = " ".join((asks, *(self.statement() for _ in range(6))))
        end = self.tail() if not self.choices.randrange(4) else self.expr()
        head = f'(func $f{self.number} (export "f{self.number}") {_FUNC} (local i32 i32 i64 exnref)'
        return f"{head} {SPEND} {body} {end})"


def program(choices: random.Random) -> str:
    """A module, as text. It imports ``host.h``; ``on`` is a signal handler that may throw."""
    count = choices.randrange(2, 5)
    functions = "\n".join(Features(choices, n, count).function() for n in range(count))
    tags = " ".join(f'(tag (export "tag{n}") (param {" ".join(kinds)}))' for n, kinds in enumerate(TAGS))
    return f"""(module (type $t (func {_FUNC}))
      (import "host" "h" (func $host (param i32) (result i32)))
      (memory 1 1) (memory 1 2 shared) {tags}
      (table 3 funcref) (elem declare func {" ".join(f"$f{n}" for n in range(count))})
      (elem (i32.const 0) $f{count - 1} $f0)
      (global (mut i32) (i32.const {choices.choice((30, 200, 600))}))
      (global (export "g") (mut i32) (i32.const 5))
      (func (export "on") (param i32)
        (global.set 1 (i32.xor (global.get 1) (local.get 0)))
        (loop (if (i32.eq (i32.and (global.get 1) (i32.const 7)) (local.get 0)) (then (throw 1 (local.get 0))))
          (br_if 0 (i32.lt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))))
{functions})"""
