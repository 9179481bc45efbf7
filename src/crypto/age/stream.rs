//! The content: chunks of 64 KiB, each sealed with ChaCha20-Poly1305 (RFC 8439) under a counter, the last one marked.
//! <https://age-encryption.org/v1> "Payload". So no chunk can be changed, moved, left out or added unseen, and the
//! content streams through 64 KiB of memory however long it is.

use super::{AgeError, FileKey};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::io::{self, Read, Write};
use zeroize::{Zeroize as _, Zeroizing};

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// The key of a content, with the place of the next chunk.
pub(super) struct ChunkKey {
    key: LessSafeKey,
    next: u64,
}

impl ChunkKey {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, AgeError> {
        Ok(Self {
            key: sealing_key(key)?,
            next: 0,
        })
    }

    /// Eleven bytes of counter, one that says whether it is the last chunk.
    fn nonce(&self, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        let (_, counter) = nonce.split_at_mut(3);
        for (to, from) in counter.iter_mut().zip(self.next.to_be_bytes()) {
            *to = from;
        }
        if let Some(mark) = nonce.last_mut() {
            *mark = u8::from(last);
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// 2^64 chunks are more than any disk has; all the same, no nonce comes twice.
    fn advance(&mut self) -> io::Result<()> {
        self.next = self
            .next
            .checked_add(1)
            .ok_or_else(|| broken(AgeError::Content))?;
        Ok(())
    }
}

/// Takes the content of a file. [`Self::finish`] ends it.
pub struct Encrypting<W> {
    out: W,
    key: ChunkKey,
    /// At most one chunk, which is sealed when it is known whether it is the last.
    held: Zeroizing<Vec<u8>>,
}

impl<W: Write> Encrypting<W> {
    pub(super) fn new(out: W, key: ChunkKey) -> Self {
        Self {
            out,
            key,
            held: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
        }
    }

    /// Seals the last chunk and gives back what was written to, which is neither flushed nor synced.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.key.nonce(last);
        self.key
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut *self.held)
            .map_err(|_| broken(AgeError::Content))?;
        self.out.write_all(&self.held)?;
        self.held.clear();
        self.key.advance()
    }
}

impl<W: Write> Write for Encrypting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() && self.held.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.held.len());
        let (now, _) = bytes.split_at(taken);
        self.held.extend_from_slice(now);
        Ok(taken)
    }

    /// What is held stays held: a chunk that is cut short is the last one.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The content of a file, as it is read. An error of kind `InvalidData` says that the file was cut short or changed.
pub struct Decrypting<R> {
    input: R,
    key: ChunkKey,
    /// What is opened and not yet read, from `given` on.
    open: Zeroizing<Vec<u8>>,
    given: usize,
    state: State,
}

enum State {
    /// More chunks follow.
    Going,
    /// The last chunk was opened; nothing may follow it.
    Last,
    /// All was read, and nothing followed.
    Ended,
    /// It failed once, and does so again.
    Broken,
}

impl<R: Read> Decrypting<R> {
    pub(super) fn new(input: R, key: ChunkKey) -> Self {
        Self {
            input,
            key,
            open: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            given: 0,
            state: State::Going,
        }
    }

    /// The next chunk into `open`; says whether it was the last.
    fn chunk(&mut self) -> io::Result<bool> {
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        let most = u64::try_from(CHUNK + TAG).unwrap_or(0);
        self.input.by_ref().take(most).read_to_end(&mut sealed)?;
        let full = sealed.len() == CHUNK + TAG;
        // Only a file without any content has an empty chunk.
        if sealed.len() < TAG || sealed.len() == TAG && self.key.next > 0 {
            return Err(broken(AgeError::Content));
        }
        // A full chunk may be any; a shorter one is the last, or the file was cut.
        for last in [false, true] {
            if !last && !full {
                continue;
            }
            self.open.zeroize();
            self.open.extend_from_slice(&sealed);
            let nonce = self.key.nonce(last);
            let opened = self
                .key
                .key
                .open_in_place(nonce, Aad::empty(), &mut self.open)
                .map(|content| content.len());
            if let Ok(length) = opened {
                self.open.truncate(length);
                self.given = 0;
                self.key.advance()?;
                return Ok(last);
            }
        }
        self.open.zeroize();
        Err(broken(AgeError::Content))
    }

    fn step(&mut self) -> io::Result<State> {
        match self.state {
            State::Going => Ok(if self.chunk()? {
                State::Last
            } else {
                State::Going
            }),
            State::Last => match self.input.read(&mut [0])? {
                0 => Ok(State::Ended),
                _ => Err(broken(AgeError::Content)),
            },
            State::Ended => Ok(State::Ended),
            State::Broken => Err(broken(AgeError::Content)),
        }
    }
}

impl<R: Read> Read for Decrypting<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = self.open.get(self.given..).unwrap_or_default();
            if !rest.is_empty() || to.is_empty() {
                let mut rest = rest;
                let read = rest.read(to)?;
                self.given += read;
                return Ok(read);
            }
            if matches!(self.state, State::Ended) {
                return Ok(0);
            }
            match self.step() {
                Ok(state) => self.state = state,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    self.state = State::Broken;
                    return Err(error);
                }
            }
        }
    }
}

/// Wraps a file key. The nonce is zero: the key wraps this one alone.
pub(super) fn seal_file_key(key: &[u8; 32], file_key: &FileKey) -> Result<Vec<u8>, AgeError> {
    // Room for the tag, so that the plain file key is sealed where it lies.
    let mut bytes = Vec::with_capacity(file_key.len() + TAG);
    bytes.extend_from_slice(file_key.as_slice());
    sealing_key(key)?
        .seal_in_place_append_tag(zero_nonce(), Aad::empty(), &mut bytes)
        .map_err(|_| AgeError::Header("a file key that cannot be wrapped"))?;
    Ok(bytes)
}

/// Unwraps a file key; `None` when it is wrapped with another key.
pub(super) fn open_file_key(key: &[u8; 32], wrapped: [u8; 32]) -> Option<FileKey> {
    let mut bytes = Zeroizing::new(wrapped);
    let opened = sealing_key(key)
        .ok()?
        .open_in_place(zero_nonce(), Aad::empty(), bytes.as_mut_slice())
        .ok()?;
    let file_key: &[u8; 16] = (&*opened).try_into().ok()?;
    Some(Zeroizing::new(*file_key))
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn sealing_key(key: &[u8; 32]) -> Result<LessSafeKey, AgeError> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .map(LessSafeKey::new)
        .map_err(|_| AgeError::Header("a key of a wrong length"))
}

fn broken(error: AgeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
