//! Forgetting what has expired, as far as the clock is sure (`clock`), and noting in the file when it was.
//! Not here: what expires when, and what one step does (`store::sweep`).

use super::clock::Doubt;
use crate::store::{Step, Store, StoreError, Sweeper};
use crate::types::Timestamp;
use std::time::Duration;

/// How long a doubt lasts before uses of what may be used once are forgotten again: none from before it can count any
/// more, and they are too many to be kept for a week.
const USES_KEPT: Duration = Duration::from_secs(20 * 60);

/// Where it stands.
pub struct Forgetting {
    all: Sweeper,
    uses: Sweeper,
    in_doubt: bool,
    /// Whether the file was told, since the start, that the clock is sure.
    noted: bool,
}

impl Default for Forgetting {
    fn default() -> Self {
        Self {
            all: Sweeper::default(),
            uses: Sweeper::of_uses(),
            in_doubt: false,
            noted: false,
        }
    }
}

impl Forgetting {
    /// One step.
    pub fn step(
        &mut self,
        store: &Store,
        doubt: Option<Doubt>,
        now: Timestamp,
    ) -> Result<Step, StoreError> {
        if let Some(doubt) = doubt {
            if !std::mem::replace(&mut self.in_doubt, true) {
                log::warn!("{doubt}");
            }
            if doubt.lasted < USES_KEPT {
                return Ok(Step::Rest);
            }
            return self.uses.step(store, now);
        }
        if std::mem::take(&mut self.in_doubt) {
            log::info!("the clock is sure again");
            // What it had begun with the clock before holds no more.
            self.all = Sweeper::default();
        }
        let step = self.all.step(store, now)?;
        if step == Step::Rest {
            self.note(store, now)?;
        }
        Ok(step)
    }

    /// An idle server writes nothing: but for the first time, what others write takes it along, so that each record of theirs
    /// is half a minute younger than it at most.
    fn note(&mut self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        if !self.noted {
            store.note_sure(now)?;
            self.noted = true;
        }
        store.mark_sure(now);
        Ok(())
    }
}

#[cfg(test)]
#[path = "forgetting_tests.rs"]
mod tests;
