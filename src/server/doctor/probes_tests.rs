use super::*;
use crate::crypto::random;
use crate::ops::clock;
use crate::server::routes;
use crate::server::testing::{House, house};
use rouille::{Request, Response};
use std::io::Read;

fn draw() -> Secret {
    Secret::from_random(random::bytes())
}

fn ask(house: &House, query: &str) -> Response {
    let headers = vec![
        ("Host".to_owned(), "door.example".to_owned()),
        // As the listener leaves it, of a trusted proxy only.
        ("X-Forwarded-For".to_owned(), "192.0.2.7".to_owned()),
    ];
    let address = format!("/.well-known/openid-configuration{query}");
    let request = Request::fake_http_from(
        "192.0.2.7:4711".parse().unwrap(),
        "GET",
        address,
        headers,
        Vec::new(),
    );
    routes::handle(&house.ctx, &request, &[])
}

/// All of an answer but its id.
fn text(response: Response) -> (u16, Vec<String>, String) {
    let mut body = String::new();
    let (mut reader, _) = response.data.into_reader_and_size();
    reader.read_to_string(&mut body).unwrap();
    let headers = response.headers.iter();
    let headers = headers.filter(|(name, _)| name != "X-Request-Id");
    let headers = headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    (response.status_code, headers, body)
}

#[test]
fn a_probe_tells_the_doctor_once_and_the_answer_tells_nobody() {
    let house = house("probes");
    let probes = &house.ctx.rounds.probes;
    let (value, now) = (draw(), clock::now());
    probes.expect(&value, now);
    let plain = text(ask(&house, ""));
    let probed = text(ask(&house, &format!("?probe={}", value.expose())));
    assert_eq!(probed, plain);
    assert_eq!(
        probes.take(&value, now),
        Some(Seen {
            host: "door.example".to_owned(),
            https: false,
            address: Some("192.0.2.7".parse().unwrap()),
            forwarded_for: Some("192.0.2.7".to_owned()),
            forwarded_proto: false,
        })
    );
    assert_eq!(probes.take(&value, now), None);
}

#[test]
fn nobody_else_makes_or_ends_a_probe() {
    let house = house("strangers");
    let probes = &house.ctx.rounds.probes;
    let (value, now) = (draw(), clock::now());
    let own = format!("?probe={}", value.expose());
    // Not yet expected.
    ask(&house, &own);
    assert_eq!(probes.take(&value, now), None);
    probes.expect(&value, now);
    for query in [
        "?probe=",
        "?probe=AAAA",
        &format!("?probe={}", draw().expose()),
        "?other=1",
    ] {
        ask(&house, query);
    }
    assert_eq!(probes.take(&value, now), None);
    // Only discovery looks.
    probes.expect(&value, now);
    let request = Request::fake_http("GET", format!("/jwks.json{own}"), Vec::new(), Vec::new());
    routes::handle(&house.ctx, &request, &[]);
    assert_eq!(probes.take(&value, now), None);
}

#[test]
fn probes_are_few_and_short_lived() {
    let house = house("few");
    let probes = &house.ctx.rounds.probes;
    let now = clock::now();
    let values: Vec<Secret> = std::iter::repeat_with(draw).take(MOST + 1).collect();
    for value in &values {
        probes.expect(value, now);
    }
    for value in &values {
        ask(&house, &format!("?probe={}", value.expose()));
    }
    let seen = values
        .iter()
        .filter(|value| probes.take(value, now).is_some());
    assert_eq!(seen.count(), MOST);
    let late = draw();
    probes.expect(&late, now.minus(LASTS));
    ask(&house, &format!("?probe={}", late.expose()));
    assert_eq!(probes.take(&late, now), None);
}
