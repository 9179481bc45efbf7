//! `doorlight health`: whether the server can write.

use super::socket::Socket;
use super::{Failure, Shared, output};
use serde_json::json;

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    let path = shared.config.socket();
    let Some(socket) = Socket::connect(&path) else {
        return Err(Failure(format!("no server listens on {}", path.display())));
    };
    let (status, _) = socket.ask("GET", "/readyz", b"")?;
    if status != 200 {
        return Err(Failure("the server cannot write its data file".to_owned()));
    }
    output::one(shared, &json!({ "ready": true }));
    Ok(())
}
