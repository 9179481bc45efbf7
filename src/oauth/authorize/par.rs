//! Pushed authorization requests. RFC 9126.
//! Owns: what is kept of a request that a client pushed, and who may go on with it, until when.
//! Not here: what a request may say (`request`), the order of the checks (`mod`). A push that is taken leaves no event:
//! the authorization that comes of it does.

use super::request::{self, NoTarget};
use super::{Via, read};
use crate::crypto::random::Fresh;
use crate::model::{Change, Client, Decision, Profile, PushedRequest};
use crate::oauth::dpop::ProofError;
use crate::oauth::error::{AuthorizeError, TokenError, Wire, wire};
use crate::oauth::replay::{NotOnce, Purpose};
use crate::types::{BearerSecret, ClientId, Form, Id, Issuer, Secret, Thumbprint, Timestamp};
use std::time::Duration;

/// How long a pushed request waits for a browser to begin with it (RFC 9126 §2.2).
pub const START_LIFE: Duration = Duration::from_secs(60);

/// RFC 9126 §2.2.
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// In bytes, of the encoded parameters: what would fit into the head of a request.
const LONGEST: usize = 16 * 1_024;

/// Requests that are kept at once. Anyone can push in the name of a public client, so those fill a part only.
const MOST: u64 = 20_000;
const MOST_BESIDE_PUBLIC: u64 = 2_000;

/// Why a push is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushError {
    /// It has a `request_uri` (RFC 9126 §2.1).
    RequestUri,
    /// There would be nowhere to answer.
    NoTarget(NoTarget),
    /// The authorization endpoint would refuse it.
    Refused(AuthorizeError),
    /// A proof of a key does not hold, or is of another key than `dpop_jkt` (RFC 9449 §10.1).
    Proof(ProofError),
    /// The assertion that named its client was used before (RFC 7523 §3, 7).
    AssertionUsed,
    /// It is longer than is kept.
    TooLong,
    /// Too many wait already.
    TooMany,
    /// The server cannot write now.
    Unavailable,
}

impl PushError {
    /// The RFC's words (RFC 9126 §2.3).
    pub fn wire(&self) -> Wire {
        match self {
            Self::RequestUri => wire(
                400,
                "invalid_request",
                "request_uri cannot stand in a pushed request",
            ),
            Self::NoTarget(NoTarget::RedirectUri(_)) => wire(
                400,
                "invalid_request",
                "redirect_uri is missing or not registered",
            ),
            Self::NoTarget(NoTarget::Repeated) => {
                wire(400, "invalid_request", "redirect_uri is repeated")
            }
            Self::NoTarget(NoTarget::Client | NoTarget::Document(_) | NoTarget::Pushed(_)) => {
                wire(400, "invalid_request", "the request cannot be answered")
            }
            Self::NoTarget(NoTarget::RequestObject(error)) | Self::Refused(error) => error.wire(),
            Self::Proof(error) => TokenError::Proof(*error).wire(),
            Self::AssertionUsed => {
                TokenError::from(NotOnce::Replayed(Purpose::ClientAssertion)).wire()
            }
            Self::TooLong => wire(413, "invalid_request", "the request is too long"),
            Self::TooMany | Self::Unavailable => AuthorizeError::Unavailable.wire(),
        }
    }

    /// For the audit log.
    pub fn detail(&self) -> String {
        match self {
            Self::NoTarget(why) => why.detail(""),
            Self::Refused(error) => error.detail(),
            Self::TooMany => "too many pushed requests wait".to_owned(),
            other => other.wire().description.to_owned(),
        }
    }
}

/// Whether requests of this client count only when they were pushed (RFC 9126 §6; FAPI 2.0 Security Profile §5.3.2.2).
pub fn is_required(client: &Client) -> bool {
    client.require_par || client.profile == Profile::Strict
}

/// Takes a request of an authenticated client, or says why not. `proved`: the key of a proof that came with it; the code
/// will be that key's (RFC 9449 §10.1). `waiting`: how many are kept already. The answer is the
/// `request_uri`.
pub fn decide(
    client: &Client,
    form: &Form,
    issuer: &Issuer,
    proved: Option<Thumbprint>,
    waiting: u64,
    fresh: Fresh,
    now: Timestamp,
) -> Decision<Secret, PushError> {
    let refuse = |error| Decision::reply(Err(error));
    if form.all("request_uri").any(|uri| !uri.is_empty()) {
        return refuse(PushError::RequestUri);
    }
    let most = if client.is_public() {
        MOST_BESIDE_PUBLIC
    } else {
        MOST
    };
    if waiting >= most {
        return refuse(PushError::TooMany);
    }
    // Whoever authenticated is the client, also where only the header says so.
    let form = form
        .without("client_id")
        .with("client_id", &client.wire_id().to_string());
    match read(client, &form, Via::Push, issuer, now) {
        Ok(heard) => {
            if let Err((_, error)) = heard.request {
                return refuse(PushError::Refused(error));
            }
            match bound(heard.form, proved) {
                Ok(form) => keep(client, &form, fresh, now),
                Err(error) => refuse(error),
            }
        }
        Err(why) => refuse(PushError::NoTarget(why)),
    }
}

/// The request, bound to the key that was proved. One that names another key contradicts itself.
fn bound(form: Form, proved: Option<Thumbprint>) -> Result<Form, PushError> {
    let Some(key) = proved.map(|key| key.to_string()) else {
        return Ok(form);
    };
    match form.one("dpop_jkt") {
        Ok(None) => Ok(form.with("dpop_jkt", &key)),
        Ok(Some(named)) if named == key => Ok(form),
        _ => Err(PushError::Proof(ProofError::OtherKey)),
    }
}

fn keep(client: &Client, form: &Form, fresh: Fresh, now: Timestamp) -> Decision<Secret, PushError> {
    let parameters = request::known(form).encode();
    if parameters.len() > LONGEST {
        return Decision::reply(Err(PushError::TooLong));
    }
    let secret = BearerSecret::new(Id::new(now, fresh.id), fresh.secret);
    let record = PushedRequest {
        id: secret.selector,
        hash: secret.hash(),
        client: client.id,
        parameters,
        created: now,
        expires: now.plus(START_LIFE),
    };
    Decision {
        changes: vec![Change::PutPushedRequest(Box::new(record))],
        events: Vec::new(),
        reply: Ok(Secret::new(format!("{URN}{}", secret.text().expose()))),
    }
}

/// A `request_uri` of the form that is handed out here.
#[derive(Clone, Debug)]
pub struct Reference(Option<BearerSecret>);

impl Reference {
    /// The one of a request, if it has one. An address of the client's own is none (RFC 9101 §5.2).
    pub fn in_form(form: &Form) -> Option<Self> {
        let text = form.one("request_uri").ok()??.strip_prefix(URN)?;
        Some(Self(BearerSecret::parse(text)))
    }

    /// The key of its record; `None` where it cannot be one of ours.
    pub fn selector(&self) -> Option<Id> {
        self.0.as_ref().map(|secret| secret.selector)
    }
}

/// Why nobody can go on with a `request_uri`. One page for all: only the audit log tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Never handed out, answered, or forgotten.
    Unknown,
    /// Pushed by another client.
    ForeignClient,
    /// Nobody began in time.
    Expired,
}

/// The request that was pushed. `begun`: when the browser first came with it (RFC 9126 §4: bound to the client, for a
/// short time).
pub fn recall(
    reference: &Reference,
    record: Option<PushedRequest>,
    client: ClientId,
    begun: Timestamp,
) -> Result<(Id, Form), Unusable> {
    let (Some(secret), Some(record)) = (&reference.0, record) else {
        return Err(Unusable::Unknown);
    };
    if record.id != secret.selector || record.hash != secret.hash() {
        return Err(Unusable::Unknown);
    }
    if record.client != client {
        return Err(Unusable::ForeignClient);
    }
    if !begun.is_in_life(record.created, record.expires) {
        return Err(Unusable::Expired);
    }
    // Encoded by us.
    let form = Form::parse(record.parameters.as_bytes()).map_err(|_| Unusable::Unknown)?;
    Ok((record.id, form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorize::redirect_uri::Mismatch;
    use crate::oauth::testing::{NOW, client, public_client};

    const GOOD: &str =
        "response_type=code&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&scope=openid&state=s";
    const FRESH: Fresh = Fresh {
        id: [1; 10],
        secret: [2; 32],
    };

    fn push(client: &Client, body: &str, waiting: u64) -> Decision<Secret, PushError> {
        let issuer = "https://id.example".parse().unwrap();
        let form = Form::parse(body.as_bytes()).unwrap();
        decide(client, &form, &issuer, None, waiting, FRESH, NOW)
    }

    /// The record and the `request_uri` of a good push.
    fn pushed(body: &str) -> (PushedRequest, Form) {
        let decision = push(&client(), body, 0);
        let [Change::PutPushedRequest(record)] = &decision.changes[..] else {
            panic!("{decision:?}")
        };
        let uri = decision.reply.unwrap();
        let form = Form::default().with("request_uri", uri.expose());
        ((**record).clone(), form)
    }

    #[test]
    fn rfc9126_section_2_2_what_was_pushed_comes_back_to_its_client() {
        let (record, form) = pushed(&format!(
            "{GOOD}&unknown=1&client_secret=x&client_assertion=y"
        ));
        let reference = Reference::in_form(&form).unwrap();
        assert_eq!(reference.selector(), Some(record.id));
        let (id, recalled) = recall(&reference, Some(record.clone()), client().id, NOW).unwrap();
        assert_eq!(id, record.id);
        let named: Vec<&str> = recalled.pairs().map(|(name, _)| name).collect();
        assert_eq!(
            named,
            [
                "response_type",
                "redirect_uri",
                "scope",
                "state",
                "client_id"
            ],
            "no credentials are kept"
        );
        assert_eq!(recalled.text("state"), "s");
        let uri = form.text("request_uri");
        assert!(!record.parameters.contains(uri) && !format!("{record:?}").contains(uri));
    }

    #[test]
    fn rfc9126_section_2_1_and_2_3_bad_pushes_are_refused_and_keep_nothing() {
        let uri = "redirect_uri=https%3A%2F%2Fnotes.example%2Fcb";
        let long = format!("{GOOD}&login_hint={}", "x".repeat(LONGEST));
        for (body, code) in [
            (format!("{GOOD}&request_uri=urn%3Ax"), "invalid_request"),
            (
                format!("{GOOD}&request_uri=a&request_uri=b"),
                "invalid_request",
            ),
            (uri.to_owned(), "invalid_request"),
            (
                "response_type=code&scope=openid".to_owned(),
                "invalid_request",
            ),
            (
                "response_type=code&redirect_uri=https%3A%2F%2Fevil.example".to_owned(),
                "invalid_request",
            ),
            (format!("{GOOD}&{uri}"), "invalid_request"),
            (format!("{GOOD}&state=t"), "invalid_request"),
            (
                format!("{uri}&response_type=token"),
                "unsupported_response_type",
            ),
            (
                format!("{GOOD}&nonce={}", "n".repeat(1_001)),
                "invalid_request",
            ),
            (format!("{GOOD}&max_age=x"), "invalid_request"),
            (
                format!("{uri}&response_type=code&scope=nothing"),
                "invalid_scope",
            ),
            (
                format!("{GOOD}&resource=https%3A%2F%2Fapi"),
                "invalid_target",
            ),
            (long, "invalid_request"),
        ] {
            let decision = push(&client(), &body, 0);
            let error = decision.reply.unwrap_err();
            assert_eq!(error.wire().code, code, "{body}");
            assert!(decision.changes.is_empty() && !error.detail().is_empty());
        }
        let found = push(&client(), "response_type=code&scope=openid", 0).reply;
        let missing = PushError::NoTarget(NoTarget::RedirectUri(Mismatch::Missing));
        assert_eq!(found.unwrap_err(), missing);
    }

    #[test]
    fn rfc9126_section_4_a_request_uri_is_its_clients_and_ends() {
        let (record, form) = pushed(GOOD);
        let reference = Reference::in_form(&form).unwrap();
        let client = client();
        let other = ClientId(Id::new(NOW, [9; 10]));
        let last = record.expires.minus(Duration::from_millis(1));
        assert!(recall(&reference, Some(record.clone()), client.id, last).is_ok());
        for (record, id, at, why) in [
            (None, client.id, NOW, Unusable::Unknown),
            (Some(record.clone()), other, NOW, Unusable::ForeignClient),
            (
                Some(record.clone()),
                client.id,
                record.expires,
                Unusable::Expired,
            ),
        ] {
            assert_eq!(recall(&reference, record, id, at).unwrap_err(), why);
        }
        let guessed = BearerSecret::new(record.id, [3; 32]);
        for text in [guessed.text().expose(), "", "x", "a.b"] {
            let form = Form::default().with("request_uri", &format!("{URN}{text}"));
            let reference = Reference::in_form(&form).unwrap();
            let found = recall(&reference, Some(record.clone()), client.id, NOW);
            assert_eq!(found.unwrap_err(), Unusable::Unknown, "{text}");
        }
    }

    #[test]
    fn only_what_is_handed_out_here_is_a_reference_to_a_push() {
        for form in [
            "",
            "request_uri=",
            "request_uri=https%3A%2F%2Fa%2Fb",
            "request_uri=urn%3Ax",
        ] {
            let form = Form::parse(form.as_bytes()).unwrap();
            assert!(Reference::in_form(&form).is_none());
        }
        let twice = Form::default()
            .with("request_uri", &format!("{URN}a"))
            .with("request_uri", &format!("{URN}b"));
        assert!(Reference::in_form(&twice).is_none());
    }

    /// Anyone can push in the name of a public client; what others push must not find the place taken.
    #[test]
    fn public_clients_fill_a_part_of_the_place_only() {
        let web = client();
        let page = public_client();
        let pkce =
            "code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let body = format!("{GOOD}&{pkce}");
        let taken = |client: &Client, waiting| push(client, &body, waiting).reply.is_ok();
        assert!(taken(&page, MOST_BESIDE_PUBLIC - 1) && !taken(&page, MOST_BESIDE_PUBLIC));
        assert!(taken(&web, MOST - 1) && !taken(&web, MOST));
        assert_eq!(PushError::TooMany.wire().status, 503);
    }

    #[test]
    fn rfc9126_section_6_who_must_push_is_refused_otherwise() {
        let issuer = "https://id.example".parse().unwrap();
        let pkce =
            "code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let form = Form::parse(format!("{GOOD}&{pkce}").as_bytes()).unwrap();
        let required = Client {
            require_par: true,
            ..client()
        };
        let strict = Client {
            profile: Profile::Strict,
            ..client()
        };
        for client in [required, strict] {
            let come = |via| read(&client, &form, via, &issuer, NOW).unwrap().request;
            let (target, error) = come(Via::Browser).unwrap_err();
            assert_eq!(
                (error.wire().code, target.state.as_deref()),
                ("invalid_request", Some("s"))
            );
            assert!(come(Via::Push).is_ok());
            let id = Id::new(NOW, [1; 10]);
            assert_eq!(come(Via::Pushed(id)).unwrap().target.pushed, Some(id));
        }
        assert!(
            read(&client(), &form, Via::Browser, &issuer, NOW)
                .unwrap()
                .request
                .is_ok()
        );
    }
}
