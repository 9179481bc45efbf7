//! Oversized, truncated, non-UTF-8, repeated and contradictory input: a clear error in the right shape, nothing changed,
//! no panic.

use crate::world::World;

#[test]
fn every_endpoint_answers_nonsense_in_its_own_shape() {
    let world = World::started();
    let client = world.trusted();
    for path in [
        "/token",
        "/introspect",
        "/revoke",
        "/par",
        "/device_authorization",
    ] {
        for body in [
            "a=%ff",
            "grant_type=%",
            "token=%C3",
            "=&=&=",
            "client_id=x&client_id=y",
        ] {
            let answer = world.ask("POST", path, &client.basic(), body);
            assert!(
                matches!(answer.status, 400 | 401),
                "{path} {body}: {answer:?}"
            );
            assert!(answer.json()["error"].is_string(), "{path} {body}");
        }
        let json = world.ask(
            "POST",
            path,
            &format!("{}Content-Type: application/json\r\n", client.basic()),
            "",
        );
        assert!(json.json()["error"].is_string(), "{path}");
        assert_eq!(world.ask("GET", path, "", "").status, 405, "{path}");
        let large = "x".repeat(70_000);
        assert_eq!(
            world.ask("POST", path, &client.basic(), &large).status,
            413,
            "{path}"
        );
    }
    for target in [
        "/authorize?a=%ff",
        "/logout?state=%ff",
        "/authorize?%",
        "/nothing",
        "/admin/nothing",
        "//",
        "/%00",
    ] {
        let answer = world.ask("GET", target, "", "");
        assert!(
            matches!(answer.status, 303 | 400 | 404),
            "{target}: {}",
            answer.status
        );
        assert!(!answer.body.contains("panicked"));
    }
    let many: String = (0..1_500).map(|i| format!("p{i}=1&")).collect();
    assert_eq!(
        world.ask("POST", "/token", &client.basic(), &many).json()["error"],
        "invalid_request"
    );
    assert_eq!(
        world
            .ask(
                "GET",
                &format!("/authorize?state={}", "s".repeat(20_000)),
                "",
                ""
            )
            .status,
        431
    );
    for path in [
        "/login",
        "/consent",
        "/setup",
        "/link",
        "/select-account",
        "/login/again",
        "/device",
        "/device/answer",
    ] {
        let answer = world.ask("POST", path, "", "username=a&username=b&continue=%ff");
        assert!(
            matches!(answer.status, 303 | 400 | 403 | 410),
            "{path}: {}",
            answer.status
        );
    }
    assert!(!world.log().contains("panicked"), "{}", world.log());
    assert_eq!(
        world.token(&client, "grant_type=client_credentials").status,
        200
    );
}
