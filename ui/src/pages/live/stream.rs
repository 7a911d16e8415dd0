//! Events as the stream shows them: a row per event or tool call, under a head per session and turn. Plain data.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use orrery_types::{Body, Event, ToolClass};

use super::describe::one_line;

/// Rows kept. What falls out is in the store.
const MOST_ROWS: usize = 20_000;
/// A group takes rows while it is among the newest so many ...
const OPEN_GROUPS: u64 = 6;
/// ... is younger than this ...
const GROUP_MS: i64 = 90_000;
/// ... and holds fewer rows than this. So rows always come in near the top and groups never move.
const GROUP_ROWS: usize = 40;

/// What the stream is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    All,
    Words,
    Tools,
    Edits,
    Commands,
    Failed,
    Needs,
}

impl Kind {
    pub const EVERY: [Kind; 7] =
        [Kind::All, Kind::Words, Kind::Tools, Kind::Edits, Kind::Commands, Kind::Failed, Kind::Needs];

    pub const fn slug(self) -> &'static str {
        match self {
            Kind::All => "",
            Kind::Words => "words",
            Kind::Tools => "tools",
            Kind::Edits => "edits",
            Kind::Commands => "commands",
            Kind::Failed => "failed",
            Kind::Needs => "needs",
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Kind::All => "All events",
            Kind::Words => "Prompts and answers",
            Kind::Tools => "Tool calls",
            Kind::Edits => "Edits",
            Kind::Commands => "Commands",
            Kind::Failed => "Failures",
            Kind::Needs => "Asks you",
        }
    }
    pub fn from_slug(slug: &str) -> Kind {
        Kind::EVERY.into_iter().find(|kind| kind.slug() == slug).unwrap_or_default()
    }

    fn takes(self, body: &Body) -> bool {
        let class = match body {
            Body::ToolStart { class, .. } | Body::ToolEnd { class, .. } => Some(*class),
            _ => None,
        };
        match self {
            Kind::All => true,
            Kind::Words => matches!(body, Body::Prompt { .. } | Body::Message { .. } | Body::Stop { .. }),
            Kind::Tools => class.is_some(),
            Kind::Edits => class == Some(ToolClass::Edit),
            Kind::Commands => class == Some(ToolClass::Shell),
            Kind::Failed => matches!(body, Body::ToolEnd { ok: false, .. } | Body::Failure { .. }),
            Kind::Needs => matches!(
                body,
                Body::Permission { .. }
                    | Body::PermissionDenied { .. }
                    | Body::Question { .. }
                    | Body::Notification { .. }
            ),
        }
    }
}

/// A row: one event, or a tool call with its end once that is known.
#[derive(Debug, Clone)]
pub struct Row {
    /// Never changes and is never used again: the number of the first event of the row.
    pub key: i64,
    /// Grows when a later event completed the row.
    pub version: u32,
    /// When it began, ms since 1970 UTC.
    pub at_ms: i64,
    /// The newest event of the row.
    pub event: Arc<Event>,
    /// Its words stood in the row before: the end of a turn repeats the last answer.
    pub is_repeat: bool,
}

/// Rows of one session and turn that came about the same time.
#[derive(Debug, Clone)]
struct Group {
    number: u64,
    session: String,
    agent: String,
    /// Prompts of the session that this stream had seen.
    prompt: u32,
    prompt_text: Arc<str>,
    opened_ms: i64,
    /// Oldest first.
    rows: Vec<Row>,
}

/// What is drawn as one line.
#[derive(Debug, Clone)]
pub enum Line {
    Head { number: u64, session: String, agent: String, turns_ago: u32, prompt: Arc<str> },
    Row(Row),
}

impl Line {
    /// Equal keys are equal lines: a changed row has a new key.
    pub fn key(&self) -> (u8, i64, u32) {
        match self {
            Line::Head { number, turns_ago, .. } => (0, *number as i64, *turns_ago),
            Line::Row(row) => (1, row.key, row.version),
        }
    }
}

/// Heights of the two sorts of lines, px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heights {
    pub head: f64,
    pub row: f64,
}

/// The part of the list that a scroll position shows.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// Where the first line stands, px from the top of the list.
    pub top: f64,
    /// Its place among all lines, from 0.
    pub first: usize,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Default)]
struct SessionTurn {
    prompts: u32,
    text: Arc<str>,
}

/// The stream. Newest group last in memory, first on screen.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    kind: Kind,
    groups: VecDeque<Group>,
    next_group: u64,
    rows: usize,
    turns: HashMap<String, SessionTurn>,
    /// First line of the last answer, by session.
    last_said: HashMap<String, String>,
    /// Group of an event that may come again, by its number.
    by_seq: HashMap<i64, (u64, i64)>,
    /// Group and row of a call that has no end yet, by session and call id.
    open_calls: HashMap<(String, String), (u64, i64)>,
}

impl Stream {
    pub fn new(kind: Kind) -> Stream {
        Stream { kind, ..Stream::default() }
    }

    /// Takes one event: a new row, or a newer version of one that is there.
    pub fn add(&mut self, event: &Arc<Event>) {
        self.follow_turn(event);
        if let Some(place) = self.by_seq.get(&event.seq).copied() {
            self.replace(place, event);
            return;
        }
        let call = call_of(event);
        if let (Body::ToolEnd { .. }, Some(call)) = (&event.body, &call)
            && let Some(place) = self.open_calls.remove(call)
        {
            self.replace(place, event);
            self.by_seq.insert(event.seq, place);
            return;
        }
        if !self.kind.takes(&event.body) {
            return;
        }
        let place = (self.group_for(event), event.seq);
        if let (Body::ToolStart { .. }, Some(call)) = (&event.body, call) {
            self.open_calls.insert(call, place);
        }
        self.by_seq.insert(event.seq, place);
        let is_repeat = self.is_repeat(event);
        if let Some(group) = self.group_mut(place.0) {
            group.rows.push(Row { key: event.seq, version: 0, at_ms: event.at_ms, event: event.clone(), is_repeat });
            self.rows += 1;
        }
        while self.rows > MOST_ROWS {
            self.drop_oldest();
        }
    }

    fn follow_turn(&mut self, event: &Event) {
        let Body::Prompt { text } = &event.body else { return };
        if event.subagent.is_some() || self.by_seq.contains_key(&event.seq) {
            return;
        }
        let turn = self.turns.entry(event.session_id.clone()).or_default();
        turn.prompts += 1;
        turn.text = one_line(text).into();
    }

    fn is_repeat(&mut self, event: &Event) -> bool {
        match &event.body {
            Body::Message { text, .. } => {
                self.last_said.insert(event.session_id.clone(), one_line(text));
                false
            }
            Body::Stop { message } => {
                self.last_said.get(&event.session_id).is_some_and(|said| *said == one_line(message))
            }
            _ => false,
        }
    }

    /// The number of the group a new row goes into; opens one when none fits.
    fn group_for(&mut self, event: &Event) -> u64 {
        let turn = self.turns.get(&event.session_id).cloned().unwrap_or_default();
        let newest = self.next_group;
        let fits = |group: &&Group| {
            group.session == event.session_id
                && group.prompt == turn.prompts
                && group.rows.len() < GROUP_ROWS
                && event.at_ms - group.opened_ms < GROUP_MS
                && newest - group.number <= OPEN_GROUPS
        };
        if let Some(group) = self.groups.iter().rev().take(OPEN_GROUPS as usize).find(fits) {
            return group.number;
        }
        let number = self.next_group;
        self.next_group += 1;
        self.groups.push_back(Group {
            number,
            session: event.session_id.clone(),
            agent: event.agent.clone(),
            prompt: turn.prompts,
            prompt_text: turn.text,
            opened_ms: event.at_ms,
            rows: Vec::new(),
        });
        number
    }

    fn group_mut(&mut self, number: u64) -> Option<&mut Group> {
        let first = self.groups.front()?.number;
        self.groups.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    fn replace(&mut self, (group, key): (u64, i64), event: &Arc<Event>) {
        let row = self.group_mut(group).and_then(|group| group.rows.iter_mut().find(|row| row.key == key));
        // A start that arrives completed must not hide the end that came after it.
        let is_newer = |row: &Row| {
            !(matches!(row.event.body, Body::ToolEnd { .. }) && matches!(event.body, Body::ToolStart { .. }))
        };
        if let Some(row) = row.filter(|row| is_newer(row)) {
            row.version += 1;
            row.event = event.clone();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(group) = self.groups.pop_front() else { return };
        self.rows -= group.rows.len();
        let gone = |place: &(u64, i64)| place.0 == group.number;
        self.by_seq.retain(|_, place| !gone(place));
        self.open_calls.retain(|_, place| !gone(place));
    }

    // What is drawn

    /// Rows without heads.
    #[cfg(test)]
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Rows and heads.
    pub fn lines(&self) -> usize {
        self.rows + self.groups.len()
    }
    pub fn height(&self, heights: Heights) -> f64 {
        self.rows as f64 * heights.row + self.groups.len() as f64 * heights.head
    }

    /// The lines from `from` to `to`, px from the top, whole lines, at most 150.
    pub fn window(&self, from: f64, to: f64, heights: Heights) -> Window {
        let mut window = Window::default();
        let (mut y, mut index, mut is_empty) = (0.0, 0, true);
        for group in self.groups.iter().rev() {
            if y >= to || window.lines.len() >= 150 {
                break;
            }
            let group_height = heights.head + group.rows.len() as f64 * heights.row;
            if y + group_height <= from {
                y += group_height;
                index += 1 + group.rows.len();
                continue;
            }
            for at in 0..=group.rows.len() {
                let height = if at == 0 { heights.head } else { heights.row };
                if y + height > from && y < to && window.lines.len() < 150 {
                    if is_empty {
                        (window.top, window.first, is_empty) = (y, index, false);
                    }
                    window.lines.push(self.line(group, at));
                }
                y += height;
                index += 1;
            }
        }
        window
    }

    fn line(&self, group: &Group, at: usize) -> Line {
        match at.checked_sub(1) {
            None => {
                let seen = self.turns.get(&group.session).map_or(0, |turn| turn.prompts);
                Line::Head {
                    number: group.number,
                    session: group.session.clone(),
                    agent: group.agent.clone(),
                    turns_ago: seen - group.prompt,
                    prompt: group.prompt_text.clone(),
                }
            }
            Some(at) => Line::Row(group.rows[group.rows.len() - 1 - at].clone()),
        }
    }

    /// The row `step` rows below the one with this key (above when negative); the first row when there is no such key.
    pub fn neighbor(&self, key: Option<i64>, step: isize) -> Option<Row> {
        let rows: Vec<&Row> = self.groups.iter().rev().flat_map(|group| group.rows.iter().rev()).collect();
        let at = key.and_then(|key| rows.iter().position(|row| row.key == key || row.event.seq == key));
        let next = match at {
            Some(at) => at.saturating_add_signed(step).min(rows.len().saturating_sub(1)),
            None => 0,
        };
        rows.get(next).map(|row| (*row).clone())
    }

    /// Where the row stands, px from the top.
    pub fn offset_of(&self, key: i64, heights: Heights) -> Option<f64> {
        let mut y = 0.0;
        for group in self.groups.iter().rev() {
            y += heights.head;
            if let Some(at) = group.rows.iter().rev().position(|row| row.key == key) {
                return Some(y + at as f64 * heights.row);
            }
            y += group.rows.len() as f64 * heights.row;
        }
        None
    }
}

fn call_of(event: &Event) -> Option<(String, String)> {
    match &event.body {
        Body::ToolStart { call_id, .. } | Body::ToolEnd { call_id, .. } if !call_id.is_empty() => {
            Some((event.session_id.clone(), call_id.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::describe::tests::{end, event, start};
    use super::*;

    const HEIGHTS: Heights = Heights { head: 28.0, row: 24.0 };

    fn stream(events: &[Event]) -> Stream {
        let mut stream = Stream::new(Kind::All);
        for event in events {
            stream.add(&Arc::new(event.clone()));
        }
        stream
    }
    fn prompt(text: &str) -> Body {
        Body::Prompt { text: text.into() }
    }
    /// `session:` for heads, the row's newest seq for rows.
    fn drawn(stream: &Stream) -> Vec<String> {
        let name = |line: &Line| match line {
            Line::Head { session, .. } => format!("{session}:"),
            Line::Row(row) => row.event.seq.to_string(),
        };
        stream.window(0.0, 1e9, HEIGHTS).lines.iter().map(name).collect()
    }

    #[test]
    fn start_and_end_of_a_call_are_one_row() {
        let stream = stream(&[
            event(1, "a", start("c", "ls")),
            event(2, "b", prompt("hi")),
            event(3, "a", end("c", true, Some(0))),
        ]);
        assert_eq!(drawn(&stream), ["b:", "2", "a:", "3"]);
        assert_eq!(stream.neighbor(Some(1), 0).unwrap().at_ms, 1_000);
    }

    #[test]
    fn sessions_that_work_at_once_keep_their_groups() {
        let stream = stream(&[
            event(1, "a", prompt("x")),
            event(2, "b", prompt("y")),
            event(3, "a", start("c", "")),
            event(4, "b", start("d", "")),
        ]);
        assert_eq!(drawn(&stream), ["b:", "4", "2", "a:", "3", "1"]);
    }

    #[test]
    fn a_prompt_opens_a_group_and_old_heads_know_their_turn() {
        let stream = stream(&[event(1, "a", prompt("first")), event(2, "a", prompt("second"))]);
        let heads: Vec<(u32, String)> = stream
            .window(0.0, 1e9, HEIGHTS)
            .lines
            .iter()
            .filter_map(|line| match line {
                Line::Head { turns_ago, prompt, .. } => Some((*turns_ago, prompt.to_string())),
                Line::Row(_) => None,
            })
            .collect();
        assert_eq!(heads, [(0, "second".to_owned()), (1, "first".to_owned())]);
    }

    #[test]
    fn an_event_that_comes_again_changes_its_row_only() {
        let mut stream = stream(&[event(1, "a", prompt("x")), event(2, "a", start("c", "ls"))]);
        let before = stream.window(0.0, 1e9, HEIGHTS).lines[1].key();
        stream.add(&Arc::new(event(2, "a", start("c", "ls -la"))));
        let after = stream.window(0.0, 1e9, HEIGHTS).lines[1].key();
        assert_eq!((before, after, stream.rows()), ((1, 2, 0), (1, 2, 1), 2));
        stream.add(&Arc::new(event(3, "a", end("c", true, None))));
        stream.add(&Arc::new(event(2, "a", start("c", "ls -la"))));
        assert_eq!(drawn(&stream), ["a:", "3", "1"], "a late start does not reopen the call");
    }

    #[test]
    fn a_window_is_whole_lines_and_never_more_than_150() {
        let events: Vec<Event> = (1..=3_000)
            .map(|seq| event(seq, if seq % 3 == 0 { "a" } else { "b" }, start(&seq.to_string(), "")))
            .collect();
        let stream = stream(&events);
        assert_eq!(
            stream.height(HEIGHTS),
            stream.rows() as f64 * 24.0 + (stream.lines() - stream.rows()) as f64 * 28.0
        );
        assert_eq!(stream.window(0.0, 1e9, HEIGHTS).lines.len(), 150);
        let all = stream.window(0.0, 700.0, HEIGHTS);
        let part = stream.window(100.0, 700.0, HEIGHTS);
        assert!(part.top <= 100.0 && part.top > 70.0 && part.first > 0);
        assert_eq!(part.lines[0].key(), all.lines[part.first].key());
    }

    #[test]
    fn old_rows_fall_out() {
        let events: Vec<Event> =
            (1..=MOST_ROWS as i64 + 500).map(|seq| event(seq, "a", start(&seq.to_string(), ""))).collect();
        let stream = stream(&events);
        assert!(stream.rows() <= MOST_ROWS && stream.rows() > MOST_ROWS - GROUP_ROWS);
        assert!(stream.by_seq.len() == stream.rows() && stream.open_calls.len() == stream.rows());
        assert_eq!(stream.neighbor(None, 1).unwrap().key, MOST_ROWS as i64 + 500);
    }

    #[test]
    fn kinds_narrow_and_an_end_completes_what_its_start_showed() {
        let mut stream = Stream::new(Kind::Failed);
        stream.add(&Arc::new(event(1, "a", start("c", "ls"))));
        stream.add(&Arc::new(event(2, "a", end("c", false, Some(1)))));
        stream.add(&Arc::new(event(3, "a", end("d", true, Some(0)))));
        assert_eq!(drawn(&stream), ["a:", "2"]);
        assert_eq!(Kind::from_slug("nonsense"), Kind::All);
    }

    #[test]
    fn the_cursor_walks_rows_over_heads() {
        let stream = stream(&[event(1, "a", prompt("x")), event(2, "b", prompt("y")), event(3, "b", start("c", ""))]);
        assert_eq!(stream.neighbor(Some(2), 1).unwrap().key, 1);
        assert_eq!(stream.neighbor(Some(3), -1).unwrap().key, 3);
        assert_eq!(stream.offset_of(1, HEIGHTS), Some(28.0 + 24.0 * 2.0 + 28.0));
    }
}
