//! `doorlight metrics`: what Prometheus reads, and who may read it over HTTP.

use super::socket::Socket;
use super::{Failure, Shared, output, reach};
use crate::ops::clock;
use crate::server::api::control::Command;
use crate::server::metrics;
use clap::Subcommand;
use serde_json::{Map, Value, json};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Open /metrics over HTTP to whoever sends a new bearer token, which is shown once; the one before ends.
    Token,
    /// Close /metrics over HTTP again.
    Off,
}

pub(super) fn run(shared: &Shared, verb: Option<Verb>) -> Result<(), Failure> {
    match verb {
        None => print(shared),
        Some(Verb::Token) => {
            let made = reach::write(shared, Command::MetricsToken {})?;
            output::to_copy(shared, &made, &[("metrics_token", "shown only now")]);
            output::next(
                shared,
                "Prometheus sends it as a bearer token to /metrics. Another one ends it, and so does doorlight metrics \
                 off.",
            );
            Ok(())
        }
        Some(Verb::Off) => {
            output::one(shared, &reach::write(shared, Command::MetricsOff {})?);
            Ok(())
        }
    }
}

/// Of the running server; without one, what the file tells by itself.
fn print(shared: &Shared) -> Result<(), Failure> {
    let text = match Socket::connect(&shared.config.socket()) {
        Some(socket) => match socket.ask_text("GET", "/metrics", b"")? {
            (200, text) => text,
            (_, why) => return Err(Failure(why)),
        },
        None => reach::read(shared, |view| {
            Ok(metrics::at_rest(view, &shared.config.data, clock::now())?)
        })?,
    };
    if shared.json {
        let samples: Vec<Value> = text.lines().filter_map(sample).collect();
        output::line(&Value::Array(samples).to_string());
    } else {
        output::line(text.trim_end());
    }
    Ok(())
}

/// A line of the text as JSON. The texts of labels are names of ours, without quotes and commas.
fn sample(line: &str) -> Option<Value> {
    let (series, value) = line.rsplit_once(' ')?;
    if line.starts_with('#') {
        return None;
    }
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels: Map<String, Value> = labels
        .trim_end_matches('}')
        .split(',')
        .filter_map(|label| label.split_once('='))
        .map(|(label, text)| (label.to_owned(), json!(text.trim_matches('"'))))
        .collect();
    let value: f64 = value.parse().ok()?;
    Some(json!({ "name": name, "labels": labels, "value": value }))
}
