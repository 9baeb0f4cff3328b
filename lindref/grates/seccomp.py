"""A filter of calls, from a file of rules.

    lindref run --grate lindref.grates.seccomp:Seccomp,rules=rules.txt app.wasm

A line is ``allow PATTERN…`` or ``deny PATTERN… [ERRNO]`` (``deny unlink* rename EROFS``), patterns as in a shell, ``#``
begins a comment. The first line with a pattern for a call decides; where none has one, ``otherwise`` does.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import lindref
from lindref.posix import errno


class Seccomp(lindref.Grate):
    """Calls that are denied fail and go no further."""

    def __init__(self, rules: str = "", otherwise: str = "allow") -> None:
        lines = Path(rules).read_text(encoding="utf-8").splitlines() if rules else []
        parsed = [parse(f"{rules}:{n}", line) for n, line in enumerate(lines, 1)]
        self.rules = tuple(rule for rule in parsed if rule is not None)
        if otherwise not in ("allow", "deny"):
            raise ValueError(f"otherwise={otherwise}: allow or deny")
        self.otherwise = 0 if otherwise == "allow" else errno.EPERM

    def any_call(self, call: lindref.Served) -> int:
        """Pass on what may pass."""
        failure = self.judge(call.name)
        return -failure if failure else self.forward()

    def judge(self, name: str) -> int:
        """0 for a call that may pass, else how it fails."""
        for patterns, failure in self.rules:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return int(failure)
        return self.otherwise


def parse(where: str, line: str) -> tuple[tuple[str, ...], int] | None:
    """A rule: its patterns, and the errno of what it denies (0: it allows); ``None`` for an empty line."""
    words = line.partition("#")[0].split()
    if not words:
        return None
    verb, *patterns = words
    if verb not in ("allow", "deny"):
        raise ValueError(f"{where}: {verb!r} is neither allow nor deny")
    failure = 0 if verb == "allow" else errno.EPERM
    if verb == "deny" and patterns and patterns[-1].isupper():
        failure = getattr(errno, patterns.pop(), 0)
        if not failure:
            raise ValueError(f"{where}: no error is called {words[-1]}")
    if not patterns:
        raise ValueError(f"{where}: no call is named")
    return tuple(patterns), failure
