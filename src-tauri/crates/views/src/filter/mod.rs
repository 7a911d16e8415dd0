//! The query language: one grammar, read into a [`Filter`], printed back, evaluated in memory, completed while typing.
//!
//! ```text
//! query := all ("OR" all)*          all   := one ("AND"? one)*
//! one   := ("-" | "NOT") one | "(" query ")" | FIELD ":" value | FIELD (">" | ">=" | "<" | "<=" | "=") value
//!        | "text anywhere" | /regex/ | /regex/i | word
//! value := word ("," word)* | "text" | /regex/ | FROM ".." TO
//! ```
//!
//! A word finds text in which some word begins with it, quoted text is found anywhere, a regex is matched line by line.
//! Case does not matter for the first two. The store compiles the same tree to SQL; a property test holds the two equal.

mod complete;
mod fields;
mod fold;
mod matcher;
mod parse;
mod print;
mod text;
mod value;

pub use complete::{Completion, Suggestion, Wanted, complete};
pub use fields::{FACTS, Fact, field_name};
pub use fold::{fold, fold_char};
pub use matcher::{Clock, Matcher, begins_word};
pub use parse::parse;
pub use print::print;
pub use text::{body_text, event_text, name_matches};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
