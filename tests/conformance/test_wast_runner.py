"""The script runner itself: it can fail, for each thing that a script can demand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lindref.conformance.wast import command, skips
from lindref.conformance.wast.script import run_script
from lindref.conformance.wast.verdict import Status, Verdict
from lindref.wasm.features import BUILT, Feature

PLAIN = """
(module $m
  (memory (export "mem") 1)
  (table (export "tab") 2 funcref)
  (tag $t (export "tag") (param i32))
  (global (export "glob") i32 (i32.const 42))
  (func (export "id") (param i32) (result i32) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
  (func (export "none"))
  (func (export "null") (result funcref) (ref.null func))
  (func $self (export "self") (result funcref) (ref.func $self))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "trap") (unreachable))
  (func (export "div") (result i32) (i32.div_u (i32.const 1) (i32.const 0)))
  (func (export "throw") (throw $t (i32.const 7)))
  (func $deep (export "deep") (call $deep))
  (elem declare func $self)
)
"""


def verdicts(tmp_path: Path, text: str, folder: str = "core") -> list[Verdict]:
    """The verdicts of a script."""
    path = tmp_path / folder / "script.wast"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return run_script(path)


def last(tmp_path: Path, text: str, folder: str = "core") -> Verdict:
    """The verdict of a script's last command; those before it went well."""
    *before, found = verdicts(tmp_path, text, folder)
    assert all(v.status in (Status.OK, Status.PASSED) for v in before), before
    return found


GOOD = [
    '(assert_return (invoke "id" (i32.const -1)) (i32.const 0xffffffff))',
    '(assert_return (invoke $m "id" (i32.const 5)) (i32.const 5))',
    '(assert_return (invoke "two") (i32.const 1) (i64.const 2))',
    '(assert_return (invoke "none"))',
    '(assert_return (get "glob") (i32.const 42))',
    '(assert_return (get $m "glob") (either (i32.const 41) (i32.const 42)))',
    '(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:0x200000))',
    '(assert_return (invoke "f32" (f32.const -nan)) (f32.const nan:canonical))',
    '(assert_return (invoke "f64" (f64.const nan:0xc000000000000)) (f64.const nan:arithmetic))',
    '(assert_return (invoke "f64" (f64.const -0)) (f64.const -0))',
    '(assert_return (invoke "null") (ref.null func))',
    '(assert_return (invoke "null") (ref.null))',
    '(assert_return (invoke "self") (ref.func))',
    '(assert_return (invoke "extern" (ref.extern 3)) (ref.extern 3))',
    '(assert_return (invoke "extern" (ref.extern 3)) (ref.extern))',
    '(assert_trap (invoke "trap") "unreachable")',
    '(assert_trap (invoke "trap") "unreach")',
    '(assert_trap (module (memory 1) (data (i32.const 65536) "a")) "out of bounds memory access")',
    '(assert_trap (module (func $f (unreachable)) (start $f)) "unreachable")',
    '(assert_exhaustion (invoke "deep") "call stack exhausted")',
    '(assert_exception (invoke "throw"))',
    '(assert_invalid (module (func (result i32) (i64.const 1))) "type mismatch")',
    '(assert_malformed (module quote "(func (nonsense))") "unknown operator")',
    '(assert_malformed (module binary "\\00asn") "magic header not detected")',
    '(assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")',
    '(assert_unlinkable (module (import "spectest" "print" (memory 1))) "incompatible import type")',
]

BAD = [
    ('(assert_return (invoke "id" (i32.const 5)) (i32.const 6))', "returned 0x5, not 0x6"),
    ('(assert_return (invoke "two") (i32.const 1))', "returned 0x1, 0x2, not 0x1"),
    ('(assert_return (invoke "two") (i32.const 1) (i64.const 3))', "returned 0x1, 0x2, not 0x1, 0x3"),
    ('(assert_return (invoke "none") (i32.const 0))', "returned nothing, not 0x0"),
    ('(assert_return (invoke "id" (i32.const 0)))', "returned 0x0, not nothing"),
    ('(assert_return (get "glob") (either (i32.const 40) (i32.const 41)))', "returned 0x2a, not 0x28 or 0x29"),
    ('(assert_return (get "id") (i32.const 42))', "is not exported"),
    ('(assert_return (invoke "missing"))', "is not exported"),
    ('(assert_return (invoke $nobody "id"))', "there is no instance $nobody"),
    ('(assert_return (invoke "id") (i32.const 0))', "takes 1 arguments, not 0"),
    ('(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:canonical))', "not nan:canonical"),
    ('(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:arithmetic))', "not nan:arithmetic"),
    ('(assert_return (invoke "f64" (f64.const nan:0xc000000000000)) (f64.const nan:canonical))', "not nan:canonical"),
    ('(assert_return (invoke "f64" (f64.const 1)) (f64.const nan:arithmetic))', "not nan:arithmetic"),
    ('(assert_return (invoke "f64" (f64.const nan)) (f64.const -nan))', "returned nan"),
    ('(assert_return (invoke "f64" (f64.const -0)) (f64.const 0))', "returned -0.0"),
    ('(assert_return (invoke "f32" (f32.const 0.1)) (f32.const 0.1000001))', "returned 0.1"),
    ('(assert_return (invoke "null") (ref.func))', "returned null, not ref.func"),
    ('(assert_return (invoke "self") (ref.null func))', "not null"),
    ('(assert_return (invoke "extern" (ref.extern 3)) (ref.extern 4))', "not ref.extern 4"),
    ('(assert_return (invoke "trap"))', "trapped: unreachable"),
    ('(assert_return (invoke "throw"))', "threw "),
    ('(assert_trap (invoke "none") "unreachable")', "returned nothing, no trap"),
    ('(assert_trap (invoke "throw") "unreachable")', "no trap"),
    ('(assert_trap (invoke "div") "integer overflow")', "the message is 'integer divide by zero'"),
    ('(assert_trap (invoke "trap") "unreachable executed")', "does not begin with 'unreachable executed'"),
    ('(assert_trap (module (memory 1)) "out of bounds memory access")', "instantiated without a trap"),
    ('(assert_exhaustion (invoke "trap") "call stack exhausted")', "not exhausted"),
    ('(assert_exhaustion (invoke "none") "call stack exhausted")', "not exhausted"),
    ('(assert_trap (invoke "deep") "unreachable")', "the message is 'call stack exhausted'"),
    ('(assert_exception (invoke "none"))', "no exception"),
    ('(assert_exception (invoke "trap"))', "no exception"),
    ('(assert_invalid (module (func)) "type mismatch")', "accepted, instead of Invalid: type mismatch"),
    ('(assert_invalid (module (func (result i32) (i64.const 1))) "unknown local")', "does not begin with"),
    ('(assert_invalid (module quote "(func (nonsense))") "unknown operator")', "unknown operator"),
    ('(assert_malformed (module quote "(func)") "unknown operator")', "accepted, instead of Malformed"),
    ('(assert_malformed (module quote "(func (nonsense))") "unexpected token")', "does not begin with"),
    ('(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")', "accepted"),
    ('(assert_unlinkable (module (import "spectest" "nothing" (func))) "incompatible")', "does not begin with"),
    ('(assert_unlinkable (module (memory 1) (data (i32.const 65536) "a")) "unknown import")', "refused with Trap"),
    ('(invoke "trap")', "trapped: unreachable"),
    ("(module (func (result i32) (i64.const 1)))", "type mismatch"),
    ('(module (import "spectest" "nothing" (func)))', "unknown import"),
    ('(module quote "(func (nonsense))")', "unknown operator"),
    ('(register "x" $nobody)', "there is no instance $nobody"),
    ("(module instance $i $nobody)", "unknown module definition"),
    ("(wait $nobody)", "there is no thread $nobody"),
    ('(input "nowhere.wast")', "nowhere.wast: No such file"),
    ('(assert_sometimes (invoke "none"))', "unknown operator assert_sometimes"),
]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_so_passes(tmp_path: Path, text: str) -> None:
    found = last(tmp_path, PLAIN + text)
    assert found.status is Status.PASSED, found


@pytest.mark.parametrize(("text", "detail"), BAD, ids=[text for text, _ in BAD])
def test_what_is_not_so_fails(tmp_path: Path, text: str, detail: str) -> None:
    found = last(tmp_path, PLAIN + text)
    assert found.status is Status.FAILED, found
    assert detail in found.detail
    assert "bug" not in found.detail


def test_a_module_that_fails_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    after = '(assert_return (invoke "none"))\n(assert_return (invoke $m "none"))'
    text = f"{PLAIN}(module $m (func (result i32)))\n{after}"
    assert [v.status for v in verdicts(tmp_path, text)[1:]] == [Status.FAILED] * 3


def test_definitions_are_instantiated_as_often_as_asked(tmp_path: Path) -> None:
    counter = """
    (module definition $counter
      (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
    (module instance $a $counter)
    (module instance $b $counter)
    (assert_return (invoke $a "next") (i32.const 1))
    (assert_return (invoke $a "next") (i32.const 2))
    """
    assert last(tmp_path, counter + '(assert_return (invoke $b "next") (i32.const 1))').status is Status.PASSED
    assert last(tmp_path, counter + '(assert_return (invoke $b "next") (i32.const 3))').status is Status.FAILED


def test_what_is_registered_is_shared(tmp_path: Path) -> None:
    text = (
        PLAIN
        + """
    (register "first" $m)
    (module $user (import "first" "mem" (memory 1)) (import "first" "id" (func $id (param i32) (result i32)))
      (func (export "poke") (i32.store (i32.const 0) (call $id (i32.const 9)))))
    (invoke "poke")
    (module (import "first" "mem" (memory 1)) (func (export "peek") (result i32) (i32.load (i32.const 0))))
    """
    )
    assert last(tmp_path, text + '(assert_return (invoke "peek") (i32.const 9))').status is Status.PASSED
    assert last(tmp_path, text + '(assert_return (invoke "peek") (i32.const 0))').status is Status.FAILED


THREADS = """
(module $mem (memory (export "shared") 1 1 shared))
(thread $sleeper (shared (module $mem))
  (register "mem" $mem)
  (module (memory (import "mem" "shared") 1 1 shared)
    (func (export "sleep") (result i32)
      (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const %s))))
  (assert_return (invoke "sleep") (i32.const %s)))
(thread $waker (shared (module $mem))
  (register "mem" $mem)
  (module (memory (import "mem" "shared") 1 1 shared)
    (func (export "wake") (result i32)
      (local $woken i32)
      (loop $again
        (local.set $woken (memory.atomic.notify (i32.const %s) (i32.const 1)))
        (br_if $again (i32.eqz (local.get $woken))))
      (local.get $woken)))
  (%s (invoke "wake")%s))
(wait $sleeper)
(wait $waker)
"""


def test_threads_wait_for_one_another(tmp_path: Path) -> None:
    text = THREADS % (-1, 0, 0, "assert_return", " (i32.const 1)")
    found = verdicts(tmp_path, text, "threads")
    assert {v.status for v in found} == {Status.OK, Status.PASSED}
    assert sum(v.status is Status.PASSED for v in found) == 2


def test_a_wrong_answer_in_a_thread_fails(tmp_path: Path) -> None:
    found = verdicts(tmp_path, THREADS % (-1, 2, 0, "assert_return", " (i32.const 1)"), "threads")
    assert [v.kind for v in found if v.status is Status.FAILED] == ["assert_return"]


def test_sleepers_that_nobody_wakes_are_a_deadlock(tmp_path: Path) -> None:
    text = THREADS.split("(thread $waker", maxsplit=1)[0] % (-1, 0) + "(wait $sleeper)"
    failed = [v for v in verdicts(tmp_path, text, "threads") if v.status is Status.FAILED]
    assert [v.detail for v in failed] == ["deadlock: every thread sleeps for ever"]


def test_a_sleeper_times_out(tmp_path: Path) -> None:
    text = THREADS.split("(thread $waker", maxsplit=1)[0] % (1_000_000, 2) + "(wait $sleeper)"
    assert {v.status for v in verdicts(tmp_path, text, "threads")} == {Status.OK, Status.PASSED}


# Features and the list of what may be skipped.

VECTORS = '(assert_invalid (module (func (result v128) (i64.const 1))) "type mismatch")'


def test_a_refusal_for_lack_of_a_feature_is_no_pass(tmp_path: Path) -> None:
    found = last(tmp_path, VECTORS)
    assert found.status is Status.SKIPPED
    assert skips.judge(found, []).status is Status.FAILED
    listed = skips.Entry("core/script.wast", 1, "vectors")
    assert skips.judge(found, [listed]).status is Status.SKIPPED
    elsewhere = [skips.Entry("core/script.wast", 2, "vectors"), skips.Entry("script.was", 1, "vectors")]
    assert skips.judge(found, elsewhere).status is Status.FAILED


def test_what_depends_on_a_skipped_module_is_skipped(tmp_path: Path) -> None:
    module = "(module $v (func (result v128) (v128.const i32x4 0 0 0 0)))"
    users = '(assert_return (invoke "f"))\n(register "v" $v)'
    assert [v.status for v in verdicts(tmp_path, f"{module}\n{users}")] == [Status.SKIPPED] * 3


def test_an_entry_does_not_hide_a_failure(tmp_path: Path) -> None:
    found = last(tmp_path, PLAIN + '(assert_return (invoke "id" (i32.const 5)) (i32.const 6))')
    entry = skips.Entry("core/script.wast", found.line, "not a reason")
    assert skips.judge(found, [entry]).status is Status.FAILED


def test_entries_that_skip_nothing_are_stale(tmp_path: Path) -> None:
    used = skips.Entry("core/script.wast", 1, "vectors")
    unused = skips.Entry("core/script.wast", 2, "vectors")
    other = skips.Entry("core/other.wast", 2, "not run")
    folder = skips.Entry("core/", None, "a folder")
    found = [skips.judge(v, [used, unused]) for v in verdicts(tmp_path, VECTORS + "\n(module)")]
    assert skips.stale([used, unused, other, folder], found) == [unused]


def test_threads_are_read_without_several_memories(tmp_path: Path) -> None:
    text = '(assert_invalid (module (memory 0) (memory 0)) "multiple memories")'
    assert last(tmp_path, text, "threads").status is Status.PASSED
    assert last(tmp_path, text, "core").status is Status.FAILED


# The command.


def script(tmp_path: Path, text: str, name: str = "a.wast") -> str:
    """A script file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_last_line_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = '(assert_return (invoke "none"))' * 3
    path = script(tmp_path, PLAIN + good)
    assert command.main([path]) == 0
    assert capsys.readouterr().out == "3 passed, 0 failed, 0 skipped\n"
    path = script(tmp_path, PLAIN + good + '\n(invoke "trap")\n(assert_return (invoke "none") (i32.const 1))')
    out = tmp_path / "out.json"
    assert command.main([path, "--json", str(out)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "3 passed, 2 failed, 0 skipped"
    assert len(printed) == 3
    assert printed[0].startswith(f"{path}:22: invoke failed: trapped: unreachable")
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [row["status"] for row in rows] == ["ok", "passed", "passed", "passed", "failed", "failed"]
    assert rows[-1]["kind"] == "assert_return"
    assert rows[-1]["line"] == 23


def test_unlisted_skips_fail_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([script(tmp_path, VECTORS)]) == 1
    printed = capsys.readouterr().out
    assert "skipped, but not listed" in printed
    assert printed.endswith("0 passed, 1 failed, 0 skipped\n")


def test_stale_entries_fail_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path, PLAIN)
    monkeypatch.setattr(skips, "load", lambda: [skips.Entry("a.wast", 3, "was not built")])
    assert command.main([path]) == 1
    assert capsys.readouterr().out == "skips.toml: a.wast:3: nothing is skipped there\n0 passed, 0 failed, 0 skipped\n"


def test_folders_are_searched_and_parts_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two/three", "two/four"):
        (tmp_path / name).mkdir(parents=True)
        script(tmp_path / name, PLAIN + '(assert_return (invoke "none"))')
    assert command.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("3 passed")
    assert command.main([str(tmp_path), "--exclude", "two/four/,one/a.wast"]) == 0
    assert capsys.readouterr().out.startswith("1 passed")


def test_features_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(tmp_path, "(module (memory 1) (memory 1))")
    assert command.main([path]) == 0
    assert command.main([path, "--features", "threads"]) == 1
    assert "multiple memories" in capsys.readouterr().out
    assert command.read_features(",".join(f.value for f in BUILT)) == BUILT | {Feature.BASE}


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nowhere.wast"],
        ["{tmp}"],
        ["{tmp}/a.txt", "--features", "warp"],
        ["{tmp}/a.txt", "--json", "{tmp}/no/such/folder"],
        ["{tmp}/a.txt", "--exclude", "a.txt"],
        ["{tmp}/a.txt", "--bogus"],
    ],
)
def test_mistakes_are_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    (tmp_path / "a.txt").write_text("(module)", encoding="utf-8")
    assert command.main([arg.replace("{tmp}", str(tmp_path)) for arg in argv]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("lindref wast: ")


NO_SCRIPTS = [b"\xff\xfe", b"(module", b"(((((", b"(module))", b"\0asm", b'(assert_return "', b""]


@pytest.mark.parametrize("content", NO_SCRIPTS)
def test_files_that_are_no_scripts_fail_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wast"
    path.write_bytes(content)
    found = run_script(path)
    assert any(v.status is Status.FAILED for v in found) == bool(content)
    assert not any("bug" in v.detail for v in found)
