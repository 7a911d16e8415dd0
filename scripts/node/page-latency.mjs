// Times the way from a posted hook to its row in a real browser's page.
// usage: node page-latency.mjs SERVER_URL ; prints one JSON object

import { existsSync } from "node:fs";
import { request } from "node:http";
import { chromium } from "playwright-core";

const [base] = process.argv.slice(2);
const rounds = 50;
const executablePath =
  process.env.ORRERY_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Not with fetch: it marks itself as a browser's request, which needs the token. */
function prompt(text) {
  const payload = { session_id: "latency", cwd: "/home/ada/src/kiln", hook_event_name: "UserPromptSubmit", prompt: text };
  return new Promise((resolve, reject) => {
    const posted = request(`${base}/hooks/claude-code`, { method: "POST" }, (answer) => {
      answer.resume();
      if (answer.statusCode === 200) resolve();
      else reject(new Error(`the hook was answered with ${answer.statusCode}`));
    });
    posted.on("error", reject);
    posted.end(JSON.stringify(payload));
  });
}

const shows = (page, text) =>
  page.waitForFunction((wanted) => document.querySelector("main")?.textContent.includes(wanted), text, { polling: "raf" });

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"],
});
try {
  await prompt("The first row there is");
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const opened = performance.now();
  await page.goto(`${base}/app/live`);
  await shows(page, "The first row there is");
  const firstRow = performance.now() - opened;

  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const text = `Latency prompt number ${round};`;
    const posted = performance.now();
    await Promise.all([prompt(text), shows(page, text)]);
    times.push(performance.now() - posted);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ median_ms: times[rounds / 2], p98_ms: times[rounds - 2], first_row_ms: firstRow }));
} finally {
  await browser.close();
}
