"""Path arguments and permissions: rules PATH-1 to PATH-12, PERM-1 to PERM-3."""

from __future__ import annotations

import pytest
from fileworld import AT_FDCWD, AUX, FIRST, NOWHERE, O_CREAT, O_DIRECTORY, O_PATH, Files
from hypothesis import given
from hypothesis import strategies as st
from world import IMAGE

from lindref.posix.result import RuntimeFault

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG = -2, -20, -40, -36


# Walking, against a walk over nested dictionaries.


class Node:
    """A file of a naive tree."""

    def __init__(self, parent: Node | None, link: str | None = None, folder: bool = False) -> None:
        self.parent = parent or self
        self.link = link
        self.children: dict[str, Node] | None = {} if folder else None
        self.inode = 0


class Barred(Exception):
    """The way is barred, with an error number."""


def walk(root: Node, start: Node, path: str, follow: bool, seen: list[int]) -> Node:
    """The node that ``path`` means; ``seen`` counts links in its only element."""
    here = root if path.startswith("/") else start
    parts = [part for part in path.split("/") if part]
    slash = path.endswith("/")
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if here.children is None:
            raise Barred(ENOTDIR)
        if part == ".":
            continue
        if part == "..":
            here = here.parent
            continue
        if part not in here.children:
            raise Barred(ENOENT)
        found = here.children[part]
        if found.link is not None and (not last or follow or slash):
            seen[0] += 1
            if seen[0] > 40:
                raise Barred(ELOOP)
            found = walk(root, here, found.link, True, seen)
        here = found
    if slash and here.children is None:
        raise Barred(ENOTDIR)
    return here


def flat(cwd: str, path: str) -> str:
    """``path`` as text without dots (PATH-LEXICAL)."""
    out: list[str] = []
    for part in (path if path.startswith("/") else cwd + "/" + path).split("/"):
        if part == "..":
            out = out[:-1]
        elif part not in ("", "."):
            out.append(part)
    made = "/" + "/".join(out)
    return made + "/" if path.endswith("/") and made != "/" else made


PART = st.sampled_from(["a", "b", "c", "d", ".", ".."])
PATH = st.builds(
    lambda root, parts, end: root + "/".join(parts) + end,
    st.sampled_from(["", "/", "//"]),
    st.lists(PART, min_size=1, max_size=5),
    st.sampled_from(["", "", "/", "//"]),
)
LETTERS = st.sampled_from("abcd")
STEP = st.tuples(st.sampled_from(["dir", "dir", "file", "link"]), st.lists(LETTERS, min_size=1, max_size=3), PATH)


@pytest.mark.parametrize("profile", ["spec", "lind"])
@given(st.lists(STEP, max_size=14), st.lists(PATH, min_size=1, max_size=10), st.lists(LETTERS, max_size=2))
def test_walks(profile, steps, paths, cwd):
    """PATH-4, PATH-5, PATH-8 to PATH-10: every path means what a naive walk says."""
    w = Files(profile)
    root = Node(None, folder=True)
    w.at("mkdir", "/r", 0o755)
    w.at("chdir", "/r", 0)
    base = "/r"
    for kind, parts, target in steps:
        here: Node | None = root
        for part in parts[:-1]:
            here = here.children.get(part) if here is not None and here.children is not None else None
        if here is None or here.children is None or parts[-1] in here.children:
            continue
        place = base + "/" + "/".join(parts)
        target = target.lstrip("/") or "."  # relative, so that the naive root is the real one's "r"
        if kind == "dir":
            assert w.at("mkdir", place, 0o755) == 0
        elif kind == "file":
            w.file(place)
        else:
            assert w.two("symlink", target, place) == 0
        node = Node(here, target if kind == "link" else None, folder=kind == "dir")
        node.inode = w.lstat(place)["st_ino"]
        here.children[parts[-1]] = node
    top = Node(None, folder=True)
    top.children["r"] = root
    root.parent, root.inode, top.inode = top, w.stat("/r")["st_ino"], w.stat("/")["st_ino"]
    start, name = root, "/r"
    for part in cwd:
        if start.children and part in start.children and start.children[part].children is not None:
            start, name = start.children[part], f"{name}/{part}"
    assert w.at("chdir", name) == 0
    for path in paths:
        path = "/r" + path if path.startswith("/") else path
        asked = path if profile == "spec" else flat(name, path)
        for call, follow in (("stat", True), ("lstat", False)):
            try:
                expected = walk(top, start, asked, follow, [0]).inode
            except Barred as barred:
                expected = barred.args[0]
            got = w.stat(path, call)
            assert (got if isinstance(got, int) else got["st_ino"]) == expected, (path, call)


@BOTH
def test_dots_at_links(profile):
    """PATH-5 and PATH-LEXICAL: `..` behind a link is the parent of what it means, or nothing but text."""
    w = Files(profile)
    w.at("mkdir", "/w/deep", 0o755)
    w.at("mkdir", "/w/deep/er", 0o755)
    w.file("/w/deep/here")
    w.file("/w/top")
    w.two("symlink", "/w/deep/er", "/w/l")
    expected = {"/w/l/../here": 0, "/w/l/../top": -2} if profile == "spec" else {"/w/l/../here": -2, "/w/l/../top": 0}
    for path, value in expected.items():
        assert w.at("access", path, 0) == value
    assert w.at("access", "/w/none/../top", 0) == (-2 if profile == "spec" else 0)
    assert w.at("access", "/w/top/.", 0) == (-20 if profile == "spec" else 0)


@BOTH
def test_the_root_is_its_own_parent(profile):
    """PATH-9."""
    w = Files(profile)
    for path in ("/..", "/../..", "/../w/.."):
        assert w.stat(path)["st_ino"] == w.stat("/")["st_ino"]


@BOTH
def test_chains_of_links(profile):
    """PATH-8: forty are followed."""
    w = Files(profile)
    w.file("/w/0")
    for n in range(1, 42):
        w.two("symlink", f"/w/{n - 1}", f"/w/{n}")
    assert w.at("access", "/w/40", 0) == 0
    assert w.at("access", "/w/41", 0) == ELOOP
    w.two("symlink", "x", "/w/x")
    assert w.at("access", "/w/x", 0) == ELOOP
    assert w.lstat("/w/x")["st_size"] == 1


@BOTH
def test_strings_that_cannot_be_read(profile):
    """PATH-1 and PTR-CRASH: NULL is EFAULT; elsewhere the recorded host dies; a NUL before the hole is enough."""
    w = Files(profile)
    assert w.do("access", 0, 0) == -14
    result = w.call("access", w.ptr(NOWHERE), 0)
    assert isinstance(result, RuntimeFault) if profile == "lind" else result.value == -14
    w.put(1, IMAGE - 3, b"/w\0")
    assert w.do("access", w.ptr(IMAGE - 3), 0) == 0


@BOTH
def test_lengths(profile):
    """PATH-2, PATH-6: 4095 bytes with the NUL behind, 255 for a name."""
    w = Files(profile)
    name = "n" * 255
    assert w.open("/w/" + name, O_CREAT) >= 0
    assert w.open("/w/" + name + "n", O_CREAT) == ENAMETOOLONG
    assert w.at("access", "/w/" + name + "n", 0) == ENAMETOOLONG
    longest = "/w" + "/" * (4095 - 2)
    assert w.at("access", longest, 0) == 0
    assert w.at("access", longest + "/", 0) == (ENAMETOOLONG if profile == "spec" else 0)
    assert w.at("access", "/x" * 2048, 0) == ENAMETOOLONG
    assert w.at("access", "/x" * 2047, 0) == ENOENT


@BOTH
def test_empty_paths(profile):
    """PATH-3 and PATH-EMPTY; AT_EMPTY_PATH means the descriptor."""
    w = Files(profile)
    assert w.at("access", "", 0) == (ENOENT if profile == "spec" else 0)
    fd = w.open("/w", O_DIRECTORY)
    assert w.do("newfstatat", fd, w.text(""), w.ptr(AUX), 0) == ENOENT
    assert w.do("newfstatat", fd, w.text(""), w.ptr(AUX), 0x1000) == 0


@BOTH
def test_bytes(profile):
    """PATH-12 and PATH-UTF8."""
    w = Files(profile)
    assert w.open(b"/w/\xff", O_CREAT) == (3 if profile == "spec" else -14)
    assert w.open("/w/é", O_CREAT) == (4 if profile == "spec" else 3)


@BOTH
def test_directories_to_begin_at(profile):
    """PATH-11 and DIRFD-ALWAYS, PATH-NULL-DIRFD."""
    w = Files(profile)
    w.at("mkdir", "/w/d", 0o755)
    w.file("/w/d/a")
    at = w.open("/w/d", O_DIRECTORY)
    only_path = w.open("/w/d", O_PATH)
    plain = w.open("/w/d/a")
    for fd, path, expected in (
        (at, "a", 0), (only_path, "a", 0), (at, "../d/a", 0), (plain, "a", ENOTDIR), (w.pipe()[0], "a", ENOTDIR),
        (99, "a", -9), (AT_FDCWD, "/w/d/a", 0), (at, "/w/d/a", 0), (plain, "/w/d/a", 0), (AT_FDCWD, "a", ENOENT),
        (99, "/w/d/a", 0 if profile == "spec" else -9),
    ):
        assert w.do("faccessat", fd, w.text(path), 0, 0) == expected, (fd, path)
    result = w.call("faccessat", at, 0, 0, 0)
    assert isinstance(result, RuntimeFault) if profile == "lind" else result.value == -14


@BOTH
def test_the_cage_beside_a_path(profile):
    """PATH-4: relative paths begin where that cage stands."""
    w = Files(profile)
    child = w.fork()
    assert w.at("chdir", "/w", cage=child) == 0
    w.file("/w/a")
    assert w.at("access", "a", 0, cage=child) == 0
    assert w.at("access", "a", 0) == ENOENT
    call = w.make("access", w.text("a"), 0)
    from lindref.posix.call import Arg, Call

    crossed = Call(call.number, 1, 1, (Arg(call.args[0].value, child), *call.args[1:]))
    assert w.kernel.call(crossed).value == 0


# Permissions.


@BOTH
def test_searching(profile):
    """PATH-7, PERM-1."""
    w = Files(profile)
    w.at("mkdir", "/w/d", 0o755)
    w.file("/w/d/a")
    w.at("chmod", "/w/d", 0o600)
    assert w.at("access", "/w/d/a", 0) == 0  # user 0
    w.as_user(4, 4)
    assert w.at("access", "/w/d/a", 0) == -13
    assert w.at("access", "/w/d", 0) == 0


@BOTH
@pytest.mark.parametrize(("uid", "gid", "shift"), [(10, 1, 6), (11, 20, 3), (11, 1, 0), (10, 20, 6)])
def test_classes(profile, uid, gid, shift):
    """PERM-1: the first class that fits decides, for every mode and wish."""
    w = Files(profile)
    w.file("/w/a")
    for mode in range(0, 0o1000, 7):
        w.as_user(0, 0)
        w.at("chown", "/w/a", 10, 20)
        w.at("chmod", "/w/a", mode)
        for wish in range(8):
            w.as_user(uid, gid)
            assert w.at("access", "/w/a", wish) == (-13 if wish & ~(mode >> shift) else 0)
            w.as_user(0, 0)
            assert w.at("access", "/w/a", wish) == (-13 if wish & 1 and not mode & 0o111 else 0)


@BOTH
def test_owners(profile):
    """PERM-2."""
    w = Files(profile)
    w.file("/w/a")
    w.at("chown", "/w/a", 10, 10)
    w.as_user(11, 10)
    assert w.at("chmod", "/w/a", 0o777) == -1
    w.as_user(10, 99)
    assert w.at("chmod", "/w/a", 0o777) == 0


@BOTH
def test_sticky_directories(profile):
    """PERM-3."""
    w = Files(profile)
    w.at("chmod", "/w", 0o1777)
    w.file("/w/a")
    w.at("chown", "/w/a", 10, 10)
    w.as_user(11, 11)
    assert w.at("unlink", "/w/a") == -1
    assert w.two("rename", "/w/a", "/w/b") == -1
    w.as_user(10, 10)
    assert w.two("rename", "/w/a", "/w/b") == 0
    assert w.at("unlink", "/w/b") == 0
    w.as_user(0, 0)
    w.at("chmod", "/w", 0o755)
    w.file("/w/a")
    w.as_user(10, 10)
    assert w.at("unlink", "/w/a") == -13
    assert w.text("", FIRST)
