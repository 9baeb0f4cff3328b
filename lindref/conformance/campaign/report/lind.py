"""The report in the shape of Lind's own harness (``results.json``), so that its tools read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lindref.conformance.campaign.report.about import Campaign, suite_of
from lindref.conformance.campaign.result import Result, Status

#: The kinds of error that a report of Lind's harness counts, in its order.
ERRORS = (
    *("Failure_native_compiling", "Failure_native_running", "Native_Segmentation_Fault", "Native_Timeout"),
    *("Lind_wasm_compiling", "Lind_wasm_runtime", "Lind_wasm_Segmentation_Fault", "Lind_wasm_Timeout"),
    *("Output_mismatch", "Unknown_Failure", "Fail_native_succeeded", "Fail_wasm_succeeded", "Fail_both_succeeded"),
    *("Fail_native_compiling", "Fail_wasm_compiling"),
)


def error_type(result: Result) -> str | None:
    """The kind of error that a result is, ``None`` for a success."""
    if not result.failed:
        return None
    detail = result.detail
    if result.status is Status.BROKEN:
        if detail.startswith("no answer within"):
            return "Lind_wasm_Timeout"
        return "Lind_wasm_Segmentation_Fault" if "SIGSEGV" in detail else "Lind_wasm_runtime"
    if result.status is not Status.FORBIDDEN:
        return "Unknown_Failure"
    if detail.startswith("exit status 139,"):
        return "Lind_wasm_Segmentation_Fault"
    return "Lind_wasm_runtime" if detail.startswith("exit status") else "Output_mismatch"


def document(campaign: Campaign) -> dict[str, Any]:
    """The report by suite. Cases without an answer (not applicable, unknown, unspecified) are not in it."""
    return {
        suite: _suite([r for r in campaign.results if suite_of(r) == suite and _answered(r)])
        for suite in campaign.suites
    }


def _answered(result: Result) -> bool:
    return result.failed or result.status in (Status.ALLOWED, Status.FORBIDDEN, Status.BROKEN)


def _suite(results: Sequence[Result]) -> dict[str, Any]:
    by_error: dict[str, list[str]] = {error: [] for error in ERRORS}
    for result in results:
        error = error_type(result)
        if error is not None:
            by_error[error].append(result.case)
    failures = [result.case for result in results if result.failed]
    success = [result.case for result in results if not result.failed]
    return {
        "total_test_cases": len(results),
        "number_of_success": len(success),
        "number_of_failures": len(failures),
        "success": success,
        "failures": failures,
        **{f"number_of_{error}": len(cases) for error, cases in by_error.items()},
        **by_error,
        "test_cases": {result.case: _case(result) for result in results},
    }


def _case(result: Result) -> dict[str, Any]:
    unknown = ("native_compile_time_sec", "native_run_time_sec", "wasm_compile_time_sec", "native_time_sec")
    return {
        "status": "Failure" if result.failed else "Success",
        "error_type": error_type(result),
        "output": "\n".join(part for part in (result.output, result.detail, result.complaint) if part),
        "native_time": None,
        "wasm_time": result.seconds,
        "timing": {
            **dict.fromkeys(unknown),
            "wasm_run_time_sec": result.seconds,
            "wasm_time_sec": result.seconds,
        },
    }


def text(campaign: Campaign) -> str:
    """The report as text."""
    return json.dumps(document(campaign), indent=2) + "\n"
