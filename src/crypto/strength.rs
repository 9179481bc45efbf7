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

/// Characters that a random secret has at least.
pub const RANDOM_LENGTH: usize = 24;
/// Fewer different ones are a pattern: of 24 random hexadecimal digits they come once in ten million times.
const RANDOM_CHARACTERS: usize = 8;
/// As zxcvbn counts, which stops at 2^64: what is less has a pattern that it knows.
const RANDOM_GUESSES_LOG10: f64 = 19.0;

/// Whether a secret is so long and so much without a pattern that a machine drew it, and nobody finds it by trying, however
/// quickly a try is checked. Words, in whatever language, keep to one kind of letter for a while; what is drawn changes
/// between small and capital letters, digits and signs all the time. In doubt it is not random.
pub fn looks_random(secret: &Secret) -> bool {
    // zxcvbn's time grows with the length.
    let head: Vec<char> = secret.expose().chars().take(100).collect();
    let different: std::collections::BTreeSet<&char> = head.iter().collect();
    if head.len() < RANDOM_LENGTH || different.len() < RANDOM_CHARACTERS {
        return false;
    }
    let changes = head.windows(2).filter(|pair| match pair {
        [one, next] => sort(*one) != sort(*next),
        _ => false,
    });
    let drawn = changes.count() * 5 >= (head.len() - 1) * 2 || is_hexadecimal(&head);
    let head: String = head.iter().collect();
    drawn && zxcvbn::zxcvbn(&head, &[]).guesses_log10() >= RANDOM_GUESSES_LOG10
}

fn sort(character: char) -> u8 {
    match character {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    }
}

/// Digits and a to f, perhaps with the strokes of a UUID: no words are made of those.
fn is_hexadecimal(text: &[char]) -> bool {
    let digits = text.iter().filter(|c| c.is_ascii_digit()).count();
    let letters = text
        .iter()
        .filter(|c| matches!(c, 'a'..='f' | 'A'..='F'))
        .count();
    let strokes = text.iter().filter(|c| **c == '-').count();
    digits + letters >= RANDOM_LENGTH
        && digits + letters + strokes == text.len()
        && digits.min(letters) >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_drew_looks_random_and_what_a_person_thought_up_does_not() {
        let random = |text: &str| looks_random(&Secret::new(text.to_owned()));
        for text in [
            "insecure_secret",
            "vX9#mQ2!pLz8wR4$tY7",
            "correct horse battery staple",
            "CorrectHorseBatteryStaple42",
            "besonders-langweilige-giraffe-7",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "passwordpasswordpasswordpassword",
            "1234567890123456789012345678901234567890",
            "qwertyuiopasdfghjklzxcvbnm",
            "abcdefghijklmnopqrstuvwxyz0123456789",
        ] {
            assert!(!random(text), "{text}");
        }
        let mut seed = 7_u64;
        let mut draw = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        for letters in [
            "0123456789abcdef",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
        ] {
            for length in [24, 32, 72] {
                let letters: Vec<char> = letters.chars().collect();
                let mut one = || letters[usize::try_from(draw()).unwrap() % letters.len()];
                let text: String = (0..length).map(|_| one()).collect();
                assert!(random(&text), "{text}");
            }
        }
        assert!(random("b6c1f0a7-53d2-4e8b-9a64-0f7d2c81e35a"));
    }

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
