"""Properties of 3i as a library for Hypothesis: strategies, state machines, and checks of any implementation.

``check(number, Implementation)`` tries one property; ``TablesMachine`` is the state machine over an implementation;
``faults`` are broken implementations by which each check is shown able to fail. Needs Hypothesis.

    import lindref.properties as properties
    properties.check_tables(properties.LindrefTables)          # all that handler tables promise
"""

from __future__ import annotations

from lindref.properties.beneath_wasm import PassInWasm
from lindref.properties.checks import check, check_copies, check_runs, check_tables
from lindref.properties.copies import Copier, LindrefCopier, Pages
from lindref.properties.driven import Besieged, Driven, LindrefDriven, Look, Waiting
from lindref.properties.machine import TablesMachine, tables_machine
from lindref.properties.runs import LindrefRuns, Runs, Seen
from lindref.properties.siege import SiegeMachine, siege_machine
from lindref.properties.statements import STATEMENTS, NotRelevant, Statement
from lindref.properties.strategies import Deny, Pass, cage_trees, call_scripts, grate_stacks, histories, schedules
from lindref.properties.system_machine import SystemMachine, system_machine
from lindref.properties.tables import LindrefTables, Tables

__all__ = [
    "STATEMENTS",
    "Besieged",
    "Copier",
    "Deny",
    "Driven",
    "LindrefCopier",
    "LindrefDriven",
    "LindrefRuns",
    "LindrefTables",
    "Look",
    "NotRelevant",
    "Pages",
    "Pass",
    "PassInWasm",
    "Runs",
    "Seen",
    "SiegeMachine",
    "Statement",
    "SystemMachine",
    "Tables",
    "TablesMachine",
    "Waiting",
    "cage_trees",
    "call_scripts",
    "check",
    "check_copies",
    "check_runs",
    "check_tables",
    "grate_stacks",
    "histories",
    "schedules",
    "siege_machine",
    "system_machine",
    "tables_machine",
]
