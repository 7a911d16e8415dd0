//! Where the reader is in the story: what is open, and how to get elsewhere.

use std::collections::HashMap;

use leptos::prelude::*;
use orrery_views::story::{Step, Story, What};
use wasm_bindgen::JsCast;

use super::load::Session;
use crate::host;

/// Stories up to this many steps start with all turns open.
const SHORT_STORY: usize = 60;

/// What is open. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Place {
    /// Turns the reader opened or closed, by index.
    turns: RwSignal<HashMap<u32, bool>>,
    /// Steps the reader opened or closed, by number.
    steps: RwSignal<HashMap<i64, bool>>,
    /// The step the reader is at, by number.
    pub at: RwSignal<Option<i64>>,
    session: Session,
}

impl Place {
    pub fn new(session: Session) -> Place {
        Place { turns: RwSignal::default(), steps: RwSignal::default(), at: RwSignal::new(None), session }
    }

    /// Whether the story is a piece of a long session.
    pub fn is_piece(&self) -> bool {
        self.session.piece.with_untracked(Option::is_some)
    }

    /// Whether a turn shows its steps: the newest ones do, all of them in a short story.
    pub fn is_turn_open(&self, index: u32) -> bool {
        let chosen = self.turns.with(|turns| turns.get(&index).copied());
        chosen.unwrap_or_else(|| self.session.with_story(|story| opens_by_itself(story, index)))
    }

    pub fn set_turn(&self, index: u32, open: bool) {
        self.turns.update(|turns| {
            turns.insert(index, open);
        });
    }

    pub fn set_all_turns(&self, open: bool) {
        let all =
            self.session.with_story_untracked(|story| story.turns().iter().map(|turn| (turn.index, open)).collect());
        self.turns.set(all);
    }

    /// Whether a step shows its details: answers, edits, questions and failures do.
    pub fn is_step_open(&self, step: &Step) -> bool {
        self.steps.with(|steps| steps.get(&step.seq).copied()).unwrap_or_else(|| is_telling(step))
    }

    pub fn set_step(&self, seq: i64, open: bool) {
        self.at.set(Some(seq));
        self.steps.update(|steps| {
            steps.insert(seq, open);
        });
    }

    /// Shows the step that tells of this event. False when the story has no such event.
    pub fn go_to_event(&self, seq: i64) -> bool {
        let Some((turn, step)) = self.session.with_story_untracked(|story| story.find(seq)) else { return false };
        self.go_to_step(turn, step, seq);
        true
    }

    /// Marks the step that tells of this event and brings it into sight; the keyboard stays where it is. False when the
    /// story has no such event.
    pub fn show_event(&self, seq: i64) -> bool {
        let Some((turn, step)) = self.session.with_story_untracked(|story| story.find(seq)) else { return false };
        if self.at.get_untracked() == Some(step) {
            return true;
        }
        let index = self.session.with_story_untracked(|story| story.turns().get(turn).map(|turn| turn.index));
        if let Some(index) = index {
            if !untrack(|| self.is_turn_open(index)) {
                self.set_turn(index, true);
            }
            self.at.set(Some(step));
            show_soon(format!("step-{step}"));
        }
        true
    }

    fn go_to_step(&self, turn: usize, step: i64, seq: i64) {
        let index = self.session.with_story_untracked(|story| story.turns().get(turn).map(|turn| turn.index));
        if let Some(index) = index {
            self.set_turn(index, true);
            self.set_step(step, true);
            self.at.set(Some(seq));
            focus_soon(format!("step-{step}"));
        }
    }

    /// The next failed step after the one the reader is at; round at the end.
    pub fn next_error(&self) -> bool {
        let failed: Vec<(usize, i64)> = self.session.with_story_untracked(failed_steps);
        let at = self.at.get_untracked().unwrap_or(0);
        let next = failed.iter().find(|(_, seq)| *seq > at).or(failed.first()).copied();
        if let Some((turn, seq)) = next {
            self.go_to_step(turn, seq, seq);
        }
        next.is_some()
    }

    /// The turn after or before the one the reader is at.
    pub fn next_turn(&self, step: i64) {
        let now = focused_turn();
        let (first, last) = self.session.with_story_untracked(|story| {
            let turns = story.turns();
            (turns.first().map_or(0, |turn| turn.index), turns.last().map_or(0, |turn| turn.index))
        });
        let start = if step > 0 { i64::from(first) - 1 } else { i64::from(last) + 1 };
        let wanted = (now.map_or(start, i64::from) + step).clamp(i64::from(first), i64::from(last));
        focus_soon(format!("turn-{wanted}"));
    }
}

fn opens_by_itself(story: &Story, index: u32) -> bool {
    let turns = story.turns();
    let newest = turns.last().is_some_and(|turn| turn.index == index);
    newest || turns.iter().map(|turn| turn.steps.len()).sum::<usize>() <= SHORT_STORY
}

fn is_telling(step: &Step) -> bool {
    match &step.what {
        What::Message { .. } | What::Question { .. } | What::Failure { .. } => true,
        What::Tool(call) => step.failed() || call.class == orrery_types::ToolClass::Edit,
        _ => false,
    }
}

/// Turn and number of each step that failed, subagents' failures under the call that shows them.
fn failed_steps(story: &Story) -> Vec<(usize, i64)> {
    let mut failed = Vec::new();
    for (at, turn) in story.turns().iter().enumerate() {
        for step in &turn.steps {
            let inside = match &step.what {
                What::Tool(call) => call.subagent.as_deref(),
                What::Subagent { id, claimed: false } => Some(id.as_str()),
                _ => None,
            };
            let nested = inside.and_then(|id| story.subagent(id)).is_some_and(|thread| thread.failed > 0);
            if nested || step.failed() {
                failed.push((at, step.seq));
            }
        }
    }
    failed
}

/// Scrolls an element into sight once it is drawn, where it is not in sight already.
fn show_soon(id: String) {
    host::on_next_paint(move || {
        let Some(element) = document().get_element_by_id(&id) else { return };
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    });
}

/// Focuses an element once it is drawn, in the middle of the page.
fn focus_soon(id: String) {
    host::on_next_paint(move || {
        let Some(element) =
            document().get_element_by_id(&id).and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
        else {
            return;
        };
        let _ = element.focus();
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Center);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    });
}

/// Index of the turn that has the keyboard, or that holds the step that has it.
fn focused_turn() -> Option<u32> {
    let element = document().active_element()?;
    element.closest("[data-turn]").ok().flatten()?.get_attribute("data-turn")?.parse().ok()
}

/// Moves the keyboard to the next or previous line of the story.
pub fn step_focus(by: i32) -> bool {
    let Ok(lines) = document().query_selector_all(".story .line") else { return false };
    let now = document().active_element();
    let at = (0..lines.length())
        .find(|at| lines.item(*at).is_some_and(|line| now.as_ref().is_some_and(|now| line.is_same_node(Some(now)))));
    let wanted = match at {
        Some(at) => i64::from(at) + i64::from(by),
        None => 0,
    };
    let line = u32::try_from(wanted)
        .ok()
        .and_then(|at| lines.item(at))
        .and_then(|line| line.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(line) = line {
        let _ = line.focus();
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        line.scroll_into_view_with_scroll_into_view_options(&options);
    }
    true
}
