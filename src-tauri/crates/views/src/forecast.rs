//! Where a span's spend ends: what days like the ones to come cost lately.

/// Days looked back on.
pub const LOOK_BACK: usize = 28;
/// Fewer known days say nothing.
const FEWEST: usize = 5;
/// Nine times in ten a normal spread stays within so many standard deviations.
const NINE_IN_TEN: f64 = 1.645;

/// What the whole span will have cost, micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    pub expected: i64,
    /// Nine times in ten the end lies between these; never below what is spent.
    pub low: i64,
    pub high: i64,
}

/// Forecasts a span of which `spent` is spent and `days_left` whole days are to come, besides `today_left`: the share of
/// today that is left, 0 to 1.
///
/// `past` are the costs of whole days before today, oldest first and without gaps, days without spend as 0; the last
/// [`LOOK_BACK`] count. Days are told apart by their weekday where each weekday was seen at least twice. `None` with fewer
/// than five days: too little to go by.
pub fn forecast(spent: i64, past: &[i64], today_left: f64, days_left: usize) -> Option<Forecast> {
    let past = &past[past.len().saturating_sub(LOOK_BACK)..];
    if past.len() < FEWEST {
        return None;
    }
    let all: Vec<f64> = past.iter().map(|cost| *cost as f64).collect();
    // The day `ahead` days from today has the weekday of those 7, 14, ... days before it.
    let alike = |ahead: usize| -> Vec<f64> {
        let same: Vec<f64> = (1..)
            .map(|week| week * 7)
            .skip_while(|back| *back <= ahead)
            .map_while(|back| all.len().checked_sub(back - ahead))
            .map(|at| all[at])
            .collect();
        if all.len() >= 14 && same.len() >= 2 { same } else { all.clone() }
    };
    let (mut expected, mut variance) = (spent as f64, 0.0);
    for ahead in 0..=days_left {
        let days = alike(ahead);
        let share = if ahead == 0 { today_left.clamp(0.0, 1.0) } else { 1.0 };
        expected += mean(&days) * share;
        variance += spread(&days).max(spread(&all) * 0.5) * share * share;
    }
    let margin = NINE_IN_TEN * variance.sqrt();
    let low = (expected - margin).max(spent as f64);
    Some(Forecast { expected: expected as i64, low: low as i64, high: (expected + margin) as i64 })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Variance of a sample.
fn spread(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len().max(2) - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_days_go_on_evenly() {
        let forecast = forecast(30, &[10; 9], 0.5, 4).expect("nine days are enough");
        assert_eq!(forecast, Forecast { expected: 75, low: 75, high: 75 });
    }

    #[test]
    fn weekends_are_told_from_workdays() {
        // Four weeks that end on a Sunday: five days at 100, two at 0. Today is Monday, all of it and Tuesday to Sunday left.
        let past: Vec<i64> = (0..28).map(|day| if day % 7 < 5 { 100 } else { 0 }).collect();
        assert_eq!(forecast(0, &past, 1.0, 6).map(|forecast| forecast.expected), Some(500));
        assert_eq!(forecast(0, &past, 1.0, 4).map(|forecast| forecast.expected), Some(500));
        assert_eq!(forecast(0, &past, 0.0, 1).map(|forecast| forecast.expected), Some(100));
    }

    #[test]
    fn little_history_gives_no_figure_and_the_low_end_is_what_is_spent() {
        assert_eq!(forecast(5, &[1, 2, 3, 4], 1.0, 3), None);
        let wild = forecast(1_000, &[0, 900, 0, 0, 900, 0], 1.0, 0).expect("six days are enough");
        assert!(wild.low >= 1_000 && wild.high > wild.expected, "{wild:?}");
    }
}
