"""Moves what follows a block to where control leaves the block for it.

So there are fewer Python loops, and ``br_table`` becomes a tree whose leaves are the cases themselves.

A compiler writes a switch as blocks within each other, one a case, with the ``br_table`` in the innermost. If a block's
end is reached by one branch only, what follows the block may stand in place of that branch; what is short may stand in
place of several.
"""

from __future__ import annotations

from typing import Any

from lindref.vm.compiled.layout import completes
from lindref.vm.compiled.nodes import Block, Branch, If, Label, Leave, Line, Loop, Switch, Try

#: Lines that may be written several times.
SHORT = 4

#: Where a branch stands: nothing may be moved there that a ``try`` would then protect, nothing long into a loop.
FREE, LOOPED, PROTECTED = range(3)


def sink(nodes: list[Any], end: Label | None = None) -> list[Any]:
    """The nodes rearranged; ``end`` is the label of the block that they end."""
    for k, node in enumerate(nodes):
        last = end if k == len(nodes) - 1 else None
        if isinstance(node, Block):
            node.body = sink(node.body, node.label)
        elif isinstance(node, Loop):
            node.body = sink(node.body)
        elif isinstance(node, If):
            node.then, node.other = sink(node.then, last), sink(node.other, last)
        elif isinstance(node, Switch):
            node.targets = [sink(target) for target in node.targets]
        elif isinstance(node, Try):
            node.body = sink(node.body)
    for k, node in enumerate(nodes):
        if isinstance(node, Block) and node.label.used and sink_rest(node, nodes[k + 1 :], end):
            return nodes[: k + 1]
    return nodes


def sink_rest(block: Block, rest: list[Any], end: Label | None) -> bool:
    """Moves what follows a block into it; false if that cannot be."""
    if completes(block.body):
        return False
    goes_on = completes(rest)
    if goes_on and end is None:
        return False
    moved = [*rest, Branch(end)] if goes_on and end is not None else rest
    places: list[tuple[list[Any], int]] = []
    _find(block.body, block.label, places, FREE)
    short = len(moved) <= SHORT and all(isinstance(node, Line | Branch | Leave) for node in moved)
    if not short and (len(places) != 1 or places[0][1]):
        return False
    if any(where == PROTECTED for _, where in places):
        return False
    if goes_on and end is not None:
        end.used = True
    for place, _ in places:
        place[-1:] = moved
    block.label.used = False
    return True


def _find(nodes: list[Any], label: Label, places: list[tuple[list[Any], int]], where: int) -> None:
    """The lists of nodes that end in a branch to the label, and where they stand."""
    for node in nodes:
        if isinstance(node, Branch):
            if node.label is label:
                places.append((nodes, where))
            del nodes[nodes.index(node) + 1 :]  # what comes behind is dead
            return
        if isinstance(node, If):
            _find(node.then, label, places, where)
            _find(node.other, label, places, where)
        elif isinstance(node, Block):
            _find(node.body, label, places, where)
        elif isinstance(node, Loop):
            _find(node.body, label, places, max(where, LOOPED))
        elif isinstance(node, Switch):
            for target in node.targets:
                _find(target, label, places, where)
        elif isinstance(node, Try):
            _find(node.body, label, places, PROTECTED)
            for _, caught in node.catches:
                _find(caught, label, places, PROTECTED)
