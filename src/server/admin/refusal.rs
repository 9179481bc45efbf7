//! Why something was refused, for the pages that say that it was. The audit log has it in one line: either a sentence,
//! or `name expected A received B`.

use crate::model::{Event, EventKind, Outcome};
use crate::types::RedirectUri;
use crate::views;
use crate::views::admin::Refusal;

/// The explanation of an event that is a refusal.
pub(super) fn of(event: &Event) -> Option<Refusal> {
    if event.outcome != Outcome::Refused {
        return None;
    }
    let Some((name, expected, received)) = compared(&event.detail) else {
        return Some(Refusal {
            why: sentence(&event.detail),
            compared: None,
        });
    };
    let why = match (name, event.kind) {
        ("redirect_uri", EventKind::CodeRedeemed) => {
            "The address was another one than at the start of the sign-in".to_owned()
        }
        ("redirect_uri", _) => {
            "It sent people to an address that is not on its list (redirect URI)".to_owned()
        }
        ("scope", _) => "It asked for nothing that it may have (scope)".to_owned(),
        (name, _) => format!("{name} was not as expected"),
    };
    let shown = |text: &str| match text {
        "" => "nothing".to_owned(),
        text => text.to_owned(),
    };
    Some(Refusal {
        why,
        compared: Some((shown(expected), shown(received))),
    })
}

/// The address that a sign-in wanted to return to, where it could be registered. A detail that was cut ends in `…`,
/// and is not the address that was sent.
pub(super) fn redirect_uri(event: &Event) -> Option<RedirectUri> {
    match compared(&event.detail)? {
        ("redirect_uri", _, received) if received.is_ascii() => received.parse().ok(),
        _ => None,
    }
}

/// The parts of `name expected A received B`. A name, a registered address and a scope token have no ` received ` in
/// them, so the first one is ours whatever the request held.
fn compared(detail: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = detail.split_once(" expected")?;
    let (expected, received) = rest.split_once(" received ")?;
    let expected = expected.trim();
    let expected = expected.strip_prefix("within ").unwrap_or(expected);
    (!name.contains(' ')).then_some((name, expected, received))
}

fn sentence(detail: &str) -> String {
    let first = detail.split(' ').next().unwrap_or_default();
    match first {
        "" => "No reason was recorded".to_owned(),
        // The name of a parameter stays as it is sent.
        first if first.contains('_') => detail.to_owned(),
        _ => views::capital(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Timestamp;

    fn refused(kind: EventKind, detail: &str) -> Event {
        Event::refused(kind, Timestamp::default(), detail)
    }

    #[test]
    fn every_refusal_has_an_explanation_and_what_went_well_has_none() {
        for kind in EventKind::ALL {
            for detail in [
                "",
                "wrong password",
                "x expected",
                "x expected a received b",
            ] {
                let refusal = of(&refused(*kind, detail)).unwrap();
                assert!(!refusal.why.is_empty(), "{kind:?} {detail}");
            }
            assert!(of(&Event::success(*kind, Timestamp::default())).is_none());
        }
    }

    #[test]
    fn expected_and_received_are_read_apart() {
        let kind = EventKind::Authorization;
        for (detail, why, compared) in [
            ("wrong password", "Wrong password", None),
            (
                "code_challenge is required",
                "code_challenge is required",
                None,
            ),
            (
                "redirect_uri expected  received https://c/cb",
                "It sent people to an address that is not on its list (redirect URI)",
                Some(("nothing", "https://c/cb")),
            ),
            (
                "redirect_uri expected https://a/cb https://b/cb received https://c/cb received x",
                "It sent people to an address that is not on its list (redirect URI)",
                Some(("https://a/cb https://b/cb", "https://c/cb received x")),
            ),
            (
                "scope expected within email openid received everything",
                "It asked for nothing that it may have (scope)",
                Some(("email openid", "everything")),
            ),
            // A sentence is not taken apart.
            (
                "as I expected he received it",
                "As I expected he received it",
                None,
            ),
        ] {
            let refusal = of(&refused(kind, detail)).unwrap();
            assert_eq!(refusal.why, why, "{detail}");
            let read = refusal.compared.as_ref();
            let read = read.map(|(expected, received)| (expected.as_str(), received.as_str()));
            assert_eq!(read, compared, "{detail}");
        }
    }

    #[test]
    fn the_address_is_read_from_the_event() {
        for (detail, address) in [
            (
                "redirect_uri expected https://a/cb received https://a/cb/",
                Some("https://a/cb/"),
            ),
            (
                "redirect_uri expected https://a/cb https://b/cb received https://c/cb",
                Some("https://c/cb"),
            ),
            (
                "redirect_uri expected  received https://c/cb",
                Some("https://c/cb"),
            ),
            // What a request holds cannot pass for ours, nor be registered when it must not.
            (
                "redirect_uri expected https://a/cb received x received https://evil/cb",
                None,
            ),
            (
                "redirect_uri expected https://a/cb received javascript:alert(1)",
                None,
            ),
            (
                "redirect_uri expected https://a/cb received https://a/cut…",
                None,
            ),
            ("redirect_uri is missing", None),
            ("scope unknown received https://evil/cb", None),
            (
                "scope expected within openid received https://evil/cb",
                None,
            ),
        ] {
            let found = redirect_uri(&refused(EventKind::Authorization, detail));
            assert_eq!(found.as_ref().map(RedirectUri::as_str), address, "{detail}");
        }
    }
}
