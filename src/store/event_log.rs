//! Reading the audit log: which events, in which order, and the keys that give them their order.

use super::StoreError;
use super::codec::decode;
use super::rows::Order;
use super::schema::{SURE_KEY, Table};
use super::tables::Tables;
use super::view::View;
use crate::model::{Event, EventKind, Outcome};
use crate::types::{ClientId, RequestId, Timestamp, UserId};
use serde::Deserialize;
use std::ops::Bound;

/// Which events to show.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this person.
    pub user: Option<UserId>,
    /// Of somebody, or of nobody who was known.
    pub is_of_somebody: Option<bool>,
    /// Of this application.
    pub client: Option<ClientId>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Of this request.
    pub request: Option<RequestId>,
    /// Of whoever had this name then, in any case: a person who is gone has no id to ask for.
    pub username: Option<String>,
    /// Of the application that had this name then, in any case.
    pub client_name: Option<String>,
}

impl EventFilter {
    fn admits(&self, event: &Event) -> bool {
        self.user.is_none_or(|user| event.user == Some(user))
            && self
                .is_of_somebody
                .is_none_or(|is| event.user.is_some() == is)
            && self
                .client
                .is_none_or(|client| event.client == Some(client))
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self
                .request
                .is_none_or(|request| event.request == Some(request))
            && named(&self.username, &event.username)
            && named(&self.client_name, &event.client_name)
    }
}

fn named(wanted: &Option<String>, given: &Option<String>) -> bool {
    wanted.as_ref().is_none_or(|wanted| {
        given
            .as_ref()
            .is_some_and(|given| given.to_lowercase() == wanted.to_lowercase())
    })
}

/// Some events, newest first.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// Each with its key.
    pub events: Vec<(u64, Event)>,
    /// Where to go on, when there may be more.
    pub next: Option<u64>,
}

/// What is counted of an event.
#[derive(Deserialize)]
struct Brief {
    time: Timestamp,
    outcome: Outcome,
}

/// In this many bytes of a row its outcome stands, as we write them.
const HEAD: usize = 96;

/// Whether a row says in its first bytes that it is no refusal; most do. Nothing in a text can look like a member: quotes are
/// escaped there.
fn is_plain_success(row: &[u8]) -> bool {
    const SUCCESS: &[u8] = b",\"outcome\":\"success\"";
    let head = row.get(..HEAD).unwrap_or(row);
    head.windows(SUCCESS.len()).any(|bytes| bytes == SUCCESS)
}

/// Rows that one page looks at before it stops and offers to go on.
const SCAN_MAX: usize = 20_000;

impl View<'_> {
    /// How many events there are.
    pub fn event_count(&self) -> Result<u64, StoreError> {
        self.count(Table::Events)
    }

    /// Events that the filter admits, newest first, from before `before`.
    pub fn events(
        &self,
        filter: &EventFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let mut page = EventPage::default();
        let mut failed = None;
        let mut seen = 0;
        let end = before.unwrap_or(u64::MAX).to_be_bytes();
        self.scan(
            Table::Events,
            Bound::Unbounded,
            Bound::Excluded(&end),
            Order::Down,
            |key, value| {
                let Ok(key) = <[u8; 8]>::try_from(key) else {
                    return true;
                };
                let key = u64::from_be_bytes(key);
                seen += 1;
                match decode::<Event>(value) {
                    Ok(event) if filter.admits(&event) => page.events.push((key, event)),
                    Ok(_) => {}
                    Err(e) => failed = Some(e),
                }
                page.next = Some(key);
                failed.is_none() && page.events.len() < limit && seen < SCAN_MAX
            },
        )?;
        if page.events.len() < limit && seen < SCAN_MAX {
            page.next = None;
        }
        failed.map_or(Ok(page), Err)
    }

    /// How many of the newest `most` events are refusals from that time on. Of each row no more is read than that takes.
    pub fn refusals_since(&self, since: Timestamp, most: usize) -> Result<u64, StoreError> {
        let (mut count, mut seen, mut failed) = (0, 0, None);
        self.scan(
            Table::Events,
            Bound::Included(&Self::event_key(since).to_be_bytes()),
            Bound::Unbounded,
            Order::Down,
            |_, value| {
                seen += 1;
                if is_plain_success(value) {
                    return seen < most;
                }
                match decode::<Brief>(value) {
                    // A key is later than its time where the clock was set back.
                    Ok(event) if event.time >= since => {
                        count += u64::from(event.outcome == Outcome::Refused);
                    }
                    Ok(_) => {}
                    Err(error) => failed = Some(error),
                }
                failed.is_none() && seen < most
            },
        )?;
        failed.map_or(Ok(count), Err)
    }

    /// The key of the newest event.
    pub(super) fn last_event(&self) -> Result<u64, StoreError> {
        let mut last = 0;
        self.scan(
            Table::Events,
            Bound::Unbounded,
            Bound::Unbounded,
            Order::Down,
            |key, _| {
                last = <[u8; 8]>::try_from(key).map_or(0, u64::from_be_bytes);
                false
            },
        )?;
        Ok(last)
    }

    /// When the clock was last sure, as far as the file tells: as it was noted, else by the newest event.
    pub fn sure(&self) -> Result<Option<Timestamp>, StoreError> {
        let noted = self.with(Table::Meta, SURE_KEY, |value| {
            <[u8; 8]>::try_from(value).ok().map(u64::from_be_bytes)
        })?;
        if let Some(millis) = noted.flatten() {
            return Ok(Some(Timestamp::from_millis(millis)));
        }
        let page = self.events(&EventFilter::default(), None, 1)?;
        Ok(page.events.first().map(|(_, event)| event.time))
    }

    /// Events from before a moment are older than this key.
    pub(super) fn event_key(time: Timestamp) -> u64 {
        time.millis() << 16
    }
}

/// Writes that the clock was sure then.
pub(super) fn put_sure(tables: &Tables<'_>, then: Timestamp) -> Result<(), StoreError> {
    tables.with(Table::Meta, |meta| {
        let millis = then.millis().to_be_bytes();
        meta.insert(SURE_KEY, millis.as_slice())?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::codec::encode;
    use super::*;
    use crate::model::EventKind;
    use crate::store::testing::Folder;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn the_first_bytes_of_a_row_tell_every_success_and_no_refusal() {
        let latest = Timestamp::from_secs(99_999_999_999);
        for kind in EventKind::ALL {
            let row = encode(&Event::success(*kind, latest)).unwrap();
            assert!(is_plain_success(&row), "{kind:?}");
            let mut refused = Event::refused(*kind, NOW, r#","outcome":"success""#);
            refused.username = Some(refused.detail.clone());
            assert!(!is_plain_success(&encode(&refused).unwrap()), "{kind:?}");
        }
        assert!(!is_plain_success(b""));
    }

    #[test]
    fn refusals_are_counted_by_when_they_were_also_after_a_clock_that_was_ahead() {
        let dir = Folder::new("refused");
        let store = Store::open(&dir.join("doorlight.redb")).unwrap();
        let refused = |time| Event::refused(EventKind::SignIn, time, "why".repeat(100));
        let count = |since, most| {
            let snapshot = store.snapshot().unwrap();
            snapshot.view().refusals_since(since, most).unwrap()
        };
        let record = |event: Event| {
            store.record(vec![event]);
            // The writer has its turn after it.
            store.note_sure(NOW).unwrap();
        };
        record(refused(NOW));
        record(Event::success(EventKind::SignIn, NOW.plus(HOUR)));
        record(refused(NOW.plus(HOUR * 2)));
        assert_eq!(count(NOW, 10), 2);
        assert_eq!(count(NOW.plus(HOUR), 10), 1);
        assert_eq!(count(NOW, 2), 1);
        assert_eq!(count(NOW.plus(HOUR * 3), 10), 0);
        // What comes after one of a time to come has a key of that time.
        record(Event::success(EventKind::SignIn, NOW.plus(HOUR * 9_000)));
        record(refused(NOW.plus(HOUR * 3)));
        assert_eq!(count(NOW.plus(HOUR * 3), 10), 1);
        assert_eq!(count(NOW.plus(HOUR * 4), 10), 0);
        store.close();
    }
}
