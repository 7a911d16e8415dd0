//! Ratios on a noisy machine: two things in turn, A B B A, median of the pairs.

use std::time::Duration;

/// Medians of both sides and of the ratio `b / a`, pair by pair.
pub struct Pairs {
    pub a: Duration,
    pub b: Duration,
    pub ratio: f64,
}

/// Runs `a` and `b` in turn, `rounds` times A B B A.
pub fn abba(
    rounds: usize,
    mut a: impl FnMut() -> anyhow::Result<Duration>,
    mut b: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Pairs> {
    let (mut all_a, mut all_b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first calls warm files and pages.
    a()?;
    b()?;
    for _ in 0..rounds {
        let (a1, b1) = (a()?, b()?);
        let (b2, a2) = (b()?, a()?);
        for (a, b) in [(a1, b1), (a2, b2)] {
            ratios.push(b.as_secs_f64() / a.as_secs_f64().max(f64::EPSILON));
            all_a.push(a);
            all_b.push(b);
        }
    }
    Ok(Pairs { a: median(all_a), b: median(all_b), ratio: median_of(ratios) })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn median_of(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
