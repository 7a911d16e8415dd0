//! What the tray shows, as plain data made from the figures: its picture, its words, the sessions that wait.

use orrery_alerts::summary;
use orrery_types::{Overview, SessionRow};

/// Most waiting sessions with an entry of their own.
const MOST: usize = 6;
const LONGEST: usize = 60;

/// The picture. The first that fits, in this order, is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mood {
    /// No server answers.
    Offline,
    /// Alerts are paused.
    Paused,
    /// Some session waits for the person.
    Asks,
    /// Today's budget is spent.
    OverBudget,
    Calm,
}

/// Everything the tray says at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    pub mood: Mood,
    /// How many sessions wait: beside the icon, where the panel shows a word there. Empty when none does.
    pub count: String,
    pub tooltip: String,
    pub today: String,
    pub activity: String,
    pub waiting: Vec<Waiting>,
    /// Waiting sessions without an entry.
    pub more: usize,
    pub paused: bool,
}

/// A session that waits for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub session_id: String,
    pub text: String,
}

impl Face {
    pub fn of(overview: &Overview) -> Face {
        let asking: Vec<&SessionRow> = overview.active.iter().filter(|row| row.needs.is_some()).collect();
        let waiting: Vec<Waiting> = asking.iter().take(MOST).map(|row| entry(row)).collect();
        let paused = overview.alerts_paused_until_ms.is_some();
        let today = summary::today(overview);
        let activity = summary::activity(overview);
        Face {
            mood: mood(overview, paused),
            count: if overview.needs_you > 0 { overview.needs_you.to_string() } else { String::new() },
            tooltip: format!("Orrery: {activity}. {today}"),
            more: (overview.needs_you as usize).saturating_sub(waiting.len()),
            today,
            activity,
            waiting,
            paused,
        }
    }

    pub fn offline() -> Face {
        Face {
            mood: Mood::Offline,
            count: String::new(),
            tooltip: "Orrery: no server answers".to_owned(),
            today: "Today unknown".to_owned(),
            activity: "No server answers".to_owned(),
            waiting: Vec::new(),
            more: 0,
            paused: false,
        }
    }
}

fn mood(overview: &Overview, paused: bool) -> Mood {
    let is_over = overview.today.budget_usd_micros.is_some_and(|budget| overview.today.cost_usd_micros > budget);
    match (paused, overview.needs_you > 0, is_over) {
        (true, _, _) => Mood::Paused,
        (false, true, _) => Mood::Asks,
        (false, false, true) => Mood::OverBudget,
        (false, false, false) => Mood::Calm,
    }
}

fn entry(row: &SessionRow) -> Waiting {
    Waiting { session_id: row.id.clone(), text: one_line(&summary::waiting(row)) }
}

/// One short line without signs that a menu takes for a mnemonic.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(LONGEST).collect();
    if line.chars().count() > LONGEST {
        short.push('\u{2026}');
    }
    short.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use orrery_types::{Needs, NeedsKind, Spend};

    use super::*;

    fn row(id: &str, kind: NeedsKind, target: &str) -> SessionRow {
        let needs = Needs {
            kind,
            text: "Wants to run a command".to_owned(),
            target: target.to_owned(),
            since_ms: 0,
            seq: 1,
            choices: Vec::new(),
            answerable: None,
            subagent: None,
        };
        SessionRow { id: id.to_owned(), project: "shop".to_owned(), needs: Some(needs), ..SessionRow::default() }
    }

    fn overview(active: Vec<SessionRow>, cost_usd_micros: i64, paused: Option<i64>) -> Overview {
        Overview {
            needs_you: active.len() as u32,
            active,
            today: Spend { cost_usd_micros, budget_usd_micros: Some(10_000_000), ..Spend::default() },
            alerts_paused_until_ms: paused,
            ..Overview::default()
        }
    }

    #[test]
    fn the_picture_says_the_most_pressing_thing() {
        let asks = || vec![row("a", NeedsKind::Permission, "git push")];
        for (overview, mood) in [
            (overview(vec![], 1, None), Mood::Calm),
            (overview(vec![], 10_000_000, None), Mood::Calm),
            (overview(vec![], 10_000_001, None), Mood::OverBudget),
            (overview(asks(), 99_000_000, None), Mood::Asks),
            (overview(asks(), 99_000_000, Some(5)), Mood::Paused),
        ] {
            assert_eq!(Face::of(&overview).mood, mood);
        }
        assert_eq!(Face::offline().mood, Mood::Offline);
    }

    #[test]
    fn waiting_sessions_are_named_and_counted() {
        let mut active: Vec<_> = (0..8).map(|id| row(&id.to_string(), NeedsKind::Idle, "")).collect();
        active.insert(0, row("p", NeedsKind::Permission, "rm -rf  a &&\nrm b"));
        let face = Face::of(&overview(active, 0, None));
        assert_eq!((face.count.as_str(), face.waiting.len(), face.more), ("9", 6, 3));
        assert_eq!(face.waiting[0].text, "shop: permission for rm -rf a &&&& rm b");
        assert_eq!(face.waiting[1].text, "shop: waits for your next prompt");
        let long = Face::of(&overview(vec![row("q", NeedsKind::Question, &"why ".repeat(60))], 0, None));
        assert_eq!(long.waiting[0].text.chars().count(), LONGEST + 1);
    }
}
