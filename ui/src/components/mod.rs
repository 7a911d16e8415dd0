//! Widgets. They get values and callbacks and know no API.

mod bar;
pub mod code;
pub mod diff;
pub mod field;
mod glyph;
mod icon;
pub mod markdown;
mod pick;
pub mod progress;
mod sparkline;
pub mod table;
mod time;
pub mod virtual_list;

pub use bar::Bar;
pub use code::{Code, Output};
pub use diff::{Diff, diff_lines};
pub use glyph::{AgentGlyph, StatusBadge};
pub use icon::{Icon, tool_icon};
pub use markdown::Markdown;
pub use pick::Pick;
pub use sparkline::Sparkline;
pub use time::{Ago, Clock, Elapsed};
