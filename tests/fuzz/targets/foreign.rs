//! Files of other servers, in YAML and in JSON: whatever becomes a document of ours is one that we read again as the same,
//! and no line of the report turns a terminal or a text around.

use doorlight::server::administration::transfer::document::Document;
use doorlight::server::administration::transfer::foreign::{Known, Origin, read};

/// Each secret that stands there as it is costs a slow hash, which is meant to be slow.
const SECRETS: usize = 4;

pub fn yaml(data: &[u8]) {
    for origin in [Origin::AutheliaUsers, Origin::Authelia] {
        holds(origin, data);
    }
}

pub fn json(data: &[u8]) {
    holds(Origin::Keycloak, data);
}

fn holds(origin: Origin, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.matches("secret").count() > SECRETS || text.matches("$plaintext$").count() > SECRETS {
        return;
    }
    let foreign = match read(origin, data, &Known::default()) {
        Ok(foreign) => foreign,
        Err(why) => return fit(&why),
    };
    foreign
        .notes
        .iter()
        .chain(&foreign.problems)
        .for_each(|line| fit(line));
    let Ok(written) = foreign.document.text() else {
        panic!("a document that cannot be written: {text:?}");
    };
    match Document::parse(written.as_bytes()) {
        Ok(again) => assert_eq!(again, foreign.document, "{text:?}"),
        Err(why) => panic!("{why}: {text:?}"),
    }
}

fn fit(line: &str) {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(
        !line.chars().any(|c| c.is_control() || turns(c)),
        "{line:?}"
    );
}
