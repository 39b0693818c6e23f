//! Figures of many rounds, and what can be said of them.

/// One figure for each round.
#[derive(Clone, Debug, Default)]
pub struct Samples(pub Vec<f64>);

impl Samples {
    /// The middle one.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The least.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    /// The most.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    fn with(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        Self(
            self.0
                .iter()
                .zip(&other.0)
                .map(|(own, other)| combine(*own, *other))
                .collect(),
        )
    }

    /// What each round had over the same round of `other`.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        self.with(other, |own, other| own - other)
    }

    /// Each round in units of the same round of `other`.
    #[must_use]
    pub fn by(&self, other: &Self) -> Self {
        self.with(other, |own, other| own / other)
    }
}
