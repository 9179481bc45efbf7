//! The control socket: what the command line asks of a running server. Whoever may open the socket (mode 0600, beside
//! the data file) may open the file, and is the administrator (DESIGN §5).

use super::describe;
use crate::model::{Algorithm, RegistrationPolicy};
use crate::oauth::clients::NewClient;
use crate::ops::clock;
use crate::server::administration::backups::{self, BackupChanges};
use crate::server::administration::client_changes::{self, ClientChanges};
use crate::server::administration::clock as trusted;
use crate::server::administration::metrics as metrics_token;
use crate::server::administration::people::NewPerson;
use crate::server::administration::registration::{self, NewInitialToken};
use crate::server::administration::resources::{self, ResourceChanges};
use crate::server::administration::transfer::document::{self, Document};
use crate::server::administration::transfer::{import, plan::Wish};
use crate::server::administration::{
    Actor, Authority, OperationError, clients, keys, outbound, people,
};
use crate::server::context::Context;
use crate::server::doctor;
use crate::server::metrics;
use crate::server::respond;
use crate::types::{Secret, Timestamp, strict_json};
use rouille::{Request, Response};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the listener takes as a body (DESIGN §7), in bytes.
pub const LONGEST_COMMAND: usize = 64 * 1024;

/// Where verbs are posted.
pub const COMMANDS: &str = "/control";

/// Where the verb is posted that brings a whole document.
pub const IMPORTS: &str = "/control/import";

/// Where the doctor is called.
pub const DOCTOR: &str = "/control/doctor";

/// What stands around a document, in bytes and in levels.
const AROUND_DOCUMENT: usize = 1024;
const AROUND_DOCUMENT_LEVELS: usize = 2;

/// Bytes that a verb may have.
pub fn body_limit(method: &str, target: &str) -> Option<usize> {
    (method == "POST" && target == IMPORTS).then_some(document::LONGEST + AROUND_DOCUMENT)
}

/// A password on its way over the socket; never printed.
#[derive(Clone, Debug)]
pub struct Password(pub Secret);

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// Which secret of an application: the moment at which it was made, as a text.
#[derive(Clone, Copy, Debug)]
pub struct SecretId(pub Timestamp);

impl Serialize for SecretId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.millis())
    }
}

impl<'de> Deserialize<'de> for SecretId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let made = text.parse().map(Timestamp::from_millis).map(Self);
        made.map_err(|_| {
            let other = Unexpected::Other("another text");
            D::Error::invalid_value(other, &"the id of one, as “secrets” shows it")
        })
    }
}

/// A verb that writes. A field that it does not know is refused: it may be a mistyped one that was to keep somebody out. For
/// that, verbs without fields have braces too: serde lets the others have any.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Adds a person.
    UserAdd {
        /// Who.
        person: NewPerson,
        /// Their password; none: they get a one-time link.
        password: Option<Password>,
    },
    /// Sets a password.
    UserPasswd {
        /// Name or id.
        user: String,
        /// The new one.
        password: Password,
    },
    /// Shuts a person out.
    UserDisable {
        /// Name or id.
        user: String,
    },
    /// Lets them in again.
    UserEnable {
        /// Name or id.
        user: String,
    },
    /// Removes a person.
    UserRemove {
        /// Name or id.
        user: String,
    },
    /// Makes a one-time sign-in link.
    UserLink {
        /// Name or id.
        user: String,
    },
    /// Adds an application.
    ClientAdd {
        /// Which.
        client: Box<NewClient>,
    },
    /// Changes an application.
    ClientEdit {
        /// Name or client id.
        client: String,
        /// What is given; the rest stays.
        changes: Box<ClientChanges>,
    },
    /// Gives an application a second secret.
    ClientRotateSecret {
        /// Name or id.
        client: String,
    },
    /// Removes one of an application's two secrets.
    ClientRemoveSecret {
        /// Name or id.
        client: String,
        /// Its id, as [`describe::secrets`] shows it.
        secret: SecretId,
    },
    /// Removes an application.
    ClientRemove {
        /// Name or id.
        client: String,
    },
    /// Makes new signing keys.
    KeysRotate {
        /// Of one algorithm, or of each.
        alg: Option<Algorithm>,
    },
    /// Makes a setup link.
    SetupLink {},
    /// Says who may register applications.
    RegistrationSet {
        /// Who.
        policy: RegistrationPolicy,
    },
    /// Says whether applications may be known by a document.
    RegistrationDocuments {
        /// Whether they may.
        on: bool,
    },
    /// Makes an initial access token.
    RegistrationAddToken {
        /// Which.
        token: NewInitialToken,
    },
    /// Takes one back.
    RegistrationRemoveToken {
        /// Its id.
        token: String,
    },
    /// Lets Doorlight call a host over plain http and at inner addresses, or forbids that again.
    OutboundSet {
        /// Which.
        host: String,
        /// Whether it may.
        allowed: bool,
    },
    /// Makes the token that opens the measurements over HTTP.
    MetricsToken {},
    /// Closes them.
    MetricsOff {},
    /// Sets where backups go, when, how many are kept and to whom they are encrypted.
    BackupsSet {
        /// What is given; the rest stays.
        given: BackupChanges,
    },
    /// Makes no more backups.
    BackupsOff {},
    /// Makes one now.
    BackupsRun {},
    /// Adds a resource.
    ResourceAdd {
        /// What stands in `aud`.
        identifier: String,
        /// Its settings.
        given: ResourceChanges,
    },
    /// Edits a resource.
    ResourceEdit {
        /// Which.
        identifier: String,
        /// What is given; the rest stays.
        given: ResourceChanges,
    },
    /// Removes a resource.
    ResourceRemove {
        /// Which.
        identifier: String,
    },
    /// Says that the clock is right.
    ClockTrust {},
    /// Takes a document in.
    Import {
        /// Which.
        document: Box<Document>,
        /// How.
        wish: Wish,
    },
}

impl Command {
    /// One whose name stands among its fields, as `verb`. (serde's own way of reading that takes 170 KB of the binary: a
    /// second reader for each type in here.)
    pub fn of_members(mut members: Map<String, Value>) -> serde_json::Result<Self> {
        let Some(Value::String(verb)) = members.remove("verb") else {
            return Err(serde::de::Error::missing_field("verb"));
        };
        let named = Map::from_iter([(verb, Value::Object(members))]);
        serde_json::from_value(Value::Object(named))
    }

    /// Where it is posted.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Import { .. } => IMPORTS,
            _ => COMMANDS,
        }
    }

    /// Whether a token for the API may give it. Never what names places on the machine, opens another door or plants keys:
    /// that wants the file (the socket, the command line) or, on a page, a password that was asked lately. Whoever adds
    /// a verb decides here. Whom and what the others may not touch stands in `administration::token_bounds`.
    pub fn may_come_over_http(&self) -> bool {
        match self {
            // The way in while there is no administrator.
            Self::SetupLink {}
            // Signing keys, hashes of passwords, the secret of the subjects.
            | Self::Import { .. }
            // What has expired by the clock is gone then.
            | Self::ClockTrust {}
            // A token that outlives the one it was made with.
            | Self::MetricsToken {}
            // A path, keys that open everything, and what brings back what such a token does.
            | Self::BackupsSet { .. }
            | Self::BackupsOff {}
            | Self::BackupsRun {} => false,
            Self::UserAdd { .. }
            | Self::UserPasswd { .. }
            | Self::UserDisable { .. }
            | Self::UserEnable { .. }
            | Self::UserRemove { .. }
            | Self::UserLink { .. }
            | Self::ClientAdd { .. }
            | Self::ClientEdit { .. }
            | Self::ClientRotateSecret { .. }
            | Self::ClientRemoveSecret { .. }
            | Self::ClientRemove { .. }
            | Self::KeysRotate { .. }
            | Self::RegistrationSet { .. }
            | Self::RegistrationDocuments { .. }
            | Self::RegistrationAddToken { .. }
            | Self::RegistrationRemoveToken { .. }
            | Self::OutboundSet { .. }
            | Self::MetricsOff {}
            | Self::ResourceAdd { .. }
            | Self::ResourceEdit { .. }
            | Self::ResourceRemove { .. } => true,
        }
    }
}

/// Runs a verb.
pub fn execute(ctx: &Context, command: Command, actor: &Actor) -> Result<Value, OperationError> {
    let user = |name: &str| -> Result<_, OperationError> {
        people::find(&ctx.store.snapshot()?.view(), name)
    };
    let done = |user: &crate::model::User| json!({ "id": user.id, "username": user.username });
    Ok(match command {
        Command::UserAdd { person, password } => describe::user(&people::add(
            ctx,
            person,
            password.map(|password| password.0),
            actor,
        )?),
        Command::UserPasswd {
            user: name,
            password,
        } => {
            let user = user(&name)?;
            people::set_password(ctx, user.id, password.0, actor)?;
            done(&user)
        }
        Command::UserDisable { user: name } => {
            let user = user(&name)?;
            people::set_disabled(ctx, user.id, true, actor)?;
            done(&user)
        }
        Command::UserEnable { user: name } => {
            let user = user(&name)?;
            people::set_disabled(ctx, user.id, false, actor)?;
            done(&user)
        }
        Command::UserRemove { user: name } => {
            let user = user(&name)?;
            people::delete(ctx, user.id, actor)?;
            done(&user)
        }
        Command::UserLink { user: name } => {
            let user = user(&name)?;
            let link = people::link(ctx, user.id, actor)?;
            json!({ "username": user.username, "url": link.expose() })
        }
        Command::ClientAdd { client } => {
            let (client, secret) = clients::add(ctx, *client, actor)?;
            describe::new_client(
                &client,
                secret.as_ref().map(Secret::expose),
                &ctx.config.issuer,
            )
        }
        Command::ClientEdit { client, changes } => {
            describe::client(&client_changes::edit_given(ctx, &client, *changes, actor)?)
        }
        Command::ClientRotateSecret { client } => {
            let client = clients::find(ctx, &client)?;
            let (client, secret) = clients::rotate_secret(ctx, client.id, actor)?;
            json!({
                "client_id": client.wire_id(),
                "name": client.name,
                "client_secret": secret.expose(),
                "secrets": describe::secrets(&client),
            })
        }
        Command::ClientRemoveSecret { client, secret } => {
            let client = clients::find(ctx, &client)?;
            let client = clients::remove_secret(ctx, client.id, secret.0, actor)?;
            json!({
                "client_id": client.wire_id(),
                "name": client.name,
                "secrets": describe::secrets(&client),
            })
        }
        Command::ClientRemove { client } => {
            let client = clients::find(ctx, &client)?;
            clients::delete(ctx, client.id, actor)?;
            json!({ "client_id": client.wire_id(), "name": client.name })
        }
        Command::KeysRotate { alg } => {
            let wanted = match alg {
                Some(alg) => BTreeSet::from([alg]),
                None => keys::algorithms(&ctx.store.snapshot()?.view())?,
            };
            let kids: Result<Vec<String>, _> = wanted
                .into_iter()
                .map(|each| keys::rotate(ctx, each, actor))
                .collect();
            json!({ "kids": kids? })
        }
        Command::SetupLink {} => json!({ "url": people::setup_link(ctx, actor)?.expose() }),
        Command::RegistrationSet { policy } => {
            registration::set_policy(ctx, policy, actor)?;
            json!({ "registration": policy })
        }
        Command::RegistrationDocuments { on } => {
            registration::set_documents(ctx, on, actor)?;
            json!({ "client_documents": on })
        }
        Command::RegistrationAddToken { token } => {
            let (token, secret) = registration::add_token(ctx, token, actor)?;
            let mut made = describe::initial_token(&token);
            made["token"] = json!(secret.text().expose());
            made
        }
        Command::RegistrationRemoveToken { token } => {
            registration::remove_token(ctx, &token, actor)?;
            json!({ "id": token })
        }
        Command::OutboundSet { host, allowed } => {
            let host = outbound::set(ctx, &host, allowed, actor)?;
            json!({ "host": host, "allowed": allowed })
        }
        Command::MetricsToken {} => {
            json!({ "metrics_token": metrics_token::make_token(ctx, actor)?.expose() })
        }
        Command::MetricsOff {} => {
            metrics_token::switch_off(ctx, actor)?;
            json!({ "metrics_over_http": false })
        }
        Command::BackupsSet { given } => {
            backups::set(ctx, &given, actor)?;
            backups_now(ctx)?
        }
        Command::BackupsOff {} => {
            backups::switch_off(ctx, actor)?;
            backups_now(ctx)?
        }
        Command::BackupsRun {} => {
            let made = backups::run(ctx, actor)?;
            json!({ "file": made.file, "bytes": made.bytes })
        }
        Command::ResourceAdd { identifier, given } => {
            describe::resource(&resources::add_given(ctx, &identifier, given, actor)?)
        }
        Command::ResourceEdit { identifier, given } => {
            describe::resource(&resources::edit_given(ctx, &identifier, given, actor)?)
        }
        Command::ResourceRemove { identifier } => {
            resources::delete(ctx, &identifier, actor)?;
            json!({ "identifier": identifier })
        }
        Command::ClockTrust {} => {
            let (now, doubt) = trusted::trust(ctx, actor)?;
            describe::clock(now, doubt)
        }
        Command::Import { document, wish } => {
            json!(import::import(ctx, *document, wish, actor)?)
        }
    })
}

fn backups_now(ctx: &Context) -> Result<Value, OperationError> {
    let recorded = backups::Recorded::of(ctx)?;
    let state = backups::state(recorded, ctx.store.path(), clock::now());
    Ok(describe::backups(&state))
}

/// Answers on the socket: `GET /control/ping`, `POST /control`, and what only reads.
pub fn handle(ctx: &Context, request: &Request, body: &[u8]) -> Response {
    match (request.method(), request.raw_url()) {
        ("GET", "/control/ping") => respond::json(200, &ping(ctx)),
        ("POST", DOCTOR) => respond::json(200, &json!(doctor::everything(ctx, clock::now()))),
        ("GET", "/metrics") => metrics::answer(ctx),
        ("GET", "/readyz") if ctx.store.is_ready() => respond::plain(200, "ready\n"),
        ("GET", "/readyz") => respond::plain(503, "the data file cannot be written\n"),
        ("POST", COMMANDS | IMPORTS) => post(ctx, body),
        _ => respond::plain(404, "no such thing\n"),
    }
}

fn ping(ctx: &Context) -> Value {
    json!({
        "pid": std::process::id(),
        "listen": ctx.config.listen,
        "issuer": ctx.config.issuer.as_str(),
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn post(ctx: &Context, body: &[u8]) -> Response {
    let command =
        strict_json::parse_object_within(body, document::DEEPEST + AROUND_DOCUMENT_LEVELS)
            .ok()
            .and_then(|members| serde_json::from_value::<Command>(Value::Object(members)).ok());
    let Some(command) = command else {
        let why = "the running server does not know this verb or a field of it: is it of an earlier version?";
        return respond::json(400, &json!({ "error": why }));
    };
    match execute(ctx, command, &command_line()) {
        Ok(value) => respond::json(200, &json!({ "ok": value })),
        Err(error @ OperationError::Admin(_)) => {
            respond::json(409, &json!({ "error": error.to_string() }))
        }
        Err(error) => respond::json(503, &json!({ "error": error.to_string() })),
    }
}

/// Who the audit log names for a verb.
pub fn command_line() -> Actor {
    Actor {
        name: "command line".to_owned(),
        address: None,
        authority: Authority::File,
    }
}
