//! `doorlight client edit`, beside a running server and without one.

use super::refused;
use crate::world::World;
use serde_json::{Value, json};

/// Settings that were changed between two answers.
fn changed(before: &Value, after: &Value) -> Vec<String> {
    let members = after.as_object().unwrap().iter();
    members
        .filter(|(name, value)| before[name.as_str()] != **value)
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn what_is_given_replaces_that_setting_and_the_rest_stays() {
    let without = World::empty();
    without.verb(&["user", "add", "ann", "--no-password"], "");
    for world in [without, World::started()] {
        world.client(
            "Wiki",
            &[
                "--redirect-uri",
                "https://wiki.example/cb",
                "--claim",
                "tenant is home",
                "--trusted",
                "--backchannel-logout-uri",
                "https://wiki.example/out",
            ],
        );
        let mut before = world.verb(&["client", "show", "wiki"], "");
        for (flags, member, value) in [
            (
                &["--claim", "a is b", "--claim", "c is d"][..],
                "claim_mappings",
                json!(["a is \"b\"", "c is \"d\""]),
            ),
            (&["--claim", ""], "claim_mappings", json!([])),
            (
                &["--redirect-uri", "https://wiki.example/new"],
                "redirect_uris",
                json!(["https://wiki.example/new"]),
            ),
            (
                &["--frontchannel-logout-uri", "https://wiki.example/gone"],
                "frontchannel_logout_uri",
                json!("https://wiki.example/gone"),
            ),
            (
                &["--frontchannel-logout-uri", ""],
                "frontchannel_logout_uri",
                Value::Null,
            ),
            (
                &["--backchannel-logout-uri", ""],
                "backchannel_logout_uri",
                Value::Null,
            ),
            (
                &["--grant", "authorization_code,refresh_token,token_exchange"],
                "grants",
                json!(["authorization_code", "refresh_token", "token_exchange"]),
            ),
            (
                &["--userinfo-signed-response-alg", "ES256"],
                "userinfo_signed_response_alg",
                json!("ES256"),
            ),
            (
                &["--userinfo-signed-response-alg", ""],
                "userinfo_signed_response_alg",
                Value::Null,
            ),
            (&["--trusted=false"], "consent", json!("once")),
            (&["--require-par"], "require_par", json!(true)),
            (&["--require-par=false"], "require_par", json!(false)),
            (&["--name", "Library"], "name", json!("Library")),
        ] {
            let id = before["client_id"].as_str().unwrap().to_owned();
            let after = world.verb(&[&["client", "edit", &id], flags].concat(), "");
            assert_eq!(after[member], value, "{flags:?}");
            assert_eq!(changed(&before, &after), [member], "{flags:?}");
            assert_eq!(world.verb(&["client", "show", &id], ""), after);
            before = after;
        }
        for bad in [
            &["client", "edit", "nobody", "--require-par"][..],
            &[
                "client",
                "edit",
                "Library",
                "--redirect-uri",
                "http://wiki.example/cb",
            ],
            &["client", "edit", "Library", "--redirect-uri", ""],
            &["client", "edit", "Library", "--allowed-group", "strangers"],
            &["client", "edit", "Library", "--claim", "sub is me"],
            &["client", "edit", "Library", "--jwks-file", "/nowhere"],
        ] {
            refused(&world.run(bad, ""), 1);
        }
        for bad in [
            &["client", "edit", "Library", "--id-token-alg", "none"][..],
            &["client", "edit", "Library", "--trusted=maybe"],
        ] {
            refused(&world.run(bad, ""), 2);
        }
        assert_eq!(world.verb(&["client", "show", "Library"], ""), before);
    }
}
