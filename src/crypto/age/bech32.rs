//! Bech32 (BIP 173) for keys of 32 bytes: a prefix, the digit 1, the bytes in groups of five bits, a checksum that
//! finds any four mistyped characters.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];
/// Groups of five bits in 32 bytes: 51 whole ones, and one with four bits of nothing.
const DIGITS: usize = 52;
const CHECK_DIGITS: usize = 6;

/// A text is in one case throughout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
}

/// The text of a key. `prefix` is in lower case.
pub(super) fn encode(prefix: &str, key: &[u8; 32], case: Case) -> String {
    let mut digits: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(DIGITS + CHECK_DIGITS));
    let (mut held, mut bits) = (0u32, 0);
    for byte in key {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            digits.push(five_bits(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    digits.push(five_bits(held << (5 - bits)));
    let check = polymod(prefix, digits.iter().copied().chain([0; CHECK_DIGITS])) ^ 1;
    digits.extend(
        (0..CHECK_DIGITS)
            .rev()
            .map(|at| five_bits(check >> (5 * at))),
    );

    // Room for all of it: growing would leave a copy of a private key behind.
    let mut text = String::with_capacity(prefix.len() + 1 + DIGITS + CHECK_DIGITS);
    text.push_str(prefix);
    text.push('1');
    for digit in digits.iter() {
        text.push(char::from(
            ALPHABET.get(usize::from(*digit)).copied().unwrap_or(b'?'),
        ));
    }
    if case == Case::Upper {
        text.make_ascii_uppercase();
    }
    text
}

/// The key in `text`; `None` unless it is in the one form that [`encode`] gives.
pub(super) fn decode(prefix: &str, text: &str, case: Case) -> Option<Zeroizing<[u8; 32]>> {
    if text.bytes().any(|byte| match case {
        Case::Lower => byte.is_ascii_uppercase(),
        Case::Upper => byte.is_ascii_lowercase(),
    }) {
        return None;
    }
    let text = Zeroizing::new(text.to_ascii_lowercase());
    let body = text.strip_prefix(prefix)?.strip_prefix('1')?;
    if body.len() != DIGITS + CHECK_DIGITS {
        return None;
    }
    let mut digits: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(body.len()));
    for byte in body.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        digits.push(u8::try_from(digit).ok()?);
    }
    if polymod(prefix, digits.iter().copied()) != 1 {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut free = key.iter_mut();
    let (mut held, mut bits) = (0u32, 0);
    for digit in digits.iter().take(DIGITS) {
        held = (held << 5) | u32::from(*digit);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *free.next()? = u8::try_from(held >> bits).ok()?;
            held &= (1 << bits) - 1;
        }
    }
    // The four bits of nothing are zero.
    (held == 0).then_some(key)
}

fn five_bits(value: u32) -> u8 {
    u8::try_from(value & 31).unwrap_or(0)
}

/// The checksum over the prefix, spread out, and the digits.
fn polymod(prefix: &str, digits: impl Iterator<Item = u8>) -> u32 {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    high.chain([0])
        .chain(low)
        .chain(digits)
        .fold(1, |sum: u32, digit| {
            let top = sum >> 25;
            GENERATORS
                .iter()
                .enumerate()
                .filter(|(bit, _)| top >> bit & 1 == 1)
                .fold(
                    (sum & 0x01ff_ffff) << 5 ^ u32::from(digit),
                    |sum, (_, generator)| sum ^ generator,
                )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_is_text_and_back(key: [u8; 32], upper: bool) {
            let case = if upper { Case::Upper } else { Case::Lower };
            let text = encode("age", &key, case);
            prop_assert_eq!(decode("age", &text, case), Some(Zeroizing::new(key)));
            prop_assert!(decode("age-secret-key-", &text, case).is_none());
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "age1[0-9a-z]{0,80}|.*") {
            prop_assert!(decode("age", &text, Case::Lower).is_none());
        }
    }
}
