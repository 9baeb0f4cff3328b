"""The suites: lists of cases by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lindref import classes
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.resources import folder
from lindref.conformance.vectors.image import all_steps
from lindref.conformance.vectors.model import Vector, VectorError, load
from lindref.guest.build_guests import Guest, load_guest
from lindref.guest.toolchain import GuestBuildError
from lindref.profile import LIND, SPEC

#: Where recorded vectors are looked for when nobody says where they are.
VECTORS = "LINDREF_VECTORS"


class SuiteError(Exception):
    """A suite that cannot be had; one line."""


@classes.frozen
class Wanted:
    """What of a suite is wanted: ``vectors`` are files or folders, ``count`` and ``seed`` say how many generated
    cases there are and which.
    """

    vectors: tuple[str, ...] = ()
    count: int = 100
    seed: int = 0


@classes.frozen
class Suite:
    """A suite: what it is, and what gives its cases."""

    about: str
    cases: Callable[[Wanted], list[Case]]


def guest_case(guest: Guest, prefix: str) -> Case:
    """A guest as a case: its own expectation in both profiles."""
    shown = {"stdout": guest.stdout, "stderr": guest.stderr, "status": guest.exit_status}
    grates = tuple(program.name for program in guest.programs if program.grate)
    needs = {"grates"} if grates else set()
    if any(program.kind != "static" for program in guest.programs if program.name in guest.argv):
        needs.add("dynamic")
    program = Program(
        guest.folder,
        guest.argv,
        guest.env,
        guest.stdin.encode(),
        {program.name: program.sources for program in guest.programs} if guest.native else {},
        grates,
    )
    either = guest.outcomes or (shown,)
    return Case(
        f"{prefix}.{guest.folder.name}",
        guest.title,
        program=program,
        needs=frozenset(needs),
        rules=guest.rules,
        expected={SPEC.name: either, LIND.name: guest.outcomes or ({**shown, "stdout": guest.stdout_as_recorded()},)},
        unfit={LIND.name: guest.lind_skip} if guest.lind_skip else {},
        many=len(either) > 1,
        cell=guest.cell,
    )


def _guests(wanted: Wanted) -> list[Case]:
    del wanted
    return _guests_of(folder("conformance") / "guests", "guests")


def vector_case(vector: Vector) -> Case:
    """A vector as a case."""
    return Case(f"vectors.{vector.id}", vector.about, script=vector)


def _vectors(wanted: Wanted) -> list[Case]:
    places = wanted.vectors or tuple(word for word in (os.environ.get(VECTORS),) if word)
    if not places:
        raise SuiteError(f"suite vectors: say where they are (--vectors PATH, or ${VECTORS})")
    from lindref.conformance.vectors.command import find

    try:
        return [vector_case(vector) for path in find(places) for vector in load(Path(path))]
    except VectorError as error:
        raise SuiteError(str(error)) from None


def _scripts(wanted: Wanted) -> list[Case]:
    """Generated scripts: those of ``count`` seeds from ``seed`` on."""
    from lindref.conformance.scripts.generate import script

    return [script_case(script(seed)) for seed in range(wanted.seed, wanted.seed + wanted.count)]


def _modules(wanted: Wanted) -> list[Case]:
    """Generated modules: those of ``count`` seeds from ``seed`` on."""
    from lindref.conformance.modules.calls import calls_from

    return [
        Case(f"modules.{seed}", "calls of a generated module", calls=calls_from(seed), rules=_OF_MODULES)
        for seed in range(wanted.seed, wanted.seed + wanted.count)
    ]


#: What a module is about: that it is read, how it reckons, that whatever it does is an outcome.
_OF_MODULES = ("MACH-1", "MACH-5", "MACH-7")


def script_case(vector: Vector) -> Case:
    """A generated script as a case."""
    ops = {step["op"]: step for step in all_steps(vector)}
    needs = {feature for op, feature in _NEEDS.items() if op in ops}
    return Case(f"scripts.{vector.id}", vector.about, script=vector, needs=frozenset(needs))


#: Features that steps need.
_NEEDS = {"call3i": "grates", "fork": "fork", "thread": "threads", "sigaction": "signals"}


def _guests_of(root: Path, prefix: str) -> list[Case]:
    try:
        return [guest_case(load_guest(path.parent), prefix) for path in sorted(root.glob("*/expected.json"))]
    except GuestBuildError as error:
        raise SuiteError(str(error)) from None


def _matrix(name: str, cells: str) -> Callable[[Wanted], list[Case]]:
    """The programs of a matrix."""

    def programs(wanted: Wanted) -> list[Case]:
        del wanted
        found = _guests_of(folder("conformance") / "matrices", name)
        return [case for case in found if case.cell.startswith(cells)]

    return programs


#: Guests that are programs of some size.
REAL = ("brainfuck", "calculator", "life", "search_trees", "select_server", "sha256", "sort_numbers", "word_count")


def _functional(wanted: Wanted) -> list[Case]:
    """FUNC-001 plain programs, which show the same natively; FUNC-002 a call each with all kinds of arguments;
    FUNC-003 programs of some size."""
    from lindref.conformance.scripts.generate import about_call, callable_names

    out = []
    for case in _guests(wanted):
        name = case.id.removeprefix("guests.")
        if case.program is not None and case.program.sources:
            cell = "FUNC-003" if name in REAL else "FUNC-001"
            out.append(classes.evolve(case, id=f"functional.{cell}.{name}", cell=cell))
    out += [case for case in _guests_of(folder("conformance") / "matrices", "functional") if case.cell == "FUNC-003"]
    for name in callable_names():
        made = script_case(about_call(name, wanted.seed))
        out.append(classes.evolve(made, id=f"functional.FUNC-002.{name}", cell="FUNC-002"))
    return out


SUITES: Mapping[str, Suite] = {
    "guests": Suite("programs in C with known output", _guests),
    "scripts": Suite("generated scripts of calls (--count, --seed)", _scripts),
    "modules": Suite("generated wasm modules (--count, --seed)", _modules),
    "functional": Suite("matrix FUNC: native equality, arguments of every call, real programs", _functional),
    "isolation": Suite("matrix ISO: memory, descriptors, buffers, paths, grates", _matrix("isolation", "ISO")),
    "concurrency": Suite("matrix CONC: races, references, conservation, exhaustion", _matrix("concurrency", "CONC")),
    "vectors": Suite("recorded scripts of calls (--vectors PATH)", _vectors),
}


def cases(names: Sequence[str], wanted: Wanted, only: Sequence[str] = ()) -> list[Case]:
    """The cases of suites whose ids match one of ``only`` (all without any). Raises ``SuiteError``."""
    found: list[Case] = []
    for name in dict.fromkeys(names):
        suite = SUITES.get(name)
        if suite is None:
            raise SuiteError(f"no suite {name!r} (one of {', '.join(SUITES)})")
        found += suite.cases(wanted)
    for glob in only:
        if not any(fnmatchcase(case.id, glob) for case in found):
            raise SuiteError(f"--only {glob}: no case is called so")
    return [case for case in found if not only or any(fnmatchcase(case.id, glob) for glob in only)]
