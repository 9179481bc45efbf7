//! Where it is wrong is said, and nothing of what stood there.

use super::*;
use crate::types::{
    DocumentUrl, GivenClientId, GivenSubject, GroupName, Host, RedirectUri, RequestId, Scope,
    SecretHash, Thumbprint, TokenHash, UserCode, UserId, Username, WireClientId,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Outer {
    name: String,
    also: u8,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    inner: Vec<Inner>,
    #[serde(default)]
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read")]
struct Inner {
    also: u8,
    #[serde(default)]
    on: bool,
}

fn found(value: Value) -> (String, Fault) {
    let Value::Object(object) = value else {
        panic!("no object");
    };
    let read = |members| {
        let read = serde_json::from_value::<Outer>(Value::Object(members));
        read.map(drop).map_err(|error| error.to_string())
    };
    let error = read(object.clone()).unwrap_err();
    let misread = Misread::find(&object, &Map::new(), &error, &read);
    (path(&misread.place), misread.fault)
}

#[test]
fn the_place_is_found_however_deep_it_is() {
    let expected = |text: &str| Fault::Expected(text.to_owned());
    let good = json!({ "also": 1, "on": true });
    for (value, place, fault) in [
        (json!({ "also": 1 }), "name", Fault::Missing),
        (json!({ "name": "a" }), "also", Fault::Missing),
        (
            json!({ "name": "a", "also": 1, "inner": [good, {}] }),
            "inner[1].also",
            Fault::Missing,
        ),
        // A member of the same name is missing outside as well: it stops at the inner one.
        (
            json!({ "name": "a", "inner": [{ "on": true }] }),
            "inner[0].also",
            Fault::Missing,
        ),
        (
            json!({ "name": "a", "inner": [good] }),
            "also",
            Fault::Missing,
        ),
        (
            json!({ "name": "a", "inner": [good, good, { "also": 1, "off": 1 }] }),
            "inner[2].off",
            Fault::Unknown,
        ),
        (
            json!({ "name": "a", "also": 1, "words": ["b", 7] }),
            "words[1]",
            expected("a string"),
        ),
        (
            json!({ "name": "a", "also": 1, "words": "b" }),
            "words",
            expected("a list"),
        ),
        (
            json!({ "name": "a", "also": 1, "inner": [good, "b"] }),
            "inner[1]",
            expected("an object"),
        ),
        (
            json!({ "name": ["a"], "also": 1 }),
            "name",
            expected("a string"),
        ),
        (
            json!({ "name": "a", "inner": [{ "also": 300 }, { "on": 1 }] }),
            "inner[0].also",
            expected("a whole number"),
        ),
        (
            json!({ "name": "a", "also": 1, "scope": "a\"b" }),
            "scope",
            Fault::Refused(Some(
                "a scope has a character that is not allowed".to_owned(),
            )),
        ),
    ] {
        let words = value.to_string();
        assert_eq!(found(value), (place.to_owned(), fault), "{words}");
    }
}

#[test]
fn nothing_of_a_value_is_said() {
    let secret = "purple`, expected tractors\u{1b}";
    for value in [
        json!({ "name": [secret] }),
        json!({ "name": "a", "also": secret }),
        json!({ "name": "a", "inner": secret }),
        json!({ "name": "a", "inner": [{ "also": 1, "on": secret }] }),
        json!({ "name": "a", "words": [[secret]] }),
        json!({ "name": "a", "scope": secret }),
    ] {
        let words = format!("{:?}", found(value.clone()));
        assert!(
            !words.contains("purple") && !words.contains("tractors"),
            "{value}: {words}"
        );
    }
}

#[test]
fn no_type_quotes_the_text_that_it_refuses() {
    fn refused<T: DeserializeOwned>(what: &str) {
        for secret in [
            "purple`, expected tractors\u{1b}#",
            "\"purple\", expected one of tractors",
            "https://\"purple\", expected tractors#",
        ] {
            let Err(error) = serde_json::from_value::<T>(json!(secret)) else {
                panic!("{what}: {secret}");
            };
            let words = format!("{error} {:?}", of_value(&error.to_string()));
            assert!(
                !words.contains("purple") && !words.contains("tractors"),
                "{what}: {words}"
            );
        }
    }
    refused::<DocumentUrl>("an address of a client document");
    refused::<GivenClientId>("a client id");
    refused::<GivenSubject>("a subject");
    refused::<GroupName>("a group");
    refused::<Host>("a host");
    refused::<RedirectUri>("a redirect URI");
    refused::<RequestId>("a request");
    refused::<Scope>("a scope");
    refused::<SecretHash>("a hash of a secret");
    refused::<Thumbprint>("a thumbprint");
    refused::<TokenHash>("a hash of a token");
    refused::<UserCode>("a user code");
    refused::<UserId>("an id");
    refused::<Username>("a username");
    refused::<WireClientId>("whose client id");
}

#[test]
fn words_that_nobody_knows_are_not_repeated() {
    for error in [
        "purple is not a colour",
        "expected a colour, not purple",
        "a scope has a character that is not allowed: purple",
        "data did not match any variant of purple, expected tractors",
        "unknown variant `purple`, there are no variants",
        "duplicate field `purple, expected tractors`",
    ] {
        assert_eq!(of_value(error), Fault::Refused(None), "{error}");
    }
}
