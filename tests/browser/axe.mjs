// axe-core finds nothing on any page, in both themes, wide and at 360 px, where nothing hangs over the edge either.

import { assert, base, PHONE, violations, withPage } from "./lib.mjs";

const PAGES = ["/app/live", "/app/sessions", "/app/session/s-one", "/app/session/s-two", "/app/costs", "/app/analytics", "/app/settings", "/app/welcome", "/app/session/s-one?tab=replay", "/app/session/s-one?tab=timeline", "/app/session/s-one?tab=costs", "/app/search", "/app/timeline", "/app/timeline?as=table"];
const SIZES = [{ width: 1280, height: 800 }, PHONE];

await withPage(async (page) => {
  const findings = [];
  for (const theme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const path of PAGES) {
        const place = `${path}, ${theme}, ${size.width} px`;
        await page.goto(base + path);
        await page.locator("main :is(h1, h2):visible").first().waitFor();
        await page.waitForFunction((name) => document.documentElement.dataset.theme === name, theme);
        for (const violation of await violations(page)) findings.push(`${place}: ${violation}`);
        const overhang = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (overhang > 0) findings.push(`${place}: ${overhang} px hang over the edge`);
      }
    }
  }
  assert.equal(findings.length, 0, `\n${findings.join("\n")}`);
});
