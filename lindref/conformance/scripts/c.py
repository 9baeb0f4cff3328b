"""A script as C: a program that makes the same calls and prints what each returned.

It compiles with ``lindref cc`` (``--grate`` for one with handlers), with Lind's own tool chain, and, where it makes no
calls of 3i, natively. Each program of the script is a file of its own; ``files`` gives them by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lindref.conformance.vectors.model import Vector

_PRELUDE = """\
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define UNUSED 0xDEADBEEFDEADBEEFULL
#ifdef __wasm__
#include <lind_syscall.h>
static uint64_t self(void) { return lind_get_cage_id(); } /* getpid is a call, which a grate may serve */
__attribute__((unused)) static uint64_t place(const void *p) { return lind_host_address(p); }
__attribute__((unused)) static int64_t call3i(uint64_t n, uint64_t me, uint64_t target, const uint64_t *a,
                                              const uint64_t *c)
{
    return make_threei_call(n, 0, me, target, a[0], c[0], a[1], c[1], a[2], c[2], a[3], c[3], a[4], c[4], a[5], c[5],
                            0);
}
static int64_t call(uint64_t n, const uint64_t *a)
{
    uint64_t me = self(), c[6] = {me, me, me, me, me, me};
    return call3i(n, me, me, a, c);
}
#else
#include <errno.h>
#include <sys/syscall.h>
static uint64_t self(void) { return getpid(); }
__attribute__((unused)) static uint64_t place(const void *p) { return (uintptr_t)p; }
__attribute__((unused)) static int64_t call(uint64_t n, const uint64_t *a)
{
    uint64_t v[6];
    for (int i = 0; i < 6; i++)
        v[i] = a[i] == UNUSED ? 0 : a[i];
    if (n == 14) /* the size of a set of signals is an argument here */
        v[3] = 8;
    long found = syscall(n == 78 ? 217 : n == 35 ? 230 : (long)n, v[0], v[1], v[2], v[3], v[4], v[5]);
    return found < 0 ? -errno : found;
}
#endif

__attribute__((unused)) static unsigned char buffer[15 * 8192 + 262144] __attribute__((aligned(4096)));
static int64_t result[%(steps)d];
static int signals[1000], signal_count;

__attribute__((unused)) static uint64_t number(const unsigned char *at, int width)
{
    uint64_t value = 0;
    memcpy(&value, at, width);
    return value;
}

static void show(const char *step, int64_t value, int count, const unsigned char *const *at, const int *length)
{
    char line[8192];
    int end = snprintf(line, sizeof line, "%%d %%s = %%lld", (int)self(), step, (long long)value);
    for (int i = 0; i < count; i++) {
        line[end++] = ' ';
        for (int k = 0; k < length[i] && end < 8000; k++)
            end += snprintf(line + end, 3, "%%02x", at[i][k]);
    }
    line[end++] = '\\n';
    /* not write, which a grate may stand in the way of */
    if (writev(2, &(struct iovec){.iov_base = line, .iov_len = end}, 1) != end)
        _exit(99);
}
"""

_NOTED = """\
static int slots[65];

__attribute__((unused)) static void noted(int sig)
{
    signals[signal_count++] = sig;
    switch (slots[sig]) {
%(cases)s    default:
        break;
    }
    signals[signal_count++] = -sig;
}
"""


def files(vector: Vector) -> dict[str, str]:
    """The C files: ``main.c``, and one for each other program."""
    return {f"{name}.c": _Source(name, program).text() for name, program in vector.programs.items()}


def text(vector: Vector) -> str:
    """All files in one text, each under its name."""
    found = files(vector)
    if len(found) == 1:
        return found["main.c"]
    return "\n".join(f"/* ---- {name} ---- */\n{body}" for name, body in found.items())


class _Source:
    """A program's source: functions for lists of steps, then main."""

    def __init__(self, name: str, program: Mapping[str, Any]) -> None:
        self.name = name
        self.program = program
        self.numbers: dict[str, int] = {}
        self.functions: list[str] = []
        self.threads = 0
        self.handler = False

    def text(self) -> str:
        """The file."""
        handlers = self.program.get("handlers", {})
        on_signal = self.program.get("sighandlers", {})
        self.handler = True
        for slot, steps in handlers.items():
            body = "\n".join(self.steps(steps, 1))
            head = f"static int handler_{slot}(uint64_t own, const uint64_t *v, const uint64_t *cage)"
            self.functions.append(f"{head}\n{{\n    (void)own, (void)v, (void)cage;\n{body}\n    return 0;\n}}\n")
        self.handler = False
        for slot, steps in on_signal.items():
            body = "\n".join(self.steps(steps, 1))
            self.functions.append(f"static void on_signal_{slot}(void)\n{{\n{body}\n}}\n")
        cases = "".join(f"    case {slot}:\n        on_signal_{slot}();\n        break;\n" for slot in on_signal)
        noted = _NOTED % {"cases": cases}
        main = "\n".join(self.steps(self.program["steps"], 1))
        entry = self._entry(handlers)
        prelude = _PRELUDE % {"steps": max(len(self.numbers), 1)}
        parts = [prelude, *self.functions, noted, entry]
        return "\n".join(part for part in parts if part) + f"\nint main(void)\n{{\n{main}\n    return 0;\n}}\n"

    @staticmethod
    def _entry(handlers: Mapping[str, Any]) -> str:
        """What the runtime calls in a grate: registrations name slots, not functions."""
        if not handlers:
            return ""
        cases = "".join(f"    case {slot}:\n        return handler_{slot}(own, v, c);\n" for slot in handlers)
        params = ", ".join(f"uint64_t v{k}, uint64_t c{k}" for k in range(6))
        values, owners = (", ".join(f"{sign}{k}" for k in range(6)) for sign in "vc")
        return (
            f"int pass_fptr_to_wt(uint64_t slot, uint64_t own, {params})\n{{\n"
            f"    const uint64_t v[6] = {{{values}}}, c[6] = {{{owners}}};\n"
            f"    switch (slot) {{\n{cases}    default:\n        __builtin_trap();\n    }}\n}}\n"
        )

    def number(self, step: str) -> int:
        """The place of a step's result."""
        return self.numbers.setdefault(step, len(self.numbers))

    # Values.

    def value(self, given: Any) -> str:
        """A value as an expression of 64 bits."""
        if isinstance(given, list):
            return self.value(given[0])
        if isinstance(given, int):
            return f"{given & (1 << 64) - 1}ULL"
        if given == "self":
            return "self()"
        if given in ("own", "unused"):
            return "own" if given == "own" else "UNUSED"
        ((kind, what),) = given.items()
        match kind:
            case "str" | "hexstr":
                return f"place({self.pointer(given)})"
            case "buf" | "guest":
                return f"place({self.pointer(given)})"
            case "at":
                return f"place({self.pointer(given)})"
            case "bufaddr" | "straddr":
                inner = {"buf": what} if kind == "bufaddr" else {"str": what}
                return f"(uint64_t)(uintptr_t){self.pointer(inner)}"
            case "res":
                plus = what[1] if len(what) > 1 else 0
                return f"(uint64_t)(result[{self.number(what[0])}] + {plus})"
            case "i32":
                return f"(uint64_t)(int32_t)number({self.pointer({'buf': what})}, 4)"
            case "u32" | "u64":
                return f"number({self.pointer({'buf': what})}, {4 if kind == 'u32' else 8})"
            case "harg":
                return f"v[{what - 1}]"
            case "hcage":
                return f"cage[{what - 1}]"
            case _:
                return f"({self.value(what)} | 1ULL << 63)"

    def pointer(self, given: Any) -> str:
        """A place in the program's own memory as a pointer."""
        if isinstance(given, dict):
            ((kind, what),) = given.items()
            if kind in ("str", "hexstr", "straddr"):
                data = bytes.fromhex(what) if kind == "hexstr" else what.encode()
                return f"(unsigned char *){_literal(data)}"
            if kind in ("buf", "bufaddr"):
                return f"(buffer + {8192 * what[0] + (what[1] if len(what) > 1 else 0)})"
            if kind == "at":
                plus = what[1] if len(what) > 1 else 0
                return f"(unsigned char *)(uintptr_t)(uint32_t)(result[{self.number(what[0])}] + {plus})"
            if kind == "guest":
                return f"(unsigned char *)(uintptr_t){what & 0xFFFFFFFF}ULL"
        return f"(unsigned char *)(uintptr_t){self.value(given)}"

    # Steps.

    def steps(self, steps: Sequence[Mapping[str, Any]], depth: int) -> Iterator[str]:
        """The statements of a list."""
        pad = "    " * depth
        for step in steps:
            for line in self.step(step):
                yield pad + line

    def step(self, step: Mapping[str, Any]) -> Iterator[str]:
        """The statements of a step, without what they are indented by."""
        match step["op"]:
            case "call" | "call3i":
                yield from self._call(step)
            case "set":
                data = bytes.fromhex(step["hex"])
                yield f"memcpy({self.pointer(step['at'])}, {_literal(data)}, {len(data)});"
            case "put" | "poke":
                place, given = self.pointer(step["at"]), self.value(step["value"])
                yield f"memcpy({place}, &(uint64_t){{{given}}}, {step['width']});"
                if step["op"] == "poke":
                    yield from self._shown(step, "0")
            case "peek":
                yield from self._shown(step, f"(int64_t)number({self.pointer(step['at'])}, {step['width']})")
            case "fill":
                yield f"memset({self.pointer(step['at'])}, {step['byte']}, {step['len']});"
            case "fork":
                yield from self._fork(step)
            case "exit":
                yield f"call({step['n']}, (uint64_t[6]){{{self.value(step['code'])}, 1}});"
            case "thread":
                yield from self._thread(step)
            case "join":
                yield f"pthread_join(thread_{step['slot']}, NULL);"
                yield from self._shown(step, "0")
            case "sigaction":
                yield from self._sigaction(step)
            case "siglog":
                yield f'show("{step["id"]}", signal_count, 1,'
                yield "     (const unsigned char *const[]){(unsigned char *)signals}, (int[]){4 * signal_count});"
                if step.get("clear"):
                    yield "signal_count = 0;"
            case "untilsig":
                yield f"while (signal_count < {step['count']})"
                yield "    usleep(1000);"
                yield from self._shown(step, "1")
            case "until":
                yield f"while (number({self.pointer(step['at'])}, 8) != {self.value(step['value'])})"
                yield "    usleep(1000);"
                yield from self._shown(step, "1")
            case "sleep":
                yield f"usleep({1000 * step['ms']});"
            case "dump":
                yield from self._shown(step, "0")
            case "eval":
                yield from self._shown(step, f"(int64_t){self.value(step['value'])}")
            case "add":
                yield f"__atomic_add_fetch((uint64_t *){self.pointer(step['at'])}, {self.value(step['value'])}, 5);"
            case "ifeq" | "ifmem":
                yield from self._choice(step)
            case "return":
                yield f"return (int){self.value(step['value'])};"
            case "hargs":
                yield f'show("{step["id"]}", (int64_t)own, 2, (const unsigned char *const[]){{(unsigned char *)v,'
                yield "     (unsigned char *)cage}, (int[]){48, 48});"
            case op:
                yield f"/* {op}: not in C */"

    def _call(self, step: Mapping[str, Any]) -> Iterator[str]:
        args = list(step["args"]) if step["op"] == "call" else [value for value, _ in step["pairs"]]
        values = [self.value(arg) for arg in [*args, *["unused"] * (6 - len(args))]]
        given = f"(uint64_t[6]){{{', '.join(values)}}}"
        made = f"call({step['n']}, {given})"
        if step["op"] == "call3i":
            owners = [cage for _, cage in step["pairs"]]
            owners = [self.value(cage) for cage in [*owners, *["unused"] * (6 - len(owners))]]
            ends = f"{self.value(step['self'])}, {self.value(step['target'])}"
            made = f"call3i({step['n']}, {ends}, {given}, (uint64_t[6]){{{', '.join(owners)}}})"
        place = f"result[{self.number(step['id'])}]"
        many = step.get("repeat", 1)
        if many > 1:
            stop = f" && ({place} >= 0 || !i)" if step.get("stop_on_error") else ""
            yield f"for (int i = 0; i < {many}{stop}; i++)"
            yield f"    {place} = {made}; /* {step.get('name', step['n'])} */"
        else:
            yield f"{place} = {made}; /* {step.get('name', step['n'])} */"
        yield from self._shown(step, place)

    def _shown(self, step: Mapping[str, Any], value: str) -> Iterator[str]:
        place = f"result[{self.number(step['id'])}]"
        if value != place:
            yield f"{place} = {value};"
        dumps = step.get("dump", ())
        if not dumps:
            yield f'show("{step["id"]}", {place}, 0, NULL, NULL);'
            return
        places = ", ".join(self.pointer(how["at"]) for how in dumps)
        lengths = ", ".join(self._length(how["len"]) for how in dumps)
        yield f'show("{step["id"]}", {place}, {len(dumps)}, (const unsigned char *const[]){{{places}}},'
        yield f"     (int[]){{{lengths}}});"

    def _length(self, given: Any) -> str:
        return f"(int)result[{self.number(given['res'])}]" if isinstance(given, dict) else str(given)

    def _fork(self, step: Mapping[str, Any]) -> Iterator[str]:
        number, code = step.get("exit") or (231, 0)
        place = f"result[{self.number(step['id'])}]"
        yield f"{place} = fork();"
        yield f"if ({place} == 0) {{"
        yield from self.steps(step["child"], 1)
        yield f"    call({number}, (uint64_t[6]){{{self.value(code)}, 1}});"
        yield "}"
        yield from self._shown(step, place)

    def _thread(self, step: Mapping[str, Any]) -> Iterator[str]:
        self.threads += 1
        slot, name = step["slot"], f"thread_steps_{self.threads}"
        body = "\n".join(self.steps(step["steps"], 1))
        self.functions.append(f"static void *{name}(void *unused)\n{{\n{body}\n    return unused;\n}}\n")
        if f"static pthread_t thread_{slot};" not in self.functions:
            self.functions.insert(0, f"static pthread_t thread_{slot};")
        yield from self._shown(step, f"-pthread_create(&thread_{slot}, NULL, {name}, NULL)")

    def _sigaction(self, step: Mapping[str, Any]) -> Iterator[str]:
        handler = {"default": "SIG_DFL", "ignore": "SIG_IGN"}.get(step["handler"], "noted")
        number = self.value(step["sig"])
        yield "{"
        flags = self.value(step["flags"])
        yield f"    struct sigaction action = {{.sa_handler = {handler}, .sa_flags = (int){flags}}};"
        yield f"    memcpy(&action.sa_mask, &(uint64_t){{{self.value(step.get('mask', 0))}}}, 8);"
        if handler == "noted":
            yield f"    slots[{number}] = {step.get('slot') or 0};"
        for line in self._shown(step, f"sigaction({number}, &action, NULL)"):
            yield f"    {line}"
        yield "}"

    def _choice(self, step: Mapping[str, Any]) -> Iterator[str]:
        if step["op"] == "ifeq":
            condition = f"{self.value(step['a'])} == {self.value(step['b'])}"
        else:
            data = bytes.fromhex(step["hex"])
            condition = f"memcmp({self.pointer(step['at'])}, {_literal(data)}, {len(data)}) == 0"
        yield f"if ({condition}) {{"
        yield from self.steps(step.get("then") or (), 1)
        yield "} else {"
        yield from self.steps(step.get("else") or (), 1)
        yield "}"


def _literal(data: bytes) -> str:
    """Bytes as a string of C."""
    out = []
    for byte in data:
        sign = chr(byte)
        out.append(sign if 32 <= byte < 127 and sign not in '"\\?' else f"\\{byte:03o}")
    return '"' + "".join(out) + '"'
