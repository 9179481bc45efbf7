//! What stands on a command line can be read by every user of the machine, and stays in the history of the shell.

use super::*;
use clap::Arg;

/// Words for what nobody else may read.
const SECRET: [&str; 6] = ["password", "passphrase", "secret", "token", "key", "code"];

/// Arguments of such a name that take a value, and what that value is.
const NO_SECRETS: &[(&str, &str)] = &[
    ("tls_key", "a file"),
    ("passphrase_file", "a file"),
    ("token_seconds", "a number"),
    ("id_token_alg", "a name of the protocol"),
    ("access_token_alg", "a name of the protocol"),
    ("secret", "the id of one that is to go"),
    ("token", "the id of one that is to go"),
    ("rotate_keys", "true or false"),
    ("claims_in_id_token", "true or false"),
];

fn arguments<'c>(command: &'c Command, path: &str, found: &mut Vec<(String, &'c Arg)>) {
    let path = format!("{path} {}", command.get_name());
    found.extend(
        command
            .get_arguments()
            .map(|argument| (path.clone(), argument)),
    );
    for verb in command.get_subcommands() {
        arguments(verb, &path, found);
    }
}

#[test]
fn no_verb_takes_a_secret_as_an_argument() {
    let command = grammar();
    let mut found = Vec::new();
    arguments(&command, "", &mut found);
    assert!(found.len() > 80, "{}", found.len());
    let mut named = Vec::new();
    for (path, argument) in &found {
        let id = argument.get_id().as_str();
        let secret = SECRET.iter().any(|word| id.contains(word));
        if !secret || !argument.get_action().takes_values() {
            continue;
        }
        named.push((path.as_str(), id));
    }
    let mut unlisted = named.clone();
    unlisted.retain(|(_, id)| !NO_SECRETS.iter().any(|(listed, _)| listed == id));
    assert!(
        unlisted.is_empty(),
        "read these from a file or from standard input: {unlisted:?}"
    );
    // Whatever is listed is there, and variables hold none either: others of the same user read them in /proc.
    for (listed, what) in NO_SECRETS {
        assert!(named.iter().any(|(_, id)| id == listed), "{listed}, {what}");
    }
    for (path, argument) in &found {
        let Some(variable) = argument.get_env() else {
            continue;
        };
        let name = variable.to_string_lossy().to_ascii_lowercase();
        let secret = SECRET.iter().any(|word| name.contains(word));
        assert!(!secret || name == "doorlight_tls_key", "{path}: {name}");
    }
}
