//! The code that a person types for another device (RFC 8628 §6.1): eight letters without vowels, shown `XXXX-XXXX`.
//!
//! 20 letters in 8 places are 25,600,000,000 codes, 34.6 bits. How many of them may be tried stands with the counters
//! that bound it (`server::device_limits`).

use std::fmt;
use std::str::FromStr;

/// RFC 8628 §6.1: no vowels, so no words; no digits, so nothing that looks like a letter.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// 20^8.
const CODES: u64 = 25_600_000_000;
/// Longer texts are no code that somebody typed.
const TYPED_MAX: usize = 100;

/// A user code. Equal when its letters are: dash, case and spaces do not count.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserCode([u8; LENGTH]);

/// The text is not a user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserCodeError;

impl fmt::Display for UserCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a code: expected eight letters")
    }
}

impl std::error::Error for UserCodeError {}

impl UserCode {
    /// From 64 fresh random bits. 2^64 is no multiple of 20^8: some codes are likelier by one part in 700 million.
    pub fn from_random(random: u64) -> Self {
        let mut rest = random % CODES;
        let mut letters = [b'B'; LENGTH];
        for place in letters.iter_mut().rev() {
            let digit = usize::try_from(rest % 20).unwrap_or(0);
            *place = ALPHABET.get(digit).copied().unwrap_or(b'B');
            rest /= 20;
        }
        Self(letters)
    }

    /// As a key of the data file.
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl FromStr for UserCode {
    type Err = UserCodeError;

    /// As it was typed. RFC 8628 §6.1: upper case, and without whatever is no letter of a code.
    fn from_str(text: &str) -> Result<Self, UserCodeError> {
        if text.len() > TYPED_MAX {
            return Err(UserCodeError);
        }
        let letters: Vec<u8> = text
            .bytes()
            .map(|byte| byte.to_ascii_uppercase())
            .filter(|byte| ALPHABET.contains(byte))
            .collect();
        letters.try_into().map(Self).map_err(|_| UserCodeError)
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.iter().enumerate() {
            let dash = if place == LENGTH / 2 { "-" } else { "" };
            write!(f, "{dash}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for UserCode {
    /// Whoever has it may answer for the device: no log gets it by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

stored_as_text!(UserCode);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc8628_section_6_1_dash_case_and_spaces_do_not_count() {
        let code: UserCode = "WDJB-MJHT".parse().unwrap();
        for typed in [
            "wdjbmjht",
            " WDJB MJHT ",
            "wdjb–mjht",
            "W.D.J.B-M.J.H.T",
            "WDJBO-MJHT",
        ] {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTB",
            "AAAA-AAAA",
            "12345678",
            "ＷＤＪＢＭＪＨＴ",
        ] {
            assert_eq!(typed.parse::<UserCode>(), Err(UserCodeError), "{typed}");
        }
        let long = format!("{}WDJBMJHT", " ".repeat(100));
        assert_eq!(long.parse::<UserCode>(), Err(UserCodeError));
    }

    #[test]
    fn a_code_does_not_print_itself_by_accident() {
        let code = UserCode::from_random(7);
        assert!(!format!("{code:?}").contains(&code.to_string()));
    }

    #[test]
    fn the_first_and_the_last_code_are_the_ends_of_the_alphabet() {
        assert_eq!(UserCode::from_random(0).to_string(), "BBBB-BBBB");
        assert_eq!(UserCode::from_random(CODES - 1).to_string(), "ZZZZ-ZZZZ");
        assert_eq!(CODES, 20_u64.pow(8));
    }

    proptest! {
        #[test]
        fn text_and_back(random: u64) {
            let code = UserCode::from_random(random);
            let text = code.to_string();
            prop_assert_eq!(text.len(), 9);
            prop_assert!(!text.contains(['A', 'E', 'I', 'O', 'U', 'Y']));
            prop_assert_eq!(text.parse(), Ok(code));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: String) {
            if let Ok(code) = text.parse::<UserCode>() {
                prop_assert_eq!(code.to_string().parse(), Ok(code));
            }
        }
    }
}
