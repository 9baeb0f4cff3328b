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
    return Case(
        f"{prefix}.{guest.folder.name}",
        guest.title,
        program=program,
        needs=frozenset(needs),
        expected={SPEC.name: (shown,), LIND.name: ({**shown, "stdout": guest.stdout_as_recorded()},)},
        unfit={LIND.name: guest.lind_skip} if guest.lind_skip else {},
    )


def _guests(wanted: Wanted) -> list[Case]:
    del wanted
    root = folder("conformance") / "guests"
    try:
        return [guest_case(load_guest(path.parent), "guests") for path in sorted(root.glob("*/expected.json"))]
    except GuestBuildError as error:
        raise SuiteError(str(error)) from None


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
        Case(f"modules.{seed}", "calls of a generated module", calls=calls_from(seed))
        for seed in range(wanted.seed, wanted.seed + wanted.count)
    ]


def script_case(vector: Vector) -> Case:
    """A generated script as a case."""
    ops = {step["op"]: step for step in all_steps(vector)}
    needs = {feature for op, feature in _NEEDS.items() if op in ops}
    return Case(f"scripts.{vector.id}", vector.about, script=vector, needs=frozenset(needs))


#: Features that steps need.
_NEEDS = {"call3i": "grates", "fork": "fork", "thread": "threads", "sigaction": "signals"}

SUITES: Mapping[str, Suite] = {
    "guests": Suite("programs in C with known output", _guests),
    "scripts": Suite("generated scripts of calls (--count, --seed)", _scripts),
    "modules": Suite("generated wasm modules (--count, --seed)", _modules),
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
