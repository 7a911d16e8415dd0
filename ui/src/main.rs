//! The Orrery interface: a single-page application that shows what the server streams.

mod api;
mod app;
mod command;
mod components;
mod frame;
mod host;
mod pages;
mod routes;
mod state;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
