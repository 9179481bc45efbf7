//! "Last used" marks: kept in memory, and taken along by some later commit, so that use alone writes nothing
//! (DESIGN §2).

use crate::types::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Marks that are remembered until a commit takes them along.
const MARKS: usize = 4_096;
/// Marks that one commit takes along.
const A_COMMIT: usize = 16;

/// When things were last used.
pub(super) struct Marks<K>(Mutex<HashMap<K, Timestamp>>);

impl<K> Default for Marks<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq + Copy> Marks<K> {
    /// Notes that one was used.
    pub(super) fn note(&self, key: K, now: Timestamp) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() < MARKS || marks.contains_key(&key) {
            marks.insert(key, now);
        }
    }

    /// Some of them, for a commit.
    pub(super) fn take(&self) -> Vec<(K, Timestamp)> {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<_> = marks
            .iter()
            .take(A_COMMIT)
            .map(|(k, at)| (*k, *at))
            .collect();
        for (key, _) in &taken {
            marks.remove(key);
        }
        taken
    }
}
