// An event posted a moment ago stands on Live without a reload; its session opens.

import { assert, base, postHook, withPage } from "./lib.mjs";

await withPage(async (page) => {
  // The link itself leads to Live.
  await page.waitForURL(/\/app\/live/);
  await page.goto(`${base}/app/live`);
  await page.getByText("Fix the checkout test").first().waitFor();
  await page.evaluate(() => (window.stillTheSamePage = true));

  await postHook("s-new", "UserPromptSubmit", { prompt: "Rename the invoice module" });
  await page.getByText("Rename the invoice module").first().waitFor();
  assert.equal(await page.evaluate(() => window.stillTheSamePage), true, "no reload");

  // A permission asked for is the first thing one sees.
  await page.getByText("make deploy").first().waitFor();

  await page.goto(`${base}/app/sessions`);
  await page.getByText("Fix the checkout test").first().click();
  await page.keyboard.press("Enter");
  if (!page.url().includes("/app/session/")) await page.getByText("Fix the checkout test").first().dblclick();
  await page.waitForURL(/\/app\/session\/s-one/);
  await page.getByText("cargo test checkout").first().waitFor();
  await page.getByText("exit 101").first().waitFor();
  assert.equal(await page.locator("strong", { hasText: "passes" }).count(), 1, "markdown is markdown");

  // Back is back.
  await page.goBack();
  await page.waitForURL(/\/app\/sessions/);

  // A page opened by its address is that page.
  await page.goto(`${base}/app/session/s-two`);
  await page.getByText("Deploy to staging").first().waitFor();
});
