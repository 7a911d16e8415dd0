// A first visit meets Welcome; without a single event every page still says something.

import { assert, base, violations, withPage } from "./lib.mjs";

await withPage(async (page) => {
  await page.waitForURL(/\/app\/welcome/);
  await page.getByRole("heading").first().waitFor();
  assert.deepEqual(await violations(page), []);

  for (const path of ["/app/live", "/app/sessions"]) {
    await page.goto(base + path);
    await page.locator("main").waitFor();
    await page.waitForFunction(() => document.querySelector("main").innerText.trim().length > 40);
    assert.deepEqual(await violations(page), [], path);
  }
  await page.goto(`${base}/app/session/nobody`);
  await page.getByText("There is no such session").first().waitFor();
  await page.goto(`${base}/app/nowhere`);
  await page.getByRole("link").first().waitFor();
});
