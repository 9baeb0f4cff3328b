"""Program images: modules as the system loads them, each decoded once, and how static ones are linked.

Rules ABI-1, ABI-6, LOAD-1; for dynamic modules (those with ``dylink.0``) see ``lindref.system.loader``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lindref import classes
from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.system.abi import EPOCH, HOST_FUNCTIONS, LIND
from lindref.vm.link import instantiate
from lindref.vm.memory import Memory
from lindref.vm.program import Program, program
from lindref.vm.store import Store, View
from lindref.vm.traps import Trap
from lindref.vm.values import Extern, HostFunc
from lindref.wasm.binary.decoder import decode
from lindref.wasm.errors import WasmError
from lindref.wasm.module import ExternKind, Import, Module
from lindref.wasm.sections import Dylink, dylink, module_name
from lindref.wasm.types import FuncType, GlobalType, MemoryType, NumType, TagType

PAGE = 4096
SLOT_GUARD = 4096
SLOT_STACK = 8 << 20
SLOTS = 32
#: Bytes of the workers' stack slots behind a static image's own memory (3I-GRATE-5).
ARENA_SIZE = SLOTS * (SLOT_GUARD + SLOT_STACK)


class ImageError(Exception):
    """A file that cannot be loaded as a program; one line."""


@record("system.blob")
class Blob:
    """A module's bytes as they were loaded."""

    data: bytes


@classes.frozen(eq=False)
class Image:
    """A loaded module. ``minimum`` is its declared minimum memory in bytes, a multiple of the page; ``dylink`` how it
    is laid out if it is position-independent (DYN-1)."""

    digest: str
    program: Program
    minimum: int
    dylink: Dylink | None = None

    @property
    def name(self) -> str:
        """Its own name, empty where it has none; read when asked for, as names of a large program are many."""
        return module_name(self.program.module)


@classes.define
class Images:
    """The modules loaded so far, by digest; ``blobs`` (by order of loading) is what a saved state carries."""

    blobs: PMap[Blob] = classes.field(factory=PMap)
    _images: dict[str, Image] = classes.field(factory=dict)
    _by_bytes: dict[bytes, Image] = classes.field(factory=dict)
    #: Digests of ``blobs``: others may be known from a future that was left again, or from another branch.
    _present: set[str] = classes.field(factory=set)

    def share(self) -> Images:
        """Another run's images: what is loaded already need not be loaded again."""
        return Images(self.blobs, self._images, self._by_bytes, set(self._present))

    def load(self, data: bytes) -> Image:
        """The image of a module's bytes; raises ``ImageError`` with what is wrong."""
        image = self._by_bytes.get(data)
        if image is None:
            try:
                image = _load(data)
            except WasmError as error:
                raise ImageError(str(error)) from None
            image = self._images.setdefault(image.digest, image)
            self._by_bytes[data] = image
        if image.digest not in self._present:
            self._present.add(image.digest)
            self.blobs = self.blobs.set(len(self.blobs), Blob(data))
        return image

    def __getitem__(self, digest: str) -> Image:
        """The image with a digest."""
        return self._images[digest]

    def __len__(self) -> int:
        return len(self._images)

    def programs(self) -> Mapping[str, Program]:
        """Programs by digest, for thawing stores."""
        return {digest: image.program for digest, image in self._images.items()}

    def restore(self, blobs: PMap[Blob]) -> None:
        """Load what a saved state carries, where it is not there yet."""
        self._present = {self.load(blob.data).digest for blob in blobs.values()}
        self.blobs = blobs


def _load(data: bytes) -> Image:
    """Decode, check the shell and the imports."""
    if data[:4] != b"\0asm":
        raise ImageError("not a wasm module (no \\0asm at its start)")
    module = decode(data)
    made = program(module)  # validates the shell: after this, indices mean something
    info = dylink(module)
    if info is not None and info.has_memory_info:
        return Image(module.digest, made, 0, info)
    _check_imports(module)
    memories = [i.desc for i in module.imported(ExternKind.MEMORY)]
    declared = [m for m in (*memories, *module.memories) if isinstance(m, MemoryType)]
    minimum = declared[0].limits.minimum * 65536 if declared else 0
    return Image(module.digest, made, minimum)


def _import_problem(module: Module, wanted: Import) -> str | None:
    """Why the host cannot offer an import, or nothing."""
    name = f"{wanted.module}.{wanted.name}"
    desc = wanted.desc
    match wanted.kind:
        case ExternKind.FUNC:
            offered = HOST_FUNCTIONS.get((wanted.module, wanted.name))
            assert isinstance(desc, int)
            if offered is None:
                return f"unknown import {name}"
            actual = module.func_type(desc)
            return None if actual == offered else f"import {name} has type {actual}, the host offers {offered}"
        case ExternKind.MEMORY:
            assert isinstance(desc, MemoryType)
            return None if desc.shared else f"import {name}: the memory must be shared"
        case ExternKind.TAG:
            assert isinstance(desc, TagType)
            longjmp = FuncType((NumType.I32,))
            fits = wanted.name == "__c_longjmp" and module.func_type(desc.type_index) == longjmp
            return None if fits else f"unknown import {name}"
        case ExternKind.GLOBAL:
            epoch = desc == GlobalType(NumType.I64, mutable=True) and (wanted.module, wanted.name) == (LIND, EPOCH)
            return None if epoch else f"unknown import {name}"
        case _:
            return f"unknown import {name}"


def _check_imports(module: Module) -> None:
    """ABI-1: every import that cannot be offered is named, in one line."""
    found = [p for p in (_import_problem(module, i) for i in module.imports) if p is not None]
    if found:
        raise ImageError("; ".join(found))


def link(image: Image, memory: Memory) -> tuple[Store, View]:
    """A new store with one instance of the image on ``memory``; its start function has not run.

    Raises ``ImageError`` for what linking or an active segment refuses.
    """
    store = Store()
    module = image.program.module
    imports: dict[tuple[str, str], Extern] = {}
    for wanted in module.imports:
        key = (wanted.module, wanted.name)
        desc = wanted.desc
        if isinstance(desc, int):
            imports[key] = HostFunc(wanted.module, wanted.name, module.func_type(desc))
        elif isinstance(desc, MemoryType):
            imports[key] = store.add_memory(memory)
        elif isinstance(desc, TagType):
            imports[key] = store.add_tag(image.program.types[desc.type_index])
        elif isinstance(desc, GlobalType):
            imports[key] = store.add_global(desc, 0)
    try:
        # The memory is a Lind memory of 65,536 pages whatever maximum the module declares (ABI-6).
        instance = instantiate(store, module, imports, any_memory=True)
    except WasmError as error:
        raise ImageError(str(error)) from None
    except Trap as trap:
        raise ImageError(f"instantiation: {trap.message}") from None
    return store, store.views[instance.number]
