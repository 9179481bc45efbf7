//! The back channel of the test application: the token endpoint, the published keys, userinfo, each asked
//! through the route table as a request from outside would be.

use super::round::Round;
use crate::crypto::compact::Compact;
use crate::crypto::jwk_set::KeySet;
use crate::server::incoming::Incoming;
use crate::server::routes;
use crate::types::Form;
use crate::views::Page;
use crate::views::admin::{DecodedToken, SignatureCheck, TryResult};
use rouille::{Request, Response};
use serde_json::{Map, Value};
use std::io::Read;

/// Which sentence of the page says what went wrong.
pub(super) struct Failed(pub(super) &'static str);

/// The answer of the token endpoint, apart.
pub(super) struct Tokens {
    id_token: String,
    access_token: String,
    /// Everything else.
    besides: Map<String, Value>,
}

/// RFC 6749 §4.1.3, RFC 7636 §4.5.
pub(super) fn redeem(
    incoming: &Incoming<'_>,
    client_id: &str,
    redirect_uri: &str,
    code: &str,
    round: &Round,
) -> Result<Tokens, Failed> {
    let form = Form::default()
        .with("grant_type", "authorization_code")
        .with("code", code)
        .with("redirect_uri", redirect_uri)
        .with("client_id", client_id)
        .with("code_verifier", &round.verifier);
    let mut besides = object(post(incoming, "/token", &form)).ok_or(Failed("token"))?;
    let mut take = |name: &str| match besides.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Failed("token")),
    };
    let (id_token, access_token) = (take("id_token")?, take("access_token")?);
    // The test application may not renew; should it be given that right, its token must not be shown.
    besides.remove("refresh_token");
    Ok(Tokens {
        id_token,
        access_token,
        besides,
    })
}

/// Checks the tokens as an application does, and asks who signed in.
pub(super) fn explore(
    incoming: &Incoming<'_>,
    client_id: &str,
    tokens: &Tokens,
    round: &Round,
) -> Result<TryResult, Failed> {
    let jwks = object(get(incoming, "/jwks.json", None)).ok_or(Failed("keys"))?;
    let keys = KeySet::parse(&Value::Object(jwks)).map_err(|_| Failed("keys"))?;
    let userinfo = object(get(incoming, "/userinfo", Some(&tokens.access_token)));
    let userinfo = userinfo.ok_or(Failed("userinfo"))?;
    let claims = Compact::parse(&tokens.id_token)
        .and_then(|token| token.unverified_claims())
        .map_err(|_| Failed("claims"))?;
    let says = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    // OpenID Connect Core §3.1.3.7 and §5.3.2.
    let issuer = incoming.ctx.config.issuer.as_str();
    let same_person = claims.get("sub").is_some() && claims.get("sub") == userinfo.get("sub");
    if !(says("iss", issuer)
        && says("aud", client_id)
        && says("nonce", &round.nonce)
        && same_person)
    {
        return Err(Failed("claims"));
    }
    Ok(TryResult {
        page: Page::default(),
        id_token: decoded(&keys, &tokens.id_token)?,
        access_token: decoded(&keys, &tokens.access_token)?,
        userinfo: pretty(&userinfo),
        token_answer: pretty(&tokens.besides),
    })
}

fn decoded(keys: &KeySet, token: &str) -> Result<DecodedToken, Failed> {
    let compact = Compact::parse(token).map_err(|_| Failed("claims"))?;
    let claims = compact.unverified_claims().map_err(|_| Failed("claims"))?;
    let text = |name: &str| compact.header(name).unwrap_or_default().to_owned();
    Ok(DecodedToken {
        signature: SignatureCheck {
            valid: compact.verified_by(keys).is_ok(),
            kid: text("kid"),
            alg: text("alg"),
        },
        header: pretty(&compact.into_header()),
        claims: pretty(&claims),
    })
}

fn pretty(object: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(object).unwrap_or_default()
}

fn post(incoming: &Incoming<'_>, path: &str, form: &Form) -> Response {
    let media = ("Content-Type", "application/x-www-form-urlencoded");
    ask(incoming, "POST", path, media, form.encode().as_bytes())
}

fn get(incoming: &Incoming<'_>, path: &str, token: Option<&str>) -> Response {
    let header = match token {
        Some(token) => ("Authorization", &*format!("Bearer {token}")),
        None => ("Accept", "application/json"),
    };
    ask(incoming, "GET", path, header, &[])
}

fn ask(
    incoming: &Incoming<'_>,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: &[u8],
) -> Response {
    let issuer = &incoming.ctx.config.issuer;
    let url = format!("{}{path}", issuer.path());
    let headers = [("Host", issuer.authority()), header]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let from = *incoming.request.remote_addr();
    let request = if issuer.is_https() {
        Request::fake_https_from(from, method, url, headers, Vec::new())
    } else {
        Request::fake_http_from(from, method, url, headers, Vec::new())
    };
    routes::handle(incoming.ctx, &request, body)
}

/// The JSON object of a 200.
fn object(response: Response) -> Option<Map<String, Value>> {
    if response.status_code != 200 {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut body, _) = response.data.into_reader_and_size();
    body.read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
