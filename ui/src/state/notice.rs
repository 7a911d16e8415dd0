//! One-line notices above the status strip, some of which can be undone.

use leptos::prelude::*;

/// How long a notice stays, ms.
pub const STAYS_MS: i64 = 8_000;

/// A notice. `undo` is there when what happened can be taken back.
#[derive(Clone)]
pub struct Notice {
    pub id: u32,
    pub text: String,
    pub is_error: bool,
    pub undo: Option<Callback<()>>,
}

/// The notices on screen, oldest first, three at most.
#[derive(Clone, Copy)]
pub struct Notices {
    pub list: RwSignal<Vec<Notice>>,
    next: RwSignal<u32>,
}

impl Notices {
    pub fn new() -> Notices {
        Notices { list: RwSignal::new(Vec::new()), next: RwSignal::new(1) }
    }
    pub fn say(&self, text: impl Into<String>) {
        self.push(text.into(), false, None);
    }
    pub fn fail(&self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }
    pub fn say_with_undo(&self, text: impl Into<String>, undo: Callback<()>) {
        self.push(text.into(), false, Some(undo));
    }
    pub fn dismiss(&self, id: u32) {
        self.list.update(|list| list.retain(|notice| notice.id != id));
    }
    fn push(&self, text: String, is_error: bool, undo: Option<Callback<()>>) {
        let id = self.next.get_untracked();
        self.next.set(id + 1);
        self.list.update(|list| {
            list.retain(|notice| notice.text != text);
            list.push(Notice { id, text, is_error, undo });
            let surplus = list.len().saturating_sub(3);
            list.drain(..surplus);
        });
        let list = self.list;
        let stays = std::time::Duration::from_millis(STAYS_MS as u64);
        set_timeout(move || list.update(|list| list.retain(|notice| notice.id != id)), stays);
    }
}
