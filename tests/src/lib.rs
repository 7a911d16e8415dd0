//! What the journeys share: the built programs, a home of their own, patience with a limit.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a journey that cannot go on fails loudly")]

mod api;
mod bus;
mod desktop;
mod display;
mod home;
mod page;
mod program;
mod server;
mod wait;
mod webdriver;

pub use api::Api;
pub use bus::{Bus, Notification, Notifications};
pub use desktop::{Desktop, DropTarget, Panel};
pub use display::Display;
pub use home::Home;
pub use page::run_page_script;
pub use program::{program, python, tool, work_tree};
pub use server::{Server, Start};
pub use wait::{until, until_some};
pub use webdriver::{Driver, Element};
