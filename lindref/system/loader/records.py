"""What a load leaves behind, as values: the modules, the libraries opened by the program, and a load in progress."""

from __future__ import annotations

from lindref.state.records import record

MAIN = "main"
PRELOAD = "preload"
OPENED = "opened"


@record("loader.module")
class Loaded:
    """A module of a dynamic program.

    ``name`` is its own (name section), ``namespace`` what others import its functions from, ``role`` one of ``main``,
    ``preload``, ``opened``. ``needed`` are the modules (numbers in ``Linkage.modules``) that its ``dylink.0`` names.
    ``instance`` is its number in the store, -1 until it is there. ``functions`` and ``data`` are its exports with
    their table slots and addresses, empty until they are published; ``unseen`` those of them that dlsym does not find.
    """

    digest: str
    name: str
    namespace: str
    role: str
    path: bytes
    inode: int
    needed: tuple[int, ...] = ()
    instance: int = -1
    base: int = 0
    table_base: int = 0
    functions: tuple[tuple[str, int], ...] = ()
    data: tuple[tuple[str, int], ...] = ()
    unseen: tuple[str, ...] = ()


@record("loader.library")
class Library:
    """What ``dlopen`` gave out as ``handle``: module ``module`` (-1: the program as a whole), opened ``refs`` times.

    ``mode`` is what it was opened with. With ``refs`` 0 it is closed, unless it was never to be.
    """

    handle: int
    module: int
    refs: int
    mode: int


@record("loader.linkage")
class Linkage:
    """The modules of a program and how they hang together.

    ``published`` are the modules in the order in which their symbols became known; ``linked`` those whose functions
    can be imported. ``provided`` are the globals that the loader itself made: (module, name, number).
    ``handles`` counts the handles given; ``threaded`` says that the program ever made a thread.
    """

    modules: tuple[Loaded, ...]
    table: int
    memory: int
    tag: int
    provided: tuple[tuple[str, str, int], ...]
    published: tuple[int, ...] = ()
    linked: tuple[int, ...] = ()
    libraries: tuple[Library, ...] = ()
    handles: int = 0
    threaded: bool = False


@record("loader.step")
class LoadStep:
    """One thing to do: ``do`` names it (``steps.py``), ``module`` is a number in ``Linkage.modules``; ``name`` is the
    function to call, which must be there if ``must``."""

    do: str
    module: int = -1
    name: str = ""
    must: bool = False


@record("loader.job")
class Job:
    """A load in progress: what is left to do, and for ``dlopen`` which library it opens (-1: the program itself).

    The first of ``steps`` is being done: ``waits`` is ``"call"`` while a function of the module runs for it, ``"map"``
    while a mapping is asked for, of which ``answer`` is the result.
    """

    steps: tuple[LoadStep, ...]
    opens: int = -1
    mode: int = 0
    waits: str = ""
    answer: int | None = None


@record("loader.barrier")
class JobBarrier:
    """What the frame of a call made by a load remembers: how many loads were in progress, this one counted."""

    depth: int
