//! What access tokens may be for. RFC 8707 §2, §2.1, §2.2.
//! Owns: which resource a client may ask for, and what of a token its resources decide: scope, lifetime, signature.
//! Not here: how resources are managed (`resources`), what a grant was given (`token`).
//!
//! A resource that an administrator manages names the clients that may ask for it, and nobody else may: a client whose
//! `audiences` list it is refused too, once the record does not name it. An audience without a record is what a client's
//! own list says, as in files from before there were records. What a client lists is also what its tokens are for when
//! it asks for nothing; a resource that merely names the client is given only when it is asked for.
//!
//! A client that introduced itself has no name when a record is made, so a record may be open to all of them. Such a
//! client gets the resource only from a person: asked for at the authorization endpoint, shown there, and agreed to for
//! that resource ([`by_person`], [`agreed`]); never for itself, nor by a device's code, which strangers can send around.
//! It brings the scopes that its record knows, and those alone: they are no scopes of the client, which never has more
//! than the default ones, and Doorlight's own scopes are no resource's to give ([`scopes_of`]).
//!
//! Every check is made at the authorization, device and pushed request and again at each token, so a resource that is
//! deleted or narrowed is given no more, whatever a refresh token was granted once.

use super::claims::SCOPES;
use super::error::TokenError;
use super::protected_resource::Access;
use crate::model::{Algorithm, Client, Consent, Profile, Resource};
use crate::types::Scope;
use std::time::Duration;

/// Whether the client may ask for it today.
pub fn may_ask(client: &Client, identifier: &str) -> bool {
    match record(client, identifier) {
        Some(resource) => resource.clients.contains(&client.id),
        None => client.audiences.iter().any(|own| own == identifier),
    }
}

/// Whether only a person can let the client have it: the record is open to clients that introduced themselves.
pub fn by_person(client: &Client, identifier: &str) -> bool {
    open(client, identifier).is_some() && !may_ask(client, identifier)
}

/// Whether the person agreed that the client has those of the resources that are theirs to give.
pub fn agreed(client: &Client, resources: &[String], consent: Option<&Consent>) -> bool {
    resources
        .iter()
        .filter(|resource| by_person(client, resource))
        .all(|resource| consent.is_some_and(|consent| consent.resources.contains(resource)))
}

/// All scopes that the client may ask for together with these resources.
pub fn scopes_of(client: &Client, resources: &[String]) -> Scope {
    resources
        .iter()
        .filter_map(|identifier| open(client, identifier))
        .map(|resource| givable(&resource.scope))
        .fold(client.scope.clone(), |all, more| all.joined_with(&more))
}

/// What of its scopes an open resource gives to strangers: none of Doorlight's own.
fn givable(scope: &Scope) -> Scope {
    let own = Access::ALL.map(Access::scope);
    SCOPES
        .iter()
        .chain(&own)
        .fold(scope.clone(), |scope, own| scope.without(own))
}

/// What of these resources clients that introduce themselves may ask for.
pub fn offered(resources: &[Resource]) -> Scope {
    resources
        .iter()
        .filter(|resource| resource.registered_clients)
        .fold(Scope::default(), |all, resource| {
            all.joined_with(&givable(&resource.scope))
        })
}

/// The resources of an authorization request, each once; `None` when one of them is out of the client's reach.
pub fn asked_of_person<'a>(
    client: &Client,
    identifiers: impl IntoIterator<Item = &'a str>,
) -> Option<Vec<String>> {
    each_once(identifiers, |identifier| may_get(client, identifier))
}

/// Whether the client is the service that tokens for `identifier` are sent to.
pub fn is_server(client: &Client, identifier: &str) -> bool {
    match record(client, identifier) {
        Some(resource) => resource.servers.contains(&client.id),
        // Where there is no record: whoever looks up tokens for its audiences is who gets them.
        None => client.may_introspect && client.audiences.iter().any(|own| own == identifier),
    }
}

/// The resources of a request, each once; `None` when the client may not ask for one of them.
pub fn asked<'a>(
    client: &Client,
    identifiers: impl IntoIterator<Item = &'a str>,
) -> Option<Vec<String>> {
    each_once(identifiers, |identifier| may_ask(client, identifier))
}

fn each_once<'a>(
    identifiers: impl IntoIterator<Item = &'a str>,
    may: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let mut resources: Vec<String> = Vec::new();
    for identifier in identifiers {
        if !may(identifier) {
            return None;
        }
        if !resources.iter().any(|known| known == identifier) {
            resources.push(identifier.to_owned());
        }
    }
    Some(resources)
}

/// The resources of a token under a grant (RFC 8707 §2.2): all that it asks for must have been granted, and what the
/// client may ask for today bounds what was granted once. Nothing left of a grant for resources is an error: a token
/// for the issuer instead would open another door.
pub fn granted(
    asked: &[String],
    granted: &[String],
    client: &Client,
) -> Result<Vec<String>, TokenError> {
    within(asked, granted, |resource| may_get(client, resource))
}

fn within(
    asked: &[String],
    granted: &[String],
    may: impl Fn(&str) -> bool,
) -> Result<Vec<String>, TokenError> {
    if !asked
        .iter()
        .all(|resource| granted.contains(resource) && may(resource))
    {
        return Err(TokenError::InvalidTarget);
    }
    let wanted = if asked.is_empty() { granted } else { asked };
    let mut resources: Vec<String> = Vec::new();
    for resource in wanted.iter().filter(|wanted| may(wanted)) {
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    if resources.is_empty() && !granted.is_empty() {
        return Err(TokenError::InvalidTarget);
    }
    Ok(resources)
}

/// The resources of a token where nothing was said before: those that it asks for, else the client's own list.
pub fn first(asked: &[String], client: &Client) -> Result<Vec<String>, TokenError> {
    if asked.is_empty() {
        within(&[], &client.audiences, |own| may_ask(client, own))
    } else {
        self::asked(client, asked.iter().map(String::as_str)).ok_or(TokenError::InvalidTarget)
    }
}

/// What of the scope a token for these resources carries (RFC 8707 §2.2): what one of them knows, and Doorlight's own
/// scopes. A resource without a record, or whose record lists none, knows any.
pub fn scope(client: &Client, resources: &[String], scope: Scope) -> Scope {
    let mut known = Scope::default();
    for identifier in resources {
        match record(client, identifier) {
            Some(resource) if !resource.scope.is_empty() => {
                known = known.joined_with(&resource.scope);
            }
            _ => return scope,
        }
    }
    if resources.is_empty() {
        return scope;
    }
    scope
        .tokens()
        .filter(|token| !SCOPES.contains(token) && !known.contains(token))
        .fold(scope.clone(), |scope, token| scope.without(token))
}

/// How long a token for these resources is good: as long as the most careful of them says; without a record, as the
/// client's settings say (5 to 60 minutes).
pub fn life(client: &Client, resources: &[String]) -> Duration {
    let own = u64::from(client.access_token_minutes.clamp(5, 60)) * 60;
    let each = resources.iter().map(|identifier| {
        record(client, identifier).map_or(own, |known| {
            u64::from(known.token_seconds.clamp(300, 3_600))
        })
    });
    Duration::from_secs(each.min().unwrap_or(own))
}

/// What signs a token for these resources: the records' algorithm. Where they differ, RS256: whoever says so can often
/// verify nothing else. Without a record, the client's. FAPI 2.0 §5.4.1: never RS256 for a strict client.
pub fn algorithm(client: &Client, resources: &[String]) -> Algorithm {
    if client.profile == Profile::Strict {
        return Algorithm::Es256;
    }
    let mut said = resources
        .iter()
        .filter_map(|identifier| record(client, identifier))
        .map(|resource| resource.alg);
    match said.next() {
        None => client.access_token_alg,
        Some(first) if said.all(|alg| alg == first) => first,
        Some(_) => Algorithm::Rs256,
    }
}

fn may_get(client: &Client, identifier: &str) -> bool {
    may_ask(client, identifier) || by_person(client, identifier)
}

fn open<'c>(client: &'c Client, identifier: &str) -> Option<&'c Resource> {
    let is_open = |found: &&Resource| client.registered.is_some() && found.registered_clients;
    record(client, identifier).filter(is_open)
}

fn record<'c>(client: &'c Client, identifier: &str) -> Option<&'c Resource> {
    client
        .resources
        .iter()
        .find(|resource| resource.identifier == identifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::{agreed as agreed_to, client, resource, self_registered};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn world() -> Client {
        let mut client = client();
        client.audiences = texts(&["a:", "b:", "closed:"]);
        let named = Resource {
            clients: [client.id].into(),
            scope: "read".parse().unwrap(),
            ..resource("api:")
        };
        client.resources = vec![named, resource("closed:")];
        client
    }

    #[test]
    fn rfc8707_section_2_only_a_record_or_the_clients_own_list_lets_it_ask() {
        let client = world();
        for (identifier, may) in [
            ("a:", true),
            ("api:", true),
            ("closed:", false),
            ("unknown:", false),
            ("", false),
            ("API:", false),
            ("api:#fragment", false),
        ] {
            assert_eq!(may_ask(&client, identifier), may, "{identifier}");
        }
    }

    #[test]
    fn rfc8707_section_2_2_a_resource_is_granted_and_still_the_clients() {
        let client = world();
        let ask = |asked: &[&str], was: &[&str]| granted(&texts(asked), &texts(was), &client);
        assert_eq!(ask(&[], &[]), Ok(vec![]));
        assert_eq!(ask(&[], &["a:", "b:"]), Ok(texts(&["a:", "b:"])));
        assert_eq!(ask(&["b:", "b:"], &["a:", "b:"]), Ok(texts(&["b:"])));
        assert_eq!(ask(&["b:"], &["a:"]), Err(TokenError::InvalidTarget));
        // "gone:" was granted once and has been taken from the client since; so was "closed:".
        assert_eq!(ask(&[], &["a:", "gone:"]), Ok(texts(&["a:"])));
        assert_eq!(ask(&["gone:"], &["gone:"]), Err(TokenError::InvalidTarget));
        assert_eq!(ask(&[], &["gone:"]), Err(TokenError::InvalidTarget));
        assert_eq!(ask(&[], &["closed:"]), Err(TokenError::InvalidTarget));
    }

    #[test]
    fn rfc8707_section_2_who_asks_for_nothing_gets_its_own_list() {
        let client = world();
        assert_eq!(first(&[], &client), Ok(texts(&["a:", "b:"])));
        assert_eq!(first(&texts(&["api:"]), &client), Ok(texts(&["api:"])));
        assert_eq!(
            first(&texts(&["api:", "unknown:"]), &client),
            Err(TokenError::InvalidTarget)
        );
    }

    #[test]
    fn rfc8707_section_2_2_the_scope_is_what_the_resources_know() {
        let client = world();
        let narrowed = |resources: &[&str]| {
            let asked = "openid read write".parse().unwrap();
            scope(&client, &texts(resources), asked).to_string()
        };
        assert_eq!(narrowed(&["api:"]), "openid read");
        assert_eq!(narrowed(&["api:", "a:"]), "openid read write");
        assert_eq!(narrowed(&[]), "openid read write");
    }

    #[test]
    fn the_most_careful_resource_decides() {
        let mut client = world();
        client.access_token_minutes = 15;
        for known in &mut client.resources {
            known.token_seconds = 300;
        }
        let both = texts(&["api:", "a:"]);
        assert_eq!(life(&client, &both), Duration::from_secs(300));
        assert_eq!(life(&client, &texts(&["a:"])), Duration::from_secs(900));
        assert_eq!(algorithm(&client, &both), Algorithm::Es256);
        client.access_token_alg = Algorithm::Rs256;
        assert_eq!(algorithm(&client, &texts(&["a:"])), Algorithm::Rs256);
        assert_eq!(algorithm(&client, &both), Algorithm::Es256);
    }

    /// One that introduced itself, beside an open resource, one that names it, and one that is open to nobody.
    fn stranger() -> Client {
        let mut client = Client {
            registered: Some(Box::new(self_registered())),
            ..client()
        };
        client.scope = "openid offline_access".parse().unwrap();
        let open = Resource {
            registered_clients: true,
            scope: "notes:read groups email doorlight:write openid"
                .parse()
                .unwrap(),
            ..resource("mcp:")
        };
        let named = Resource {
            clients: [client.id].into(),
            scope: "write".parse().unwrap(),
            ..resource("named:")
        };
        client.resources = vec![open, named, resource("closed:")];
        client
    }

    #[test]
    fn an_open_resource_is_a_persons_to_give_and_to_clients_that_introduced_themselves() {
        let stranger = stranger();
        for (identifier, alone, by_a_person) in [
            ("mcp:", false, true),
            ("named:", true, true),
            ("closed:", false, false),
            ("unknown:", false, false),
        ] {
            let asked = [identifier];
            let wanted = texts(&asked);
            assert_eq!(may_ask(&stranger, identifier), alone, "{identifier}");
            assert_eq!(first(&wanted, &stranger).is_ok(), alone, "{identifier}");
            assert_eq!(super::asked(&stranger, asked).is_some(), alone);
            let person = asked_of_person(&stranger, asked).is_some();
            assert_eq!(person, by_a_person, "{identifier}");
            let again = granted(&wanted, &wanted, &stranger);
            assert_eq!(again.is_ok(), by_a_person, "{identifier}");
        }
        // One that an administrator added is named or is not.
        let added = Client {
            registered: None,
            ..stranger
        };
        assert_eq!(asked_of_person(&added, ["mcp:"]), None);
        let was = texts(&["mcp:"]);
        assert_eq!(granted(&[], &was, &added), Err(TokenError::InvalidTarget));
    }

    #[test]
    fn its_own_list_does_not_open_what_only_a_person_can() {
        let mut stranger = stranger();
        stranger.audiences = texts(&["mcp:", "own:"]);
        assert_eq!(first(&[], &stranger), Ok(texts(&["own:"])));
        assert!(by_person(&stranger, "mcp:"));
    }

    #[test]
    fn an_open_resource_brings_its_scopes_and_none_of_doorlights() {
        let stranger = stranger();
        let with = |resources: &[&str]| scopes_of(&stranger, &texts(resources)).to_string();
        assert_eq!(with(&[]), "offline_access openid");
        assert_eq!(with(&["mcp:"]), "notes:read offline_access openid");
        // Who is named has the scopes that it was given.
        assert_eq!(with(&["named:", "closed:"]), "offline_access openid");
        assert_eq!(offered(&stranger.resources).to_string(), "notes:read");
    }

    #[test]
    fn a_person_agrees_to_each_open_resource() {
        let stranger = stranger();
        let consent = |resources: &[&str]| Consent {
            resources: resources.iter().map(|text| (*text).to_owned()).collect(),
            ..agreed_to(&stranger)
        };
        let both = texts(&["mcp:", "named:"]);
        let agrees = |given: &[&str]| agreed(&stranger, &both, Some(&consent(given)));
        assert!(!agreed(&stranger, &both, None));
        assert!(!agrees(&[]));
        assert!(!agrees(&["named:"]));
        assert!(agrees(&["mcp:"]));
        assert!(agreed(&stranger, &texts(&["named:"]), None));
    }

    #[test]
    fn fapi2_section_5_4_1_a_strict_client_gets_no_token_that_rs256_signs() {
        let mut client = world();
        client.profile = Profile::Strict;
        client.access_token_alg = Algorithm::Rs256;
        for known in &mut client.resources {
            known.alg = Algorithm::Rs256;
        }
        for resources in [&[][..], &["a:"], &["api:"], &["a:", "api:"]] {
            assert_eq!(algorithm(&client, &texts(resources)), Algorithm::Es256);
        }
    }
}
