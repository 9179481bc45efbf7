//! Forms and queries (WHATWG URL §5.1): what is read is written and read again, another reader sees the same, and what
//! is appended to a query stands beside what was there.

use crate::input;
use doorlight::types::{Form, append_query};
use std::borrow::Cow;

pub fn run(data: &[u8]) {
    let [query, value] = input::lines(data);
    let Ok(form) = Form::parse(query) else {
        return;
    };
    assert!(form.pairs().count() <= 1_000);
    assert_eq!(Form::parse(form.encode().as_bytes()).as_ref(), Ok(&form));
    let theirs = url::form_urlencoded::parse(query);
    assert!(
        theirs.eq(form
            .pairs()
            .map(|(n, v)| (Cow::Borrowed(n), Cow::Borrowed(v)))),
        "browsers read another form"
    );
    for (name, _) in form.pairs().take(16) {
        let many = form.all(name).count();
        assert_eq!(form.one(name).is_err(), many > 1);
        assert!(form.has(name) && !form.without(name).has(name));
    }
    appended(query, &form, value);
}

fn appended(query: &[u8], form: &Form, value: &[u8]) {
    let (Ok(query), Ok(value)) = (std::str::from_utf8(query), std::str::from_utf8(value)) else {
        return;
    };
    let address = format!("https://app.example/cb?{query}");
    let longer = append_query(&address, &[("code", Cow::Borrowed(value))]);
    assert!(longer.starts_with(&address));
    let Some((_, query)) = longer.split_once('?') else {
        panic!("the query is gone");
    };
    let expected = form.clone().with("code", value);
    if expected.pairs().count() <= 1_000 {
        assert_eq!(Form::parse(query.as_bytes()), Ok(expected), "{longer}");
    }
}
