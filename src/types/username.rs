//! Names of people and groups.

use std::fmt;
use std::str::FromStr;

/// The name a person signs in with: 1 to 64 letters, digits and `. _ - @ +`, compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Username(String);

/// The name of a group: 1 to 64 letters, digits, inner spaces and `. _ - : / @ +`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName(String);

/// The text cannot be such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// For a person.
    User,
    /// For a group.
    Group,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "a name has 1 to 64 letters without accents, digits, or . _ - @ +",
            Self::Group => "a group's name has 1 to 64 letters without accents, digits, spaces, or . _ - : / @ +",
        })
    }
}

impl std::error::Error for NameError {}

impl Username {
    /// As it was typed at creation.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared: ASCII only, so lower case is the whole of it and no look-alike letter can enter.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Username {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@+".contains(&b));
        if !allowed || !(1..=64).contains(&text.len()) {
            return Err(NameError::User);
        }
        Ok(Self(text.to_owned()))
    }
}

impl GroupName {
    /// The name; compared exactly, as applications do.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like: no two groups may differ by capitals and spaces only.
    pub fn folded(&self) -> String {
        let words: Vec<&str> = self.0.split(' ').filter(|word| !word.is_empty()).collect();
        words.join(" ").to_ascii_lowercase()
    }
}

impl FromStr for GroupName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" ._-:/@+".contains(&b));
        if !allowed || !(1..=64).contains(&text.len()) || text.trim() != text {
            return Err(NameError::Group);
        }
        Ok(Self(text.to_owned()))
    }
}

as_text!(Username, GroupName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_refused_or_equal() {
        assert_eq!("Alice".parse::<Username>().unwrap().folded(), "alice");
        for bad in ["", "al ice", "аlice", "a\u{200b}b", "a/b", "a\"b"] {
            assert_eq!(bad.parse::<Username>(), Err(NameError::User), "{bad:?}");
        }
        for bad in ["", " a", "a\n", "ádmin"] {
            assert_eq!(bad.parse::<GroupName>(), Err(NameError::Group), "{bad:?}");
        }
    }
}
