//! The desktop shell: a window on the interface, a tray, native notifications.
//!
//! It starts the server in its own process or attaches to one that runs, and keeps out of everything else: the pages
//! speak HTTP and WebSocket to the server like any browser.

mod args;
mod assets;
mod attached;
mod display;
mod drag_out;
mod elsewhere;
mod host;
mod ipc;
mod link;
mod login;
mod menu_entry;
mod notify;
mod outgoing;
mod save;
mod shell;
mod shortcut;
mod tray;
mod update;
mod window;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tauri::{Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;

use args::Action;
use outgoing::Outgoing;
use shell::Shell;

/// Runs the program: 0 after a quit, 1 when it could not start, 2 for arguments it does not know.
pub fn main() -> ExitCode {
    let action = match args::parse(std::env::args_os().skip(1)) {
        Ok(action) => action,
        Err(words) => return say_and_end(&words, 2),
    };
    let done = match action {
        Action::Help => return say_and_end(args::HELP, 0),
        Action::Version => return say_and_end(concat!("orrery-desktop ", env!("CARGO_PKG_VERSION")), 0),
        Action::InstallMenuEntry => menu_entry::install().map(|path| tell(&format!("wrote {}", path.display()))),
        Action::RemoveMenuEntry => menu_entry::remove().map(|()| tell("removed the menu entry")),
        Action::Window { open, hidden } => run(open, hidden),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say_and_end(&format!("orrery-desktop: {error:#}"), 1),
    }
}

fn run(open: Option<String>, hidden: bool) -> anyhow::Result<()> {
    display::ready()?;
    display::work_around_drivers();
    log();

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime")?;
    tauri::async_runtime::set(runtime.handle().clone());

    let failure = assets::Failure::default();
    #[allow(clippy::disallowed_methods, reason = "Tauri's own code ends the process when its context cannot be made")]
    let mut context = tauri::generate_context!();
    context.set_assets(Box::new(assets::Pages::new(failure.clone())));
    let mut builder = tauri::Builder::default();
    if let Some(plugin) = update::plugin() {
        builder = builder.plugin(plugin);
    }
    let app = builder
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _| second_start(app, arguments)))
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(window_state()).build())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_autostart::Builder::new().app_name("Orrery").arg(login::FLAG).build())
        .plugin(tauri_plugin_global_shortcut::Builder::new().build())
        .invoke_handler(tauri::generate_handler![
            ipc::boot,
            ipc::open_external,
            ipc::drag_out,
            ipc::save_as,
            ipc::update,
            ipc::quit
        ])
        .setup(move |app| Ok(shell::start(app.handle(), failure, open, hidden)?))
        .build(context)
        .context("the window system refused")?;

    app.run(|app, event| match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. }
            if app.state::<Shell>().hides() =>
        {
            api.prevent_close();
            window::hide(app);
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::raise(app),
        RunEvent::Exit => {
            app.state::<Outgoing>().sweep(Duration::ZERO);
            tauri::async_runtime::block_on(app.state::<Shell>().stop());
        }
        _ => {}
    });
    Ok(())
}

/// The program was started again: its arguments come here and it ends.
fn second_start(app: &tauri::AppHandle, arguments: Vec<String>) {
    let rest = arguments.into_iter().skip(1).map(Into::into);
    match args::parse(rest) {
        Ok(Action::Window { open: Some(session_id), .. }) => shell::open_session(app, &session_id),
        _ => window::raise(app),
    }
}

/// Wayland tells no position, so restoring one there moves nothing or, on some desktops, the wrong thing. Visibility is
/// not restored: a window that was hidden in the tray has to come back.
fn window_state() -> StateFlags {
    let kept = StateFlags::SIZE | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    if display::is_wayland() { kept } else { kept | StateFlags::POSITION }
}

fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ORRERY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

#[allow(clippy::print_stderr, reason = "the program's answer when it opens no window")]
fn tell(words: &str) {
    eprintln!("{words}");
}

fn say_and_end(words: &str, code: u8) -> ExitCode {
    tell(words);
    ExitCode::from(code)
}
