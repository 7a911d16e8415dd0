//! The machine's clock jumps while the server runs: hours on, a day back, to 1970.

use std::fs;
use std::path::{Path, PathBuf};

use orrery_bench::figure::Figure;

use crate::victim::{self, Victim};
use crate::{Plan, none, proof, told};

/// Offsets in the order they come, as libfaketime reads them.
const JUMPS: [&str; 6] = ["+0", "+3h", "-2h", "-1d", "+400d", "-20000d"];
const EACH: usize = 40;

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let Some(library) = library() else {
        eprintln!("SKIPPED: libfaketime is not installed; scripts/test installs it on Debian");
        return Ok(vec![told("clock jumps: SKIPPED, needs libfaketime", 0.0, "")]);
    };
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let offset = scratch.path().join("offset");
    fs::write(&offset, format!("{}\n", JUMPS[0]))?;
    let (mut command, words) = victim::command(plan, &data)?;
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let victim = Victim::spawn(command, words)?;
    let mut wire = victim.wire()?;
    let (mut acked, mut refused) = (Vec::new(), 0);
    for (place, jump) in JUMPS.iter().enumerate() {
        fs::write(&offset, format!("{jump}\n"))?;
        for number in 0..EACH {
            let number = place * EACH + number;
            let name = format!("k-{number}");
            match proof::post(&mut wire, "clock", &name, number)? {
                Some(seq) => acked.push((name, seq)),
                None => refused += 1,
            }
            // A sender without a time of its own gets the server's, whatever that is.
            let bare = serde_json::json!({"source_app": "a", "session_id": "bare", "hook_event_type": "Stop",
                "payload": {"n": number}});
            refused += usize::from(wire.post("/events", bare.to_string().as_bytes())?.status != 200);
        }
        refused += usize::from(wire.get("/health")?.status != 200);
    }
    let stored = proof::stored(&mut wire)?;
    let (lost, doubled) = proof::lost_and_doubled(&acked, &stored);
    let bare = stored.iter().filter(|one| one.session == "bare").count();
    let panicked = victim.has_panicked();
    let ended = victim.terminate()?;
    Ok(vec![
        told("clock jumps: jumps", JUMPS.len() as f64, ""),
        none("clock jumps: requests refused", refused),
        none("clock jumps: acknowledged and lost, or doubled", lost + doubled + (JUMPS.len() * EACH - bare)),
        none("clock jumps: panics or a bad end", usize::from(panicked) + usize::from(!ended.success())),
    ])
}

fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    folders.iter().map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}
