"""A script as C: a program that makes the same calls and prints what each returned.

It compiles with ``lindref cc`` (``--grate`` for one with handlers), with Lind's own tool chain, and, where it makes no
calls of 3i, natively. Each program of the script is a file of its own; ``files`` gives them by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lindref.conformance.scripts.c_prelude import BEGIN, GATE, MEMORY, NATIVE, NOTED
from lindref.conformance.vectors import observe
from lindref.conformance.vectors.model import Vector

#: What keeps the results of a handler's steps apart from those of others.
_OWN_RESULTS = """\
    (void)own, (void)v, (void)cage;
    const int64_t *shared = result;
    int64_t result[RESULTS];
    memcpy(result, shared, sizeof result);
"""
#: Tries of a millisecond each after which what is waited for does not come.
_PATIENCE = 5000


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
        self.arguments = False

    def text(self) -> str:
        """The file."""
        handlers = self.program.get("handlers", {})
        on_signal = self.program.get("sighandlers", {})
        for slot, steps in handlers.items():
            body = "\n".join(self.steps(steps, 1))
            head = f"static int handler_{slot}(uint64_t own, const uint64_t *v, const uint64_t *cage)"
            self.functions.append(f"{head}\n{{\n{_OWN_RESULTS}{body}\n    return 0;\n}}\n")
        for slot, steps in on_signal.items():
            body = "\n".join(self.steps(steps, 1))
            self.functions.append(f"static void on_signal_{slot}(void)\n{{\n{body}\n}}\n")
        cases = "".join(f"    case {slot}:\n        on_signal_{slot}();\n        break;\n" for slot in on_signal)
        main = "\n".join(self.steps(self.program["steps"], 1))
        size = f"#define RESULTS {max(len(self.numbers), 1)}\n"
        prelude = BEGIN + GATE + NATIVE + size + MEMORY
        words = "static char **words;\nstatic int word_count;\n" if self.arguments else ""
        parts = [prelude, words, *self.functions, NOTED % cases, self._entry(handlers)]
        head, start = "void", ""
        if self.arguments:
            head, start = "int argc, char **argv", "    words = argv;\n    word_count = argc;\n"
        return "\n".join(filter(None, parts)) + f"\nint main({head})\n{{\n{start}{main}\n    return 0;\n}}\n"

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
                return f"address(result[{self.number(what[0])}] + {plus})"
            if kind == "guest":
                return f"address({what & 0xFFFFFFFF})"
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
                yield f'show("{step["id"]}", signal_count, 0, 1,'
                yield "     (const unsigned char *const[]){(unsigned char *)signals}, (int[]){4 * signal_count});"
                if step.get("clear"):
                    yield "signal_count = 0;"
            case "untilsig":
                yield from self._until(step, f"signal_count >= {step['count']}")
            case "until":
                yield from self._until(step, f"number({self.pointer(step['at'])}, 8) == {self.value(step['value'])}")
            case "argv":
                yield from self._argv(step)
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
                yield f'show("{step["id"]}", (int64_t)own, 0, 2, (const unsigned char *const[]){{(unsigned char *)v,'
                yield "     (unsigned char *)cage}, (int[]){48, 48});"
            case op:
                raise AssertionError(f"a step that no vector may have: {op}")

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
            stop = f" && (!tries || {place} >= 0)" if step.get("stop_on_error") else ""
            yield "{"
            yield "    int tries;"
            yield f"    for (tries = 0; tries < {many}{stop}; tries++)"
            yield f"        {place} = {made}; /* {step.get('name', step['n'])} */"
            for line in self._shown(step, place, "tries"):
                yield f"    {line}"
            yield "}"
        else:
            yield f"{place} = {made}; /* {step.get('name', step['n'])} */"
            yield from self._shown(step, place, str(int("repeat" in step)))

    def _shown(self, step: Mapping[str, Any], value: str, tries: str = "0") -> Iterator[str]:
        """Tell a result and what the step looks at."""
        place = f"result[{self.number(step['id'])}]"
        if value != place:
            yield f"{place} = {value};"
        dumps = step.get("dump", ())
        places = [self.pointer(how["at"]) for how in dumps]
        lengths = [self._length(how["len"]) for how in dumps]
        destination = observe.destination_of(step)
        if destination is not None:
            places.insert(0, f"(unsigned char *)&(uint64_t){{{self.value(destination)}}}")
            lengths.insert(0, "8")
        if not places:
            yield f'show("{step["id"]}", {place}, {tries}, 0, NULL, NULL);'
            return
        yield f'show("{step["id"]}", {place}, {tries}, {len(places)},'
        yield f"     (const unsigned char *const[]){{{', '.join(places)}}}, (int[]){{{', '.join(lengths)}}});"

    def _length(self, given: Any) -> str:
        return f"(int)result[{self.number(given['res'])}]" if isinstance(given, dict) else str(given)

    def _fork(self, step: Mapping[str, Any]) -> Iterator[str]:
        number, code = step.get("exit") or (231, 0)
        place = f"result[{self.number(step['id'])}]"
        yield f"{place} = fork();"
        yield f"if ({place} < 0)"
        yield f"    {place} = -errno;"
        yield f"if ({place} == 0) {{"
        if not step.get("nosync"):
            yield "    wait_for_parent();"
        yield from self.steps(step["child"], 1)
        yield f"    call({number}, (uint64_t[6]){{{self.value(code)}, 1}});"
        yield "}"
        yield from self._shown(step, place)

    def _until(self, step: Mapping[str, Any], condition: str) -> Iterator[str]:
        yield f"for (int tries = 0; tries < {_PATIENCE} && !({condition}); tries++)"
        yield "    usleep(1000);"
        yield from self._shown(step, condition)

    def _argv(self, step: Mapping[str, Any]) -> Iterator[str]:
        """Arguments, and then what is in the environment; how many there are of the first is the result."""
        self.arguments = True
        many = "word_count + env" if step.get("env") else "word_count"
        yield "{"
        if step.get("env"):
            yield "    int env = 0;"
            yield "    while (environ && environ[env])"
            yield "        env++;"
        yield f"    const unsigned char *texts[{many} + 1];"
        yield f"    int lengths[{many} + 1];"
        yield f"    for (int i = 0; i < {many}; i++) {{"
        word = "i < word_count ? words[i] : environ[i - word_count]" if step.get("env") else "words[i]"
        yield f"        texts[i] = (unsigned char *)({word});"
        yield "        lengths[i] = strlen((const char *)texts[i]);"
        yield "    }"
        yield f'    show("{step["id"]}", word_count, 0, {many}, texts, lengths);'
        yield "}"

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
        for line in self._shown(step, f"sigaction({number}, &action, NULL) < 0 ? -errno : 0"):
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
