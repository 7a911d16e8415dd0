//! What the pages know: plain structs that frames are applied to, and the signals that tell pages of it.

pub mod answer;
mod app;
pub mod appearance;
pub mod connection;
pub mod feed;
pub mod filter;
pub mod notice;
pub mod themes;

pub use app::{AppState, provide_app, use_app, use_keys};
pub use connection::Connection;
pub use feed::{Feed, Outcome};
pub use filter::{Filter, Range};
pub use notice::{Notice, Notices};
