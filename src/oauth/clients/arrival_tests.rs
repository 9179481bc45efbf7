//! What becomes of an application that comes with a document.

use super::*;
use crate::model::ClaimMapping;
use crate::model::GrantType;
use crate::oauth::testing::{self, NOW, client, of_sector};
use std::time::Duration;

fn by() -> Author {
    Author {
        name: "command line".to_owned(),
        address: None,
        now: NOW.plus(Duration::from_secs(60)),
    }
}

fn public_client() -> Client {
    Client {
        grants: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        ..testing::public_client()
    }
}

fn given(client: &Client) -> Given {
    Given {
        id: client.id,
        created: Some(client.created),
        tokens_not_before: Some(client.tokens_not_before),
        named: None,
        secrets: client.secrets.clone(),
        registered: client.registered.clone(),
        sector: client
            .sector
            .as_ref()
            .map(|sector| (sector.host.clone(), sector.key.clone())),
    }
}

fn take(old: Option<Client>, new: &Client) -> Result<Option<Taken>, AdminError> {
    let details = ClientEdit::of(new);
    take_in(old, &details, given(new), Around::default(), &by())
}

#[test]
fn an_application_comes_as_it_is_and_once() {
    let pairwise = of_sector("notes.example", 7);
    for there in [client(), public_client(), pairwise] {
        let taken = take(None, &there).unwrap().unwrap();
        assert_eq!(taken.client, there);
        assert!(take(Some(there.clone()), &there).unwrap().is_none());
    }
}

/// A sector that has a document was looked at where the application was saved first; nothing is fetched again.
#[test]
fn the_document_of_its_sector_is_not_asked_for() {
    let mut there = of_sector("sector.example", 7);
    let uri = Some("https://sector.example/list.json".to_owned());
    there.sector.as_mut().unwrap().uri = uri;
    let taken = take(None, &there).unwrap().unwrap();
    assert_eq!(taken.client, there);
}

#[test]
fn groups_that_are_gone_still_close_the_application_and_are_told() {
    let mapping: ClaimMapping = ClaimMapping {
        claim: "may".to_owned(),
        source: crate::model::ClaimSource::Group {
            group: "cooks".parse().unwrap(),
            member: true.into(),
            otherwise: None,
        },
        access_token: false,
    };
    let there = Client {
        allowed_groups: ["family".parse().unwrap()].into(),
        claim_mappings: vec![mapping],
        ..client()
    };
    let taken = take(None, &there).unwrap().unwrap();
    assert_eq!(taken.client, there);
    let missing: Vec<_> = taken.missing_groups.iter().map(GroupName::as_str).collect();
    assert_eq!(missing, ["cooks", "family"]);
}

#[test]
fn without_secrets_those_that_are_here_stay_and_a_public_one_has_none() {
    let old = client();
    let bare = Client {
        secrets: Vec::new(),
        name: "Other".to_owned(),
        ..old.clone()
    };
    let taken = take(Some(old.clone()), &bare).unwrap().unwrap();
    assert_eq!(taken.client.secrets, old.secrets);
    let public = Client {
        secrets: Vec::new(),
        ..public_client()
    };
    let taken = take(Some(old.clone()), &public).unwrap().unwrap();
    assert_eq!(taken.client.secrets, []);
    let with_one = Client {
        secrets: old.secrets.clone(),
        ..public_client()
    };
    assert!(take(None, &with_one).is_err());
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let mut three = client();
    let secret = three.secrets[0].clone();
    three.secrets.extend([1, 2].map(|n| ClientSecret {
        created: NOW.plus(Duration::from_secs(n)),
        ..secret.clone()
    }));
    let mut twins = client();
    twins.secrets.push(secret);
    let http = Client {
        redirect_uris: vec!["http://notes.example/cb".parse().unwrap()],
        ..client()
    };
    for (bad, named) in [(three, "secrets"), (twins, "secrets"), (http, "http")] {
        let why = take(None, &bad).unwrap_err().to_string();
        assert!(why.contains(named), "{why}");
    }
    let around = Around {
        namesake: Some(ClientId(Default::default())),
        ..Around::default()
    };
    let details = ClientEdit::of(&client());
    let taken = take_in(None, &details, given(&client()), around, &by());
    assert_eq!(
        taken.unwrap_err(),
        AdminError::NameTaken("Notes".to_owned())
    );
}

/// What was issued under the old names must end, as when an administrator changes them.
#[test]
fn other_names_for_people_end_the_tokens() {
    let old = of_sector("notes.example", 7);
    let taken = take(Some(old), &of_sector("notes.example", 8))
        .unwrap()
        .unwrap();
    assert_eq!(taken.client.tokens_not_before, by().now.just_after());
}

/// A name comes back after its application was deleted, and what was stolen from that one shall not.
#[test]
fn tokens_from_before_do_not_come_back_with_a_name() {
    let name: GivenClientId = "grafana".parse().unwrap();
    let there = Client {
        id: name.key(),
        ..client()
    };
    let named = Given {
        named: Some(name),
        ..given(&there)
    };
    let details = ClientEdit::of(&there);
    let taken = take_in(None, &details, named, Around::default(), &by());
    let client = taken.unwrap().unwrap().client;
    assert_eq!(client.tokens_not_before, by().now);
}
