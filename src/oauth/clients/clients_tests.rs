//! What an administrator may change about an application, as tables.

use super::*;
use crate::model::{Algorithm, ClientAuthMethod, ClientKind, ConsentPolicy, EventKind, Profile};
use crate::oauth::testing::{NOW, client};

fn by(now: Timestamp) -> Author {
    Author {
        name: "root".to_owned(),
        address: None,
        now,
    }
}

fn fresh(byte: u8) -> Fresh {
    Fresh {
        id: [byte; 10],
        secret: [byte; 32],
    }
}

fn around() -> Around {
    Around {
        namesake: None,
        groups: ["family".parse().unwrap()].into(),
        ..Around::default()
    }
}

fn notes() -> NewClient {
    NewClient {
        name: "Notes".to_owned(),
        redirect_uris: vec!["https://notes.example/cb".to_owned()],
        ..NewClient::default()
    }
}

fn added(new: NewClient) -> Result<Made, AdminError> {
    add(&new.into(), &around(), fresh(1), &by(NOW)).reply
}

/// The field that is refused.
fn refused(new: NewClient) -> &'static str {
    match added(new) {
        Err(AdminError::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_and_an_address_make_a_web_application() {
    let decision = add(&notes().into(), &around(), fresh(1), &by(NOW));
    let (client, secret) = decision.reply.unwrap();
    assert_eq!(client.auth_method, ClientAuthMethod::ClientSecretBasic);
    assert_eq!(client.secrets[0].hash, SecretHash::of(&secret.unwrap()));
    assert_eq!(
        client.grants,
        [GrantType::AuthorizationCode, GrantType::RefreshToken].into()
    );
    assert_eq!(
        client.scope.to_string(),
        "email groups offline_access openid profile"
    );
    assert_eq!(client.id_token_alg, Algorithm::Rs256);
    assert_eq!(client.access_token_alg, Algorithm::Es256);
    assert_eq!(client.consent, ConsentPolicy::Once);
    assert_eq!(decision.changes, [Change::PutClient(Box::new(client))]);
    assert_eq!(decision.events[0].kind, EventKind::ClientAdded);
    assert_eq!(decision.events[0].actor.as_deref(), Some("root"));
}

#[test]
fn applications_that_cannot_keep_a_secret_get_none() {
    for kind in [ClientKind::SinglePage, ClientKind::Native] {
        let (client, secret) = added(NewClient { kind, ..notes() }).unwrap();
        assert!(client.is_public() && secret.is_none() && client.secrets.is_empty());
    }
    let (client, secret) = added(NewClient {
        public: true,
        ..notes()
    })
    .unwrap();
    assert!(client.is_public() && secret.is_none());
}

#[test]
fn a_service_acts_for_itself() {
    let (client, secret) = added(NewClient {
        name: "Backup".to_owned(),
        kind: ClientKind::Service,
        ..NewClient::default()
    })
    .unwrap();
    assert_eq!(client.grants, [GrantType::ClientCredentials].into());
    assert!(client.scope.is_empty() && secret.is_some());
}

/// It has no browser to return people to, and people sign in to it all the same.
#[test]
fn a_device_needs_no_address_and_may_ask_for_a_person() {
    let (client, secret) = added(NewClient {
        name: "Television".to_owned(),
        grants: vec![GrantType::DeviceCode, GrantType::RefreshToken],
        public: true,
        ..NewClient::default()
    })
    .unwrap();
    assert!(client.redirect_uris.is_empty() && secret.is_none());
    assert!(client.scope.contains("openid") && client.scope.contains("offline_access"));
}

#[test]
fn the_strict_profile_signs_with_es256() {
    let strict = NewClient {
        profile: Profile::Strict,
        ..notes()
    };
    let (client, _) = added(strict.clone()).unwrap();
    assert_eq!(client.id_token_alg, Algorithm::Es256);
    assert_eq!(client.auth_method, ClientAuthMethod::ClientSecretBasic);
    assert_eq!(
        refused(NewClient {
            id_token_alg: Some(Algorithm::Rs256),
            ..strict.clone()
        }),
        "id_token_alg"
    );
    assert_eq!(
        refused(NewClient {
            claims_in_id_token: true,
            ..strict
        }),
        "claims_in_id_token"
    );
}

#[test]
fn fapi2_section_5_3_2_2_a_strict_client_returns_to_https_only() {
    let strict = NewClient {
        profile: Profile::Strict,
        allow_http: true,
        ..notes()
    };
    assert_eq!(refused(strict.clone()), "allow_http");
    let in_the_clear = NewClient {
        redirect_uris: vec!["http://notes.example/cb".to_owned()],
        ..strict
    };
    assert_eq!(refused(in_the_clear), "allow_http");
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let service = NewClient {
        kind: ClientKind::Service,
        ..notes()
    };
    for (new, field) in [
        (
            NewClient {
                name: " ".to_owned(),
                ..notes()
            },
            "name",
        ),
        (
            NewClient {
                name: "a\nb".to_owned(),
                ..notes()
            },
            "name",
        ),
        (
            NewClient {
                name: "é".repeat(101),
                ..notes()
            },
            "name",
        ),
        (
            NewClient {
                redirect_uris: vec![],
                ..notes()
            },
            "redirect_uris",
        ),
        (
            NewClient {
                redirect_uris: vec!["/cb".to_owned()],
                ..notes()
            },
            "redirect_uris",
        ),
        (
            NewClient {
                redirect_uris: vec!["javascript:alert(1)".to_owned()],
                ..notes()
            },
            "redirect_uris",
        ),
        (
            NewClient {
                redirect_uris: vec!["http://nas.lan/cb".to_owned()],
                ..notes()
            },
            "allow_http",
        ),
        (
            NewClient {
                post_logout_redirect_uris: vec!["*".to_owned()],
                ..notes()
            },
            "post_logout_redirect_uris",
        ),
        (
            NewClient {
                redirect_uris: (0..51).map(|n| format!("https://a.example/{n}")).collect(),
                ..notes()
            },
            "redirect_uris",
        ),
        (
            NewClient {
                grants: vec![GrantType::RefreshToken],
                ..notes()
            },
            "grants",
        ),
        (
            NewClient {
                grants: vec![GrantType::AuthorizationCode, GrantType::DeviceCode],
                redirect_uris: Vec::new(),
                ..notes()
            },
            "redirect_uris",
        ),
        (
            NewClient {
                grants: vec![GrantType::ClientCredentials],
                public: true,
                ..notes()
            },
            "grants",
        ),
        (
            NewClient {
                grants: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
                ..service
            },
            "grants",
        ),
        (
            NewClient {
                scope: Some("a\"b".to_owned()),
                ..notes()
            },
            "scope",
        ),
        (
            NewClient {
                audiences: vec!["a b".to_owned()],
                ..notes()
            },
            "audiences",
        ),
        (
            NewClient {
                allowed_groups: vec!["nobody".to_owned()],
                ..notes()
            },
            "allowed_groups",
        ),
    ] {
        assert_eq!(refused(new.clone()), field, "{new:?}");
    }
}

#[test]
fn http_is_for_this_machine_unless_it_is_allowed() {
    for uri in [
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "app.notes:/cb",
    ] {
        assert!(
            added(NewClient {
                redirect_uris: vec![uri.to_owned()],
                ..notes()
            })
            .is_ok(),
            "{uri}"
        );
    }
    let lan = vec!["http://nas.lan/cb".to_owned()];
    assert!(
        added(NewClient {
            redirect_uris: lan,
            allow_http: true,
            ..notes()
        })
        .is_ok()
    );
}

#[test]
fn an_address_given_twice_stands_once() {
    let uri = "https://notes.example/cb".to_owned();
    let lines = vec![uri.clone(), String::new(), format!(" {uri} ")];
    let (client, _) = added(NewClient {
        redirect_uris: lines,
        ..notes()
    })
    .unwrap();
    assert_eq!(client.redirect_uris, [uri.parse().unwrap()]);
}

#[test]
fn spans_have_bounds() {
    let edited = |minutes: u32, days: u32| {
        let details = ClientEdit {
            access_token_minutes: minutes,
            refresh_idle_days: days,
            ..ClientEdit::of(&client())
        };
        edit(client(), &details, &around(), &by(NOW)).reply.is_ok()
    };
    for (minutes, days, fine) in [
        (5, 1, true),
        (60, 3_650, true),
        (4, 30, false),
        (61, 30, false),
        (15, 0, false),
    ] {
        assert_eq!(edited(minutes, days), fine, "{minutes} {days}");
    }
    for (days, fine) in [(0, false), (1, true), (3_650, true), (3_651, false)] {
        let details = ClientEdit {
            refresh_absolute_days: days,
            ..ClientEdit::of(&client())
        };
        let edited = edit(client(), &details, &around(), &by(NOW)).reply;
        assert_eq!(edited.is_ok(), fine, "{days}");
    }
}

#[test]
fn the_same_settings_again_write_nothing() {
    let decision = edit(client(), &ClientEdit::of(&client()), &around(), &by(NOW));
    assert_eq!(decision, Decision::reply(Ok(client())));
}

#[test]
fn an_edit_says_what_changed() {
    let details = ClientEdit {
        name: "Diary".to_owned(),
        home_uri: Some("https://notes.example".to_owned()),
        ..ClientEdit::of(&client())
    };
    let decision = edit(client(), &details, &around(), &by(NOW));
    assert_eq!(decision.reply.unwrap().secrets, client().secrets);
    assert_eq!(decision.events[0].detail, "home_uri, name");
    for bad in [
        "ftp://a.example",
        "javascript:alert(1)",
        "notes.example",
        "https://a b",
    ] {
        let details = ClientEdit {
            home_uri: Some(bad.to_owned()),
            ..ClientEdit::of(&client())
        };
        assert!(
            edit(client(), &details, &around(), &by(NOW)).reply.is_err(),
            "{bad}"
        );
    }
}

#[test]
fn two_applications_never_share_a_name() {
    let taken = Around {
        namesake: Some(ClientId(Id::default())),
        ..around()
    };
    let name = AdminError::NameTaken("Notes".to_owned());
    let added = add(&notes().into(), &taken, fresh(1), &by(NOW));
    assert_eq!(added.reply.unwrap_err(), name);
    let details = ClientEdit {
        disabled: true,
        ..ClientEdit::of(&client())
    };
    assert_eq!(
        edit(client(), &details, &taken, &by(NOW))
            .reply
            .unwrap_err(),
        name
    );
    let own = Around {
        namesake: Some(client().id),
        ..around()
    };
    assert!(edit(client(), &details, &own, &by(NOW)).reply.is_ok());
}

#[test]
fn switching_an_application_off_ends_its_tokens() {
    let later = NOW.plus(Duration::from_secs(60));
    let details = ClientEdit {
        disabled: true,
        ..ClientEdit::of(&client())
    };
    let off = edit(client(), &details, &around(), &by(later))
        .reply
        .unwrap();
    assert!(off.tokens_not_before > later, "what is just as old ends");
}

#[test]
fn an_application_that_becomes_public_loses_its_secrets() {
    let details = ClientEdit {
        kind: ClientKind::Native,
        grants: [GrantType::AuthorizationCode].into(),
        ..ClientEdit::of(&client())
    };
    let native = edit(client(), &details, &around(), &by(NOW)).reply.unwrap();
    assert!(native.is_public() && native.secrets.is_empty());
}

#[test]
fn a_group_that_is_gone_keeps_the_door_shut() {
    let gone = Client {
        allowed_groups: ["gone".parse().unwrap()].into(),
        ..client()
    };
    let details = ClientEdit {
        name: "Diary".to_owned(),
        ..ClientEdit::of(&gone)
    };
    let edited = edit(gone.clone(), &details, &around(), &by(NOW))
        .reply
        .unwrap();
    assert_eq!(edited.allowed_groups, gone.allowed_groups);
}

#[test]
fn two_secrets_live_at_a_time_and_one_always() {
    let (two, secret) = rotate_secret(client(), fresh(9), &by(NOW)).reply.unwrap();
    assert_eq!(two.secrets.len(), 2);
    assert_eq!(two.secrets[1].hash, SecretHash::of(&secret));
    assert_ne!(two.secrets[0].created, two.secrets[1].created);
    let third = rotate_secret(two.clone(), fresh(8), &by(NOW));
    assert_eq!(third.reply.unwrap_err(), AdminError::TwoSecrets);
    assert!(third.changes.is_empty());

    let old = two.secrets[0].created;
    let one = remove_secret(two, old, &by(NOW)).reply.unwrap();
    assert_eq!(one.secrets[0].hash, SecretHash::of(&secret));
    assert!(remove_secret(one.clone(), old, &by(NOW)).reply.is_err());
    let last = one.secrets[0].created;
    assert!(remove_secret(one, last, &by(NOW)).reply.is_err());
    assert!(
        rotate_secret(crate::oauth::testing::public_client(), fresh(1), &by(NOW))
            .reply
            .is_err()
    );
}

#[test]
fn no_event_holds_a_secret() {
    let decision = rotate_secret(client(), fresh(9), &by(NOW));
    let (_, secret) = decision.reply.unwrap();
    assert!(!format!("{:?}", decision.events).contains(secret.expose()));
}

#[test]
fn a_refused_address_is_added_by_the_same_rules() {
    let add = |uri: &str| add_redirect_uri(client(), uri.to_owned(), &around(), &by(NOW)).reply;
    let uris = add("https://notes.example/other").unwrap().redirect_uris;
    assert_eq!(uris.len(), 2);
    assert!(add("http://nas.lan/cb").is_err());
    assert!(add("data:text/html,x").is_err());
}

#[test]
fn deleting_says_what_was_deleted() {
    let decision = delete(&client(), &by(NOW));
    assert_eq!(decision.changes, [Change::DeleteClient(client().id)]);
    assert_eq!(decision.events[0].client_name.as_deref(), Some("Notes"));
}
