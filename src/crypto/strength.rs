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

/// The least score that is accepted. On zxcvbn's scale 2 takes more than 10^6 guesses: strangers, who get one a minute
/// in the long run (`identity::throttle`), need almost two years for so many. 1 begins at 1,000, which they have made in
/// a day.
pub const LEAST_SCORE: u8 = 2;

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
        // Score 1: nobody's first thought, and tried within a day.
        for bad in ["summer2024", "liverpool7", "fluffy1998", "20111987"] {
            let refused = rate(bad).unwrap_err();
            assert_eq!(refused.score, 1, "{bad}");
            assert!(refused.advice.contains("Add another word"), "{bad}");
        }
        for good in ["correct horse battery", "vX9#mQ2!pLz"] {
            assert!(rate(good).is_ok(), "{good}");
        }
    }
}
