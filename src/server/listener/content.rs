//! The body of a request while it arrives. RFC 9110 §6.4.
//! Owns: that it takes no more of the memory than was asked for, that more is asked for only as more arrives, and that
//! nothing of it is given back as it is: passwords and secrets pass here. Not here: waiting for it (`connection`), its
//! coding (`body`), how much may arrive (`limits`).

use zeroize::Zeroizing;

use super::memory::{SMALL, Share};
use super::refusal::Refusal;

/// What of a body is there.
#[derive(Debug)]
pub(super) struct Content<'c> {
    bytes: Zeroizing<Vec<u8>>,
    /// How long it may become.
    most: usize,
    /// For what it takes beyond a small one's; none where others answer for it.
    share: Option<Share<'c>>,
}

impl<'c> Content<'c> {
    /// Nothing of at most so many bytes.
    pub(super) fn new(most: usize, share: Option<Share<'c>>) -> Self {
        Self {
            bytes: Zeroizing::default(),
            most,
            share,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.room_for(bytes.len())?.extend_from_slice(bytes);
        Ok(())
    }

    /// Where as many bytes find room, as far as the body may have them.
    pub(super) fn room_for(&mut self, more: usize) -> Result<&mut Vec<u8>, Refusal> {
        let needed = self.bytes.len().saturating_add(more).min(self.most);
        let capacity = self.bytes.capacity();
        if needed > capacity {
            let size = needed.max(2 * capacity).max(SMALL).min(self.most);
            self.grow(size)?;
        }
        Ok(&mut self.bytes)
    }

    /// What is there, and what stands for it.
    pub(super) fn into_parts(self) -> (Zeroizing<Vec<u8>>, Option<Share<'c>>) {
        (self.bytes, self.share)
    }

    /// A vector that grows by itself leaves a copy behind, and may take more than it needs.
    fn grow(&mut self, size: usize) -> Result<(), Refusal> {
        if let Some(share) = &mut self.share
            && !share.resize(size.saturating_sub(SMALL))
        {
            return Err(Refusal::Overloaded);
        }
        let mut larger = Zeroizing::new(Vec::new());
        larger
            .try_reserve_exact(size)
            .map_err(|_| Refusal::Overloaded)?;
        larger.extend_from_slice(&self.bytes);
        // The one before is wiped.
        self.bytes = larger;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;

    /// How much of the memory is taken.
    fn taken(memory: &Memory, all: usize) -> usize {
        (0..=all)
            .find(|taken| memory.take(all - taken, None).is_some())
            .unwrap()
    }

    /// Somebody who announced the largest body and sent nothing of it once took as much from others as who sent it.
    #[test]
    fn a_body_takes_of_the_memory_as_it_arrives_and_no_less_than_it_is() {
        const ALL: usize = 80_000;
        let memory = Memory::of(ALL);
        let mut content = Content::new(65_000, Some(memory.nothing_for(None)));
        content.push(&[b'a'; SMALL]).unwrap();
        assert_eq!(taken(&memory, ALL), 0);
        while content.len() < 65_000 {
            let piece = 1_000.min(65_000 - content.len());
            content.push(&vec![b'a'; piece]).unwrap();
            assert_eq!(taken(&memory, ALL), content.bytes.capacity() - SMALL);
            assert!(content.bytes.capacity() <= 65_000.min(2 * content.len() + SMALL));
        }
        let mut other = Content::new(65_000, Some(memory.nothing_for(None)));
        other.push(&[b'b'; 8_000]).unwrap();
        let refused = (0..60).try_for_each(|_| other.push(&[b'b'; 900]));
        assert_eq!(refused, Err(Refusal::Overloaded));
        drop(other);
        let (bytes, share) = content.into_parts();
        assert_eq!((bytes.len(), taken(&memory, ALL)), (65_000, 65_000 - SMALL));
        drop(share);
        assert_eq!(taken(&memory, ALL), 0);
    }

    #[test]
    fn a_body_that_others_answer_for_asks_nobody() {
        let mut content = Content::new(1_000_000, None);
        content.push(&[b'a'; 1_000_000]).unwrap();
        assert_eq!(content.into_parts().0.capacity(), 1_000_000);
    }
}
