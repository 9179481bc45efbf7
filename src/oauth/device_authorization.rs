//! The device authorization endpoint: a device without a browser asks to be signed in. RFC 8628 §3.1, §3.2.
//! Owns: what may be asked for, and the two codes. Not here: what the person says (`device_answer`), how the device
//! learns of it (`token::device`), how often strangers may ask (`server::device_limits`).
//!
//! The checks, in this order; the client has proved who it is:
//! 1. nothing is repeated (RFC 8628 §3.1: as RFC 6749 §3.1);
//! 2. the client may use the grant;
//! 3. something of the scope can be granted; each resource is the client's (RFC 8707 §2);
//! 4. no live or recent code is given twice.

use super::authorize::request;
use super::client_auth::AuthenticatedClient;
use super::error::TokenError;
use super::target;
use crate::crypto::random::Fresh;
use crate::model::{Change, Client, Decision, DeviceAuthorization, Event, EventKind, GrantType};
use crate::types::{BearerSecret, Form, Id, Issuer, Repeated, Scope, Timestamp, UserCode};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// Where people type the code, below the issuer.
pub const VERIFICATION_PATH: &str = "/device";
/// How long a device may wait: long enough to find a phone and to sign in on it (RFC 8628 §5.1, §6.1 want it short).
pub const LIFE: Duration = Duration::from_secs(600);
/// Between two polls, until the device is told to slow down (RFC 8628 §3.2).
pub const INTERVAL: Duration = Duration::from_secs(5);
/// Records of devices in the file, ended ones too: nothing that is asked for without an answer may fill the disk.
pub const RECORDS_MAX: u64 = 10_000;
/// User codes that are drawn for one request. With a full file the chance that all are taken is one in 10^25.
pub const CANDIDATES: usize = 4;

/// A well-formed request.
#[derive(Clone, Debug)]
pub struct Request {
    scope: Scope,
    resources: Vec<String>,
}

impl Request {
    /// Reads the form of an authenticated client's request.
    pub fn parse(form: &Form, client: &AuthenticatedClient) -> Result<Self, TokenError> {
        let client = client.client();
        let raw = form
            .one("scope")
            .map_err(|Repeated(name)| TokenError::RepeatedParameter(name))?;
        if !client.grants.contains(&GrantType::DeviceCode) {
            return Err(TokenError::UnauthorizedClient);
        }
        // As at the authorization endpoint; RFC 8628 §3.1 has its scope from RFC 6749 §3.3.
        let scope = request::scope(client, &client.scope, raw.unwrap_or_default())
            .map_err(|_| TokenError::InvalidScope)?;
        // RFC 8707 §2.1.
        let resources =
            target::asked(client, form.all("resource")).ok_or(TokenError::InvalidTarget)?;
        Ok(Self { scope, resources })
    }
}

/// Random values for one request.
#[derive(Clone, Copy)]
pub struct FreshCodes {
    /// For the device code.
    pub device: Fresh,
    /// For the user code: the first that no record has is taken.
    pub user: [u64; CANDIDATES],
}

impl FreshCodes {
    /// The user codes that may be given.
    pub fn candidates(&self) -> impl Iterator<Item = UserCode> {
        self.user.into_iter().map(UserCode::from_random)
    }
}

/// What the device gets.
#[derive(Clone, Debug)]
pub struct Asked {
    device_code: BearerSecret,
    user_code: UserCode,
}

impl Asked {
    /// RFC 8628 §3.2.
    pub fn answer(&self, issuer: &Issuer) -> Value {
        let uri = issuer.endpoint(VERIFICATION_PATH);
        json!({
            "device_code": self.device_code.text().expose(),
            "user_code": self.user_code.to_string(),
            "verification_uri": uri,
            "verification_uri_complete": format!("{uri}?user_code={}", self.user_code),
            "expires_in": LIFE.as_secs(),
            "interval": INTERVAL.as_secs(),
        })
    }
}

/// Decides. `free` is a user code that no record has; `records` how many there are.
pub fn decide(
    client: &Client,
    request: &Request,
    free: Option<UserCode>,
    records: u64,
    address: IpAddr,
    fresh: FreshCodes,
    now: Timestamp,
) -> Decision<Asked, TokenError> {
    let user_code = match free {
        Some(code) if records < RECORDS_MAX => code,
        _ => {
            let event = Event::refused(EventKind::DeviceAsked, now, "too many devices are waiting");
            return Decision::refuse(TokenError::TooManyDevices, event.client(client));
        }
    };
    let device_code = BearerSecret::new(Id::new(now, fresh.device.id), fresh.device.secret);
    let record = DeviceAuthorization {
        id: device_code.selector,
        hash: device_code.hash(),
        user_code,
        client: client.id,
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        address: Some(address),
        created: now,
        expires: now.plus(LIFE),
        answer: None,
        redeemed: None,
    };
    let event = Event::success(EventKind::DeviceAsked, now)
        .client(client)
        .detail(format!("scope {}", request.scope));
    Decision {
        changes: vec![Change::PutDeviceAuthorization(Box::new(record))],
        events: vec![event],
        reply: Ok(Asked {
            device_code,
            user_code,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client_auth::Credentials;
    use crate::oauth::testing::{NOW, public_client};
    use std::sync::Arc;

    fn device_client() -> Client {
        Client {
            grants: [GrantType::DeviceCode, GrantType::RefreshToken].into(),
            audiences: vec!["https://api.example".to_owned()],
            ..public_client()
        }
    }

    fn parse(client: &Client, form: &str) -> Result<Request, TokenError> {
        let form = Form::parse(form.as_bytes()).unwrap();
        let named = Form::default().with("client_id", &client.id.to_string());
        let credentials = Credentials::parse(None, &named).unwrap();
        let client = credentials.authenticate(Some(Arc::new(client.clone())));
        Request::parse(&form, &client.unwrap())
    }

    fn run(request: &Request, free: Option<UserCode>, records: u64) -> Decision<Asked, TokenError> {
        let fresh = FreshCodes {
            device: Fresh {
                id: [1; 10],
                secret: [2; 32],
            },
            user: [3; CANDIDATES],
        };
        let address = "192.0.2.1".parse().unwrap();
        decide(
            &device_client(),
            request,
            free,
            records,
            address,
            fresh,
            NOW,
        )
    }

    #[test]
    fn rfc8628_section_3_1_a_request_that_cannot_be_used_is_refused() {
        let invalid = |client: &Client, form: &str| parse(client, form).unwrap_err();
        let client = device_client();
        for (form, error) in [
            (
                "scope=openid&scope=email",
                TokenError::RepeatedParameter("scope".to_owned()),
            ),
            ("scope=a%22b", TokenError::InvalidScope),
            ("scope=api%3Aadmin", TokenError::InvalidScope),
            ("resource=https://other.example", TokenError::InvalidTarget),
            ("resource=", TokenError::InvalidTarget),
        ] {
            assert_eq!(invalid(&client, form), error, "{form}");
        }
        let long = format!("scope={}", "x".repeat(201));
        assert_eq!(invalid(&client, &long), TokenError::InvalidScope);
        let without = Client {
            grants: [GrantType::AuthorizationCode].into(),
            ..client
        };
        assert_eq!(
            invalid(&without, "scope=openid"),
            TokenError::UnauthorizedClient
        );
    }

    #[test]
    fn a_scope_is_narrowed_as_at_the_authorization_endpoint() {
        let client = device_client();
        let scope = |form: &str| parse(&client, form).unwrap().scope.to_string();
        assert_eq!(scope("scope=openid+email+unknown"), "email openid");
        assert_eq!(scope(""), "email groups profile");
        let both = "resource=https://api.example&resource=https://api.example";
        assert_eq!(parse(&client, both).unwrap().resources.len(), 1);
    }

    #[test]
    fn rfc8628_section_3_2_the_device_gets_two_codes_and_the_file_neither_verifier_nor_more_than_it_holds()
     {
        let request = parse(&device_client(), "scope=openid").unwrap();
        let code = UserCode::from_random(7);
        let decision = run(&request, Some(code), 0);
        let [Change::PutDeviceAuthorization(record)] = &decision.changes[..] else {
            panic!("{:?}", decision.changes)
        };
        let answer = decision
            .reply
            .unwrap()
            .answer(&"https://id.example/a".parse().unwrap());
        let device_code = BearerSecret::parse(answer["device_code"].as_str().unwrap()).unwrap();
        assert_eq!(
            (device_code.selector, device_code.hash()),
            (record.id, record.hash)
        );
        assert_eq!(answer["user_code"], code.to_string());
        assert_eq!(answer["verification_uri"], "https://id.example/a/device");
        let complete = format!("https://id.example/a/device?user_code={code}");
        assert_eq!(answer["verification_uri_complete"], complete);
        assert_eq!((record.created, record.expires), (NOW, NOW.plus(LIFE)));
        let stored = serde_json::to_string(record).unwrap();
        assert!(!stored.contains(device_code.verifier.expose()));

        for (free, records) in [(None, 0), (Some(code), RECORDS_MAX)] {
            let full = run(&request, free, records);
            assert_eq!(full.reply.unwrap_err(), TokenError::TooManyDevices);
            assert!(full.changes.is_empty());
        }
    }
}
