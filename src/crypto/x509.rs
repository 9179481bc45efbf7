//! When a certificate counts: the validity of X.509. RFC 5280 §4.1.2.5, X.690 (DER). Pure.
//! Owns: finding these two moments. Not here: chains, names and signatures, which rustls checks.

use crate::types::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// From when until when a certificate counts, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`; a moment before 1970 is the first of 1970.
    pub not_before: Timestamp,
    /// `notAfter`, likewise.
    pub not_after: Timestamp,
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The validity of a certificate in DER; `None` for what does not parse as far as there.
pub fn validity(certificate: &[u8]) -> Option<Validity> {
    // Certificate and TBSCertificate, RFC 5280 §4.1: version, serialNumber, signature, issuer, validity.
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        fields = element(fields, tag)?.1;
    }
    let (times, _) = element(fields, SEQUENCE)?;
    let (not_before, times) = time(times)?;
    let (not_after, _) = time(times)?;
    Some(Validity {
        not_before,
        not_after,
    })
}

/// What an element of this tag holds, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        // X.690 §8.1.3.5: the length in one to three bytes; more than 16 MiB is no certificate.
        long @ 0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = digits
                .iter()
                .fold(0, |so_far, digit| so_far << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    (*found == tag).then_some((content, rest))
}

/// `Time`, RFC 5280 §4.1.2.5: always with seconds, always UTC, and what follows it.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    if let Some((text, rest)) = element(der, UTC_TIME) {
        let (year, text) = number(text, 2)?;
        // §4.1.2.5.1
        let century = if year >= 50 { 1900 } else { 2000 };
        return Some((moment(century + year, text)?, rest));
    }
    let (text, rest) = element(der, GENERALIZED_TIME)?;
    let (year, text) = number(text, 4)?;
    Some((moment(year, text)?, rest))
}

/// `MMDDHHMMSSZ` of a year.
fn moment(year: i16, text: &[u8]) -> Option<Timestamp> {
    let mut left = text;
    let mut two = || {
        let (value, rest) = number(left, 2)?;
        left = rest;
        i8::try_from(value).ok()
    };
    let (month, day, hour, minute, second) = (two()?, two()?, two()?, two()?, two()?);
    if left != b"Z" {
        return None;
    }
    let local = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let at = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_secs(
        u64::try_from(at.as_second()).unwrap_or(0),
    ))
}

/// So many decimal digits, and what follows them.
fn number(text: &[u8], digits: usize) -> Option<(i16, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let mut value = 0;
    for digit in number {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i16::from(digit - b'0');
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(from: i32, to: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["id.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 2);
        params.not_after = date_time_ymd(to, 3, 4);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    /// Midnight of a day, by another way than the code's.
    fn midnight(day: &str) -> Timestamp {
        let at: jiff::Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        Timestamp::from_secs(u64::try_from(at.as_second()).unwrap())
    }

    #[test]
    fn rfc5280_section_4_1_2_5_both_forms_of_time_are_read() {
        for (from, to) in [(1990, 2026), (2026, 2049), (2049, 2050), (2051, 4096)] {
            let found = validity(&certificate(from, to)).unwrap();
            let expected = Validity {
                not_before: midnight(&format!("{from}-01-02")),
                not_after: midnight(&format!("{to}-03-04")),
            };
            assert_eq!(found, expected, "{from} to {to}");
        }
    }

    #[test]
    fn a_certificate_from_before_the_epoch_counts_from_the_epoch() {
        let found = validity(&certificate(1960, 2026)).unwrap();
        assert_eq!(found.not_before, Timestamp::from_secs(0));
    }

    #[test]
    fn what_is_no_certificate_has_no_validity() {
        let good = certificate(2026, 2027);
        let times = good
            .windows(2)
            .position(|two| two == [UTC_TIME, 13])
            .unwrap();
        for cut in 0..times + 30 {
            assert_eq!(validity(&good[..cut]), None, "cut at {cut}");
        }
        for (at, value) in [
            (0, 0x31),
            (1, 0x84),
            (times, 0x04),
            (times + 2, b'x'),
            (times + 4, b'9'),
            (times + 14, b'+'),
        ] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(validity(&bad), None, "{value} at {at}");
        }
    }
}
