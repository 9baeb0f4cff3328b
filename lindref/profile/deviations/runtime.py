"""What the gate and 3i do where the promise is an error."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "CALL-UNKNOWN",
        spec="a call number that nothing serves fails with ENOSYS",
        lind="the host process panics",
        evidence="3i.md 2.3; vectors 3i-reg.unknown_call.*",
    ),
    Deviation(
        "CAGE-MISSING",
        spec="a call that acts on a cage that does not exist fails with ESRCH",
        lind="the host process aborts",
        evidence="vectors 3i-meta.target.nonexistent, 3i-reg.exiting_self_call",
    ),
    Deviation(
        "PTR-FLAT",
        spec="a pointer into the memory of a cage that neither makes the call nor is named in it is EFAULT",
        lind="all cages' memories lie in one address space, and any of it can be named",
        evidence="rawposix.md 0 (handlers dereference host addresses, nothing is checked)",
    ),
    Deviation(
        "PTR-CRASH",
        spec="a pointer that leads nowhere is EFAULT wherever it is used",
        lind="pointers that the host process dereferences itself (paths, structures) end it with a segmentation fault",
        evidence="rawposix.md 0; vectors stat.stat.nullbuf, path.unmapped.*, pipe.basic.null",
    ),
    Deviation(
        "3I-MISSING",
        spec="a call without a handler fails: ENOSYS without a row, ESRCH where the row's grate is gone",
        lind="the runtime panics",
        evidence="3i.md 2.3, 10",
    ),
    Deviation(
        "3I-LOST",
        spec="a call that fails comes back to its caller",
        lind=(
            "a panic in a call of 3i takes only the thread that made it: without notice, so its cage never ends and "
            "the host never exits. Unless the row was empty, the tables stay locked: every later call panics too"
        ),
        evidence="3i.md 2.9, 10 (PoisonError); vector 3i-reg.dereg_then_call_child",
    ),
    Deviation(
        "3I-WILD",
        spec="a call whose handler was registered for a cage beneath all grates (777777, 888888, 999999) is ENOSYS",
        lind="the runtime jumps to the address that was registered: a segmentation fault",
        evidence="3i.md 2.4; seen of the real runtime, with addresses 0 and 64 in each of the three",
    ),
    Deviation(
        "3I-RUNTIME-TABLE",
        spec="what completes fork, exec and the ends of threads and cages is the runtime's own affair",
        lind=(
            "it is rows 56, 59 and 60 of a table for cage 777777, which is as open as any: whoever registers there "
            "gets every fork, exec and exit in place of the runtime, and nothing comes of them; without a row the host "
            "aborts"
        ),
        evidence="3i.md 2.2, 2.4; seen of the real runtime, registering and removing each of the three",
    ),
    Deviation(
        "DEBUG-PANIC",
        spec="a program that asks for a panic (debug-panic) traps, with its text",
        lind="the runtime panics, as for a call that nobody serves",
        evidence="3i.md 1.1, 7.4; seen of the real runtime, in cage 1, in a child, in a handler",
    ),
    Deviation(
        "3I-FORKED-GRATE",
        spec="a call to a cage that was forked and has not exec'd, or is dynamic, fails with ESRCH",
        lind="the runtime aborts: such a cage has no workers",
        evidence="3i.md 3.1, 10",
    ),
    Deviation(
        "3I-ANY-CAGE",
        spec="a cage names as self itself and its descendants, as target also the caller that it serves (CAP-1)",
        lind="self and target are not compared with the cage that makes the call",
        evidence="3i.md 1.5; vectors 3i-reg.self_spoof.*, 3i-meta.target.*",
    ),
    Deviation(
        "3I-ANY-OWNER",
        spec="arguments belong to the cage, its descendants, or cages named in the calls that it serves (CAP-2)",
        lind="any cage can be named as the owner of an argument",
        evidence="3i.md 1.5; vectors 3i-meta.argcage.*",
    ),
    Deviation(
        "3I-ANY-ROW",
        spec="what an ancestor imposed on a cage cannot be shed by registering (CAP-3)",
        lind="any cage may register any handler for any cage",
        evidence="3i.md 2.4",
    ),
    Deviation(
        "3I-ANY-TABLE",
        spec="what an ancestor imposed on a cage cannot be shed by copying a table (CAP-4)",
        lind="any table may be copied over any other",
        evidence="3i.md 2.5, 10 (copying an uninterposed cage's table restores RawPOSIX)",
    ),
    Deviation(
        "3I-ANY-MEMORY",
        spec="memory is copied between kin, and of cages named in the calls being served (CAP-5)",
        lind="memory is copied between any two cages",
        evidence="3i.md 3.5 (thiscage and targetcage play no role in permission)",
    ),
    Deviation(
        "3I-DATA-NULL",
        spec="copying to a null destination is refused as every other bad address",
        lind="the runtime panics: allocation of a destination is not supported",
        evidence="3i.md 3.5, 10",
    ),
    Deviation(
        "CTORS-AGAIN",
        spec="constructors run once, when the program starts",
        lind="in a static program they run again at every delivered signal and grate call, and twice for a thread",
        evidence="loader.md 1.2",
    ),
    Deviation(
        "GRATE-ROTATION",
        spec="a grate has as many workers as serve at once, up to its limit; the one free the longest serves next",
        lind="all that it may have are made before it starts, and take turns: calls one after the other run on stack "
        "after stack",
        evidence="loader.md 5; 3i.md 3.2",
    ),
    Deviation(
        "UNWIND-WORDS",
        spec="fork, making a thread and ending one leave the caller's memory alone",
        lind="they leave two words at the low end of its stack: where its saved frames would begin, and its stack "
        "pointer",
        evidence="loader.md 6.1",
    ),
    Deviation(
        "GRATE-WORKER-TLS",
        spec="each worker of a grate has thread-local storage of its own",
        lind="the TLS base of all workers is 0",
        evidence="loader.md 5",
    ),
)
