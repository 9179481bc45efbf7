//! The audit log: what happened, to whom, and how it ended. Never a secret, a code or a token.

use crate::types::{ClientId, RequestId, Timestamp, UserId};
use log::kv::{self, Key, Source, Value, VisitSource};
use log::{Level, Record};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

macro_rules! kinds {
    (@refused) => { None };
    (@refused $words:literal) => { Some($words) };
    ($($(#[$doc:meta])* $name:ident = $text:literal: $words:literal $(/ $refused:literal)?),* $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl EventKind {
            /// All kinds, for the filter of the audit page.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As stored, exported and logged.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// As a person reads it.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }

            /// The same where it was refused, if that is in this list.
            const fn words_refused(self) -> Option<&'static str> {
                match self { $(Self::$name => kinds!(@refused $($refused)?)),* }
            }

            /// From the stored form.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

// After a stroke: the words for a refusal, where those of what was done would read as if it had been.
kinds! {
    /// A server began to serve.
    ServerStarted = "server.started": "Doorlight started",
    /// The first administrator.
    SetupCompleted = "setup.completed": "First administrator created" / "First administrator not created",
    /// A password or link was right.
    SignIn = "sign_in": "Sign-in" / "Sign-in failed",
    /// The password was asked again.
    Reauthentication = "reauthentication": "Password confirmed" / "Password not confirmed",
    /// A session ended by its person.
    SignOut = "sign_out": "Sign-out",
    /// A session was ended by someone else.
    SessionRevoked = "session.revoked": "Session ended",
    /// The authorization endpoint answered.
    Authorization = "authorization": "Sign-in to an application" / "No sign-in to an application",
    /// A person answered the consent page.
    Consent = "consent": "Permission given" / "Permission not given",
    /// Permission was taken back.
    ConsentRevoked = "consent.revoked": "Permission withdrawn" / "Permission not withdrawn",
    /// The token endpoint, `authorization_code`.
    CodeRedeemed = "token.authorization_code": "Tokens issued after sign-in" / "No tokens after a sign-in",
    /// The token endpoint, `refresh_token`.
    TokenRefreshed = "token.refresh": "Tokens renewed" / "Tokens not renewed",
    /// The token endpoint, `client_credentials`.
    ClientCredentials = "token.client_credentials": "Token issued to a service" / "No token for a service",
    /// The token endpoint refused before it knew the grant.
    TokenRequest = "token.request": "Token request" / "Token request refused",
    /// Refusals of strangers that were too many to record.
    RefusalsLeftOut = "refusals.left_out": "Refusals left out" / "Refusals left out",
    /// A client failed to prove who it is.
    ClientAuthentication = "client.authentication": "Identification of an application" / "Application did not prove who it is",
    /// A token or grant was revoked.
    TokenRevoked = "token.revoked": "Access withdrawn" / "Access not withdrawn",
    /// Userinfo or introspection refused.
    TokenCheck = "token.check": "Token checked" / "Token not accepted",
    /// An application was added.
    ClientAdded = "client.added": "Application added",
    /// An application was edited.
    ClientChanged = "client.changed": "Application changed",
    /// An application was removed.
    ClientDeleted = "client.deleted": "Application deleted",
    /// An application got a new secret, or lost one.
    ClientSecretChanged = "client.secret": "Application secret changed",
    /// A person was added.
    UserAdded = "user.added": "Person added",
    /// A person was edited.
    UserChanged = "user.changed": "Person changed",
    /// A person was disabled.
    UserDisabled = "user.disabled": "Person disabled",
    /// A person was enabled.
    UserEnabled = "user.enabled": "Person enabled",
    /// A person was removed.
    UserDeleted = "user.deleted": "Person deleted",
    /// A password was set.
    PasswordSet = "user.password": "Password set" / "Password not set",
    /// A one-time link was made.
    LinkMade = "link.made": "One-time link made",
    /// A group was added or edited.
    GroupChanged = "group.changed": "Group changed",
    /// A group was removed.
    GroupDeleted = "group.deleted": "Group deleted",
    /// A signing key was made.
    KeyAdded = "key.added": "Signing key added",
    /// A signing key was withdrawn or forgotten.
    KeyDeleted = "key.deleted": "Signing key removed",
    /// A backup took the place of the data file.
    Restored = "file.restored": "Data file restored from a backup" / "Backup not restored",
    /// A backup was made, by itself or because somebody asked for it.
    BackupMade = "backup.made": "Backup made",
    /// One was to be made and was not.
    BackupFailed = "backup.failed": "Backup failed" / "Backup failed",
    /// An administrator took one away in the browser.
    BackupDownloaded = "backup.downloaded": "Backup downloaded",
    /// Somebody said that the clock is right, which was in doubt.
    ClockTrusted = "clock.trusted": "Clock said to be right",
    /// A server started with another issuer than before.
    IssuerChanged = "issuer.changed": "Address of Doorlight changed",
    /// A setting changed.
    SettingsChanged = "settings.changed": "Settings changed",
    /// The device authorization endpoint answered.
    DeviceAsked = "device.asked": "Sign-in asked for on another device" / "No code for another device",
    /// A person typed a code that no device waits with.
    DeviceCodeTyped = "device.code": "Code of a device typed" / "Wrong code of a device typed",
    /// A person let a device in.
    DeviceApproved = "device.approved": "Sign-in on another device allowed" / "Sign-in on another device not allowed",
    /// A person did not.
    DeviceDenied = "device.denied": "Sign-in on another device refused" / "Refusal of a sign-in on another device failed",
    /// The token endpoint, `urn:ietf:params:oauth:grant-type:device_code`.
    DeviceCodeRedeemed = "token.device_code": "Tokens issued to another device" / "No tokens for another device",
    /// The registration endpoint answered.
    Registration = "registration": "Application registered itself" / "Application not registered",
    /// A registered application changed what it registered.
    RegistrationChanged = "registration.changed": "Application changed its registration" / "Registration not changed",
    /// A registered application deleted itself, or was forgotten unused.
    RegistrationDeleted = "registration.deleted": "Registered application removed" / "Registered application not removed",
    /// An initial access token was made or taken back.
    InitialTokenChanged = "registration.token": "Registration token made or removed",
    /// An application was told of a sign-out, or could not be.
    LogoutDelivery = "logout.delivery": "Application told of a sign-out" / "Application not told of a sign-out",
    /// A call to another server that a rule of ours refused.
    OutboundCall = "outbound.call": "Call to another server" / "Call to another server not made",
    /// A resource was added.
    ResourceAdded = "resource.added": "API added",
    /// A resource was edited.
    ResourceChanged = "resource.changed": "API changed",
    /// A resource was removed.
    ResourceDeleted = "resource.deleted": "API deleted",
    /// The token endpoint, `urn:ietf:params:oauth:grant-type:token-exchange`.
    TokenExchanged = "token.exchange": "Token exchanged for another" / "Token not exchanged",
    /// A document was taken in.
    Imported = "import": "Records imported",
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Success,
    /// Refused by a rule.
    Refused,
}

impl Outcome {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
        }
    }
}

/// One line of the audit log. Its key in the file is given by the writer, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What.
    pub kind: EventKind,
    /// How it ended.
    pub outcome: Outcome,
    /// Whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Their name at that time; a name that was tried, where nobody has it, is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// Its name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The administrator who did it, or `command line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The request that caused it. None: none did, or a release before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// For the administrator: expected and received values, why it was refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Longer details are cut: bytes, as stored.
const DETAIL_MAX: usize = 1_000;
/// Longer quotations of a request are cut: bytes, as stored.
const QUOTED_MAX: usize = 200;

/// What a request said, as a detail may quote it: strangers choose it, so little of it is kept.
pub fn quoted(text: &str) -> String {
    cut(text.to_owned(), QUOTED_MAX)
}

/// Cuts a text whose JSON has more than `most` bytes, and says so with `…`.
fn cut(mut text: String, most: usize) -> String {
    let mut bytes = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        bytes += match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..' ' => 6,
            other => other.len_utf8(),
        };
        (bytes > most).then_some(at)
    });
    if let Some(end) = end {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Event {
    /// Something that was done.
    pub fn success(kind: EventKind, time: Timestamp) -> Self {
        Self {
            time,
            kind,
            outcome: Outcome::Success,
            user: None,
            username: None,
            client: None,
            client_name: None,
            actor: None,
            address: None,
            request: None,
            detail: String::new(),
        }
    }

    /// Something that was refused, and why.
    pub fn refused(kind: EventKind, time: Timestamp, why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Refused,
            ..Self::success(kind, time)
        }
        .detail(why)
    }

    /// What happened, as a person reads it. What was refused never reads as if it had been done.
    pub fn words(&self) -> Cow<'static, str> {
        let words = self.kind.words();
        match (self.outcome, self.kind.words_refused()) {
            (Outcome::Success, _) => words.into(),
            (Outcome::Refused, Some(refused)) => refused.into(),
            (Outcome::Refused, None) => format!("{words}: refused").into(),
        }
    }

    /// Says whom it concerns.
    pub fn user(mut self, user: &super::User) -> Self {
        self.user = Some(user.id);
        self.username = Some(user.username.to_string());
        self
    }

    /// Says which person, where only the id is at hand.
    pub fn user_id(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// Says which application.
    pub fn client(mut self, client: &super::Client) -> Self {
        self.client = Some(client.id);
        self.client_name = Some(client.name.clone());
        self
    }

    /// Says who did it.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Says where the request came from.
    pub fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// Writes the line of the log.
    pub fn log(&self) {
        let message = format_args!("{} {}", self.kind.as_str(), self.outcome.as_str());
        let mut record = Record::builder();
        let record = record.level(Level::Info).target("audit").key_values(self);
        if log::log_enabled!(target: "audit", Level::Info) {
            log::logger().log(&record.args(message).build());
        }
    }

    /// Adds what the administrator needs to know.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = cut(detail.into(), DETAIL_MAX);
        self
    }
}

impl fmt::Display for Event {
    /// One line of the log. Control characters are escaped: no request can forge a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.outcome.as_str())?;
        let user = self
            .username
            .clone()
            .or_else(|| self.user.map(|id| id.to_string()));
        let client = self
            .client_name
            .clone()
            .or_else(|| self.client.map(|id| id.to_string()));
        let address = self.address.map(|a| a.to_string());
        let request = self.request.map(|id| id.to_string());
        for (name, value) in [
            ("person", &user),
            ("application", &client),
            ("actor", &self.actor),
            ("address", &address),
            ("request", &request),
        ] {
            if let Some(value) = value {
                write!(f, " {name}={value:?}")?;
            }
        }
        if !self.detail.is_empty() {
            write!(f, " detail={:?}", self.detail)?;
        }
        Ok(())
    }
}

/// What a line of the log says beside its message.
impl Source for Event {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        let mut pair = |name: &'static str, value: Option<Value<'kvs>>| match value {
            Some(value) => visitor.visit_pair(Key::from(name), value),
            None => Ok(()),
        };
        let user = self.user.as_ref().map(Value::from_display);
        let client = self.client.as_ref().map(Value::from_display);
        pair("kind", Some(self.kind.as_str().into()))?;
        pair("outcome", Some(self.outcome.as_str().into()))?;
        pair("person", self.username.as_deref().map(Value::from).or(user))?;
        pair(
            "application",
            self.client_name.as_deref().map(Value::from).or(client),
        )?;
        pair("actor", self.actor.as_deref().map(Value::from))?;
        pair("address", self.address.as_ref().map(Value::from_display))?;
        pair("request", self.request.as_ref().map(Value::from_display))?;
        pair(
            "detail",
            Some(self.detail.as_str())
                .filter(|detail| !detail.is_empty())
                .map(Value::from),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of these it is enough to say their name and that it was refused: an administrator's doing, or nothing that a rule
    /// refuses. All others have words of their own.
    const NAMED: [EventKind; 27] = [
        EventKind::ServerStarted,
        EventKind::SignOut,
        EventKind::SessionRevoked,
        EventKind::ClientAdded,
        EventKind::ClientChanged,
        EventKind::ClientDeleted,
        EventKind::ClientSecretChanged,
        EventKind::UserAdded,
        EventKind::UserChanged,
        EventKind::UserDisabled,
        EventKind::UserEnabled,
        EventKind::UserDeleted,
        EventKind::LinkMade,
        EventKind::GroupChanged,
        EventKind::GroupDeleted,
        EventKind::KeyAdded,
        EventKind::KeyDeleted,
        EventKind::BackupMade,
        EventKind::BackupDownloaded,
        EventKind::ClockTrusted,
        EventKind::IssuerChanged,
        EventKind::SettingsChanged,
        EventKind::InitialTokenChanged,
        EventKind::ResourceAdded,
        EventKind::ResourceChanged,
        EventKind::ResourceDeleted,
        EventKind::Imported,
    ];

    /// “Tokens renewed” stood there where none were.
    #[test]
    fn a_refusal_never_reads_as_if_it_had_been_done() {
        let now = Timestamp::default();
        for kind in EventKind::ALL {
            let done = Event::success(*kind, now).words();
            let refused = Event::refused(*kind, now, "no").words();
            assert_eq!(done, kind.words());
            let ends_well = !matches!(kind, EventKind::RefusalsLeftOut | EventKind::BackupFailed);
            assert_eq!(refused != done, ends_well, "{refused}");
            if NAMED.contains(kind) {
                assert_eq!(refused, format!("{done}: refused"));
                continue;
            }
            let own = kind.words_refused().unwrap_or_default();
            let says_so = ["not ", "No ", "efus", "failed", "Wrong"];
            assert!(says_so.iter().any(|word| own.contains(word)), "{refused}");
        }
        let failed = Event::refused(EventKind::UserAdded, now, "no").words();
        assert_eq!(failed, "Person added: refused");
    }

    /// A thousand control characters were six thousand bytes in the file, for whoever sent them.
    #[test]
    fn what_a_request_said_is_small_as_stored() {
        for text in [
            "\u{1}".repeat(5_000),
            "\"\\\n".repeat(5_000),
            "ü…\u{10ffff}".repeat(5_000),
            "a".repeat(201),
        ] {
            let quoted = quoted(&text);
            let stored = serde_json::to_string(&quoted).unwrap();
            assert!(stored.len() <= 2 + 200 + '…'.len_utf8(), "{stored}");
            let kept = quoted.strip_suffix('…').unwrap();
            assert!(text.starts_with(kept) && stored.len() > 195, "{stored}");
            let whole = Event::refused(EventKind::Authorization, Timestamp::default(), text);
            assert!(serde_json::to_vec(&whole).unwrap().len() < 1_150);
        }
        assert_eq!(quoted(&"a".repeat(200)), "a".repeat(200));
    }
}
