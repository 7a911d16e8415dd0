// Theme and palette by keyboard; both survive a reload.

import { assert, base, withPage } from "./lib.mjs";

await withPage(async (page) => {
  await page.goto(`${base}/app/live`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const surface = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const themeIs = (wanted) => page.waitForFunction((name) => document.documentElement.dataset.theme === name, wanted);
  const [before, beforeSurface] = [await theme(), await surface()];
  assert.equal(before, "dark", "as the system says");

  const openPalette = async (words) => {
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: "Command or session" });
    await field.waitFor();
    await page.keyboard.type(words);
  };
  await openPalette("theme light");
  await page.keyboard.press("Enter");
  await themeIs("light");
  assert.notEqual(await surface(), beforeSurface, "the colors changed as well");

  await page.reload();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await themeIs("light");

  await page.keyboard.press("Control+Shift+L");
  await themeIs("dark");

  await openPalette("settings");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/app\/settings/);
  await page.keyboard.press("Alt+Digit1");
  await page.waitForURL(/\/app\/live/);

  // A session by its words.
  await openPalette("checkout");
  await page.getByRole("option", { name: /Fix the checkout test/ }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Command or session" }).waitFor({ state: "hidden" });

  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
});
