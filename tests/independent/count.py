#!/usr/bin/env python3
"""A second count of tokens and cost, written from the documented rules alone.

    count.py --prices TABLE [--claude DIR]... [--codex DIR]...

Walks the trees, counts each billed request once, prices it and prints JSON: per day (of the time zone in TZ),
per session and per model the tokens by kind, the requests and the cost in whole micro-dollars. It shares the
price table with the program and nothing else, so that the two agree only where both are right.
"""

import argparse
import json
import os
import re
import sys
from datetime import datetime
from fractions import Fraction
from pathlib import Path

KINDS = ("input_tokens", "output_tokens", "cache_creation_tokens", "cache_read_tokens", "reasoning_tokens")


# --- the price table -------------------------------------------------------------------------------------------


class Prices:
    """Models and their rates, as the tab-separated table states them."""

    def __init__(self, path):
        self.models = {}
        current = None
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            cells = line.split("\t")
            if cells[0] == "model":
                name, vendor, _, us, fast, search = cells[1:7]
                current = {"vendor": vendor, "us": figure(us), "fast": figure(fast), "search": figure(search), "rates": {}}
                self.models[name] = current
            elif cells[0] == "price":
                tier, above = cells[1], int(cells[2])
                current["rates"].setdefault(tier, {})[above] = [figure(cell) for cell in cells[3:8]]

    def find(self, name):
        """The model a name stands for and whether that is only a guess by prefix; None when there is none."""
        plain = re.sub(r"\[[^\]]*\]$", "", name)
        bare = plain.split("/")[-1]
        bare = re.sub(r"@[^@]*$", "", bare)
        bare = re.sub(r"^(?:[a-z]+\.)*(?:anthropic|openai)\.", "", bare)
        bare = re.sub(r"-v\d+(?::\d+)?$", "", bare)
        undated = re.sub(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$", "", bare)
        for candidate in (name, plain, bare, undated):
            if candidate in self.models:
                return self.models[candidate], False
        dated = sorted(m for m in self.models if re.fullmatch(re.escape(bare) + r"-(?:\d{8}|\d{4}-\d{2}-\d{2})", m))
        if dated:
            return self.models[dated[-1]], False
        prefixes = sorted((m for m in self.models if bare.startswith(m + "-")), key=len)
        if prefixes:
            return self.models[prefixes[-1]], True
        return None

    def hour_factor(self, model, tier, above):
        """How much dearer writes kept an hour are than others, from the nearest rates that list both."""
        for rates in (model["rates"].get(tier, {}), model["rates"]["standard"]):
            for limit in (0, above):
                _, _, _, write, write_1h = rates.get(limit, [None] * 5)
                if write and write_1h:
                    return write_1h / write
        return 1

    def cost(self, request):
        """Whole micro-dollars of one request, rounded half up; what the agent itself reported goes first.

        None when the model has no price.
        """
        if request.get("reported") is not None:
            return request["reported"]
        found = self.find(request["model"])
        if found is None:
            return None
        model, _ = found
        tier = request.get("tier", "standard")
        if request.get("fast") and model["fast"] is None:
            tier = "priority"
        rates = model["rates"].get(tier) or model["rates"]["standard"]
        prompt = request["input"] + request["write"] + request["write_1h"] + request["read"]
        above = max(limit for limit in rates if limit == 0 or prompt > limit * 1000)
        plain, answer, read, write, write_1h = rates[above]
        if read is None:
            read = plain
        if write is None:
            write = plain
        if write_1h is None:
            write_1h = write * self.hour_factor(model, tier, above)
        # Dollars per million tokens times tokens are micro-dollars.
        micros = (
            request["input"] * plain
            + request["output"] * answer
            + request["read"] * read
            + request["write"] * write
            + request["write_1h"] * write_1h
            + request.get("searches", 0) * 1_000_000 * (model["search"] or Fraction("0.01"))
        )
        if request.get("fast"):
            micros *= model["fast"] or 1
        if request.get("us"):
            micros *= model["us"] or 1
        return int(micros + Fraction(1, 2))


def figure(cell):
    return None if cell == "-" else Fraction(cell)


# --- shared reading --------------------------------------------------------------------------------------------


def lines(path):
    """The JSON objects of a file with their line numbers; a line that is not one is passed over."""
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                value = json.loads(raw.decode("utf-8", "replace"))
            except ValueError:
                continue
            if isinstance(value, dict):
                yield number, value


def moment(text):
    """A time in ms since 1970, or None."""
    if not isinstance(text, str):
        return None
    try:
        return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return None


def dated(path):
    """When a file was last written: the time of lines before any that names one."""
    return path.stat().st_mtime_ns // 1_000_000


def whole(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def part(value, key):
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def files(root):
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith(".jsonl"):
                yield Path(folder) / name


# --- Claude Code -----------------------------------------------------------------------------------------------


def claude_requests(roots):
    """Each response of the transcripts once, over all files together."""
    seen = []
    for path in sorted({path for root in roots for path in files(root)}):
        if path.name == "journal.jsonl":
            continue
        before = dated(path)
        for number, value in lines(path):
            # A line without a time of its own happened when the one before it did.
            at = moment(value.get("timestamp"))
            before = at if at is not None else before
            request = claude_line(value, path, before)
            if request is not None:
                # Without an id every line counts, but a file that lies in two folders is one file.
                request["place"] = (request["session"], path.name, number)
                seen.append(request)
    in_main = {request["message"] for request in seen if not request["side"]}
    keys_in_main = {(request["message"], request["request"]) for request in seen if not request["side"]}
    kept, alone = {}, {}
    for request in seen:
        key = (request["message"], request["request"])
        if request["message"] is None:
            alone[request["place"]] = request
            continue
        if request["side"] and request["message"] in in_main and key not in keys_in_main:
            continue
        other = kept.get(key)
        if other is None or better(request, other):
            kept[key], other = request, other or request
        else:
            other = request
        # What the agent priced keeps that price, whichever line has the better counts.
        if kept[key]["reported"] is None:
            kept[key]["reported"] = other["reported"]
    return [*alone.values(), *kept.values()]


def claude_line(value, path, at):
    message = value.get("message")
    if value.get("type", "assistant") != "assistant" or not isinstance(message, dict):
        return None
    usage = message.get("usage")
    model = message.get("model")
    if not isinstance(usage, dict) or model == "<synthetic>":
        return None
    split = part(usage, "cache_creation")
    hour, minutes = (whole(split.get(f"ephemeral_{kept}_input_tokens")) for kept in ("1h", "5m"))
    written = max(whole(usage.get("cache_creation_input_tokens")), hour + minutes)
    return {
        "message": message.get("id") or None,
        "request": value.get("requestId") or None,
        "side": value.get("isSidechain") is True,
        "session": value.get("sessionId") or path.stem,
        "model": model if isinstance(model, str) and model else "",
        "at": at,
        "input": whole(usage.get("input_tokens")),
        "output": whole(usage.get("output_tokens")),
        "write": written - hour,
        "write_1h": hour,
        "read": whole(usage.get("cache_read_input_tokens")),
        "reasoning": whole(part(usage, "output_tokens_details").get("thinking_tokens")),
        "searches": whole(part(usage, "server_tool_use").get("web_search_requests")),
        "fast": usage.get("speed") == "fast",
        "us": usage.get("inference_geo") == "us",
        "reported": reported(value.get("costUSD")),
        "tier": usage.get("service_tier") if usage.get("service_tier") in ("batch", "priority") else "standard",
    }


def reported(dollars):
    """The cost a line states in dollars, in micro-dollars; None when it states none."""
    if isinstance(dollars, bool) or not isinstance(dollars, (int, float)):
        return None
    return int(Fraction(str(dollars)) * 1_000_000 + Fraction(1, 2))


def size(request):
    return sum(request[kind] for kind in ("input", "output", "write", "write_1h", "read"))


def better(new, old):
    """Main transcript before sidechain, then the larger sum, then the line that knows more; of equals the earlier."""

    def rank(request):
        return (not request["side"], size(request), request["model"] != "", request["fast"])

    if rank(new) != rank(old):
        return rank(new) > rank(old)
    return (new["at"], new["session"], new["model"]) < (old["at"], old["session"], old["model"])


# --- Codex -----------------------------------------------------------------------------------------------------

COUNTS = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens")


def counts(usage):
    return tuple(whole(usage.get(key)) for key in COUNTS)


def codex_requests(roots):
    """Each response of the rollouts once: records by their id, else the steps of the running total."""
    rollouts = [Rollout(path) for path in sorted({path for root in roots for path in files(root)})]
    by_thread = {}
    for rollout in rollouts:
        by_thread.setdefault(rollout.thread, []).append(rollout)
    told, requests = set(), []
    for rollout in rollouts:
        requests.extend(rollout.requests(by_thread.get(rollout.parent, []), told))
    # The events of `codex exec` tell a running total of the thread: it stands where no rollout tells of the thread.
    known = {request["session"] for request in requests}
    largest = {}
    for rollout in rollouts:
        for total in rollout.turns:
            best = largest.get(rollout.thread)
            if rollout.thread not in known and (best is None or size(total) > size(best)):
                largest[rollout.thread] = total
    return requests + list(largest.values())


class Rollout:
    """One file: whose thread it is, what it was forked from, and its lines that speak of usage."""

    def __init__(self, path):
        self.path, self.thread, self.parent, self.steps, self.turns = path, None, None, [], []
        model, fast, at, first, replaying = None, False, dated(path), None, False
        for _, value in lines(path):
            kind, payload = value.get("type"), value.get("payload")
            stamp = moment(value.get("timestamp"))
            at = stamp if stamp is not None else at
            if kind == "thread.started" and self.thread is None:
                self.thread = value.get("thread_id")
            turn = value if kind == "turn.completed" else payload
            if isinstance(turn, dict) and turn.get("type") == "turn.completed":
                step = Step(at, model, fast, False, "turn", turn)
                self.turns.append(step.request(self.thread, counts(part(turn, "usage"))))
            if not isinstance(payload, dict):
                if kind is None and self.thread is None and isinstance(value.get("id"), str):
                    self.thread = value["id"]
                continue
            # What a fork replays of another thread, it writes within the second of its own first line.
            first = at // 1000 if first is None else first
            if kind == "session_meta" and self.thread not in (None, payload.get("id")):
                replaying = True
            replaying = replaying and at // 1000 == first
            if kind == "session_meta" and self.thread is None:
                self.thread = payload.get("id")
                spawn = part(part(payload.get("source"), "subagent"), "thread_spawn")
                self.parent = payload.get("forked_from_id") or spawn.get("parent_thread_id")
            elif replaying and payload.get("type") != "token_count":
                continue
            elif kind == "turn_context":
                model = payload.get("model") or model
            elif kind == "event_msg" and payload.get("type") == "thread_settings_applied":
                settings = part(payload, "thread_settings") or payload
                model = settings.get("model") or model
                fast = settings.get("service_tier") in ("fast", "priority")
            elif kind == "token_usage_record":
                self.steps.append(Step(at, model, fast, replaying, "record", payload))
            elif kind == "event_msg" and payload.get("type") == "token_count":
                info = part(payload, "info")
                model = info.get("model") or model
                self.steps.append(Step(at, model, fast, replaying, "count", info))
        self.thread = self.thread or re.sub(r"^rollout-[\dT-]{20}", "", path.stem)

    def totals(self):
        """The running totals this file names, in order."""
        named = (part(step.value, "total_token_usage") for step in self.steps if step.kind == "count")
        return [counts(total) for total in named if total]

    def requests(self, parents, told):
        """The file's own responses. `told` holds what other files told already, and takes what this one tells."""
        found, new = [], set()
        recorded = any(step.kind == "record" for step in self.steps)
        replayed = {total for parent in parents for total in parent.totals()}
        at_head = bool(replayed)
        before = (0,) * len(COUNTS)
        for index, step in enumerate(self.steps):
            if step.kind == "record":
                used, key = counts(part(step.value, "usage")), ("response", step.value.get("response_id"))
                repeat = key in new
            else:
                total, last = part(step.value, "total_token_usage"), part(step.value, "last_token_usage")
                if not total and not last:
                    continue
                now = counts(total) if total else None
                used = counts(last) if last else now
                key = (self.thread, self.path.name, index)
                repeat = recorded
                if now is not None:
                    at_head = at_head and now in replayed
                    repeat = repeat or now == before or at_head
                    if not last and now[0] >= before[0] and now[3] >= before[3]:
                        used = tuple(max(a - b, 0) for a, b in zip(now, before))
                    key = (self.thread, now, used)
                    before = now
            if repeat or step.replayed or key in told:
                continue
            new.add(key)
            if used[0] + used[3] > 0:
                found.append(step.request(self.thread, used))
        told |= new
        return found


class Step:
    """A line that speaks of usage, and what held when it was written."""

    def __init__(self, at, model, fast, replayed, kind, value):
        self.at, self.model, self.fast, self.replayed, self.kind, self.value = at, model, fast, replayed, kind, value

    def request(self, thread, used):
        prompt, read, write, output, reasoning = used
        return {
            "session": thread,
            "model": self.model or "",
            "at": self.at,
            "fast": self.fast,
            "input": max(prompt - read - write, 0),
            "output": output,
            "write": write,
            "write_1h": 0,
            "read": read,
            "reasoning": reasoning,
        }


# --- sums ------------------------------------------------------------------------------------------------------


def add(table, key, request, micros):
    row = table.setdefault(
        key, dict.fromkeys(KINDS, 0) | {"total_tokens": 0, "requests": 0, "unpriced_requests": 0, "cost_usd_micros": 0}
    )
    row["input_tokens"] += request["input"]
    row["output_tokens"] += request["output"]
    row["cache_creation_tokens"] += request["write"] + request["write_1h"]
    row["cache_read_tokens"] += request["read"]
    row["reasoning_tokens"] += request["reasoning"]
    row["total_tokens"] += size(request)
    row["requests"] += 1
    row["unpriced_requests"] += micros is None
    row["cost_usd_micros"] += micros or 0


def main():
    parser = argparse.ArgumentParser(description="Count tokens and cost of agents' files a second time.")
    parser.add_argument("--prices", required=True)
    parser.add_argument("--claude", action="append", default=[])
    parser.add_argument("--codex", action="append", default=[])
    asked = parser.parse_args()
    prices = Prices(asked.prices)
    days, sessions, models, totals, day_models = {}, {}, {}, {}, {}
    for request in claude_requests(asked.claude) + codex_requests(asked.codex):
        micros = prices.cost(request)
        day = datetime.fromtimestamp(request["at"] / 1000).strftime("%Y-%m-%d")
        sums = (days, day), (sessions, request["session"]), (models, request["model"]), (totals, "all")
        for table, key in (*sums, (day_models.setdefault(day, {}), request["model"])):
            add(table, key, request, micros)
    counted = {"days": days, "sessions": sessions, "models": models, "day_models": day_models}
    json.dump(counted | {"totals": totals.get("all", {})}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
