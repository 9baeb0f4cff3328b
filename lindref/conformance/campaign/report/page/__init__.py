"""The report as one page that needs no server, no network and no script to be read; light or dark as the reader's."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files

import lindref
from lindref.conformance.campaign.coverage import Reach
from lindref.conformance.campaign.report.about import Campaign
from lindref.conformance.campaign.result import Result, Status

#: How a verdict looks.
_LOOKS = {
    Status.ALLOWED: "good",
    Status.FORBIDDEN: "wrong",
    Status.BROKEN: "wrong",
    Status.UNKNOWN: "odd",
    Status.UNSPECIFIED: "odd",
    Status.NOT_APPLICABLE: "soft",
}
_FORMS = {"script": "As a script", "c": "As C", "vector": "As a vector"}


def _e(text: object) -> str:
    return html.escape(str(text))


def text(campaign: Campaign) -> str:
    """The page."""
    said = campaign.said
    here = files(__package__)
    parts = {
        "title": _e(f"{said.name} {said.version}".strip()),
        "style": here.joinpath("style.css").read_text(encoding="utf-8"),
        "script": here.joinpath("view.js").read_text(encoding="utf-8"),
        "about": _e(
            f"held against profile {said.profile} by lindref {lindref.__version__}: suites "
            f"{', '.join(campaign.suites)}, {len(campaign.results)} cases"
            + "".join(f", {key}={value}" for key, value in sorted(campaign.options.items()))
        ),
        "counts": _counts(campaign.results),
        "failures": _failures(campaign.results),
        "matrix": _matrix(campaign.results),
        "statuses": "".join(f"<option>{_e(status.value)}</option>" for status in Status),
        "cases": "\n".join(map(_row, campaign.results)),
        "reach": _reach(campaign),
        "rules": _rules(campaign),
    }
    page = here.joinpath("page.html").read_text(encoding="utf-8")
    # One pass, so that what a part says is never taken for the name of another.
    pieces = page.split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _counts(results: Sequence[Result]) -> str:
    counts = Counter(result.status for result in results)
    items = [
        f'<li><b class="{_LOOKS[status]}">{counts[status]}</b>{_e(status.value)}</li>'
        for status in Status
        if counts[status]
    ]
    waived = sum(bool(result.waived) for result in results)
    if waived:
        items.append(f'<li><b class="soft">{waived}</b>of them waived</li>')
    return f'<ul class="counts">{"".join(items)}</ul>'


def _failures(results: Sequence[Result]) -> str:
    found = [result for result in results if result.failed]
    if not found:
        return "<p>Nothing: every case came out as the specification says, or has no verdict.</p>"
    return "\n".join(map(_failure, found))


def _failure(result: Result) -> str:
    rules = f"<p>Rules: {_e(', '.join(result.rules))}</p>" if result.rules else ""
    complaint = f'<p class="wrong">{_e(result.complaint)}</p>' if result.complaint else ""
    forms = "".join(
        f"<details><summary>{_FORMS.get(form, _e(form))}</summary><pre>{_e(body)}</pre></details>"
        for form, body in result.scripts.items()
    )
    output = f"<details><summary>Its output</summary><pre>{_e(result.output)}</pre></details>" if result.output else ""
    title = f"<p>{_e(result.title)}</p>" if result.title else ""
    return (
        f"<article><h3>{_e(result.case)}: {_e(result.status.value)}</h3>{title}{complaint}"
        f"<p>{_e(result.detail)}</p>{rules}{forms}{output}</article>"
    )


def _matrix(results: Sequence[Result]) -> str:
    """The cells of matrices with how their cases fared, where there are such."""
    cells: dict[str, list[Result]] = {}
    for result in results:
        if result.cell:
            cells.setdefault(result.cell, []).append(result)
    if not cells:
        return ""
    rows = []
    for cell, found in sorted(cells.items()):
        counts = Counter(result.status for result in found)
        shown = ", ".join(
            f'<span class="{_LOOKS[status]}">{counts[status]} {_e(status.value)}</span>'
            for status in Status
            if counts[status]
        )
        rows.append(f'<tr><th scope="row">{_e(cell)}</th><td>{shown}</td></tr>')
    head = '<thead><tr><th scope="col">cell</th><th scope="col">cases</th></tr></thead>'
    return (
        '<section aria-labelledby="matrix"><h2 id="matrix">Matrices</h2>'
        f"<table>{head}<tbody>{''.join(rows)}</tbody></table></section>"
    )


def _row(result: Result) -> str:
    why = result.complaint or result.detail
    if result.waived:
        why = f"waived: {result.waived} – {why}"
    return (
        f'<tr data-status="{_e(result.status.value)}"><th scope="row">{_e(result.case)}</th>'
        f'<td class="verdict {_LOOKS[result.status]}">{_e(result.status.value)}</td><td class="why">{_e(why)}</td>'
        f'<td>{_e(" ".join(result.rules))}</td><td class="number">{result.seconds:.2f}</td></tr>'
    )


def _reach(campaign: Campaign) -> str:
    counts = Counter(one.reach for one in campaign.covered)
    return (
        '<ul class="counts">'
        + "".join(f"<li><b>{counts[reach]}</b>{_e(reach.value)}</li>" for reach in Reach)
        + "</ul>"
    )


def _rules(campaign: Campaign) -> str:
    """The rules by file of the specification."""
    by_file: dict[str, list[str]] = {}
    for one in campaign.covered:
        look = {Reach.REACHED: "good", Reach.UNTESTED: "odd"}.get(one.reach, "soft")
        how = f"{one.reach.value}, {one.cases} cases" if one.cases else one.reach.value
        if one.failed:
            look, how = "wrong", f"{how}, {one.failed} forbidden"
        by_file.setdefault(one.file, []).append(
            f'<tr><th scope="row">{_e(one.rule)}</th><td class="verdict {look}">{_e(how)}</td>'
            f'<td class="why">{_e(one.reason)}</td><td class="why">{_e(one.text)}</td></tr>'
        )
    columns = ("rule", "reach", "why not", "what it says")
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    return "\n".join(
        f'<details><summary>{_e(file.removesuffix(".md"))}</summary><div class="wide"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div></details>"
        for file, rows in by_file.items()
    )
