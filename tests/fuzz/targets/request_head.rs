//! The head of a request (RFC 9112 §2 to §7): it means the same however it arrives and however it is written again,
//! and there is one way only to find the end of its body.

use crate::input;
use doorlight::server::listener::fuzzing::{ReadHead, head, head_end};

const LIMIT: usize = 2_048;

pub fn run(data: &[u8]) {
    let Some((whole, pieces)) = input::cut(data) else {
        return;
    };
    let end = head_end(LIMIT, &[whole]);
    assert_eq!(end, head_end(LIMIT, &pieces), "pieces tell another end");
    let Ok(Some(end)) = end else {
        return;
    };
    assert!(end <= LIMIT, "a head over its limit");
    let bytes = whole.get(..end).unwrap_or_default();
    assert!(bytes.ends_with(b"\r\n\r\n"), "a head without its end");
    let Ok(read) = head(bytes) else {
        return;
    };
    sound(&read);
    let again = written(&read);
    // The `Host` of an absolute target in HTTP/1.0 is one field more than a sender may write.
    if again.is_ascii() && read.fields.len() <= 100 {
        assert_eq!(head(again.as_bytes()).as_ref(), Ok(&read), "{again:?}");
    }
}

fn sound(read: &ReadHead) {
    let graphic = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(!read.method.is_empty() && graphic(&read.method));
    assert!(read.target.starts_with('/') && graphic(&read.target));
    assert!(!read.target.contains('#'));
    assert!(read.fields.len() <= 101);
    for (name, value) in &read.fields {
        assert!(!name.is_empty() && graphic(name) && !name.contains(':'));
        assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
    }
    let count = |wanted: &str| {
        let named = read
            .fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.count()
    };
    let hosts = count("host");
    assert!(
        hosts == 1 || (hosts == 0 && !read.is_http11),
        "{hosts} hosts"
    );
    // RFC 9112 §6.1: what one reader takes for the end, no other may take for the middle.
    assert!(count("content-length") + count("transfer-encoding") <= 1);
    assert_eq!(read.is_chunked, count("transfer-encoding") == 1);
    assert!(!(read.is_chunked && !read.is_http11));
    assert!(read.length != Some(0));
}

fn written(read: &ReadHead) -> String {
    let version = u8::from(read.is_http11);
    let mut text = format!("{} {} HTTP/1.{version}\r\n", read.method, read.target);
    for (name, value) in &read.fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}
