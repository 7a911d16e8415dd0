//! Rules: facts and the time in, at most one alert out. A rule knows no store, no sink and no clock.

pub mod budget;
pub mod long_task;
