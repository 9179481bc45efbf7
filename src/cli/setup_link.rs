//! `doorlight setup-link`: the way in while there is no administrator.

use super::{Failure, Shared, complain, output, reach};
use crate::server::api::control::Command;

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    let made = reach::write(shared, Command::SetupLink {})?;
    if shared.json {
        output::one(shared, &made);
    } else {
        output::line(
            made.get("url")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default(),
        );
        complain("it works once, within 24 hours; links that were made before work no more");
    }
    Ok(())
}
