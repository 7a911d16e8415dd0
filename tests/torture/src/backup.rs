//! Backups while events come, and keeping house while events come.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orrery_bench::figure::Figure;

use crate::damage::output;
use crate::victim::{self, Victim};
use crate::wire::Wire;
use crate::{Plan, none, proof, told};

fn orrery(plan: &Plan, data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(plan.program("orrery"));
    victim::clean(&mut command).args(words).env("ORRERY_DATA_DIR", data).env("HOME", data);
    command
}

/// Every backup holds all that was acknowledged before it began.
pub fn backup(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let victim = Victim::start(plan, &data)?;
    let port = victim.port;
    let over = AtomicBool::new(false);
    let acked: Mutex<Vec<(String, i64)>> = Mutex::new(Vec::new());
    let rounds = plan.of(4, 50);
    let (mut missing, mut failed) = (0, 0);
    thread::scope(|scope| -> anyhow::Result<()> {
        for client in 0..3 {
            let (acked, over) = (&acked, &over);
            scope.spawn(move || {
                let Ok(mut wire) = Wire::open(port) else { return };
                for number in 0.. {
                    let name = format!("b{client}-{number}");
                    match proof::post(&mut wire, &format!("s{client}"), &name, number) {
                        Ok(Some(seq)) => acked.lock().map(|mut acked| acked.push((name, seq))).unwrap_or_default(),
                        _ => return,
                    }
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let result = (|| {
            for round in 0..rounds {
                thread::sleep(Duration::from_millis(150));
                let before = acked.lock().map(|acked| acked.clone()).unwrap_or_default();
                let file = scratch.path().join(format!("backup-{round}.db"));
                let (code, said) = output(orrery(plan, &data, &["backup", &file.to_string_lossy()]))?;
                if code != Some(0) {
                    eprintln!("backup: {said}");
                    failed += 1;
                    continue;
                }
                missing += missing_in(plan, scratch.path(), round, &file, &before)?;
            }
            Ok(())
        })();
        over.store(true, Ordering::Relaxed);
        result
    })?;
    let acks = acked.lock().map(|acked| acked.len()).unwrap_or_default();
    victim.terminate()?;
    Ok(vec![
        told("backup while ingesting: backups", rounds as f64, ""),
        told("backup while ingesting: events acknowledged meanwhile", acks as f64, ""),
        none("backup while ingesting: backups that failed", failed),
        none("backup while ingesting: acknowledged before and missing in it", missing),
    ])
}

/// Restores the backup elsewhere, serves it, and looks for what was acknowledged before.
fn missing_in(
    plan: &Plan,
    scratch: &Path,
    round: usize,
    file: &Path,
    before: &[(String, i64)],
) -> anyhow::Result<usize> {
    let elsewhere = scratch.join(format!("restored-{round}"));
    std::fs::create_dir(&elsewhere)?;
    let (code, said) = output(orrery(plan, &elsewhere, &["restore", &file.to_string_lossy()]))?;
    if code != Some(0) {
        anyhow::bail!("the backup cannot be restored: {said}");
    }
    let victim = Victim::start(plan, &elsewhere)?;
    let stored = proof::stored(&mut victim.wire()?)?;
    victim.terminate()?;
    Ok(proof::lost_and_doubled(before, &stored).0)
}

/// Retention and compaction while events come: no answer waits long.
pub fn upkeep(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let victim = Victim::start(plan, &data)?;
    let mut wire = victim.wire()?;
    for number in 0..plan.of(1_500, 20_000) {
        proof::post(&mut wire, &format!("old-{}", number % 50), &format!("o-{number}"), number)?;
    }
    let port = victim.port;
    let over = AtomicBool::new(false);
    let worst = thread::scope(|scope| -> anyhow::Result<Duration> {
        let sending = scope.spawn(|| -> anyhow::Result<Duration> {
            let (mut wire, mut worst) = (Wire::open(port)?, Duration::ZERO);
            for number in 0.. {
                let began = Instant::now();
                proof::post(&mut wire, "live", &format!("l-{number}"), number)?;
                worst = worst.max(began.elapsed());
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(worst)
        });
        thread::sleep(Duration::from_millis(300));
        let (code, said) = output(orrery(plan, &data, &["check"]))?;
        over.store(true, Ordering::Relaxed);
        let worst = sending.join().expect("the sender does not panic")?;
        if code != Some(0) {
            anyhow::bail!("the check failed: {said}");
        }
        Ok(worst)
    })?;
    victim.terminate()?;
    Ok(vec![Figure::less(
        "upkeep under load: longest wait for an answer",
        worst.as_secs_f64() * 1e3,
        "ms",
        100.0,
        50.0,
    )])
}
