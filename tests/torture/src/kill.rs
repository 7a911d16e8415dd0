//! kill -9 in the middle of ingest, again and again, with clients that count what was acknowledged.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use orrery_bench::figure::Figure;

use crate::chance::Chance;
use crate::victim::Victim;
use crate::{Plan, none, proof, told};

const CLIENTS: usize = 6;

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let rounds = plan.of(10, 200);
    let acked = Mutex::new(Vec::new());
    // What was sent and not acknowledged is sent again in the next round: it is stored or not, but never twice.
    let again: Vec<Mutex<Option<usize>>> = (0..CLIENTS).map(|_| Mutex::new(None)).collect();
    let next: Vec<Mutex<usize>> = (0..CLIENTS).map(|_| Mutex::new(0)).collect();
    let mut chance = Chance::new(7);
    for _ in 0..rounds {
        let victim = Victim::start(plan, &data)?;
        let port = victim.port;
        let over = AtomicBool::new(false);
        thread::scope(|scope| -> anyhow::Result<()> {
            for client in 0..CLIENTS {
                let (acked, again, next, over) = (&acked, &again[client], &next[client], &over);
                scope.spawn(move || send(port, client, acked, again, next, over));
            }
            thread::sleep(Duration::from_millis(50 + chance.below(400) as u64));
            victim.kill()?;
            over.store(true, Ordering::Relaxed);
            Ok(())
        })?;
    }
    let victim = Victim::start(plan, &data)?;
    let stored = proof::stored(&mut victim.wire()?)?;
    let acked = acked.into_inner().unwrap_or_default();
    let (lost, doubled) = proof::lost_and_doubled(&acked, &stored);
    Ok(vec![
        told("kill -9: rounds", rounds as f64, ""),
        Figure::more("kill -9: acknowledged events", acked.len() as f64, "", rounds as f64, rounds as f64),
        none("kill -9: acknowledged and lost", lost),
        none("kill -9: stored twice", doubled),
    ])
}

/// Sends until the server is gone, one event after the other.
fn send(
    port: u16,
    client: usize,
    acked: &Mutex<Vec<(String, i64)>>,
    again: &Mutex<Option<usize>>,
    next: &Mutex<usize>,
    over: &AtomicBool,
) {
    let Ok(mut wire) = crate::wire::Wire::open(port) else { return };
    let take = |slot: &Mutex<Option<usize>>| slot.lock().ok().and_then(|mut slot| slot.take());
    while !over.load(Ordering::Relaxed) {
        let number = take(again).unwrap_or_else(|| {
            let Ok(mut next) = next.lock() else { return 0 };
            *next += 1;
            *next
        });
        let name = format!("c{client}-{number}");
        match proof::post(&mut wire, &format!("session-{client}"), &name, number) {
            Ok(Some(seq)) => {
                if let Ok(mut acked) = acked.lock() {
                    acked.push((name, seq));
                }
            }
            _ => {
                if let Ok(mut again) = again.lock() {
                    *again = Some(number);
                }
                return;
            }
        }
    }
}
