//! Authorization code grant: the code's one use. RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.5 and §2.1.1, RFC 9449 §10.
//! Owns: who may redeem a code, and that a second use ends everything the first one gave.
//! Not here: what a token looks like (`issue`), how a code comes to be (`authorize`).

use super::issue::Issued;
use super::new_grant::{self, Approved};
use super::{one, sender};
use crate::crypto::digest::{constant_time_eq, s256};
use crate::crypto::random::Fresh;
use crate::model::{
    AuthorizationCode, Change, Client, CodeChallenge, Consent, Decision, Event, EventKind, Grant,
    GrantEnd, quoted,
};
use crate::oauth::error::TokenError;
use crate::oauth::standing::Ground;
use crate::oauth::target;
use crate::types::{BearerSecret, Form, Secret, Thumbprint, Timestamp};
use std::time::Duration;

/// The form's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// The code, split; `None` when it cannot be one of ours.
    pub code: Option<BearerSecret>,
    redirect_uri: Option<String>,
    verifier: Option<Secret>,
    resources: Vec<String>,
    /// What its sender proved.
    pub(super) key: Option<Thumbprint>,
}

impl Request {
    pub(super) fn parse(form: &Form) -> Result<Self, TokenError> {
        let code = one(form, "code")?.ok_or(TokenError::MissingParameter("code"))?;
        Ok(Self {
            code: BearerSecret::parse(code),
            redirect_uri: one(form, "redirect_uri")?.map(str::to_owned),
            verifier: one(form, "code_verifier")?.map(|text| Secret::new(text.to_owned())),
            resources: form.all("resource").map(str::to_owned).collect(),
            key: None,
        })
    }
}

/// Random values for one redemption.
#[derive(Clone, Copy)]
pub struct FreshTokens {
    /// For the grant's id.
    pub grant: [u8; 10],
    /// For the access token's id.
    pub access: [u8; 10],
    /// For the refresh token.
    pub refresh: Fresh,
}

/// What the store knows of the presented code.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The record of the presented selector.
    pub code: Option<AuthorizationCode>,
    /// The grant that its first use gave.
    pub earlier: Option<Grant>,
    /// What the person agreed to, as it stands today.
    pub consent: Option<Consent>,
}

/// Decides over a code.
pub fn decide(
    found: Found,
    ground: Ground<'_>,
    client: &Client,
    request: &Request,
    fresh: FreshTokens,
    now: Timestamp,
) -> Decision<Issued, TokenError> {
    let event = |why: &str| Event::refused(EventKind::CodeRedeemed, now, why).client(client);
    let refuse = |error: TokenError, why: &str| Decision::refuse(error, event(why));

    // Whoever does not hold the verifier knows nothing of the code; whoever is not its client may not touch it.
    let (Some(code), Some(presented)) = (found.code, &request.code) else {
        return refuse(TokenError::InvalidCode("unknown"), "unknown code");
    };
    if code.hash != presented.hash() {
        return refuse(TokenError::InvalidCode("unknown"), "unknown code");
    }
    if code.client != client.id {
        return refuse(
            TokenError::InvalidCode("foreign"),
            "the code was issued to another application",
        );
    }
    // RFC 6749 §4.1.2: a second use, also after the code expired, revokes what the first one gave.
    if code.redeemed.is_some() {
        // Once it has ended, whoever repeats the code finds nothing to end and changes nothing.
        let Some(grant) = found.earlier.filter(|grant| grant.ended.is_none()) else {
            return refuse(
                TokenError::CodeReplayed,
                "the code was used before; what was issued from it has ended already",
            );
        };
        let changes = vec![end(grant, GrantEnd::CodeReplayed, now)];
        let events = vec![
            event("the code was used before; everything issued from it is revoked")
                .user_id(code.user),
        ];
        return Decision {
            changes,
            events,
            reply: Err(TokenError::CodeReplayed),
        };
    }
    if !now.is_in_life(code.created, code.expires) {
        return refuse(TokenError::InvalidCode("expired"), "the code has expired");
    }
    if let Err(why) = same_redirect_uri(&code, request) {
        return refuse(TokenError::InvalidCode("redirect_uri"), &why);
    }
    if let Err(why) = pkce(
        code.challenge.as_ref(),
        request.verifier.as_ref().map(Secret::expose),
    ) {
        return refuse(TokenError::PkceMismatch(why), why);
    }
    if let Err(error) = sender::may_redeem(&code, request.key) {
        return refuse(error, "the code is bound to a key that was not proved");
    }
    // RFC 8707 §2.2: the token is for what it asks for; the grant keeps all that was agreed to.
    let resources = if code.resources.is_empty() {
        target::first(&request.resources, client)
    } else {
        target::granted(&request.resources, &code.resources, client)
    };
    let Ok(resources) = resources else {
        return refuse(TokenError::InvalidTarget, "a resource that was not granted");
    };

    let approved = Approved {
        user: code.user,
        session: code.session,
        authentication: &code.authentication,
        scope: &code.scope,
        granted: if code.resources.is_empty() {
            resources.clone()
        } else {
            code.resources.clone()
        },
        resources,
        claims: &code.claims,
        asked: code.created,
        at: code.created,
        consent: found.consent.as_ref(),
        key: request.key,
    };
    let begun = match new_grant::begin(approved, ground, client, fresh, now) {
        Ok(begun) => begun,
        Err(why) => return refuse(TokenError::InvalidCode("fallen"), why),
    };
    let issued = begun.issued.with_nonce(code.nonce.clone());
    let event = Event::success(EventKind::CodeRedeemed, now)
        .client(client)
        .user(begun.user)
        .detail(issued.summary());
    let used = AuthorizationCode {
        redeemed: Some(begun.grant),
        ..code
    };
    let mut changes = vec![Change::PutCode(Box::new(used))];
    changes.extend(begun.changes);
    Decision {
        changes,
        events: vec![event],
        reply: Ok(issued),
    }
}

/// The change that ends a grant, and with it every token of its family.
pub fn end(grant: Grant, why: GrantEnd, now: Timestamp) -> Change {
    let ended = grant.ended.or(Some((now, why)));
    Change::PutGrant(Box::new(Grant { ended, ..grant }))
}

pub(super) fn days(days: u32) -> Duration {
    Duration::from_secs(86_400) * days
}

/// RFC 6749 §4.1.3: when the authorization request named the redirect URI, this one must, and the same.
fn same_redirect_uri(code: &AuthorizationCode, request: &Request) -> Result<(), String> {
    match &request.redirect_uri {
        Some(uri) if *uri == code.redirect_uri => Ok(()),
        None if !code.redirect_uri_sent => Ok(()),
        received => Err(format!(
            "redirect_uri expected {} received {}",
            code.redirect_uri,
            received
                .as_deref()
                .map_or_else(|| "nothing".to_owned(), quoted)
        )),
    }
}

/// RFC 7636 §4.6; RFC 9700 §2.1.1: a verifier without a challenge is a downgrade and refused.
fn pkce(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), &'static str> {
    let holds = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err("code_verifier without a code_challenge"),
        (Some(_), None) => return Err("code_verifier is missing"),
        (Some(_), Some(verifier)) if !is_verifier(verifier) => {
            return Err("code_verifier is malformed");
        }
        (Some(CodeChallenge::S256(challenge)), Some(verifier)) => {
            constant_time_eq(&s256(verifier), challenge)
        }
        (Some(CodeChallenge::Plain(challenge)), Some(verifier)) => {
            constant_time_eq(verifier, challenge)
        }
    };
    if holds {
        Ok(())
    } else {
        Err("code_verifier does not fit the code_challenge")
    }
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1); a challenge has the same shape (§4.2).
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClaimsRequest, ConsentPolicy, Outcome, RefreshPolicy};
    use crate::oauth::testing::{
        NOW, agreed, authentication, client, public_client, session, user,
    };
    use crate::types::Id;
    use proptest::prelude::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn fresh() -> FreshTokens {
        FreshTokens {
            grant: [5; 10],
            access: [6; 10],
            refresh: Fresh {
                id: [7; 10],
                secret: [8; 32],
            },
        }
    }

    fn presented() -> BearerSecret {
        BearerSecret::new(Id::new(NOW, [9; 10]), [9; 32])
    }

    fn code(client: &Client) -> AuthorizationCode {
        AuthorizationCode {
            id: presented().selector,
            hash: presented().hash(),
            client: client.id,
            user: user().id,
            session: session().id,
            redirect_uri: "https://notes.example/cb".to_owned(),
            redirect_uri_sent: true,
            challenge: Some(CodeChallenge::S256(s256(VERIFIER))),
            nonce: Some("n".to_owned()),
            scope: "openid offline_access".parse().unwrap(),
            claims: ClaimsRequest::default(),
            resources: Vec::new(),
            authentication: authentication(),
            created: NOW,
            expires: NOW.plus(Duration::from_secs(60)),
            redeemed: None,
            dpop_jkt: None,
        }
    }

    fn request() -> Request {
        Request {
            code: Some(presented()),
            redirect_uri: Some("https://notes.example/cb".to_owned()),
            verifier: Some(Secret::new(VERIFIER.to_owned())),
            resources: Vec::new(),
            key: None,
        }
    }

    fn run(
        code: Option<AuthorizationCode>,
        earlier: Option<Grant>,
        request: &Request,
        now: Timestamp,
    ) -> Decision<Issued, TokenError> {
        let (client, user, session) = (client(), user(), session());
        let ground = Ground {
            client: Some(&client),
            user: Some(&user),
            session: Some(&session),
        };
        let found = Found {
            code,
            earlier,
            consent: Some(agreed(&client)),
        };
        decide(found, ground, &client, request, fresh(), now)
    }

    #[test]
    fn a_code_that_had_its_minute_is_not_good_again_when_the_clock_is_set_back() {
        let at = |now| run(Some(code(&client())), None, &request(), now).reply;
        let minute = Duration::from_secs(60);
        assert!(at(NOW.minus(minute)).is_ok());
        let refused = at(NOW.minus(minute + Duration::from_millis(1)));
        assert_eq!(refused.unwrap_err(), TokenError::InvalidCode("expired"));
    }

    #[test]
    fn a_code_gives_tokens_once_and_a_replay_revokes_the_grant_minutes_later() {
        let first = run(Some(code(&client())), None, &request(), NOW);
        assert!(first.reply.as_ref().unwrap().refresh.is_some());
        let [
            Change::PutCode(used),
            Change::PutGrant(grant),
            Change::PutRefreshToken(_),
        ] = &first.changes[..]
        else {
            panic!("{:?}", first.changes)
        };
        let later = NOW.plus(Duration::from_secs(600));
        let replay = run(
            Some((**used).clone()),
            Some((**grant).clone()),
            &request(),
            later,
        );
        assert_eq!(replay.reply.unwrap_err(), TokenError::CodeReplayed);
        let [Change::PutGrant(ended)] = &replay.changes[..] else {
            panic!("{:?}", replay.changes)
        };
        assert_eq!(ended.ended, Some((later, GrantEnd::CodeReplayed)));
        assert_eq!(replay.events[0].outcome, Outcome::Refused);
    }

    /// Whoever had a used code and a public `client_id` could make the server rewrite the grant with every request.
    #[test]
    fn a_code_replayed_again_changes_nothing_once_its_grant_has_ended_or_is_gone() {
        let used = AuthorizationCode {
            redeemed: Some(crate::oauth::testing::grant(&client()).id),
            ..code(&client())
        };
        let ended = Grant {
            ended: Some((NOW, GrantEnd::CodeReplayed)),
            ..crate::oauth::testing::grant(&client())
        };
        for earlier in [Some(ended), None] {
            let again = run(Some(used.clone()), earlier, &request(), NOW);
            assert_eq!(again.reply.unwrap_err(), TokenError::CodeReplayed);
            assert!(again.changes.is_empty(), "{:?}", again.changes);
        }
    }

    #[test]
    fn a_code_is_refused_to_anyone_it_does_not_fit() {
        let ours = code(&client());
        let with = |change: fn(&mut Request)| {
            let mut request = request();
            change(&mut request);
            run(Some(ours.clone()), None, &request, NOW)
        };
        let cases = [
            run(None, None, &request(), NOW),
            run(
                Some(ours.clone()),
                None,
                &request(),
                NOW.plus(Duration::from_secs(60)),
            ),
            run(
                Some(AuthorizationCode {
                    client: public_client_id(),
                    ..ours.clone()
                }),
                None,
                &request(),
                NOW,
            ),
            with(|r| r.code = Some(BearerSecret::new(presented().selector, [1; 32]))),
            with(|r| r.redirect_uri = None),
            with(|r| r.redirect_uri = Some("https://notes.example/cb/".to_owned())),
            with(|r| r.verifier = None),
            with(|r| r.verifier = Some(Secret::new("short".to_owned()))),
            with(|r| r.verifier = Some(Secret::new(VERIFIER.to_lowercase()))),
            with(|r| r.resources = vec!["https://other.example".to_owned()]),
        ];
        for decision in cases {
            assert!(decision.reply.is_err());
            assert!(decision.changes.is_empty());
        }
    }

    #[test]
    fn rfc9449_section_10_a_bound_code_is_its_keys_and_refused_without_effect() {
        let (key, other) = (
            Thumbprint::from_digest([1; 32]),
            Thumbprint::from_digest([2; 32]),
        );
        let bound = AuthorizationCode {
            dpop_jkt: Some(key),
            ..code(&client())
        };
        let with = |key| {
            let request = Request { key, ..request() };
            run(Some(bound.clone()), None, &request, NOW)
        };
        for wrong in [None, Some(other)] {
            let decision = with(wrong);
            assert_eq!(decision.reply.unwrap_err(), TokenError::OtherKey);
            assert!(decision.changes.is_empty());
        }
        let issued = with(Some(key)).reply.unwrap();
        let answer = serde_json::json!(issued.answer("signed", None));
        assert_eq!(answer["token_type"], "DPoP");
    }

    fn public_client_id() -> crate::types::ClientId {
        crate::types::ClientId(Id::new(NOW, [99; 10]))
    }

    #[test]
    fn rfc9700_section_2_1_1_a_verifier_without_a_challenge_is_refused() {
        let bare = AuthorizationCode {
            challenge: None,
            ..code(&client())
        };
        assert!(
            run(Some(bare.clone()), None, &request(), NOW)
                .reply
                .is_err()
        );
        let without = Request {
            verifier: None,
            ..request()
        };
        assert!(run(Some(bare), None, &without, NOW).reply.is_ok());
    }

    #[test]
    fn a_refresh_token_comes_with_offline_access_or_always() {
        let plain = AuthorizationCode {
            scope: "openid".parse().unwrap(),
            ..code(&public_client())
        };
        assert!(
            run(Some(plain.clone()), None, &request(), NOW)
                .reply
                .unwrap()
                .refresh
                .is_none()
        );
        let always = Client {
            refresh: RefreshPolicy::Always,
            ..client()
        };
        let (user, session) = (user(), session());
        let ground = Ground {
            client: Some(&always),
            user: Some(&user),
            session: Some(&session),
        };
        let found = Found {
            code: Some(plain),
            earlier: None,
            consent: Some(agreed(&always)),
        };
        let decision = decide(found, ground, &always, &request(), fresh(), NOW);
        assert!(decision.reply.unwrap().refresh.is_some());
    }

    /// Once, a code from before a person took an application's permission back gave a grant that lasted for months.
    #[test]
    fn a_code_opens_nothing_once_the_permission_was_taken_back() {
        let (user, session) = (user(), session());
        let redeem = |client: &Client, consent: Option<Consent>| {
            let ground = Ground {
                client: Some(client),
                user: Some(&user),
                session: Some(&session),
            };
            let found = Found {
                code: Some(code(client)),
                earlier: None,
                consent,
            };
            decide(found, ground, client, &request(), fresh(), NOW)
        };
        let less = Consent {
            scope: "openid".parse().unwrap(),
            ..agreed(&client())
        };
        for consent in [None, Some(less)] {
            let refused = redeem(&client(), consent);
            assert_eq!(
                refused.reply.unwrap_err(),
                TokenError::InvalidCode("fallen")
            );
            assert!(refused.changes.is_empty());
        }
        // Where the administrator answers for the application, nobody was asked.
        let trusted = Client {
            consent: ConsentPolicy::Trusted,
            ..client()
        };
        assert!(redeem(&trusted, None).reply.is_ok());
    }

    #[test]
    fn rfc7636_appendix_b_verifier_fits_its_challenge() {
        let challenge =
            CodeChallenge::S256("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        assert_eq!(pkce(Some(&challenge), Some(VERIFIER)), Ok(()));
    }

    proptest! {
        #[test]
        fn only_the_verifier_fits_its_challenge(a in "[A-Za-z0-9._~-]{43,128}", b in "[A-Za-z0-9._~-]{0,130}") {
            let challenge = CodeChallenge::S256(s256(&a));
            prop_assert_eq!(pkce(Some(&challenge), Some(&a)), Ok(()));
            if a != b {
                prop_assert!(pkce(Some(&challenge), Some(&b)).is_err());
            }
        }
    }
}
