"""How dynamic programs are loaded, and what dlopen does, where the recorded loader has ways of its own."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "DL-ORDER",
        spec="all modules of a load are in place and know each other before any of their constructors runs",
        lind="modules are loaded one by one, main last; one GOT cell a name for the whole cage, of whatever kind, "
        "keeps its first value; a module's imports see what was loaded before it",
        evidence="loader.md 2.2, 2.3, 2.4, 2.9, 3.1",
    ),
    Deviation(
        "DL-OVERLAP",
        spec="the function table begins with 2 elements that stay null, and main's",
        lind="it has as many elements as main needs, but main's begin at 2: the last two lie over the first library's",
        evidence="loader.md 2.5",
    ),
    Deviation(
        "DL-SLOTS",
        spec="a function has one table slot, so one address",
        lind="every export of every module gets a slot of its own, beside the one it may have as an element; "
        "an exported thread-local variable counts as data",
        evidence="loader.md 2.3 f, 2.4",
    ),
    Deviation(
        "DL-HIGH",
        spec="libraries lie below 2 GiB, so that the address of a data symbol is a result that dlsym can give",
        lind="they lie at the top of memory: libc takes the address for an error",
        evidence="loader.md 3.2",
    ),
    Deviation(
        "DL-NAMES",
        spec="modules of one name, and symbols defined twice, are no error: the first definition holds",
        lind="a second module of the same name, or a main that defines what a library has defined, ends the host",
        evidence="loader.md 2.2, 2.3, 3.1",
    ),
    Deviation(
        "DL-NEEDED",
        spec="libraries that a module names as needed are loaded with it, and searched with it",
        lind="they are not looked at",
        evidence="loader.md 2.1",
    ),
    Deviation(
        "DL-STATIC",
        spec="dlopen fails in a static program",
        lind="it ends the host",
        evidence="3i.md 4.11",
    ),
    Deviation(
        "DL-THREADS",
        spec="a program with threads can open libraries, and all its threads have them",
        lind="dlopen ends the host once a thread was made; what is opened or closed is each thread's own affair",
        evidence="loader.md 3.1, 4",
    ),
    Deviation(
        "DL-REPLAY",
        spec="a forked child and a new thread have the same links as their creator",
        lind="the opened libraries are linked anew: calls between them work that did not before, and go to the library "
        "opened last",
        evidence="loader.md 3.1",
    ),
    Deviation(
        "DL-NULL",
        spec="dlopen of a null pointer is the program itself",
        lind="the name is read at address 0",
        evidence="loader.md 3.1",
    ),
    Deviation(
        "DL-FOLDERS",
        spec="a name without a slash that is not in the working directory is looked for in /lib and /usr/lib",
        lind="a name is a path from the working directory",
        evidence="loader.md 3.1",
    ),
    Deviation(
        "DL-MODES",
        spec="RTLD_NOLOAD is honoured, and opening a library again can make its symbols global",
        lind="only the mode of the first dlopen counts, and of it RTLD_GLOBAL and RTLD_NODELETE",
        evidence="loader.md 3.1",
    ),
    Deviation(
        "DL-CLOSE",
        spec="a bad or closed handle is an error; a library opened again after its last dlclose is the one there",
        lind="dlclose always succeeds, dlsym says that there is no such symbol; opening the library again ends "
        "the host",
        evidence="loader.md 3.1, 3.2, 3.3",
    ),
    Deviation(
        "DL-FAILED",
        spec="a library whose constructor trapped is not open",
        lind="dlopen fails, but the handle and the symbols stay, and the next dlopen gives them",
        evidence="loader.md 3.1",
    ),
    Deviation(
        "DL-NEXT",
        spec="dlsym(RTLD_NEXT) looks at the modules after the caller's",
        lind="it ends the host",
        evidence="loader.md 3.2",
    ),
    Deviation(
        "DL-DEFAULT",
        spec="dlsym(RTLD_DEFAULT) looks at main, its libraries, and those opened with RTLD_GLOBAL",
        lind="only at those opened with RTLD_GLOBAL",
        evidence="loader.md 3.2",
    ),
)
