//! Redirect URIs: what can be registered (RFC 6749 §3.1.2) leads where it seems to, and what a request may use is what
//! was registered, but for the port on loopback (RFC 8252 §7.3, RFC 9700 §2.1).

use crate::{input, world};
use doorlight::model::{ClientKind, Profile};
use doorlight::oauth::authorize::redirect_uri::verify;
use doorlight::types::RedirectUri;
use url::Url;

pub fn run(data: &[u8]) {
    let Some([registered, requested]) = input::text_lines(data) else {
        return;
    };
    let (Ok(uri), Ok(url)) = (registered.parse::<RedirectUri>(), Url::parse(registered)) else {
        return;
    };
    leads_where_it_seems_to(&uri, registered, &url);
    let mut client = world::client();
    client.kind = ClientKind::Native;
    client.redirect_uris = vec![uri];
    for profile in [Profile::Standard, Profile::Strict] {
        client.profile = profile;
        assert!(verify(&client, Some(registered), true).is_ok());
        assert!(verify(&client, None, true).is_err());
        match verify(&client, Some(requested), true) {
            Ok(proof) if requested == registered => assert_eq!(proof.as_str(), requested),
            Ok(proof) => {
                assert_eq!((proof.as_str(), profile), (requested, Profile::Standard));
                assert!(requested.parse::<RedirectUri>().is_ok());
                but_for_the_port(&url, requested);
            }
            Err(_) => assert_ne!(requested, registered),
        }
    }
}

fn leads_where_it_seems_to(uri: &RedirectUri, text: &str, url: &Url) {
    assert_eq!(uri.as_str(), text);
    assert!(!text.contains(|c: char| c.is_control() || c == '#' || c == '\\' || c == '*'));
    let scheme = url.scheme();
    assert!(!["javascript", "data", "vbscript", "file", "blob", "about"].contains(&scheme));
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none());
    // Seen from a page, it is no path of that page.
    let page = Url::parse("https://id.example/authorize").ok();
    let from_page = page.and_then(|page| page.join(text).ok());
    assert_eq!(from_page.as_ref(), Some(url), "relative to a page");
    let lower = text.to_lowercase();
    assert!(lower.starts_with(&format!("{scheme}:")));
    if let Some(rest) = lower.strip_prefix(&format!("{scheme}://")) {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        assert!(!authority.contains('@'), "a user name");
        if matches!(scheme, "http" | "https") {
            assert!(!authority.is_empty());
        }
    } else {
        assert!(!matches!(scheme, "http" | "https"), "no authority");
    }
    let kept = serde_json::to_string(uri).unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<RedirectUri>(&kept).ok().as_ref(),
        Some(uri)
    );
}

fn but_for_the_port(registered: &Url, requested: &str) {
    let theirs = Url::parse(requested).unwrap_or_else(|e| panic!("{requested} {e}"));
    assert_eq!((registered.scheme(), theirs.scheme()), ("http", "http"));
    assert_eq!(registered.host(), theirs.host());
    assert_eq!(registered.path(), theirs.path());
    assert_eq!(registered.query(), theirs.query());
    let loopback = match theirs.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(loopback, "a free port of another machine");
}
