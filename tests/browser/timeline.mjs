// The timeline by mouse, wheel and keyboard alone: slices, details, sums of a stretch, critical path, the table twin.

import { assert, base, withPage } from "./lib.mjs";

await withPage(async (page) => {
  await page.goto(`${base}/app/timeline`);
  const chart = page.locator("#timeline");
  await chart.waitFor();
  await page.waitForFunction(() => Number(document.querySelector("#timeline")?.dataset.slices) > 0);

  // The first session becomes the chosen one: its critical path shows, and it fills the picture.
  await page.locator(".lane__name").first().click();
  await page.getByRole("heading", { name: "Critical path" }).waitFor();
  await page.locator(".cp").getByText("cargo test checkout").first().waitFor();
  await page.waitForURL(/[?&]path=s-one/);
  await chart.focus();
  await page.keyboard.press("f");
  const folded = () => page.waitForFunction(() => Number(document.querySelector("#timeline").dataset.slices) >= 3);
  await folded();

  // By keyboard: to a call, said in words, opened and closed.
  const said = page.locator("#timeline-said");
  for (let step = 0; step < 12 && !/cargo test checkout/.test(await said.innerText()); step++) {
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.querySelector("#timeline-said").textContent !== "");
  }
  await page.waitForFunction(() => /cargo test checkout.*failed/.test(document.querySelector("#timeline-said").textContent));
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]event=\d+/);
  await page.getByRole("complementary", { name: "Event" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("complementary", { name: "Event" }).waitFor({ state: "hidden" });

  // Zooming changes the view, and the address keeps it.
  await chart.focus();
  await page.keyboard.press("0");
  const time = page.locator(".tl__time");
  const before = await time.innerText();
  for (let n = 0; n < 6; n++) await page.keyboard.press("w");
  await page.waitForFunction((old) => document.querySelector(".tl__time").innerText !== old, before);
  await page.waitForURL(/[?&]t0=\d+/);
  await page.keyboard.press("0");

  // A stretch of time by shift and drag.
  const box = await chart.boundingBox();
  await page.keyboard.down("Shift");
  await page.mouse.move(box.x + box.width * 0.2, box.y + 12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 12, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await page.getByRole("heading", { name: "Selection" }).waitFor();
  await page.waitForURL(/[?&]s0=\d+/);
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Selection" }).waitFor({ state: "hidden" });

  // The same as a table.
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.getByRole("table").getByText(/shop/).first().waitFor();
  assert.ok((await page.getByRole("row").count()) >= 3, "a row for each lane");

  // Nothing at all says so.
  await page.goto(`${base}/app/timeline?project=nowhere`);
  await page.getByRole("heading", { name: /No session/ }).waitFor();
});
