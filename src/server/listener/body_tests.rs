//! Properties of chunked bodies, whatever bytes arrive and however they are split. What is refused and why is told on
//! the wire, in `tests/listener/framing.rs`.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 64;

type Decoded = Result<(Vec<u8>, Option<usize>), Refusal>;

/// The body in `bytes`, which arrive in pieces that end at `splits`, and how many of them it took if it is whole.
fn decode(bytes: &[u8], splits: &[usize]) -> Decoded {
    let mut decoder = ChunkedDecoder::new(LIMIT);
    let mut ends: Vec<usize> = splits
        .iter()
        .map(|split| split % (bytes.len() + 1))
        .collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let (mut body, mut at) = (Vec::new(), 0);
    for end in ends {
        at += decoder.decode(&bytes[at..end.max(at)], &mut body)?;
        if decoder.is_done() {
            return Ok((body, Some(at)));
        }
    }
    Ok((body, None))
}

fn nearly_chunked() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just("5\r\nhello\r\n".as_bytes().to_vec()),
        Just("1;a=b\r\nx\r\n".as_bytes().to_vec()),
        Just("0\r\n".as_bytes().to_vec()),
        Just("X: y\r\n".as_bytes().to_vec()),
        Just("\r\n".as_bytes().to_vec()),
        Just("20\r\n".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(fragment, 0..12).prop_map(|fragments| fragments.concat())
}

proptest! {
    #[test]
    fn however_a_body_is_split_the_result_is_the_same(
        bytes in nearly_chunked(),
        splits in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(decode(&bytes, &splits), decode(&bytes, &[]));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_exceed_its_limit(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok((body, _)) = decode(&bytes, &[]) {
            prop_assert!(body.len() <= LIMIT);
        }
    }

    #[test]
    fn what_was_chunked_comes_back_whole(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..16), 0..4),
        behind in proptest::collection::vec(any::<u8>(), 0..10),
    ) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        let length = bytes.len();
        bytes.extend(behind);
        prop_assert_eq!(decode(&bytes, &[]), Ok((chunks.concat(), Some(length))));
    }
}
