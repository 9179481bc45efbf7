//! Numbers: the latency histogram, percentiles and medians.
//! Not here: how a figure is printed (`table`), what is measured (`scenarios`).

use std::time::Duration;

/// Buckets for each power of two: a percentile is off by at most one part in 64.
const FINE: usize = 64;
const FINE_BITS: u32 = FINE.trailing_zeros();

/// Latencies in nanoseconds, in logarithmic buckets.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub fn new() -> Self {
        let powers = (u64::BITS - FINE_BITS) as usize;
        Self {
            counts: vec![0; (powers + 1) * FINE],
            total: 0,
        }
    }

    pub fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// The latency that `share` (0 to 1) of the answers did not exceed; none without answers.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(Duration::from_nanos(middle_of(bucket)));
            }
        }
        None
    }
}

fn bucket_of(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(FINE_BITS + 1);
    // Below 2 * FINE every value has its own bucket; above, each power of two has FINE of them.
    shift as usize * FINE + (value >> shift) as usize
}

fn middle_of(bucket: usize) -> u64 {
    let shift = (bucket / FINE).saturating_sub(1);
    let low = ((bucket - shift * FINE) as u64) << shift;
    low + ((1 << shift) >> 1)
}

/// What one run of one scenario on one server gave.
#[derive(Clone, Default)]
pub struct Figure {
    /// In the unit of the scenario.
    pub value: f64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// Bytes that the server caused to be written to disk for each answer.
    pub written: Option<f64>,
    /// Share of the time in which the load generator computed or waited for its core: near 1 the
    /// figure says more about the generator, or its neighbours, than about the server.
    pub busy: Option<f64>,
    /// Answers that were wrong or never came; they are not part of `value`.
    pub wrong: u64,
    pub first_wrong: Option<String>,
}

impl Figure {
    pub fn of(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    /// The median of each column; wrong answers add up.
    pub fn median(rounds: &[Figure]) -> Figure {
        let seconds = |column: fn(&Figure) -> Option<Duration>| {
            let known: Vec<f64> = rounds
                .iter()
                .filter_map(column)
                .map(|d| d.as_secs_f64())
                .collect();
            median(&known).map(Duration::from_secs_f64)
        };
        let number = |column: fn(&Figure) -> Option<f64>| {
            median(&rounds.iter().filter_map(column).collect::<Vec<_>>())
        };
        Figure {
            value: number(|figure| Some(figure.value)).unwrap_or(0.0),
            p50: seconds(|figure| figure.p50),
            p99: seconds(|figure| figure.p99),
            written: number(|figure| figure.written),
            busy: number(|figure| figure.busy),
            wrong: rounds.iter().map(|figure| figure.wrong).sum(),
            first_wrong: rounds.iter().find_map(|figure| figure.first_wrong.clone()),
        }
    }
}

/// The middle value, or the mean of the two middle ones; none of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some((lower + upper) / 2.0)
}
