// Orrery: tells the Orrery on this machine what opencode does. Made by `orrery install`; `orrery uninstall` removes it.
// It only watches: it answers nothing, waits for nothing and stays silent when Orrery is away.

const HOOK = "HOOK_PROGRAM";

const WATCHED = new Set([
  "session.created",
  "session.updated",
  "session.deleted",
  "session.idle",
  "session.error",
  "session.compacted",
  "permission.asked",
  "permission.updated",
  "permission.replied",
  "file.edited",
]);

function isWorthTelling(event) {
  if (WATCHED.has(event.type)) return true;
  const { info, part } = event.properties ?? {};
  if (event.type === "message.updated") return info?.role === "assistant" && info?.time?.completed !== undefined;
  if (event.type !== "message.part.updated") return false;
  return (part?.type === "tool" && part.state?.status === "error") || (part?.type === "text" && part.time?.end !== undefined);
}

export const Orrery = async ({ directory, worktree }) => {
  const send = async (type, properties) => {
    try {
      const { spawn } = await import("node:child_process");
      const child = spawn(HOOK, ["--agent", "opencode"], { stdio: ["pipe", "ignore", "ignore"] });
      child.on("error", () => {});
      child.stdin.on("error", () => {});
      child.stdin.end(JSON.stringify({ type, properties, cwd: directory ?? worktree, timestamp: new Date().toISOString() }));
      child.unref();
    } catch {
      // An agent never waits for its observer.
    }
  };
  return {
    event: async ({ event }) => {
      if (isWorthTelling(event)) send(event.type, event.properties);
    },
    "chat.message": async (input, output) => {
      const text = (output?.parts ?? []).filter((part) => part.type === "text" && !part.synthetic).map((part) => part.text).join("\n");
      send("chat.message", { sessionID: input.sessionID, messageID: output?.message?.id, text });
    },
    "tool.execute.before": async (input, output) => {
      send("tool.execute.before", { ...input, args: output?.args });
    },
    "tool.execute.after": async (input, output) => {
      send("tool.execute.after", { ...input, output: output?.output, metadata: output?.metadata, title: output?.title });
    },
  };
};
