//! The DPoP proof of a request (RFC 9449): where it stands, and which endpoint it must be for.

use super::incoming::Incoming;
use crate::oauth::dpop::{self, Proof, ProofError, Target};

/// The proof that a request carries, checked against its endpoint and the access token that it goes with. That it is
/// used once is the writer's to say (`replays`).
pub fn proof(
    incoming: &Incoming<'_>,
    access_token: Option<&str>,
) -> Result<Option<Proof>, ProofError> {
    let headers = incoming.request.headers();
    let proofs = headers.filter(|(name, _)| name.eq_ignore_ascii_case("DPoP"));
    let endpoint = incoming.ctx.config.issuer.endpoint(incoming.path);
    let target = Target {
        method: incoming.request.method(),
        endpoint: &endpoint,
        access_token,
    };
    dpop::check(proofs.map(|(_, text)| text), target, incoming.now)
}
