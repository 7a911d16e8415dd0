// Measures the pages on a generated store: the timeline of many spans, the scrubber of a long session, Live under load.
// usage: node ui-bench.mjs SERVER_URL CALLS LONG_CALLS SECONDS ; prints one JSON object

import { existsSync } from "node:fs";
import { Agent, request } from "node:http";
import { chromium } from "playwright-core";

const [base, calls, longCalls, seconds] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const executablePath =
  process.env.ORRERY_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const LANES = 40;
const TOOLS = [
  ["Bash", (n) => ({ command: `cargo test part_${n % 97}` })],
  ["Edit", (n) => ({ file_path: `/home/ada/src/kiln/src/part${n % 211}.rs`, old_string: "a", new_string: "b" })],
  ["Read", (n) => ({ file_path: `/home/ada/src/kiln/src/part${n % 211}.rs` })],
  ["Grep", (n) => ({ pattern: `fn part_${n % 31}` })],
];

/** Not with fetch: it marks itself as a browser's request, which needs the token. */
function post(path, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { method: "POST", agent }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode < 300 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`))));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
const get = async (path) => (await fetch(`${base}${path}`)).json();

/** Lines of a transcript: a prompt, then calls one after the other; each line's time is `step` ms after the one before. */
function* transcript(session, count, from, step) {
  const common = { sessionId: session, cwd: "/home/ada/src/kiln", version: "2.1.0", gitBranch: "main", isSidechain: false };
  let at = from;
  const line = (type, n, message) => {
    at += step;
    return JSON.stringify({ ...common, type, uuid: `${session}-${n}-${type}`, timestamp: new Date(at).toISOString(), message });
  };
  for (let n = 0; n < count; n += 1) {
    if (n % 500 === 0) yield line("user", `p${n}`, { role: "user", content: `Prompt ${n / 500} of ${session}` });
    const [name, input] = TOOLS[n % TOOLS.length];
    const id = `toolu_${session}_${n}`;
    const content = [{ type: "tool_use", id, name, input: input(n) }];
    yield line("assistant", n, { id: `msg_${session}_${n}`, role: "assistant", model: "claude-opus-4-5", content });
    const result = { type: "tool_result", tool_use_id: id, content: "done", is_error: n % 61 === 0 };
    yield line("user", n, { role: "user", content: [result] });
  }
}

async function load(session, count, from, step) {
  let lines = [];
  for (const line of transcript(session, count, from, step)) {
    lines.push(line);
    if (lines.length === 20_000) {
      await post(`/api/v1/transcripts/claude-code?name=${session}.jsonl`, `${lines.join("\n")}\n`);
      lines = [];
    }
  }
  await post(`/api/v1/transcripts/claude-code?name=${session}.jsonl`, `${lines.join("\n")}\n`);
}

const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;

/** Times between frames, and tasks that took long, while `work` runs. */
async function frames(page, work) {
  await page.evaluate(() => {
    window.benchFrames = [];
    window.benchTasks = [];
    let before = performance.now();
    const tick = (now) => {
      window.benchFrames.push(now - before);
      before = now;
      window.benchTick = requestAnimationFrame(tick);
    };
    window.benchTick = requestAnimationFrame(tick);
    window.benchObserver = new PerformanceObserver((list) => window.benchTasks.push(...list.getEntries().map((entry) => entry.duration)));
    window.benchObserver.observe({ entryTypes: ["longtask"] });
  });
  await work();
  return page.evaluate(() => {
    cancelAnimationFrame(window.benchTick);
    window.benchObserver.disconnect();
    return { frames: window.benchFrames, tasks: window.benchTasks };
  });
}

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-dev-shm-usage"],
});
const out = {};
try {
  const now = Date.now();
  const each = Math.ceil(calls / LANES);
  const step = Math.max(1, Math.floor((8 * 3_600_000) / (each * 2.002)));
  for (let lane = 0; lane < LANES; lane += 1) await load(`lane-${lane}`, each, now - 8 * 3_600_000 - lane, step);
  await load("long", longCalls, now - 9 * 86_400_000, 700);
  // The tracks follow the commits.
  const range = `from_ms=${now - 9 * 3_600_000}&to_ms=${now}`;
  for (;;) {
    const picture = await get(`/api/v1/timeline?${range}&px=10&first=0&count=0`);
    if (picture.behind === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  let began = performance.now();
  out.spans = (await get(`/api/v1/timeline/busy?${range}&px=480`)).spans;
  out.timeline_cold_ms = performance.now() - began;
  began = performance.now();
  await get(`/api/v1/timeline?${range}&px=2600&first=0&count=120`);
  out.timeline_warm_ms = performance.now() - began;

  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${base}/app/timeline?range=${now - 9 * 3_600_000}-${now}`);
  await page.waitForFunction(() => Number(document.querySelector("#timeline")?.dataset.slices) > 0, null, { timeout: 60_000 });
  await page.locator("#timeline").focus();
  await page.keyboard.press("0");
  await page.waitForTimeout(3_000);
  const shown = await page.evaluate(() => {
    const chart = document.querySelector("#timeline");
    const lanes = document.querySelectorAll(".lane").length;
    return { slices: Number(chart.dataset.slices), px: chart.width, lanes };
  });
  // What was read reaches beyond the picture on both sides: two widths in all.
  out.primitives_per_column_and_lane = shown.slices / (shown.px * 2 * Math.min(shown.lanes, LANES));
  await page.keyboard.press("w");
  await page.waitForTimeout(1_500);
  const paints = [];
  const pan = await frames(page, async () => {
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press(n % 20 < 10 ? "d" : "a");
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      paints.push(await page.evaluate(() => Number(document.querySelector("#timeline").dataset.paintMs)));
    }
  });
  out.pan_p95_ms = percentile(pan.frames, 0.95);
  out.paint_p95_ms = percentile(paints, 0.95);

  // The scrubber of the long session.
  began = performance.now();
  await page.goto(`${base}/app/session/long?tab=replay`);
  const slider = page.getByRole("slider");
  await slider.waitFor({ timeout: 120_000 });
  out.replay_open_ms = performance.now() - began;
  out.replay_moments = Number(await slider.getAttribute("aria-valuemax"));
  await page.waitForTimeout(2_000);
  const box = await slider.boundingBox();
  const scrub = await frames(page, async () => {
    await page.mouse.move(box.x + 5, box.y + 20);
    await page.mouse.down();
    for (let n = 0; n < 80; n += 1) {
      await page.mouse.move(box.x + 5 + ((box.width - 10) * ((n * 37) % 80)) / 80, box.y + 20);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    }
    await page.mouse.up();
  });
  out.scrub_p95_ms = percentile(scrub.frames, 0.95);
  out.scrub_long_tasks = scrub.tasks.length;

  // Live, under a thousand events a second.
  await page.goto(`${base}/app/live`);
  await page.locator(".stream").waitFor();
  let sent = 0;
  const live = await frames(page, async () => {
    const end = performance.now() + seconds * 1_000;
    let due = performance.now();
    while (performance.now() < end) {
      const batch = [];
      for (let n = 0; n < 100; n += 1) {
        const name = sent % 2 === 0 ? "PreToolUse" : "PostToolUse";
        const call = Math.floor(sent / 2);
        const body = { session_id: `live-${call % 12}`, cwd: "/home/ada/src/kiln", hook_event_name: name, tool_name: "Bash", tool_use_id: `live_${call}`, tool_input: { command: `make part_${call}` } };
        batch.push(post("/hooks/claude-code", JSON.stringify(body)));
        sent += 1;
      }
      await Promise.all(batch);
      due += 100;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
  });
  out.live_rate = sent / seconds;
  out.live_p95_ms = percentile(live.frames, 0.95);
  out.live_long_tasks = live.tasks.length;
  out.live_dom_rows = await page.evaluate(() => document.querySelectorAll(".stream__window > *").length);
  console.log(JSON.stringify(out));
} finally {
  await browser.close();
  agent.destroy();
}
