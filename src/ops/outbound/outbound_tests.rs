use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

/// A server that answers each connection with `act`; tells what it was asked.
fn toy(act: impl Fn(TcpStream) + Send + 'static) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if tell.send(request(&mut stream)).is_err() {
                return;
            }
            act(stream);
        }
    });
    (port, asked)
}

/// Head and body.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    let whole = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_lowercase();
        let length = head.split_once("content-length: ");
        let length = length.and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        Some(body.len() >= length.unwrap_or(0))
    };
    while whole(&text) != Some(true) && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        text.push(char::from(byte[0]));
    }
    text
}

fn says(text: &'static str) -> (u16, Receiver<String>) {
    toy(move |mut stream| stream.write_all(text.as_bytes()).unwrap())
}

fn allowed(hosts: &[&str]) -> BTreeSet<Host> {
    hosts.iter().map(|host| host.parse().unwrap()).collect()
}

#[test]
fn a_form_is_posted_and_the_status_told() {
    let (port, asked) = says("HTTP/1.1 204 No Content\r\n\r\n");
    let url = format!("http://127.0.0.1:{port}/out?x=1");
    let status = post_form(&url, &[("logout_token", "a.b+c")], &allowed(&["127.0.0.1"]));
    assert_eq!(status, Ok(204));
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("POST /out?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\nlogout_token=a.b%2Bc"), "{asked}");
    assert!(
        asked
            .to_lowercase()
            .contains("content-type: application/x-www-form-urlencoded")
    );
}

#[test]
fn a_json_object_of_a_200_is_read_and_nothing_else() {
    let get = |text| {
        let (port, _asked) = says(text);
        get_json(
            &format!("http://127.0.0.1:{port}/"),
            &allowed(&["127.0.0.1"]),
        )
    };
    let good = get("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    assert_eq!(good.unwrap().0.get("a"), Some(&1.into()));
    for bad in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"a\":1,\"a\":2}",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":1}",
        "SMTP ready\r\n\r\n",
    ] {
        assert!(matches!(get(bad), Err(OutboundError::Failed(_))), "{bad}");
    }
}

#[test]
fn no_redirect_is_followed() {
    let (inner, inner_asked) = says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    for code in [301, 302, 303, 307, 308] {
        let (port, _asked) = toy(move |mut stream| {
            let answer = format!(
                "HTTP/1.1 {code} Over There\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let url = format!("http://127.0.0.1:{port}/");
        let hosts = allowed(&["127.0.0.1"]);
        assert_eq!(post_form(&url, &[], &hosts), Ok(code));
        assert!(matches!(
            get_json(&url, &hosts),
            Err(OutboundError::Failed(_))
        ));
    }
    assert!(inner_asked.try_recv().is_err(), "somebody went there");
}

#[test]
fn an_answer_that_is_too_long_or_too_slow_is_given_up() {
    let (port, _asked) = toy(|mut stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        // Until the other side has had enough.
        while write!(stream, "400\r\n{}\r\n", "x".repeat(0x400)).is_ok() {}
    });
    let hosts = allowed(&["127.0.0.1"]);
    let long = post_form(&format!("http://127.0.0.1:{port}/"), &[], &hosts);
    assert_eq!(
        long,
        Err(OutboundError::Failed(
            "the answer is longer than 65536 bytes".to_owned()
        ))
    );

    // A byte now and then: no single read is slow, all of them are.
    let (port, _asked) = toy(|mut stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let begun = Instant::now();
    let slow = get_json(&format!("http://127.0.0.1:{port}/"), &hosts);
    assert_eq!(
        slow,
        Err(OutboundError::Failed(
            "no answer within 5 seconds".to_owned()
        ))
    );
    assert!(
        // All of it would take an hour and a half.
        (TIME..TIME * 4).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
}

/// Every spelling of an inner address, and of a name that leads to one.
#[test]
fn inner_addresses_are_never_connected_to() {
    let (port, asked) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "100.64.0.1",
        "224.0.0.1",
    ] {
        let refused = post_form(
            &format!("https://{host}:{port}/"),
            &[],
            &allowed(&["example.org"]),
        );
        let Err(OutboundError::Refused(why)) = refused else {
            panic!("{host}: {refused:?}")
        };
        assert!(why.contains("is not public"), "{host}: {why}");
    }
    assert!(asked.try_recv().is_err(), "somebody was called");
}

#[test]
fn only_https_and_only_plain_addresses() {
    let none = BTreeSet::new();
    for bad in [
        "http://example.org/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://a:b@127.0.0.1/",
        "https://a@127.0.0.1/",
        "example.org",
        "",
    ] {
        for hosts in [&none, &allowed(&["127.0.0.1"])] {
            let refused = get_json(bad, hosts);
            assert!(
                matches!(refused, Err(OutboundError::Refused(_))),
                "{bad}: {refused:?}"
            );
        }
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_asked() {
    // `Config` would read these; this process has others, so what was built is looked at.
    let (agent, _) = prepare("http://127.0.0.1/", &allowed(&["127.0.0.1"])).unwrap();
    assert!(agent.config().proxy().is_none());
    assert_eq!(agent.config().max_redirects(), 0);
}
