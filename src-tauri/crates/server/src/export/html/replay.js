"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const read = (node) => JSON.parse(node.textContent);
  const all = (name) => Array.from(document.querySelectorAll(`script[data-part="${name}"]`), read).flat();
  const head = read($("head"));
  const events = all("events").sort((a, b) => a.t - b.t || a.s - b.s);
  const usage = all("usage").sort((a, b) => a[0] - b[0]);
  const count = events.length;

  // --- What is known at each event: sums over everything before it.
  const GAP_MS = 2000;
  const calls = new Uint32Array(count), errors = new Uint32Array(count), prompts = new Uint32Array(count);
  const cost = new Float64Array(count), tokens = new Float64Array(count);
  const edits = [];
  const isError = (event) => event.o === false || event.k === "failure" || event.k === "permission_denied";
  const isCall = (event) => event.k === "tool_end";
  let sums = { calls: 0, errors: 0, prompts: 0, cost: 0, tokens: 0 }, paid = 0;
  events.forEach((event, at) => {
    for (; paid < usage.length && usage[paid][0] <= event.t; paid += 1) {
      sums.cost += usage[paid][1];
      sums.tokens += usage[paid][2];
    }
    sums.calls += isCall(event) ? 1 : 0;
    sums.errors += isError(event) ? 1 : 0;
    sums.prompts += event.k === "prompt" ? 1 : 0;
    if (event.c === "edit" && event.k === "tool_end" && event.g) edits.push(at);
    calls[at] = sums.calls; errors[at] = sums.errors; prompts[at] = sums.prompts;
    cost[at] = sums.cost; tokens[at] = sums.tokens;
  });
  // The last event carries what was billed after it.
  for (; paid < usage.length && count > 0; paid += 1) {
    cost[count - 1] += usage[paid][1];
    tokens[count - 1] += usage[paid][2];
  }

  // --- Time: the tape's own, with long silences cut short where wished.
  let tape = new Float64Array(count);
  const lay = (cut) => {
    for (let at = 1; at < count; at += 1) {
      const gap = Math.max(0, events[at].t - events[at - 1].t);
      tape[at] = tape[at - 1] + (cut ? Math.min(gap, GAP_MS) : gap);
    }
  };
  const length = () => (count ? tape[count - 1] : 0);
  const indexAt = (place) => {
    let low = 0, high = count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (tape[middle] <= place) low = middle; else high = middle - 1;
    }
    return low;
  };

  // --- Words
  const two = (number) => String(number).padStart(2, "0");
  const clock = (ms) => { const date = new Date(ms); return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`; };
  const span = (ms) => {
    const seconds = Math.round(ms / 1000);
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`;
  };
  const money = (micros) => `$${(micros / 1e6).toFixed(2)}`;
  const big = (number) => (number >= 1e6 ? `${(number / 1e6).toFixed(1)} M` : number >= 1e4 ? `${(number / 1e3).toFixed(0)} k` : String(number));
  const NAMES = {
    prompt: "Prompt", message: "Answer", thinking: "Thinking", tool_start: "Starts", tool_end: "Tool", permission: "Asks leave",
    permission_denied: "Denied", question: "Question", notification: "Notice", subagent_start: "Subagent", subagent_stop: "Subagent ends",
    stop: "Turn ends", failure: "Failed", interrupt: "Interrupted", rewind: "Rewound", compact: "Compacts", session_start: "Begins", session_end: "Ends", other: "Event",
  };

  // --- Rows, built from text alone
  let needle = "";
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const lit = (node, text) => {
    if (!needle) { node.textContent = text; return node; }
    const lower = text.toLowerCase();
    let from = 0;
    for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
      node.append(text.slice(from, at), make("mark", "", text.slice(at, at + needle.length)));
      from = at + needle.length;
    }
    node.append(text.slice(from));
    return node;
  };
  const LINES = 12, LETTERS = 1200;
  const long = (tag, text) => {
    const short = text.split("\n").slice(0, LINES).join("\n").slice(0, LETTERS);
    const node = lit(make(tag), short);
    if (short.length === text.length) return [node];
    const more = make("button", "more", `Show all ${big(text.length)} characters`);
    more.type = "button";
    more.onclick = (event) => { event.stopPropagation(); node.textContent = ""; lit(node, text); more.remove(); };
    return [node, more];
  };
  const row = (at) => {
    const event = events[at];
    const node = make("li", `${event.k}${isError(event) ? " bad" : ""}`);
    node.dataset.at = at;
    node.append(make("time", "at", clock(event.t)));
    node.append(make("span", "kind", event.h || NAMES[event.k] || event.n));
    const what = make("div", "what");
    if (event.a) what.append(make("span", "at", `${event.a}: `));
    if (event.g) what.append(lit(make("code"), event.g));
    if (event.d >= 0) what.append(make("span", "at", `  ${span(event.d)}`));
    if (event.l) what.append(make("span", "at", `  ${event.l}`));
    if (event.e) what.append(lit(make("p", "bad-text"), event.e));
    if (event.i) {
      const inside = make("details");
      inside.append(make("summary", "", "Input"), ...long("pre", event.i));
      what.append(inside);
    }
    if (event.b) what.append(...long(event.k.startsWith("tool") ? "pre" : "p", event.b));
    node.append(what);
    return node;
  };

  // --- The log shows a window of rows around the cursor.
  const CHUNK = 150;
  const log = $("log");
  let first = 0, last = -1, cursor = -1, follow = true;
  const window_ = (at) => {
    const chunk = Math.floor(at / CHUNK) * CHUNK;
    return [Math.max(0, chunk - CHUNK), Math.min(count - 1, chunk + 2 * CHUNK - 1)];
  };
  const paint = (force) => {
    const [from, to] = window_(Math.max(cursor, 0));
    if (!force && from === first && to === last) return;
    [first, last] = [from, to];
    const rows = document.createDocumentFragment();
    for (let at = first; at <= last; at += 1) rows.append(row(at));
    log.replaceChildren(rows);
    mark();
  };
  const mark = () => {
    for (const node of log.children) {
      const at = Number(node.dataset.at);
      node.classList.toggle("later", at > cursor);
      node.classList.toggle("now", at === cursor);
      if (at === cursor) node.setAttribute("aria-current", "true"); else node.removeAttribute("aria-current");
    }
  };
  const show = () => {
    const node = log.querySelector(".now");
    if (node && follow) log.scrollTop = node.offsetTop - log.offsetTop - log.clientHeight * 0.55;
  };
  const facts = () => {
    const at = Math.max(cursor, 0);
    const set = (id, text) => { $(id).textContent = text; };
    if (!count) return;
    set("f-time", new Date(events[at].t).toLocaleString());
    set("f-span", span(events[at].t - events[0].t));
    set("f-event", `${at + 1} of ${count}`);
    set("f-prompts", String(prompts[at]));
    set("f-calls", String(calls[at]));
    set("f-errors", String(errors[at]));
    set("f-tokens", big(tokens[at]));
    set("f-cost", money(cost[at]));
    const files = new Map();
    for (const edit of edits) {
      if (edit > at) break;
      files.set(events[edit].g, (files.get(events[edit].g) || 0) + 1);
    }
    const list = Array.from(files).slice(-40).map(([file, times]) => make("li", "", times > 1 ? `${file} (${times})` : file));
    $("files").replaceChildren(...(list.length ? list : [make("li", "at", "None yet")]));
    set("clock", `${span(place)} of ${span(length())}`);
    $("scrub").value = String(length() ? Math.round((place / length()) * 10000) : 0);
    $("scrub").setAttribute("aria-valuetext", `Event ${at + 1} of ${count}, ${clock(events[at].t)}`);
  };

  // --- Moving
  let place = 0, playing = false, speed = 4, before = 0;
  const go = (at, exact) => {
    if (!count) return;
    cursor = Math.min(Math.max(at, 0), count - 1);
    if (!exact) place = tape[cursor];
    paint(false);
    mark();
    show();
    facts();
  };
  const step = (direction, test) => {
    pause();
    follow = true;
    for (let at = cursor + direction; at >= 0 && at < count; at += direction) {
      if (test(events[at])) { go(at); return; }
    }
  };
  const TESTS = { event: () => true, prompt: (event) => event.k === "prompt", tool: isCall, error: isError };
  const wanted = () => TESTS[$("by").value];
  const pause = () => { playing = false; $("play").textContent = "Play"; $("play").setAttribute("aria-pressed", "false"); };
  const play = () => {
    if (!count) return;
    if (cursor >= count - 1) { place = 0; go(0); }
    playing = true; follow = true; before = performance.now();
    $("play").textContent = "Pause"; $("play").setAttribute("aria-pressed", "true");
    requestAnimationFrame(tick);
  };
  const tick = (now) => {
    if (!playing) return;
    place = Math.min(length(), place + (now - before) * speed);
    before = now;
    const at = indexAt(place);
    if (at !== cursor) go(at, true); else facts();
    if (place >= length()) { pause(); return; }
    requestAnimationFrame(tick);
  };
  const toggle = () => (playing ? pause() : play());
  const faster = (by) => {
    const list = Array.from($("speed").options, (option) => Number(option.value));
    const next = list[Math.min(Math.max(list.indexOf(speed) + by, 0), list.length - 1)];
    speed = next;
    $("speed").value = String(next);
  };

  // --- Searching
  const texts = events.map((event) => [event.n, event.h, event.g, event.b, event.e, event.i].filter(Boolean).join("\n").toLowerCase());
  let hits = [];
  const search = () => {
    needle = $("search").value.trim().toLowerCase();
    hits = needle ? texts.reduce((list, text, at) => (text.includes(needle) ? (list.push(at), list) : list), []) : [];
    $("found").textContent = needle ? `${hits.length} found` : "";
    paint(true);
  };
  const hit = (direction) => {
    if (!hits.length) return;
    pause();
    follow = true;
    const next = direction > 0 ? hits.find((at) => at > cursor) ?? hits[0] : hits.findLast((at) => at < cursor) ?? hits[hits.length - 1];
    go(next);
    $("found").textContent = `${hits.indexOf(next) + 1} of ${hits.length}`;
  };

  // --- The bar of density: where much happened, prompts and errors
  const draw = () => {
    const canvas = $("density"), scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
    if (!width || !count) return;
    [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.body);
    const color = (name) => getComputedStyle($(name)).color;
    const bins = new Uint32Array(Math.ceil(width / (3 * scale)) + 1);
    const x = (at) => (length() ? (tape[at] / length()) * (width - 1) : 0);
    for (let at = 0; at < count; at += 1) bins[Math.floor(x(at) / (3 * scale))] += 1;
    const most = Math.max(...bins);
    pen.fillStyle = style.color;
    pen.globalAlpha = 0.3;
    bins.forEach((number, bin) => { const tall = (Math.log1p(number) / Math.log1p(most)) * height; pen.fillRect(bin * 3 * scale, height - tall, 2 * scale, tall); });
    pen.globalAlpha = 1;
    for (let at = 0; at < count; at += 1) {
      const name = events[at].k === "prompt" ? "play-color" : isError(events[at]) ? "bad-color" : "";
      if (!name) continue;
      pen.fillStyle = color(name);
      pen.fillRect(x(at), 0, 2 * scale, height);
    }
  };

  // --- Everything to its place
  document.title = head.title;
  $("title").textContent = head.title;
  $("facts").textContent = head.facts.join(" · ");
  lay(true);
  go(count - 1);
  go(0);
  draw();
  if (!count) log.replaceChildren(make("li", "empty", "No events in this part of the session"));
  $("play").onclick = toggle;
  $("back").onclick = () => step(-1, wanted());
  $("next").onclick = () => step(1, wanted());
  $("speed").onchange = () => { speed = Number($("speed").value); };
  $("cut").onchange = () => { const at = Math.max(cursor, 0); lay($("cut").checked); go(at); draw(); };
  $("scrub").oninput = () => { pause(); follow = true; place = (Number($("scrub").value) / 10000) * length(); go(indexAt(place), true); };
  $("search").oninput = search;
  $("search").onkeydown = (event) => {
    if (event.key === "Enter") { event.preventDefault(); hit(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") { $("search").value = ""; search(); $("search").blur(); }
  };
  $("theme").onclick = () => {
    const dark = document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    draw();
  };
  $("help").onclick = () => $("keys").showModal();
  log.onwheel = () => { if (playing) follow = false; };
  log.onclick = (event) => {
    const node = event.target.closest("li[data-at]");
    if (node && !event.target.closest("button, summary") && !String(getSelection())) { pause(); go(Number(node.dataset.at)); }
  };
  addEventListener("resize", draw);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=search], select, dialog")) return;
    const keys = {
      " ": toggle, ArrowRight: () => step(1, wanted()), ArrowLeft: () => step(-1, wanted()),
      "]": () => step(1, TESTS.prompt), "[": () => step(-1, TESTS.prompt), e: () => step(1, isError), E: () => step(-1, isError),
      Home: () => { pause(); follow = true; go(0); }, End: () => { pause(); follow = true; go(count - 1); },
      "+": () => faster(1), "-": () => faster(-1), "/": () => $("search").focus(), n: () => hit(1), N: () => hit(-1),
      t: () => $("theme").click(), "?": () => $("keys").showModal(),
    };
    const act = keys[event.key];
    if (!act || (event.key === " " && event.target.closest("button, summary"))) return;
    event.preventDefault();
    act();
  });
})();
