//! Events to session rows.

mod activity;
mod state;

use std::hash::{Hash, Hasher};

use orrery_types::{Body, Event, SessionFacts, SessionRow, Status, UsageRow};

/// How many ends without a start a row remembers; a start that comes later than that counts as a second call.
const EARLY_ENDS: usize = 64;
/// A prompt reported twice without an id (old hooks, then the transcript) lies this close together.
const SAME_PROMPT_MS: i64 = 60_000;
const TITLE_CHARS: usize = 160;
/// A turn without an open call and without an event for this long is over.
const QUIET_TURN_MS: i64 = 10 * 60_000;
/// A turn with an open call may be silent longer: builds and tests run for a while.
const QUIET_CALL_MS: i64 = 60 * 60_000;
/// Between turns: after this the person has gone.
const QUIET_IDLE_MS: i64 = 60 * 60_000;
/// Nobody answered for this long: the agent's window is closed.
const QUIET_NEEDS_MS: i64 = 12 * 60 * 60_000;
/// A failed turn waits for the person this long; later it is history.
const FAILED_WAITS_MS: i64 = 30 * 60_000;

/// A row for a session nothing is known of yet.
pub fn new_row(session_id: &str, agent: &str) -> SessionRow {
    SessionRow { id: session_id.to_owned(), agent: agent.to_owned(), ..SessionRow::default() }
}

/// Folds one stored event (its `seq` is set) into its session's row.
///
/// `before` is the event as it was folded earlier, when another source completed it: then only the difference counts.
pub fn fold_event(row: &mut SessionRow, event: &Event, before: Option<&Event>) {
    row.sources = row.sources.with(event.sources);
    if let Some(before) = before {
        let (old, new) = (counts(before), counts(event));
        row.errors = row.errors.saturating_sub(old.errors).saturating_add(new.errors);
        row.lines_added = row.lines_added.saturating_sub(old.lines_added).saturating_add(new.lines_added);
        row.lines_removed = row.lines_removed.saturating_sub(old.lines_removed).saturating_add(new.lines_removed);
        state::complete(row, event);
        return;
    }
    if row.agent.is_empty() {
        row.agent.clone_from(&event.agent);
    }
    row.demo |= event.demo;
    row.events += 1;
    if row.started_ms == 0 || event.at_ms < row.started_ms {
        row.started_ms = event.at_ms;
    }
    activity::add(row, event.at_ms);
    row.last_ms = row.last_ms.max(event.at_ms);

    let counted = counts(event);
    row.errors = row.errors.saturating_add(counted.errors);
    row.lines_added = row.lines_added.saturating_add(counted.lines_added);
    row.lines_removed = row.lines_removed.saturating_add(counted.lines_removed);

    let new_call = count_call(row, event);
    count_subagent(row, event, new_call);
    match &event.body {
        Body::Prompt { text } if event.subagent.is_none() => count_prompt(row, text, event.at_ms),
        Body::SessionStart { model: Some(model), .. } if row.model.is_none() => row.model = Some(model.clone()),
        _ => {}
    }
    state::step(row, event);
}

/// Folds what a decoder learned beside events.
pub fn fold_facts(row: &mut SessionRow, facts: &SessionFacts) {
    if row.agent.is_empty() {
        row.agent.clone_from(&facts.agent);
    }
    if let Some(title) = facts.title.as_deref().map(one_line).filter(|title| !title.is_empty()) {
        row.title = title;
        row.title_given = true;
    }
    if row.cwd.is_none() {
        row.cwd.clone_from(&facts.cwd);
    }
    fold_project(row, facts);
    replace(&mut row.agent_version, &facts.agent_version);
    replace(&mut row.branch, &facts.branch);
    if row.model.is_none() {
        row.model.clone_from(&facts.model);
    }
    replace(&mut row.parent, &facts.parent);
    replace(&mut row.mode, &facts.mode);
    if row.commit.is_none() {
        row.commit.clone_from(&facts.commit);
    }
    row.dirty = row.dirty.or(facts.dirty);
    row.demo |= facts.demo;
}

/// A name that a sender gave stands; else the first working directory says which project it is.
fn fold_project(row: &mut SessionRow, facts: &SessionFacts) {
    let is_named = !row.project.is_empty() && row.project_id == row.project;
    if let Some(name) = facts.project.as_ref().filter(|name| !name.is_empty()) {
        row.project.clone_from(name);
        row.project_id.clone_from(name);
    } else if is_named {
    } else if let Some(found) = &facts.repository {
        if row.project_id.is_empty() || row.project_id == found.id {
            row.project.clone_from(&found.name);
            row.project_id.clone_from(&found.id);
        }
    } else if let Some(cwd) = facts.cwd.as_ref().filter(|_| row.project.is_empty()) {
        row.project = folder_name(cwd);
    }
}

/// Folds one ledger row; `before` is the row it replaces (a streamed line with fewer tokens, a price update).
pub fn fold_usage(row: &mut SessionRow, usage: &UsageRow, before: Option<&UsageRow>) {
    if let Some(before) = before {
        unfold_usage(row, before);
    }
    let request = &usage.request;
    row.requests = row.requests.saturating_add(1);
    row.tokens = row.tokens.plus(request.tokens);
    match usage.cost_usd_micros {
        Some(cost) => row.cost_usd_micros = row.cost_usd_micros.saturating_add(cost),
        None => row.unpriced_requests = row.unpriced_requests.saturating_add(1),
    }
    row.demo |= request.demo;
    if let Some(id) = &request.subagent {
        let subagent = row.subagents.entry(id.clone()).or_default();
        subagent.tokens = subagent.tokens.plus(request.tokens);
        subagent.cost_usd_micros = subagent.cost_usd_micros.saturating_add(usage.cost_usd_micros.unwrap_or(0));
        if request.model.is_some() {
            subagent.model.clone_from(&request.model);
        }
        return;
    }
    if request.at_ms >= row.context_ms {
        row.context_ms = request.at_ms;
        if request.tokens.prompt() > 0 {
            row.context_tokens = Some(request.tokens.prompt());
        }
        if let Some(model) = &request.model {
            row.context_window = crate::pricing::PriceTable::builtin().context_window(model);
            row.model = Some(model.clone());
        }
    }
}

/// Takes a ledger row out again: another session turned out to own its request.
pub fn unfold_usage(row: &mut SessionRow, usage: &UsageRow) {
    let request = &usage.request;
    row.requests = row.requests.saturating_sub(1);
    row.tokens = row.tokens.minus(request.tokens);
    match usage.cost_usd_micros {
        Some(cost) => row.cost_usd_micros = row.cost_usd_micros.saturating_sub(cost),
        None => row.unpriced_requests = row.unpriced_requests.saturating_sub(1),
    }
    if let Some(subagent) = request.subagent.as_ref().and_then(|id| row.subagents.get_mut(id)) {
        subagent.tokens = subagent.tokens.minus(request.tokens);
        subagent.cost_usd_micros = subagent.cost_usd_micros.saturating_sub(usage.cost_usd_micros.unwrap_or(0));
    }
}

/// The status as a person should see it at `now_ms`: a session that fell silent is over.
pub fn status_at(row: &SessionRow, now_ms: i64) -> Status {
    let quiet_ms = now_ms.saturating_sub(row.last_ms);
    match row.status {
        Status::Running | Status::Stuck if row.open_calls.is_empty() && quiet_ms > QUIET_TURN_MS => Status::Ended,
        Status::Running | Status::Stuck if quiet_ms > QUIET_CALL_MS => Status::Ended,
        Status::Idle if quiet_ms > QUIET_IDLE_MS => Status::Ended,
        Status::NeedsYou if quiet_ms > QUIET_NEEDS_MS => Status::Ended,
        status => status,
    }
}

/// Whether the session belongs on the Live page at `now_ms`: in a turn, or waiting for the person.
pub fn is_active_at(row: &SessionRow, now_ms: i64) -> bool {
    matches!(status_at(row, now_ms), Status::Running | Status::Stuck | Status::NeedsYou)
}

/// Whether the session waits for the person at `now_ms`: a permission, a question, a wish for the next prompt, a stuck
/// turn, or one that failed lately.
pub fn needs_person_at(row: &SessionRow, now_ms: i64) -> bool {
    let is_fresh_failure =
        status_at(row, now_ms) == Status::Failed && now_ms.saturating_sub(row.last_ms) < FAILED_WAITS_MS;
    row.needs.is_some() && (is_active_at(row, now_ms) || is_fresh_failure)
}

/// What an event adds to the sums of its row, apart from calls and prompts, which are counted once by their ids.
struct Counts {
    errors: u32,
    lines_added: u32,
    lines_removed: u32,
}

fn counts(event: &Event) -> Counts {
    match &event.body {
        Body::ToolEnd { ok, lines_added, lines_removed, .. } => Counts {
            errors: u32::from(!ok),
            lines_added: lines_added.unwrap_or(0),
            lines_removed: lines_removed.unwrap_or(0),
        },
        Body::Failure { .. } => Counts { errors: 1, lines_added: 0, lines_removed: 0 },
        _ => Counts { errors: 0, lines_added: 0, lines_removed: 0 },
    }
}

/// Counts a tool call once, whether its start or its end arrives first. True when it is a new call.
fn count_call(row: &mut SessionRow, event: &Event) -> bool {
    let new = match &event.body {
        Body::ToolStart { call_id, .. } => {
            let early = row.early_ends.iter().position(|id| id == call_id && !id.is_empty());
            early.map(|place| row.early_ends.remove(place)).is_none()
        }
        // Versions without call ids report a start for every end.
        Body::ToolEnd { call_id, .. } if !call_id.is_empty() && !row.open_calls.contains_key(call_id) => {
            if row.early_ends.len() == EARLY_ENDS {
                row.early_ends.remove(0);
            }
            row.early_ends.push(call_id.clone());
            true
        }
        _ => false,
    };
    row.tools = row.tools.saturating_add(u32::from(new));
    new
}

fn count_subagent(row: &mut SessionRow, event: &Event, new_call: bool) {
    let Some(named) = &event.subagent else { return };
    let subagent = row.subagents.entry(named.id.clone()).or_default();
    if !named.kind.is_empty() {
        subagent.kind.clone_from(&named.kind);
    }
    if subagent.started_ms == 0 || event.at_ms < subagent.started_ms {
        subagent.started_ms = event.at_ms;
    }
    match event.body {
        Body::SubagentStop { .. } => subagent.running = false,
        Body::SubagentStart => subagent.running = subagent.last_ms <= event.at_ms,
        _ => {}
    }
    subagent.last_ms = subagent.last_ms.max(event.at_ms);
    subagent.tools = subagent.tools.saturating_add(u32::from(new_call));
    subagent.errors = subagent.errors.saturating_add(counts(event).errors);
}

fn count_prompt(row: &mut SessionRow, text: &str, at_ms: i64) {
    let hash = hash_of(text);
    let repeated = row
        .last_prompt
        .is_some_and(|(last, last_ms)| last == hash && at_ms.abs_diff(last_ms) < SAME_PROMPT_MS.unsigned_abs());
    row.last_prompt = Some((hash, at_ms));
    if repeated {
        return;
    }
    row.turns = row.turns.saturating_add(1);
    let title = one_line(text);
    if !row.title_given && !title.is_empty() && (row.title.is_empty() || at_ms < row.title_ms) {
        row.title = title;
        row.title_ms = at_ms;
    }
}

/// Not for storage across versions: only tells two texts of one session apart.
fn hash_of(text: &str) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    text.trim().hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a: rows are kept on disk, so the hash must not change from run to run.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// First line with something on it, cut to a title's length.
pub fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(TITLE_CHARS) {
        Some((end, _)) => format!("{}...", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// Last part of a path, of either system's kind.
pub fn folder_name(path: &str) -> String {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

fn replace(field: &mut Option<String>, found: &Option<String>) {
    if found.as_ref().is_some_and(|found| !found.is_empty()) {
        field.clone_from(found);
    }
}
