//! Writing a text without its secrets: what says the kind, the lines and the JSON around stay.

use super::rules::Found;

pub const MASK: &str = "[redacted]";

/// The parts of `found` that are to be masked, in order and apart. Where two rules want the same place the earlier rule
/// has it, with the prefix it keeps; what the other wants beyond is masked too.
pub fn settle(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.rule, found.start));
    let mut taken: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        let mut rest = vec![next];
        for held in &taken {
            rest = rest.into_iter().flat_map(|part| without(part, held)).collect();
        }
        taken.extend(rest);
    }
    taken.sort_by_key(|found| found.start);
    taken
}

/// What is left of `part` outside of `held` and the prefix that `held` keeps.
fn without(part: Found, held: &Found) -> Vec<Found> {
    if part.end <= held.from || part.start >= held.end {
        return vec![part];
    }
    let before = Found { end: held.from, ..part };
    let after = Found { start: held.end, from: held.end, ..part };
    [before, after].into_iter().filter(|rest| rest.start < rest.end).collect()
}

/// `text` with `parts` masked. A secret of several lines keeps its line ends, also those written `\n`.
pub fn write(text: &[u8], parts: &[Found]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for part in parts {
        out.extend_from_slice(&text[copied..part.start]);
        lines(&text[part.start..part.end], &mut out);
        copied = part.end;
    }
    out.extend_from_slice(&text[copied..]);
    out
}

fn lines(secret: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    let mut open = false;
    while at < secret.len() {
        let ends = line_end(&secret[at..]);
        if ends > 0 {
            out.extend_from_slice(&secret[at..at + ends]);
            open = false;
            at += ends;
        } else {
            if !open {
                out.extend_from_slice(MASK.as_bytes());
                open = true;
            }
            at += 1;
        }
    }
}

/// Length of the line end at the start of `rest`, plain or escaped. 0 when there is none.
fn line_end(rest: &[u8]) -> usize {
    match rest {
        [b'\n' | b'\r', ..] => 1,
        [b'\\', ..] => {
            let slashes = rest.iter().take_while(|byte| **byte == b'\\').count();
            if matches!(rest.get(slashes), Some(b'n' | b'r')) { slashes + 1 } else { 0 }
        }
        _ => 0,
    }
}
