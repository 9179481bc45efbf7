//! Tables of what may stand in a person's record.

use super::*;
use serde_json::json;

fn field<T: std::fmt::Debug>(result: Result<T, AdminError>) -> &'static str {
    match result.unwrap_err() {
        AdminError::Invalid { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn text_is_one_line_of_at_most_255_characters() {
    assert_eq!(
        text("name", some("  Anna Ødegård ")),
        Ok(some("Anna Ødegård"))
    );
    assert_eq!(text("name", some("  ")), Ok(None));
    assert_eq!(
        text("name", some(&"ø".repeat(255))),
        Ok(some(&"ø".repeat(255)))
    );
    for bad in [
        "ø".repeat(256),
        "a\nb".to_owned(),
        "a\u{7f}b".to_owned(),
        "a\u{202e}b".to_owned(),
    ] {
        assert_eq!(field(text("name", Some(bad))), "name");
    }
}

#[test]
fn an_email_address_has_one_at_sign() {
    assert!(email(some("anna@example.org")).is_ok());
    for bad in [
        "anna",
        "@example.org",
        "anna@",
        "a@b@c",
        "an na@example.org",
    ] {
        assert_eq!(field(email(some(bad))), "email", "{bad}");
    }
}

#[test]
fn addresses_of_pages_are_http_or_https() {
    for good in ["https://example.org/anna", "http://10.0.0.1:81"] {
        assert!(web_address("website", some(good)).is_ok(), "{good}");
    }
    for bad in [
        "example.org",
        "javascript:alert(1)",
        "ftp://example.org",
        "/anna",
    ] {
        assert_eq!(field(web_address("website", some(bad))), "website", "{bad}");
    }
}

#[test]
fn dates_zones_languages_and_numbers_are_spelled_rightly() {
    for good in ["1985-03-21", "0000-02-29", "1985", "2024-02-29"] {
        assert!(birthdate(some(good)).is_ok(), "{good}");
    }
    for bad in [
        "1985-13-01",
        "1985-02-30",
        "1985-3-1",
        "0000",
        "1985-04-31",
        "21.3.1985",
        "1985-01-01-01",
    ] {
        assert_eq!(field(birthdate(some(bad))), "birthdate", "{bad}");
    }
    assert!(zoneinfo(some("Europe/Berlin")).is_ok());
    assert_eq!(field(zoneinfo(some("Europe Berlin"))), "zoneinfo");
    assert!(locale(some("en-GB")).is_ok());
    assert_eq!(field(locale(some("en GB"))), "locale");
    assert!(phone_number(some("+49 (30) 123-456;ext=7")).is_ok());
    assert_eq!(field(phone_number(some("call me"))), "phone_number");
}

#[test]
fn an_address_of_empty_parts_is_none() {
    let empty = Address {
        locality: some(" "),
        ..Address::default()
    };
    assert_eq!(address(Some(empty)), Ok(None));
    let two_lines = Address {
        street_address: some("Back door\r\nMain Street 1"),
        ..Address::default()
    };
    let kept = address(Some(two_lines)).unwrap().unwrap();
    assert_eq!(kept.street_address, some("Back door\nMain Street 1"));
}

#[test]
fn no_custom_claim_takes_the_name_of_another() {
    for name in RESERVED {
        let claims = [((*name).to_owned(), json!(1))].into();
        assert_eq!(field(custom(claims)), "custom", "{name}");
    }
    assert!(custom([("department".to_owned(), json!("kitchen"))].into()).is_ok());
    assert_eq!(field(custom([(String::new(), json!(1))].into())), "custom");
}

#[test]
fn custom_claims_are_a_json_object_of_at_most_4_kib() {
    assert_eq!(custom_text("  "), Ok(BTreeMap::new()));
    assert!(custom_text(r#"{"a": {"b": [1, 2]}}"#).is_ok());
    let deep = "[".repeat(200);
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(CUSTOM_MAX));
    for bad in ["[1]", "1", "{", r#"{"sub":"1"}"#, &deep, &large] {
        assert_eq!(field(custom_text(bad)), "custom");
    }
}

#[test]
fn a_guessable_password_is_refused_and_the_persons_own_words_are_guessable() {
    let rate = |text: &str| password(&Secret::new(text.to_owned()), &["annabellina"]);
    assert!(rate("correct horse battery").is_ok());
    for bad in ["", "short", "password", "annabellina"] {
        assert_eq!(field(rate(bad)), "password", "{bad}");
    }
}
