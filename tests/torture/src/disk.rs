//! The disk is full: no false acknowledgement, reads go on, and ingest goes on when there is room again.

use std::fs;
use std::time::Instant;

use orrery_bench::figure::Figure;

use crate::mount::Mount;
use crate::victim::{Victim, until};
use crate::{Plan, none, proof, told};

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let disk = scratch.path().join("disk");
    let Some(_mount) = Mount::tmpfs(&disk, "size=64m")? else {
        return Ok(vec![told("disk full: SKIPPED, needs a mount", 0.0, "")]);
    };
    let data = disk.join("data");
    fs::create_dir(&data)?;
    let victim = Victim::start(plan, &data)?;
    let mut wire = victim.wire()?;
    let (mut acked, mut number) = (Vec::new(), 0);
    let (mut blind, mut odd, mut slowest) = (0, 0, 0.0_f64);
    let rounds = plan.of(3, 20);
    for _ in 0..rounds {
        // Everything that is left, but for a little that ingest itself has to fill.
        let filler = disk.join("filler");
        fill(&filler)?;
        let refused = until("the disk is full", 60, || {
            for _ in 0..20 {
                number += 1;
                let name = format!("d-{number}");
                let answer = wire.post("/events", &proof::event("disk", &name, number))?;
                match answer.status {
                    200 => acked.extend(answer.json()?["id"].as_i64().map(|seq| (name, seq))),
                    _ => return Ok(Some(answer)),
                }
            }
            Ok(None)
        })?;
        odd += usize::from(refused.status != 503 || refused.retry_after.is_none() || refused.code().is_empty());
        blind += usize::from(wire.get("/api/v1/events?limit=10")?.status != 200);
        fs::remove_file(&filler)?;
        let freed = Instant::now();
        until("ingest goes on after there is room", 30, || {
            number += 1;
            let name = format!("d-{number}");
            let seq = proof::post(&mut wire, "disk", &name, number)?;
            acked.extend(seq.map(|seq| (name, seq)));
            Ok(seq.map(drop))
        })?;
        slowest = slowest.max(freed.elapsed().as_secs_f64());
    }
    let (lost, doubled) = proof::lost_and_doubled(&acked, &proof::stored(&mut wire)?);
    let ended = victim.terminate()?;
    Ok(vec![
        told("disk full: rounds", rounds as f64, ""),
        none("disk full: acknowledged and lost", lost + usize::from(acked.is_empty())),
        none("disk full: stored twice", doubled),
        none("disk full: reads refused", blind),
        none("disk full: refusals without 503, Retry-After and code", odd),
        Figure::less("disk full: ingest goes on after room, worst", slowest, "s", 5.0, 1.0),
        none("disk full: did not end in order", usize::from(!ended.success())),
    ])
}

/// Writes until the disk takes no more, and gives 256 kB back.
fn fill(path: &std::path::Path) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = fs::File::create(path)?;
    let block = vec![1_u8; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    let size = file.metadata()?.len();
    file.set_len(size.saturating_sub(256 * 1024))?;
    Ok(())
}
