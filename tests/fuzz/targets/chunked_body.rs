//! The chunked coding (RFC 9112 §7.1) against a plain reader of the same grammar: both find the same body, in whatever
//! pieces it arrives.

use crate::input;
use doorlight::server::listener::fuzzing::chunked;

const LIMIT: usize = 512;

pub fn run(data: &[u8]) {
    let Some((whole, pieces)) = input::cut(data) else {
        return;
    };
    let read = chunked(LIMIT, &[whole]);
    let in_pieces = chunked(LIMIT, &pieces);
    assert_eq!(read.is_ok(), in_pieces.is_ok(), "pieces change the answer");
    let (Ok((body, used, done)), Ok(other)) = (read, in_pieces) else {
        return;
    };
    assert_eq!((&body, used, done), (&other.0, other.1, other.2));
    assert!(body.len() <= LIMIT, "a body over its limit");
    if done {
        assert_eq!(plain(whole), Some((body, used)), "another body");
    } else {
        assert_eq!(used, whole.len(), "bytes were left over");
    }
}

/// The body and the length of its encoding.
fn plain(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (size, after) = line(bytes, at)?;
        let size = size.split(|byte| *byte == b';').next()?;
        let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        at = after;
        if size == 0 {
            loop {
                let (trailer, after) = line(bytes, at)?;
                at = after;
                if trailer.is_empty() {
                    return Some((body, at));
                }
            }
        }
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        body.extend_from_slice(bytes.get(at..end)?);
        let (nothing, after) = line(bytes, end)?;
        if !nothing.is_empty() {
            return None;
        }
        at = after;
    }
}

fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let length = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((rest.get(..length)?, at + length + 2))
}
