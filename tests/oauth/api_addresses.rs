//! Addresses of Doorlight's own API: what is said of those that there are not, and of filters that an address does not take.
//! Not here: who is let in, and what the API does (`api`).

use crate::api::{BOTH, get, service, token};
use crate::world::World;
use serde_json::json;

/// It was a page for people.
#[test]
fn what_there_is_not_below_api_is_said_in_json() {
    let world = World::known_as("http://localhost:8080/id");
    let bearer = "Authorization: Bearer nonsense\r\n";
    let nowhere =
        "there is no such address; those of the API begin with http://localhost:8080/id/api/";
    for (method, path, status, error, message) in [
        ("GET", "/id/api", 404, "not_found", nowhere),
        ("GET", "/id/api/", 404, "not_found", nowhere),
        (
            "GET",
            "/id/api/persons?name=alice",
            404,
            "not_found",
            nowhere,
        ),
        (
            "GET",
            "/id/api/people/alice/groups",
            404,
            "not_found",
            nowhere,
        ),
        ("POST", "/id/api/command", 404, "not_found", nowhere),
        // Whoever left out the path of the issuer.
        ("GET", "/api/people", 404, "not_found", nowhere),
        (
            "POST",
            "/id/api/people",
            405,
            "method_not_allowed",
            "this address takes GET only",
        ),
        (
            "PUT",
            "/id/api/commands",
            405,
            "method_not_allowed",
            "this address takes POST only",
        ),
        (
            "DELETE",
            "/id/api/people/alice",
            405,
            "method_not_allowed",
            "this address takes GET only",
        ),
    ] {
        for headers in ["", bearer] {
            let answer = world.ask(method, path, headers, "");
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            assert_eq!(
                answer.json(),
                json!({ "error": error, "message": message }),
                "{method} {path}"
            );
        }
    }
    let wrong = world.ask("PUT", "/id/api/commands", "", "");
    assert_eq!(wrong.header("Allow"), Some("POST"));
    for page in ["/id/apis", "/id/nothing", "/apis"] {
        let answer = world.ask("GET", page, "", "");
        assert_eq!(answer.status, 404, "{page}");
        assert!(answer.body.starts_with("<!doctype html>"), "{page}");
    }
}

/// “peron” for “person” showed the events of everybody, and a kind that there is not showed none.
#[test]
fn a_misspelt_filter_is_refused_by_its_name() {
    let world = World::started();
    let robot = token(&world, &service(&world), BOTH);
    for (path, words) in [
        (
            "/api/events?peron=root",
            "the parameter peron is unknown here",
        ),
        (
            "/api/events?person=root&person=alice",
            "the parameter person stands twice",
        ),
        ("/api/events?person=%zz", "the query cannot be read"),
        (
            "/api/people?group=family",
            "the parameter group is unknown here",
        ),
        (
            "/api/people/root?full=1",
            "the parameter full is unknown here",
        ),
        (
            "/api/applications?name=App",
            "the parameter name is unknown here",
        ),
        (
            "/api/applications/Robot?x",
            "the parameter x is unknown here",
        ),
    ] {
        let answer = get(&world, &robot, path);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(words), "{path}: {message}");
    }
    for (query, words) in [
        ("kind=sign-in", "kind: there is no “sign-in”; there are "),
        (
            "outcome=bad",
            "outcome: there is no “bad”, only success and refused",
        ),
        ("request=x", "request: not the id of a request"),
    ] {
        let answer = get(&world, &robot, &format!("/api/events?{query}"));
        assert_eq!(answer.status, 409, "{query}: {answer:?}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(words), "{query}: {message}");
    }
    let narrowed = "/api/events?person=root&application=&kind=user.added&outcome=success";
    assert_eq!(get(&world, &robot, narrowed).status, 200);
    // Who is not let in learns nothing of that.
    assert_eq!(
        world.ask("GET", "/api/events?peron=root", "", "").status,
        401
    );
}
