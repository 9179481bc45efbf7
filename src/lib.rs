//! Doorlight: a single-binary OAuth 2.0 and OpenID Connect server for a home or a small team.
//!
//! The map of the house: where each specification is kept, and the tests that hold it.
//!
//! | specification | file | tests |
//! |---|---|---|
//! | RFC 6749 §3.1, §4.1 authorization endpoint | `oauth/authorize/mod.rs` (the checks in order) | there; `tests/oauth/authorize.rs` |
//! | RFC 6749 §3.1.2, RFC 8252 §7.3 redirect URIs | `oauth/authorize/redirect_uri.rs`, `types/redirect_uri.rs` | there |
//! | RFC 7636 PKCE | `oauth/authorize/pkce.rs`, `oauth/token/code.rs` | there |
//! | RFC 9207 `iss` in responses; Form Post Response Mode | `oauth/authorize/response.rs` | there |
//! | OpenID Connect Core §3.1.2.3 sign-in and consent | `oauth/authorize/step.rs` | there |
//! | JARM: signed authorization responses | `oauth/authorize/jarm.rs` | there; `tests/oauth/jarm.rs` |
//! | RFC 9101, OpenID Connect Core §6 request objects | `oauth/authorize/request_object.rs` | there; `tests/oauth/request_object.rs` |
//! | RFC 9101 §5.2, OpenID Connect Core §6.2 requests by reference | `oauth/authorize/by_reference.rs`, `server/fetched` | there; `tests/oauth/fetched.rs`, `fetched_bad_input.rs`, `tests/interop/fetched.test.mjs` |
//! | RFC 7591 §2 `jwks_uri`: keys that are fetched | `server/fetched` | there; `tests/oauth/fetched.rs`, `fetched_bad_input.rs`, `fetched_https.rs` |
//! | RFC 9126 pushed authorization requests | `oauth/authorize/par.rs` | there; `tests/oauth/par.rs` |
//! | RFC 6749 §2.3 client authentication | `oauth/client_auth.rs` | there; `tests/oauth/token.rs` |
//! | RFC 7521, RFC 7523 client assertions (`private_key_jwt`, `client_secret_jwt`) | `oauth/client_assertion.rs`, `oauth/replay.rs` | there; `tests/oauth/client_assertion.rs` |
//! | FAPI 2.0 Security Profile §5.4.1 algorithms of the strict profile | `oauth/algorithm.rs`, `oauth/clients/rules.rs` | there; `tests/interop/fapi.test.mjs` |
//! | RFC 6749 §4.1.3 code grant | `oauth/token/code.rs` | there; `tests/oauth/token.rs` |
//! | RFC 6749 §6, RFC 9700 §4.14.2 refresh, replay | `oauth/token/refresh.rs` | there; `tests/oauth/refresh.rs` |
//! | RFC 6749 §4.4 client credentials | `oauth/token/client_credentials.rs` | there |
//! | RFC 8628 §3.1, §3.2 a device asks | `oauth/device_authorization.rs`, `types/user_code.rs` | there; `tests/oauth/device.rs` |
//! | RFC 8628 §3.3, §5.1, §5.4 a person answers | `oauth/device_answer.rs`, `server/pages/device.rs`, `server/device_limits.rs` | there; `tests/oauth/device.rs` |
//! | RFC 8628 §3.4, §3.5 a device fetches the answer | `oauth/token/device.rs` | there; `server/oauth/device_authorization.rs` |
//! | RFC 9068 access tokens, OpenID Connect Core §2 ID tokens | `oauth/token/issue.rs` | there |
//! | RFC 8693 token exchange | `oauth/token/exchange.rs`, `server/tokens.rs` (what it falls with) | there; `tests/oauth/exchange.rs` |
//! | RFC 8707 resource indicators | `oauth/target.rs` (who may ask for what), `oauth/resources.rs` (the records) | there; `tests/oauth/resources.rs`, `tests/oauth/resources_of_strangers.rs`, `tests/interop/mcp.test.mjs` |
//! | RFC 9449 DPoP | `oauth/dpop.rs` (a proof), `oauth/token/sender.rs` and `oauth/userinfo.rs` (what is bound), `oauth/replay.rs` (used once) | there; `tests/oauth/dpop.rs` |
//! | RFC 6750 §2, §3 bearers; RFC 9449 §7 | `server/bearer.rs`, `oauth/userinfo.rs` | `tests/oauth/userinfo.rs`, `tests/oauth/dpop.rs` |
//! | RFC 9728 Doorlight's own API and its metadata | `oauth/protected_resource.rs`, `server/api/resource.rs`, `server/administration/token_bounds.rs` (what a token may not change) | there; `tests/oauth/api.rs` |
//! | RFC 7662 introspection | `oauth/introspect.rs` | there; `tests/oauth/revoke.rs` |
//! | RFC 7009 revocation | `oauth/revoke.rs` | there; `tests/oauth/revoke.rs` |
//! | OpenID Connect Core §5 claims, §5.3 userinfo; RFC 6750 | `oauth/claims.rs`, `oauth/userinfo.rs` (§5.3.2: signed) | there; `tests/oauth/userinfo.rs`, `tests/oauth/signed_userinfo.rs`, `tests/oauth/claims.rs` |
//! | OpenID Connect Core §5.1.2 claims of an application's own | `oauth/claim_mapping.rs` | there; `tests/oauth/claims.rs` |
//! | OpenID Connect Core §8 names of people and sessions (public, pairwise) | `oauth/subject.rs`, `oauth/clients/sector.rs`, `server/sector_documents.rs` | there; `tests/oauth/pairwise.rs`, `tests/oauth/sector.rs` |
//! | Fetch §3.2 cross-origin requests | `server/cors.rs` | there; `tests/oauth/userinfo.rs` |
//! | OpenID Connect Discovery, RFC 8414 | `oauth/discovery.rs` | `tests/oauth/discovery.rs` |
//! | OpenID Connect RP-Initiated Logout; `id_token_hint` | `oauth/logout.rs`, `oauth/id_token_hint.rs` | there; `tests/oauth/logout.rs` |
//! | RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration | `oauth/registration/mod.rs` (the checks in order) | there; `tests/oauth/registration.rs`, `tests/oauth/registration_bad_input.rs` |
//! | draft-ietf-oauth-client-id-metadata-document (client documents) | `oauth/registration/document.rs`, `server/client_documents.rs` (fetching), `types/wire_client_id.rs` | there; `tests/oauth/client_documents.rs`, `tests/oauth/client_documents_refused.rs` |
//! | OpenID Connect Back-Channel Logout | `oauth/backchannel_logout.rs`, `server/logout_notices.rs`, `ops/logout_delivery.rs` | there; `tests/oauth/backchannel_logout.rs`, `tests/oauth/session_ends.rs`, `tests/interop/logout.test.mjs` |
//! | OpenID Connect Front-Channel Logout | `oauth/frontchannel_logout.rs`, `server/oauth/logout.rs` | there; `tests/oauth/frontchannel_logout.rs` |
//! | calls to other servers (RFC 6890 addresses) | `ops/outbound` | there |
//! | when a token stops counting | `oauth/standing.rs`, `server/called_back.rs` (while the clock is wrong) | there |
//! | a clock that jumps | `ops/clock.rs` (the rule), `ops/forgetting.rs`, `server/replays.rs`, `store/replays.rs`, `server/administration/clock.rs` (who knows better) | there; `tests/interop/test_clock.py` |
//! | RFC 7515 signatures, RFC 7638 thumbprints of our keys | `crypto/jws.rs`, `crypto/keyring.rs` | there |
//! | RFC 7515, RFC 7517, RFC 8037, RFC 8725 keys and signatures of others | `crypto/compact.rs`, `crypto/jwk_set.rs`, `crypto/public_key.rs`, `types/strict_json.rs` | there |
//! | key rotation | `crypto/rotation.rs` | there |
//! | passwords: Argon2id, RFC 9106 | `crypto/password.rs` | there |
//! | age v1 (age-encryption.org/v1), RFC 7748, RFC 7914, RFC 8439: encrypted files | `crypto/age` | there; `tests/crypto` (the published vectors) |
//! | who may call an address, and the headers of every answer (DESIGN §6) | `server/guard.rs`, `server/headers.rs`, `server/respond.rs` | `tests/pages/walk.rs`, `tests/pages/headers.rs`, `tests/pages/forgery.rs` |
//! | every attack, its defence and its test (RFC 9700, RFC 6819, OWASP ASVS) | `THREATS.md` | `tests/readme`, which looks whether they are there |
//! | slow and hostile connections | `server/listener/registry.rs` (who has to go), `server/listener/memory.rs`, `server/listener/input.rs` | there; `tests/hostile` |
//! | what looks like something else, or cannot be seen | `types/appearance.rs` | there |
//! | guessing at passwords | `identity/throttle.rs`, `server/guesses.rs`, `server/known_device.rs` | there; `tests/pages/guessing.rs` |
//! | RFC 9110, RFC 9112 HTTP | `server/listener` | there; `tests/listener` |
//! | RFC 8446, RFC 5246 TLS; RFC 7301 ALPN; RFC 9325 what not to speak | `server/listener/tls.rs`, `server/listener/wire.rs`, `server/listener/records.rs` | `tests/listener/tls.rs` |
//! | RFC 5280, RFC 7468 the certificate of https and its renewal | `server/certificate.rs`, `crypto/x509.rs`, `cli/https.rs` | there; `tests/tls` |
//! | the data file | `store/schema.rs` (tables), `store/writer.rs` (commits), `store/sweep.rs` (what is forgotten) | `store/crash_tests` (power cuts), `tests/store` |
//! | the log, ids of requests | `ops/logging.rs`, `server/answered.rs`, `types/request_id.rs` | there; `tests/pages/request_ids.rs` |
//! | what is secret stays in memory, and out of logs | `types/secret.rs`, `ops/core_dumps.rs`, `ops/logging.rs` | there; `tests/pages/secrets.rs`, `tests/cli/core_dumps.rs`, `tests/layering` |
//! | backups | `store/backup.rs` (a copy), `store/encrypted.rs` (in the age format), `cli/lock.rs` (with which key), `store/verify.rs` (whether it is whole), `store/placed.rs` (never half a file), `ops/backup/retention.rs` (which are kept) | there; `tests/cli/backup.rs`, `tests/cli/encrypted.rs`, `tests/interop/test_age.py` |
//! | a file that ends whoever reads it | `ops/inspection.rs` | there; `tests/cli/damaged.rs`, `tests/fuzz/targets/data_file.rs` |
//! | backups each day | `ops/backup` (when one is due, one at a time, written and checked, older ones removed), `server/administration/backups.rs` (what may be set), `server/admin/backups.rs` (the page), `server/admin/backup_download.rs` | there; `tests/cli/backups.rs`, `tests/pages/backups.rs` |
//! | measurements (Prometheus text format 0.0.4) | `server/metrics`, `store/counters.rs`, `types/histogram.rs` | there; `tests/cli/metrics.rs` |
//! | the doctor: what Doorlight stands on | `server/doctor` (one file a check), `cli/doctor.rs`, `ops/outbound/{own,witness}.rs` | there; `tests/cli/doctor.rs`, `tests/tls/doctor.rs` |
//! | what is written to the disk, and when nothing is | `store/writer.rs`, `store/marks.rs` | `tests/store/idle.rs` |
//! | sd_notify(3): ready, stopping, watchdog | `ops/service_manager.rs`, `packaging/systemd` | there; `tests/cli/service.rs` |
//! | the house as a document, in and out | `server/administration/transfer` | there; `tests/transfer` |
//! | files of other servers, and PBKDF2 of theirs | `server/administration/transfer/foreign`, `crypto/pbkdf2.rs`, `types/given_client_id.rs`, `types/given_subject.rs` | there; `tests/transfer` |
//! | taking a backup into use | `server/administration/restore.rs`, `store/restore.rs` (in place of the file) | `tests/cli/restore.rs` |
//! | RFC 7578 forms with a file: a backup through the setup page | `server/multipart.rs`, `server/restoring.rs`, `server/pages/restore.rs`, `server/listener/upload.rs` | there; `tests/listener/uploads.rs`, `tests/pages/restore.rs` |
//! | every address | `server/routes.rs` | `tests/pages` |

pub mod cli;
pub mod config;
pub mod crypto;
pub mod identity;
pub mod model;
pub mod oauth;
pub mod ops;
pub mod server;
pub mod store;
pub mod types;
pub mod views;
