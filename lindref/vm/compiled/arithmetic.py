"""Numeric instructions as expressions over their operands.

Each rule gets operands and gives one; integers keep track of the interval their value lies in, so that masks stand only
where they are needed. What has no rule here is a call of the function in ``vm.numeric.table``.

Letters: ``a`` and ``b`` operands, ``n`` the width in bits, ``m`` the mask of the width, ``s`` its sign bit.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref.vm.compiled.operand import M32, M64, Operand, int_of, integer, plain_of, test_of
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.traps import Trap
from lindref.wasm.instructions import TABLE

Rule = Callable[..., Operand]

#: Operations that trap on some operands.
TRAPPING = frozenset(
    op.name
    for op in TABLE
    if op.name in OPERATIONS
    and ((op.name.split(".")[1][:3] in ("div", "rem") and op.name[0] == "i") or ".trunc_f" in op.name)
)


def _width(name: str) -> tuple[int, int, int]:
    """Bits, mask and sign bit of an instruction's type."""
    n = 64 if name.startswith("i64") else 32
    return n, (1 << n) - 1, 1 << n - 1


def _near(o: Operand, n: int) -> str:
    """An operand whose value may go beyond the width, but not far."""
    limit = 1 << (n + 8)
    return o.inner if o.form == Operand.INT and -limit < o.low and o.high < limit else o.part


def _range(o: Operand, n: int) -> tuple[int, int]:
    """The interval of what ``_near`` gives."""
    limit = 1 << (n + 8)
    if o.form == Operand.INT and -limit < o.low and o.high < limit:
        return o.low, o.high
    return _interval(o)


def _interval(o: Operand) -> tuple[int, int]:
    """The interval of what ``part`` gives."""
    if o.form == Operand.CONDITION:
        return 0, 1
    return (o.low, o.high) if o.canonical else (0, o.mask)


def _add(name: str) -> Rule:
    n, m, _ = _width(name)

    def add(a: Operand, b: Operand) -> Operand:
        (al, ah), (bl, bh) = _range(a, n), _range(b, n)
        if b.constant is not None and b.constant > m >> 1:
            less = m + 1 - b.constant  # adding a negative number
            return int_of(f"{_near(a, n)} - {less}", m, al - less, ah - less, a)
        if b.constant == 0:
            return a
        return int_of(f"{_near(a, n)} + {_near(b, n)}", m, al + bl, ah + bh, a, b)

    return add


def _sub(name: str) -> Rule:
    n, m, _ = _width(name)

    def sub(a: Operand, b: Operand) -> Operand:
        (al, ah), (bl, bh) = _range(a, n), _range(b, n)
        if a.constant == 0:
            return int_of(f"-{_near(b, n)}", m, -bh, -bl, b)
        return int_of(f"{_near(a, n)} - {_near(b, n)}", m, al - bh, ah - bl, a, b)

    return sub


def _mul(name: str) -> Rule:
    _, m, _ = _width(name)

    def mul(a: Operand, b: Operand) -> Operand:
        (_, ah), (_, bh) = _interval(a), _interval(b)
        return int_of(f"{a.part} * {b.part}", m, 0, ah * bh, a, b)

    return mul


def _and(name: str) -> Rule:
    _, m, _ = _width(name)

    def and_(a: Operand, b: Operand) -> Operand:
        if not a.canonical and not b.canonical:
            return int_of(f"{a.part} & {b.part}", m, 0, min(_interval(a)[1], _interval(b)[1]), a, b)
        high = min(o.high for o in (a, b) if o.canonical)
        left, right = (o.inner if o.form == Operand.INT else o.part for o in (a, b))
        return int_of(f"{left} & {right}", m, 0, high, a, b)

    return and_


def _or(symbol: str) -> Callable[[str], Rule]:
    def family(name: str) -> Rule:
        n, m, _ = _width(name)

        def rule(a: Operand, b: Operand) -> Operand:
            (al, ah), (bl, bh) = _range(a, n + 24), _range(b, n + 24)
            bits = max(x.bit_length() for x in (al, ah, bl, bh))
            low = -(1 << bits) if al < 0 or bl < 0 else 0
            return int_of(f"{_near(a, n + 24)} {symbol} {_near(b, n + 24)}", m, low, (1 << bits) - 1, a, b)

        return rule

    return family


def _shl(name: str) -> Rule:
    n, m, _ = _width(name)

    def shl(a: Operand, b: Operand) -> Operand:
        (al, ah) = _range(a, n)
        if b.constant is not None:
            k = b.constant % n
            return int_of(f"{_near(a, n)} << {k}", m, al << k, ah << k, a)
        return int_of(f"{_near(a, n)} << ({_loose(b)} & {n - 1})", m, min(al << n, 0), ah << n, a, b)

    return shl


def _loose(o: Operand) -> str:
    """An operand of which only low bits are wanted."""
    return o.inner if o.form == Operand.INT else o.part


def _shr_u(name: str) -> Rule:
    n, m, _ = _width(name)

    def shr_u(a: Operand, b: Operand) -> Operand:
        high = _interval(a)[1]
        if b.constant is not None:
            k = b.constant % n
            return int_of(f"{a.part} >> {k}", m, 0, high >> k, a)
        return int_of(f"{a.part} >> ({_loose(b)} & {n - 1})", m, 0, high, a, b)

    return shr_u


def signed(o: Operand, s: int) -> tuple[str, int, int]:
    """The signed number that an operand stands for, as part of an expression, and its interval."""
    if o.form == Operand.INT and -s <= o.low and o.high < s:
        return o.inner, o.low, o.high
    if o.form == Operand.CONDITION:
        return o.part, 0, 1
    if o.constant is not None:
        value = (o.constant & 2 * s - 1 ^ s) - s
        return f"({value})", value, value
    return f"(({o.part} ^ {s:#x}) - {s:#x})", -s, s - 1


def _shr_s(name: str) -> Rule:
    n, m, s = _width(name)

    def shr_s(a: Operand, b: Operand) -> Operand:
        text, low, high = signed(a, s)
        if b.constant is not None:
            k = b.constant % n
            return int_of(f"{text} >> {k}", m, low >> k, high >> k, a)
        return int_of(f"{text} >> ({_loose(b)} & {n - 1})", m, min(low, 0), max(high, 0), a, b)

    return shr_s


def _rot(left: bool) -> Callable[[str], Rule]:
    def family(name: str) -> Rule:
        n, m, _ = _width(name)

        def rot(a: Operand, b: Operand) -> Operand:
            if b.constant is None:
                return _call(name, a, b)
            k = b.constant % n if left else -b.constant % n
            first, again = (a.text, a.text) if a.atom and a.canonical else (f"(x := {a.value})", "x")
            return int_of(f"{first} << {k} | {again} >> {n - k}", m, 0, m << k, a)

        return rot

    return family


def _compare(symbol: str, inverse: str, *, order: bool, sign: bool) -> Callable[[str], Rule]:
    def family(name: str) -> Rule:
        _, _, s = _width(name)

        def compare(a: Operand, b: Operand) -> Operand:
            left, right = a.part, b.part
            if order and sign:
                left, right = _signed_pair(a, b, s)
            return test_of(f"{left} {symbol} {right}", f"{left} {inverse} {right}", a, b)

        return compare

    return family


def _signed_pair(a: Operand, b: Operand, s: int) -> tuple[str, str]:
    """Two operands so that their order is the signed one."""
    (left, al, ah), (right, bl, bh) = signed(a, s), signed(b, s)
    plain_a, plain_b = (al, ah) != (-s, s - 1), (bl, bh) != (-s, s - 1)
    if b.constant is not None and not plain_a:
        return f"{a.part} ^ {s:#x}", hex(bl + s)
    if a.constant is not None and not plain_b:
        return hex(al + s), f"({b.part} ^ {s:#x})"
    if not plain_a and not plain_b:
        return f"{a.part} ^ {s:#x}", f"{b.part} ^ {s:#x}"
    return left, right


def _eqz(_name: str) -> Rule:
    def eqz(a: Operand) -> Operand:
        return test_of(a.untest, a.test, a)

    return eqz


def _div_u(symbol: str) -> Callable[[str], Rule]:
    def family(name: str) -> Rule:
        _, m, _ = _width(name)

        def rule(a: Operand, b: Operand) -> Operand:
            high = _interval(a)[1]
            if symbol == "%":
                high = min(high, max(_interval(b)[1] - 1, 0))
            return int_of(f"{a.part} {symbol} {b.part}", m, 0, high, a, b)

        return rule

    return family


def _div_s(symbol: str) -> Callable[[str], Rule]:
    """Division of signed numbers: of those known not to be negative it is Python's."""

    def family(name: str) -> Rule:
        _, m, s = _width(name)

        def rule(a: Operand, b: Operand) -> Operand:
            (al, ah), (bl, bh) = _interval(a), _interval(b)
            if ah < s and bh < s:
                return int_of(f"{a.part} {symbol} {b.part}", m, al if bl == bh == 1 else 0, ah, a, b)
            return _call(name, a, b)

        return rule

    return family


def _extend(bits: int) -> Callable[[str], Rule]:
    def family(name: str) -> Rule:
        _, m, _ = _width(name)
        s = 1 << bits - 1

        def extend(a: Operand) -> Operand:
            if a.form == Operand.INT and -s <= a.low and a.high < s:
                return int_of(a.text, m, a.low, a.high, a)
            return int_of(f"({_loose(a)} & {2 * s - 1:#x} ^ {s:#x}) - {s:#x}", m, -s, s - 1, a)

        return extend

    return family


def _extend_i32_s(a: Operand) -> Operand:
    text, low, high = signed(a, 1 << 31)
    return int_of(text, M64, low, high, a)


def _extend_i32_u(a: Operand) -> Operand:
    low, high = _interval(a)
    return int_of(a.value, M64, low, high, a)


def _wrap(a: Operand) -> Operand:
    if a.form != Operand.INT:
        return int_of(a.value, M32, 0, 1, a)
    return int_of(a.text, M32, a.low, a.high, a)


def _bits(text: str, low: int, high: int) -> Callable[[str], Rule]:
    """Bit counts; ``{a}`` stands for the operand."""

    def family(name: str) -> Rule:
        n, m, _ = _width(name)
        return lambda a: int_of(text.format(a=a.part, n=n), m, low, n if high < 0 else high, a)

    return family


def _f64(symbol: str) -> Rule:
    return lambda a, b: plain_of(f"{a.inner} {symbol} {b.inner}", a, b, form=Operand.NAN)


def _f64_div(a: Operand, b: Operand) -> Operand:
    if "(" in a.text or not a.atom:  # it would be evaluated after the divisor, and twice
        return _call("f64.div", a, b)
    return plain_of(f"{a.text} / y if (y := {b.text}) else o_f64_div({a.text}, y)", a, b, form=Operand.NAN)


def _f64_sqrt(a: Operand) -> Operand:
    return plain_of(f"sqrt(y) if (y := {a.text}) >= 0.0 else NAN", a)


def _float_compare(symbol: str) -> Rule:
    """Python's comparisons do not care which NaN it is."""
    return lambda a, b: test_of(f"{a.inner} {symbol} {b.inner}", "", a, b)


def _call(name: str, *operands: Operand) -> Operand:
    """A call of the operation's function."""
    text = f"{function_name(name)}({', '.join(o.value for o in operands)})"
    result = _RESULT[name]
    if result in "iI":
        m = M32 if result == "i" else M64
        made = int_of(text, m, 0, m, *operands)
    else:
        made = plain_of(text, *operands)
    made.atom = True
    return made


def function_name(name: str) -> str:
    """What the function of an operation is called in the source."""
    return "o_" + name.replace(".", "_")


_RESULT = {op.name: op.sig[1] for op in TABLE if op.sig is not None and op.name in OPERATIONS}

_INT_RULES: dict[str, Callable[[str], Rule]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "and": _and,
    "or": _or("|"),
    "xor": _or("^"),
    "shl": _shl,
    "shr_u": _shr_u,
    "shr_s": _shr_s,
    "rotl": _rot(left=True),
    "rotr": _rot(left=False),
    "eqz": _eqz,
    "eq": _compare("==", "!=", order=False, sign=False),
    "ne": _compare("!=", "==", order=False, sign=False),
    "lt_u": _compare("<", ">=", order=True, sign=False),
    "gt_u": _compare(">", "<=", order=True, sign=False),
    "le_u": _compare("<=", ">", order=True, sign=False),
    "ge_u": _compare(">=", "<", order=True, sign=False),
    "lt_s": _compare("<", ">=", order=True, sign=True),
    "gt_s": _compare(">", "<=", order=True, sign=True),
    "le_s": _compare("<=", ">", order=True, sign=True),
    "ge_s": _compare(">=", "<", order=True, sign=True),
    "div_u": _div_u("//"),
    "rem_u": _div_u("%"),
    "div_s": _div_s("//"),
    "rem_s": _div_s("%"),
    "extend8_s": _extend(8),
    "extend16_s": _extend(16),
    "extend32_s": _extend(32),
    "clz": _bits("{n} - {a}.bit_length()", 0, -1),
    "popcnt": _bits("{a}.bit_count()", 0, -1),
}

RULES: dict[str, Rule] = {
    **{f"i{n}.{name}": family(f"i{n}.{name}") for n in (32, 64) for name, family in _INT_RULES.items()},
    **{f"f64.{name}": _f64(symbol) for name, symbol in {"add": "+", "sub": "-", "mul": "*"}.items()},
    "f64.div": _f64_div,
    "f64.sqrt": _f64_sqrt,
    **{
        f"f{n}.{name}": _float_compare(symbol)
        for n in (32, 64)
        for name, symbol in {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}.items()
    },
    "i32.wrap_i64": _wrap,
    "i64.extend_i32_s": _extend_i32_s,
    "i64.extend_i32_u": _extend_i32_u,
}


def apply(name: str, operands: list[Operand]) -> Operand:
    """The operand that an instruction makes of others; a constant where all of them are."""
    if name in _RESULT and _RESULT[name] in "iI" and operands and all(o.constant is not None for o in operands):
        try:
            value = OPERATIONS[name](*(o.constant & o.mask for o in operands))  # type: ignore[operator]
        except Trap:
            return _call(name, *operands)
        return integer(int(value), M32 if _RESULT[name] == "i" else M64)
    rule = RULES.get(name)
    return rule(*operands) if rule is not None else _call(name, *operands)


def may_trap(name: str, operands: list[Operand]) -> bool:
    """Whether an instruction can trap on these operands."""
    if name not in TRAPPING:
        return False
    if ".trunc" in name:
        return True
    divisor = operands[1].constant
    return divisor is None or divisor == 0 or divisor == operands[1].mask
