"""Identifiers and what they stand for (spec §6.1): the index spaces of a module, locals and labels of a function."""

from __future__ import annotations

import enum
from collections.abc import Callable

from lindref import classes
from lindref.wasm.module import ExternKind
from lindref.wasm.names import Names
from lindref.wasm.text.cursor import Cursor
from lindref.wasm.text.labels import Labels
from lindref.wasm.text.strings import id_name
from lindref.wasm.types import BlockType, FuncType, RecGroup, SubType


class Space(enum.Enum):
    """The index spaces of a module; the value is the word in ``duplicate …`` messages."""

    TYPE = "type"
    FUNC = "func"
    TABLE = "table"
    MEMORY = "memory"
    GLOBAL = "global"
    TAG = "tag"
    ELEM = "elem"
    DATA = "data"


#: The words of ``unknown …`` messages, where they differ.
_UNKNOWN = {Space.FUNC: "function", Space.ELEM: "elem segment", Space.DATA: "data segment"}

#: Keyword of a definition, import or export -> its index space and kind.
EXTERN = {
    "func": (Space.FUNC, ExternKind.FUNC),
    "table": (Space.TABLE, ExternKind.TABLE),
    "memory": (Space.MEMORY, ExternKind.MEMORY),
    "global": (Space.GLOBAL, ExternKind.GLOBAL),
    "tag": (Space.TAG, ExternKind.TAG),
}


def _index(cursor: Cursor, find: Callable[[str], int | None], what: str) -> int:
    """Take an index: a number, or an identifier that ``find`` knows; ``what`` it is to be is the word for errors."""
    start = cursor.pos
    text = cursor.texts[start]
    if text[:1] != "$" or not cursor.at_id():
        return cursor.unsigned(32)
    index = find(cursor.checked(id_name))
    if index is None:
        raise cursor.error(f"unknown {what} {text}", start)
    return index


@classes.define
class IndexSpace:
    """Names bound so far in one index space, and how many items it has."""

    what: Space
    size: int = 0
    names: dict[str, int] = classes.Factory(dict)

    def bind(self, cursor: Cursor) -> None:
        """Add one item, with the identifier that comes next if there is one."""
        start = cursor.pos
        name = cursor.optional_id()
        if name is not None:
            if name in self.names:
                raise cursor.error(f"duplicate {self.what.value} {cursor.texts[start]}", start)
            self.names[name] = self.size
        self.size += 1

    def read(self, cursor: Cursor) -> int:
        """Take an index: a number, or an identifier bound here."""
        return _index(cursor, self.names.get, _UNKNOWN.get(self.what, self.what.value))


def _spaces() -> dict[Space, IndexSpace]:
    return {space: IndexSpace(space) for space in Space}


@classes.define
class ModuleScope:
    """Everything identifiers of a module can stand for, and its types."""

    spaces: dict[Space, IndexSpace] = classes.Factory(_spaces)
    groups: list[RecGroup] = classes.Factory(list)
    types: list[SubType] = classes.Factory(list)
    name: str | None = None
    locals: dict[int, dict[int, str]] = classes.Factory(dict)
    labels: dict[int, dict[int, str]] = classes.Factory(dict)
    _plain: dict[FuncType, int] = classes.Factory(dict)  # plain function types -> the first index that is one

    def read(self, space: Space, cursor: Cursor) -> int:
        """Take an index of one space."""
        return self.spaces[space].read(cursor)

    def add_group(self, group: RecGroup) -> None:
        """Append a group to the type index space."""
        self.groups.append(group)
        if len(group.members) == 1:
            (member,) = group.members
            if member.final and not member.supers:
                self._plain.setdefault(member.comp, len(self.types))
        self.types.extend(group.members)

    def implicit(self, func: FuncType) -> int:
        """The index of a type that is just this function type; appended to the module if there is none."""
        index = self._plain.get(func)
        if index is None:
            index = len(self.types)
            self.add_group(RecGroup((SubType(func),)))
        return index

    def text_names(self) -> Names:
        """The identifiers as names."""
        inverse = {
            space: {index: name for name, index in bound.names.items()} for space, bound in self.spaces.items()
        }
        return Names(
            module=self.name,
            funcs=inverse[Space.FUNC],
            tables=inverse[Space.TABLE],
            memories=inverse[Space.MEMORY],
            globals=inverse[Space.GLOBAL],
            tags=inverse[Space.TAG],
            types=inverse[Space.TYPE],
            elems=inverse[Space.ELEM],
            datas=inverse[Space.DATA],
            locals=self.locals,
            labels=self.labels,
        )


@classes.define
class FuncScope:
    """The locals of the function being read, and the labels open at this point."""

    module: ModuleScope
    locals: dict[str, int] = classes.Factory(dict)
    local_count: int = 0
    labels: Labels = classes.Factory(Labels)
    label_names: dict[int, str] = classes.Factory(dict)
    blocks: int = 0

    def bind_local(self, cursor: Cursor) -> bool:
        """Bind the identifier that comes next, if there is one, to the next local; whether there was one."""
        start = cursor.pos
        name = cursor.optional_id()
        if name is None:
            return False
        if name in self.locals:
            raise cursor.error(f"duplicate local {cursor.texts[start]}", start)
        self.locals[name] = self.local_count
        return True

    def read_local(self, cursor: Cursor) -> int:
        """Take a local index."""
        return _index(cursor, self.locals.get, "local")

    def read_label(self, cursor: Cursor) -> int:
        """Take a label: a relative depth, or an identifier of an enclosing block."""
        return _index(cursor, self.labels.depth_of, "label")

    def open_label(self, name: str | None) -> None:
        """Enter a block with this label."""
        self.labels.push(name)
        if name is not None:
            self.label_names[self.blocks] = name
        self.blocks += 1


#: The block type ``[] -> []``.
EMPTY_BLOCK = BlockType()
