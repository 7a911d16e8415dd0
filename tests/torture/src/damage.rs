//! A damaged database: it opens, is salvaged, or the person is told why not; and nothing is thrown away.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use orrery_bench::figure::Figure;

use crate::chance::Chance;
use crate::victim::{self, Victim};
use crate::{Plan, none, proof, told};

const EVENTS: usize = 400;

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let whole = scratch.path().join("whole");
    let victim = Victim::start(plan, &whole)?;
    let mut wire = victim.wire()?;
    for number in 0..EVENTS {
        proof::post(&mut wire, &format!("session-{}", number % 9), &format!("x-{number}"), number)?;
    }
    victim.terminate()?;
    let sound = fs::read(whole.join("orrery.db"))?;

    let mut chance = Chance::new(11);
    let tries = plan.of(25, 500);
    let (mut served, mut told_why, mut dumb, mut panicked, mut gone) = (0, 0, Vec::new(), 0, 0);
    let (mut kept, mut of) = (0, 0);
    for number in 0..tries {
        let data = scratch.path().join(format!("try-{number}"));
        fs::create_dir(&data)?;
        let damaged = mutated(&sound, number, &mut chance);
        fs::write(data.join("orrery.db"), &damaged)?;
        let (command, words) = victim::command(plan, &data)?;
        match Victim::spawn(command, words.clone()) {
            Ok(victim) => {
                // It serves: pages answer in some way, new events are taken or refused in words, nothing crashes.
                let mut wire = victim.wire()?;
                let taken = wire.post("/events", &proof::event("after", "after", 1))?;
                let page = wire.get("/api/v1/events?limit=1000")?;
                let is_clear = |answer: &crate::wire::Answer| answer.status == 200 || !answer.code().is_empty();
                served += usize::from(is_clear(&taken) && is_clear(&page));
                if !(is_clear(&taken) && is_clear(&page)) {
                    dumb.push(number);
                }
                if page.status == 200 {
                    kept += page.json()?["items"].as_array().map_or(0, Vec::len).min(EVENTS);
                    of += EVENTS;
                }
                panicked += usize::from(victim.has_panicked());
                let _ = victim.terminate();
            }
            Err(_) => {
                let said = fs::read_to_string(&words).unwrap_or_default();
                panicked += usize::from(said.contains("panicked at"));
                // A message a person can act on names the file.
                if said.contains("orrery.db") { told_why += 1 } else { dumb.push(number) }
            }
        }
        gone += usize::from(!is_kept(&data, &damaged));
        fs::remove_dir_all(&data)?;
    }
    if !dumb.is_empty() {
        eprintln!("damage: without a clear word in tries {dumb:?}");
    }
    Ok(vec![
        told("damaged database: mutations", tries as f64, ""),
        told("damaged database: opened or salvaged, and served", served as f64, ""),
        told("damaged database: refused in words that name the file", told_why as f64, ""),
        told(
            "damaged database: events still shown where it opened",
            100.0 * kept as f64 / f64::from(of.max(1) as u32),
            "%",
        ),
        none("damaged database: neither", dumb.len()),
        none("damaged database: panics", panicked),
        none("damaged database: damaged file not kept", gone),
    ])
}

/// One way to damage a file.
fn mutated(sound: &[u8], number: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    let page = 4096;
    let pages = bytes.len() / page;
    match number % 5 {
        // Single bits, anywhere.
        0 => (0..1 + chance.below(40)).for_each(|_| {
            let at = chance.below(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
        }),
        // A page of zeros.
        1 => {
            let at = chance.below(pages) * page;
            bytes[at..at + page].fill(0);
        }
        // A page of noise.
        2 => {
            let at = chance.below(pages) * page;
            bytes[at..at + page].fill_with(|| chance.next() as u8);
        }
        // The end is gone.
        3 => bytes.truncate(1 + chance.below(bytes.len())),
        // A page that belongs elsewhere.
        _ => {
            let (from, to) = (chance.below(pages) * page, chance.below(pages) * page);
            let copy = bytes[from..from + page].to_vec();
            bytes[to..to + page].copy_from_slice(&copy);
        }
    }
    bytes
}

/// Whether the damaged bytes are there still: untouched, set aside, or the file that is in use and was not damaged much.
fn is_kept(data: &Path, damaged: &[u8]) -> bool {
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "orrery.db")
                || fs::read(&path).is_ok_and(|bytes| bytes == damaged)
            {
                return true;
            }
        }
    }
    false
}

/// Runs a program and gives what it printed, both ways.
pub fn output(mut command: std::process::Command) -> anyhow::Result<(Option<i32>, String)> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
}
