//! HTTP: who may ask, what they get, and how refusals read.

pub mod guard;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod request;
pub mod router;
pub mod seats;
pub mod serve;
pub mod tls;

mod routes;

pub use routes::shared::Guesses;
