"""``lindref root create``: lay out a folder that ``lindref run --root`` shows to guests (BOOT-6)."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

from lindref.arguments import USAGE, Arguments

#: Folders, with modes that differ from 755.
FOLDERS: dict[str, int] = {
    **dict.fromkeys("bin dev etc grates home lib root sbin usr usr/bin usr/lib usr/lib/locale".split(), 0o755),
    **dict.fromkeys("usr/local usr/local/bin usr/share usr/share/zoneinfo var var/log var/run".split(), 0o755),
    **dict.fromkeys(("tmp", "var/tmp"), 0o1777),
}

#: Text files. ``dev/null`` is an ordinary file, as in the real root; a run shows the device in its place (ROOT-1).
FILES: dict[str, str] = {
    "dev/null": "",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/hostname": "lind\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "etc/resolv.conf": "nameserver 8.8.8.8\nnameserver 8.8.4.4\n",
    "etc/protocols": "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\n",
    "etc/services": "ftp 21/tcp\nssh 22/tcp\nsmtp 25/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp\nhttps 443/tcp\n",
    "etc/shells": "/bin/sh\n",
    "etc/timezone": "Etc/UTC\n",
}

#: Where the time zone lies: universal time.
ZONES = ("etc/localtime", "usr/share/zoneinfo/UTC")


def universal_time() -> bytes:
    """A time zone file (RFC 8536) that says UTC: a block for old readers, one for new ones, and the rule behind."""
    header = b"TZif2" + bytes(15) + struct.pack(">6I", 0, 0, 0, 0, 1, 4)
    block = struct.pack(">iBB", 0, 0, 0) + b"UTC\0"
    return header + block + header + block + b"\nUTC0\n"


def create(folder: Path, programs: list[Path], libraries: list[Path]) -> None:
    """Lay out ``folder``; what is there already stays. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, mode in FOLDERS.items():
        path = folder / name
        if not path.is_dir():
            path.mkdir()
            path.chmod(mode)
    for name, text in FILES.items():
        _write(folder / name, text.encode())
    for name in ZONES:
        _write(folder / name, universal_time())
    for source, target in [(p, folder / "bin") for p in programs] + [(lib, folder / "lib") for lib in libraries]:
        shutil.copyfile(source, target / source.name)
        (target / source.name).chmod(0o755)


def _write(path: Path, data: bytes) -> None:
    """A file that is not there yet."""
    if not path.exists() and not path.is_symlink():
        path.write_bytes(data)


def _kit_libraries() -> list[Path]:
    """The guest kit's shared libraries, built now if that has not been done and can be."""
    from lindref.guest.installed import installed_libraries
    from lindref.guest.kit import build_shared_kit
    from lindref.guest.toolchain import GuestBuildError, find_toolchain

    found = installed_libraries()
    if not found:
        try:
            build_shared_kit(find_toolchain())
        except GuestBuildError as missing:
            sys.stderr.write(f"lindref root: no libc.so for dynamic programs: {missing}\n")
        found = installed_libraries()
    return list(map(Path, found))


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    parser = Arguments(
        prog="lindref root",
        description="Lay out DIR as a root for `lindref run --root DIR`: folders, users, hosts, time zone, and libc.so "
        "for dynamic programs. What is in DIR already stays. PROGRAMs go to DIR/bin.",
        epilog="Example: lindref root create fs hello.wasm && lindref run --root fs bin/hello.wasm",
        allow_abbrev=False,
    )
    parser.add_argument("what", choices=["create"], metavar="create")
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("programs", metavar="PROGRAM", nargs="*", type=Path)
    parser.add_argument("--lib", metavar="FILE", action="append", type=Path, help="a library for DIR/lib (repeatable)")
    parser.add_argument("--no-libc", action="store_true", help="without the guest kit's libc.so")
    options = parser.parse_args(argv)
    given: list[Path] = options.lib or []
    kit = [] if options.no_libc else _kit_libraries()
    libraries = given + [path for path in kit if path.name not in {other.name for other in given}]
    try:
        create(options.folder, options.programs, libraries)
    except OSError as error:
        sys.stderr.write(f"lindref root: {error.filename or options.folder}: {error.strerror}\n")
        return USAGE
    return 0
