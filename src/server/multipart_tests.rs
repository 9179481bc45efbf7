use super::*;
use proptest::prelude::*;

const TYPE: &str = "multipart/form-data; boundary=----Form7MA4";

/// Name, whether it is a file, content.
type Part = (String, bool, Vec<u8>);

fn read(content_type: &str, body: &[u8], cuts: &[usize]) -> Result<Vec<Part>, Malformed> {
    let mut parts: Vec<Part> = Vec::new();
    let mut open = false;
    let mut multipart = Multipart::of(content_type).ok_or(Malformed)?;
    let mut tell = |said: Said<'_>| match said {
        Said::Begin { name, is_file } => {
            assert!(!open);
            open = true;
            parts.push((name, is_file, Vec::new()));
        }
        Said::Data(data) => {
            assert!(open && !data.is_empty());
            parts.last_mut().unwrap().2.extend_from_slice(data);
        }
        Said::End => {
            assert!(open);
            open = false;
        }
    };
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    for cut in cuts.into_iter().chain([body.len()]) {
        multipart.take(&body[from..cut], &mut tell)?;
        from = cut;
    }
    if multipart.is_done() {
        Ok(parts)
    } else {
        Err(Malformed)
    }
}

fn written(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, is_file, content) in parts {
        body.extend_from_slice(b"------Form7MA4\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(if *is_file {
            b"\"; filename=\"a b.age\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        } else {
            b"\"\r\n\r\n"
        });
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"------Form7MA4--\r\n");
    body
}

/// Bytes that come near a delimiter again and again.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n------Form7MA".to_vec()),
        Just(b"\r\n--".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"------Form7MA4".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..8)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("has no delimiter", |bytes| {
            find(
                &[b"\r\n", bytes.as_slice(), b"\r\n"].concat(),
                b"\r\n------Form7MA4",
            )
            .is_none()
        })
}

fn part() -> impl Strategy<Value = Part> {
    ("[a-z_]{1,12}", any::<bool>(), content())
}

proptest! {
    #[test]
    fn parts_are_read_as_they_were_written_however_they_arrive(
        parts in proptest::collection::vec(part(), 1..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        prop_assert_eq!(read(TYPE, &written(&parts), &cuts), Ok(parts));
    }

    #[test]
    fn a_body_that_ends_early_is_never_whole(
        parts in proptest::collection::vec(part(), 1..4),
        cut: usize,
    ) {
        let body = written(&parts);
        // The last line may go without its end.
        let cut = cut % (body.len() - 2);
        prop_assert_eq!(read(TYPE, &body[..cut], &[]), Err(Malformed));
    }

    #[test]
    fn any_bytes_say_the_same_however_they_arrive(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        between in content(),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let begun = [&written(&[("a".to_owned(), true, between)])[..], &bytes].concat();
        for body in [&bytes, &begun] {
            prop_assert_eq!(read(TYPE, body, &cuts), read(TYPE, body, &[]));
        }
    }
}

#[test]
fn what_no_browser_writes_is_refused() {
    let good = "------Form7MA4\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n------Form7MA4--\r\n";
    assert!(read(TYPE, good.as_bytes(), &[]).is_ok());
    assert!(read(TYPE, good.trim_end().as_bytes(), &[]).is_ok());
    let disposition = "form-data; name=\"a\"";
    for (from, to) in [
        ("------Form7MA4\r\n", "preamble\r\n------Form7MA4\r\n"),
        ("------Form7MA4\r\n", "\r\n------Form7MA4\r\n"),
        ("------Form7MA4\r\n", "------Form7MA4 \r\n"),
        ("------Form7MA4\r\n", "------Form7MA4\n"),
        ("--\r\n", "--\r\nepilogue"),
        ("--\r\n", "-x\r\n"),
        ("\r\n\r\nx", "\r\nx"),
        ("Content-Disposition", "Content-Description"),
        ("Content-Disposition: ", "Content-Disposition"),
        (
            "Content-Disposition: ",
            "------Form7MA4: x\r\nContent-Disposition: ",
        ),
        (
            "Content-Disposition: ",
            " folded: x\r\nContent-Disposition: ",
        ),
        (disposition, "attachment; name=\"a\""),
        (disposition, "form-data"),
        (disposition, "form-data; name=a"),
        (disposition, "form-data; name=\"a"),
        (disposition, "form-data; name=\"a\"; name=\"b\""),
        (disposition, "form-data; name=\"a\"; filename*=\"b\""),
        (
            disposition,
            "form-data; name=\"a\"; filename=\"b\"; filename=\"c\"",
        ),
        (
            disposition,
            "form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
        ),
        (
            disposition,
            "form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
        ),
        (
            disposition,
            "form-data; name=\"a\"; filename=\"b\\\"; name=\"c\"",
        ),
        (disposition, "form-data; name=\"a\u{0}\""),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert_eq!(read(TYPE, bad.as_bytes(), &[]), Err(Malformed), "{to:?}");
    }
    assert_eq!(read(TYPE, b"------Form7MA4--\r\n", &[]), Err(Malformed));
}

#[test]
fn the_name_of_a_file_says_nothing_but_that_it_is_one() {
    for name in [
        "",
        "../../etc/passwd",
        "; name=csrf",
        "a%22b",
        "naïve 🦆.age",
        "a\\b",
    ] {
        let body = format!(
            "------Form7MA4\r\nContent-Disposition: form-data; name=\"backup\"; filename=\"{name}\"\r\n\r\nx\r\n\
             ------Form7MA4--\r\n"
        );
        let parts = read(TYPE, body.as_bytes(), &[]).unwrap();
        assert_eq!(
            parts,
            [("backup".to_owned(), true, b"x".to_vec())],
            "{name}"
        );
    }
}

#[test]
fn what_goes_on_for_ever_is_left_at_its_bound() {
    let many: Vec<Part> = (0..=MOST_PARTS)
        .map(|_| ("a".to_owned(), false, Vec::new()))
        .collect();
    assert!(read(TYPE, &written(&many[..MOST_PARTS]), &[]).is_ok());
    assert_eq!(read(TYPE, &written(&many), &[]), Err(Malformed));
    let mut endless = Multipart::of(TYPE).unwrap();
    let mut taken = 0;
    let mut tell = |_: Said<'_>| ();
    endless.take(b"------Form7MA4\r\n", &mut tell).unwrap();
    while endless.take(&[b'x'; 100], &mut tell).is_ok() {
        taken += 100;
        assert!(taken <= LONGEST_HEAD && endless.held.len() <= LONGEST_HEAD);
    }
    assert_eq!(endless.take(b"", &mut tell), Err(Malformed));
}

/// One was refused whose end came in pieces.
#[test]
fn a_head_as_long_as_may_be_is_read_however_it_arrives() {
    let field = "Content-Disposition: form-data; name=\"a\"\r\nX-Long: ";
    let body = |length: usize| {
        let long = "x".repeat(length - field.len());
        format!("------Form7MA4\r\n{field}{long}\r\n\r\nb\r\n------Form7MA4--\r\n")
    };
    let part = ("a".to_owned(), false, b"b".to_vec());
    for (length, expected) in [
        (LONGEST_HEAD, Ok(vec![part])),
        (LONGEST_HEAD + 1, Err(Malformed)),
    ] {
        let body = body(length);
        for cut in LONGEST_HEAD..LONGEST_HEAD + 30 {
            let read = read(TYPE, body.as_bytes(), &[cut]);
            assert_eq!(read, expected, "{length} bytes cut at {cut}");
        }
    }
}

/// It was content, where other readers see an empty part and another one behind it.
#[test]
fn a_delimiter_behind_a_head_is_no_content() {
    let head = "------Form7MA4\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
    let end = "\r\n------Form7MA4--\r\n";
    for (content, is_refused) in [
        ("------Form7MA4", true),
        ("------Form7MA4\r\nb: c\r\n\r\nd", true),
        ("------Form7MA4--", true),
        ("-----Form7MA4", false),
        ("------Form7MA", false),
        ("", false),
    ] {
        let body = format!("{head}{content}{end}");
        for cut in head.len()..body.len() {
            let refused = read(TYPE, body.as_bytes(), &[cut]).is_err();
            assert_eq!(refused, is_refused, "{content:?} cut at {cut}");
        }
    }
}

#[test]
fn a_boundary_is_one_and_of_its_letters() {
    for good in [
        "multipart/form-data; boundary=abc",
        "Multipart/Form-Data;charset=utf-8; Boundary=\"a'()+_,-./:=?\"",
    ] {
        assert!(boundary(good).is_some(), "{good}");
    }
    let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
    for bad in [
        "",
        "multipart/form-data",
        "multipart/mixed; boundary=abc",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"abc",
        "multipart/form-data; boundary=a b",
        "multipart/form-data; boundary=a\"b",
        "multipart/form-data; boundary=abc; boundary=def",
        "application/x-www-form-urlencoded",
        &long,
    ] {
        assert!(boundary(bad).is_none(), "{bad}");
    }
}
