"""Putting grates in Python over a cage, and telling them of the cages beneath (PY-1 … PY-3, PY-6).

A stack is a list of words: ``0``, ``1``, … name the grates of the run, ``%{`` and ``%}`` enclose the group of the grate
before it. A word of the stack can also stand where a program to exec would: that is how a grate in Python comes
between two programs that launch each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lindref.posix import processes, usermem
from lindref.posix.call import Arg, Call
from lindref.state.errors import StateError
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import abi, calls, lifecycle
from lindref.system.python import grate as grates
from lindref.system.python import plain
from lindref.system.python.context import Outside
from lindref.system.python.grate import Grate
from lindref.system.python.records import FIRST_CAGE, SCRATCH, SCRATCH_START, Attaching, GrateState, Recipe
from lindref.system.runtime import CageRuntime
from lindref.system.script_runner import ScriptRunner, ScriptState
from lindref.system.threads import Ready
from lindref.threei import tables
from lindref.threei.numbers import REGISTER_HANDLER, UNUSED

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import ImageRequest, Pending, Thread

#: How a stack's grate is named in a list of words to exec: this and its number in the run.
WORD = "%grate:"
OPEN, CLOSE = "%{", "%}"
EXECVE = 59

#: Classes that a saved state may have imported by their name.
_OURS = "lindref.grates."


# Grates as values.


def seal(grate: Grate) -> Recipe:
    """Fix a grate's attributes, and say what it is made of; raises ``GrateError`` for one that is no plain data."""
    if type(grate) is Grate:
        raise grates.GrateError("lindref.Grate is what grates derive from, and serves no call itself")
    space = {key: value for key, value in vars(grate).items() if key not in ("_sealed", "_context", "_call")}
    try:
        attributes = plain.freeze(space, "attributes")
    except plain.NotPlain:
        name, why = _culprit(space)
        raise grates.GrateError(f"{type(grate).__name__}.{name}: {why}") from None
    grate.__dict__.update(plain.thaw(attributes), _sealed=True)
    return Recipe(grates.class_name(type(grate)), attributes)


def _culprit(space: dict[str, Any]) -> tuple[str, str]:
    for name, value in space.items():
        try:
            plain.freeze(value, "an attribute of a grate")
        except plain.NotPlain as error:
            return name, str(error)
    raise AssertionError("one of them is no plain data")


def remake(recipe: Recipe) -> Grate:
    """The grate of a saved state; its class must have been imported, unless it is one of lindref's own: nothing that
    a file names is imported. Raises ``StateError``.
    """
    module, _, _ = recipe.name.partition(":")
    if recipe.name not in grates.CLASSES and module.startswith(_OURS) and module.replace(".", "").isidentifier():
        with suppress(ImportError):
            import_module(module)
    cls = grates.CLASSES.get(recipe.name)
    if cls is None:
        raise StateError(f"the state has a grate {recipe.name}: import its module before the state is gone on from")
    made = cls.__new__(cls)
    made.__dict__.update(plain.thaw(recipe.attributes), _sealed=True)
    return made


def outside(system: System, cage: int) -> Grate:
    """A grate as one sees it from outside a handler: its state can be read and changed."""
    found = system.python[cage]
    seen = type(found).__new__(type(found))
    seen.__dict__.update(vars(found), _context=Outside(system, cage), _call=None)
    return seen


# Attaching.


def begin(
    system: System,
    thread: Thread,
    words: Sequence[str],
    *,
    over: int = 0,
    image: ImageRequest | ScriptState | None = None,
    then: tuple[Any, ...] = (),
) -> None:
    """Put the stack ``words`` over cage ``over`` (``thread``'s own if not given); then ``thread`` runs ``image`` or
    makes the call ``then``.
    """
    _go_on(system, thread, Attaching(over or thread.cage, 0, (), tuple(words), image, then))


def _go_on(system: System, thread: Thread, plan: Attaching) -> None:
    """Register one after the other for as long as they are answered at once: a loop, since there are many."""
    if system.attaching is not None:
        system.attaching.append(plan)
        return
    answered = system.attaching = [plan]
    try:
        while answered:
            _next(system, thread, answered.pop())
    finally:
        system.attaching = None


def _next(system: System, thread: Thread, plan: Attaching) -> None:
    """The next registration, the next grate of the stack, or what comes after it."""
    while not plan.left and plan.words:
        word, rest = plan.words[0], plan.words[1:]
        plan = replace(plan, words=rest)
        if word == OPEN:
            plan = replace(plan, groups=(*plan.groups, plan.grate))
        elif word == CLOSE:
            hook(system, plan.groups[-1], "group_ended", plan.cage)
            plan = replace(plan, groups=plan.groups[:-1])
        else:
            cage = _new_grate(system, plan.cage, system.shelf[int(word)])
            cls = type(system.python[cage])
            plan = replace(plan, grate=cage, left=grates.numbers_of(cls, tuple(system.kernel.rows)))
    if plan.left:
        # As a forked child of a grate does it: self and target are the grate (3i.md 1.6).
        me = plan.grate
        pairs = ((plan.cage, plan.left[0]), (UNUSED, me), (plan.left[0], me), *((UNUSED, me),) * 3)
        request = abi.SyscallRequest(REGISTER_HANDLER, 0, me, me, tuple(Arg(*pair) for pair in pairs))
        calls.begin(system, thread, request, then="attach", memo=replace(plan, left=plan.left[1:]))
    elif isinstance(plan.image, ScriptState):
        thread.runner = ScriptRunner(plan.image, system.guest(thread.cage))
        thread.status = Ready()
    elif plan.image is not None:
        lifecycle.start_image(system, thread, plan.image)
    else:
        number, caller, target, args = plan.then
        calls.begin(system, thread, abi.SyscallRequest(number, 0, caller, target, args))


def registered(system: System, thread: Thread, pending: Pending, result: int) -> None:
    """A registration is back: go on."""
    plan = pending.memo
    assert isinstance(plan, Attaching)
    if result:
        name = grates.call_name(pending.args[0].cage)
        system.note(thread, f"grate {plan.grate} was not registered for {name}: {result}")
    _go_on(system, thread, plan)


def _new_grate(system: System, over: int, recipe: Recipe) -> int:
    """A cage for a grate: standard streams, some memory, and the table of the cage it comes over (PY-1)."""
    cage = FIRST_CAGE + len(system.grates)
    processes.stand_in(system.kernel, cage)
    system.tables = tables.put_over(system.tables, cage, over)
    runtime = CageRuntime(cage, "", (), (), serves=True)
    system.runtimes = system.runtimes.set(cage, runtime)
    system.new_memory(cage)
    values = (SCRATCH_START, SCRATCH * system.config.workers, lifecycle.PROT_READ_WRITE)
    mapping = (*values, lifecycle.FIXED_PRIVATE_ANONYMOUS, (1 << 64) - 1, 0)
    system.kernel.call(Call(lifecycle.MMAP, cage, 1, tuple(Arg(v, cage) for v in mapping)))
    system.grates = system.grates.set(cage, GrateState(cage, recipe))
    system.python[cage] = remake(recipe)
    _tell_born(system, cage, over, 0)
    return cage


def execs_word(system: System, thread: Thread, request: abi.SyscallRequest) -> bool:
    """Where a cage execs a word of the run's stack (PY-9): do what it says, then make the exec of the words behind it.
    False for every other call.
    """
    if request.number != EXECVE:
        return False
    path, argv = request.args[:2]
    text = usermem.cstring(system.kernel, path.value, 32)
    if text is None or not (text.startswith(WORD.encode()) or text == OPEN.encode()):
        return False
    word = OPEN if text == OPEN.encode() else text[len(WORD) :].decode("ascii", "replace")
    rest = usermem.copy_in(system.kernel, argv.value + 8, 8)
    known = word == OPEN or (word.isdigit() and int(word) < len(system.shelf))
    if not known or rest is None or not any(rest):
        return False
    args = (Arg(int.from_bytes(rest, "little"), path.cage), Arg(argv.value + 8, argv.cage), *request.args[2:])
    # It is the cage that goes on to the next word, past the grate that has just come over it.
    words = () if word == OPEN else (word,)
    begin(system, thread, words, over=request.target, then=(EXECVE, request.target, request.target, args))
    return True


# The cages beneath.


def born(system: System, parent: int, child: int) -> None:
    """A cage was forked: the grates over its parent are over it, unless its table says otherwise."""
    for cage, state in system.grates.items():
        if parent in state.cages:
            kept = replace(state, cages=state.cages.set(child, state.cages[parent]))
            system.grates = system.grates.set(cage, kept)
            hook(system, cage, "cage_born", child, parent)


def execed(system: System, cage: int, path: str) -> None:
    """A cage begins the program at ``path``: exec's, or the first of the run."""
    for grate, state in system.grates.items():
        if cage in state.cages:
            hook(system, grate, "cage_execed", cage, path)


def died(system: System, cage: int) -> None:
    """A cage has ended: what grates keep of it goes."""
    for grate, state in system.grates.items():
        if cage in state.cages:
            hook(system, grate, "cage_died", cage)
            state = system.grates[grate]
            system.grates = system.grates.set(grate, replace(state, cages=state.cages.remove(cage)))


def _tell_born(system: System, grate: int, cage: int, parent: int) -> None:
    state = system.grates[grate]
    system.grates = system.grates.set(grate, replace(state, cages=state.cages.set(cage, PMap())))
    hook(system, grate, "cage_born", cage, parent)


def hook(system: System, cage: int, name: str, *args: int | str) -> None:
    """Call a hook; what goes wrong in it is a note (PY-8)."""
    grate = outside(system, cage)
    try:
        getattr(grate, name)(*args)
    except Exception as error:  # noqa: BLE001  # the author's mistake is told, and the run goes on
        text = " ".join(str(error).split())
        grate.tell(f"{type(grate).__name__}.{name}: {type(error).__name__}: {text}")
