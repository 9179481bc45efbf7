//! The header of an age file: its grammar, strictly, and its length.
//! <https://age-encryption.org/v1> "Textual file key wrapping". Owns: which bytes are a header, and which of them the
//! HMAC covers. Not here: what a stanza means (`x25519`, `passphrase`).

use super::{AgeError, passphrase, x25519};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::io::{BufRead, Read};

/// The longest header that is read, in bytes: some 150 recipients.
pub const LONGEST: usize = 16 * 1024;

pub(super) const VERSION_LINE: &str = "age-encryption.org/v1\n";
pub(super) const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Characters in a line of a stanza's body; the last line has fewer.
const COLUMNS: usize = 64;
/// A line that is longer has an argument of no known kind.
const LONGEST_LINE: usize = 4 * 1024;

/// One way to the file key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stanza {
    /// Its type, then what belongs to that.
    pub arguments: Vec<String>,
    /// The wrapped file key.
    pub body: Vec<u8>,
}

impl Stanza {
    /// Its type.
    pub fn kind(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }
}

/// A header that keeps to the format. Whether it was tampered with is known once a stanza gave the file key.
#[derive(Debug)]
pub struct Header {
    stanzas: Vec<Stanza>,
    mac: [u8; 32],
    covered: Vec<u8>,
}

impl Header {
    /// Reads as far as the header goes, and not a byte further.
    pub fn read(input: &mut impl BufRead) -> Result<Self, AgeError> {
        let mut lines = Lines {
            input,
            read: Vec::new(),
        };
        let first = lines.next()?;
        if first.as_bytes().starts_with(ARMOR) {
            return Err(AgeError::Armored);
        }
        if !first.starts_with("age-encryption.org/") {
            return Err(AgeError::NotAge);
        }
        if first != VERSION_LINE.trim_end() {
            return Err(AgeError::Header("an unknown version of the format"));
        }
        let mut stanzas = Vec::new();
        loop {
            let line = lines.next()?;
            if let Some(rest) = line.strip_prefix("---") {
                let mac = rest
                    .strip_prefix(' ')
                    .and_then(from_base64)
                    .and_then(|mac| mac.try_into().ok())
                    .ok_or(AgeError::Header("its last line"))?;
                // All up to the dashes, which the HMAC covers too.
                let covered = lines.read.len() - (rest.len() + 1);
                lines.read.truncate(covered);
                check(&stanzas)?;
                return Ok(Self {
                    stanzas,
                    mac,
                    covered: lines.read,
                });
            }
            let arguments = arguments(&line)?;
            let body = body(&mut lines)?;
            stanzas.push(Stanza { arguments, body });
        }
    }

    /// Whether a passphrase opens the file, and no key does.
    pub fn needs_passphrase(&self) -> bool {
        self.stanzas.iter().any(|s| s.kind() == passphrase::KIND)
    }

    pub(super) fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    pub(super) fn covered(&self) -> &[u8] {
        &self.covered
    }

    pub(super) fn mac(&self) -> &[u8; 32] {
        &self.mac
    }
}

/// The whole header for these stanzas; `sign` makes the HMAC of what it covers.
pub(super) fn write(stanzas: &[Stanza], sign: impl FnOnce(&[u8]) -> ring::hmac::Tag) -> Vec<u8> {
    let mut text = VERSION_LINE.to_owned();
    for stanza in stanzas {
        text.push_str("->");
        for argument in &stanza.arguments {
            text.push(' ');
            text.push_str(argument);
        }
        text.push('\n');
        let body = base64(&stanza.body);
        let mut rest = body.as_str();
        while let Some((line, more)) = rest.split_at_checked(COLUMNS) {
            text.push_str(line);
            text.push('\n');
            rest = more;
        }
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("---");
    let mac = sign(text.as_bytes());
    text.push(' ');
    text.push_str(&base64(mac.as_ref()));
    text.push('\n');
    text.into_bytes()
}

/// What must hold of the stanzas together and of each that is known, whoever opens the file.
fn check(stanzas: &[Stanza]) -> Result<(), AgeError> {
    if stanzas.is_empty() {
        return Err(AgeError::Header("nobody it is encrypted to"));
    }
    for stanza in stanzas {
        match stanza.kind() {
            x25519::KIND => x25519::parse(stanza).map(|_| ())?,
            passphrase::KIND if stanzas.len() > 1 => {
                return Err(AgeError::Header("a passphrase beside another recipient"));
            }
            passphrase::KIND => passphrase::parse(stanza).map(|_| ())?,
            _ => {}
        }
    }
    Ok(())
}

/// `-> type argument…`: each at least one visible character, one space between.
fn arguments(line: &str) -> Result<Vec<String>, AgeError> {
    let bad = AgeError::Header("a line that begins no recipient");
    let Some(rest) = line.strip_prefix("-> ") else {
        return Err(bad);
    };
    rest.split(' ')
        .map(|argument| {
            (!argument.is_empty() && argument.bytes().all(|b| b.is_ascii_graphic()))
                .then(|| argument.to_owned())
        })
        .collect::<Option<Vec<String>>>()
        .ok_or(bad)
}

/// Full lines, then one that is shorter, which may be empty.
fn body(lines: &mut Lines<'_, impl BufRead>) -> Result<Vec<u8>, AgeError> {
    let mut bytes = Vec::new();
    loop {
        let line = lines.next()?;
        if line.len() > COLUMNS {
            return Err(AgeError::Header("a line that is too long"));
        }
        bytes.extend(from_base64(&line).ok_or(AgeError::Header("a line that is not base64"))?);
        if line.len() < COLUMNS {
            return Ok(bytes);
        }
    }
}

/// The lines of the header, each without its newline; remembers all that was read.
struct Lines<'a, R> {
    input: &'a mut R,
    read: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> Result<String, AgeError> {
        let left = LONGEST.saturating_sub(self.read.len()).min(LONGEST_LINE);
        let mut line = Vec::new();
        let limit = u64::try_from(left).unwrap_or(0);
        self.input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)?;
        let first = self.read.is_empty();
        self.read.extend_from_slice(&line);
        if line.pop() != Some(b'\n') {
            return Err(match (first, line.len() + 1 >= left) {
                (true, _) => AgeError::NotAge,
                (false, true) => AgeError::HeaderTooLong,
                (false, false) => AgeError::Header("it ends early"),
            });
        }
        String::from_utf8(line).map_err(|_| match first {
            true => AgeError::NotAge,
            false => AgeError::Header("a line that is not text"),
        })
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Strict: no padding, no other alphabet, no trailing bits.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mac(_: &[u8]) -> ring::hmac::Tag {
        ring::hmac::sign(
            &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[1; 32]),
            b"",
        )
    }

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written_and_no_further(
            stanzas in proptest::collection::vec(
                (proptest::collection::vec("[!-~]{1,9}", 1..4), proptest::collection::vec(any::<u8>(), 0..150)), 1..5,
            ),
            after: Vec<u8>,
        ) {
            let stanzas: Vec<Stanza> =
                stanzas.into_iter().map(|(arguments, body)| Stanza { arguments, body }).collect();
            let mut file = write(&stanzas, mac);
            file.extend_from_slice(&after);
            let mut input = file.as_slice();
            let header = Header::read(&mut input).unwrap();
            prop_assert_eq!(header.stanzas(), stanzas.as_slice());
            prop_assert_eq!(input, after.as_slice());
            prop_assert!(header.covered().ends_with(b"\n---"));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut file = VERSION_LINE.as_bytes().to_vec();
            file.extend_from_slice(&bytes);
            prop_assert!(Header::read(&mut file.as_slice()).is_err());
        }
    }

    #[test]
    fn an_endless_header_is_left_at_its_bound() {
        let mut endless = VERSION_LINE.as_bytes().to_vec();
        while endless.len() < 10 * LONGEST {
            endless.extend_from_slice(b"-> some type\n\n");
        }
        let mut input = endless.as_slice();
        assert!(matches!(
            Header::read(&mut input),
            Err(AgeError::HeaderTooLong)
        ));
        assert!(endless.len() - input.len() <= LONGEST);
        let line = [VERSION_LINE.as_bytes(), b"-> ", &[b'a'; 100_000]].concat();
        assert!(matches!(
            Header::read(&mut line.as_slice()),
            Err(AgeError::HeaderTooLong)
        ));
    }

    #[test]
    fn a_file_that_is_no_age_file_is_told_apart() {
        for other in [
            &b""[..],
            b"redb\x1a\x0a\xa9\x0d\x0a",
            &[0; 50_000],
            &[b'x'; 50_000],
        ] {
            assert!(matches!(Header::read(&mut &*other), Err(AgeError::NotAge)));
        }
        let armored = b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n";
        assert!(matches!(
            Header::read(&mut armored.as_slice()),
            Err(AgeError::Armored)
        ));
    }
}
