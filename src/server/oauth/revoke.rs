//! `POST /revoke` (RFC 7009).

use super::{Refused, bounded, refuse, refuse_and_record, token_of, unavailable};
use crate::crypto::jws;
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::introspect::AccessToken;
use crate::oauth::revoke::{Presented, decide};
use crate::server::incoming::Incoming;
use crate::server::respond;
use crate::store::{StoreError, View};
use crate::types::{BearerSecret, Form, RefreshTokenId};
use rouille::Response;

/// Answers an authenticated client.
pub fn handle(incoming: &Incoming<'_>, form: &Form, client: &AuthenticatedClient) -> Response {
    let text = match token_of(form) {
        Ok(text) => text,
        Err(error) => return refuse_and_record(incoming, Some(client.client()), &error),
    };
    match submit(incoming, client, text) {
        Ok(Ok(())) => respond::json(200, &serde_json::json!({})),
        Ok(Err(refused)) => refused.answer(incoming),
        Err(error) => refuse(&unavailable(error)),
    }
}

fn submit(
    incoming: &Incoming<'_>,
    client: &AuthenticatedClient,
    text: &str,
) -> Result<Result<(), Refused>, StoreError> {
    let (ctx, now, address) = (incoming.ctx, incoming.now, incoming.address());
    let secret = BearerSecret::parse(text);
    let access = match secret {
        Some(_) => None,
        None => jws::verify(&*ctx.keys()?, text).ok().and_then(|verified| {
            AccessToken::from_claims(&verified.typ, verified.claims, &ctx.config.issuer)
        }),
    };
    // What changes nothing now never will: it is answered from a snapshot, for strangers must not keep the writer busy.
    // A token that was handed out is in every later snapshot.
    let snapshot = ctx.store.snapshot()?;
    let found = presented(&snapshot.view(), secret.as_ref(), access.as_ref())?;
    let decision = decide(client.client(), found, now);
    if decision.changes.is_empty() {
        return Ok(bounded(decision, address).reply);
    }
    drop(snapshot);
    let client = client.client().clone();
    ctx.store.submit(move |view| {
        let found = presented(view, secret.as_ref(), access.as_ref())?;
        Ok(bounded(decide(&client, found, now), address))
    })
}

fn presented(
    view: &View<'_>,
    secret: Option<&BearerSecret>,
    access: Option<&AccessToken>,
) -> Result<Presented, StoreError> {
    if let Some(secret) = secret {
        let Some(token) = view.refresh_token(RefreshTokenId(secret.selector))? else {
            return Ok(Presented::Unknown);
        };
        return Ok(match view.grant(token.grant)? {
            Some(grant) => Presented::Refresh(secret.clone(), token, Box::new(grant)),
            None => Presented::Unknown,
        });
    }
    Ok(match access {
        Some(token) => Presented::Access {
            revoked: view.is_revoked(token.token)?,
            token: token.clone(),
        },
        None => Presented::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use crate::model::{Change, Decision};
    use crate::oauth::testing::{NOW, public_client};
    use crate::server::routes;
    use crate::server::testing::house;
    use crate::types::{BearerSecret, Id};
    use rouille::Request;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// Anyone with a public `client_id` could fill the writer's queue with tokens that never were.
    #[test]
    fn rfc7009_section_2_2_an_unknown_token_does_not_wait_for_the_writer() {
        let house = house("revoke");
        let ctx = &house.ctx;
        let client = public_client();
        let id = client.id;
        let put = Change::PutClient(Box::new(client));
        ctx.store
            .submit(move |_| {
                Ok(Decision {
                    changes: vec![put],
                    events: Vec::new(),
                    reply: Ok::<(), ()>(()),
                })
            })
            .unwrap()
            .unwrap();

        let (begun, has_begun) = channel();
        let (release, released) = channel::<()>();
        let (answer, answers) = channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                ctx.store.submit(move |_| {
                    begun.send(()).unwrap();
                    let _ = released.recv();
                    Ok(Decision::<(), ()>::reply(Ok(())))
                })
            });
            has_begun.recv().unwrap();
            scope.spawn(move || {
                let never_was = BearerSecret::new(Id::new(NOW, [1; 10]), [1; 32]);
                for token in [never_was.text().expose().to_owned(), "nonsense".to_owned()] {
                    let headers = vec![
                        ("Host".to_owned(), "localhost:8080".to_owned()),
                        (
                            "Content-Type".to_owned(),
                            "application/x-www-form-urlencoded".to_owned(),
                        ),
                    ];
                    let body = format!("client_id={id}&token={token}");
                    let request = Request::fake_http("POST", "/revoke", headers, Vec::new());
                    answer
                        .send(routes::handle(ctx, &request, body.as_bytes()).status_code)
                        .unwrap();
                }
            });
            let within = Duration::from_secs(20);
            let got = [answers.recv_timeout(within), answers.recv_timeout(within)];
            drop(release);
            assert_eq!(got, [Ok(200), Ok(200)]);
        });
    }
}
