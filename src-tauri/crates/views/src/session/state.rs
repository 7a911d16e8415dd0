//! Where a session stands: status, what it does now, what it needs.
//!
//! Only events at or after `row.state_ms` move the state: a transcript line that arrives late tells nothing new about now.

use orrery_types::{Body, Doing, Event, Failing, Needs, NeedsKind, OpenCall, SessionRow, Status, ToolClass, Verb};

/// So many failures of one call in a row mean that the agent goes in circles.
const STUCK_AFTER: u32 = 5;

/// Moves the state by one new event.
pub fn step(row: &mut SessionRow, event: &Event) {
    track_calls(row, event);
    if event.at_ms < row.state_ms {
        return;
    }
    match &event.subagent {
        None => step_main(row, event),
        Some(subagent) => step_subagent(row, event, &subagent.id),
    }
}

/// An event got its missing part from another source: only an answer or an end can change what is needed.
pub fn complete(row: &mut SessionRow, event: &Event) {
    if let Body::Question { answer: Some(answer), .. } = &event.body
        && answer.delivered
        && row.needs.as_ref().is_some_and(|needs| needs.seq == event.seq)
    {
        row.needs = None;
        resume(row, event.at_ms);
    }
}

fn track_calls(row: &mut SessionRow, event: &Event) {
    match &event.body {
        Body::ToolStart { call_id, tool, class, target, .. } if !call_id.is_empty() => {
            // Calls older than the state were closed by what came since.
            if event.at_ms >= row.state_ms || row.status == Status::Running {
                row.open_calls.insert(
                    call_id.clone(),
                    OpenCall {
                        tool: tool.clone(),
                        class: *class,
                        target: target.clone(),
                        since_ms: event.at_ms,
                        subagent: event.subagent.as_ref().map(|subagent| subagent.id.clone()),
                    },
                );
            }
            // Its end was here first.
            if row.early_ends.iter().any(|id| id == call_id) {
                row.open_calls.remove(call_id);
            }
        }
        Body::ToolEnd { call_id, .. } | Body::PermissionDenied { call_id, .. } => {
            row.open_calls.remove(call_id);
        }
        Body::SubagentStop { .. } => {
            let id = event.subagent.as_ref().map(|subagent| subagent.id.as_str());
            row.open_calls.retain(|_, call| call.subagent.is_none() || call.subagent.as_deref() != id);
        }
        _ => {}
    }
}

fn step_main(row: &mut SessionRow, event: &Event) {
    let at_ms = event.at_ms;
    match &event.body {
        Body::SessionStart { .. } => {
            row.ended_ms = None;
            if matches!(row.status, Status::Ended | Status::Idle) {
                set(row, at_ms, Status::Idle, Verb::Waits, "");
            }
        }
        Body::Prompt { text } => {
            row.ended_ms = None;
            row.needs = None;
            row.failing = None;
            row.turn_started_ms = Some(at_ms);
            row.turn_prompt = Some(super::one_line(text));
            row.open_calls.retain(|_, call| call.subagent.is_some());
            set(row, at_ms, Status::Running, Verb::Thinks, "");
        }
        Body::Message { .. } | Body::Thinking { .. } => {
            clear_needs_of(row, None);
            begin_turn(row, at_ms);
            if row.open_calls.is_empty() && row.needs.is_none() {
                set(row, at_ms, Status::Running, Verb::Thinks, "");
            }
        }
        Body::ToolStart { tool, class, target, .. } => {
            clear_needs_of(row, None);
            begin_turn(row, at_ms);
            if *class == ToolClass::Ask {
                ask(row, event, NeedsKind::Question, "Asks you a question", target, None);
            } else if row.needs.as_ref().is_none_or(|needs| needs.kind == NeedsKind::Stuck) {
                let (verb, words) = doing(tool, *class, target);
                let status = if row.needs.is_some() { Status::Stuck } else { Status::Running };
                set(row, at_ms, status, verb, words);
            }
        }
        Body::ToolEnd { tool, target, ok, .. } => {
            end_needs_of_call(row, tool, target);
            count_failing(row, event, tool, target, *ok);
            resume(row, at_ms);
        }
        Body::Permission { tool, class, target, .. } => {
            ask(row, event, NeedsKind::Permission, permission_words(*class, tool), target, None);
        }
        Body::PermissionDenied { tool, target, .. } => {
            end_needs_of_call(row, tool, target);
            resume(row, at_ms);
        }
        Body::Question { question, answer: None } => {
            let answerable = question.respond_to.as_ref().map(|_| question.ask.clone());
            let kind = if question.ask == "permission" { NeedsKind::Permission } else { NeedsKind::Question };
            ask(row, event, kind, "Asks you a question", &question.text, answerable);
            if let Some(needs) = &mut row.needs {
                needs.choices.clone_from(&question.choices);
            }
        }
        Body::Question { answer: Some(_), .. } => complete(row, event),
        Body::Notification { topic, message } => notify(row, event, topic, message),
        Body::Stop { .. } => {
            end_turn(row);
            set(row, at_ms, Status::Idle, Verb::Waits, "");
        }
        Body::Failure { error, details } => {
            end_turn(row);
            let text = if details.is_empty() { error } else { details };
            set(row, at_ms, Status::Failed, Verb::Waits, "");
            row.needs = Some(needs(event, NeedsKind::Error, &format!("The turn ended with {error}"), text, None));
        }
        Body::Interrupt => {
            end_turn(row);
            set(row, at_ms, Status::Stopped, Verb::Waits, "");
        }
        Body::Compact { done, .. } => {
            if *done {
                resume(row, at_ms);
            } else {
                set(row, at_ms, Status::Running, Verb::Compacts, "");
            }
        }
        Body::SessionEnd { .. } => {
            end_turn(row);
            row.open_calls.clear();
            for subagent in row.subagents.values_mut() {
                subagent.running = false;
            }
            row.ended_ms = Some(at_ms);
            set(row, at_ms, Status::Ended, Verb::Ended, "");
        }
        Body::SubagentStart | Body::SubagentStop { .. } | Body::Rewind { .. } | Body::Other { .. } => {}
    }
}

/// A subagent's work shows through its session only where it waits for the person or the main thread waits for it.
fn step_subagent(row: &mut SessionRow, event: &Event, id: &str) {
    match &event.body {
        Body::Permission { tool, class, target, .. } => {
            ask(row, event, NeedsKind::Permission, permission_words(*class, tool), target, None);
        }
        Body::ToolStart { class: ToolClass::Ask, target, .. } => {
            ask(row, event, NeedsKind::Question, "Asks you a question", target, None);
        }
        Body::ToolEnd { tool, target, .. } | Body::PermissionDenied { tool, target, .. } => {
            end_needs_of_call(row, tool, target);
            delegate(row, event.at_ms);
        }
        Body::SubagentStart => delegate(row, event.at_ms),
        Body::SubagentStop { .. } => {
            clear_needs_of(row, Some(id));
            delegate(row, event.at_ms);
        }
        Body::ToolStart { .. } => clear_needs_of(row, Some(id)),
        _ => {}
    }
}

fn set(row: &mut SessionRow, at_ms: i64, status: Status, verb: Verb, target: &str) {
    row.state_ms = at_ms;
    row.status = status;
    if row.doing.verb != verb || row.doing.target != target {
        row.doing = Doing { verb, target: target.to_owned(), since_ms: at_ms };
    }
}

fn begin_turn(row: &mut SessionRow, at_ms: i64) {
    row.ended_ms = None;
    if row.turn_started_ms.is_none() {
        row.turn_started_ms = Some(at_ms);
    }
}

fn end_turn(row: &mut SessionRow) {
    row.turn_started_ms = None;
    row.turn_prompt = None;
    row.needs = None;
    row.failing = None;
    // Background subagents outlive the turn; calls of the main thread do not.
    row.open_calls.retain(|_, call| call.subagent.is_some());
}

/// Back to work after a call ended or the person answered: show the newest call still open, else thinking.
fn resume(row: &mut SessionRow, at_ms: i64) {
    if row.needs.is_some() || row.turn_started_ms.is_none() {
        row.state_ms = at_ms.max(row.state_ms);
        return;
    }
    if row.failing.as_ref().is_some_and(|failing| failing.times >= STUCK_AFTER) {
        row.state_ms = at_ms;
        row.status = Status::Stuck;
        return;
    }
    let open = row
        .open_calls
        .values()
        .filter(|call| call.subagent.is_none())
        .max_by(|a, b| a.since_ms.cmp(&b.since_ms))
        .cloned();
    match open {
        Some(call) => {
            let (verb, words) = doing(&call.tool, call.class, &call.target);
            let since_ms = call.since_ms;
            set(row, at_ms, Status::Running, verb, words);
            row.doing.since_ms = since_ms;
        }
        None => set(row, at_ms, Status::Running, Verb::Thinks, ""),
    }
    delegate(row, at_ms);
}

/// Says "Waits for 2 subagents" while the main thread's open call is one.
fn delegate(row: &mut SessionRow, at_ms: i64) {
    let main_waits = row.open_calls.values().any(|call| call.subagent.is_none() && call.class == ToolClass::Agent);
    let running = row.subagents.values().filter(|subagent| subagent.running).count();
    if row.status == Status::Running && main_waits && running > 0 {
        let words = if running == 1 { "1 subagent".to_owned() } else { format!("{running} subagents") };
        set(row, at_ms, Status::Running, Verb::Delegates, &words);
    }
}

fn ask(row: &mut SessionRow, event: &Event, kind: NeedsKind, text: &str, target: &str, answerable: Option<String>) {
    begin_turn(row, event.at_ms);
    set(row, event.at_ms, Status::NeedsYou, Verb::Asks, target);
    row.needs = Some(needs(event, kind, text, target, answerable));
}

fn needs(event: &Event, kind: NeedsKind, text: &str, target: &str, answerable: Option<String>) -> Needs {
    Needs {
        kind,
        text: text.to_owned(),
        target: target.to_owned(),
        since_ms: event.at_ms,
        seq: event.seq,
        choices: Vec::new(),
        answerable,
        subagent: event.subagent.as_ref().map(|subagent| subagent.id.clone()),
    }
}

fn notify(row: &mut SessionRow, event: &Event, topic: &str, message: &str) {
    match topic {
        // The request itself came earlier and says more.
        "permission_prompt" if row.needs.is_none() => {
            ask(row, event, NeedsKind::Permission, "Asks for your permission", message, None);
        }
        "agent_needs_input" | "elicitation_dialog" | "elicitation_url_dialog" if row.needs.is_none() => {
            ask(row, event, NeedsKind::Question, "Asks you a question", message, None);
        }
        "idle_prompt" if row.needs.is_none() => {
            row.state_ms = event.at_ms;
            row.status = Status::NeedsYou;
            row.needs = Some(needs(event, NeedsKind::Idle, "Waits for your next prompt", message, None));
        }
        "elicitation_complete" | "elicitation_response" => {
            clear_needs_of(row, None);
            resume(row, event.at_ms);
        }
        _ => {}
    }
}

/// The thread went on, so it no longer waits. One that goes in circles stays stuck until the call passes.
fn clear_needs_of(row: &mut SessionRow, subagent: Option<&str>) {
    let over = |needs: &Needs| needs.kind != NeedsKind::Stuck && needs.subagent.as_deref() == subagent;
    if row.needs.as_ref().is_some_and(over) {
        row.needs = None;
    }
}

fn end_needs_of_call(row: &mut SessionRow, tool: &str, target: &str) {
    let about = row.needs.as_ref().is_some_and(|needs| {
        needs.target == target
            || needs.kind == NeedsKind::Question && tool == "AskUserQuestion"
            || needs.kind == NeedsKind::Permission && row.open_calls.values().all(|call| call.target != needs.target)
    });
    if about {
        row.needs = None;
    }
}

fn count_failing(row: &mut SessionRow, event: &Event, tool: &str, target: &str, ok: bool) {
    let same = row.failing.as_ref().is_some_and(|failing| failing.tool == tool && failing.target == target);
    match (ok, same) {
        (true, true) => {
            row.failing = None;
            if row.needs.as_ref().is_some_and(|needs| needs.kind == NeedsKind::Stuck) {
                row.needs = None;
            }
        }
        (true, false) => {}
        (false, true) => {
            if let Some(failing) = &mut row.failing {
                failing.times += 1;
            }
        }
        (false, false) => {
            row.failing =
                Some(Failing { tool: tool.to_owned(), target: target.to_owned(), times: 1, since_ms: event.at_ms });
        }
    }
    if let Some(failing) = row.failing.clone().filter(|failing| !ok && failing.times >= STUCK_AFTER) {
        let text = format!("Failed {} times in a row", failing.times);
        let mut stuck = needs(event, NeedsKind::Stuck, &text, target, None);
        stuck.since_ms = failing.since_ms;
        row.needs = Some(stuck);
        row.status = Status::Stuck;
        row.state_ms = event.at_ms;
    }
}

fn doing<'a>(tool: &'a str, class: ToolClass, target: &'a str) -> (Verb, &'a str) {
    let words = if target.is_empty() { tool } else { target };
    match class {
        ToolClass::Shell => (Verb::Runs, words),
        ToolClass::Edit => (Verb::Edits, words),
        ToolClass::Read => (Verb::Reads, words),
        ToolClass::Search => (Verb::Searches, words),
        ToolClass::Web => (Verb::Browses, words),
        ToolClass::Agent => (Verb::Delegates, words),
        ToolClass::Ask => (Verb::Asks, words),
        ToolClass::Other => (Verb::Uses, words),
    }
}

fn permission_words(class: ToolClass, tool: &str) -> &'static str {
    match class {
        ToolClass::Shell => "Wants to run a command that your rules do not allow",
        ToolClass::Edit => "Wants to change a file",
        ToolClass::Read => "Wants to read a file outside its project",
        ToolClass::Web => "Wants to open a page",
        _ if tool == "ExitPlanMode" => "Has a plan and waits for your word",
        _ => "Wants to use a tool that your rules do not allow",
    }
}
