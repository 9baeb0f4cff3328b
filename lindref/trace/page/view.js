"use strict";
// The view of a trace. Rows of data.events are [kind, lane, number, time, text, call, rule].
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { events, calls, lanes, arrows, rules, places: chains, excerpts } = data;
  const $ = (id) => document.getElementById(id);
  const KIND = 0, LANE = 1, NUMBER = 2, TIME = 3, TEXT = 4, CALL = 5, RULE = 6;
  const ROW = 22, AXIS = 18;
  let GUTTER = 150;
  const LANE_HEIGHT = Math.max(5, Math.min(28, Math.floor(16000 / Math.max(lanes.length, 1))));
  const last = Math.max(events.length - 1, 0);
  const state = { at: 0, from: 0, to: Math.max(last, 1), byTime: false, matches: null, position: null, filters: 0, listed: "" };

  // Where an event stands on the axis: its place in the trace, or its virtual time.
  const places = Float64Array.from(events.keys());
  const times = (() => {
    const out = new Float64Array(events.length);
    for (let i = 0, most = 0; i < events.length; i++) out[i] = most = Math.max(most, events[i][TIME]);
    return out;
  })();
  const axis = () => (state.byTime ? times : places);

  // Filter.
  const searched = events.map((e) => `${lanes[e[LANE]] ?? ""} ${e[KIND]} ${e[TEXT]} ${e[RULE]}`.toLowerCase());
  const ownerOf = (e) => (e[CALL] >= 0 ? calls[e[CALL]] : null);
  function matcher(word) {
    if (word.startsWith("-") && word.length > 1) { const inner = matcher(word.slice(1)); return (i) => !inner(i); }
    const [, key, value] = /^(cage|kind|name):(.+)$/.exec(word) ?? [];
    if (key === "cage") return (i) => { const l = lanes[events[i][LANE]] ?? ""; return l === `cage ${value}` || l.startsWith(`cage ${value} `); };
    if (key === "kind") return (i) => events[i][KIND] === value;
    if (key === "name") return (i) => ownerOf(events[i])?.name.toLowerCase() === value;
    if (word === "error") return (i) => events[i][KIND] === "exit" && !!ownerOf(events[i])?.wrong;
    if (word === "grate") return (i) => { const c = ownerOf(events[i]); return !!c && ((c.handler?.[1] ?? "").startsWith("grate") || c.within >= 0); };
    return (i) => searched[i].includes(word);
  }
  function filter() {
    const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean).map(matcher);
    state.matches = words.length ? Int32Array.from(places).filter((i) => words.every((w) => w(i))) : null;
    state.position = null;
    state.filters++;
    if (state.matches) {
      state.position = new Map();
      state.matches.forEach((event, i) => state.position.set(event, i));
    }
    const shown = state.matches ? state.matches.length : events.length;
    $("count").textContent = state.matches ? `${shown} of ${events.length} events` : `${events.length} events`;
    $("rows").style.height = `${shown * ROW}px`;
    showRow();
    draw();
  }
  const rowCount = () => (state.matches ? state.matches.length : events.length);
  const eventAt = (row) => (state.matches ? state.matches[row] : row);
  const rowOf = (event) => (state.matches ? state.position.get(event) ?? -1 : event);
  const passes = (event) => !state.matches || state.position.has(event);

  // The list: only the rows in sight are in the document.
  function list() {
    const box = $("list"), first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
    const end = Math.min(rowCount(), first + Math.ceil(box.clientHeight / ROW) + 8);
    const what = [first, end, state.at, state.filters].join();
    if (what === state.listed) return;
    state.listed = what;
    const rows = document.createDocumentFragment();
    for (let row = first; row < end; row++) {
      const event = eventAt(row), e = events[event], div = document.createElement("div");
      const wrong = e[KIND] === "exit" && ownerOf(e)?.wrong;
      div.className = `row ${e[KIND]}${wrong ? " wrong" : ""}`;
      div.id = `row-${event}`;
      div.style.top = `${row * ROW}px`;
      div.setAttribute("role", "option");
      div.setAttribute("aria-selected", event === state.at);
      div.setAttribute("aria-posinset", row + 1);
      div.setAttribute("aria-setsize", rowCount());
      for (const [name, text] of [["n", e[NUMBER]], ["lane", lanes[e[LANE]] ?? "the run"], ["kind", e[KIND]], ["text", e[TEXT]]]) {
        const span = document.createElement("span");
        span.className = name;
        span.textContent = name === "text" ? text : `${text} `;
        div.append(span);
      }
      rows.append(div);
    }
    $("rows").replaceChildren(rows);
    $("list").setAttribute("aria-activedescendant", `row-${state.at}`);
  }
  function showRow() {
    const row = rowOf(state.at), box = $("list");
    if (row >= 0) {
      const top = row * ROW;
      if (top < box.scrollTop || top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
    }
    list();
  }

  // The timeline.
  const canvas = $("timeline"), pen = canvas.getContext("2d");
  let colours = {};
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["back", "panel", "text", "soft", "line", "accent", "call", "grate", "wrong", "signal", "spawn", "select"])
      colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  let scheduled = false;
  function draw() {
    if (!scheduled) { scheduled = true; requestAnimationFrame(() => { scheduled = false; paint(); }); }
  }
  const width = () => canvas.clientWidth;
  const toX = (event) => GUTTER + ((axis()[event] - state.from) / (state.to - state.from)) * (width() - GUTTER - 12);
  const laneY = (lane) => AXIS + lane * LANE_HEIGHT;
  function paint() {
    const w = width(), h = AXIS + lanes.length * LANE_HEIGHT + 6, ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
      canvas.style.height = `${h}px`;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, w, h);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, w - GUTTER, h);
    pen.clip();
    for (let lane = 0; lane < lanes.length; lane += 2) { pen.fillStyle = colours.panel; pen.fillRect(GUTTER, laneY(lane), w, LANE_HEIGHT); }
    ticks(w, h);
    bars(w);
    lines(w);
    marks(w);
    const x = toX(state.at);
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 2;
    pen.beginPath(); pen.moveTo(x, 0); pen.lineTo(x, h); pen.stroke();
    pen.restore();
    if (LANE_HEIGHT > 10) for (let lane = 0; lane < lanes.length; lane++) {
      pen.fillStyle = lane === events[state.at]?.[LANE] ? colours.accent : colours.text;
      pen.fillText(lanes[lane], GUTTER < 100 ? 4 : 10, laneY(lane) + LANE_HEIGHT / 2, GUTTER - (GUTTER < 100 ? 6 : 16));
    }
  }
  function ticks(w, h) {
    const span = state.to - state.from, raw = span / Math.max(1, (w - GUTTER) / 110), power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
    const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? power * 10);
    pen.strokeStyle = colours.line; pen.fillStyle = colours.soft; pen.lineWidth = 1;
    for (let at = Math.ceil(state.from / step) * step; at <= state.to; at += step) {
      const x = GUTTER + ((at - state.from) / span) * (w - GUTTER - 12);
      pen.beginPath(); pen.moveTo(x, AXIS); pen.lineTo(x, h); pen.stroke();
      pen.fillText(state.byTime ? `${at / 1000} µs` : `${events[Math.min(at, last)]?.[NUMBER] ?? at}`, x + 3, AXIS / 2);
    }
  }
  // Bars without text are one path for each colour and strength; those with room for their name come on top.
  function bars(w) {
    const plain = new Map(), named = [], height = Math.max(LANE_HEIGHT - 6, 2);
    const chosen = events[state.at]?.[CALL] >= 0 ? calls[events[state.at][CALL]] : null;
    for (const call of calls) {
      const x = toX(call.enter), right = call.exit < 0 ? w : toX(call.exit);
      if (right < GUTTER || x > w) continue;
      const length = Math.max(right - x, 2), grate = (call.handler?.[1] ?? "").startsWith("grate");
      const alpha = passes(call.enter) || (call.exit >= 0 && passes(call.exit)) ? 1 : 0.15;
      const colour = call.wrong ? colours.wrong : grate ? colours.grate : colours.call, key = `${alpha} ${colour}`;
      if (!plain.has(key)) plain.set(key, new Path2D());
      plain.get(key).rect(x, laneY(call.lane) + 3, length, height);
      if ((length > 30 && height > 10) || call === chosen) named.push([call, x, length, grate, alpha]);
    }
    for (const [key, path] of plain) {
      const [alpha, colour] = key.split(" ");
      pen.globalAlpha = Number(alpha);
      pen.fillStyle = colour;
      pen.fill(path);
    }
    for (const [call, x, length, grate, alpha] of named) {
      const y = laneY(call.lane) + 3;
      if (call === chosen) { pen.globalAlpha = 1; pen.strokeStyle = colours.text; pen.lineWidth = 2; pen.strokeRect(x, y, length, height); }
      if (length <= 30 || height <= 10) continue;
      pen.globalAlpha = alpha;
      pen.save();
      pen.beginPath(); pen.rect(x, y, length - 2, height); pen.clip();
      pen.fillStyle = colours.back;
      pen.fillText(grate ? `${call.name} → ${call.handler[1]}` : call.name, Math.max(x, GUTTER) + 4, y + height / 2);
      pen.restore();
    }
    pen.globalAlpha = 1;
  }
  // Arrows of a kind are one path: there may be thousands, most of them on top of each other when zoomed out.
  function lines(w) {
    for (const kind of ["route", "wait", "spawn"]) {
      const shafts = new Path2D(), tips = new Path2D();
      let drawn = "";
      for (const [from, fromLane, to, toLane, what] of arrows) {
        if (what !== kind) continue;
        const x = toX(from), x2 = toX(to);
        if (Math.max(x, x2) < GUTTER || Math.min(x, x2) > w) continue;
        const place = `${x | 0} ${fromLane} ${x2 | 0} ${toLane}`;
        if (place === drawn) continue;
        drawn = place;
        const y = laneY(fromLane) + LANE_HEIGHT / 2, y2 = laneY(toLane) + LANE_HEIGHT / 2, tip = y2 > y ? -5 : 5;
        shafts.moveTo(x, y); shafts.lineTo(x2, y2);
        tips.moveTo(x2, y2); tips.lineTo(x2 - 4, y2 + tip); tips.lineTo(x2 + 4, y2 + tip); tips.closePath();
      }
      pen.strokeStyle = pen.fillStyle = kind === "route" ? colours.grate : colours.spawn;
      pen.lineWidth = 1.5;
      pen.setLineDash(kind === "wait" ? [4, 3] : []);
      pen.stroke(shafts);
      pen.setLineDash([]);
      pen.fill(tips);
    }
  }
  const marked = events.map((e, i) => i).filter((i) => ["signal", "end", "note", "exec"].includes(events[i][KIND]) && events[i][LANE] >= 0);
  function marks(w) {
    for (const [kind, colour] of [["signal", "signal"], ["note", "wrong"], ["end", "soft"], ["exec", "soft"]]) {
      const path = new Path2D(), size = Math.min(5, LANE_HEIGHT / 2);
      for (const i of marked) {
        if (events[i][KIND] !== kind) continue;
        const x = toX(i), y = laneY(events[i][LANE]) + LANE_HEIGHT / 2;
        if (x < GUTTER - 6 || x > w + 6) continue;
        if (kind === "signal") { path.moveTo(x, y - size); path.lineTo(x + size, y + size); path.lineTo(x - size, y + size); path.closePath(); }
        else if (kind === "end") path.rect(x - size / 2, y - size, size, size * 2);
        else { path.moveTo(x + size, y); path.arc(x, y, size, 0, 7); }
      }
      pen.fillStyle = colours[colour];
      pen.fill(path);
    }
  }
  function zoom(factor, around = axis()[state.at] ?? 0) {
    const end = Math.max(axis()[last] ?? 1, 1), span = Math.min(Math.max((state.to - state.from) * factor, Math.min(20, end)), end);
    const share = (around - state.from) / (state.to - state.from);
    state.from = Math.min(Math.max(around - share * span, 0), end - span);
    state.to = state.from + span;
    draw();
  }
  function reveal() {
    const at = axis()[state.at] ?? 0, span = state.to - state.from, end = Math.max(axis()[last] ?? 1, 1);
    if (at < state.from || at > state.to) {
      state.from = Math.min(Math.max(at - span / 2, 0), Math.max(end - span, 0));
      state.to = state.from + span;
    }
  }
  function hit(x, y) {
    const lane = Math.floor((y - AXIS) / LANE_HEIGHT), at = state.from + ((x - GUTTER) / (width() - GUTTER - 12)) * (state.to - state.from);
    let best = -1, distance = Infinity;
    for (let i = 0; i < events.length; i++) {
      if (events[i][LANE] !== lane) continue;
      const away = Math.abs(axis()[i] - at);
      if (away < distance) { best = i; distance = away; }
    }
    for (const call of calls) // the innermost call at that place, where the click is within one
      if (call.lane === lane && axis()[call.enter] <= at && (call.exit < 0 || axis()[call.exit] >= at)) best = call.enter;
    return best;
  }

  // Details of the chosen event.
  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    if (className) made.className = className;
    return made;
  }
  function link(text, event) {
    const made = element("button", text, "link");
    made.type = "button";
    made.addEventListener("click", () => go(event));
    return made;
  }
  function table(rows) {
    const made = element("table");
    for (const [name, ...cells] of rows) {
      const tr = element("tr"), th = element("th", name);
      th.scope = "row";
      tr.append(th);
      for (const cell of cells) { const td = element("td"); td.append(cell instanceof Node ? cell : element("code", cell)); tr.append(td); }
      made.append(tr);
    }
    return made;
  }
  const hexdump = (text) => (text.match(/.{1,32}/g) ?? []).map((l) => `${l.replace(/../g, "$& ")} ${l.match(/../g).map((b) => { const c = parseInt(b, 16); return c > 31 && c < 127 ? String.fromCharCode(c) : "."; }).join("")}`).join("\n");
  function journey(call) {
    const list = element("ol", null, "journey");
    const add = (c) => {
      const item = element("li");
      item.append(link(`cage ${c.cage}: ${c.name}`, c.enter), ` → ${c.handler ? c.handler[1] : "nobody"}${c.function ? ` (${c.function})` : ""}`);
      const inner = calls.filter((other) => other.within >= 0 && calls[other.within] === c);
      if (inner.length) { const below = element("ol", null, "journey"); inner.forEach((i) => below.append(add(i))); item.append(below); }
      item.append(element("span", ` = ${c.result}`, c.wrong ? "wrong" : ""));
      return item;
    };
    list.append(add(call));
    return list;
  }
  // Where in the program a call was made: the lines around, if they are in the page, and the functions in progress.
  function source(chain, shown) {
    const box = element("div"), FOLDER = 3, known = chain.filter((frame) => frame[FOLDER] >= 0);
    shown ??= known.reduce((best, frame) => (best && best[FOLDER] <= frame[FOLDER] ? best : frame), null);
    if (shown) {
      const [, file, line] = shown, listing = element("pre", null, "source");
      listing.tabIndex = 0;
      listing.setAttribute("aria-label", `${file}, line ${line}`);
      box.append(element("div", `${file}:${line}`, "file"));
      for (const [n, text] of excerpts[`${file}:${line}`]) {
        const row = element("span", null, n === line ? "line here" : "line");
        row.append(element("span", `${n}`, "n"), `${n === line ? "▸" : " "} ${text}\n`);
        listing.append(row);
      }
      box.append(listing);
    }
    const list = element("ol", null, "chain");
    for (const frame of chain) {
      const [name, file, line] = frame, item = element("li", null, frame === shown ? "here" : null);
      const where = file ? element("span", ` ${file.split("/").pop()}:${line}`, "soft") : "";
      if (frame[FOLDER] >= 0) {
        const button = element("button", name, "link");
        button.type = "button";
        button.addEventListener("click", () => box.replaceWith(source(chain, frame)));
        item.append(button, where);
      } else item.append(element("code", name), where);
      if (file) item.title = `${file}:${line}`;
      list.append(item);
    }
    box.append(list);
    return box;
  }
  // What a trace with more in it would have shown here.
  function hints(box, call) {
    const missing = [];
    if (!chains.length) missing.push("--trace-places: which function, on which source line, made the call");
    if (data.header.observes && !data.header.observes.includes("memory") && call.args.length) missing.push("--trace-memory: what it changed in memory");
    if (missing.length) box.append(element("p", `Not in this trace; lindref run has ${missing.join("; ")}.`, "soft"));
  }
  function details() {
    const box = $("details"), e = events[state.at];
    box.replaceChildren();
    if (!e) { box.append(element("p", "No events.")); return; }
    const call = ownerOf(e);
    box.append(element("h2", call ? call.name : `${e[KIND]}: ${e[TEXT]}`));
    const rows = [["event", `${e[NUMBER]}, ${e[KIND]}`], ["thread", lanes[e[LANE]] ?? "the run"], ["time", `${e[TIME]} ns`]];
    if (call) {
      rows.push(["call", `number ${call.number}, self ${call.self ?? "?"}, target ${call.target ?? "?"}`]);
      if (call.within >= 0) rows.push(["serves", link(calls[call.within].name, calls[call.within].enter)]);
      rows.push(["result", call.result || "not yet back"]);
    }
    box.append(table(rows));
    if (call) {
      if (call.args.length) box.append(element("h3", "Arguments"), table(call.args.map(([name, text, raw, owner]) => [name, text || "–", `${raw}${owner === null ? "" : `, cage ${owner}`}`])));
      if (call.where >= 0) box.append(element("h3", "Source"), source(chains[call.where]));
      let top = call;
      while (top.within >= 0) top = calls[top.within];
      box.append(element("h3", "Journey"), journey(top));
      for (const [owner, offset, before, after] of call.memory ?? []) {
        box.append(element("h3", `Memory of cage ${owner} at 0x${offset.toString(16)}`));
        box.append(table([["before", element("pre", hexdump(before))], ["after", element("pre", hexdump(after))]]));
      }
    }
    if (call) hints(box, call);
    const cited = new Set([e[RULE], ...(call ? [call.enter, call.routed, call.exit].map((i) => events[i]?.[RULE]) : [])].filter(Boolean));
    if (cited.size) box.append(element("h3", "Rules"), table([...cited].map((r) => [r, rules[r] ?? ""])));
  }

  // Going somewhere.
  function go(event) {
    state.at = Math.min(Math.max(event, 0), last);
    $("slider").value = state.at;
    const e = events[state.at];
    $("where").textContent = e ? `event ${e[NUMBER]} of ${events[last][NUMBER]}, ${e[TIME] / 1000} µs` : "";
    $("slider").setAttribute("aria-valuetext", e ? `event ${e[NUMBER]}: ${lanes[e[LANE]] ?? ""} ${e[TEXT]}` : "");
    canvas.setAttribute("aria-label", `Timeline of ${lanes.length} threads; at ${e ? `${lanes[e[LANE]] ?? "the run"}, ${e[KIND]} ${e[TEXT]}` : "nothing"}. The list below has the same.`);
    reveal();
    showRow();
    details();
    draw();
    history.replaceState(null, "", `#${e ? e[NUMBER] : ""}`);
  }
  function along(step, wanted) {
    for (let i = state.at + step; i >= 0 && i <= last; i += step) if (wanted(i)) { go(i); return; }
  }
  const call = () => ownerOf(events[state.at]);
  const actions = {
    ArrowRight: (e) => (e.shiftKey ? along(1, (i) => events[i][LANE] === events[state.at][LANE]) : go(state.at + 1)),
    ArrowLeft: (e) => (e.shiftKey ? along(-1, (i) => events[i][LANE] === events[state.at][LANE]) : go(state.at - 1)),
    ArrowDown: () => along(1, passes),
    ArrowUp: () => along(-1, passes),
    PageDown: () => go(state.at + 100),
    PageUp: () => go(state.at - 100),
    Home: () => go(0),
    End: () => go(last),
    c: () => call() && go(events[state.at][KIND] === "exit" ? call().enter : Math.max(call().exit, call().enter)),
    u: () => call()?.within >= 0 && go(calls[call().within].enter),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => zoom(Infinity),
    x: () => $("axis").click(), t: () => $("theme").click(), "/": () => $("filter").focus(), "?": () => $("help").showModal(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("help").open) return;
    if (e.target === $("filter")) { if (e.key === "Escape") { $("filter").value = ""; filter(); $("list").focus(); } return; }
    const act = actions[e.key];
    if (act) { e.preventDefault(); act(e); }
  });
  for (const [id, key] of [["first", "Home"], ["previous", "ArrowLeft"], ["next", "ArrowRight"], ["last", "End"], ["zoom-in", "+"], ["zoom-out", "-"], ["zoom-all", "0"], ["help-open", "?"]])
    $(id).addEventListener("click", (e) => actions[key](e));
  $("slider").max = last;
  $("slider").addEventListener("input", () => go(Number($("slider").value)));
  let waiting = 0;
  $("filter").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
  $("axis").addEventListener("click", () => {
    state.byTime = !state.byTime;
    $("axis").setAttribute("aria-pressed", state.byTime);
    state.from = 0;
    state.to = Math.max(axis()[last] ?? 1, 1);
    draw();
  });
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  function theme(name) { document.documentElement.dataset.theme = name; readColours(); draw(); }
  $("list").addEventListener("scroll", list);
  $("rows").addEventListener("click", (e) => { const row = e.target.closest(".row"); if (row) go(Number(row.id.slice(4))); });
  canvas.addEventListener("click", (e) => { const event = hit(e.offsetX, e.offsetY); if (event >= 0) go(event); });
  canvas.addEventListener("wheel", (e) => {
    if (e.shiftKey) return;
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : 0.8, state.from + ((e.offsetX - GUTTER) / (width() - GUTTER - 12)) * (state.to - state.from));
  }, { passive: false });
  // Whatever changes the room there is: the window, the timeline's height, a bar of tools that wraps.
  const rooms = new ResizeObserver(() => { GUTTER = width() < 600 ? 88 : 150; draw(); list(); });
  rooms.observe(canvas);
  rooms.observe($("list"));

  const h = data.header;
  $("about").textContent = [h.argv?.join(" "), h.profile && `profile ${h.profile}`, h.choices && `choices ${h.choices}`, `${calls.length} calls`].filter(Boolean).join(" · ");
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  filter();
  const asked = Number(location.hash.slice(1));
  go(asked ? Math.max(events.findIndex((e) => e[NUMBER] === asked), 0) : 0);
  if (events.length > 1500) { state.to = axis()[1000]; draw(); }
})();
