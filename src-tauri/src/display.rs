//! Is there a screen, and does its driver need a way around.

/// Fails in words when no window can be opened here.
pub fn ready() -> anyhow::Result<()> {
    #[cfg(all(unix, not(target_os = "macos")))]
    if !is_set("DISPLAY") && !is_wayland() {
        anyhow::bail!(
            "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set). \
             Run `orrery serve` instead and open the address it prints in a browser"
        );
    }
    Ok(())
}

/// Whether this login speaks Wayland.
pub fn is_wayland() -> bool {
    cfg!(all(unix, not(target_os = "macos"))) && is_set("WAYLAND_DISPLAY")
}

/// WebKitGTK shows an empty window through its DMA-BUF renderer on NVIDIA's driver and without a graphics card
/// (<https://bugs.webkit.org/show_bug.cgi?id=261874>). The variable has to be there before GTK starts, so the program
/// starts itself anew with it, once. Whoever has set it keeps their choice.
pub fn work_around_drivers() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt as _;
        use std::path::Path;

        const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
        let nvidia = Path::new("/proc/driver/nvidia/version").exists();
        let card = Path::new("/dev/dri").exists();
        if std::env::var_os(RENDERER).is_some() || (card && !nvidia) {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        // Comes back only when it failed; then the window is tried as things are.
        let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(RENDERER, "1").exec();
        tracing::warn!(%error, "could not restart with {RENDERER}=1");
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn is_set(_variable: &str) -> bool {
    false
}
