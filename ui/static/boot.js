// Runs before the first paint: theme and text size as chosen last time, then the application.
// Classic script, so that it blocks rendering; the names of the built files stand in its own attributes.
(() => {
  const root = document.documentElement;
  const { js, wasm } = document.currentScript.dataset;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const chosen = read("orrery.theme");
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  root.dataset.theme = ["dark", "light", "contrast"].includes(chosen) ? chosen : light ? "light" : "dark";
  try {
    // The page tells dark from light and sets the tokens; here only what keeps the first paint from flashing.
    const { dark, tokens } = JSON.parse(read("orrery.paint") ?? "{}");
    if (tokens) {
      root.dataset.theme = dark ? "dark" : "light";
      for (const [token, value] of tokens) root.style.setProperty(token, value);
    }
  } catch {
    // Written by another version.
  }
  const size = Number(read("orrery.text-size"));
  if (size >= 90 && size <= 150) root.style.setProperty("--text-scale", String(size / 100));
  if (read("orrery.density") === "roomy") root.dataset.density = "roomy";

  const fail = (error) => {
    const panel = document.createElement("main");
    panel.className = "fatal";
    panel.setAttribute("role", "alert");
    const title = document.createElement("h1");
    title.textContent = "Orrery could not start its interface";
    const what = document.createElement("p");
    what.textContent =
      typeof WebAssembly === "undefined"
        ? "This browser has WebAssembly switched off. Allow it, or open Orrery in another browser"
        : "Reload the page. If it stays like this, the server and its interface are of different versions: restart the server";
    const detail = document.createElement("pre");
    detail.textContent = String((error && error.message) || error);
    const again = document.createElement("button");
    again.className = "btn";
    again.textContent = "Reload";
    again.addEventListener("click", () => location.reload());
    panel.append(title, what, detail, again);
    document.body.replaceChildren(panel);
  };
  const start = () =>
    import(js)
      .then((app) => app.default({ module_or_path: wasm }))
      .catch(fail);
  // Installable, and able to say "offline" itself. The native window has its files inside and needs no keeper.
  if ("serviceWorker" in navigator && location.protocol.startsWith("http") && !("__TAURI_INTERNALS__" in window)) {
    addEventListener("load", () => navigator.serviceWorker.register("/app/sw.js", { scope: "/app/" }).catch(() => {}));
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
