//! A real server on a free port with its own directories, a clock that stands still, a sink that remembers, payloads.

mod payload;
mod server;
mod sink;
mod socket;

pub use payload::{claude_assistant_line, claude_prompt_line, hook, sender_event};
pub use server::{Homes, TestServer};
pub use sink::RecordingSink;
pub use socket::Socket;
