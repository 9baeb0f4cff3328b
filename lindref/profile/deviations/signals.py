"""Signals and timers."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "SIG-QUEUE",
        spec="a signal that is pending already is not queued again; which of several is delivered first is open",
        lind="every signal is queued, and delivered first come first served",
        evidence="3i.md 5.2; vector sig.mask.queue",
    ),
    Deviation(
        "SIG-IGN-BLOCKS",
        spec="an ignored signal is as if never sent",
        lind="it is queued, interrupts waiting calls, and leaves its number blocked when it is delivered",
        evidence="vectors sig.action.ignored_then_handled, sig.eintr.ignored",
    ),
    Deviation(
        "SIG-TRIGGER",
        spec=(
            "a waiting call comes back for every signal that can be delivered; what ppoll's mask lets through is "
            "handled before the old mask is back"
        ),
        lind=(
            "it comes back for a trigger: set by sending a signal that is not blocked, by sigprocmask and sigsuspend "
            "that unblock a pending one and by exec, not by ppoll's mask; gone when the last one that can be delivered "
            "has been. ppoll puts the old mask back first: what that blocks stays pending, and the trigger interrupts "
            "all later waits"
        ),
        evidence="rawposix.md 5.2; 3i.md 5.4; conformance/README.md (beside the real runtime)",
    ),
    Deviation(
        "FORK-IN-HANDLER",
        spec="when a handler returns the mask is what it was before, in a child forked by the handler as in its parent",
        lind=(
            "a handler that has forked leaves the mask it ran with in the parent: its own number and its sa_mask stay "
            "blocked; the child goes on with the empty mask that fork gave it"
        ),
        evidence="seen of the real runtime: a handler with SIGHUP in its sa_mask, run with SIGUSR2 blocked, forks",
    ),
    Deviation(
        "SIG-LOST",
        spec="a signal that comes before a call waits is delivered, whenever it comes",
        lind=(
            "one that comes after the last look and before the host's call waits does not wake it: the call goes on "
            "waiting until another signal or what it waits for comes (a choice point, where threads switch before "
            "calls; calls that look again and again are not concerned)"
        ),
        evidence="rawposix.md 5.2 (inferred from the source: the wake is not sent again)",
    ),
    Deviation(
        "SIG-DEFAULT-FAULT",
        spec="a signal whose action became default-ignore while it was pending is dropped",
        lind="delivering it ends the host process",
        evidence="3i.md 5.4",
    ),
    Deviation(
        "SIG-KILL-MASK",
        spec="SIGKILL and SIGSTOP cannot be blocked",
        lind="they can",
        evidence="3i.md 5.7, 10",
    ),
    Deviation(
        "SIG-NO-RESTART",
        spec="SA_RESTART starts interrupted calls again (POSIX sigaction)",
        lind="EINTR always comes back",
        evidence="vector sig.eintr.read_restart",
    ),
    Deviation(
        "SIG-NO-STOP",
        spec="stop signals stop a cage until SIGCONT; its parent can wait for both",
        lind="they do nothing",
        evidence="3i.md 5.4; vectors sig.stop.*",
    ),
    Deviation(
        "SIGACTION-UNCHECKED",
        spec="sigaction refuses numbers outside 1 to 64, and changes nothing when it fails",
        lind="any number is accepted, and the old action is written first",
        evidence="vectors sig.action.query_0, sig.action.query_m1, sig.action.set_9",
    ),
    Deviation(
        "SIGPROCMASK-OLD-FIRST",
        spec="sigprocmask changes nothing when it fails",
        lind="the old mask is written even then",
        evidence="vectors sig.mask.how_3, sig.mask.how_m1",
    ),
    Deviation(
        "SIGPIPE-WRITE",
        spec="every transfer that fails with EPIPE raises SIGPIPE",
        lind="only write(2) does",
        evidence="vectors pipe.basic.epipe_writev, net.socketpair.epipe_sig",
    ),
    Deviation(
        "KILL-STRICT",
        spec="kill with signal 0 asks whether the cage exists, a zombie counts; pid -1 means all others",
        lind="signal 0 and negative ids are EINVAL; a zombie is ESRCH",
        evidence="vectors sig.kill.*",
    ),
    Deviation(
        "ITIMER-UNITS",
        spec="interval timers count microseconds, report the time left, and know three timers",
        lind=(
            "microseconds are taken as ns, the clock ticks every 20 ms, what was programmed is reported for "
            "ever with its part of a second in ms; timers other than ITIMER_REAL do nothing"
        ),
        evidence="3i.md 5.10; vectors time.itimer.*",
    ),
)
