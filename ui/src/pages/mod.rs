//! One folder per screen.

pub mod analytics;
pub mod costs;
pub mod gallery;
pub mod live;
pub mod search;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod timeline;
pub mod welcome;
