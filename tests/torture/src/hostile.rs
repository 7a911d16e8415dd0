//! Bodies that nobody should send: huge, deep, broken, no text at all. Valid ones are stored, the rest is refused in words.

use std::collections::BTreeMap;

use orrery_bench::figure::Figure;
use serde_json::Value;

use crate::chance::Chance;
use crate::victim::Victim;
use crate::wire::{Answer, Wire};
use crate::{Plan, none, proof, told};

const DEEP: usize = 100_000;

/// What became of all bodies.
#[derive(Default)]
struct Tally {
    /// Sent to `/events`, valid as JavaScript reads it, and stored.
    stored: u64,
    refused: BTreeMap<String, usize>,
    /// Refused although valid, or taken although not, or refused without a code.
    wrong: Vec<String>,
}

impl Tally {
    fn take(&mut self, what: &str, is_valid: bool, answer: &Answer) {
        let is_refusal = (400..500).contains(&answer.status) && !answer.code().is_empty();
        match (is_valid, answer.status) {
            (true, 200) => self.stored += 1,
            (false, _) if is_refusal => *self.refused.entry(answer.code()).or_default() += 1,
            _ => self.wrong.push(format!("{what}: {} {}", answer.status, answer.code())),
        }
    }
}

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let victim = Victim::start(plan, &scratch.path().join("data"))?;
    let mut wire = victim.wire()?;
    let mut tally = Tally::default();
    for number in 0..200 {
        tally.take("an ordinary event", true, &wire.post("/events", &proof::event("calm", "calm", number))?);
    }
    let before_mb = victim.resident_mb()?;
    for (what, is_valid, body) in by_hand() {
        // After a body it did not read to its end the server closes: each of these has a connection of its own.
        let answer = victim.wire()?.post("/events", &body)?;
        tally.take(what, is_valid, &answer);
    }
    let fuzzed = plan.of(3_000, 100_000);
    fuzz(&mut wire, fuzzed, &mut tally)?;
    // The hooks' door takes everything, whatever it is, and stays silent.
    let mut chance = Chance::new(5);
    let mut loud = 0;
    for number in 0..plan.of(300, 5_000) {
        let body = mutated(&proof::event("hook", "h", number), &mut chance);
        let answer = wire.post("/hooks/claude-code", &body)?;
        loud += usize::from(answer.status != 200 || !answer.body.is_empty());
    }
    let after_mb = victim.resident_mb()?;
    let events = proof::stored(&mut wire)?.iter().filter(|one| one.session != "hook").count() as u64;
    if !tally.wrong.is_empty() {
        eprintln!("hostile: {:?}", &tally.wrong[..tally.wrong.len().min(8)]);
    }
    eprintln!("hostile: refused as {:?}", tally.refused);
    let panicked = victim.has_panicked();
    victim.terminate()?;
    Ok(vec![
        told("hostile bodies: fuzzed", fuzzed as f64, ""),
        told("hostile bodies: refused with a code", tally.refused.values().sum::<usize>() as f64, ""),
        none("hostile bodies: valid and refused, or the other way", tally.wrong.len()),
        none("hostile bodies: hooks answered with words", loud),
        none("hostile bodies: answered 200 and not stored", usize::from(events == 0)),
        none("hostile bodies: panics", usize::from(panicked)),
        Figure::less("hostile bodies: memory more than before", (after_mb - before_mb).max(0.0), "MB", 16.0, 8.0),
    ])
}

/// What it is, whether JavaScript reads it as an event, and the body.
fn by_hand() -> Vec<(&'static str, bool, Vec<u8>)> {
    let around = |payload: &[u8]| {
        let start = br#"{"source_app":"a","session_id":"odd","hook_event_type":"Stop","payload":"#;
        [start.as_slice(), payload, b"}"].concat()
    };
    let deep = |open: &str, close: &str| [open.repeat(DEEP), "1".to_owned(), close.repeat(DEEP)].concat();
    vec![
        ("64 MB of text", true, around(format!("\"{}\"", "y".repeat(64 << 20)).as_bytes())),
        ("more than 128 MB", false, around(format!("\"{}\"", "y".repeat(129 << 20)).as_bytes())),
        ("arrays 100,000 deep", true, around(deep("[", "]").as_bytes())),
        ("objects 100,000 deep", true, around(deep("{\"a\":", "}").as_bytes())),
        ("arrays that never close", false, around("[".repeat(DEEP).as_bytes())),
        ("invalid UTF-8 in a text", true, around(b"\"\xff\xfe\xc3\"")),
        ("lone surrogates", true, around(br#""\ud800 \udfff \ud83d""#)),
        ("NUL in a text", true, around(br#""a\u0000b""#)),
        ("NUL bytes", false, vec![0; 4_096]),
        ("a bare NUL in a text", false, around(b"\"a\0b\"")),
        ("a number beyond all floats", true, around(br#"{"n":1e99999}"#)),
        ("a byte order mark", true, [b"\xef\xbb\xbf".as_slice(), &around(b"1")].concat()),
        ("nothing", false, Vec::new()),
        ("blanks", false, b" \n\t".to_vec()),
        ("a list", false, b"[]".to_vec()),
        ("two objects", false, [around(b"1"), around(b"1")].concat()),
        ("the same key a thousand times", true, around(format!("{{{}\"a\":1}}", "\"a\":1,".repeat(1_000)).as_bytes())),
        ("an empty payload object", true, around(b"{}")),
        ("a false payload", false, around(b"false")),
        ("a key of a megabyte", true, around(format!("{{\"{}\":1}}", "k".repeat(1 << 20)).as_bytes())),
        ("a hundred thousand keys", true, around(many_keys().as_bytes())),
    ]
}

fn many_keys() -> String {
    let keys: Vec<String> = (0..100_000).map(|number| format!("\"k{number}\":{number}")).collect();
    format!("{{{}}}", keys.join(","))
}

/// Bodies near valid ones. Whether they are valid is judged here by plain JSON reading.
fn fuzz(wire: &mut Wire, count: usize, tally: &mut Tally) -> anyhow::Result<()> {
    let mut chance = Chance::new(3);
    for number in 0..count {
        let body = mutated(&proof::event("fuzz", "f", number), &mut chance);
        let answer = wire.post("/events", &body)?;
        match is_event(&body) {
            Some(is_valid) => tally.take(&String::from_utf8_lossy(&body[..body.len().min(160)]), is_valid, &answer),
            // Only the server's own reading can tell: any clear answer is right.
            None if answer.status == 200 => tally.stored += 1,
            None => tally.take("unclear", false, &answer),
        }
    }
    Ok(())
}

/// Whether the body is an event. `None` where plain JSON reading is stricter than JavaScript's.
fn is_event(body: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).into_owned();
    let value: Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) if text.contains("\\u") || text.contains('e') || text.contains('E') => return None,
        Err(_) => return Some(false),
    };
    let filled = |name: &str| value[name].as_str().is_some_and(|text| !text.is_empty());
    let named = ["source_app", "session_id", "hook_event_type"].into_iter().all(filled);
    let payload = match &value["payload"] {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    Some(named && payload)
}

/// A few bytes changed, taken out, put in or doubled.
fn mutated(sound: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..1 + chance.below(4) {
        let at = chance.below(bytes.len().max(2) - 1);
        match chance.below(6) {
            0 if !bytes.is_empty() => bytes[at] = chance.next() as u8,
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"{}[]\",:\\u\0-0eE"[chance.below(14)]),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + chance.below(40)).min(bytes.len());
                let copy = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let odd: [&[u8]; 6] = [b"\\ud800", b"\xff", b"null", b"1e400", b"\"\":", b"-"];
                bytes.splice(at..at, odd[chance.below(6)].iter().copied());
            }
        }
    }
    bytes
}
