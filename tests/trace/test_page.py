"""The page of a trace: what it holds, and how it works in a real browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from test_diff import RECORDED, text_of
from test_format import SOME, read, spoilt, traced

from lindref.cli.main import main
from lindref.trace.page import Builder, TooManyError, page
from lindref.trace.page.sources import Sources
from lindref.trace.reader import TraceError

GUESTS = Path(__file__).resolve().parents[2] / "conformance" / "guests"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


def built(text: str | bytes, **options: Any) -> dict[str, Any]:
    """A page's data."""
    header, records = read(text)
    builder = Builder(**options)
    for record in records:
        builder.add(record)
    return builder.data(header, {"3I-ROUTE-2": "text of the rule"})


def inside(text: str) -> dict[str, Any]:
    """The data in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("name", SOME)
def test_everything_of_a_trace_is_in_its_page(name: str) -> None:
    """Each event but those of memory has its row; each call its ends; arrows lead where they should."""
    records = read(traced(name)[0])[1]
    data = built(traced(name)[0])
    assert [row[0] for row in data["events"]] == [r["event"] for r in records if r["event"] != "memory"]
    for call in data["calls"]:
        assert data["events"][call["enter"]][0] == "enter" and call["exit"] > call["enter"]
        assert call["handler"] and call["result"]
    kinds = [arrow[4] for arrow in data["arrows"]]
    assert kinds.count("spawn") == sum(r["event"] == "spawn" for r in records)
    for at, lane, to, other, kind in data["arrows"]:
        assert at <= to and lane != other
        assert data["lanes"][lane] != data["lanes"][other]
        if kind == "wait":
            assert data["events"][at][0] == "end" and data["events"][to][4].startswith("wait4 = ")
    assert data["rules"] == {"3I-ROUTE-2": "text of the rule"}


def test_a_grates_worker_has_a_lane_and_its_calls_lie_within() -> None:
    data = built(traced("grate_redirect")[0])
    served = [c for c in data["calls"] if c["within"] >= 0]
    assert served and all("worker" in data["lanes"][c["lane"]] for c in served)
    for call in served:
        outer = data["calls"][call["within"]]
        assert outer["enter"] < call["enter"] <= call["exit"] <= outer["exit"]
        assert outer["handler"][1].startswith("grate")
    assert any(c.get("memory") for c in data["calls"])


def test_a_filter_keeps_what_was_asked_for() -> None:
    data = built(traced("grate_redirect")[0], only=frozenset({2}))
    assert {c["name"] for c in data["calls"]} == {"open"}
    assert all(row[5] >= 0 for row in data["events"] if row[0] in ("enter", "route", "exit"))


def test_no_more_events_than_wanted() -> None:
    with pytest.raises(TooManyError, match="more than 5 events"):
        built(traced("hello")[0], most=5)


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028&quot;"


def test_nothing_in_a_trace_becomes_markup() -> None:
    """PAGE-1."""
    lines = [
        {"format": "lindref-trace", "version": 1, "argv": [EVIL]},
        {"event": "note", "cage": 1, "text": EVIL},
        {"event": "enter", "cage": 1, "call": 1, "number": 2, "name": EVIL, "shown": [EVIL]},
    ]
    header, records = read(text_of(lines))
    made = page(header, records, title=EVIL, rules={EVIL: EVIL})
    assert made.count("</script>") == 2 and "<img" not in made
    assert inside(made)["events"][0][4].startswith("</script>")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt())
def test_whatever_can_be_read_has_a_page(data: bytes) -> None:
    try:
        header, records = read(data)
    except TraceError:
        return
    assert inside(page(header, records, title="t", rules={}))["header"] == header


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(traced("grate_redirect")[0])
    assert main(["trace", "html", str(path)]) == 0
    made = (tmp_path / "t.jsonl.html").read_text()
    assert inside(made)["rules"]["3I-ROUTE-2"].startswith("The handler is")
    assert main(["trace", "html", "-o", "-", str(path)]) == 0
    assert capsys.readouterr().out == made
    assert main(["trace", "html", "--most", "3", str(path)]) == 2
    assert main(["trace", "html", "-o", str(tmp_path / "no" / "x"), str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded traces here")
def test_recorded_traces_have_pages() -> None:
    for path in sorted(RECORDED.glob("*.jsonl"))[::7]:
        assert built(path.read_bytes())["calls"]


PLACED = [
    {"format": "lindref-trace", "version": 1, "argv": ["placed"]},
    {"n": 1, "event": "enter", "cage": 1, "call": 1, "number": 3, "shown": ["3"],
     "where": ["close (/lib/src/close.c:2)", "look (/home/me/app/look.c:5)", "main +0x12", "start (../../hidden.c:1)"]},
    {"n": 2, "event": "exit", "cage": 1, "call": 1, "ret": 0},
    {"n": 3, "event": "enter", "cage": 1, "call": 2, "number": 3, "shown": ["3"], "where": []},
    {"n": 4, "event": "exit", "cage": 1, "call": 2, "ret": 0},
]  # fmt: skip


def sources(folder: Path) -> Path:
    """Folders with the sources of ``PLACED``: of the program, and of its library; a file outside."""
    (folder / "mine" / "app").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "mine" / "app" / "look.c").write_text("".join(f"line {n} <b>\n" for n in range(1, 10)))
    (folder / "lib" / "close.c").write_text("one\ntwo\nthree\n")
    (folder / "hidden.c").write_text("a secret\n")
    (folder / "mine" / "link.c").symlink_to(folder / "hidden.c")
    return folder


def test_source_lines(tmp_path: Path) -> None:
    """PAGE-3: what stands around the line, from the folders that were named, and from nowhere else."""
    folder = sources(tmp_path)
    data = built(text_of(PLACED), sources=Sources([str(folder / "mine"), str(folder / "lib")]))
    assert [call["where"] for call in data["calls"]] == [0, -1]
    assert data["places"] == [
        [["close", "/lib/src/close.c", 2, 1], ["look", "/home/me/app/look.c", 5, 0], ["main +0x12", "", 0, -1],
         ["start", "../../hidden.c", 1, -1]]
    ]  # fmt: skip
    shown = data["excerpts"]["/home/me/app/look.c:5"]
    assert [n for n, _ in shown] == list(range(2, 9)) and shown[3] == (5, "line 5 <b>")
    assert data["excerpts"]["/lib/src/close.c:2"] == [(1, "one"), (2, "two"), (3, "three")]
    assert len(data["excerpts"]) == 2
    reader = Sources([str(folder / "mine")])
    for file in ("/etc/passwd", "../hidden.c", "../../hidden.c", str(folder / "hidden.c"), "link.c", "app", "", "/"):
        assert reader.excerpt(file, 1) == (-1, []), file
    assert reader.excerpt("look.c", 0) == reader.excerpt("look.c", 10) == (-1, [])
    assert built(text_of(PLACED))["excerpts"] == {}


def test_a_run_says_where_calls_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--trace-places``: functions with their lines; nothing else of the trace is different."""
    monkeypatch.chdir(GUESTS / "grate_redirect")
    plain, placed = tmp_path / "plain.jsonl", tmp_path / "placed.jsonl"
    words = ["--root", ".", "/grate.wasm", "/app.wasm"]
    assert main(["run", "--trace", str(plain), *words]) == 0
    assert main(["run", "--trace", str(placed), "--trace-places", *words]) == 0
    records = [json.loads(line) for line in placed.read_text().splitlines()]
    entered = [record for record in records[1:] if record["event"] == "enter"]
    functions = {
        (record["cage"], record["name"]): [place.split()[0] for place in record["where"]]
        for record in entered
        if "where" in record
    }
    assert functions[2, "access"] == ["__lind_call", "access", "__original_main", "_start"]
    assert functions[1, "access"] == ["make_threei_call", "redirect_access", "pass_fptr_to_wt"]
    assert {record["name"] for record in entered if "where" not in record} == {"mmap"}, "which the loader makes"
    for record in records:
        record.pop("where", None)
    assert records == [json.loads(line) for line in plain.read_text().splitlines()]
    assert read(placed.read_text())[1], "and can be read"


# In a real browser.


def long_trace(events: int) -> str:
    """A trace of so many events: ten cages, calls through two grates, signals."""
    lines: list[dict[str, Any]] = [{"format": "lindref-trace", "version": 1, "argv": ["long"]}]
    n = call = 0

    def add(**fields: Any) -> None:
        nonlocal n
        n += 1
        lines.append({"n": n, "time": 1000 * n, **fields})

    for cage in range(2, 11):
        add(event="spawn", cage=1, child=cage)
    while n < events - 9:
        cage = 3 + n % 7
        call += 2
        add(event="enter", cage=cage, call=call, number=0, shown=["3", None, "10"], args=[[3, cage], [0, 0], [10, 0]])
        add(event="route", cage=cage, call=call, handler=2, function="look", rule="3I-ROUTE-2")
        add(event="enter", cage=2, call=call + 1, number=0, within=call, shown=["3", None, "10"])
        add(event="route", cage=2, call=call + 1, handler=777777)
        add(event="exit", cage=2, call=call + 1, ret=10 if call % 20 else -9, shown={"1": '"text"'})
        add(event="exit", cage=cage, call=call, ret=10, shown={"1": f'"text {call}"'})
        if call % 100 == 0:
            add(event="signal", cage=cage, signo=10, action="handler")
    while n < events:
        add(event="note", cage=1, text="end")
    return text_of(lines)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    if BROWSER is None or DRIVER is None:
        pytest.skip("no Chromium with its driver here")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --window-size=1200,800".split():
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def opened(browser: Any, tmp_path: Path, text: str, place: str = "") -> Any:
    """A trace's page in the browser, from its file."""
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    assert main(["trace", "html", str(path)]) == 0
    browser.get("about:blank")
    browser.get(f"file://{path}.html{place}")
    return browser


def press(browser: Any, *keys: str, shift: bool = False) -> None:
    """Keys, wherever the focus is."""
    from selenium.webdriver import ActionChains, Keys

    actions = ActionChains(browser)
    if shift:
        actions.key_down(Keys.SHIFT)
    for key in keys:
        actions.send_keys(getattr(Keys, key, key))
    if shift:
        actions.key_up(Keys.SHIFT)
    actions.perform()


def at(browser: Any) -> int:
    """The chosen event, from 0."""
    return int(browser.execute_script("return document.getElementById('slider').value"))


def details(browser: Any) -> str:
    """What is told of it."""
    return str(browser.execute_script("return document.getElementById('details').innerText"))


def wait_for(browser: Any, script: str) -> None:
    """Until something holds in the page."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 10).until(lambda b: b.execute_script(f"return {script}"))


def test_the_page_works_by_keyboard(browser: Any, tmp_path: Path) -> None:
    """PAGE-2, PAGE-1: steps, ends of calls, filter, zoom, help, themes; no errors, nothing loaded."""
    data = built(traced("grate_redirect")[0])
    opened(browser, tmp_path, traced("grate_redirect")[0])
    assert at(browser) == 0 and browser.title.endswith("lindref trace")
    press(browser, "ARROW_RIGHT", "ARROW_RIGHT")
    assert at(browser) == 2
    press(browser, "ARROW_LEFT")
    assert at(browser) == 1
    press(browser, "END")
    assert at(browser) == len(data["events"]) - 1
    press(browser, "HOME")
    lane = data["events"][0][1]
    press(browser, "ARROW_RIGHT", shift=True)
    assert data["events"][at(browser)][1] == lane
    # To a call that a grate serves: from its enter to its exit, and from a call within up to it.
    inner = next(c for c in data["calls"] if c["within"] >= 0)
    press(browser, "HOME", *["ARROW_RIGHT"] * inner["enter"])
    press(browser, "u")
    outer = data["calls"][inner["within"]]
    assert at(browser) == outer["enter"] and outer["function"] in details(browser)
    press(browser, "c")
    assert at(browser) == outer["exit"]
    assert "3I-ROUTE-2" in details(browser) and "never consulted" in details(browser)
    # The filter, and steps along what it lets through.
    press(browser, "/")
    press(browser, *"name:open")
    wait_for(browser, "document.getElementById('count').textContent.includes(' of ')")
    shown = int(browser.execute_script("return document.getElementById('count').textContent").split()[0])
    assert shown == sum(row[5] >= 0 and data["calls"][row[5]]["name"] == "open" for row in data["events"])
    press(browser, "TAB", "ARROW_UP")
    assert data["calls"][data["events"][at(browser)][5]]["name"] == "open"
    press(browser, "/", "ESCAPE")
    wait_for(browser, "!document.getElementById('count').textContent.includes(' of ')")
    press(browser, "?")
    assert browser.execute_script("return document.getElementById('help').open")
    press(browser, "ESCAPE")
    before = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    press(browser, "t")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") != before
    press(browser, "x", "+", "+", "-", "0", "PAGE_DOWN", "PAGE_UP")
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_page_works_by_mouse(browser: Any, tmp_path: Path) -> None:
    """A bar, a row, a button, the slider; a place named in the address."""
    from selenium.webdriver import ActionChains

    data = built(traced("grate_redirect")[0])
    opened(browser, tmp_path, traced("grate_redirect")[0], "#30")
    assert data["events"][at(browser)][2] == 30
    browser.find_element("id", "next").click()
    assert data["events"][at(browser)][2] == 31
    row = browser.find_elements("css selector", ".row")[10]
    wanted = int(row.get_attribute("id").split("-")[1])
    browser.find_element("id", f"row-{wanted}").click()
    assert at(browser) == wanted
    canvas = browser.find_element("id", "timeline")
    # The last lane is a worker's: click in its middle takes something of it.
    lane = len(data["lanes"]) - 1
    y = 18 + lane * 28 + 14
    ActionChains(browser).move_to_element_with_offset(canvas, 100, y - canvas.size["height"] // 2).click().perform()
    assert data["events"][at(browser)][1] == lane
    link = browser.find_element("css selector", "#details .link")
    link.click()
    assert data["events"][at(browser)][0] == "enter"
    assert browser.get_log("browser") == []


def test_what_a_screen_reader_is_told(browser: Any, tmp_path: Path) -> None:
    """PAGE-2: names and roles; the chosen row is announced; everything that can be clicked can have the focus."""
    opened(browser, tmp_path, traced("hello")[0], "#8")
    unnamed = browser.execute_script("""return [...document.querySelectorAll('button, input, [role], section, canvas')]
      .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.id === 'count'))
      .map(e => e.outerHTML)""")
    assert unnamed == []
    active = browser.execute_script("return document.getElementById('list').getAttribute('aria-activedescendant')")
    chosen = browser.find_element("id", active)
    assert chosen.get_attribute("aria-selected") == "true" and "write" in chosen.text
    assert "write" in browser.execute_script("return document.getElementById('slider').getAttribute('aria-valuetext')")
    assert "write" in browser.execute_script("return document.getElementById('timeline').getAttribute('aria-label')")
    focusable = browser.execute_script("""return [...document.querySelectorAll('button, input, [tabindex]')]
      .every(e => e.tabIndex >= 0)""")
    assert focusable


FRAMES = """
const done = arguments[arguments.length - 1], times = [];
let count = 0, before = performance.now();
function frame(now) {
  times.push(performance.now() - before);
  before = performance.now();
  if (++count > 60) { times.sort((a, b) => a - b); done(times[Math.floor(times.length / 2)]); return; }
  const key = ["ArrowRight", "+", "PageDown", "-", "ArrowDown"][count % 5];
  document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
"""


def test_ten_thousand_events_move_smoothly(browser: Any, tmp_path: Path) -> None:
    """With everything in sight, drawn by a processor that others use too; 50 ms a frame is what it takes alone."""
    opened(browser, tmp_path, long_trace(10_000))
    browser.set_script_timeout(60)
    browser.execute_script("document.getElementById('zoom-all').click()")
    assert browser.execute_script("return document.getElementById('count').textContent") == "10000 events"
    assert len(browser.find_elements("css selector", ".row")) < 100
    assert browser.execute_async_script(FRAMES) < 300
    assert browser.get_log("browser") == []


def test_source_in_the_page(browser: Any, tmp_path: Path) -> None:
    """The line is shown in its place, that of the first folder; other functions' at a click."""
    folder = sources(tmp_path / "sources")
    path = tmp_path / "t.jsonl"
    path.write_text(text_of(PLACED))
    words = ["--source", str(folder / "mine"), "--source", str(folder / "lib")]
    assert main(["trace", "html", *words, str(path)]) == 0
    browser.get(f"file://{path}.html")
    text = details(browser)
    assert "line 5 <b>" in text and "look.c:5" in text and "two" not in text and "secret" not in text
    here = browser.find_elements("css selector", "#details .line.here")
    assert [line.text.split(maxsplit=2)[0] for line in here] == ["5▸"] or "line 5" in here[0].text
    browser.find_element("css selector", "#details .chain .link").click()
    assert "two" in details(browser) and "line 5" not in details(browser)
    press(browser, "ARROW_RIGHT", "ARROW_RIGHT")
    assert "Source" not in details(browser) and browser.get_log("browser") == []


def resize(browser: Any, width: int, height: int) -> None:
    """The page's room, which a window cannot have as small as that."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (420, 900), (760, 400)])
def test_the_page_fits(browser: Any, tmp_path: Path, width: int, height: int) -> None:
    """Nothing sticks out, the list has rows as far as it reaches, the chosen one is in sight; light and dark."""
    resize(browser, width, height)
    try:
        for scheme in ("light", "dark"):
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            opened(browser, tmp_path, traced("grate_redirect")[0], "#45")
            assert browser.execute_script("return document.documentElement.dataset.theme") == scheme
            wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            wait_for(browser, wide)
            wait_for(
                browser,
                """(() => { const list = document.getElementById('list').getBoundingClientRect();
              const rows = [...document.querySelectorAll('.row')].map(r => r.getBoundingClientRect());
              return rows.length && Math.max(...rows.map(r => r.bottom)) >= list.bottom - 22; })()""",
            )
            chosen = """(() => { const list = document.getElementById('list').getBoundingClientRect();
              const row = document.querySelector('.row[aria-selected=true]')?.getBoundingClientRect();
              return row && row.top >= list.top - 1 && row.bottom <= list.bottom + 1; })()"""
            wait_for(browser, chosen)
            assert contrast(browser) >= 4.5
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


CONTRAST = """
const channel = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = (text) => {
  const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((v) => channel(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const back = (e) => {
  for (; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
  }
  return "rgb(255, 255, 255)";
};
const words = ".row span, #details td, #details th, #details h3, button, #about, #count, .legend li, #where";
let worst = 21;
for (const e of document.querySelectorAll(words)) {
  if (!e.textContent.trim()) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
  worst = Math.min(worst, (a + 0.05) / (b + 0.05));
}
return worst;
"""


def contrast(browser: Any) -> float:
    """The least contrast of any text with what is behind it (WCAG wants 4.5)."""
    return float(browser.execute_script(CONTRAST))


def test_an_empty_run_has_a_page(browser: Any, tmp_path: Path) -> None:
    opened(browser, tmp_path, '{"format":"lindref-trace","version":1}\n')
    press(browser, "ARROW_RIGHT", "END", "+", "x")
    assert "No events" in details(browser) and browser.get_log("browser") == []
