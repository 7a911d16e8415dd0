// The server stops: the page says so and keeps what it knew.

import { assert, base, violations, withPage } from "./lib.mjs";

await withPage(async (page) => {
  await page.goto(`${base}/app/live`);
  await page.getByText("make deploy").first().waitFor();
  process.kill(Number(process.env.ORRERY_PID));
  await page.getByText(/offline|not answer|lost the server|no connection/i).first().waitFor({ timeout: 30_000 });
  await page.getByText("make deploy").first().waitFor();
  assert.deepEqual(await violations(page), []);
});
