//! A form with a file (RFC 7578): it says the same however it arrives, tells its parts in order, and what it tells can be
//! written down and read again.

use crate::input;
use doorlight::server::multipart::{Malformed, Multipart, Said};

/// Name, whether it is a file, content.
type Part = (String, bool, Vec<u8>);

const TYPE: &str = "multipart/form-data; boundary=b";

pub fn run(data: &[u8]) {
    let [media, body] = input::lines(data);
    if let Ok(media) = std::str::from_utf8(media)
        && let Some(multipart) = Multipart::of(media)
    {
        assert!(media.to_ascii_lowercase().contains("boundary="), "{media}");
        assert!(!multipart.is_done());
    }
    let Some((whole, pieces)) = input::cut(body) else {
        return;
    };
    let parts = read(&[whole]);
    assert_eq!(parts, read(&pieces), "pieces say something else");
    let Ok(parts) = parts else {
        return;
    };
    assert!((1..=16).contains(&parts.len()));
    for (name, _, content) in &parts {
        assert!(!name.contains(['"', '\r', '\n']), "{name:?}");
        let framed = [b"\r\n", content.as_slice()].concat();
        assert!(
            !framed.windows(5).any(|bytes| bytes == b"\r\n--b"),
            "a delimiter in a part"
        );
    }
    assert_eq!(read(&[&written(&parts)]).as_ref(), Ok(&parts));
}

fn read(pieces: &[&[u8]]) -> Result<Vec<Part>, Malformed> {
    let mut multipart = Multipart::of(TYPE).ok_or(Malformed)?;
    let mut parts: Vec<Part> = Vec::new();
    let mut open = false;
    for piece in pieces {
        multipart.take(piece, &mut |said| match said {
            Said::Begin { name, is_file } => {
                assert!(!std::mem::replace(&mut open, true), "a part in a part");
                parts.push((name, is_file, Vec::new()));
            }
            Said::Data(data) => {
                assert!(open && !data.is_empty());
                if let Some((_, _, content)) = parts.last_mut() {
                    content.extend_from_slice(data);
                }
            }
            Said::End => assert!(std::mem::replace(&mut open, false), "an end of nothing"),
        })?;
    }
    multipart.is_done().then_some(parts).ok_or(Malformed)
}

fn written(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, is_file, content) in parts {
        let file = if *is_file { "; filename=\"f\"" } else { "" };
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}
