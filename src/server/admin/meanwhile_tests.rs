//! What others do between an administrator's request and the writer's turn.

use crate::model::{Change, Decision, Grant, GrantType, Session, User};
use crate::oauth::introspect::AccessToken;
use crate::oauth::standing::{self, Fallen, Ground};
use crate::oauth::testing::{client, grant};
use crate::ops::clock;
use crate::server::admin::testing::{Browser, House, between, path_of, set_up};
use crate::server::administration::clients::{ClientEdit, NewClient};
use crate::server::administration::people::NewPerson;
use crate::server::administration::{Actor, Authority, clients, people};
use crate::types::{ClientId, GrantId, Id, Secret, Timestamp, UserId};
use serde_json::json;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const NEW_PASSWORD: &str = "nine brown kettles";

fn command_line() -> Actor {
    Actor {
        name: "command line".to_owned(),
        address: None,
        authority: Authority::File,
    }
}

/// Holds the writer until `request` waits for its turn, and then lets it commit what `meanwhile` makes of that moment.
fn while_it_waits(
    house: &House,
    meanwhile: impl FnOnce(Timestamp) -> Vec<Change> + Send + 'static,
    request: impl FnOnce() + Send,
) {
    let ((holding, held), (go, wait)) = (channel(), channel::<()>());
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            house.ctx.store.submit(move |_| {
                holding.send(()).unwrap();
                wait.recv().unwrap();
                Ok(Decision {
                    changes: meanwhile(clock::now()),
                    events: Vec::new(),
                    reply: Ok::<(), ()>(()),
                })
            })
        });
        held.recv().unwrap();
        scope.spawn(request);
        // The request has begun; its password is hashed, and it stands in the queue.
        let begun = Instant::now();
        while house.ctx.store.counters().waiting() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never waits");
            std::thread::sleep(Duration::from_millis(5));
        }
        go.send(()).unwrap();
        assert_eq!(writing.join().unwrap(), Ok(Ok(())));
    });
}

/// An offline grant of that moment: it hangs on no session.
fn granted(user: UserId, client_id: ClientId, now: Timestamp) -> Grant {
    Grant {
        id: GrantId(Id::new(now, [1; 10])),
        client: client_id,
        user,
        offline: true,
        created: now,
        expires: now.plus(Duration::from_secs(86_400)),
        ended: None,
        ..grant(&client())
    }
}

fn standing_of(house: &House, user: UserId, client: ClientId) -> Result<(), Fallen> {
    let snapshot = house.ctx.store.snapshot().unwrap();
    let view = snapshot.view();
    let grants = view.grants_of(user, 10).unwrap();
    assert_eq!(grants.len(), 1);
    let (user, client) = (view.user(user).unwrap(), view.client(client).unwrap());
    let ground = Ground {
        client: client.as_ref(),
        user: user.as_ref(),
        session: None,
    };
    standing::of_grant(&grants[0], ground, clock::now())
}

fn anna_and_notes(house: &House) -> (UserId, ClientId) {
    let person = NewPerson {
        username: "anna".to_owned(),
        ..NewPerson::default()
    };
    let notes = NewClient {
        name: "Notes".to_owned(),
        redirect_uris: vec!["https://notes.example/cb".to_owned()],
        ..NewClient::default()
    };
    let anna = people::add(&house.ctx, person, None, &command_line()).unwrap();
    let (notes, _) = clients::add(&house.ctx, notes, &command_line()).unwrap();
    (anna.id, notes.id)
}

#[test]
fn what_was_granted_while_a_reset_waited_for_its_turn_does_not_survive_it() {
    type Reset = fn(&House, UserId, ClientId);
    let resets: [(Reset, Fallen); 3] = [
        (
            |house, anna, _| {
                let password = Secret::new(NEW_PASSWORD.to_owned());
                people::set_password(&house.ctx, anna, password, &command_line()).unwrap();
            },
            Fallen::User,
        ),
        (
            |house, anna, _| {
                people::set_disabled(&house.ctx, anna, true, &command_line()).unwrap();
                people::set_disabled(&house.ctx, anna, false, &command_line()).unwrap();
            },
            Fallen::User,
        ),
        (
            |house, _, notes| {
                for disabled in [true, false] {
                    let client = clients::find(&house.ctx, "Notes").unwrap();
                    let edit = ClientEdit {
                        disabled,
                        ..ClientEdit::of(&client)
                    };
                    clients::edit(&house.ctx, notes, edit, &command_line()).unwrap();
                }
            },
            Fallen::Client,
        ),
    ];
    for (reset, fallen) in resets {
        let (house, _) = set_up("turn");
        let (anna, notes) = anna_and_notes(&house);
        let meanwhile = move |now| {
            let grant = granted(anna, notes, now);
            vec![Change::PutGrant(Box::new(grant))]
        };
        while_it_waits(&house, meanwhile, || reset(&house, anna, notes));
        assert_eq!(standing_of(&house, anna, notes), Err(fallen));
    }
}

#[test]
fn what_was_granted_while_a_link_waited_for_its_turn_does_not_survive_it_but_the_new_session_does()
{
    let (house, _) = set_up("turn-link");
    let (anna, notes) = anna_and_notes(&house);
    let link = people::link(&house.ctx, anna, &command_line()).unwrap();
    let link = path_of(link.expose());
    let token = link.split_once("token=").unwrap().1;
    let mut browser = Browser::default();
    browser.get(&house, &link);
    let meanwhile = move |now| {
        let grant = granted(anna, notes, now);
        vec![Change::PutGrant(Box::new(grant))]
    };
    while_it_waits(&house, meanwhile, || {
        let fields = [
            ("token", token),
            ("password", NEW_PASSWORD),
            ("password_again", NEW_PASSWORD),
        ];
        assert_eq!(browser.post(&house, "/link", &fields), 303);
    });
    assert_eq!(standing_of(&house, anna, notes), Err(Fallen::User));
    assert_eq!(browser.get(&house, "/"), 200);
    assert_eq!(between(&browser.page, "action=\"/logout", "\""), "");
}

#[test]
fn a_service_that_the_api_is_taken_from_before_its_turn_comes_does_nothing() {
    for taken in [true, false] {
        let (house, _) = set_up("turn-api");
        let (anna, _) = anna_and_notes(&house);
        let robot = NewClient {
            name: "Robot".to_owned(),
            grants: vec![GrantType::ClientCredentials],
            scope: Some("doorlight:write".to_owned()),
            audiences: vec!["http://localhost:8080/api".to_owned()],
            ..NewClient::default()
        };
        let (robot, _) = clients::add(&house.ctx, robot, &command_line()).unwrap();
        let now = clock::now();
        let claims = json!({
            "iss": "http://localhost:8080", "client_id": robot.id, "sub": robot.id, "iat": now.secs(),
            "exp": now.secs() + 900, "jti": Id::new(now, [9; 10]), "scope": "doorlight:write",
        });
        let claims = claims.as_object().unwrap().clone();
        let token = AccessToken::from_claims("at+jwt", claims, &house.ctx.config.issuer).unwrap();
        let actor = Actor {
            authority: Authority::Token(Box::new(token)),
            ..command_line()
        };
        let meanwhile = move |_| {
            let mut client = robot.clone();
            if taken {
                client.audiences.clear();
            }
            vec![Change::PutClient(Box::new(client))]
        };
        while_it_waits(&house, meanwhile, || {
            let done = people::set_disabled(&house.ctx, anna, true, &actor);
            assert_eq!(done.is_ok(), !taken, "{done:?}");
        });
    }
}

#[test]
fn whoever_is_an_administrator_no_longer_when_their_turn_comes_does_nothing() {
    let kid = |house: &House| {
        let keys = house.ctx.store.snapshot().unwrap();
        let keys = keys.view().signing_keys().unwrap();
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    type Fall = fn(&User, &Session) -> Change;
    let falls: [Fall; 3] = [
        |root, _| {
            Change::PutUser(Box::new(User {
                admin: false,
                ..root.clone()
            }))
        },
        |root, _| {
            Change::PutUser(Box::new(User {
                disabled: true,
                ..root.clone()
            }))
        },
        |_, session| Change::DeleteSession(session.id),
    ];
    let forms: [(&str, &[(&str, &str)]); 3] = [
        ("/admin/keys/rotate", &[("alg", "ES256")]),
        (
            "/admin/people/new",
            &[
                ("username", "eve"),
                ("administrator", "on"),
                ("way_in", "password"),
                ("password", NEW_PASSWORD),
                ("password_again", NEW_PASSWORD),
            ],
        ),
        ("/admin/groups/new", &[("name", "thieves")]),
    ];
    for fall in falls {
        for (path, fields) in forms {
            let (house, mut browser) = set_up("fallen");
            let snapshot = house.ctx.store.snapshot().unwrap();
            let root = snapshot.view().user_by_name(&"root".parse().unwrap());
            let root = root.unwrap().unwrap();
            let session = snapshot.view().sessions_of(root.id, 1).unwrap().remove(0);
            browser.get(&house, "/admin/people/new");
            let keys = kid(&house);
            let meanwhile = move |_| vec![fall(&root, &session)];
            while_it_waits(&house, meanwhile, || {
                assert_eq!(browser.post(&house, path, fields), 403, "{path}");
            });
            assert_eq!(kid(&house), keys);
            let snapshot = house.ctx.store.snapshot().unwrap();
            assert_eq!(snapshot.view().user_count().unwrap(), 1);
            assert_eq!(snapshot.view().groups().unwrap(), []);
        }
    }
}
