//! How a client comes by its sector. OpenID Connect Core §8.1, OpenID Connect Dynamic Client Registration 1.0 §5.
//! Owns: which host is the sector, when its document must be fetched, and what the document must say. Not here: the
//! names of people (`oauth::subject`), the call (`server::sector_documents`).
//!
//! The sector is the host of `sector_identifier_uri`, whose document lists every redirect URI; or, without one, the one
//! host of all redirect URIs. The document is asked for when the client is saved, and never at a sign-in.

use super::ClientEdit;
use crate::crypto::seal::SealKey;
use crate::model::{AdminError, Client, PrivateKey, Sector, SubjectType};
use crate::types::{Host, RedirectUri};
use std::collections::BTreeSet;
use url::Url;

const TYPE: &str = "subject_type";
const URI: &str = "sector_identifier_uri";

/// What a sector is made with.
#[derive(Clone, Debug, Default)]
pub struct Sectors {
    /// The file's secret (`Settings::subject_key`).
    pub key: Option<PrivateKey>,
    /// What was fetched for this change.
    pub document: Option<Document>,
    /// Hosts that may be called over plain http (`Settings::outbound_hosts`).
    pub allowed: BTreeSet<Host>,
}

/// A sector document as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// From where.
    pub uri: String,
    /// The redirect URIs that it lists.
    pub lists: Vec<String>,
}

/// The address to fetch before the client is saved: a new one, or an old one when redirect URIs have come.
pub fn to_fetch<'e>(old: Option<&Client>, edit: &'e ClientEdit) -> Option<&'e str> {
    let uri = address(edit.sector_identifier_uri.as_deref())
        .filter(|_| edit.subject_type == SubjectType::Pairwise)?;
    let listed = old.filter(|old| uri_of(old) == Some(uri));
    let known = |text: &String| {
        let text = text.trim();
        text.is_empty()
            || listed.is_some_and(|old| old.redirect_uris.iter().any(|uri| uri.as_str() == text))
    };
    let settled = listed.is_some() && edit.redirect_uris.iter().all(known);
    (!settled).then_some(uri)
}

/// The sector of `new`, which has everything else of the edit already.
pub(super) fn of(
    old: &Client,
    new: &Client,
    edit: &ClientEdit,
    sectors: &Sectors,
) -> Result<Option<Box<Sector>>, AdminError> {
    let uri = address(edit.sector_identifier_uri.as_deref());
    if edit.subject_type == SubjectType::Public {
        return match uri {
            Some(_) => Err(AdminError::invalid(
                URI,
                "it is for applications that learn names of their own; leave it empty, or choose pairwise",
            )),
            None => Ok(None),
        };
    }
    let host = match uri {
        Some(text) => {
            let host = host_of(text, &sectors.allowed)?;
            if to_fetch(Some(old), edit).is_some() {
                lists_all(new, text, sectors.document.as_ref())?;
            }
            host
        }
        None => one_host(&new.redirect_uris)?,
    };
    if let Some(kept) = &old.sector
        && kept.host == host
    {
        // The same names, whatever becomes of the file's secret.
        return Ok(Some(Box::new(Sector {
            uri: uri.map(str::to_owned),
            ..(**kept).clone()
        })));
    }
    let Some(key) = &sectors.key else {
        return Err(AdminError::invalid(
            TYPE,
            "the data file has no secret for such names yet; start Doorlight once",
        ));
    };
    let key = SealKey::new(key.bytes()).derived("sector", &[host.as_str()]);
    Ok(Some(Box::new(Sector {
        host,
        uri: uri.map(str::to_owned),
        key: key.into(),
    })))
}

/// Whether people get other names by the change. What was issued under the old ones must end: a refreshed ID token has
/// the `sub` of the first (OpenID Connect Core §12.2).
pub fn renames(old: &Client, new: &Client) -> bool {
    let key = |client: &Client| client.sector.as_ref().map(|sector| sector.key.clone());
    key(old) != key(new)
}

/// As it is registered.
pub fn uri_of(client: &Client) -> Option<&str> {
    client.sector.as_ref()?.uri.as_deref()
}

/// An empty field is none.
fn address(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The sector that an address names, if it may be fetched. Registration §5: https. Plain http for a host that the
/// administrator allows, as for every call of ours.
pub fn host_of(text: &str, allowed: &BTreeSet<Host>) -> Result<Host, AdminError> {
    let refuse = |why: &str| Err(AdminError::invalid(URI, why));
    if text.len() > 2_000 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("must be a web address of at most 2,000 characters");
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("must be a web address, such as https://app.example.org/sector.json");
    };
    let Some(host) = Host::of(&url).filter(|_| matches!(url.scheme(), "https" | "http")) else {
        return refuse("must be a web address, such as https://app.example.org/sector.json");
    };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return refuse("must not have a # in it, and no name or password");
    }
    if url.scheme() == "http" && !allowed.contains(&host) {
        return refuse(
            "must be https; at home, allow its host first (doorlight outbound allow HOST)",
        );
    }
    Ok(host)
}

/// Registration §5: every redirect URI stands in the document, as it is written here.
fn lists_all(new: &Client, uri: &str, document: Option<&Document>) -> Result<(), AdminError> {
    let Some(document) = document.filter(|document| document.uri == uri) else {
        // It was not needed when the change began.
        return Err(AdminError::ChangedMeanwhile);
    };
    let missing = new
        .redirect_uris
        .iter()
        .find(|own| !document.lists.iter().any(|listed| listed == own.as_str()));
    match missing {
        Some(own) => Err(AdminError::invalid(
            URI,
            format!("the document there does not list “{own}”"),
        )),
        None => Ok(()),
    }
}

/// §8.1: more than one host needs a document. So do addresses that are nobody's own: those of the person's machine, and
/// schemes.
fn one_host(uris: &[RedirectUri]) -> Result<Host, AdminError> {
    let refuse = |why: &str| Err(AdminError::invalid(URI, why));
    let mut hosts = BTreeSet::new();
    for uri in uris {
        let web = Url::parse(uri.as_str())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let own = web.filter(|_| uri.leads_to().is_some_and(|(_, loopback)| !loopback));
        match own.and_then(|url| Host::of(&url)) {
            Some(host) => hosts.insert(host),
            None => {
                return refuse("is needed: addresses of a person's own machine tell no sector");
            }
        };
    }
    match (hosts.pop_first(), hosts.is_empty()) {
        (Some(host), true) => Ok(host),
        (Some(_), false) => refuse("is needed: its addresses have more than one host"),
        (None, _) => refuse("is needed: it has no address whose host could be the sector"),
    }
}

#[cfg(test)]
#[path = "sector_tests.rs"]
mod tests;
