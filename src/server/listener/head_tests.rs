//! Properties of heads, whatever bytes arrive and however they are split. What is refused and why is told on the wire,
//! in `tests/listener/framing.rs`.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 512;

/// The length of the head in `bytes`, which arrive in pieces that end at `splits`.
fn scan(bytes: &[u8], splits: &[usize]) -> Result<Option<usize>, Refusal> {
    let mut scanner = HeadScanner::new(LIMIT);
    let mut ends: Vec<usize> = splits
        .iter()
        .map(|split| split % (bytes.len() + 1))
        .collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        match scanner.find_end(&bytes[..end]) {
            Ok(None) => {}
            decided => return decided,
        }
    }
    Ok(None)
}

/// Bytes that come close to a head more often than random ones would.
fn nearly_a_head() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just("GET / HTTP/1.1\r\n".as_bytes().to_vec()),
        Just("POST http://a/b?c HTTP/1.0\r\n".as_bytes().to_vec()),
        Just("Host: a\r\n".as_bytes().to_vec()),
        Just("Content-Length: 5\r\n".as_bytes().to_vec()),
        Just("Transfer-Encoding: chunked\r\n".as_bytes().to_vec()),
        Just("Connection: close, keep-alive\r\n".as_bytes().to_vec()),
        Just("\r\n".as_bytes().to_vec()),
        Just(" \t:".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(fragment, 0..12).prop_map(|fragments| fragments.concat())
}

proptest! {
    #[test]
    fn however_a_head_is_split_the_result_is_the_same(
        bytes in nearly_a_head(),
        splits in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(scan(&bytes, &splits), scan(&bytes, &[]));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = scan(&bytes, &[]);
        let _ = parse(&bytes);
    }

    #[test]
    fn an_accepted_head_keeps_its_promises(bytes in nearly_a_head()) {
        if let Ok(Some(length)) = scan(&bytes, &[])
            && let Ok(head) = parse(&bytes[..length])
        {
            let count = |wanted: &str| head.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).count();
            prop_assert!(head.target.starts_with('/'));
            prop_assert!(count("host") <= 1 && (head.version == Version::Http10 || count("host") == 1));
            prop_assert!(count("content-length") + count("transfer-encoding") <= 1);
            let clean = |text: &str| !text.contains(['\r', '\n', '\0']);
            prop_assert!(clean(&head.target) && head.fields.iter().all(|(name, value)| clean(name) && clean(value)));
        }
    }

    #[test]
    fn a_target_in_origin_form_is_left_as_it_is(target in "/[!-\"$-~]{0,40}") {
        prop_assert_eq!(origin_form(&target), Ok((target.clone(), None)));
    }
}

#[test]
fn a_head_as_long_as_its_limit_passes_and_one_byte_more_does_not() {
    let head = |size: usize| format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(size - 23));
    assert_eq!(scan(head(LIMIT).as_bytes(), &[]), Ok(Some(LIMIT)));
    assert_eq!(
        scan(head(LIMIT + 1).as_bytes(), &[]),
        Err(Refusal::HeadTooLarge)
    );
}

#[test]
fn the_bytes_behind_a_head_are_not_looked_at() {
    assert_eq!(scan(b"GET / HTTP/1.1\r\n\r\n\0\n\r", &[]), Ok(Some(18)));
}

#[test]
fn a_value_that_is_not_utf_8_is_read_as_latin_1() {
    let head = parse(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: caf\xe9\r\n\r\n").unwrap();
    assert_eq!(head.fields[1].1, "café");
}
