//! What tokens look like. RFC 9068 §2 (access token), OpenID Connect Core §2 (ID token), RFC 6749 §5.1 (answer),
//! RFC 9449 §5 and §6.1 (bound ones).
//! Not here: signing (`server::oauth::token`), which draws random bytes.

use crate::crypto::digest::at_hash;
use crate::model::{Algorithm, Authentication, Client, Grant, User};
use crate::oauth::introspect::Origin;
use crate::oauth::{claim_mapping, claims, subject, target};
use crate::types::{
    BearerSecret, GrantId, Id, Issuer, Scope, Thumbprint, Timestamp, TokenId, WireClientId,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long an ID token is good: it is consumed at once; some clients hold it as their session.
const ID_TOKEN_LIFE: Duration = Duration::from_secs(3_600);

/// What a decision granted: everything that is signed after the commit.
#[derive(Clone, Debug)]
pub struct Issued {
    client: WireClientId,
    /// Whose, and under which grant; `None` for a service.
    pub user: Option<Person>,
    /// What was granted.
    pub scope: Scope,
    /// Resources it is for; empty: the issuer.
    pub audience: Vec<String>,
    /// The new refresh token.
    pub refresh: Option<BearerSecret>,
    token: TokenId,
    issued: Timestamp,
    life: Duration,
    access_alg: Algorithm,
    id_alg: Algorithm,
    nonce: Option<String>,
    key: Option<Thumbprint>,
    exchanged: Option<Box<Exchanged>>,
}

/// What an exchanged token takes over from the one it is exchanged for (RFC 8693 §4.1, §2.2.1).
#[derive(Clone, Debug)]
pub(super) struct Exchanged {
    /// Whose it is.
    pub subject: String,
    /// The grant it falls with.
    pub grant: Option<GrantId>,
    /// Who acts.
    pub act: Value,
    /// The tokens it falls with.
    pub origins: Vec<Origin>,
    /// Claims about the sign-in, as they were.
    pub sign_in: Vec<(&'static str, Value)>,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// `issued_token_type`.
    pub token_type: &'static str,
}

/// The part about a person.
#[derive(Clone, Debug)]
pub struct Person {
    subject: String,
    grant: GrantId,
    sid: String,
    authentication: Authentication,
    /// What the ID token says of them beside that.
    claims: Map<String, Value>,
    /// What the access token does, under names of the application's own.
    mapped_for_access: Map<String, Value>,
}

/// The answer of the token endpoint. A member that is none is left out.
#[derive(Serialize)]
pub struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    scope: &'a Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl Issued {
    /// Under a grant.
    pub(super) fn for_grant(
        grant: &Grant,
        user: &User,
        client: &Client,
        access: [u8; 10],
        now: Timestamp,
    ) -> Self {
        let issued = Self::for_client(
            client,
            grant.scope.clone(),
            grant.resources.clone(),
            access,
            now,
        );
        let person = Person {
            subject: subject::of(user, client),
            grant: grant.id,
            sid: subject::session(grant.session, client),
            authentication: grant.authentication.clone(),
            claims: in_id_token(grant, user, client, &issued.scope),
            mapped_for_access: claim_mapping::for_access_token(&client.claim_mappings, user),
        };
        Self {
            user: Some(person),
            ..issued
        }
    }

    /// For a service itself.
    pub(super) fn for_client(
        client: &Client,
        scope: Scope,
        audience: Vec<String>,
        access: [u8; 10],
        now: Timestamp,
    ) -> Self {
        Self {
            client: client.wire_id(),
            user: None,
            scope: target::scope(client, &audience, scope),
            refresh: None,
            token: TokenId(Id::new(now, access)),
            issued: now,
            life: target::life(client, &audience),
            access_alg: target::algorithm(client, &audience),
            audience,
            id_alg: client.id_token_alg,
            nonce: None,
            key: None,
            exchanged: None,
        }
    }

    pub(super) fn with_nonce(self, nonce: Option<String>) -> Self {
        Self { nonce, ..self }
    }

    pub(super) fn with_refresh(self, refresh: Option<BearerSecret>) -> Self {
        Self { refresh, ..self }
    }

    /// The access token is of no use without this key.
    pub(super) fn bound_to(self, key: Option<Thumbprint>) -> Self {
        Self { key, ..self }
    }

    /// In exchange for another, which it does not outlive.
    pub(super) fn exchanged(self, exchanged: Exchanged) -> Self {
        let left = exchanged.expires.secs().saturating_sub(self.issued.secs());
        Self {
            life: self.life.min(Duration::from_secs(left)),
            exchanged: Some(Box::new(exchanged)),
            ..self
        }
    }

    /// For the audit log: what was issued, never the tokens.
    pub(super) fn summary(&self) -> String {
        let id = if self.has_id_token() {
            ", ID token"
        } else {
            ""
        };
        let refresh = if self.refresh.is_some() {
            ", refresh token"
        } else {
            ""
        };
        let bound = if self.key.is_some() {
            ", bound to a key"
        } else {
            ""
        };
        format!(
            "access token {}{bound}{id}{refresh}; scope {}",
            self.token, self.scope
        )
    }

    /// When.
    pub fn time(&self) -> Timestamp {
        self.issued
    }

    /// What signs the access token.
    pub fn access_token_alg(&self) -> Algorithm {
        self.access_alg
    }

    /// What signs the ID token.
    pub fn id_token_alg(&self) -> Algorithm {
        self.id_alg
    }

    /// The JSON answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
    pub fn answer<'a>(&'a self, access_token: &'a str, id_token: Option<&'a str>) -> Answer<'a> {
        Answer {
            access_token,
            token_type: if self.key.is_some() { "DPoP" } else { "Bearer" },
            expires_in: self.life.as_secs(),
            scope: &self.scope,
            id_token,
            issued_token_type: self
                .exchanged
                .as_ref()
                .map(|exchanged| exchanged.token_type),
            refresh_token: self
                .refresh
                .as_ref()
                .map(|secret| secret.text().expose().to_owned()),
        }
    }

    /// RFC 9068 §2.2. The `jti` of a grant's token begins with the grant: that is how its end is found.
    pub fn access_claims(&self, issuer: &Issuer) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("iss", json!(issuer.as_str()));
        put("aud", self.audience_claim(issuer));
        put("client_id", json!(self.client));
        put("iat", json!(self.issued.secs()));
        put("exp", json!(self.issued.plus(self.life).secs()));
        if !self.scope.is_empty() {
            put("scope", json!(self.scope));
        }
        match (&self.exchanged, &self.user) {
            (Some(exchanged), _) => {
                put("sub", json!(exchanged.subject));
                put("jti", self.jti(exchanged.grant));
                put("act", exchanged.act.clone());
                put(
                    "origins",
                    exchanged.origins.iter().map(Origin::claim).collect(),
                );
                for (name, value) in &exchanged.sign_in {
                    put(name, value.clone());
                }
            }
            (None, Some(person)) => {
                put("sub", json!(person.subject));
                put("jti", self.jti(Some(person.grant)));
                put("auth_time", json!(person.authentication.time.secs()));
                put("acr", json!(person.authentication.acr()));
                for (name, value) in &person.mapped_for_access {
                    put(name, value.clone());
                }
            }
            (None, None) => {
                put("sub", json!(self.client));
                put("jti", self.jti(None));
            }
        }
        if let Some(key) = &self.key {
            claims.insert("cnf".to_owned(), json!({ "jkt": key }));
        }
        claims
    }

    fn jti(&self, grant: Option<GrantId>) -> Value {
        match grant {
            Some(grant) => json!(format!("{grant}.{}", self.token)),
            None => json!(self.token),
        }
    }

    /// The client's resources; with `openid` also the issuer, whose userinfo it opens; alone where there is none.
    fn audience_claim(&self, issuer: &Issuer) -> Value {
        let mut audience: Vec<&str> = self.audience.iter().map(String::as_str).collect();
        if audience.is_empty()
            || (self.scope.contains("openid") && !audience.contains(&issuer.as_str()))
        {
            audience.push(issuer.as_str());
        }
        match audience.as_slice() {
            [one] => json!(one),
            many => json!(many),
        }
    }

    /// OpenID Connect Core §2; none without a person and `openid`. `iat` is now and there is no `nbf`: clocks of clients
    /// lag.
    pub fn id_claims(&self, issuer: &Issuer, access_token: &str) -> Option<Map<String, Value>> {
        let person = self.user.as_ref().filter(|_| self.has_id_token())?;
        let mut claims = person.claims.clone();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("iss", json!(issuer.as_str()));
        put("sub", json!(person.subject));
        put("aud", json!(self.client));
        put("iat", json!(self.issued.secs()));
        put("exp", json!(self.issued.plus(ID_TOKEN_LIFE).secs()));
        put("auth_time", json!(person.authentication.time.secs()));
        put("acr", json!(person.authentication.acr()));
        put("amr", json!(person.authentication.amr));
        put("sid", json!(person.sid));
        put("at_hash", json!(at_hash(access_token, self.id_alg)));
        if let Some(nonce) = &self.nonce {
            put("nonce", json!(nonce));
        }
        Some(claims)
    }

    fn has_id_token(&self) -> bool {
        self.user.is_some() && self.scope.contains("openid")
    }
}

/// What the ID token says of a person: what was asked of it by name (OpenID Connect Core §5.5), and what the scopes give
/// where the application wants that there too (§5.4 has it at userinfo).
fn in_id_token(grant: &Grant, user: &User, client: &Client, scope: &Scope) -> Map<String, Value> {
    let nothing = Scope::default();
    let all = client.claims_in_id_token;
    let wanted = claims::within(grant.claims.clone(), &client.scope)
        .0
        .id_token;
    let mut claims = claims::of_user(user, if all { scope } else { &nothing }, &wanted);
    let mapped = claim_mapping::of_user(&client.claim_mappings, user);
    claims.extend(
        mapped
            .into_iter()
            .filter(|(name, _)| all || wanted.contains_key(name)),
    );
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{NOW, client, grant, user};

    fn issuer() -> Issuer {
        "https://id.example".parse().unwrap()
    }

    fn tokens(client: &Client, scope: &str) -> (Map<String, Value>, Map<String, Value>, Value) {
        let grant = Grant {
            scope: scope.parse().unwrap(),
            resources: client.audiences.clone(),
            ..grant(client)
        };
        let issued = Issued::for_grant(&grant, &user(), client, [1; 10], NOW)
            .with_nonce(Some("n-1".to_owned()));
        let id = issued.id_claims(&issuer(), "signed");
        let answer = issued.answer("signed", id.as_ref().map(|_| "id"));
        (
            issued.access_claims(&issuer()),
            id.unwrap_or_default(),
            json!(answer),
        )
    }

    #[test]
    fn rfc9068_section_2_2_an_access_token_has_its_claims() {
        let (access, _, answer) = tokens(&client(), "openid email");
        for name in [
            "iss",
            "sub",
            "aud",
            "client_id",
            "exp",
            "iat",
            "jti",
            "scope",
            "auth_time",
            "acr",
        ] {
            assert!(access.contains_key(name), "{name}");
        }
        assert_eq!(access["aud"], "https://id.example");
        assert!(!access.contains_key("nbf") && !access.contains_key("email"));
        assert_eq!(answer["expires_in"], 900);
    }

    #[test]
    fn an_id_token_has_its_claims_and_no_scope_claims_unless_the_client_says_so() {
        let (_, id, answer) = tokens(&client(), "openid email");
        for name in [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "sid",
            "at_hash",
        ] {
            assert!(id.contains_key(name), "{name}");
        }
        assert!(!id.contains_key("email"));
        assert_eq!(id["at_hash"], at_hash("signed", Algorithm::Rs256));
        assert_eq!(answer["access_token"], "signed");
        let (_, id, _) = tokens(
            &Client {
                claims_in_id_token: true,
                ..client()
            },
            "openid email",
        );
        assert_eq!(id["email"], "alice@example.org");
    }

    #[test]
    fn no_openid_no_id_token() {
        let (_, id, answer) = tokens(&client(), "email");
        assert!(id.is_empty() && answer.get("id_token").is_none());
    }

    #[test]
    fn an_access_token_is_for_the_clients_resources() {
        let client = Client {
            audiences: vec!["https://api.example".to_owned()],
            ..client()
        };
        let (access, ..) = tokens(&client, "email");
        assert_eq!(access["aud"], "https://api.example");
        let (access, ..) = tokens(&client, "openid");
        assert_eq!(
            access["aud"],
            json!(["https://api.example", "https://id.example"])
        );
    }
}
