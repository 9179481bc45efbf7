//! How easily a password is guessed, after zxcvbn.

use crate::types::Secret;
use zxcvbn::matching::patterns::MatchPattern;

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

/// What a passphrase of a backup takes at least, as a power of ten. Whoever has the file asks nobody and is slowed down by
/// nobody: they guess on as many machines as they rent. One guess is 0.4 seconds of a core and 128 MiB (scrypt with 2^17,
/// `age`), so 10^11 are more than a thousand years of a core, where the 10^6 that do for a password are five days.
const LEAST_FOR_BACKUP_LOG10: f64 = 11.0;

/// Words that a passphrase of a backup is guessed from first.
const KNOWN_OF_BACKUPS: &[&str] = &["doorlight", "backup"];

/// Whether a backup may be encrypted with this passphrase; else what would be better.
pub fn acceptable_for_backup(passphrase: &Secret) -> Result<(), String> {
    acceptable(passphrase, KNOWN_OF_BACKUPS).map_err(|judged| judged.advice)?;
    let head: String = passphrase.expose().chars().take(100).collect();
    if zxcvbn::zxcvbn(&head, KNOWN_OF_BACKUPS).guesses_log10() >= LEAST_FOR_BACKUP_LOG10 {
        return Ok(());
    }
    Err("Whoever has the file can guess as long as they like: use five words that have nothing to do with each other, or let a \
         password manager draw one."
        .to_owned())
}

/// Characters that a random secret has at least.
pub const RANDOM_LENGTH: usize = 24;
/// Fewer different ones are a pattern: of 24 random hexadecimal digits they come once in ten million times.
const RANDOM_CHARACTERS: usize = 8;
/// Shorter ones are in every text that was drawn.
const SHORTEST_WORD: usize = 4;
/// As zxcvbn counts, which stops at 2^64: what is less has a pattern that it knows.
const RANDOM_GUESSES_LOG10: f64 = 19.0;

/// Beside letters and digits, what machines draw from: base64 of both kinds, and what is unreserved in addresses.
const DRAWN_SIGNS: &[char] = &['-', '.', '_', '~', '+', '/', '='];

/// Whether a secret is so long and so much without a pattern that a machine drew it, and nobody finds it by trying, however
/// quickly a try is checked. Words, in whatever language, keep to one kind of letter for a while; what is drawn changes
/// between small and capital letters and digits all the time. In doubt it is not random.
pub fn looks_random(secret: &Secret) -> bool {
    // zxcvbn's time grows with the length.
    let head: Vec<char> = secret.expose().chars().take(100).collect();
    let different: std::collections::BTreeSet<&char> = head.iter().collect();
    if head.len() < RANDOM_LENGTH || different.len() < RANDOM_CHARACTERS {
        return false;
    }
    let drawn = is_hexadecimal(&head) || (is_mixed(&head) && !has_words(&head));
    let head: String = head.iter().collect();
    drawn && zxcvbn::zxcvbn(&head, &[]).guesses_log10() >= RANDOM_GUESSES_LOG10
}

/// Small and capital letters and digits without order. Who writes words with digits in them writes few capitals.
fn is_mixed(text: &[char]) -> bool {
    let known = |c: &char| c.is_ascii_alphanumeric() || DRAWN_SIGNS.contains(c);
    let changes = text.windows(2).filter(|pair| match pair {
        [one, next] => sort(*one) != sort(*next),
        _ => false,
    });
    let many = |is: fn(&char) -> bool| text.iter().filter(|c| is(c)).count() * 6 >= text.len();
    text.iter().all(known)
        && many(char::is_ascii_lowercase)
        && many(char::is_ascii_uppercase)
        && changes.count() * 5 >= (text.len() - 1) * 2
}

/// Whether a fifth of it is words, once digits are read as the letters that people write them for (“s3cr3t”). Single short
/// words come about by chance.
fn has_words(text: &[char]) -> bool {
    ['i', 'l'].into_iter().any(|one| {
        let plain: String = text
            .iter()
            .map(|c| match c {
                '0' => 'o',
                '1' => one,
                '3' => 'e',
                '4' => 'a',
                '5' => 's',
                '7' => 't',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        let words: usize = plain
            .split(|c: char| !c.is_ascii_alphabetic())
            .map(letters_in_words)
            .sum();
        words * 5 >= text.len()
    })
}

/// How many of the letters stand in words of a dictionary of passwords, names and English.
fn letters_in_words(letters: &str) -> usize {
    if letters.len() < SHORTEST_WORD {
        return 0;
    }
    let found = zxcvbn::zxcvbn(letters, &[]);
    let words = found.sequence().iter().filter_map(|part| {
        let is_word = matches!(part.pattern, MatchPattern::Dictionary(_));
        is_word.then(|| part.token.chars().count())
    });
    words.filter(|length| *length >= SHORTEST_WORD).sum()
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
            // Digits for letters, which hide words from zxcvbn: it finds 10^21 to 10^25 guesses in these.
            "my-gr4fana-s3cr3t-key-2024",
            "gr4f4n4_cl13nt_s3cr3t_h0m3l4b",
            "N3xtCl0ud-0AuTh-S3cr3T!!",
            "N3xtCl0ud-0AuTh-S3cr3T-24",
            "MyGr4f4n4Cl13ntS3cr3tK3y",
            "b3s0nd3rs-l4ngw31l1g3-g1r4ff3",
            "vX9#mQ2!pLz8wR4$tY7vX9#mQ2!pLz",
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
                let mut text = || -> String { (0..length).map(|_| one()).collect() };
                // Some of them have a word in them by chance.
                let passed = (0..40).filter(|_| random(&text())).count();
                assert!(passed >= 32, "{passed} of 40 of {length}");
            }
        }
        assert!(random("b6c1f0a7-53d2-4e8b-9a64-0f7d2c81e35a"));
    }

    /// They were held to what does for a sign-in, where a guess a minute is all that strangers get.
    #[test]
    fn a_passphrase_of_a_backup_withstands_whoever_has_the_file() {
        let judged = |text: &str| acceptable_for_backup(&Secret::new(text.to_owned()));
        for bad in [
            "green tea",
            "blue42house",
            "doorlight backup",
            "aaaaaaaaaaaa",
        ] {
            assert!(judged(bad).is_err(), "{bad}");
        }
        // These may be passwords.
        for enough in ["green tea", "blue42house"] {
            assert!(acceptable(&Secret::new(enough.to_owned()), KNOWN_OF_BACKUPS).is_ok());
            assert!(
                judged(enough).unwrap_err().contains("five words"),
                "{enough}"
            );
        }
        for good in [
            "correct giraffe battery lighthouse",
            "nine geese cross the frozen canal",
            "vX9#mQ2!pLz8wR",
        ] {
            assert_eq!(judged(good), Ok(()), "{good}");
        }
        let endless = "correct giraffe battery lighthouse ".repeat(1_000);
        assert!(judged(&endless).unwrap_err().contains("at most"));
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
