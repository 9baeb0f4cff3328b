"""Random programs with much control flow: loops in loops, blocks left from everywhere, tables of branches, calls.

Each terminates: every round of a loop takes one off a counter that all functions share, and at zero functions return.
"""

from __future__ import annotations

import random

LOCALS = 4
BINARY = "add sub mul and or xor shl shr_u shr_s rotl lt_s lt_u ge_s gt_u eq ne div_s rem_u".split()


class Writer:
    """Writes one function; ``labels`` are the open blocks, innermost last, and whether each is a loop."""

    def __init__(self, choices: random.Random, number: int, functions: int) -> None:
        self.choices = choices
        self.number = number
        self.functions = functions
        self.labels: list[bool | None] = []
        self.budget = 40

    def expr(self, depth: int = 0) -> str:
        """An i32."""
        c = self.choices
        match c.randrange(9 if depth < 3 else 3):
            case 0 | 1:
                return f"(local.get {c.randrange(LOCALS)})"
            case 2:
                return f"(i32.const {c.choice((0, 1, 2, 7, 255, 4095, 65536, -1, -2147483648))})"
            case 3:
                return f"(i32.load8_u (i32.and {self.expr(depth + 1)} (i32.const 8191)))"
            case 4:
                return f"(select {self.expr(depth + 1)} {self.expr(depth + 1)} {self.expr(depth + 1)})"
            case 5:
                return f"(local.tee {c.randrange(LOCALS)} {self.expr(depth + 1)})"
            case 6:
                return f"(i32.wrap_i64 (i64.{c.choice(('mul', 'xor', 'shr_s'))} (local.get 4) {self.wide(depth)}))"
            case 7 if self.number + 1 < self.functions:
                return f"(call {c.randrange(self.number + 1, self.functions)} {self.expr(2)} {self.expr(2)})"
            case _:
                return f"(i32.{c.choice(BINARY)} {self.expr(depth + 1)} {self.expr(depth + 1)})"

    def wide(self, depth: int) -> str:
        """An i64."""
        return f"(i64.extend_i32_{self.choices.choice('su')} {self.expr(depth + 1)})"

    def branch(self) -> str:
        """A label."""
        return str(self.choices.randrange(len(self.labels)))

    def statement(self) -> str:
        """Something with an effect."""
        c = self.choices
        self.budget -= 1
        match c.randrange(13):
            case 0 | 1:
                return f"(local.set {c.randrange(LOCALS)} {self.expr()})"
            case 2:
                return f"(local.set 4 (i64.{c.choice(('add', 'mul', 'sub'))} (local.get 4) {self.wide(1)}))"
            case 3:
                place = f"(i32.and {self.expr(2)} (i32.const 8191))"
                return f"({c.choice(('i32.store8', 'i32.store', 'i32.store16'))} {place} {self.expr(1)})"
            case 4 | 5 if self.labels:
                return f"(br_if {self.branch()} {self.expr(1)})"
            case 6 if self.labels:
                table = " ".join(self.branch() for _ in range(c.randrange(1, 6)))
                return f"(br_table {table} (i32.and {self.expr(1)} (i32.const 7)))"
            case 7 if self.labels:
                return f"(br {self.branch()})"
            case 8:
                return f"(if {self.expr(1)} (then {self.inside(False)}) {self.other()})"
            case 9:
                return f"(block {self.inside(False)})"
            case 10:
                return f"(loop {self.inside(True)})"
            case 11:
                return f"(global.set 1 (i32.add (global.get 1) {self.expr(1)}))"
            case _:
                return f"(local.set {c.randrange(LOCALS)} (block (result i32) {self.valued()}))"

    def other(self) -> str:
        """An else arm, or none."""
        return f"(else {self.inside(False)})" if self.choices.randrange(2) else ""

    def valued(self) -> str:
        """The inside of a block with a result, which a branch may bring."""
        self.labels.append(False)
        value = self.expr(1)
        test = self.expr(2)
        self.labels.pop()
        return f"{self.expr(2)} (br_if 0 {value} {test}) drop" if self.choices.randrange(2) else value

    def inside(self, loop: bool) -> str:
        """The inside of a block."""
        self.labels.append(loop)
        parts = [SPEND] if loop else []
        while self.budget > 0 and self.choices.randrange(4):
            parts.append(self.statement())
        if loop and self.choices.randrange(2):
            parts.append(f"(br_if 0 {self.expr(1)})")
        self.labels.pop()
        return " ".join(parts)

    def function(self) -> str:
        """The whole."""
        body = " ".join(self.statement() for _ in range(6))
        head = f'(func (export "f{self.number}") (param i32 i32) (result i32) (local i32 i32 i64)'
        return f"{head} {SPEND} {body} {self.expr()})"


#: One off the counter; at zero the function returns.
SPEND = (
    "(if (i32.eqz (global.get 0)) (then (return (local.get 0)))) "
    "(global.set 0 (i32.sub (global.get 0) (i32.const 1)))"
)


def program(choices: random.Random) -> str:
    """A module, as text."""
    count = choices.randrange(1, 4)
    functions = "\n".join(Writer(choices, n, count).function() for n in range(count))
    return (
        f"(module (memory 1 1) (global (mut i32) (i32.const {choices.choice((30, 200, 600))}))"
        f' (global (export "g") (mut i32) (i32.const 5))\n{functions})'
    )
