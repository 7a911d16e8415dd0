// Costs: empty, then with billed requests; splits, filters and zoom live in the address; figures open their bill; charts
// have a table twin and a CSV file.

import { readFileSync } from "node:fs";
import { assert, base, violations, withPage } from "./lib.mjs";

const HOUR = 3_600_000;

/** One billed answer of Claude Code, as its transcript tells it. */
function line(number, agoMs) {
  const usage = { input_tokens: 2_000, cache_creation_input_tokens: 10_000, cache_read_input_tokens: 400_000, output_tokens: 3_000 };
  const content = [{ type: "text", text: `Answer ${number}` }];
  const message = { id: `msg_${number}`, type: "message", role: "assistant", model: "claude-sonnet-4-5", content, usage };
  const at = new Date(Date.now() - agoMs).toISOString();
  return JSON.stringify({ type: "assistant", uuid: `u-${number}`, sessionId: "s-cost", cwd: "/home/sam/shop", version: "2.0.0", requestId: `req_${number}`, timestamp: at, message });
}

await withPage(async (page) => {
  await page.goto(`${base}/app/costs`);
  await page.getByRole("heading", { name: "No cost is known in this time" }).waitFor();
  assert.deepEqual(await violations(page), []);

  const lines = [line(1, 75 * HOUR), line(2, 50 * HOUR), line(3, 2_000), line(4, 1_000)].join("\n");
  const status = await page.evaluate(
    async (body) => (await fetch("/api/v1/transcripts/claude-code?name=projects/-home-sam-shop/s-cost.jsonl", { method: "POST", body })).status,
    lines,
  );
  assert.equal(status, 200);
  await page.goto(`${base}/app/costs`);
  const table = page.getByRole("table", { name: "Costs by project" });
  await table.getByRole("link", { name: "shop" }).waitFor();
  const sum = await table.getByRole("row", { name: /^All/ }).getByRole("cell").first().innerText();
  assert.match(sum, /^\$0\.\d\d/);

  // The split is a step that Back undoes and a reload keeps.
  await page.getByRole("tab", { name: "Model" }).click();
  await page.waitForURL(/by=model/);
  await page.getByRole("table", { name: "Costs by model" }).getByText("claude-sonnet-4-5").waitFor();
  await page.reload();
  await page.getByRole("table", { name: "Costs by model" }).getByText("claude-sonnet-4-5").waitFor();
  await page.goBack();
  await table.waitFor();

  // A figure opens its bill.
  await table.getByRole("button", { name: /how we know/ }).first().click();
  await page.waitForURL(/bill=/);
  await page.getByRole("complementary", { name: "How we know" }).getByText("Cache read").first().waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await page.getByRole("complementary", { name: "How we know" }).waitFor({ state: "detached" });

  // The chart: its values as a table, as a file, and a span dragged out of it.
  const chart = page.getByRole("figure", { name: "Cost by project" });
  await chart.locator("canvas").waitFor();
  await chart.getByRole("button", { name: /as a table/ }).click();
  await chart.getByRole("table").getByRole("columnheader", { name: "shop" }).waitFor();
  await chart.getByRole("button", { name: /save/ }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: /CSV/ }).click()]);
  assert.match(readFileSync(await file.path(), "utf8"), /^time,shop\r\n\d{4}-\d\d-\d\dT/);
  await chart.getByRole("button", { name: /as a table/ }).click();
  await chart.locator("canvas").waitFor();
  const around = await chart.locator(".u-over").boundingBox();
  await page.mouse.move(around.x + around.width * 0.5, around.y + 40);
  await page.mouse.down();
  await page.mouse.move(around.x + around.width * 0.9, around.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/range=\d+-\d+/);
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes("range="));

  // Filters go along to other pages.
  await page.getByRole("button", { name: /^Project:/ }).click();
  await page.getByRole("menuitemradio", { name: "shop" }).click();
  await page.waitForURL(/project=shop/);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Analytics" }).click();
  await page.waitForURL(/\/app\/analytics\?.*project=shop/);
  await page.getByRole("heading", { name: "Hours of the week" }).waitFor();
  assert.deepEqual(await violations(page), []);
  // What the tiles say is what the strip says.
  const tile = page.locator(".analytics__tiles div", { hasText: "Spent today" }).locator("dd");
  const strip = page.getByRole("contentinfo", { name: "Status" });
  const spent = (await tile.innerText()).match(/\$[\d.]+/)[0];
  assert.ok((await strip.innerText()).includes(spent), `the strip says ${spent} as well`);
});
