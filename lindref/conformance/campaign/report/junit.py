"""The report as JUnit XML: a test suite for each suite, a test case for each case."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from lindref.conformance.campaign.report.about import Campaign, suite_of
from lindref.conformance.campaign.result import Result, Status

#: What XML 1.0 has no way to say.
_CONTROLS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    return _CONTROLS.sub("�", text)


def text(campaign: Campaign) -> str:
    """The report as text. Broken cases are errors, forbidden ones failures; those without an answer are skipped."""
    top = ET.Element("testsuites", name=f"{campaign.said.name} {campaign.said.version}".strip())
    totals = [0, 0, 0, 0]
    for suite in campaign.suites:
        results = [result for result in campaign.results if suite_of(result) == suite]
        counts = (len(results), sum(map(_fails, results)), sum(map(_errs, results)), sum(map(_skips, results)))
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        seconds = f"{sum(result.seconds for result in results):.3f}"
        element = ET.SubElement(top, "testsuite", {"name": suite, **_counted(counts), "time": seconds})
        properties = ET.SubElement(element, "properties")
        for name, value in (("profile", campaign.said.profile), *sorted(campaign.options.items())):
            ET.SubElement(properties, "property", name=name, value=_clean(value))
        for result in results:
            _case(element, result)
    for name, value in _counted(tuple(totals)).items():
        if name != "skipped":  # the schema has that of a suite only
            top.set(name, value)
    top.set("time", f"{sum(result.seconds for result in campaign.results):.3f}")
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _counted(counts: tuple[int, ...]) -> dict[str, str]:
    return dict(zip(("tests", "failures", "errors", "skipped"), map(str, counts), strict=True))


def _errs(result: Result) -> bool:
    return result.failed and result.status is Status.BROKEN


def _fails(result: Result) -> bool:
    return result.failed and result.status is not Status.BROKEN


def _skips(result: Result) -> bool:
    return not result.failed and result.status is not Status.ALLOWED


def _case(suite: ET.Element, result: Result) -> None:
    name = result.case.partition(".")[2]
    case = ET.SubElement(suite, "testcase", classname=suite_of(result), name=name, time=f"{result.seconds:.3f}")
    detail = result.complaint or result.detail or result.status.value
    if result.failed:
        kind = "error" if _errs(result) else "failure"
        what = ET.SubElement(case, kind, message=_clean(detail), type=result.status.value)
        rules = f"rules: {', '.join(result.rules)}\n" if result.rules else ""
        what.text = _clean("\n".join([rules + result.detail, *result.scripts.values()]))
    elif _skips(result):
        message = f"waived: {result.waived}" if result.waived else f"{result.status.value}: {result.detail}"
        ET.SubElement(case, "skipped", message=_clean(message))
    if result.output:
        ET.SubElement(case, "system-out").text = _clean(result.output)
