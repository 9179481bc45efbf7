//! Uses of what may be used once: their rows, and looking one up. RFC 9449 §11.1, RFC 7523 §3.
//! The key begins with the minute in which a use is forgotten, so that rows written together lie together and the first
//! ones die first. One use is looked for in every minute that it may have been put in: the same `jti` is the same use
//! whenever it would end.

use super::schema::Table;
use super::{StoreError, View};
use crate::model::Replay;
use crate::types::Timestamp;
use std::time::Duration;

impl View<'_> {
    /// Whether that use is remembered. `longest` is how long any use may have to be (`oauth::replay::LONGEST`).
    pub fn is_replayed(
        &self,
        replay: &Replay,
        longest: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for minute in end(now)..=end(now.plus(longest)) {
            let found: Option<Replay> = self.get(Table::Replays, &row(minute, replay))?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many uses are remembered.
    pub fn replay_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Replays)
    }
}

/// The key of a use: the end of the minute in which it is forgotten, 8 bytes, big endian; then what was used.
pub(super) fn key(replay: &Replay) -> [u8; 40] {
    row(end(replay.expires), replay)
}

fn row(minute: u64, replay: &Replay) -> [u8; 40] {
    let mut key = [0; 40];
    let bytes = minute.to_be_bytes();
    for (to, from) in key.iter_mut().zip(bytes.iter().chain(&replay.key)) {
        *to = *from;
    }
    key
}

/// The minutes that have gone by when that moment's minute is over.
fn end(moment: Timestamp) -> u64 {
    moment.secs() / 60 + 1
}

/// How much longer than it is good a use is remembered: a clock may go back by so much, and nobody doubts it (`ops::clock`).
pub const REMEMBERED_LONGER: Duration = Duration::from_secs(60);

/// Whether the row can be forgotten. A key that is too short is none of ours.
pub(super) fn is_over(key: &[u8], now: Timestamp) -> bool {
    key.first_chunk()
        .is_none_or(|minute| end(now.minus(REMEMBERED_LONGER)) > u64::from_be_bytes(*minute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Decision};
    use crate::store::Store;
    use crate::store::testing::Folder;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(600);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_use_is_known_until_it_expires_and_after_a_restart() {
        let dir = Folder::new("replays");
        let path = dir.join("doorlight.redb");
        let store = Store::open(&path).unwrap();
        let used = |key: u8, seconds: u64| Replay {
            key: [key; 32],
            expires: NOW.plus(secs(seconds)),
        };
        let changes = vec![
            Change::PutReplay(used(1, 0)),
            Change::PutReplay(used(2, 121)),
            Change::PutReplay(used(3, 600)),
        ];
        store
            .submit(move |_| {
                Ok(Decision {
                    changes,
                    events: Vec::new(),
                    reply: Ok::<(), ()>(()),
                })
            })
            .unwrap()
            .unwrap();
        store.close();
        drop(store);

        let store = Store::open(&path).unwrap();
        let snapshot = store.snapshot().unwrap();
        let known = |key: u8, seconds: u64, now: Timestamp| {
            let view = snapshot.view();
            view.is_replayed(&used(key, seconds), LONGEST, now).unwrap()
        };
        assert!(known(1, 0, NOW) && known(2, 121, NOW) && known(3, 600, NOW));
        // The same `jti`, in something that ends at another time.
        assert!(known(2, 5, NOW) && known(3, 0, NOW));
        assert!(!known(4, 0, NOW));
        for second in 0..=121 {
            assert!(known(2, 121, NOW.plus(secs(second))), "{second}");
        }
        assert_eq!(snapshot.view().replay_count().unwrap(), 3);
        drop(snapshot);
        store.close();
    }

    #[test]
    fn a_row_is_over_a_minute_after_its_use_has_expired_and_within_two() {
        for seconds in 0..200 {
            let expires = NOW.plus(secs(seconds));
            let key = key(&Replay {
                key: [0xFF; 32],
                expires,
            });
            assert!(!is_over(&key, expires.plus(REMEMBERED_LONGER)));
            assert!(is_over(&key, expires.plus(REMEMBERED_LONGER + MINUTE)));
        }
        assert!(is_over(b"short", NOW));
    }
}
