"""The six small programs written by hand in Python: the limit of the language, which the compiled tier is held to.

The same loops, and the same loads and stores on a bytearray; integers are masked where wasm's wrap; no builtin
stands in place of a loop. Each takes and gives what ``run`` of the wat file of its name does.
"""

from __future__ import annotations

from math import sqrt
from struct import Struct

_M32 = 0xFFFF_FFFF
_M64 = 0xFFFF_FFFF_FFFF_FFFF

_u32 = Struct("<I")
_load32, _store32 = _u32.unpack_from, _u32.pack_into
_store_u64 = Struct("<Q").pack_into
_f64 = Struct("<d")
_load64, _store64 = _f64.unpack_from, _f64.pack_into


def fib(n: int) -> int:
    """Double recursion."""
    # n < 2 as signed numbers
    if n < 2 or n >= 0x8000_0000:
        return n
    return fib((n - 1) & _M32) + fib((n - 2) & _M32) & _M32


def sieve(n: int) -> int:
    """How many primes there are below n."""
    memory = bytearray(65536)
    i = 0
    while True:
        _store_u64(memory, i, 0)
        i = (i + 8) & _M32
        if i >= n:
            break
    count = 0
    i = 2
    while True:
        if memory[i] == 0:
            count = (count + 1) & _M32
            j = (i + i) & _M32
            while j < n:
                memory[j] = 1
                j = (j + i) & _M32
        i = (i + 1) & _M32
        if i >= n:
            return count


def crc32(n: int) -> int:
    """CRC-32 with a table in memory."""
    memory = bytearray(2 * 65536)
    i = 0
    while True:
        c = i
        k = 8
        while True:
            c = c >> 1 ^ (0 - (c & 1) & 0xEDB88320)
            k = (k - 1) & _M32
            if k == 0:
                break
        _store32(memory, i << 2 & _M32, c)
        i = (i + 1) & _M32
        if i >= 256:
            break
    i = 0
    while True:
        memory[i + 1024] = i % 251
        i = (i + 1) & _M32
        if i >= n:
            break
    c = _M32
    i = 0
    while True:
        c = _load32(memory, ((c ^ memory[i + 1024]) & 255) << 2)[0] ^ c >> 8
        i = (i + 1) & _M32
        if i >= n:
            return c ^ _M32


def xorshift(n: int) -> int:
    """The sum of n pseudo-random numbers of 64 bits."""
    x = 88172645463325252
    total = 0
    while True:
        x = x ^ x << 13 & _M64
        x = x ^ x >> 7
        x = x ^ x << 17 & _M64
        total = (total + x) & _M64
        n = (n - 1) & _M32
        if n == 0:
            return total & _M32


def _body(memory: bytearray, a: int, x: float, y: float, vx: float, vy: float, mass: float) -> None:
    _store64(memory, a, x)
    _store64(memory, a + 8, y)
    _store64(memory, a + 16, vx)
    _store64(memory, a + 24, vy)
    _store64(memory, a + 32, mass)


def _pull(memory: bytearray, a: int, b: int, dt: float) -> None:
    dx = _load64(memory, a)[0] - _load64(memory, b)[0]
    dy = _load64(memory, a + 8)[0] - _load64(memory, b + 8)[0]
    d2 = dx * dx + dy * dy + 0.01
    mag = dt / (d2 * sqrt(d2))
    _store64(memory, a + 16, _load64(memory, a + 16)[0] - dx * _load64(memory, b + 32)[0] * mag)
    _store64(memory, a + 24, _load64(memory, a + 24)[0] - dy * _load64(memory, b + 32)[0] * mag)
    _store64(memory, b + 16, _load64(memory, b + 16)[0] + dx * _load64(memory, a + 32)[0] * mag)
    _store64(memory, b + 24, _load64(memory, b + 24)[0] + dy * _load64(memory, a + 32)[0] * mag)


def _move(memory: bytearray, a: int, dt: float) -> None:
    _store64(memory, a, _load64(memory, a)[0] + dt * _load64(memory, a + 16)[0])
    _store64(memory, a + 8, _load64(memory, a + 8)[0] + dt * _load64(memory, a + 24)[0])


def nbody(n: int) -> int:
    """n steps of three bodies in a plane."""
    memory = bytearray(65536)
    _body(memory, 0, 0.0, 0.0, 0.0, 0.0, 100.0)
    _body(memory, 48, 10.0, 0.0, 0.0, 3.0, 1.0)
    _body(memory, 96, 0.0, 20.0, -2.0, 0.0, 0.5)
    while True:
        _pull(memory, 0, 48, 0.01)
        _pull(memory, 0, 96, 0.01)
        _pull(memory, 48, 96, 0.01)
        _move(memory, 0, 0.01)
        _move(memory, 48, 0.01)
        _move(memory, 96, 0.01)
        n = (n - 1) & _M32
        if n == 0:
            return int(_load64(memory, 48)[0] * 1000000.0) & _M32


def _inc(x: int) -> int:
    return (x + 1) & _M32


def _turn(x: int) -> int:
    return (x << 5 | x >> 27) & _M32


def _flip(x: int) -> int:
    return x ^ 0x55AA


def _triple(x: int) -> int:
    return x * 3 & _M32


_TABLE = [_inc, _turn, _flip, _triple]


def indirect(n: int) -> int:
    """n rounds through a table of four functions."""
    x = 0
    while True:
        x = _TABLE[n & 3](x)
        n = (n - 1) & _M32
        if n == 0:
            return x
