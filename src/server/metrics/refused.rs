//! Protocol errors that were answered, by the RFC's code. Unlike the events of the audit log none is left out, however
//! many there are. One process, one set of counts.

use super::exposition::Exposition;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every code that an answer may have (`oauth::error`, `oauth::registration::error`).
const CODES: [&str; 27] = [
    "access_denied",
    "authorization_pending",
    "consent_required",
    "expired_token",
    "insufficient_scope",
    "invalid_client",
    "invalid_client_metadata",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "login_required",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
    "slow_down",
    "temporarily_unavailable",
    "unauthorized_client",
    "unmet_authentication_requirements",
    "unsupported_grant_type",
    "unsupported_response_type",
    "other",
];

static COUNTS: [AtomicU64; CODES.len()] = [const { AtomicU64::new(0) }; CODES.len()];

/// Counts one.
pub fn note(code: &str) {
    let place = CODES.iter().position(|known| *known == code);
    if let Some(count) = COUNTS.get(place.unwrap_or(CODES.len() - 1)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn tell(text: &mut Exposition) {
    let labels = CODES.map(|code| [("code", code)]);
    text.counter(
        "doorlight_refusals_total",
        "Protocol errors that were answered, by the RFC's code.",
        labels
            .iter()
            .zip(&COUNTS)
            .map(|(labels, count)| (labels.as_slice(), count.load(Ordering::Relaxed))),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A code that is added to the protocol is counted under its own name.
    #[test]
    fn every_code_of_the_protocol_is_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oauth");
        let mut found = 0;
        for file in ["error.rs", "registration/error.rs", "dpop.rs", "replay.rs"] {
            let text = std::fs::read_to_string(root.join(file)).unwrap();
            for call in text.split("wire(").skip(1) {
                let mut parts = call.split(',').map(str::trim);
                let status = parts.next().unwrap_or_default().trim_start();
                if !(status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit())) {
                    continue;
                }
                let code = parts.next().unwrap_or_default();
                let Some(code) = code.strip_prefix('"').and_then(|c| c.strip_suffix('"')) else {
                    continue;
                };
                assert!(CODES.contains(&code), "{code} of {file}");
                found += 1;
            }
        }
        assert!(found > 30, "{found}");
    }
}
