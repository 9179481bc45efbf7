//! Scope: a set of scope tokens (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A set of scope tokens, kept in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(BTreeSet<String>);

/// A scope token has a character that RFC 6749 §3.3 does not allow, or is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeError;

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scope has a character that is not allowed")
    }
}

impl std::error::Error for ScopeError {}

/// Longer tokens are no use to anyone and would fill the file.
const TOKEN_MAX: usize = 200;
const TOKENS_MAX: usize = 100;

impl Scope {
    /// Whether the token is in the set.
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether the set has no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every token of this set is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The tokens that are in both.
    pub fn common_with(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that are in either.
    pub fn joined_with(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// This set without one token.
    pub fn without(&self, token: &str) -> Self {
        Self(self.0.iter().filter(|t| *t != token).cloned().collect())
    }

    /// The tokens in order.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let mut tokens = BTreeSet::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
            let allowed = token
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
            if !allowed || token.len() > TOKEN_MAX || tokens.len() >= TOKENS_MAX {
                return Err(ScopeError);
            }
            tokens.insert(token.to_owned());
        }
        Ok(Self(tokens))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for token in &self.0 {
            if !std::mem::take(&mut first) {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

stored_as_text!(Scope);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(scope("openid  email openid"), scope("email openid"));
        assert_eq!(scope("openid email").to_string(), "email openid");
    }

    #[test]
    fn quotes_backslashes_and_controls_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "é", "\u{7f}"] {
            assert_eq!(bad.parse::<Scope>(), Err(ScopeError), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_common_is_within_both(a in "[a-d ]{0,12}", b in "[a-d ]{0,12}") {
            let (a, b) = (scope(&a), scope(&b));
            let common = a.common_with(&b);
            prop_assert!(common.is_within(&a) && common.is_within(&b));
            prop_assert!(a.is_within(&a.joined_with(&b)));
            prop_assert_eq!(a.is_within(&b), a.common_with(&b) == a);
        }

        #[test]
        fn text_and_back(text in "[!-~ ]{0,40}") {
            if let Ok(parsed) = text.parse::<Scope>() {
                prop_assert_eq!(parsed.to_string().parse::<Scope>(), Ok(parsed));
            }
        }
    }
}
