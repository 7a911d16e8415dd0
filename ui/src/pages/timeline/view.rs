//! The stretch of time in sight: zoomed, moved, kept near what there is.

/// The shortest time one can look at, ms.
pub const SHORTEST_MS: i64 = 200;

/// A time, ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub from_ms: f64,
    pub to_ms: f64,
}

impl View {
    pub fn of(from_ms: i64, to_ms: i64) -> View {
        View { from_ms: from_ms as f64, to_ms: to_ms as f64 }
    }
    pub fn width(&self) -> f64 {
        (self.to_ms - self.from_ms).max(1.0)
    }
    /// Where a moment lies on `px` pixels.
    pub fn x(&self, at_ms: i64, px: f64) -> f64 {
        (at_ms as f64 - self.from_ms) / self.width() * px
    }
    pub fn at(&self, x: f64, px: f64) -> f64 {
        self.from_ms + x / px.max(1.0) * self.width()
    }
    /// Makes the time `factor` as long around a moment.
    pub fn zoom(&self, factor: f64, around: f64) -> View {
        let width = (self.width() * factor).max(SHORTEST_MS as f64);
        let share = (around - self.from_ms) / self.width();
        View { from_ms: around - width * share, to_ms: around + width * (1.0 - share) }
    }
    pub fn pan(&self, ms: f64) -> View {
        View { from_ms: self.from_ms + ms, to_ms: self.to_ms + ms }
    }
    /// Inside `all`, as long as it is shorter; a little air beyond the ends is allowed.
    pub fn inside(&self, all: View) -> View {
        let air = all.width() * 0.02 + 1_000.0;
        let (least, most) = (all.from_ms - air, all.to_ms + air);
        let width = self.width().min(most - least);
        let from_ms = self.from_ms.clamp(least, most - width);
        View { from_ms, to_ms: from_ms + width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooming_keeps_the_moment_under_the_pointer() {
        let view = View::of(1_000, 2_000);
        let near = view.zoom(0.5, 1_250.0);
        assert_eq!((near.from_ms, near.to_ms), (1_125.0, 1_625.0));
        assert_eq!(near.x(1_250, 800.0), view.x(1_250, 800.0));
        assert_eq!(view.zoom(0.0001, 1_500.0).width(), SHORTEST_MS as f64);
    }

    #[test]
    fn the_view_stays_near_what_there_is() {
        let all = View::of(0, 100_000);
        assert_eq!(View::of(500_000, 510_000).inside(all).to_ms, 103_000.0);
        assert_eq!(View::of(-900_000, 900_000).inside(all).width(), 106_000.0);
    }
}
