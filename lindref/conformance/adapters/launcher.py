"""Running the C of a script on Linux: in namespaces of its own, with its world as the root, as FORMAT.md has it.

A launcher in C does that, as a program of the host's could not come back from it: process ids begin anew, so that a
script cannot meet processes of others; root, or an identity that is root inside; 1,024 descriptors; umask 022.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lindref import classes
from lindref.conformance.adapters.furnished import furnished
from lindref.conformance.adapters.interface import NotApplicable
from lindref.conformance.scripts import printed
from lindref.conformance.scripts.c_prelude import CHANNEL
from lindref.conformance.vectors.model import Vector
from lindref.posix.table import NUMBERS

#: How C is compiled: it is to be right without a warning, and to need nothing from its root.
FLAGS = ("-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-pthread")
#: Seconds after which a run counts as one that never ends.
PATIENCE = 10.0
_NAMES_A_PROCESS = {NUMBERS["kill"]: 0, NUMBERS["wait4"]: 0, NUMBERS["getpgid"]: 0}
#: Calls whose structures Linux has otherwise.
_UNLIKE = frozenset(NUMBERS[name] for name in ("clone", "rt_sigaction", "prlimit64", "statfs", "fstatfs"))

LAUNCHER = f"""\
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int result, const char *what)
{{
    if (result < 0) {{
        perror(what);
        _exit(125);
    }}
}}

static void write_file(const char *path, const char *text)
{{
    int fd = open(path, O_WRONLY);
    must(fd, path);
    must(write(fd, text, strlen(text)), path);
    close(fd);
}}

/* launcher ROOT RECORD UID GID PROGRAM: the last line of RECORD says how it ended. */
int main(int argc, char **argv)
{{
    char map[64], end[64];
    int uid = geteuid(), gid = getegid(), status = 0, found, up;
    struct ifreq loopback = {{.ifr_name = "lo", .ifr_flags = IFF_UP}};
    if (argc != 6)
        return 125;
    if (uid != 0) {{
        must(unshare(CLONE_NEWUSER), "user namespace");
        snprintf(map, sizeof map, "0 %d 1", uid);
        write_file("/proc/self/uid_map", map);
        write_file("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %d 1", gid);
        write_file("/proc/self/gid_map", map);
    }}
    must(unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET), "namespaces");
    up = socket(AF_INET, SOCK_DGRAM, 0);
    must(up, "socket");
    must(sethostname("lind", 4), "host name");
    must(ioctl(up, SIOCSIFFLAGS, &loopback), "loopback interface");
    close(up);
    must(fcntl(open(argv[2], O_WRONLY | O_APPEND | O_CREAT, 0600), F_DUPFD, {CHANNEL}), argv[2]);
    pid_t init = fork();
    must(init, "fork");
    if (init) {{
        must(waitpid(init, &status, 0), "wait");
        return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
    }}
    must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    must(chroot(argv[1]), "chroot");
    must(chdir("/"), "chdir");
    must(setsid(), "setsid");
    umask(022);
    pid_t first = fork();
    must(first, "fork");
    if (!first) {{
        close_range(3, {CHANNEL} - 1, 0);
        must(setpgid(0, 0), "setpgid"); /* with a parent in another group: stop signals stop it, as they do a cage */
        must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){{1024, 1024}}), "setrlimit");
        must(setgid(atoi(argv[4])), "setgid");
        must(setuid(atoi(argv[3])), "setuid");
        execve(argv[5], (char *[]){{argv[5], NULL}}, (char *[]){{NULL}});
        perror(argv[5]);
        _exit(125);
    }}
    for (pid_t one; (one = waitpid(-1, &found, 0)) > 0;)
        if (one == first)
            status = found;
    if (WIFSIGNALED(status))
        snprintf(end, sizeof end, "ended signal %d\\n", WTERMSIG(status));
    else
        snprintf(end, sizeof end, "ended exit %d\\n", WEXITSTATUS(status));
    must(write({CHANNEL}, end, strlen(end)), "record");
    return 0;
}}
"""


@classes.frozen
class Played:
    """A script's run: what was seen, how it ended (as a shell tells it; ``None``: it did not), and what it wrote."""

    seen: dict[str, object]
    status: int | None
    stdout: bytes
    stderr: bytes


class Launcher:
    """The launcher, compiled into ``folder`` by the host's C compiler ``cc``. Raises ``OSError``, ``NotApplicable``."""

    def __init__(self, cc: Sequence[str], folder: Path) -> None:
        self.cc = tuple(cc)
        source, self.program = folder / "launcher.c", folder / "launcher"
        source.write_text(LAUNCHER)
        compiled(self.cc, source, self.program)

    def why_not(self, folder: Path) -> str:
        """Why it cannot run anything here, "" where it can: a first script, which calls nothing."""
        empty = Vector("first", "", [], {"main": {"steps": []}}, (), {})
        try:
            self.play(empty, folder)
        except NotApplicable as error:
            return str(error)
        return ""

    def play(self, vector: Vector, folder: Path, before: Sequence[str] = ()) -> Played:
        """Compile and run a script in ``folder``, as an argument of the words ``before``. Raises ``NotApplicable``."""
        reason = why_not(vector)
        if reason:
            raise NotApplicable(reason)
        record = folder / "record"
        root, programs = furnished(vector, folder)
        for source, program in programs:
            compiled(self.cc, source, program)
            program.chmod(0o755)
        uid, gid = vector.user or (0, 0)
        command = [*before, self.program, root, record, str(uid), str(gid), "/prog/main"]
        ran = _run(list(map(str, command)), folder)
        told = record.read_bytes() if record.is_file() else b""
        if ran is None:
            ended: tuple[str, int | None] = ("hang", None)
            out = err = b""
        else:
            failed, out, err = ran
            if failed:
                raise NotApplicable(f"scripts cannot be run here: {err.decode(errors='replace').strip()[-200:]}")
            _, how, number = told.splitlines()[-1].decode().split()
            ended = (how, int(number))
        seen = printed.observation(vector, printed.lines(told), ended, out, native=True)
        outcome, code = ended
        status = code + 128 if outcome == "signal" and code is not None else code
        return Played(seen, status, out, err)


def _run(command: list[str], folder: Path) -> tuple[int, bytes, bytes] | None:
    """Status and output; ``None`` where it did not end. Its input is a pipe that is at its end from the beginning."""
    empty, other = os.pipe()
    os.close(other)
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=empty,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,
        )
    finally:
        os.close(empty)
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # strace and the launcher: what strace let go of would go on
            process.communicate()
            return None
    return process.returncode, out, err


def compiled(cc: Sequence[str], source: Path, program: Path) -> None:
    """Compile a file of C. Raises ``NotApplicable`` where the compiler refuses."""
    done = subprocess.run(
        [*cc, *FLAGS, str(source), "-o", str(program)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[:200])
        raise NotApplicable(f"{source.name} does not compile here: {said}")


def why_not(vector: Vector) -> str:
    """Why a script is none for Linux, "" where it is one."""
    for place in printed.places(vector).values():
        step = place.step
        if step["op"] in ("call3i", "hargs") or place.kind == "handler":
            return "calls of 3i are not Linux's"
        if step["op"] != "call":
            continue
        if step["n"] in _UNLIKE:
            return f"{step.get('name', step['n'])}: Linux has other structures for it"
        named = step["args"][_NAMES_A_PROCESS[step["n"]]] if step["n"] in _NAMES_A_PROCESS and step["args"] else 0
        if isinstance(named, int) and 0 < named < MANY:
            return f"{step.get('name', step['n'])} names a process by its number"
    return ""


#: Process ids below this one may be those of a script's own processes.
MANY = 64

__all__ = ["Launcher", "Played", "compiled", "why_not"]
