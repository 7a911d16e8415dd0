// Search while typing: completion, an error with its place, hits by session, a saved search.

import { assert, base, withPage } from "./lib.mjs";

await withPage(async (page) => {
  await page.goto(`${base}/app/search`);
  await page.keyboard.press("/");
  const field = page.getByRole("combobox", { name: "Search everything" });
  assert.equal(await field.evaluate((element) => element === document.activeElement), true, "the key leads to the query");

  // Completed by keyboard.
  await page.keyboard.type("is:er");
  await page.getByRole("option", { name: /error/ }).first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=is%3Aerror/);
  const hits = page.getByRole("grid", { name: "Hits by session" });
  await hits.getByText("cargo test checkout").first().waitFor();
  await hits.getByRole("link", { name: "Fix the checkout test" }).waitFor();

  // What cannot be read says where and leaves the hits.
  await page.keyboard.type("(");
  await page.getByRole("alert").filter({ hasText: /At \d+/ }).waitFor();
  assert.equal(await hits.getByText("cargo test checkout").count() > 0, true, "the old hits stay");
  await page.keyboard.press("Backspace");
  await page.getByRole("alert").filter({ hasText: /At \d+/ }).waitFor({ state: "hidden" });

  // From the query to a hit, to its details.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]event=\d+/);
  await page.keyboard.press("Escape");

  // Saved, found again, taken away.
  await page.getByRole("button", { name: "Save search..." }).click();
  await page.getByRole("textbox", { name: "Name of the saved search" }).fill("What failed");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.goto(`${base}/app/search`);
  await page.getByRole("button", { name: "What failed" }).click();
  await page.waitForURL(/q=is%3Aerror/);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "What failed" }).waitFor({ state: "hidden" });
});
