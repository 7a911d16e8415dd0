// Takes the README's pictures: a server in a scratch home, the demo played through its port, a browser that looks.
// usage: node shots.mjs ORRERY_BINARY OUTPUT_DIR

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [binary, out] = process.argv.slice(2);
// A place where it is afternoon now: a day that has just begun has little to show.
const hours = ((15 - new Date().getUTCHours() + 36) % 24) - 12;
const zone = hours === 0 ? "Etc/GMT" : `Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}`;
const home = mkdtempSync(join(tmpdir(), "orrery-shots-"));
const env = {
  ...process.env,
  HOME: home,
  XDG_DATA_HOME: join(home, "data"),
  XDG_CONFIG_HOME: join(home, "config"),
  XDG_RUNTIME_DIR: home,
  ORRERY_DATA_DIR: join(home, "data/orrery"),
  DBUS_SESSION_BUS_ADDRESS: "disabled:",
  TZ: zone,
};
const children = [];

/** Starts the program and resolves with what `pick` takes from its lines. */
function start(args, stream, pick) {
  const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  child.stderr.on("data", (text) => process.stderr.write(text));
  return new Promise((resolve, reject) => {
    createInterface({ input: child[stream] }).on("line", (line) => {
      const found = pick(line);
      if (found) resolve(found);
    });
    child.on("exit", (code) => reject(new Error(`orrery ${args[0]} ended with ${code}`)));
    child.on("error", reject);
  });
}

const browserFile = () =>
  process.env.ORRERY_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** A page as a person with that screen and taste sees it. */
async function look(context, link, theme, size, path, name, ready) {
  const page = await context.newPage();
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  if (link) await page.goto(link);
  const base = new URL(page.url() === "about:blank" ? context.orreryBase : page.url()).origin;
  context.orreryBase = base;
  await page.goto(base + path);
  await page.evaluate((value) => {
    localStorage.setItem("orrery.theme", value);
    document.documentElement.dataset.theme = value;
  }, theme);
  await ready(page);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(out, `${name}.png`) });
  console.log(`${name}.png`);
  await page.close();
}

try {
  mkdirSync(out, { recursive: true });
  const link = await start(["serve", "--port", "0", "--no-watch", "--no-open"], "stderr", (line) => line.match(/^open (http\S+)/)?.[1]);
  const base = new URL(link).origin;
  const token = readFileSync(join(env.ORRERY_DATA_DIR, "token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const settings = { welcomed: true, notifications: false, budget_daily_usd: 60 };
  await fetch(`${base}/api/v1/settings`, { method: "PATCH", headers, body: JSON.stringify(settings) });
  const demo = spawn(binary, ["demo", "--speed", "1"], { env, stdio: ["ignore", "ignore", "inherit"] });
  children.push(demo);

  const browser = await chromium.launch({ executablePath: browserFile(), args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ deviceScaleFactor: 2, locale: "en-US", timezoneId: zone });
  context.orreryBase = base;

  // The demo first plays the hours before now; then some wait for the person and several work.
  const until = Date.now() + 120_000;
  for (let ready = false; !ready; ) {
    const overview = await (await fetch(`${base}/api/v1/overview`, { headers })).json();
    const newest = Math.max(0, ...overview.active.map((row) => row.last_ms));
    ready = overview.active.length >= 7 && overview.needs_you >= 3 && Date.now() - newest < 15_000;
    if (Date.now() > until) throw new Error("the demo's day did not come to life");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const lively = async (page) => {
    await page.waitForFunction(() => (document.querySelector("main")?.innerText ?? "").length > 400, null, { timeout: 60_000 });
    await page.waitForTimeout(4000);
  };
  const wide = { width: 1440, height: 900 };
  const phone = { width: 390, height: 844 };
  await look(context, link, "dark", wide, "/app/live", "live-dark", lively);
  await look(context, null, "light", wide, "/app/live", "live-light", lively);
  await look(context, null, "dark", wide, "/app/sessions", "sessions-dark", lively);
  await look(context, null, "light", wide, "/app/sessions", "sessions-light", lively);

  // The richest session of the day.
  const answer = await fetch(`${base}/api/v1/sessions?sort=cost&limit=1`, { headers });
  const rows = await answer.json();
  const session = `/app/session/${encodeURIComponent(rows.items[0].id)}`;
  const story = async (page) => {
    await page.waitForFunction(() => (document.querySelector("main")?.innerText ?? "").length > 600, null, { timeout: 30_000 });
    await page.waitForTimeout(1500);
  };
  await look(context, null, "dark", wide, session, "session-dark", story);
  await look(context, null, "light", wide, session, "session-light", story);
  const settled = (page) => page.waitForTimeout(1500);
  await look(context, null, "dark", wide, "/app/settings", "settings-dark", settled);
  await look(context, null, "light", wide, "/app/welcome", "welcome-light", settled);
  await look(context, null, "dark", phone, "/app/live", "phone-dark", settled);
  await look(context, null, "light", phone, "/app/sessions", "phone-light", settled);
  await browser.close();
} finally {
  for (const child of children) child.kill();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
