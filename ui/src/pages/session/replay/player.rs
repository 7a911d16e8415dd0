//! The film and where it stands: reading, playing, stepping, and the story that follows.

use std::collections::VecDeque;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::TrackRow;
use orrery_views::replay::{Replay, State, Unit, extend};
use orrery_views::track::row_of;

use super::super::load::Session;
use super::super::place::Place;
use crate::api::ApiError;
use crate::host;
use crate::routes::{Query, use_query};
use crate::state::{AppState, use_app};

/// Speeds one can choose.
pub const SPEEDS: [f64; 7] = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// The address follows the cursor once it rests for so long, ms.
const RESTS_MS: u64 = 300;
/// Events that arrive meanwhile are put on the film so often at most, ms.
const GATHER_MS: i64 = 1_000;

/// How reading the film stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Film {
    Reading,
    Empty,
    Ready,
    Failed(ApiError),
}

/// Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Player {
    pub film: RwSignal<Film>,
    /// Position of the moment that is shown.
    pub at: RwSignal<usize>,
    pub playing: RwSignal<bool>,
    pub speed: RwSignal<f64>,
    pub unit: RwSignal<Unit>,
    pub skips_idle: RwSignal<bool>,
    /// Grows when the film became longer or its axis another one.
    pub revision: RwSignal<u64>,
    /// Events of other sessions and this one that the tracks do not have yet.
    pub behind: RwSignal<u64>,
    replay: StoredValue<Replay>,
    track: StoredValue<orrery_types::Track>,
    waiting: StoredValue<VecDeque<TrackRow>>,
    /// The film's time while it plays, ms.
    clock: StoredValue<f64>,
    /// Number of the last move, so that only the last one becomes the address.
    moves: StoredValue<u64>,
    session: Session,
    place: Place,
    query: Query,
    app: AppState,
}

pub fn open_player(session: Session, place: Place) -> Player {
    let app = use_app();
    let speed = host::stored("orrery.replay.speed").and_then(|text| text.parse().ok()).unwrap_or(4.0);
    let player = Player {
        film: RwSignal::new(Film::Reading),
        at: RwSignal::new(0),
        playing: RwSignal::new(false),
        speed: RwSignal::new(speed),
        unit: RwSignal::new(Unit::Tool),
        skips_idle: RwSignal::new(host::stored("orrery.replay.idle").as_deref() != Some("show")),
        revision: RwSignal::new(0),
        behind: RwSignal::new(0),
        replay: StoredValue::new(Replay::default()),
        track: StoredValue::new(orrery_types::Track::default()),
        waiting: StoredValue::new(VecDeque::new()),
        clock: StoredValue::new(0.0),
        moves: StoredValue::new(0),
        session,
        place,
        query: use_query(),
        app,
    };
    player.read();
    player.follow_address();
    player.follow_feed();
    Effect::new(move |_| player.show_in_story());
    player
}

impl Player {
    /// Reads the whole track again.
    pub fn read(&self) {
        let this = *self;
        this.film.set(Film::Reading);
        spawn_local(async move {
            let answer = this.app.api().track(&this.session.id.get_value()).await;
            if this.replay.try_with_value(|_| ()).is_none() {
                return; // The page is gone.
            }
            match answer {
                Ok(track) => this.take(track),
                Err(error) => this.film.set(Film::Failed(error)),
            }
        });
    }

    fn take(&self, mut track: orrery_types::Track) {
        self.behind.set(track.behind);
        // What the feed told while the track was read.
        extend(&mut track, self.waiting.try_update_value(std::mem::take).unwrap_or_default());
        self.replay.set_value(Replay::of(&track, self.skips_idle.get_untracked()));
        self.track.set_value(track);
        if self.with(Replay::is_empty) {
            self.film.set(Film::Empty);
            return;
        }
        let wanted = self.query.get_untracked("at").and_then(|seq| seq.parse::<i64>().ok());
        let at = wanted.and_then(|seq| self.with(|replay| replay.position_of(seq)));
        self.revision.update(|revision| *revision += 1);
        self.set_at(at.unwrap_or(0));
        self.film.set(Film::Ready);
    }

    /// Reads the film once.
    pub fn with<T>(&self, read: impl FnOnce(&Replay) -> T) -> T {
        self.replay.with_value(read)
    }

    /// Reads the film and follows its growth.
    pub fn follow<T>(&self, read: impl FnOnce(&Replay) -> T) -> T {
        self.revision.track();
        self.replay.with_value(read)
    }

    /// How things stand at the cursor.
    pub fn state(&self) -> State {
        let at = self.at.get();
        self.follow(|replay| replay.state_at(at))
    }

    /// Number of the event at the cursor.
    pub fn seq(&self) -> Option<i64> {
        let at = self.at.get();
        self.follow(|replay| replay.point(at).map(|point| point.seq))
    }

    fn set_at(&self, at: usize) {
        self.clock.set_value(self.with(|replay| replay.point(at).map_or(0, |point| point.at_ms)) as f64);
        if self.at.get_untracked() != at {
            self.at.set(at);
        }
    }

    /// Moves the cursor as a person does: playing goes on from there, the address follows.
    pub fn go(&self, at: usize) {
        let last = self.with(Replay::len).saturating_sub(1);
        self.set_at(at.min(last));
        self.write_address();
    }

    pub fn go_to_ms(&self, at_ms: i64) {
        let at = self.with(|replay| replay.position_at(at_ms));
        self.go(at);
        self.clock.set_value(at_ms as f64);
    }

    pub fn step(&self, unit: Unit, forward: bool) {
        let at = self.at.get_untracked();
        match self.with(|replay| replay.step(at, unit, forward)) {
            Some(found) => self.go(found),
            None => {
                let end =
                    if forward { "Nothing more of this kind after here" } else { "Nothing of this kind before here" };
                if unit == Unit::Event {
                    self.pause();
                } else {
                    self.app.notices.say(end);
                }
            }
        }
    }

    pub fn go_home(&self) {
        self.go(0);
    }
    pub fn go_end(&self) {
        self.go(usize::MAX);
    }

    /// Moves the film's time.
    pub fn seek_by(&self, ms: i64) {
        let now = self.clock.get_value() as i64;
        let (first, last) = self.with(|replay| (replay.first_ms(), replay.last_ms()));
        self.go_to_ms((now + ms).clamp(first, last));
    }

    pub fn set_speed(&self, speed: f64) {
        self.speed.set(speed);
        host::store("orrery.replay.speed", &speed.to_string());
    }

    pub fn faster(&self, by: i32) {
        let now = self.speed.get_untracked();
        let at = SPEEDS.iter().position(|speed| *speed >= now).unwrap_or(SPEEDS.len() - 1) as i32;
        self.set_speed(SPEEDS[(at + by).clamp(0, SPEEDS.len() as i32 - 1) as usize]);
    }

    pub fn set_skips_idle(&self, skips: bool) {
        self.skips_idle.set(skips);
        host::store("orrery.replay.idle", if skips { "skip" } else { "show" });
        self.replay.update_value(|replay| replay.set_skips_idle(skips));
        self.revision.update(|revision| *revision += 1);
    }

    pub fn toggle(&self) {
        if self.playing.get_untracked() { self.pause() } else { self.play() }
    }

    pub fn pause(&self) {
        self.playing.set(false);
        self.write_address();
    }

    fn play(&self) {
        if self.at.get_untracked() + 1 >= self.with(Replay::len) {
            self.set_at(0);
        }
        self.playing.set(true);
        self.tick(host::precise_ms());
    }

    /// One frame of playing; asks for the next one.
    fn tick(&self, before: f64) {
        let this = *self;
        request_animation_frame(move || {
            if this.playing.try_get_untracked() != Some(true) {
                return;
            }
            let now = host::precise_ms();
            // A page that was hidden does not leap.
            let passed = (now - before).clamp(0.0, 250.0) * this.speed.get_untracked();
            let mut clock = this.clock.get_value() + passed;
            let (at, last_ms) = this.with(|replay| {
                if this.skips_idle.get_untracked() {
                    let gaps = replay.axis().gaps();
                    let next = gaps.partition_point(|gap| (gap.to_ms as f64) <= clock);
                    if let Some(gap) = gaps.get(next).filter(|gap| (gap.from_ms as f64) < clock) {
                        clock = gap.to_ms as f64;
                    }
                }
                (replay.position_at(clock as i64), replay.last_ms())
            });
            this.clock.set_value(clock);
            if this.at.get_untracked() != at {
                this.at.set(at);
            }
            if clock >= last_ms as f64 {
                this.pause();
            } else {
                this.tick(now);
            }
        });
    }

    /// The story shows the step of the moment.
    fn show_in_story(&self) {
        if self.film.get() != Film::Ready {
            return;
        }
        let Some(seq) = self.seq() else { return };
        self.session.revision.track();
        if !self.place.show_event(seq) && !self.playing.get_untracked() {
            self.session.read_around(seq);
        }
    }

    /// The address names the moment, once the cursor rests.
    fn write_address(&self) {
        let this = *self;
        let number = self.moves.get_value() + 1;
        self.moves.set_value(number);
        set_timeout(
            move || {
                if this.moves.try_get_value() == Some(number)
                    && let Some(seq) = this.with(|replay| Some(replay.point(this.at.get_untracked())?.seq))
                {
                    this.query.replace("at", Some(&seq.to_string()));
                }
            },
            std::time::Duration::from_millis(RESTS_MS),
        );
    }

    /// Back, forward and links move the cursor.
    fn follow_address(&self) {
        let this = *self;
        let wanted = Memo::new(move |_| this.query.get("at").and_then(|seq| seq.parse::<i64>().ok()));
        Effect::new(move |before: Option<Option<i64>>| {
            let seq = wanted.get();
            let shown = this.with(|replay| Some(replay.point(this.at.get_untracked())?.seq));
            if before.is_some()
                && seq != shown
                && let Some(at) = seq.and_then(|seq| this.with(|replay| replay.position_of(seq)))
            {
                this.set_at(at);
            }
            seq
        });
    }

    /// Events that come while one looks make the film longer.
    fn follow_feed(&self) {
        let this = *self;
        let id = self.session.id.get_value();
        let seen = StoredValue::new(self.app.feed_untracked(|feed| feed.arrived()));
        let gathered_ms = StoredValue::new(0_i64);
        Effect::new(move |_| {
            let second = this.app.now.get();
            let (rows, arrived) = this.app.feed(|feed| {
                let (arrivals, _) = feed.arrivals_after(seen.get_value());
                let own =
                    arrivals.filter(|event| event.session_id == id).map(|event| row_of(event)).collect::<Vec<_>>();
                (own, feed.arrived())
            });
            seen.set_value(arrived);
            this.waiting.update_value(|waiting| waiting.extend(rows));
            let is_due = second - gathered_ms.get_value() >= GATHER_MS;
            let film = this.film.get_untracked();
            if !is_due || this.waiting.with_value(VecDeque::is_empty) || matches!(film, Film::Reading | Film::Failed(_))
            {
                return;
            }
            gathered_ms.set_value(second);
            this.grow();
        });
    }

    fn grow(&self) {
        let rows = self.waiting.try_update_value(std::mem::take).unwrap_or_default();
        let at_end = self.at.get_untracked() + 1 >= self.with(Replay::len);
        let seq = self.with(|replay| Some(replay.point(self.at.get_untracked())?.seq));
        self.track.update_value(|track| extend(track, rows));
        let replay = self.track.with_value(|track| Replay::of(track, self.skips_idle.get_untracked()));
        self.replay.set_value(replay);
        // The cursor stays at its moment; at the end it follows.
        let at = match seq {
            Some(seq) if !at_end => self.with(|replay| replay.position_of(seq)).unwrap_or(0),
            _ => self.with(Replay::len).saturating_sub(1),
        };
        self.revision.update(|revision| *revision += 1);
        self.set_at(at);
        if self.film.get_untracked() == Film::Empty && !self.with(Replay::is_empty) {
            self.film.set(Film::Ready);
        }
    }
}
