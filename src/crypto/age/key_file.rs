//! Files of keys, as the public tool writes and reads them: one key a line, empty lines and lines after `#` aside.

use super::x25519::KeyError;
use super::{Identity, MOST_KEYS, Recipient};
use std::fmt;
use std::str::FromStr;

/// The longest file of keys, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// Why a file of keys is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// It has no key.
    Empty,
    /// It has more than [`MOST_KEYS`], or is longer than [`LONGEST`].
    TooLong,
    /// What is wrong with the key in this line, counted from 1.
    Line(usize, KeyError),
}

impl Recipient {
    /// All recipients of a file, at least one.
    pub fn read_file(text: &str) -> Result<Vec<Self>, KeyFileError> {
        read(text)
    }
}

impl Identity {
    /// All identities of a file, at least one.
    pub fn read_file(text: &str) -> Result<Vec<Self>, KeyFileError> {
        read(text)
    }
}

fn read<T: FromStr<Err = KeyError>>(text: &str) -> Result<Vec<T>, KeyFileError> {
    if text.len() > LONGEST {
        return Err(KeyFileError::TooLong);
    }
    let mut keys = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if keys.len() == MOST_KEYS {
            return Err(KeyFileError::TooLong);
        }
        keys.push(
            line.parse()
                .map_err(|why| KeyFileError::Line(at + 1, why))?,
        );
    }
    if keys.is_empty() {
        return Err(KeyFileError::Empty);
    }
    Ok(keys)
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no key in it"),
            Self::TooLong => write!(f, "it has more than {MOST_KEYS} keys or {LONGEST} bytes"),
            Self::Line(line, why) => write!(f, "line {line}: {why}"),
        }
    }
}

impl std::error::Error for KeyFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_between_comments() {
        let (one, two) = (Identity::generate(), Identity::generate());
        let text = format!(
            "# created: today\r\n# public key: {}\n{}\r\n\n  {}\n",
            one.recipient(),
            one.text().expose(),
            two.text().expose()
        );
        let read: Vec<Recipient> = Identity::read_file(&text)
            .unwrap()
            .iter()
            .map(Identity::recipient)
            .collect();
        assert_eq!(read, [one.recipient(), two.recipient()]);
    }

    #[test]
    fn a_file_without_a_key_or_with_a_wrong_one_says_so() {
        assert_eq!(
            Recipient::read_file("# none\n").err(),
            Some(KeyFileError::Empty)
        );
        assert_eq!(
            Recipient::read_file("\nage1x\n").err(),
            Some(KeyFileError::Line(2, KeyError::Malformed))
        );
        let one = Identity::generate().recipient().to_string() + "\n";
        assert!(Recipient::read_file(&one.repeat(MOST_KEYS)).is_ok());
        assert_eq!(
            Recipient::read_file(&one.repeat(MOST_KEYS + 1)).err(),
            Some(KeyFileError::TooLong)
        );
        assert_eq!(
            Identity::read_file(&"#".repeat(LONGEST + 1)).err(),
            Some(KeyFileError::TooLong)
        );
    }
}
