//! A device over time: what it is told minutes later, without waiting for minutes.

use super::*;
use crate::model::{Change, Client, GrantType};
use crate::oauth::testing::{NOW, public_client};
use crate::server::oauth::{authenticate, token};
use crate::server::testing::{self, House};
use crate::store::EventFilter;
use crate::types::Timestamp;
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// A server without sockets, and a public client of devices.
fn house(name: &str) -> (House, Client) {
    let house = testing::house(name);
    let client = Client {
        grants: [GrantType::DeviceCode].into(),
        ..public_client()
    };
    let change = Change::PutClient(Box::new(client.clone()));
    let submitted = house.ctx.store.submit(|_| {
        Ok(Decision {
            changes: vec![change],
            events: Vec::new(),
            reply: Ok::<(), ()>(()),
        })
    });
    submitted.unwrap().unwrap();
    (house, client)
}

/// What an endpoint answers a client at a moment.
fn send(house: &House, path: &str, form: &Form, now: Timestamp) -> (u16, Value) {
    let media = "application/x-www-form-urlencoded".to_owned();
    let headers = vec![("Content-Type".to_owned(), media)];
    let request = rouille::Request::fake_http("POST", path, headers, Vec::new());
    let incoming = Incoming::new(&house.ctx, &request, &[], path, now);
    let client = authenticate(&incoming, form).unwrap();
    let response = match path {
        "/token" => token::handle(&incoming, form, &client),
        _ => handle(&incoming, form, &client),
    };
    let status = response.status_code;
    let mut body = String::new();
    let (mut reader, _) = response.data.into_reader_and_size();
    reader.read_to_string(&mut body).unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn form(client: &Client) -> Form {
    Form::default().with("client_id", &client.id.to_string())
}

#[test]
fn rfc8628_section_3_5_a_device_is_told_to_wait_to_slow_down_and_that_it_is_over_and_nothing_is_written()
 {
    let (house, client) = house("device-time");
    let (status, asked) = send(&house, "/device_authorization", &form(&client), NOW);
    assert_eq!(status, 200, "{asked}");
    let poll = form(&client)
        .with("grant_type", device::GRANT_TYPE)
        .with("device_code", asked["device_code"].as_str().unwrap());
    let commits = house.ctx.store.commits();
    for (seconds, error) in [
        (1, "authorization_pending"),
        (6, "authorization_pending"),
        (9, "slow_down"),
        (14, "slow_down"),
        (29, "authorization_pending"),
        (44, "authorization_pending"),
        (599, "authorization_pending"),
        (600, "expired_token"),
        (601, "expired_token"),
    ] {
        let (status, answer) = send(&house, "/token", &poll, at(seconds));
        assert_eq!(
            (status, answer["error"].as_str()),
            (400, Some(error)),
            "{seconds}"
        );
    }
    assert_eq!(house.ctx.store.commits(), commits, "a poll wrote something");
    let snapshot = house.ctx.store.snapshot().unwrap();
    let events = snapshot.view().events(&EventFilter::default(), None, 100);
    let events = events.unwrap().events;
    let told = events.iter().filter(|(_, event)| event.client.is_some());
    assert_eq!(told.count(), 1, "{events:?}");
}

#[test]
fn rfc8628_section_5_1_one_address_cannot_ask_without_end() {
    let (house, client) = house("device-flood");
    let mut asked = 0;
    for _ in 0..30 {
        let (status, answer) = send(&house, "/device_authorization", &form(&client), NOW);
        match status {
            200 => asked += 1,
            _ => {
                assert_eq!(status, 429);
                assert_eq!(answer["error"], "temporarily_unavailable");
            }
        }
    }
    assert_eq!(asked, 20);
    let snapshot = house.ctx.store.snapshot().unwrap();
    assert_eq!(snapshot.view().device_authorization_count().unwrap(), 20);
}
