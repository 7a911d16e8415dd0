//! The program `orrery-desktop`: see the library.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    orrery_desktop::main()
}
