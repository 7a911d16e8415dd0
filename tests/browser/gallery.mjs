// The gallery looks as it looked: dark, light, high contrast, small and large text, and what opens over the page.
//
// Kept pictures lie in tests/browser/shots, half size. A picture is the same when its size agrees within 2 % and no block
// of 16 x 16 of its pixels differs from the kept one's by more than 14 of 255 on average in any color: other renderings of
// a letter pass, another color, a moved or missing element does not. ORRERY_RENEW_SHOTS=1 keeps what is seen now; look at
// the pictures before committing them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { assert, base, launch, violations, withPage } from "./lib.mjs";

const KEPT = new URL("./shots/", import.meta.url);
const renew = process.env.ORRERY_RENEW_SHOTS === "1";
const VARIANTS = [
  { name: "dark", theme: "dark" },
  { name: "light", theme: "light" },
  { name: "contrast", theme: "contrast" },
  { name: "small-text", theme: "dark", scale: "0.9" },
  { name: "large-text", theme: "light", scale: "1.5" },
];

/** Halves a PNG to WebP, or says how far two pictures are apart: in a page, which has a decoder and a canvas. */
async function draughtsman() {
  const browser = await launch();
  const page = await browser.newPage();
  const halve = (png) =>
    page.evaluate(async (data) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = new OffscreenCanvas(Math.ceil(image.width / 2), Math.ceil(image.height / 2));
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.85 })).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    }, png.toString("base64"));
  const compare = (kept, seen) =>
    page.evaluate(
      async ([one, other]) => {
        const read = async (data) => {
          const image = await createImageBitmap(await (await fetch(`data:image/webp;base64,${data}`)).blob());
          const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
          context.drawImage(image, 0, 0);
          return context.getImageData(0, 0, image.width, image.height);
        };
        const [a, b] = [await read(one), await read(other)];
        const apart = Math.max(Math.abs(a.width - b.width) / a.width, Math.abs(a.height - b.height) / a.height);
        if (apart > 0.02) return `${a.width} x ${a.height} became ${b.width} x ${b.height}`;
        const block = 16;
        for (let top = 0; top + block <= Math.min(a.height, b.height); top += block) {
          for (let left = 0; left + block <= Math.min(a.width, b.width); left += block) {
            const sums = [0, 0, 0];
            for (let y = top; y < top + block; y += 1) {
              for (let x = left; x < left + block; x += 1) {
                for (let part = 0; part < 3; part += 1) sums[part] += a.data[(y * a.width + x) * 4 + part] - b.data[(y * b.width + x) * 4 + part];
              }
            }
            const most = Math.max(...sums.map((sum) => Math.abs(sum) / block / block));
            if (most > 14) return `at ${left * 2}, ${top * 2} px colors are ${most.toFixed(0)} of 255 apart`;
          }
        }
        return null;
      },
      [kept.toString("base64"), seen],
    );
  return { halve, compare, close: () => browser.close() };
}

const drawn = await draughtsman();
const findings = [];

async function look(name, element) {
  const seen = await drawn.halve(await element.screenshot({ animations: "disabled", caret: "hide" }));
  const file = new URL(`${name}.webp`, KEPT);
  if (renew) {
    mkdirSync(KEPT, { recursive: true });
    writeFileSync(file, Buffer.from(seen, "base64"));
    return;
  }
  if (!existsSync(file)) return void findings.push(`${name}: no kept picture`);
  const apart = await drawn.compare(readFileSync(file), seen);
  if (apart) {
    const now = `${process.env.TMPDIR ?? "/tmp"}/orrery-${name}.webp`;
    writeFileSync(now, Buffer.from(seen, "base64"));
    findings.push(`${name}: ${apart} (seen now: ${now})`);
  }
}

async function show(page, { theme, scale = "1" }) {
  await page.evaluate(
    ([name, size]) => {
      document.documentElement.dataset.theme = name;
      document.documentElement.style.setProperty("--text-scale", size);
    },
    [theme, scale],
  );
  await page.evaluate(() => document.fonts.ready);
}

try {
  await withPage(
    async (page) => {
      await page.goto(`${base}/app/gallery`);
      await page.locator("#chart canvas").nth(2).waitFor();
      // The rest of the frame tells of now; and a region that scrolls would be cut at the window's edge.
      const size = async () => {
        const height = await page.evaluate(() => document.querySelector(".gallery").scrollHeight);
        await page.setViewportSize({ width: 900, height: height + 160 });
      };
      for (const variant of VARIANTS) {
        await show(page, variant);
        await size();
        await page.waitForFunction(() => [...document.querySelectorAll("#chart canvas")].every((canvas) => canvas.width > 300));
        await look(`gallery-${variant.name}`, page.locator(".gallery"));
        for (const violation of await violations(page)) findings.push(`${variant.name}: ${violation}`);
      }

      await page.setViewportSize({ width: 900, height: 700 });
      for (const theme of ["dark", "light"]) {
        await show(page, { theme });
        const open = page.getByRole("button", { name: "Open the dialog" });
        await open.click();
        await page.getByRole("dialog", { name: "Remove the demo?" }).waitFor();
        await look(`dialog-${theme}`, page.locator("#gallery-dialog"));
        for (const violation of await violations(page)) findings.push(`dialog, ${theme}: ${violation}`);
        await page.keyboard.press("Escape");
        assert.ok(await open.evaluate((button) => button === document.activeElement), "the focus came back from the dialog");

        await page.getByRole("button", { name: "Export" }).click();
        await look(`menu-${theme}`, page.locator("#menu .menu"));
        await page.keyboard.press("Escape");

        await page.getByRole("button", { name: "Open the drawer" }).click();
        await page.getByRole("complementary", { name: "Example" }).waitFor();
        await look(`drawer-${theme}`, page.locator("aside.drawer"));
        await page.keyboard.press("Escape");
        await page.getByRole("complementary", { name: "Example" }).waitFor({ state: "detached" });

        await page.getByRole("button", { name: "On a button" }).focus();
        await look(`tooltip-${theme}`, page.getByRole("tooltip").first());
        await page.keyboard.press("Escape");
      }

      // Reduced motion: nothing moves.
      await page.emulateMedia({ reducedMotion: "reduce" });
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll("*")].filter((one) => {
          const style = getComputedStyle(one);
          return [...style.transitionDuration.split(","), ...style.animationDuration.split(",")].some((time) => parseFloat(time) > 0);
        }).length,
      );
      assert.equal(moving, 0, "with reduced motion nothing takes time to move");
    },
    { viewport: { width: 900, height: 700 }, reducedMotion: "no-preference", timezoneId: "UTC", locale: "en-US" },
  );
} finally {
  await drawn.close();
}
assert.equal(findings.length, 0, `\n${findings.join("\n")}`);
