"""From a tree to lines of Python: wasm's blocks and branches as ``if``, ``while True``, ``break`` and ``continue``.

A branch forward is nothing at all where Python gets there by falling off the end of a suite; ``break`` where it leads
behind the innermost Python loop; otherwise the variable ``b`` is set to the label's number, the loops are left one
after the other, and what follows them looks at ``b``. A block is a ``while True`` that ends with ``break`` only where
the first will not do.

A loop is ``for _ in F``, which counts a tick a round; ``R`` gives back that of the first round, which is none.

A line that cannot be done again must not fail, not even where Python's stack is used up: then calls and comparisons do,
arithmetic with integers does not. So ``b`` is looked at by a subtraction.

With an *entry*, the function begins at the head of that loop: what comes before it is left out, and inside loops around
it is passed over once, while ``e`` is set.
"""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.vm.compiled.nodes import Block, Branch, If, Label, Leave, Line, Loop, Site, Switch, Try

#: Python allows 20 blocks within each other, and 100 levels of indentation.
MAX_LOOPS = 17
MAX_INDENT = 80


class Unfit(Exception):
    """A body that cannot be written down in this form."""


@classes.define(eq=False)
class Suite:
    """A Python loop that is being written: where ``break`` and ``continue`` lead; who passes through."""

    leads: frozenset[Label]
    again: Label | None = None
    passing: list[Label] = classes.field(factory=list)
    broken: bool = False
    """Whether there is a ``break`` that does not pass through."""


Text = tuple[int, str, Site | None]
NONE: frozenset[Label] = frozenset()


class Layout:
    """One tree on its way to text."""

    def __init__(self, nodes: list[Any], entry: int | None = None) -> None:
        self.lines: list[Text] = []
        self.suites: list[Suite] = []
        self.path: set[int] = set()
        self.gated = 0  # loops around the entry that are being written
        self.open: set[Label] = set()  # labels that one is inside of
        self.tries = 0  # Python's try statements that are being written
        self.entry: Loop | None = None
        if entry is not None:
            trail = find(nodes, entry)
            if trail is None:
                raise Unfit("no such loop")
            self.path = {id(node) for node in trail}
            self.entry = trail[-1]
        self.seq(nodes, 1, NONE)

    def emit(self, indent: int, text: str, site: Site | None = None) -> None:
        """A line."""
        if indent > MAX_INDENT:
            raise Unfit("too deep")
        self.lines.append((indent, text, site))

    def suite(self, nodes: list[Any], indent: int, fall: frozenset[Label]) -> bool:
        """As ``seq``, and never empty."""
        before = len(self.lines)
        goes_on = self.seq(nodes, indent, fall)
        if len(self.lines) == before:
            self.emit(indent, "pass")
        return goes_on

    def seq(self, nodes: list[Any], indent: int, fall: frozenset[Label]) -> bool:
        """Writes nodes; whether control comes to their end. Labels in ``fall`` are where that is."""
        nodes = self.to_path(nodes, indent)
        i = 0
        while i < len(nodes):
            node = nodes[i]
            i += 1
            if isinstance(node, Line):
                self.emit(indent, node.text, node.site)
                continue
            if isinstance(node, Leave):
                self.emit(indent, node.text, node.site)
                return False
            if isinstance(node, Branch):
                return self.goto(node.label, indent, fall)
            if isinstance(node, Switch):
                return self.switch(node, indent, fall)
            rest = nodes[i:]
            inner = NONE if rest else fall
            if isinstance(node, If):
                found = self.if_(node, rest, indent, fall)
            elif isinstance(node, Loop):
                found = self.loop(node, rest, indent, inner)
            elif isinstance(node, Try):
                found = self.try_(node, rest, indent, fall)
            else:
                found = self.block(node, rest, indent, inner)
            if isinstance(found, bool):
                return found
            nodes, i = found, 0
        return True

    # Branches.

    def goto(self, label: Label, indent: int, fall: frozenset[Label]) -> bool:
        """Goes to a label; as ``seq``."""
        if label in fall:
            return True
        top = self.suites[-1]
        if top.again is label:
            self.emit(indent, "continue")
        elif label in top.leads:
            top.broken = True
            self.emit(indent, "break")
        else:
            for suite in self.suites[self.home(label) :]:
                if label not in suite.passing:
                    suite.passing.append(label)
            self.emit(indent, f"b = {label.number}")
            self.emit(indent, "break")
        return False

    def home(self, label: Label) -> int:
        """How many Python loops are kept in a branch to a label."""
        for kept in range(len(self.suites), 0, -1):
            suite = self.suites[kept - 1]
            if suite.again is label or label in suite.leads:
                return kept
        return label.depth

    def switch(self, node: Switch, indent: int, fall: frozenset[Label]) -> bool:
        """``br_table`` as a tree of comparisons; over the number of the target where one stands in several places."""
        on_path = next((n for n, t in enumerate(node.targets) if any(id(inner) in self.path for inner in t)), None)
        if on_path is not None and not self.gated:
            return self.seq(node.targets[on_path], indent, fall)
        table = node.table
        starts = [i for i, n in enumerate(table) if not i or table[i - 1] != n]
        runs = [(i, table[i]) for i in starts]
        index = node.index
        if len(runs) > len(node.targets):
            runs = [(n, n) for n in range(len(node.targets))]
            index = f"{tuple(table)}[k] if (k := {index}) < {len(table)} else {table[-1]}"
        if on_path is not None:
            self.emit(indent, f"if e: k = {next(i for i, n in runs if n == on_path)}")
            self.emit(indent, f"else: k = {index}", node.site)
        elif len(runs) > 1 or "(" in index:
            self.emit(indent, f"k = {index}", node.site)
        path = self.path
        goes_on = self.tree(node, runs, on_path, indent, fall)
        if on_path is not None and path is self.path:
            self.path = set()
        return goes_on

    def tree(
        self, node: Switch, runs: list[tuple[int, int]], on_path: int | None, indent: int, fall: frozenset[Label]
    ) -> bool:
        """Chooses by ``k`` between runs of equal targets."""
        if len(runs) == 1:
            n = runs[0][1]
            if n == on_path or not self.path:
                return self.suite(node.targets[n], indent, fall)
            path, self.path = self.path, set()
            goes_on = self.suite(node.targets[n], indent, fall)
            self.path = path
            return goes_on
        middle = len(runs) // 2
        self.emit(indent, f"if k < {runs[middle][0]}:", node.site)
        low = self.tree(node, runs[:middle], on_path, indent + 1, fall)
        if not low:
            return self.tree(node, runs[middle:], on_path, indent, fall)
        self.emit(indent, "else:")
        return self.tree(node, runs[middle:], on_path, indent + 1, fall) or low

    # Blocks. They answer whether control comes to the end of everything, or with the nodes that are next.

    def if_(self, node: If, rest: list[Any], indent: int, fall: frozenset[Label]) -> bool | list[Any]:
        """Two arms; what follows goes into one of them where the other must get past it by falling off the end."""
        if id(node) in self.path:
            return self.if_on_path(node, rest, indent, fall)
        then, other = node.then, node.other
        away = self.away(fall)
        if rest and away and (targets(then) | targets(other)) & away:
            if completes(then):
                if completes(other):
                    raise Unfit("arms that both go on and branch")
                then, other = other, then
                test, untest = node.untest, node.test
            else:
                test, untest = node.test, node.untest
            if _is_branch(then, away):
                self.emit(indent, f"if {untest}:", node.site)
                self.suite(other + rest, indent + 1, fall)
                return True
            self.emit(indent, f"if {test}:", node.site)
            first = self.suite(then, indent + 1, fall)
            if not first:
                return other + rest
            self.emit(indent, "else:")
            self.suite(other + rest, indent + 1, fall)
            return True
        inner = NONE if rest else fall
        if not rest and other and _is_branch(then, away):
            self.emit(indent, f"if {node.untest}:", node.site)
            self.suite(other, indent + 1, inner)
            return True
        self.emit(indent, f"if {node.test}:", node.site)
        if not self.suite(then, indent + 1, inner):
            return other + rest if other or rest else True
        if other:
            self.emit(indent, "else:")
            self.suite(other, indent + 1, inner)
        return rest or True

    def if_on_path(self, node: If, rest: list[Any], indent: int, fall: frozenset[Label]) -> bool | list[Any]:
        """Two arms, one of which the entry lies in."""
        in_then = any(id(inner) in self.path for inner in node.then)
        if not self.gated:
            return self.to_path(node.then if in_then else node.other, indent) + rest
        path = self.path
        inner = NONE if rest else fall
        self.emit(indent, f"if e or ({node.test}):" if in_then else f"if not e and ({node.test}):", node.site)
        self.path = path if in_then else set()
        first = self.suite(node.then, indent + 1, inner)
        self.path = set() if in_then else path
        self.emit(indent, "else:")
        second = self.suite(node.other, indent + 1, inner)
        self.path = set()
        return (rest or True) if first or second else False

    def block(self, node: Block, rest: list[Any], indent: int, inner: frozenset[Label]) -> bool | list[Any]:
        """A block: nothing where falling will do for the branches to its end."""
        label = node.label
        on_path = id(node) in self.path
        if not label.used:
            return (self.to_path(node.body, indent) if on_path else node.body) + rest
        leads = inner | {label}
        falling = not on_path and indent < MAX_INDENT - 20 and tidy(node.body, leads - self.direct())
        if falling and not self.stranded(node.body, leads):
            label.depth = len(self.suites)
            self.open.add(label)
            goes_on = self.seq(node.body, indent, leads)
            self.open.discard(label)
            return (rest or True) if goes_on else False
        return self.python_loop(Suite(leads), node.body, rest, indent)

    def stranded(self, body: list[Any], leads: frozenset[Label]) -> bool:
        """Whether a branch in a block's body leads past what follows it, with no Python loop between to be left."""
        beyond = (targets(body) & self.open) - leads
        return any(self.home(label) >= len(self.suites) for label in beyond)

    def try_(self, node: Try, rest: list[Any], indent: int, fall: frozenset[Label]) -> bool | list[Any]:
        """A ``try``; what follows goes behind its body where exceptions must get past it by falling off the end."""
        if len(self.suites) + self.tries >= MAX_LOOPS:
            raise Unfit("loops within loops")
        away = self.away(fall)
        past = bool(rest) and any(targets(caught) & away for _, caught in node.catches)
        if rest and targets(node.body) & away:
            raise Unfit("a protected body that goes on and branches")
        inner = NONE if rest else fall
        self.emit(indent, "try:")
        self.tries += 1
        goes_on = self.suite(node.body, indent + 1, inner)
        self.tries -= 1
        for name, caught in node.catches:
            wanted = any("x" in one.text for one in caught if isinstance(one, Line | Leave))
            self.emit(indent, f"except {name} as x:" if wanted else f"except {name}:")
            caught_goes_on = self.suite(caught, indent + 1, fall if past else inner)
            goes_on = goes_on or (caught_goes_on and not past)
        if not past:
            return (rest or True) if goes_on else False
        if goes_on:
            self.emit(indent, "else:")
            self.suite(rest, indent + 1, fall)
        return True

    def loop(self, node: Loop, rest: list[Any], indent: int, inner: frozenset[Label]) -> bool | list[Any]:
        """A loop."""
        on_path = id(node) in self.path
        if node is self.entry:
            if self.gated:
                self.emit(indent, "e = 0")
            self.path = set()
            on_path = False
        self.gated += on_path
        found = self.python_loop(Suite(inner, node.label), node.body, rest, indent)
        self.gated -= on_path
        return found

    def python_loop(self, suite: Suite, body: list[Any], rest: list[Any], indent: int) -> bool | list[Any]:
        """``while True``, then what those who pass through need."""
        if len(self.suites) + self.tries >= MAX_LOOPS:
            raise Unfit("loops within loops")
        at = len(self.lines)
        if suite.again is None:
            self.emit(indent, "while True:")
        else:
            self.emit(indent, "R(None)", suite.again.head)
            self.emit(indent, "for _ in F:")
        self.suites.append(suite)
        opened = suite.leads - self.open if suite.again is None else {suite.again}
        self.open |= opened
        if self.suite(body, indent + 1, NONE):
            suite.broken = True
            self.emit(indent + 1, "break")
        self.open -= opened
        self.suites.pop()
        if suite.again is not None:
            self.emit(indent, "else: raise TICK", suite.again.head)
        if suite.passing and suite.broken:
            self.lines.insert(at, (indent, "b = 0", None))
        after: list[Any] = []
        for n, label in enumerate(suite.passing):
            if n == len(suite.passing) - 1 and not suite.broken:
                after.append(Branch(label))
            else:
                after.append(If(f"not b - {label.number}", f"b - {label.number}", None, [Branch(label)]))
        if suite.broken:
            after += rest
        return after or suite.broken

    # Labels.

    def direct(self) -> frozenset[Label]:
        """Labels that ``break`` and ``continue`` lead to here."""
        if not self.suites:
            return NONE
        top = self.suites[-1]
        return top.leads if top.again is None else top.leads | {top.again}

    def away(self, fall: frozenset[Label]) -> frozenset[Label]:
        """Labels that one gets to only by falling."""
        return fall - self.direct() if fall else fall

    def to_path(self, nodes: list[Any], indent: int) -> list[Any]:
        """Without what comes before the entry, which is passed over while ``e`` is set if that can come again."""
        if not self.path:
            return nodes
        k = next((k for k, node in enumerate(nodes) if id(node) in self.path), None)
        if k is None:
            return nodes
        if k and self.gated:
            path, self.path = self.path, set()
            self.emit(indent, "if not e:")
            self.suite(nodes[:k], indent + 1, NONE)
            self.path = path
        return nodes[k:]


def _is_branch(nodes: list[Any], labels: frozenset[Label]) -> bool:
    """Whether nodes are nothing but a branch to one of the labels."""
    return len(nodes) == 1 and isinstance(nodes[0], Branch) and nodes[0].label in labels


def targets(nodes: list[Any]) -> frozenset[Label]:
    """All labels that nodes branch to."""
    found: set[Label] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, Branch):
            found.add(node.label)
        elif isinstance(node, If):
            todo += node.then
            todo += node.other
        elif isinstance(node, Block | Loop):
            todo += node.body
        elif isinstance(node, Switch):
            for target in node.targets:
                todo += target
        elif isinstance(node, Try):
            todo += node.body
            for _, caught in node.catches:
                todo += caught
    return frozenset(found)


def completes(nodes: list[Any]) -> bool:
    """Whether control may come to the end of nodes otherwise than by a branch."""
    for node in nodes:
        if isinstance(node, Leave | Branch | Switch):
            return False
        if isinstance(node, If) and not (completes(node.then) or completes(node.other)):
            return False
        if isinstance(node, Loop | Try) and not completes(node.body):
            return False  # what catches ends with a branch
        if isinstance(node, Block) and not node.label.used and not completes(node.body):
            return False
    return True


def tidy(nodes: list[Any], labels: frozenset[Label]) -> bool:
    """Whether every branch to the labels, which are where nodes end, can be had by falling or by ``b``."""
    for k, node in enumerate(nodes):
        if isinstance(node, Leave | Branch):
            return True
        if isinstance(node, Switch):
            return all(tidy(target, labels) for target in node.targets)
        if isinstance(node, Block) and not node.label.used:
            return tidy(node.body + nodes[k + 1 :], labels)
        if isinstance(node, Try):
            if not targets([node]) & labels:
                continue
            rest = nodes[k + 1 :]
            return tidy(node.body, labels) if not rest else not targets(node.body) & labels and tidy(rest, labels)
        if not isinstance(node, If) or not (targets(node.then) | targets(node.other)) & labels:
            continue
        rest = nodes[k + 1 :]
        if _is_branch(node.then, labels) and not node.other:
            continue
        if not rest:
            return tidy(node.then, labels) and tidy(node.other, labels)
        if not completes(node.then):
            return tidy(node.then, labels) and tidy(node.other + rest, labels)
        if not completes(node.other):
            return tidy(node.other, labels) and tidy(node.then + rest, labels)
        return False
    return True


def find(nodes: list[Any], pc: int) -> list[Any] | None:
    """The nodes from the outermost to the loop whose head is at ``pc``."""
    for node in nodes:
        if isinstance(node, Loop) and node.pc == pc:
            return [node]
        parts = [node.then, node.other] if isinstance(node, If) else []
        if isinstance(node, Switch):
            parts = node.targets
        if isinstance(node, Block | Loop | Try):
            parts = [node.body]
        for part in parts:
            trail = find(part, pc)
            if trail is not None:
                return [node, *trail]
    return None
