// What the page scripts share: a browser with the person logged in, words on failure.

import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import assert from "node:assert/strict";

// npm's packages live beside the build tools, not beside the tests.
const require = createRequire(new URL("../../scripts/node/package.json", import.meta.url));
export const { chromium } = require("playwright-core");
export const axeFile = require.resolve("axe-core/axe.min.js");
export { assert };

export const base = process.env.ORRERY_BASE;
const link = process.env.ORRERY_LINK;

const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

function browserFile() {
  const named = process.env.ORRERY_CHROMIUM;
  const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const file = named ?? usual.find(existsSync);
  if (!file) throw new Error("no Chromium found: scripts/test installs one, or set ORRERY_CHROMIUM");
  return file;
}

/** A browser without a window. */
export function launch() {
  return chromium.launch({
    executablePath: browserFile(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  });
}

/** Runs `visit(page, browser)` with a page logged in through the one-time link; any script error fails it. */
export async function withPage(visit, options = {}) {
  const browser = await launch();
  const complaints = [];
  try {
    const context = await browser.newContext({ viewport: WIDE, colorScheme: "dark", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text())) {
        complaints.push(`console: ${message.text()}`);
      }
    });
    await page.goto(link);
    await page.locator("main").first().waitFor();
    try {
      await visit(page, context);
    } catch (error) {
      const text = await page.locator("body").innerText().catch(() => "");
      const said = complaints.map((line) => `\n${line}`).join("");
      throw new Error(`${error.stack}\n--- at ${page.url()}, on the page:\n${text.slice(0, 3000)}${said}`);
    }
    assert.deepEqual(complaints, [], "the page complains of nothing");
  } finally {
    await browser.close();
  }
}

/** Posts one hook payload of Claude Code, as its own http hooks do. */
export async function postHook(session, name, more) {
  const payload = {
    session_id: session,
    transcript_path: "/nowhere/t.jsonl",
    cwd: "/home/sam/shop",
    hook_event_name: name,
    ...more,
  };
  // Node's own fetch calls itself a browser (Sec-Fetch-Mode) and is kept out like one without the token.
  const status = await new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "content-type": "application/json" } };
    const sent = request(`${base}/hooks/claude-code`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(payload));
  });
  assert.equal(status, 200);
}

/** Violations axe-core finds on the page as it is, one line each. */
export async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) {
    // Outside the page's own script policy, which forbids added scripts.
    await page.evaluate(readFileSync(axeFile, "utf8"));
  }
  const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations);
  return found.flatMap((rule) => rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${node.target.join(" ")}: ${node.failureSummary}`));
}
