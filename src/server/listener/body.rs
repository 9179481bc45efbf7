//! The chunked coding of request bodies, as a state machine over bytes that arrive piecemeal.
//! RFC 9112 §7.1. Owns: which chunked bodies are refused. Pure.
//! Not here: which coding a request uses (`head`), reading from the socket (`connection`).

use super::refusal::Refusal;

/// What chunk extensions and trailers together may cost, in bytes; they are read and thrown away.
const MAX_OVERHEAD: usize = 4096;

/// The hexadecimal digits of a chunk size: as many as a `u64` holds.
const MAX_SIZE_DIGITS: u8 = 16;

/// Takes a chunked body apart.
#[derive(Debug)]
pub(super) struct ChunkedDecoder {
    limit: usize,
    received: usize,
    overhead: usize,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Size { digits: u8, size: u64 },
    Extension { size: u64 },
    SizeLineFeed { size: u64 },
    Data { left: usize },
    DataCarriageReturn,
    DataLineFeed,
    TrailerStart,
    Trailer,
    TrailerLineFeed,
    LastLineFeed,
    Done,
}

const NEXT_CHUNK: State = State::Size { digits: 0, size: 0 };

impl ChunkedDecoder {
    /// A decoder for a body of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            received: 0,
            overhead: 0,
            state: NEXT_CHUNK,
        }
    }

    /// Whether the body is whole, its trailers included.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Appends the data in `bytes` to `body` and returns how many bytes were used: all, unless the body ended.
    pub(super) fn decode(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<usize, Refusal> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match self.state {
                State::Done => break,
                State::Data { left } => {
                    let (data, after) = rest.split_at_checked(left).unwrap_or((rest, &[]));
                    body.extend_from_slice(data);
                    self.received = self.received.saturating_add(data.len());
                    rest = after;
                    self.state = match left.saturating_sub(data.len()) {
                        0 => State::DataCarriageReturn,
                        left => State::Data { left },
                    };
                }
                state => {
                    self.state = self.step(state, byte)?;
                    rest = after;
                }
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn step(&mut self, state: State, byte: u8) -> Result<State, Refusal> {
        Ok(match (state, byte) {
            (State::Size { digits, size }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < MAX_SIZE_DIGITS =>
            {
                let digit = char::from(byte)
                    .to_digit(16)
                    .ok_or(Refusal::ChunkMalformed)?;
                State::Size {
                    digits: digits + 1,
                    size: size << 4 | u64::from(digit),
                }
            }
            (State::Size { digits: 1.., size }, b'\r') => State::SizeLineFeed { size },
            (State::Size { digits: 1.., size }, b';') => State::Extension { size },
            (State::Extension { size }, b'\r') => State::SizeLineFeed { size },
            (State::Extension { .. } | State::Trailer, b'\t' | b' '..=b'~' | 0x80..) => {
                self.spend()?;
                state
            }
            (State::SizeLineFeed { size: 0 }, b'\n') => State::TrailerStart,
            (State::SizeLineFeed { size }, b'\n') => {
                let left = usize::try_from(size).map_err(|_| Refusal::BodyTooLarge)?;
                if left > self.limit.saturating_sub(self.received) {
                    return Err(Refusal::BodyTooLarge);
                }
                State::Data { left }
            }
            (State::DataCarriageReturn, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => NEXT_CHUNK,
            (State::TrailerStart, b'\r') => State::LastLineFeed,
            (State::TrailerStart, b'!'..=b'~') => {
                self.spend()?;
                State::Trailer
            }
            (State::Trailer, b'\r') => State::TrailerLineFeed,
            (State::TrailerLineFeed, b'\n') => State::TrailerStart,
            (State::LastLineFeed, b'\n') => State::Done,
            _ => return Err(Refusal::ChunkMalformed),
        })
    }

    fn spend(&mut self) -> Result<(), Refusal> {
        self.overhead += 1;
        if self.overhead > MAX_OVERHEAD {
            Err(Refusal::ChunkOverhead)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
