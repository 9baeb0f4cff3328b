"""Campaigns: waivers, resuming, reports, coverage by rule."""

from __future__ import annotations

import json
import re
import shlex
import sys
import types
from collections.abc import Callable
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lindref import classes
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign import main, pool, waivers
from lindref.conformance.campaign.coverage import Reach, coverage
from lindref.conformance.campaign.report import junit, lind, own, page
from lindref.conformance.campaign.report.about import Campaign
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.resume import Progress, ResumeError
from tests.conformance.odd_adapters import Few

ODD = "tests.conformance.odd_adapters:Odd"
DAY = date(2026, 6, 15)

FORBIDDEN = Result("guests.a", "program", Status.FORBIDDEN, "exit status 1, not 0", ("PIPE-3",), ("PIPE-3", "FD-1"))
ALLOWED = Result("guests.b", "program", Status.ALLOWED, reached=("PIPE-4",), seconds=1.25, output="yes <&>\x01\n")
SKIPPED = Result("guests.c", "program", Status.NOT_APPLICABLE, "needs fork", reached=("FORK-2",))
BROKEN = Result("vectors.d", "script", Status.BROKEN, "no answer within 2 seconds", scripts={"c": "int main(void);"})
ALL = [FORBIDDEN, ALLOWED, SKIPPED, BROKEN]


def waiver(text: str, tmp_path: Path) -> list[waivers.Waiver]:
    path = tmp_path / "waivers.toml"
    path.write_text(f"[[waiver]]\n{text}\n")
    return waivers.load(path)


def applied(text: str, tmp_path: Path, day: date = DAY) -> dict[str, Result]:
    return {result.case: result for result in waivers.apply(ALL, waiver(text, tmp_path), day)}


def test_a_waived_failure_does_not_fail(tmp_path: Path) -> None:
    found = applied("case='guests.a'\nreason='slow disk'\nexpires=2026-06-15", tmp_path)["guests.a"]
    assert (found.failed, found.waived) == (False, "slow disk")


def test_a_waiver_out_of_date_fails(tmp_path: Path) -> None:
    found = applied("case='guests.a'\nreason='slow disk'\nexpires=2026-06-14", tmp_path)["guests.a"]
    assert (found.failed, found.complaint) == (True, "its waiver was good until 2026-06-14: slow disk")


def test_an_unexpected_pass_fails(tmp_path: Path) -> None:
    found = applied("case='guests.b'\nreason='slow disk'\nexpires=2026-12-31", tmp_path)["guests.b"]
    assert (found.failed, found.complaint[:25]) == (True, "passes, though it is waiv")


def test_a_pattern_may_cover_some_that_pass(tmp_path: Path) -> None:
    found = applied("case='guests.*'\nreason='slow disk'\nexpires=2026-12-31", tmp_path)
    assert [result.failed for result in found.values()] == [False, False, False, True]


def test_a_waiver_of_a_rule_covers_nothing_else(tmp_path: Path) -> None:
    text = "case='guests.a'\nreason='slow disk'\nexpires=2026-12-31\nrule='{}'"
    assert applied(text.format("PIPE-3"), tmp_path)["guests.a"].waived
    assert applied(text.format("PIPE-4"), tmp_path)["guests.a"].failed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case=1\nreason=''\nexpires=2026-01-01", "waiver 1: case is not a text"),
        ("case='a'\nexpires=2026-01-01", "waiver 1: no reason"),
        ("case='a'\nreason='b'\nexpires='soon'", "waiver 1: expires is not a date"),
        ("case='a'\nreason='b'\nexpires=2026-01-01T00:00:00", "waiver 1: expires is not a date"),
        ("case='a'\nreason='b'\nexpires=2026-01-01\nwhy='c'", "waiver 1: unknown key 'why'"),
        ("case=", "not TOML"),
        ("case='a'\n[other]", "'other': want only [[waiver]] tables"),
    ],
)
def test_bad_waivers_are_one_line(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(waivers.WaiverError) as error:
        waiver(text, tmp_path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


# Resuming.


def test_results_come_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for results in (ALL[:2], ALL[2:]):
        progress = Progress(path, {"adapter": "x"})
        for result in results:
            progress.add(result)
        progress.close()
    with path.open("ab") as file:
        file.write(b'{"case":"guests.z","sta')  # a campaign that was killed
    again = Progress(path, {"adapter": "x"})
    assert list(again.known.values()) == ALL
    again.add(FORBIDDEN)
    again.close()
    assert path.read_bytes().count(b"\n") == 6


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"nothing\n", "state:1: not the file of a campaign"),
        (b"[]\n", "state:1: not the file of a campaign"),
        (b'{"format":"other"}\n', "not the file of a campaign"),
    ],
)
def test_another_file_is_left_alone(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(data)
    with pytest.raises(ResumeError, match=re.escape(says)):
        Progress(path, {"adapter": "x"})
    assert path.read_bytes() == data


def test_a_file_of_another_adapter_is_refused(tmp_path: Path) -> None:
    Progress(tmp_path / "state", {"adapter": "x"}).close()
    with pytest.raises(ResumeError, match="of another campaign: adapter is 'x' there, 'y' here"):
        Progress(tmp_path / "state", {"adapter": "y"})


def test_the_command_resumes_waives_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "waivers.toml"
    known.write_text('[[waiver]]\ncase="guests.strings"\nreason="other words"\nexpires=2026-12-31\n')
    words = ["run", "guests", "--adapter", ODD, "--only", "guests.strings", "--only", "guests.arguments"]
    words += ["--waivers", str(known), "--resume", str(tmp_path / "state")]
    for form in ("html", "junit", "json", "lind-json"):
        words += [f"--{form}", str(tmp_path / form)]
    assert main([*words, "--today", "2026-06-15"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 allowed, 1 forbidden (1 waived)"
    report = json.loads((tmp_path / "json").read_text())
    assert [r["status"] for r in report["results"]] == ["allowed", "forbidden"]
    assert json.loads((tmp_path / "lind-json").read_text())["guests"]["number_of_failures"] == 0
    before = (tmp_path / "state").read_bytes()
    assert main([*words, "--today", "2027-06-15"]) == 1
    assert "its waiver was good until 2026-12-31" in capsys.readouterr().out
    assert (tmp_path / "state").read_bytes() == before


def test_what_was_seen_is_kept_and_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program, a script and a module: the same verdicts from the files as from the implementation; and those of
    another profile without running it again."""
    kept = tmp_path / "kept"
    words = ["guests", "scripts", "modules", "--count", "2", "--verbose", "--shrink", "0"]
    words += ["--only", "guests.pipeline", "--only", "guests.strings", "--only", "scripts.*", "--only", "modules.*"]
    assert main(["run", *words, "--adapter", "lindref", "--record", str(kept)]) == 0
    first = capsys.readouterr().out
    assert len(list(kept.glob("*.jsonl"))) == 4
    assert main(["run", *words, "--adapter", "recorded", "--option", f"path={kept}"]) == 0
    assert capsys.readouterr().out == first
    row = json.loads((kept / "guests.strings.json").read_text())
    (kept / "guests.strings.json").write_text(json.dumps({**row, "status": 9}))
    assert main(["run", *words, "--adapter", "recorded", "--option", f"path={kept}"]) == 1
    assert "guests.strings: forbidden: exit status 9, not 0" in capsys.readouterr().out
    (kept / "guests.pipeline.json").unlink()
    main(["run", *words, "--adapter", "recorded", "--option", f"path={kept}"])
    assert "guests.pipeline: not applicable: not recorded" in capsys.readouterr().out
    (kept / "adapter.json").write_text("{}")
    assert main(["run", *words, "--adapter", "recorded", "--option", f"path={kept}"]) == 2
    assert "adapter.json: not what a campaign recorded" in capsys.readouterr().err


def test_a_script_that_differs_is_kept_and_played_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    adapter = ["--adapter", "lindref", "--option", "profile=lind", "--against", "spec", "--shrink", "0"]
    words = ["scripts", "--count", "2", "--only", "scripts.memory.1", *adapter, "--scripts", str(kept)]
    assert main(["run", *words]) == 1
    out = capsys.readouterr().out
    assert sorted(file.suffix for file in kept.iterdir()) == [".c", ".json", ".txt"]
    again = next(line.split("again: lindref conform ")[1] for line in out.splitlines() if "again: " in line)
    assert main(shlex.split(again)) == 1
    assert "1 forbidden" in capsys.readouterr().out
    assert main(["run", *words[:-1], str(kept / "scripts.memory.1.c")]) == 2
    assert "File exists" in capsys.readouterr().err


def test_places_that_cannot_be_written_are_told_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "guests", "--adapter", "nosuch", "--only", "guests.hello"]  # before anything else is looked at
    for option, where, says in (
        ("--html", tmp_path / "no" / "x.html", "there is no folder"),
        ("--junit", tmp_path, "is a folder"),
    ):
        assert main([*words, option, str(where)]) == 2
        assert says in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["run", "guests", "--adapter", "lindref", "--record", str(tmp_path / "file" / "x")]) == 2
    assert "--record" in capsys.readouterr().err


def test_a_waiver_of_no_case_is_warned_about(tmp_path: Path) -> None:
    known = waiver("case='guests.a'\nreason='x'\nexpires=2026-12-31", tmp_path)
    assert waivers.strangers(known, ["guests.a"], ["vectors"]) == []
    assert waivers.strangers(known, ["guests.b"], ["vectors"]) == ["no case is called guests.a"]
    assert waivers.strangers(known, ["scripts.b"], ["guests"]) == []


# Reports.


def campaign(results: list[Result]) -> Campaign:
    said = described(Few(), "few")
    return Campaign(said, {"seed": "1"}, ("guests", "vectors"), results, coverage(results, said))


#: The elements of the schema that readers of JUnit files share: attributes that must be there, those that may, and what
#: is within, in order.
SCHEMA: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "disabled", "errors"}, ["testsuite"]),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": (
        {"name", "classname"},
        {"time", "assertions", "status"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "skipped": (set(), {"message"}, []),
    "error": (set(), {"message", "type"}, []),
    "failure": (set(), {"message", "type"}, []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}


def hold_against_schema(element: ET.Element) -> None:
    must, may, within = SCHEMA[element.tag]
    assert must <= element.attrib.keys() <= must | may
    places = [within.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        hold_against_schema(child)


def test_junit() -> None:
    """The shape that readers of JUnit expect: counts that agree, and at most one verdict a case."""
    root = ET.fromstring(junit.text(campaign(ALL)))
    assert root.tag == "testsuites"
    hold_against_schema(root)
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("4", "1", "1")
    assert sum(int(suite.attrib["skipped"]) for suite in root) == 1
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        assert float(suite.attrib["time"]) == pytest.approx(sum(float(case.attrib["time"]) for case in cases))
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{kind}"))
        for case in cases:
            assert {"classname", "name", "time"} <= case.attrib.keys()
            assert float(case.attrib["time"]) >= 0
            assert [one.tag for one in case][:-1] in ([], ["failure"], ["error"], ["skipped"])
    assert root.find(".//testcase[@name='a']/failure").attrib["message"] == "exit status 1, not 0"  # type: ignore[union-attr]
    assert root.find(".//testcase[@name='b']/system-out").text == "yes <&>�\n"  # type: ignore[union-attr]


def test_the_shape_of_lind_s_own_harness() -> None:
    report = lind.document(campaign(ALL))
    assert list(report) == ["guests", "vectors"]
    guests = report["guests"]
    assert (guests["total_test_cases"], guests["number_of_success"], guests["number_of_failures"]) == (2, 1, 1)
    assert (guests["success"], guests["failures"]) == (["guests.b"], ["guests.a"])
    assert guests["test_cases"]["guests.a"]["status"] == "Failure"
    assert guests["test_cases"]["guests.b"]["error_type"] is None
    assert set(guests["test_cases"]["guests.b"]["timing"]) == {
        *("native_compile_time_sec", "native_run_time_sec", "wasm_compile_time_sec", "wasm_run_time_sec"),
        *("native_time_sec", "wasm_time_sec"),
    }
    assert report["vectors"]["Lind_wasm_Timeout"] == ["vectors.d"]
    assert report["vectors"]["number_of_Lind_wasm_Timeout"] == 1
    for suite in report.values():
        assert sum(suite[f"number_of_{error}"] for error in lind.ERRORS) == suite["number_of_failures"]
    json.dumps(report)


@pytest.mark.parametrize(
    ("detail", "status", "kind"),
    [
        ("the adapter's process ended: signal SIGSEGV", Status.BROKEN, "Lind_wasm_Segmentation_Fault"),
        ("the adapter raised OSError", Status.BROKEN, "Lind_wasm_runtime"),
        ("exit status 139, not 0", Status.FORBIDDEN, "Lind_wasm_Segmentation_Fault"),
        ("exit status 1, not 0", Status.FORBIDDEN, "Lind_wasm_runtime"),
        ("stdout line 1: 'a', not 'b'", Status.FORBIDDEN, "Output_mismatch"),
    ],
)
def test_kinds_of_error(detail: str, status: Status, kind: str) -> None:
    assert lind.error_type(Result("guests.x", "program", status, detail)) == kind


def test_json_says_everything_and_comes_back() -> None:
    report = json.loads(own.text(campaign(ALL)))
    assert [Result.from_json(row) for row in report["results"]] == ALL
    assert report["failed"] == 2
    assert report["counts"] == {
        **{status.value: 0 for status in Status},
        "allowed": 1,
        "forbidden": 1,
        "not applicable": 1,
        "broken": 1,
    }
    assert {row["rule"]: row["reach"] for row in report["rules"]}["FD-1"] == "reached"


def test_the_page_is_whole_and_quotes_what_it_shows() -> None:
    evil = classes.evolve(FORBIDDEN, detail="<script>alert(1)</script> @@title@@")
    text = page.text(campaign([evil, *ALL[1:]]))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; @@title@@" in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)
    assert text.count("<tr data-status=") == 4
    assert "prefers-color-scheme: dark" in text


# Coverage.


def test_every_rule_has_a_place() -> None:
    said = described(Few(), "few")
    found = {one.rule: one for one in coverage(ALL, said)}
    assert (found["FD-1"].reach, found["PIPE-3"].failed) == (Reach.REACHED, 1)
    assert found["FORK-1"].reason == "needs fork: new cages by fork (one process only)"
    assert found["FORK-1"].reach is Reach.IMPOSSIBLE
    assert found["EXP-1"].reach is Reach.NOT_RELEVANT
    assert found["PIPE-1"].reach is Reach.UNTESTED
    assert all(one.reason for one in found.values() if one.reach is not Reach.REACHED)


def test_a_rule_of_cases_that_cannot_run_is_out_of_reach() -> None:
    said = described(Lindref(), "lindref")
    found = {one.rule: one for one in coverage(ALL, said)}
    assert (found["FORK-2"].reach, found["FORK-2"].reason) == (Reach.IMPOSSIBLE, "guests.c: needs fork")


def test_what_the_model_consults_is_reached() -> None:
    """A program reaches the rules of the calls that it makes, and not those of others."""
    plan = pool.Plan("lindref", {})
    from lindref.conformance.campaign.suites import Wanted, cases

    (found,) = pool.run(plan, cases(["guests"], Wanted(), ["guests.pipeline"]))
    assert {"PIPE-1", "PIPE-3", "FORK-1", "WAIT-2"} <= set(found.reached)
    assert not {"SOCK-1", "EPOLL-1", "3I-REG-1"} & set(found.reached)
    assert make("lindref", {}).describe().name == "lindref"


# A cluster.


class Future:
    def __init__(self, done: object) -> None:
        self.done = done

    def exception(self) -> object:
        return self.done if isinstance(self.done, Exception) else None

    def result(self) -> object:
        return self.done


class Cluster:
    """Stands for dask.distributed: what is submitted is done at once; the second task's worker goes away."""

    loop = None

    def __init__(self, address: str, **_: object) -> None:
        if address == "nowhere":
            raise OSError("no answer")
        self.tasks = 0
        self.closed = False

    def submit(self, task: Callable, *given: object, pure: bool) -> Future:
        assert not pure
        self.tasks += 1
        return Future(RuntimeError("its worker went away") if self.tasks == 2 else task(*given))

    def close(self) -> None:
        self.closed = True


def test_a_cluster_does_it_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from lindref.conformance.campaign import cluster
    from lindref.conformance.campaign.suites import Wanted, cases

    made = types.SimpleNamespace(Client=Cluster, as_completed=lambda futures, loop: futures)
    monkeypatch.setitem(sys.modules, "dask", types.SimpleNamespace(distributed=made))
    monkeypatch.setitem(sys.modules, "dask.distributed", made)
    monkeypatch.setattr(cluster, "PIECE", 1)
    chosen = cases(["guests"], Wanted(), ["guests.hello", "guests.strings"])
    found = list(cluster.run(pool.Plan("lindref", {}), chosen, "here"))
    assert [(r.case, r.status.value) for r in found] == [("guests.hello", "allowed"), ("guests.strings", "unknown")]
    assert found[1].detail == "not run: RuntimeError: its worker went away"
    with pytest.raises(AdapterError, match="--dask nowhere: no answer"):
        list(cluster.run(pool.Plan("lindref", {}), chosen, "nowhere"))
