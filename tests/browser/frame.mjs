// The frame: keys and palette reach everything, the drawer can be pinned, a theme of one's own is made and kept, a phone
// reaches every page, and the shell is installable and there without a server.

import { readFileSync } from "node:fs";
import { assert, base, PHONE, violations, withPage } from "./lib.mjs";

await withPage(async (page, context) => {
  await page.goto(`${base}/app/live`);
  const rail = page.getByRole("navigation", { name: "Pages" });
  await rail.waitFor();

  // Each page has its number key, and the keys overlay names it.
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await keys.getByText("Costs").waitFor();
  await page.keyboard.press("Escape");
  const links = await rail.getByRole("link").all();
  for (let number = 1; number <= links.length; number += 1) {
    const path = new URL(await links[number - 1].getAttribute("href"), base).pathname;
    await page.keyboard.press(`Alt+Digit${number}`);
    await page.waitForURL((url) => url.pathname === path);
  }

  // A pinned drawer stays while pages change, and Back takes nothing away.
  await page.goto(`${base}/app/live`);
  await page.getByText("make deploy").first().waitFor();
  const event = await page.evaluate(async () => (await (await fetch("/api/v1/events?limit=1")).json()).items[0].seq);
  await page.goto(`${base}/app/live?event=${event}`);
  const drawer = page.getByRole("complementary", { name: "Event" });
  await drawer.getByRole("button", { name: "Keep open on other pages" }).click();
  await page.keyboard.press("Alt+Digit2");
  await page.waitForURL(new RegExp(`/app/sessions\\?event=${event}`));
  await drawer.waitFor();
  await drawer.getByRole("button", { name: "Close" }).click();
  await drawer.waitFor({ state: "detached" });

  // A custom time by the palette.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("time from and to");
  await page.keyboard.press("Enter");
  const range = page.getByRole("dialog", { name: "Time from and to" });
  await range.getByLabel("From").fill("2026-11-01T00:00");
  await range.getByLabel("To", { exact: true }).fill("2026-11-02T12:00");
  await range.getByRole("button", { name: "Show this time" }).click();
  await page.waitForURL(/range=\d+-\d+/);
  await page.getByRole("button", { name: /Time: 1 Nov 00:00 to 2 Nov 12:00/ }).waitFor();

  // A theme of one's own: made, in use, kept over a reload, written to a file, taken back in.
  await page.goto(`${base}/app/settings#appearance`);
  await page.getByRole("button", { name: "New..." }).click();
  const editor = page.getByRole("dialog", { name: "Theme" });
  await editor.getByLabel("Name").fill("Night Sky");
  await editor.getByLabel("Page", { exact: true }).fill("#101840");
  await editor.getByLabel("Text", { exact: true }).fill("#181818");
  await editor.getByText(/Text: contrast/).waitFor();
  await editor.getByLabel("Text", { exact: true }).fill("#f0f0ff");
  await editor.getByRole("button", { name: "Save and use" }).click();
  await editor.waitFor({ state: "hidden" });
  const surface = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim());
  await page.waitForFunction(() => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim() === "#101840");
  await page.reload();
  await page.getByText("Night Sky").first().waitFor();
  assert.equal(await surface(), "#101840", "kept over a reload");
  await page.getByRole("button", { name: "Night Sky: more" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: /Export/ }).click()]);
  const text = readFileSync(await file.path(), "utf8");
  assert.equal(JSON.parse(text).theme.colors.bgPrimary, "#101840");
  const other = JSON.stringify({ ...JSON.parse(text), theme: { ...JSON.parse(text).theme, name: "second-sky", displayName: "Second sky" } });
  await page.getByLabel("Theme file").setInputFiles({ name: "sky.json", mimeType: "application/json", buffer: Buffer.from(other) });
  await page.getByText("Second sky").first().waitFor();
  await page.getByLabel("Theme file").setInputFiles({ name: "bad.json", mimeType: "application/json", buffer: Buffer.from("{") });
  await page.getByText("This file is no theme").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  await page.waitForFunction(() => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim() !== "#101840");

  // On a phone what has no place in the bottom bar is behind its last button; targets are large.
  await page.setViewportSize(PHONE);
  await page.goto(`${base}/app/costs`);
  await rail.getByRole("button", { name: "More" }).click();
  await page.getByRole("dialog", { name: "Pages" }).getByRole("link", { name: "Settings" }).click();
  await page.waitForURL(/\/app\/settings/);
  await page.goto(`${base}/app/costs`);
  await page.getByRole("button", { name: /^Filters/ }).click();
  await page.getByRole("dialog", { name: "Filters" }).getByRole("button", { name: /^Time:/ }).click();
  await page.getByRole("menuitemradio", { name: "Today" }).click();
  await page.waitForURL(/range=today/);

  // Installable: manifest, icons and worker are served as what they are; the shell comes up without a server.
  const manifest = await page.request.get(`${base}/app/manifest.webmanifest`);
  assert.match(manifest.headers()["content-type"], /^application\/manifest\+json/);
  for (const icon of (await manifest.json()).icons) {
    const answer = await page.request.get(base + icon.src);
    assert.equal(answer.headers()["content-type"], icon.type);
  }
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const kept = await page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
    return paths;
  });
  assert.ok(kept.includes("/app/") && kept.every((path) => path.startsWith("/app/")), `only the shell is kept: ${kept}`);
  await context.setOffline(true);
  await page.goto(`${base}/app/live`);
  await page.getByText(/Offline/).first().waitFor();
});
