//! `doorlight doctor`: whether everything that Doorlight stands on is as it should be. Asks the running server, which looks
//! with its own settings; without one, looks at the file and the machine.

use super::socket::Socket;
use super::{Failure, Shared, output};
use crate::ops::clock;
use crate::server::api::control::DOCTOR;
use crate::server::doctor::{self, Finding, Patient, Records, address};
use crate::store::ReadOnly;
use crate::types::Issuer;
use serde_json::{Value, json};

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    let findings = match Socket::connect(&shared.config.socket()) {
        Some(socket) => of_server(shared, socket)?,
        None => json!(at_rest(shared)),
    };
    let findings = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    if shared.json {
        output::line(&Value::Array(findings.to_vec()).to_string());
    } else {
        print(findings);
    }
    match findings.iter().filter(|one| level(one) == "fault").count() {
        0 => Ok(()),
        1 => Err(Failure("one fault".to_owned())),
        faults => Err(Failure(format!("{faults} faults"))),
    }
}

fn of_server(shared: &Shared, socket: Socket) -> Result<Value, Failure> {
    let silent = |Failure(why)| {
        json!([Finding::fault(
            "server",
            format!("it does not answer: {why}")
        )])
    };
    let (status, mut findings) = match socket.ask("POST", DOCTOR, b"") {
        Ok(answer) => answer,
        Err(failure) => return Ok(silent(failure)),
    };
    let Value::Array(list) = &mut findings else {
        return Err(Failure(format!(
            "the running server knows no doctor (it answered {status}): it is an older version, and has to be started anew"
        )));
    };
    list.extend(other_issuer(shared).map(|finding| json!(finding)));
    Ok(findings)
}

/// Whoever names an issuer here may mean it, and the server does not have it.
fn other_issuer(shared: &Shared) -> Option<Finding> {
    let given = &shared.config.issuer;
    if *given == Issuer::on_this_machine(shared.config.listen.port()) {
        return None;
    }
    let (_, ping) = Socket::connect(&shared.config.socket())?
        .ask("GET", "/control/ping", b"")
        .ok()?;
    let running = ping.get("issuer")?.as_str()?;
    let words = address::difference(running, given.as_str())?;
    let found = format!(
        "the server runs as {running}; the settings of this command say {given}, which {words}"
    );
    Some(
        Finding::warning("settings", found)
            .change(format!("--issuer {given}, where the server is started")),
    )
}

fn at_rest(shared: &Shared) -> Vec<Finding> {
    let data = shared.config.data.display();
    let (records, file) = match ReadOnly::open(&shared.config.data) {
        Ok(file) => {
            let snapshot = file.snapshot();
            let records = snapshot.and_then(|snapshot| Records::of(&snapshot.view()));
            (
                Some(records),
                Finding::note("server", format!("none runs on {data}")),
            )
        }
        Err(error) if error.needs_repair() => {
            let found =
                format!("none runs on {data}, which was not closed: the next start repairs it");
            (None, Finding::note("server", found))
        }
        Err(error) => return vec![Finding::fault("data file", error.to_string())],
    };
    let now = clock::now();
    let https = shared.https.files.as_ref();
    let patient = Patient::at_rest(&shared.config, https, records, now);
    let mut findings = vec![file];
    findings.extend(doctor::quick(&patient, now));
    findings.extend(doctor::slow(&patient));
    findings.push(doctor::unserved());
    findings
}

fn print(findings: &[Value]) {
    let text = |finding: &Value, member: &str| {
        let value = finding.get(member).and_then(Value::as_str)?;
        Some(
            value
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect::<String>(),
        )
    };
    let widths = findings.iter().filter_map(|finding| text(finding, "check"));
    let width = widths.map(|check| check.chars().count()).max().unwrap_or(0);
    for finding in findings {
        let check = text(finding, "check").unwrap_or_default();
        let found = text(finding, "found").unwrap_or_default();
        output::line(&format!("{:7}  {check:width$}  {found}", level(finding)));
        if let Some(change) = text(finding, "change") {
            output::line(&format!("{:7}  {:width$}  to change: {change}", "", ""));
        }
    }
}

fn level(finding: &Value) -> &str {
    let level = finding.get("level").and_then(Value::as_str);
    level.unwrap_or_default()
}
