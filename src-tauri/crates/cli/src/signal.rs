//! The signals that end a command in order.

/// Waits for the first request to end: SIGTERM, SIGINT or SIGHUP; Ctrl-C elsewhere.
pub struct StopSignal {
    #[cfg(unix)]
    streams: [tokio::signal::unix::Signal; 3],
}

impl StopSignal {
    /// From here on such a signal no longer kills the process.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn new() -> std::io::Result<StopSignal> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let streams =
                [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
            Ok(StopSignal { streams })
        }
        #[cfg(not(unix))]
        Ok(StopSignal {})
    }

    pub async fn wait(&mut self) {
        #[cfg(unix)]
        {
            let [term, int, hup] = &mut self.streams;
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
                _ = hup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
