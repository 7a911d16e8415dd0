// Replay and the other views of a session, by keyboard: one cursor in the story, on the scrubber and in the address.

import { assert, base, postHook, withPage } from "./lib.mjs";

await withPage(async (page) => {
  // A turn with an edit, so that there is a file at the cursor.
  const edit = { tool_name: "Edit", tool_use_id: "toolu_e", tool_input: { file_path: "/home/sam/shop/src/cart.rs", old_string: "let a = 1;", new_string: "let a = 2;\nlet b = 3;" } };
  await postHook("s-one", "UserPromptSubmit", { prompt: "Round the tax per line" });
  await postHook("s-one", "PreToolUse", edit);
  await postHook("s-one", "PostToolUse", { ...edit, tool_response: { success: true } });
  await postHook("s-one", "Stop", { last_assistant_message: "Rounded." });

  await page.goto(`${base}/app/session/s-one`);
  await page.getByRole("tab", { name: "Story" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/tab=replay/);
  const slider = page.getByRole("slider", { name: "Moment of the session" });
  await slider.waitFor();
  const position = async () => Number(await slider.getAttribute("aria-valuenow"));
  const settles = (wanted) => page.waitForFunction((at) => document.querySelector("[role=slider]")?.getAttribute("aria-valuenow") === String(at), wanted);
  const last = Number(await slider.getAttribute("aria-valuemax"));
  assert.ok(last >= 8, `${last} moments`);

  await slider.focus();
  await page.keyboard.press("End");
  await settles(last);
  await page.keyboard.press("Home");
  await settles(1);
  await page.keyboard.press(".");
  await settles(2);
  // The error has its moment, its step in the story, and its place in the address.
  await page.keyboard.press("}");
  await page.waitForFunction(() => document.querySelector(".step[aria-current]")?.textContent.includes("cargo test checkout"));
  await page.waitForURL(/[?&]at=\d+/);
  const at = await position();
  await page.reload();
  await settles(at);

  // Turns, and the file that the second one touched.
  await page.keyboard.press("]");
  await page.waitForFunction((before) => Number(document.querySelector("[role=slider]").getAttribute("aria-valuenow")) > before, at);
  await page.keyboard.press("End");
  await page.locator(".side").getByText("cart.rs").waitFor();

  // Playing reaches the end by itself.
  await page.keyboard.press("Home");
  await page.getByRole("button", { name: "32×" }).click();
  await slider.focus();
  await page.keyboard.press("Space");
  await settles(last);

  // What it changed, file by file.
  await page.getByRole("tab", { name: "Files" }).click();
  await page.locator(".filesview__head").getByText("cart.rs").waitFor();
  await page.locator(".filesview").getByText("let b = 3;").waitFor();
  await page.getByRole("tab", { name: "Costs" }).click();
  await page.getByRole("heading", { name: "No usage seen yet" }).waitFor();
});
