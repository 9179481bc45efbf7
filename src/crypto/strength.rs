//! How easily a password is guessed, after zxcvbn.

use crate::types::Secret;

/// Shown to the person who chooses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (guessed at once) to 4 (very hard to guess).
    pub score: u8,
    /// What would make it better; empty when nothing needs saying.
    pub advice: String,
}

/// The least score that is accepted: 1 withstands throttled guessing on line (zxcvbn's scale: over 1,000 guesses; ours
/// come one a minute), 0 is guessed at once. More is advised, not demanded.
pub const LEAST_SCORE: u8 = 1;

/// The least number of characters (NIST SP 800-63B §5.1.1.1).
pub const LEAST_LENGTH: usize = 8;

/// Rates a password; `known` are words that an attacker would try first (the person's names, the product's).
pub fn rate(password: &Secret, known: &[&str]) -> Strength {
    // zxcvbn's time grows with the length; the first 100 characters decide.
    let head: String = password.expose().chars().take(100).collect();
    let entropy = zxcvbn::zxcvbn(&head, known);
    let advice = entropy
        .feedback()
        .map(|feedback| {
            let mut words: Vec<String> = feedback
                .warning()
                .map(|w| w.to_string())
                .into_iter()
                .collect();
            words.extend(feedback.suggestions().iter().map(ToString::to_string));
            words.join(" ")
        })
        .unwrap_or_default();
    Strength {
        score: u8::from(entropy.score()),
        advice,
    }
}

/// Whether a password may be set at all.
pub fn acceptable(password: &Secret, known: &[&str]) -> Result<Strength, Strength> {
    let mut strength = rate(password, known);
    let length = password.expose().chars().count();
    if length < LEAST_LENGTH {
        strength.advice = format!(
            "Use at least {LEAST_LENGTH} characters. {}",
            strength.advice
        )
        .trim()
        .to_owned();
        return Err(strength);
    }
    if length > super::password::MAX_LENGTH {
        strength.advice = format!("Use at most {} characters.", super::password::MAX_LENGTH);
        return Err(strength);
    }
    if strength.score < LEAST_SCORE {
        Err(strength)
    } else {
        Ok(strength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused() {
        let rate = |text: &str| acceptable(&Secret::new(text.to_owned()), &["alice", "doorlight"]);
        for bad in ["short", "password", "aaaaaaaaaaaa", "12345678", "doorlight"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        for good in ["correct horse battery", "vX9#mQ2!pLz"] {
            assert!(rate(good).is_ok(), "{good}");
        }
    }
}
