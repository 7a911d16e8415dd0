//! Measured figures with their floors and targets, and the programs they are measured on: for benches and torture.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its terminal")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

pub mod figure;
pub mod pairs;
pub mod place;
pub mod server;
