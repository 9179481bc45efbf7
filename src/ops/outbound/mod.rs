//! Calls that Doorlight makes: the delivery of logout tokens, and documents of clients. PROTOCOL, "More".
//! Owns: https only, no redirects, no proxy, [`TIME`] in all, [`ANSWER_MAX`] of answer, and no address that is not
//! public, unless the administrator allows the host. Not here: what is called and what the answer means.
//!
//! Whoever names the address is not trusted: an application's owner could point Doorlight at the machines behind it
//! (server-side request forgery). So the resolver is ours, and hands on nothing but addresses that passed: what is
//! looked at is what is connected to, and a second answer of the name server cannot slip in between.

pub mod address;
mod counters;
mod lasting;
pub mod own;
mod witness;

pub use counters::{Cause, Counters, Purpose, counters, totals};

use crate::types::{Host, strict_json};
use address::not_public;
use counters::{Fault, counted};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use ureq::config::{Config, ConfigBuilder};
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};
use url::Url;

/// All of a call: name, connection, request, answer.
const TIME: Duration = Duration::from_secs(5);
/// Bytes of an answer's body.
const ANSWER_MAX: usize = 64 * 1024;
/// Bytes of an answer's head.
const HEAD_MAX: usize = 16 * 1024;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundError {
    /// A rule of ours says no: nothing was sent. An event for the administrator.
    Refused(String),
    /// It was tried and failed.
    Failed(String),
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for OutboundError {}

/// Hosts that may be called over plain http and at any address (`Settings::outbound_hosts`).
pub type Allowed<'a> = &'a BTreeSet<Host>;

/// What a server answered.
pub struct Document {
    /// All of it.
    pub body: Vec<u8>,
    /// As its head says.
    pub content_type: Option<String>,
    /// For how long it may be kept, as its head says (`lasting`).
    pub lasts: Option<Duration>,
}

/// Posts a form. Returns the status; what the answer says beside it is read (within its bound) and dropped.
pub fn post_form(
    url: &str,
    fields: &[(&str, &str)],
    allowed: Allowed<'_>,
) -> Result<u16, OutboundError> {
    counted(Purpose::Logout, post(url, fields, allowed))
}

fn post(url: &str, fields: &[(&str, &str)], allowed: Allowed<'_>) -> Result<u16, Fault> {
    let (agent, url) = prepare(url, allowed)?;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let answer = agent
        .post(url.as_str())
        .content_type("application/x-www-form-urlencoded")
        .send(body)
        .map_err(failed)?;
    let status = answer.status().as_u16();
    whole(answer.into_body()).map_err(failed)?;
    Ok(status)
}

/// Gets a JSON object, of a 200 only, with how long it says that it may be kept (`lasting`).
pub fn get_json(
    url: &str,
    allowed: Allowed<'_>,
) -> Result<(Map<String, Value>, Option<Duration>), OutboundError> {
    let document = get(Purpose::Document, url, allowed)?;
    let members = strict_json::parse_object(&document.body).map_err(|_| {
        OutboundError::Failed("it answered something that is no JSON object".to_owned())
    })?;
    Ok((members, document.lasts))
}

/// Gets a JSON array of texts, and of nothing else, of a 200 only.
pub fn get_texts(url: &str, allowed: Allowed<'_>) -> Result<Vec<String>, OutboundError> {
    let document = get(Purpose::Document, url, allowed)?;
    serde_json::from_slice(&document.body).map_err(|_| {
        OutboundError::Failed("it answered something that is no JSON array of texts".to_owned())
    })
}

/// Gets a document, of a 200 only.
pub fn get(purpose: Purpose, url: &str, allowed: Allowed<'_>) -> Result<Document, OutboundError> {
    let accept = match purpose {
        Purpose::RequestObject => "application/oauth-authz-req+jwt, application/jwt, */*;q=0.1",
        _ => "application/json",
    };
    counted(purpose, got(url, accept, allowed))
}

fn got(url: &str, accept: &str, allowed: Allowed<'_>) -> Result<Document, Fault> {
    let (agent, url) = prepare(url, allowed)?;
    let answer = agent
        .get(url.as_str())
        .header("Accept", accept)
        .call()
        .map_err(failed)?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok().map(str::to_owned));
    let lasts = answer.headers().get("cache-control");
    let lasts = lasts
        .and_then(|value| value.to_str().ok())
        .and_then(lasting::of);
    let body = whole(answer.into_body()).map_err(failed)?;
    if status != 200 {
        return Err(Fault::Failed(format!("it answered {status}")));
    }
    Ok(Document {
        body,
        content_type,
        lasts,
    })
}

/// One client for one call: no connection is kept, and what it trusts is as fresh as the machine's.
fn prepare(text: &str, allowed: Allowed<'_>) -> Result<(Agent, Url), Fault> {
    let refuse = |cause: Cause, why: String| Err(Fault::Refused(cause, why));
    // Read once, by one parser: what is called is what this one wrote.
    let Ok(mut url) = Url::parse(text) else {
        return refuse(Cause::Address, "that is no web address".to_owned());
    };
    let Some(host) = Host::of(&url) else {
        return refuse(Cause::Address, "that is no web address".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            Cause::Address,
            "the address carries a name or password".to_owned(),
        );
    }
    let trusted = allowed.contains(&host);
    match url.scheme() {
        "https" => {}
        "http" if trusted => {}
        "http" => {
            return refuse(
                Cause::Scheme,
                format!("{host} is called over plain http, which is not allowed for it"),
            );
        }
        other => return refuse(Cause::Scheme, format!("{other} is not https")),
    }
    // It is for the client alone (RFC 9110 §4.2.5).
    url.set_fragment(None);
    let roots = if url.scheme() == "https" {
        roots()?
    } else {
        Vec::new()
    };
    let config = bounded()
        .user_agent(concat!("Doorlight/", env!("CARGO_PKG_VERSION")))
        .accept("*/*")
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::new_with_certs(&roots))
                .unversioned_rustls_crypto_provider(Arc::new(
                    rustls::crypto::ring::default_provider(),
                ))
                .build(),
        )
        .build();
    let resolver = Filter {
        trusted,
        resolver: DefaultResolver::default(),
    };
    Ok((
        Agent::with_parts(config, DefaultConnector::default(), resolver),
        url,
    ))
}

/// What holds for every call, whoever is called.
fn bounded() -> ConfigBuilder<AgentScope> {
    Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(TIME))
        .max_response_header_size(HEAD_MAX)
        .max_idle_connections(0)
}

/// The authorities that the machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
fn roots() -> Result<Vec<Certificate<'static>>, Fault> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(Fault::Failed(
            "this machine has no certificate authorities: install its package ca-certificates"
                .to_owned(),
        ));
    }
    Ok(found
        .certs
        .iter()
        .map(|cert| Certificate::from_der(cert).to_owned())
        .collect())
}

/// Resolves names, and keeps back what is not public.
#[derive(Debug)]
struct Filter {
    trusted: bool,
    resolver: DefaultResolver,
}

impl Resolver for Filter {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        if self.trusted {
            return Ok(found);
        }
        let mut public = self.empty();
        let mut inner = None;
        for address in found.iter() {
            match not_public(address.ip()) {
                None => public.push(*address),
                Some(words) => inner = Some(Inner(address.ip(), words)),
            }
        }
        match inner {
            Some(inner) if public.is_empty() => Err(ureq::Error::Other(Box::new(inner))),
            _ => Ok(public),
        }
    }
}

/// All addresses of the host are kept back; one of them, and what it is.
#[derive(Debug)]
struct Inner(IpAddr, &'static str);

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "its address {} is not public ({}), and the host is not allowed",
            self.0, self.1
        )
    }
}

impl std::error::Error for Inner {}

fn failed(error: ureq::Error) -> Fault {
    match error {
        ureq::Error::Other(why) => match why.downcast_ref::<Inner>() {
            Some(inner) => Fault::Refused(Cause::Inner, inner.to_string()),
            None => Fault::Failed(why.to_string()),
        },
        ureq::Error::Timeout(_) => {
            Fault::Failed(format!("no answer within {} seconds", TIME.as_secs()))
        }
        ureq::Error::BodyExceedsLimit(_) => {
            Fault::Failed(format!("the answer is longer than {ANSWER_MAX} bytes"))
        }
        other => Fault::Failed(other.to_string()),
    }
}

/// The body, to its end.
fn whole(mut body: Body) -> Result<Vec<u8>, ureq::Error> {
    let limit = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
    body.with_config().limit(limit).read_to_vec()
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
