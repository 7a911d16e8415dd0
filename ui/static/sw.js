// Keeps the shell of the interface for times without a server: its page, scripts, styles and fonts. Answers of the API
// never pass through here: what is not below /app/ is left to the browser.

const CACHE = "orrery {{js}} {{css}}";
const SHELL = ["/app/", "/app/boot.js", "/app/icon.svg", "{{css}}", "{{js}}", "{{wasm}}", "{{uplot}}"].filter(Boolean);
// A name with a hash of its content never changes what it means.
const isHashed = (path) => /[-_][0-9a-f]{8,}(\.|\/)/.test(path) || path.startsWith("/app/fonts/");

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name.startsWith("orrery ") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

async function keep(request, response) {
  if (response.ok && response.type === "basic" && !response.redirected) {
    const cache = await caches.open(CACHE);
    await cache.put(request, response.clone());
  }
  return response;
}

// The server first, so that a new version is seen at once; without a server, what was kept.
const fresh = (request, kept) =>
  fetch(request)
    .then((response) => keep(kept, response))
    .catch(async (error) => {
      const old = await caches.match(kept);
      if (old) return old;
      throw error;
    });

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || !url.pathname.startsWith("/app/")) return;
  if (request.mode === "navigate") event.respondWith(fresh(request, "/app/"));
  else if (isHashed(url.pathname)) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request).then((response) => keep(request, response))));
  else event.respondWith(fresh(request, request));
});
