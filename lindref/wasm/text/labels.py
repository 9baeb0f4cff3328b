"""The labels open at a point of a body: names to depths and back, at a cost that does not grow with the nesting."""

from __future__ import annotations

from lindref import classes


@classes.define
class Labels:
    """Open blocks, innermost last; ``None`` for a block without a name. Inner names hide equal outer ones."""

    names: list[str | None] = classes.Factory(list)
    _where: dict[str, list[int]] = classes.Factory(dict)

    def push(self, name: str | None) -> None:
        """Enter a block."""
        if name is not None:
            self._where.setdefault(name, []).append(len(self.names))
        self.names.append(name)

    def pop(self) -> None:
        """Leave the innermost block."""
        name = self.names.pop()
        if name is not None:
            self._where[name].pop()

    def depth_of(self, name: str) -> int | None:
        """The relative depth that a name stands for."""
        where = self._where.get(name)
        return len(self.names) - 1 - where[-1] if where else None

    def name_at(self, depth: int) -> str | None:
        """The name that stands for a relative depth, if there is one."""
        if not 0 <= depth < len(self.names):
            return None
        name = self.names[-1 - depth]
        return name if name is not None and self.depth_of(name) == depth else None

    def __len__(self) -> int:
        return len(self.names)
