//! `orrery demo`: a believable day through the real port.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orrery_server::clock;
use orrery_server::demo::{Plan, Player};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::api::Api;
use crate::cmd::serve;
use crate::out;
use crate::place::Place;
use crate::signal::StopSignal;

#[derive(Debug, clap::Args)]
pub struct Demo {
    /// How fast the day goes on after now: 1 is real time, 0 ends at now
    #[arg(long, default_value_t = 1.0, env = "ORRERY_SPEED", value_parser = speed)]
    speed: f64,
    /// Sessions of the day, 1 to 14
    #[arg(long, env = "ORRERY_SESSIONS", value_parser = clap::value_parser!(u64).range(1..=Plan::MAX_SESSIONS as u64))]
    sessions: Option<u64>,
    /// The same seed is the same day
    #[arg(long, env = "ORRERY_SEED")]
    seed: Option<u64>,
    /// Take away everything the demo made
    #[arg(long, conflicts_with_all = ["speed", "sessions", "seed"])]
    remove: bool,
    #[command(flatten)]
    place: Place,
}

impl Demo {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let data_dir = self.place.data_dir();
        if self.remove {
            let mut api = Api::running_or_own(&data_dir)?;
            let answer: Value = serde_json::from_slice(&api.bytes("DELETE", "/api/v1/demo", b"")?)?;
            let removed = answer["removed"].as_array().map_or(0, Vec::len);
            out::say(&format!("{removed} sessions of the demo removed"));
            return Ok(ExitCode::SUCCESS);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let cancel = cancel_on_signal(&runtime)?;
        if let Some(api) = Api::running(&data_dir)? {
            out::say(&format!("playing on {}", api.base_url()));
            self.play(api.port, &api.token, &cancel)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut options = serve::options(&data_dir);
        options.port = serve::default_port();
        let running = runtime.block_on(orrery_server::start(options))?;
        let _ = out::line(&format!("listening on {}", running.base_url()));
        out::say(&format!("open {}", running.one_time_link("/app/")));
        let played = self.play(running.port(), running.token(), &cancel);
        runtime.block_on(running.stop());
        played.map(|()| ExitCode::SUCCESS)
    }

    fn play(&self, port: u16, token: &str, cancel: &AtomicBool) -> anyhow::Result<()> {
        let player = Player {
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            token: token.to_owned(),
            plan: Plan::new(self.seed, self.sessions.map(|count| count as usize), clock::now_ms()),
            speed: self.speed,
            cancel,
        };
        let played = player.play(&|done, total| out::progress(&format!("{done} of {total} messages, Ctrl-C ends it")));
        out::progress_end();
        let played = played?;
        out::say(&format!(
            "{} messages of {} sessions; `orrery demo --remove` takes them away",
            played.messages, played.sessions
        ));
        Ok(())
    }
}

fn cancel_on_signal(runtime: &Runtime) -> anyhow::Result<Arc<AtomicBool>> {
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = cancel.clone();
    let mut stop = runtime.block_on(async { StopSignal::new() })?;
    runtime.spawn(async move {
        stop.wait().await;
        flag.store(true, Ordering::Relaxed);
    });
    Ok(cancel)
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "the speed is a number".to_owned())?;
    if (0.0..=1000.0).contains(&speed) { Ok(speed) } else { Err("the speed lies between 0 and 1000".to_owned()) }
}
