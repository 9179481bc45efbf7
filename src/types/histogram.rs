//! Durations, counted by how long they were: cheap enough to be noted with every request.
//! Not here: how they are told (`server::metrics`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the classes, in microseconds; longer ones have a class of their own.
pub const BOUNDS: [u64; 12] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

/// Counts by class, and the sum of all. Two additions to memory for each duration.
#[derive(Debug)]
pub struct Histogram {
    classes: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// A histogram as it was at one moment, or nearly: its parts are read one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many lasted at most as long as the bound of the same place.
    pub up_to: [u64; BOUNDS.len()],
    /// How many there were.
    pub all: u64,
    /// How long they lasted together, in microseconds.
    pub micros: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            classes: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            micros: AtomicU64::new(0),
        }
    }

    /// Counts one.
    pub fn note(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> Counted {
        let mut counted = Counted {
            micros: self.micros.load(Ordering::Relaxed),
            ..Counted::default()
        };
        for (place, class) in self.classes.iter().enumerate() {
            counted.all += class.load(Ordering::Relaxed);
            if let Some(up_to) = counted.up_to.get_mut(place) {
                *up_to = counted.all;
            }
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_every_class_that_it_fits() {
        let histogram = Histogram::new();
        for micros in [0, 250, 251, 1_000, 5_000_000, 5_000_001, u64::MAX >> 8] {
            histogram.note(Duration::from_micros(micros));
        }
        let counted = histogram.read();
        assert_eq!(counted.up_to, [2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
        assert_eq!(counted.all, 7);
        assert_eq!(counted.micros, 10_001_502 + (u64::MAX >> 8));
    }
}
