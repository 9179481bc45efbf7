//! Records of TLS on their way into a session. RFC 8446 §5.1, RFC 5246 §6.2.3.
//! Owns: what encrypted bytes take of the memory. A session keeps a record until it is whole, those of a handshake until
//! its message is, and what stood in one until that is read. Not here: the session and its deadlines (`wire`), what is
//! done with the requests inside (`input`).

use super::memory::{SMALL, Share};

/// How long the beginning of a record is, and how long a record may be.
pub(super) const HEADER: usize = 5;
pub(super) const LONGEST: usize = HEADER + 16 * 1024 + 2048;

/// What may arrive without a byte that is of use: the longest record, and as much of handshakes and of filling (RFC 8446
/// §5.4) before it. A session would join 64 KiB of a handshake.
const MOST: usize = 2 * LONGEST;

/// The account of one session.
#[derive(Debug)]
pub(super) struct Records<'c> {
    place: Place,
    /// Bytes that arrived since something came out of the session.
    silent: usize,
    /// Bytes that came out of it and were not read yet.
    plain: usize,
    /// Whether somebody else answers for what is held.
    is_admitted: bool,
    share: Share<'c>,
}

impl<'c> Records<'c> {
    /// `share` grows with what the session holds.
    pub(super) fn new(share: Share<'c>) -> Self {
        Self {
            place: Place::default(),
            silent: 0,
            plain: 0,
            is_admitted: false,
            share,
        }
    }

    /// How many bytes may be read now; `None` where there is no memory for them. Never beyond the end of a record that is
    /// not small: with a byte of the next one, a session would keep the room for both.
    pub(super) fn room(&mut self) -> Option<usize> {
        if let Some(small) = SMALL.checked_sub(self.silent).filter(|small| *small > 0) {
            return Some(small);
        }
        let room = self.place.left().min(SMALL);
        let held = self.silent.checked_add(room).filter(|held| *held <= MOST)?;
        (self.is_admitted || self.share.resize(held - SMALL)).then_some(room)
    }

    /// A service takes what comes for itself, of few at a time, and answers for it: what others take stops it no more.
    pub(super) fn admit(&mut self) {
        self.is_admitted = true;
        // To give back is never refused.
        let _ = self.share.resize(0);
    }

    /// Where the next byte stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// So many bytes were taken in, up to that place, and so many that came out of them are unread now. True where the
    /// session may have room that it does not need any more.
    pub(super) fn took(&mut self, count: usize, place: Place, plain: usize) -> bool {
        let before = self.silent.saturating_add(count);
        self.place = place;
        self.silent = match plain > self.plain {
            true => place.seen,
            false => before,
        };
        self.plain = plain;
        self.settle();
        before > SMALL && self.silent <= SMALL
    }

    /// The handshake is over, and what it held is gone.
    pub(super) fn handshake_is_over(&mut self) {
        self.silent = self.place.seen;
        self.settle();
    }

    /// So many bytes were read of what came out.
    pub(super) fn gave(&mut self, count: usize) {
        self.plain = self.plain.saturating_sub(count);
        self.settle();
    }

    /// Whether a part of what the client sent waits here.
    pub(super) fn has_unread(&self) -> bool {
        self.plain > 0 || self.place.seen > 0
    }

    fn settle(&mut self) {
        if self.is_admitted {
            return;
        }
        let held = self.plain.saturating_add(self.silent);
        // It is not more than before.
        let _ = self.share.resize(held.saturating_sub(SMALL));
    }
}

/// A place in a stream of records.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    header: [u8; HEADER],
    /// Bytes of the record at hand, its header included.
    seen: usize,
}

impl Place {
    /// Goes on by these bytes.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            let passed = match self.header.get_mut(self.seen) {
                Some(known) => {
                    *known = *first;
                    1
                }
                None => self.left().min(bytes.len()),
            };
            self.seen += passed;
            bytes = bytes.get(passed..).unwrap_or(rest);
            if self.left() == 0 {
                self.seen = 0;
            }
        }
    }

    /// Bytes to the end of the header or, once it is there, of the record.
    fn left(&self) -> usize {
        match HEADER.checked_sub(self.seen) {
            Some(left) if left > 0 => left,
            _ => self.length().saturating_sub(self.seen),
        }
    }

    /// How long the record says that it is.
    fn length(&self) -> usize {
        let [.., high, low] = self.header;
        HEADER + usize::from(u16::from_be_bytes([high, low]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;

    /// A record of so many bytes.
    fn record(length: u16) -> Vec<u8> {
        let [high, low] = length.to_be_bytes();
        let mut record = vec![23, 3, 3, high, low];
        record.resize(HEADER + usize::from(length), 0);
        record
    }

    /// Takes in what there is, as far as it may; how much that was.
    fn take_in(records: &mut Records<'_>, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let Some(room) = records.room() else { break };
            let piece = &bytes[taken..(taken + room).min(bytes.len())];
            let mut place = records.place();
            place.pass(piece);
            records.took(piece.len(), place, 0);
            taken += piece.len();
        }
        taken
    }

    #[test]
    fn however_records_are_split_their_ends_are_found() {
        let bytes = [record(3), record(0), record(300), record(70)].concat();
        for step in 1..40 {
            let (mut place, mut ends) = (Place::default(), Vec::new());
            for (at, piece) in bytes.chunks(step).enumerate() {
                place.pass(piece);
                if place.seen == 0 {
                    ends.push(at * step + piece.len());
                }
            }
            assert!(
                [8, 13, 318, 393]
                    .iter()
                    .all(|end| end % step != 0 || ends.contains(end))
            );
            assert_eq!(ends.last(), Some(&393), "{step}");
        }
    }

    /// Somebody who says that a record is long, and sends nothing of it, takes nothing from others.
    #[test]
    fn a_long_record_takes_of_the_memory_as_it_arrives_and_until_it_is_read() {
        let memory = Memory::of(16_000);
        let mut records = Records::new(memory.nothing_for(None));
        let long = record(12_000);
        assert_eq!(take_in(&mut records, &long[..4_000]), 4_000);
        assert!(memory.take(16_000, None).is_some());
        assert_eq!(take_in(&mut records, &long[4_000..8_500]), 4_500);
        assert!(memory.take(16_000 - 4_404, None).is_some());
        assert!(memory.take(16_000 - 4_403, None).is_none());

        let mut others = Records::new(memory.nothing_for(None));
        assert_eq!(take_in(&mut others, &long), long.len());
        let mut none_left = Records::new(memory.nothing_for(None));
        assert!(take_in(&mut none_left, &long) < long.len());
        drop((others, none_left));

        let mut place = records.place();
        place.pass(&long[8_500..]);
        assert!(records.took(long.len() - 8_500, place, 11_980));
        assert!(records.has_unread() && memory.take(8_500, None).is_none());
        records.gave(11_980);
        assert!(!records.has_unread() && memory.take(16_000, None).is_some());
    }

    /// A restore over https that was half done ended when strangers took the rest of the memory.
    #[test]
    fn an_upload_that_was_admitted_goes_on_whatever_others_take() {
        let memory = Memory::of(16_000);
        let mut records = Records::new(memory.nothing_for(None));
        let long = record(12_000);
        assert_eq!(take_in(&mut records, &long[..9_000]), 9_000);
        records.admit();
        let all = memory.take(16_000, None).unwrap();
        assert_eq!(take_in(&mut records, &long[9_000..]), long.len() - 9_000);
        assert_eq!(take_in(&mut records, &long), long.len());
        drop((all, records));
        assert!(memory.take(16_000, None).is_some());
    }

    #[test]
    fn a_handshake_without_end_has_an_end() {
        let memory = Memory::of(1_000_000);
        let mut records = Records::new(memory.nothing_for(None));
        let all = record(16_000).repeat(4);
        assert!(take_in(&mut records, &all) <= MOST);

        let mut records = Records::new(memory.nothing_for(None));
        let agreed = record(16_000).repeat(2);
        assert_eq!(take_in(&mut records, &agreed), agreed.len());
        records.handshake_is_over();
        let longest = record(16 * 1024 + 2048);
        assert_eq!(take_in(&mut records, &longest), LONGEST);
    }
}
