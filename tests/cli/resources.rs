//! `doorlight resource`, beside a running server and without one.

use super::refused;
use crate::world::World;
use serde_json::json;

#[test]
fn every_verb_works_with_and_without_a_server() {
    let without = World::empty();
    without.verb(&["user", "add", "ann", "--no-password"], "");
    for world in [without, World::started()] {
        let client = world.client("Caller", &["--grant", "client_credentials"]);
        let added = world.verb(
            &[
                "resource", "add", "api", "--scope", "read", "--client", "caller",
            ],
            "",
        );
        assert_eq!(added["clients"], json!([client.id]));
        assert_eq!(
            (&added["alg"], &added["token_seconds"]),
            (&json!("ES256"), &json!(900))
        );
        let edited = world.verb(&["resource", "edit", "api", "--alg", "RS256"], "");
        assert_eq!(
            (&edited["alg"], &edited["scope"]),
            (&json!("RS256"), &json!("read"))
        );
        assert_eq!(world.verb(&["resource", "show", "api"], ""), edited);
        assert_eq!(world.verb(&["resource", "list"], ""), json!([edited]));
        for bad in [
            &["resource", "add", "api"][..],
            &["resource", "add", "a#b"],
            &["resource", "edit", "api", "--token-seconds", "299"],
            &["resource", "edit", "api", "--client", "nobody"],
            &["resource", "show", "gone"],
            &["resource", "remove", "gone"],
        ] {
            refused(&world.run(bad, ""), 1);
        }
        refused(
            &world.run(&["resource", "edit", "api", "--alg", "none"], ""),
            2,
        );
        // An application that goes is named no more.
        world.verb(&["client", "rm", &client.id], "");
        let shown = world.verb(&["resource", "show", "api"], "");
        assert_eq!(shown["clients"], json!([]));
        world.verb(&["resource", "remove", "api"], "");
        assert_eq!(world.verb(&["resource", "list"], ""), json!([]));
    }
}
